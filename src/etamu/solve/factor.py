"""Linear algebra of the solvers: Cholesky as a value, aliases in column order, triangles that add.

May import: numpy, etamu._base.
Read next: `etamu.solve.direction`, which turns a factor and a gradient into a step.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from etamu._base import triangles
from etamu._base.arrow import Arrow, ArrowFactor
from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask

EPS = float(np.finfo(np.float64).eps)
DOUBT = 1e-8
"""Relative pivots of a Gram below this are decided again on a triangle (a Gram squares the condition)."""

CLEAR = 0.1
"""Relative pivots from which a coarse matrix does not lose the smallest of its eigenvalues."""


@dataclass(frozen=True, eq=False)
class Factor:
    """A positive definite matrix H = D R'R D, with R upper triangular, R'R of unit diagonal and D diagonal.

    The diagonal is divided out first (Jacobi), so that the units of the columns cost no digits.

    Examples
    --------
    >>> factor = cholesky(np.array([[4.0, 2.0], [2.0, 5.0]]))
    >>> factor.solve(np.array([8.0, 8.0])).round(12).tolist()
    [1.5, 1.0]
    >>> round(factor.logdet, 12) == round(float(np.log(16.0)), 12)
    True
    """

    triangle: Array
    diagonal: Array

    def solve(self, vector: Array) -> Array:
        """Solve H x = vector; a matrix is solved column by column."""
        shape = (-1,) + (1,) * (vector.ndim - 1)
        with np.errstate(over="ignore", invalid="ignore"):  # who asks looks whether the answer is finite
            scaled = vector / self.diagonal.reshape(shape)
            half = triangles.solved(self.triangle, scaled, transposed=True)
            whole = triangles.solved(self.triangle, half)
            return np.asarray(whole / self.diagonal.reshape(shape), dtype=np.float64)

    def form(self, vector: Array) -> float:
        """Return v' H^-1 v, which half of a solution tells."""
        half = triangles.solved(self.triangle, vector / self.diagonal, transposed=True)
        return float(half @ half)

    @cached_property
    def inverse_triangle(self) -> Array:
        """R^-1, computed once."""
        return triangles.inverted(self.triangle)

    def inverse(self) -> Array:
        """Return H^-1, exactly symmetric."""
        with np.errstate(over="ignore", invalid="ignore"):
            return triangles.squared(self.inverse_triangle / self.diagonal[:, None])

    @cached_property
    def inverted(self) -> Array:
        """H^-1, multiplied out once."""
        return self.inverse()

    def whiten(self, rows: Array) -> Array:
        """Return Z = rows D^-1 R^-1, so that the squared length of row i of Z is x_i' H^-1 x_i."""
        return triangles.solved(self.triangle, (rows / self.diagonal).T, transposed=True).T

    @property
    def pivots(self) -> Array:
        """The squared pivots of the elimination of D^-1 H D^-1, in the order of the columns."""
        return np.asarray(np.diag(self.triangle) ** 2)

    @property
    def clear(self) -> bool:
        """Whether every column keeps a fair share of itself beside earlier ones."""
        return bool(self.pivots.min(initial=1.0) >= CLEAR)

    @property
    def logdet(self) -> float:
        """The logarithm of the determinant of H."""
        return float(2.0 * (np.log(np.abs(np.diag(self.triangle))).sum() + np.log(self.diagonal).sum()))

    @property
    def condition(self) -> float:
        """An estimate of the 1-norm condition number of R, whose square is that of D^-1 H D^-1."""
        return triangles.condition(self.triangle)


Metric = Factor | ArrowFactor
"""A positive definite matrix, factorised."""


def clear(metric: Metric | None) -> bool:
    """Tell whether a metric is one of columns at wide angles."""
    return isinstance(metric, Factor) and metric.clear


def cholesky(matrix: Array | Arrow) -> Metric | None:
    """Factorise a symmetric matrix, or return None if it is not numerically positive definite.

    A pivot of the matrix with its diagonal scaled to one must exceed its own rounding error, 8 p eps.
    Of an arrow the spine is eliminated first.

    Examples
    --------
    >>> cholesky(np.array([[1.0, 1.0], [1.0, 1.0]])) is None
    True
    >>> cholesky(np.array([[1e-30, 0.0], [0.0, 1e30]])) is None
    False
    """
    if isinstance(matrix, Arrow):
        return matrix.factorised()
    entries = matrix.diagonal()
    if not (entries.min(initial=1.0) > 0.0 and entries.max(initial=1.0) < math.inf):  # nor NaN
        return None
    diagonal = np.sqrt(entries)
    upper = triangles.scaled_cholesky(matrix, diagonal)
    if upper is None or upper.diagonal().min(initial=1.0) ** 2 <= max(64, 8 * len(entries)) * EPS:
        return None
    return Factor(upper, diagonal)


def least_squares(matrix: Array | Arrow, right: Array) -> Array:
    """Solve H x = right; where H is singular, one of the solutions that come near to it.

    Examples
    --------
    >>> least_squares(np.array([[2.0, 0.0], [0.0, 0.0]]), np.array([4.0, 0.0])).tolist()
    [2.0, 0.0]
    """
    factor = cholesky(matrix)
    if factor is None and isinstance(matrix, Arrow):
        factor = cholesky(matrix.lifted(1e-8))  # a singular value decomposition would take minutes
    if factor is None:
        return np.asarray(np.linalg.lstsq(np.asarray(matrix), right, rcond=1e-12)[0], dtype=np.float64)
    return factor.solve(right)


def positive_definite(matrix: Array | Arrow) -> bool:
    """Tell whether a symmetric matrix is positive definite beyond its rounding error."""
    return cholesky(matrix) is not None


def lifted(matrix: Array) -> Factor:
    """Factorise a symmetric matrix after lifting its eigenvalues, in Jacobi scale, above a small floor.

    Where the matrix is indefinite, |eigenvalue| replaces eigenvalue, so that a step along negative
    curvature still goes up, as long as its curvature says.

    Examples
    --------
    >>> lifted(np.diag([4.0, -1.0])).inverse().round(12).tolist()
    [[0.25, 0.0], [0.0, 1.0]]
    """
    matrix = np.asarray(matrix)
    size = np.abs(np.diag(matrix))
    diagonal = np.sqrt(np.where(size > 0, size, max(float(size.max(initial=0.0)), 1.0)))
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.nan_to_num(matrix / diagonal[:, None] / diagonal)
    values, vectors = np.linalg.eigh(scaled)
    floor = 1e-10 * max(1.0, float(np.abs(values).max(initial=0.0)))
    root = np.sqrt(np.maximum(np.abs(values), floor))
    upper = triangle(root[:, None] * vectors.T)
    return from_triangle(upper * diagonal)


def from_triangle(upper: Array) -> Factor:
    """Return the factor of H = upper' upper without forming H, so that no digit is squared away.

    Examples
    --------
    >>> from_triangle(np.array([[2.0, 1.0], [0.0, 3.0]])).inverse().round(12).tolist()
    [[0.277777777778, -0.055555555556], [-0.055555555556, 0.111111111111]]
    """
    peak = np.abs(upper).max(axis=0)  # the square of a length may be too small to be one
    diagonal = peak * np.linalg.norm(upper / np.where(peak > 0.0, peak, 1.0), axis=0)
    return Factor(np.asarray(upper / diagonal, dtype=np.float64, order="F"), diagonal)


def triangle(rows: Array) -> Array:
    """Return the p x p upper triangle R with R'R = rows'rows, by Householder QR, its diagonal not negative.

    Fewer rows than columns give rows of zeros at the bottom, so that triangles always add.

    Examples
    --------
    >>> triangle(np.array([[3.0, 1.0], [4.0, 2.0]])).round(12).tolist()
    [[5.0, 2.2], [0.0, 0.4]]
    """
    reduced = np.linalg.qr(np.asarray(rows, dtype=np.float64), mode="r")
    signs = np.where(np.diag(reduced) < 0, -1.0, 1.0)
    upper = np.zeros((rows.shape[1], rows.shape[1]))
    upper[: len(reduced)] = reduced
    upper[: len(signs)] *= signs[:, None]
    return upper


def combine(first: Array, second: Array) -> Array:
    """Return the triangle of two sets of rows stacked, from their triangles (TSQR).

    Examples
    --------
    >>> rows = np.arange(12.0).reshape(6, 2)
    >>> bool(np.allclose(combine(triangle(rows[:2]), triangle(rows[2:])), triangle(rows)))
    True
    """
    return triangle(np.vstack([first, second]))


def clearly_independent(gram: Array | Arrow) -> bool:
    """Tell whether a Gram alone shows every column independent of the earlier ones.

    If not, the question goes to `independent_columns` on a triangle, which sees twice as many digits.

    Examples
    --------
    >>> clearly_independent(np.array([[2.0, 1.0], [1.0, 2.0]]))
    True
    >>> clearly_independent(np.array([[1.0, 1.0], [1.0, 1.0 + 1e-12]]))
    False
    """
    factor = cholesky(gram)
    return factor is not None and bool(np.all(factor.pivots >= DOUBT))


def independent_columns(upper: Array, tolerance: float = 1e-11) -> Mask:
    """Tell which columns are not linear combinations of earlier independent ones.

    Column j is kept if what is left of it, after projection on the columns kept before it, is longer
    than `tolerance` times the column itself: the rule of LINPACK's dqrdc2 as R uses it, earlier columns
    win. A column of zeros is never kept.

    Parameters
    ----------
    upper : Array
        A triangle R with R'R = X'X, or X itself, (m, p); only lengths and angles of columns matter.
        A Gram will not do: it has lost what is decided here.
    tolerance : float
        Relative length below which a column counts as dependent.

    Examples
    --------
    >>> x = np.array([[1.0, 1.0, 0.0, 2.0], [1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 1.0, 1.0]])
    >>> independent_columns(x).tolist()
    [True, True, False, True]
    """
    columns = np.asarray(upper, dtype=np.float64)
    height, count = columns.shape
    scaled = columns / np.where((peak := np.abs(columns).max(axis=0, initial=0.0)) > 0, peak, 1.0)
    lengths = np.linalg.norm(scaled, axis=0)
    kept = np.zeros(count, dtype=np.bool_)
    basis = np.empty((height, min(height, count)), order="F")
    rank = 0
    for j in range(count):
        if rank == height or lengths[j] == 0:
            continue
        left = scaled[:, j]
        for _ in range(2):  # twice is enough (Kahan, Parlett): once leaves cancellation error
            left = left - basis[:, :rank] @ (basis[:, :rank].T @ left)
        length = float(np.linalg.norm(left))
        if length > tolerance * lengths[j]:
            # a short remainder is mostly rounding along the basis: make it orthogonal before it joins
            unit = left / length
            unit -= basis[:, :rank] @ (basis[:, :rank].T @ unit)
            basis[:, rank] = unit / np.linalg.norm(unit)
            kept[j] = True
            rank += 1
    return kept
