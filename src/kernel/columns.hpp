// The columns of a dense block as they come from Python: a tuple of 1-D or 2-D arrays, flattened and held.
#pragma once

#include <Python.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "column.hpp"

namespace etamu {

// Views arrays through the buffer protocol: read-only, strided, reversed and unaligned arrays are all welcome. While
// this lives the memory stays where it is. Made and destroyed with the GIL held; read without it.
class Columns {
   public:
    // A tuple (or any sequence) of arrays, each (n,) or (n, k); throws nb::value_error or nb::type_error in words.
    explicit Columns(PyObject* arrays);

    const Column* data() const { return columns_.data(); }
    int width() const { return static_cast<int>(columns_.size()); }
    std::int64_t rows() const { return rows_; }  // 0 if there is no array

   private:
    struct Release {
        void operator()(Py_buffer* view) const {
            PyBuffer_Release(view);
            delete view;
        }
    };

    std::vector<Column> columns_;
    std::vector<std::unique_ptr<Py_buffer, Release>> views_;
    std::int64_t rows_ = 0;
};

}  // namespace etamu
