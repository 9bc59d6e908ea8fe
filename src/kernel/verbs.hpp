// What every instruction set provides: one table of plain functions on tiles of rows, chosen at run time.
//
// A tile is at most TILE rows, small enough that all it needs stays in cache. The functions write only where they are
// told, allocate nothing and know nothing of Python; whoever calls them has released the GIL and owns the memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace etamu {

constexpr int TILE = 256;  // rows handled at once

struct Verbs {
    const char* name;  // "avx512", "avx2", "neon" or "base"

    // Coded blocks (coded.hpp). A multiplier may be null: then every number is 1.

    // out = w * multiplier
    void (*coded_times)(const double* w, const double* multiplier, int m, double* out);
    // eta += beta[code] * multiplier
    void (*coded_matvec)(const std::int32_t* codes, const double* multiplier, int m, const double* beta, double* eta);
    // table[level] += v; table is [copies][levels]
    void (*coded_sum)(const std::int32_t* codes, const double* v, int m, double* table, std::int64_t levels, int copies);
    // table[a][b] += w; table is [copies][levels_a * levels_b = cells]
    void (*coded_pair)(const std::int32_t* a, const std::int32_t* b, std::int64_t levels_b, const double* w, int m,
                       double* table, std::int64_t cells, int copies);
    // table[level][0 .. 8 slivers) += w * row of panel[slivers][TILE][8]; table is [copies][levels * 8 slivers = cells]
    void (*coded_panel)(const std::int32_t* codes, const double* w, int m, const double* panel, int slivers,
                        double* table, std::int64_t cells, int copies);
    // out += factor * w * matrix[a][b], the matrix having rows of `stride` numbers; w may be null
    void (*coded_bilinear)(const std::int32_t* a, const std::int32_t* b, const double* w, int m, const double* matrix,
                           std::int64_t stride, double factor, double* out);
    // out += factor * w * (matrix[level] . row of the panel), rows of the matrix padded to 8 slivers; w may be null
    void (*coded_panel_bilinear)(const std::int32_t* codes, const double* w, int m, const double* panel, int slivers,
                                 const double* matrix, double factor, double* out);
};

// The table for this processor, or the one asked for by ETAMU_ISA=base|avx2|avx512 (tests compare them).
const Verbs& verbs();

// The table of a given instruction set, null where this build or this processor lacks it.
const Verbs* verbs_named(const char* name);

}  // namespace etamu
