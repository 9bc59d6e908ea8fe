// The doors of coded blocks: each verb over all rows of a block, for use alone and beside the NumPy twins.
//
// A coded block travels as the tuple (codes, levels, multiplier or None, scale).
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <optional>
#include <vector>

#include "coded.hpp"
#include "door_blocks.hpp"
#include "verbs.hpp"

namespace etamu {

namespace {

using Doubles = nb::ndarray<nb::numpy, double>;

// Rows of a row-by-row matrix in the panel format of the fused pass: slivers of 8 columns, padded with zeros.
void pack(const double* matrix, std::int64_t columns, std::int64_t start, int m, double* panel) {
    for (std::int64_t j = 0; j < columns; j += 8) {
        const int count = static_cast<int>(std::min<std::int64_t>(8, columns - j));
        for (int i = 0; i < m; ++i) {
            const double* from = matrix + (start + i) * columns + j;
            double* to = panel + (j / 8 * TILE + i) * 8;
            for (int c = 0; c < count; ++c) to[c] = from[c];
        }
    }
}

int slivers_of(std::int64_t columns) { return static_cast<int>((columns + 7) / 8); }

Doubles unpadded(const double* table, std::int64_t rows, std::int64_t columns) {
    Fresh<double> out({static_cast<std::size_t>(rows), static_cast<std::size_t>(columns)});
    const std::int64_t width = 8 * slivers_of(columns);
    for (std::int64_t i = 0; i < rows; ++i)
        std::memcpy(out.data + i * columns, table + i * width, sizeof(double) * columns);
    return out.array;
}

Doubles coded_matvec(nb::tuple block, nb::handle beta, bool squared) {
    Block a(block);
    View coefficients(beta, 1, "beta");
    same_length(coefficients.size(), a.levels, "beta");
    const double* numbers = coefficients.doubles("beta");
    Fresh<double> out({static_cast<std::size_t>(a.rows)});
    {
        nb::gil_scoped_release free;
        tiles(a.rows, [&](std::int64_t start, int m) {
            const CodedTile tile = a.tile(start, m);
            verbs().coded_matvec(tile.codes, tile.multiplier, m, numbers, out.data + start);
            if (squared && tile.multiplier != nullptr)
                for (int i = 0; i < m; ++i) out.data[start + i] *= tile.multiplier[i];
        });
    }
    return out.array;
}

// Sum v, times the multiplier once or twice, over the rows of each level.
Doubles coded_sums(nb::tuple block, nb::handle vector, bool squared) {
    Block a(block);
    View v(vector, 1, "v");
    same_length(v.size(), a.rows, "v");
    const double* numbers = v.doubles("v");
    const int copies = copies_of(a.levels);
    Fresh<double> out({static_cast<std::size_t>(a.levels)});
    {
        nb::gil_scoped_release free;
        std::vector<double> table(copies > 1 ? a.levels * copies : 0);
        double* sums = copies > 1 ? table.data() : out.data;
        double weighted[TILE];
        tiles(a.rows, [&](std::int64_t start, int m) {
            const CodedTile tile = a.tile(start, m);
            verbs().coded_times(numbers + start, tile.multiplier, m, weighted);
            if (squared) verbs().coded_times(weighted, tile.multiplier, m, weighted);
            verbs().coded_sum(tile.codes, weighted, m, sums, a.levels, copies);
        });
        fold(sums, a.levels, copies);
        if (copies > 1) std::copy(sums, sums + a.levels, out.data);
    }
    return out.array;
}

nb::object cells_of(const SparseTable& table) {
    const std::size_t size = static_cast<std::size_t>(table.size());
    Fresh<std::int64_t> cells({size});
    Fresh<double> values({size});
    for (std::size_t i = 0; i < size; ++i) {
        cells.data[i] = table.entries()[i].cell;
        values.data[i] = table.entries()[i].value;
    }
    return nb::make_tuple(cells.array, values.array);
}

// All products of some coded blocks and a dense panel in one pass: (diagonals, panels, {(a, b): table or cells}).
nb::object coded_gram(nb::tuple blocks, nb::handle matrix, nb::handle weights) {
    std::deque<Block> found;
    std::vector<std::int64_t> levels;
    std::vector<char> plain;
    View w(weights, 1, "w");
    const double* weight = w.doubles("w");
    for (nb::handle parts : blocks) {
        found.emplace_back(nb::cast<nb::tuple>(parts));
        same_length(found.back().rows, w.size(), "codes");
        levels.push_back(found.back().levels);
        plain.push_back(found.back().plain());
    }
    std::optional<View> panel;
    if (!matrix.is_none()) {
        panel.emplace(matrix, 2, "panel");
        same_length(panel->size(), w.size(), "panel");
    }
    const std::int64_t columns = panel ? panel->size(1) : 0;
    const double* numbers = panel ? panel->doubles("panel") : nullptr;
    const int slivers = slivers_of(columns), k = static_cast<int>(found.size());
    std::unique_ptr<CodedGram> gram;
    {
        nb::gil_scoped_release free;
        gram = std::make_unique<CodedGram>(levels, plain, slivers, -1, w.size());
        std::vector<double> packed(static_cast<std::size_t>(slivers) * TILE * 8);
        std::vector<CodedTile> decoded(k);
        tiles(w.size(), [&](std::int64_t start, int m) {
            for (int a = 0; a < k; ++a) decoded[a] = found[a].tile(start, m);
            if (columns > 0) pack(numbers, columns, start, m, packed.data());
            gram->add(verbs(), decoded.data(), packed.data(), weight + start, m);
        });
        gram->finish();
    }
    nb::list diagonals, panels;
    nb::dict pairs;
    for (int a = 0; a < k; ++a) {
        Fresh<double> diagonal({static_cast<std::size_t>(levels[a])});
        std::copy(gram->diagonal(a), gram->diagonal(a) + levels[a], diagonal.data);
        diagonals.append(diagonal.array);
        if (columns > 0) panels.append(unpadded(gram->panel(a), levels[a], columns));
        for (int b = a + 1; b < k; ++b) {
            nb::object key = nb::make_tuple(a, b);
            if (gram->is_sparse(a, b)) {
                pairs[key] = cells_of(gram->entries(a, b));
            } else {
                Fresh<double> table({static_cast<std::size_t>(levels[a]), static_cast<std::size_t>(levels[b])});
                std::copy(gram->dense(a, b), gram->dense(a, b) + levels[a] * levels[b], table.data);
                pairs[key] = table.array;
            }
        }
    }
    return nb::make_tuple(diagonals, panels, pairs);
}

// Add two sparse tables, each in ascending order of its cells.
nb::object coded_merge(nb::tuple left, nb::tuple right) {
    View cells_a(left[0], 1, "cells"), values_a(left[1], 1, "values");
    View cells_b(right[0], 1, "cells"), values_b(right[1], 1, "values");
    const std::int64_t size_a = cells_a.size(), size_b = cells_b.size();
    same_length(values_a.size(), size_a, "values");
    same_length(values_b.size(), size_b, "values");
    const auto* a = cells_a.as<std::int64_t>(Number::I64, "cells");
    const auto* b = cells_b.as<std::int64_t>(Number::I64, "cells");
    const double *x = values_a.doubles("values"), *y = values_b.doubles("values");
    std::int64_t met = 0;
    for (std::int64_t i = 0, j = 0; i < size_a || j < size_b; ++met) {
        const bool from_a = j == size_b || (i < size_a && a[i] <= b[j]), from_b = i == size_a || (j < size_b && b[j] <= a[i]);
        i += from_a;
        j += from_b;
    }
    Fresh<std::int64_t> cells({static_cast<std::size_t>(met)});
    Fresh<double> values({static_cast<std::size_t>(met)});
    for (std::int64_t i = 0, j = 0, k = 0; k < met; ++k) {
        const bool from_a = j == size_b || (i < size_a && a[i] <= b[j]), from_b = i == size_a || (j < size_b && b[j] <= a[i]);
        cells.data[k] = from_a ? a[i] : b[j];
        values.data[k] = (from_a ? x[i] : 0.0) + (from_b ? y[j] : 0.0);
        i += from_a;
        j += from_b;
    }
    return nb::make_tuple(cells.array, values.array);
}

// A' W B of two coded blocks: a table, or (cells, values) where `sparse` says so.
nb::object coded_cross(nb::tuple left, nb::tuple right, nb::handle weights, bool sparse) {
    Block a(left), b(right);
    View w(weights, 1, "w");
    same_length(b.rows, a.rows, "codes");
    same_length(w.size(), a.rows, "w");
    const double* weight = w.doubles("w");
    double both[TILE];
    SparseTable entries;
    std::optional<Fresh<double>> out;
    const std::int64_t cells = sparse ? 0 : a.levels * b.levels;
    if (!sparse) out.emplace(Fresh<double>({static_cast<std::size_t>(a.levels), static_cast<std::size_t>(b.levels)}));
    {
        nb::gil_scoped_release free;
        const int copies = sparse ? 1 : copies_of(cells);
        std::vector<double> several(copies > 1 ? cells * copies : 0);
        double* table = sparse ? nullptr : copies > 1 ? several.data() : out->data;
        tiles(a.rows, [&](std::int64_t start, int m) {
            const CodedTile x = a.tile(start, m), z = b.tile(start, m);
            verbs().coded_times(weight + start, x.multiplier, m, both);
            verbs().coded_times(both, z.multiplier, m, both);
            if (sparse) entries.add(x.codes, z.codes, b.levels, both, m);
            else verbs().coded_pair(x.codes, z.codes, b.levels, both, m, table, cells, copies);
        });
        if (sparse) entries.finish();
        else fold(table, cells, copies);
        if (copies > 1) std::copy(table, table + cells, out->data);
    }
    return sparse ? cells_of(entries) : nb::cast(out->array);
}

Doubles coded_dense_cross(nb::tuple block, nb::handle matrix, nb::handle weights) {
    Block a(block);
    View panel(matrix, 2, "panel"), w(weights, 1, "w");
    same_length(panel.size(), a.rows, "panel");
    same_length(w.size(), a.rows, "w");
    const double *numbers = panel.doubles("panel"), *weight = w.doubles("w");
    const std::int64_t columns = panel.size(1), cells = a.levels * 8 * slivers_of(columns);
    std::vector<double> table;
    {
        nb::gil_scoped_release free;
        const int copies = copies_of(cells), slivers = slivers_of(columns);
        table.resize(cells * copies);
        std::vector<double> packed(static_cast<std::size_t>(slivers) * TILE * 8);
        double weighted[TILE];
        tiles(a.rows, [&](std::int64_t start, int m) {
            const CodedTile tile = a.tile(start, m);
            verbs().coded_times(weight + start, tile.multiplier, m, weighted);
            pack(numbers, columns, start, m, packed.data());
            verbs().coded_panel(tile.codes, weighted, m, packed.data(), slivers, table.data(), cells, copies);
        });
        fold(table.data(), cells, copies);
    }
    return unpadded(table.data(), a.levels, columns);
}

// a_i' M b_i row by row.
Doubles coded_bilinear(nb::tuple left, nb::tuple right, nb::handle matrix) {
    Block a(left), b(right);
    View m(matrix, 2, "matrix");
    same_length(b.rows, a.rows, "codes");
    same_length(m.size(0), a.levels, "matrix");
    same_length(m.size(1), b.levels, "matrix");
    const double* entries = m.doubles("matrix");
    Fresh<double> out({static_cast<std::size_t>(a.rows)});
    {
        nb::gil_scoped_release free;
        tiles(a.rows, [&](std::int64_t start, int count) {
            const CodedTile x = a.tile(start, count), z = b.tile(start, count);
            double* here = out.data + start;
            verbs().coded_bilinear(x.codes, z.codes, x.multiplier, count, entries, b.levels, 1.0, here);
            if (z.multiplier != nullptr) verbs().coded_times(here, z.multiplier, count, here);
        });
    }
    return out.array;
}

Doubles coded_dense_bilinear(nb::tuple block, nb::handle matrix_of_rows, nb::handle matrix) {
    Block a(block);
    View panel(matrix_of_rows, 2, "panel"), m(matrix, 2, "matrix");
    same_length(panel.size(), a.rows, "panel");
    same_length(m.size(0), a.levels, "matrix");
    same_length(m.size(1), panel.size(1), "matrix");
    const double *numbers = panel.doubles("panel"), *entries = m.doubles("matrix");
    const std::int64_t columns = panel.size(1);
    Fresh<double> out({static_cast<std::size_t>(a.rows)});
    {
        nb::gil_scoped_release free;
        const int slivers = slivers_of(columns);
        std::vector<double> padded(static_cast<std::size_t>(a.levels) * 8 * slivers);
        for (std::int64_t level = 0; level < a.levels; ++level)
            std::copy(entries + level * columns, entries + (level + 1) * columns, &padded[level * 8 * slivers]);
        std::vector<double> packed(static_cast<std::size_t>(slivers) * TILE * 8);
        tiles(a.rows, [&](std::int64_t start, int count) {
            const CodedTile tile = a.tile(start, count);
            pack(numbers, columns, start, count, packed.data());
            verbs().coded_panel_bilinear(tile.codes, tile.multiplier, count, packed.data(), slivers, padded.data(), 1.0,
                                         out.data + start);
        });
    }
    return out.array;
}

}  // namespace

void register_coded(nb::module_& module) {
    module.def("coded_matvec", [](nb::tuple b, nb::handle v) { return coded_matvec(b, v, false); },
               nb::arg("block"), nb::arg("beta"), "Compute X beta of a coded block.");
    module.def("coded_quadratic", [](nb::tuple b, nb::handle v) { return coded_matvec(b, v, true); },
               nb::arg("block"), nb::arg("diagonal"), "Compute x_i' M x_i of a coded block from the diagonal of M.");
    module.def("coded_rmatvec", [](nb::tuple b, nb::handle v) { return coded_sums(b, v, false); },
               nb::arg("block"), nb::arg("v"), "Compute X'v of a coded block.");
    module.def("coded_diagonal", [](nb::tuple b, nb::handle w) { return coded_sums(b, w, true); },
               nb::arg("block"), nb::arg("w"), "Compute the diagonal of X'WX of a coded block.");
    module.def("coded_cross", &coded_cross, nb::arg("a"), nb::arg("b"), nb::arg("w"), nb::kw_only(), nb::arg("sparse") = false,
               "Compute A'WB of two coded blocks: a table, or (cells, values) of the cells met.");
    module.def("coded_dense_cross", &coded_dense_cross, nb::arg("block"), nb::arg("panel"), nb::arg("w"),
               "Compute A'WB of a coded block and rows of numbers.");
    module.def("coded_bilinear", &coded_bilinear, nb::arg("a"), nb::arg("b"), nb::arg("matrix"),
               "Compute a_i' M b_i of two coded blocks.");
    module.def("coded_dense_bilinear", &coded_dense_bilinear, nb::arg("block"), nb::arg("panel"), nb::arg("matrix"),
               "Compute a_i' M b_i of a coded block and rows of numbers.");
    module.def("coded_gram", &coded_gram, nb::arg("blocks"), nb::arg("panel").none(), nb::arg("w"),
               "Compute all products of coded blocks and a panel in one pass: (diagonals, panels, pairs).");
    module.def("coded_merge", &coded_merge, nb::arg("a"), nb::arg("b"), "Add two sparse tables.");
    module.def("coded_sparse_pair", &sparse_pair, nb::arg("levels_a"), nb::arg("levels_b"), nb::arg("rows"),
               "Tell whether a pair is summed cell by cell.");
}

}  // namespace etamu
