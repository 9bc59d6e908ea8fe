"""The dispersion phi: known, given, or estimated the way that was asked for.

May import: everything below `fit`.
Read next: `etamu.fit.likelihood`, which plugs a phi of its own in.
"""

from __future__ import annotations

import math
import warnings
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from etamu import sums
from etamu._base.errors import EtamuWarning, OptionError
from etamu._base.facts import dataclass
from etamu._base.later import later
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.execute.threads import Threads
from etamu.family.unit import Unit
from etamu.fit.caller import user_level
from etamu.fit.problem import Problem
from etamu.infer.dispersion import moment

if TYPE_CHECKING:
    from etamu.family.dispersion import dispersion_ml
    from etamu.infer.reduced_dispersion import gamma_like, gaussian_like
else:
    dispersion_ml = later("etamu.family.dispersion", "dispersion_ml")
    gamma_like = later("etamu.infer.reduced_dispersion", "gamma_like")
    gaussian_like = later("etamu.infer.reduced_dispersion", "gaussian_like")

TINIEST = float(np.finfo(np.float64).tiny)
"""Information below this has lost its digits."""


@dataclass(frozen=True, slots=True)
class Phi:
    """A dispersion and how it came about.

    Parameters
    ----------
    value : float
    kind : str
        "known", "given", "pearson", "deviance", "ml" or "adjusted", the root of a score adjusted for bias.
    """

    value: float
    kind: str

    @property
    def estimated(self) -> bool:
        """Whether the data chose it, so that t and F replace z and chi-squared."""
        return self.kind in {"pearson", "deviance", "ml", "adjusted"}


def estimated_phi(
    problem: Problem, chunk: Chunk, raw: Array, *, deviance: float, chi2: float, df: int
) -> Phi:
    """Find phi as `dispersion=` asks.

    Raises
    ------
    OptionError
        If `dispersion` is neither None, "pearson", "deviance", "ml" nor a positive number.
    """
    asked = problem.options.dispersion
    _say_infinite(problem, deviance, chi2)
    if asked is None and (rule := phi_rule(problem)):
        return Phi(_adjusted(problem, chunk, deviance, df, rule), "adjusted")
    if asked is None:
        return Phi(1.0, "known") if problem.unit.family.dispersion_known else Phi(moment(chi2, df), "pearson")
    if asked == "pearson":
        return Phi(moment(chi2, df), "pearson")
    if asked == "deviance":
        return Phi(moment(deviance, df), "deviance")
    if asked == "ml":
        return Phi(likelihood_phi(problem, chunk, raw), "ml")
    if not isinstance(asked, str) and math.isfinite(asked) and asked > 0:
        return Phi(float(asked), "given")
    raise OptionError(
        f"dispersion={asked!r} is not understood; give None, 'pearson', 'deviance', 'ml' or a positive number"
    )


def pearson_chi2(rows: Threads, chunk: Chunk, raw: Array, unit: Unit, seen: float | None) -> float:
    """Sum squared Pearson residuals, unless a pass has; by means where scores have lost them."""
    over = rows.over(chunk)
    found = over.reduce(partial(sums.pearson, beta=raw, unit=unit)) if seen is None else seen
    return found if math.isfinite(found) else over.reduce(partial(_by_means, raw=raw, unit=unit))


def _by_means(chunk: Chunk, raw: Array, unit: Unit) -> float:
    weight = chunk.weights.total()
    with np.errstate(all="ignore"):
        size = pearson_size(unit, chunk, sums.etas(chunk, raw))
        squares = np.square(size * (1.0 if weight is None else np.sqrt(weight)))
    return float(squares.sum())


def _say_infinite(problem: Problem, deviance: float, chi2: float) -> None:
    """Warn where Pearson's phi is asked for and is no number."""
    known = problem.unit.family.dispersion_known
    asked = problem.options.dispersion == "pearson" or (problem.options.dispersion is None and not known)
    if asked and math.isfinite(deviance) and chi2 == math.inf:
        warnings.warn(
            "Pearson's phi is above the largest number of float64, and standard errors with it: the mean of "
            "some row has a variance of nearly 0, and its response is far from it; dispersion='deviance' is "
            "a number here",
            EtamuWarning,
            stacklevel=user_level(),
        )


APART = 1e16
"""Weights whose ratio is above this may leave of heavy rows nothing but rounding, larger than light rows."""
ROUNDING = 8.0 * float(np.finfo(np.float64).eps)
NOTED = 1e-3
"""A share of the deviance that is worth a word."""


def say_rounding(problem: Problem, chunk: Chunk, raw: Array) -> None:
    """Warn where weights lie so far apart that the rounding of heavy rows is the deviance."""
    weights, known = chunk.weights.variance, problem.unit.family.dispersion_known
    if known or weights is None or not weights.max() > APART * weights.min():
        return
    eta = sums.etas(chunk, raw)
    y, _ = problem.unit.observed(chunk.y)
    with np.errstate(all="ignore"):
        mean = problem.unit.mean(np, eta)
        told = np.abs(y) + np.abs(mean.mu) + np.abs(mean.d1 * eta)
        value = weights * problem.unit.bind(np, "expected")(chunk.y, eta)[0]
    value = value / np.abs(value).max(initial=1e-300)
    reached = np.abs(y - mean.mu) <= ROUNDING * told
    if value[reached].sum() < NOTED * value.sum():  # both are negative
        warnings.warn(
            "weights lie so far apart that the rounding of the heaviest rows is more than the others leave: "
            "coefficients are right, but the deviance, phi and standard errors are of that rounding. "
            "Fit the heaviest rows by themselves, or cap the weights",
            EtamuWarning,
            stacklevel=user_level(),
        )


RULES = {"firth": "mean", "median": "median", "mixed": "median", "jeffreys": "jeffreys"}
"""The adjustment that each method makes to the score of phi."""


def phi_rule(problem: Problem) -> str:
    """Return the adjustment by which phi is found; empty where it is known, given, or found by moments.

    A Gaussian, gamma or inverse Gaussian density has a score of phi whose adjustment is in closed form; a
    Tweedie density of another power has none, and a quasi family no density: Pearson's phi stays there.
    """
    family, rule = problem.unit.family, RULES.get(problem.options.method, "")
    stated = family.has_density and not family.dispersion_known and problem.options.dispersion is None
    return rule if stated and family.variance_power in {0.0, 2.0, 3.0} else ""


def _adjusted(problem: Problem, chunk: Chunk, deviance: float, df: int, rule: str) -> float:
    rank = problem.nobs - df
    if problem.unit.family.variance_power != 2.0:
        return gaussian_like(rule, deviance, problem.nobs, rank)
    precision, counts = chunk.weights.variance, chunk.weights.frequency
    if precision is None:
        different, copies = np.ones(1), np.array([float(problem.nobs)])
    else:
        different, where = np.unique(precision, return_inverse=True)
        copies = np.bincount(where, weights=counts).astype(np.float64)
    return gamma_like(rule, deviance, different, copies, rank) if df > 0 or rule == "jeffreys" else math.nan


def likelihood_phi(problem: Problem, chunk: Chunk, raw: Array) -> float:
    """Maximise the likelihood over phi at the fitted means; 0 where the fit is perfect.

    Raises
    ------
    OptionError
        If phi is no parameter of the family's likelihood.
    """
    family, weights = problem.unit.family, chunk.weights
    if family.variance_power is None or family.dispersion_known or not family.has_density:
        raise OptionError(
            f"dispersion='ml' needs a family with phi in its likelihood, which {family.name} is not: "
            "use 'pearson' or 'deviance'"
        )
    with np.errstate(all="ignore"):
        value = problem.unit.bind(np, "expected")(chunk.y, sums.etas(chunk, raw))[0]
    moving = (value < 0) & (chunk.y[0] != 0)
    if not moving.any():
        # Nothing but zeros, or a perfect fit: the likelihood has no maximum over phi inside.
        return 0.0
    precision = np.ones(len(chunk)) if weights.variance is None else weights.variance
    counts = np.ones(len(chunk)) if weights.frequency is None else weights.frequency
    return dispersion_ml(chunk.y[0], -2.0 * value, precision, family.variance_power, counts)


def pearson_size(unit: Unit, chunk: Chunk, eta: Array) -> Array:
    """Compute |y - mu| / sqrt(V), at precision 1: the score over the root of the information.

    That needs no mean and so no tail; but where the information has underflowed, the mean is at hand.
    """
    _, score, information = unit.bind(np, "expected")(chunk.y, eta)
    size = np.where(score == 0.0, 0.0, np.abs(score) / np.sqrt(information))
    faded = information < TINIEST
    if faded.any():
        mean = unit.mean(np, eta)
        spread = unit.family.variance(np, mean.mu, mean.complement)
        away = np.abs(unit.family.residual(np, unit.observed(chunk.y)[0], mean.mu, mean.complement))
        size = np.where(faded & (spread > 0.0), away / np.sqrt(spread), size)
    return np.asarray(size)
