"""Functions the array API lacks, composed from elementwise operations: any namespace runs or traces them.

May import: _base.
Read next: `etamu.family.normal` for the normal distribution, `etamu.family.links` for their use.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from etamu._base.types import AnyArray, Array, Namespace

_LARGEST_EXPONENT = 709.782712893384
"""log of the largest float64."""

_EXP_SERIES = tuple(1.0 / math.factorial(k) for k in range(15, 1, -1))
_LOG_SERIES = tuple(1.0 / (2 * k + 3) for k in range(9, -1, -1))


def whole(function: Callable[..., AnyArray]) -> Callable[..., AnyArray]:
    """Let a namespace whose class lists this function in `whole` compute it in one piece."""
    name = function.__name__

    @functools.wraps(function)
    def offered(xp: Namespace, *operands: Any) -> AnyArray:
        own = getattr(type(xp), "whole", None)
        return function(xp, *operands) if own is None or name not in own else own[name](xp, *operands)

    return offered


def horner(coefficients: tuple[float, ...], x: AnyArray) -> AnyArray:
    """Return the polynomial in x whose coefficients are given from the highest power down."""
    total = x * coefficients[0] + coefficients[1]
    for coefficient in coefficients[2:]:
        total = total * x + coefficient
    return total


@whole
def exp(xp: Namespace, x: AnyArray) -> AnyArray:
    """Return e^x, inf where it exceeds every float64, without a warning."""
    return xp.where(x > _LARGEST_EXPONENT, xp.inf, xp.exp(xp.minimum(x, _LARGEST_EXPONENT)))


def positive(y: Array, instead: float) -> Array:
    """Return y where it is positive and another number elsewhere, by arithmetic alone: y may be a symbol."""
    above = y > 0.0
    return y * above + instead * (1.0 - above)


def expm1mx_ratio(xp: Namespace, x: AnyArray) -> AnyArray:
    """Return (e^x - 1 - x) / x^2, which is 1/2 at x = 0."""
    near = xp.abs(x) < 0.5
    apart = xp.where(near, 1.0, x)
    series = horner(_EXP_SERIES, xp.where(near, x, 0.0))
    return xp.where(near, series, ((xp.expm1(apart) - apart) / apart) / apart)


def expm1mx_near(x: AnyArray) -> AnyArray:
    """Return e^x - 1 - x by its series, for |x| <= 1/2."""
    return horner(_EXP_SERIES, x) * x * x


@whole
def expm1mx(xp: Namespace, x: AnyArray) -> AnyArray:
    """Return e^x - 1 - x with full relative accuracy: the deviance's shape on the log scale."""
    near = xp.abs(x) < 0.5
    return xp.where(near, expm1mx_near(xp.where(near, x, 0.0)), xp.expm1(x) - x)


@whole
def half_deviance(xp: Namespace, y: AnyArray, log_ratio: AnyArray, mu: AnyArray) -> AnyArray:
    """Return y log(y / mu) + mu - y from log_ratio = log(mu / y), finite where mu underflows; mu at y = 0."""
    near = xp.abs(log_ratio) < 0.5
    close = y * expm1mx_near(xp.where(near, log_ratio, 0.0))
    return xp.where(y > 0.0, xp.where(near, close, (mu - y) - y * log_ratio), mu)


@whole
def log1pmx(xp: Namespace, x: AnyArray) -> AnyArray:
    """Return log(1 + x) - x with full relative accuracy (never positive).

    With r = x / (2 + x), log(1 + x) = 2 atanh r; the linear term is removed before anything is summed.
    """
    near = xp.abs(x) < 0.25
    small = xp.where(near, x, 0.0)
    r = small / (2.0 + small)
    apart = xp.where(near, 1.0, x)
    return xp.where(near, r * (2.0 * r * r * horner(_LOG_SERIES, r * r) - small), xp.log1p(apart) - apart)


@whole
def relative_entropy(xp: Namespace, ratio: AnyArray, excess: AnyArray) -> AnyArray:
    """Return excess - log(ratio), ratio = 1 + excess; each is accurate where the other is not."""
    far = xp.abs(excess) > 0.5
    log = xp.log(xp.where(far, ratio, 1.0))
    return xp.where(far, excess - log, -log1pmx(xp, xp.where(far, 0.0, excess)))


@whole
def log_of_part(xp: Namespace, part: AnyArray, rest: AnyArray) -> AnyArray:
    """Return log(part) where part + rest = 1, from the smaller of the two."""
    small = rest < 0.5
    return xp.where(small, xp.log1p(-xp.where(small, rest, 0.0)), xp.log(xp.where(small, 1.0, part)))


@whole
def bd0(xp: Namespace, y: AnyArray, mu: AnyArray) -> AnyArray:
    """Return y log(y / mu) + mu - y, Loader's half deviance of a count, without cancellation at y near mu.

    Source: C. Loader, Fast and accurate computation of binomial probabilities (2000).
    """
    positive = y > 0.0
    count = xp.where(positive, y, 1.0)
    return xp.where(positive, count * relative_entropy(xp, mu / count, (mu - count) / count), mu)


def log_or_zero(xp: Namespace, y: AnyArray) -> AnyArray:
    """Return log(y) where y > 0 and 0 elsewhere."""
    return xp.log(xp.where(y > 0.0, y, 1.0))


def cauchy_tails(xp: Namespace, x: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Return the probabilities of the Cauchy distribution beyond x >= 0 and below it."""
    outer = xp.atan(1.0 / xp.maximum(x, 1.0)) * (1.0 / math.pi)
    inner = 0.5 - xp.atan(xp.minimum(x, 1.0)) * (1.0 / math.pi)
    tail = xp.where(x > 1.0, outer, inner)
    return tail, 1.0 - tail


def power_half_deviance(xp: Namespace, power: float, y: AnyArray, u: AnyArray) -> AnyArray:
    """Return the integral from mu to y > 0 of (y - t) / t^power dt, where u = log(mu / y).

    It is y^a (E(a) - E(b)) with a = 2 - p, b = 1 - p, E(a) = (e^(a u) - 1) / a. Near u = 0 the linear terms,
    equal, are left out so that nothing cancels; where both exponentials are large one is taken out.
    """
    a, b = 2.0 - power, 1.0 - power
    near = xp.abs(u) < 1.0
    small, far = xp.where(near, u, 0.0), xp.where(near, 0.0, u)
    inside = expm1mx(xp, a * small) / a - expm1mx(xp, b * small) / b
    both_grow = far > 0.0 if power < 1.0 else far < 0.0
    apart = far if 1.0 < power < 2.0 else xp.where(both_grow, 0.0, far)
    outside = xp.expm1(a * apart) / a - xp.expm1(b * apart) / b
    if not 1.0 < power < 2.0:
        together = xp.where(both_grow, far, 0.0)
        common = exp(xp, b * together) * (exp(xp, together) / a - 1.0 / b) + (1.0 / b - 1.0 / a)
        outside = xp.where(both_grow, common, outside)
    return y**a * xp.where(near, inside, outside)


def expm1_ratio(xp: Namespace, x: AnyArray) -> AnyArray:
    """Return (e^x - 1) / x, which is 1 at x = 0."""
    some = x != 0.0
    apart = xp.where(some, x, 1.0)
    return xp.where(some, xp.expm1(apart) / apart, 1.0)


def softplus(xp: Namespace, x: AnyArray) -> AnyArray:
    """Return log(1 + e^x), finite for every finite x."""
    return xp.maximum(x, 0.0) + xp.log1p(xp.exp(-xp.abs(x)))


def log_complement(xp: Namespace, x: AnyArray) -> AnyArray:
    """Return log(1 - e^x) for x < 0."""
    near = x > -0.7
    small = xp.log(-xp.expm1(xp.where(near, x, -1.0)))
    return xp.where(near, small, xp.log1p(-xp.exp(xp.where(near, -1.0, x))))
