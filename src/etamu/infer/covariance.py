"""Covariance of the estimate, kept as a factor and multiplied out when asked.

May import: numpy, scipy.linalg (inside functions), `etamu._base`.
Read next: `etamu.infer.wald`, which turns standard errors into tests and intervals.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from etamu._base import triangles
from etamu._base.arrow import Arrow, ArrowInverse, largest_eigenvalue
from etamu._base.facts import dataclass
from etamu._base.types import Array

EPS = float(np.finfo(np.float64).eps)
FAR = 1e140
"""Standard errors within 1e-140 and 1e140 have squares."""
MANY = 200
"""Coefficients from which a condition number is estimated from a triangle, not taken from eigenvalues."""


@dataclass(frozen=True, slots=True, eq=False)
class Root:
    """A matrix C with covariance C C', (p, m).

    Examples
    --------
    >>> Root(np.array([[2.0], [1.0]])).covariance()
    array([[4., 2.],
           [2., 1.]])
    """

    matrix: Array

    def covariance(self) -> Array:
        """Multiply out C C', infinite where it is beyond float64."""
        with np.errstate(over="ignore"):
            return self.matrix @ self.matrix.T

    def variances(self) -> Array:
        """Return the diagonal of C C'."""
        return np.asarray(np.einsum("ij,ij->i", self.matrix, self.matrix))

    def errors(self) -> Array:
        """Return the square roots of the diagonal, where a square may be beyond float64 as well."""
        size = np.abs(self.matrix).max(axis=1, initial=0.0)
        far = (size > FAR) | ((size > 0.0) & (size < 1.0 / FAR))
        if not far.any():
            return np.sqrt(self.variances())
        unit = np.where(far, size, 1.0)
        with np.errstate(invalid="ignore", under="ignore"):
            return np.asarray(unit * np.sqrt(np.square(self.matrix / unit[:, None]).sum(axis=1)))

    def near(self) -> tuple[Root, float]:
        """Return C divided by a power of two, so that its squares neither overflow nor vanish, and the power.

        Examples
        --------
        >>> root, unit = Root(np.array([[3e200]])).near()
        >>> float(np.sqrt(root.covariance()[0, 0]) * unit)
        3e+200
        """
        largest = float(np.abs(self.matrix).max(initial=0.0))
        if not (0.0 < largest < 1.0 / FAR or FAR < largest < math.inf):
            return self, 1.0
        unit = 2.0 ** (math.frexp(largest)[1] - 1)
        return Root(self.matrix / unit), unit

    def scaled(self, dispersion: float) -> Root:
        """Multiply the covariance by a dispersion."""
        return self if dispersion == 1.0 else Root(self.matrix * np.sqrt(dispersion))

    def finite(self) -> bool:
        """Tell whether every entry is finite."""
        return bool(np.all(np.isfinite(self.matrix)))


class Unwritten(Root):
    """The root of the inverse of an arrow, written out when its matrix is asked for.

    Examples
    --------
    >>> inverse = ArrowInverse(np.array([0]), np.array([1]), np.array([1.0, 0.0]), np.array([[1.0], [2.0]]))
    >>> Unwritten(inverse).matrix.tolist(), Unwritten(inverse).variances().tolist()
    ([[1.0, 1.0], [0.0, 2.0]], [2.0, 4.0])
    """

    def __init__(self, inverse: ArrowInverse) -> None:
        self.inverse = inverse

    def __reduce__(self) -> tuple[type[Root], tuple[Array]]:
        """Be pickled as the root written out."""
        return Root, (self.matrix,)

    @cached_property
    def matrix(self) -> Array:
        """The root written out."""
        return self.inverse.root()

    def covariance(self) -> Array:
        """Multiply out C C'."""
        return self.inverse.dense()

    def variances(self) -> Array:
        """Return the diagonal of C C'."""
        return self.inverse.entries()

    def near(self) -> tuple[Root, float]:
        """As of any root, which is written out only where it is far out."""
        variances = self.inverse.entries()
        if np.all((variances > FAR**-2) & (variances < FAR**2)):
            return self, 1.0
        return Root(self.matrix).near()

    def scaled(self, dispersion: float) -> Root:
        """Multiply the covariance by a dispersion."""
        return self if dispersion == 1.0 else Unwritten(self.inverse.times(dispersion))

    def finite(self) -> bool:
        """Tell whether every entry is finite."""
        return self.inverse.finite()


def root_of_information(information: Array | Arrow) -> Root:
    """Factor the inverse of a positive definite information matrix, after scaling its diagonal to 1.

    An arrow is eliminated from its spine, and only the few columns that are not its spine's are full.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the matrix is not positive definite.
    """
    if not len(information):
        return Root(np.zeros((0, 0)))
    if isinstance(information, Arrow):
        factor = information.factorised()
        if factor is None:
            raise np.linalg.LinAlgError("the information is not positive definite")
        return Unwritten(factor.inverted)
    inverse, size = _inverse_triangle(information)
    return Root(inverse * size[:, None])


def _inverse_triangle(information: Array) -> tuple[Array, Array]:
    """Return R^-1, with R'R the information scaled to diagonal 1, and what scales it.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the matrix is not positive definite.
    """
    if not np.all(np.diag(information) > 0.0):
        raise np.linalg.LinAlgError("a diagonal entry of the information is not positive")
    size = 1.0 / np.sqrt(np.diag(information))
    with np.errstate(all="ignore"):  # what overflows is no triangle
        upper = triangles.cholesky(size[:, None] * information * size)  # two sizes' product may overflow
    if upper is None:
        raise np.linalg.LinAlgError("the information is not positive definite")
    return triangles.inverted(upper), size


def root_or_steep(information: Array | Arrow, beyond: float) -> Root | None:
    """Factor the inverse of an information matrix as above, or return None where cond(X) is larger.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the matrix is neither positive definite nor known to be steep.
    """
    if isinstance(information, Arrow) or not len(information):
        return None if ill_conditioned(information, beyond) else root_of_information(information)
    try:
        inverse, size = _inverse_triangle(information)
    except np.linalg.LinAlgError:
        if condition(information) > beyond:
            return None
        raise
    if not triangles.surely_within(inverse, beyond) and condition(information) > beyond:
        return None
    return Root(inverse * size[:, None])


def root_of_triangle(triangle: Array) -> Root:
    """Factor the inverse of R'R from the triangle R, which has not squared the condition number."""
    if not len(triangle):
        return Root(np.zeros((0, 0)))
    lengths = np.linalg.norm(triangle, axis=0)
    if not np.all(lengths > 0.0) or not np.all(np.isfinite(lengths)):
        raise np.linalg.LinAlgError("a column has no information, or more than a number can hold")
    size = 1.0 / lengths
    return Root(triangles.inverted(triangle * size) * size[:, None])


def sandwich(bread: Root, meat: Array) -> Root:
    """Compute B M B for bread B and meat M (Huber 1967; White 1980), as a root."""
    return filled(bread, bread.matrix.T @ meat @ bread.matrix)


def filled(bread: Root, white: Array) -> Root:
    """Compute L M L' for bread L L' and the meat M of whitened scores L's, as a root.

    Rounding may leave eigenvalues of M a little below 0; they count as 0. NaN where anything is not finite.
    """
    if not (np.all(np.isfinite(white)) and np.all(np.isfinite(bread.matrix))):
        return Root(np.full_like(bread.matrix, np.nan))
    if len(white) > MANY:
        try:
            return Root(bread.matrix @ np.linalg.cholesky(white))
        except np.linalg.LinAlgError:
            pass  # fewer clusters than coefficients, say: the eigenvalues know what to do
    values, vectors = np.linalg.eigh(white)
    return Root(bread.matrix @ (vectors * np.sqrt(np.maximum(values, 0.0))))


def ill_conditioned(information: Array | Arrow, beyond: float) -> bool:
    """Tell whether cond(X) is larger than a number, from eigenvalues only where a bound does not tell.

    With R'R the information scaled to diagonal 1, cond(X) = cond(R) <= |R| |R^-1| in Frobenius' norm.

    Examples
    --------
    >>> ill_conditioned(np.diag([4.0, 1.0]), 10.0)
    False
    >>> ill_conditioned(np.array([[1.0, 0.99], [0.99, 1.0]]), 10.0)
    True
    """
    if not isinstance(information, Arrow) and len(information):
        try:
            if triangles.surely_within(_inverse_triangle(information)[0], beyond):
                return False
        except np.linalg.LinAlgError:
            pass
    return condition(information) > beyond


def condition(information: Array | Arrow) -> float:
    """Return cond(X), the square root of cond(X'WX), after scaling the diagonal to 1.

    With many coefficients, an estimate from a Cholesky triangle: of the right size, and p^3 / 3.
    """
    if not len(information):
        return 1.0
    if isinstance(information, Arrow):
        factor = information.factorised()
        return float(EPS**-0.5) if factor is None else factor.condition
    if len(information) > MANY:
        return _estimated(information)
    size = 1.0 / np.sqrt(np.maximum(np.diag(information), np.finfo(float).tiny))
    with np.errstate(all="ignore"):  # an indefinite one may have anything beside its diagonal
        scaled = information * np.multiply.outer(size, size)
    values = np.linalg.eigvalsh(scaled) if np.all(np.isfinite(scaled)) else np.zeros(1)
    if not values[-1] > 0.0:
        return float(EPS**-0.5)
    return float(np.sqrt(values[-1] / max(values[0], values[-1] * EPS)))


def _estimated(information: Array) -> float:
    """Estimate cond(X) from the Cholesky triangle of X'WX with its diagonal scaled to 1."""
    from scipy.linalg import cho_solve, lapack

    size = 1.0 / np.sqrt(np.maximum(np.diag(information), np.finfo(float).tiny))
    scaled = information * np.multiply.outer(size, size)
    upper, info = lapack.dpotrf(scaled)
    if info != 0:
        return float(EPS**-0.5)
    least = largest_eigenvalue(
        lambda v: np.asarray(cho_solve((upper, False), v, check_finite=False)), len(size)
    )
    most = largest_eigenvalue(lambda v: np.asarray(scaled @ v), len(size))
    return min(float(np.sqrt(most * least)), float(EPS**-0.5))
