// X'WX of factors: which tables a row adds to, and what is read off them afterwards.
#include <algorithm>
#include <utility>

#include "coded.hpp"
#include "joint.hpp"

namespace etamu {

namespace {

// The smallest factors are joined up to so many levels before triples are looked for.
constexpr std::int64_t TINY = 32;
// Joint tables have at most so many cells (128 KiB), and no more than there are rows: they have to be added up again.
constexpr std::int64_t JOINT = 16384;
constexpr std::int64_t PANEL = 8192;
// Where a joint table has more cells than that (32 KiB), so many rows at once are added to each in turn.
constexpr std::int64_t NEAR = 4096, DEEP = 1024;

// Numbers added up in four parts, which need not wait for one another.
double total_of(const double* v, std::int64_t count) {
    double sums[4] = {};
    std::int64_t i = 0;
    for (; i + 4 <= count; i += 4)
        for (int c = 0; c < 4; ++c) sums[c] += v[i + c];
    for (; i < count; ++i) sums[0] += v[i];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// Copies of a joint table: its cells are many, so neighbouring rows seldom meet in one.
int joint_copies(std::int64_t cells) { return cells <= 256 ? 4 : cells <= 1024 ? 2 : 1; }

// A joint table under construction.
struct Wide {
    Joint of;
    std::vector<double> table;

    explicit Wide(Joint joint, std::int64_t numbers = 1)
        : of(std::move(joint)), table(static_cast<std::size_t>(of.cells * numbers * joint_copies(of.cells * numbers))) {}
};

// Products between the members of a pair or a triple: marginal tables of its folded table, (i, j), (i, k), (j, k).
void marginal(const Wide& wide, std::vector<double>& ij, std::vector<double>& ik, std::vector<double>& jk) {
    const std::int64_t rows = wide.of.levels[0], columns = wide.of.levels[1];
    const std::int64_t deep = wide.of.members.size() > 2 ? wide.of.levels[2] : 1;
    ij.assign(static_cast<std::size_t>(rows * columns), 0.0);
    ik.assign(static_cast<std::size_t>(rows * deep), 0.0);
    jk.assign(static_cast<std::size_t>(columns * deep), 0.0);
    for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < columns; ++j) {
            const double* from = wide.table.data() + (i * columns + j) * deep;
            ij[static_cast<std::size_t>(i * columns + j)] = total_of(from, deep);
            double *left = ik.data() + i * deep, *right = jk.data() + j * deep;
            for (std::int64_t k = 0; k < deep; ++k) left[k] += from[k];
            for (std::int64_t k = 0; k < deep; ++k) right[k] += from[k];
        }
}

}  // namespace

struct CodedGram::Parts {
    std::vector<std::int64_t> levels;
    int slivers, ones;
    std::vector<std::vector<double>> diagonals, panels, tables;  // tables by place(a, b)
    std::vector<std::unique_ptr<SparseTable>> sparse;
    std::vector<char> plain, done;  // `done` by place(a, b), a == b for diagonals: comes from a joint table
    std::vector<char> known, read;  // of pairs of `tiny`, and by place(a, b): comes from the ones of the panel
    std::vector<Joint> tiny;
    std::vector<Wide> wide;    // of members of `tiny`
    std::vector<Wide> panel_of;  // of blocks
    std::vector<std::int32_t> codes;
    std::vector<const std::int32_t*> each;  // where the codes of a tile lie

    // Rows that wait for the joint tables: codes of `tiny`, and weights. Tables that do not fit into the first cache are
    // taken in turn over so many rows that most of what is fetched is met more than once.
    std::int64_t depth = TILE;
    int waiting = 0;
    std::vector<std::int32_t> tiny_codes;
    std::vector<const std::int32_t*> each_tiny;
    std::vector<double> weights;

    std::size_t place(int a, int b) const {
        const std::size_t k = levels.size();
        return static_cast<std::size_t>(a) * k + static_cast<std::size_t>(b);
    }

    // What is summed jointly.
    void plan(const std::vector<char>& plain_, std::int64_t rows) {
        plain = plain_;
        done.resize(levels.size() * levels.size());
        const std::int64_t most = std::min(JOINT, rows);
        if (slivers > 0)
            for (Joint& joint : joined(levels, plain, std::min(PANEL / 8 / slivers, rows / 4)))
                panel_of.emplace_back(std::move(joint), 8 * slivers);
        tiny = joined(levels, plain, std::min(TINY, most));
        read_off();
        if (tiny.size() > 1) {
            std::vector<std::int64_t> cells;
            for (const Joint& joint : tiny) cells.push_back(joint.cells);
            for (Joint& joint : covering(cells, most, known)) wide.emplace_back(std::move(joint));
        }
        for (const Wide& each : wide)
            for (const int u : each.of.members)
                for (const int v : each.of.members)
                    for (const int a : tiny[static_cast<std::size_t>(u)].members)
                        for (const int b : tiny[static_cast<std::size_t>(v)].members) done[place(a, b)] = 1;
        for (const Wide& each_wide : wide)
            if (each_wide.of.cells > NEAR) depth = DEEP;
        each.resize(levels.size());
        if (wide.empty()) return codes.resize(TILE);
        codes.resize(static_cast<std::size_t>(depth));
        weights.resize(static_cast<std::size_t>(depth));
        tiny_codes.resize(tiny.size() * static_cast<std::size_t>(depth));
        for (std::size_t u = 0; u < tiny.size(); ++u)
            each_tiny.push_back(tiny_codes.data() + u * static_cast<std::size_t>(depth));
    }

    // Products of factors that meet in one table of the panel stand in its column of ones.
    void read_off() {
        std::vector<int> group(levels.size(), -1);
        for (std::size_t g = 0; ones >= 0 && g < panel_of.size(); ++g)
            for (const int a : panel_of[g].of.members) group[static_cast<std::size_t>(a)] = static_cast<int>(g);
        const auto together = [&](const Joint& left, const Joint& right) {
            const int first = group[static_cast<std::size_t>(left.members[0])];
            const auto same = [&](int a) { return first >= 0 && group[static_cast<std::size_t>(a)] == first; };
            return std::all_of(left.members.begin(), left.members.end(), same) &&
                   std::all_of(right.members.begin(), right.members.end(), same);
        };
        read.resize(done.size());
        for (const Joint& left : tiny)
            for (const Joint& right : tiny) {
                known.push_back(together(left, right));
                for (const int a : left.members)
                    for (const int b : right.members) read[place(a, b)] = done[place(a, b)] = known.back();
            }
    }

    // Let a tile wait for the joint tables.
    void wait(const Verbs& verbs, const double* w, int m) {
        for (std::size_t u = 0; u < tiny.size(); ++u) {
            std::int32_t* to = tiny_codes.data() + u * static_cast<std::size_t>(depth) + waiting;
            const std::int32_t* from = tiny[u].code(verbs, each.data(), m, to);
            if (from != to) std::copy_n(from, m, to);
        }
        std::copy_n(w, m, weights.data() + waiting);
        waiting += m;
        if (waiting + TILE > depth) add_waiting(verbs);
    }

    void add_waiting(const Verbs& verbs) {
        for (Wide& each_wide : wide)
            verbs.coded_sum(each_wide.of.code(verbs, each_tiny.data(), waiting, codes.data()), weights.data(), waiting,
                            each_wide.table.data(), each_wide.of.cells, joint_copies(each_wide.of.cells));
        waiting = 0;
    }

    // Read everything off the joint tables, each product from the first table that has it.
    void finish_joint() {
        const std::size_t count = tiny.size();
        std::vector<char> seen = known;
        std::vector<double> products[3];
        for (Wide& each : wide) {
            fold(each.table.data(), each.of.cells, joint_copies(each.of.cells));
            marginal(each, products[0], products[1], products[2]);
            constexpr int SIDES[3][2] = {{0, 1}, {0, 2}, {1, 2}};
            for (int side = 0; side < (each.of.members.size() > 2 ? 3 : 1); ++side) {
                const std::size_t u = static_cast<std::size_t>(each.of.members[static_cast<std::size_t>(SIDES[side][0])]);
                const std::size_t v = static_cast<std::size_t>(each.of.members[static_cast<std::size_t>(SIDES[side][1])]);
                if (seen[u * count + v]) continue;
                seen[u * count + v] = 1;
                spread(tiny[u], tiny[v], products[side], false);
                alone(u, products[side], tiny[v].cells, 1, tiny[v].cells, seen[u * count + u]);
                alone(v, products[side], tiny[u].cells, tiny[v].cells, 1, seen[v * count + v]);
            }
        }
        for (Wide& each : panel_of) {
            const std::int64_t width = std::int64_t{8} * slivers, cells = each.of.cells * width;
            fold(each.table.data(), cells, joint_copies(cells));
            std::vector<std::int64_t> level(each.of.members.size());
            for (std::int64_t cell = 0; cell < each.of.cells; ++cell) {
                each.of.split(cell, level.data());
                const double* from = each.table.data() + cell * width;
                for (std::size_t s = 0; s < level.size(); ++s) {
                    double* to = panels[static_cast<std::size_t>(each.of.members[s])].data() + level[s] * width;
                    for (std::int64_t c = 0; c < width; ++c) to[c] += from[c];
                    for (std::size_t t = 0; ones >= 0 && t < level.size(); ++t)
                        add_read(each.of.members[s], level[s], each.of.members[t], level[t], from[ones]);
                }
            }
        }
    }

    // Add a number to where two levels meet, if that comes from the ones of the panel.
    void add_read(int a, std::int64_t i, int b, std::int64_t j, double value) {
        if (a > b || !read[place(a, b)]) return;
        if (a == b) diagonals[static_cast<std::size_t>(a)][static_cast<std::size_t>(i)] += value;
        else tables[place(a, b)][static_cast<std::size_t>(i * levels[static_cast<std::size_t>(b)] + j)] += value;
    }

    // The product of a joined factor with itself, from its product with another one: `other` numbers `step` apart make one.
    void alone(std::size_t u, const std::vector<double>& table, std::int64_t other, std::int64_t step, std::int64_t stride,
               char& seen) {
        if (seen) return;
        seen = 1;
        std::vector<double> sums(static_cast<std::size_t>(tiny[u].cells));
        for (std::int64_t cell = 0; cell < tiny[u].cells; ++cell)
            for (std::int64_t i = 0; i < other; ++i)
                sums[static_cast<std::size_t>(cell)] += table[static_cast<std::size_t>(cell * stride + i * step)];
        spread(tiny[u], tiny[u], sums, true);
    }

    // Add the product of two joined factors, or of one with itself, to those of their members.
    void spread(const Joint& left, const Joint& right, const std::vector<double>& table, bool same) {
        if (!same && left.members.size() == 1 && right.members.size() == 1) {
            const int a = left.members[0], b = right.members[0];
            std::vector<double>& to = tables[a < b ? place(a, b) : place(b, a)];
            if (a < b) std::copy(table.begin(), table.end(), to.begin());
            else
                for (std::int64_t i = 0; i < left.cells; ++i)
                    for (std::int64_t j = 0; j < right.cells; ++j)
                        to[static_cast<std::size_t>(j * left.cells + i)] = table[static_cast<std::size_t>(i * right.cells + j)];
            return;
        }
        std::vector<std::int64_t> i(left.members.size()), j(right.members.size());
        for (std::int64_t cell = 0; cell < left.cells; ++cell) {
            left.split(cell, i.data());
            for (std::int64_t other = same ? cell : 0; other < (same ? cell + 1 : right.cells); ++other) {
                const double value = table[static_cast<std::size_t>(same ? cell : cell * right.cells + other)];
                if (value == 0.0) continue;
                right.split(other, j.data());
                for (std::size_t s = 0; s < i.size(); ++s)
                    for (std::size_t t = 0; t < j.size(); ++t) {
                        const int a = left.members[s], b = right.members[t];
                        if (a == b) diagonals[static_cast<std::size_t>(a)][static_cast<std::size_t>(i[s])] += value;
                        else if (a < b) tables[place(a, b)][static_cast<std::size_t>(i[s] * levels[static_cast<std::size_t>(b)] + j[t])] += value;
                        else if (!same) tables[place(b, a)][static_cast<std::size_t>(j[t] * levels[static_cast<std::size_t>(a)] + i[s])] += value;
                    }
            }
        }
    }
};

CodedGram::CodedGram(std::vector<std::int64_t> levels, const std::vector<char>& plain, int slivers, int ones,
                     std::int64_t rows)
    : parts_(new Parts) {
    Parts& p = *parts_;
    p.levels = std::move(levels);
    p.slivers = slivers;
    p.ones = slivers > 0 ? ones : -1;
    const int k = static_cast<int>(p.levels.size());
    p.diagonals.resize(k);
    p.panels.resize(k);
    p.tables.resize(static_cast<std::size_t>(k) * k);
    p.sparse.resize(p.tables.size());
    p.plan(plain, rows);
    for (int a = 0; a < k; ++a) {
        p.diagonals[a].resize(p.levels[a] * (p.done[p.place(a, a)] ? 1 : copies_of(p.levels[a])));
        const std::int64_t wide = p.levels[a] * 8 * slivers;
        p.panels[a].resize(wide * (plain[a] ? 1 : copies_of(wide)));
        for (int b = a + 1; b < k; ++b) {
            const std::int64_t cells = p.levels[a] * p.levels[b];
            if (p.done[p.place(a, b)]) {
                p.tables[p.place(a, b)].resize(cells);
            } else if (sparse_pair(p.levels[a], p.levels[b], rows)) {
                p.sparse[p.place(a, b)] = std::make_unique<SparseTable>();
            } else {
                p.tables[p.place(a, b)].resize(cells * copies_of(cells));
            }
        }
    }
}

CodedGram::~CodedGram() = default;
CodedGram::CodedGram(CodedGram&&) noexcept = default;

void CodedGram::add(const Verbs& verbs, const CodedTile* tiles, const double* panel, const double* w, int m) {
    Parts& p = *parts_;
    const int k = blocks();
    double once[TILE], twice[TILE];
    for (int a = 0; a < k; ++a) p.each[static_cast<std::size_t>(a)] = tiles[a].codes;
    if (!p.wide.empty()) p.wait(verbs, w, m);
    for (Wide& wide : p.panel_of) {
        const std::int64_t cells = wide.of.cells * 8 * p.slivers;
        verbs.coded_panel(wide.of.code(verbs, p.each.data(), m, p.codes.data()), w, m, panel, p.slivers, wide.table.data(), cells,
                          joint_copies(cells));
    }
    for (int a = 0; a < k; ++a) {
        const CodedTile& left = tiles[a];
        const double* weight = w;
        if (left.multiplier != nullptr) {
            verbs.coded_times(w, left.multiplier, m, once);
            weight = once;
        }
        const double* square = weight;
        if (left.multiplier != nullptr) {
            verbs.coded_times(weight, left.multiplier, m, twice);
            square = twice;
        }
        if (!p.done[p.place(a, a)])
            verbs.coded_sum(left.codes, square, m, p.diagonals[a].data(), p.levels[a], copies_of(p.levels[a]));
        if (p.slivers > 0 && !p.plain[a]) {
            const std::int64_t cells = p.levels[a] * 8 * p.slivers;
            verbs.coded_panel(left.codes, weight, m, panel, p.slivers, p.panels[a].data(), cells, copies_of(cells));
        }
        for (int b = a + 1; b < k; ++b) {
            if (p.done[p.place(a, b)]) continue;
            const double* both = weight;
            if (tiles[b].multiplier != nullptr) {
                verbs.coded_times(weight, tiles[b].multiplier, m, twice);
                both = twice;
            }
            if (SparseTable* sparse = p.sparse[p.place(a, b)].get()) {
                sparse->add(left.codes, tiles[b].codes, p.levels[b], both, m);
            } else {
                const std::int64_t cells = p.levels[a] * p.levels[b];
                verbs.coded_pair(left.codes, tiles[b].codes, p.levels[b], both, m, p.tables[p.place(a, b)].data(),
                                 cells, copies_of(cells));
            }
        }
    }
}

void CodedGram::finish() {
    Parts& p = *parts_;
    const int k = blocks();
    if (p.waiting) p.add_waiting(verbs());
    for (int a = 0; a < k; ++a) {
        if (!p.done[p.place(a, a)]) fold(p.diagonals[a].data(), p.levels[a], copies_of(p.levels[a]));
        const std::int64_t wide = p.levels[a] * 8 * p.slivers;
        if (!p.plain[a]) fold(p.panels[a].data(), wide, copies_of(wide));
        for (int b = a + 1; b < k; ++b) {
            if (p.done[p.place(a, b)]) continue;
            if (SparseTable* sparse = p.sparse[p.place(a, b)].get()) sparse->finish();
            else fold(p.tables[p.place(a, b)].data(), p.levels[a] * p.levels[b], copies_of(p.levels[a] * p.levels[b]));
        }
    }
    p.finish_joint();
}

int CodedGram::blocks() const { return static_cast<int>(parts_->levels.size()); }
std::int64_t CodedGram::levels(int a) const { return parts_->levels[a]; }
const double* CodedGram::diagonal(int a) const { return parts_->diagonals[a].data(); }
const double* CodedGram::panel(int a) const { return parts_->slivers > 0 ? parts_->panels[a].data() : nullptr; }
bool CodedGram::is_sparse(int a, int b) const { return parts_->sparse[parts_->place(a, b)] != nullptr; }
const double* CodedGram::dense(int a, int b) const {
    return is_sparse(a, b) ? nullptr : parts_->tables[parts_->place(a, b)].data();
}
std::vector<double> CodedGram::taken(int a, int b) {
    std::vector<double> table = std::move(parts_->tables[parts_->place(a, b)]);
    table.resize(static_cast<std::size_t>(parts_->levels[a] * parts_->levels[b]));
    return table;
}
const SparseTable& CodedGram::entries(int a, int b) const { return *parts_->sparse[parts_->place(a, b)]; }

}  // namespace etamu
