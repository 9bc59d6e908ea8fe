"""Where a fit starts: the first least squares of IRLS, the constant fit, or a feasible point.

May import: everything below `fit`.
Read next: `etamu.fit.estimate`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from etamu import sums
from etamu._base.arrow import all_finite
from etamu._base.errors import DataError
from etamu._base.facts import dataclass
from etamu._base.types import LINE, Array, Interval
from etamu.design.chunk import Chunk
from etamu.family.unit import Unit
from etamu.objective.likelihood import Likelihood
from etamu.solve.factor import EPS, least_squares
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


def start(oracle: Likelihood, unit: Unit, chunk: Chunk) -> Array:
    """Choose where to start, in working coordinates: the best of the candidates inside the domain.

    Raises
    ------
    DataError
        If no coefficients are found that put every eta inside the domain of the link.
    """
    natural = candidates(oracle, unit, chunk)
    best = _best(oracle, natural)
    if best is None:
        # Nothing natural is feasible: look for a point inside from the first candidate.
        best = _feasible(oracle, unit, chunk, natural[0] if natural else np.zeros(oracle.size))
    if best is None:
        raise DataError(
            f"the {unit.link.name} link with the {unit.family.name} family needs eta in {unit.domain!r} "
            "in every row, and no coefficients were found that put it there: use another link, look at "
            "the offset, or give start="
        )
    return best


def candidates(oracle: Likelihood, unit: Unit, chunk: Chunk) -> list[Array]:
    """Return the natural starts, inside the domain or not: the first least squares, and the constant."""
    return [*_least_squares(oracle, unit), *_constant(oracle, unit, chunk)]


def _best(oracle: Likelihood, starts: list[Array]) -> Array | None:
    best, highest = None, -np.inf
    for candidate in starts:
        # Strictly inside, by a little: a start on the edge of the domain cannot move.
        value = float(oracle.along(candidate, candidate * 0.0, np.zeros(1))[0])
        if np.isfinite(value) and value > highest:
            best, highest = candidate, value
    return best


def _least_squares(oracle: Likelihood, unit: Unit) -> list[Array]:
    """Solve the first weighted least squares of IRLS."""
    first = oracle.executor.reduce(partial(sums.initial, unit=unit))
    assert first.score is not None
    assert first.expected is not None
    information = oracle.coordinates.gram(first.expected)
    right = oracle.coordinates.gathered(first.score)
    if not (all_finite(information) and np.all(np.isfinite(right))):
        return []
    return [least_squares(information, right)]


def constant_eta(unit: Unit, chunk: Chunk) -> float | None:
    """Return the eta of the overall mean, None where that mean is on the edge of the support."""
    mean, trials = unit.observed(chunk.y)
    total = chunk.weights.total()
    if trials is not None and trials.strides != (0,):
        total = trials if total is None else trials * total
    mu = np.asarray(np.average(mean, weights=total))
    if not bool(unit.family.mean.contains(mu)):
        return None
    with np.errstate(all="ignore"):
        eta = float(unit.link.link(np, mu, 1.0 - mu))
    return eta if bool(unit.domain.contains(eta)) else None


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
        typical = float(np.nanmedian(np.abs(unit.link.link(np, mu, 1.0 - mu))))
    for share in (0.1, 1e-2, 1e-4):
        margin = share * typical
        target = Inside(unit.domain.lower + margin, unit.domain.upper - margin)
        phase = Likelihood(oracle.executor, target, oracle.coordinates, oracle.extent)
        point = _best(oracle, [newton(phase, origin).beta])
        if point is not None:
            return point
    return None
