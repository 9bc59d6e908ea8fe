// One numeric column of a table, where it lies in the caller's memory: nothing is copied, nothing is owned.
//
// Plain data only: the verbs include this file, and it must pull in nothing that could be compiled out of line.
#pragma once

#include <cstddef>
#include <cstdint>

namespace etamu {

enum class Type : std::uint8_t { f64, f32, i8, i16, i32, i64, u8, u16, u32, u64, boolean };

struct Column {
    const char* data;       // the value of row 0; never written to, not necessarily aligned
    std::ptrdiff_t stride;  // bytes from one row to the next, of either sign
    Type type;
};

}  // namespace etamu
