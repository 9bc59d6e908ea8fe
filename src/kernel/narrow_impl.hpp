// X' diag(w) X of a panel of one sliver, where a row is one vector: a row is weighted in its register and meets its own
// numbers one by one. Nothing is written beside the sums, and columns that are not there are not multiplied.
#pragma once

#include "ahead.hpp"
#include "dense.hpp"
#include "simd.hpp"

namespace etamu::ETAMU_ISA {

namespace {

template <int P>
ETAMU_INLINE void narrow_rows(const double* panel, int m, const double* w, double* gram, Ahead& ahead) {
    constexpr int SETS = P <= 3 ? 4 : 2;  // of sums that take turns: few would wait for one another
    Doubles sums[SETS][P] = {};
    int r = 0;
    const auto add = [&](int row, Doubles (&to)[P]) {
        const double* x = panel + std::ptrdiff_t(row) * SLIVER;
        Doubles right = load<Doubles>(x);
        if (w) right *= all<Doubles>(w[row]);
        ETAMU_UNROLL
        for (int i = 0; i < P; ++i) to[i] += all<Doubles>(x[i]) * right;
    };
    for (; r + SETS <= m; r += SETS) {
        ask(ahead, 1);
        ETAMU_UNROLL
        for (int s = 0; s < SETS; ++s) add(r + s, sums[s]);
    }
    for (; r < m; ++r) add(r, sums[0]);
    ETAMU_UNROLL
    for (int i = 0; i < P; ++i) {
        ETAMU_UNROLL
        for (int s = 1; s < SETS; ++s) sums[0][i] += sums[s][i];
        store(gram + i * SLIVER, load<Doubles>(gram + i * SLIVER) + sums[0][i]);
    }
}

// Whether the Gram of p columns is one of those.
constexpr bool narrow_panel(int p) { return LANES == SLIVER && p > 0 && p <= SLIVER; }

void narrow_gram(const double* panel, int p, int m, const double* w, double* gram, Ahead& ahead) {
    switch (p) {
        case 1: return narrow_rows<1>(panel, m, w, gram, ahead);
        case 2: return narrow_rows<2>(panel, m, w, gram, ahead);
        case 3: return narrow_rows<3>(panel, m, w, gram, ahead);
        case 4: return narrow_rows<4>(panel, m, w, gram, ahead);
        case 5: return narrow_rows<5>(panel, m, w, gram, ahead);
        case 6: return narrow_rows<6>(panel, m, w, gram, ahead);
        case 7: return narrow_rows<7>(panel, m, w, gram, ahead);
        default: return narrow_rows<8>(panel, m, w, gram, ahead);
    }
}

}  // namespace

}  // namespace etamu::ETAMU_ISA
