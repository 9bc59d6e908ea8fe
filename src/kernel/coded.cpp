#include "coded.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

namespace etamu {

namespace {

template <class T>
T at(const char* place) {
    T value;
    std::memcpy(&value, place, sizeof value);
    return value;
}

template <class T, class Out>
void read(const Strided& column, std::int64_t start, int m, Out* out) {
    const char* place = column.data + start * column.stride;
    if (column.stride == static_cast<std::ptrdiff_t>(sizeof(T))) {
        for (int i = 0; i < m; ++i) out[i] = static_cast<Out>(at<T>(place + i * sizeof(T)));
        return;
    }
    for (int i = 0; i < m; ++i, place += column.stride) out[i] = static_cast<Out>(at<T>(place));
}

template <class Out>
void read_any(const Strided& column, std::int64_t start, int m, Out* out) {
    switch (column.type) {
        case Number::I8: return read<std::int8_t>(column, start, m, out);
        case Number::I16: return read<std::int16_t>(column, start, m, out);
        case Number::I32: return read<std::int32_t>(column, start, m, out);
        case Number::I64: return read<std::int64_t>(column, start, m, out);
        case Number::U8: return read<std::uint8_t>(column, start, m, out);
        case Number::U16: return read<std::uint16_t>(column, start, m, out);
        case Number::U32: return read<std::uint32_t>(column, start, m, out);
        case Number::U64: return read<std::uint64_t>(column, start, m, out);
        case Number::F32: return read<float>(column, start, m, out);
        case Number::F64: return read<double>(column, start, m, out);
        case Number::BOOL: return read<std::uint8_t>(column, start, m, out);
    }
}

// Tables of up to 8 KiB are kept four times, up to 512 KiB twice: the copies stay in the first and second cache.
constexpr std::int64_t FOURFOLD = 1024, TWOFOLD = 65536;
// A pair is summed sparsely above 4 MiB, where fewer than one cell in eight can be met.
constexpr std::int64_t LARGE = std::int64_t{1} << 19, EMPTY = 8;

}  // namespace

void decode_codes(const Verbs& use, const Strided& column, std::int64_t start, int m, std::int32_t* codes) {
    if (column.type == Number::I8 && column.stride == 1)  // what pandas makes of up to 127 levels
        return use.codes_of_bytes(reinterpret_cast<const std::int8_t*>(column.data) + start, m, codes);
    read_any(column, start, m, codes);
}

const double* decode_multiplier(const Strided& column, double scale, std::int64_t start, int m, double* out) {
    if (column.data == nullptr) {
        if (scale == 1.0) return nullptr;
        std::fill(out, out + m, 1.0 / scale);
        return out;
    }
    read_any(column, start, m, out);
    if (scale != 1.0)
        for (int i = 0; i < m; ++i) out[i] /= scale;
    return out;
}

namespace {

template <class T>
bool in_range(const Strided& column, std::int64_t n, std::int64_t levels) {
    using Unsigned = std::make_unsigned_t<T>;  // a negative code is a large one: one comparison tells of both ends
    const char* place = column.data;
    Unsigned most = 0;
    if (column.stride == static_cast<std::ptrdiff_t>(sizeof(T))) {
        for (std::int64_t i = 0; i < n; ++i) {
            const Unsigned code = at<Unsigned>(place + i * sizeof(T));
            most = code > most ? code : most;
        }
    } else {
        for (std::int64_t i = 0; i < n; ++i, place += column.stride) {
            const Unsigned code = at<Unsigned>(place);
            most = code > most ? code : most;
        }
    }
    if (n == 0) return true;
    const bool negative = std::is_signed_v<T> && most > static_cast<Unsigned>(std::numeric_limits<T>::max());
    return !negative && static_cast<std::uint64_t>(most) < static_cast<std::uint64_t>(levels);
}

}  // namespace

bool codes_in_range(const Strided& column, std::int64_t n, std::int64_t levels) {
    switch (column.type) {
        case Number::I8: return in_range<std::int8_t>(column, n, levels);
        case Number::I16: return in_range<std::int16_t>(column, n, levels);
        case Number::I32: return in_range<std::int32_t>(column, n, levels);
        case Number::I64: return in_range<std::int64_t>(column, n, levels);
        case Number::U8: case Number::BOOL: return in_range<std::uint8_t>(column, n, levels);
        case Number::U16: return in_range<std::uint16_t>(column, n, levels);
        case Number::U32: return in_range<std::uint32_t>(column, n, levels);
        case Number::U64: return in_range<std::uint64_t>(column, n, levels);
        default: return false;  // codes are integers
    }
}

int copies_of(std::int64_t cells) { return cells <= FOURFOLD ? 4 : cells <= TWOFOLD ? 2 : 1; }

void fold(double* table, std::int64_t cells, int copies) {
    for (int c = 1; c < copies; ++c)
        for (std::int64_t i = 0; i < cells; ++i) table[i] += table[c * cells + i];
}

bool sparse_pair(std::int64_t levels_a, std::int64_t levels_b, std::int64_t rows) {
    const double cells = static_cast<double>(levels_a) * static_cast<double>(levels_b);
    return cells > static_cast<double>(LARGE) && cells > static_cast<double>(EMPTY) * static_cast<double>(rows);
}

namespace {

constexpr int DIGIT = 11;  // bits sorted at once: 2,048 counters stay in the first cache
constexpr std::size_t PATIENCE = std::size_t{1} << 18;

// Sort by cell, least digit first, keeping the order of equal cells.
void sort_by_cell(std::vector<SparseTable::Entry>& entries) {
    std::int64_t largest = 0;
    for (const auto& entry : entries) largest = std::max(largest, entry.cell);
    std::vector<SparseTable::Entry> other(entries.size());
    for (int shift = 0; shift < 63 && largest >> shift > 0; shift += DIGIT) {
        std::size_t first[std::size_t{1} << DIGIT] = {};
        for (const auto& entry : entries) ++first[entry.cell >> shift & ((1 << DIGIT) - 1)];
        std::size_t start = 0;
        for (std::size_t& count : first) {
            const std::size_t here = count;
            count = start;
            start += here;
        }
        for (const auto& entry : entries) other[first[entry.cell >> shift & ((1 << DIGIT) - 1)]++] = entry;
        entries.swap(other);
    }
}

}  // namespace

void SparseTable::add(const std::int32_t* a, const std::int32_t* b, std::int64_t levels_b, const double* w, int m) {
    // Merged when as many rows came as cells were known: every row is sorted about twice in all.
    if (entries_.size() - merged_ > std::max(merged_, PATIENCE)) finish();
    for (int i = 0; i < m; ++i) entries_.push_back({a[i] * levels_b + b[i], w[i]});
}

void SparseTable::finish() {
    sort_by_cell(entries_);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (kept > 0 && entries_[kept - 1].cell == entries_[i].cell) entries_[kept - 1].value += entries_[i].value;
        else entries_[kept++] = entries_[i];
    }
    entries_.resize(kept);
    merged_ = kept;
}

}  // namespace etamu
