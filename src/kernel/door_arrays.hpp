// Arrays across the Python border: read through the buffer protocol (any stride, read-only too), returned as NumPy's.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "coded.hpp"

namespace etamu {

namespace nb = nanobind;

// A view of an array, released when it goes; keep the GIL for both ends.
class View {
  public:
    View(nb::handle array, int dimensions, const char* name) {
        if (PyObject_GetBuffer(array.ptr(), &buffer_, PyBUF_STRIDED_RO | PyBUF_FORMAT) != 0) throw nb::python_error();
        if (buffer_.ndim != dimensions) {
            PyBuffer_Release(&buffer_);
            throw nb::value_error((std::string(name) + " has the wrong number of dimensions").c_str());
        }
    }
    ~View() { PyBuffer_Release(&buffer_); }
    View(const View&) = delete;
    View& operator=(const View&) = delete;

    std::int64_t size(int axis = 0) const { return buffer_.shape[axis]; }

    Strided column() const {
        return {static_cast<const char*>(buffer_.buf), buffer_.strides[0], type()};
    }

    Number type() const {
        const std::string format = buffer_.format == nullptr ? "B" : buffer_.format;
        const bool wide = buffer_.itemsize == 8, half = buffer_.itemsize == 4, quarter = buffer_.itemsize == 2;
        const char letter = format.size() == 1 ? format[0] : '\0';  // a longer format names a byte order
        if (letter == 'd') return Number::F64;
        if (letter == 'f') return Number::F32;
        if (letter == '?') return Number::BOOL;
        if (letter != '\0' && std::string("bhilqn").find(letter) != std::string::npos)
            return wide ? Number::I64 : half ? Number::I32 : quarter ? Number::I16 : Number::I8;
        if (letter != '\0' && std::string("BHILQN").find(letter) != std::string::npos)
            return wide ? Number::U64 : half ? Number::U32 : quarter ? Number::U16 : Number::U8;
        throw nb::type_error(("numbers of the format '" + format + "' are not read by the kernel").c_str());
    }

    // The numbers themselves, for arrays that the Python side made contiguous.
    template <class T>
    const T* as(Number expected, const char* name) const {
        std::int64_t stride = buffer_.itemsize;
        for (int axis = buffer_.ndim - 1; axis >= 0; --axis) {
            if (buffer_.shape[axis] > 1 && buffer_.strides[axis] != stride)
                throw nb::value_error((std::string(name) + " must be contiguous").c_str());
            stride *= buffer_.shape[axis];
        }
        if (type() != expected) throw nb::type_error((std::string(name) + " has the wrong type").c_str());
        return static_cast<const T*>(buffer_.buf);
    }

    const double* doubles(const char* name) const { return as<double>(Number::F64, name); }

  private:
    Py_buffer buffer_;
};

inline void same_length(std::int64_t found, std::int64_t expected, const char* name) {
    if (found != expected) throw nb::value_error((std::string(name) + " has the wrong length").c_str());
}

// A new array of zeros that NumPy will own. `calloc` leaves pages of a table that nobody touches unallocated.
template <class T>
struct Fresh {
    T* data;
    nb::ndarray<nb::numpy, T> array;
    explicit Fresh(std::initializer_list<std::size_t> shape) {
        std::size_t count = 1;
        for (std::size_t extent : shape) count *= extent;
        data = static_cast<T*>(std::calloc(count > 0 ? count : 1, sizeof(T)));
        if (data == nullptr) throw std::bad_alloc();
        nb::capsule owner(data, [](void* p) noexcept { std::free(p); });
        array = nb::ndarray<nb::numpy, T>(data, shape, owner);
    }
};

}  // namespace etamu
