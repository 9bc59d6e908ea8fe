"""The exponent y theta - b(theta) in place of the unit deviance: the same, but for what depends on y alone.

    -d(y, mu) / 2 = (y theta - b(theta)) - max over theta of (y theta - b(theta)).

The last term is summed over the rows once, and a pass is left with theta and b of the mean, where a deviance
that keeps its digits at each pair of y and mu takes quadrature and theta of y besides. A difference of sums
loses the digits in which they agree: whether these are few has to be seen first (`differing`).

May import: _base, family.unit.
Read next: `etamu.objective.likelihood`, which takes the sum of the last terms off.
"""

from __future__ import annotations

from typing import final

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import LINE, AnyArray, Array, Interval, Namespace
from etamu.family.unit import Bound, Rows, Unit


@final
@dataclass(frozen=True)
class Exponent:
    """A unit whose value is y theta - b(theta); score and information are those of the deviance.

    Parameters
    ----------
    unit : Unit
        Of a family that states its exponent.
    """

    unit: Unit

    @property
    def domain(self) -> Interval:
        """Return the unit's interval of eta."""
        return self.unit.domain

    @property
    def canonical(self) -> bool:
        """Tell whether observed and expected information are equal."""
        return self.unit.canonical

    @property
    def concordance(self) -> float:
        """Return the unit's bound of the third derivative."""
        return self.unit.concordance

    @property
    def alone(self) -> Exponent:
        """Families that state their exponent have no trials."""
        return self

    def bind(self, xp: Namespace, information: str = "expected") -> Bound:
        """Return the function (y, eta) -> (value, score, information) in the namespace `xp`."""
        bound = self.unit.bind(xp, information)

        def exponent(y: Rows, eta: AnyArray) -> tuple[AnyArray, AnyArray, AnyArray]:
            mean = self.unit.mean(xp, eta)
            theta = eta if self.unit.link == self.unit.family.canonical else None
            value = self.unit.family.exponent(xp, y[0], mean.mu, mean.complement, theta)
            _, score, matrix = bound(y, eta)
            return xp.where(value == value, value, -xp.inf), score, matrix  # noqa: PLR0124  (the mean is on an end)

        return exponent


@final
@dataclass(frozen=True)
class Highest:
    """A unit whose value is the largest exponent a response can have; it never looks at eta.

    Parameters
    ----------
    unit : Unit
    """

    unit: Unit
    domain: Interval = LINE
    canonical: bool = True
    concordance: float = 0.0

    @property
    def alone(self) -> Highest:
        """Families that state their exponent have no trials."""
        return self

    def bind(self, xp: Namespace, information: str = "expected") -> Bound:
        """Return the function (y, eta) -> (value, 0, 0) in the namespace `xp`."""
        del information

        def highest(y: Rows, _: AnyArray) -> tuple[AnyArray, AnyArray, AnyArray]:
            value = self.unit.family.highest(xp, y[0])
            return value, xp.zeros_like(value), xp.zeros_like(value)

        return highest


def differing(unit: Unit, y: tuple[Array, ...], eta: Array, weight: Array) -> float:
    """Return by how much the exponents miss half the deviance, row by row, as a share of its sum (NumPy).

    Examples
    --------
    >>> from etamu.family.derive import derive
    >>> from etamu.family.links import Identity
    >>> secant = Unit(derive(cumulant="-log(cos(theta))"), Identity())
    >>> y, one = np.array([-1.0, 0.5, 2.0]), np.ones(3)
    >>> differing(secant, (y,), np.zeros(3), one) < 1e-14 < differing(secant, (y,), y + 1e-6, one)
    True
    """
    with np.errstate(all="ignore"):
        half = -unit.bind(np)(y, eta)[0]
        other = unit.family.highest(np, y[0]) - Exponent(unit).bind(np)(y, eta)[0]
        total = float(weight @ half)
        return float(weight @ np.abs(half - other)) / total if total > 0.0 else np.inf
