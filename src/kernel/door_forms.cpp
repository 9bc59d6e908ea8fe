// Bounds of quadratic forms over rows of which only the size is known.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace nb = nanobind;

namespace {

using Matrix = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Numbers = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Places = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// The sum over pairs of groups of the largest |m_ij| e_i e_j, i in the one and j in the other; `of` says the group of each
// column, counted from 0. A NaN stays one.
double grouped_form(Matrix m, Numbers extent, Places of, std::int64_t groups) {
    const std::size_t p = m.shape(0), count = static_cast<std::size_t>(groups);
    if (m.shape(1) != p || extent.shape(0) != p || of.shape(0) != p) throw nb::value_error("the shapes do not fit");
    for (std::size_t j = 0; j < p; ++j)
        if (of.data()[j] < 0 || of.data()[j] >= groups) throw nb::value_error("a group is beyond their number");
    std::vector<double> most(count * count, 0.0);
    for (std::size_t i = 0; i < p; ++i) {
        const double* row = m.data() + i * p;
        double* to = most.data() + static_cast<std::size_t>(of.data()[i]) * count;
        for (std::size_t j = 0; j < p;) {  // neighbours mostly share a group: a run of them is compared in a register
            const std::int64_t group = of.data()[j];
            double largest = to[group];
            for (; j < p && of.data()[j] == group; ++j) {
                const double size = std::fabs(row[j]) * (extent.data()[i] * extent.data()[j]);
                if (size > largest || size != size) largest = size;
            }
            to[group] = largest;
        }
    }
    double sum = 0;
    for (const double each : most) sum += each;
    return sum;
}

}  // namespace

void register_forms(nb::module_& module) {
    module.def("grouped_form", &grouped_form, nb::arg("matrix"), nb::arg("extent"), nb::arg("of"), nb::arg("groups"),
               "Sum the largest |m_ij| e_i e_j over pairs of groups.");
}
