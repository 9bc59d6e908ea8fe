"""Matrices of fractions, for few numbers whose digits all matter: nothing is rounded until the end.

May import: numpy, `etamu._base`.
Read next: `etamu.fit.beyond`, which solves for coefficients so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from etamu._base.types import Array

Vector = Sequence[Fraction]
Matrix = Sequence[Vector]


def exact(numbers: Array) -> list[Fraction]:
    """Return numbers as the fractions they are.

    Examples
    --------
    >>> exact(np.array([0.75, -2.0]))
    [Fraction(3, 4), Fraction(-2, 1)]
    """
    return [Fraction(each) for each in numbers.tolist()]


def dot(one: Vector, other: Vector) -> Fraction:
    """Multiply two vectors."""
    return sum((a * b for a, b in zip(one, other, strict=True)), Fraction())


def product(one: Matrix, other: Matrix) -> list[list[Fraction]]:
    """Multiply two matrices."""
    columns = list(zip(*other, strict=True))
    return [[dot(row, column) for column in columns] for row in one]


def inverse(matrix: Matrix) -> list[list[Fraction]] | None:
    """Invert a square matrix by Gauss and Jordan; None where it has no inverse.

    Examples
    --------
    >>> inverse([exact(np.array([2.0, 0.0])), exact(np.array([1.0, 4.0]))])
    [[Fraction(1, 2), Fraction(0, 1)], [Fraction(-1, 8), Fraction(1, 4)]]
    """
    size = len(matrix)
    both = [[*row, *(Fraction(int(i == j)) for j in range(size))] for i, row in enumerate(matrix)]
    for k in range(size):
        pivot = next((i for i in range(k, size) if both[i][k]), None)
        if pivot is None:
            return None
        both[k], both[pivot] = both[pivot], both[k]
        head = both[k][k]
        both[k] = [each / head for each in both[k]]
        for i in range(size):
            if i != k and (share := both[i][k]):
                both[i] = [a - share * b for a, b in zip(both[i], both[k], strict=True)]
    return [row[size:] for row in both]


def independent(rows: Matrix) -> list[int]:
    """Return the places of the rows that are no combination of those before.

    Examples
    --------
    >>> independent([exact(np.array(row)) for row in ([1.0, 2.0], [2.0, 4.0], [0.0, 0.0], [1.0, 0.0])])
    [0, 3]
    """
    kept: list[int] = []
    basis: list[tuple[int, Vector]] = []
    for place, row in enumerate(rows):
        left = list(row)
        for pivot, other in basis:
            if share := left[pivot]:
                left = [a - share * b for a, b in zip(left, other, strict=True)]
        head = next((j for j, each in enumerate(left) if each), None)
        if head is not None:
            kept.append(place)
            basis.append((head, [each / left[head] for each in left]))
        if len(kept) == len(row):
            break
    return kept


def rounded(numbers: Vector) -> Array:
    """Round fractions to float64; what is beyond it is infinite."""
    return np.array([_rounded(each) for each in numbers])


def _rounded(number: Fraction) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
