"""Directions of the vector eta along which the log-likelihood of a row never falls: cones, as inequalities.

A row of a class, or a count of 0, has a value that only rises as some predictors run away; which of them may
is a cone {d : A d >= 0} of the row. Where some direction of the coefficients stays in the cone of every row
and moves at least one, no finite maximum exists (Albert and Anderson 1984 for the logits).

May import: numpy, _base.
Read next: `etamu.vector.pairs`, the rows of a problem with their cones; `etamu.solve.recession`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from etamu._base.types import Array

CELLS = 1 << 16
"""As many kinds of rows are looked up in a table."""


class Cones(NamedTuple):
    """The cone of each row: which of a few it has, (n,), and their inequalities A, (m, k) each."""

    kind: NDArray[np.intp]
    inequalities: tuple[Array, ...]


def of_ways(ways: NDArray[np.int8]) -> Cones:
    """Return cones that are products of axes.

    Parameters
    ----------
    ways : array (n, k)
        1 where a predictor may run up, -1 down, 0 nowhere, 2 both ways.

    Examples
    --------
    >>> of_ways(np.array([[0, 2], [1, 1]], dtype=np.int8)).inequalities[1].tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    found, kind = _kinds(ways + np.int8(1), 4)
    axes = np.eye(ways.shape[1])
    sides = {0: (1.0, -1.0), 1: (1.0,), -1: (-1.0,), 2: ()}
    inequalities = tuple(
        np.array([side * axis for way, axis in zip(row - 1, axes, strict=True) for side in sides[int(way)]])
        .reshape(-1, ways.shape[1])
        for row in found
    )  # fmt: skip
    return Cones(kind, inequalities)


def of_classes(codes: tuple[Array, ...], each: tuple[Array, ...]) -> Cones:
    """Return the cones of rows in classes, or of counts of classes: those of all classes it holds.

    Parameters
    ----------
    codes : (numbers of classes (n,),), or counts of each class
    each : tuple of arrays (m, k)
        The inequalities of one observation of each class.
    """
    if len(codes) == 1:
        return Cones(codes[0].astype(np.intp), each)
    held, kind = _kinds((np.stack(codes, axis=1) > 0.0).astype(np.int8), 2)
    nothing = np.zeros((0, each[0].shape[1]))
    inequalities = tuple(
        np.unique(np.vstack([nothing, *(each[c] for c in np.flatnonzero(row))]), axis=0) for row in held
    )
    return Cones(kind, inequalities)


def _kinds(digits: NDArray[np.int8], base: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the different rows of digits in order, and which of them each row is."""
    weights = base ** np.arange(digits.shape[1] - 1, -1, -1, dtype=np.intp)
    if digits.shape[1] * math.log2(base) > math.log2(CELLS):
        found, kind = np.unique(digits, axis=0, return_inverse=True)
        return found.astype(np.intp), kind.reshape(-1)
    # A row read as one number is looked up; to sort rows takes a hundred times as long.
    number = digits @ weights
    seen = np.bincount(number) > 0
    return np.flatnonzero(seen)[:, None] // weights % base, (np.cumsum(seen) - 1)[number]


def highest(scores: Array) -> tuple[Array, ...]:
    """Return for each class of a softmax the cone in which its score rises least slowly.

    Parameters
    ----------
    scores : array (K, k)
        The score of each class is scores @ eta.
    """
    return tuple(scores[c] - np.delete(scores, c, axis=0) for c in range(len(scores)))


def between(k: int) -> tuple[Array, ...]:
    """Return for each class between k thresholds the cone in which its interval never shrinks.

    Thresholds may not cross, those of other classes included.
    """
    axes = np.eye(k)
    order = axes[1:] - axes[:-1]
    own = [np.vstack([axes[c : c + 1], -axes[c - 1 : c] if c else axes[:0]]) for c in range(k)]
    return tuple(np.vstack([mine, order]) for mine in (*own, -axes[-1:]))


def stopping(k: int) -> tuple[Array, ...]:
    """Return for each class that is reached step by step the cone of no step before, and its own."""
    axes = np.eye(k)
    return (*(np.vstack([axes[c : c + 1], -axes[:c]]) for c in range(k)), -axes)
