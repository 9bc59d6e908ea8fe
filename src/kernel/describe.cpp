// What is known of rows before any model: how often each response occurs, where the numbers of each column lie.
#include <algorithm>
#include <cmath>
#include <limits>

#include "aligned.hpp"
#include "coded.hpp"
#include "dense.hpp"
#include "pass.hpp"

namespace etamu {

namespace {

constexpr double INFINITE = std::numeric_limits<double>::infinity();

// Up to so many cells are compared with each.
constexpr std::int32_t FEW_CELLS = 8;

}  // namespace

bool tally(const Rows& rows, const std::vector<std::int64_t>& sizes, double* counts) {
    std::int64_t all = 1;
    for (const std::int64_t size : sizes) all *= size;
    // Most rows have the same response: neighbours add to different copies, and need not wait for one another.
    const int copies = copies_of(all);
    std::vector<double> tables(static_cast<std::size_t>(all * copies));
    const Verbs& use = verbs();
    std::int32_t cells[TILE];
    double ones[TILE];
    std::fill_n(ones, TILE, 1.0);
    bool whole = true;
    by_tiles(rows, [&](std::int64_t start, int m) {
        std::fill_n(cells, m, 0);
        std::int32_t most = 0;
        for (int k = 0; k < rows.responses(); ++k) {
            const std::int32_t size = static_cast<std::int32_t>(sizes[static_cast<std::size_t>(k)]);
            most = use.rows_cells(rows.response(k) + start, m, size, cells);
            whole = whole && most >= 0;
        }
        if (!whole) return false;
        const double* weight = part(rows.weight(), start);
        if (most < FEW_CELLS) use.rows_tally(cells, weight, m, most, tables.data());
        else use.coded_sum(cells, weight ? weight : ones, m, tables.data(), all, copies);
        return true;
    });
    fold(tables.data(), all, copies);
    std::copy_n(tables.data(), all, counts);
    return whole;
}

void moments(const Rows& rows, double* mean, double* scatter, double* low, double* high) {
    const Verbs& use = verbs();
    const int p = rows.dense();
    const std::size_t wide = static_cast<std::size_t>(padded(p));
    Aligned<double> panel(panel_doubles(p)), pivot(wide), sum(wide), square(wide), least(wide), most(wide);
    std::fill_n(least.data(), wide, INFINITE);
    std::fill_n(most.data(), wide, -INFINITE);
    Ahead none;
    by_tiles(rows, [&](std::int64_t start, int m) {
        rows.pack(use, start, m, panel, none, true);
        if (start == 0)  // any number near the mean will do: the first row keeps large means from cancelling
            for (int j = 0; j < p; ++j) pivot[j] = panel[(static_cast<std::ptrdiff_t>(j / SLIVER) * TILE) * SLIVER + j % SLIVER];
        use.panel_moments(panel, p, m, pivot, sum, square, least, most);
        return true;
    });
    const double n = static_cast<double>(rows.length());
    for (int j = 0; j < p; ++j) {
        const double gap = sum[j] / n;
        mean[j] = pivot[j] + gap;
        scatter[j] = std::max(square[j] - n * gap * gap, 0.0);
        if (std::isnan(square[j])) scatter[j] = square[j];
        low[j] = least[j];
        high[j] = most[j];
    }
}

}  // namespace etamu
