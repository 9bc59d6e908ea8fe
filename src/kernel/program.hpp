// A unit (a family with a link) as a straight-line program, run tile by tile: y columns and eta in; value, score and
// information out.
//
// Python traces the unit once (etamu.family.program) and hands over the finished program: constants folded, common
// parts shared, registers allotted. Here it is only run: each step is one vector loop over the rows of a tile, whose
// registers stay in the first-level cache. Nothing traps: both sides of a `where` are computed, one is taken.
#pragma once

#include <cstddef>
#include <vector>

#include "step.hpp"
#include "verbs.hpp"

namespace etamu {

class Program {
  public:
    // Slots are numbered through: inputs, constants, registers, one result per output. `code` holds five numbers per
    // step: operation, target slot, three operand slots (a polynomial: its argument, first coefficient, how many).
    // `outputs[k]` is the slot of output k, best its own result slot. Throws std::invalid_argument at the first
    // number out of range, so that no program can read or write elsewhere. `tables` are those of etamu.family.panels,
    // flat; a step that reads one names its number in place of its second operand.
    Program(int inputs, const std::vector<double>& constants, const std::vector<int>& code,
            const std::vector<int>& outputs, int registers, const std::vector<std::vector<double>>& tables = {});

    int inputs() const { return inputs_; }    // the columns of the response, then eta
    int outputs() const { return outputs_; }  // as asked for when it was traced
    std::size_t steps() const { return steps_.size(); }

    // Doubles of working memory a run needs: the registers, and room for a ragged last tile.
    std::size_t scratch() const;

    // Run m <= TILE rows: inputs[i][0..m) -> outputs[k][0..m). Any alignment; nothing outside these rows is touched.
    // Outputs may not overlap inputs. Meanwhile what is ahead is asked for. Allocates nothing; many threads may share a program, each with its scratch.
    void run(const Verbs& verbs, const double* const* inputs, int m, double* const* outputs, double* scratch,
             Ahead& ahead) const;

  private:
    Operand operand(int slot) const;

    int inputs_, outputs_, registers_;
    std::size_t constants_;
    std::vector<double> broadcast_;  // every constant eight times: the widest vector
    std::vector<double> tables_;     // one after the other
    std::vector<Step> steps_;
};

}  // namespace etamu
