// A Gram of doubles by whole numbers on the matrix unit of x86 (AMX); included by amx.cpp.
//
// X' diag(w) X = Z'Z with Z = diag(w)^(1/2) X. Every column of a tile of Z becomes whole numbers of 48 bits, the largest being
// 127 * 2^40, and those DIGITS signed digits of 8 bits: t = sum_s d_s 2^(40 - 8 s). Products of digits are summed exactly in 32 bits,
// 128 rows at once; of two columns those of d_s and d_t with s + t < DIGITS, 21 of 36, which form six sums by s + t. Left out
// is what is below 2^-48 of the largest product (Ozaki, Ogita, Oishi and Rump 2012, Numer. Algorithms 59, on splitting
// matrices so that products are exact); of a column with itself d_3 d_3 as well is no small part of that, its mean
// being not 0, and is added. Of 128 numbers the largest is at most 11 times their root mean square.
//
// The next tile is not asked for meanwhile: with it digits and Gram would not stay in the second-level cache.
//
// Tiles with a negative weight, with numbers that are not finite, or far from 1 in size, are for products of doubles.
#pragma once

#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstring>

#include "dense.hpp"
#include "matrix_unit_impl.hpp"
#include "simd.hpp"

namespace etamu::ETAMU_ISA {

namespace {

constexpr int DIGITS = 6;
constexpr int BYTES = 4 * SIDE;                           // rows whose digits are in a register
constexpr int CHUNKS = TILE / BYTES;
constexpr std::ptrdiff_t REGISTER = SIDE * BYTES;         // its bytes
constexpr std::ptrdiff_t BLOCK = CHUNKS * DIGITS * REGISTER;  // those of 16 columns: [chunk][digit]
constexpr int MANY = 256;                                // columns from which on this is faster than products of doubles
constexpr int ENOUGH = 48;                                // rows of a tile, likewise

using Byte = std::int8_t;

// Working memory: a number per column to multiply by and one to divide by; the sums of two pairs of blocks by s + t, and
// d_3 d_3; digits of one block for the right-hand side; digits of all for the left-hand one.
struct DigitsRoom {
    static constexpr std::ptrdiff_t SUMS = (DIGITS + 1) * WORDS;
    double *by, *unit;
    std::int32_t* sums;
    Byte *right, *left;

    DigitsRoom(int p, double* memory)
        : by(memory), unit(by + SIDE * blocks_of(p)), sums(reinterpret_cast<std::int32_t*>(unit + SIDE * blocks_of(p))),
          right(reinterpret_cast<Byte*>(sums + 2 * SUMS)), left(right + BLOCK) {}

    static std::size_t doubles(int p) {
        const std::size_t blocks = static_cast<std::size_t>(blocks_of(p));
        return 2 * SIDE * blocks + SUMS + (blocks + 1) * BLOCK / sizeof(double);
    }
};

std::size_t whole_room(int p) { return p < MANY ? 0 : DigitsRoom::doubles(p); }

// The roots of the weights, 0 beyond the end; false where one is negative or no number.
bool roots_of(const double* w, int m, double* out) {
    bool good = true;
    for (int r = 0; r < TILE; ++r) {
        const double weight = r >= m ? 0.0 : w ? w[r] : 1.0;
        good &= weight >= 0.0;
        out[r] = std::sqrt(weight);
    }
    return good;
}

// By what to multiply each column of Z, so that the largest number is at most 127 * 2^40; false where that is no good.
bool units_of(const double* panel, int p, int m, const double* root, const DigitsRoom& room) {
    constexpr std::int64_t ONE = 1023, FAR = 400;
    const __m512i sign = _mm512_set1_epi64(INT64_MAX);
    for (int j = 0; j < padded(p); j += SLIVER) {
        const double* from = panel + std::ptrdiff_t(j) * TILE;
        __m512i most[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};  // as bits: what is no number is largest
        for (int r = 0; r < m; r += 2)  // beyond the end roots are 0, and rows that do not count left out
            ETAMU_UNROLL
            for (int i = 0; i < 2; ++i) {
                const __m512d x = _mm512_maskz_loadu_pd(r + i < m ? 0xff : 0, from + (r + i) * SLIVER);
                const __m512i z = _mm512_castpd_si512(_mm512_mul_pd(x, _mm512_set1_pd(root[r + i])));
                most[i] = _mm512_max_epu64(most[i], _mm512_and_si512(sign, z));
            }
        alignas(64) std::int64_t bits[SLIVER];
        _mm512_store_si512(bits, _mm512_max_epu64(most[0], most[1]));
        for (int c = 0; c < SLIVER; ++c) {
            // Rounded up where its mantissa begins with six ones: a first digit goes to 127.
            const std::int64_t exponent = bits[c] ? (bits[c] + (std::int64_t(1) << 46)) >> 52 : ONE;
            if (exponent < ONE - FAR || exponent > ONE + FAR) return false;
            room.by[j + c] = std::ldexp(1.0, static_cast<int>(ONE + 46 - exponent));
            room.unit[j + c] = std::ldexp(1.0, static_cast<int>(exponent - ONE - 6));
        }
    }
    return true;
}

// Digits of 8 columns of a row, those of a column side by side in 8 bytes, d_5 first: t + B has as its bytes the digits + 128.
ETAMU_INLINE __m512i digits_of(const double* x, double root, __m512d by) {
    const __m512i b = _mm512_set1_epi64(0x0000808080808080);
    const __m512d z = _mm512_mul_pd(_mm512_loadu_pd(x), _mm512_set1_pd(root));
    return _mm512_xor_si512(_mm512_add_epi64(_mm512_cvtpd_epi64(_mm512_mul_pd(z, by)), b), b);
}

// Digits of 8 columns in four rows: those of a digit and column side by side in a word; of columns with even and with odd
// numbers, for d_5 to d_2 and for d_1 and d_0.
struct Four {
    __m512i even[2], odd[2];

    ETAMU_INLINE Four(const double* x, const double* root, int rows, __m512d by) {
        __m512i row[4];
        ETAMU_UNROLL
        for (int r = 0; r < 4; ++r)
            row[r] = r < rows ? digits_of(x + r * SLIVER, root[r], by) : _mm512_setzero_si512();
        const __m512i first = _mm512_unpacklo_epi8(row[0], row[1]), second = _mm512_unpacklo_epi8(row[2], row[3]);
        even[0] = _mm512_unpacklo_epi16(first, second), even[1] = _mm512_unpackhi_epi16(first, second);
        const __m512i third = _mm512_unpackhi_epi8(row[0], row[1]), fourth = _mm512_unpackhi_epi8(row[2], row[3]);
        odd[0] = _mm512_unpacklo_epi16(third, fourth), odd[1] = _mm512_unpackhi_epi16(third, fourth);
    }
};

// Store words of 16 columns, of which 0, 1, 8, 9 came first, in the order of the columns.
ETAMU_INLINE void store_words(Byte* to, __m512i first, __m512i second, bool upper) {
    const __m512i order = _mm512_setr_epi32(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
    const __m512i words = upper ? _mm512_unpackhi_epi64(first, second) : _mm512_unpacklo_epi64(first, second);
    _mm512_store_si512(to, _mm512_permutexvar_epi32(order, words));
}

// Lay the digits of a tile out for the left-hand side.
void lay_out(const double* panel, int p, int m, const double* root, const DigitsRoom& room) {
    alignas(64) Byte words[DIGITS][REGISTER];
    for (int block = 0; block < blocks_of(p); ++block) {
        const double* x = panel + std::ptrdiff_t(block) * SIDE * TILE;
        const bool both = (2 * block + 1) * SLIVER < padded(p);
        const __m512d by = _mm512_loadu_pd(room.by + block * SIDE), next = _mm512_loadu_pd(room.by + block * SIDE + SLIVER);
        for (int chunk = 0; chunk * BYTES < m; ++chunk) {
            for (int k = 0; k < SIDE; ++k) {
                const int r = chunk * BYTES + 4 * k;
                const Four low(x + r * SLIVER, root + r, m - r, by);
                const Four high(x + (both ? TILE + r : r) * SLIVER, root + r, both ? m - r : 0, next);
                Byte* to = words[0] + k * BYTES;
                for (int half = 0; half < 2; ++half) {
                    const __m512i a = _mm512_unpacklo_epi32(low.even[half], low.odd[half]);
                    const __m512i b = _mm512_unpacklo_epi32(high.even[half], high.odd[half]);
                    store_words(to + (half ? 1 : 5) * REGISTER, a, b, false);
                    store_words(to + (half ? 0 : 4) * REGISTER, a, b, true);
                    if (half) continue;
                    const __m512i c = _mm512_unpackhi_epi32(low.even[0], low.odd[0]);
                    const __m512i d = _mm512_unpackhi_epi32(high.even[0], high.odd[0]);
                    store_words(to + 3 * REGISTER, c, d, false);
                    store_words(to + 2 * REGISTER, c, d, true);
                }
            }
            Byte* to = room.left + block * BLOCK + chunk * DIGITS * REGISTER;
            for (int s = 0; s < DIGITS; ++s)
                turned(reinterpret_cast<const std::uint32_t*>(words[s]), reinterpret_cast<std::uint32_t*>(to + s * REGISTER));
        }
    }
}

// The sums of a pair of blocks on their way to the Gram, row by row.
class Spill {
   public:
    Spill() = default;
    Spill(const std::int32_t* sums, int i, int j, int wide, const double* unit, double* gram)
        : sums_(sums), to_(gram + std::ptrdiff_t(i) * SIDE * wide + j * SIDE), unit_(unit + i * SIDE), wide_(wide),
          rows_(wide - i * SIDE < SIDE ? wide - i * SIDE : SIDE), both_(wide - j * SIDE >= SIDE), squares_(i == j),
          first_(_mm512_loadu_pd(unit + j * SIDE)), second_(_mm512_loadu_pd(unit + j * SIDE + SLIVER)) {}

    ETAMU_INLINE void row() {
        if (rows_ <= 0) return;
        const __m512d unit = _mm512_set1_pd(*unit_++);
        add(to_, sums_, first_, unit);
        if (both_) add(to_ + SLIVER, sums_ + SLIVER, second_, unit);
        --rows_, to_ += wide_, sums_ += SIDE;
    }
    void rest() {
        while (rows_ > 0) row();
    }

   private:
    ETAMU_INLINE void add(double* to, const std::int32_t* sums, __m512d across, __m512d down) const {
        const auto of = [&](int order) {
            return _mm512_cvtepi32_pd(_mm256_load_si256(reinterpret_cast<const __m256i*>(sums + order * WORDS)));
        };
        const __m512d digit = _mm512_set1_pd(1.0 / 256);
        __m512d all = of(DIGITS - 1);
        if (squares_) all = _mm512_fmadd_pd(of(DIGITS), digit, all);
        ETAMU_UNROLL
        for (int order = DIGITS - 2; order >= 0; --order) all = _mm512_fmadd_pd(all, digit, of(order));
        _mm512_storeu_pd(to, _mm512_fmadd_pd(_mm512_mul_pd(all, across), down, _mm512_loadu_pd(to)));
    }

    const std::int32_t* sums_ = nullptr;
    double* to_ = nullptr;
    const double* unit_ = nullptr;
    std::ptrdiff_t wide_ = 0;
    int rows_ = 0;
    bool both_ = false, squares_ = false;
    __m512d first_{}, second_{};
};

// Registers 0 to 5 are sums by s + t, 6 is of the left-hand side and 7 of the right-hand side.
#define ETAMU_LEFT(s) _tile_loadd(6, left + (s) * REGISTER, BYTES);
#define ETAMU_RIGHT(t) _tile_loadd(7, right + (t) * REGISTER, BYTES);
#define ETAMU_TIMES(sum) _tile_dpbssd(sum, 6, 7);

// Multiply two blocks, and write the sums of the pair `before` down meanwhile: vectors and the matrix unit work side by
// side. A sum waits for itself some three products long, hence the order.
ETAMU_INLINE void multiply_digits(const Byte* left, const Byte* right, int depth, std::int32_t* sums, Spill& before) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    for (int chunk = 0; chunk < depth; ++chunk, left += DIGITS * REGISTER, right += DIGITS * REGISTER) {
        ETAMU_LEFT(0) ETAMU_RIGHT(5) ETAMU_TIMES(5) ETAMU_RIGHT(4) ETAMU_TIMES(4) ETAMU_RIGHT(3) ETAMU_TIMES(3)
        before.row();
        ETAMU_RIGHT(2) ETAMU_TIMES(2) ETAMU_RIGHT(1) ETAMU_TIMES(1) ETAMU_RIGHT(0) ETAMU_TIMES(0)
        before.row();
        ETAMU_LEFT(5) ETAMU_TIMES(5) ETAMU_LEFT(1) ETAMU_RIGHT(0) ETAMU_TIMES(1)
        before.row();
        ETAMU_RIGHT(1) ETAMU_TIMES(2) ETAMU_RIGHT(2) ETAMU_TIMES(3)
        before.row();
        ETAMU_RIGHT(3) ETAMU_TIMES(4) ETAMU_RIGHT(4) ETAMU_TIMES(5)
        before.row();
        ETAMU_LEFT(2) ETAMU_RIGHT(0) ETAMU_TIMES(2) ETAMU_RIGHT(1) ETAMU_TIMES(3) ETAMU_RIGHT(2) ETAMU_TIMES(4)
        before.row();
        ETAMU_RIGHT(3) ETAMU_TIMES(5) ETAMU_LEFT(3) ETAMU_RIGHT(0) ETAMU_TIMES(3)
        before.row();
        ETAMU_LEFT(4) ETAMU_TIMES(4) ETAMU_RIGHT(1) ETAMU_TIMES(5)
        before.row();
        ETAMU_LEFT(3) ETAMU_TIMES(4) ETAMU_RIGHT(2) ETAMU_TIMES(5)
    }
    before.rest();
    _tile_stored(0, sums, BYTES);
    _tile_stored(1, sums + WORDS, BYTES);
    _tile_stored(2, sums + 2 * WORDS, BYTES);
    _tile_stored(3, sums + 3 * WORDS, BYTES);
    _tile_stored(4, sums + 4 * WORDS, BYTES);
    _tile_stored(5, sums + 5 * WORDS, BYTES);
}

// Sum d_3 d_3 of two blocks.
ETAMU_INLINE void multiply_thirds(const Byte* left, const Byte* right, int depth, std::int32_t* sums) {
    _tile_zero(0);
    for (int chunk = 0; chunk < depth; ++chunk, left += DIGITS * REGISTER, right += DIGITS * REGISTER) {
        ETAMU_LEFT(3) ETAMU_RIGHT(3) ETAMU_TIMES(0)
    }
    _tile_stored(0, sums, BYTES);
}

#undef ETAMU_LEFT
#undef ETAMU_RIGHT
#undef ETAMU_TIMES

bool whole_add(const double* panel, int p, int m, const double* w, double* memory, double* gram) {
    static constexpr Shapes shapes;
    alignas(64) double root[TILE];
    const DigitsRoom room(p, memory);
    if (p < MANY || m < ENOUGH || !roots_of(w, m, root) || !units_of(panel, p, m, root, room)) return false;
    lay_out(panel, p, m, root, room);
    const int blocks = blocks_of(p), depth = (m + BYTES - 1) / BYTES;
    asm volatile("" ::: "memory");  // loads of registers are no reads that the compiler knows of
    _tile_loadconfig(&shapes);
    Spill before;
    std::int32_t *sums = room.sums, *others = sums + DigitsRoom::SUMS;
    for (int j = 0; j < blocks; ++j) {
        const Byte* own = room.left + j * BLOCK;
        for (int k = 0; k < depth * DIGITS; ++k)
            turned(reinterpret_cast<const std::uint32_t*>(own + k * REGISTER),
                   reinterpret_cast<std::uint32_t*>(room.right + k * REGISTER));
        for (int i = 0; i <= j; ++i) {
            multiply_digits(room.left + i * BLOCK, room.right, depth, sums, before);
            if (i == j) multiply_thirds(own, room.right, depth, sums + DIGITS * WORDS);
            before = Spill(sums, i, j, padded(p), room.unit, gram);
            std::int32_t* const now = sums;
            sums = others, others = now;
        }
    }
    before.rest();
    _tile_release();  // else every switch of threads would carry 8 KB
    return true;
}

}  // namespace

}  // namespace etamu::ETAMU_ISA
