// The verbs of dense columns; included by isa.cpp once per instruction set. Packing and Grams have files of their own.
#pragma once

#include "ahead.hpp"
#include "dense.hpp"
#include "gram_impl.hpp"
#include "pack_impl.hpp"
#include "simd.hpp"
#include "turn_impl.hpp"

namespace etamu::ETAMU_ISA {

namespace {

constexpr int ROWS = 8;  // rows whose sums are kept side by side; panels are filled up to a multiple of it

// out[row, ..., row + ROWS - 1] += the sums of the lanes of each vector, for rows below m.
ETAMU_INLINE void add_sums(const Doubles (&sums)[ROWS], int row, int m, double* out) {
    double totals[ROWS];
    ETAMU_UNROLL
    for (int k = 0; k < ROWS; k += LANES) store(totals + k, sums_of(sums + k));
    if (row + ROWS <= m) {
        ETAMU_UNROLL
        for (int k = 0; k < ROWS; k += LANES) store(out + row + k, load<Doubles>(out + row + k) + load<Doubles>(totals + k));
        return;
    }
    for (int r = row; r < m; ++r) out[r] += totals[r - row];
}

void panel_matvec(const double* panel, int p, int m, const double* beta, double* eta, Ahead& ahead) {
    double last[SLIVER] = {};
    const int full = p / SLIVER * SLIVER;
    for (int j = full; j < p; ++j) last[j - full] = beta[j];
    for (int r = 0; r < m; r += ROWS) {
        ask(ahead, padded(p) / SLIVER);  // a line for eight that are read here
        Doubles sums[ROWS] = {};
        for (int j = 0; j < p; j += SLIVER) {
            const double* from = panel + std::ptrdiff_t(j) * TILE + r * SLIVER;
            const double* by = j < full ? beta + j : last;
            ETAMU_UNROLL
            for (int k = 0; k < SLIVER; k += LANES) {
                const Doubles coefficients = load<Doubles>(by + k);
                ETAMU_UNROLL
                for (int i = 0; i < ROWS; ++i) sums[i] += load<Doubles>(from + i * SLIVER + k) * coefficients;
            }
        }
        add_sums(sums, r, m, eta);
    }
}

// The columns of COUNT slivers from j on; STEP rows at once, so that sums need not wait for one another.
template <int COUNT, int STEP>
ETAMU_INLINE void add_columns(const double* panel, int j, int p, int m, const double* v, double* out, Ahead& ahead) {
    constexpr int PARTS = COUNT * PER_ROW;
    const double* from = panel + std::ptrdiff_t(j) * TILE;
    Doubles sums[STEP][PARTS] = {};
    int r = 0;
    for (; r + STEP <= m; r += STEP) {
        ask(ahead, 1);
        ETAMU_UNROLL
        for (int i = 0; i < STEP; ++i)
            ETAMU_UNROLL
            for (int k = 0; k < PARTS; ++k)
                sums[i][k] += v[r + i] * load<Doubles>(from + (k / PER_ROW) * (TILE * SLIVER) + (r + i) * SLIVER +
                                                       k % PER_ROW * LANES);
    }
    for (; r < m; ++r)
        ETAMU_UNROLL
        for (int k = 0; k < PARTS; ++k)
            sums[0][k] += v[r] * load<Doubles>(from + (k / PER_ROW) * (TILE * SLIVER) + r * SLIVER + k % PER_ROW * LANES);
    double totals[COUNT * SLIVER];
    ETAMU_UNROLL
    for (int k = 0; k < PARTS; ++k) {
        ETAMU_UNROLL
        for (int i = 1; i < STEP; ++i) sums[0][k] += sums[i][k];
        store(totals + k * LANES, sums[0][k]);
    }
    for (int c = 0; c < COUNT * SLIVER && j + c < p; ++c) out[j + c] += totals[c];
}

void panel_rmatvec(const double* panel, int p, int m, const double* v, double* out, Ahead& ahead) {
    constexpr int COUNT = LANES >= 8 ? 4 : LANES >= 4 ? 2 : 1;
    int j = 0;
    for (; j + COUNT * SLIVER <= padded(p); j += COUNT * SLIVER) add_columns<COUNT, 2>(panel, j, p, m, v, out, ahead);
    for (; j < p; j += SLIVER) add_columns<1, COUNT * 2>(panel, j, p, m, v, out, ahead);
}

// The matrix between two panels is laid out in strips of VECS vectors of columns, `first` being the column a strip
// starts with: M[0, ..., pa - 1][strip], one row after the other. For x'Mx the upper half will do, to which the lower
// one is added.
void bilinear_prepare(const double* matrix, int pa, int pb, bool quadratic, double* prepared) {
    const int count = padded(pb) / LANES, rows = padded(pa);
    for (int k = 0, step; k < count; k += step) {
        step = taken(count - k);
        const int first = k * LANES, wide = step * LANES;
        double* to = prepared + std::ptrdiff_t(first) * rows;
        for (int i = 0; i < rows; ++i)
            for (int c = 0; c < wide; ++c) {
                const int j = first + c;
                double value = i < pa && j < pb ? matrix[std::ptrdiff_t(i) * pb + j] : 0;
                if (quadratic && i > j) value = 0;
                if (quadratic && i < j && j < pb) value += matrix[std::ptrdiff_t(j) * pb + i];
                to[std::ptrdiff_t(i) * wide + c] = value;
            }
    }
}

// One strip of N vectors: the first `height` columns of A meet N vectors of columns of B from `first` on.
template <int N>
ETAMU_INLINE void add_strip(const double* a, int height, const double* b, int first, int m, const double* strip,
                            double* out) {
    const double* right[N];
    ETAMU_UNROLL
    for (int v = 0; v < N; ++v) right[v] = columns_at(b, first + v * LANES);
    for (int r = 0; r < m; r += ROWS) {
        Doubles rows[ROWS];
        for (int half = 0; half < ROWS; half += COLS) {  // as many rows as registers allow
            const std::ptrdiff_t offset = std::ptrdiff_t(r + half) * SLIVER;
            Doubles sums[COLS][N] = {};
            const double* from = strip;
            for (int j = 0; j < height; j += SLIVER) {
                const double* left = columns_at(a, j) + offset;
                const int columns = at_most_sliver(height - j);
                for (int c = 0; c < columns; ++c, ++left, from += N * LANES) {
                    Doubles values[N];
                    ETAMU_UNROLL
                    for (int v = 0; v < N; ++v) values[v] = load<Doubles>(from + v * LANES);
                    ETAMU_UNROLL
                    for (int i = 0; i < COLS; ++i) {
                        const Doubles x = all<Doubles>(left[i * SLIVER]);
                        ETAMU_UNROLL
                        for (int v = 0; v < N; ++v) sums[i][v] += x * values[v];
                    }
                }
            }
            ETAMU_UNROLL
            for (int i = 0; i < COLS; ++i) {
                rows[half + i] = sums[i][0] * load<Doubles>(right[0] + offset + i * SLIVER);
                ETAMU_UNROLL
                for (int v = 1; v < N; ++v)
                    rows[half + i] += sums[i][v] * load<Doubles>(right[v] + offset + i * SLIVER);
            }
        }
        add_sums(rows, r, m, out);
    }
}

ETAMU_INLINE void add_bilinear(const double* a, int pa, const double* b, int pb, int m, const double* prepared,
                               bool upper, double* out) {
    const int count = padded(pb) / LANES;
    for (int k = 0, step; k < count; k += step) {
        step = taken(count - k);
        const int first = k * LANES, end = first + step * LANES;
        const int height = upper && end < pa ? end : pa;
        const double* strip = prepared + std::ptrdiff_t(first) * padded(pa);
        if (step == 3) add_strip<3>(a, height, b, first, m, strip, out);
        if (step == 2) add_strip<2>(a, height, b, first, m, strip, out);
        if (step == 1) add_strip<1>(a, height, b, first, m, strip, out);
    }
}

void panel_bilinear(const double* a, int pa, const double* b, int pb, int m, const double* prepared, double* out) {
    add_bilinear(a, pa, b, pb, m, prepared, false, out);
}

void panel_quadratic(const double* panel, int p, int m, const double* prepared, double* out) {
    add_bilinear(panel, p, panel, p, m, prepared, true, out);
}

}  // namespace

}  // namespace etamu::ETAMU_ISA
