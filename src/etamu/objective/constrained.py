"""An oracle on an affine subspace: the likelihood under linear constraints on its coefficients.

May import: numpy, `etamu._base`, `etamu.solve.oracle`.
Read next: `etamu.fit.hypothesis`, whose constraints these are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from etamu._base.types import Array, Want
from etamu.solve.oracle import Local, Oracle


@dataclass(frozen=True, slots=True, eq=False)
class Constrained:
    """The points beta = origin + N gamma of another oracle, as a function of gamma.

    Parameters
    ----------
    whole : Oracle
    origin : array (p,)
        A point that satisfies the constraints.
    basis : array (p, q)
        N, orthonormal directions along which they stay satisfied.

    Examples
    --------
    A new point is `origin + basis @ gamma`; the score is N'u, the information N'IN.
    """

    whole: Oracle
    origin: Array
    basis: Array

    @property
    def size(self) -> int:
        """Length of gamma."""
        return int(self.basis.shape[1])

    @property
    def concordance(self) -> float:
        """As the whole oracle's: eta is the same function of the rows."""
        return self.whole.concordance

    @property
    def restricted(self) -> bool:
        """As the whole oracle's."""
        return self.whole.restricted

    @property
    def extent(self) -> Array:
        """A bound of the largest |x_i N| per direction."""
        return np.asarray(self.whole.extent @ np.abs(self.basis))

    def lifted(self, gamma: Array) -> Array:
        """Map gamma to beta."""
        return np.asarray(self.origin + self.basis @ gamma)

    def at(self, beta: Array, want: Want) -> Local:
        """Evaluate what is wanted at a point, in one pass."""
        local = self.whole.at(self.lifted(beta), want)
        return Local(
            local.value,
            local.scale,
            None if local.score is None else self.basis.T @ local.score,
            self._reduced(local.expected),
            self._reduced(local.observed),
        )

    def along(self, beta: Array, step: Array, ts: Array) -> Array:
        """Evaluate the value at gamma + t step for every t, in one pass."""
        return self.whole.along(self.lifted(beta), self.basis @ step, ts)

    def reach(self, beta: Array, step: Array) -> float:
        """Find the largest t that stays inside the domain."""
        return self.whole.reach(self.lifted(beta), self.basis @ step)

    def longest(self, covariance: Array) -> float:
        """Find the largest x_i' N C N' x_i over all rows."""
        return self.whole.longest(self.basis @ covariance @ self.basis.T)

    def _reduced(self, matrix: Array | None) -> Array | None:
        return None if matrix is None else np.asarray(self.basis.T @ matrix @ self.basis)
