"""Prediction: one eta path for old rows and new, the offset always on it.

May import: everything below `fit`.
Read next: `etamu.fit.rows`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.errors import DataError, OptionError
from etamu._base.types import Array, Mask
from etamu.data.encode import Encoded, Unseen, encode
from etamu.data.frame import Frame, bare_rows, is_table, read
from etamu.data.matrix import read_like
from etamu.design.chunk import Chunk, Predictor
from etamu.design.coordinates import Coordinates
from etamu.design.design import Design
from etamu.execute.threads import ROWS
from etamu.family.unit import Unit
from etamu.fit.covariance import varying_df
from etamu.fit.inputs import offset_of, trials_of
from etamu.fit.problem import Problem
from etamu.fit.rows import by_row, raw_beta
from etamu.infer.covariance import Root
from etamu.infer.wald import criticals

if TYPE_CHECKING:
    from etamu.fit.result import Fit

KINDS = ("mean", "link", "count")
"""What can be predicted."""

Degrees = Callable[[Array], Array]
"""Degrees of freedom of contrasts, rows over the working coefficients."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Predictions with their uncertainty; every array has the length of the input.

    Parameters
    ----------
    estimate : array (n,)
    se : array (n,)
        Standard error of the estimate on its own scale (delta method for means).
    lower, upper : arrays (n,), optional
        Ends of the confidence interval of the mean, transformed from the scale of the link so that
        they stay inside the range of means.
    """

    estimate: Array
    se: Array
    lower: Array | None = None
    upper: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Linear:
    """Eta of each row with its standard error, the trials of each row, and reference degrees of freedom."""

    eta: Array
    se: Array
    trials: Array | None
    df: Array | float


def predict(
    fit: Fit,
    data: Any,
    kind: str,
    *,
    se: bool = False,
    interval: str | None = None,
    level: float = 0.95,
    unseen: Unseen = "error",
    offset: Any = None,
    exposure: Any = None,
    trials: Any = None,
) -> Array | Prediction:
    """Predict as `Fit.predict` describes.

    Raises
    ------
    OptionError
        If an option is not understood.
    DataError
        If the new data lack a column, hold an unseen level, or an offset must be given again.
    """
    if kind not in KINDS:
        raise OptionError(f"kind {kind!r} is not known; choose one of {', '.join(KINDS)}")
    if interval not in {None, "confidence"}:
        raise OptionError(f"interval {interval!r} is not known; choose None or 'confidence'")
    again = {"offset": offset, "exposure": exposure}
    if kind == "count":
        again["trials"] = trials
    need_se = se or interval is not None
    degrees = varying_df(fit) if interval is not None else None
    if data is None:
        linear = _old_rows(fit, degrees, need_se=need_se)
    else:
        linear = _new_rows(fit, data, again, unseen, degrees, need_se=need_se)
    estimate, slope = _on_scale(fit.problem.unit, linear.eta, kind, linear.trials)
    if not need_se:
        return estimate
    error = np.abs(slope) * linear.se
    if interval is None:
        return Prediction(estimate, error)
    half = criticals(level, linear.df) * linear.se
    ends = [_on_scale(fit.problem.unit, linear.eta + side * half, kind, linear.trials)[0] for side in (-1, 1)]
    return Prediction(estimate, error, np.fmin(*ends), np.fmax(*ends))


def _on_scale(unit: Unit, eta: Array, kind: str, trials: Array | None) -> tuple[Array, Array]:
    """Return the estimate and its derivative in eta; NaN where eta has left the domain."""
    if kind == "link":
        return eta, np.ones_like(eta)
    with np.errstate(all="ignore"):
        mean = unit.mean(np, eta)
    admissible = unit.domain.contains(eta)
    mu, slope = np.where(admissible, mean.mu, np.nan), np.where(admissible, mean.d1, np.nan)
    if kind == "count" and trials is not None:
        return mu * trials, slope * trials
    return mu, slope


def _old_rows(fit: Fit, degrees: Degrees | None, *, need_se: bool) -> _Linear:
    beta = raw_beta(fit)
    matrix = fit.coordinates.raw_matrix(fit.root.covariance()) if need_se else None

    def variance(chunk: Chunk) -> Array:
        assert matrix is not None
        return chunk.predictors[0].design.quadratic(matrix)

    eta = by_row(fit, lambda chunk: chunk.predictors[0].eta(beta))
    se = np.sqrt(by_row(fit, variance)) if need_se else np.zeros(0)
    y = fit.problem.chunk.y
    trials = None
    if len(y) > 1:
        trials = np.full(fit.problem.input_rows, np.nan)
        trials[fit.problem.chunk.row_ids] = y[1]
    df = fit.reference_df
    if degrees is not None:
        df = by_row(fit, lambda chunk: degrees(fit.coordinates.rows(chunk.predictors[0].design)))
    return _Linear(eta, se, trials, df)


def _new_rows(
    fit: Fit, data: Any, again: dict[str, Any], unseen: Unseen, degrees: Degrees | None, *, need_se: bool
) -> _Linear:
    problem, words = fit.problem, fit.problem.words
    frame, encoded, keep = _encoded(problem, data, unseen)
    for keyword in set(words.given) & again.keys():
        if again[keyword] is None:
            raise DataError(
                f"{keyword} was given as an array when the model was fitted: give {keyword}= again"
            )
    given = {name: again[name] if again[name] is not None else getattr(words, name) for name in again}
    extra = offset_of(frame, given["offset"], given["exposure"], problem.unit)
    offset = _sum(encoded.offset, extra if extra is None or keep is None else extra[keep])
    trials = None if given.get("trials") is None else trials_of(frame, given["trials"])
    coordinates, beta = _coordinates(fit, encoded.design)
    predictor = Predictor(coordinates.placed(encoded.design), offset)
    eta = predictor.eta(coordinates.raw(beta))
    se = np.zeros(0)
    if need_se:
        root = _root(fit, coordinates)
        se = np.sqrt(predictor.design.quadratic(coordinates.raw_matrix(root.covariance())))
    df = fit.reference_df
    if degrees is not None:
        df = _degrees(fit, coordinates, predictor.design, degrees)
        df = df if keep is None else _laid_out(df, keep)
    if encoded.invalid is not None:
        eta = np.where(encoded.invalid, np.nan, eta)
        se = np.where(encoded.invalid, np.nan, se) if need_se else se
    if keep is not None:
        eta, se = _laid_out(eta, keep), _laid_out(se, keep) if need_se else se
    return _Linear(eta, se, trials, df)


def _degrees(fit: Fit, coordinates: Coordinates, design: Design, degrees: Degrees) -> Array:
    """Compute the degrees of freedom of eta row by row, block by block."""
    own, out = fit.coordinates, np.empty(design.length)
    for start in range(0, design.length, ROWS):
        stop = min(start + ROWS, design.length)
        rows = coordinates.rows(design.rows(start, stop))
        if coordinates is not own:
            columns = np.zeros((stop - start, own.layout.width))
            columns[:, own.kept] = rows
            rows = own.hypothesis(columns)
        out[start:stop] = degrees(rows)
    return out


def _laid_out(values: Array, keep: Mask) -> Array:
    """Put values of complete rows where those were, NaN elsewhere."""
    out = np.full(len(keep), np.nan)
    out[keep] = values
    return out


def _coordinates(fit: Fit, design: Design) -> tuple[Coordinates, Array]:
    """Choose coordinates in which the blocks of new rows can be placed, with the estimate in them.

    Those of the fit, unless it shifted columns that are sparse now: then the columns as they stand.
    """
    own = fit.coordinates
    if not any(own.raw_shift[columns].any() for columns, block in design.placed() if not block.shiftable):
        return own, fit.beta
    plain = Coordinates(own.layout, own.kept, own.raw_shift * 0.0, np.ones_like(own.raw_scale))
    return plain, own.reported(fit.beta)[own.kept]


def _root(fit: Fit, coordinates: Coordinates) -> Root:
    """Factor the covariance of the estimate in coordinates that `_coordinates` chose."""
    own = fit.coordinates
    return fit.root if coordinates is own else Root(own.reported(fit.root.matrix)[own.kept])


def _encoded(problem: Problem, data: Any, unseen: Unseen) -> tuple[Frame, Encoded, Mask | None]:
    """Read new rows the way the rows of the fit were read; the mask says which are complete, None if all."""
    if problem.schema is not None:
        frame = read(data)
        gaps = [frame.column(name).missing for name in problem.schema.columns]
        missing = [mask for mask in gaps if mask is not None]
        keep = ~np.logical_or.reduce(missing) if missing else None
        return frame, encode(problem.schema, frame, keep, unseen=unseen), keep
    names = problem.layout.names
    intercept = problem.layout.constant is not None
    if is_table(data):
        raise DataError(
            f"this model was fitted to a matrix of {len(names) - intercept} columns; give a matrix of the "
            "same columns, such as data.to_numpy()"
        )
    matrix = read_like(data, names[intercept:])
    return bare_rows(len(matrix)), matrix.encode(None, intercept=intercept), None


def _sum(left: Array | None, right: Array | None) -> Array | None:
    if left is None or right is None:
        return right if left is None else left
    return left + right
