"""Symmetric matrices of which many coordinates meet one another only on the diagonal, and their inverses.

May import: numpy, scipy.linalg (inside functions), `etamu._base`.
Read next: `etamu.solve.factor`, which factorises one; `etamu.infer.covariance`, which takes its root.

The information of a model with one factor of many levels is such an *arrow*: no row has two levels, so
the levels' part is a diagonal D, with a side C towards the other coordinates and their corner E. What
a dense factor does in p^3 / 3 operations is done here by eliminating D first (Golub and Van Loan 2013,
section 4.2): S = E - C' D^-1 C, of the size of the corner. NumPy reads an arrow as the matrix it is, so
that whoever does not know of arrows still gets the right answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.kernel import kernel
from etamu._base.types import Array

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Arrow:
    """A symmetric matrix H with H[spine, spine] diagonal; no row has two coordinates of the spine.

    Parameters
    ----------
    spine, rest : integers (k,), (r,)
        Which coordinates; together each of 0, …, k + r - 1 once.
    diagonal : array (k,)
        The diagonal of H[spine, spine].
    side : array (k, r)
        H[spine, rest].
    corner : array (r, r)
        H[rest, rest], symmetric.

    Examples
    --------
    >>> side, corner = np.ones((2, 1)), np.array([[9.0]])
    >>> arrow = Arrow(np.array([1, 2]), np.array([0]), np.array([2.0, 3.0]), side, corner)
    >>> np.asarray(arrow).tolist()
    [[9.0, 1.0, 1.0], [1.0, 2.0, 0.0], [1.0, 0.0, 3.0]]
    """

    spine: NDArray[np.intp]
    rest: NDArray[np.intp]
    diagonal: Array
    side: Array
    corner: Array

    def __len__(self) -> int:
        return len(self.spine) + len(self.rest)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        """Be written out where an array is asked for."""
        del copy
        return np.asarray(self.dense(), dtype=dtype)

    def __matmul__(self, vector: Array) -> Array:
        """Multiply a vector, without writing the matrix out."""
        out = np.empty(len(self))
        inner, outer = vector[self.rest], vector[self.spine]
        out[self.spine] = self.diagonal * outer + self.side @ inner
        out[self.rest] = self.side.T @ outer + self.corner @ inner
        return out

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self), len(self)

    def dense(self) -> Array:
        """Write the matrix out."""
        out = np.zeros(self.shape)
        out[self.spine, self.spine] = self.diagonal
        out[self.spine[:, None], self.rest] = self.side
        out[self.rest[:, None], self.spine] = self.side.T
        out[self.rest[:, None], self.rest] = self.corner
        return out

    def entries(self) -> Array:
        """Return the diagonal of the whole matrix."""
        out = np.empty(len(self))
        out[self.spine], out[self.rest] = self.diagonal, np.diag(self.corner)
        return out

    def finite(self) -> bool:
        """Tell whether every entry is finite."""
        return all(bool(np.all(np.isfinite(part))) for part in (self.diagonal, self.side, self.corner))

    def lifted(self, share: float) -> Arrow:
        """Add a share of the mean of the diagonal to the diagonal."""
        return self.plus(np.full(len(self), share * float(np.mean(np.abs(self.entries())))))

    def plus(self, extra: Array) -> Arrow:
        """Add numbers to the diagonal."""
        corner = self.corner + np.diag(extra[self.rest])
        return Arrow(self.spine, self.rest, self.diagonal + extra[self.spine], self.side, corner)

    def factorised(self) -> ArrowFactor | None:
        """Eliminate the spine and factorise what is left, after dividing the diagonal out; done once.

        None if the matrix is not numerically positive definite: a pivot must exceed 8 p eps.
        """
        return self._factor

    @cached_property
    def _factor(self) -> ArrowFactor | None:
        from scipy.linalg import lapack

        entries = self.entries()
        if not (self.finite() and np.all(entries > 0)):
            return None
        size = np.sqrt(entries)
        inner, outer = size[self.rest], size[self.spine]
        side = self.side / outer[:, None]
        side /= inner
        left = self.corner / inner[:, None] / inner - side.T @ side
        upper, info = lapack.dpotrf(left, clean=1)
        if info != 0 or np.any(np.diag(upper) ** 2 <= max(64, 8 * len(self)) * EPS):
            return None
        return ArrowFactor(self, side, np.asarray(upper), size)


@dataclass(frozen=True, eq=False)
class ArrowFactor:
    """A positive definite arrow, factorised: H = Q R'R Q with R = [[I, side], [0, upper]], spine first.

    Q is diagonal, the square roots of H's own diagonal.

    Examples
    --------
    >>> side, corner = np.array([[2.0]]), np.array([[5.0]])
    >>> arrow = Arrow(np.array([0]), np.array([1]), np.array([4.0]), side, corner)
    >>> factor = arrow.factorised()
    >>> factor.solve(np.array([8.0, 8.0])).round(12).tolist()
    [1.5, 1.0]
    >>> round(factor.logdet, 12) == round(math.log(16.0), 12)
    True
    """

    arrow: Arrow
    side: Array
    upper: Array
    diagonal: Array

    def solve(self, vector: Array) -> Array:
        """Solve H x = vector; a matrix is solved column by column."""
        from scipy import linalg

        spine, rest = self.arrow.spine, self.arrow.rest
        size = self.diagonal.reshape((-1,) + (1,) * (vector.ndim - 1))
        scaled = vector / size
        left = scaled[rest] - self.side.T @ scaled[spine]
        half = linalg.solve_triangular(self.upper, left, trans="T", check_finite=False)
        out = np.empty_like(scaled)
        out[rest] = linalg.solve_triangular(self.upper, half, check_finite=False)
        out[spine] = scaled[spine] - self.side @ out[rest]
        return np.asarray(out / size, dtype=np.float64)

    def form(self, vector: Array) -> float:
        """Return v' H^-1 v."""
        return float(vector @ self.solve(vector))

    @cached_property
    def inverted(self) -> ArrowInverse:
        """H^-1, computed once."""
        return self.inverse()

    def inverse(self) -> ArrowInverse:
        """Return H^-1, not written out."""
        from scipy.linalg import lapack

        root, _ = lapack.dtrtri(self.upper)
        spine, rest = self.arrow.spine, self.arrow.rest
        wide = np.empty((len(self.diagonal), len(rest)))
        wide[spine], wide[rest] = self.side @ -root, root
        wide /= self.diagonal[:, None]
        extra = np.zeros(len(self.diagonal))
        extra[spine] = 1.0 / self.diagonal[spine] ** 2
        return ArrowInverse(spine, rest, extra, wide)

    def whiten(self, rows: Array) -> Array:
        """Return Z = rows Q^-1 R^-1, so that the squared length of row i of Z is x_i' H^-1 x_i."""
        return np.asarray(rows @ self.inverse().root())

    @property
    def pivots(self) -> Array:
        """The squared pivots of the elimination of the matrix with its diagonal divided out."""
        return np.concatenate([np.ones(len(self.arrow.spine)), np.diag(self.upper) ** 2])

    @property
    def logdet(self) -> float:
        """The logarithm of the determinant of H."""
        return float(2.0 * (np.log(np.abs(np.diag(self.upper))).sum() + np.log(self.diagonal).sum()))

    @property
    def condition(self) -> float:
        """An estimate of the 2-norm condition number of R, whose square is that of Q^-1 H Q^-1."""
        from scipy import linalg

        k, upper = len(self.arrow.spine), self.upper

        def product(v: Array) -> Array:
            top = v[:k] + self.side @ v[k:]
            return np.concatenate([top, self.side.T @ top + upper.T @ (upper @ v[k:])])

        def solved(v: Array) -> Array:
            left = v[k:] - self.side.T @ v[:k]
            half = linalg.solve_triangular(upper, left, trans="T", check_finite=False)
            low = linalg.solve_triangular(upper, half, check_finite=False)
            return np.concatenate([v[:k] - self.side @ low, low])

        size = len(self.diagonal)
        return math.sqrt(largest_eigenvalue(product, size) * largest_eigenvalue(solved, size))


@dataclass(frozen=True, slots=True, eq=False)
class ArrowInverse:
    """The inverse of an arrow, diag(extra) + wide wide', with `extra` zero outside of the spine.

    Examples
    --------
    >>> inverse = ArrowInverse(np.array([0]), np.array([1]), np.array([1.0, 0.0]), np.array([[1.0], [2.0]]))
    >>> np.asarray(inverse).tolist(), inverse.entries().tolist()
    ([[2.0, 2.0], [2.0, 4.0]], [2.0, 4.0])
    """

    spine: NDArray[np.intp]
    rest: NDArray[np.intp]
    extra: Array
    wide: Array

    def __len__(self) -> int:
        return len(self.extra)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        """Be written out where an array is asked for."""
        del copy
        return np.asarray(self.dense(), dtype=dtype)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self), len(self)

    def dense(self) -> Array:
        """Write the matrix out, exactly symmetric."""
        out = self.wide @ self.wide.T
        out = 0.5 * (out + out.T)
        out[self.spine, self.spine] += self.extra[self.spine]
        return out

    def entries(self) -> Array:
        """Return the diagonal."""
        return np.asarray(self.extra + np.einsum("ij,ij->i", self.wide, self.wide))

    def finite(self) -> bool:
        """Tell whether every entry is finite."""
        return bool(np.all(np.isfinite(self.extra)) and np.all(np.isfinite(self.wide)))

    def times(self, number: float) -> ArrowInverse:
        """Multiply the matrix by a positive number."""
        return ArrowInverse(self.spine, self.rest, self.extra * number, self.wide * math.sqrt(number))

    def root(self) -> Array:
        """Return C with C C' the inverse, written out."""
        out = np.zeros(self.shape)
        out[self.spine, self.spine] = np.sqrt(self.extra[self.spine])
        # The columns of the spine have one number each; the others are the wide part.
        out[:, self.rest] = self.wide
        return out

    def largest(self, extent: Array) -> float:
        """Bound x' H^-1 x over all rows with |x_j| <= extent_j and at most one coordinate of the spine.

        In the norm of H^-1 the longest coordinate of the spine and the longest rest are added.
        """
        spine, rest = self.spine, self.rest
        longest = (np.abs(extent) * np.sqrt(np.maximum(self.entries(), 0.0)))[spine].max(initial=0.0)
        inner = np.abs(self.wide[rest] @ self.wide[rest].T)
        return float((longest + math.sqrt(float(extent[rest] @ inner @ extent[rest]))) ** 2)


def entries(matrix: Any) -> Array:
    """Return the diagonal of a symmetric matrix of any kind.

    Examples
    --------
    >>> entries(np.array([[1.0, 2.0], [2.0, 3.0]])).tolist()
    [1.0, 3.0]
    """
    if isinstance(matrix, (Arrow, ArrowInverse)):
        return matrix.entries()
    return np.asarray(matrix.diagonal(), dtype=np.float64)


_ARROWS = (Arrow, ArrowInverse)  # a union is put together anew wherever it stands


def all_finite(matrix: Any) -> bool:
    """Tell whether every entry of an array or a matrix of any kind is finite."""
    return matrix.finite() if isinstance(matrix, _ARROWS) else bool(np.isfinite(matrix).all())


def plus_diagonal(matrix: Any, extra: Array) -> Any:
    """Add numbers to the diagonal of an array or an arrow.

    Examples
    --------
    >>> plus_diagonal(np.ones((2, 2)), np.array([1.0, 2.0])).tolist()
    [[2.0, 1.0], [1.0, 3.0]]
    """
    if isinstance(matrix, Arrow):
        return matrix.plus(extra)
    out = np.array(matrix, dtype=np.float64)
    out[np.diag_indices(len(out))] += extra
    return out


def largest_form(matrix: Any, extent: Array, groups: NDArray[np.intp] | None = None) -> float:
    """Bound x' M x over all rows with |x_j| <= extent_j, of each group at most one x_j not 0.

    Examples
    --------
    >>> largest_form(np.array([[1.0, -0.5], [-0.5, 1.0]]), np.array([1.0, 2.0]))
    7.0
    >>> largest_form(np.array([[1.0, -0.5], [-0.5, 1.0]]), np.array([1.0, 2.0]), np.array([3, 3]))
    4.0
    """
    if isinstance(matrix, ArrowInverse):
        return matrix.largest(extent)
    matrix, extent = np.asarray(matrix), np.ascontiguousarray(extent, dtype=np.float64)
    none = np.zeros(0, dtype=np.intp)
    order, starts, of = (
        (none,) * 3 if groups is None else _grouped(groups.astype(np.intp, copy=False).tobytes())
    )
    with np.errstate(over="ignore", invalid="ignore"):  # a bound may be infinite
        if len(starts) == len(order):  # each is alone in its group
            return float(extent @ np.abs(matrix) @ extent)
        if kernel is not None and matrix.dtype == np.float64 and matrix.flags.c_contiguous:
            return float(kernel.grouped_form(matrix, extent, of, len(starts)))
        sizes = np.abs(matrix) * (extent[:, None] * extent)
        sizes = sizes[order[:, None], order]
        return float(np.maximum.reduceat(np.maximum.reduceat(sizes, starts, axis=0), starts, axis=1).sum())


@lru_cache(maxsize=8)
def _grouped(groups: bytes) -> tuple[NDArray[np.intp], ...]:
    """Sort groups, say where each begins, and count them from 0; every pass of a fit asks for the same."""
    numbers = np.frombuffer(groups, dtype=np.intp)
    order = np.argsort(numbers, kind="stable")
    ranked = numbers[order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]])[: len(order)])
    return order, starts, np.unique(numbers, return_inverse=True)[1].astype(np.int64)


def largest_eigenvalue(product: Callable[[Array], Array], size: int) -> float:
    """Estimate the largest eigenvalue of a positive definite matrix from its products, by the power method.

    From below, and to a few per cent: enough to say how many digits a matrix has lost.

    Examples
    --------
    >>> round(largest_eigenvalue(lambda v: np.array([3.0, 1.0]) * v, 2), 2)
    3.0
    """
    vector = np.cos(np.arange(1.0, size + 1.0) * 1.618)  # any start will do that is the same every time
    value = 0.0
    for _ in range(100):
        vector = vector / np.linalg.norm(vector)
        moved = product(vector)
        before, value = value, float(np.linalg.norm(moved))
        vector = moved
        if not value > before * 1.001:
            break
    return value
