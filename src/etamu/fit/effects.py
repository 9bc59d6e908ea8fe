"""Average effects on the mean: slopes, differences and ratios of counterfactual means, by the delta method.

May import: everything below `fit`.
Read next: `etamu.fit.scene` for the rows, `etamu.fit.averages` for the sums.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.errors import OptionError
from etamu._base.facts import dataclass
from etamu.data.codes import RawArray
from etamu.data.column import Column
from etamu.data.evaluate import names_in
from etamu.data.expression import Name
from etamu.data.schema import CategoricalFactor
from etamu.fit.averages import Average, average_mean, average_slope, derivative_places
from etamu.fit.compared import check_measure, contrasted, pairs_of
from etamu.fit.estimates import USUAL, Estimates, Linearised, Reading, estimates, stated, text_rows
from etamu.fit.scene import Scene, Variable, names_of, scene_of, settled, variable_of, variables_of
from etamu.fit.term_tests import heading

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

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


def slopes(fit: FittedModel, variables: Any, question: Question) -> Estimates:
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


def effects(fit: FittedModel, variables: Any, question: Question) -> Estimates:
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


def contrasts(fit: FittedModel, variable: str, compare: Any, measure: str, question: Question) -> Estimates:
    """Compare averages of the mean, every row being put at one value of a variable and at another.

    Raises
    ------
    OptionError
        If the variable, what to compare or the measure is not understood.
    """
    check_measure(measure, shares=fit.problem.unit.family.mean.upper == 1.0)
    if measure != "difference" and question.kind == "link":
        raise OptionError("ratios are those of means: use kind='mean', or measure='difference' for eta")
    scene = scene_of(fit, question.kind, question.by, question.data)
    asked = settled(variable_of(fit, variable), scene.frame)
    pairs = pairs_of(scene.frame, scene.keep, asked, compare)

    def average(changes: Mapping[str, Column]) -> Average:
        return average_mean(scene, scene.with_columns(changes), question.kind)

    parts = [(asked.name, *each) for each in contrasted(pairs, measure, average)]
    return _table(
        scene,
        "Contrasts of average means" if question.kind != "link" else "Contrasts of average eta",
        parts,
        question,
        exponentiated=measure in {"ratio", "oddsratio"},
    )


def _settled(fit: FittedModel, scene: Scene) -> tuple[Variable, ...]:
    return tuple(settled(variable, scene.frame) for variable in variables_of(fit))


# --- counterfactual rows ---


def _at(scene: Scene, variable: Variable, place: int, kind: str) -> Average:
    column = scene.constant(variable, place)
    return average_mean(scene, scene.with_columns({variable.name: column}), kind)


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
        # One such unit moves eta by as much as the rows differ in it, and so is not lost in eta's rounding.
        unit = _power_of_two(scene.values(name))
        far, none = (scene.with_columns({name: scene.constant(variable, value)}) for value in (unit, 0.0))
        share = np.full(len(scene.units), 1.0 / unit)
        return average_slope(scene, centre, (far, none), (share, -share), kind)
    values = scene.values(name).astype(np.float64)
    places, weights = derivative_places(values)
    points = [scene.with_columns({name: scene.filled(variable, place)}) for place in places]
    return average_slope(scene, centre, points, list(weights), kind)


def _power_of_two(values: RawArray) -> float:
    """Return the power of two next above all values, 1 where all are 0."""
    largest = float(np.abs(values.astype(np.float64)).max(initial=0.0))
    return math.ldexp(1.0, min(math.frexp(largest)[1], 1000)) if largest else 1.0


def _plain(scene: Scene, name: str) -> bool:
    """Tell whether eta is linear in a variable: no function, basis or offset reads it."""
    reading = [each.expression for each in scene.schema.factors if name in names_in(each.expression)]
    reading += [each.expression for each in scene.schema.offsets if name in names_in(each.expression)]
    return all(isinstance(expression, Name) for expression in reading)


# --- tables ---


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
