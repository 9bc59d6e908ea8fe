"""The port of this room: what a solver may ask, and what it answers; vectors only.

May import: numpy, etamu._base, and in this room factor, outcome.
Read next: `etamu.solve.loop`, the one loop that puts the questions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass, replace
from etamu._base.types import Array, Want
from etamu.solve.factor import Metric, cholesky
from etamu.solve.outcome import Outcome

__all__ = ["Before", "Local", "Oracle", "Outcome", "Solution", "Step"]


FACTORS = ("metric", "fisher")
"""Those of the observed and the expected information, each made when it is first asked for."""


@dataclass(frozen=True)
class Local:
    """What one exact pass saw at one point; a field nobody asked for is None.

    `scale` is the unit in which `value` is counted: 1 where it is known, else an estimate of it.
    """

    value: float
    scale: float = 1.0
    score: Array | None = None
    expected: Array | None = None
    observed: Array | None = None
    beside: float | None = None  # a number of the oracle's own, carried along

    @cached_property
    def metric(self) -> Metric | None:
        """The observed information, factorised once; None where there is none or it is no metric."""
        return None if self.observed is None else cholesky(self.observed)

    @cached_property
    def fisher(self) -> Metric | None:
        """The same of the expected information."""
        if self.expected is self.observed:
            return self.metric
        return None if self.expected is None else cholesky(self.expected)

    def knowing(self, information: Any, metric: Metric | None) -> Local:
        """Return this with the factor of an information, where that is known beforehand."""
        known = zip(FACTORS, (self.observed, self.expected), strict=True)
        return self._with({name: metric for name, matrix in known if matrix is information})

    def carried(self, value: float, score: Array | None) -> Local:
        """Return this beside another value and score: the information stays, and so do its factors."""
        factors = {name: self.__dict__[name] for name in FACTORS if name in self.__dict__}
        return self._with(factors, value=value, score=score)

    def _with(self, factors: dict[str, Metric | None], **changes: Any) -> Local:
        """Return a copy that has these factors already."""
        there = replace(self, **changes)
        there.__dict__.update(factors)
        return there


class Oracle(Protocol):
    """A function of a vector, to be maximised, that costs one pass per question; attributes are only read."""

    @property
    def size(self) -> int:
        """Length of beta."""

    @property
    def concordance(self) -> float:
        """The c with |l'''| <= c |l''| for every row; 0 where none is known: then lambda*rho is no rule."""

    @property
    def restricted(self) -> bool:
        """Whether the value is -inf outside an open convex set."""

    @property
    def dear(self) -> bool:
        """Whether a pass costs more than the last few digits of the curvature are worth."""

    @property
    def wide(self) -> bool:
        """Whether an information costs several times as much as a score."""

    @property
    def groups(self) -> NDArray[np.intp] | None:
        """A number per column; of columns that share one, at most one is not 0 in a row. None: not known."""

    @property
    def extent(self) -> Array:
        """Largest |x_ij| over the rows, one per column."""

    @property
    def breadth(self) -> float:
        """A bound of the largest x'x over the rows, inf where none is known without a pass."""

    def at(self, beta: Array, want: Want) -> Local:
        """Look at a point; outside the domain the value is -inf or NaN, never an exception."""

    def along(self, beta: Array, step: Array, ts: Array) -> Array:
        """Return the values at beta + t*step for every t, in one pass."""

    def reach(self, beta: Array, step: Array) -> float:
        """Return the largest t with beta + t*step inside the domain, inf if there is none."""

    def girth(self) -> float:
        """Return a bound of the largest x'x over the rows, in one pass unless known; inf where none is."""

    def longest(self, covariance: Array) -> float:
        """Return the largest x' covariance x over the rows, in one pass."""


class Before(ABC):
    """What an oracle that stands before another has of it, unless it says otherwise; abstract."""

    __slots__ = ()

    oracle: Oracle

    @abstractmethod
    def at(self, beta: Array, want: Want) -> Local:
        """Look at a point."""

    @abstractmethod
    def along(self, beta: Array, step: Array, ts: Array) -> Array:
        """Return the values at beta + t*step for every t, in one pass."""

    @property
    def size(self) -> int:
        """Length of beta."""
        return self.oracle.size

    @property
    def concordance(self) -> float:
        """As the oracle's."""
        return self.oracle.concordance

    @property
    def restricted(self) -> bool:
        """As the oracle's."""
        return self.oracle.restricted

    @property
    def dear(self) -> bool:
        """As the oracle's."""
        return self.oracle.dear

    @property
    def wide(self) -> bool:
        """As the oracle's."""
        return self.oracle.wide

    @property
    def groups(self) -> NDArray[np.intp] | None:
        """As the oracle's."""
        return self.oracle.groups

    @property
    def extent(self) -> Array:
        """As the oracle's."""
        return self.oracle.extent

    @property
    def breadth(self) -> float:
        """As the oracle's."""
        return self.oracle.breadth

    def reach(self, beta: Array, step: Array) -> float:
        """As the oracle's."""
        return self.oracle.reach(beta, step)

    def girth(self) -> float:
        """As the oracle's."""
        return self.oracle.girth()

    def longest(self, covariance: Array) -> float:
        """As the oracle's."""
        return self.oracle.longest(covariance)


INFORMATIONS = ("observed", "expected", "kept", "surrogate", "none")
"""In the metric of which a step is found: "kept" is one of an earlier point, "surrogate" bent by a part."""


@dataclass(frozen=True, slots=True)
class Step:
    """One iteration, for the trace: what was seen where it began, and how far it went."""

    value: float
    decrement: float  # lambda^2 = g' H^-1 g at scale 1; an estimate without information
    step: float  # largest |step_j| in standard errors (of many: its bound lambda); NaN without information
    lambda_rho: float  # its free bound, exact where that was needed; NaN where not applied
    length: float  # the t of beta + t * direction
    information: str  # one of `INFORMATIONS`


@dataclass(frozen=True, slots=True)
class Solution:
    """Where the search ended: `local` is exact at `beta`; `passes` counts every pass over the rows.

    Of a maximum whose coefficients need more digits than float64 has, `eta` are the rows' own, and `local` is
    exact there.
    """

    beta: Array
    local: Local
    outcome: Outcome
    steps: tuple[Step, ...]
    passes: int
    eta: Array | None = None
