// Sparse columns in compressed rows (CSR): what rows of few numbers add to tables.
//
// Row i holds data[k] in column indices[k] for k in indptr[i], ..., indptr[i + 1] - 1, in any order; a column named twice
// counts twice, as in SciPy. `Index` is int32 or int64. All functions add to what they are given.
#pragma once

#include <algorithm>
#include <cstdint>

#include "coded.hpp"

namespace etamu {

template <class Index>
struct Csr {
    const Index* indptr;  // rows + 1
    const Index* indices;
    const double* data;
};

template <class Index>
void csr_matvec(const Csr<Index>& x, std::int64_t rows, const double* beta, double* eta) {
    for (std::int64_t i = 0; i < rows; ++i) {
        double sum = 0.0;
        for (Index k = x.indptr[i]; k < x.indptr[i + 1]; ++k) sum += x.data[k] * beta[x.indices[k]];
        eta[i] += sum;
    }
}

template <class Index>
void csr_rmatvec(const Csr<Index>& x, std::int64_t rows, const double* v, double* score) {
    for (std::int64_t i = 0; i < rows; ++i)
        for (Index k = x.indptr[i]; k < x.indptr[i + 1]; ++k) score[x.indices[k]] += x.data[k] * v[i];
}

// gram[width][width] = S X'WX S with S = diag(scale), or without S where scale is null; gram must come as zeros. One half is
// summed and then copied, so that the table a row adds to is half as large.
template <class Index>
void csr_gram(const Csr<Index>& x, std::int64_t rows, const double* w, const double* scale, std::int64_t width, double* gram) {
    for (std::int64_t i = 0; i < rows; ++i)
        for (Index k = x.indptr[i]; k < x.indptr[i + 1]; ++k) {
            const Index column = x.indices[k];
            const double weighted = w[i] * x.data[k];
            double* row = gram + column * width;
            row[column] += weighted * x.data[k];
            for (Index l = x.indptr[i]; l < k; ++l) {
                const Index other = x.indices[l];
                const double product = weighted * x.data[l];
                if (other < column) row[other] += product;
                else if (other > column) gram[other * width + column] += product;
                else row[column] += 2.0 * product;
            }
        }
    constexpr std::int64_t SIDE = 32;  // a square of so many columns is turned within the first-level cache
    for (std::int64_t top = 0; top < width; top += SIDE)
        for (std::int64_t left = 0; left <= top; left += SIDE)
            for (std::int64_t i = top; i < std::min(top + SIDE, width); ++i)
                for (std::int64_t j = left; j <= std::min(left + SIDE - 1, i); ++j) {
                    double& sum = gram[i * width + j];
                    if (scale) sum *= scale[i] * scale[j];
                    gram[j * width + i] = sum;
                }
}

// Per column: sum, sum of squares, smallest and largest of what is stored, and how many rows store it. All but
// low and high must come as zeros, low as infinity and high as minus infinity. No row may name a column twice.
template <class Index>
void csr_moments(const Csr<Index>& x, std::int64_t rows, double* sum, double* squares, double* low, double* high,
                 double* count) {
    for (Index k = x.indptr[0]; k < x.indptr[rows]; ++k) {
        const Index column = x.indices[k];
        const double number = x.data[k];
        sum[column] += number;
        squares[column] += number * number;
        low[column] = number < low[column] ? number : low[column];
        high[column] = number > high[column] ? number : high[column];
        count[column] += 1.0;
    }
}

// table[width][columns] += X' W panel, the panel being row by row.
template <class Index>
void csr_panel(const Csr<Index>& x, std::int64_t rows, const double* w, const double* panel, std::int64_t columns,
               double* table) {
    for (std::int64_t i = 0; i < rows; ++i)
        for (Index k = x.indptr[i]; k < x.indptr[i + 1]; ++k) {
            const double weighted = w[i] * x.data[k];
            double* row = table + x.indices[k] * columns;
            for (std::int64_t j = 0; j < columns; ++j) row[j] += weighted * panel[i * columns + j];
        }
}

// table[width][levels] += X' W C for a tile of codes; w holds the multipliers already. Rows start, ..., start + m - 1 of X.
template <class Index>
void csr_coded(const Csr<Index>& x, std::int64_t start, int m, const double* w, const std::int32_t* codes,
               std::int64_t levels, double* table) {
    for (int i = 0; i < m; ++i)
        for (Index k = x.indptr[start + i]; k < x.indptr[start + i + 1]; ++k)
            table[x.indices[k] * levels + codes[i]] += w[i] * x.data[k];
}

// table[width of x][width of z] += X' W Z.
template <class Index, class Other>
void csr_csr(const Csr<Index>& x, const Csr<Other>& z, std::int64_t rows, const double* w, std::int64_t width_z,
             double* table) {
    for (std::int64_t i = 0; i < rows; ++i)
        for (Index k = x.indptr[i]; k < x.indptr[i + 1]; ++k) {
            const double weighted = w[i] * x.data[k];
            double* row = table + x.indices[k] * width_z;
            for (Other l = z.indptr[i]; l < z.indptr[i + 1]; ++l) row[z.indices[l]] += weighted * z.data[l];
        }
}

}  // namespace etamu
