// _kernel.Rows: the rows of a chunk as Python sees them, and the passes over them.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "pass.hpp"

namespace nb = nanobind;

namespace etamu {

namespace {

using Vector = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Matrix = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Answer = nb::ndarray<nb::numpy, double>;
using Ends = std::tuple<double, double, bool, bool>;

void require(bool holds, const char* what) {
    if (!holds) throw nb::value_error(what);
}

// Give an array to NumPy together with the vector, or the other memory of T, it lies in.
template <template <class...> class Memory, class T, class... Rest>
nb::ndarray<nb::numpy, T> given(Memory<T, Rest...> from, std::initializer_list<std::size_t> shape) {
    using Held = Memory<T, Rest...>;
    auto* held = new Held(std::move(from));
    nb::capsule owner(held, [](void* p) noexcept { delete static_cast<Held*>(p); });
    return nb::ndarray<nb::numpy, T>(held->data(), shape, owner);
}

Domain domain_of(const Ends& ends) {
    return {std::get<0>(ends), std::get<1>(ends), std::get<2>(ends), std::get<3>(ends)};
}

void add_block(Rows& rows, const nb::tuple& block, std::int64_t place) {
    require(nb::len(block) >= 4, "a block is (columns, shift, scale, None), (codes, levels, multiplier, scale) or "
                                 "(sparse, scale, None, None)");
    const auto numbers = [](nb::handle of) { return of.is_none() ? nullptr : nb::cast<Vector>(of).data(); };
    if (nb::isinstance<Sparse>(block[0])) {
        rows.add_sparse(nb::cast<const Sparse&>(block[0]), numbers(block[1]), place);
    } else if (nb::isinstance<nb::tuple>(block[0])) {
        rows.add_dense(block[0].ptr(), place, numbers(block[1]), numbers(block[2]));
    } else {
        rows.add_coded(block[0].ptr(), nb::cast<std::int64_t>(block[1]), block[2].ptr(), nb::cast<double>(block[3]),
                       place);
    }
}

void build(Rows* rows, std::int64_t length, std::int64_t width, const nb::list& blocks, nb::handle y,
           nb::handle offset, nb::handle weight, nb::handle squared) {
    new (rows) Rows(length, width);
    for (nb::handle each : blocks) {
        const auto placed = nb::cast<std::pair<std::int64_t, nb::tuple>>(each);
        add_block(*rows, placed.second, placed.first);
    }
    require(!rows->sparse() || !rows->coded(), "a sparse block stands beside dense ones only");
    rows->look_for_constant();
    rows->look_for_plain();
    rows->set_response(y.ptr(), offset.ptr(), weight.ptr(), squared.ptr());
}

// So many raw columns make one matrix; more are handed over by pairs of blocks.
constexpr std::int64_t FEW = 256;

// Sparse column i times dense column j.
double beside(const Rows& rows, const GramParts& parts, std::int64_t i, std::size_t j) {
    const Rows::SparseBlock& block = *rows.sparse();
    const double factor = block.factor.empty() ? 1.0 : block.factor[static_cast<std::size_t>(i)];
    return parts.sparse->against(i, static_cast<int>(j)) * factor * (rows.lone() ? rows.lone_number() : 1.0);
}

// A Gram written out, raw columns by raw columns.
nb::object matrix_of(const Rows& rows, GramParts& parts) {
    const std::size_t p = static_cast<std::size_t>(rows.dense()), wide = (p + 7) / 8 * 8;
    const std::size_t width = static_cast<std::size_t>(rows.width());
    std::vector<double> out(width * width);
    const auto at = [&](std::int64_t i, std::int64_t j) -> double& {
        return out[static_cast<std::size_t>(i) * width + static_cast<std::size_t>(j)];
    };
    for (std::size_t i = 0; i < p; ++i)
        for (std::size_t j = 0; j < p; ++j) at(rows.place()[i], rows.place()[j]) = parts.panel[i * p + j];
    for (int a = 0; a < rows.coded(); ++a) {
        const Rows::CodedBlock& left = rows.block(a);
        const double *diagonal = parts.coded->diagonal(a), *panel = rows.lone() ? nullptr : parts.coded->panel(a);
        for (std::int64_t level = 0; level < left.levels; ++level) {
            const std::int64_t i = left.place + level;
            at(i, i) = diagonal[level];
            for (std::size_t j = 0; j < p; ++j)
                at(i, rows.place()[j]) = at(rows.place()[j], i) =
                    rows.lone() ? rows.lone_number() * diagonal[level]
                                : panel[static_cast<std::size_t>(level) * wide + j];
        }
        for (int b = a + 1; b < rows.coded(); ++b) {
            const Rows::CodedBlock& right = rows.block(b);
            const double* table = parts.coded->dense(a, b);
            for (std::int64_t i = 0; i < left.levels; ++i)
                for (std::int64_t j = 0; j < right.levels; ++j)
                    at(left.place + i, right.place + j) = at(right.place + j, left.place + i) = table[i * right.levels + j];
        }
    }
    if (parts.sparse) {
        const Rows::SparseBlock& block = *rows.sparse();
        parts.sparse->write(block.scaling(), out.data() + block.place * (rows.width() + 1), rows.width());
        for (std::int64_t i = 0; i < block.x.width; ++i)
            for (std::size_t j = 0; j < p; ++j)
                at(block.place + i, rows.place()[j]) = at(rows.place()[j], block.place + i) = beside(rows, parts, i, j);
    }
    return nb::cast(given(std::move(out), {width, width}));
}

// A Gram as Python gets it: the dense corner, then for every coded block its diagonal (for a sparse one its matrix), its product
// with the dense columns, and by pair the products of two coded blocks: a table, or (cells, values) where it is kept sparsely.
nb::object gram_of(const Rows& rows, GramParts parts) {
    if (rows.width() <= FEW) return matrix_of(rows, parts);
    const std::size_t p = static_cast<std::size_t>(rows.dense()), wide = (p + 7) / 8 * 8;
    nb::list diagonals, panels;
    nb::dict pairs;
    for (int a = 0; a < rows.coded(); ++a) {
        const std::size_t levels = static_cast<std::size_t>(rows.block(a).levels);
        const double* diagonal = parts.coded->diagonal(a);
        diagonals.append(given(std::vector<double>(diagonal, diagonal + levels), {levels}));
        std::vector<double> trimmed(levels * p);
        for (std::size_t level = 0; level < levels && rows.lone(); ++level) trimmed[level] = rows.lone_number() * diagonal[level];
        for (std::size_t level = 0; level < levels && p && !rows.lone(); ++level)
            std::copy_n(parts.coded->panel(a) + level * wide, p, trimmed.data() + level * p);
        panels.append(given(std::move(trimmed), {levels, p}));
        for (int b = a + 1; b < rows.coded(); ++b) {
            const nb::tuple key = nb::make_tuple(a, b);
            if (parts.coded->is_sparse(a, b)) {
                const SparseTable& table = parts.coded->entries(a, b);
                const std::size_t size = static_cast<std::size_t>(table.size());
                std::vector<std::int64_t> cells(size);
                std::vector<double> values(size);
                for (std::size_t i = 0; i < size; ++i) {
                    cells[i] = table.entries()[i].cell;
                    values[i] = table.entries()[i].value;
                }
                pairs[key] = nb::make_tuple(given(std::move(cells), {size}), given(std::move(values), {size}));
            } else {
                pairs[key] = given(parts.coded->taken(a, b), {levels, static_cast<std::size_t>(rows.block(b).levels)});
            }
        }
    }
    if (parts.sparse) {
        const Rows::SparseBlock& block = *rows.sparse();
        const std::size_t w = static_cast<std::size_t>(block.x.width);
        Large<double> square(w * w, false);
        std::vector<double> table(w * p);
        parts.sparse->write(block.scaling(), square.data(), block.x.width);
        for (std::size_t i = 0; i < w; ++i)
            for (std::size_t j = 0; j < p; ++j) table[i * p + j] = beside(rows, parts, static_cast<std::int64_t>(i), j);
        diagonals.append(given(std::move(square), {w, w}));
        panels.append(given(std::move(table), {w, p}));
    }
    return nb::make_tuple(given(std::move(parts.panel), {p, p}), diagonals, panels, pairs);
}

nb::object pass(const Rows& rows, Vector beta, const Program& program, const Ends& ends, bool score, bool pearson,
                const std::vector<std::pair<int, int>>& grams, bool extent, bool girth) {
    require(static_cast<std::int64_t>(beta.size()) == rows.width(), "beta has another length than the design is wide");
    require(program.inputs() == rows.responses() + 1, "the program reads another number of response columns");
    require(program.outputs() >= (pearson ? 3 : score ? 2 : 1), "the program does not bring what is asked");
    Asked asked{score, pearson, extent, girth, {}};
    for (const auto& [output, digits] : grams) {
        require(output < program.outputs(), "the program does not bring what is asked");
        require(digits >= 0 && digits <= static_cast<int>(Digits::WHOLE), "digits are 0, 1, 2 or 3");
        asked.grams.push_back({output, static_cast<Digits>(digits)});
    }
    Totals totals;
    {
        nb::gil_scoped_release released;
        totals = accumulate(rows, beta.data(), program, domain_of(ends), asked);
    }
    if (!totals.inside) return nb::none();
    nb::list informations;
    for (GramParts& parts : totals.grams) informations.append(gram_of(rows, std::move(parts)));
    nb::object u = nb::none();
    if (score) u = nb::cast(given(std::move(totals.score), {static_cast<std::size_t>(rows.width())}));
    nb::object most = nb::none();
    if (extent) most = nb::cast(given(std::move(totals.extent), {static_cast<std::size_t>(rows.width()) + 1}));
    return nb::make_tuple(totals.value, u, informations, totals.pearson, most);
}

Answer along(const Rows& rows, Vector beta, Vector step, Vector lengths, const Program& program, const Ends& ends) {
    require(static_cast<std::int64_t>(beta.size()) == rows.width(), "beta has another length than the design is wide");
    require(step.size() == beta.size(), "the step has another length than beta");
    std::vector<double> values;
    {
        nb::gil_scoped_release released;
        values = values_along(rows, beta.data(), step.data(), lengths.data(), static_cast<int>(lengths.size()),
                              program, domain_of(ends));
    }
    const std::size_t count = values.size();
    return given(std::move(values), {count});
}

Answer etas(const Rows& rows, Vector beta, bool offset) {
    require(static_cast<std::int64_t>(beta.size()) == rows.width(), "beta has another length than the design is wide");
    std::vector<double> eta(static_cast<std::size_t>(rows.length()));
    {
        nb::gil_scoped_release released;
        predict(rows, beta.data(), 1, offset, eta.data());
    }
    const std::size_t n = eta.size();
    return given(std::move(eta), {n});
}

Answer etas_of(const Rows& rows, Matrix betas) {
    require(static_cast<std::int64_t>(betas.shape(1)) == rows.width(), "betas have another length than the design is wide");
    const std::size_t count = betas.shape(0), n = static_cast<std::size_t>(rows.length());
    std::vector<double> eta(count * n);
    {
        nb::gil_scoped_release released;
        predict(rows, betas.data(), static_cast<int>(count), false, eta.data());
    }
    return given(std::move(eta), {count, n});
}

std::vector<const double*> columns_of(const Rows& rows, const std::vector<Vector>& columns) {
    std::vector<const double*> out;
    for (const Vector& column : columns) {
        require(static_cast<std::int64_t>(column.size()) == rows.length(), "a column has another length than the rows");
        out.push_back(column.data());
    }
    return out;
}

nb::tuple weighing(const Rows& rows, const std::vector<Vector>& scores, const std::vector<Vector>& weights) {
    const auto u = columns_of(rows, scores), w = columns_of(rows, weights);
    Weighed found;
    {
        nb::gil_scoped_release released;
        found = weighed(rows, u, w);
    }
    nb::list sums, grams;
    for (std::vector<double>& each : found.scores) sums.append(given(std::move(each), {static_cast<std::size_t>(rows.width())}));
    for (GramParts& parts : found.grams) grams.append(gram_of(rows, std::move(parts)));
    return nb::make_tuple(sums, grams);
}

Answer quadratics(const Rows& rows, Matrix matrix) {
    const std::size_t width = static_cast<std::size_t>(rows.width());
    require(matrix.shape(0) == width && matrix.shape(1) == width, "the matrix is not raw columns by raw columns");
    std::vector<double> out(static_cast<std::size_t>(rows.length()));
    {
        nb::gil_scoped_release released;
        quadratic(rows, matrix.data(), out.data());
    }
    const std::size_t n = out.size();
    return given(std::move(out), {n});
}

nb::object tallied(const Rows& rows, const std::vector<std::int64_t>& sizes) {
    require(static_cast<int>(sizes.size()) == rows.responses(), "one size per response column");
    std::size_t cells = 1;
    for (const std::int64_t size : sizes) cells *= static_cast<std::size_t>(size);
    std::vector<double> counts(cells);
    bool whole;
    {
        nb::gil_scoped_release released;
        whole = tally(rows, sizes, counts.data());
    }
    if (!whole) return nb::none();
    return nb::cast(given(std::move(counts), {cells}));
}

std::pair<double, double> ends_of(Vector values) {
    std::pair<double, double> ends;
    nb::gil_scoped_release released;
    verbs().rows_ends(values.data(), static_cast<std::int64_t>(values.size()), &ends.first, &ends.second);
    return ends;
}

nb::tuple described(const Rows& rows) {
    const std::size_t p = static_cast<std::size_t>(rows.dense());
    std::vector<double> mean(p), scatter(p), low(p), high(p);
    {
        nb::gil_scoped_release released;
        moments(rows, mean.data(), scatter.data(), low.data(), high.data());
    }
    return nb::make_tuple(given(std::move(mean), {p}), given(std::move(scatter), {p}), given(std::move(low), {p}),
                          given(std::move(high), {p}));
}

}  // namespace

void register_rows(nb::module_& module) {
    using namespace nb::literals;
    module.def("ends", &ends_of, "values"_a, "Return the smallest and the largest float, NaN twice where one is NaN.");
    nb::class_<Rows>(module, "Rows", "The rows of a chunk where they lie, and the passes over them.")
        .def("__init__", &build, "length"_a, "width"_a, "blocks"_a, "y"_a, "offset"_a.none(), "weight"_a.none(),
             "squared"_a.none())
        .def_prop_ro("responses", &Rows::responses, "Number of response columns.")
        .def("accumulate", &pass, "beta"_a, "program"_a, "domain"_a, "score"_a, "pearson"_a, "grams"_a,
             "extent"_a = false, "girth"_a = false,
             "Return (value, score, grams, pearson, largest |x|) in one pass, None where some eta has no value.")
        .def("along", &along, "beta"_a, "step"_a, "lengths"_a, "program"_a, "domain"_a,
             "Return the values at beta + t step.")
        .def("etas", &etas, "beta"_a, "offset"_a, "Return X beta, with the offset if asked.")
        .def("etas_of", &etas_of, "betas"_a, "Return X beta for every row of `betas`, without the offset.")
        .def("weighed", &weighing, "scores"_a, "weights"_a,
             "Return X'u for every column u of `scores` and X' diag(w) X for every w of `weights`, in one pass.")
        .def("quadratic", &quadratics, "matrix"_a, "Return x_i' M x_i for every row.")
        .def("girth", [](const Rows& rows) {
            nb::gil_scoped_release released;
            return girth(rows);
        }, "Return the largest x'x over the rows.")
        .def("tally", &tallied, "sizes"_a,
             "Return the weighted number of rows per response, None where one is not a whole number below its size.")
        .def("moments", &described, "Return mean, scatter, low and high of every dense column as it came.");
}

}  // namespace etamu
