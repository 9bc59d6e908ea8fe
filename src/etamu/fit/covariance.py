"""The covariance of an estimate, of every kind: the model's, and sandwiches for when the model's is wrong.

May import: everything below `fit`.
Read next: `etamu.infer.robust`, `etamu.infer.clusters` and `etamu.infer.autocorrelation`, the numbers.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.choice import is_one, unknown_choice
from etamu._base.errors import EtamuWarning, NotAvailableError, OptionError
from etamu._base.facts import dataclass
from etamu._base.later import later
from etamu._base.listing import listed
from etamu._base.types import Array, Want
from etamu.design.chunk import Chunk
from etamu.fit.caller import user_level
from etamu.fit.phi import Phi
from etamu.fit.placed import Bread, Placed, bread, leverages, placed, score_and_information, whitened
from etamu.fit.problem import ALONE, CLUSTERED, Problem
from etamu.fit.remeasured import back
from etamu.fit.rows import lifted, located
from etamu.infer.covariance import Root, filled
from etamu.infer.robust import INFLATIONS, NOTHING_LEFT, indefinite, nearest

if TYPE_CHECKING:
    from etamu.fit.clusters import Clustering, adjusted_meat, crossed, plain_meat, satterthwaite, ways_of
    from etamu.fit.fitted import FittedModel, Model
    from etamu.infer.autocorrelation import Series, series, usual_lags
else:
    Clustering = later("etamu.fit.clusters", "Clustering")
    adjusted_meat = later("etamu.fit.clusters", "adjusted_meat")
    crossed = later("etamu.fit.clusters", "crossed")
    plain_meat = later("etamu.fit.clusters", "plain_meat")
    satterthwaite = later("etamu.fit.clusters", "satterthwaite")
    ways_of = later("etamu.fit.clusters", "ways_of")
    series = later("etamu.infer.autocorrelation", "series")
    usual_lags = later("etamu.infer.autocorrelation", "usual_lags")

ALIASES = {"cluster": "CR1"}
"""Other names of kinds."""


def with_covariance(fit: Model, kind: str, cluster: Any = None, lags: int | None = None) -> Model:
    """Return the fit with another covariance, as `Fit.with_covariance` describes.

    Every sandwich is M (meat) M with M the inverse expected information, and right where the variance
    function is wrong, as long as the mean is right. With the score u_i = w_i (y_i - mu_i) mu'_i / V_i and
    the leverage h_i of each row:

    HC0 u^2; HC1 times n / (n - p); HC2 u^2 / (1 - h); HC3 u^2 / (1 - h)^2; HC4 u^2 / (1 - h)^min(4, n h / p).
    Tests use z where phi is known, else t(n - p), also for HAC, which adds (1 - l / (lags + 1)) u_i u_{i+l}.

    CR0 squares of the clusters' summed scores; CR1 times G / (G - 1); CR2 and CR3 free them of the clusters'
    leverage first. Tests use t(G - 1); after CR2 t with Satterthwaite's degrees of freedom.

    Raises
    ------
    OptionError
        If the kind is not known, or lacks or cannot use `cluster` or `lags`.
    FormulaError, DataError
        If the clusters cannot be used.
    NotAvailableError
        If the fit was read from a file, which carries no rows.

    References
    ----------
    White (1980); MacKinnon and White (1985); Cribari-Neto (2004); Bell and McCaffrey (2002); Pustejovsky and
    Tipton (2018); Cameron, Gelbach and Miller (2011); Newey and West (1987).
    """
    kind = ALIASES.get(kind, kind)
    _check(kind, cluster, lags)
    if fit.near is not None:
        near: Model = fit.near.fit
        return back(fit.problem, with_covariance(near, kind, cluster, lags), fit.near.measure)
    problem = fit.problem
    named, ways = ways_of(problem, cluster) if kind in CLUSTERED else ((), ())
    if len(ways) > 1 and kind not in {"CR0", "CR1"}:
        raise OptionError(
            f"{kind} is for one way of clustering, and {len(ways)} were given; choose CR0 or CR1, which add "
            "and subtract the covariances of each way and their intersections"
        )
    # What summary() prints as the call has to make this very fit.
    asked = replace(problem.options, covariance=kind if kind in ALONE and kind != "HAC" else None)
    sample = replace(problem.attached(), chunk=replace(problem.chunk, cluster=ways))
    problem = replace(problem, options=asked, sample=sample)
    at = located(fit, problem)
    observed = kind == "observed"
    information = at.information(Want.OBSERVED if observed else Want.EXPECTED)
    for shape in fit.shapes if observed else ():
        if shape.joint is not None and information is not None:
            information = shape.joint(at, information)
    inverse = bread(at, information, observed=observed)
    lags = _lags(problem, lags) if kind == "HAC" else None
    root = covariance(at, kind, inverse, fit.phi, lags)
    clustering = _clustering(fit, at, kind, inverse, named) if ways else None
    return replace(
        fit,
        problem=problem,
        factor=lifted(fit, root),
        covariance_kind=kind,
        kept_se=None,
        clustering=clustering,
        lags=lags,
        replicates=None,
    )


def _check(kind: str, cluster: Any, lags: int | None) -> None:
    if not is_one(kind, (*ALONE, *CLUSTERED)):
        raise unknown_choice("covariance", kind, (*ALONE, *CLUSTERED, *ALIASES, "bootstrap"))
    if kind in CLUSTERED and cluster is None:
        raise OptionError(f"{kind} needs clusters: give cluster='column', or one value per row")
    if kind not in CLUSTERED and cluster is not None:
        listed = ", ".join(CLUSTERED)
        raise OptionError(f"{kind} takes no clusters; choose one of {listed}, or leave cluster out")
    if kind != "HAC" and lags is not None:
        raise OptionError(f"{kind} takes no lags; choose 'HAC', or leave lags out")


def _lags(problem: Problem, lags: int | None) -> int:
    rows = len(problem.chunk)
    if lags is None:
        return min(usual_lags(rows), rows - 1)
    if lags not in range(rows):
        raise OptionError(f"lags is {lags!r}; it is a whole number from 0 to {rows - 1}, the rows less one")
    return int(lags)


def covariance(at: Placed, kind: str, inverse: Bread, phi: Phi, lags: int | None = None) -> Root:
    """Compute the covariance of the working coefficients, as a root.

    Parameters
    ----------
    at : Placed
        The rows that count; `cluster` of its chunk says the clusters.
    kind : str
        One of `ALONE` or `CLUSTERED`.
    inverse : Bread
        From observed information for "observed", else from expected.
    phi : Phi
        Enters where the model is believed.
    lags : int, optional
        For HAC; None takes the rule of thumb.
    """
    if kind in {"model", "observed"}:
        return inverse.root.scaled(phi.value) if math.isfinite(phi.value) else _unknown(inverse)
    if not at.coordinates.size:
        return inverse.root
    df = at.problem.nobs - at.coordinates.size
    if not inverse.usable or (df <= 0 and kind not in {"HC0", "CR0", "HAC"}):
        # A saturated model has no residual: nothing says how wrong it is.
        return _unknown(inverse)
    if kind == "HAC":
        return filled(inverse.root, _correlated(at, inverse, _lags(at.problem, lags)))
    if kind in CLUSTERED:
        return _clustered(at, kind, inverse)
    return filled(inverse.root, _independent(at, kind, inverse))


def _unknown(inverse: Bread) -> Root:
    return Root(np.full_like(inverse.root.matrix, np.nan))


# Rows that are independent


@dataclass(frozen=True, slots=True, eq=False)
class _Meat:
    """Inflated squares of scores over raw (or whitened) columns, and the rows fitted by themselves alone."""

    matrix: Any  # Array, or Gram
    alone: NDArray[np.int64]

    def __add__(self, other: _Meat) -> _Meat:
        return _Meat(self.matrix + other.matrix, np.concatenate([self.alone, other.alone]))


def _independent(at: Placed, kind: str, inverse: Bread) -> Array:
    """Sum the whitened meat of HC0 to HC4."""
    problem, size = at.problem, at.coordinates.size
    inflated = partial(_inflated, at=at, kind=kind, inverse=inverse, mean=size / problem.nobs)
    meat = at.executor.reduce(inflated)
    if len(meat.alone):
        rows = listed([str(each) for each in meat.alone.tolist()], 5)
        message = (
            f"{len(meat.alone)} row(s) have leverage 1 (row {rows}): the model fits each exactly, whatever "
            f"its error was, so {kind} knows nothing of it and understates the standard errors of "
            "coefficients that such a row decides alone"
        )
        warnings.warn(message, EtamuWarning, stacklevel=user_level())
    sampling = problem.chunk.weights.sampling is not None
    # Survey weights: n / (n - 1); HC1 elsewhere: n / (n - p).
    factor = problem.nobs / (problem.nobs - (1 if sampling else size)) if kind == "HC1" else 1.0
    root = inverse.root.matrix
    with np.errstate(over="ignore", invalid="ignore"):
        middle = meat.matrix if inverse.delicate else root.T @ at.coordinates.gram(meat.matrix) @ root
        found = np.asarray(factor * middle)
    if np.all(np.isfinite(found)):
        return found
    message = (
        f"scores of some rows have no squares in float64, so {kind} standard errors are not known (NaN): "
        "divide the response by a power of ten, or use covariance=None"
    )
    warnings.warn(message, EtamuWarning, stacklevel=user_level())
    return np.full_like(found, np.nan)


def _inflated(chunk: Chunk, at: Placed, kind: str, inverse: Bread, mean: float) -> _Meat:
    score, information = score_and_information(chunk, at)
    alone = np.zeros(0, dtype=np.int64)
    with np.errstate(over="ignore", invalid="ignore"):  # what has no square makes a covariance of NaN
        squares = score**2
        if kind not in {"HC0", "HC1"}:
            leverage = leverages(chunk, at, inverse, information)
            squares *= INFLATIONS[kind](leverage, mean)
            alone = chunk.row_ids[1.0 - leverage <= NOTHING_LEFT]
        if chunk.weights.frequency is not None:
            squares = squares * chunk.weights.frequency
    if inverse.delicate:
        white = whitened(chunk, at, inverse)
        with np.errstate(over="ignore", invalid="ignore"):
            return _Meat(white.T @ (white * squares[:, None]), alone)
    return _Meat(chunk.predictors[0].design.gram_parts(squares), alone)


# Rows that follow one another


def _correlated(at: Placed, inverse: Bread, lags: int) -> Array:
    """Sum the whitened Newey-West meat; rows of weight 0 keep their place in time."""
    problem = at.problem
    if problem.chunk.weights.frequency is not None:
        raise OptionError(
            "HAC needs one row per point in time, and a frequency weight stands for several; give each "
            "its row"
        )
    every = placed(problem, problem.chunk, at.coordinates, at.beta)
    return every.executor.reduce(partial(_series, at=every, inverse=inverse, lags=lags)).meat


def _series(chunk: Chunk, at: Placed, inverse: Bread, lags: int) -> Series:
    score, _ = score_and_information(chunk, at)
    precision = chunk.weights.precision()
    if precision is not None:
        score = np.where(precision > 0, score, 0.0)
    return series(whitened(chunk, at, inverse) * score[:, None], lags)


# Rows in clusters


def _clustered(at: Placed, kind: str, inverse: Bread) -> Root:
    ways = at.executor.whole.cluster
    if kind in {"CR2", "CR3"}:
        return filled(inverse.root, adjusted_meat(at, ways[0], inverse, kind))
    meat = np.zeros((at.coordinates.size,) * 2)
    for sign, codes in crossed(ways):
        count = int(codes.max()) + 1
        factor = count / (count - 1) if kind == "CR1" else 1.0
        meat += sign * factor * plain_meat(at, codes, inverse)
    if not indefinite(meat):
        return filled(inverse.root, meat)
    message = (
        f"the {len(ways)}-way clustered covariance has negative eigenvalues, which were set to 0: there are "
        "too few clusters for it (Cameron, Gelbach and Miller 2011)"
    )
    warnings.warn(message, EtamuWarning, stacklevel=user_level())
    reported = at.coordinates.reported(inverse.root.matrix)[at.coordinates.kept]
    return nearest(inverse.root, meat, reported)


def _clustering(
    fit: FittedModel, at: Placed, kind: str, inverse: Bread, names: tuple[str, ...]
) -> Clustering:
    ways = at.executor.whole.cluster
    counts = tuple(int(codes.max()) + 1 for codes in ways)
    df: Array | float = float(min(counts) - 1)
    if kind == "CR2" and at.coordinates.size:
        df = np.full(len(fit.names), np.nan)
        contrasts = at.coordinates.hypothesis(np.eye(len(fit.names))[at.coordinates.kept])
        df[at.coordinates.kept] = satterthwaite(at, ways[0], inverse).df(contrasts)
    return Clustering(names, counts, df)


def contrast_df(fit: FittedModel, combinations: Array) -> Array | float:
    """Return the reference degrees of freedom of linear combinations of the coefficients.

    Parameters
    ----------
    combinations : array (m, coefficients)
        Rows L of L beta.

    Returns
    -------
    float, or array (m,) for CR2
    """
    degrees = varying_df(fit)
    if degrees is None:
        return fit.reference_df
    return degrees(fit.coordinates.hypothesis(np.atleast_2d(combinations)))


def varying_df(fit: FittedModel) -> Callable[[Array], Array] | None:
    """Return how degrees of freedom follow from rows c over the working coefficients, (m, size).

    None where they are `reference_df` for every contrast; only those of CR2 differ.

    Raises
    ------
    NotAvailableError
        If they differ and the fit was read from a file, which carries no rows.
    """
    if not isinstance(fit.reference_df, np.ndarray):
        return None
    if fit.problem.sample is None:
        raise NotAvailableError(
            "the degrees of freedom of CR2 differ from contrast to contrast and need the rows of the data, "
            "which a fit read from a file has not; ask for standard errors, or fit again"
        )
    at = located(fit)
    return satterthwaite(at, at.executor.whole.cluster[0], bread(at, at.information(Want.EXPECTED))).df
