// Elementary functions of vectors: no tables, no branches, the whole range of doubles. Included by isa.cpp once per
// instruction set.
//
// Infinities, NaN, subnormal numbers and the sign of zero come out as in the C library; errors are below 2 units in
// the last place (tests/kernel/test_program.py holds each function to its bound). The polynomials interpolate at
// Chebyshev nodes in 60 digits; a product followed by a sum is one instruction where the processor has it, and
// nothing here needs it to be, or not to be.
#pragma once

#include <math.h>

#include "simd.hpp"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace etamu::ETAMU_ISA {

typedef std::uint64_t Bits __attribute__((vector_size(WIDTH)));

inline Longs as_longs(Doubles x) { return reinterpret_cast<Longs>(x); }
template <class V>
inline Doubles as_doubles(V x) { return reinterpret_cast<Doubles>(x); }
inline Longs shifted_right(Longs x, int by) { return reinterpret_cast<Longs>(reinterpret_cast<Bits>(x) >> by); }

constexpr std::int64_t SIGN = INT64_MIN;
#if defined(__AVX512F__)
constexpr __mmask8 EVERY = 0xff;  // the unmasked forms warn of an operand they leave undefined
#endif

// Whether a bit of any lane is set.
inline bool any_of(Longs x) {
#if defined(__AVX512F__)
    const __m512i bits = reinterpret_cast<__m512i>(x);
    return _mm512_test_epi64_mask(bits, bits) != 0;
#else
    std::int64_t any = 0;
    for (int i = 0; i < LANES; ++i) any |= x[i];
    return any != 0;
#endif
}

constexpr double LN2_HIGH = 0x1.62e42fefa2000p-1;  // 40 bits: a product with an exponent is exact
constexpr double LN2_LOW = 0x1.9ef35793c7673p-41;
constexpr double ROUND = 0x1.8p52;  // adding it rounds to an integer, which is then in the low bits

inline Doubles absolute(Doubles x) { return as_doubles(as_longs(x) & INT64_MAX); }

// The magnitude of one vector (nothing but its sign is changed) with the sign of another.
inline Doubles with_sign(Doubles magnitude, Doubles sign) {
    return as_doubles(as_longs(magnitude) | (as_longs(sign) & SIGN));
}

// NumPy's: a NaN on either side is the answer.
inline Doubles smaller(Doubles x, Doubles y) { return ((x < y) | (x != x)) ? x : y; }
inline Doubles larger(Doubles x, Doubles y) { return ((x > y) | (x != x)) ? x : y; }

// Between two ends; NaN stays NaN.
inline Doubles held(Doubles x, double low, double high) {
#if defined(__AVX512F__)  // these give their second operand where one is NaN
    const __m512d below = _mm512_maskz_min_pd(EVERY, _mm512_set1_pd(high), reinterpret_cast<__m512d>(x));
    return reinterpret_cast<Doubles>(_mm512_maskz_max_pd(EVERY, _mm512_set1_pd(low), below));
#elif defined(__AVX2__)
    const __m256d below = _mm256_min_pd(_mm256_set1_pd(high), reinterpret_cast<__m256d>(x));
    return reinterpret_cast<Doubles>(_mm256_max_pd(_mm256_set1_pd(low), below));
#elif defined(__SSE2__)
    const __m128d below = _mm_min_pd(_mm_set1_pd(high), reinterpret_cast<__m128d>(x));
    return reinterpret_cast<Doubles>(_mm_max_pd(_mm_set1_pd(low), below));
#else
    x = x > high ? all<Doubles>(high) : x;
    return x < low ? all<Doubles>(low) : x;
#endif
}

inline Doubles sign_of(Doubles x) {
    const Doubles one = all<Doubles>(1.0);
    return x > 0.0 ? one : (x < 0.0 ? -one : (x == 0.0 ? Doubles{} : x));  // NumPy's: zero has no sign
}

inline Doubles floor_of(Doubles x) {
    const Doubles rounded = (x + ROUND) - ROUND;
    const Doubles below = with_sign(rounded > x ? rounded - 1.0 : rounded, x);
    return absolute(x) < 0x1p51 ? below : (absolute(x) < 0x1p52 ? below : x);
}

inline Doubles square_root(Doubles x) {
#if defined(__AVX512F__)
    return reinterpret_cast<Doubles>(_mm512_maskz_sqrt_pd(EVERY, reinterpret_cast<__m512d>(x)));
#elif defined(__AVX2__)
    return reinterpret_cast<Doubles>(_mm256_sqrt_pd(reinterpret_cast<__m256d>(x)));
#elif defined(__SSE2__)
    return reinterpret_cast<Doubles>(_mm_sqrt_pd(reinterpret_cast<__m128d>(x)));
#elif defined(__ARM_NEON)
    return reinterpret_cast<Doubles>(vsqrtq_f64(reinterpret_cast<float64x2_t>(x)));
#else
    for (int i = 0; i < LANES; ++i) x[i] = ::sqrt(x[i]);
    return x;
#endif
}

#if defined(__AVX512F__)
// 1 / x to 2^-14, x and 1 / x being normal numbers.
inline Doubles roughly_inverse(Doubles x) {
    return reinterpret_cast<Doubles>(_mm512_maskz_rcp14_pd(EVERY, reinterpret_cast<__m512d>(x)));
}

// 1 / x to a rare last bit, x and 1 / x being normal numbers.
inline Doubles inverse_of_normal(Doubles x) {
    Doubles inverse = roughly_inverse(x);
    inverse += inverse * (1.0 - x * inverse);
    return inverse + inverse * (1.0 - x * inverse);
}

// The rows whose exponent is far from both ends.
inline __mmask8 far_from_ends(Doubles x) {
    const Longs above = (as_longs(x) & INT64_MAX) - (std::int64_t(1023 - 500) << 52);
    return _mm512_cmplt_epu64_mask(reinterpret_cast<__m512i>(above), _mm512_set1_epi64(std::int64_t(1000) << 52));
}
#endif

// 1 / x, to a few digits at least.
inline Doubles inverse(Doubles x) {
#if defined(__AVX512F__)
    return roughly_inverse(x);
#else
    return 1.0 / x;
#endif
}

// x / y where y and the quotient are normal numbers, or x is 0: a division takes longer than these.
inline Doubles quotient(Doubles x, Doubles y) {
#if defined(__AVX512F__)
    const Doubles inverse = inverse_of_normal(y);
    const Doubles near = x * inverse;
    return near + inverse * (x - y * near);
#else
    return x / y;
#endif
}

// x / y, rounded as the standard demands but for a rare last bit.
inline Doubles divide(Doubles x, Doubles y) {
#if defined(__AVX512F__)
    const __mmask8 nothing = _mm512_cmp_pd_mask(reinterpret_cast<__m512d>(x), _mm512_setzero_pd(), _CMP_EQ_OQ);
    if (__builtin_expect((far_from_ends(y) & (far_from_ends(x) | nothing)) != EVERY, 0)) return x / y;
    return as_doubles(as_longs(quotient(x, y)) | ((as_longs(x) ^ as_longs(y)) & SIGN));
#else
    return x / y;
#endif
}

// a b - product, exactly where the product is near it: what rounding took from it.
inline Doubles lost_in_product(Doubles a, Doubles b, Doubles product) {
#if defined(__AVX512F__)
    return reinterpret_cast<Doubles>(_mm512_fmsub_pd(reinterpret_cast<__m512d>(a), reinterpret_cast<__m512d>(b),
                                                     reinterpret_cast<__m512d>(product)));
#elif defined(__FMA__)
    return reinterpret_cast<Doubles>(_mm256_fmsub_pd(reinterpret_cast<__m256d>(a), reinterpret_cast<__m256d>(b),
                                                     reinterpret_cast<__m256d>(product)));
#elif defined(__ARM_NEON)
    return reinterpret_cast<Doubles>(vfmaq_f64(vnegq_f64(reinterpret_cast<float64x2_t>(product)),
                                               reinterpret_cast<float64x2_t>(a), reinterpret_cast<float64x2_t>(b)));
#else
    const Longs upper = all<Longs>(std::int64_t(0xfffffffff8000000));  // 26 bits: their products are exact
    const Doubles ah = as_doubles(as_longs(a) & upper), bh = as_doubles(as_longs(b) & upper);
    const Doubles al = a - ah, bl = b - bh;
    return ((ah * bh - product) + ah * bl + al * bh) + al * bl;
#endif
}

// p 2^n for whole n between -1076 and 1025, rounded once.
inline Doubles scaled(Doubles p, Doubles n) {
#if defined(__AVX512F__)
    return reinterpret_cast<Doubles>(_mm512_maskz_scalef_pd(EVERY, reinterpret_cast<__m512d>(p), reinterpret_cast<__m512d>(n)));
#else
    const Longs whole = as_longs(n + (ROUND + 2048.0)) - as_longs(all<Doubles>(ROUND));
    const Longs half = shifted_right(whole, 1);  // of n + 2048
    return p * as_doubles((half - 1) << 52) * as_doubles((whole - half - 1) << 52);
#endif
}

// e^x = 2^n (1 + r + r^2 q(r)), |r| <= log(2) / 2.
struct Reduced {
    Doubles n, r, low;  // low: what rounding took from r
};

inline Reduced reduced(Doubles x) {
    const Doubles n = (x * 0x1.71547652b82fep+0 + ROUND) - ROUND;
    const Doubles high = x - n * LN2_HIGH;
    const Doubles r = high - n * LN2_LOW;
    return {n, r, (high - r) - n * LN2_LOW};
}

// e^(x + low) 2^shift, |low| being a rounding of x; the shift keeps an intermediate e^x from overflowing.
inline Doubles exp_of_sum(Doubles x, Doubles low, double shift = 0.0) {
    const Doubles within = held(x, -746.0, 711.0);
    const Doubles n = (within * 0x1.71547652b82fep+0 + ROUND) - ROUND;
    const Doubles r = (within - n * LN2_HIGH) - (n * LN2_LOW - low);
    Doubles q = r * 2.510038549551032e-08 + 2.7620088445409746e-07;
    q = q * r + 2.7557268459997064e-06;
    q = q * r + 2.4801521295954376e-05;
    q = q * r + 0.00019841269863053618;
    q = q * r + 0.0013888888917213717;
    q = q * r + 0.008333333333330062;
    q = q * r + 0.04166666666662413;
    q = q * r + 0.16666666666666669;
    q = q * r + 0.5000000000000001;
    return scaled(1.0 + (r + r * r * q), n + shift);
}

inline Doubles exp_shifted(Doubles x, double shift) { return exp_of_sum(x, Doubles{}, shift); }
inline Doubles exp_of(Doubles x) { return exp_of_sum(x, Doubles{}); }

// e^(factor x^2), the factor being a power of two; squaring loses nothing.
inline Doubles exp_of_square_of(Doubles x, Doubles factor) {
    const Doubles square = x * x, low = lost_in_product(x, x, square);
    return exp_of_sum(factor * square, square < 0x1p20 ? factor * low : Doubles{});
}

// 2^n (sum + small): e^x - 1 = 2^n ((1 - 2^-n) + r + (r^2 q + low (1 + r))), its two large terms added exactly.
struct Excess {
    Doubles n, sum, small;
};

inline Excess excess(Doubles x) {
    const Reduced at = reduced(held(x, -40.0, 711.0));
    const Doubles r = at.r;
    Doubles q = r * 2.0914686968086876e-09 + 2.5105217004720745e-08;
    q = q * r + 2.75572736431103e-07;
    q = q * r + 2.7557255400206422e-06;
    q = q * r + 2.4801587325547743e-05;
    q = q * r + 0.00019841269874820627;
    q = q * r + 0.0013888888888883748;
    q = q * r + 0.008333333333326136;
    q = q * r + 0.04166666666666667;
    q = q * r + 0.1666666666666667;
    q = q * r + 0.5;
    const Doubles bounded = at.n > 60.0 ? all<Doubles>(60.0) : at.n;  // beyond, the 1 is lost in any case
    const Longs exponent = as_longs(all<Doubles>(ROUND + 1023.0) - bounded) << 52;
    const Doubles whole = 1.0 - as_doubles(exponent);
    const Doubles sum = whole + r;
    const Doubles part = sum - whole;
    const Doubles lost = (whole - (sum - part)) + (r - part);
    return {at.n, sum, (r * r * q + (at.low + at.low * r)) + lost};
}

inline Doubles expm1_of(Doubles x) {
    const Excess at = excess(x);
    return with_sign(scaled(at.sum + at.small, at.n), x);
}

// e^x - 1 - x.
inline Doubles expm1mx_of(Doubles x) {
    const Excess at = excess(x);
    const Doubles result = (scaled(at.sum, at.n) - x) + scaled(at.small, at.n);
    return x < __builtin_inf() ? result : x;
}

// log(1 + f) = f - (half - rest), |f| <= 0.42: with s = f / (2 + f) it is 2 s + s R(s^2), arranged as in fdlibm.
struct Bend {
    Doubles half, rest;
};

inline Bend bend(Doubles f) {
    const Doubles s = quotient(f, 2.0 + f);
    const Doubles z = s * s;
    Doubles series = z * 0.146171283998073 + 0.15331666676597175;
    series = series * z + 0.1818289077802613;
    series = series * z + 0.22222211112104948;
    series = series * z + 0.2857142862611452;
    series = series * z + 0.399999999998992;
    series = series * z + 0.666666666666667;
    const Doubles half = 0.5 * f * f;
    return {half, s * (half + z * series)};
}

// log(2^exponent (1 + f)) + low
inline Doubles log_of_one_plus(Doubles f, Doubles exponent, Doubles low) {
    const Bend at = bend(f);
    return exponent * LN2_HIGH - ((at.half - (at.rest + (exponent * LN2_LOW + low))) - f);
}

constexpr std::int64_t ROOT_HALF = 0x3fe6a09e667f3bcd;  // the bits of sqrt(1/2)
constexpr std::int64_t EXPONENT = std::int64_t(0xfff) << 52;

// A positive normal number is 2^exponent m with m between sqrt(1/2) and sqrt(2).
struct Split {
    Doubles exponent, m;
};

inline Split split(Doubles x) {
    const Longs distance = as_longs(x) - ROOT_HALF;
    const Longs raised = shifted_right(distance + (std::int64_t(1024) << 52), 52);  // exponent + 1024, positive
    const Doubles exponent = as_doubles(raised | as_longs(all<Doubles>(0x1p52))) - (0x1p52 + 1024.0);
    return {exponent, as_doubles(as_longs(x) - (distance & EXPONENT))};
}

// log(x) where x is positive and finite, the limits elsewhere.
inline Doubles log_at_edges(Doubles log, Doubles x) {
#if defined(__AVX512F__)
    // Four bits per kind of x, from the right: NaN, NaN, 0, 1, -inf, inf, negative, positive.
    const __m512i answers = _mm512_set1_epi64(0x03530422);  // 0: log; 2: NaN of x; 3: NaN; 4: -inf; 5: inf
    return reinterpret_cast<Doubles>(
        _mm512_fixupimm_pd(reinterpret_cast<__m512d>(log), reinterpret_cast<__m512d>(x), answers, 0));
#else
    const Doubles edge = x == 0.0 ? all<Doubles>(-__builtin_inf()) : all<Doubles>(__builtin_nan(""));
    return x < __builtin_inf() ? (x > 0.0 ? log : edge) : x;
#endif
}

inline Doubles log_of(Doubles x) {
    const Longs subnormal = x < 0x1p-1022;
    const Split at = split(subnormal ? x * 0x1p54 : x);
    const Doubles exponent = subnormal ? at.exponent - 54.0 : at.exponent;
    const Doubles result = log_of_one_plus(at.m - 1.0, exponent, Doubles{});
    return log_at_edges(result, x);
}

// 2^exponent (1 + f), and what rounding took from it, relative to it.
struct Raised {
    Doubles exponent, f, low;
};

// Of 1 + x; f is x itself where it can be.
inline Raised raised(Doubles x) {
    const Doubles u = 1.0 + x;
    const Doubles part = u - 1.0;
    const Doubles lost = (x - part) + (1.0 - (u - part));
    const Split at = split(u);
    const Longs near = at.exponent == 0.0;
    return {at.exponent, near ? x : at.m - 1.0, near ? Doubles{} : lost * inverse(u)};
}

inline Doubles log1p_of(Doubles x) {
    const Raised at = raised(x);
    const Doubles result = log_of_one_plus(at.f, at.exponent, at.low);
    return log_at_edges(with_sign(result, x), 1.0 + x);
}

// log(2^exponent (1 + f)) + low - x where the logarithm is near x: the large terms meet first.
inline Doubles log_minus(Doubles x, const Raised& at) {
    const Bend bent = bend(at.f);
    const Doubles large = (at.exponent * LN2_HIGH - x) + at.f;  // 0 where f is x
    return large - (bent.half - (bent.rest + (at.exponent * LN2_LOW + at.low)));
}

// log(1 + x) - x.
inline Doubles log1pmx_of(Doubles x) {
    const Doubles result = log_minus(x, raised(x));
    const Doubles edge = x == -1.0 ? all<Doubles>(-__builtin_inf()) : all<Doubles>(__builtin_nan(""));
    return x < __builtin_inf() ? (x > -1.0 ? result : edge) : -x;
}

// Of ratio = 1 + excess, each accurate where the other is not.
inline Raised raised_from(Doubles ratio, Doubles excess, Longs low) {
    const Doubles sum = 1.0 + excess;
    const Doubles part = sum - 1.0;
    const Doubles lost = (excess - part) + (1.0 - (sum - part));
    const Doubles amount = low ? ratio : sum;
    const Longs subnormal = amount < 0x1p-1022;
    const Split at = split(subnormal ? amount * 0x1p54 : amount);
    const Longs near = at.exponent == 0.0;
    return {subnormal ? at.exponent - 54.0 : at.exponent, near & ~low ? excess : at.m - 1.0,
            near | low ? Doubles{} : lost * inverse(sum)};
}

// excess - log(ratio), ratio = 1 + excess.
inline Doubles relative_entropy_of(Doubles ratio, Doubles excess) {
    const Longs low = excess < -0.5;
    const Doubles result = -log_minus(excess, raised_from(ratio, excess, low));
    const Doubles edge = ratio == 0.0 ? all<Doubles>(__builtin_inf()) : all<Doubles>(__builtin_nan(""));
    return excess < __builtin_inf() ? ((~low | (ratio > 0.0)) ? result : edge) : excess;
}

// log(part), part + rest = 1, from the smaller of the two.
inline Doubles log_of_part_of(Doubles part, Doubles rest) {
    const Longs small = rest < 0.5;
    const Raised at = raised_from(part, -rest, ~small);
    const Doubles result = log_of_one_plus(at.f, at.exponent, at.low);
    const Doubles edge = part == 0.0 ? all<Doubles>(-__builtin_inf()) : all<Doubles>(__builtin_nan(""));
    const Longs usual = small ? rest > -__builtin_inf() : (part > 0.0) & (part < __builtin_inf());
    return usual ? result : ((small | (part > 0.0)) ? (small ? -rest : part) : edge);
}

// y log(y / mu) + mu - y; mu at y = 0.
inline Doubles bd0_of(Doubles y, Doubles mu) {
    const Doubles count = y > 0.0 ? y : all<Doubles>(1.0);
    Doubles ratio, excess;
#if defined(__AVX512F__)
    if (__builtin_expect((far_from_ends(count) & far_from_ends(mu)) == EVERY, 1)) {
        const Doubles inverse = inverse_of_normal(count);
        ratio = mu * inverse;
        ratio += inverse * (mu - count * ratio);
        excess = (mu - count) * inverse;
        excess += inverse * ((mu - count) - count * excess);
    } else
#endif
    {
        ratio = mu / count;
        excess = (mu - count) / count;
    }
    const Doubles half = count * relative_entropy_of(ratio, excess);
    return y > 0.0 ? half : mu;
}

// y log(y / mu) + mu - y from log_ratio = log(mu / y); mu at y = 0.
inline Doubles half_deviance_of(Doubles y, Doubles log_ratio, Doubles mu) {
    const Doubles x = log_ratio;
    Doubles q = x * 1.6118821766390593e-10 + 2.0966445329047167e-09;
    q = q * x + 2.505193336631361e-08;
    q = q * x + 2.7557056612216297e-07;
    q = q * x + 2.755731946009247e-06;
    q = q * x + 2.480158765587206e-05;
    q = q * x + 0.0001984126984112589;
    q = q * x + 0.001388888888867288;
    q = q * x + 0.008333333333333366;
    q = q * x + 0.04166666666666715;
    q = q * x + 0.16666666666666666;
    q = q * x + 0.5;
    const Doubles far = (mu - y) - y * x;
    return y > 0.0 ? (absolute(x) < 0.5 ? y * (q * x * x) : far) : mu;
}

}  // namespace etamu::ETAMU_ISA
