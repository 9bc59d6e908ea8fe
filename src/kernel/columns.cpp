#include "columns.hpp"

#include <nanobind/nanobind.h>

#include <cstring>
#include <string>

namespace nb = nanobind;

namespace etamu {

namespace {

// The type behind a format string of the buffer protocol; false if it is none of ours, or in foreign byte order.
bool type_of(const Py_buffer& view, Type& type) {
    const char* format = view.format ? view.format : "B";
    if (*format == '@' || *format == '=' || *format == '|') ++format;
    if (*format == '\0' || format[1] != '\0') return false;
    const std::ptrdiff_t size = view.itemsize;
    if (*format == '?') return type = Type::boolean, size == 1;
    if (*format == 'd') return type = Type::f64, size == 8;
    if (*format == 'f') return type = Type::f32, size == 4;
    // `long` has 4 or 8 bytes depending on the platform: the letter gives the sign, the item size the width.
    const bool is_signed = std::strchr("bhilqn", *format) != nullptr;
    if (!is_signed && !std::strchr("BHILQN", *format)) return false;
    switch (size) {
        case 1: type = is_signed ? Type::i8 : Type::u8; return true;
        case 2: type = is_signed ? Type::i16 : Type::u16; return true;
        case 4: type = is_signed ? Type::i32 : Type::u32; return true;
        case 8: type = is_signed ? Type::i64 : Type::u64; return true;
        default: return false;
    }
}

}  // namespace

Columns::Columns(PyObject* arrays) {
    nb::object sequence = nb::steal(PySequence_Fast(arrays, "the columns must be a tuple of arrays"));
    if (!sequence.is_valid()) nb::raise_python_error();
    const Py_ssize_t count = PySequence_Fast_GET_SIZE(sequence.ptr());
    for (Py_ssize_t k = 0; k < count; ++k) {
        std::unique_ptr<Py_buffer> raw(new Py_buffer);
        if (PyObject_GetBuffer(PySequence_Fast_GET_ITEM(sequence.ptr(), k), raw.get(), PyBUF_STRIDED_RO | PyBUF_FORMAT))
            nb::raise_python_error();
        views_.emplace_back(raw.release());
        const Py_buffer& view = *views_.back();
        const std::string which = "array " + std::to_string(k) + " of the columns ";
        if (view.ndim != 1 && view.ndim != 2)
            throw nb::value_error((which + "must have 1 or 2 dimensions, not " + std::to_string(view.ndim)).c_str());
        Type type;
        if (!type_of(view, type))
            throw nb::type_error((which + "has a dtype that is not supported: " + view.format).c_str());
        if (k == 0) rows_ = view.shape[0];
        if (view.shape[0] != rows_)
            throw nb::value_error((which + "has " + std::to_string(view.shape[0]) + " rows, the first has " +
                                   std::to_string(rows_)).c_str());
        const Py_ssize_t wide = view.ndim == 2 ? view.shape[1] : 1;
        const std::ptrdiff_t step = view.ndim == 2 ? view.strides[1] : 0;
        for (Py_ssize_t j = 0; j < wide; ++j)
            columns_.push_back({static_cast<const char*>(view.buf) + j * step, view.strides[0], type});
    }
}

}  // namespace etamu
