// The verbs compiled for one instruction set; CMake compiles this file once per set, ETAMU_ISA being its name.
#include "dense_impl.hpp"
#include "program_impl.hpp"
#include "coded_impl.hpp"
#include "pass_impl.hpp"
#include "plain_impl.hpp"
#include "simd.hpp"
#include "step_impl.hpp"
#include "triangle_impl.hpp"
#include "verbs.hpp"

namespace etamu::ETAMU_ISA {

#define ETAMU_NAME_OF(name) #name
#define ETAMU_NAME(name) ETAMU_NAME_OF(name)

const Verbs& table() {
    static const Verbs verbs = {
        ETAMU_NAME(ETAMU_ISA),
        pack,
        narrow,
        panel_matvec,
        panel_rmatvec,
        panel_gram,
        panel_gram_ahead,
        whole_room,
        whole_add,
        step_room,
        step_add,
        step_finish,
        panel_cross,
        panel_cross32,
        bilinear_prepare,
        panel_bilinear,
        panel_quadratic,
        &execute,
        codes_of_bytes,
        codes_joined,
        coded_times,
        coded_matvec,
        coded_sum,
        coded_pair,
        coded_panel,
        coded_bilinear,
        coded_panel_bilinear,
        rows_inside,
        rows_ends,
        rows_sum,
        rows_times,
        rows_pearson,
        rows_cells,
        rows_tally,
        panel_moments,
        panel_squares,
        panel_extent,
        panel_extent_squares,
        triangle_factor,
        triangle_inverse,
        triangle_square,
        symmetric,
        triangle_solve,
        plain_matvec,
        plain_rmatvec,
        plain_extent_squares,
        nullptr,
    };
    return verbs;
}

}  // namespace etamu::ETAMU_ISA
