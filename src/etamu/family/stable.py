"""The tilted positive stable law at mean 1, Tweedie with power above 2: density and tails.

May import: `etamu._base`, `etamu.family.rows`, `etamu.family.special`, numpy.
Read next: `etamu.family.tweedie`, which scales to any mean; `etamu.family.tilted` for the sampler.

The series of this density alternates and is useless near the mean. Instead the inversion integral is taken
along the curve w(u) = w(0) (sin(a u)/(a sin u))^(p - 1) e^(iu), a = (p - 2)/(p - 1), 0 < u < pi, through the
saddlepoint: there the exponent is real, -k (R(u) - 1), and nothing oscillates (V. M. Zolotarev,
One-dimensional stable distributions, 1986, section 2.2). With u = 2 gd(t) the integrand is analytic in a
strip around the real t, so that the trapezoid rule converges exponentially, also where the mass crowds
against u = pi.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Array, Mask
from etamu.family.rows import in_chunks
from etamu.family.special import expm1mx, relative_entropy

_LOG_NEGLIGIBLE = 46.0
_NODES_PER_WIDTH = 4.0
_WIDEST_STEP = 0.12
_POLE_STEPS = 15.0
_ANCHOR_NEAR = 0.25
_LARGEST_EXPONENT = 700.0
_SERIES_BELOW = 0.5
# zeta(2n) / (n pi^(2n)), the Taylor coefficients of log(x / sin x) in x^2; the next adds 1e-19 at 0.5.
_LOG_SINC = (
    0.16666666666666669,
    0.005555555555555557,
    0.00035273368606701953,
    2.6455026455026466e-05,
    2.137779915557694e-06,
    1.803670234005332e-07,
    1.5661391322766993e-08,
    1.3884130493737307e-09,
    1.2504359176005007e-10,
    1.1402575602296098e-11,
    1.0502923908637565e-12,
)


@dataclass(frozen=True, slots=True)
class Path:
    """Nodes on the steepest descent curve, each (rows, nodes).

    angle is u, weight is the step times du/dt, rise is R(u) - 1, log_radius is log |w(u)/w(0)| and slope its
    derivative.
    """

    angle: Array
    weight: Array
    rise: Array
    log_radius: Array
    slope: Array


def log_density_at_mean(dispersion: Array, power: float) -> Array:
    """Compute log f(1; mu = 1, phi), (p - 2) k/pi times the integral of R exp(-k (R - 1)) over (0, pi).

    k = 1/((p - 1)(p - 2) phi). The integrand is positive, so the density is as accurate as its terms. Power 3
    is the inverse Gaussian, whose value is -log(2 pi phi)/2:

    Examples
    --------
    >>> value = log_density_at_mean(np.array([0.7]), 3.0) + 0.5 * np.log(2 * np.pi * 0.7)
    >>> bool(np.abs(value[0]) < 1e-14)
    True
    """
    constant = math.log((power - 2.0) / math.pi)
    return constant + in_chunks(lambda phi: _integral(phi, power)[0], dispersion)


def slope_at_mean(dispersion: Array, power: float) -> Array:
    """Compute the derivative of `log_density_at_mean` in log phi, E k (R - 1) - 1 under the integrand.

    Examples
    --------
    >>> print(f"{slope_at_mean(np.array([0.7]), 3.0)[0]:.9f}")
    -0.500000000
    """
    return in_chunks(lambda phi: _integral(phi, power)[1], dispersion)


def _integral(dispersion: Array, power: float) -> tuple[Array, Array]:
    """Integrate k R exp(-k (R - 1)): its log, and the derivative of that in log phi."""
    k = _sharpness(dispersion, power)
    path = _path(k, 2.0 * _step(dispersion, power), power)
    exponent = k[:, None] * path.rise
    integrand = (1.0 + path.rise) * np.exp(-exponent) * path.weight
    total = np.sum(integrand, axis=-1)
    return np.log(k * total), np.sum(integrand * exponent, axis=-1) / total - 1.0


def cdf(y: Array, dispersion: Array, power: float) -> Array:
    """Compute P(Y <= y) at mean 1, accurate in the lower tail.

    Examples
    --------
    >>> print(f"{cdf(np.array([0.01]), np.array([1.0]), 3.0)[0]:.6e}")
    4.122313e-23
    """
    below = y < 1.0
    possible = _possible(y, dispersion, power)
    lower = _either_tail(y, dispersion, power, below & possible, upper=False)
    upper = _either_tail(y, dispersion, power, ~below & possible, upper=True)
    return np.where(below, lower, 1.0 - upper)


def sf(y: Array, dispersion: Array, power: float) -> Array:
    """Compute P(Y > y) at mean 1, accurate in the upper tail.

    Below the mean it is one minus the other tail unless that is more than half.

    Examples
    --------
    >>> print(f"{sf(np.array([100.0]), np.array([1.0]), 3.0)[0]:.6e}")
    4.043704e-25
    """
    lower = cdf(y, dispersion, power)
    direct = (y >= 1.0) | (lower > 0.5)
    upper = _either_tail(y, dispersion, power, direct & _possible(y, dispersion, power), upper=True)
    return np.where(direct, upper, 1.0 - lower)


def _possible(y: Array, dispersion: Array, power: float) -> Mask:
    """Tell where exp(-d/(2 phi)), Chernoff's bound of the tail beyond y, is not below the smallest float."""
    amount = np.where(y > 0.0, y, 1.0)
    return np.asarray(
        (y > 0.0) & np.isfinite(y) & (_half_deviance(amount, power) < _LARGEST_EXPONENT * dispersion)
    )


def _either_tail(y: Array, dispersion: Array, power: float, where: Mask, *, upper: bool) -> Array:
    tail = in_chunks(partial(_tail, power=power, upper=upper), y, dispersion, where=where)
    return np.where(where, tail, 0.0)


def _tail(y: Array, dispersion: Array, power: float, *, upper: bool) -> Array:
    """Integrate exp(cgf(s) - s y)/s along the curve through the saddlepoint, away from the pole s = 0.

    In w = 1 - (p - 1) phi s the pole is w = 1 and the saddlepoint w(0) = y^(1 - p). Where that is less than
    `_POLE_STEPS` steps from the pole, or on its wrong side, the curve of another y, `anchor`, is used; only
    there the exponent is complex.
    """
    step = _step(dispersion * y ** (power - 2.0), power)
    distance = np.exp(_POLE_STEPS * np.maximum(step, _step(dispersion, power)) / (power - 1.0))
    anchor = np.maximum(y, distance) if upper else np.minimum(y, 1.0 / distance)
    local = dispersion * anchor ** (power - 2.0)
    k = _sharpness(local, power)
    path = _path(k * np.minimum(y / anchor, 1.0), np.minimum(step, _step(local, power)), power)
    log_w = path.log_radius + 1j * path.angle - (power - 1.0) * np.log(anchor)[:, None]
    w = np.exp(log_w)
    shift = ((y - anchor) / ((power - 1.0) * dispersion))[:, None]
    on_curve = -_half_deviance(anchor, power)[:, None] / dispersion[:, None] - k[:, None] * path.rise
    kernel = (path.slope + 1j) * w / (1.0 - w)
    exponent = on_curve + shift * (w - 1.0)
    distant = y < _ANCHOR_NEAR * anchor
    # Far from its anchor the sum above cancels; there phi is large and the exponent itself is harmless.
    exponent[distant] = _exponent(log_w[distant], y[distant, None], dispersion[distant, None], power)
    integral = np.sum(np.imag(np.exp(exponent) * kernel) * path.weight, axis=-1) / math.pi
    return np.asarray(integral if upper else -integral)


def _exponent(log_w: AnyArray, y: Array, dispersion: Array, power: float) -> AnyArray:
    """Compute cgf(s) - s y at a complex w, as it is defined."""
    a = (power - 2.0) / (power - 1.0)
    return (a * y * np.expm1(log_w) - np.expm1(a * log_w)) / ((power - 2.0) * dispersion)


def _half_deviance(y: Array, power: float) -> Array:
    """Compute half the unit deviance of y at mean 1 as two non-negative terms that do not cancel."""
    q = power - 2.0
    z = np.minimum(-q * np.log(y), _LARGEST_EXPONENT)
    return np.asarray((expm1mx(np, z) + q * relative_entropy(np, y, y - 1.0)) / (q * (q + 1.0)))


def _sharpness(dispersion: Array, power: float) -> Array:
    """Return k, the factor of -(R - 1) in the exponent."""
    return 1.0 / ((power - 1.0) * (power - 2.0) * dispersion)


def _step(dispersion: Array, power: float) -> Array:
    """Choose the step in t: a part of the Gaussian width at 0, and of the strip of analyticity."""
    width = 0.5 * (power - 1.0) * np.sqrt(dispersion)
    return np.minimum(width / _NODES_PER_WIDTH, _WIDEST_STEP / (power - 1.0))


def _path(k: Array, step: Array, power: float) -> Path:
    """Lay out the nodes t = step/2, 3 step/2, ... up to where k (R - 1) makes the integrand negligible."""
    a = (power - 2.0) / (power - 1.0)
    nodes = int(np.max(np.ceil(_reach(k, a, power) / step))) + 1
    t = step[:, None] * (np.arange(nodes) + 0.5)
    rest = 4.0 * np.arctan(np.exp(-t))
    u = math.pi - rest
    u = np.where(t < 1.0, 4.0 * np.arctan(np.tanh(0.5 * t)), u)
    log_whole, log_part = _log_sinc(u, rest), _log_sinc(a * u, math.pi - a * u)
    bend, bend_part = _bend(u, rest), _bend(a * u, math.pi - a * u)
    sine = -np.expm1(-log_part)
    second = (a * (bend + sine - bend * sine) - 2.0 * np.sin(0.5 * a * u) ** 2) * (power - 1.0)
    log_radius = (power - 1.0) * (log_whole - log_part)
    rise = np.expm1(a * log_radius + np.log1p(second))
    return Path(u, step[:, None] * 2.0 / np.cosh(t), rise, log_radius, (power - 1.0) * (bend - bend_part) / u)


def _reach(k: Array, a: float, power: float) -> Array:
    """Bound the t where k (R - 1) uses up the budget, by R - 1 >= a u^2/2 and by the pole of R at pi."""
    target = _LOG_NEGLIGIBLE / k
    half_angle = np.minimum(np.sqrt(0.5 * target / a), 1.5)
    near = np.arctanh(np.sin(half_angle))
    part = min(math.sin(0.5 * a * math.pi), math.sin(a * math.pi)) / a
    rest = min(math.sin(0.5 * (1.0 - a) * math.pi), math.sin((1.0 - a) * math.pi)) / (1.0 - a)
    far = math.log(4.0) + (np.log1p(target) - (power - 2.0) * math.log(part) - math.log(rest)) / (power - 1.0)
    return np.where(half_angle < 1.5, near, np.maximum(far, 1.0))


def _log_sinc(x: Array, rest: Array) -> Array:
    """Compute log(x / sin x), given x and pi - x, both accurate."""
    squared = np.minimum(x, _SERIES_BELOW) ** 2
    series = np.zeros_like(squared)
    for coefficient in reversed(_LOG_SINC):
        series = (series + coefficient) * squared
    return np.where(x < _SERIES_BELOW, series, np.log(x / np.sin(np.minimum(x, rest))))


def _bend(x: Array, rest: Array) -> Array:
    """Compute 1 - x cot x, which is x times the derivative of log(x / sin x), given x and pi - x."""
    squared = np.minimum(x, _SERIES_BELOW) ** 2
    series = np.zeros_like(squared)
    for n in range(len(_LOG_SINC), 0, -1):
        series = (series + 2 * n * _LOG_SINC[n - 1]) * squared
    cotangent = np.where(x < rest, 1.0, -1.0) / np.tan(np.minimum(x, rest))
    return np.where(x < _SERIES_BELOW, series, 1.0 - x * cotangent)
