// The verbs of coded blocks on one tile, compiled once per instruction set; see coded.hpp and verbs.hpp.
#pragma once

#include "simd.hpp"
#include "verbs.hpp"

namespace etamu::ETAMU_ISA {

static void codes_of_bytes(const std::int8_t* from, int m, std::int32_t* out) {
    for (int i = 0; i < m; ++i) out[i] = from[i];
}

static void codes_joined(const std::int32_t* first, const std::int32_t* next, std::int32_t count, int m, std::int32_t* out) {
    int i = 0;  // vector by vector, as the compiler would not where `out` may be `first`
    for (; i + LANES32 <= m; i += LANES32) store(out + i, load<Ints>(first + i) * count + load<Ints>(next + i));
    for (; i < m; ++i) out[i] = first[i] * count + next[i];
}

static void coded_times(const double* w, const double* multiplier, int m, double* out) {
    if (multiplier == nullptr) {
        std::memcpy(out, w, sizeof(double) * static_cast<std::size_t>(m));
        return;
    }
    for (int i = 0; i < m; ++i) out[i] = w[i] * multiplier[i];
}

static void coded_matvec(const std::int32_t* codes, const double* multiplier, int m, const double* beta, double* eta) {
    if (multiplier == nullptr) {
        for (int i = 0; i < m; ++i) eta[i] += beta[codes[i]];
        return;
    }
    for (int i = 0; i < m; ++i) eta[i] += beta[codes[i]] * multiplier[i];
}

// Neighbouring rows add to different copies: a row that meets the cell of the row before need not wait for its store.
template <int COPIES>
static inline void sum_copies(const std::int32_t* codes, const double* v, int m, double* table, std::int64_t levels) {
    int i = 0;
    for (; i + COPIES <= m; i += COPIES)
        for (int c = 0; c < COPIES; ++c) table[c * levels + codes[i + c]] += v[i + c];
    for (; i < m; ++i) table[codes[i]] += v[i];
}

static void coded_sum(const std::int32_t* codes, const double* v, int m, double* table, std::int64_t levels, int copies) {
    if (copies == 4) sum_copies<4>(codes, v, m, table, levels);
    else if (copies == 2) sum_copies<2>(codes, v, m, table, levels);
    else sum_copies<1>(codes, v, m, table, levels);
}

template <int COPIES>
static inline void pair_copies(const std::int32_t* a, const std::int32_t* b, std::int64_t levels_b, const double* w,
                               int m, double* table, std::int64_t cells) {
    int i = 0;
    for (; i + COPIES <= m; i += COPIES)
        for (int c = 0; c < COPIES; ++c) table[c * cells + a[i + c] * levels_b + b[i + c]] += w[i + c];
    for (; i < m; ++i) table[a[i] * levels_b + b[i]] += w[i];
}

static void coded_pair(const std::int32_t* a, const std::int32_t* b, std::int64_t levels_b, const double* w, int m,
                       double* table, std::int64_t cells, int copies) {
    if (copies == 4) pair_copies<4>(a, b, levels_b, w, m, table, cells);
    else if (copies == 2) pair_copies<2>(a, b, levels_b, w, m, table, cells);
    else pair_copies<1>(a, b, levels_b, w, m, table, cells);
}

// One sliver of 8 numbers as the vectors of this instruction set.
constexpr int SLIVER = 8;
constexpr int SLIVER_VECTORS = SLIVER / LANES;

static void coded_panel(const std::int32_t* codes, const double* w, int m, const double* panel, int slivers,
                        double* table, std::int64_t cells, int copies) {
    const std::int64_t width = static_cast<std::int64_t>(SLIVER) * slivers;
    for (int i = 0; i < m; ++i) {
        double* row = table + (i & (copies - 1)) * cells + codes[i] * width;
        const Doubles weight = all<Doubles>(w[i]);
        for (int s = 0; s < slivers; ++s) {
            const double* x = panel + (static_cast<std::int64_t>(s) * TILE + i) * SLIVER;
            double* to = row + s * SLIVER;
            for (int k = 0; k < SLIVER_VECTORS; ++k)
                store(to + k * LANES, load<Doubles>(to + k * LANES) + weight * load<Doubles>(x + k * LANES));
        }
    }
}

static void coded_bilinear(const std::int32_t* a, const std::int32_t* b, const double* w, int m, const double* matrix,
                           std::int64_t stride, double factor, double* out) {
    for (int i = 0; i < m; ++i) {
        const double entry = factor * matrix[a[i] * stride + b[i]];
        out[i] += w == nullptr ? entry : w[i] * entry;
    }
}

static void coded_panel_bilinear(const std::int32_t* codes, const double* w, int m, const double* panel, int slivers,
                                 const double* matrix, double factor, double* out) {
    const std::int64_t width = static_cast<std::int64_t>(SLIVER) * slivers;
    for (int i = 0; i < m; ++i) {
        const double* row = matrix + codes[i] * width;
        Doubles sums = {};
        for (int s = 0; s < slivers; ++s) {
            const double* x = panel + (static_cast<std::int64_t>(s) * TILE + i) * SLIVER;
            for (int k = 0; k < SLIVER_VECTORS; ++k)
                sums += load<Doubles>(row + s * SLIVER + k * LANES) * load<Doubles>(x + k * LANES);
        }
        double entry = 0.0;
        for (int k = 0; k < LANES; ++k) entry += sums[k];
        out[i] += factor * (w == nullptr ? entry : w[i] * entry);
    }
}

}  // namespace etamu::ETAMU_ISA
