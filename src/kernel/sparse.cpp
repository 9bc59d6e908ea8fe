#include "sparse.hpp"

#include <algorithm>
#include <cmath>

namespace etamu {

namespace {

// Rows of at least so many numbers count as equally long.
constexpr int LONG = 32;
inline double times(const double* factor, std::int64_t j, double x) { return factor ? factor[j] * x : x; }

// Where row i of a half begins: element j <= i follows at distance j.
inline std::int64_t place(std::int64_t i) { return i * (i + 1) / 2; }

}  // namespace

void SparseTile::read(std::int64_t start, int m) {
    start_ = start, m_ = m;
    rows_.visit([&](const auto& x) {
        const auto* ends = x.indptr + start;
        int first[LONG + 2] = {};
        std::uint8_t length[TILE];
        for (int r = 0; r < m; ++r) {
            const auto count = ends[r + 1] - ends[r];
            length[r] = static_cast<std::uint8_t>(count < LONG ? count : LONG);
            ++first[length[r] + 1];
        }
        for (int l = 0; l <= LONG; ++l) first[l + 1] += first[l];
        for (int r = 0; r < m; ++r) order_[first[length[r]]++] = static_cast<std::uint8_t>(r);
    });
}

void SparseTile::matvec(const double* beta, double* eta) const {
    each([=](int r, const auto* columns, const double* numbers, int count) {
        double sum = 0.0;
        for (int k = 0; k < count; ++k) sum += numbers[k] * beta[columns[k]];
        eta[r] += sum;
    });
}

void SparseTile::rmatvec(const double* v, double* table) const {
    each([=](int r, const auto* columns, const double* numbers, int count) {
        const double of_row = v[r];
        for (int k = 0; k < count; ++k) table[columns[k]] += numbers[k] * of_row;
    });
}

void SparseTile::extent(double* extent) const {
    each([=](int, const auto* columns, const double* numbers, int count) {
        for (int k = 0; k < count; ++k) extent[columns[k]] = std::max(extent[columns[k]], std::abs(numbers[k]));
    });
}

void SparseTile::squares(const double* factor, double* out) const {
    each([=](int r, const auto* columns, const double* numbers, int count) {
        double sum = 0.0;
        for (int k = 0; k < count; ++k) {
            const double x = times(factor, columns[k], numbers[k]);
            sum += x * x;
        }
        out[r] += sum;
    });
}

void SparseTile::quadratic(const double* matrix, std::int64_t stride, const double* factor, double* out) const {
    each([=](int r, const auto* columns, const double* numbers, int count) {
        double sum = 0.0;
        for (int k = 0; k < count; ++k) {
            const double* row = matrix + columns[k] * stride;
            double below = 0.0;
            for (int l = 0; l < k; ++l) below += times(factor, columns[l], numbers[l]) * row[columns[l]];
            const double x = times(factor, columns[k], numbers[k]);
            sum += x * (2.0 * below + x * row[columns[k]]);
        }
        out[r] += sum;
    });
}

void SparseTile::bilinear(const double* panel, int slivers, const double* matrix, const double* factor,
                          double* out) const {
    each([=](int r, const auto* columns, const double* numbers, int count) {
        double sum = 0.0;
        for (int k = 0; k < count; ++k) {
            const double *row = matrix + static_cast<std::int64_t>(columns[k]) * 8 * slivers, *z = panel + r * 8;
            double product = 0.0;
            for (int s = 0; s < slivers; ++s, row += 8, z += TILE * 8)
                for (int c = 0; c < 8; ++c) product += row[c] * z[c];
            sum += times(factor, columns[k], numbers[k]) * product;
        }
        out[r] += 2.0 * sum;
    });
}

SparseGram::SparseGram(std::int64_t width, int slivers)
    : width_(width), wide_(slivers ? 8 * slivers : 1), slivers_(slivers),
      half_(static_cast<std::size_t>(place(width)), true), against_(static_cast<std::size_t>(width * wide_), 0.0) {}

template <bool ASCENDING>
void SparseGram::add_products(const SparseTile& tile, const double* w) {
    double *half = half_.data(), *against = slivers_ ? nullptr : against_.data();
    tile.each([=](int r, const auto* columns, const double* numbers, int count) {
        for (int k = 0; k < count; ++k) {
            const double weighted = w[r] * numbers[k];
            const std::int64_t column = columns[k];
            double* row = half + place(column);
            if (against) against[column] += weighted;
            if (ASCENDING) {
                for (int l = 0; l <= k; ++l) row[columns[l]] += weighted * numbers[l];
                continue;
            }
            row[column] += weighted * numbers[k];
            for (int l = 0; l < k; ++l) {
                const std::int64_t other = columns[l];
                const double product = weighted * numbers[l];
                half[place(std::max(column, other)) + std::min(column, other)] +=
                    other == column ? 2.0 * product : product;
            }
        }
    });
}

void SparseGram::add(const SparseTile& tile, const double* panel, const double* w) {
    tile.rows().ascending ? add_products<true>(tile, w) : add_products<false>(tile, w);
    if (!slivers_) return;
    double* against = against_.data();
    const std::int64_t wide = wide_;
    const int slivers = slivers_;
    tile.each([=](int r, const auto* columns, const double* numbers, int count) {
        for (int k = 0; k < count; ++k) {
            const double weighted = w[r] * numbers[k];
            double* row = against + columns[k] * wide;
            const double* z = panel + r * 8;
            for (int s = 0; s < slivers; ++s, row += 8, z += TILE * 8)
                for (int c = 0; c < 8; ++c) row[c] += weighted * z[c];
        }
    });
}

void SparseGram::write(const double* factor, double* out, std::int64_t stride) const {
    constexpr std::int64_t SIDE = 32;  // a square of so many columns is turned within the first-level cache
    for (std::int64_t top = 0; top < width_; top += SIDE)
        for (std::int64_t left = 0; left <= top; left += SIDE)
            for (std::int64_t i = top; i < std::min(top + SIDE, width_); ++i) {
                const double* row = half_.data() + place(i);
                for (std::int64_t j = left; j <= std::min(left + SIDE - 1, i); ++j)
                    out[i * stride + j] = out[j * stride + i] = factor ? row[j] * (factor[i] * factor[j]) : row[j];
            }
}

}  // namespace etamu
