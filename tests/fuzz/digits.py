"""Maxima that need more digits than float64 has, found again in hundreds of them.

Scoring from the textbook's residuals and weights (`tests.fuzz.textbook`), etas and coefficients in mpmath:
the residuals keep their 19 digits, and what cancels in x'beta costs none of them.

Read next: tests/fuzz/verdict.py, which holds rounded coefficients against these.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mpmath
import numpy as np

from tests.fuzz.textbook import Rows, Wide, pearson

DIGITS = 400
"""Decimal digits: squares of weights of 110 decades have room, and of columns that nearly agree."""
STEPS = 100
STILL = 1e-16
"""Largest share of itself that an eta may still change by."""
SHORTEST = 2.0**-60


def _exact(number: Any) -> mpmath.mpf:
    """Convert a number of extended precision, all of its digits."""
    share, power = np.frexp(Wide(number))
    high = float(share)
    return mpmath.ldexp(mpmath.mpf(high) + mpmath.mpf(float(share - Wide(high))), int(power))


def _wide(number: mpmath.mpf) -> np.longdouble:
    return Wide(mpmath.nstr(number, 25))


def less(beta: np.ndarray, exact: list[mpmath.mpf]) -> np.ndarray:
    """Subtract coefficients of hundreds of digits."""
    with mpmath.workdps(DIGITS):
        return np.array([_wide(_exact(b) - e) for b, e in zip(beta, exact, strict=True)], dtype=Wide)


def maxima(unit: Any, rows: Rows, near: np.ndarray) -> Iterator[tuple[list[mpmath.mpf], np.ndarray]]:
    """Yield coefficients of zeros of the score with their etas: found from the responses, and from `near`."""
    with mpmath.workdps(DIGITS):
        x = mpmath.matrix(len(rows.y), rows.x.shape[1])
        for i, j in np.ndindex(*rows.x.shape):
            x[i, j] = _exact(rows.x[i, j])
        offset = mpmath.matrix([_exact(each) for each in rows.offset])
        mean = unit.family.start((rows.y / rows.trials).astype(float), rows.trials.astype(float))
        eta = np.asarray(unit.link.link(np, mean, 1.0 - mean)).astype(Wide)
        starts = (_fitted(unit, rows, x, offset, eta, eta), mpmath.matrix([_exact(each) for each in near]))
        for start in starts:
            found = None if start is None else _scored(unit, rows, x, offset, start)
            if found is not None:
                yield found


def _etas(x: mpmath.matrix, offset: mpmath.matrix, beta: mpmath.matrix) -> np.ndarray:
    return np.array([_wide(each) for each in x * beta + offset], dtype=Wide)


def _fitted(
    unit: Any, rows: Rows, x: mpmath.matrix, offset: mpmath.matrix, eta: np.ndarray, target: np.ndarray
) -> mpmath.matrix | None:
    """Solve the least squares of a target, weighed as the information at eta weighs rows."""
    root = pearson(unit, rows, eta)[1]
    if not np.all(np.isfinite(root) & (root != 0) & np.isfinite(target)):
        return None
    weight = [_exact(each) ** 2 for each in root]
    wanted = [_exact(each) - offset[i] for i, each in enumerate(target)]
    return _solved(x, weight, [w * t for w, t in zip(weight, wanted, strict=True)])


def _solved(x: mpmath.matrix, weight: list[mpmath.mpf], right: list[mpmath.mpf]) -> mpmath.matrix | None:
    """Solve X'WX b = X'right."""
    weighed = x.copy()
    for i, j in np.ndindex(x.rows, x.cols):
        weighed[i, j] = x[i, j] * weight[i]
    try:
        return mpmath.lu_solve(x.T * weighed, x.T * mpmath.matrix(right))
    except ZeroDivisionError:
        return None


def _scored(
    unit: Any, rows: Rows, x: mpmath.matrix, offset: mpmath.matrix, beta: mpmath.matrix
) -> tuple[list[mpmath.mpf], np.ndarray] | None:
    """Step by scoring, shorter where a step would leave the domain, until no eta changes."""
    lower, upper = Wide(unit.domain.lower), Wide(unit.domain.upper)
    eta = _etas(x, offset, beta)
    for _ in range(STEPS):
        if not np.all((lower < eta) & (eta < upper)):
            return None
        residual, root, _ = pearson(unit, rows, eta)
        if not np.all(np.isfinite(residual) & np.isfinite(root) & (root != 0)):
            return None
        deep = [_exact(each) for each in root]
        pulls = [d * _exact(r) for d, r in zip(deep, residual, strict=True)]
        step = _solved(x, [d * d for d in deep], pulls)
        if step is None:
            return None
        change = np.array([_wide(each) for each in x * step], dtype=Wide)
        length = 1.0
        while length > SHORTEST and not np.all(
            (lower < eta + length * change) & (eta + length * change < upper)
        ):
            length /= 2.0
        beta = beta + step * length
        eta = _etas(x, offset, beta)
        if length == 1.0 and np.all(np.abs(change) <= STILL * np.abs(eta)):
            return list(beta), eta
    return None
