// The verbs of rows that need not be packed; included by isa.cpp once per instruction set.
#pragma once

#include "ahead.hpp"
#include "dense_impl.hpp"
#include "plain.hpp"
#include "simd.hpp"
#include "turn_impl.hpp"

namespace etamu::ETAMU_ISA {

namespace {

// The first `left` columns of a vector, zeros after them.
ETAMU_INLINE Doubles some(const double* from, int left) { return load_first(reinterpret_cast<const char*>(from), left); }

// One vector of columns of eight rows, handed to `each` row by row.
template <class Each>
ETAMU_INLINE void of_rows(const double* from, std::ptrdiff_t stride, int rows, int left, const Each& each) {
    if (rows == ROWS && left >= LANES) {
        ETAMU_UNROLL
        for (int i = 0; i < ROWS; ++i) each(i, load<Doubles>(from + i * stride));
        return;
    }
    ETAMU_UNROLL
    for (int i = 0; i < ROWS; ++i)
        if (i < rows) each(i, some(from + i * stride, left));
}

// eta[m] += X beta, beta times the factors beforehand; its first number is the constant's.
void plain_matvec(const Plain& rows, int m, const double* beta, double* eta) {
    const double* of = beta + rows.led;
    for (int r = 0; r < m; r += ROWS) {
        const int some_rows = m - r < ROWS ? m - r : ROWS;
        const double* from = rows.x + r * rows.stride;
        Doubles sums[ROWS] = {};
        for (int j = 0; j < rows.p; j += LANES) {
            const Doubles coefficients = some(of + j, rows.p - j);
            of_rows(from + j, rows.stride, some_rows, rows.p - j,
                    [&](int i, Doubles x) { sums[i] += x * coefficients; });
        }
        add_sums(sums, r, m, eta);
    }
    for (int r = 0; rows.led && r < m; ++r) eta[r] += rows.lead * beta[0];
}

// out[j] += sum of v x for COUNT vectors of columns; STEP rows at once, so that sums need not wait for one another.
template <int COUNT, int STEP>
ETAMU_INLINE void add_plain(const double* from, std::ptrdiff_t stride, int left, int m, const double* v, double* out) {
    Doubles sums[STEP][COUNT] = {};
    const auto add = [&](int r, int i) {
        ETAMU_UNROLL
        for (int k = 0; k < COUNT; ++k)
            sums[i][k] += v[r] * (COUNT > 1 ? load<Doubles>(from + r * stride + k * LANES) : some(from + r * stride, left));
    };
    int r = 0;
    for (; r + STEP <= m; r += STEP)
        ETAMU_UNROLL
        for (int i = 0; i < STEP; ++i) add(r + i, i);
    for (; r < m; ++r) add(r, 0);
    ETAMU_UNROLL
    for (int k = 0; k < COUNT; ++k) {
        ETAMU_UNROLL
        for (int i = 1; i < STEP; ++i) sums[0][k] += sums[i][k];
        const Doubles now = some(out + k * LANES, left - k * LANES) + sums[0][k];
        if (left - k * LANES >= LANES) store(out + k * LANES, now);
        else std::memcpy(out + k * LANES, &now, static_cast<std::size_t>(left - k * LANES) * sizeof(double));
    }
}

// out += X'v without the factors.
void plain_rmatvec(const Plain& rows, int m, const double* v, double* out) {
    constexpr int COUNT = 4;
    double* to = out + rows.led;
    int j = 0;
    for (; j + COUNT * LANES <= rows.p; j += COUNT * LANES)
        add_plain<COUNT, 2>(rows.x + j, rows.stride, rows.p - j, m, v, to + j);
    for (; j < rows.p; j += LANES) add_plain<1, 8>(rows.x + j, rows.stride, rows.p - j, m, v, to + j);
    double sum = 0;
    for (int r = 0; rows.led && r < m; ++r) sum += v[r];
    if (rows.led) out[0] += rows.lead * sum;
}

// extent = the larger of itself and every |x| of the column, out[m] += x'x row by row, both with the factors.
void plain_extent_squares(const Plain& rows, int m, double* extent, double* out) {
    const double* factor = rows.factor + rows.led;
    double* to = extent + rows.led;
    for (int r = 0; r < m; r += ROWS) {
        const int some_rows = m - r < ROWS ? m - r : ROWS;
        const double* from = rows.x + r * rows.stride;
        Doubles sums[ROWS] = {};
        for (int j = 0; j < rows.p; j += LANES) {
            const int left = rows.p - j;
            const Doubles by = some(factor + j, left);
            Doubles most[2] = {};  // take turns, as comparing waits for what was largest before
            of_rows(from + j, rows.stride, some_rows, left, [&](int i, Doubles raw) {
                const Doubles x = raw * by, size = size_of(x);
                sums[i] += x * x;
                most[i % 2] = size > most[i % 2] ? size : most[i % 2];
            });
            const Doubles before = some(to + j, left), larger = most[0] > most[1] ? most[0] : most[1];
            const Doubles now = larger > before ? larger : before;
            if (left >= LANES) store(to + j, now);
            else std::memcpy(to + j, &now, static_cast<std::size_t>(left) * sizeof(double));
        }
        add_sums(sums, r, m, out);
    }
    if (!rows.led) return;
    const double size = rows.lead < 0 ? -rows.lead : rows.lead;
    extent[0] = size > extent[0] ? size : extent[0];
    for (int r = 0; r < m; ++r) out[r] += rows.lead * rows.lead;
}

}  // namespace

}  // namespace etamu::ETAMU_ISA
