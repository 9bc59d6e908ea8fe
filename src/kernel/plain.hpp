// Rows of doubles where they lie: what need not be packed.
//
// Where all columns stand side by side in one row-major array, perhaps after a constant, and none is shifted, products
// with vectors read them there, and nothing is written. A panel is still made where a Gram of doubles follows.
#pragma once

#include <cstddef>

namespace etamu {

// Some rows of p columns. Plain data, as verbs take it.
struct Plain {
    const double* x;        // of the first row, the first column after the constant
    std::ptrdiff_t stride;  // doubles from one row to the next
    int p;                  // columns without the constant
    bool led;               // whether a constant comes first
    double lead;            // that number
    const double* factor;   // of every column, the constant's being 1; padded with zeros to whole slivers

    Plain from(std::ptrdiff_t row) const { return {x + row * stride, stride, p, led, lead, factor}; }
};

}  // namespace etamu
