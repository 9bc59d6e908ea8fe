// Columns of any type and stride become a panel: the one place where the caller's memory is read.
//
// Three ways. Neighbours in a row-major array are copied row by row. Separate columns of doubles are transposed, 8 rows
// of 8 columns at a time, in registers. All else is first converted column by column into a small buffer of doubles.
#pragma once

#include "ahead.hpp"
#include "column.hpp"
#include "dense.hpp"
#include "simd.hpp"
#include "turn_impl.hpp"

namespace etamu::ETAMU_ISA {

namespace {

constexpr int PER_ROW = SLIVER / LANES;  // vectors of one row of a sliver

// What is done to the columns of one sliver; padding columns keep their zeros.
struct Scaling {
    Doubles shift[PER_ROW], factor[PER_ROW];

    Scaling() = default;
    ETAMU_INLINE Scaling(const double* shifts, const double* factors, int j, int count) {
        if (count == SLIVER && shifts && factors) {
            for (int k = 0; k < PER_ROW; ++k) {
                shift[k] = load<Doubles>(shifts + j + k * LANES);
                factor[k] = load<Doubles>(factors + j + k * LANES);
            }
            return;
        }
        double part[2][SLIVER] = {{0, 0, 0, 0, 0, 0, 0, 0}, {1, 1, 1, 1, 1, 1, 1, 1}};
        for (int c = 0; c < count; ++c) {
            if (shifts) part[0][c] = shifts[j + c];
            if (factors) part[1][c] = factors[j + c];
        }
        for (int k = 0; k < PER_ROW; ++k) {
            shift[k] = load<Doubles>(part[0] + k * LANES);
            factor[k] = load<Doubles>(part[1] + k * LANES);
        }
    }
    ETAMU_INLINE Doubles operator()(Doubles x, int k) const { return (x - shift[k]) * factor[k]; }
};

ETAMU_INLINE int at_most_sliver(int left) { return left < SLIVER ? left : SLIVER; }

// One number type, handed to a generic lambda as a value.
template <class Call>
ETAMU_INLINE void with_type(Type type, const Call& call) {
    switch (type) {
        case Type::f64: return call(double());
        case Type::f32: return call(float());
        case Type::i8: return call(std::int8_t());
        case Type::i16: return call(std::int16_t());
        case Type::i32: return call(std::int32_t());
        case Type::i64: return call(std::int64_t());
        case Type::u8: return call(std::uint8_t());
        case Type::u16: return call(std::uint16_t());
        case Type::u32: return call(std::uint32_t());
        case Type::u64: return call(std::uint64_t());
        case Type::boolean: return call(std::uint8_t());
    }
}

// The first `count` numbers of a row, the rest zero; nothing beyond them is touched.
ETAMU_INLINE void read_row(const char* from, int count, double, Doubles (&out)[PER_ROW]) {
    ETAMU_UNROLL
    for (int k = 0; k < PER_ROW; ++k) out[k] = load_first(from + k * sizeof(Doubles), count - k * LANES);
}

ETAMU_INLINE void read_row(const char* from, int count, float, Doubles (&out)[PER_ROW]) {
    ETAMU_UNROLL
    for (int k = 0; k < PER_ROW; ++k)
        out[k] = __builtin_convertvector(load_first32(from + k * sizeof(HalfFloats), count - k * LANES), Doubles);
}

template <class T>
ETAMU_INLINE void read_row(const char* from, int count, T, Doubles (&out)[PER_ROW]) {
    T values[SLIVER] = {};
    std::memcpy(values, from, static_cast<std::size_t>(count) * sizeof(T));
    double wide[SLIVER];
    for (int c = 0; c < SLIVER; ++c) wide[c] = static_cast<double>(values[c]);
    for (int k = 0; k < PER_ROW; ++k) out[k] = load<Doubles>(wide + k * LANES);
}

// Rows of neighbours, those of COUNT slivers at one go, the last of which has `last` columns: memory is read in the order
// in which it lies, and reads of one row follow one another. Where `led`, column 0 is one number for all rows, and `from`
// points one double before each row.
template <class T, bool SCALED, int COUNT>
ETAMU_INLINE void copy_rows(const char* from, std::ptrdiff_t stride, int last, int m, const double* led,
                            const Scaling* scalings, double* panel) {
    const Longs first = {-1};
    for (int r = 0; r < m; ++r)
        ETAMU_UNROLL
        for (int s = 0; s < COUNT; ++s) {
            Doubles row[PER_ROW];
            const char* at = from + r * stride + s * std::ptrdiff_t(SLIVER * sizeof(T));
            if (s + 1 < COUNT || last == SLIVER)
                read_row(at, SLIVER, T(), row);
            else
                read_row(at, last, T(), row);
            if (s == 0 && led) row[0] = first ? all<Doubles>(*led) : row[0];
            ETAMU_UNROLL
            for (int k = 0; k < PER_ROW; ++k)
                store(panel + (std::ptrdiff_t(s) * TILE + r) * SLIVER + k * LANES,
                      SCALED ? scalings[s](row[k], k) : row[k]);
        }
}

// A column as doubles in a row of the buffer.
template <class T>
ETAMU_INLINE void convert(const char* from, std::ptrdiff_t stride, int m, double* out) {
    if (stride == static_cast<std::ptrdiff_t>(sizeof(T))) {
        for (int r = 0; r < m; ++r) {
            T value;
            std::memcpy(&value, from + r * sizeof(T), sizeof value);
            out[r] = static_cast<double>(value);
        }
        return;
    }
    for (int r = 0; r < m; ++r) {
        T value;
        std::memcpy(&value, from + r * stride, sizeof value);
        out[r] = static_cast<double>(value);
    }
}

// 8 rows of 8 columns, read along the columns and written along the rows.
template <bool SCALED>
ETAMU_INLINE void turn_rows(const char* const (&from)[SLIVER], std::ptrdiff_t row, const Scaling& scaling, double* out) {
    ETAMU_UNROLL
    for (int part = 0; part < PER_ROW; ++part)  // of the rows
        ETAMU_UNROLL
        for (int k = 0; k < PER_ROW; ++k) {  // of the columns
            Doubles square[LANES];
            ETAMU_UNROLL
            for (int c = 0; c < LANES; ++c)
                square[c] = load<Doubles>(from[k * LANES + c] + (row + part * LANES) * std::ptrdiff_t(sizeof(double)));
            turn(square);
            ETAMU_UNROLL
            for (int r = 0; r < LANES; ++r)
                store(out + (part * LANES + r) * SLIVER + k * LANES, SCALED ? scaling(square[r], k) : square[r]);
        }
}

template <bool SCALED>
ETAMU_INLINE void pack_columns(const Column* columns, int count, std::int64_t start, int m, const Scaling& scaling,
                               double* panel) {
    alignas(64) double buffer[SLIVER][TILE];
    const char* from[SLIVER];
    for (int c = 0; c < SLIVER; ++c) {
        from[c] = reinterpret_cast<const char*>(buffer[c]);
        if (c >= count) {
            for (int r = 0; r < m; ++r) buffer[c][r] = 0;
            continue;
        }
        const Column& column = columns[c];
        const char* first = column.data + start * column.stride;
        if (column.type == Type::f64 && column.stride == sizeof(double))
            from[c] = first;
        else
            with_type(column.type, [&](auto kind) { convert<decltype(kind)>(first, column.stride, m, buffer[c]); });
    }
    const int full = m / 8 * 8;
    for (int r = 0; r < full; r += 8) turn_rows<SCALED>(from, r, scaling, panel + r * SLIVER);
    if (full == m) return;
    double last[SLIVER][8] = {};
    for (int c = 0; c < SLIVER; ++c) {
        std::memcpy(last[c], from[c] + full * sizeof(double), static_cast<std::size_t>(m - full) * sizeof(double));
        from[c] = reinterpret_cast<const char*>(last[c]);
    }
    turn_rows<SCALED>(from, 0, scaling, panel + full * SLIVER);
}

// Neighbours of one row-major array from column 0 on, up to AT_ONCE slivers at a time. Where `led`, `from` points one
// double before row 0 of the tile; before the `very_first` row of all there may be nothing, and nothing is read.
constexpr int AT_ONCE = 4;
// Lines of the next tile to ask for while so many rows of these are read: a fifth.
constexpr int REQUESTS = 12;

template <class T, bool SCALED, int COUNT>
ETAMU_INLINE void copy_slivers(const char* from, std::ptrdiff_t stride, int columns, int m, const double* led,
                               bool very_first, const double* shift, const double* factor, double* panel) {
    const int last = columns - (COUNT - 1) * SLIVER;
    Scaling scalings[COUNT];
    ETAMU_UNROLL
    for (int s = 0; s < COUNT; ++s)
        if (SCALED) scalings[s] = Scaling(shift, factor, s * SLIVER, s + 1 < COUNT ? SLIVER : last);
    if (led && very_first) {
        T row[COUNT * SLIVER];
        std::memcpy(row + 1, from + sizeof(T), static_cast<std::size_t>(columns - 1) * sizeof(T));
        row[0] = static_cast<T>(*led);
        copy_rows<T, SCALED, COUNT>(reinterpret_cast<const char*>(row), 0, last, 1, led, scalings, panel);
        from += stride, panel += SLIVER, --m;
    }
    copy_rows<T, SCALED, COUNT>(from, stride, last, m, led, scalings, panel);
}

template <class T, bool SCALED>
ETAMU_INLINE void copy_neighbours(const Column& column, int columns, std::int64_t start, int m, const double* led,
                                  const double* shift, const double* factor, double* panel, Ahead& ahead) {
    // So many rows go through all slivers before the next ones that reads run along the rows.
    const int at_once = columns <= AT_ONCE * SLIVER ? m : columns >= 256 ? 8 : 16;
    for (int r = 0; r < m; r += at_once)
        for (int c = 0; c < columns; c += AT_ONCE * SLIVER) {
            ask(ahead, REQUESTS);
            const int left = columns - c < AT_ONCE * SLIVER ? columns - c : AT_ONCE * SLIVER;
            const int rows = m - r < at_once ? m - r : at_once;
            const char* from = column.data + c * std::ptrdiff_t(sizeof(T)) + (start + r) * column.stride;
            double* to = panel + (std::ptrdiff_t(c) * TILE + r * SLIVER);
            const double* one = c ? nullptr : led;
            const double* by = shift ? shift + c : nullptr;
            const double* times = factor ? factor + c : nullptr;
            const bool first = start + r == 0;
            switch ((left + SLIVER - 1) / SLIVER) {
                case 1: copy_slivers<T, SCALED, 1>(from, column.stride, left, rows, one, first, by, times, to); break;
                case 2: copy_slivers<T, SCALED, 2>(from, column.stride, left, rows, one, first, by, times, to); break;
                case 3: copy_slivers<T, SCALED, 3>(from, column.stride, left, rows, one, first, by, times, to); break;
                default: copy_slivers<T, SCALED, 4>(from, column.stride, left, rows, one, first, by, times, to);
            }
        }
}

template <bool SCALED>
ETAMU_INLINE void pack_all(const Column* columns, int p, std::int64_t start, int m, const double* shift,
                           const double* factor, double* panel, Ahead& ahead) {
    for (int j = 0; j < p;) {
        // One number for all rows, followed by rows of neighbours: they go together.
        const bool led = columns[j].stride == 0 && columns[j].type == Type::f64 && j + 1 < p &&
                         columns[j + 1].type == Type::f64 && columns[j + 1].stride != 0;
        const int run = led ? 1 + neighbours(columns + j + 1, p - j - 1) : neighbours(columns + j, p - j);
        // Whole slivers, or the last one: a sliver shared with other arrays is packed column by column.
        const int together = j + run == p ? run : run / SLIVER * SLIVER;
        const Column column = led ? Column{columns[j + 1].data - sizeof(double), columns[j + 1].stride, Type::f64}
                                  : columns[j];
        if (together < 2 || (led && run < 3)) {
            const int count = at_most_sliver(p - j);
            pack_columns<SCALED>(columns + j, count, start, m, Scaling(shift, factor, j, count),
                                 panel + std::ptrdiff_t(j) * TILE);
            j += SLIVER;
            continue;
        }
        const double* one = led ? reinterpret_cast<const double*>(columns[j].data) : nullptr;
        with_type(column.type, [&](auto kind) {
            copy_neighbours<decltype(kind), SCALED>(column, together, start, m, one, shift ? shift + j : nullptr,
                                                    factor ? factor + j : nullptr, panel + std::ptrdiff_t(j) * TILE, ahead);
        });
        j += (together + SLIVER - 1) / SLIVER * SLIVER;
    }
}

void pack(const Column* columns, int p, std::int64_t start, int m, const double* shift, const double* factor,
          double* panel, Ahead& ahead) {
    if (shift || factor)
        pack_all<true>(columns, p, start, m, shift, factor, panel, ahead);
    else
        pack_all<false>(columns, p, start, m, nullptr, nullptr, panel, ahead);
    for (int s = 0; s < padded(p); s += SLIVER)  // the rows that fill the last group of 8
        for (int k = m * SLIVER; k < (m + 7) / 8 * 8 * SLIVER; ++k) panel[std::ptrdiff_t(s) * TILE + k] = 0;
}

void narrow(const double* panel, int p, int m, float* panel32) {
    const int rows = (m + 7) / 8 * 8;
    for (int s = 0; s < p; s += SLIVER32)
        for (int half = 0; half < 2; ++half) {
            const int j = s + half * SLIVER;
            const double* from = panel + std::ptrdiff_t(j) * TILE;
            float* to = panel32 + std::ptrdiff_t(s) * TILE + half * SLIVER;
            for (int r = 0; r < rows; ++r, from += SLIVER, to += SLIVER32)
                ETAMU_UNROLL
                for (int k = 0; k < PER_ROW; ++k)
                    store(to + k * LANES,
                          j < p ? __builtin_convertvector(load<Doubles>(from + k * LANES), HalfFloats) : HalfFloats{});
        }
}

}  // namespace

}  // namespace etamu::ETAMU_ISA
