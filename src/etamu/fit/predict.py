"""Prediction: one eta path for old rows and new, the offset always on it.

May import: everything below `fit`.
Read next: `etamu.fit.rows`, `etamu.fit.prediction` for the next response, `etamu.fit.terms`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.choice import check_choice
from etamu._base.errors import DataError, OptionError
from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.data.encode import Encoded, Unseen, encode
from etamu.data.frame import Frame, bare_rows, is_table, read
from etamu.data.matrix import Matrix, read_like
from etamu.design.chunk import Chunk, Predictor
from etamu.design.coordinates import Coordinates
from etamu.design.design import Design
from etamu.design.layout import Layout
from etamu.family.distribution import distribution
from etamu.family.unit import Unit
from etamu.fit.covariance import varying_df
from etamu.fit.inputs import numbers, offset_of, trials_of
from etamu.fit.prediction import prediction_interval
from etamu.fit.problem import Problem
from etamu.fit.rows import by_row, coordinates_for, own_rows, raw_beta, root_in
from etamu.fit.simulate import row_dispersion
from etamu.fit.terms import Terms, splitter, terms_of_new, terms_of_rows
from etamu.infer.wald import criticals, probability

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

BLOCK = 1 << 14
"""Rows written out at a time."""
LARGEST = 1e300
KINDS = ("mean", "link", "count", "rate", "terms")
"""What can be predicted."""
INTERVALS = (None, "confidence", "prediction")
"""Of the mean, or of the next response."""

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
        Ends of the interval: of the mean, transformed from the scale of the link so that they stay inside the
        range of means; or of the next response, where a prediction interval was asked.
    """

    estimate: Array
    se: Array
    lower: Array | None = None
    upper: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Linear:
    """Eta of each row with its standard error, and what else a scale needs of the row.

    `df` are reference degrees of freedom, `per` the exposure by which a rate divides the mean, and
    `dispersion` phi over the variance weight.
    """

    eta: Array
    se: Array
    df: Array | float
    trials: Array | None = None
    per: Array | None = None
    dispersion: Array | None = None

    def running(self, runs: Array) -> _Linear:
        """Put eta at its infinite end where it runs there, NaN where it may be anything."""
        still = runs == 0.0
        with np.errstate(invalid="ignore"):
            eta = np.where(still | np.isnan(self.eta), self.eta, runs * np.inf)
        return replace(self, eta=eta, se=np.where(still, self.se, np.nan) if len(self.se) else self.se)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of every row."""

    kind: str
    se: bool
    interval: str | None
    level: float
    degrees: Degrees | None = None

    @property
    def needs_se(self) -> bool:
        """Whether standard errors of eta are needed."""
        return self.se or self.interval is not None

    @property
    def next_response(self) -> bool:
        """Whether the law of the next response is needed, and so all that it depends on."""
        return self.interval == "prediction"


def predict(
    fit: FittedModel,
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
) -> Array | Prediction | Terms:
    """Predict as `Fit.predict` describes.

    Raises
    ------
    OptionError
        If an option is not understood, or asks what does not exist for this model.
    DataError
        If the new data lack a column, hold an unseen level, or an offset must be given again.
    NotAvailableError
        If a prediction interval is asked and the family states a variance and no law.
    """
    asked = _Asked(kind, se, interval, level)
    _refuse(fit, asked)
    if interval is not None:
        asked = replace(asked, degrees=varying_df(fit))
    if kind == "terms":
        return terms_of_rows(fit, se=se) if data is None else _terms_of_new(fit, data, unseen, se=se)
    given = {"offset": offset, "exposure": exposure, "trials": trials}
    linear = _old_rows(fit, asked, exposure) if data is None else _new_rows(fit, data, given, unseen, asked)
    unit = fit.problem.unit
    estimate, slope = _on_scale(unit, linear.eta, kind, linear)
    if not asked.needs_se:
        return estimate
    near = fit.near.measure if kind != "link" and fit.near is not None and fit.near.measure.response else None
    if near is not None:  # in units in which neither slopes nor phi overflow
        linear = replace(linear, eta=near.eta(linear.eta, unit.link.exponent), se=near.error(linear.se))
        slope = _on_scale(unit, linear.eta, kind, linear)[1]
    scaled = _plain if near is None else near.mean
    error = scaled(np.abs(slope) * linear.se)
    if interval is None:
        return Prediction(estimate, error)
    if asked.next_response:
        return Prediction(estimate, error, *map(scaled, _next_response(fit, linear, asked)))
    half = criticals(level, linear.df) * linear.se
    ends = [_on_scale(unit, linear.eta + side * half, kind, linear)[0] for side in (-1, 1)]
    return Prediction(estimate, error, scaled(np.fmin(*ends)), scaled(np.fmax(*ends)))


def _plain(values: Array) -> Array:
    """Leave values as they are."""
    return values


def _phi(fit: FittedModel) -> float:
    """Return phi over variance weights of 1, in units near 1 where those of the response are far out."""
    if fit.near is None or not fit.near.measure.response:
        return fit.phi.value
    return fit.near.measure.weighed(fit.near.fit.phi.value)


def _refuse(fit: FittedModel, asked: _Asked) -> None:
    """Refuse what is not understood, or does not exist for this model."""
    check_choice("kind", asked.kind, KINDS)
    check_choice("interval", asked.interval, INTERVALS)
    probability(asked.level)
    if asked.kind == "terms" and asked.interval is not None:
        raise OptionError("terms have standard errors (se=True) and no intervals")
    if asked.next_response and asked.kind == "link":
        raise OptionError("a response has no eta: ask for a prediction interval of kind 'mean' or 'count'")
    words = fit.problem.words
    if asked.kind == "rate" and not (words.exposure or "exposure" in words.given):
        raise OptionError(
            "kind='rate' is the mean per exposure, and this model was fitted without exposure=; use 'mean'"
        )
    if asked.next_response:
        distribution(fit.family)  # raises where there is none


def _next_response(fit: FittedModel, linear: _Linear, asked: _Asked) -> tuple[Array, Array]:
    """Compute the interval of the next response, on the scale asked for.

    Where phi is estimated the tail is that of Student's t: for a Gaussian response with identity link the
    interval is then exact, eta -/+ t sqrt(phi + se^2).
    """
    from scipy.special import ndtr

    assert linear.dispersion is not None
    tail = np.broadcast_to(ndtr(-criticals(asked.level, linear.df)), linear.eta.shape)
    ends = prediction_interval(
        fit.problem.unit, linear.eta, linear.se, linear.dispersion, linear.trials, tail
    )
    divisor = linear.per if asked.kind == "rate" else linear.trials if asked.kind == "mean" else None
    if divisor is None:
        return ends
    with np.errstate(all="ignore"):
        return ends[0] / divisor, ends[1] / divisor


def _on_scale(unit: Unit, eta: Array, kind: str, row: _Linear) -> tuple[Array, Array]:
    """Return the estimate and its derivative in eta; NaN where eta has left the domain."""
    if kind == "link":
        return eta, np.ones_like(eta)
    finite = np.clip(eta, -LARGEST, LARGEST)  # an eta that is infinite has the mean of its end
    with np.errstate(all="ignore"):
        mean = unit.mean(np, finite)
    admissible = unit.domain.contains(finite)
    mu, slope = np.where(admissible, mean.mu, np.nan), np.where(admissible, mean.d1, np.nan)
    if kind == "count" and row.trials is not None:
        return mu * row.trials, slope * row.trials
    if kind == "rate" and row.per is not None:
        return mu / row.per, slope / row.per
    return mu, slope


def _old_rows(fit: FittedModel, asked: _Asked, exposure: Any) -> _Linear:
    problem, beta = fit.problem, raw_beta(fit)
    near, size = fit.root.near() if asked.needs_se else (None, 1.0)
    matrix = None if near is None else fit.coordinates.raw_matrix(near.covariance())

    def variance(chunk: Chunk) -> Array:
        assert matrix is not None
        return chunk.predictors[0].design.quadratic(matrix)

    eta = by_row(fit, lambda chunk: chunk.predictors[0].eta(beta))
    se = size * np.sqrt(by_row(fit, variance)) if asked.needs_se else np.zeros(0)
    y, trials, dispersion = problem.chunk.y, None, None
    if len(y) > 1:
        trials = by_row(fit, lambda chunk: chunk.y[1])
    df = fit.reference_df
    if (degrees := asked.degrees) is not None:
        df = by_row(fit, lambda chunk: degrees(fit.coordinates.rows(chunk.predictors[0].design)))
    if asked.next_response:
        weights = problem.chunk.weights.variance
        phi = row_dispersion(_phi(fit), weights, len(problem.chunk))
        dispersion = np.full(problem.input_rows, np.nan)
        dispersion[problem.chunk.row_ids] = phi
    per = _exposure_of_rows(problem, exposure) if asked.kind == "rate" else None
    linear = _Linear(eta, se, df, trials, per, dispersion)
    if (limit := fit.limit) is None:
        return linear
    here = fit.coordinates
    return linear.running(by_row(fit, lambda chunk: limit.runs_of(here, chunk.predictors[0].design)))


def _exposure_of_rows(problem: Problem, exposure: Any) -> Array:
    """Return the exposure of the rows of the fit: from its column, or given again."""
    words = problem.words
    if exposure is None and words.exposure is None:
        raise DataError("exposure was given as an array when the model was fitted: give exposure= again")
    frame = problem.table if problem.table is not None else bare_rows(problem.input_rows)
    return _exposure(frame, words.exposure if exposure is None else exposure, problem.unit)


def _exposure(frame: Frame, given: Any, unit: Unit) -> Array:
    logarithm = offset_of(frame, None, given, unit)
    assert logarithm is not None
    return np.asarray(np.exp(logarithm))


def _new_rows(fit: FittedModel, data: Any, given: dict[str, Any], unseen: Unseen, asked: _Asked) -> _Linear:
    problem, words = fit.problem, fit.problem.words
    frame, encoded, keep = _encoded(problem, data, unseen)
    wanted = _wanted(asked)
    if given["trials"] is not None and len(fit.family.response) == 1:
        raise OptionError(f"trials= is given, and a {fit.family.name} model has none: leave it out")
    for keyword in set(words.given) & wanted:
        if given[keyword] is None:
            raise DataError(
                f"{keyword} was given as an array when the model was fitted: give {keyword}= again"
            )
    used = {name: given[name] if given[name] is not None else getattr(words, name) for name in wanted}
    extra = offset_of(frame, used.get("offset"), used.get("exposure"), problem.unit)
    offset = _sum(encoded.offset, extra if extra is None or keep is None else extra[keep])
    trials = None if used.get("trials") is None else trials_of(frame, used["trials"])
    coordinates, beta = coordinates_for(fit, encoded.design)
    predictor = Predictor(coordinates.placed(encoded.design), offset)
    eta = predictor.eta(coordinates.raw(beta))
    se = np.zeros(0)
    if asked.needs_se:
        root = root_in(fit, coordinates)
        near, size = root.near()
        se = size * np.sqrt(predictor.design.quadratic(coordinates.raw_matrix(near.covariance())))
    df = fit.reference_df
    if asked.degrees is not None:
        df = _degrees(fit, coordinates, predictor.design, asked.degrees)
        df = df if keep is None else _laid_out(df, keep)
    if encoded.invalid is not None:
        eta = np.where(encoded.invalid, np.nan, eta)
        se = np.where(encoded.invalid, np.nan, se) if asked.needs_se else se
    if keep is not None:
        eta, se = _laid_out(eta, keep), _laid_out(se, keep) if asked.needs_se else se
    per = None
    if asked.kind == "rate" and "exposure" in used:
        per = _exposure(frame, used["exposure"], problem.unit)
    dispersion = _dispersion_of_new(fit, frame, len(eta)) if asked.next_response else None
    linear = _Linear(eta, se, df, trials, per, dispersion)
    if fit.limit is None:
        return linear
    runs = fit.limit.runs_of(coordinates, predictor.design, fit.coordinates)
    return linear.running(runs if keep is None else _laid_out(runs, keep))


def _wanted(asked: _Asked) -> set[str]:
    """Name the keywords new rows need: a rate needs no exposure, unless a response is to be divided by it."""
    wanted = {"offset", "exposure"}
    if asked.kind == "rate" and not asked.next_response:
        wanted.remove("exposure")
    if asked.kind == "count" or asked.next_response:
        wanted.add("trials")
    return wanted


def _dispersion_of_new(fit: FittedModel, frame: Frame, n: int) -> Array:
    """Return phi / w of new rows: w from the column the fit had it from, 1 where the new data lack it."""
    column = dict(fit.problem.words.weights).get("variance_weights")
    weights = None
    if column is not None and column in frame.names:
        weights = numbers(frame.column(column), f"variance_weights (column {column!r})")
    return row_dispersion(_phi(fit), weights, n)


def _terms_of_new(fit: FittedModel, data: Any, unseen: Unseen, *, se: bool) -> Terms:
    frame, encoded, keep = _encoded(fit.problem, data, unseen)
    coordinates, beta = coordinates_for(fit, encoded.design)
    parts = splitter(fit, coordinates, beta, root_in(fit, coordinates) if se else None)

    def lay_out(values: Array) -> Array:
        known = values if encoded.invalid is None else np.where(encoded.invalid, np.nan, values)
        return known if keep is None else _laid_out(known, keep)

    table = None if fit.problem.schema is None else frame
    return terms_of_new(parts, encoded.design, lay_out, table)


def _degrees(fit: FittedModel, coordinates: Coordinates, design: Design, degrees: Degrees) -> Array:
    """Compute the degrees of freedom of eta row by row, block by block."""
    out = np.empty(design.length)
    for start in range(0, design.length, BLOCK):
        stop = min(start + BLOCK, design.length)
        rows = own_rows(fit, coordinates, coordinates.rows(design.rows(start, stop)))
        out[start:stop] = degrees(rows)
    return out


def _laid_out(values: Array, keep: Mask) -> Array:
    """Put values of complete rows where those were, NaN elsewhere."""
    out = np.full(len(keep), np.nan)
    out[keep] = values
    return out


def _encoded(problem: Problem, data: Any, unseen: Unseen) -> tuple[Frame, Encoded, Mask | None]:
    """Read new rows the way the rows of the fit were read; the mask says which are complete, None if all."""
    if problem.schema is not None:
        frame = read(data)
        gaps = [frame.column(name).missing for name in problem.schema.columns]
        missing = [mask for mask in gaps if mask is not None]
        keep = ~np.logical_or.reduce(missing) if missing else None
        return frame, encode(problem.schema, frame, keep, unseen=unseen), keep
    matrix = like_matrix(problem.layout, data)
    constant = problem.layout.constant is not None
    return bare_rows(len(matrix)), matrix.encode(None, intercept=constant), None


def like_matrix(layout: Layout, data: Any) -> Matrix:
    """Read new rows of the columns of a matrix that a model was fitted to.

    Raises
    ------
    DataError
        If they are a table, or have other columns.
    """
    names, intercept = layout.names, layout.constant is not None
    if is_table(data):
        raise DataError(
            f"this model was fitted to a matrix of {len(names) - intercept} columns; give a matrix of the "
            "same columns, such as data.to_numpy()"
        )
    return read_like(data, names[intercept:])


def _sum(left: Array | None, right: Array | None) -> Array | None:
    if left is None or right is None:
        return right if left is None else left
    return left + right
