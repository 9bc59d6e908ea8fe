"""Where a stated formula begins and ends: the interval around a point where it holds, and its limits.

May import: _base, family.formula, family.symbolic; mpmath inside functions.
Read next: `etamu.family.facts`, which finds means and natural parameters with these.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from etamu._base.types import Array, Interval
from etamu.family.symbolic import DIGITS

_FARTHEST = 1e3
_GROWTH = 1.15
_TAILS = (700.0, 40.0, 37.0)


def around(holds: Callable[[Any], bool], start: float) -> Interval:
    """Return the open interval around a point on which a condition holds, looked for up to a thousand away.

    Ends are exact where they are simple: whole numbers, halves, thirds, and the same multiples of pi.

    Examples
    --------
    >>> around(lambda x: -2 < x < 3, 0.0)
    (-2, 3)
    """
    lower, upper = (_end(holds, start, side) for side in (-1.0, 1.0))
    return Interval(lower, upper)


def _end(holds: Callable[[Any], bool], start: float, side: float) -> float:
    import mpmath

    with mpmath.workdps(DIGITS):
        inside, step = mpmath.mpf(start), mpmath.mpf(1) / 64
        while step < _FARTHEST:
            outside = start + side * step
            if not holds(outside):
                for _ in range(100):
                    middle = (inside + outside) / 2
                    inside, outside = (middle, outside) if holds(middle) else (inside, middle)
                return simple(inside)
            inside, step = outside, step * _GROWTH
    return side * math.inf


def simple(value: Any, tolerance: float = 1e-18) -> float:
    """Return the simple number a number is close to: a few fractions, also of pi; else itself."""
    import mpmath

    for unit in (mpmath.mpf(1), mpmath.pi):
        for parts in (1, 2, 3, 4, 6, 8):
            whole = mpmath.nint(value * parts / unit)
            if abs(whole) < 1000 and abs(value - whole * unit / parts) <= tolerance * (1 + abs(value)):
                return float(whole * unit / parts)
    return float(value)


def limit(function: Callable[[Array], Array], interval: Interval, side: float) -> float:
    """Return the limit of a monotone function toward an end of an interval: a number or an infinity."""
    end = interval.upper if side > 0.0 else interval.lower
    if math.isinf(end):
        points = side * np.array([1e4, 1e8, 1e16, 1e32, 1e64])
    elif end == 0.0:
        points = -side * np.array([1e-4, 1e-8, 1e-16, 1e-32, 1e-64])
    else:
        points = end - side * (1.0 + abs(end)) * np.array([1e-3, 1e-5, 1e-7, 1e-9, 1e-11])
    with np.errstate(all="ignore"):
        values = function(points)
    *_, before, last = values.tolist()
    if math.isnan(last):
        finite = values[np.isfinite(values)]
        before, last = finite[-2:].tolist() if finite.size > 1 else (last, last)
    if math.isinf(last) or (abs(last) > 1.05 * abs(before) and abs(last) > 3.0):
        return math.copysign(math.inf, last)
    return simple(last, 1e-7) if abs(last) > 1e-7 else 0.0


def typical(mean: Interval) -> float:
    """Return a mean inside an interval of means, none of them small or large."""
    return 0.5 if mean.upper == 1.0 else 1.0 if mean.upper > 1.0 else -1.0


def spread(interval: Interval) -> Array:
    """Return points of an interval of theta: its middle, both tails, and near its finite ends."""
    lower, upper = interval.lower, interval.upper
    small = np.array([1e-6, 1e-3, 0.05, 0.3, 1.0, 2.5, 6.0])
    if interval.whole:
        half = np.array([*small, *_TAILS])
        return np.sort(np.concatenate([-half, half]))
    if math.isinf(upper):
        return lower + np.sort(np.array([*small, *_TAILS]))
    if math.isinf(lower):
        return upper - np.sort(np.array([*small, *_TAILS]))[::-1]
    share = np.array([1e-6, 1e-4, 0.01, 0.1, 0.25, 0.4])
    return np.asarray(lower + (upper - lower) * np.concatenate([share, 1.0 - share[::-1]]))


def spread_means(interval: Interval) -> tuple[Array, Array, list[Any]]:
    """Return means of an interval, 1 minus them, and the same exactly: both tails, each as it is carried."""
    import mpmath

    tails = np.array([1e-40, 1e-20, 1e-9, 1e-4, 0.02, 0.3])
    if (interval.lower, interval.upper) == (0.0, 1.0):
        mu = np.concatenate([tails, 1.0 - tails])
        complement = np.concatenate([1.0 - tails, tails])
        with mpmath.workdps(DIGITS):
            exact = [mpmath.mpf(x) for x in tails] + [1 - mpmath.mpf(x) for x in tails]
        return mu, complement, exact
    sizes = np.array([1e-30, 1e-9, 1e-4, 0.02, 0.3, 1.0, 2.1, 3.0, 17.0, 1e3, 1e6, 1e12])
    mu = np.concatenate([-sizes, sizes]) if interval.whole else sizes if interval.lower == 0.0 else -sizes
    return mu, 1.0 - mu, [mpmath.mpf(x) for x in mu]
