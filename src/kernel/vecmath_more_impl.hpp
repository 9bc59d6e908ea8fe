// Elementary functions of vectors that are asked for less often: hyperbolic and circular ones, and powers. Included by
// isa.cpp once per instruction set.
#pragma once

#include <math.h>

#include "vecmath_impl.hpp"

namespace etamu::ETAMU_ISA {

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

struct Pair {
    Doubles high, low;
};

// log(x) to some 66 bits, for normal positive numbers.
inline Pair precise_log(Doubles x) {
    const Split at = split(x);
    const Doubles f = at.m - 1.0, d = at.m + 1.0, inverse_d = quotient(all<Doubles>(1.0), d);
    const Doubles s = f * inverse_d;
    const Doubles s_low = -(lost_in_product(s, d, f) + s * (at.m - (d - 1.0))) * inverse_d;
    const Doubles z = s * s, z_low = lost_in_product(s, s, z) + 2.0 * s * s_low;
    Doubles series = z * 0.11723689023649227 + 0.11706187519978793;
    series = series * z + 0.133348065173055;
    series = series * z + 0.1538459492898411;
    series = series * z + 0.1818181833570672;
    series = series * z + 0.222222222216545;
    series = series * z + 0.2857142857142937;
    series = series * z + 0.4;
    const Doubles third = all<Doubles>(0.6666666666666666);
    const Doubles u = third * z, w = z * z * series, t = u + w;
    const Doubles t_low = (lost_in_product(third, z, u) + third * z_low + 3.700743415417188e-17 * z) + ((u - t) + w);
    const Doubles v = s * t, v_low = lost_in_product(s, t, v) + (s * t_low + s_low * t);
    // exponent log(2) + 2 s + v, the largest first
    const Doubles whole = at.exponent * LN2_HIGH, twice = 2.0 * s, sum = whole + twice, part = sum - whole;
    const Doubles sum_low = (whole - (sum - part)) + (twice - part);
    const Doubles high = sum + v;
    const Doubles low = ((sum - high) + v) + (sum_low + (v_low + (2.0 * s_low + at.exponent * LN2_LOW)));
    const Doubles rounded = high + low;
    return {rounded, (high - rounded) + low};
}

inline bool every(Longs mask) {
    std::int64_t met = -1;
    for (int i = 0; i < LANES; ++i) met &= mask[i];
    return met != 0;
}

inline Doubles power(Doubles x, Doubles y) {
    const Longs zero = as_longs(x) == 0;
    const Longs usual = (zero | ((x >= 0x1p-1022) & (x < __builtin_inf()))) & (absolute(y) < 0x1p20);
    if (__builtin_expect(!every(usual), 0)) {  // subnormal or negative bases, exponents without bounds
        for (int i = 0; i < LANES; ++i) x[i] = ::pow(x[i], y[i]);
        return x;
    }
    const Pair log = precise_log(zero ? all<Doubles>(1.0) : x);
    const Doubles exponent = y * log.high;
    const Doubles low = lost_in_product(y, log.high, exponent) + y * log.low;
    const Doubles result = exp_of_sum(exponent, low);
    const Doubles at_zero = y > 0.0 ? Doubles{} : (y < 0.0 ? all<Doubles>(__builtin_inf()) : all<Doubles>(1.0));
    return zero ? at_zero : result;
}

}  // namespace etamu::ETAMU_ISA
