// What a pass does to a tile besides its blocks: look where eta is, weigh, sum, describe columns.
// Included by isa.cpp once per instruction set.
#pragma once

#include <limits>

#include "dense_impl.hpp"
#include "simd.hpp"

namespace etamu::ETAMU_ISA {

namespace {

inline double total(Doubles sums) {
    double sum = 0;
    for (int lane = 0; lane < LANES; ++lane) sum += sums[lane];
    return sum;
}

bool rows_inside(const double* eta, int m, double lower, double upper, bool with_lower, bool with_upper) {
    Longs outside = {};
    int r = 0;
    // A NaN compares as neither inside, and an infinite eta is never inside: the ends are excluded with `x - x != 0`.
    for (; r + LANES <= m; r += LANES) {
        const Doubles x = load<Doubles>(eta + r), zero = x - x;
        outside |= ~(zero == zero);
        outside |= with_lower ? ~(x >= lower) : ~(x > lower);
        outside |= with_upper ? ~(x <= upper) : ~(x < upper);
    }
    std::int64_t any = 0;
    for (int lane = 0; lane < LANES; ++lane) any |= outside[lane];
    for (; r < m; ++r) {
        const double x = eta[r], zero = x - x;
        any |= !(zero == zero) | !(with_lower ? x >= lower : x > lower) | !(with_upper ? x <= upper : x < upper);
    }
    return any == 0;
}

void rows_ends(const double* v, std::int64_t n, double* least, double* most) {
    constexpr double INFINITE = std::numeric_limits<double>::infinity();
    constexpr int ABREAST = 4;  // vectors compared side by side: none waits for the one before it
    Doubles low[ABREAST], high[ABREAST], odd[ABREAST];
    for (int k = 0; k < ABREAST; ++k) low[k] = all<Doubles>(INFINITE), high[k] = all<Doubles>(-INFINITE), odd[k] = Doubles{};
    std::int64_t i = 0;
    for (; i + ABREAST * LANES <= n; i += ABREAST * LANES) {
        ETAMU_UNROLL
        for (int k = 0; k < ABREAST; ++k) {
            const Doubles x = load<Doubles>(v + i + k * LANES);
            low[k] = x < low[k] ? x : low[k];
            high[k] = x > high[k] ? x : high[k];
            odd[k] = x == x ? odd[k] : x;  // a NaN stays
        }
    }
    double smallest = INFINITE, largest = -INFINITE, strange = 0.0;
    const auto meet = [&](double x) {
        smallest = x < smallest ? x : smallest;
        largest = x > largest ? x : largest;
        if (x != x) strange = x;
    };
    for (; i < n; ++i) meet(v[i]);
    for (int k = 0; k < ABREAST; ++k)
        for (int lane = 0; lane < LANES; ++lane) {
            smallest = low[k][lane] < smallest ? low[k][lane] : smallest;
            largest = high[k][lane] > largest ? high[k][lane] : largest;
            if (odd[k][lane] != 0.0) strange = odd[k][lane];
        }
    *least = strange == strange ? smallest : strange;
    *most = strange == strange ? largest : strange;
}

double rows_sum(const double* v, const double* w, int m) {
    Doubles sums = {};
    int r = 0;
    if (w) {
        for (; r + LANES <= m; r += LANES) sums += load<Doubles>(v + r) * load<Doubles>(w + r);
    } else {
        for (; r + LANES <= m; r += LANES) sums += load<Doubles>(v + r);
    }
    double sum = total(sums);
    for (; r < m; ++r) sum += w ? v[r] * w[r] : v[r];
    return sum;
}

void rows_times(const double* v, const double* w, int m, double* out) {
    int r = 0;
    for (; r + LANES <= m; r += LANES) store(out + r, load<Doubles>(v + r) * load<Doubles>(w + r));
    for (; r < m; ++r) out[r] = v[r] * w[r];
}

double rows_pearson(const double* score, const double* expected, const double* w, int m) {
    Doubles sums = {};
    int r = 0;
    for (; r + LANES <= m; r += LANES) {
        const Doubles u = load<Doubles>(score + r);
        Doubles square = u * (u / load<Doubles>(expected + r));  // u * u may underflow
        if (w) square *= load<Doubles>(w + r);
        // A score of 0 counts 0 even where there is no information left either.
        sums += u == 0.0 ? Doubles{} : square;
    }
    double sum = total(sums);
    for (; r < m; ++r)
        if (!(score[r] == 0.0)) sum += score[r] * (score[r] / expected[r]) * (w ? w[r] : 1.0);
    return sum;
}

// cell = cell * size + y; the largest cell, -1 where a y is no whole number of 0, ..., size - 1, which a NaN is not.
std::int32_t rows_cells(const double* y, int m, std::int32_t size, std::int32_t* cells) {
    const double above = static_cast<double>(size);
    Longs wrong = {};
    HalfInts largest = {};
    int r = 0;
    for (; r + LANES <= m; r += LANES) {
        const Doubles x = load<Doubles>(y + r);
        const Longs inside = (x >= 0.0) & (x < above);
        const HalfInts count = __builtin_convertvector((Doubles)((Longs)x & inside), HalfInts);
        wrong |= ~(inside & (__builtin_convertvector(count, Doubles) == x));
        const HalfInts cell = load<HalfInts>(cells + r) * size + count;
        store(cells + r, cell);
        largest = cell > largest ? cell : largest;
    }
    std::int64_t any = 0;
    std::int32_t most = 0;
    for (int lane = 0; lane < LANES; ++lane) any |= wrong[lane], most = largest[lane] > most ? largest[lane] : most;
    for (; r < m; ++r) {
        const bool inside = y[r] >= 0.0 && y[r] < above;
        const std::int32_t count = static_cast<std::int32_t>(inside ? y[r] : 0.0);
        any |= !inside || static_cast<double>(count) != y[r];
        cells[r] = cells[r] * size + count;
        most = cells[r] > most ? cells[r] : most;
    }
    return any ? -1 : most;
}

// table[cell] += w for the cells 0, ..., most: compared with each in turn, as no two rows then wait for one another.
void rows_tally(const std::int32_t* cells, const double* w, int m, std::int32_t most, double* table) {
    for (std::int32_t cell = 0; cell <= most; ++cell) {
        Doubles sums = {};
        Ints counts = {};
        double sum = 0;
        int r = 0;
        if (w) {
            for (; r + LANES <= m; r += LANES)
                sums += (Doubles)(__builtin_convertvector(load<HalfInts>(cells + r) == cell, Longs) & load<Longs>(w + r));
        } else {
            for (; r + LANES32 <= m; r += LANES32) counts -= load<Ints>(cells + r) == cell;
        }
        for (; r < m; ++r) sum += cells[r] == cell ? (w ? w[r] : 1.0) : 0.0;
        for (int lane = 0; lane < LANES32; ++lane) sum += counts[lane];
        table[cell] += sum + total(sums);
    }
}

// The largest |x| of every column so far; padded(p) numbers.
// The sign taken off.
ETAMU_INLINE Doubles size_of(Doubles x) { return (Doubles)((Longs)x & 0x7fffffffffffffff); }

void panel_extent(const double* panel, int p, int m, double* extent) {
    constexpr int ABREAST = 4;  // rows compared side by side: none waits for the one before it
    for (int j = 0; j < padded(p); j += LANES) {
        const double* from = panel + std::ptrdiff_t(j / SLIVER) * TILE * SLIVER + j % SLIVER;
        Doubles most[ABREAST];
        for (Doubles& each : most) each = load<Doubles>(extent + j);
        for (int r = 0; r < m; r += ABREAST)  // rows of zeros fill the last eight
            ETAMU_UNROLL
            for (int i = 0; i < ABREAST; ++i) {
                const Doubles size = size_of(load<Doubles>(from + std::ptrdiff_t(r + i) * SLIVER));
                most[i] = size > most[i] ? size : most[i];
            }
        ETAMU_UNROLL
        for (int i = 1; i < ABREAST; ++i) most[0] = most[i] > most[0] ? most[i] : most[0];
        store(extent + j, most[0]);
    }
}

// Row by row the sum of squares, and on the way, where `EXTENT`, what panel_extent looks for.
template <bool EXTENT>
ETAMU_INLINE void add_squares(const double* panel, int p, int m, double* extent, double* out) {
    for (int r = 0; r < m; r += ROWS) {
        Doubles sums[ROWS] = {};
        for (int j = 0; j < padded(p); j += LANES) {
            const double* from = panel + (std::ptrdiff_t(j / SLIVER) * TILE + r) * SLIVER + j % SLIVER;
            Doubles most[2] = {};  // take turns, as comparing waits for what was largest before
            ETAMU_UNROLL
            for (int i = 0; i < ROWS; ++i) {
                const Doubles x = load<Doubles>(from + i * SLIVER), size = size_of(x);
                sums[i] += x * x;
                if (EXTENT) most[i % 2] = size > most[i % 2] ? size : most[i % 2];
            }
            if (!EXTENT) continue;
            const Doubles larger = most[0] > most[1] ? most[0] : most[1], before = load<Doubles>(extent + j);
            store(extent + j, larger > before ? larger : before);
        }
        add_sums(sums, r, m, out);
    }
}

void panel_squares(const double* panel, int p, int m, double* out) { add_squares<false>(panel, p, m, nullptr, out); }

void panel_extent_squares(const double* panel, int p, int m, double* extent, double* out) {
    add_squares<true>(panel, p, m, extent, out);
}

// Add the rows of a panel, each column less its pivot, to sums, squares and extremes; all of them padded(p) long.
void panel_moments(const double* panel, int p, int m, const double* pivot, double* sum, double* square, double* low,
                   double* high) {
    for (int j = 0; j < padded(p); j += LANES) {
        const double* from = panel + std::ptrdiff_t(j / SLIVER) * TILE * SLIVER + j % SLIVER;
        const Doubles about = load<Doubles>(pivot + j);
        Doubles sums = {}, squares = {}, least = load<Doubles>(low + j), most = load<Doubles>(high + j);
        for (int r = 0; r < m; ++r) {
            const Doubles x = load<Doubles>(from + std::ptrdiff_t(r) * SLIVER), gap = x - about;
            sums += gap;
            squares += gap * gap;
            least = x < least ? x : least;
            most = x > most ? x : most;
        }
        store(sum + j, load<Doubles>(sum + j) + sums);
        store(square + j, load<Doubles>(square + j) + squares);
        store(low + j, least);
        store(high + j, most);
    }
}

}  // namespace

}  // namespace etamu::ETAMU_ISA
