// What is known of rows before any model: how often each response occurs, where the numbers of each column lie.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "aligned.hpp"
#include "coded.hpp"
#include "dense.hpp"
#include "pass.hpp"

namespace etamu {

namespace {

constexpr double INFINITE = std::numeric_limits<double>::infinity();

// Up to so many cells are compared with each.
constexpr std::int32_t FEW_CELLS = 8;

// Numbers compared side by side: none waits for the one before it.
constexpr int ABREAST = 16;

template <class T>
std::pair<double, double> ends_of(const Strided& column, std::int64_t n) {
    T least[ABREAST], most[ABREAST];
    std::fill_n(least, ABREAST, std::numeric_limits<T>::infinity());
    std::fill_n(most, ABREAST, -std::numeric_limits<T>::infinity());
    int odd[ABREAST] = {};
    const auto meet = [&](T x, int k) {
        least[k] = x < least[k] ? x : least[k];
        most[k] = x > most[k] ? x : most[k];
        odd[k] |= x != x;
    };
    std::int64_t row = 0;
    if (column.stride == static_cast<std::ptrdiff_t>(sizeof(T)))
        for (; row + ABREAST <= n; row += ABREAST) {
            T some[ABREAST];
            std::memcpy(some, column.data + row * column.stride, sizeof some);
            for (int k = 0; k < ABREAST; ++k) meet(some[k], k);
        }
    for (; row < n; ++row) {
        T x;
        std::memcpy(&x, column.data + row * column.stride, sizeof x);
        meet(x, 0);
    }
    for (int k = 1; k < ABREAST; ++k) meet(least[k], 0), meet(most[k], 0), odd[0] |= odd[k];
    constexpr double NOTHING = std::numeric_limits<double>::quiet_NaN();
    if (odd[0]) return {NOTHING, NOTHING};
    return {least[0], most[0]};
}

}  // namespace

std::pair<double, double> ends(const Strided& column, std::int64_t n) {
    return column.type == Number::F32 ? ends_of<float>(column, n) : ends_of<double>(column, n);
}

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
    by_tiles(rows, [&](std::int64_t start, int m) {
        rows.pack(use, start, m, panel, true);
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
