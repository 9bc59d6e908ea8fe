// Sparse columns, tile by tile: what a pass does with rows of few numbers.
//
// Where one row ends and the next begins cannot be foreseen, and a wrong guess costs as much as adding some ten numbers.
// So the rows of a tile are taken in the order of their lengths: within one length every loop ends where the one before
// it did. The order is a function of the rows alone, and so are the bits of every sum.
#pragma once

#include <cstdint>
#include <vector>

#include "csr.hpp"
#include "large.hpp"
#include "verbs.hpp"

namespace etamu {

// The rows of a tile, in the order in which they are taken.
class SparseTile {
   public:
    explicit SparseTile(const Sparse& rows) : rows_(rows) {}

    void read(std::int64_t start, int m);

    // eta += X beta
    void matvec(const double* beta, double* eta) const;
    // table += X'v
    void rmatvec(const double* v, double* table) const;
    // extent = the larger of itself and every |x| of the column
    void extent(double* extent) const;
    // out += x'x row by row, X times diag(factor), which may be null
    void squares(const double* factor, double* out) const;
    // out += x'Mx row by row, likewise; the matrix has rows of `stride` numbers
    void quadratic(const double* matrix, std::int64_t stride, const double* factor, double* out) const;
    // out += 2 x'Mz row by row, likewise, z being rows of panel[slivers][TILE][8] and the matrix padded to 8 slivers
    void bilinear(const double* panel, int slivers, const double* matrix, const double* factor, double* out) const;

    // work(r, columns, numbers, count) row by row
    template <class Work>
    void each(const Work& work) const {
        rows_.visit([&](const auto& x) {
            const auto* ends = x.indptr + start_;
            for (int q = 0; q < m_; ++q) {
                const int r = order_[q];
                work(r, x.indices + ends[r], x.data + ends[r], static_cast<int>(ends[r + 1] - ends[r]));
            }
        });
    }

    const Sparse& rows() const { return rows_; }

   private:
    const Sparse& rows_;
    std::int64_t start_ = 0;
    int m_ = 0;
    std::uint8_t order_[TILE];
};

// X'WX of sparse columns under construction: one half of it, row by row, so that the table is half as large, and the
// product with the panel beside it, or with a column of ones where there is none.
class SparseGram {
   public:
    // `slivers` panels of 8 dense columns; 0: the sum of w x is kept per column.
    SparseGram(std::int64_t width, int slivers);

    // Add a tile; panel is [slivers][TILE][8] or null, w the weight of each row, of any sign.
    void add(const SparseTile& tile, const double* panel, const double* w);

    // Write the matrix out, with both halves: column j of X times factor[j], if there are factors.
    void write(const double* factor, double* out, std::int64_t stride) const;
    // Column j of the panel against sparse column i; 0 is the column of ones where there is no panel.
    double against(std::int64_t i, int j) const { return against_[static_cast<std::size_t>(i * wide_ + j)]; }

   private:
    template <bool ASCENDING>
    void add_products(const SparseTile& tile, const double* w);

    std::int64_t width_, wide_;
    int slivers_;
    Large<double> half_;
    std::vector<double> against_;
};

}  // namespace etamu
