// A unit at work: its program run on a tile of rows.
#pragma once

#include <vector>

#include "aligned.hpp"
#include "program.hpp"
#include "rows.hpp"

namespace etamu {

// Runs the program on a tile: response columns and eta in, one column per output.
class Unit {
   public:
    Unit(const Rows& rows, const Program& program)
        : rows_(rows),
          program_(program),
          from_(static_cast<std::size_t>(program.inputs())),
          to_(static_cast<std::size_t>(program.outputs())),
          results_(static_cast<std::size_t>(program.outputs()) * TILE),
          scratch_(program.scratch()) {
        for (int k = 0; k < program.outputs(); ++k)
            to_[static_cast<std::size_t>(k)] = results_ + static_cast<std::ptrdiff_t>(k) * TILE;
    }

    void run(const Verbs& use, std::int64_t start, int m, const double* eta, Ahead& ahead) {
        for (int k = 0; k < rows_.responses(); ++k)
            from_[static_cast<std::size_t>(k)] = rows_.response(k) + start;
        from_.back() = eta;
        program_.run(use, from_.data(), m, to_.data(), scratch_, ahead);
    }

    const double* operator[](int k) const { return to_[static_cast<std::size_t>(k)]; }

   private:
    const Rows& rows_;
    const Program& program_;
    std::vector<const double*> from_;
    std::vector<double*> to_;
    Aligned<double> results_, scratch_;
};

}  // namespace etamu
