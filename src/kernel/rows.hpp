// Rows of a problem as the kernel sees them: columns where they lie, responses, offset and weights; nothing is copied.
#pragma once

#include <Python.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ahead.hpp"
#include "coded.hpp"
#include "columns.hpp"
#include "plain.hpp"
#include "sparse.hpp"
#include "verbs.hpp"

namespace etamu {

// Some rows of one linear predictor. All dense columns together make one panel, whatever blocks they came in; `place`
// says where each of them stands among the raw columns of the design.
class Rows {
   public:
    struct CodedBlock {
        Strided codes;
        std::int64_t levels;
        Strided multiplier;  // without data: 1
        double scale;
        std::int64_t place;  // raw column of level 0

        bool plain() const { return multiplier.data == nullptr && scale == 1.0; }
    };

    struct SparseBlock {
        Sparse x;
        std::vector<double> factor;  // of every column; empty: 1
        std::int64_t place;          // raw column of its first

        const double* scaling() const { return factor.empty() ? nullptr : factor.data(); }
        // out = a number per column, times what the numbers of the column are multiplied by
        void scaled(const double* numbers, double* out) const {
            for (std::int64_t j = 0; j < x.width; ++j) out[j] = factor.empty() ? numbers[j] : factor[j] * numbers[j];
        }
    };

    // Made and destroyed with the GIL held; read without it.
    Rows(std::int64_t length, std::int64_t width) : length_(length), width_(width) {}

    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;

    void add_dense(PyObject* arrays, std::int64_t place, const double* shift, const double* scale);
    void add_coded(PyObject* codes, std::int64_t levels, PyObject* multiplier, double scale, std::int64_t place);
    // At most one, and none beside coded blocks.
    void add_sparse(const Sparse& x, const double* scale, std::int64_t place);
    void set_response(PyObject* y, PyObject* offset, PyObject* weight, PyObject* squared);

    std::int64_t length() const { return length_; }
    std::int64_t width() const { return width_; }
    int dense() const { return static_cast<int>(columns_.size()); }
    int coded() const { return static_cast<int>(coded_.size()); }
    const CodedBlock& block(int a) const { return coded_[static_cast<std::size_t>(a)]; }
    const SparseBlock* sparse() const { return sparse_ ? &*sparse_ : nullptr; }
    const std::vector<std::int64_t>& place() const { return place_; }
    int responses() const { return static_cast<int>(y_.size()); }
    const double* response(int k) const { return y_[static_cast<std::size_t>(k)]; }
    const double* offset() const { return offset_; }
    const double* weight() const { return weight_; }
    const double* squared() const { return squared_; }

    // Whether the only dense column is one number for all rows, beside blocks without multiplier: the constant beside
    // factors, which need not be packed.
    bool lone() const { return lone_; }
    double lone_number() const { return lone_number_; }
    // The dense column that is 1 in all rows, -1 if there is none.
    int ones() const { return ones_; }
    void look_for_constant();

    // Pack the dense columns of a tile; `raw` leaves shift and scale aside.
    void pack(const Verbs& verbs, std::int64_t start, int m, double* panel, Ahead& ahead, bool raw = false) const {
        verbs.pack(columns_.data(), dense(), start, m, raw || shift_.empty() ? nullptr : shift_.data(),
                   raw || factor_.empty() ? nullptr : factor_.data(), panel, ahead);
    }

    // The rows where they lie, if they need not be packed: many columns side by side, none of them shifted.
    bool plain() const { return plain_.x != nullptr; }
    Plain plain_from(std::int64_t start) const { return plain_.from(start); }
    void look_for_plain();

    // Whether dense columns are few beside the blocks of levels: then their next tile may be asked for at once.
    bool soon() const { return coded() && dense() <= 8; }

    // Ask for the tile that begins at a row, column by column: each column is a stream of its own, of which a tile reads a
    // few cache lines at once, and what fetches ahead unasked begins anew with every tile.
    void fetch(std::int64_t start) const;

    // What is to be asked for bit by bit of the tile that begins at a row; nothing past the end.
    void look_ahead(std::int64_t start, Ahead& ahead) const;

    // Rows visited at once. Half a tile of some dozen columns stays in the first-level cache while it is packed and used,
    // a whole one does not; fewer columns fit anyway, more do not fit in either case.
    int tile() const { return coded_.empty() && dense() > 16 && dense() <= 64 ? TILE / 2 : TILE; }

   private:
    double repeated(std::size_t j) const;
    const double* doubles(PyObject* array, const char* what);
    Strided strided(PyObject* array, const char* what);

    std::int64_t length_, width_;
    std::vector<Column> columns_;
    std::vector<std::int64_t> place_;
    std::vector<double> shift_, factor_;  // per dense column, empty where no column has any
    std::vector<CodedBlock> coded_;
    std::optional<SparseBlock> sparse_;
    std::vector<const double*> y_;
    const double* offset_ = nullptr;
    const double* weight_ = nullptr;
    const double* squared_ = nullptr;
    bool lone_ = false;
    double lone_number_ = 0;
    int ones_ = -1;
    Plain plain_{};
    std::vector<double> factors_;  // of it
    std::vector<std::unique_ptr<Columns>> held_;
};

}  // namespace etamu
