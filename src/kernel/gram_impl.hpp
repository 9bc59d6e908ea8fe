// Products over the rows of a tile: A' diag(w) B of two panels, of which the Gram of one panel is the upper half.
//
// The smallest product takes COLS columns of A, one number at a time, and VECS vectors of columns of B, and holds all
// COLS x VECS sums in registers over the rows of the tile: per row VECS loads and COLS broadcasts feed COLS x VECS
// multiply-adds. A sliver of A, weighted beforehand, stays in the first-level cache while B passes by.
#pragma once

#include "ahead.hpp"
#include "dense.hpp"
#include "narrow_impl.hpp"
#include "simd.hpp"
#include "turn_impl.hpp"

namespace etamu::ETAMU_ISA {

namespace {

// How many columns of A: 32 registers carry 8 x 3 sums, 16 registers 4 x 3.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int COLS = 8;
#else
constexpr int COLS = 4;
#endif
constexpr int VECS = 3;

template <class T>
struct Kind;
template <>
struct Kind<double> {
    using V = Doubles;
    static constexpr int lanes = LANES, sliver = SLIVER;
};
template <>
struct Kind<float> {
    using V = Floats;
    static constexpr int lanes = LANES32, sliver = SLIVER32;
};

// Where the columns from j on stand in row 0 of a panel; j is a multiple of the lanes.
template <class T>
ETAMU_INLINE const T* columns_at(const T* panel, int j) {
    constexpr int wide = Kind<T>::sliver;
    return panel + std::ptrdiff_t(j / wide) * TILE * wide + j % wide;
}

// How many vectors to take when so many are left: 4 go as 2 + 2, because a single one keeps the units waiting.
ETAMU_INLINE int taken(int left) { return left == 1 ? 1 : left == 2 || left == 4 ? 2 : VECS; }

// Sums of doubles go straight to the matrix.
template <int N>
ETAMU_INLINE void add_to(double* row, const Doubles (&sums)[N], int, double) {
    ETAMU_UNROLL
    for (int v = 0; v < N; ++v) store(row + v * LANES, load<Doubles>(row + v * LANES) + sums[v]);
}

// Sums of floats are widened first; the last vector may reach beyond the matrix, which has `room` columns from here.
template <int N>
ETAMU_INLINE void add_to(double* row, const Floats (&sums)[N], int room, double unit) {
    ETAMU_UNROLL
    for (int v = 0; v < N; ++v) {
        HalfFloats halves[2];
        std::memcpy(halves, &sums[v], sizeof halves);
        ETAMU_UNROLL
        for (int h = 0; h < 2; ++h) {
            double* to = row + v * LANES32 + h * LANES;
            if (v * LANES32 + h * LANES < room)
                store(to, load<Doubles>(to) + __builtin_convertvector(halves[h], Doubles) * unit);
        }
    }
}

// out[COLS][N vectors] += sum over rows of a[row][COLS]' b[row][N vectors], times `unit` for floats.
template <class T, int N>
ETAMU_INLINE void block(const T* a, const T* b, int first, int m, double* out, std::ptrdiff_t wide, int room,
                        double unit, Ahead& ahead) {
    using V = typename Kind<T>::V;
    constexpr int sliver = Kind<T>::sliver;
    // Few sums would wait for one another: two sets of them take turns.
    constexpr int SETS = N == 1 ? 2 : 1;
    const T* from[N];
    V sums[SETS][COLS][N];
    ETAMU_UNROLL
    for (int v = 0; v < N; ++v) from[v] = columns_at(b, first + v * Kind<T>::lanes);
    ETAMU_UNROLL
    for (int s = 0; s < SETS; ++s)
        ETAMU_UNROLL
        for (int i = 0; i < COLS; ++i)
            ETAMU_UNROLL
            for (int v = 0; v < N; ++v) sums[s][i][v] = V{};
    ETAMU_UNROLL
    for (int i = 0; i < COLS; ++i) __builtin_prefetch(out + i * wide, 1);

    int r = 0;
    while (r + SETS <= m) {
        const char* line;
        std::ptrdiff_t apart;
        const int rows = next_rows(ahead, (m - r) / SETS * SETS, line, apart), end = r + (rows + SETS - 1) / SETS * SETS;
        for (; r < end; r += SETS)
            ETAMU_UNROLL
            for (int s = 0; s < SETS; ++s) {
                const std::ptrdiff_t row = std::ptrdiff_t(r + s) * sliver;
                __builtin_prefetch(line, 0, 2);
                line += apart;
                V right[N];
                ETAMU_UNROLL
                for (int v = 0; v < N; ++v) right[v] = load<V>(from[v] + row);
                ETAMU_UNROLL
                for (int i = 0; i < COLS; ++i) {
                    const V left = all<V>(a[row + i]);
                    ETAMU_UNROLL
                    for (int v = 0; v < N; ++v) sums[s][i][v] += left * right[v];
                }
            }
    }
    if (SETS == 2 && r < m) {
        const std::ptrdiff_t row = std::ptrdiff_t(r) * sliver;
        ETAMU_UNROLL
        for (int i = 0; i < COLS; ++i) sums[0][i][0] += all<V>(a[row + i]) * load<V>(from[0] + row);
    }
    ETAMU_UNROLL
    for (int i = 0; i < COLS; ++i) {
        if (SETS == 2) sums[0][i][0] += sums[SETS - 1][i][0];
        add_to(out + i * wide, sums[0][i], room, unit);
    }
}

// A sliver of A times the weights.
template <class T>
ETAMU_INLINE void weighted(const T* a, const T* w, int m, T* out) {
    using V = typename Kind<T>::V;
    constexpr int sliver = Kind<T>::sliver;
    for (int r = 0; r < m; ++r)
        ETAMU_UNROLL
        for (int c = 0; c < sliver; c += Kind<T>::lanes)
            store(out + r * sliver + c, load<V>(a + r * sliver + c) * w[r]);
}

// out[padded(pa)][padded(pb)] += unit A' diag(w) B; `upper` leaves blocks below the diagonal out.
template <class T>
ETAMU_INLINE void product(const T* a, int pa, const T* b, int pb, int m, const T* w, double* out, bool upper,
                          double unit, Ahead& ahead) {
    constexpr int sliver = Kind<T>::sliver, lanes = Kind<T>::lanes;
    alignas(64) T scratch[TILE * sliver];
    const int wide = padded(pb), count = (wide + lanes - 1) / lanes;
    int rows = 0;  // that innermost loops will visit
    if (ahead.now < ahead.count)
        for (int i = 0; i < pa; i += COLS) rows += (count - (upper ? i / lanes : 0) + VECS - 1) / VECS * m;
    spread(ahead, rows);
    for (int s = 0; s < pa; s += sliver) {
        const T* left = columns_at(a, s);
        if (w) {
            weighted(left, w, m, scratch);
            left = scratch;
        }
        for (int c = 0; c < sliver && s + c < pa; c += COLS) {
            const int i = s + c;
            for (int k = upper ? i / lanes : 0, step; k < count; k += step) {
                step = taken(count - k);
                const int j = k * lanes;
                double* to = out + std::ptrdiff_t(i) * wide + j;
                if (step == 3) block<T, 3>(left + c, b, j, m, to, wide, wide - j, unit, ahead);
                if (step == 2) block<T, 2>(left + c, b, j, m, to, wide, wide - j, unit, ahead);
                if (step == 1) block<T, 1>(left + c, b, j, m, to, wide, wide - j, unit, ahead);
            }
        }
    }
}

// The weights of a tile as floats near 1: divided by a power of two, which is returned. Weights of 1e-60 or 1e60
// would else vanish or overflow. Not finite weights stay as they are: the answer is theirs.
ETAMU_INLINE double near_one(const double* w, int m, float* out) {
    double largest = 0;
    for (int r = 0; r < m; ++r) {
        const double size = w[r] < 0 ? -w[r] : w[r];
        largest = size > largest ? size : largest;
    }
    std::int64_t bits;
    std::memcpy(&bits, &largest, sizeof bits);
    const std::int64_t exponent = bits >> 52;  // biased by 1023; 0 for zero and subnormal, 2047 for infinity
    double unit = 1, inverse = 1;
    if (exponent > 0 && exponent < 2046) {
        bits = exponent << 52;
        std::memcpy(&unit, &bits, sizeof unit);
        bits = (2046 - exponent) << 52;
        std::memcpy(&inverse, &bits, sizeof inverse);
    }
    for (int r = 0; r < m; ++r) out[r] = static_cast<float>(w[r] * inverse);
    return unit;
}

template <bool UPPER>
ETAMU_INLINE void product32(const float* a, int pa, const float* b, int pb, int m, const double* w, double* out,
                            Ahead& ahead) {
    float near[TILE];
    const double unit = w ? near_one(w, m, near) : 1;
    product<float>(a, pa, b, pb, m, w ? near : nullptr, out, UPPER, unit, ahead);
}

void panel_gram_ahead(const double* panel, int p, int m, const double* w, double* gram, Ahead& ahead) {
    if (narrow_panel(p)) return narrow_gram(panel, p, m, w, gram, ahead);
    product<double>(panel, p, panel, p, m, w, gram, true, 1, ahead);
}

// Whole numbers are for a matrix unit.
std::size_t whole_room(int) { return 0; }

bool whole_add(const double*, int, int, const double*, double*, double*) { return false; }

void panel_gram(const double* panel, int p, int m, const double* w, double* gram) {
    Ahead none;
    panel_gram_ahead(panel, p, m, w, gram, none);
}

void panel_cross(const double* a, int pa, const double* b, int pb, int m, const double* w, double* cross) {
    Ahead none;
    product<double>(a, pa, b, pb, m, w, cross, false, 1, none);
}

void panel_cross32(const float* a, int pa, const float* b, int pb, int m, const double* w, double* cross) {
    Ahead none;
    product32<false>(a, pa, b, pb, m, w, cross, none);
}

}  // namespace

}  // namespace etamu::ETAMU_ISA
