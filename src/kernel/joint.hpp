// Several factors as one: a row adds once to a table of the joint levels, and marginal tables come from it afterwards.
//
// All products of eight factors are 28 tables and 8 diagonals, to each of which a row would add a number. With the two
// smallest made one, the 7 factors left have 21 pairs, which 7 triples cover (Fano's plane): a row adds to 7 tables.
#pragma once

#include <cstdint>
#include <vector>

#include "verbs.hpp"

namespace etamu {

// Some factors with the joint level ((c0 L1 + c1) L2 + c2) ...
struct Joint {
    std::vector<int> members;           // numbers of factors
    std::vector<std::int64_t> levels;   // of each member
    std::int64_t cells = 1;

    void add(int member, std::int64_t count) {
        members.push_back(member);
        levels.push_back(count);
        cells *= count;
    }

    // The level of each member behind a joint level.
    void split(std::int64_t cell, std::int64_t* out) const {
        for (std::size_t k = members.size(); k-- > 0; cell /= levels[k]) out[k] = cell % levels[k];
    }

    // The sum of a number per level of each member, for every joint level.
    std::vector<double> spread(const std::vector<const double*>& numbers) const;

    // Add a number per joint level to the level of each member; uses the numbers up.
    void gather(std::vector<double>& numbers, const std::vector<double*>& out) const;

    // out = the joint level of each row; codes[member] are the levels of a factor. Returns them where they lie if there
    // is one member only.
    const std::int32_t* code(const Verbs& use, const std::int32_t* const* codes, int m, std::int32_t* out) const;
};

// Join factors, the smallest first, as long as a joint one has at most so many levels. Factors that may not be joined
// (`plain` is 0) are left out.
std::vector<Joint> joined(const std::vector<std::int64_t>& levels, const std::vector<char>& plain, std::int64_t most);

// Join them to few: the largest first, each to the fullest joint one that has room for it.
std::vector<Joint> packed(const std::vector<std::int64_t>& levels, const std::vector<char>& plain, std::int64_t most);

// Triples and pairs of factors that hold every pair of them among each other, each with at most so many cells; pairs
// that alone have more are left out, and those that are known already (k x k flags). The members are numbers in `levels`.
std::vector<Joint> covering(const std::vector<std::int64_t>& levels, std::int64_t most, std::vector<char> known);

}  // namespace etamu
