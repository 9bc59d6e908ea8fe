"""Average effects of several predictors: what each variable does to every class, a mean or a parameter.

May import: everything below `vector`.
Read next: `etamu.fit.effects`, the same for one predictor; `etamu.vector.predict`, what is averaged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.errors import NotAvailableError, OptionError
from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.data.column import Column
from etamu.data.encode import encode
from etamu.data.evaluate import names_in
from etamu.data.schema import CategoricalFactor
from etamu.design.chunk import Chunk, Predictor, Weights
from etamu.execute.threads import Threads
from etamu.fit.averages import Average, derivative_places
from etamu.fit.compared import check_measure, contrasted, pairs_of
from etamu.fit.estimates import Estimates, law, text_rows
from etamu.fit.scene import Variable, constant_column, names_of, settled, variables_in
from etamu.infer.covariance import Root
from etamu.infer.wald import criticals, p_values
from etamu.vector.predict import Target, target_of
from etamu.vector.response import trials_of
from etamu.vector.rows import eta_of, placed_chunk, visited

if TYPE_CHECKING:
    from etamu.vector.fitted import FittedVectorModel


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """The rows of a fit, what each of them counts, and what is averaged over them."""

    fit: FittedVectorModel
    target: Target
    units: Array
    kind: str

    def average(self, changes: Mapping[str, Column], weights: Array) -> Average:
        """Sum what is predicted, times weights, with some columns changed."""
        problem = self.fit.problem
        chunk = problem.counting()
        frame = replace(problem.table, read_already={**problem.table.read_already, **changes})
        seen: dict[int, Any] = {}
        predictors = []
        for stated, own in zip(problem.predictors, chunk.predictors, strict=True):
            assert stated.schema is not None
            if id(stated.layout) not in seen:
                seen[id(stated.layout)] = encode(stated.schema, frame, self.keep).design
            predictors.append(Predictor(seen[id(stated.layout)], own.offset))
        return self.over(tuple(predictors), weights)

    @property
    def keep(self) -> Mask:
        """The rows of the table that count."""
        out = np.zeros(self.fit.problem.input_rows, dtype=bool)
        out[self.fit.problem.counting().row_ids] = True
        return out

    def over(self, predictors: tuple[Predictor, ...], weights: Array) -> Average:
        """Sum what is predicted for other rows, times weights."""
        fit = self.fit
        rows = Chunk(predictors, (weights,), Weights(), np.arange(len(weights)))
        executor = Threads(placed_chunk(fit, rows), **visited(fit.problem.options, len(predictors)))
        return executor.reduce(self._block)

    def _block(self, chunk: Chunk) -> Average:
        stack, weight = self.fit.coordinates, chunk.y[0]
        eta = eta_of(chunk, stack.raw(self.fit.beta))
        slopes = self.target.slopes(eta)
        gradient = np.zeros((slopes.shape[1], stack.size))
        for j, (predictor, part, at) in enumerate(
            zip(chunk.predictors, stack.parts, stack.blocks, strict=True)
        ):
            for m in range(slopes.shape[1]):
                gradient[m, at] = part.gathered(predictor.design.rmatvec(weight * slopes[:, m, j]))
        return Average(weight @ self.target.value(eta), gradient)


def effects(fit: FittedVectorModel, variables: Any, kind: str | None, level: float) -> Estimates:
    """Average the effect of every variable, as `VectorFit.effects` describes.

    Raises
    ------
    OptionError
        If a variable, the kind or the level is not understood.
    NotAvailableError
        If the fit carries no rows, was fitted to a matrix, or is the limit of one that does not exist.
    """
    scene = scene_of(fit, kind, level)
    known = variables_of(fit)
    wanted = [*known] if variables is None else [*names_of(variables)]
    for name in wanted:
        if name not in known:
            raise OptionError(f"the model has no variable {name!r}; there are {', '.join(map(repr, known))}")
    if not wanted:
        raise OptionError("the model has a constant only: there is no variable whose effect could be asked")
    parts: list[tuple[str, str, Average]] = []
    for name in wanted:
        parts += _of_levels(scene, known[name]) if known[name].levels else [_slope(scene, known[name])]
    words = ("Average effects", f"Effects on {scene.kind}, averaged over {len(scene.units):,} rows")
    return tabulated(scene, words, _named(parts), level)


def contrasts(
    fit: FittedVectorModel, variable: str, compare: Any, measure: str, kind: str | None, level: float
) -> Estimates:
    """Compare what is predicted with every row at one value and at another, as `VectorFit.contrasts`.

    Raises
    ------
    OptionError
        If the variable, what to compare, the measure, the kind or the level is not understood.
    NotAvailableError
        If the fit carries no rows, was fitted to a matrix, or is the limit of one that does not exist.
    """
    scene = scene_of(fit, kind, level)
    check_measure(measure, shares=scene.target.scale == "logit")
    if measure != "difference" and scene.kind == "link":
        raise OptionError(f"ratios are of what is predicted; for {scene.kind!r} use measure='difference'")
    known = variables_of(fit)
    if variable not in known:
        raise OptionError(f"the model has no variable {variable!r}; there are {', '.join(map(repr, known))}")
    pairs = pairs_of(fit.problem.table, scene.keep, known[variable], compare)
    found = contrasted(pairs, measure, lambda changes: scene.average(changes, scene.units))
    parts = [(variable, *each) for each in found]
    words = ("Contrasts of averages", f"Of {scene.kind}, averaged over {len(scene.units):,} rows")
    made = tabulated(scene, words, _named(parts), level)
    return exponentiated(made) if measure in {"ratio", "oddsratio"} else made


def exponentiated(logs: Estimates) -> Estimates:
    """Return ratios of their logarithms; intervals and tests are those of the logarithms."""
    value = np.exp(logs.estimate)
    return replace(
        logs,
        estimate=value,
        std_error=value * logs.std_error,
        conf_low=np.exp(logs.conf_low),
        conf_high=np.exp(logs.conf_high),
        root=logs.root * value[:, None],
    )


def scene_of(fit: FittedVectorModel, kind: str | None, level: float) -> Scene:
    """Set up what averages are made of; refuse a level or a kind that is none, and a fit without averages."""
    if not 0.0 < level < 1.0:
        raise OptionError(f"level is {level!r}; it is a probability such as 0.95")
    if fit.limit is not None and fit.limit.count:
        raise NotAvailableError(
            "effects are averages of slopes, and some coefficients of this fit are infinite: ask predict()"
        )
    kind = kind or ("probabilities" if fit.family.categorical else "mean")
    return Scene(fit, target_of(fit, kind), _units(fit), kind)


def _named(parts: list[tuple[str, str, Average]]) -> list[tuple[dict[str, str], Average]]:
    return [({"variable": name, "contrast": contrast}, average) for name, contrast, average in parts]


def _units(fit: FittedVectorModel) -> Array:
    """Return the share of each row: its frequency times its sampling weight times its trials."""
    chunk = fit.problem.counting()
    out = np.ones(len(chunk))
    for factor in (chunk.weights.frequency, chunk.weights.sampling, trials_of(chunk.y, fit.family)):
        out = out if factor is None else out * factor
    return np.asarray(out / out.sum())


def variables_of(fit: FittedVectorModel) -> dict[str, Variable]:
    """Return the variables of every predictor by name; refuse what cannot be changed alone."""
    found: dict[str, Variable] = {}
    for stated in fit.problem.predictors:
        if stated.schema is None:
            raise NotAvailableError(
                "this model was fitted to a matrix, whose columns may depend on one another: fit a formula "
                "or a table, or ask predict() for the rows you mean"
            )
        for variable in variables_in(stated.schema):
            own = settled(variable, fit.problem.table)
            if variable.name not in found or own.levels:
                found[variable.name] = own
    return found


def _of_levels(scene: Scene, variable: Variable) -> list[tuple[str, str, Average]]:
    """Compare all rows at each level with all rows at the reference level."""
    frame = scene.fit.problem.table

    def at(place: int) -> Average:
        return scene.average({variable.name: constant_column(frame, variable, place)}, scene.units)

    means = [at(place) for place in range(len(variable.levels))]
    base = variable.levels[variable.base]
    return [
        (variable.name, f"{level} - {base}", means[place] - means[variable.base])
        for place, level in enumerate(variable.levels)
        if place != variable.base
    ]


def _slope(scene: Scene, variable: Variable) -> tuple[str, str, Average]:
    """Average the derivative by five points around each row's value."""
    name = variable.name
    for stated in scene.fit.problem.predictors:
        assert stated.schema is not None
        shut = [e.expression for e in stated.schema.factors if isinstance(e, CategoricalFactor)]
        shut += [each.expression for each in stated.schema.offsets]
        for expression in shut:
            if name in names_in(expression):
                raise OptionError(
                    f"{name!r} enters by levels or in an offset, which has no slope: ask predict() for the "
                    "rows you mean"
                )
    values = np.asarray(scene.fit.problem.table.column(name).values, dtype=np.float64)
    rows = scene.fit.problem.counting().row_ids
    total: Average | None = None
    for place, weight in zip(*derivative_places(values[rows]), strict=True):
        moved = values.copy()
        moved[rows] = place
        part = scene.average({name: Column(name, "numeric", moved)}, scene.units * weight)
        total = part if total is None else total + part
    assert total is not None
    return name, "slope", total


def tabulated(
    scene: Scene, words: tuple[str, ...], rows: list[tuple[dict[str, str], Average]], level: float
) -> Estimates:
    """Set averages in a table, each a row per class or parameter; `words` are its title and what it is of."""
    fit = scene.fit
    labels = [
        {**({"of": column} if column else {}), **named}
        for named, _ in rows
        for column in (scene.target.columns or ("",))
    ]
    value = np.concatenate([average.value for _, average in rows])
    root = np.concatenate([average.gradient for _, average in rows]) @ fit.root.matrix
    error, df = Root(root).errors(), fit.reference_df
    half = criticals(level, df) * error
    with np.errstate(all="ignore"):
        statistic = value / error
    covariance = "the model's" if fit.covariance_kind == "model" else fit.covariance_kind
    return Estimates(
        title=words[0],
        heading=(
            f"Model: {fit.family.name}; response: {fit.problem.words.response}",
            *words[1:],
            f"{100 * level:g} % intervals: {law(df)}; covariance: {covariance}",
        ),
        labels=text_rows(labels),
        estimate=value,
        std_error=error,
        conf_low=value - half,
        conf_high=value + half,
        df=df,
        root=root,
        statistic=statistic,
        p_value=p_values(statistic, df),
        maker=fit.problem.table,
    )
