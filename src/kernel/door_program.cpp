// _kernel.Program: a traced unit as Python sees it, run on whole columns.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "ahead.hpp"
#include "program.hpp"
#include "verbs.hpp"

namespace nb = nanobind;

namespace etamu {

namespace {

using Given = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Result = nb::ndarray<nb::numpy, double, nb::ndim<1>>;

// Run whole columns; a column of one row is that row for all.
std::vector<Result> run_columns(const Program& program, const std::vector<Given>& columns, const std::string& isa) {
    if (static_cast<int>(columns.size()) != program.inputs()) throw std::invalid_argument("wrong number of columns");
    const Verbs* verbs = isa.empty() ? &etamu::verbs() : verbs_named(isa.c_str());
    if (!verbs) throw std::invalid_argument("this build or this processor has no instruction set " + isa);
    std::size_t n = 1;
    for (const Given& column : columns)
        if (column.size() != 1) n = column.size();
    for (const Given& column : columns)
        if (column.size() != n && column.size() != 1) throw std::invalid_argument("columns differ in length");

    const std::size_t inputs = columns.size(), outputs = static_cast<std::size_t>(program.outputs());
    std::vector<std::unique_ptr<double[]>> results;
    for (std::size_t k = 0; k < outputs; ++k) results.emplace_back(new double[std::max<std::size_t>(n, 1)]);
    std::vector<const double*> from;
    for (const Given& column : columns) from.push_back(column.data());
    {
        nb::gil_scoped_release released;
        Ahead none;
        std::vector<double> scratch(program.scratch()), repeated(inputs * TILE);
        for (std::size_t i = 0; i < inputs; ++i)
            if (columns[i].size() == 1 && n > 1)
                std::fill_n(repeated.begin() + static_cast<std::ptrdiff_t>(i * TILE), TILE, from[i][0]);
        std::vector<const double*> tile(inputs);
        std::vector<double*> to(outputs);
        for (std::size_t start = 0; start < n; start += TILE) {
            const int m = static_cast<int>(std::min<std::size_t>(TILE, n - start));
            for (std::size_t i = 0; i < inputs; ++i)
                tile[i] = columns[i].size() == 1 && n > 1 ? repeated.data() + i * TILE : from[i] + start;
            for (std::size_t k = 0; k < outputs; ++k) to[k] = results[k].get() + start;
            program.run(*verbs, tile.data(), m, to.data(), scratch.data(), none);
        }
    }
    std::vector<Result> given;
    for (auto& result : results) {
        nb::capsule owner(result.get(), [](void* memory) noexcept { delete[] static_cast<double*>(memory); });
        given.emplace_back(result.release(), std::initializer_list<std::size_t>{n}, owner);
    }
    return given;
}

}  // namespace

void register_program(nb::module_& module) {
    nb::dict operations;
    int code = 0;
#define ETAMU_ENTRY(name, operands) operations[#name] = code++;
    ETAMU_OPERATIONS(ETAMU_ENTRY)
#undef ETAMU_ENTRY
    module.attr("OPERATIONS") = operations;
    nb::class_<Program>(module, "Program", "A traced unit: a straight-line program over the rows of a tile.")
        .def(nb::init<int, const std::vector<double>&, const std::vector<int>&, const std::vector<int>&, int,
                      const std::vector<std::vector<double>>&>(),
             nb::arg("inputs"), nb::arg("constants"), nb::arg("code"), nb::arg("outputs"), nb::arg("registers"),
             nb::arg("tables") = std::vector<std::vector<double>>{})
        .def_prop_ro("inputs", &Program::inputs)
        .def_prop_ro("outputs", &Program::outputs)
        .def_prop_ro("scratch", &Program::scratch)
        .def("run", &run_columns, nb::arg("columns"), nb::arg("isa") = "",
             "Run float64 columns of one length (or of one row, for all rows); return one array per output.");
}

}  // namespace etamu
