// The door of dense columns: the verbs over all rows, tile by tile, called from etamu.design.blocks and from tests.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ahead.hpp"
#include "aligned.hpp"
#include "columns.hpp"
#include "dense.hpp"

namespace nb = nanobind;

namespace etamu {

namespace {

using Vector = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Matrix = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Answer = nb::ndarray<nb::numpy, double>;
using Name = std::optional<std::string>;

const Verbs& chosen(const Name& name) {
    if (!name) return verbs();
    if (const Verbs* found = verbs_named(name->c_str())) return *found;
    throw nb::value_error(("this processor or this build lacks the instruction set " + *name).c_str());
}

void require(std::int64_t has, std::int64_t needs, const char* what) {
    if (has != needs)
        throw nb::value_error(
            (std::string(what) + " has " + std::to_string(has) + " entries, expected " + std::to_string(needs)).c_str());
}

// A block as the door gets it: columns, and what is done to each of them while it is packed.
struct Dense {
    Columns columns;
    std::optional<Vector> shift;
    std::vector<double> factor;  // 1 / scale; empty means ones

    Dense(nb::handle arrays, std::optional<Vector> shift_, const std::optional<Vector>& scale)
        : columns(arrays.ptr()), shift(std::move(shift_)) {
        if (shift) require(static_cast<std::int64_t>(shift->shape(0)), width(), "shift");
        if (!scale) return;
        require(static_cast<std::int64_t>(scale->shape(0)), width(), "scale");
        for (int j = 0; j < width(); ++j) factor.push_back(1.0 / scale->data()[j]);
    }

    int width() const { return columns.width(); }
    std::int64_t rows() const { return columns.rows(); }

    void pack(const Verbs& use, std::int64_t start, int m, double* panel) const {
        Ahead none;
        use.pack(columns.data(), width(), start, m, shift ? shift->data() : nullptr,
                 factor.empty() ? nullptr : factor.data(), panel, none);
    }
};

// How many rows the tile has that begins at `start`; 0 beyond the end.
int tile_rows(std::int64_t rows, std::int64_t start) {
    return static_cast<int>(std::clamp<std::int64_t>(rows - start, 0, TILE));
}

// Visit the rows in tiles with the GIL released.
template <class Visit>
void by_tiles(std::int64_t rows, const Visit& visit) {
    nb::gil_scoped_release released;
    for (std::int64_t start = 0; start < rows; start += TILE) visit(start, tile_rows(rows, start));
}

// A fresh array of zeros that NumPy owns in the end.
struct Fresh {
    double* data;
    nb::capsule owner;
    explicit Fresh(std::size_t count)
        : data(new double[count]()), owner(data, [](void* p) noexcept { delete[] static_cast<double*>(p); }) {}
    Answer vector(std::int64_t n) const { return Answer(data, {static_cast<std::size_t>(n)}, owner); }
    Answer matrix(int rows, int columns) const {
        return Answer(data, {static_cast<std::size_t>(rows), static_cast<std::size_t>(columns)}, owner);
    }
};

Answer matvec(nb::handle columns, std::optional<Vector> shift, std::optional<Vector> scale, Vector beta,
              const Name& name) {
    const Verbs& use = chosen(name);
    const Dense x(columns, shift, scale);
    require(static_cast<std::int64_t>(beta.shape(0)), x.width(), "beta");
    Aligned<double> panel(panel_doubles(x.width()));
    Fresh out(static_cast<std::size_t>(x.rows()));
    Ahead none;
    by_tiles(x.rows(), [&, b = beta.data()](std::int64_t start, int m) {
        x.pack(use, start, m, panel);
        use.panel_matvec(panel, x.width(), m, b, out.data + start, none);
    });
    return out.vector(x.rows());
}

Answer rmatvec(nb::handle columns, std::optional<Vector> shift, std::optional<Vector> scale, Vector v,
               const Name& name) {
    const Verbs& use = chosen(name);
    const Dense x(columns, shift, scale);
    require(static_cast<std::int64_t>(v.shape(0)), x.rows(), "v");
    Aligned<double> panel(panel_doubles(x.width()));
    Fresh out(static_cast<std::size_t>(x.width()));
    Ahead none;
    by_tiles(x.rows(), [&, from = v.data()](std::int64_t start, int m) {
        x.pack(use, start, m, panel);
        use.panel_rmatvec(panel, x.width(), m, from + start, out.data, none);
    });
    return out.vector(x.width());
}

Answer gram(nb::handle columns, std::optional<Vector> shift, std::optional<Vector> scale, std::optional<Vector> w,
            bool single, bool coarse, bool whole, const Name& name) {
    const Verbs& use = chosen(name);
    const Dense x(columns, shift, scale);
    const int p = x.width();
    if (w) require(static_cast<std::int64_t>(w->shape(0)), x.rows(), "w");
    Aligned<double> panel(panel_doubles(p)), sums(gram_doubles(p));
    Aligned<double> room(single || coarse ? use.step_room(p) : whole ? use.whole_room(p) : 0);
    by_tiles(x.rows(), [&, weights = w ? w->data() : nullptr](std::int64_t start, int m) {
        x.pack(use, start, m, panel);
        const double* part = weights ? weights + start : nullptr;
        Ahead ahead;
        look_ahead(ahead, x.columns.data(), p, start + TILE, tile_rows(x.rows(), start + TILE));
        if (single || coarse) use.step_add(panel, p, m, part, coarse, room, sums, ahead);
        else if (!whole || !use.whole_add(panel, p, m, part, room, sums))
            use.panel_gram_ahead(panel, p, m, part, sums, ahead);
    });
    if (single || coarse) use.step_finish(p, room, sums);
    Fresh out(static_cast<std::size_t>(p) * p);
    gram_finish(sums, p, out.data);
    return out.matrix(p, p);
}

Answer quadratic(nb::handle columns, std::optional<Vector> shift, std::optional<Vector> scale, Matrix matrix,
                 const Name& name) {
    const Verbs& use = chosen(name);
    const Dense x(columns, shift, scale);
    const int p = x.width();
    require(static_cast<std::int64_t>(matrix.shape(0)), p, "the first axis of the matrix");
    require(static_cast<std::int64_t>(matrix.shape(1)), p, "the second axis of the matrix");
    Aligned<double> panel(panel_doubles(p)), prepared(gram_doubles(p));
    Fresh out(static_cast<std::size_t>(x.rows()));
    use.bilinear_prepare(matrix.data(), p, p, true, prepared);
    by_tiles(x.rows(), [&](std::int64_t start, int m) {
        x.pack(use, start, m, panel);
        use.panel_quadratic(panel, p, m, prepared, out.data + start);
    });
    return out.vector(x.rows());
}

Answer cross(nb::handle columns_a, std::optional<Vector> shift_a, std::optional<Vector> scale_a, nb::handle columns_b,
             std::optional<Vector> shift_b, std::optional<Vector> scale_b, std::optional<Vector> w, bool single,
             const Name& name) {
    const Verbs& use = chosen(name);
    const Dense a(columns_a, shift_a, scale_a), b(columns_b, shift_b, scale_b);
    require(b.rows(), a.rows(), "a column of the second block");
    if (w) require(static_cast<std::int64_t>(w->shape(0)), a.rows(), "w");
    const int pa = a.width(), pb = b.width();
    Aligned<double> panel_a(panel_doubles(pa)), panel_b(panel_doubles(pb)), sums(cross_doubles(pa, pb));
    Aligned<float> a32(single ? panel_floats(pa) : 0), b32(single ? panel_floats(pb) : 0);
    by_tiles(a.rows(), [&, weights = w ? w->data() : nullptr](std::int64_t start, int m) {
        a.pack(use, start, m, panel_a);
        b.pack(use, start, m, panel_b);
        const double* part = weights ? weights + start : nullptr;
        if (single) {
            use.narrow(panel_a, pa, m, a32);
            use.narrow(panel_b, pb, m, b32);
            use.panel_cross32(a32, pa, b32, pb, m, part, sums);
        } else {
            use.panel_cross(panel_a, pa, panel_b, pb, m, part, sums);
        }
    });
    Fresh out(static_cast<std::size_t>(pa) * pb);
    cross_finish(sums, pa, pb, out.data);
    return out.matrix(pa, pb);
}

Answer bilinear(nb::handle columns_a, std::optional<Vector> shift_a, std::optional<Vector> scale_a,
                nb::handle columns_b, std::optional<Vector> shift_b, std::optional<Vector> scale_b, Matrix matrix,
                const Name& name) {
    const Verbs& use = chosen(name);
    const Dense a(columns_a, shift_a, scale_a), b(columns_b, shift_b, scale_b);
    require(b.rows(), a.rows(), "a column of the second block");
    const int pa = a.width(), pb = b.width();
    require(static_cast<std::int64_t>(matrix.shape(0)), pa, "the first axis of the matrix");
    require(static_cast<std::int64_t>(matrix.shape(1)), pb, "the second axis of the matrix");
    Aligned<double> panel_a(panel_doubles(pa)), panel_b(panel_doubles(pb)), prepared(cross_doubles(pa, pb));
    Fresh out(static_cast<std::size_t>(a.rows()));
    use.bilinear_prepare(matrix.data(), pa, pb, false, prepared);
    by_tiles(a.rows(), [&](std::int64_t start, int m) {
        a.pack(use, start, m, panel_a);
        b.pack(use, start, m, panel_b);
        use.panel_bilinear(panel_a, pa, panel_b, pb, m, prepared, out.data + start);
    });
    return out.vector(a.rows());
}

}  // namespace

void register_dense(nb::module_& module) {
    using namespace nb::literals;
    const auto set = "instruction_set"_a = nb::none();
    const auto shift = "shift"_a.none(), scale = "scale"_a.none();
    module.def("dense_matvec", &matvec, "columns"_a, shift, scale, "beta"_a, nb::kw_only(), set,
               "Compute X beta, X being the columns less shift over scale.");
    module.def("dense_rmatvec", &rmatvec, "columns"_a, shift, scale, "v"_a, nb::kw_only(), set, "Compute X'v.");
    module.def("dense_gram", &gram, "columns"_a, shift, scale, "w"_a.none(), "single"_a = false,
               "coarse"_a = false, "whole"_a = false, nb::kw_only(), set,
               "Compute X' diag(w) X; `single` is good enough for a step: float32 or two bfloat16 a number, `coarse` for a "
               "first one: float32 or one bfloat16, `whole` as good as doubles but for small differences of large numbers.");
    module.def("dense_quadratic", &quadratic, "columns"_a, shift, scale, "matrix"_a, nb::kw_only(), set,
               "Compute x_i' M x_i for every row i.");
    module.def("dense_cross", &cross, "columns_a"_a, "shift_a"_a.none(), "scale_a"_a.none(), "columns_b"_a,
               "shift_b"_a.none(), "scale_b"_a.none(), "w"_a.none(), "single"_a = false, nb::kw_only(), set,
               "Compute A' diag(w) B.");
    module.def("dense_bilinear", &bilinear, "columns_a"_a, "shift_a"_a.none(), "scale_a"_a.none(), "columns_b"_a,
               "shift_b"_a.none(), "scale_b"_a.none(), "matrix"_a, nb::kw_only(), set,
               "Compute a_i' M b_i for every row i.");
}

}  // namespace etamu
