// Sparse columns in compressed rows (CSR), and what whole blocks of them add to tables. A tile of them: sparse.hpp.
//
// Row i holds data[k] in column indices[k] for k in indptr[i], ..., indptr[i + 1] - 1, in any order; a column named twice
// counts twice, as in SciPy. `Index` is int32 or int64. All functions add to what they are given.
#pragma once

#include <cstdint>
#include <memory>
#include <variant>

namespace etamu {

template <class Index>
struct Csr {
    const Index* indptr;  // rows + 1
    const Index* indices;
    const double* data;
};

// Rows whose indexes have been looked at: none leads outside of `width` columns. Copies and parts share the arrays.
struct Sparse {
    std::variant<Csr<std::int32_t>, Csr<std::int64_t>> rows;
    std::int64_t length, width;
    bool ascending;  // every row names its columns in ascending order, each once
    std::shared_ptr<const void> held;  // the arrays of the caller; let go with the GIL held

    template <class Work>
    auto visit(const Work& work) const {
        return std::visit(work, rows);
    }

    // The rows start, ..., stop - 1.
    Sparse part(std::int64_t start, std::int64_t stop) const {
        Sparse out = *this;
        std::visit([&](auto& x) { x.indptr += start; }, out.rows);
        out.length = stop - start;
        return out;
    }
};

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
