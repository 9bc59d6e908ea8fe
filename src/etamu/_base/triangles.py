"""Cholesky factors and triangular systems: compiled up to some hundred columns, LAPACK's beyond.

A fit with some hundred coefficients so needs no scipy, which takes longer to load than the fit to make, and
20 MB.

May import: numpy, scipy.linalg (inside functions), `etamu._base`.
Read next: `etamu.solve.factor`, which factorises by these.
"""

from __future__ import annotations

import math

import numpy as np

from etamu._base.kernel import kernel
from etamu._base.types import Array

SMALL = 64
"""Most columns for which plain loops are fast enough; in their order hard data keep the most digits."""
LARGE = 1024
"""Most columns for which the compiled triangles, which stay in cache, are faster than LAPACK's."""


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
        return scaled_cholesky(matrix, np.ones(len(matrix)))
    from scipy.linalg import lapack

    factor, info = lapack.dpotrf(matrix, clean=1)
    if info:
        return None
    return np.asarray(factor) if np.all(np.diag(factor) > 0.0) else None  # of a NaN LAPACK makes NaNs


def scaled_cholesky(matrix: Array, diagonal: Array) -> Array | None:
    """Return the upper triangle R with R'R = D^-1 matrix D^-1, D diagonal; None where there is none.

    Nor is there one where a number is not finite.

    Examples
    --------
    >>> scaled_cholesky(np.array([[4.0, 0.0], [0.0, 9.0]]), np.array([2.0, 1.0]))
    array([[1., 0.],
           [0., 3.]])
    """
    if kernel is not None and SMALL < len(matrix) <= LARGE:
        upper = np.empty(matrix.shape)
        return upper if kernel.triangle_factor(_plain(matrix), diagonal, upper) else None
    if (kernel is None or len(matrix) > LARGE) and not np.isfinite(matrix).all():
        return None  # of a small one a pivot is not positive
    scaled = matrix / diagonal[:, None]
    scaled /= diagonal
    return cholesky(scaled)


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
        if right.ndim == 2:
            return _solved_by_halves(upper, right, transposed=transposed)
        out = np.array(right, dtype=np.float64)
        kernel.triangle_solve(_plain(upper), out, transposed)
        return out
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
    if kernel is not None and len(upper) <= LARGE:
        out = np.empty(upper.shape)
        (kernel.small_inverse if len(upper) <= SMALL else kernel.triangle_inverse)(_plain(upper), out)
        return out
    from scipy.linalg import lapack

    return np.asarray(lapack.dtrtri(upper)[0])


def squared(upper: Array) -> Array:
    """Return R R', exactly symmetric.

    Examples
    --------
    >>> squared(np.array([[2.0, 1.0], [0.0, 3.0]]))
    array([[5., 3.],
           [3., 9.]])
    """
    if kernel is not None and SMALL < len(upper) <= LARGE:
        out = np.empty(upper.shape)
        kernel.triangle_square(_plain(upper), out)
        return out
    half = 0.5 * (upper @ upper.T)  # first, for the sum of two large numbers may overflow
    return np.asarray(half + half.T)


def symmetric(matrix: Array) -> bool:
    """Tell whether a square matrix is its own transpose, to the last bit.

    Examples
    --------
    >>> symmetric(np.array([[1.0, 2.0], [2.0, 1.0]])), symmetric(np.array([[1.0, 2.0], [2.1, 1.0]]))
    (True, False)
    """
    if kernel is not None and matrix.flags.c_contiguous:
        return bool(kernel.symmetric(matrix))
    return np.array_equal(matrix, matrix.T)


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


def _plain(matrix: Array) -> Array:
    return np.ascontiguousarray(matrix, dtype=np.float64)
