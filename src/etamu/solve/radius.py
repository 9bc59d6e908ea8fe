"""The best step within a radius, of a parabola that may bend either way.

May import: numpy, etamu._base.
Read next: `etamu.solve.trust`, which chooses the radius.
"""

from __future__ import annotations

import math

import numpy as np

from etamu._base.types import Array

SECULAR = 50
"""Most steps to the length wanted."""
CURVED = 1e-9
"""Least curvature, beside the bound 1, of a maximum: a saddle shows less, or a flat."""


def within(bends: Array, shares: Array, radius: float) -> Array:
    """Return the d that maximises shares'd - d' diag(bends) d / 2 with |d| <= radius.

    Examples
    --------
    >>> within(np.array([1.0, 2.0]), np.array([1.0, 2.0]), 9.0).tolist()
    [1.0, 1.0]
    >>> within(np.array([-1.0, 2.0]), np.array([0.0, 0.0]), 3.0).tolist()
    [3.0, 0.0]
    >>> float(np.linalg.norm(within(np.array([-1.0, 2.0]), np.array([0.1, 2.0]), 3.0)).round(9))
    3.0
    """
    least = float(bends[0])
    if least > CURVED:
        free = shares / bends
        if float(np.linalg.norm(free)) <= radius:
            return free
    if not math.isfinite(radius):
        radius = length_of(shares / np.maximum(np.abs(bends), CURVED)) or 1.0
    raised = bends - least  # of the first exactly 0, so that what is added to it is not rounded away
    added = max(least, abs(float(shares[0])) / radius)
    if added == 0.0:
        return _hard(raised, shares, radius)
    for _ in range(SECULAR):  # Newton's method for 1/|d| = 1/radius, from the side on which it is monotone
        step = shares / (raised + added)
        length = length_of(step)
        if not length > radius * (1.0 + 1e-6):
            break
        unit = step / length
        added += (length / radius - 1.0) / float(unit @ (unit / (raised + added)))
    return np.asarray(step * min(1.0, radius / length) if length > 0.0 else step)


def length_of(vector: Array) -> float:
    """Return the length of a vector whose squares may be beyond float64."""
    largest = float(np.abs(vector).max(initial=0.0))
    if not 0.0 < largest < math.inf:
        return largest
    return largest * float(np.linalg.norm(vector / largest))


def _hard(raised: Array, shares: Array, radius: float) -> Array:
    """Return the best step where the score says nothing about the direction of least bend."""
    flat = raised <= 0.0
    step = np.where(flat, 0.0, shares / np.where(flat, 1.0, raised))
    length = float(np.linalg.norm(step))
    if length > radius:  # only where several bends are least
        return np.asarray(step * (radius / length))
    step[0] += math.sqrt(max(radius**2 - length**2, 0.0))
    return np.asarray(step)
