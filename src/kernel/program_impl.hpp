// The steps of a unit's program, each one vector loop over the rows of a tile. Included by isa.cpp once per
// instruction set.
#pragma once

#include "simd.hpp"
#include "step.hpp"
#include "vecmath_impl.hpp"
#include "vecmath_more_impl.hpp"

namespace etamu::ETAMU_ISA {

// An operand as the loop sees it: a constant has stride 0 and gives the same vector for every row.
struct Reader {
    const double* from;
    std::ptrdiff_t stride;

    Reader(double* const* bases, const Operand& operand)
        : from(bases[operand.base] + operand.offset), stride(operand.stride) {}
    Doubles operator[](std::ptrdiff_t row) const { return load<Doubles>(from + stride * row); }
};

template <class Function>
inline void each(const Step& step, double* const* bases, int rows, Function function) {
    const Reader a(bases, step.a);
    double* to = bases[step.to.base] + step.to.offset;
    for (std::ptrdiff_t row = 0; row < rows; row += LANES) store(to + row, function(a[row]));
}

template <class Function>
inline void each2(const Step& step, double* const* bases, int rows, Function function) {
    const Reader a(bases, step.a), b(bases, step.b);
    double* to = bases[step.to.base] + step.to.offset;
    for (std::ptrdiff_t row = 0; row < rows; row += LANES) store(to + row, function(a[row], b[row]));
}

template <class Function>
inline void each3(const Step& step, double* const* bases, int rows, Function function) {
    const Reader a(bases, step.a), b(bases, step.b), c(bases, step.c);
    double* to = bases[step.to.base] + step.to.offset;
    for (std::ptrdiff_t row = 0; row < rows; row += LANES) store(to + row, function(a[row], b[row], c[row]));
}

// Four vectors at a time: a chain of multiply-adds would wait for itself.
inline void polynomial(const Step& step, double* const* bases, int rows) {
    const Reader a(bases, step.a);
    const double* coefficients = bases[step.b.base] + step.b.offset;
    double* to = bases[step.to.base] + step.to.offset;
    std::ptrdiff_t row = 0;
    for (; row + 4 * LANES <= rows; row += 4 * LANES) {
        const Doubles x0 = a[row], x1 = a[row + LANES], x2 = a[row + 2 * LANES], x3 = a[row + 3 * LANES];
        const Doubles first = load<Doubles>(coefficients);
        Doubles t0 = first, t1 = first, t2 = first, t3 = first;
        for (int k = 1; k < step.count; ++k) {
            const Doubles next = load<Doubles>(coefficients + 8 * k);
            t0 = t0 * x0 + next;
            t1 = t1 * x1 + next;
            t2 = t2 * x2 + next;
            t3 = t3 * x3 + next;
        }
        store(to + row, t0);
        store(to + row + LANES, t1);
        store(to + row + 2 * LANES, t2);
        store(to + row + 3 * LANES, t3);
    }
    for (; row < rows; row += LANES) {
        const Doubles x = a[row];
        Doubles total = load<Doubles>(coefficients);
        for (int k = 1; k < step.count; ++k) total = total * x + load<Doubles>(coefficients + 8 * k);
        store(to + row, total);
    }
}

#define ETAMU_ONE(name, expression) \
    case Operation::name: each(step, bases, rows, [](Doubles a) { return expression; }); break;
#define ETAMU_TWO(name, expression) \
    case Operation::name: each2(step, bases, rows, [](Doubles a, Doubles b) { return expression; }); break;
#define ETAMU_THREE(name, expression) \
    case Operation::name: each3(step, bases, rows, [](Doubles a, Doubles b, Doubles c) { return expression; }); break;

inline void execute(const Step* steps, int count, double* const* bases, int rows) {
    for (const Step* at = steps; at != steps + count; ++at) {
        const Step& step = *at;
        switch (step.operation) {
            ETAMU_ONE(copy, a)
            ETAMU_ONE(neg, -a)
            ETAMU_ONE(abs, absolute(a))
            ETAMU_ONE(sqrt, square_root(a))
            ETAMU_ONE(floor, floor_of(a))
            ETAMU_ONE(sign, sign_of(a))
            ETAMU_ONE(exp, exp_of(a))
            ETAMU_ONE(expm1, expm1_of(a))
            ETAMU_ONE(log, log_of(a))
            ETAMU_ONE(log1p, log1p_of(a))
            ETAMU_ONE(tanh, tanh_of(a))
            ETAMU_ONE(sin, sin_of(a))
            ETAMU_ONE(cos, cos_of(a))
            ETAMU_ONE(tan, tan_of(a))
            ETAMU_ONE(atan, atan_of(a))
            ETAMU_ONE(sinh, sinh_of(a))
            ETAMU_ONE(cosh, cosh_of(a))
            ETAMU_ONE(asinh, asinh_of(a))
            ETAMU_ONE(atanh, atanh_of(a))
            ETAMU_TWO(add, a + b)
            ETAMU_TWO(sub, a - b)
            ETAMU_TWO(mul, a * b)
            ETAMU_TWO(div, divide(a, b))
            ETAMU_TWO(pow, power(a, b))
            ETAMU_TWO(minimum, smaller(a, b))
            ETAMU_TWO(maximum, larger(a, b))
            ETAMU_TWO(lt, as_doubles(a < b))
            ETAMU_TWO(le, as_doubles(a <= b))
            ETAMU_TWO(eq, as_doubles(a == b))
            ETAMU_TWO(ne, as_doubles(a != b))
            ETAMU_TWO(both, as_doubles(as_longs(a) & as_longs(b)))
            ETAMU_TWO(either, as_doubles(as_longs(a) | as_longs(b)))
            ETAMU_ONE(invert, as_doubles(~as_longs(a)))
            ETAMU_THREE(where, as_longs(a) ? b : c)
            ETAMU_THREE(fma, a * b + c)
            ETAMU_THREE(fms, a * b - c)
            ETAMU_THREE(fnma, c - a * b)
            ETAMU_ONE(expm1mx, expm1mx_of(a))
            ETAMU_ONE(log1pmx, log1pmx_of(a))
            ETAMU_TWO(relative_entropy, relative_entropy_of(a, b))
            ETAMU_TWO(log_of_part, log_of_part_of(a, b))
            ETAMU_TWO(exp_of_square, exp_of_square_of(a, b))
            ETAMU_TWO(bd0, bd0_of(a, b))
            ETAMU_THREE(half_deviance, half_deviance_of(a, b, c))
            case Operation::poly: polynomial(step, bases, rows); break;
        }
    }
}

#undef ETAMU_ONE
#undef ETAMU_TWO
#undef ETAMU_THREE

}  // namespace etamu::ETAMU_ISA
