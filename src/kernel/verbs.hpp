// What every instruction set provides: one table of plain functions on tiles of rows, chosen at run time.
//
// A tile is at most TILE rows, small enough that all it needs stays in cache. The functions write only where they are
// told, allocate nothing and know nothing of Python; whoever calls them has released the GIL and owns the memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace etamu {

constexpr int TILE = 256;  // rows handled at once

struct Column;  // column.hpp

// Rows start, ..., start + rows - 1 of some columns, to be fetched into cache while something else is computed.
struct Ahead {
    const Column* columns;
    int count;
    std::int64_t start;
    int rows;  // 0 for nothing: the caller's memory ends here
};

struct Verbs {
    const char* name;  // "avx512", "avx2", "neon" or "base"

    // Dense columns; panels and their sizes are described in dense.hpp. m <= TILE always; w may have any sign, and
    // null means ones. Every verb but pack, narrow and bilinear_prepare adds to what stands in its last argument.

    // Rows start, ..., start + m - 1 of p columns as a panel of (x - shift) * factor; either may be null.
    void (*pack)(const Column* columns, int p, std::int64_t start, int m, const double* shift, const double* factor,
                 double* panel);
    // A panel rounded to floats.
    void (*narrow)(const double* panel, int p, int m, float* panel32);
    // eta[m] += X beta; beta has p entries.
    void (*panel_matvec)(const double* panel, int p, int m, const double* beta, double* eta);
    // out[p] += X' v; v has m entries.
    void (*panel_rmatvec)(const double* panel, int p, int m, const double* v, double* out);
    // gram[padded(p)][padded(p)] += X' diag(w) X on and above the diagonal; below it anything may be added.
    void (*panel_gram)(const double* panel, int p, int m, const double* w, double* gram);
    // The same from a float panel: products and sums within the tile in float (w is first brought near 1 by a power
    // of two), sums over tiles in double.
    void (*panel_gram32)(const float* panel32, int p, int m, const double* w, double* gram);
    // Both, meanwhile fetching what is packed next: a tenth to a fifth faster where data come from memory. `ahead` may
    // be null.
    void (*panel_gram_ahead)(const double* panel, int p, int m, const double* w, double* gram, const Ahead* ahead);
    void (*panel_gram32_ahead)(const float* panel32, int p, int m, const double* w, double* gram, const Ahead* ahead);
    // cross[padded(pa)][padded(pb)] += A' diag(w) B.
    void (*panel_cross)(const double* a, int pa, const double* b, int pb, int m, const double* w, double* cross);
    void (*panel_cross32)(const float* a, int pa, const float* b, int pb, int m, const double* w, double* cross);
    // Lay a row-major pa x pb matrix M out for panel_bilinear: cross_doubles(pa, pb) doubles in an order of our own.
    // With `quadratic` (then pa == pb) for panel_quadratic, which does half the work.
    void (*bilinear_prepare)(const double* matrix, int pa, int pb, bool quadratic, double* prepared);
    // out[m] += a_i' M b_i row by row, M prepared with quadratic = false.
    void (*panel_bilinear)(const double* a, int pa, const double* b, int pb, int m, const double* prepared, double* out);
    // out[m] += x_i' M x_i row by row, M prepared with quadratic = true.
    void (*panel_quadratic)(const double* panel, int p, int m, const double* prepared, double* out);
};

// The table for this processor, or the one asked for by ETAMU_ISA=base|avx2|avx512 (tests compare them).
const Verbs& verbs();

// The table of a given instruction set, null where this build or this processor lacks it.
const Verbs* verbs_named(const char* name);

}  // namespace etamu
