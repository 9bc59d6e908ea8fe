// A pass over rows: every tile is read once, and everything that was asked for is added up while it lies in cache.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "aligned.hpp"
#include "program.hpp"
#include "rows.hpp"

namespace etamu {

// Which eta have a value.
struct Domain {
    double lower, upper;
    bool with_lower, with_upper;
};

// A sum that keeps what rounding would lose (Neumaier 1974): its error does not grow with the number of tiles.
class Sum {
   public:
    void add(double x) {
        const double next = sum_ + x;
        const double big = sum_ < 0 ? -sum_ : sum_, small = x < 0 ? -x : x;
        lost_ += big >= small ? (sum_ - next) + x : (x - next) + sum_;
        sum_ = next;
    }
    // Where the sum is not finite neither is what was lost: the sum alone says which.
    double value() const { return sum_ - sum_ == 0 ? sum_ + lost_ : sum_; }

   private:
    double sum_ = 0, lost_ = 0;
};

// X' diag(w) X of a chunk in parts: the Gram of its dense panel, and everything a coded or sparse block has a part in.
struct GramParts {
    Aligned<double> panel;  // dense x dense, symmetric, without padding
    std::unique_ptr<CodedGram> coded;
    std::unique_ptr<SparseGram> sparse;  // against the panel, too
};

// The weight of each row in a Gram: an output of the program times the weights, or the square of the score.
enum class Digits { DOUBLE, SINGLE, COARSE, WHOLE };  // the next two as in Verbs::step_add, the last as in whole_add

struct GramAsked {
    int output;   // of the program; -1 for score^2 times the squared weights
    Digits digits;  // that will do for dense x dense

    bool for_step() const { return digits == Digits::SINGLE || digits == Digits::COARSE; }
};

// Visit rows tile by tile, until a visit says no.
template <class Visit>
void by_tiles(const Rows& rows, const Visit& visit) {
    const int tile = rows.tile();
    for (std::int64_t start = 0; start < rows.length(); start += tile)
        if (!visit(start, static_cast<int>(std::min<std::int64_t>(tile, rows.length() - start)))) return;
}

// A column from a row on; null stays null.
inline const double* part(const double* column, std::int64_t start) { return column ? column + start : nullptr; }

struct Asked {
    bool score = false;
    bool pearson = false;  // needs the outputs value, score, expected in this order
    bool extent = false, girth = false;  // the second one goes with the first
    std::vector<GramAsked> grams;
};

struct Totals {
    bool inside = true;  // false: some eta has no value, and nothing else is set
    double value = 0, pearson = 0;
    std::vector<double> score;  // per raw column
    std::vector<double> extent;  // largest |x| per raw column, one number for the levels of a block; then largest x'x, if asked
    std::vector<GramParts> grams;
};

// Outputs of the program: value, then (if there are more) score, then informations.
Totals accumulate(const Rows& rows, const double* beta, const Program& program, const Domain& domain,
                  const Asked& asked);

// X'u for some columns u and X' diag(w) X for some columns w, of which there may be several per row of several predictors.
struct Weighed {
    std::vector<std::vector<double>> scores;
    std::vector<GramParts> grams;
};

Weighed weighed(const Rows& rows, const std::vector<const double*>& scores, const std::vector<const double*>& weights);

// The value at beta + t step for every t; -inf where some eta leaves the domain.
std::vector<double> values_along(const Rows& rows, const double* beta, const double* step, const double* lengths,
                                 int count, const Program& program, const Domain& domain);

// X beta for every of some betas, one after the other, with the offset if asked.
void predict(const Rows& rows, const double* betas, int count, bool offset, double* eta);

// x_i' M x_i for every row, M symmetric and row-major over the raw columns.
void quadratic(const Rows& rows, const double* matrix, double* out);

// The largest x_i'x_i over the rows.
double girth(const Rows& rows);

// Weighted counts of rows by response: columns of whole numbers below `sizes`, the last running fastest. False where a
// response is no such number; then the counts mean nothing.
bool tally(const Rows& rows, const std::vector<std::int64_t>& sizes, double* counts);

// Mean, sum of squares about it, smallest and largest of every dense column, shift and scale left aside.
void moments(const Rows& rows, double* mean, double* scatter, double* low, double* high);

}  // namespace etamu
