// One step of a unit's program: an operation, where its operands lie, where its result goes. See program.hpp.
#pragma once

#include <cstddef>

namespace etamu {

// name, operands. A mask is 64 bits per row, all set or none. Python asks for these names (_kernel.OPERATIONS).
#define ETAMU_OPERATIONS(X)                                                                                       \
    X(copy, 1) X(neg, 1) X(abs, 1) X(sqrt, 1) X(floor, 1) X(sign, 1)                                              \
    X(exp, 1) X(expm1, 1) X(log, 1) X(log1p, 1) X(tanh, 1)                                                        \
    X(sin, 1) X(cos, 1) X(tan, 1) X(atan, 1) X(sinh, 1) X(cosh, 1) X(asinh, 1) X(atanh, 1)                        \
    X(add, 2) X(sub, 2) X(mul, 2) X(div, 2) X(pow, 2) X(minimum, 2) X(maximum, 2)                                 \
    X(lt, 2) X(le, 2) X(eq, 2) X(ne, 2) X(both, 2) X(either, 2) X(invert, 1)                                      \
    X(where, 3) X(fma, 3) X(fms, 3) X(fnma, 3) X(poly, 3)                                                         \
    X(expm1mx, 1) X(log1pmx, 1) X(relative_entropy, 2) X(bd0, 2) X(half_deviance, 3)                                    \
    X(log_of_part, 2) X(exp_of_square, 2) X(panels, 1)
// fma: a b + c; fms: a b - c; fnma: c - a b. poly: a polynomial in `a`, whose coefficients are the `c` constants from
// slot `b` on, the highest power first. The last two lines: as in etamu.family.special, .normal and .panels; panels
// reads table `b` at `a`.

enum class Operation : int {
#define ETAMU_ENTRY(name, operands) name,
    ETAMU_OPERATIONS(ETAMU_ENTRY)
#undef ETAMU_ENTRY
};

// Where an operand lies: rows `bases[base] + offset + stride * row`; stride 0 is a constant, stored eight times over.
struct Operand {
    int base;
    int stride;
    std::ptrdiff_t offset;
};

// A table of etamu.family.panels: first exponent, octaves, a factor per exponent, coefficients of every panel.
constexpr int PANELS_SPLITS = 5, PANELS_COUNT = 8, PANELS_EXPONENTS = 2048;
constexpr std::size_t PANELS_SPLIT = std::size_t(1) << PANELS_SPLITS, PANELS_HEAD = 2 + PANELS_EXPONENTS;

struct Step {
    Operation operation;
    int count;  // coefficients of a polynomial; octaves of a table
    Operand to, a, b, c;
};

}  // namespace etamu
