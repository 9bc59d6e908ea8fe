"""Log links in eta: the power-variance families and the negative binomial, without a mean that overflows.

May import: _base, family.special.
Read next: `etamu.family.pairs`, the table these enter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from etamu._base.types import AnyArray, Namespace
from etamu.family import special

Results = tuple[AnyArray, AnyArray, AnyArray]
Kernel = Callable[[AnyArray, AnyArray], Results]
Bind = Callable[[Namespace, str], Kernel]


def gaussian(_family: Any) -> Bind:
    """Return the kernel of a Gaussian response with log link."""

    def bind(xp: Namespace, information: str) -> Kernel:
        def kernel(y: AnyArray, eta: AnyArray) -> Results:
            mu = xp.exp(eta)
            residual = y - mu
            curvature = mu * mu if information == "expected" else mu * (mu - residual)
            return -0.5 * residual * residual, residual * mu, curvature

        return kernel

    return bind


def poisson(_family: Any) -> Bind:
    """Return the kernel of a count with log link: score y - exp(eta)."""

    def bind(xp: Namespace, _information: str) -> Kernel:
        def kernel(y: AnyArray, eta: AnyArray) -> Results:
            mu = xp.exp(eta)
            return -special.half_deviance(xp, y, eta - special.log_or_zero(xp, y), mu), y - mu, mu

        return kernel

    return bind


def gamma(_family: Any) -> Bind:
    """Return the kernel of a gamma response with log link: score y / mu - 1."""

    def bind(xp: Namespace, information: str) -> Kernel:
        def kernel(y: AnyArray, eta: AnyArray) -> Results:
            ratio = y * xp.exp(-eta)
            half = special.half_deviance(xp, xp.ones_like(eta), xp.log(y) - eta, ratio)
            curvature = xp.ones_like(eta) if information == "expected" else ratio
            return -half, ratio - 1.0, curvature

        return kernel

    return bind


def inverse_gaussian(_family: Any) -> Bind:
    """Return the kernel of an inverse Gaussian response with log link: score (y / mu - 1) / mu."""

    def bind(xp: Namespace, information: str) -> Kernel:
        def kernel(y: AnyArray, eta: AnyArray) -> Results:
            inverse = xp.exp(-eta)
            excess = y * inverse - 1.0
            curvature = inverse if information == "expected" else inverse * (1.0 + 2.0 * excess)
            return -0.5 * excess * (excess / y), excess * inverse, curvature

        return kernel

    return bind


def power_variance(family: Any) -> Bind:
    """Return the kernel of V = mu^p with log link: score y mu^(1 - p) - mu^(2 - p)."""
    p = family.p

    def bind(xp: Namespace, information: str) -> Kernel:
        def kernel(y: AnyArray, eta: AnyArray) -> Results:
            some = y > 0.0
            amount = xp.where(some, y, 1.0)
            push = xp.exp((2.0 - p) * eta)
            nothing = push / (2.0 - p) if p < 2.0 else xp.ones_like(eta) * xp.inf
            half = xp.where(some, special.power_half_deviance(xp, p, amount, eta - xp.log(amount)), nothing)
            if p > 2.0:  # the larger power is taken out, so that no two infinities meet
                scale, pulled, pushed = push, amount * xp.exp(-eta), xp.ones_like(eta)
            elif p > 1.0:
                scale, pulled, pushed = xp.ones_like(eta), amount * xp.exp((1.0 - p) * eta), push
            else:
                scale, pulled = amount * xp.exp((1.0 - p) * eta), xp.ones_like(eta)
                pushed = xp.exp(eta) / amount
            score = xp.where(some, scale * (pulled - pushed), -push)
            if information == "expected":
                return -half, score, push
            observed = xp.where(some, scale * ((p - 1.0) * pulled + (2.0 - p) * pushed), (2.0 - p) * push)
            return -half, score, observed

        return kernel

    return bind


def negative_binomial(family: Any) -> Bind:
    """Return the kernel of NB2 with log link, in p = mu / (mu + theta) and q = theta / (mu + theta)."""
    theta = family.theta
    log_theta = math.log(theta)

    def bind(xp: Namespace, information: str) -> Kernel:
        def kernel(y: AnyArray, eta: AnyArray) -> Results:
            high = eta > log_theta
            decay = xp.exp(xp.where(high, -eta, eta))
            over = xp.where(high, theta * decay, decay / theta)  # at most 1: no logarithm below cancels
            larger, smaller = 1.0 / (1.0 + over), over / (1.0 + over)
            p, q = xp.where(high, larger, smaller), xp.where(high, smaller, larger)
            log_larger = -xp.log1p(over)
            log_smaller = log_larger + xp.where(high, log_theta - eta, eta - log_theta)
            log_p, log_q = xp.where(high, log_larger, log_smaller), xp.where(high, log_smaller, log_larger)
            curvature = theta * p if information == "expected" else (y + theta) * (p * q)
            return -_half_deviance(xp, y, theta, p, log_p, log_q), y * q - theta * p, curvature

        return kernel

    return bind


def canonical_negative_binomial(family: Any) -> Bind:
    """Return the kernel of NB2 with its canonical link, eta = log(mu / (mu + theta)) < 0: score y - mu."""
    theta = family.theta

    def bind(xp: Namespace, _information: str) -> Kernel:
        def kernel(y: AnyArray, eta: AnyArray) -> Results:
            p = xp.exp(eta)
            odds = p / -xp.expm1(eta)
            half = _half_deviance(xp, y, theta, p, eta, special.log_complement(xp, eta))
            return -half, y - theta * odds, theta * odds * (1.0 + odds)

        return kernel

    return bind


def _half_deviance(
    xp: Namespace, y: AnyArray, theta: float, p: AnyArray, log_p: AnyArray, log_q: AnyArray
) -> AnyArray:
    """Return the half deviance of NB2, p = mu / (mu + theta) = 1 - q: two terms, neither negative."""
    some = y > 0.0
    count = xp.where(some, y, 1.0)
    events = count * special.expm1mx(xp, log_p + xp.log1p(theta / count))
    return xp.where(some, events, theta * p) + theta * special.expm1mx(xp, log_q + xp.log1p(y / theta))


def gamma_inverse(_family: Any) -> Bind:
    """Return the kernel of a gamma response with inverse link: score 1 / eta - y."""

    def bind(xp: Namespace, _information: str) -> Kernel:
        def kernel(y: AnyArray, eta: AnyArray) -> Results:
            mu = 1.0 / eta
            ratio = y * eta
            return -special.relative_entropy(xp, ratio, ratio - 1.0), mu - y, mu * mu

        return kernel

    return bind
