// Fetching the next tile of the caller's memory while this one is computed with.
//
// Packing waits for memory, all else only computes: taking turns, each leaves the other's part of the machine idle. A
// core has some 16 requests under way at most, each for the time of some hundred multiplications, so the lines of the next
// tile are asked for a few at a time, wherever there is something to compute. Asking is free of risk: a line that is
// never used costs a little time, an address that does not exist costs nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "column.hpp"

namespace etamu {

// Stretches of memory, walked line by line: what has not been asked for yet. Plain data, as verbs hand it on.
struct Ahead {
    static constexpr int MOST = 512;
    static constexpr std::ptrdiff_t LINE = 64;
    struct Stretch {
        const char* at;
        std::ptrdiff_t bytes;
    };

    std::ptrdiff_t step = LINE;  // bytes from one request to the next: a line asked for again before it has come is no second one
    int count = 0, now = 0;
    Stretch stretches[MOST];
};

// `static`: included by the files of every instruction set, and none may lend its code to another.

static inline std::ptrdiff_t size_of(Type type) {
    switch (type) {
        case Type::f64:
        case Type::i64:
        case Type::u64: return 8;
        case Type::f32:
        case Type::i32:
        case Type::u32: return 4;
        case Type::i16:
        case Type::u16: return 2;
        default: return 1;
    }
}

// How many columns from the first on are neighbours in one row-major array: a single column is none.
static inline int neighbours(const Column* columns, int p) {
    const std::ptrdiff_t size = size_of(columns->type);
    int count = 1;
    while (count < p && columns[count].type == columns->type && columns[count].stride == columns->stride &&
           reinterpret_cast<std::intptr_t>(columns[count].data) - reinterpret_cast<std::intptr_t>(columns->data) ==
               count * size)
        ++count;
    return count;
}

// Add rows start, ..., start + rows - 1 of some columns to what will be asked for.
static inline void look_ahead(Ahead& ahead, const Column* columns, int p, std::int64_t start, int rows) {
    if (rows <= 0) return;
    for (int j = 0; j < p && ahead.count < Ahead::MOST;) {
        const Column& column = columns[j];
        const int run = neighbours(columns + j, p - j);
        j += run;
        const std::ptrdiff_t wide = run * size_of(column.type), step = column.stride;
        const std::ptrdiff_t size = step < 0 ? -step : step, last = (rows - 1) * step;
        if (size > wide + Ahead::LINE) continue;  // most of what lies between the rows is not ours
        const char* first = column.data + start * step + (last < 0 ? last : 0);
        ahead.stretches[ahead.count++] = {first, (last < 0 ? -last : last) + wide};
    }
}

// How many lines, at most, have not been asked for.
static inline std::ptrdiff_t lines_left(const Ahead& ahead) {
    std::ptrdiff_t lines = 0;
    for (int k = ahead.now; k < ahead.count; ++k) lines += ahead.stretches[k].bytes / Ahead::LINE + 1;
    return lines;
}

// Ask for so many lines, or for what is left.
static inline void ask(Ahead& ahead, int lines) {
    for (; lines > 0 && ahead.now < ahead.count; --lines) {
        Ahead::Stretch& stretch = ahead.stretches[ahead.now];
        __builtin_prefetch(stretch.at, 0, 2);
        stretch.at += Ahead::LINE;
        stretch.bytes -= Ahead::LINE;
        if (stretch.bytes <= 0) ++ahead.now;
    }
}

// Spread what is left over so many rows of an innermost loop, each of which asks once.
static inline void spread(Ahead& ahead, int rows) {
    std::ptrdiff_t all = 0;
    for (int k = ahead.now; k < ahead.count; ++k) all += ahead.stretches[k].bytes;
    const std::ptrdiff_t even = rows > 0 ? all / rows + 1 : Ahead::LINE;
    ahead.step = even < Ahead::LINE ? even : Ahead::LINE;
}

// Where such a loop goes on asking, by how much per row, and for how many rows of at most `rows`.
static inline int next_rows(Ahead& ahead, int rows, const char*& at, std::ptrdiff_t& step) {
    if (ahead.now == ahead.count) {
        at = reinterpret_cast<const char*>(&ahead);  // in cache anyway
        step = 0;
        return rows;
    }
    Ahead::Stretch& stretch = ahead.stretches[ahead.now];
    at = stretch.at;
    step = ahead.step;
    const std::ptrdiff_t needed = (stretch.bytes + step - 1) / step;
    if (needed <= rows) {
        ++ahead.now;
        return static_cast<int>(needed);
    }
    stretch.at += rows * step;
    stretch.bytes -= rows * step;
    return rows;
}

}  // namespace etamu
