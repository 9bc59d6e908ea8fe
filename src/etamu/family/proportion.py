"""Proportions in eta: log mu, log(1 - mu) and their slopes per link, and the kernels built on them.

May import: _base, family.links, family.normal, family.special.
Read next: `etamu.family.pairs`, the table these enter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from etamu._base.types import AnyArray, Namespace
from etamu.family import normal, special
from etamu.family.link import Link

Results = tuple[AnyArray, AnyArray, AnyArray]
Kernel = Callable[[AnyArray, AnyArray], Results]


class Ends(NamedTuple):
    """Success and failure at eta, neither obtained from the other by subtraction."""

    mu: AnyArray
    complement: AnyArray
    log_mu: AnyArray
    log_complement: AnyArray
    up: AnyArray
    """Slope of log mu."""
    down: AnyArray
    """Minus the slope of log(1 - mu)."""
    up_bend: AnyArray
    """Minus the second derivative of log mu."""
    down_bend: AnyArray
    """Minus the second derivative of log(1 - mu)."""


def logit(xp: Namespace, eta: AnyArray) -> Ends:
    """Return the ends of the logit link."""
    low = eta < 0.0
    decay = xp.exp(-xp.abs(eta))
    bulk = 1.0 / (1.0 + decay)
    tail = decay * bulk
    log_bulk = -xp.log1p(decay)
    log_tail = log_bulk - xp.abs(eta)
    mu, complement = xp.where(low, tail, bulk), xp.where(low, bulk, tail)
    log_mu, log_complement = xp.where(low, log_tail, log_bulk), xp.where(low, log_bulk, log_tail)
    slope = tail * bulk
    return Ends(mu, complement, log_mu, log_complement, complement, mu, slope, slope)


def probit(xp: Namespace, eta: AnyArray) -> Ends:
    """Return the ends of the probit link; slopes are inverse Mills ratios."""
    distance = xp.abs(eta)
    at = normal.tails(xp, distance)
    bulk_hazard = at.density / at.bulk
    tail_bend, bulk_bend = at.hazard * at.excess, bulk_hazard * (bulk_hazard + distance)
    return _mirrored(
        xp, eta, (at.tail, at.log_tail, at.hazard, tail_bend), (at.bulk, at.log_bulk, bulk_hazard, bulk_bend)
    )


def cauchit(xp: Namespace, eta: AnyArray) -> Ends:
    """Return the ends of the Cauchy link; its logarithms are not concave in the tails."""
    distance = xp.abs(eta)
    tail, bulk = special.cauchy_tails(xp, distance)
    width = 1.0 + distance * distance
    density, drift = 1.0 / (math.pi * width), 2.0 * distance / width
    tail_hazard, bulk_hazard = density / tail, density / bulk
    return _mirrored(
        xp,
        eta,
        (tail, xp.log(tail), tail_hazard, tail_hazard * (tail_hazard - drift)),
        (bulk, xp.log1p(-tail), bulk_hazard, bulk_hazard * (bulk_hazard + drift)),
    )


def _mirrored(xp: Namespace, eta: AnyArray, tail: tuple[AnyArray, ...], bulk: tuple[AnyArray, ...]) -> Ends:
    """Lay the tail on the side eta points away from, for a symmetric link."""
    low = eta < 0.0
    pairs = [(xp.where(low, t, b), xp.where(low, b, t)) for t, b in zip(tail, bulk, strict=True)]
    return Ends(*(side for pair in pairs for side in pair))


def cloglog(xp: Namespace, eta: AnyArray) -> Ends:
    """Return the ends of the complementary log-log link; failure has log-probability -exp(eta)."""
    hazard = xp.exp(eta)
    capped = xp.minimum(hazard, 800.0)  # beyond, every quantity built on it has underflowed
    complement = xp.exp(-capped)
    mu = -xp.expm1(-capped)
    small = special.expm1_ratio(xp, -capped)
    log_mu = xp.where(eta < 0.0, eta + xp.log(small), xp.log1p(-xp.where(eta < 0.0, 0.0, complement)))
    up = complement / small
    up_bend = up * (capped * special.expm1mx_ratio(xp, -capped) / small)
    return Ends(mu, complement, log_mu, -hazard, up, hazard, up_bend, hazard)


def loglog(xp: Namespace, eta: AnyArray) -> Ends:
    """Return the ends of the log-log link: the complementary one with success and failure exchanged."""
    other = cloglog(xp, -eta)
    return Ends(
        other.complement,
        other.mu,
        other.log_complement,
        other.log_mu,
        other.down,
        other.up,
        other.down_bend,
        other.up_bend,
    )


def log(xp: Namespace, eta: AnyArray) -> Ends:
    """Return the ends of the log link, eta < 0."""
    mu, complement = xp.exp(eta), -xp.expm1(eta)
    odds = mu / complement
    certain, linear = xp.ones_like(eta), xp.zeros_like(eta)
    log_complement = special.log_of_part(xp, complement, mu)
    return Ends(mu, complement, eta, log_complement, certain, odds, linear, odds / complement)


Side = Callable[[Namespace, AnyArray], Ends]


def of_link(link: Link) -> Side:
    """Return the ends of any link from its inverse; the tails are as good as its complement."""

    def side(xp: Namespace, eta: AnyArray) -> Ends:
        mu, complement, d1, d2 = link.inverse(xp, eta)
        up, down = d1 / mu, d1 / complement
        up_bend, down_bend = up * up - d2 / mu, down * down + d2 / complement
        log_mu = special.log_of_part(xp, mu, complement)
        log_complement = special.log_of_part(xp, complement, mu)
        return Ends(mu, complement, log_mu, log_complement, up, down, up_bend, down_bend)

    return side


def binary(side: Side) -> Callable[[Any], Callable[[Namespace, str], Kernel]]:
    """Return the factory for responses that are 0 or 1: each row needs one end only."""

    def bind(xp: Namespace, information: str) -> Kernel:
        def kernel(y: AnyArray, eta: AnyArray) -> Results:
            yes = y > 0.5
            at = side(xp, eta)
            value = xp.where(yes, at.log_mu, at.log_complement)
            score = xp.where(yes, at.up, -at.down)
            if information == "expected":
                return value, score, _product(xp, at.up, at.down)
            return value, score, xp.where(yes, at.up_bend, at.down_bend)

        return kernel

    return lambda _: bind


def fractional(side: Side) -> Callable[[Any], Callable[[Namespace, str], Kernel]]:
    """Return the factory for responses anywhere between 0 and 1."""

    def bind(xp: Namespace, information: str) -> Kernel:
        def kernel(y: AnyArray, eta: AnyArray) -> Results:
            rest = 1.0 - y
            at = side(xp, eta)
            success = _divergence(xp, y, at.log_mu, at.mu)
            value = -(success + _divergence(xp, rest, at.log_complement, at.complement))
            score = _times(xp, y, at.up) - _times(xp, rest, at.down)
            if information == "expected":
                return value, score, _product(xp, at.up, at.down)
            return value, score, _times(xp, y, at.up_bend) + _times(xp, rest, at.down_bend)

        return kernel

    return lambda _: bind


def binary_logit(_family: Any) -> Callable[[Namespace, str], Kernel]:
    """Return the kernel of Bernoulli with logit link, by symmetry a function of (2y - 1) eta."""

    def bind(xp: Namespace, _information: str) -> Kernel:
        def kernel(y: AnyArray, eta: AnyArray) -> Results:
            sign = 2.0 * y - 1.0
            agreement = sign * eta
            decay = xp.exp(-xp.abs(eta))
            bulk = 1.0 / (1.0 + decay)
            tail = decay * bulk
            value = xp.minimum(agreement, 0.0) - xp.log1p(decay)
            return value, sign * xp.where(agreement < 0.0, bulk, tail), bulk * tail

        return kernel

    return bind


def _divergence(xp: Namespace, y: AnyArray, log_mu: AnyArray, mu: AnyArray) -> AnyArray:
    """Return y log(y / mu) + mu - y from log mu, finite where mu underflows."""
    return special.half_deviance(xp, y, xp.where(y > 0.0, log_mu, 0.0) - special.log_or_zero(xp, y), mu)


def _times(xp: Namespace, weight: AnyArray, values: AnyArray) -> AnyArray:
    """Return weight * values, 0 where the weight is 0 even if the value is infinite."""
    some = weight > 0.0
    return xp.where(some, weight * xp.where(some, values, 0.0), 0.0)


def _product(xp: Namespace, up: AnyArray, down: AnyArray) -> AnyArray:
    """Return up * down, 0 where one has underflowed and the other overflowed."""
    some = (up != 0.0) & (down != 0.0)
    return xp.where(some, xp.where(some, up, 0.0) * xp.where(some, down, 0.0), 0.0)
