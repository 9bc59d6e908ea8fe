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
ETAMU_BY_LANE(asinh_of, asinh)
ETAMU_BY_LANE(atanh_of, atanh)
#undef ETAMU_BY_LANE

// An angle less the nearest multiple of pi/2, to some 20 digits, and that multiple; for angles below 2^20.
struct Angle {
    Doubles x, low;
    Longs quarter;
};

inline Angle angle_of(Doubles x) {
    const Doubles shifted = x * 0.6366197723675814 + ROUND, n = shifted - ROUND;
    // three parts of pi/2 of 33 bits each: their products with n are exact
    const Doubles first = x - n * 1.57079632673412561417e+00;
    const Doubles second = n * 6.07710050630396597660e-11, third = n * 2.02226624871116645580e-21;
    const Doubles high = first - second;
    const Doubles lost = (first - high) - second;
    const Doubles angle = high - third;
    return {angle, ((high - angle) - third) + (lost - n * 8.47842766036889956997e-32), as_longs(shifted)};
}

inline bool far_angles(Doubles x) {
    return any_of(~(absolute(x) < 0x1p20));
}

// sin and cos of |angle| <= pi/4, by the polynomials of fdlibm.
inline Doubles sin_near(const Angle& angle) {
    const Doubles x = angle.x, z = x * x;
    Doubles series = z * 1.58969099521155010221e-10 - 2.50507602534068634195e-08;
    series = series * z + 2.75573137070700676789e-06;
    series = series * z - 1.98412698298579493134e-04;
    series = series * z + 8.33333333332248946124e-03;
    const Doubles cubed = z * x;
    return x - ((z * (0.5 * angle.low - cubed * series) - angle.low) + cubed * 1.66666666666666324348e-01);
}

inline Doubles cos_near(const Angle& angle) {
    const Doubles x = angle.x, z = x * x;
    Doubles series = z * -1.13596475577881948265e-11 + 2.08757232129817482790e-09;
    series = series * z - 2.75573143513906633035e-07;
    series = series * z + 2.48015872894767294178e-05;
    series = series * z - 1.38888888888741095749e-03;
    series = series * z + 4.16666666666666019037e-02;
    const Doubles half = 0.5 * z, rest = 1.0 - half;
    return rest + (((1.0 - rest) - half) + (z * z * series - x * angle.low));
}

// sin where the quarter is even, cos where it is odd, minus where its second bit is set.
inline Doubles turned(const Angle& angle, Longs quarter) {
    const Doubles value = (quarter & 1) != 0 ? cos_near(angle) : sin_near(angle);
    return as_doubles(as_longs(value) ^ ((quarter & 2) << 62));
}

inline Doubles sin_of(Doubles x) {
    if (far_angles(x)) {
        for (int i = 0; i < LANES; ++i) x[i] = ::sin(x[i]);
        return x;
    }
    const Angle angle = angle_of(x);
    return x == 0.0 ? x : turned(angle, angle.quarter);
}

inline Doubles cos_of(Doubles x) {
    if (far_angles(x)) {
        for (int i = 0; i < LANES; ++i) x[i] = ::cos(x[i]);
        return x;
    }
    const Angle angle = angle_of(x);
    return turned(angle, angle.quarter + 1);
}

inline Doubles tan_of(Doubles x) {
    if (far_angles(x)) {
        for (int i = 0; i < LANES; ++i) x[i] = ::tan(x[i]);
        return x;
    }
    const Angle angle = angle_of(x);
    const Doubles sine = sin_near(angle), cosine = cos_near(angle);
    const Longs odd = (angle.quarter & 1) != 0;
    const Doubles value = (odd ? -cosine : sine) / (odd ? sine : cosine);
    return x == 0.0 ? x : value;
}

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
