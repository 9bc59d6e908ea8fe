// Dense columns, tile by tile: how a tile is laid out, how large its parts are, what is outside the table of verbs.
//
// A panel holds a tile of m <= TILE rows as slivers of SLIVER columns, panel[sliver][TILE][SLIVER]: the stride from one
// sliver to the next is always TILE * SLIVER, whatever m. Missing columns of the last sliver are zero, and so are rows
// m, ..., up to a multiple of 8; further rows are left as they were. A float panel has slivers of SLIVER32 columns.
//
// The verbs themselves are documented in verbs.hpp. Matrices they accumulate are row-major with padded(p) columns.
// All scratch should start on a cache line (64 bytes): correct without, slower by a third.
#pragma once

#include <cstddef>

#include "verbs.hpp"

namespace etamu {

constexpr int SLIVER = 8;
constexpr int SLIVER32 = 16;

// `static`: included by the files of every instruction set, and none may lend its code to another.

// The number of columns with padding.
static constexpr int padded(int p) { return (p + SLIVER - 1) / SLIVER * SLIVER; }

// The number of doubles of a panel, of floats of a float panel.
static constexpr std::size_t panel_doubles(int p) { return static_cast<std::size_t>(padded(p)) * TILE; }
static constexpr std::size_t panel_floats(int p) {
    return static_cast<std::size_t>((p + SLIVER32 - 1) / SLIVER32 * SLIVER32) * TILE;
}

// The number of doubles that panel_gram and panel_cross accumulate into, and of a prepared matrix of `bilinear`.
static constexpr std::size_t cross_doubles(int pa, int pb) {
    return static_cast<std::size_t>(padded(pa)) * static_cast<std::size_t>(padded(pb));
}
static constexpr std::size_t gram_doubles(int p) { return cross_doubles(p, p); }

// Turn what panel_gram accumulated into a full symmetric p x p matrix, row-major without padding.
void gram_finish(const double* gram, int p, double* out);

// The same where it lies: a second matrix for every thread would be much memory.
void gram_finish_here(double* gram, int p);

// Take the padding off what panel_cross accumulated: pa x pb, row-major.
void cross_finish(const double* cross, int pa, int pb, double* out);

}  // namespace etamu
