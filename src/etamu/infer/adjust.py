"""Many tests at once: p-values that control the chance, or the share, of false alarms.

May import: numpy, scipy.special, `etamu._base`.
Read next: `etamu.infer.tests`, where single p-values come from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from etamu._base.choice import check_choice
from etamu._base.errors import DataError
from etamu._base.types import Array

METHODS = ("holm", "bonferroni", "sidak", "bh")
"""Adjustments that need p-values and nothing else."""

PRIMES_BELOW = 8_000
"""Generators of the lattice are roots of primes; a thousand of them lie below this."""


def adjust(p: Sequence[float] | Array, method: str = "holm") -> Array:
    """Adjust p-values for being several.

    With m p-values sorted p_(1) <= ... <= p_(m): Bonferroni min(1, m p); Sidak 1 - (1 - p)^m; Holm
    max_{k <= j} min(1, (m - k + 1) p_(k)); Benjamini-Hochberg min_{k >= j} min(1, m p_(k) / k). The first
    three bound the chance of one false alarm or more, the last the expected share of false alarms. A NaN is
    no test: it stays NaN and is not counted.

    Parameters
    ----------
    p : array (m,)
    method : "holm", "bonferroni", "sidak" or "bh"

    Raises
    ------
    OptionError
        If the method is not known.
    DataError
        If a number is not a probability.

    References
    ----------
    Holm (1979); Sidak (1967); Benjamini and Hochberg (1995).

    Examples
    --------
    >>> adjust([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    >>> adjust([0.01, 0.04, 0.03], "bh").round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    check_choice("method", method, METHODS)
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1:
        raise DataError(f"p has shape {values.shape}; give one row of p-values")
    for place, value in enumerate(values):
        if value < 0 or value > 1:
            raise DataError(f"p[{place}] is {value:g}, which is no probability")
    out = np.full(len(values), np.nan)
    present = np.flatnonzero(~np.isnan(values))
    out[present] = _adjusted(values[present], method)
    return out


def _adjusted(p: Array, method: str) -> Array:
    m = len(p)
    if method == "bonferroni":
        return np.minimum(m * p, 1.0)
    if method == "sidak":
        with np.errstate(divide="ignore"):
            return np.asarray(-np.expm1(m * np.log1p(-p)))  # 1 - (1 - p)^m without losing a small p
    order = np.argsort(p, kind="stable")
    rank = np.arange(1, m + 1)
    out = np.empty(m)
    if method == "holm":
        out[order] = np.minimum(np.maximum.accumulate((m - rank + 1) * p[order]), 1.0)
    else:
        out[order] = np.minimum(np.minimum.accumulate((m / rank * p[order])[::-1])[::-1], 1.0)
    return out


def max_t(
    statistics: Array, correlation: Array, df: float = math.inf, *, points: int = 20_000, seed: int = 0
) -> Array:
    """Adjust by the largest of jointly normal or t statistics: p_j = P(max_k |T_k| >= |t_j|).

    The single-step adjustment; sharper than Sidak where estimates are correlated. The probability of the box
    is integrated by Genz's separation of variables on a randomly shifted lattice, the same for the same seed,
    to about 1e-4 for a few dozen statistics.

    Parameters
    ----------
    statistics : array (m,)
    correlation : array (m, m)
    df : float
        Degrees of freedom shared by all; infinite for the normal.
    points : int
        Points of the lattice in each of 8 shifts.
    seed : int

    References
    ----------
    Genz (1992); Genz and Bretz (2009); Hothorn, Bretz and Westfall (2008).

    Examples
    --------
    >>> max_t(np.array([1.96, 2.5]), np.eye(2)).round(4).tolist()
    [0.0975, 0.0247]
    """
    out = np.full(len(statistics), np.nan)
    tested = np.flatnonzero(np.isfinite(statistics))
    matrix = correlation[np.ix_(tested, tested)]
    half = _half(matrix)
    lattice = _lattice(max(len(tested) - 1 + (not math.isinf(df)), 1), points, seed)
    for j in tested:
        out[j] = _outside_box(abs(float(statistics[j])), half, df, lattice)
    return out


def _half(matrix: Array) -> Array:
    """Factor a correlation matrix that may be singular, rows of length one."""
    values, vectors = np.linalg.eigh(matrix)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    lower = np.asarray(np.linalg.qr(root.T, mode="r")).T
    return np.asarray(lower / np.linalg.norm(lower, axis=1, keepdims=True))


def _lattice(dimensions: int, points: int, seed: int) -> Array:
    """Lay Richtmyer's lattice out, (8, points, dimensions), each time shifted at random and folded."""
    sieve = np.ones(PRIMES_BELOW, dtype=bool)
    for number in range(2, int(PRIMES_BELOW**0.5) + 1):
        sieve[number * number :: number] = False
    primes = np.flatnonzero(sieve)[2 : 2 + dimensions]
    if len(primes) < dimensions:
        raise DataError(f"{dimensions} statistics are more than the lattice has dimensions, {len(primes)}")
    shifts = np.random.default_rng(seed).random((8, 1, dimensions))
    steps = np.arange(1, points + 1)[:, None] * np.sqrt(primes)
    return np.abs(2.0 * ((steps + shifts) % 1.0) - 1.0)


def _outside_box(bound: float, half: Array, df: float, lattice: Array) -> float:
    """Compute P(max |T| >= bound) = 1 - P(all |T_k| < bound)."""
    from scipy.special import chdtri, ndtr, ndtri

    size = len(half)
    uniform = lattice.reshape(-1, lattice.shape[2])
    scale = np.ones(len(uniform))
    if not math.isinf(df):
        scale = np.sqrt(chdtri(df, np.clip(uniform[:, -1], 1e-300, 1.0)) / df)
    z = np.zeros((len(uniform), size))
    outside, inside = np.zeros(len(uniform)), np.ones(len(uniform))
    for k in range(size):
        centre = z[:, :k] @ half[k, :k]
        pivot = half[k, k]
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = (-bound * scale - centre) / abs(pivot), (bound * scale - centre) / abs(pivot)
        below, above = ndtr(np.nan_to_num(low, nan=0.0)), ndtr(np.nan_to_num(-high, nan=0.0))
        share = np.clip(below + above, 0.0, 1.0)
        # Adding up what falls out at each coordinate keeps small probabilities, as 1 - product would not.
        outside += inside * share
        inside = inside * (1.0 - share)
        if k + 1 < size:
            z[:, k] = np.sign(pivot or 1.0) * ndtri(
                np.clip(below + uniform[:, k] * (1.0 - share), 1e-300, 1 - 1e-16)
            )
    return min(float(np.mean(outside)), 1.0)
