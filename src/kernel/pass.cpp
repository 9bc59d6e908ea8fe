#include "pass.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "aligned.hpp"
#include "dense.hpp"
#include "joint.hpp"
#include "unit.hpp"

namespace etamu {

namespace {

constexpr double INFINITE = std::numeric_limits<double>::infinity();

// What stands for the coded blocks without multiplier while rows are visited: joint ones of up to so many levels, so that
// a row looks up fewer numbers and adds to fewer tables.
constexpr std::int64_t JOINT = 1024;

std::vector<Joint> joint_blocks(const Rows& rows) {
    std::vector<std::int64_t> levels;
    std::vector<char> plain;
    for (int a = 0; a < rows.coded(); ++a) {
        levels.push_back(rows.block(a).levels);
        plain.push_back(rows.block(a).plain());
    }
    return packed(levels, plain, std::min(JOINT, rows.length() / 4));
}

// Coefficients as rows meet them: of the panel's columns, of the one number for all rows, of joint and of single blocks,
// of sparse columns.
struct Coefficients {
    std::vector<double> dense, factored;  // the second for rows that are not packed
    double constant = 0;
    std::vector<std::vector<double>> joint;
    std::vector<double> sparse;
    const double* raw;

    Coefficients(const Rows& rows, const std::vector<Joint>& joints, const double* beta) : raw(beta) {
        for (const std::int64_t place : rows.place()) dense.push_back(beta[place]);
        if (rows.plain()) factored = dense;
        for (std::size_t j = 0; j < factored.size(); ++j) factored[j] *= rows.plain_from(0).factor[j];
        if (rows.lone()) constant = rows.lone_number() * dense[0];
        for (const Joint& of : joints) {
            std::vector<const double*> numbers;
            for (const int a : of.members) numbers.push_back(beta + rows.block(a).place);
            joint.push_back(of.spread(numbers));
        }
        if (const Rows::SparseBlock* block = rows.sparse()) {
            sparse.resize(static_cast<std::size_t>(block->x.width));
            block->scaled(beta + block->place, sparse.data());
        }
    }
};

// A Gram of doubles takes longer than the next tile takes to come from memory, and hides it. Where none follows, tiles are
// `eager`: packing and products with vectors ask for the next one, too. That gains nothing for few columns, and of more
// than these the next tile would be gone from the second-level cache before it is read.
constexpr int FEW = 64, CACHED = 256;

bool eager(const Asked& asked) {
    return std::all_of(asked.grams.begin(), asked.grams.end(), [](const GramAsked& gram) { return gram.for_step(); });
}

// Whether a pass needs no panel: rows are read where they lie, and so is what a Gram for a step is made from.
bool unpacked(const Rows& rows, const Asked& asked) {
    return rows.plain() && (asked.grams.empty() || (eager(asked) && verbs().plain_step_add));
}

// Working memory of a pass, and the tile that lies in it. The panel leaves a lone column (Rows::lone) out, unless asked
// for with `whole`.
class Tiles {
   public:
    explicit Tiles(const Rows& rows, bool whole = false, bool eager = false, bool unpacked = false)
        : p_(rows.lone() && !whole ? 0 : rows.dense()),
          unpacked_(unpacked),
          eager_(eager && p_ > FEW && p_ <= CACHED),
          rows_(rows),
          use_(verbs()),
          joints_(joint_blocks(rows)),
          panel_(unpacked ? 0 : panel_doubles(p())),
          codes_(static_cast<std::size_t>(rows.coded()) * TILE),
          joint_codes_(joints_.size() * TILE),
          factors_(static_cast<std::size_t>(rows.coded()) * TILE),
          coded_(static_cast<std::size_t>(rows.coded())),
          where_(static_cast<std::size_t>(rows.coded())),
          joint_(joints_.size()) {
        if (rows.sparse()) sparse_.emplace(rows.sparse()->x);
    }

    int p() const { return p_; }
    const std::vector<Joint>& joints() const { return joints_; }

    // Bring rows start, ..., start + m - 1 into cache.
    void read(std::int64_t start, int m) {
        start_ = start, m_ = m;
        rows_.look_ahead(start + m, ahead_);
        if (rows_.coded()) rows_.fetch(start + m);
        if (unpacked_) plain_ = rows_.plain_from(start);
        else if (p()) rows_.pack(use_, start, m, panel_, early());
        if (sparse_) sparse_->read(start, m);
        for (int a = 0; a < rows_.coded(); ++a) {
            const Rows::CodedBlock& block = rows_.block(a);
            std::int32_t* codes = codes_.data() + static_cast<std::ptrdiff_t>(a) * TILE;
            double* factor = factors_ + static_cast<std::ptrdiff_t>(a) * TILE;
            decode_codes(use_, block.codes, start, m, codes);
            where_[static_cast<std::size_t>(a)] = codes;
            coded_[static_cast<std::size_t>(a)] = {
                codes, decode_multiplier(block.multiplier, block.scale, start, m, factor)};
        }
        for (std::size_t k = 0; k < joints_.size(); ++k)
            joint_[k] = joints_[k].code(use_, where_.data(), m, joint_codes_.data() + k * TILE);
    }

    // eta = X beta, plus the offset if asked.
    void eta(const Coefficients& beta, bool offset, double* out) {
        if (offset && rows_.offset()) {
            const double* from = rows_.offset() + start_;
            for (int r = 0; r < m_; ++r) out[r] = from[r] + beta.constant;
        } else {
            std::fill_n(out, m_, beta.constant);
        }
        if (unpacked_) use_.plain_matvec(plain_, m_, beta.factored.data(), out);
        else if (p()) use_.panel_matvec(panel_.data(), p(), m_, beta.dense.data(), out, early());
        for (std::size_t k = 0; k < joints_.size(); ++k)
            use_.coded_matvec(joint_[k], nullptr, m_, beta.joint[k].data(), out);
        for (int a = 0; a < rows_.coded(); ++a) {
            const CodedTile& tile = coded_[static_cast<std::size_t>(a)];
            const Rows::CodedBlock& block = rows_.block(a);
            if (!block.plain()) use_.coded_matvec(tile.codes, tile.multiplier, m_, beta.raw + block.place, out);
        }
        if (sparse_) sparse_->matvec(beta.sparse.data(), out);
    }

    // What the tile after this one needs, to be asked for while this one is computed with.
    Ahead& ahead() { return ahead_; }
    // The same while it is packed and multiplied by vectors, which is worth it for eager tiles only.
    Ahead& early() { return eager_ ? ahead_ : none_; }

    // The tile where it lies, null where it was packed.
    const Plain* plain() const { return unpacked_ ? &plain_ : nullptr; }
    double* panel() { return p() ? panel_.data() : nullptr; }
    const CodedTile* coded() const { return coded_.data(); }
    const std::int32_t* joint(std::size_t k) const { return joint_[k]; }
    const SparseTile* sparse() const { return sparse_ ? &*sparse_ : nullptr; }

   private:
    const int p_;
    const bool unpacked_, eager_;
    const Rows& rows_;
    const Verbs& use_;
    std::vector<Joint> joints_;
    Aligned<double> panel_;
    std::vector<std::int32_t> codes_, joint_codes_;
    Aligned<double> factors_;
    std::vector<CodedTile> coded_;
    std::vector<const std::int32_t*> where_, joint_;
    std::optional<SparseTile> sparse_;
    Ahead ahead_, none_;
    std::int64_t start_ = 0;
    int m_ = 0;
    Plain plain_{};
};

// X'v under construction.
class Scores {
   public:
    Scores(const Rows& rows, const Tiles& tiles)
        : rows_(rows), dense_(static_cast<std::size_t>(padded(rows.dense())) + SLIVER),
          sparse_(rows.sparse() ? static_cast<std::size_t>(rows.sparse()->x.width) : 0, 0.0),
          out_(static_cast<std::size_t>(rows.width()), 0.0) {
        for (const Joint& of : tiles.joints()) tables_.emplace_back(of.cells * copies_of(of.cells));
    }

    void add(const Verbs& use, Tiles& tiles, const double* v, int m) {
        if (tiles.plain()) use.plain_rmatvec(*tiles.plain(), m, v, dense_);
        else if (tiles.p()) use.panel_rmatvec(tiles.panel(), tiles.p(), m, v, dense_, tiles.early());
        else if (rows_.lone()) dense_[0] += rows_.lone_number() * use.rows_sum(v, nullptr, m);
        for (std::size_t k = 0; k < tables_.size(); ++k) {
            const std::int64_t cells = tiles.joints()[k].cells;
            use.coded_sum(tiles.joint(k), v, m, tables_[k].data(), cells, copies_of(cells));
        }
        for (int a = 0; a < rows_.coded(); ++a) {
            const CodedTile& tile = tiles.coded()[a];
            const Rows::CodedBlock& block = rows_.block(a);
            if (block.plain()) continue;
            use.coded_times(v, tile.multiplier, m, counted_);
            use.coded_sum(tile.codes, counted_, m, out_.data() + block.place, block.levels, 1);
        }
        if (tiles.sparse()) tiles.sparse()->rmatvec(v, sparse_.data());
    }

    std::vector<double> finish(const Tiles& tiles) {
        for (int j = 0; j < rows_.dense(); ++j)
            out_[static_cast<std::size_t>(rows_.place()[static_cast<std::size_t>(j)])] =
                tiles.plain() ? dense_[j] * tiles.plain()->factor[j] : dense_[j];
        for (std::size_t k = 0; k < tables_.size(); ++k) {
            const Joint& of = tiles.joints()[k];
            fold(tables_[k].data(), of.cells, copies_of(of.cells));
            std::vector<double*> to;
            for (const int a : of.members) to.push_back(out_.data() + rows_.block(a).place);
            of.gather(tables_[k], to);
        }
        if (const Rows::SparseBlock* block = rows_.sparse()) block->scaled(sparse_.data(), out_.data() + block->place);
        return std::move(out_);
    }

   private:
    const Rows& rows_;
    Aligned<double> dense_;
    std::vector<double> sparse_, out_;
    std::vector<std::vector<double>> tables_;
    double counted_[TILE];
};

// x'x of every row of a tile; on the way, where there is room for it, the largest |x| of the panel's columns.
void squared_lengths(const Verbs& use, const Rows& rows, Tiles& tiles, int m, double* out, double* extent = nullptr) {
    std::fill_n(out, m, tiles.p() || !rows.lone() ? 0.0 : rows.lone_number() * rows.lone_number());
    if (tiles.plain()) use.plain_extent_squares(*tiles.plain(), m, extent, out);
    else if (tiles.p() && extent) use.panel_extent_squares(tiles.panel(), tiles.p(), m, extent, out);
    else if (tiles.p()) use.panel_squares(tiles.panel(), tiles.p(), m, out);
    for (int a = 0; a < rows.coded(); ++a) {
        const double* factor = tiles.coded()[a].multiplier;
        for (int r = 0; r < m; ++r) out[r] += factor ? factor[r] * factor[r] : 1.0;
    }
    if (tiles.sparse()) tiles.sparse()->squares(rows.sparse()->scaling(), out);
}

// The largest |x| of every raw column under construction, and the largest x'x of a row.
class Extents {
   public:
    Extents(const Rows& rows, bool girth)
        : rows_(rows), dense_(static_cast<std::size_t>(padded(rows.dense()))),
          coded_(static_cast<std::size_t>(rows.coded()), 0.0),
          sparse_(rows.sparse() ? static_cast<std::size_t>(rows.sparse()->x.width) : 0, 0.0), squares_(TILE),
          girth_(girth ? 0 : INFINITE) {}

    void add(const Verbs& use, Tiles& tiles, int m) {
        if (girth_ < INFINITE || tiles.plain()) squared_lengths(use, rows_, tiles, m, squares_, dense_);
        else if (tiles.p()) use.panel_extent(tiles.panel(), tiles.p(), m, dense_);
        if (!tiles.p() && rows_.lone()) dense_[0] = std::abs(rows_.lone_number());
        for (std::size_t a = 0; a < coded_.size(); ++a) {
            const double* factor = tiles.coded()[a].multiplier;
            if (!factor) coded_[a] = 1.0;
            for (int r = 0; factor && r < m; ++r) coded_[a] = std::max(coded_[a], std::abs(factor[r]));
        }
        if (tiles.sparse()) tiles.sparse()->extent(sparse_.data());
        for (int r = 0; girth_ < INFINITE && r < m; ++r) girth_ = std::max(girth_, squares_[r]);
    }

    std::vector<double> finish() {
        std::vector<double> out(static_cast<std::size_t>(rows_.width()), 0.0);
        for (int j = 0; j < rows_.dense(); ++j)
            out[static_cast<std::size_t>(rows_.place()[static_cast<std::size_t>(j)])] = dense_[j];
        for (int a = 0; a < rows_.coded(); ++a)
            std::fill_n(out.begin() + rows_.block(a).place, rows_.block(a).levels, coded_[static_cast<std::size_t>(a)]);
        if (const Rows::SparseBlock* block = rows_.sparse()) block->scaled(sparse_.data(), out.data() + block->place);
        out.push_back(girth_);
        return out;
    }

   private:
    const Rows& rows_;
    Aligned<double> dense_;
    std::vector<double> coded_, sparse_;
    Aligned<double> squares_;
    double girth_;
};

// Working memory for the product of p columns with themselves.
std::size_t room_of(const Verbs& use, Digits digits, int p) {
    return digits == Digits::DOUBLE ? 0 : digits == Digits::WHOLE ? use.whole_room(p) : use.step_room(p);
}

// A Gram under construction.
struct Growing {
    Aligned<double> panel;
    std::unique_ptr<CodedGram> coded;
    std::unique_ptr<SparseGram> sparse;
    Aligned<double> room;  // of a Gram for a step, or by whole numbers
    double lone = 0;       // sum of the weights, where the panel is one number

    Growing(const Rows& rows, const Verbs& use, Digits digits)
        : panel(gram_doubles(rows.dense())), room(rows.lone() ? 0 : room_of(use, digits, rows.dense())) {
        const int slivers = rows.lone() ? 0 : padded(rows.dense()) / SLIVER;
        if (rows.sparse()) sparse = std::make_unique<SparseGram>(rows.sparse()->x.width, slivers);
        if (!rows.coded()) return;
        std::vector<std::int64_t> levels;
        std::vector<char> plain;
        for (int a = 0; a < rows.coded(); ++a) {
            levels.push_back(rows.block(a).levels);
            plain.push_back(rows.block(a).plain());
        }
        coded = std::make_unique<CodedGram>(levels, plain, slivers, rows.ones(), rows.length());
    }

    GramParts finish(const Rows& rows) {
        if (rows.lone()) panel[0] = lone * rows.lone_number() * rows.lone_number();
        else gram_finish_here(panel, rows.dense());
        if (coded) coded->finish();
        return {std::move(panel), std::move(coded), std::move(sparse)};
    }
};

}  // namespace

Totals accumulate(const Rows& rows, const double* beta, const Program& program, const Domain& domain,
                  const Asked& asked) {
    const Verbs& use = verbs();
    Tiles tiles(rows, false, eager(asked), unpacked(rows, asked));
    const Coefficients coefficients(rows, tiles.joints(), beta);
    const int p = tiles.p();
    Unit unit(rows, program);
    Aligned<double> eta(TILE), weighted(TILE);
    Scores scores(rows, tiles);
    Extents extents(rows, asked.girth);
    std::vector<std::unique_ptr<Growing>> growing;
    for (const GramAsked& gram : asked.grams) growing.push_back(std::make_unique<Growing>(rows, use, gram.digits));
    Totals totals;
    Sum value, pearson;

    by_tiles(rows, [&](std::int64_t start, int m) {
        tiles.read(start, m);
        tiles.eta(coefficients, true, eta);
        totals.inside = use.rows_inside(eta, m, domain.lower, domain.upper, domain.with_lower, domain.with_upper);
        if (!totals.inside) return false;
        unit.run(use, start, m, eta, tiles.ahead());
        const double* weight = part(rows.weight(), start);
        value.add(use.rows_sum(unit[0], weight, m));
        if (asked.pearson) pearson.add(use.rows_pearson(unit[1], unit[2], weight, m));
        if (asked.score) {
            const double* score = unit[1];
            if (weight) use.rows_times(score, weight, m, weighted), score = weighted;
            scores.add(use, tiles, score, m);
        }
        if (asked.extent) extents.add(use, tiles, m);
        for (std::size_t k = 0; k < asked.grams.size(); ++k) {
            const GramAsked& gram = asked.grams[k];
            const double* w = gram.output < 0 ? unit[1] : unit[gram.output];
            if (gram.output < 0) {
                use.rows_times(unit[1], unit[1], m, weighted), w = weighted;
                if (rows.squared()) use.rows_times(w, rows.squared() + start, m, weighted);
            } else if (weight) {
                use.rows_times(w, weight, m, weighted), w = weighted;
            }
            Growing& sums = *growing[k];
            const bool coarse = gram.digits == Digits::COARSE;
            if (tiles.plain())
                use.plain_step_add(*tiles.plain(), m, w, coarse, sums.room, sums.panel, tiles.ahead());
            else if (p && gram.for_step())
                use.step_add(tiles.panel(), p, m, w, coarse, sums.room, sums.panel, tiles.ahead());
            else if (p && gram.digits == Digits::WHOLE &&
                     use.whole_add(tiles.panel(), p, m, w, sums.room, sums.panel)) {
            } else if (p) use.panel_gram_ahead(tiles.panel(), p, m, w, sums.panel, tiles.ahead());
            else if (rows.lone()) sums.lone += use.rows_sum(w, nullptr, m);
            if (sums.coded) sums.coded->add(use, tiles.coded(), tiles.panel(), w, m);
            if (sums.sparse) sums.sparse->add(*tiles.sparse(), tiles.panel(), w);
        }
        return true;
    });
    if (!totals.inside) return totals;
    totals.value = value.value();
    totals.pearson = pearson.value();
    if (asked.score) totals.score = scores.finish(tiles);
    if (asked.extent) totals.extent = extents.finish();
    for (std::size_t k = 0; k < growing.size(); ++k) {
        if (p && asked.grams[k].for_step()) use.step_finish(p, growing[k]->room, growing[k]->panel);
        totals.grams.push_back(growing[k]->finish(rows));
    }
    return totals;
}

Weighed weighed(const Rows& rows, const std::vector<const double*>& scores, const std::vector<const double*>& weights) {
    const Verbs& use = verbs();
    Tiles tiles(rows);
    const int p = tiles.p();
    Aligned<double> tile(TILE);  // verbs may read past the last row
    std::vector<std::unique_ptr<Scores>> summing;
    std::vector<std::unique_ptr<Growing>> growing;
    for (std::size_t k = 0; k < scores.size(); ++k) summing.push_back(std::make_unique<Scores>(rows, tiles));
    for (std::size_t k = 0; k < weights.size(); ++k) growing.push_back(std::make_unique<Growing>(rows, use, Digits::DOUBLE));
    by_tiles(rows, [&](std::int64_t start, int m) {
        tiles.read(start, m);
        for (std::size_t k = 0; k < scores.size(); ++k) {
            std::copy_n(scores[k] + start, m, tile.data());
            summing[k]->add(use, tiles, tile, m);
        }
        for (std::size_t k = 0; k < weights.size(); ++k) {
            Growing& sums = *growing[k];
            std::copy_n(weights[k] + start, m, tile.data());
            if (p) use.panel_gram_ahead(tiles.panel(), p, m, tile, sums.panel, tiles.ahead());
            else if (rows.lone()) sums.lone += use.rows_sum(tile, nullptr, m);
            if (sums.coded) sums.coded->add(use, tiles.coded(), tiles.panel(), tile, m);
            if (sums.sparse) sums.sparse->add(*tiles.sparse(), tiles.panel(), tile);
        }
        return true;
    });
    Weighed out;
    for (auto& each : summing) out.scores.push_back(each->finish(tiles));
    for (auto& each : growing) out.grams.push_back(each->finish(rows));
    return out;
}

std::vector<double> values_along(const Rows& rows, const double* beta, const double* step, const double* lengths,
                                 int count, const Program& program, const Domain& domain) {
    const Verbs& use = verbs();
    Tiles tiles(rows);
    const Coefficients from(rows, tiles.joints(), beta), to(rows, tiles.joints(), step);
    Unit unit(rows, program);
    Aligned<double> origin(TILE), direction(TILE), eta(TILE);
    std::vector<Sum> sums(static_cast<std::size_t>(count));
    std::vector<double> values(static_cast<std::size_t>(count), 0.0);
    by_tiles(rows, [&](std::int64_t start, int m) {
        tiles.read(start, m);
        tiles.eta(from, true, origin);
        tiles.eta(to, false, direction);
        for (std::size_t k = 0; k < values.size(); ++k) {
            if (values[k] != 0.0) continue;
            for (int r = 0; r < m; ++r) eta[r] = origin[r] + lengths[k] * direction[r];
            if (!use.rows_inside(eta, m, domain.lower, domain.upper, domain.with_lower, domain.with_upper)) {
                values[k] = -INFINITE;
                continue;
            }
            unit.run(use, start, m, eta, tiles.ahead());
            sums[k].add(use.rows_sum(unit[0], part(rows.weight(), start), m));
        }
        return true;
    });
    for (std::size_t k = 0; k < values.size(); ++k)
        if (values[k] == 0.0) values[k] = sums[k].value();
    return values;
}

void predict(const Rows& rows, const double* betas, int count, bool offset, double* eta) {
    Tiles tiles(rows);
    std::vector<Coefficients> coefficients;
    for (int k = 0; k < count; ++k) coefficients.emplace_back(rows, tiles.joints(), betas + k * rows.width());
    by_tiles(rows, [&](std::int64_t start, int m) {
        tiles.read(start, m);
        for (int k = 0; k < count; ++k)
            tiles.eta(coefficients[static_cast<std::size_t>(k)], offset, eta + k * rows.length() + start);
        return true;
    });
}

void quadratic(const Rows& rows, const double* matrix, double* out) {
    const Verbs& use = verbs();
    const int p = rows.dense(), slivers = padded(p) / SLIVER;
    const std::int64_t width = rows.width();
    Tiles tiles(rows, true);
    // The dense corner prepared, and for every other block its rows of the matrix against the panel, padded.
    std::vector<double> corner;
    for (const std::int64_t i : rows.place())
        for (const std::int64_t j : rows.place()) corner.push_back(matrix[i * width + j]);
    Aligned<double> prepared(gram_doubles(p));
    if (p) use.bilinear_prepare(corner.data(), p, p, true, prepared);
    std::vector<std::unique_ptr<Aligned<double>>> against;
    const auto beside = [&](std::int64_t place, std::int64_t count) {
        against.push_back(std::make_unique<Aligned<double>>(static_cast<std::size_t>(count * slivers) * SLIVER));
        for (std::int64_t level = 0; level < count; ++level)
            for (int j = 0; j < p; ++j)
                against.back()->data()[level * slivers * SLIVER + j] =
                    matrix[(place + level) * width + rows.place()[static_cast<std::size_t>(j)]];
    };
    for (int a = 0; a < rows.coded() && p; ++a) beside(rows.block(a).place, rows.block(a).levels);
    const Rows::SparseBlock* sparse = rows.sparse();
    if (sparse && p) beside(sparse->place, sparse->x.width);
    Aligned<double> product(TILE);
    by_tiles(rows, [&](std::int64_t start, int m) {
        tiles.read(start, m);
        double* to = out + start;
        std::fill_n(to, m, 0.0);
        if (p) use.panel_quadratic(tiles.panel(), p, m, prepared, to);
        for (int a = 0; a < rows.coded(); ++a) {
            const CodedTile& left = tiles.coded()[a];
            if (p)
                use.coded_panel_bilinear(left.codes, left.multiplier, m, tiles.panel(), slivers,
                                         against[static_cast<std::size_t>(a)]->data(), 2.0, to);
            for (int b = a; b < rows.coded(); ++b) {
                const CodedTile& right = tiles.coded()[b];
                const double* w = left.multiplier ? left.multiplier : right.multiplier;
                if (left.multiplier && right.multiplier)
                    use.coded_times(left.multiplier, right.multiplier, m, product), w = product;
                use.coded_bilinear(left.codes, right.codes, w, m,
                                   matrix + rows.block(a).place * width + rows.block(b).place, width,
                                   a == b ? 1.0 : 2.0, to);
            }
        }
        if (sparse) {
            const double *factor = sparse->scaling(), *own = matrix + sparse->place * (width + 1);
            tiles.sparse()->quadratic(own, width, factor, to);
            if (p) tiles.sparse()->bilinear(tiles.panel(), slivers, against.back()->data(), factor, to);
        }
        return true;
    });
}

double girth(const Rows& rows) {
    const Verbs& use = verbs();
    Tiles tiles(rows, true);
    Aligned<double> squares(TILE);
    double largest = 0;
    by_tiles(rows, [&](std::int64_t start, int m) {
        tiles.read(start, m);
        squared_lengths(use, rows, tiles, m, squares);
        for (int r = 0; r < m; ++r) {
            if (std::isnan(squares[r])) largest = squares[r];  // and stays: nothing is larger than a NaN
            else if (squares[r] > largest) largest = squares[r];
        }
        return !std::isnan(largest);
    });
    return largest;
}

}  // namespace etamu
