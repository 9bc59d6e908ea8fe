#include "joint.hpp"

#include <algorithm>
#include <numeric>

namespace etamu {

std::vector<double> Joint::spread(const std::vector<const double*>& numbers) const {
    std::vector<double> table{0.0};
    for (std::size_t k = 0; k < members.size(); ++k) {
        const auto count = static_cast<std::size_t>(levels[k]);
        std::vector<double> wider(table.size() * count);
        for (std::size_t c = 0; c < table.size(); ++c)
            for (std::size_t i = 0; i < count; ++i) wider[c * count + i] = table[c] + numbers[k][i];
        table = std::move(wider);
    }
    return table;
}

void Joint::gather(std::vector<double>& numbers, const std::vector<double*>& out) const {
    auto left = static_cast<std::size_t>(cells);
    for (std::size_t k = members.size(); k-- > 0;) {
        const auto count = static_cast<std::size_t>(levels[k]);
        left /= count;
        for (std::size_t c = 0; c < left; ++c) {
            const double* from = numbers.data() + c * count;
            double sum = 0;
            for (std::size_t i = 0; i < count; ++i) sum += from[i];
            for (std::size_t i = 0; i < count; ++i) out[k][i] += from[i];
            numbers[c] = sum;
        }
    }
}

const std::int32_t* Joint::code(const Verbs& use, const std::int32_t* const* codes, int m, std::int32_t* out) const {
    const std::int32_t* first = codes[members[0]];
    if (members.size() == 1) return first;
    for (std::size_t k = 1; k < members.size(); ++k, first = out)
        use.codes_joined(first, codes[members[k]], static_cast<std::int32_t>(levels[k]), m, out);
    return out;
}

namespace {

// The factors that may be joined, the smallest first.
std::vector<int> ascending(const std::vector<std::int64_t>& levels, const std::vector<char>& plain) {
    std::vector<int> order;
    for (int a = 0; a < static_cast<int>(levels.size()); ++a)
        if (plain[static_cast<std::size_t>(a)]) order.push_back(a);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
        return levels[static_cast<std::size_t>(a)] < levels[static_cast<std::size_t>(b)];
    });
    return order;
}

// Seven factors as the points of Fano's plane, whose seven lines hold each pair once: the three smallest beside the pairs
// of the other four, the smallest beside the largest. Nothing of another number, or where a line has too many cells.
std::vector<Joint> plane(const std::vector<std::int64_t>& levels, std::int64_t most) {
    constexpr int LINES[7][3] = {{0, 1, 2}, {0, 5, 6}, {0, 3, 4}, {1, 4, 6}, {1, 3, 5}, {2, 4, 5}, {2, 3, 6}};
    std::vector<Joint> found;
    if (levels.size() != 7) return found;
    const std::vector<int> order = ascending(levels, std::vector<char>(7, 1));
    for (const auto& line : LINES) {
        int points[3];
        for (int k = 0; k < 3; ++k) points[k] = order[static_cast<std::size_t>(line[k])];
        std::sort(points, points + 3);
        found.emplace_back();
        for (const int a : points) found.back().add(a, levels[static_cast<std::size_t>(a)]);
        if (found.back().cells > most) return {};
    }
    return found;
}

}  // namespace

std::vector<Joint> joined(const std::vector<std::int64_t>& levels, const std::vector<char>& plain, std::int64_t most) {
    std::vector<Joint> found;
    for (const int a : ascending(levels, plain)) {
        const std::int64_t count = levels[static_cast<std::size_t>(a)];
        if (found.empty() || found.back().cells * count > most) found.emplace_back();
        found.back().add(a, count);
    }
    return found;
}

std::vector<Joint> packed(const std::vector<std::int64_t>& levels, const std::vector<char>& plain, std::int64_t most) {
    const std::vector<int> order = ascending(levels, plain);
    std::vector<Joint> found;
    for (auto a = order.rbegin(); a != order.rend(); ++a) {
        const std::int64_t count = levels[static_cast<std::size_t>(*a)];
        Joint* fullest = nullptr;
        for (Joint& each : found)
            if (each.cells * count <= most && (fullest == nullptr || each.cells > fullest->cells)) fullest = &each;
        if (fullest == nullptr) fullest = &found.emplace_back();
        fullest->add(*a, count);
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
    if (std::none_of(known.begin(), known.end(), [](char flag) { return flag; })) found = plane(levels, most);
    if (!found.empty()) return found;
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
