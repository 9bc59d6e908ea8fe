"""An oracle on a flat: beta = origin + basis gamma; a constraint is a change of coordinates, nothing else.

May import: numpy, etamu._base, and in this room oracle.
Read next: `etamu.solve.farthest`, which maximises under one linear constraint after another.
"""

from __future__ import annotations

import math

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array, Want
from etamu.solve.oracle import Before, Local, Oracle


@dataclass(frozen=True, slots=True, eq=False)
class Restricted(Before):
    """The values of an oracle on the flat through `origin` spanned by `basis`, an oracle itself.

    Parameters
    ----------
    oracle : Oracle
    origin : array (p,)
    basis : array (p, k)
        Columns span the directions that are left.
    """

    oracle: Oracle
    origin: Array
    basis: Array

    @property
    def size(self) -> int:
        """Number of directions left."""
        return int(self.basis.shape[1])

    @property
    def groups(self) -> None:
        """None: along a basis coordinates mix."""
        return None

    @property
    def breadth(self) -> float:
        """Inf: nobody has looked at rows in these coordinates."""
        return math.inf

    @property
    def extent(self) -> Array:
        """Bound of |x_i' basis_k| over the rows, from that of every |x_ij|."""
        return np.asarray(self.oracle.extent @ np.abs(self.basis))

    def lifted(self, gamma: Array) -> Array:
        """Return origin + basis gamma."""
        return np.asarray(self.origin + self.basis @ gamma)

    def at(self, beta: Array, want: Want) -> Local:
        """Look at a point of the flat: the score is N'g, an information N'HN."""
        seen = self.oracle.at(self.lifted(beta), want)
        return Local(
            seen.value,
            seen.scale,
            None if seen.score is None else self.basis.T @ seen.score,
            None if seen.expected is None else self._gram(seen.expected),
            None if seen.observed is None else self._gram(seen.observed),
        )

    def _gram(self, matrix: Array) -> Array:
        product = self.basis.T @ matrix @ self.basis
        return np.asarray(0.5 * (product + product.T))

    def along(self, beta: Array, step: Array, ts: Array) -> Array:
        """Return values along a step within the flat."""
        return self.oracle.along(self.lifted(beta), self.basis @ step, ts)

    def reach(self, beta: Array, step: Array) -> float:
        """Return the largest length of a step within the flat and the domain."""
        return self.oracle.reach(self.lifted(beta), self.basis @ step)

    def girth(self) -> float:
        """Return no bound."""
        return float("inf")

    def longest(self, covariance: Array) -> float:
        """Return the largest (N'x)' covariance (N'x) over the rows."""
        return self.oracle.longest(self.basis @ covariance @ self.basis.T)


def across(functional: Array, extent: Array) -> Array:
    """Return a basis, (p, p - 1), of the directions in which a functional does not change.

    A Householder reflection in columns scaled by their extent, so that units cost no digits.

    Examples
    --------
    >>> across(np.array([0.0, 2.0]), np.ones(2)).round(12) + 0.0
    array([[1.],
           [0.]])
    """
    scale = 1.0 / np.where(extent > 0, extent, 1.0)
    whole = np.linalg.qr((functional * scale)[:, None], mode="complete")[0]
    basis = scale[:, None] * whole[:, 1:]
    return np.asarray(basis * np.where(basis.sum(axis=0) < 0, -1.0, 1.0))
