// Sparse columns in compressed rows (CSR): what rows of few numbers add to tables.
//
// Row i holds data[k] in column indices[k] for k in indptr[i], ..., indptr[i + 1] - 1, in any order; a column named twice
// counts twice, as in SciPy. `Index` is int32 or int64. All functions add to what they are given.
#pragma once

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

// gram[width][width] += X'WX, both halves, symmetric to the last bit.
template <class Index>
void csr_gram(const Csr<Index>& x, std::int64_t rows, const double* w, std::int64_t width, double* gram) {
    for (std::int64_t i = 0; i < rows; ++i)
        for (Index k = x.indptr[i]; k < x.indptr[i + 1]; ++k) {
            const double weighted = w[i] * x.data[k];
            double* row = gram + x.indices[k] * width;
            row[x.indices[k]] += weighted * x.data[k];
            for (Index l = x.indptr[i]; l < k; ++l) {
                // Both halves take the same product at the same time.
                const double product = weighted * x.data[l];
                row[x.indices[l]] += product;
                gram[x.indices[l] * width + x.indices[k]] += product;
            }
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
