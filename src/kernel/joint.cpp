#include "joint.hpp"

#include <algorithm>
#include <numeric>

namespace etamu {

const std::int32_t* Joint::code(const Verbs& use, const std::int32_t* const* codes, int m, std::int32_t* out) const {
    const std::int32_t* first = codes[members[0]];
    if (members.size() == 1) return first;
    for (std::size_t k = 1; k < members.size(); ++k, first = out)
        use.codes_joined(first, codes[members[k]], static_cast<std::int32_t>(levels[k]), m, out);
    return out;
}

std::vector<Joint> joined(const std::vector<std::int64_t>& levels, const std::vector<char>& plain, std::int64_t most) {
    std::vector<int> order;
    for (int a = 0; a < static_cast<int>(levels.size()); ++a)
        if (plain[static_cast<std::size_t>(a)]) order.push_back(a);
    const auto count = [&](int a) { return levels[static_cast<std::size_t>(a)]; };
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return count(a) < count(b); });
    std::vector<Joint> found;
    for (const int a : order) {
        if (found.empty() || found.back().cells * count(a) > most) found.emplace_back();
        found.back().add(a, count(a));
    }
    return found;
}

std::vector<Joint> covering(const std::vector<std::int64_t>& levels, std::int64_t most, std::vector<char> known) {
    const int k = static_cast<int>(levels.size());
    constexpr int MANY = 12;                                  // from here on the search for triples takes too long
    constexpr std::int64_t NEAR = 4096, FAR = 16384;          // tables in the first cache, and well within the second
    const auto count = [&](int a) { return levels[static_cast<std::size_t>(a)]; };
    const auto pair = [&](int a, int b) -> char& { return known[static_cast<std::size_t>(a * k + b)]; };
    const auto price = [&](std::int64_t cells) { return cells <= NEAR ? 1.0 : cells <= FAR ? 1.5 : 2.5; };
    std::vector<Joint> found;
    if (k > MANY) {
        for (int a = 0; a < k; ++a)
            for (int b = a + 1; b < k; ++b)
                if (!pair(a, b) && count(a) * count(b) <= most) {
                    found.emplace_back();
                    found.back().add(a, count(a)), found.back().add(b, count(b));
                }
        return found;
    }
    const auto take = [&](std::initializer_list<int> members) {
        found.emplace_back();
        for (const int a : members) found.back().add(a, count(a));
        for (const int a : members)
            for (const int b : members)
                if (a < b) pair(a, b) = 1;
    };
    for (;;) {
        double best = 0;
        int triple[3] = {-1, -1, -1};
        for (int a = 0; a < k; ++a)
            for (int b = a + 1; b < k; ++b) {
                const std::int64_t cells = count(a) * count(b);
                if (cells > most) continue;
                if (!pair(a, b) && 1.0 / price(cells) > best)
                    best = 1.0 / price(cells), triple[0] = a, triple[1] = b, triple[2] = -1;
                for (int c = b + 1; c < k; ++c) {
                    if (cells * count(c) > most) continue;
                    const int fresh = !pair(a, b) + !pair(a, c) + !pair(b, c);
                    const double worth = fresh / price(cells * count(c));
                    if (worth > best) best = worth, triple[0] = a, triple[1] = b, triple[2] = c;
                }
            }
        if (triple[0] < 0) return found;
        if (triple[2] < 0) take({triple[0], triple[1]});
        else take({triple[0], triple[1], triple[2]});
    }
}

}  // namespace etamu
