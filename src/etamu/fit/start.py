"""Where a fit starts: the first least squares of IRLS, the constant fit, or a feasible point.

May import: everything below `fit`.
Read next: `etamu.fit.estimate`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from etamu import sums
from etamu._base.arrow import all_finite, entries
from etamu._base.errors import DataError
from etamu._base.facts import dataclass
from etamu._base.types import LINE, Array, Interval, Want
from etamu.design.chunk import Chunk
from etamu.design.coordinates import Coordinates
from etamu.execute.executor import Executor
from etamu.family.unit import Unit
from etamu.objective.likelihood import Likelihood, Steady
from etamu.solve.factor import DOUBT, EPS, Metric, cholesky, least_squares
from etamu.solve.newton import newton


@dataclass(frozen=True, slots=True)
class Inside:
    """A unit whose value is 0 where eta lies inside an interval by a margin, and a parabola outside.

    Its maximum is 0 exactly where a feasible start exists, so phase 1 is one more fit.
    """

    lower: float
    upper: float
    domain: Interval = LINE
    canonical: bool = True
    concordance: float = 0.0

    @property
    def alone(self) -> Inside:
        """It never looks at y."""
        return self

    def bind(self, xp: Any, information: str = "expected") -> Any:
        """Return f(y, eta) -> (value, score, information)."""
        del information

        def unit(_: tuple[Array, ...], eta: Array) -> tuple[Array, Array, Array]:
            zero = xp.zeros_like(eta)
            below = xp.maximum(self.lower - eta, zero) if np.isfinite(self.lower) else zero
            above = xp.maximum(eta - self.upper, zero) if np.isfinite(self.upper) else zero
            outside = xp.where((below > 0) | (above > 0), xp.ones_like(eta), zero)
            return -0.5 * (below**2 + above**2), below - above, outside

        return unit


WHOLE = 1e-12
"""Sums that differ by less than this share are equal up to rounding."""
HIGH = 8
"""The 8th root of the sum of 8th powers bounds the largest of n numbers, within a factor n^(1/8)."""


@dataclass(frozen=True, slots=True)
class Guess:
    """The first weighted least squares of textbook IRLS, at the family's starting means, as a unit.

    With eta_0 = g(mu_0), score u and expected information W at eta_0, the normal equations are
    X'WX beta = X'(W (eta_0 - offset) + u) (McCullagh and Nelder 1989, section 2.5). Here the offset comes as
    eta, of beta = 0; the score is a row's part of the right-hand side, and the value is W^HIGH.

    Means may be `drawn` halfway, in eta, towards that of the constant fit, which then comes in place of an
    offset: a response by itself says little about its mean.
    """

    unit: Unit
    drawn: bool = False
    domain: Interval = LINE
    canonical: bool = True
    concordance: float = 0.0

    @property
    def alone(self) -> Guess:
        """The same for rows of one trial each."""
        return Guess(self.unit.alone, self.drawn)

    def bind(self, xp: Any, information: str = "expected") -> Any:
        """Return f(y, offset) -> (W^HIGH, W (eta_0 - offset) + u, W)."""
        del information
        bound = self.unit.bind(xp, "expected")

        def unit(y: tuple[Any, ...], given: Any) -> tuple[Any, Any, Any]:
            mean, trials = y[0], xp.ones_like(y[0])
            if len(y) > 1:
                trials = y[1]
                some = trials > 0.0
                mean = xp.where(some, mean / xp.where(some, trials, 1.0), 0.0)
            mu = self.unit.family.start(mean, trials)
            eta = self.unit.link.link(xp, mu, 1.0 - mu)
            if self.drawn:
                eta = 0.5 * (eta + given)
            _, score, weight = bound(y, eta)
            right = weight * (eta if self.drawn else eta - given) + score
            # A row whose starting mean has no eta (log of a negative y) has no say in where to start.
            usable = xp.isfinite(right) & xp.isfinite(weight)
            right, weight = xp.where(usable, right, 0.0), xp.where(usable, weight, 0.0)
            fourth = (weight * weight) * (weight * weight)
            return fourth * fourth, right, weight

        return unit


@dataclass(frozen=True, slots=True, eq=False)
class Normal:
    """The normal equations of the first least squares, in raw and in working coordinates.

    Parameters
    ----------
    sums : Sums
        In raw columns; the value bounds the weights W.
    coordinates : Coordinates
    information : array (size, size)
        X'WX.
    metric : Metric, optional
        Its factor; None where it is not positive definite.
    """

    sums: sums.Sums
    coordinates: Coordinates
    information: Array
    metric: Metric | None

    @property
    def right(self) -> Array:
        """X'Wz."""
        return self.coordinates.gathered(np.asarray(self.sums.score))

    def independent(self, lengths: Array, heaviest: float) -> bool:
        """Tell whether no column is an alias, and a Gram without weights would say so clearly.

        For X'X >= X'WX / max W, and of rows weighed by v the sum of v W^HIGH bounds the largest v W.

        Parameters
        ----------
        lengths : array (size,)
            Squared lengths of the columns, or bounds of them.
        heaviest : float
            The largest v.
        """
        if self.metric is None or not 0.0 < self.sums.value < math.inf:
            return False
        largest = heaviest * (self.sums.value / heaviest) ** (1.0 / HIGH)
        shares = entries(self.information) / (lengths * largest)
        return bool(np.min(self.metric.pivots) * np.min(shares) >= DOUBT)

    def steady(self, unit: Unit, chunk: Chunk, executor: Executor) -> Steady | None:
        """Return X'WX as the expected information at every eta; None where that depends on eta.

        Where the value is the sum of the weights, W^HIGH is 1 in every row: none has been left out.
        """
        if not (unit.steady and unit.domain.whole):
            return None
        total = chunk.weights.total()
        heavy = float(len(chunk) if total is None else total.sum())
        if not abs(self.sums.value - heavy) <= WHOLE * heavy:
            return None
        return Steady(executor, unit, self.coordinates, self.information, self.metric)

    def over(self, coordinates: Coordinates) -> Normal:
        """Return the equations of fewer columns."""
        return self if coordinates is self.coordinates else _normal(self.sums, coordinates)

    def solved(self) -> list[Array]:
        """Return the solution, nothing where a sum is not finite."""
        if self.metric is not None:
            return [self.metric.solve(self.right)] if np.all(np.isfinite(self.right)) else []
        if not (all_finite(self.information) and np.all(np.isfinite(self.right))):
            return []
        return [least_squares(self.information, self.right)]


def normal_equations(executor: Executor, unit: Unit, coordinates: Coordinates, chunk: Chunk) -> Normal:
    """Sum the normal equations of the first least squares, in one pass."""
    middle = _middle(unit, coordinates, chunk)
    guess = Guess(unit, drawn=middle is not None)
    raw = coordinates.raw(np.zeros(coordinates.size) if middle is None else middle)
    want = Want.VALUE | Want.SCORE | Want.EXPECTED
    with np.errstate(all="ignore"):
        look = partial(sums.accumulate, beta=raw, unit=guess, want=want)
        return _normal(executor.reduce(look), coordinates)


def _middle(unit: Unit, coordinates: Coordinates, chunk: Chunk) -> Array | None:
    """Return the constant fit towards which starting means are drawn, None where they stay the responses'.

    Where the information is constant the choice of means moves no weight: what counts is how far from their
    eta the score bends, and means of severities or waiting times mostly differ by less than these scatter.
    Elsewhere means are weights, too, and beside an offset the constant is not known; of a normal response no
    choice matters.
    """
    constant = coordinates.layout.constant
    beside = chunk.predictors[0].offset is not None
    if unit.canonical or not (unit.steady and unit.domain.whole) or constant is None or beside:
        return None
    eta = constant_eta(unit, chunk)
    return None if eta is None else coordinates.working(constant * eta)


def _normal(total: sums.Sums, coordinates: Coordinates) -> Normal:
    information = coordinates.gram(total.expected)
    return Normal(total, coordinates, information, cholesky(information))


def start(oracle: Likelihood, unit: Unit, chunk: Chunk, normal: Normal | None = None) -> Array:
    """Choose where to start, in working coordinates: the best of the candidates inside the domain.

    `normal` may hold the equations of the first least squares, if they are known.

    Raises
    ------
    DataError
        If no coefficients are found that put every eta inside the domain of the link.
    """
    natural = candidates(oracle, unit, chunk, normal)
    best = _best(oracle, natural)
    if best is None:
        best = _best(oracle, beyond_offsets(oracle, chunk))
    if best is None:
        # Nothing natural is feasible: look for a point inside from the first candidate.
        best = _feasible(oracle, unit, chunk, natural[0] if natural else np.zeros(oracle.size))
    if best is None:
        wanted = "a mean that is a number" if unit.domain.whole else f"eta in {unit.domain!r}"
        raise DataError(
            f"the {unit.link.name} link with the {unit.family.name} family needs {wanted} in every row, and "
            f"no coefficients were found that put it there{_offsets(chunk)}: use another link, look at the "
            "offset, or give start="
        )
    return best


def beyond_offsets(oracle: Likelihood, chunk: Chunk) -> list[Array]:
    """Return the constants that take the largest offset, and the smallest, to 0: no mean overflows there."""
    offset, constant = chunk.predictors[0].offset, oracle.coordinates.layout.constant
    if offset is None or constant is None:
        return []
    return [oracle.coordinates.working(constant * -end) for end in (offset.max(), offset.min())]


def _offsets(chunk: Chunk) -> str:
    offset = chunk.predictors[0].offset
    return "" if offset is None else f" (offsets from {offset.min():g} to {offset.max():g})"


def candidates(oracle: Likelihood, unit: Unit, chunk: Chunk, normal: Normal | None = None) -> list[Array]:
    """Return the natural starts, inside the domain or not: the first least squares, and the constant."""
    known = normal or normal_equations(oracle.executor, unit, oracle.coordinates, chunk)
    solved = known.over(oracle.coordinates).solved()
    power = power_of(unit, chunk)
    return [*(levelled(oracle, unit, beta, power) for beta in solved), *_constant(oracle, unit, chunk)]


def power_of(unit: Unit, chunk: Chunk) -> float | None:
    """Return the power of the mean that V is, or is like at the overall mean, between 1 and 2 there."""
    known, family = unit.family.variance_power, unit.family
    if known is not None or unit.link.exponent != 0.0 or family.mean.lower != 0.0 or family.mean.upper == 1.0:
        return known
    eta = constant_eta(unit, chunk)
    if eta is None:
        return None
    mu, complement, _, _ = unit.mean(np, np.array([eta]))
    elasticity = mu * family.dvariance(np, mu, complement) / family.variance(np, mu, complement)
    return float(np.clip(elasticity, 1.0, 2.0)[0])


def levelled(oracle: Likelihood, unit: Unit, beta: Array, power: float | None) -> Array:
    """Move the constant to where its score is zero: a mean of log y is not the log of a mean."""
    constant = oracle.coordinates.layout.constant
    if constant is None or unit.link.exponent != 0.0 or not np.all(np.isfinite(beta)):
        return beta
    raw = oracle.coordinates.raw(beta)
    eta = shifted_eta(unit, oracle.executor, lambda block: sums.etas(block, raw), power)
    return beta if eta is None else beta + oracle.coordinates.working(constant * eta)


def _best(oracle: Likelihood, starts: list[Array]) -> Array | None:
    best, highest = None, -np.inf
    for candidate in starts:
        # Strictly inside, by a little: a start on the edge of the domain cannot move.
        value = float(oracle.along(candidate, candidate * 0.0, np.zeros(1))[0])
        if np.isfinite(value) and value > highest:
            best, highest = candidate, value
    return best


def constant_eta(unit: Unit, chunk: Chunk) -> float | None:
    """Return the eta of the overall mean, None where that mean is on the edge of the support."""
    mean, trials = unit.observed(chunk.y)
    total = chunk.weights.total()
    if trials is not None and trials.strides != (0,):
        total = trials if total is None else trials * total
    mu = np.asarray(mean.mean() if total is None else total @ mean / total.sum())
    if not bool(unit.family.mean.contains(mu)):
        return None
    with np.errstate(all="ignore"):
        eta = float(unit.link.link(np, mu, 1.0 - mu))
    return eta if bool(unit.domain.contains(eta)) else None


def shifted_eta(
    unit: Unit, executor: Executor, offset: Callable[[Chunk], Array], power: float | None = None
) -> float | None:
    """Solve the score equation of the constant beside an offset, where it has a closed form.

    With a log link and V = mu^p it is exp(c) = sum w y e^((1-p) o) / sum w e^((2-p) o).
    """
    power = unit.family.variance_power if power is None else power
    if power is None or unit.link.exponent != 0.0 or len(unit.family.response) != 1:
        return None
    above, below = executor.reduce(lambda block: _ends(block, offset(block), power))
    with np.errstate(all="ignore"):  # both sums may be beyond float64
        ratio = above / below if below > 0.0 else 0.0
    return math.log(ratio) if 0.0 < ratio < math.inf else None


def _ends(chunk: Chunk, offset: Array, power: float) -> Array:
    """Sum w y e^((1-p) o) and w e^((2-p) o) over some rows."""
    y, total = chunk.y[0], chunk.weights.total()
    with np.errstate(all="ignore"):
        above = y if power == 1.0 else y * np.exp((1.0 - power) * offset)
        below = np.exp(offset if power == 1.0 else (2.0 - power) * offset)
        if total is None:
            return np.array([above.sum(), below.sum()])
        return np.array([total @ above, total @ below])


def grown(rate: float, far: float) -> float:
    """Integrate e^(rate t) from 0 to `far`.

    Examples
    --------
    >>> grown(0.0, 3.0), round(grown(1.0, 1.0), 12)
    (3.0, 1.718281828459)
    """
    return far if rate == 0.0 else math.expm1(rate * far) / rate


def own_etas(unit: Unit, chunk: Chunk) -> Array:
    """Return the etas of the responses themselves where they are means, and of first guesses elsewhere."""
    mean, _ = unit.observed(chunk.y)
    with np.errstate(all="ignore"):
        own = np.asarray(unit.link.link(np, mean, 1.0 - mean))
        usual = unit.start(chunk.y, np.ones(len(chunk)))
        at_mean = np.isfinite(own) & unit.family.mean.contains(mean) & unit.domain.contains(own)
    return np.where(at_mean, own, usual)


def _constant(oracle: Likelihood, unit: Unit, chunk: Chunk) -> list[Array]:
    constant = oracle.coordinates.layout.constant
    eta = constant_eta(unit, chunk)
    if constant is None or eta is None:
        return []
    return [oracle.coordinates.working(constant * eta)]


def floored(oracle: Likelihood, unit: Unit, chunk: Chunk) -> Likelihood:
    """Keep an estimated phi from vanishing with the deviance, for a fit that seems to become perfect.

    A deviance of eps^2 of that of the first guesses, row by row, is what rounding the responses makes.
    """
    if oracle.df is None:
        return oracle
    total = chunk.weights.total()
    weight = np.ones(len(chunk)) if total is None else total
    with np.errstate(all="ignore"):
        value = unit.bind(np)(chunk.y, unit.start(chunk.y, weight))[0]
        deviance = -2.0 * float(np.nansum(weight * np.where(np.isfinite(value), value, 0.0)))
    return replace(oracle, least=EPS**2 * deviance / max(oracle.df, 1.0))


def _feasible(oracle: Likelihood, unit: Unit, chunk: Chunk, origin: Array) -> Array | None:
    """Find a point inside the domain by a fit of `Inside`, asking for ever less room to its edge."""
    mean, trials = unit.observed(chunk.y)
    with np.errstate(all="ignore"):
        mu = unit.family.start(mean, np.ones_like(mean) if trials is None else trials)
        sizes = np.abs(unit.link.link(np, mu, 1.0 - mu))
        # Where no response is a mean of the link, as below 0 with a power, each counts as at their end.
        usable = (
            sizes[np.isfinite(sizes)]
            if np.isfinite(sizes).any()
            else np.abs(unit.start(chunk.y, np.ones(len(mean))))
        )
        typical = float(np.median(usable))
    for share in (0.1, 1e-2, 1e-4):
        margin = share * typical
        target = Inside(unit.domain.lower + margin, unit.domain.upper - margin)
        phase = Likelihood(oracle.executor, target, oracle.coordinates, oracle.extent)
        point = _best(oracle, [newton(phase, origin).beta])
        if point is not None:
            return point
    return None
