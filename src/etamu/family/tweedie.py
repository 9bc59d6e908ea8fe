"""The Tweedie laws without a name, powers in (1, 2) and above 2, for any mean and any number of rows.

May import: `etamu._base`, `etamu.family.compound`, `.stable`, `.tilted`, `.table`, numpy.
Read next: `etamu.family.compound` (1 < p < 2) and `etamu.family.stable` (p > 2), the two laws at mean 1.

Y has mean mu and dispersion phi exactly when Y/mu has mean 1 and dispersion phi mu^(p - 2). So the saturated
term is one function of one number, log f(y; y, phi) = g(phi y^(p - 2)) - log y, and a table of g serves every
row.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from etamu._base.errors import FamilyError
from etamu._base.types import Array
from etamu.family import compound, stable, tilted
from etamu.family.table import tabulate

_ROWS_FOR_TABLE = 4000
# Of a difference quotient of the power: its fourth order leaves 1e-10, the rounding of g as much.
_STEP = 1e-3
_ROWS_FOR_SLOPES = 600
_TOLERANCE = 1e-9


def saturated(y: ArrayLike, dispersion: ArrayLike, power: float) -> Array:
    """Compute the log density at mu = y; at y = 0 it is 0 for a power below 2 and -inf above.

    Parameters
    ----------
    y
        Observations >= 0, of any shape; NaN for anything else.
    dispersion
        phi, or phi over the variance weight: a number or one per row.
    power
        In (1, 2) or above 2; 2 and 3 themselves are in `etamu.family.saturated`.

    Raises
    ------
    FamilyError
        Where the power has no law here.

    Examples
    --------
    >>> print(saturated([0.0, 1.0, 2.0], 0.5, 1.5).round(9))
    [ 0.         -0.6225583  -1.12696452]
    """
    y, phi = np.broadcast_arrays(np.asarray(y, dtype=np.float64), np.asarray(dispersion, dtype=np.float64))
    positive = y > 0.0
    amount, spread = y[positive], phi[positive]
    value = np.where(y == 0.0, 0.0 if power < 2.0 else -np.inf, np.nan)
    value[positive] = log_density_at_mean(spread * amount ** (power - 2.0), power) - np.log(amount)
    return value


def log_density_at_mean(dispersion: Array, power: float) -> Array:
    """Compute g(phi) = log f(1; mu = 1, phi) for flat phi, by a table where there are many rows.

    Tabulated is g + log(phi)/2, which is flat where phi is small. At powers near 1 the density is nearly that
    of a lattice and g has as many bumps as the lattice has points; then the table would be longer than the
    rows and each row is computed by itself.
    """
    at_mean = compound.log_density_at_mean if _is_compound(power) else stable.log_density_at_mean
    phi = np.asarray(dispersion, dtype=np.float64)
    if phi.size >= _ROWS_FOR_TABLE:
        log_phi = np.log(phi)
        table = tabulate(
            lambda x: at_mean(np.exp(x), power) + 0.5 * x,
            float(np.min(log_phi)) - 1e-6,
            float(np.max(log_phi)) + 1e-6,
            phi.size // 2,
        )
        if table is not None:
            return table(log_phi) - 0.5 * log_phi
    return at_mean(phi, power)


def slope_at_mean(dispersion: Array, power: float) -> Array:
    """Compute dg/dlog(phi) for flat phi."""
    slope = compound.slope_at_mean if _is_compound(power) else stable.slope_at_mean
    return slope(np.asarray(dispersion, dtype=np.float64), power)


def bends(x: Array, power: float) -> tuple[Array, Array]:
    """Compute the first and second derivative of g in x = log(phi) for flat x.

    The second is a difference quotient of fourth order of the first.

    Examples
    --------
    >>> slope, bend = bends(np.array([-9.0]), 1.5)  # a small phi: the saddlepoint's -1/2, a straight line
    >>> slope.round(3), bend.round(3) + 0.0
    (array([-0.5]), array([0.]))
    """
    return _many(_log_slope, x, power), _many(_log_bend, x, power)


def power_slope(y: ArrayLike, dispersion: ArrayLike, power: float) -> Array:
    """Compute the derivative of `saturated` in the power, phi held; 0 at y = 0; powers in (1, 2).

    It is dg/dp + log(y) dg/dlog(phi) at phi y^(p - 2). The first is a difference quotient of fourth order of
    a function of one number, the second is the series differentiated term by term.

    Examples
    --------
    >>> print(power_slope([0.0, 1.5, 2.0], 0.5, 1.5).round(6))
    [ 0.       -0.220096 -0.37186 ]
    """
    y, phi = np.broadcast_arrays(np.asarray(y, dtype=np.float64), np.asarray(dispersion, dtype=np.float64))
    positive = y > 0.0
    log_y = np.log(y[positive])
    x = np.log(phi[positive]) + (power - 2.0) * log_y
    value = np.zeros(y.shape)
    value[positive] = _many(_power_quotient, x, power) + log_y * _many(_log_slope, x, power)
    return value


def _many(function: Callable[[Array, float], Array], x: Array, power: float) -> Array:
    """Evaluate a function of x at every row, by a table where there are many."""
    if x.size < _ROWS_FOR_SLOPES:
        return function(x, power)
    ends = float(np.min(x)) - 1e-6, float(np.max(x)) + 1e-6
    table = tabulate(lambda at: function(at, power), *ends, x.size // 2, _TOLERANCE)
    return function(x, power) if table is None else table(x)


def _log_slope(x: Array, power: float) -> Array:
    return slope_at_mean(np.exp(x), power)


def _log_bend(x: Array, power: float) -> Array:
    far, near = (
        slope_at_mean(np.exp(x + k * _STEP), power) - slope_at_mean(np.exp(x - k * _STEP), power)
        for k in (2.0, 1.0)
    )
    return np.asarray((8.0 * near - far) / (12.0 * _STEP))


def _power_quotient(x: Array, power: float) -> Array:
    step = min(_STEP, 0.005 * (power - 1.0))
    far, near = (
        compound.log_density_at_mean(np.exp(x), power + k * step)
        - compound.log_density_at_mean(np.exp(x), power - k * step)
        for k in (2.0, 1.0)
    )
    return np.asarray((8.0 * near - far) / (12.0 * step))


LEAST = 1e-150
"""A mean of 0, as of separated rows, is seen from here: so near that P(Y = 0) is 1."""


def cdf(y: Array, mu: Array, dispersion: Array, power: float) -> Array:
    """Compute P(Y <= y), y >= 0, accurate in the lower tail.

    Examples
    --------
    >>> print(cdf(np.array([0.0, 1.0]), np.ones(2), np.ones(2), 1.5).round(9))
    [0.13533528 0.60350096]
    """
    tail = compound.cdf if _is_compound(power) else stable.cdf
    mu = np.maximum(mu, LEAST)
    return tail(y / mu, dispersion * mu ** (power - 2.0), power)


def sf(y: Array, mu: Array, dispersion: Array, power: float) -> Array:
    """Compute P(Y > y), y >= 0, accurate in the upper tail."""
    tail = compound.sf if _is_compound(power) else stable.sf
    mu = np.maximum(mu, LEAST)
    return tail(y / mu, dispersion * mu ** (power - 2.0), power)


def sample(rng: np.random.Generator, mu: Array, dispersion: Array, power: float) -> Array:
    """Draw one value for each mean and dispersion."""
    local = dispersion * mu ** (power - 2.0)
    draw = compound.sample if _is_compound(power) else tilted.sample
    return mu * draw(rng, local, power)


def _is_compound(power: float) -> bool:
    """Tell the compound Poisson-gamma powers from the stable ones; refuse the powers that are neither."""
    if not (1.0 < power < np.inf) or power == 2.0:
        raise FamilyError(
            f"Tweedie(power={power}) has no series or integral; give a power in (1, 2) or above 2 "
            "(0, 1, 2 and 3 are the Gaussian, phi times Poisson, gamma and inverse Gaussian laws)"
        )
    return power < 2.0
