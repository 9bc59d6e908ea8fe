"""Maxima in hundreds of digits: what is claimed of one is held against the next zero of the score itself.

The textbook's formulas once more, now in mpmath, whose numbers have no least and no largest. From where a fit
says that it has arrived Newton's method goes on, by the observed information where that is a metric and by
the expected one where not, and every step has to raise the log-likelihood: so it ends at the maximum whose
basin the claim lies in, or shows that there is none.

Read next: tests/fuzz/verdict.py, which holds reported coefficients against these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

from tests.family.reference import Mean, inverse
from tests.fuzz.textbook import BOUNDED, Rows, Wide, power_of

DIGITS = 400
"""Decimal digits: squares of weights of 110 decades have room, and of columns that nearly agree."""
STEPS = 120
STILL = mpf(10) ** -30
"""Largest share of its distance from an end, or of itself, that an eta may still change by."""
NUDGE = mpf(10) ** -100
"""The same by which an eta is moved to see its slope change."""
SHORTEST = 60
ARMIJO = mpf("1e-4")
ROOM = mpf("0.9")
EXTREME = 100_000
"""A hazard of e to this has left nothing of its row."""

Number = Any
"""Of mpmath, which states no types."""


@dataclass(frozen=True)
class Look:
    """What is summed over rows: the value, and of each row its slope, observed and expected bend."""

    value: Number
    slope: list[Number]
    observed: list[Number]
    expected: list[Number]


def mean_of(link: Any) -> Callable[[Number], Mean]:
    """Find the mean of a link of the catalogue; far beyond all tails its end."""
    side = {"cloglog": 1, "loglog": -1}.get(link.name, 0)

    def mean(eta: Number) -> Mean:
        if side * eta > EXTREME:
            upper = mpf((1 + side) // 2)
            return Mean(upper, 1 - upper, mpf(0), mpf(0))
        return inverse(link, eta)

    return mean


# --- values: the quasi-likelihood of one observation and its derivative in mu; the variance ---


def _share(mean: Mean, y: Number, trials: Number) -> tuple[Number, Number, Number]:
    success = y * mpmath.log(mean.mu) if y else mpf(0)
    failure = (trials - y) * mpmath.log(mean.complement) if trials - y else mpf(0)
    pull = (y / mean.mu if y else mpf(0)) - ((trials - y) / mean.complement if trials - y else mpf(0))
    return success + failure, pull, mean.mu * mean.complement / trials


def _value(family: Any) -> Callable[[Mean, Number, Number], tuple[Number, Number, Number]]:
    if family.name in BOUNDED:
        return _share
    if family.name == "negative_binomial":
        theta = mpf(float(family.theta))

        def negative(mean: Mean, y: Number, _: Number) -> tuple[Number, Number, Number]:
            spread = mean.mu + mean.mu**2 / theta
            value = y * mpmath.log(mean.mu) - (y + theta) * mpmath.log(mean.mu + theta)
            return value, (y - mean.mu) / spread, spread

        return negative
    power = mpf(power_of(family))

    def integral(mu: Number, exponent: Number) -> Number:
        return mpmath.log(mu) if exponent == 0 else mu**exponent / exponent

    def quasi(mean: Mean, y: Number, _: Number) -> tuple[Number, Number, Number]:
        spread = mean.mu**power
        value = (y * integral(mean.mu, 1 - power) if y else mpf(0)) - integral(mean.mu, 2 - power)
        return value, (y - mean.mu) / spread, spread

    return quasi


# --- the sum over rows ---


def _exact(number: Any) -> Number:
    """Convert a number of extended precision, all of its digits."""
    share, power = np.frexp(Wide(number))
    high = float(share)
    return mpmath.ldexp(mpf(high) + mpf(float(share - Wide(high))), int(power))


def _wide(number: Number) -> np.longdouble:
    return Wide(mpmath.nstr(number, 25))


class Sum:
    """A log-likelihood of some rows, in exact numbers."""

    def __init__(self, unit: Any, rows: Rows) -> None:
        self.mean, self.one = mean_of(unit.link), _value(unit.family)
        self.lower, self.upper = (mpf(float(end)) for end in (unit.domain.lower, unit.domain.upper))
        self.x = [[_exact(each) for each in row] for row in rows.x]
        self.size = rows.x.shape[1]
        parts = (rows.y, rows.trials, rows.weight, rows.offset)
        self.y, self.trials, self.weight, self.offset = ([_exact(each) for each in part] for part in parts)

    def moved(self, step: Sequence[Number]) -> list[Number]:
        """Return x'step of every row."""
        return [mpmath.fdot(row, step) for row in self.x]

    def etas(self, beta: Sequence[Number]) -> list[Number]:
        """Return x'beta + offset of every row."""
        return [each + shift for each, shift in zip(self.moved(beta), self.offset, strict=True)]

    def gaps(self, eta: list[Number]) -> list[Number]:
        """Return how far each eta is from its nearer end, or from 0 where it has none."""
        return [min(e - self.lower, self.upper - e, max(abs(e), mpf(1))) for e in eta]

    def inside(self, eta: list[Number]) -> bool:
        """Tell whether every row has a mean."""
        return all(self.lower < each < self.upper for each in eta)

    def value(self, eta: list[Number]) -> Number:
        """Sum what rows bring; minus infinity where one is at an end that it cannot be at."""
        try:
            parts = (
                w * self.one(self.mean(e), y, m)[0]
                for e, y, m, w in zip(eta, self.y, self.trials, self.weight, strict=True)
            )
            return mpmath.fsum(parts)
        except (ZeroDivisionError, ValueError):
            return -mpmath.inf

    def _pull(self, i: int, eta: Number) -> tuple[Number, Number]:
        """Return the slope and the expected bend of one row."""
        mean = self.mean(eta)
        if not mean.d1:
            return mpf(0), mpf(0)
        _, pull, spread = self.one(mean, self.y[i], self.trials[i])
        return self.weight[i] * pull * mean.d1, self.weight[i] * mean.d1**2 / spread

    def look(self, eta: list[Number]) -> Look | None:
        """Look at every row; None where one has no number."""
        slope, observed, expected = [], [], []
        try:
            for i, (each, gap) in enumerate(zip(eta, self.gaps(eta), strict=True)):
                here, size = self._pull(i, each)
                slope.append(here)
                expected.append(size)
                observed.append((here - self._pull(i, each + NUDGE * gap)[0]) / (NUDGE * gap))
        except ZeroDivisionError:
            return None
        return Look(self.value(eta), slope, observed, expected)

    def gradient(self, slope: list[Number]) -> list[Number]:
        """Return X'u."""
        columns = range(self.size)
        return [mpmath.fdot((row[j], u) for row, u in zip(self.x, slope, strict=True)) for j in columns]

    def solved(self, bend: list[Number], right: list[Number]) -> list[Number] | None:
        """Solve X'WX b = right, None where that is no metric."""
        if not self.size:
            return []
        gram = mpmath.matrix(self.size, self.size)
        for j in range(self.size):
            weighed = [row[j] * w for row, w in zip(self.x, bend, strict=True)]
            for k in range(j + 1):
                gram[j, k] = mpmath.fdot((a, row[k]) for a, row in zip(weighed, self.x, strict=True))
        if not all(gram[j, j] > 0 for j in range(self.size)):
            return None
        root = [mpmath.sqrt(gram[j, j]) for j in range(self.size)]
        for j in range(self.size):
            for k in range(j + 1):
                gram[j, k] = gram[k, j] = gram[j, k] / (root[j] * root[k])
        try:
            scaled = mpmath.matrix([b / r for b, r in zip(right, root, strict=True)])
            found = mpmath.cholesky_solve(gram, scaled)
        except (ValueError, ZeroDivisionError):
            return None
        return [found[j] / root[j] for j in range(self.size)]


# --- the way up ---


@dataclass(frozen=True)
class Maximum:
    """Where Newton's method has arrived: coefficients, their etas, and what was seen there."""

    beta: list[Number]
    eta: list[Number]
    seen: Look


def ascended(over: Sum, beta: list[Number]) -> Maximum | None:
    """Climb to a zero of the score that is a maximum, None where the way does not end at one."""
    eta = over.etas(beta)
    for _ in range(STEPS):
        seen = over.look(eta) if over.inside(eta) else None
        if seen is None or not mpmath.isfinite(seen.value):
            return None
        gradient = over.gradient(seen.slope)
        newton = over.solved(seen.observed, gradient)
        step = over.solved(seen.expected, gradient) if newton is None else newton
        if step is None:
            return None
        change = over.moved(step)
        reached = zip(change, over.gaps(eta), strict=True)
        if newton is not None and all(abs(c) <= STILL * gap for c, gap in reached):
            return Maximum(beta, eta, seen)
        length = _length(over, eta, change, seen.value, mpmath.fdot(gradient, step))
        if length is None:
            return None
        beta = [b + length * s for b, s in zip(beta, step, strict=True)]
        eta = over.etas(beta)
    return None


def _length(
    over: Sum, eta: list[Number], change: list[Number], value: Number, slope: Number
) -> Number | None:
    """Return how much of a step keeps every eta inside and raises the value as it promises."""
    room = mpf(1)
    for e, c in zip(eta, change, strict=True):
        end = over.upper if c > 0 else over.lower
        if c and mpmath.isfinite(end):
            room = min(room, ROOM * (end - e) / c)
    for halving in range(SHORTEST):
        length = room / 2**halving
        there = [e + length * c for e, c in zip(eta, change, strict=True)]
        if over.inside(there) and over.value(there) >= value + ARMIJO * length * slope:
            return length
    return None


def nearest(unit: Any, rows: Rows, beta: np.ndarray, etas: Sequence[np.ndarray]) -> Maximum | None:
    """Find the maximum next to some coefficients, or else to some etas."""
    with mpmath.workdps(DIGITS):
        over = Sum(unit, rows)
        found = ascended(over, [_exact(each) for each in beta])
        for eta in etas if found is None else ():
            start = _fitted(over, [_exact(each) for each in eta]) if np.all(np.isfinite(eta)) else None
            found = None if start is None else ascended(over, start)
            if found is not None:
                break
        return found


def _fitted(over: Sum, eta: list[Number]) -> list[Number] | None:
    """Solve the least squares of some etas, weighed as rows are there."""
    seen = over.look(eta) if over.inside(eta) else None
    if seen is None:
        return None
    wanted = zip(seen.expected, eta, over.offset, strict=True)
    return over.solved(seen.expected, over.gradient([w * (e - shift) for w, e, shift in wanted]))


def less(beta: np.ndarray, found: Maximum) -> np.ndarray:
    """Subtract coefficients of hundreds of digits."""
    with mpmath.workdps(DIGITS):
        return np.array([_wide(_exact(b) - e) for b, e in zip(beta, found.beta, strict=True)], dtype=Wide)


def etas(found: Maximum) -> np.ndarray:
    """Return the etas of a maximum, in extended precision."""
    with mpmath.workdps(DIGITS):
        return np.array([_wide(each) for each in found.eta], dtype=Wide)


def apart(unit: Any, rows: Rows, beta: np.ndarray, found: Maximum, told: np.ndarray) -> tuple[float, float]:
    """Return how far coefficients are from a maximum in standard errors at phi = 1, and beyond rounding.

    Rounding explains as much of what each eta is off by as float64 has `told` of it.
    """
    with mpmath.workdps(DIGITS):
        off = Sum(unit, rows).moved([_exact(b) - e for b, e in zip(beta, found.beta, strict=True)])
        left = [max(abs(each) - _exact(t), mpf(0)) for each, t in zip(off, told, strict=True)]
        sizes = (
            mpmath.fsum(w * each**2 for w, each in zip(found.seen.expected, moved, strict=True))
            for moved in (off, left)
        )
        whole, beyond = (float(mpmath.sqrt(size)) for size in sizes)
        return whole, beyond


def step_left(unit: Any, rows: Rows, beta: np.ndarray) -> float:
    """Return the length of the step of scoring that is left, in standard errors at phi = 1."""
    with mpmath.workdps(DIGITS):
        over = Sum(unit, rows)
        eta = over.etas([_exact(each) for each in beta])
        seen = over.look(eta) if over.inside(eta) else None
        if seen is None:
            return np.inf
        gradient = over.gradient(seen.slope)
        step = over.solved(seen.expected, gradient)
        return np.inf if step is None else float(mpmath.sqrt(abs(mpmath.fdot(gradient, step))))


def values(unit: Any, rows: Rows, etas: Sequence[np.ndarray]) -> list[Number]:
    """Return the log-likelihood at some etas, minus infinity where a row has no mean."""
    with mpmath.workdps(DIGITS):
        over = Sum(unit, rows)
        points = [[_exact(each) for each in eta] for eta in etas]
        return [over.value(eta) if over.inside(eta) else -mpmath.inf for eta in points]
