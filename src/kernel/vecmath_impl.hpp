// Elementary functions of vectors. Included by isa.cpp once per instruction set.
#pragma once

#include <math.h>

#include "simd.hpp"

namespace etamu::ETAMU_ISA {

inline Longs as_longs(Doubles x) { return reinterpret_cast<Longs>(x); }
template <class V>
inline Doubles as_doubles(V x) { return reinterpret_cast<Doubles>(x); }

// One lane at a time, by the C library.
#define ETAMU_BY_LANE(name, function)                              \
    inline Doubles name(Doubles x) {                               \
        for (int i = 0; i < LANES; ++i) x[i] = ::function(x[i]);   \
        return x;                                                  \
    }
ETAMU_BY_LANE(exp_of, exp)
ETAMU_BY_LANE(expm1_of, expm1)
ETAMU_BY_LANE(log_of, log)
ETAMU_BY_LANE(log1p_of, log1p)
ETAMU_BY_LANE(tanh_of, tanh)
ETAMU_BY_LANE(sin_of, sin)
ETAMU_BY_LANE(cos_of, cos)
ETAMU_BY_LANE(tan_of, tan)
ETAMU_BY_LANE(atan_of, atan)
ETAMU_BY_LANE(sinh_of, sinh)
ETAMU_BY_LANE(cosh_of, cosh)
ETAMU_BY_LANE(asinh_of, asinh)
ETAMU_BY_LANE(atanh_of, atanh)
ETAMU_BY_LANE(floor_of, floor)
ETAMU_BY_LANE(square_root, sqrt)
#undef ETAMU_BY_LANE

inline Doubles power(Doubles x, Doubles y) {
    for (int i = 0; i < LANES; ++i) x[i] = ::pow(x[i], y[i]);
    return x;
}

inline Doubles absolute(Doubles x) { return as_doubles(as_longs(x) & INT64_MAX); }
inline Doubles divide(Doubles x, Doubles y) { return x / y; }

// NumPy's: a NaN on either side is the answer.
inline Doubles smaller(Doubles x, Doubles y) { return ((x < y) | (x != x)) ? x : y; }
inline Doubles larger(Doubles x, Doubles y) { return ((x > y) | (x != x)) ? x : y; }

inline Doubles sign_of(Doubles x) {
    const Doubles one = all<Doubles>(1.0);
    return x > 0.0 ? one : (x < 0.0 ? -one : x);
}

}  // namespace etamu::ETAMU_ISA
