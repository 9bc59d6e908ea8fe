"""The standard normal distribution in any array namespace: both tails, their logarithms, hazard and quantile.

May import: _base, family.special.
Read next: `etamu.family.links`, where the probit link uses it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from etamu._base.types import AnyArray, Namespace
from etamu.family.special import horner, whole

_ROOT_TWO_PI = math.sqrt(2.0 * math.pi)
_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)

# (hazard(x) - x) (x + 1.75), a polynomial in (x - 3.5) / (x + 3.5) through Chebyshev points, 40 digits.
_HAZARD_EXCESS = (
    -5.236590504515872e-10, 5.9617896406734086e-09, -1.943853214541832e-08, -8.302225676974145e-08,
    2.8022604083689444e-07, 6.709915202685233e-07, -1.856349942120513e-06, -4.047081804534124e-06,
    8.3280649154536e-06, 1.9738082225077634e-05, -2.9474744315358448e-05, -8.15265310975861e-05,
    9.079873614846035e-05, 0.0002960971590569991, -0.0002662449169259608, -0.0009748229941286277,
    0.0008136664845850906, 0.0029688976419964506, -0.002761534656011823, -0.008389512819833014,
    0.010419290348346997, 0.021145612516340354, -0.04183247014386149, -0.037163767310358475,
    0.16795932416696358, -0.09947241239386619, -0.33254907795625965, 1.3198041405029237,
)  # fmt: skip


class Tails(NamedTuple):
    """The normal distribution at distance x >= 0 from its centre."""

    density: AnyArray
    """phi(x)."""
    tail: AnyArray
    """Probability beyond x, at most 1/2."""
    bulk: AnyArray
    """1 - tail."""
    log_tail: AnyArray
    """log(tail), finite where tail underflows."""
    log_bulk: AnyArray
    """log(1 - tail)."""
    hazard: AnyArray
    """phi(x) / tail, the inverse Mills ratio."""
    excess: AnyArray
    """hazard - x, not by subtraction."""


def hazard_excess(x: AnyArray) -> AnyArray:
    """Return phi(x) / Phi(-x) - x for x >= 0, to two units in the last place."""
    return horner(_HAZARD_EXCESS, (x - 3.5) / (x + 3.5)) / (x + 1.75)


@whole
def exp_of_square(xp: Namespace, x: AnyArray, factor: float) -> AnyArray:
    """Return exp(factor x^2) for x >= 0; x is split so that squaring loses nothing (Cody)."""
    short = xp.floor(x * 16.0) * 0.0625
    rest = (x - short) * (x + short)
    return xp.exp(factor * short * short) * xp.exp(factor * rest)


def density(xp: Namespace, x: AnyArray) -> AnyArray:
    """Return phi(x)."""
    return exp_of_square(xp, xp.minimum(xp.abs(x), 40.0), -0.5) * (1.0 / _ROOT_TWO_PI)


def tails(xp: Namespace, x: AnyArray) -> Tails:
    """Return everything about the normal distribution at distance x >= 0 from its centre."""
    excess = hazard_excess(x)
    hazard = x + excess
    height = density(xp, x)
    tail = height / hazard
    log_tail = -0.5 * x * x - (xp.log(hazard) + _HALF_LOG_TWO_PI)
    return Tails(height, tail, 1.0 - tail, log_tail, xp.log1p(-tail), hazard, excess)


def cdf(xp: Namespace, x: AnyArray) -> AnyArray:
    """Return Phi(x), accurate in the lower tail until it underflows."""
    both = tails(xp, xp.abs(x))
    return xp.where(x < 0.0, both.tail, both.bulk)


def log_cdf(xp: Namespace, x: AnyArray) -> AnyArray:
    """Return log Phi(x), accurate in both tails."""
    both = tails(xp, xp.abs(x))
    return xp.where(x < 0.0, both.log_tail, both.log_bulk)


def erfcx(xp: Namespace, x: AnyArray) -> AnyArray:
    """Return exp(x^2) erfc(x)."""
    distance = xp.abs(x) * math.sqrt(2.0)
    upper = math.sqrt(2.0 / math.pi) / (distance + hazard_excess(distance))
    negative = xp.minimum(xp.maximum(-x, 0.0), 26.6)
    return xp.where(x < 0.0, 2.0 * exp_of_square(xp, negative, 1.0) - upper, upper)


_CENTRE = (
    (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
     13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608),
    (5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
     5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0),
)  # fmt: skip
_MIDDLE = (
    (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
     3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734),
    (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
     0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0),
)  # fmt: skip
_OUTER = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
     0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772),
    (2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
     0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1.0),
)  # fmt: skip


def quantile(xp: Namespace, lower: AnyArray, upper: AnyArray) -> AnyArray:
    """Return the x with Phi(x) = lower and 1 - Phi(x) = upper; both are given so that neither tail is lost.

    Source: M. Wichura, Algorithm AS 241 (1988), PPND16.
    """
    centre = 0.5 * (lower - upper)
    near = 0.180625 - xp.minimum(centre * centre, 0.180625)
    tail = xp.minimum(lower, upper)
    root = xp.sqrt(-xp.log(xp.where(tail > 0.0, tail, 1.0)))
    middle, outer = xp.minimum(root, 5.0) - 1.6, xp.maximum(root, 5.0) - 5.0
    distance = xp.where(
        root <= 5.0,
        horner(_MIDDLE[0], middle) / horner(_MIDDLE[1], middle),
        horner(_OUTER[0], outer) / horner(_OUTER[1], outer),
    )
    distance = xp.where(tail > 0.0, distance, xp.inf)
    inner = centre * horner(_CENTRE[0], near) / horner(_CENTRE[1], near)
    return xp.where(xp.abs(centre) <= 0.425, inner, xp.where(centre < 0.0, -distance, distance))
