// Grams that only serve a step, by the matrix unit of x86 (AMX): products of bfloat16, sums of float32.
//
// A number is split into two bfloat16, x = high + low, which keep 16 of its bits; of the four products of two such
// numbers low * low is left out. That is as good as float32 for a step: a term is wrong by a share of 4e-5 at most, a
// sum over many rows by some 2e-6. One register multiplies 16 columns by 16 over 32 rows.
//
// A coarse Gram takes high * high only, a third of the products: a term is wrong by a share of 8e-3 at most, which a column
// of two numbers has in every row, and a sum over rows of many numbers by some 1e-4. In place of the lower halves of a
// tile stands a second tile, so that sums are read and written half as often.
//
// The weights go into the right-hand side, so they may have any sign: X' diag(w) X = left (right), right = w X. A
// register of the right-hand side holds [pair of rows][column][row of the pair], one of the left-hand side the same turned:
// [column][pair of rows][row of the pair]. Sums go over to doubles every LONG rows, or where weights change by much.
//
// Exact Grams of many columns go by whole numbers (digits_impl.hpp). All other verbs are those of avx512. Compiled where the compiler knows AMX and the system is Linux, which has to be
// asked for the registers (processor.cpp).
#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "ahead.hpp"
#include "dense.hpp"
#include "digits_impl.hpp"
#include "matrix_unit_impl.hpp"
#include "plain.hpp"
#include "simd.hpp"
#include "verbs.hpp"

namespace etamu {

namespace avx512 {
const Verbs& table();
}

namespace ETAMU_ISA {

namespace {

constexpr int DEEP = 2 * SIDE;     // rows of a register
constexpr int DEPTH = TILE / DEEP;
constexpr int LONG = 1024;         // rows whose sums are floats
constexpr int NEIGHBOURS = 8;      // tiles whose weights differ by no more powers of two share a unit
constexpr int FEW = PLAIN;         // columns below which products of doubles take no longer than laying out
constexpr int CACHED = 256;        // columns of which two tiles, and what becomes of one, stay in cache

enum Half { HIGH, LOW };

// Working memory: how many rows there are in the sums, and their unit; the depth of a coarse tile that waits for another
// one; a tile on both sides, by blocks of columns, of two
// blocks side by side, so that what is multiplied together is read in the order in which it lies; and the sums, of 2 x 2
// blocks side by side.
struct Room {
    double *rows, *exponent, *waiting;
    std::uint32_t *left, *right;
    float* sums;

    Room(int p, double* memory)
        : rows(memory), exponent(memory + 1), waiting(memory + 2), left(reinterpret_cast<std::uint32_t*>(memory + 8)),
          right(left + pairs(p) * DEPTH * 4 * WORDS), sums(reinterpret_cast<float*>(right + pairs(p) * DEPTH * 4 * WORDS)) {}

    static std::size_t pairs(int p) { return static_cast<std::size_t>((blocks_of(p) + 1) / 2); }
    static std::size_t doubles(int p) { return 8 + pairs(p) * (4 * DEPTH + pairs(p) + 1) * WORDS; }

    // Where a register lies: block of columns, its 32 rows, and the half.
    static ETAMU_INLINE std::ptrdiff_t at(int block, int deep, Half half) {
        return (((std::ptrdiff_t(block / 2) * DEPTH + deep) * 2 + half) * 2 + block % 2) * WORDS;
    }
};

std::size_t step_room(int p) { return p < FEW ? avx512::table().step_room(p) : Room::doubles(p); }

ETAMU_INLINE __m512 joined(__m256 low, __m256 high) {
    return _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
}

// Rows of 16 columns of a panel as floats; the second sliver is missing in the last block of an odd number of slivers.
struct OfPanel {
    const double* sliver;
    bool both;

    OfPanel(const double* panel, int p, int block)
        : sliver(panel + std::ptrdiff_t(2 * block) * TILE * SLIVER), both(2 * block + 1 < padded(p) / SLIVER) {}

    ETAMU_INLINE __m512 operator()(int r) const {
        const double* row = sliver + r * SLIVER;
        const __m256 high = both ? _mm512_cvtpd_ps(_mm512_loadu_pd(row + TILE * SLIVER)) : _mm256_setzero_ps();
        return joined(_mm512_cvtpd_ps(_mm512_loadu_pd(row)), high);
    }
};

// The same of rows where they lie. A constant that leads takes the place before the first column.
struct OfPlain {
    const double* from;
    std::ptrdiff_t stride;
    __mmask8 first, second;
    __m512d lead, by_first, by_second;

    OfPlain(const Plain& rows, int p, int block)
        : from(rows.x + block * SIDE - rows.led), stride(rows.stride), first(below(p - block * SIDE)),
          second(below(p - block * SIDE - SLIVER)), lead(_mm512_setzero_pd()),
          by_first(_mm512_maskz_loadu_pd(first, rows.factor + block * SIDE)),
          by_second(_mm512_maskz_loadu_pd(second, rows.factor + block * SIDE + SLIVER)) {
        if (block || !rows.led) return;
        lead = _mm512_set1_pd(rows.lead);
        first &= 0xfe;
    }

    ETAMU_INLINE __m512 operator()(int r) const {
        const double* row = from + r * stride;
        __builtin_prefetch(row + SIDE, 0, 3);  // of the next block: rows far apart are no stream
        __builtin_prefetch(row + SIDE + SLIVER, 0, 3);
        const __m512d low = _mm512_mask_loadu_pd(lead, first, row), high = _mm512_maskz_loadu_pd(second, row + SLIVER);
        return joined(_mm512_cvtpd_ps(_mm512_mul_pd(low, by_first)), _mm512_cvtpd_ps(_mm512_mul_pd(high, by_second)));
    }

    static __mmask8 below(int count) {
        return count >= 8 ? 0xff : count <= 0 ? 0 : static_cast<__mmask8>((1u << count) - 1);
    }
};

// The upper half of each number, to nearest: bits of a float whose lower 16 are zero.
ETAMU_INLINE __m512i upper(__m512 x) {
    const __m512i half = _mm512_set1_epi32(0x8000), mask = _mm512_set1_epi32(static_cast<int>(0xffff0000u));
    return _mm512_and_si512(_mm512_add_epi32(_mm512_castps_si512(x), half), mask);
}

// Words of the upper halves of two rows, the first one below.
ETAMU_INLINE __m512i paired(__m512i first, __m512i second) {
    constexpr int SELECT = 0xd8;  // bits of the first operand where the third has zeros, of the second where ones
    const __m512i mask = _mm512_set1_epi32(static_cast<int>(0xffff0000u));
    return _mm512_ternarylogic_epi32(_mm512_srli_epi32(first, 16), second, mask, SELECT);
}

// Two rows as words: to nearest, and what is left of them, cut off.
ETAMU_INLINE void split(__m512 first, __m512 second, std::uint32_t* high, std::uint32_t* low) {
    const __m512i a = upper(first), b = upper(second);
    _mm512_store_si512(high, paired(a, b));
    const __m512 rest_a = _mm512_sub_ps(first, _mm512_castsi512_ps(a));
    const __m512 rest_b = _mm512_sub_ps(second, _mm512_castsi512_ps(b));
    _mm512_store_si512(low, paired(_mm512_castps_si512(rest_a), _mm512_castps_si512(rest_b)));
}

// Two rows as words, to nearest.
ETAMU_INLINE void round_pair(__m512 first, __m512 second, std::uint32_t* high) {
    _mm512_store_si512(high, paired(upper(first), upper(second)));
}

// How many of `all` to do at each of `times`.
ETAMU_INLINE int per(std::ptrdiff_t all, int times) { return static_cast<int>((all + times - 1) / times); }

// Rows of a tile, split, or rounded if coarse, and laid out behind those collected already; rows beyond m are zeros.
template <bool COARSE, class Of, class From>
void collect(const From& rows, int p, int m, const float* w, const Room& room, Half half, Ahead& ahead, int lines) {
    alignas(64) std::uint32_t words[2][WORDS];
    for (int d = 0; d * DEEP < m; ++d)
        for (int block = 0; block < blocks_of(p); ++block) {
            const Of of(rows, p, block);
            std::uint32_t* high = room.right + Room::at(block, d, half);
            std::uint32_t* low = room.right + Room::at(block, d, LOW);
            for (int k = 0; k < SIDE; ++k) {
                ask(ahead, lines);
                const int r = d * DEEP + 2 * k;
                const __m512 first = r < m ? of(r) : _mm512_setzero_ps();
                const __m512 second = r + 1 < m ? of(r + 1) : _mm512_setzero_ps();
                // Not finite numbers times the zeros that stand for weights beyond the end are never met: both are 0.
                const __m512 first_right = _mm512_mul_ps(first, _mm512_set1_ps(w[r]));
                const __m512 second_right = _mm512_mul_ps(second, _mm512_set1_ps(w[r + 1]));
                if constexpr (COARSE) {
                    round_pair(first, second, words[HIGH] + k * SIDE);
                    round_pair(first_right, second_right, high + k * SIDE);
                } else {
                    split(first, second, words[HIGH] + k * SIDE, words[LOW] + k * SIDE);
                    split(first_right, second_right, high + k * SIDE, low + k * SIDE);
                }
            }
            turned(words[HIGH], room.left + Room::at(block, d, half));
            if constexpr (!COARSE) turned(words[LOW], room.left + Room::at(block, d, LOW));
        }
}

// Registers 0 to 3 are sums, 4 and 5 of the left-hand side, 6 and 7 of the right-hand side.
template <int TALL, int BROAD, bool UPPER>
ETAMU_INLINE void multiply_registers() {
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (BROAD == 2) _tile_dpbf16ps(1, 4, 7);
    if constexpr (TALL == 2 && !UPPER) _tile_dpbf16ps(2, 5, 6);
    if constexpr (TALL == 2 && BROAD == 2) _tile_dpbf16ps(3, 5, 7);
}

// Add the product of TALL blocks of columns on the left and BROAD on the right; `UPPER` leaves the lower one out. If coarse,
// it is that of two tiles, the `second` of which is no deeper.
template <bool COARSE, int TALL, int BROAD, bool UPPER>
ETAMU_INLINE void multiply_blocks(const std::uint32_t* left, const std::uint32_t* right, int depth, int second,
                                  float* sums, Ahead& ahead, int lines) {
    _tile_loadd(0, sums, 64);
    if constexpr (BROAD == 2) _tile_loadd(1, sums + WORDS, 64);
    if constexpr (TALL == 2 && !UPPER) _tile_loadd(2, sums + 2 * WORDS, 64);
    if constexpr (TALL == 2 && BROAD == 2) _tile_loadd(3, sums + 3 * WORDS, 64);
    for (int d = 0; d < depth; ++d, left += 4 * WORDS, right += 4 * WORDS) {
        ask(ahead, lines);
        _tile_loadd(6, right, 64);  // high
        if constexpr (BROAD == 2) _tile_loadd(7, right + WORDS, 64);
        if constexpr (!COARSE) {
            _tile_loadd(4, left + 2 * WORDS, 64);  // low
            if constexpr (TALL == 2) _tile_loadd(5, left + 3 * WORDS, 64);
            multiply_registers<TALL, BROAD, UPPER>();
        }
        _tile_loadd(4, left, 64);
        if constexpr (TALL == 2) _tile_loadd(5, left + WORDS, 64);
        multiply_registers<TALL, BROAD, UPPER>();
        if (COARSE && d >= second) continue;
        if constexpr (COARSE) {
            _tile_loadd(4, left + 2 * WORDS, 64);
            if constexpr (TALL == 2) _tile_loadd(5, left + 3 * WORDS, 64);
        }
        _tile_loadd(6, right + 2 * WORDS, 64);
        if constexpr (BROAD == 2) _tile_loadd(7, right + 3 * WORDS, 64);
        multiply_registers<TALL, BROAD, UPPER>();
    }
    _tile_stored(0, sums, 64);
    if constexpr (BROAD == 2) _tile_stored(1, sums + WORDS, 64);
    if constexpr (TALL == 2 && !UPPER) _tile_stored(2, sums + 2 * WORDS, 64);
    if constexpr (TALL == 2 && BROAD == 2) _tile_stored(3, sums + 3 * WORDS, 64);
}

template <bool COARSE>
void multiply(const Room& room, int p, int depth, int second, Ahead& ahead) {
    static constexpr Shapes shapes;
    const int blocks = blocks_of(p), pairs = (blocks + 1) / 2;
    const int lines = per(lines_left(ahead), pairs * (pairs + 1) / 2 * depth);
    float* sums = room.sums;
    asm volatile("" ::: "memory");  // loads of registers are no reads that the compiler knows of
    _tile_loadconfig(&shapes);
    for (int i = 0; i < blocks; i += 2)
        for (int j = i; j < blocks; j += 2, sums += 4 * WORDS) {
            const std::uint32_t *left = room.left + Room::at(i, 0, HIGH), *right = room.right + Room::at(j, 0, HIGH);
            if (i + 1 == blocks) multiply_blocks<COARSE, 1, 1, false>(left, right, depth, second, sums, ahead, lines);
            else if (i == j) multiply_blocks<COARSE, 2, 2, true>(left, right, depth, second, sums, ahead, lines);
            else if (j + 1 < blocks) multiply_blocks<COARSE, 2, 2, false>(left, right, depth, second, sums, ahead, lines);
            else multiply_blocks<COARSE, 2, 1, false>(left, right, depth, second, sums, ahead, lines);
        }
    _tile_release();  // else every switch of threads would carry 8 KB
}

// Add a register of sums to where it belongs, of which only what lies inside exists, and set it to zero.
ETAMU_INLINE void spill(float* sums, int i, int j, int wide, double unit, double* gram) {
    const __m512d by = _mm512_set1_pd(unit);
    const int rows = i * SIDE >= wide ? 0 : wide - i * SIDE < SIDE ? wide - i * SIDE : SIDE;
    const bool any = wide > j * SIDE, both = wide - j * SIDE >= SIDE;
    double* to = gram + std::ptrdiff_t(i) * SIDE * wide + j * SIDE;
    for (int r = 0; any && r < rows; ++r, to += wide, sums += SIDE) {
        const __m512d first = _mm512_cvtps_pd(_mm256_load_ps(sums)), second = _mm512_cvtps_pd(_mm256_load_ps(sums + 8));
        _mm512_storeu_pd(to, _mm512_fmadd_pd(first, by, _mm512_loadu_pd(to)));
        if (both) _mm512_storeu_pd(to + SLIVER, _mm512_fmadd_pd(second, by, _mm512_loadu_pd(to + SLIVER)));
        _mm512_store_ps(sums, _mm512_setzero_ps());
    }
}

double power_of_two(double exponent) {
    const std::int64_t bits = static_cast<std::int64_t>(exponent) << 52;
    double out;
    std::memcpy(&out, &bits, sizeof out);
    return out;
}

// Hand the sums over, and begin anew.
void step_finish(int p, double* memory, double* gram) {
    if (p < FEW) return avx512::table().step_finish(p, memory, gram);
    const Room room(p, memory);
    if (!*room.rows) return;
    Ahead none;
    if (*room.waiting) multiply<true>(room, p, static_cast<int>(*room.waiting), 0, none);
    *room.waiting = 0;
    const double unit = power_of_two(*room.exponent);
    float* sums = room.sums;
    for (int i = 0; i < blocks_of(p); i += 2)
        for (int j = i; j < blocks_of(p); j += 2)
            for (int k = 0; k < 4; ++k, sums += WORDS) spill(sums, i + k / 2, j + k % 2, padded(p), unit, gram);
    *room.rows = 0;
}

// The exponent, biased by 1023, of the largest weight, that of 1 where it is not finite or next to nothing.
double exponent_of(const double* w, int m) {
    constexpr std::int64_t ONE = 1023;
    std::int64_t largest = 0;
    for (int r = 0; r < m; ++r) {
        std::int64_t bits;
        std::memcpy(&bits, w + r, sizeof bits);
        const std::int64_t exponent = bits >> 52 & 0x7ff;
        largest = exponent > largest ? exponent : largest;
    }
    return static_cast<double>(largest > NEIGHBOURS && largest < 2046 - NEIGHBOURS ? largest : ONE);
}

template <class Of, class From>
void add(const From& rows, int p, int m, const double* w, bool coarse, double* memory, double* gram, Ahead& ahead) {
    const Room room(p, memory);
    const double exponent = w ? exponent_of(w, m) : 1023, apart = exponent - *room.exponent;
    if (*room.rows >= LONG || apart > NEIGHBOURS || apart < -NEIGHBOURS) step_finish(p, memory, gram);
    if (*room.rows == 0) *room.exponent = exponent;
    alignas(64) float near[TILE] = {};
    const double inverse = power_of_two(2046 - *room.exponent);
    for (int r = 0; r < m; ++r) near[r] = w ? static_cast<float>(w[r] * inverse) : 1.0f;
    const int depth = (m + DEEP - 1) / DEEP;
    // The next tile is fetched while this one is laid out and multiplied, in proportion to the time they take. Of many
    // columns it would be gone from the second-level cache before it is read.
    Ahead none;
    Ahead& more = p > CACHED ? none : ahead;
    const int blocks = blocks_of(p), pairs = (blocks + 1) / 2, slots = blocks * depth * SIDE;
    const std::ptrdiff_t first = lines_left(more) * 3 * blocks / (3 * blocks + pairs * (pairs + 1));
    *room.rows += m;
    if (!coarse) {
        collect<false, Of>(rows, p, m, near, room, HIGH, more, per(first, slots));
        multiply<false>(room, p, depth, depth, more);
        return;
    }
    int waiting = static_cast<int>(*room.waiting);
    if (depth > waiting && waiting) multiply<true>(room, p, waiting, 0, more), waiting = 0;
    collect<true, Of>(rows, p, m, near, room, waiting ? LOW : HIGH, more, per(waiting ? first : lines_left(more), slots));
    if (waiting) multiply<true>(room, p, waiting, depth, more);
    *room.waiting = waiting ? 0 : depth;
}

void step_add(const double* panel, int p, int m, const double* w, bool coarse, double* memory, double* gram,
              Ahead& ahead) {
    if (p < FEW) return avx512::table().step_add(panel, p, m, w, coarse, memory, gram, ahead);
    add<OfPanel>(panel, p, m, w, coarse, memory, gram, ahead);
}

void plain_step_add(const Plain& rows, int m, const double* w, bool coarse, double* memory, double* gram,
                    Ahead& ahead) {
    add<OfPlain>(rows, rows.p + rows.led, m, w, coarse, memory, gram, ahead);
}

}  // namespace

const Verbs& table() {
    static const Verbs verbs = [] {
        Verbs out = avx512::table();
        out.name = "amx";
        out.step_room = step_room;
        out.step_add = step_add;
        out.step_finish = step_finish;
        out.plain_step_add = plain_step_add;
        out.whole_room = whole_room;
        out.whole_add = whole_add;
        return out;
    }();
    return verbs;
}

}  // namespace ETAMU_ISA

}  // namespace etamu
