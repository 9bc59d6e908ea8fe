// Squares of doubles in registers: transposed, or summed along their rows; and the start of a vector alone.
#pragma once

#include "simd.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

// Lanes of two vectors by number, those of the second counted on from those of the first.
#if defined(__clang__)
#define ETAMU_LANES_OF(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define ETAMU_LANES_OF(a, b, ...) __builtin_shuffle(a, b, Longs{__VA_ARGS__})
#endif

namespace etamu::ETAMU_ISA {

namespace {

#if defined(__AVX512F__)

// Of each pair of lanes the first one (second one) of both vectors; the pairs with even (odd) numbers of both.
ETAMU_INLINE Doubles firsts(Doubles a, Doubles b) { return ETAMU_LANES_OF(a, b, 0, 8, 2, 10, 4, 12, 6, 14); }
ETAMU_INLINE Doubles seconds(Doubles a, Doubles b) { return ETAMU_LANES_OF(a, b, 1, 9, 3, 11, 5, 13, 7, 15); }
ETAMU_INLINE Doubles evens(Doubles a, Doubles b) { return ETAMU_LANES_OF(a, b, 0, 1, 4, 5, 8, 9, 12, 13); }
ETAMU_INLINE Doubles odds(Doubles a, Doubles b) { return ETAMU_LANES_OF(a, b, 2, 3, 6, 7, 10, 11, 14, 15); }

// Transpose a square of LANES x LANES.
ETAMU_INLINE void turn(Doubles (&x)[8]) {
    Doubles pairs[2][4];
    ETAMU_UNROLL
    for (int k = 0; k < 4; ++k) {
        pairs[0][k] = firsts(x[2 * k], x[2 * k + 1]);
        pairs[1][k] = seconds(x[2 * k], x[2 * k + 1]);
    }
    ETAMU_UNROLL
    for (int k = 0; k < 2; ++k) {
        const Doubles low_even = evens(pairs[k][0], pairs[k][1]), high_even = evens(pairs[k][2], pairs[k][3]);
        const Doubles low_odd = odds(pairs[k][0], pairs[k][1]), high_odd = odds(pairs[k][2], pairs[k][3]);
        x[k] = evens(low_even, high_even);
        x[4 + k] = odds(low_even, high_even);
        x[2 + k] = evens(low_odd, high_odd);
        x[6 + k] = odds(low_odd, high_odd);
    }
}

// Lane i is the sum of all lanes of x[i].
ETAMU_INLINE Doubles sums_of(const Doubles* x) {
    Doubles pairs[4];
    ETAMU_UNROLL
    for (int k = 0; k < 4; ++k) pairs[k] = firsts(x[2 * k], x[2 * k + 1]) + seconds(x[2 * k], x[2 * k + 1]);
    const Doubles low = evens(pairs[0], pairs[1]) + odds(pairs[0], pairs[1]);
    const Doubles high = evens(pairs[2], pairs[3]) + odds(pairs[2], pairs[3]);
    return evens(low, high) + odds(low, high);
}

// The first `count` doubles, zeros after them; memory beyond them is not read. Any count: below 0 is none.
ETAMU_INLINE Doubles load_first(const char* from, int count) {
    if (count >= 8) return load<Doubles>(from);
    const __mmask8 mask = count <= 0 ? 0 : static_cast<__mmask8>((1u << count) - 1);
    return (Doubles)_mm512_maskz_loadu_pd(mask, from);
}

// The same of floats.
ETAMU_INLINE HalfFloats load_first32(const char* from, int count) {
    if (count >= 8) return load<HalfFloats>(from);
    const __mmask8 mask = count <= 0 ? 0 : static_cast<__mmask8>((1u << count) - 1);
    return (HalfFloats)_mm256_maskz_loadu_ps(mask, from);
}

#elif defined(__AVX2__)

ETAMU_INLINE Doubles firsts(Doubles a, Doubles b) { return ETAMU_LANES_OF(a, b, 0, 4, 2, 6); }
ETAMU_INLINE Doubles seconds(Doubles a, Doubles b) { return ETAMU_LANES_OF(a, b, 1, 5, 3, 7); }
ETAMU_INLINE Doubles evens(Doubles a, Doubles b) { return ETAMU_LANES_OF(a, b, 0, 1, 4, 5); }
ETAMU_INLINE Doubles odds(Doubles a, Doubles b) { return ETAMU_LANES_OF(a, b, 2, 3, 6, 7); }

ETAMU_INLINE void turn(Doubles (&x)[4]) {
    const Doubles a = firsts(x[0], x[1]), b = seconds(x[0], x[1]), c = firsts(x[2], x[3]), d = seconds(x[2], x[3]);
    x[0] = evens(a, c);
    x[1] = evens(b, d);
    x[2] = odds(a, c);
    x[3] = odds(b, d);
}

ETAMU_INLINE Doubles sums_of(const Doubles* x) {
    const Doubles a = firsts(x[0], x[1]) + seconds(x[0], x[1]), b = firsts(x[2], x[3]) + seconds(x[2], x[3]);
    return evens(a, b) + odds(a, b);
}

ETAMU_INLINE Doubles load_first(const char* from, int count) {
    if (count >= 4) return load<Doubles>(from);
    const __m256i lanes = _mm256_setr_epi64x(0, 1, 2, 3);
    return (Doubles)_mm256_maskload_pd(reinterpret_cast<const double*>(from),
                                       _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), lanes));
}

ETAMU_INLINE HalfFloats load_first32(const char* from, int count) {
    if (count >= 4) return load<HalfFloats>(from);
    const __m128i lanes = _mm_setr_epi32(0, 1, 2, 3);
    return (HalfFloats)_mm_maskload_ps(reinterpret_cast<const float*>(from),
                                       _mm_cmpgt_epi32(_mm_set1_epi32(count), lanes));
}

#else

static_assert(LANES == 2, "a vector of 16 bytes");

ETAMU_INLINE Doubles firsts(Doubles a, Doubles b) { return ETAMU_LANES_OF(a, b, 0, 2); }
ETAMU_INLINE Doubles seconds(Doubles a, Doubles b) { return ETAMU_LANES_OF(a, b, 1, 3); }

ETAMU_INLINE void turn(Doubles (&x)[2]) {
    const Doubles first = firsts(x[0], x[1]);
    x[1] = seconds(x[0], x[1]);
    x[0] = first;
}

ETAMU_INLINE Doubles sums_of(const Doubles* x) { return firsts(x[0], x[1]) + seconds(x[0], x[1]); }

ETAMU_INLINE Doubles load_first(const char* from, int count) {
    if (count >= 2) return load<Doubles>(from);
    Doubles out = {};
    if (count == 1) std::memcpy(&out, from, sizeof(double));
    return out;
}

ETAMU_INLINE HalfFloats load_first32(const char* from, int count) {
    if (count >= 2) return load<HalfFloats>(from);
    HalfFloats out = {};
    if (count == 1) std::memcpy(&out, from, sizeof(float));
    return out;
}

#endif

}  // namespace

}  // namespace etamu::ETAMU_ISA
