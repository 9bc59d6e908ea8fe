// Coded blocks across the Python border, for the doors that take one, and tiles of rows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "coded.hpp"
#include "door_arrays.hpp"
#include "verbs.hpp"

namespace etamu {

// A coded block as Python hands it over, checked: no code can lead outside of a table.
class Block {
  public:
    explicit Block(nb::tuple parts) : codes_(parts[0], 1, "codes"), levels(nb::cast<std::int64_t>(parts[1])) {
        if (!parts[2].is_none()) multiplier_.emplace(parts[2], 1, "multiplier");
        scale_ = nb::cast<double>(parts[3]);
        rows = codes_.size();
        column_ = codes_.column();
        if (column_.type == Number::F32 || column_.type == Number::F64) throw nb::type_error("codes must be integers");
        if (multiplier_) {
            same_length(multiplier_->size(), rows, "multiplier");
            numbers_ = multiplier_->column();
        }
        if (levels < 0 || levels > INT32_MAX) throw nb::value_error("the kernel counts levels in 31 bits");
        if (!codes_in_range(column_, rows, levels)) throw nb::index_error("a code is not among the levels");
    }

    // Decode a tile into the space that this block brings along.
    CodedTile tile(std::int64_t start, int m) {
        decode_codes(verbs(), column_, start, m, codes_here_);
        return {codes_here_, decode_multiplier(numbers_, scale_, start, m, numbers_here_)};
    }

    bool plain() const { return numbers_.data == nullptr && scale_ == 1.0; }

  private:
    View codes_;
    std::optional<View> multiplier_;
    Strided column_, numbers_;
    double scale_ = 1.0;
    std::int32_t codes_here_[TILE];
    double numbers_here_[TILE];

  public:
    std::int64_t rows = 0, levels;
};

template <class Work>
void tiles(std::int64_t rows, Work work) {
    for (std::int64_t start = 0; start < rows; start += TILE)
        work(start, static_cast<int>(std::min<std::int64_t>(TILE, rows - start)));
}

}  // namespace etamu
