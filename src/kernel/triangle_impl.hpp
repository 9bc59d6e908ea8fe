// Triangles of some hundred columns: Cholesky's factor, its inverse, and a triangle times its own transpose.
//
// Matrices are laid out as slivers of 8 columns, [sliver][row][8], over whole slivers: what is missing of the last one
// stands for columns of the identity. Everything is one product, COLS columns by VECS vectors held in registers over all
// rows at once, and substitution among the COLS rows that come out, before they leave the registers.
#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "aligned.hpp"
#include "gram_impl.hpp"
#include "pass_impl.hpp"
#include "turn_impl.hpp"

namespace etamu::ETAMU_ISA {

namespace {

// A square matrix in slivers.
struct Square {
    const int p, side;
    Aligned<double> numbers;

    explicit Square(int columns)
        : p(columns), side(padded(columns)), numbers(static_cast<std::size_t>(side) * static_cast<std::size_t>(side)) {
        for (int j = p; j < side; ++j) *at(j, j) = 1.0;
    }

    ETAMU_INLINE double* at(int row, int column) {
        return numbers + (std::ptrdiff_t(column / SLIVER) * side + row) * SLIVER + column % SLIVER;
    }

    // Row i of an upper triangle as column i: the transpose of one is laid out.
    void turn(const double* upper) {
        for (int i = 0; i < p; ++i) {
            double* to = at(0, i);
            for (int k = i; k < p; ++k) to[std::ptrdiff_t(k) * SLIVER] = upper[std::ptrdiff_t(i) * p + k];
        }
    }

    // What stands on and above the diagonal, row-major, and zeros below it.
    void write_upper(double* out) {
        for (int i = 0; i < p; ++i, out += p) {
            std::fill_n(out, i, 0.0);
            for (int j = i; j < p;) {
                const int end = j / SLIVER * SLIVER + SLIVER < p ? j / SLIVER * SLIVER + SLIVER : p;
                std::memcpy(out + j, at(i, j), static_cast<std::size_t>(end - j) * sizeof(double));
                j = end;
            }
        }
    }
};

// sums[c][v] -= sum over rows from, ..., to - 1 of left[row][i + c] right[row][j + v].
template <int N>
ETAMU_INLINE void subtract(Square& left, int i, Square& right, int j, int from, int to, Doubles (&sums)[COLS][N]) {
    const double* a = left.at(from, i);
    const double* b[N];
    ETAMU_UNROLL
    for (int v = 0; v < N; ++v) b[v] = right.at(from, j + v * LANES);
    for (std::ptrdiff_t row = 0; row < std::ptrdiff_t(to - from) * SLIVER; row += SLIVER) {
        Doubles x[N];
        ETAMU_UNROLL
        for (int v = 0; v < N; ++v) x[v] = load<Doubles>(b[v] + row);
        ETAMU_UNROLL
        for (int c = 0; c < COLS; ++c) {
            const Doubles factor = all<Doubles>(a[row + c]);
            ETAMU_UNROLL
            for (int v = 0; v < N; ++v) sums[c][v] -= factor * x[v];
        }
    }
}

// Calls `each`, with a number of vectors as a value, for groups of vectors of the columns from `first` on.
template <class Each>
ETAMU_INLINE void by_groups(int first, int side, const Each& each) {
    for (int j = first, step; j < side; j += step * LANES) {
        step = taken((side - j) / LANES);
        if (step == 3) each(j, std::integral_constant<int, 3>());
        if (step == 2) each(j, std::integral_constant<int, 2>());
        if (step == 1) each(j, std::integral_constant<int, 1>());
    }
}

// The block of COLS rows on the diagonal, and one over its pivots.
struct Corner {
    double upper[COLS][COLS], inverse[COLS];
};

// Factorise the corner where it stands; false where a pivot is not positive, or NaN.
inline bool factorise_corner(Square& square, int i, Corner& corner) {
    for (int c = 0; c < COLS; ++c) {
        double* row = square.at(i + c, i);
        for (int b = 0; b < c; ++b)
            for (int k = c; k < COLS; ++k) row[k] -= corner.upper[b][c] * corner.upper[b][k];
        if (!(row[c] > 0.0)) return false;
        const double pivot = std::sqrt(row[c]);
        corner.inverse[c] = 1.0 / pivot;
        for (int k = c; k < COLS; ++k) corner.upper[c][k] = row[k] = k == c ? pivot : row[k] * corner.inverse[c];
    }
    return true;
}

// R with R'R = D^-1 A D^-1, from the upper triangle of A, row-major with zeros below; false where a number is not finite
// or a pivot not positive.
bool triangle_factor(const double* matrix, const double* diagonal, int p, double* out) {
    Square square(p);
    Aligned<double> scale(static_cast<std::size_t>(square.side));
    for (int j = 0; j < p; ++j) scale[j] = 1.0 / diagonal[j];
    Doubles gap = {};
    for (int i = 0; i < p; ++i)
        for (int j = i / LANES * LANES; j < p; j += LANES) {
            const char* from = reinterpret_cast<const char*>(matrix + std::ptrdiff_t(i) * p + j);
            const Doubles x = load_first(from, p - j) * scale[i] * load<Doubles>(scale + j);
            gap += x * 0.0;
            if (j + LANES <= p) store(square.at(i, j), x);
            else std::memcpy(square.at(i, j), &x, static_cast<std::size_t>(p - j) * sizeof(double));
        }
    if (!(total(gap) == 0.0)) return false;  // of what is not finite 0 times is not 0
    Corner corner;
    for (int i = 0; i < square.side; i += COLS) {
        constexpr int WIDE = COLS / LANES;  // vectors of a corner
        Doubles own[COLS][WIDE];
        ETAMU_UNROLL
        for (int c = 0; c < COLS; ++c)
            ETAMU_UNROLL
            for (int v = 0; v < WIDE; ++v) own[c][v] = load<Doubles>(square.at(i + c, i + v * LANES));
        subtract(square, i, square, i, 0, i, own);
        ETAMU_UNROLL
        for (int c = 0; c < COLS; ++c)
            ETAMU_UNROLL
            for (int v = 0; v < WIDE; ++v) store(square.at(i + c, i + v * LANES), own[c][v]);
        if (!factorise_corner(square, i, corner)) return false;
        by_groups(i + COLS, square.side, [&](int j, auto vectors) {
            constexpr int N = decltype(vectors)::value;
            Doubles sums[COLS][N];
            ETAMU_UNROLL
            for (int c = 0; c < COLS; ++c)
                ETAMU_UNROLL
                for (int v = 0; v < N; ++v) sums[c][v] = load<Doubles>(square.at(i + c, j + v * LANES));
            subtract(square, i, square, j, 0, i, sums);
            ETAMU_UNROLL
            for (int c = 0; c < COLS; ++c)
                ETAMU_UNROLL
                for (int v = 0; v < N; ++v) {
                    ETAMU_UNROLL
                    for (int b = 0; b < c; ++b) sums[c][v] -= all<Doubles>(corner.upper[b][c]) * sums[b][v];
                    sums[c][v] *= corner.inverse[c];
                    store(square.at(i + c, j + v * LANES), sums[c][v]);
                }
        });
    }
    square.write_upper(out);
    return true;
}

// R^-1, row-major, from R upper triangular.
void triangle_inverse(const double* upper, int p, double* out) {
    Square turned(p), inverse(p);
    turned.turn(upper);
    for (int i = inverse.side - COLS; i >= 0; i -= COLS) {
        Corner corner;
        for (int c = 0; c < COLS; ++c) {
            for (int k = c; k < COLS; ++k) corner.upper[c][k] = *turned.at(i + k, i + c);
            corner.inverse[c] = 1.0 / corner.upper[c][c];
        }
        by_groups(i, inverse.side, [&](int j, auto vectors) {
            constexpr int N = decltype(vectors)::value;
            Doubles sums[COLS][N] = {};
            const int below = i + COLS, end = j + N * LANES;
            if (j < below)  // of the identity
                for (int c = 0; c < COLS; ++c)
                    for (int v = 0; v < N; ++v)
                        for (int lane = 0; lane < LANES; ++lane)
                            if (j + v * LANES + lane == i + c) sums[c][v][lane] = 1.0;
            if (end > below) subtract(turned, i, inverse, j, below, end, sums);
            ETAMU_UNROLL
            for (int c = COLS - 1; c >= 0; --c)
                ETAMU_UNROLL
                for (int v = 0; v < N; ++v) {
                    ETAMU_UNROLL
                    for (int b = c + 1; b < COLS; ++b) sums[c][v] -= all<Doubles>(corner.upper[c][b]) * sums[b][v];
                    sums[c][v] *= corner.inverse[c];
                    store(inverse.at(i + c, j + v * LANES), sums[c][v]);
                }
        });
    }
    inverse.write_upper(out);
}

// T T' of an upper triangle T, both row-major.
void triangle_square(const double* upper, int p, double* out) {
    Square turned(p);
    turned.turn(upper);
    for (int i = 0; i < p; i += COLS)
        by_groups(i, turned.side, [&](int j, auto vectors) {
            constexpr int N = decltype(vectors)::value;
            Doubles sums[COLS][N] = {};
            subtract(turned, i, turned, j, j, turned.side, sums);
            for (int c = 0; c < COLS && i + c < p; ++c)
                for (int v = 0; v < N; ++v)
                    for (int lane = 0; lane < LANES; ++lane) {
                        const int column = j + v * LANES + lane;
                        if (column < i + c || column >= p) continue;
                        out[std::ptrdiff_t(i + c) * p + column] = out[std::ptrdiff_t(column) * p + i + c] =
                            -sums[c][v][lane];
                    }
        });
}

// Whether a matrix is its own transpose: square by square, turned in registers. What is NaN is not.
bool symmetric(const double* matrix, int p) {
    const auto at = [&](int row, int column) { return matrix + std::ptrdiff_t(row) * p + column; };
    const int whole = p / LANES * LANES;
    for (int i = 0; i < whole; i += LANES)
        for (int j = i; j < whole; j += LANES) {
            Doubles square[LANES];
            ETAMU_UNROLL
            for (int k = 0; k < LANES; ++k) square[k] = load<Doubles>(at(j + k, i));
            turn(square);
            Longs same = square[0] == load<Doubles>(at(i, j));
            ETAMU_UNROLL
            for (int k = 1; k < LANES; ++k) same &= square[k] == load<Doubles>(at(i + k, j));
            for (int lane = 0; lane < LANES; ++lane)
                if (!same[lane]) return false;
        }
    for (int i = whole; i < p; ++i)
        for (int j = 0; j <= i; ++j)
            if (!(*at(i, j) == *at(j, i))) return false;
    return true;
}

// Solve R x = b, or R'x = b, in place.
void triangle_solve(const double* upper, int p, bool transposed, double* x) {
    if (transposed) {
        for (int i = 0; i < p; ++i) {
            const double* row = upper + std::ptrdiff_t(i) * p;
            const double factor = x[i] /= row[i];
            for (int j = i + 1; j < p; ++j) x[j] -= factor * row[j];
        }
        return;
    }
    constexpr int SETS = 4;  // sums that take turns
    for (int i = p; i-- > 0;) {
        const double* row = upper + std::ptrdiff_t(i) * p;
        Doubles sums[SETS] = {};
        int j = i + 1;
        for (; j + SETS * LANES <= p; j += SETS * LANES)
            ETAMU_UNROLL
            for (int s = 0; s < SETS; ++s)
                sums[s] += load<Doubles>(row + j + s * LANES) * load<Doubles>(x + j + s * LANES);
        ETAMU_UNROLL
        for (int s = 1; s < SETS; ++s) sums[0] += sums[s];
        double sum = total(sums[0]);
        for (; j < p; ++j) sum += row[j] * x[j];
        x[i] = (x[i] - sum) / row[i];
    }
}

}  // namespace

}  // namespace etamu::ETAMU_ISA
