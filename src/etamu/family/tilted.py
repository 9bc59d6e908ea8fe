"""Exact draws from the tilted positive stable law, which is Tweedie with power above 2, at mean 1.

May import: `etamu._base`, numpy.
Read next: `etamu.family.stable`, for the same curve u and the same R(u) in the density.

(Y, u) has density proportional to exp(-k R(u) Z - tau Z^(-b)) in Z = Y^(2 - p), with k = 1/((p - 1)(p - 2)
phi), tau = 1/((p - 1) phi) and b = 1/(p - 2). First u is drawn by rejection, then Z given u, whose log
density is concave, by rejection that reuses the first coin. Both acceptance rates are bounded from below for
every phi and p.

Source: L. Devroye, Random variate generation for exponentially and polynomially tilted stable distributions
(2009).
"""

from __future__ import annotations

import math

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask

_HALF_NORMAL = math.sqrt(0.5 * math.pi)


@dataclass(frozen=True, slots=True)
class Curve:
    """An accepted angle u: log R(u), the exponential tail it needs, and minus the log of its coin."""

    log_rise: Array
    tail: Array
    allowance: Array


def sample(rng: np.random.Generator, dispersion: Array, power: float) -> Array:
    """Draw one value of mean 1 for each dispersion.

    Examples
    --------
    >>> draws = sample(np.random.default_rng(1), np.full(40000, 0.5), 2.5)
    >>> bool(abs(draws.mean() - 1) < 0.02), bool(abs(draws.var() - 0.5) < 0.03)
    (True, True)
    """
    phi = np.asarray(dispersion, dtype=np.float64)
    out = np.empty(phi.size)
    waiting = np.arange(phi.size)
    while waiting.size:
        rows = phi.ravel()[waiting]
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            # A proposal at the very edge may overflow; its comparison is then False and it is drawn again.
            angle, accepted = _draw_angle(rng, rows, power)
            value, kept = _draw_given_angle(rng, rows, angle, power)
        good = accepted & kept
        out[waiting[good]] = value[good]
        waiting = waiting[~good]
    return out.reshape(phi.shape)


def _draw_angle(rng: np.random.Generator, phi: Array, power: float) -> tuple[Curve, Mask]:
    """Propose u from a half normal or uniform and a square-root pole at pi; say which were accepted."""
    a = (power - 2.0) / (power - 1.0)
    total = 1.0 / ((power - 2.0) * phi)
    gamma = total * a * (1.0 - a)
    root = np.sqrt(gamma)
    body = (1.0 + math.sqrt(2.0) * (2.0 + _HALF_NORMAL) * root) / math.pi
    edge = (2.0 + _HALF_NORMAL) * root * np.exp(-gamma * math.pi**2 / 8.0) / math.sqrt(math.pi)
    narrow = gamma >= 1.0
    area = body * np.where(narrow, _HALF_NORMAL / root, math.pi)
    from_body = rng.random(phi.size) * (area + 2.0 * math.sqrt(math.pi) * edge) < area
    uniform = rng.random(phi.size)
    normal = np.abs(rng.standard_normal(phi.size)) / root
    u = np.where(from_body, np.where(narrow, normal, math.pi * uniform), math.pi * (1.0 - uniform * uniform))
    inside = (u < math.pi) & (u > 0.0)
    u = np.where(inside, u, 1.0)
    log_rise = _log_rise(u, a, power)
    log_zeta = -0.5 * (1.0 - a) * log_rise
    tail = 1.0 / -np.expm1(-np.log1p(a * np.exp(log_zeta) / root) / a)
    proposal = body * np.where(narrow, np.exp(-0.5 * gamma * u * u), 1.0) + edge / np.sqrt(math.pi - u)
    bound = (1.0 + _HALF_NORMAL) * root * np.exp(-log_zeta) + tail
    log_ratio = total * np.expm1(-2.0 * log_zeta) + np.log(math.pi * proposal / bound)
    allowance = rng.standard_exponential(phi.size) - log_ratio
    return Curve(log_rise, tail, allowance), inside & (allowance >= 0.0)


def _draw_given_angle(rng: np.random.Generator, phi: Array, curve: Curve, power: float) -> tuple[Array, Mask]:
    """Propose Z around its mode m = R^(-a): half normal below, flat for one width, exponential above."""
    a = (power - 2.0) / (power - 1.0)
    b = 1.0 / (power - 2.0)
    tau = 1.0 / ((power - 1.0) * phi)
    pull = tau * b * np.exp(curve.log_rise)
    mode = np.exp(-a * curve.log_rise)
    width = np.sqrt(mode * a / pull)
    slow = curve.tail / pull
    choice = rng.random(phi.size) * (width * (_HALF_NORMAL + 1.0) + slow)
    below = choice < width * _HALF_NORMAL
    above = choice > width * (_HALF_NORMAL + 1.0)
    normal = np.abs(rng.standard_normal(phi.size))
    exponential = rng.standard_exponential(phi.size)
    flat = mode + width * rng.random(phi.size)
    z = np.where(below, mode - width * normal, np.where(above, mode + width + exponential * slow, flat))
    positive = z > 0.0
    z = np.where(positive, z, mode)
    cost = pull * (z - mode) + tau * mode ** (-b) * np.expm1(-b * np.log(z / mode))
    cost -= np.where(below, 0.5 * normal * normal, 0.0) + np.where(above, exponential, 0.0)
    return z ** (-b), positive & (cost <= curve.allowance)


def _log_rise(u: Array, a: float, power: float) -> Array:
    """Compute log R(u), R(u) = (sin(a u)/(a sin u))^(p - 2) sin((1 - a) u)/((1 - a) sin u)."""
    sine = np.sin(u)
    first = np.log(np.sin(a * u) / (a * sine))
    return (power - 2.0) * first + np.log(np.sin((1.0 - a) * u) / ((1.0 - a) * sine))
