// Triangles and tails of distributions: what a large library would answer more slowly than it is loaded.
//
// Matrices are row-major doubles. Those of a few dozen columns are small, and done here; of some hundred they are done by
// verbs; larger ones go to LAPACK, in Python.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "verbs.hpp"

namespace nb = nanobind;

namespace {

using Matrix = nb::ndarray<double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Constant = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Numbers = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Results = nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

void expect(bool fits) {
    if (!fits) throw nb::value_error("the shapes do not fit");
}

// R upper triangular with R'R = A, from the upper triangle of A; false where a pivot is not positive.
bool small_cholesky(Constant a, Matrix r) {
    const std::size_t p = a.shape(0);
    expect(a.shape(1) == p && r.shape(0) == p && r.shape(1) == p);
    const double* from = a.data();
    double* to = r.data();
    for (std::size_t j = 0; j < p; ++j) {
        double* row = to + j * p;
        for (std::size_t c = 0; c < j; ++c) row[c] = 0.0;
        for (std::size_t c = j; c < p; ++c) row[c] = from[j * p + c];
        for (std::size_t k = 0; k < j; ++k) {
            const double* above = to + k * p;
            const double factor = above[j];
            for (std::size_t c = j; c < p; ++c) row[c] -= factor * above[c];
        }
        if (!(row[j] > 0.0)) return false;  // NaN too
        const double pivot = std::sqrt(row[j]);
        row[j] = pivot;
        for (std::size_t c = j + 1; c < p; ++c) row[c] /= pivot;
    }
    return true;
}

// Solve R x = b or R'x = b in place, column by column of b.
void small_solve(Constant r, Matrix b, bool transposed) {
    const std::size_t p = r.shape(0), k = b.shape(1);
    expect(r.shape(1) == p && b.shape(0) == p);
    const double* upper = r.data();
    double* x = b.data();
    const auto subtract = [&](double* row, double factor, const double* other) {
        for (std::size_t c = 0; c < k; ++c) row[c] -= factor * other[c];
    };
    const auto divide = [&](double* row, double pivot) {
        for (std::size_t c = 0; c < k; ++c) row[c] /= pivot;
    };
    if (transposed) {
        for (std::size_t i = 0; i < p; ++i) {
            for (std::size_t j = 0; j < i; ++j) subtract(x + i * k, upper[j * p + i], x + j * k);
            divide(x + i * k, upper[i * p + i]);
        }
    } else {
        for (std::size_t i = p; i-- > 0;) {
            for (std::size_t j = i + 1; j < p; ++j) subtract(x + i * k, upper[i * p + j], x + j * k);
            divide(x + i * k, upper[i * p + i]);
        }
    }
}

// R^-1, upper triangular as well: row i is what is left of the unit vector, over columns from its diagonal on.
void small_inverse(Constant r, Matrix out) {
    const std::size_t p = r.shape(0);
    expect(r.shape(1) == p && out.shape(0) == p && out.shape(1) == p);
    const double* upper = r.data();
    for (std::size_t i = p; i-- > 0;) {
        double* row = out.data() + i * p;
        std::fill_n(row, p, 0.0);
        row[i] = 1.0;
        for (std::size_t j = i + 1; j < p; ++j) {
            const double factor = upper[i * p + j];
            const double* below = out.data() + j * p;
            for (std::size_t c = j; c < p; ++c) row[c] -= factor * below[c];
        }
        for (std::size_t c = i; c < p; ++c) row[c] /= upper[i * p + i];
    }
}

// R with R'R = D^-1 A D^-1; false where that is not positive definite.
bool triangle_factor(Constant a, Numbers diagonal, Matrix r) {
    const std::size_t p = a.shape(0);
    expect(a.shape(1) == p && diagonal.shape(0) == p && r.shape(0) == p && r.shape(1) == p);
    nb::gil_scoped_release released;
    return etamu::verbs().triangle_factor(a.data(), diagonal.data(), static_cast<int>(p), r.data());
}

void triangle_inverse(Constant r, Matrix out) {
    const std::size_t p = r.shape(0);
    expect(r.shape(1) == p && out.shape(0) == p && out.shape(1) == p);
    nb::gil_scoped_release released;
    etamu::verbs().triangle_inverse(r.data(), static_cast<int>(p), out.data());
}

void triangle_square(Constant r, Matrix out) {
    const std::size_t p = r.shape(0);
    expect(r.shape(1) == p && out.shape(0) == p && out.shape(1) == p);
    nb::gil_scoped_release released;
    etamu::verbs().triangle_square(r.data(), static_cast<int>(p), out.data());
}

void triangle_solve(Constant r, Results x, bool transposed) {
    const std::size_t p = r.shape(0);
    expect(r.shape(1) == p && x.shape(0) == p);
    etamu::verbs().triangle_solve(r.data(), static_cast<int>(p), transposed, x.data());
}

bool symmetric(Constant a) {
    expect(a.shape(1) == a.shape(0));
    return etamu::verbs().symmetric(a.data(), static_cast<int>(a.shape(0)));
}

// The continued fraction of the incomplete beta function (DLMF 8.17.22), by the modified Lentz algorithm.
double beta_fraction(double a, double b, double x) {
    const double tiny = 1e-300;
    const double precision = 0.5 * std::numeric_limits<double>::epsilon();
    double c = 1.0;
    double d = 1.0 - (a + b) * x / (a + 1.0);
    d = 1.0 / (std::fabs(d) < tiny ? tiny : d);
    double value = d;
    for (int m = 1; m < 200000; ++m) {
        double step = 1.0;
        const double even = m * (b - m) * x / ((a + (2 * m - 1)) * (a + 2 * m));
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + (2 * m + 1)));
        for (const double term : {even, odd}) {
            d = 1.0 + term * d;
            c = 1.0 + term / c;
            d = 1.0 / (std::fabs(d) < tiny ? tiny : d);
            c = std::fabs(c) < tiny ? tiny : c;
            step = c * d;
            value *= step;
        }
        if (std::fabs(step - 1.0) <= precision) break;
    }
    return value;
}

// Gamma(a + 1/2) / Gamma(a), by the asymptotic series of its logarithm where that is exact (DLMF 5.11.8).
double gamma_ratio(double a) {
    double shift = 1.0;
    for (; a < 20.0; a += 1.0) shift *= a / (a + 0.5);
    const double r = 1.0 / a, s = r * r;
    const double series = r * (-1.0 / 8 + s * (1.0 / 192 + s * (-1.0 / 640 + s * (17.0 / 14336 - s * 31.0 / 18432))));
    return shift * std::sqrt(a) * std::exp(series);
}

// P(|T| > |t|) of Student's t: the regularised incomplete beta function at df / (df + t^2), never as 1 - cdf in a tail.
double student_tail(double t, double df) {
    if (std::isnan(t) || !(df > 0.0)) return std::numeric_limits<double>::quiet_NaN();
    if (df >= 1e15) return std::erfc(std::fabs(t) * 0.70710678118654752440);
    const double a = 0.5 * df, ratio = t * t / df;
    const double front = std::exp(-a * std::log1p(ratio)) * gamma_ratio(a) * 0.56418958354775628695;  // 1/sqrt(pi)
    const double x = 1.0 / (1.0 + ratio), y = ratio / (1.0 + ratio);
    if (std::isinf(ratio)) return 0.0;
    if (x < (a + 1.0) / (a + 2.5)) return front * std::sqrt(y) / a * beta_fraction(a, 0.5, x);
    return 1.0 - 2.0 * front * std::sqrt(y) * beta_fraction(0.5, a, y);
}

// log(Gamma(a + b) / Gamma(a)) for b a multiple of 1/2: nothing large is subtracted from anything large.
double log_gamma_step(double a, double b) {
    double sum = 0.0;
    if (b != std::floor(b)) {
        sum = std::log(gamma_ratio(a));
        a += 0.5;
        b -= 0.5;
    }
    double product = 1.0;
    for (double i = 0.0; i < b; i += 1.0) {
        product *= a + i;
        if (product > 1e200) {
            sum += std::log(product);
            product = 1.0;
        }
    }
    return sum + std::log(product);
}

// P(F > f) on m and n degrees of freedom, m whole and not large: the incomplete beta function at n / (n + m f).
double f_tail(double f, double m, double n) {
    const double a = 0.5 * n, b = 0.5 * m, ratio = m * f / n;
    if (!(f > 0.0)) return std::isnan(f) ? f : 1.0;
    if (std::isinf(ratio)) return 0.0;
    const double front = std::exp(log_gamma_step(a, b) - a * std::log1p(ratio) + b * std::log(ratio / (1.0 + ratio))) /
                         std::tgamma(b);
    const double x = 1.0 / (1.0 + ratio), y = ratio / (1.0 + ratio);
    if (x < (a + 1.0) / (a + b + 2.0)) return front / a * beta_fraction(a, b, x);
    return 1.0 - front / b * beta_fraction(b, a, y);
}

// P(chi2 > x) on df degrees of freedom: the incomplete gamma function, by its series below and its continued fraction
// above the mean (DLMF 8.7.1, 8.9.2).
double chi2_tail(double x, double df) {
    const double a = 0.5 * df, z = 0.5 * x;
    if (!(x > 0.0)) return std::isnan(x) ? x : 1.0;
    if (std::isinf(x)) return 0.0;
    const double front = std::exp(a * std::log(z) - z) / std::tgamma(a);
    if (z < a + 1.0) {
        double term = 1.0 / a, sum = term;
        for (double k = a + 1.0; term > 1e-17 * sum; k += 1.0) sum += term *= z / k;
        return 1.0 - front * sum;
    }
    double b = z + 1.0 - a, c = 1e300, d = 1.0 / b, value = d;
    for (int i = 1; i < 100000; ++i) {
        const double an = -i * (i - a);
        b += 2.0;
        d = an * d + b;
        d = 1.0 / (std::fabs(d) < 1e-300 ? 1e-300 : d);
        c = b + an / c;
        c = std::fabs(c) < 1e-300 ? 1e-300 : c;
        value *= c * d;
        if (std::fabs(c * d - 1.0) <= 0.5 * std::numeric_limits<double>::epsilon()) break;
    }
    return front * value;
}

void student_tails(Numbers t, Numbers df, Results out) {
    expect(df.shape(0) == t.shape(0) && out.shape(0) == t.shape(0));
    for (std::size_t i = 0; i < t.shape(0); ++i) out.data()[i] = student_tail(t.data()[i], df.data()[i]);
}

}  // namespace

void register_triangles(nb::module_& module) {
    module.def("small_cholesky", &small_cholesky, nb::arg("a"), nb::arg("r"),
               "Write the upper triangle R with R'R = A; False where a pivot is not positive.");
    module.def("small_solve", &small_solve, nb::arg("r"), nb::arg("b"), nb::arg("transposed"),
               "Solve R x = b, or R'x = b, in place.");
    module.def("small_inverse", &small_inverse, nb::arg("r"), nb::arg("out"), "Write R^-1.");
    module.def("triangle_factor", &triangle_factor, nb::arg("a"), nb::arg("diagonal"), nb::arg("r"),
               "Write the upper triangle R with R'R = D^-1 A D^-1; False where that is not positive definite.");
    module.def("triangle_inverse", &triangle_inverse, nb::arg("r"), nb::arg("out"), "Write R^-1.");
    module.def("triangle_square", &triangle_square, nb::arg("r"), nb::arg("out"), "Write R R', for R upper triangular.");
    module.def("triangle_solve", &triangle_solve, nb::arg("r"), nb::arg("x"), nb::arg("transposed"),
               "Solve R x = b, or R'x = b, in place.");
    module.def("symmetric", &symmetric, nb::arg("a"), "Tell whether a square matrix is its own transpose.");
    module.def("chi2_tail", &chi2_tail, nb::arg("x"), nb::arg("df"), "Compute P(chi2 > x).");
    module.def("f_tail", &f_tail, nb::arg("f"), nb::arg("m"), nb::arg("n"),
               "Compute P(F > f) for a whole m that is not large.");
    module.def("student_tails", &student_tails, nb::arg("t"), nb::arg("df"), nb::arg("out"),
               "Write P(|T| > |t|) of Student's t for each degree of freedom.");
}
