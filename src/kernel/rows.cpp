#include "rows.hpp"

#include "dense.hpp"

#include <nanobind/nanobind.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace nb = nanobind;

namespace etamu {

namespace {

Number number_of(Type type) {
    switch (type) {
        case Type::f64: return Number::F64;
        case Type::f32: return Number::F32;
        case Type::i8: return Number::I8;
        case Type::i16: return Number::I16;
        case Type::i32: return Number::I32;
        case Type::i64: return Number::I64;
        case Type::u8: return Number::U8;
        case Type::u16: return Number::U16;
        case Type::u32: return Number::U32;
        case Type::u64: return Number::U64;
        case Type::boolean: return Number::BOOL;
    }
    return Number::F64;
}

nb::object alone(PyObject* array) { return nb::steal(PyTuple_Pack(1, array)); }

}  // namespace

void Rows::add_dense(PyObject* arrays, std::int64_t place, const double* shift, const double* scale) {
    auto block = std::make_unique<Columns>(arrays);
    if (block->width() && block->rows() != length_) throw nb::value_error("a dense block has another number of rows");
    for (int j = 0; j < block->width(); ++j) {
        columns_.push_back(block->data()[j]);
        place_.push_back(place + j);
    }
    if ((shift || !shift_.empty()) && block->width()) {
        shift_.resize(columns_.size(), 0.0);
        for (int j = 0; shift && j < block->width(); ++j) shift_[columns_.size() - block->width() + j] = shift[j];
    }
    if ((scale || !factor_.empty()) && block->width()) {
        factor_.resize(columns_.size(), 1.0);
        for (int j = 0; scale && j < block->width(); ++j)
            factor_[columns_.size() - block->width() + j] = 1.0 / scale[j];
    }
    held_.push_back(std::move(block));
}

Strided Rows::strided(PyObject* array, const char* what) {
    auto held = std::make_unique<Columns>(alone(array).ptr());
    if (held->width() != 1 || held->rows() != length_)
        throw nb::value_error((std::string(what) + " must be one column of all rows").c_str());
    const Column column = held->data()[0];
    held_.push_back(std::move(held));
    return {column.data, column.stride, number_of(column.type)};
}

void Rows::fetch(std::int64_t start) const {
    constexpr std::ptrdiff_t LINE = 64, FAR = TILE * static_cast<std::ptrdiff_t>(sizeof(double));
    const std::int64_t m = std::min<std::int64_t>(TILE, length_ - start);
    if (m <= 0) return;
    const auto lines = [&](const char* from, std::ptrdiff_t stride) {
        const std::ptrdiff_t bytes = static_cast<std::ptrdiff_t>(m) * stride;
        if (stride <= 0 || bytes > FAR) return;  // one number, or numbers far apart
        for (const char *at = from + start * stride, *end = at + bytes; at < end; at += LINE) __builtin_prefetch(at, 0, 2);
    };
    for (const Column& column : columns_)
        if (soon()) lines(column.data, column.stride);
    for (const CodedBlock& block : coded_) {
        lines(block.codes.data, block.codes.stride);
        if (block.multiplier.data) lines(block.multiplier.data, block.multiplier.stride);
    }
    for (const double* numbers : {offset_, weight_})
        if (numbers) lines(reinterpret_cast<const char*>(numbers), sizeof(double));
    for (const double* y : y_) lines(reinterpret_cast<const char*>(y), sizeof(double));
}

void Rows::look_ahead(std::int64_t start, Ahead& ahead) const {
    ahead.now = ahead.count = 0;
    const int m = static_cast<int>(std::min<std::int64_t>(tile(), length_ - start));
    if (!soon()) etamu::look_ahead(ahead, columns_.data(), dense(), start, m);
    if (coded()) return;  // the rest is asked for at once
    const auto numbers = [&](const double* from) {
        const Column column{reinterpret_cast<const char*>(from), sizeof(double), Type::f64};
        if (from) etamu::look_ahead(ahead, &column, 1, start, m);
    };
    numbers(offset_), numbers(weight_);
    for (const double* y : y_) numbers(y);
}

const double* Rows::doubles(PyObject* array, const char* what) {
    const Strided column = strided(array, what);
    if (column.type != Number::F64 || (column.stride != sizeof(double) && length_ > 1))
        throw nb::type_error((std::string(what) + " must be contiguous float64").c_str());
    return reinterpret_cast<const double*>(column.data);
}

void Rows::add_coded(PyObject* codes, std::int64_t levels, PyObject* multiplier, double scale, std::int64_t place) {
    CodedBlock block{strided(codes, "the codes"), levels, {}, scale, place};
    if (!codes_in_range(block.codes, length_, levels)) throw nb::value_error("a code is not the number of a level");
    if (multiplier != Py_None) block.multiplier = strided(multiplier, "the multiplier");
    coded_.push_back(block);
}

void Rows::add_sparse(const Sparse& x, const double* scale, std::int64_t place) {
    if (sparse_) throw nb::value_error("rows have one sparse block at most");
    if (x.length != length_) throw nb::value_error("a sparse block has another number of rows");
    std::vector<double> factor;
    for (std::int64_t j = 0; scale && j < x.width; ++j) factor.push_back(1.0 / scale[j]);
    sparse_.emplace(SparseBlock{x, std::move(factor), place});
}

// The number that a dense column has in all rows, as it is packed; not finite where they may differ.
double Rows::repeated(std::size_t j) const {
    if (columns_[j].stride != 0 || columns_[j].type != Type::f64 || length_ == 0)
        return std::numeric_limits<double>::quiet_NaN();
    double number;
    std::memcpy(&number, columns_[j].data, sizeof number);
    return (number - (shift_.empty() ? 0.0 : shift_[j])) * (factor_.empty() ? 1.0 : factor_[j]);
}

void Rows::look_for_constant() {
    for (std::size_t j = 0; j < columns_.size() && ones_ < 0; ++j)
        if (repeated(j) == 1.0) ones_ = static_cast<int>(j);
    lone_number_ = dense() == 1 ? repeated(0) : std::numeric_limits<double>::quiet_NaN();
    lone_ = std::isfinite(lone_number_);
    for (const CodedBlock& block : coded_) lone_ = lone_ && block.plain();
}

void Rows::look_for_plain() {
    const int p = dense();
    if (coded() || p < PLAIN || std::any_of(shift_.begin(), shift_.end(), [](double shift) { return shift != 0.0; })) return;
    const double lead = repeated(0);
    const bool led = std::isfinite(lead);
    const Column& first = columns_[led];
    const std::ptrdiff_t wide = sizeof(double);
    if (first.type != Type::f64 || first.stride < wide || first.stride % wide || neighbours(&first, p - led) < p - led) return;
    if (reinterpret_cast<std::uintptr_t>(first.data) % alignof(double)) return;
    factors_.assign(static_cast<std::size_t>(padded(p)), 0.0);
    for (int j = 0; j < p; ++j) factors_[j] = factor_.empty() || (led && j == 0) ? 1.0 : factor_[j];
    plain_ = {reinterpret_cast<const double*>(first.data), first.stride / wide, p - led, led, lead, factors_.data()};
}

void Rows::set_response(PyObject* y, PyObject* offset, PyObject* weight, PyObject* squared) {
    nb::object sequence = nb::steal(PySequence_Fast(y, "the response must be a tuple of arrays"));
    if (!sequence.is_valid()) nb::raise_python_error();
    for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(sequence.ptr()); ++k)
        y_.push_back(doubles(PySequence_Fast_GET_ITEM(sequence.ptr(), k), "a response column"));
    if (offset != Py_None) offset_ = doubles(offset, "the offset");
    if (weight != Py_None) weight_ = doubles(weight, "the weights");
    if (squared != Py_None) squared_ = doubles(squared, "the squared weights");
}

}  // namespace etamu
