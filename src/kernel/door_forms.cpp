// Square matrices between columns as they are summed and coefficients as they are sought: those chosen, and bounds of
// quadratic forms over rows of which only the size is known.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace nb = nanobind;

namespace {

using Matrix = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Numbers = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Result = nb::ndarray<double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
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

constexpr std::size_t SQUARE = 16;  // columns at once, so that what is read across its rows stays in cache

// out = (B + B') / 2 for B the rows and columns of m at `places`; halved first, for a sum of large numbers may overflow.
void chosen(Matrix m, Places places, Result out) {
    const std::size_t p = m.shape(0), k = places.shape(0);
    if (m.shape(1) != p || out.shape(0) != k || out.shape(1) != k) throw nb::value_error("the shapes do not fit");
    const std::int64_t* at = places.data();
    for (std::size_t j = 0; j < k; ++j)
        if (at[j] < 0 || at[j] >= static_cast<std::int64_t>(p)) throw nb::value_error("a place is beyond the matrix");
    const double* from = m.data();
    double* to = out.data();
    for (std::size_t top = 0; top < k; top += SQUARE) {
        for (std::size_t left = top; left < k; left += SQUARE) {
            const std::size_t bottom = std::min(top + SQUARE, k), right = std::min(left + SQUARE, k);
            for (std::size_t i = top; i < bottom; ++i) {
                const double* row = from + static_cast<std::size_t>(at[i]) * p;
                for (std::size_t j = std::max(i, left); j < right; ++j) {
                    const double mean = 0.5 * row[at[j]] + 0.5 * from[static_cast<std::size_t>(at[j]) * p + at[i]];
                    to[i * k + j] = mean;
                    to[j * k + i] = mean;
                }
            }
        }
    }
}

}  // namespace

void register_forms(nb::module_& module) {
    module.def("grouped_form", &grouped_form, nb::arg("matrix"), nb::arg("extent"), nb::arg("of"), nb::arg("groups"),
               "Sum the largest |m_ij| e_i e_j over pairs of groups.");
    module.def("chosen", &chosen, nb::arg("matrix"), nb::arg("places"), nb::arg("out"),
               "Write the rows and columns at some places, averaged with their transpose.");
}
