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
    x = x > high ? all<Doubles>(high) : x;
    return x < low ? all<Doubles>(low) : x;
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

// e^x 2^shift; the shift keeps an intermediate e^x from overflowing.
inline Doubles exp_shifted(Doubles x, double shift) {
    const Doubles within = held(x, -746.0, 711.0);
    const Doubles n = (within * 0x1.71547652b82fep+0 + ROUND) - ROUND;
    const Doubles r = (within - n * LN2_HIGH) - n * LN2_LOW;
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

inline Doubles exp_of(Doubles x) { return exp_shifted(x, 0.0); }

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
    return with_sign(absolute(x) < 0x1p-54 ? x : scaled(at.sum + at.small, at.n), x);
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

inline Doubles log_of(Doubles x) {
    const Longs subnormal = x < 0x1p-1022;
    const Split at = split(subnormal ? x * 0x1p54 : x);
    const Doubles exponent = subnormal ? at.exponent - 54.0 : at.exponent;
    const Doubles result = log_of_one_plus(at.m - 1.0, exponent, Doubles{});
    const Doubles edge = x == 0.0 ? all<Doubles>(-__builtin_inf()) : all<Doubles>(__builtin_nan(""));
    return x < __builtin_inf() ? (x > 0.0 ? result : edge) : x;
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
    const Doubles edge = x == -1.0 ? all<Doubles>(-__builtin_inf()) : all<Doubles>(__builtin_nan(""));
    const Doubles inside = with_sign(absolute(x) < 0x1p-54 ? x : result, x);
    return x < __builtin_inf() ? (x > -1.0 ? inside : edge) : x;
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

// excess - log(ratio), ratio = 1 + excess; each is accurate where the other is not.
inline Doubles relative_entropy_of(Doubles ratio, Doubles excess) {
    const Longs low = excess < -0.5;
    const Doubles sum = 1.0 + excess;
    const Doubles part = sum - 1.0;
    const Doubles lost = (excess - part) + (1.0 - (sum - part));
    const Doubles amount = low ? ratio : sum;
    const Longs subnormal = amount < 0x1p-1022;
    const Split at = split(subnormal ? amount * 0x1p54 : amount);
    const Longs near = at.exponent == 0.0;
    const Doubles f = near ? excess : at.m - 1.0;
    const Doubles result = -log_minus(excess, {subnormal ? at.exponent - 54.0 : at.exponent, f,
                                               (near | low) ? Doubles{} : lost * inverse(sum)});
    const Doubles edge = ratio == 0.0 ? all<Doubles>(__builtin_inf()) : all<Doubles>(__builtin_nan(""));
    return excess < __builtin_inf() ? (amount > 0.0 ? result : edge) : excess;
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

inline Doubles tanh_of(Doubles x) {
    const Doubles t = expm1_of(-2.0 * absolute(x));
    return with_sign(quotient(absolute(t), 2.0 + t), x);
}

inline Doubles cosh_of(Doubles x) {
    const Doubles half = exp_shifted(absolute(x), -1.0);
    return half + 0.25 / half;
}

inline Doubles sinh_of(Doubles x) {
    const Doubles a = absolute(x);
    const Doubles half = exp_shifted(a, -1.0), t = expm1_of(a < 1.0 ? a : all<Doubles>(1.0));
    const Doubles near = 0.5 * (t + t / (t + 1.0));
    return with_sign(a < 1.0 ? near : half - 0.25 / half, x);
}

inline Doubles atan_of(Doubles x) {
    const Doubles a = absolute(x);
    const Longs far = a > 2.414213562373095, middle = a > 0.41421356237309503;
    const Doubles one = all<Doubles>(1.0);
    const Doubles t = (far ? -one : (middle ? a - 1.0 : a)) / (far ? a : (middle ? a + 1.0 : one));
    const Doubles z = t * t;
    Doubles series = z * -0.019162068915902573 + 0.03921955253255129;
    series = series * z - 0.05085030492810941;
    series = series * z + 0.058580687568615106;
    series = series * z - 0.06664502215671447;
    series = series * z + 0.07692182535116648;
    series = series * z - 0.09090904549884611;
    series = series * z + 0.11111111014561013;
    series = series * z - 0.14285714284657894;
    series = series * z + 0.1999999999999548;
    series = series * z - 0.3333333333333333;
    const Doubles none = Doubles{};
    const Doubles high = far ? all<Doubles>(1.5707963267948966) : (middle ? all<Doubles>(0.7853981633974483) : none);
    const Doubles low = far ? all<Doubles>(6.123233995736766e-17) : (middle ? all<Doubles>(3.061616997868383e-17) : none);
    return with_sign(high + (t + (t * z * series + low)), x);
}

// The rest is rare: one lane at a time, by the C library.
#define ETAMU_BY_LANE(name, function)                            \
    inline Doubles name(Doubles x) {                             \
        for (int i = 0; i < LANES; ++i) x[i] = ::function(x[i]); \
        return x;                                                \
    }
ETAMU_BY_LANE(sin_of, sin)
ETAMU_BY_LANE(cos_of, cos)
ETAMU_BY_LANE(tan_of, tan)
ETAMU_BY_LANE(asinh_of, asinh)
ETAMU_BY_LANE(atanh_of, atanh)
#undef ETAMU_BY_LANE

inline Doubles power(Doubles x, Doubles y) {
    for (int i = 0; i < LANES; ++i) x[i] = ::pow(x[i], y[i]);
    return x;
}

}  // namespace etamu::ETAMU_ISA
