"""The shape of a gamma or inverse Gaussian response, 1/phi, where phi maximises the likelihood.

May import: everything below `fit`.
Read next: `etamu.fit.phi`, which found phi.

The coefficients do not depend on phi, so that the profile is the likelihood at the fitted means: with
a = 1/phi, log f is saturated(y, 1/(a w)) - a w d/2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.family.dispersion import gamma_slope
from etamu.family.remainders import trigamma_rest
from etamu.fit.shape import Shape, ShapeProfile
from etamu.fit.shape_profile import heights, onward, place

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel
    from etamu.fit.problem import Problem

Slope = Callable[[Array], Array]


def _gamma_information(a: float, weight: Array) -> Array:
    """Compute a^2 (w^2 trigamma(a w) - w/a) of each row: minus the second derivative in a, times a^2."""
    return np.asarray(trigamma_rest(np, a * weight) + 0.5)


def _half(a: float, weight: Array) -> Array:  # noqa: ARG001 (the signature of an information)
    return np.full(weight.shape, 0.5)


@dataclass(frozen=True, slots=True)
class Way:
    """What one family says of its shape: its name, its information, and d saturated / d log phi."""

    name: str
    information: Callable[[float, Array], Array]
    slope: Slope


WAYS = {
    2.0: Way("shape", _gamma_information, gamma_slope),
    3.0: Way("lambda", _half, lambda log_phi: np.full(log_phi.shape, -0.5)),
}
"""By the power of the variance."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of the profile in t = log a."""

    t: float
    loglik: float
    gain: float


def shape_of_phi(fit: FittedModel) -> tuple[Shape, ...]:
    """State the shape 1/phi of a fit whose phi maximises the likelihood; nothing where phi is no shape.

    The standard error is that of MASS's gamma.shape: from the observed information of the shape.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.2, 0.4, 3.1, 2.2, 0.9, 1.7], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> em.glm("y ~ x", data, family="gamma", link="log", dispersion="ml").shape
    shape = 2.854 (SE 1.561), phi = 1/shape = 0.3504 (SE 0.192)
    """
    way = WAYS.get(fit.family.variance_power or 0.0)
    if way is None or not fit.phi.value > 0.0 or fit.problem.chunk.weights.sampling is not None:
        return ()
    a = 1.0 / fit.phi.value
    plain = fit.problem.chunk.weights.variance is None
    weight, copies = (np.ones(1), np.array([float(fit.nobs)])) if plain else _weights(fit.problem)
    information = float(copies @ way.information(a, weight))
    error = a / math.sqrt(information) if information > 0.0 else math.nan
    tracing = partial(_traced, fit.problem, way, fit.deviance, a, error)
    return (Shape(way.name, a, error, tracing=tracing),)


def _weights(problem: Problem) -> tuple[Array, Array]:
    """Return the variance weights and the copies of the rows that count."""
    chunk = problem.counting()
    ones = np.ones(len(chunk))
    weight, copies = chunk.weights.variance, chunk.weights.frequency
    return ones if weight is None else weight, ones if copies is None else copies


def _traced(
    problem: Problem, way: Way, deviance: float, a: float, error: float, level: float, *, curve: bool
) -> ShapeProfile:
    """Trace the log-likelihood of the shape at the fitted means."""
    (y,), (weight, copies) = problem.counting().y, _weights(problem)
    family = problem.unit.family

    def visit(t: float, near: Dot | None) -> Dot:  # noqa: ARG001 (a profile passes a point nearby)
        phi = math.exp(-t) / weight
        half = 0.5 * deviance * math.exp(t)
        loglik = float(copies @ family.saturated((y,), phi)) - half
        return Dot(t, loglik, -float(copies @ way.slope(np.log(phi))) - half)

    top = visit(math.log(a), None)
    roots, at = heights(level, curve=curve)
    sides: list[list[Dot]] = []
    for sign in (-1.0, 1.0):
        found, here = [], top
        for root in roots.tolist():
            guess = top.t + sign * root * error / a if here is top else onward((top, here), root, sign)
            here = place(visit, (top, here), root, sign, guess)
            found.append(here)
        sides.append(found)
    dots = sorted((top, *sides[0], *sides[1]), key=lambda dot: dot.t)
    return ShapeProfile(
        name=way.name,
        estimate=a,
        level=level,
        interval=np.exp([side[at].t for side in sides]),
        values=np.exp([dot.t for dot in dots]),
        loglik=np.array([dot.loglik for dot in dots]),
        highest=top.loglik,
    )
