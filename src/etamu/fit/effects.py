"""Average effects on the mean: slopes, differences and ratios of counterfactual means, by the delta method.

May import: everything below `fit`.
Read next: `etamu.fit.scene` for the rows, `etamu.fit.averages` for the sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.errors import OptionError
from etamu._base.facts import dataclass
from etamu._base.listing import listed
from etamu.data.evaluate import names_in
from etamu.data.expression import Name
from etamu.data.schema import CategoricalFactor
from etamu.design.chunk import Predictor
from etamu.fit.averages import Average, average_mean, average_slope, derivative_places
from etamu.fit.estimates import USUAL, Estimates, Linearised, Reading, estimates, stated, text_rows
from etamu.fit.numerals import short
from etamu.fit.scene import Scene, Variable, names_of, scene_of, settled, variable_of, variables_of
from etamu.fit.term_tests import heading

if TYPE_CHECKING:
    from etamu.fit.result import Fit

MEASURES = ("difference", "ratio", "lnratio", "oddsratio", "lnoddsratio")
"""How two averages are compared."""

NAMES = {"lnratio": "ln ({})", "lnoddsratio": "ln odds ({})", "oddsratio": "odds ({})"}

WORDS = {"mean": "the mean", "link": "eta", "rate": "the mean per exposure"}


@dataclass(frozen=True, slots=True)
class Question:
    """What of each row is averaged, in which groups, over which rows, and how it is read.

    Parameters
    ----------
    kind : "mean", "link" or "rate"
    by : None, str or list of str
    data : table, optional
    reading : Reading
    """

    kind: str = "mean"
    by: Any = None
    data: Any = None
    reading: Reading = USUAL


def slopes(fit: Fit, variables: Any, question: Question) -> Estimates:
    """Average the derivative of the mean in numeric variables, as `Fit.slopes` describes.

    Raises
    ------
    OptionError
        If a variable is categorical or not of the model.
    """
    scene = scene_of(fit, question.kind, question.by, question.data)
    wanted = [variable_of(fit, name) for name in names_of(variables)]
    if variables is None:
        wanted = [each for each in _settled(fit, scene) if not each.levels]
    if not wanted:
        raise OptionError("the model has no numeric variable: ask for contrasts(...) or effects()")
    for variable in wanted:
        if settled(variable, scene.frame).levels:
            raise OptionError(
                f"{variable.name!r} is categorical and has no slope: ask for contrasts({variable.name!r})"
            )
    parts = [(variable.name, "slope", _slope(scene, variable, question.kind)) for variable in wanted]
    return _table(scene, "Average slopes", parts, question)


def effects(fit: Fit, variables: Any, question: Question) -> Estimates:
    """Average the effect of every variable: slopes of numbers, differences of levels from the reference.

    Raises
    ------
    OptionError
        If a variable is not of the model.
    """
    scene = scene_of(fit, question.kind, question.by, question.data)
    wanted = _settled(fit, scene)
    if variables is not None:
        wanted = tuple(settled(variable_of(fit, name), scene.frame) for name in names_of(variables))
    if not wanted:
        raise OptionError("the model has a constant only: there is no variable whose effect could be asked")
    parts: list[tuple[str, str, Average]] = []
    for variable in wanted:
        if not variable.levels:
            parts.append((variable.name, "slope", _slope(scene, variable, question.kind)))
            continue
        means = [_at(scene, variable, place, question.kind) for place in range(len(variable.levels))]
        for place, level in enumerate(variable.levels):
            if place != variable.base:
                text = f"{level} - {variable.levels[variable.base]}"
                parts.append((variable.name, text, means[place] - means[variable.base]))
    return _table(scene, "Average effects", parts, question)


def contrasts(fit: Fit, variable: str, compare: Any, measure: str, question: Question) -> Estimates:
    """Compare averages of the mean, every row being put at one value of a variable and at another.

    Raises
    ------
    OptionError
        If the variable, what to compare or the measure is not understood.
    """
    if measure not in MEASURES:
        raise OptionError(f"measure={measure!r} is not known; choose one of {', '.join(map(repr, MEASURES))}")
    if measure.endswith("oddsratio") and fit.problem.unit.family.mean.upper != 1.0:
        raise OptionError(f"an odds ratio needs means between 0 and 1; use measure='ratio', not {measure!r}")
    if measure != "difference" and question.kind == "link":
        raise OptionError("ratios are those of means: use kind='mean', or measure='difference' for eta")
    scene = scene_of(fit, question.kind, question.by, question.data)
    asked = settled(variable_of(fit, variable), scene.frame)
    pairs = _levels(scene, asked, compare) if asked.levels else _numbers(scene, asked, compare)
    sign = "-" if measure == "difference" else "/"
    known: dict[str, Average] = {}
    parts = []
    for high, low in pairs:
        for text, predictor in (high, low):
            if text not in known:
                known[text] = average_mean(scene, predictor(), question.kind)
        text = NAMES.get(measure, "{}").format(f"{high[0]} {sign} {low[0]}")
        parts.append((asked.name, text, _compared(known[high[0]], known[low[0]], measure)))
    return _table(
        scene,
        "Contrasts of average means" if question.kind != "link" else "Contrasts of average eta",
        parts,
        question,
        exponentiated=measure in {"ratio", "oddsratio"},
    )


def _settled(fit: Fit, scene: Scene) -> tuple[Variable, ...]:
    return tuple(settled(variable, scene.frame) for variable in variables_of(fit))


# --- counterfactual rows ---

Look = tuple[str, Callable[[], Predictor]]
"""What a counterfactual is called, and how its rows are made."""


def _at(scene: Scene, variable: Variable, place: int, kind: str) -> Average:
    column = scene.constant(variable, place)
    return average_mean(scene, scene.with_columns({variable.name: column}), kind)


def _level(scene: Scene, variable: Variable, place: int) -> Look:
    return (
        variable.levels[place],
        lambda: scene.with_columns({variable.name: scene.constant(variable, place)}),
    )


def _levels(scene: Scene, variable: Variable, compare: Any) -> list[tuple[Look, Look]]:
    count, base = len(variable.levels), variable.base
    looks = [_level(scene, variable, place) for place in range(count)]
    if compare is None or (isinstance(compare, str) and compare == "reference"):
        return [(looks[place], looks[base]) for place in range(count) if place != base]
    if isinstance(compare, str) and compare == "pairwise":
        return [(looks[j], looks[i]) for i in range(count) for j in range(i + 1, count)]
    if isinstance(compare, str) and compare == "sequential":
        return [(looks[place + 1], looks[place]) for place in range(count - 1)]
    low, high = _pair(variable, compare)
    return [(looks[_place(variable, high)], looks[_place(variable, low)])]


def _pair(variable: Variable, compare: Any) -> tuple[Any, Any]:
    if isinstance(compare, (tuple, list)) and len(compare) == 2:
        return compare[0], compare[1]
    if variable.levels:
        known = "'reference', 'pairwise', 'sequential', or (from, to)"
    else:
        known = "a step such as 10, (from, to), 'iqr' or 'range'"
    raise OptionError(f"compare={compare!r} is not understood for {variable.name!r}; give {known}")


def _place(variable: Variable, level: Any) -> int:
    if variable.numbers is not None and isinstance(level, (int, float)) and level in variable.numbers:
        return variable.numbers.index(level)
    if str(level) in variable.levels:
        return variable.levels.index(str(level))
    raise OptionError(f"{variable.name!r} has no level {level!r}; the levels are {listed(variable.levels)}")


def _numbers(scene: Scene, variable: Variable, compare: Any) -> list[tuple[Look, Look]]:
    """Read a step, two values, or a word for two values."""
    values = scene.values(variable.name).astype(np.float64)
    name = variable.name
    if compare is None or (isinstance(compare, (int, float)) and not isinstance(compare, bool)):
        step = 1.0 if compare is None else float(compare)
        if not np.isfinite(step) or step == 0.0:
            raise OptionError(f"compare={compare!r} is no step for {name!r}; give a number other than 0")

        def moved() -> Predictor:
            return scene.with_columns({name: scene.filled(variable, values + step)})

        def still() -> Predictor:
            return scene.with_columns({})

        return [((f"({name} {'+' if step > 0 else '-'} {abs(step):g})", moved), (name, still))]
    if isinstance(compare, str) and compare in {"iqr", "range"}:
        share = (0.25, 0.75) if compare == "iqr" else (0.0, 1.0)
        low, high = (float(each) for each in np.quantile(values, share))
    else:
        ends = _pair(variable, compare)
        try:
            low, high = float(ends[0]), float(ends[1])
        except (TypeError, ValueError):
            raise OptionError(f"compare={compare!r}: {name!r} is numeric; give two numbers") from None

    def at(value: float) -> Look:
        return short(value), lambda: scene.with_columns({name: scene.constant(variable, value)})

    return [(at(high), at(low))]


# --- derivatives ---


def _slope(scene: Scene, variable: Variable, kind: str) -> Average:
    """Average the derivative: exactly where the variable enters as it stands, else by five points."""
    name = variable.name
    for factor in scene.schema.factors:
        if isinstance(factor, CategoricalFactor) and name in names_in(factor.expression):
            raise OptionError(
                f"{name!r} enters by the levels of {factor.label}, which have no slope: ask for "
                f"contrasts({name!r}, (from, to))"
            )
    centre = scene.with_columns({})
    if _plain(scene, name):
        one, none = (scene.with_columns({name: scene.constant(variable, value)}) for value in (1.0, 0.0))
        ones = np.ones(len(scene.units))
        return average_slope(scene, centre, (one, none), (ones, -ones), kind)
    values = scene.values(name).astype(np.float64)
    places, weights = derivative_places(values)
    points = [scene.with_columns({name: scene.filled(variable, place)}) for place in places]
    return average_slope(scene, centre, points, list(weights), kind)


def _plain(scene: Scene, name: str) -> bool:
    """Tell whether eta is linear in a variable: no function, basis or offset reads it."""
    reading = [each.expression for each in scene.schema.factors if name in names_in(each.expression)]
    reading += [each.expression for each in scene.schema.offsets if name in names_in(each.expression)]
    return all(isinstance(expression, Name) for expression in reading)


# --- tables ---


def _compared(high: Average, low: Average, measure: str) -> Average:
    if measure == "difference":
        return high - low
    odds = measure.endswith("oddsratio")
    return _logarithm(high, odds=odds) - _logarithm(low, odds=odds)


def _logarithm(average: Average, *, odds: bool) -> Average:
    with np.errstate(all="ignore"):
        value = np.log(average.value) - (np.log1p(-average.value) if odds else 0.0)
        slope = 1.0 / (average.value * (1.0 - average.value) if odds else average.value)
    return Average(value, average.gradient * slope[:, None])


def _table(
    scene: Scene,
    title: str,
    parts: Sequence[tuple[str, str, Average]],
    question: Question,
    *,
    exponentiated: bool = False,
) -> Estimates:
    rows, groups = [], scene.groups
    for variable, contrast, _ in parts:
        rows += [{"variable": variable, "contrast": contrast, **group} for group in groups]
    value = np.concatenate([average.value for *_, average in parts])
    gradient = np.concatenate([average.gradient for *_, average in parts])
    fit, reading = scene.fit, question.reading
    made = estimates(fit, Linearised(value, gradient), reading, exponentiated=exponentiated)
    notes = []
    if np.isnan(value).any():
        notes.append(
            "NaN: the change takes a row to where the link has no mean, aliased columns leave it without an "
            "estimate, or a mean is not positive and has no logarithm"
        )
    return Estimates(
        title=title,
        heading=heading(fit, _averaged(scene, question), stated(fit, reading, made["df"])),
        labels=text_rows(rows),
        notes=tuple(notes),
        **made,
    )


def _averaged(scene: Scene, question: Question) -> str:
    count = len(scene.units)
    total = float(scene.units.sum())
    standing = f", standing for {total:g} units" if total != count else ""
    rows = "the rows of the fit" if question.data is None else "the rows given"
    return f"Of {WORDS[question.kind]}, averaged over {rows}: {count}{standing}"
