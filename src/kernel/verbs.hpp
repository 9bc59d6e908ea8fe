// What every instruction set provides: one table of plain functions on tiles of rows, chosen at run time.
//
// A tile is at most TILE rows, small enough that all it needs stays in cache. The functions write only where they are
// told, allocate nothing and know nothing of Python; whoever calls them has released the GIL and owns the memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace etamu {

constexpr int TILE = 128;  // rows handled at once
constexpr int PLAIN = 48;  // columns from which rows are read where they lie, if they can be

struct Column;  // column.hpp
struct Step;  // of a unit's program: program.hpp
struct Ahead;  // what to fetch meanwhile: ahead.hpp
struct Plain;  // rows that need not be packed: plain.hpp

struct Verbs {
    const char* name;  // "amx", "avx512", "avx2" or "base"

    // Dense columns; panels and their sizes are described in dense.hpp. m <= TILE always; w may have any sign, and
    // null means ones. Verbs that are given an `ahead` fetch what is packed next meanwhile. Every verb but pack, narrow and bilinear_prepare adds to what stands in its last argument.

    // Rows start, ..., start + m - 1 of p columns as a panel of (x - shift) * factor; either may be null.
    void (*pack)(const Column* columns, int p, std::int64_t start, int m, const double* shift, const double* factor,
                 double* panel, Ahead& ahead);
    // A panel rounded to floats.
    void (*narrow)(const double* panel, int p, int m, float* panel32);
    // eta[m] += X beta; beta has p entries.
    void (*panel_matvec)(const double* panel, int p, int m, const double* beta, double* eta, Ahead& ahead);
    // out[p] += X' v; v has m entries.
    void (*panel_rmatvec)(const double* panel, int p, int m, const double* v, double* out, Ahead& ahead);
    // gram[padded(p)][padded(p)] += X' diag(w) X on and above the diagonal; below it anything may be added.
    void (*panel_gram)(const double* panel, int p, int m, const double* w, double* gram);
    // The same, fetching ahead: a tenth to a fifth faster where data come from memory.
    void (*panel_gram_ahead)(const double* panel, int p, int m, const double* w, double* gram, Ahead& ahead);
    // The same where each term may be wrong by a share of 1e-13 of the largest one of its columns in the tile, by whole
    // numbers (digits_impl.hpp); false, and nothing added, where that is not faster or cannot be. `room` is working memory,
    // whole_room(p) doubles.
    std::size_t (*whole_room)(int p);
    bool (*whole_add)(const double* panel, int p, int m, const double* w, double* room, double* gram);
    // A Gram that only serves a step, and may be wrong by a share of 4e-5 in each term, or, if `coarse`, of 8e-3: float32, or
    // what is faster here. `room` is working memory, step_room(p) doubles that begin as zeros; rows added arrive in the Gram
    // after step_finish.
    std::size_t (*step_room)(int p);
    void (*step_add)(const double* panel, int p, int m, const double* w, bool coarse, double* room, double* gram,
                     Ahead& ahead);
    void (*step_finish)(int p, double* room, double* gram);
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
    // Run the steps of a program on `rows` rows, a multiple of 8; `bases` are what its operands lie relative to.
    void (*execute)(const Step* steps, int count, double* const* bases, int rows, Ahead& ahead);
    // Coded blocks (coded.hpp). A multiplier may be null: then every number is 1.

    // out = the codes of m rows that lie side by side in a byte each, with or without sign
    void (*codes_of_bytes)(const std::int8_t* from, int m, std::int32_t* out);
    // out = first * count + next: two factors as one, the second of which has so many levels; out may be first
    void (*codes_joined)(const std::int32_t* first, const std::int32_t* next, std::int32_t count, int m, std::int32_t* out);
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

    // What a pass does to a tile besides its blocks (pass.cpp). w null means ones.

    // Whether every eta is finite and inside (lower, upper), an end included where said.
    bool (*rows_inside)(const double* eta, int m, double lower, double upper, bool with_lower, bool with_upper);
    // The smallest and the largest number, NaN twice where one is NaN; inf and -inf of none.
    void (*rows_ends)(const double* v, std::int64_t n, double* least, double* most);
    // The sum of v w.
    double (*rows_sum)(const double* v, const double* w, int m);
    // out = v w
    void (*rows_times)(const double* v, const double* w, int m, double* out);
    // The sum of w score^2 / expected, 0 where the score is 0.
    double (*rows_pearson)(const double* score, const double* expected, const double* w, int m);
    // cell = cell size + y; the largest cell, -1 where a y is no whole number of 0, ..., size - 1.
    std::int32_t (*rows_cells)(const double* y, int m, std::int32_t size, std::int32_t* cells);
    // table[cell] += w for the cells 0, ..., most, which are few.
    void (*rows_tally)(const std::int32_t* cells, const double* w, int m, std::int32_t most, double* table);
    // Add rows less a pivot to sums and squares, and to the extremes; every argument is padded(p) long.
    void (*panel_moments)(const double* panel, int p, int m, const double* pivot, double* sum, double* square,
                          double* low, double* high);
    // out[m] += x'x row by row.
    void (*panel_squares)(const double* panel, int p, int m, double* out);
    // extent = the larger of itself and every |x| of the column; it is padded(p) long.
    void (*panel_extent)(const double* panel, int p, int m, double* extent);
    // Both, the panel read once.
    void (*panel_extent_squares)(const double* panel, int p, int m, double* extent, double* out);

    // Square matrices of some hundred columns, row-major (triangle_impl.hpp).

    // R upper triangular with R'R = D^-1 A D^-1, from the upper triangle of A; false where a number is not finite or a
    // pivot not positive.
    bool (*triangle_factor)(const double* matrix, const double* diagonal, int p, double* out);
    // R^-1
    void (*triangle_inverse)(const double* upper, int p, double* out);
    // R R'
    void (*triangle_square)(const double* upper, int p, double* out);
    // Whether a matrix is its own transpose; what is NaN is not.
    bool (*symmetric)(const double* matrix, int p);
    // Solve R x = b, or R'x = b, in place.
    void (*triangle_solve)(const double* upper, int p, bool transposed, double* x);

    // Rows that need not be packed (plain.hpp), of which the factors are not yet taken.

    // eta[m] += X beta; beta has the factors
    void (*plain_matvec)(const Plain& rows, int m, const double* beta, double* eta);
    // out[p] += X'v, to be multiplied by the factors
    void (*plain_rmatvec)(const Plain& rows, int m, const double* v, double* out);
    // As panel_extent_squares, with the factors.
    void (*plain_extent_squares)(const Plain& rows, int m, double* extent, double* out);
    // As step_add, with the factors, of at least PLAIN columns; null where panels do as well.
    void (*plain_step_add)(const Plain& rows, int m, const double* w, bool coarse, double* room, double* gram,
                           Ahead& ahead);
};

// The table for this processor, or the one asked for by ETAMU_ISA=base|avx2|avx512|amx (tests compare them).
const Verbs& verbs();

// The table of a given instruction set, null where this build or this processor lacks it.
const Verbs* verbs_named(const char* name);

}  // namespace etamu
