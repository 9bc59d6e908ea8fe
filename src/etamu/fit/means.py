"""Estimated marginal means: predictions on a grid, averaged over the factors that are not asked for.

May import: everything below `fit`.
Read next: `etamu.fit.reference_grid` for the grid, `etamu.fit.pairs` for comparisons of means.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.choice import check_choice
from etamu._base.errors import OptionError
from etamu._base.types import Array
from etamu.data.evaluate import names_in
from etamu.family.unit import Unit
from etamu.fit.deviance_table import DevianceTable, columns_of
from etamu.fit.estimates import Estimates, Linearised, estimates, stated, text_rows
from etamu.fit.model_terms import terms_of
from etamu.fit.pairs import Means, Wish
from etamu.fit.reference import one_df
from etamu.fit.reference_grid import Combinations, Grid, estimable, grid_of
from etamu.fit.scene import names_of, schema_of
from etamu.fit.term_tests import heading
from etamu.infer.tests import chi2_tail, f_tail, wald

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

BEND = 1e-3
"""Step of the third derivative that a bias adjustment needs for its standard error."""


def means(fit: FittedModel, of: Any, by: Any, wish: Wish) -> Means:
    """Average predictions over a grid, as `Fit.means` describes.

    Raises
    ------
    OptionError
        If a factor, or an option, is not known.
    NotAvailableError
        If the model was fitted to a matrix, or carries no rows.
    """
    _check(fit, wish)
    wanted, groups = factors_of(of, by)
    grid = grid_of(fit, wish.at, wish.offset, rate=wish.kind == "rate")
    chosen = [grid.cells.axis(name) for name in (*wanted, *groups)]
    weights, labels = weights_of(grid.cells, chosen, wish.weights)
    rows, offset = weights @ grid.rows, weights @ grid.offset
    known = estimable(fit, rows)
    eta = np.where(known, rows @ fit.finite + offset, np.nan)
    table = _table(fit, eta, rows, labels, wish, _lines(grid, chosen, wish), bool(known.all()))
    return Means(fit, wish, table, eta, rows, labels, groups)


def _check(fit: FittedModel, wish: Wish) -> None:
    choices = {
        "scale": (wish.scale, ("response", "link")),
        "weights": (wish.weights, ("equal", "proportional")),
        "kind": (wish.kind, ("mean", "rate")),
    }
    for keyword, (value, known) in choices.items():
        check_choice(keyword, value, known)
    if not (np.isfinite(wish.bias) and wish.bias >= 0.0):
        raise OptionError(f"bias={wish.bias!r} is a standard deviation on the scale of the link, 0 or more")
    if wish.bias and wish.scale == "link":
        raise OptionError("a bias adjustment is about means: use scale='response'")
    schema_of(fit)


def factors_of(of: Any, by: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read "a", ["a", "b"], or "a | g", which puts g into `by`."""
    if isinstance(of, str):
        left, bar, right = of.lstrip("~ ").partition("|")
        if bar and by is not None:
            raise OptionError(f"{of!r} names groups behind '|' and by= does too; use one of the two")
        of = [part.strip() for part in left.replace("*", "+").split("+")]
        by = [part.strip() for part in right.replace("*", "+").split("+")] if bar else by
    wanted, groups = names_of(of), names_of(by)
    if not wanted or not all((*wanted, *groups)):
        raise OptionError("name the factor whose means are asked for, such as means('region')")
    twice = [name for name in wanted if name in groups or wanted.count(name) > 1]
    if twice:
        raise OptionError(f"{twice[0]!r} is named twice; a factor is either compared or groups others")
    return wanted, groups


def weights_of(grid: Combinations, chosen: list[int], how: str) -> tuple[Array, dict[str, tuple[str, ...]]]:
    """Return one row of weights over the cells for every combination of the chosen axes, and its labels.

    The others are averaged over, each value alike ("equal") or as often as it occurs ("proportional").
    """
    shape = grid.shape
    places = np.stack(np.unravel_index(np.arange(prod(shape)), shape), axis=1)
    share = np.ones(len(places))
    for number, axis in enumerate(grid.axes):
        if number in chosen:
            continue
        weight = np.full(len(axis.labels), 1.0 / len(axis.labels)) if how == "equal" else axis.shares
        share *= weight[places[:, number]]
    # The first factor asked for varies fastest, as in emmeans.
    sizes = [shape[axis] for axis in chosen]
    code = np.zeros(len(places), dtype=np.intp)
    for place, stride in zip(chosen, np.cumprod([1, *sizes[:-1]]), strict=True):
        code += places[:, place] * int(stride)
    weights = np.zeros((prod(sizes), len(places)))
    weights[code, np.arange(len(places))] = share
    cells = [reversed(cell) for cell in np.ndindex(*reversed(sizes))]
    named = [[(grid.axes[axis], place) for axis, place in zip(chosen, cell, strict=True)] for cell in cells]
    return weights, text_rows([{axis.name: axis.labels[place] for axis, place in cell} for cell in named])


def averaging(grid: Combinations, chosen: list[int], how: str) -> list[str]:
    """Say what was averaged over, and what was held."""
    lines = []
    averaged = [
        axis.name for number, axis in enumerate(grid.axes) if number not in chosen and len(axis.labels) > 1
    ]
    if averaged:
        each = "each level alike" if how == "equal" else "levels as often as they occur"
        lines.append(f"Averaged over {', '.join(averaged)}, {each}")
    if grid.held:
        lines.append("Held: " + ", ".join(f"{name} = {value}" for name, value in grid.held.items()))
    return lines


def _lines(grid: Grid, chosen: list[int], wish: Wish) -> list[str]:
    said = [grid.said[0].upper() + grid.said[1:]] if grid.said else []
    return [*averaging(grid.cells, chosen, wish.weights), *said]


def _table(
    fit: FittedModel,
    eta: Array,
    rows: Array,
    labels: Mapping[str, tuple[str, ...]],
    wish: Wish,
    lines: list[str],
    complete: bool,  # noqa: FBT001  # said below as a note
) -> Estimates:
    gradient = fit.coordinates.hypothesis(rows)
    numbers = estimates(fit, Linearised(eta, gradient), wish.reading, tested=False)
    why = "aliased columns leave this mean without an estimate"
    if fit.limit is not None:
        why = "no finite estimate of eta exists there (separation); predict() gives the limit of the mean"
    notes = [] if complete else [f"NaN: {why}"]
    numbers["std_error"] = np.where(np.isnan(eta), np.nan, numbers["std_error"])
    if wish.scale == "response":
        unit, bias = fit.problem.unit, wish.bias
        value, slope = back(unit, eta, bias)
        ends = [back(unit, numbers[end], bias)[0] for end in ("conf_low", "conf_high")]
        numbers |= {
            "estimate": value,
            "std_error": np.abs(slope) * numbers["std_error"],
            "conf_low": np.fmin(*ends),
            "conf_high": np.fmax(*ends),
            "root": slope[:, None] * numbers["root"],
        }
        if bias:
            lines.append(f"Adjusted for a standard deviation of {bias:g} around eta")
    what = {"response": "the mean", "link": "eta"}[wish.scale]
    return Estimates(
        title=f"Estimated marginal means, on the scale of {what}",
        heading=heading(fit, *lines, stated(fit, wish.reading, numbers["df"])),
        labels=labels,
        notes=tuple(notes),
        **numbers,
    )


def back(unit: Unit, eta: Array, bias: float = 0.0) -> tuple[Array, Array]:
    """Map eta to the mean, and return the derivative; with a bias h + s^2/2 h'' where eta varies by s.

    The mean of h(eta + e), e of standard deviation s, to second order in s (as emmeans' bias.adjust).
    NaN outside the domain.
    """
    with np.errstate(all="ignore"):
        mean = unit.mean(np, eta)
        value, slope = np.asarray(mean.mu), np.asarray(mean.d1)
        if bias:
            ahead, behind = (unit.mean(np, eta + side * BEND).d2 for side in (2.0, -2.0))
            near, nearer = (unit.mean(np, eta + side * BEND).d2 for side in (1.0, -1.0))
            third = (8.0 * (near - nearer) - (ahead - behind)) / (12.0 * BEND)
            value, slope = value + 0.5 * bias**2 * mean.d2, slope + 0.5 * bias**2 * third
    inside = unit.domain.contains(eta)
    return np.where(inside, value, np.nan), np.where(inside, slope, np.nan)


def joint_tests(fit: FittedModel, *, reference: str | None = None) -> DevianceTable:
    """Test every term on the reference grid, numbers at their mean less and plus 1, as emmeans' joint_tests.

    A term is tested by all interaction contrasts of the means of its variables, averaged over the others.
    What comes out does not depend on how factors are coded, unlike a type III test.
    """
    check_choice("reference", reference, (None, "chi2"))
    grid = grid_of(fit, around=1.0)
    schema = schema_of(fit)
    factors = {factor.label: names_in(factor.expression) for factor in schema.factors}
    names, rows = [], []
    for term in terms_of(fit):
        variables = {name for label in term.factors for name in factors.get(label, ())}
        matrix = np.ones((1, 1))
        for axis in grid.axes:
            size = len(axis.labels)
            average = np.full((1, size), 1.0 / size)
            step = np.diff(np.eye(size), axis=0) if axis.name in variables else average
            matrix = np.kron(matrix, step)
        combined = matrix @ grid.rows
        combined = combined[estimable(fit, combined)]
        tested = wald(fit.coordinates.hypothesis(combined), combined @ fit.finite, fit.root)
        if not tested.df:
            continue
        df2 = np.inf if reference == "chi2" else one_df(fit, combined)
        f = tested.statistic / tested.df
        tail = chi2_tail(tested.statistic, tested.df) if np.isinf(df2) else f_tail(f, tested.df, df2)
        names.append(term.label)
        rows.append({"df": tested.df, "df_resid": df2, "f": f, "p_value": tail})
    titles = {
        "df": ("Df", "count"),
        "df_resid": ("Df2", "count"),
        "f": ("F value", "number"),
        "p_value": ("Pr(>F)", "p"),
    }
    return DevianceTable(
        "Joint tests of the terms on the reference grid",
        heading(fit),
        tuple(names),
        columns_of(rows, titles),  # type: ignore[arg-type]  # kinds are literals
        (),
        fit.problem.table,
    )
