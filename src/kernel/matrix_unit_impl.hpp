// What the matrix unit of x86 (AMX) is told, and how squares are laid out for it; included by amx.cpp.
//
// A register holds 16 rows of 64 bytes. One of the right-hand side holds, row after row, words of 4 bytes, one of each of 16
// columns: numbers that stand below one another. One of the left-hand side holds the same turned.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "simd.hpp"

namespace etamu::ETAMU_ISA {

namespace {

constexpr int SIDE = 16;            // columns, or words of a column, of a register
constexpr int WORDS = SIDE * SIDE;  // words of a register

ETAMU_INLINE int blocks_of(int p) { return (p + SIDE - 1) / SIDE; }

// What every register holds: 16 rows of 64 bytes.
struct alignas(64) Shapes {
    std::uint8_t palette = 1, start = 0, reserved[14] = {};
    std::uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// Turn a square of 16 x 16 words.
ETAMU_INLINE void turned(const std::uint32_t* from, std::uint32_t* to) {
    __m512i x[SIDE], y[SIDE];
    // Four rows' parts of four words side by side, so that what is left is done within parts.
    ETAMU_UNROLL
    for (int part = 0; part < 4; ++part)
        ETAMU_UNROLL
        for (int r = 0; r < 4; ++r) {
            const std::uint32_t* word = from + r * SIDE + part * 4;
            __m512i of = _mm512_castsi128_si512(_mm_load_si128(reinterpret_cast<const __m128i*>(word)));
            const auto row = [&](int k) {
                return _mm_load_si128(reinterpret_cast<const __m128i*>(word + k * 4 * SIDE));
            };
            of = _mm512_mask_broadcast_i32x4(of, 0x00f0, row(1));
            of = _mm512_mask_broadcast_i32x4(of, 0x0f00, row(2));
            x[part * 4 + r] = _mm512_mask_broadcast_i32x4(of, 0xf000, row(3));
        }
    ETAMU_UNROLL
    for (int part = 0; part < 16; part += 4) {
        y[part] = _mm512_unpacklo_epi32(x[part], x[part + 1]);
        y[part + 1] = _mm512_unpackhi_epi32(x[part], x[part + 1]);
        y[part + 2] = _mm512_unpacklo_epi32(x[part + 2], x[part + 3]);
        y[part + 3] = _mm512_unpackhi_epi32(x[part + 2], x[part + 3]);
        _mm512_store_si512(to + (part + 0) * SIDE, _mm512_unpacklo_epi64(y[part], y[part + 2]));
        _mm512_store_si512(to + (part + 1) * SIDE, _mm512_unpackhi_epi64(y[part], y[part + 2]));
        _mm512_store_si512(to + (part + 2) * SIDE, _mm512_unpacklo_epi64(y[part + 1], y[part + 3]));
        _mm512_store_si512(to + (part + 3) * SIDE, _mm512_unpackhi_epi64(y[part + 1], y[part + 3]));
    }
}

}  // namespace

}  // namespace etamu::ETAMU_ISA
