// The steps of a unit's program, each one vector loop over the rows of a tile. Included by isa.cpp once per
// instruction set.
#pragma once

#include "ahead.hpp"
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

// Element `part * LANES + k` of each of LANES lines of a table becomes vector k: a transposition, because a gather would
// load every number by itself.
ETAMU_INLINE void transposed(const double* const* lines, Doubles* columns) {
#if defined(__AVX512F__)
    const __m512i near_low = _mm512_setr_epi64(0, 8, 2, 10, 4, 12, 6, 14);
    const __m512i near_high = _mm512_setr_epi64(1, 9, 3, 11, 5, 13, 7, 15);
    const __m512i pair_low = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
    const __m512i pair_high = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
    const __m512i half_low = _mm512_setr_epi64(0, 1, 2, 3, 8, 9, 10, 11);
    const __m512i half_high = _mm512_setr_epi64(4, 5, 6, 7, 12, 13, 14, 15);
    __m512d v[8];
    ETAMU_UNROLL
    for (int i = 0; i < 8; ++i) v[i] = _mm512_loadu_pd(lines[i]);
    const auto exchange = [&v](int distance, __m512i low, __m512i high) {
        ETAMU_UNROLL
        for (int i = 0; i < 8; ++i) {
            if (i & distance) continue;
            const __m512d a = v[i], b = v[i + distance];
            v[i] = _mm512_permutex2var_pd(a, low, b);
            v[i + distance] = _mm512_permutex2var_pd(a, high, b);
        }
    };
    exchange(1, near_low, near_high);
    exchange(2, pair_low, pair_high);
    exchange(4, half_low, half_high);
    ETAMU_UNROLL
    for (int i = 0; i < 8; ++i) columns[i] = reinterpret_cast<Doubles>(v[i]);
#elif defined(__AVX2__)
    const __m256d a = _mm256_loadu_pd(lines[0]), b = _mm256_loadu_pd(lines[1]);
    const __m256d c = _mm256_loadu_pd(lines[2]), d = _mm256_loadu_pd(lines[3]);
    const __m256d even_ab = _mm256_unpacklo_pd(a, b), odd_ab = _mm256_unpackhi_pd(a, b);
    const __m256d even_cd = _mm256_unpacklo_pd(c, d), odd_cd = _mm256_unpackhi_pd(c, d);
    columns[0] = reinterpret_cast<Doubles>(_mm256_permute2f128_pd(even_ab, even_cd, 0x20));
    columns[1] = reinterpret_cast<Doubles>(_mm256_permute2f128_pd(odd_ab, odd_cd, 0x20));
    columns[2] = reinterpret_cast<Doubles>(_mm256_permute2f128_pd(even_ab, even_cd, 0x31));
    columns[3] = reinterpret_cast<Doubles>(_mm256_permute2f128_pd(odd_ab, odd_cd, 0x31));
#else
    for (int k = 0; k < LANES; ++k) {
        Doubles column{};
        for (int i = 0; i < LANES; ++i) column[i] = lines[i][k];
        columns[k] = column;
    }
#endif
}

// etamu.family.panels: the first bits of a number are its panel, the others its place in it.
inline Doubles panels_at(const double* table, int octaves, Doubles x) {
    constexpr int FRACTION = 52, LOW = FRACTION - PANELS_SPLITS;
    constexpr std::int64_t MANTISSA = (std::int64_t(1) << FRACTION) - 1, ONE = std::int64_t(1023) << FRACTION;
    constexpr std::int64_t TOP = MANTISSA ^ ((std::int64_t(1) << LOW) - 1), HALF = std::int64_t(1) << (LOW - 1);
    const Longs bits = as_longs(x) & INT64_MAX, exponent = shifted_right(bits, FRACTION), none = Longs{};
    const Longs own = exponent - static_cast<std::int64_t>(table[0]);
    Longs octave = own < 0 ? none : own;
    octave = octave > octaves - 1 ? none + (octaves - 1) : octave;
    const Longs panel = (octave << PANELS_SPLITS) | shifted_right(bits & MANTISSA, LOW);
    const Doubles place = as_doubles((bits & MANTISSA) | ONE) - as_doubles((bits & TOP) | (ONE | HALF));
    const double* lines[LANES];
    Doubles coefficients[PANELS_COUNT];
    ETAMU_UNROLL
    for (int i = 0; i < LANES; ++i) lines[i] = table + PANELS_HEAD + panel[i] * PANELS_COUNT;
    ETAMU_UNROLL
    for (int part = 0; part < PANELS_COUNT; part += LANES) {
        transposed(lines, coefficients + part);
        for (int i = 0; i < LANES; ++i) lines[i] += LANES;
    }
    Doubles total = coefficients[0];
    ETAMU_UNROLL
    for (int k = 1; k < PANELS_COUNT; ++k) total = total * place + coefficients[k];
    if (any_of(own != octave)) {  // beyond the table a factor per octave continues it
        Doubles factor{};
        ETAMU_UNROLL
        for (int i = 0; i < LANES; ++i) factor[i] = table[2 + exponent[i]];
        total *= factor;
    }
    return x == x ? total : x;
}

#define ETAMU_ONE(name, expression) \
    case Operation::name: each(step, bases, rows, [](Doubles a) { return expression; }); break;
#define ETAMU_TWO(name, expression) \
    case Operation::name: each2(step, bases, rows, [](Doubles a, Doubles b) { return expression; }); break;
#define ETAMU_THREE(name, expression) \
    case Operation::name: each3(step, bases, rows, [](Doubles a, Doubles b, Doubles c) { return expression; }); break;

// Rows of a step in whose time a line of memory comes.
constexpr int ROWS_PER_LINE = 32;

inline void execute(const Step* steps, int count, double* const* bases, int rows, Ahead& ahead) {
    for (const Step* at = steps; at != steps + count; ++at) {
        const Step& step = *at;
        ask(ahead, rows / ROWS_PER_LINE);
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
            case Operation::panels: {
                const double* table = bases[step.b.base] + step.b.offset;
                each(step, bases, rows, [=](Doubles a) { return panels_at(table, step.count, a); });
                break;
            }
        }
    }
}

#undef ETAMU_ONE
#undef ETAMU_TWO
#undef ETAMU_THREE

}  // namespace etamu::ETAMU_ISA
