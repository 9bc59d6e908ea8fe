// The doors of sparse blocks: rows whose indexes are looked at once, and each verb over all rows of a block.
#include <algorithm>
#include <limits>
#include <memory>
#include <optional>

#include "door_blocks.hpp"
#include "sparse.hpp"

namespace etamu {

namespace {

using Doubles = nb::ndarray<nb::numpy, double>;

struct Arrays {
    View indptr, indices, data;
};

template <class Index>
Sparse checked(std::shared_ptr<Arrays> arrays, std::int64_t width) {
    constexpr Number KIND = sizeof(Index) == 4 ? Number::I32 : Number::I64;
    if (arrays->indptr.size() < 1) throw nb::value_error("indptr is empty");
    const Csr<Index> x = {arrays->indptr.as<Index>(KIND, "indptr"), arrays->indices.as<Index>(KIND, "indices"),
                          arrays->data.doubles("data")};
    const std::int64_t rows = arrays->indptr.size() - 1;
    bool right = x.indptr[0] >= 0 && x.indptr[rows] <= arrays->indices.size() && x.indptr[rows] <= arrays->data.size();
    for (std::int64_t i = 0; i < rows; ++i) right &= x.indptr[i] <= x.indptr[i + 1];
    if (!right) throw nb::value_error("indptr does not describe rows of the data");
    // All entries in one run, whose loop nothing interrupts; an index may only fall where a row begins.
    const Index first = x.indptr[0], last = x.indptr[rows];
    Index least = 0, most = -1;
    std::int64_t falls = 0, allowed = 0;
    for (Index k = first; k < last; ++k) {
        least = std::min(least, x.indices[k]);
        most = std::max(most, x.indices[k]);
    }
    if (least < 0 || most >= width) throw nb::index_error("an index is not among the columns");
    for (Index k = first + 1; k < last; ++k) falls += x.indices[k] <= x.indices[k - 1];
    for (std::int64_t i = 1; i < rows; ++i) {
        const Index k = x.indptr[i];
        allowed += k > x.indptr[i - 1] && k > first && k < last && x.indices[k] <= x.indices[k - 1];
    }
    return {x, rows, width, falls == allowed, std::move(arrays)};
}

Sparse csr_rows(nb::handle indptr, nb::handle indices, nb::handle data, std::int64_t width) {
    std::shared_ptr<Arrays> arrays(new Arrays{{indptr, 1, "indptr"}, {indices, 1, "indices"}, {data, 1, "data"}});
    if (arrays->indptr.type() == Number::I32) return checked<std::int32_t>(std::move(arrays), width);
    return checked<std::int64_t>(std::move(arrays), width);
}

Sparse csr_part(const Sparse& x, std::int64_t start, std::int64_t stop) {
    if (start < 0 || stop < start || stop > x.length) throw nb::index_error("the part is not among the rows");
    return x.part(start, stop);
}

template <class Work>
void by_tiles(const Sparse& x, const Work& work) {
    SparseTile tile(x);
    tiles(x.length, [&](std::int64_t start, int m) {
        tile.read(start, m);
        work(tile, start);
    });
}

Doubles csr_matvec(const Sparse& x, nb::handle beta) {
    View b(beta, 1, "beta");
    same_length(b.size(), x.width, "beta");
    const double* numbers = b.doubles("beta");
    Fresh<double> out({static_cast<std::size_t>(x.length)});
    {
        nb::gil_scoped_release free;
        by_tiles(x, [&](const SparseTile& tile, std::int64_t start) { tile.matvec(numbers, out.data + start); });
    }
    return out.array;
}

Doubles csr_rmatvec(const Sparse& x, nb::handle vector) {
    View v(vector, 1, "v");
    same_length(v.size(), x.length, "v");
    const double* numbers = v.doubles("v");
    Fresh<double> out({static_cast<std::size_t>(x.width)});
    {
        nb::gil_scoped_release free;
        by_tiles(x, [&](const SparseTile& tile, std::int64_t start) { tile.rmatvec(numbers + start, out.data); });
    }
    return out.array;
}

Doubles csr_gram(const Sparse& x, nb::handle weights, nb::handle scale) {
    View w(weights, 1, "w");
    same_length(w.size(), x.length, "w");
    const double* numbers = w.doubles("w");
    std::optional<View> factors;
    if (!scale.is_none()) factors.emplace(scale, 1, "scale"), same_length(factors->size(), x.width, "scale");
    const double* factor = factors ? factors->doubles("scale") : nullptr;
    Fresh<double> out({static_cast<std::size_t>(x.width), static_cast<std::size_t>(x.width)});
    {
        nb::gil_scoped_release free;
        SparseGram gram(x.width, 0);
        by_tiles(x, [&](const SparseTile& tile, std::int64_t start) { gram.add(tile, nullptr, numbers + start); });
        gram.write(factor, out.data, x.width);
    }
    return out.array;
}

Doubles csr_quadratic(const Sparse& x, nb::handle matrix) {
    View m(matrix, 2, "matrix");
    same_length(m.size(0), x.width, "matrix");
    same_length(m.size(1), x.width, "matrix");
    const double* numbers = m.doubles("matrix");
    Fresh<double> out({static_cast<std::size_t>(x.length)});
    {
        nb::gil_scoped_release free;
        by_tiles(x, [&](const SparseTile& tile, std::int64_t start) {
            tile.quadratic(numbers, x.width, nullptr, out.data + start);
        });
    }
    return out.array;
}

// Five rows: sum, squares, smallest, largest, count.
Doubles csr_moments_door(const Sparse& x) {
    const std::int64_t width = x.width;
    Fresh<double> out({5, static_cast<std::size_t>(width)});
    {
        nb::gil_scoped_release free;
        double* sum = out.data;
        std::fill_n(sum + 2 * width, width, std::numeric_limits<double>::infinity());
        std::fill_n(sum + 3 * width, width, -std::numeric_limits<double>::infinity());
        x.visit([&](const auto& rows) {
            csr_moments(rows, x.length, sum, sum + width, sum + 2 * width, sum + 3 * width, sum + 4 * width);
        });
    }
    return out.array;
}

Doubles csr_dense_cross(const Sparse& x, nb::handle matrix, nb::handle weights) {
    View panel(matrix, 2, "panel"), w(weights, 1, "w");
    same_length(panel.size(), x.length, "panel");
    same_length(w.size(), x.length, "w");
    const double *numbers = panel.doubles("panel"), *weight = w.doubles("w");
    Fresh<double> out({static_cast<std::size_t>(x.width), static_cast<std::size_t>(panel.size(1))});
    {
        nb::gil_scoped_release free;
        x.visit([&](const auto& rows) { csr_panel(rows, x.length, weight, numbers, panel.size(1), out.data); });
    }
    return out.array;
}

Doubles csr_coded_cross(const Sparse& x, nb::tuple block, nb::handle weights) {
    Block b(block);
    View w(weights, 1, "w");
    same_length(b.rows, x.length, "codes");
    same_length(w.size(), x.length, "w");
    const double* weight = w.doubles("w");
    Fresh<double> out({static_cast<std::size_t>(x.width), static_cast<std::size_t>(b.levels)});
    {
        nb::gil_scoped_release free;
        double weighted[TILE];
        tiles(b.rows, [&](std::int64_t start, int m) {
            const CodedTile tile = b.tile(start, m);
            verbs().coded_times(weight + start, tile.multiplier, m, weighted);
            x.visit([&](const auto& rows) { csr_coded(rows, start, m, weighted, tile.codes, b.levels, out.data); });
        });
    }
    return out.array;
}

Doubles csr_cross(const Sparse& x, const Sparse& z, nb::handle weights) {
    View w(weights, 1, "w");
    same_length(z.length, x.length, "the second block");
    same_length(w.size(), x.length, "w");
    const double* weight = w.doubles("w");
    Fresh<double> out({static_cast<std::size_t>(x.width), static_cast<std::size_t>(z.width)});
    {
        nb::gil_scoped_release free;
        x.visit([&](const auto& a) {
            z.visit([&](const auto& b) { csr_csr(a, b, x.length, weight, z.width, out.data); });
        });
    }
    return out.array;
}

}  // namespace

void register_sparse(nb::module_& module) {
    nb::class_<Sparse>(module, "Sparse", "Rows of sparse columns, whose indexes have been looked at.");
    module.def("csr_rows", &csr_rows, nb::arg("indptr"), nb::arg("indices"), nb::arg("data"), nb::arg("width"),
               "Look at the indexes of sparse columns once; what comes back is read by all verbs.");
    module.def("csr_part", &csr_part, nb::arg("x"), nb::arg("start"), nb::arg("stop"), "View some rows.");
    module.def("csr_matvec", &csr_matvec, nb::arg("x"), nb::arg("beta"), "Compute X beta of a sparse block.");
    module.def("csr_rmatvec", &csr_rmatvec, nb::arg("x"), nb::arg("v"), "Compute X'v of a sparse block.");
    module.def("csr_gram", &csr_gram, nb::arg("x"), nb::arg("w"), nb::arg("scale").none() = nb::none(),
               "Compute X'WX of a sparse block, rows and columns times the scale.");
    module.def("csr_quadratic", &csr_quadratic, nb::arg("x"), nb::arg("matrix"),
               "Compute x_i' M x_i of a sparse block, M symmetric.");
    module.def("csr_moments", &csr_moments_door, nb::arg("x"),
               "Describe what is stored per column: rows of sums, squares, smallest, largest and counts.");
    module.def("csr_dense_cross", &csr_dense_cross, nb::arg("x"), nb::arg("panel"), nb::arg("w"),
               "Compute X'WB of a sparse block and rows of numbers.");
    module.def("csr_coded_cross", &csr_coded_cross, nb::arg("x"), nb::arg("block"), nb::arg("w"),
               "Compute X'WB of a sparse and a coded block.");
    module.def("csr_cross", &csr_cross, nb::arg("a"), nb::arg("b"), nb::arg("w"), "Compute A'WB of two sparse blocks.");
}

}  // namespace etamu
