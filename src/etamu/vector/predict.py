"""Prediction of several predictors: probabilities, classes, means and parameters, with delta-method errors.

May import: everything below `vector`.
Read next: `etamu.vector.residuals`, what is left of the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.choice import check_choice, unknown_choice
from etamu._base.errors import DataError, OptionError
from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.data.encode import Encoded, Unseen, encode
from etamu.data.frame import Frame, bare_rows, read
from etamu.design.chunk import Chunk, Predictor, Weights
from etamu.execute.threads import Threads
from etamu.family.vector import VectorFamily
from etamu.fit.inputs import offset_of
from etamu.fit.limit import unbounded
from etamu.fit.predict import like_matrix
from etamu.infer.wald import criticals
from etamu.vector.located import ended
from etamu.vector.problem import Predicted, VectorProblem
from etamu.vector.rows import placed_chunk, visited

if TYPE_CHECKING:
    from etamu.vector.fitted import FittedVectorModel

STEP = 6e-4
"""Step of the four-point difference that gives the slope of a mean, its error about 1e-13."""


@dataclass(frozen=True, slots=True, eq=False)
class VectorPrediction:
    """Predictions with their uncertainty; every array has the length of the input.

    Parameters
    ----------
    estimate : array (n,) or (n, columns)
    se : array, the same
        Delta method.
    lower, upper : arrays, the same, optional
        Ends of the interval, which stay inside the range of what is predicted.
    columns : tuple of str
        What the columns are: classes, or predictors; empty for one number per row.
    """

    estimate: Array
    se: Array
    lower: Array | None = None
    upper: Array | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A function of eta: (n, k) -> (n, m), its slopes (n, m, k), and where its interval is symmetric.

    `linear` is its matrix (m, k) where it is linear; `own` the place of the parameter that it is, if one.
    """

    value: Callable[[Array], Array]
    slopes: Callable[[Array], Array]
    scale: str
    columns: tuple[str, ...]
    linear: Array | None = None
    own: int | None = None


def predict(
    fit: FittedVectorModel,
    data: Any,
    kind: str | None = None,
    *,
    se: bool = False,
    interval: str | None = None,
    level: float = 0.95,
    unseen: Unseen = "error",
    offset: Any = None,
    exposure: Any = None,
) -> Any:
    """Predict as `VectorFit.predict` describes.

    Raises
    ------
    OptionError
        If an option is not understood, or asks what does not exist for this family.
    DataError
        If the new data lack a column, hold an unseen level, or an offset must be given again.
    """
    check_choice("interval", interval, (None, "confidence"))
    if not 0.0 < level < 1.0:
        raise OptionError(f"level is {level!r}; it is a probability such as 0.95")
    kind = kind or ("probabilities" if fit.family.categorical else "mean")
    if kind == "class" and (se or interval is not None):
        raise OptionError("a class has no standard error: ask for 'probabilities'")
    target = target_of(fit, "probabilities" if kind == "class" else kind)
    rows = _own_rows(fit) if data is None else _new_rows(fit, data, unseen, offset, exposure)
    estimate = rows.each(lambda chunk: _values(fit, chunk, target))
    if kind == "class":
        return _classes(fit, estimate)
    single = not target.columns
    if not se and interval is None:
        return estimate[:, 0] if single else estimate
    error = rows.each(lambda chunk: _errors(fit, chunk, target))
    low, high = estimate, estimate
    if interval is not None:
        low, high = ends_of(estimate, error, target.scale, level, fit.reference_df)
    shown = [each[:, 0] if single else each for each in (estimate, error, low, high)]
    if interval is None:
        return VectorPrediction(shown[0], shown[1], columns=target.columns)
    return VectorPrediction(shown[0], shown[1], shown[2], shown[3], target.columns)


def _classes(fit: FittedVectorModel, p: Array) -> Any:
    """Name the most probable class of each row, None where there is no prediction."""
    levels = np.array(fit.family.response if len(fit.family.response) > 1 else _levels(fit), dtype=object)
    gone = np.isnan(p[:, 0])
    out = levels[np.argmax(np.where(gone[:, None], 0.0, p), axis=1)]
    out[gone] = None
    return out


def _levels(fit: FittedVectorModel) -> tuple[str, ...]:
    levels: tuple[str, ...] = fit.family.settings["levels"]
    return levels


# What is predicted


def target_of(fit: FittedVectorModel, kind: str) -> Target:
    """Return what is predicted, by its name.

    Raises
    ------
    OptionError
        If there is nothing of that name.
    """
    family = fit.family
    names = tuple(each.parameter.name for each in fit.problem.predictors)
    if kind == "link":
        return _linear(fit, names)
    if family.categorical:
        levels = _levels(fit)
        if kind in {"probabilities", "mean"}:
            return Target(
                lambda eta: family.mean(np, eta), _probability_slopes(family, levels), "logit", levels
            )
        if kind in levels:
            at = levels.index(kind)
            slopes = _probability_slopes(family, levels)
            return Target(
                lambda eta: family.mean(np, eta)[:, at : at + 1],
                lambda eta: slopes(eta)[:, at : at + 1],
                "logit",
                (),
            )
        raise unknown_choice("kind", kind, ("probabilities", "class", "link", *levels))
    if kind in names and (kind != "mean" or family.mean_modelled):
        at, link = names.index(kind), fit.problem.predictors[names.index(kind)].parameter.link
        one = np.eye(len(names))[at]
        return Target(
            lambda eta: link.inverse(np, eta[:, at]).mu[:, None],
            lambda eta: (link.inverse(np, eta[:, at]).d1[:, None] * one)[:, None, :],
            _scale(link.range.lower, link.range.upper),
            (),
            own=at,
        )
    if kind == "mean":
        low, high = family.support.interval.lower, family.support.interval.upper
        return Target(
            lambda eta: np.asarray(family.mean(np, eta))[:, None],
            lambda eta: _differences(lambda at: np.asarray(family.mean(np, at)), eta)[:, None, :],
            _scale(low, high),
            (),
        )
    raise unknown_choice("kind", kind, ("mean", "link", *(name for name in names if name != "mean")))


def _linear(fit: FittedVectorModel, names: tuple[str, ...]) -> Target:
    """Predict eta itself; of an anchored predictor what the others exceed it by, alpha_j - x' beta."""
    matrix, columns = np.eye(len(names)), names
    at = fit.coordinates.anchored
    if at is not None:
        matrix[:, at] -= 1.0
        matrix, columns = np.delete(matrix, at, axis=0), (*names[:at], *names[at + 1 :])
    return Target(
        lambda eta: eta @ matrix.T,
        lambda eta: np.broadcast_to(matrix, (len(eta), *matrix.shape)),
        "plain",
        columns,
        matrix,
    )


def _scale(low: float, high: float) -> str:
    if low == 0.0 and high == 1.0:
        return "logit"
    return "log" if low == 0.0 else "plain"


def _probability_slopes(family: VectorFamily, levels: tuple[str, ...]) -> Callable[[Array], Array]:
    """Return dp_c / deta_j = p_c times the score of class c, (n, K, k)."""
    settled: Any = family
    single = settled.among(levels)
    bound = single.bind(np, "expected")

    def slopes(eta: Array) -> Array:
        p = single.mean(np, eta)
        scores = [bound((np.full(len(eta), float(c)),), eta)[1] for c in range(len(levels))]
        stacked = np.stack(scores, axis=1)
        return np.where(p[:, :, None] > 0.0, p[:, :, None] * stacked, 0.0)

    return slopes


def _differences(function: Callable[[Array], Array], eta: Array) -> Array:
    """Differentiate a smooth function of eta in each of its columns, (n, k), by four points."""
    out = np.empty(eta.shape)
    for j in range(eta.shape[1]):
        step = STEP * (1.0 + np.abs(eta[:, j]))

        def moved(times: float, j: int = j, step: Array = step) -> Array:
            other = eta.copy()
            other[:, j] += times * step
            return function(other)

        near, far = moved(1.0) - moved(-1.0), moved(2.0) - moved(-2.0)
        out[:, j] = (8.0 * near - far) / (12.0 * step)
    return out


def _values(fit: FittedVectorModel, chunk: Chunk, target: Target) -> Array:
    """Compute what is predicted, (n, m); of a limit what the etas come to that run away."""
    at = ended(fit, chunk)
    eta = at.eta
    if at.run is not None and target.own is not None:
        eta = eta.copy()
        eta[:, target.own] = unbounded(eta[:, target.own], np.sign(np.round(at.run[:, target.own])))
    with np.errstate(all="ignore"):
        values = target.value(eta)
    if at.run is None:
        return values
    if target.linear is not None:
        values = unbounded(values, np.sign(np.round(at.run @ target.linear.T)))
    return np.where(at.unknown[:, None], np.nan, values)


def _errors(fit: FittedVectorModel, chunk: Chunk, target: Target) -> Array:
    """Compute delta-method standard errors of what is predicted, (n, m)."""
    stack, root = fit.coordinates, fit.root.matrix
    at = ended(fit, chunk)
    with np.errstate(all="ignore"):
        slopes = target.slopes(at.eta)
    shares = [
        part.rows(predictor.design) @ root[at]
        for predictor, part, at in zip(chunk.predictors, stack.parts, stack.blocks, strict=True)
    ]
    columns = []
    for m in range(slopes.shape[1]):
        gradient = sum(slopes[:, m, j, None] * share for j, share in enumerate(shares))
        columns.append(np.sqrt(np.einsum("ij,ij->i", gradient, gradient)))
    found = np.stack(columns, axis=1)
    if at.run is None:
        return found
    run = np.round(at.run)
    at_end = found == 0.0 if target.linear is None else np.round(run @ target.linear.T) != 0.0
    return np.where(at.unknown[:, None] | (at_end & np.any(run != 0.0, axis=1)[:, None]), np.nan, found)


def ends_of(estimate: Array, error: Array, scale: str, level: float, df: float) -> tuple[Array, Array]:
    """Return the ends of the interval, made on the scale where it is symmetric."""
    half = float(criticals(level, df)) * error
    with np.errstate(all="ignore"):
        if scale == "logit":
            odds, width = estimate / (1.0 - estimate), half / (estimate * (1.0 - estimate))
            low, high = odds * np.exp(-width), odds * np.exp(width)
            return low / (1.0 + low), np.where(np.isinf(high), 1.0, high / (1.0 + high))
        if scale == "log":
            ratio = np.exp(half / estimate)
            return estimate / ratio, estimate * ratio
    return estimate - half, estimate + half


# The rows


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows to predict for, columns placed, and where their answers belong."""

    executor: Threads
    length: int
    place: Any
    invalid: Mask | None = None

    def each(self, function: Callable[[Chunk], Array]) -> Array:
        """Compute (n, m) numbers block by block, NaN where a row has none."""
        pieces: list[Array] = []
        self.executor.map(function, pieces.append)
        values = np.concatenate(pieces)
        if self.invalid is not None:
            values = np.where(self.invalid[:, None], np.nan, values)
        out = np.full((self.length, values.shape[1]), np.nan)
        out[self.place] = values
        return out


def _own_rows(fit: FittedVectorModel) -> _Rows:
    problem = fit.problem
    executor = Threads(placed_chunk(fit, problem.chunk), **visited(problem.options, len(problem.predictors)))
    return _Rows(executor, problem.input_rows, problem.chunk.row_ids)


def _new_rows(fit: FittedVectorModel, data: Any, unseen: Unseen, offset: Any, exposure: Any) -> _Rows:
    """Read new rows the way the rows of the fit were read."""
    problem, words = fit.problem, fit.problem.words
    new = _read(problem, data, unseen)
    frame, keep = new.frame, new.keep
    given = {"offset": offset, "exposure": exposure}
    for keyword in {"offset", "exposure"} & set(words.given):
        if given[keyword] is None:
            raise DataError(
                f"{keyword} was given as an array when the model was fitted: give {keyword}= again"
            )
    used = {name: value if value is not None else getattr(words, name) for name, value in given.items()}
    main = next((each.parameter for each in problem.predictors if each.parameter.main), None)
    extra = None
    if main is not None and (used["offset"] is not None or used["exposure"] is not None):
        extra = offset_of(frame, used["offset"], used["exposure"], main)
        extra = extra if keep is None or extra is None else extra[keep]
    predictors, invalid = _encoded(problem, new, extra)
    count = len(frame) if keep is None else int(keep.sum())
    place = np.arange(len(frame)) if keep is None else np.flatnonzero(keep)
    chunk = Chunk(predictors, (np.zeros(count),), Weights(), np.arange(count))
    executor = Threads(placed_chunk(fit, chunk), **visited(problem.options, len(predictors)))
    return _Rows(executor, len(frame), place, invalid)


@dataclass(frozen=True, slots=True, eq=False)
class _New:
    """New rows, which of them are complete (None if all), and how the columns of a predictor are made."""

    frame: Frame
    keep: Mask | None
    encode: Callable[[Predicted], Encoded]


def _read(problem: VectorProblem, data: Any, unseen: Unseen) -> _New:
    """Read new rows by the schemas of the predictors, or as a matrix of the columns there were."""
    schemas = [each.schema for each in problem.predictors if each.schema is not None]
    if not schemas:
        matrix = like_matrix(
            max((each.layout for each in problem.predictors), key=lambda own: own.width), data
        )

        def of_matrix(stated: Predicted) -> Encoded:
            constant = stated.layout.constant is not None
            own = matrix if stated.layout.width > constant else matrix.none()
            return own.encode(None, intercept=constant)

        return _New(bare_rows(len(matrix)), None, of_matrix)
    frame = read(data)
    gaps = [
        frame.column(name).missing for name in sorted({name for each in schemas for name in each.columns})
    ]
    missing = [mask for mask in gaps if mask is not None]
    keep = ~np.logical_or.reduce(missing) if missing else None

    def of_table(stated: Predicted) -> Encoded:
        assert stated.schema is not None
        return encode(stated.schema, frame, keep, unseen=unseen)

    return _New(frame, keep, of_table)


def _encoded(
    problem: VectorProblem, new: _New, extra: Array | None
) -> tuple[tuple[Predictor, ...], Mask | None]:
    """Encode every predictor, those of one formula once."""
    seen: dict[tuple[int, bool], tuple[Encoded, Predictor]] = {}
    out: list[Predictor] = []
    invalid: Mask | None = None
    for stated in problem.predictors:
        key = id(stated.layout), stated.offset
        if key not in seen:
            encoded = new.encode(stated)
            offset = encoded.offset
            if stated.offset and extra is not None:
                offset = extra if offset is None else offset + extra
            seen[key] = encoded, Predictor(encoded.design, offset)
            if encoded.invalid is not None:
                invalid = encoded.invalid if invalid is None else invalid | encoded.invalid
        out.append(seen[key][1])
    return tuple(out), invalid
