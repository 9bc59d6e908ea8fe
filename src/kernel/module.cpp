// etamu._kernel: the compiled door of the package.
//
// One file per piece registers what it offers (door_*.cpp). Where this module was not built, or with
// ETAMU_KERNEL=numpy, the NumPy twins do the same work.
//
// Read next: pass.hpp, a pass over rows; verbs.hpp, what every instruction set provides; program.hpp, units.

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "processor.hpp"
#include "verbs.hpp"

namespace etamu {
void register_dense(nanobind::module_& module);    // door_dense.cpp
void register_rows(nanobind::module_& module);     // door_rows.cpp
void register_program(nanobind::module_& module);  // door_program.cpp
void register_coded(nanobind::module_& module);    // door_coded.cpp
void register_sparse(nanobind::module_& module);   // door_sparse.cpp
}
void register_text(nanobind::module_& module);       // door_text.cpp
void register_triangles(nanobind::module_& module);  // door_triangles.cpp
void register_forms(nanobind::module_& module);      // door_forms.cpp

NB_MODULE(_kernel, module) {
    // Traced programs are cached for as long as the interpreter lives; that is no leak to tell a user of at its end.
    nanobind::set_leak_warnings(false);
    module.doc() = "The compiled door of etamu: kernels that run tile by tile, each the twin of some NumPy code.";
    module.attr("version") = ETAMU_VERSION;
    module.def("instruction_set", [] { return std::string(etamu::verbs().name); },
               "Name the instruction set whose kernels are used: 'amx', 'avx512', 'avx2' or 'base'.");
    module.def("vector_width", &etamu::vector_width,
               "Name the widest vector instructions of this processor: 'avx512', 'avx2', 'neon' or 'scalar'.");
    etamu::register_dense(module);
    etamu::register_program(module);
    etamu::register_rows(module);
    etamu::register_coded(module);
    etamu::register_sparse(module);
    register_text(module);
    register_triangles(module);
    register_forms(module);
}
