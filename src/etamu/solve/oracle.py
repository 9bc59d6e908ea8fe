"""The port of this room: what a solver may ask, and what it answers; vectors only.

May import: numpy, etamu._base.
Read next: `etamu.solve.loop`, the one loop that puts the questions.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol

from etamu._base.types import Array, Want


class Outcome(enum.Enum):
    """How a search ended; `advice` says what it means and what to do."""

    CONVERGED = "converged"
    STATIONARY = "stationary"
    INFINITE = "infinite"
    BOUNDARY = "boundary"
    INFEASIBLE = "infeasible"
    LIMIT = "limit"
    STALLED = "stalled"

    @property
    def advice(self) -> str:
        """One sentence: what this outcome means, and what to do about it."""
        return _ADVICE[self]


_ADVICE = {
    Outcome.CONVERGED: "Converged: the maximum is verified; nothing needs to be done.",
    Outcome.STATIONARY: "A stationary point, not a maximum: the observed information is not positive definite "
    "there; start from another point, or drop columns that the data cannot tell apart.",
    Outcome.INFINITE: "No finite maximum: the value keeps rising while coefficients grow without end "
    "(separation); drop or merge the columns that separate, or penalise.",
    Outcome.BOUNDARY: "The maximum lies on the boundary of the domain, where standard errors do not exist; "
    "choose a scale on which every coefficient is admissible, or a smaller model.",
    Outcome.INFEASIBLE: "The start lies outside the domain, or the value there is not finite; give a start inside.",
    Outcome.LIMIT: "The limit of iterations was reached before the maximum; raise the limit, give a better start, "
    "or use a solver that knows the curvature.",
    Outcome.STALLED: "No step raises the value although the gradient is not zero; check the scale of the columns, "
    "give another start, or choose another solver.",
}


@dataclass(frozen=True, slots=True)
class Local:
    """What one exact pass saw at one point; a field nobody asked for is None.

    `scale` is the unit in which `value` is counted: 1 where it is known, else an estimate of it.
    """

    value: float
    scale: float = 1.0
    score: Array | None = None
    expected: Array | None = None
    observed: Array | None = None


class Oracle(Protocol):
    """A function of a vector, to be maximised, that costs one pass per question; attributes are only read."""

    @property
    def size(self) -> int: ...  # length of beta
    @property
    def concordance(self) -> float: ...  # c with |l'''| <= c |l''| per row; 0: unknown
    @property
    def restricted(self) -> bool: ...  # the value is -inf outside an open convex set
    @property
    def extent(self) -> Array: ...  # max over rows of |x_ij|, one per column

    def at(self, beta: Array, want: Want) -> Local: ...  # -inf or NaN outside the domain, never an exception
    def along(self, beta: Array, step: Array, ts: Array) -> Array: ...  # values at beta + t*step, one pass
    def reach(self, beta: Array, step: Array) -> float: ...  # largest t inside the domain, inf if free
    def longest(self, covariance: Array) -> float: ...  # max over rows of x' covariance x, one pass


@dataclass(frozen=True, slots=True)
class Step:
    """One iteration, for the trace: what was seen where it began, and how far it went."""

    value: float
    decrement: float  # lambda^2 = g' H^-1 g at scale 1; an estimate without information
    step: float  # largest |step_j| in standard errors; NaN without information
    lambda_rho: float  # its free bound, exact where that was needed; NaN where not applied
    length: float  # the t of beta + t * direction
    information: str  # "observed", "expected" or "none"


@dataclass(frozen=True, slots=True)
class Solution:
    """Where the search ended: `local` is exact at `beta`; `passes` counts every pass over the rows."""

    beta: Array
    local: Local
    outcome: Outcome
    steps: tuple[Step, ...]
    passes: int
