// A Gram that only serves a step, in float32: the panel is rounded to floats, tile by tile.
#pragma once

#include "gram_impl.hpp"
#include "pack_impl.hpp"

namespace etamu::ETAMU_ISA {

namespace {

std::size_t step_room(int p) { return (panel_floats(p) * sizeof(float) + sizeof(double) - 1) / sizeof(double); }

void step_add(const double* panel, int p, int m, const double* w, bool, double* room, double* gram, Ahead& ahead) {
    if (narrow_panel(p)) return narrow_gram(panel, p, m, w, gram, ahead);  // as fast, and no floats to make
    float* panel32 = reinterpret_cast<float*>(room);
    narrow(panel, p, m, panel32);
    product32<true>(panel32, p, panel32, p, m, w, gram, ahead);
}

void step_finish(int, double*, double*) {}

}  // namespace

}  // namespace etamu::ETAMU_ISA
