// What every instruction set provides: one table of plain functions on tiles of rows, chosen at run time.
//
// A tile is at most TILE rows, small enough that all it needs stays in cache. The functions write only where they are
// told, allocate nothing and know nothing of Python; whoever calls them has released the GIL and owns the memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace etamu {

constexpr int TILE = 256;  // rows handled at once

struct Step;  // of a unit's program: program.hpp

struct Verbs {
    const char* name;  // "avx512", "avx2", "neon" or "base"

    // Run the steps of a program on `rows` rows, a multiple of 8; `bases` are what its operands lie relative to.
    void (*execute)(const Step* steps, int count, double* const* bases, int rows);
};

// The table for this processor, or the one asked for by ETAMU_ISA=base|avx2|avx512 (tests compare them).
const Verbs& verbs();

// The table of a given instruction set, null where this build or this processor lacks it.
const Verbs* verbs_named(const char* name);

}  // namespace etamu
