#include "program.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace etamu {

namespace {

constexpr int WIDEST = 8;          // doubles in the widest vector: a tile is run in multiples of it
constexpr std::size_t MOST = 256;  // inputs and outputs together

// Bases of operands: registers, constants, tables, then inputs, then outputs.
constexpr int REGISTERS = 0, CONSTANTS = 1, TABLES = 2, FIRST = 3;

constexpr int OPERANDS[] = {
#define ETAMU_ENTRY(name, operands) operands,
    ETAMU_OPERATIONS(ETAMU_ENTRY)
#undef ETAMU_ENTRY
};
constexpr int OPERATIONS = sizeof OPERANDS / sizeof OPERANDS[0];

void demand(bool met, const char* what) {
    if (!met) throw std::invalid_argument(what);
}

}  // namespace

Program::Program(int inputs, const std::vector<double>& constants, const std::vector<int>& code,
                 const std::vector<int>& outputs, int registers, const std::vector<std::vector<double>>& tables)
    : inputs_(inputs), outputs_(static_cast<int>(outputs.size())), registers_(registers), constants_(constants.size()) {
    demand(inputs > 0 && registers >= 0 && !outputs.empty() && inputs + outputs.size() <= MOST, "wrong size");
    demand(code.size() % 5 == 0, "code comes in fives");
    for (double value : constants) broadcast_.insert(broadcast_.end(), WIDEST, value);
    std::vector<std::ptrdiff_t> starts;
    std::vector<int> octaves;
    for (const std::vector<double>& table : tables) {
        demand(table.size() > PANELS_HEAD && table[0] >= 0.0 && table[0] < 2048.0, "a table is no table");
        demand(table[1] >= 1.0 && table[1] <= 2048.0 && table[1] == std::floor(table[1]), "a table has no octaves");
        octaves.push_back(static_cast<int>(table[1]));
        demand(table.size() == PANELS_HEAD + static_cast<std::size_t>(octaves.back()) * PANELS_SPLIT * PANELS_COUNT,
               "a table of another size");
        starts.push_back(static_cast<std::ptrdiff_t>(tables_.size()));
        tables_.insert(tables_.end(), table.begin(), table.end());
    }
    const int writable = inputs + static_cast<int>(constants_);
    const int slots = writable + registers + outputs_;
    for (std::size_t at = 0; at < code.size(); at += 5) {
        const int* word = code.data() + at;
        demand(word[0] >= 0 && word[0] < OPERATIONS, "unknown operation");
        demand(word[1] >= writable && word[1] < slots, "a target is no register");
        Step step{static_cast<Operation>(word[0]), 0, operand(word[1]), {}, {}, {}};
        const bool poly = step.operation == Operation::poly;
        const int read = poly ? 2 : OPERANDS[word[0]];
        for (int i = 0; i < read; ++i) demand(word[2 + i] >= 0 && word[2 + i] < slots, "an operand is no slot");
        step.a = operand(word[2]);
        step.b = operand(read > 1 ? word[3] : word[2]);
        step.c = operand(read > 2 ? word[4] : word[2]);
        if (poly) {
            step.count = word[4];
            demand(word[3] >= inputs && word[4] > 0 && word[4] <= writable - word[3], "coefficients are constants");
        }
        if (step.operation == Operation::panels) {
            demand(word[3] >= 0 && word[3] < static_cast<int>(starts.size()), "no such table");
            step.b = {TABLES, 0, starts[word[3]]};
            step.count = octaves[word[3]];
        }
        steps_.push_back(step);
    }
    for (int k = 0; k < outputs_; ++k) {
        demand(outputs[k] >= 0 && outputs[k] < slots, "an output is no slot");
        const int result = writable + registers + k;
        if (outputs[k] == result) continue;
        const Operand from = operand(outputs[k]);
        steps_.push_back({Operation::copy, 0, operand(result), from, from, from});
    }
}

Operand Program::operand(int slot) const {
    if (slot < inputs_) return {FIRST + slot, 1, 0};
    slot -= inputs_;
    const int constants = static_cast<int>(constants_);
    if (slot < constants) return {CONSTANTS, 0, static_cast<std::ptrdiff_t>(slot) * WIDEST};
    slot -= constants;
    if (slot < registers_) return {REGISTERS, 1, static_cast<std::ptrdiff_t>(slot) * TILE};
    return {FIRST + inputs_ + slot - registers_, 1, 0};
}

std::size_t Program::scratch() const {
    return static_cast<std::size_t>(registers_ + inputs_ + outputs_) * TILE + WIDEST;
}

void Program::run(const Verbs& verbs, const double* const* inputs, int m, double* const* outputs,
                  double* scratch, Ahead& ahead) const {
    if (m <= 0) return;
    const std::uintptr_t misplaced = reinterpret_cast<std::uintptr_t>(scratch) % (WIDEST * sizeof(double));
    if (misplaced) scratch += WIDEST - misplaced / sizeof(double);  // no register crosses a cache line

    double* bases[FIRST + MOST];
    bases[REGISTERS] = scratch;
    bases[CONSTANTS] = const_cast<double*>(broadcast_.data());  // read only: targets are registers and results
    bases[TABLES] = const_cast<double*>(tables_.data());
    const int count = static_cast<int>(steps_.size());
    const int rows = (m + WIDEST - 1) / WIDEST * WIDEST;
    const std::size_t bytes = static_cast<std::size_t>(m) * sizeof(double);
    double* spare = scratch + static_cast<std::size_t>(registers_) * TILE;
    const bool ragged = rows != m;
    for (int i = 0; i < inputs_; ++i) {
        if (ragged) {  // the last row is repeated: it costs and signals nothing that it does not already
            double* padded = spare + static_cast<std::size_t>(i) * TILE;
            std::memcpy(padded, inputs[i], bytes);
            std::fill(padded + m, padded + rows, inputs[i][m - 1]);
            bases[FIRST + i] = padded;
        } else {
            bases[FIRST + i] = const_cast<double*>(inputs[i]);
        }
    }
    double** results = bases + FIRST + inputs_;
    for (int k = 0; k < outputs_; ++k)
        results[k] = ragged ? spare + static_cast<std::size_t>(inputs_ + k) * TILE : outputs[k];
    verbs.execute(steps_.data(), count, bases, rows, ahead);
    if (ragged)
        for (int k = 0; k < outputs_; ++k) std::memcpy(outputs[k], results[k], bytes);
}

}  // namespace etamu
