"""Dispersions whose bias is reduced: the adjusted score equations of phi, the deviance given.

May import: numpy, scipy (inside functions), `etamu._base`.
Read next: `etamu.fit.phi`, which chooses among dispersions.

A density exp(-m (d/2) / phi - a(-m/phi)/2 + ...) has the score of phi

    sum m d / (2 phi^2) - sum m a'(-m/phi) / (2 phi^2),

d the unit deviance and m the variance weight (Kosmidis, Kenne Pagui and Sartori 2020, section 2). To it are
added, with T = sum m^3 a''' / sum m^2 a'',

    mean bias      (p - 2)/(2 phi) + T/(2 phi^2)
    median bias     p/(2 phi)      + T/(6 phi^2)
    Jeffreys      -(p + 4)/(2 phi) + T/(2 phi^2).

For the Gaussian and the inverse Gaussian a' = phi/m, and the roots are D / (n - p), D / (n - p - 2/3) and
D / (n + p + 2).
"""

from __future__ import annotations

import math

import numpy as np

from etamu._base.types import Array

LINEAR = {"mean": (1.0, 0.0), "median": (1.0, 2.0 / 3.0), "jeffreys": (-1.0, -2.0)}
"""By rule (a, b): the root is D / (n - a p - b) where log phi enters the density as in a Gaussian."""
ADDED = {"mean": (1.0, -2.0, 2.0), "median": (1.0, 0.0, 6.0), "jeffreys": (-1.0, -4.0, 2.0)}
"""By rule (a, b, c): (a p + b)/(2 phi) + T/(c phi^2) is added to the score of phi."""
FAR = 25.0
"""Shapes from which on differences of digamma functions are summed as their asymptotic series."""


def gaussian_like(rule: str, deviance: float, nobs: float, rank: int) -> float:
    """Solve for phi where log phi / 2 per row is all that phi adds to the density; NaN where nothing is left.

    Examples
    --------
    >>> gaussian_like("mean", 12.0, 8, 2), round(gaussian_like("median", 12.0, 8, 2), 6)
    (2.0, 2.25)
    """
    per_rank, fixed = LINEAR[rule]
    left = nobs - per_rank * rank - fixed
    return deviance / left if left > 0 else math.nan


def gamma_like(rule: str, deviance: float, precision: Array, counts: Array, rank: int) -> float:
    """Solve for phi of the gamma family, a(z) = 2 log Gamma(-z) + 2 z log(-z) - 2z; NaN where there is none.

    Parameters
    ----------
    rule : "mean", "median" or "jeffreys"
    deviance : float
        D = sum m d, copies counted.
    precision, counts : array (k,)
        Different variance weights m, and how many rows have each.
    rank : int

    Examples
    --------
    >>> phi = gamma_like("mean", 0.12, np.ones(1), np.array([8.0]), 2)
    >>> abs(phi / (0.12 / 6) - 1) < 0.01
    True
    """
    from scipy.optimize import brentq

    per_rank, fixed, divisor = ADDED[rule]

    def equation(log_phi: float) -> float:
        """Phi times the adjusted score, doubled."""
        phi = math.exp(log_phi)
        shape = precision / phi
        first, second, third = _gamma_terms(shape)
        turn = 0.0
        below = float(counts @ (shape**2 * second))
        if below > 0.0:
            turn = float(counts @ (shape**3 * third)) / below
        return (
            deviance / phi - float(counts @ (shape * first)) + per_rank * rank + fixed + 2.0 * turn / divisor
        )

    if not deviance > 0.0:
        return 0.0
    low = high = math.log(deviance / float(counts.sum()))
    while equation(low) < 0.0 and low > -700.0:
        low -= 1.0
    while equation(high) > 0.0 and high < 700.0:
        high += 1.0
    if not (equation(low) >= 0.0 >= equation(high)):
        return math.nan
    return math.exp(brentq(equation, low, high, xtol=1e-15, rtol=1e-14)) if low < high else math.exp(low)


def _gamma_terms(shape: Array) -> tuple[Array, Array, Array]:
    """Return a', a'' and a''' at z = -shape: 2 (log v - psi), 2 (psi' - 1/v), -2 (psi'' + 1/v^2)."""
    from scipy.special import digamma, polygamma

    v, x = np.minimum(shape, FAR), 1.0 / np.maximum(shape, FAR)
    s = x * x
    far = (
        x * (0.5 + x * (1 / 12 - s * (1 / 120 - s * (1 / 252 - s * (1 / 240 - s / 132))))),
        s * (0.5 + x * (1 / 6 - s * (1 / 30 - s * (1 / 42 - s * (1 / 30 - s * 5 / 66))))),
        s * x * (-1.0 - x * (0.5 - s * (1 / 6 - s * (1 / 6 - s * (3 / 10 - s * 5 / 6))))),
    )
    near = (np.log(v) - digamma(v), polygamma(1, v) - 1.0 / v, polygamma(2, v) + 1.0 / v**2)
    large = shape >= FAR
    first, second, third = (np.where(large, b, a) for a, b in zip(near, far, strict=True))
    return 2.0 * first, 2.0 * second, -2.0 * third
