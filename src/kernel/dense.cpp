#include "dense.hpp"

#include <cstring>

namespace etamu {

namespace {

// Write the upper half of a matrix with rows of `wide` numbers out as both halves of one with rows of n; `out` may be the
// matrix itself, if its rows are that long already.
void mirror(const double* gram, std::ptrdiff_t n, std::ptrdiff_t wide, double* out) {
    // By squares of 16, so that neither the rows nor the columns leave the cache.
    constexpr std::ptrdiff_t SQUARE = 16;
    for (std::ptrdiff_t i0 = 0; i0 < n; i0 += SQUARE)
        for (std::ptrdiff_t j0 = i0; j0 < n; j0 += SQUARE)
            for (std::ptrdiff_t i = i0; i < n && i < i0 + SQUARE; ++i)
                for (std::ptrdiff_t j = j0 < i ? i : j0; j < n && j < j0 + SQUARE; ++j)
                    out[i * n + j] = out[j * n + i] = gram[i * wide + j];
}

}  // namespace

void gram_finish(const double* gram, int p, double* out) { mirror(gram, p, padded(p), out); }

void gram_finish_here(double* gram, int p) {
    const std::ptrdiff_t wide = padded(p), n = p;
    for (std::ptrdiff_t i = 1; i < n; ++i) std::memmove(gram + i * n + i, gram + i * wide + i, (n - i) * sizeof(double));
    mirror(gram, n, n, gram);
}

void cross_finish(const double* cross, int pa, int pb, double* out) {
    const std::ptrdiff_t wide = padded(pb);
    for (std::ptrdiff_t i = 0; i < pa; ++i)
        for (std::ptrdiff_t j = 0; j < pb; ++j) out[i * pb + j] = cross[i * wide + j];
}

}  // namespace etamu
