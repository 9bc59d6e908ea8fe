"""Rows whose sizes differ by any power of ten, taken apart so that every one of them keeps its say.

With r_i the size of row i, a triangle of diag(r) X knows its heavy rows to 16 digits of them, and where two
heavy rows are alike what is left of the second is rounding, larger than a light row. Gaussian elimination
with complete pivoting over the rows as they are, pivots chosen by r_i |x_ij|, gives X = L U: alike rows leave
nothing, and Z = diag(r) L, its columns divided by the sizes of their pivots, has entries of at most 1 and is
well conditioned. In the coordinates gamma = diag(sizes of pivots) U beta heavy and light directions do not
mix (Demmel, Gu, Eisenstat, Slapničar, Veselić and Drmač 1999, Linear Algebra Appl. 299).

May import: numpy, scipy.linalg (inside functions), etamu._base.
Read next: `etamu.solve.trust`, which climbs in such coordinates.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from etamu._base.double import Double, single, total, two_product
from etamu._base.facts import dataclass
from etamu._base.types import Array

NOTHING = 8.0 * float(np.finfo(np.float64).eps)
"""Share of what was subtracted to get it below which a number is rounding."""
REFINED = 2
"""Solutions that make one of twice the precision, the second from what the first leaves."""


@dataclass(frozen=True, slots=True, eq=False)
class Graded:
    """diag(root) X = lean triangle diag(heavy) upper, rows in an `order`, columns of `upper` as in `pivots`.

    Parameters
    ----------
    order : integers (n,)
        Pivot rows first: then a reflection leaves light rows light.
    lean : array (n, p)
        Q of Z, rows in that order.
    triangle : array (p, p)
        R of Z.
    heavy : array (p,)
        Sizes of the pivot rows.
    lower : array (p, p)
        L of the pivot rows: lower triangular, of diagonal 1.
    upper : array (p, p)
        U in the order of pivots, upper triangular.
    pivots : integers (p,)
        The column that each step eliminated.
    rows : array (p, p)
        The pivot rows of X.
    """

    order: NDArray[np.intp]
    lean: Array
    triangle: Array
    heavy: Array
    lower: Array
    upper: Array
    pivots: NDArray[np.intp]
    rows: Array

    def coefficients(self, lean: Array) -> Double:
        """Return the beta whose diag(root) X beta is Q times `lean`, in twice the precision.

        Where a light row moves far a heavy one has to stay, to more digits than float64 has.
        """
        from scipy.linalg import solve_triangular

        gamma = solve_triangular(self.triangle, lean, check_finite=False) / self.heavy
        wanted, found = times(self.lower, single(gamma)), single(np.zeros_like(gamma))
        for _ in range(REFINED):
            reached = times(self.rows, found)
            left = (wanted + Double(-reached.hi, -reached.lo)).hi
            more = np.empty_like(gamma)
            half = solve_triangular(self.lower, left, lower=True, unit_diagonal=True, check_finite=False)
            more[self.pivots] = solve_triangular(self.upper, half, check_finite=False)
            found += single(more)
        return found


def times(matrix: Array, vector: Double) -> Double:
    """Multiply a matrix by a vector in twice the precision."""
    product, lost = two_product(matrix, vector.hi)
    lost = np.where(np.isfinite(lost), lost, 0.0)  # beyond 1e290 a product cannot be split
    return total(product.T, (lost + matrix * vector.lo).T)


def graded(rows: Array, root: Array) -> Graded | None:
    """Take diag(root) rows apart; None where a column is a combination of others in every digit.

    Examples
    --------
    >>> found = graded(np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0]]), np.array([1e30, 1e30, 1e-30]))
    >>> found.order.tolist(), found.heavy.tolist()
    ([0, 2, 1], [1e+30, 1e-30])
    """
    n, p = rows.shape
    left = np.array(rows, dtype=np.float64)
    lost = NOTHING * np.abs(left)
    plain, basis, upper, heavy = np.zeros((n, p)), np.zeros((n, p)), np.zeros((p, p)), np.zeros(p)
    pivots, first = np.zeros(p, dtype=np.intp), np.zeros(p, dtype=np.intp)
    with np.errstate(all="ignore"):
        size = np.log(root)[:, None]
        for k in range(p):
            place = int(np.argmax(np.where(left != 0.0, np.log(np.abs(left)) + size, -np.inf)))
            i, j = divmod(place, p)
            if left[i, j] == 0.0 or not root[i] > 0.0:
                return None
            first[k], pivots[k], heavy[k], upper[k] = i, j, root[i], left[i]
            share = left[:, j] / left[i, j]
            plain[:, k] = share
            basis[:, k] = np.where(share != 0.0, share * (root / root[i]), 0.0)
            taken = np.multiply.outer(share, left[i])
            lost = np.maximum(lost, NOTHING * np.abs(taken))
            left = left - taken
            left = np.where(np.abs(left) > lost, left, 0.0)
            left[i], left[:, j] = 0.0, 0.0
    order = np.concatenate([first, np.setdiff1d(np.arange(n), first)])
    lean, triangle = np.linalg.qr(basis[order])
    lower, upper = plain[first], np.ascontiguousarray(upper[:, pivots])
    return Graded(order, lean, triangle, heavy, lower, upper, pivots, np.asarray(rows)[first])


def least_squares(rows: Array, size: Array, target: Array) -> Double:
    """Minimise the sum of size (x'b - target)^2, whatever the sizes; NaN where columns are dependent.

    Examples
    --------
    >>> rows = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    >>> least_squares(rows, np.array([1e60, 1e60, 1e-60]), np.array([3.0, 3.0, 1.0])).hi.round(12).tolist()
    [1.0, 2.0]
    """
    root = np.sqrt(size)
    apart = graded(rows, root)
    if apart is None:
        return single(np.full(rows.shape[1], np.nan))
    return apart.coefficients(apart.lean.T @ (root * target)[apart.order])
