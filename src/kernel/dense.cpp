#include "dense.hpp"

namespace etamu {

void gram_finish(const double* gram, int p, double* out) {
    const std::ptrdiff_t wide = padded(p), n = p;
    // By squares of 16, so that neither the rows nor the columns leave the cache.
    constexpr std::ptrdiff_t SQUARE = 16;
    for (std::ptrdiff_t i0 = 0; i0 < n; i0 += SQUARE)
        for (std::ptrdiff_t j0 = i0; j0 < n; j0 += SQUARE)
            for (std::ptrdiff_t i = i0; i < n && i < i0 + SQUARE; ++i)
                for (std::ptrdiff_t j = j0 < i ? i : j0; j < n && j < j0 + SQUARE; ++j)
                    out[i * n + j] = out[j * n + i] = gram[i * wide + j];
}

void cross_finish(const double* cross, int pa, int pb, double* out) {
    const std::ptrdiff_t wide = padded(pb);
    for (std::ptrdiff_t i = 0; i < pa; ++i)
        for (std::ptrdiff_t j = 0; j < pb; ++j) out[i * pb + j] = cross[i * wide + j];
}

}  // namespace etamu
