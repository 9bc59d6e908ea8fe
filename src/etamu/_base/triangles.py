"""Cholesky factors and triangular systems: compiled where they are small, by halves where they are larger.

A fit with some hundred coefficients so needs no scipy, which takes longer to load than the fit to make, and
20 MB. NumPy has LAPACK's Cholesky factor but not its triangles; products of their halves take as long.

May import: numpy, scipy.linalg (inside functions), `etamu._base`.
Read next: `etamu.solve.factor`, which factorises by these.
"""

from __future__ import annotations

import math

import numpy as np

from etamu._base.kernel import kernel
from etamu._base.types import Array

SMALL = 64
"""Most columns for which the compiled loops are as fast as LAPACK; and halves are no smaller."""
LARGE = 512
"""Most columns for which halves are."""


def load(columns: int) -> None:
    """Load the LAPACK that matrices of so many columns need, if they need it."""
    if kernel is None or columns > LARGE:
        import scipy.linalg.lapack  # noqa: F401


def cholesky(matrix: Array) -> Array | None:
    """Return the upper triangle R with R'R = matrix, None where a pivot is not positive.

    Examples
    --------
    >>> cholesky(np.array([[4.0, 2.0], [2.0, 5.0]]))
    array([[2., 1.],
           [0., 2.]])
    >>> cholesky(np.array([[1.0, 2.0], [2.0, 1.0]])) is None
    True
    """
    if kernel is not None and len(matrix) <= SMALL:
        upper = np.empty(matrix.shape)
        return upper if kernel.small_cholesky(_plain(matrix), upper) else None
    if kernel is not None and len(matrix) <= LARGE:
        try:
            factor = np.asarray(np.linalg.cholesky(matrix).T)
        except np.linalg.LinAlgError:
            return None
    else:
        from scipy.linalg import lapack

        factor, info = lapack.dpotrf(matrix, clean=1)
        if info:
            return None
    return np.asarray(factor) if np.all(np.diag(factor) > 0.0) else None  # of a NaN LAPACK makes NaNs


def solved(upper: Array, right: Array, *, transposed: bool = False) -> Array:
    """Solve R x = right, or R'x = right; a matrix is solved column by column.

    Examples
    --------
    >>> solved(np.array([[2.0, 1.0], [0.0, 2.0]]), np.array([4.0, 4.0]))
    array([1., 2.])
    """
    if kernel is not None and len(upper) <= SMALL:
        out = np.array(right, dtype=np.float64, order="C", ndmin=1)
        kernel.small_solve(_plain(upper), out if out.ndim == 2 else out[:, None], transposed)
        return out
    if not right.size:
        return np.array(right, dtype=np.float64)
    if kernel is not None and len(upper) <= LARGE:
        return _solved_by_halves(upper, right, transposed=transposed)
    from scipy.linalg import lapack

    out, info = lapack.dtrtrs(upper, right, trans=int(transposed))
    if info:
        raise np.linalg.LinAlgError(f"the triangle is singular: its pivot {info - 1} is 0")
    return np.asarray(out)


def inverted(upper: Array) -> Array:
    """Return R^-1, upper triangular too.

    Examples
    --------
    >>> inverted(np.array([[2.0, 1.0], [0.0, 4.0]]))
    array([[ 0.5  , -0.125],
           [ 0.   ,  0.25 ]])
    """
    if kernel is not None and len(upper) <= SMALL:
        out = np.empty(upper.shape)
        kernel.small_inverse(_plain(upper), out)
        return out
    if kernel is not None and len(upper) <= LARGE:
        return _inverted_by_halves(upper)
    from scipy.linalg import lapack

    return np.asarray(lapack.dtrtri(upper)[0])


def surely_within(inverse: Array, beyond: float) -> bool:
    """Tell from R^-1 that cond(R) <= beyond, where the columns of R have length 1.

    cond(R) <= |R| |R^-1| in Frobenius' norm, of which the first is the root of the number of columns.

    Examples
    --------
    >>> surely_within(np.eye(4), 4.0), surely_within(np.eye(4), 3.9)
    (True, False)
    """
    entries = inverse.ravel(order="K")  # as they lie: no copy
    return len(inverse) * float(entries @ entries) <= beyond**2


def condition(upper: Array) -> float:
    """Return the 1-norm condition number of R; an estimate of it where R is large.

    Examples
    --------
    >>> condition(np.diag([4.0, 1.0]))
    4.0
    """
    if kernel is not None and len(upper) <= SMALL:
        sizes = [
            float(np.abs(np.triu(part)).sum(axis=0).max(initial=0.0)) for part in (upper, inverted(upper))
        ]
        return sizes[0] * sizes[1] if math.isfinite(sizes[1]) else math.inf
    from scipy.linalg import lapack

    reciprocal = float(lapack.dtrcon(upper)[0])
    return 1.0 / reciprocal if reciprocal > 0 else math.inf


def _solved_by_halves(upper: Array, right: Array, *, transposed: bool) -> Array:
    """Substitute one half into the other: the first where the triangle is transposed, else the last."""
    half = len(upper) // 2
    first, beside, second = upper[:half, :half], upper[:half, half:], upper[half:, half:]
    if transposed:
        above = solved(first, right[:half], transposed=True)
        below = solved(second, right[half:] - beside.T @ above, transposed=True)
    else:
        below = solved(second, right[half:])
        above = solved(first, right[:half] - beside @ below)
    return np.concatenate([above, below])


def _inverted_by_halves(upper: Array) -> Array:
    """Invert both halves of the diagonal, and what lies beside them: -A^-1 B C^-1."""
    if len(upper) <= SMALL:
        return inverted(upper)
    half = len(upper) // 2
    out = np.zeros(upper.shape)
    out[:half, :half] = _inverted_by_halves(upper[:half, :half])
    out[half:, half:] = _inverted_by_halves(upper[half:, half:])
    out[:half, half:] = -(out[:half, :half] @ upper[:half, half:]) @ out[half:, half:]
    return out


def _plain(matrix: Array) -> Array:
    return np.ascontiguousarray(matrix, dtype=np.float64)
