"""The compound Poisson-gamma law at mean 1, Tweedie with power in (1, 2): density, tails and sampler.

May import: `etamu._base`, `etamu.family.rows`, `.special`, `.stirling`, numpy; scipy inside functions.
Read next: `etamu.family.tweedie`, which scales to any mean; `etamu.family.stable` for powers above 2.

A Poisson number of gamma variables: lam = 1/(phi (2 - p)) of them, each of shape alpha = (2 - p)/(p - 1) and
of mean 1/lam. Density and tails are sums over n of positive terms with one peak. Where that peak is wide the
terms are a smooth function of n, and the trapezoid rule with a stride of many terms gives the same sum: by
Poisson's summation formula both differ from the integral by exp(-2 pi^2 (width/stride)^2) only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from etamu._base.types import Array, Mask
from etamu.family.rows import in_chunks, log_sum
from etamu.family.special import bd0
from etamu.family.stirling import HALF_LOG_TWO_PI, stirling_remainder

_LOG_NEGLIGIBLE = 39.0
_STRIDE_FROM = 8.0
_NODES_PER_WIDTH = 1.6


def shape(power: float) -> float:
    """Return alpha = (2 - p)/(p - 1), the shape of each gamma summand."""
    return (2.0 - power) / (power - 1.0)


def _rate(dispersion: Array, power: float) -> Array:
    return 1.0 / (dispersion * (2.0 - power))


def log_density_at_mean(dispersion: Array, power: float) -> Array:
    """Compute log f(1; mu = 1, phi), the saturated term at y = 1, for flat phi.

    f = sqrt(alpha)/(2 pi) sum_n exp(-(1 + alpha) bd0(n, lam) - remainder(n) - remainder(n alpha)): the series
    of Dunn and Smyth (Series evaluation of Tweedie exponential dispersion model densities, 2005), every pair
    of terms that would cancel removed by hand.

    Examples
    --------
    >>> print(f"{log_density_at_mean(np.array([1.0]), 1.5)[0]:.12f}")
    -1.028615220342
    """
    constant = 0.5 * math.log(shape(power)) - 2.0 * HALF_LOG_TWO_PI
    wide = _is_wide(_rate(dispersion, power), power)
    return constant + _either(partial(_series_value, power=power), wide, dispersion)


def slope_at_mean(dispersion: Array, power: float) -> Array:
    """Compute the derivative of `log_density_at_mean` in log phi: (1 + alpha)(lam - E n) under the terms.

    Examples
    --------
    >>> print(f"{slope_at_mean(np.array([1e-9]), 1.5)[0]:.9f}")
    -0.500000000
    """
    wide = _is_wide(_rate(dispersion, power), power)
    return _either(partial(_series_slope, power=power), wide, dispersion)


def _series_value(dispersion: Array, power: float, *, strided: bool) -> Array:
    return _series(dispersion, power, strided=strided)[0]


def _series_slope(dispersion: Array, power: float, *, strided: bool) -> Array:
    return _series(dispersion, power, strided=strided)[1]


def _series(dispersion: Array, power: float, *, strided: bool) -> tuple[Array, Array]:
    """Sum the series over n: its log without the constant, and the derivative of that in log phi."""
    lam = _rate(dispersion, power)
    n, stride = _summands(lam, 1.0 / (power - 1.0), 1.0 / (power - 1.0), strided=strided)
    exponent = -bd0(np, n, lam[:, None]) / (power - 1.0)
    exponent -= stirling_remainder(n) + stirling_remainder(n * shape(power))
    total = log_sum(exponent)
    slope = -np.sum(np.exp(exponent - total[:, None]) * (n - lam[:, None]), axis=-1) / (power - 1.0)
    return total + np.log(stride), slope


def cdf(y: Array, dispersion: Array, power: float) -> Array:
    """Compute P(Y <= y) at mean 1, accurate in the lower tail; y = 0 gives the mass at zero.

    Examples
    --------
    >>> bool(np.isclose(cdf(np.array([0.0]), np.array([1.0]), 1.5)[0], np.exp(-2.0), rtol=1e-15))
    True
    """
    from scipy.special import gammainc

    mass = np.exp(-_rate(dispersion, power))
    return np.minimum(mass + _tail(gammainc, np.minimum, y, dispersion, power), 1.0)


def sf(y: Array, dispersion: Array, power: float) -> Array:
    """Compute P(Y > y) at mean 1, accurate in the upper tail.

    Examples
    --------
    >>> print(f"{sf(np.array([60.0]), np.array([1.0]), 1.5)[0]:.6e}")
    3.088871e-42
    """
    from scipy.special import gammaincc

    return np.minimum(_tail(gammaincc, np.maximum, y, dispersion, power), 1.0)


def sample(rng: np.random.Generator, dispersion: Array, power: float) -> Array:
    """Draw one value of mean 1 for each dispersion: a Poisson number of gamma variables at once."""
    alpha = shape(power)
    lam = _rate(dispersion, power)
    count = rng.poisson(lam)
    return np.asarray(rng.standard_gamma(count * alpha) / (lam * alpha), dtype=np.float64)


def _tail(
    gamma_tail: Callable[[Array, Array], Array],
    farther: Callable[[Array, Array], Array],
    y: Array,
    dispersion: Array,
    power: float,
) -> Array:
    """Sum Poisson probabilities times one tail of the gamma law of n summands, n >= 1.

    The terms peak at lam itself, or at lam y^(2 - p), where the saddlepoint lies, if that is farther out.
    """
    alpha = shape(power)

    def mixture(value: Array, phi: Array, *, strided: bool) -> Array:
        lam = _rate(phi, power)
        n, stride = _summands(
            farther(lam, lam * value ** (2.0 - power)), 1.0, 1.0 / (power - 1.0), strided=strided
        )
        poisson = np.exp(-_poisson_exponent(n, lam[:, None]))
        terms = poisson * gamma_tail(n * alpha, (alpha * lam * value)[:, None])
        return np.asarray(stride * np.sum(terms, axis=-1))

    lam = _rate(dispersion, power)
    return _either(mixture, _is_wide(farther(lam, lam * y ** (2.0 - power)), power), y, dispersion)


def _poisson_exponent(n: Array, lam: Array) -> Array:
    """Compute minus the log of a Poisson probability, for real n > 0."""
    return np.asarray(bd0(np, n, lam) + stirling_remainder(n) + 0.5 * np.log(n) + HALF_LOG_TWO_PI)


def _is_wide(peak: Array, power: float) -> Mask:
    return np.asarray(np.sqrt(np.maximum(peak, 1.0) * (power - 1.0)) >= _STRIDE_FROM)


def _either(function: Callable[..., Array], wide: Mask, *columns: Array) -> Array:
    strided = in_chunks(partial(function, strided=True), *columns, where=wide)
    each = in_chunks(partial(function, strided=False), *columns, where=~wide)
    return np.where(wide, strided, each)


def _summands(peak: Array, decay: float, sharpness: float, *, strided: bool) -> tuple[Array, Array]:
    """Choose the n, (rows, nodes), outside which terms are negligible, and the stride, (rows,).

    Away from the peak terms fall at least as fast as exp(-decay bd0(n, peak)); next to it as fast as
    exp(-sharpness bd0(n, peak)), which decides how fine a stride has to be.
    """
    peak = np.maximum(peak, 1.0)
    budget = _LOG_NEGLIGIBLE / (decay * peak)
    above = peak * (budget / 3.0 + np.sqrt(budget * budget / 9.0 + 2.0 * budget))
    below = peak * np.minimum(np.sqrt(2.0 * budget), 1.0)
    if strided:
        # A power of two, and n its multiples: the spacing then stays even where n has no digits to spare.
        stride = np.exp2(np.floor(np.log2(np.sqrt(peak / sharpness) / _NODES_PER_WIDTH)))
        first = stride * np.maximum(np.ceil((peak - below) / stride), 1.0)
    else:
        stride = np.ones_like(peak)
        # One more on either side, because no whole number need lie at the peak.
        first = np.maximum(np.floor(peak - below) - 1.0, 1.0)
    nodes = int(np.max((peak + above - first) / stride)) + 3
    return first[:, None] + stride[:, None] * np.arange(nodes), stride
