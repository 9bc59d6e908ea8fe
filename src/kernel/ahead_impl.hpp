// Fetching the next tile of the caller's memory while this one is computed with.
//
// Packing waits for memory, a Gram only computes: taking turns, each leaves the other's part of the machine idle. So the
// innermost loop of a Gram asks for one cache line of the next tile per row. Asking is free of risk: a line that is
// never used costs a little time, an address that does not exist costs nothing.
#pragma once

#include "column.hpp"
#include "simd.hpp"
#include "verbs.hpp"

namespace etamu::ETAMU_ISA {

namespace {

ETAMU_INLINE std::ptrdiff_t size_of(Type type) {
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
ETAMU_INLINE int neighbours(const Column* columns, int p) {
    const std::ptrdiff_t size = size_of(columns->type);
    int count = 1;
    while (count < p && columns[count].type == columns->type && columns[count].stride == columns->stride &&
           reinterpret_cast<std::intptr_t>(columns[count].data) - reinterpret_cast<std::intptr_t>(columns->data) ==
               count * size)
        ++count;
    return count;
}

// Stretches of memory, walked line by line.
class Fetch {
   public:
    // Spread over `rows` rows: too many requests at once would stop the computation, which has its own to make.
    // Without `rows` whole lines are asked for, as many at a time as `ask` is told.
    ETAMU_INLINE explicit Fetch(const Ahead* ahead, int rows = 1) {
        if (!ahead || ahead->rows <= 0 || rows <= 0) return;
        std::ptrdiff_t all = 0;
        for (int j = 0; j < ahead->count && count_ < MOST;) {
            const Column& column = ahead->columns[j];
            const int run = neighbours(ahead->columns + j, ahead->count - j);
            j += run;
            const std::ptrdiff_t wide = run * size_of(column.type), step = column.stride;
            const std::ptrdiff_t size = step < 0 ? -step : step, last = (ahead->rows - 1) * step;
            if (size > wide + LINE) continue;  // most of what lies between the rows is not ours
            const char* first = column.data + ahead->start * step + (last < 0 ? last : 0);
            const std::ptrdiff_t bytes = (last < 0 ? -last : last) + wide;
            stretches_[count_++] = {first, bytes};
            all += bytes;
        }
        const std::ptrdiff_t even = all / rows + 1;
        step_ = even < LINE ? even : LINE;
    }

    // Where to go on, by how much per row, and for how many rows of at most `rows`.
    ETAMU_INLINE int next(int rows, const char*& at, std::ptrdiff_t& step) {
        if (now_ == count_) {
            at = reinterpret_cast<const char*>(this);  // in cache anyway
            step = 0;
            return rows;
        }
        Stretch& stretch = stretches_[now_];
        at = stretch.at;
        step = step_;
        const std::ptrdiff_t needed = (stretch.bytes + step_ - 1) / step_;
        if (needed <= rows) {
            ++now_;
            return static_cast<int>(needed);
        }
        stretch.at += rows * step_;
        stretch.bytes -= rows * step_;
        return rows;
    }

    // How many lines, at most, have not been asked for.
    ETAMU_INLINE std::ptrdiff_t left() const {
        std::ptrdiff_t lines = 0;
        for (int k = now_; k < count_; ++k) lines += stretches_[k].bytes / LINE + 1;
        return lines;
    }

    // Ask for so many lines, or for what is left.
    ETAMU_INLINE void ask(int lines) {
        for (; lines > 0 && now_ < count_; --lines) {
            Stretch& stretch = stretches_[now_];
            __builtin_prefetch(stretch.at, 0, 2);
            stretch.at += step_;
            stretch.bytes -= step_;
            if (stretch.bytes <= 0) ++now_;
        }
    }

   private:
    static constexpr int MOST = 512;
    static constexpr std::ptrdiff_t LINE = 64;
    struct Stretch {
        const char* at;
        std::ptrdiff_t bytes;
    };

    std::ptrdiff_t step_ = LINE;  // bytes per row; a line asked for again before it has come is no second request
    int count_ = 0, now_ = 0;
    Stretch stretches_[MOST];
};

}  // namespace

}  // namespace etamu::ETAMU_ISA
