// Categories as codes: what a tile of rows adds to tables indexed by level.
//
// A coded block is a code per row and perhaps a number per row (the multiplier). The fused pass decodes a tile once and
// hands it to `CodedGram`, which adds it to every table of the chunk; the tile verbs themselves stand in `Verbs`.
//
//     CodedGram gram(levels, slivers, rows);              // once per chunk of rows
//     decode_codes(...); decode_multiplier(...);          // per tile and block
//     verbs.coded_matvec(codes, multiplier, m, beta, eta);
//     gram.add(verbs, tiles, panel, w, m);                // all pairs at once
//     gram.finish();                                      // then read diagonal(a), panel(a), dense(a, b), entries(a, b)
//
// The order of every sum is the order of the rows, so that a chunk gives the same bits whoever works on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "verbs.hpp"

namespace etamu {

// The kinds of numbers a column may hold.
enum class Number : std::uint8_t { I8, I16, I32, I64, U8, U16, U32, U64, F32, F64, BOOL };

// A column wherever it lies; the stride is in bytes and may be negative or zero.
struct Strided {
    const char* data = nullptr;
    std::ptrdiff_t stride = 0;
    Number type = Number::F64;
};

// A tile of a coded block, decoded.
struct CodedTile {
    const std::int32_t* codes;  // m levels
    const double* multiplier;   // m numbers, null where all of them are 1
};

// Read the codes of rows start, ..., start + m - 1; any integer type. Levels must fit in 31 bits.
void decode_codes(const Verbs& use, const Strided& column, std::int64_t start, int m, std::int32_t* codes);

// Read multiplier / scale of the same rows. Returns `out`, or null for a column without data and a scale of 1: all are 1.
const double* decode_multiplier(const Strided& column, double scale, std::int64_t start, int m, double* out);

// Tell whether every code of a column lies in 0, ..., levels - 1; asked once per door, never per tile.
bool codes_in_range(const Strided& column, std::int64_t n, std::int64_t levels);

// How many interleaved copies a table of so many cells is kept in (4, 2 or 1): neighbouring rows that meet in one cell
// then add to different memory, instead of each waiting for the store of the row before it.
int copies_of(std::int64_t cells);

// Add the copies of a table up into the first.
void fold(double* table, std::int64_t cells, int copies);

// A table of which only the cells that occur are kept; for 10,000 x 10,000 levels.
//
// Such a table is mostly empty, so most rows bring a new cell: rows are written down as they come and from time to time
// sorted by cell and merged, which is several times faster than looking every cell up. The sort is stable: the sum of a
// cell is in the order of the rows.
class SparseTable {
  public:
    void add(const std::int32_t* a, const std::int32_t* b, std::int64_t levels_b, const double* w, int m);
    void finish();  // sort and merge; then the entries can be read
    std::int64_t size() const { return static_cast<std::int64_t>(entries_.size()); }

    struct Entry {
        std::int64_t cell;  // a * levels_b + b, ascending
        double value;
    };
    const Entry* entries() const { return entries_.data(); }

  private:
    std::vector<Entry> entries_;
    std::size_t merged_ = 0;  // how many of them the last merge left
};

// Decide whether a pair of factors is summed sparsely over so many rows: its table is large and mostly empty.
bool sparse_pair(std::int64_t levels_a, std::int64_t levels_b, std::int64_t rows);

// X'WX of the coded blocks of a chunk, and their products with its dense panel; not the dense Gram itself.
class CodedGram {
  public:
    // `plain` says of each block whether it is without multiplier in every tile; `slivers` panels of 8 dense columns (0
    // where there are none), of which column `ones` is 1 in every row (-1: none is); `rows` of the chunk decide what is
    // kept sparsely and what is summed jointly (joint.hpp).
    CodedGram(std::vector<std::int64_t> levels, const std::vector<char>& plain, int slivers, int ones, std::int64_t rows);
    ~CodedGram();
    CodedGram(CodedGram&&) noexcept;

    // Add a tile: tiles[a] is block a; panel is [slivers][TILE][8] or null; w is the weight of each row, of any sign.
    void add(const Verbs& verbs, const CodedTile* tiles, const double* panel, const double* w, int m);
    void finish();

    int blocks() const;
    std::int64_t levels(int a) const;
    const double* diagonal(int a) const;      // levels(a)
    const double* panel(int a) const;         // levels(a) x 8 slivers, row by row; null without a panel
    bool is_sparse(int a, int b) const;       // for a < b
    const double* dense(int a, int b) const;  // levels(a) x levels(b), row by row; null where sparse
    const SparseTable& entries(int a, int b) const;
    std::vector<double> taken(int a, int b);  // the table of dense(a, b), given away

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace etamu
