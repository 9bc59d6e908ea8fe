"""How a search can end, each end with a sentence of advice.

May import: nothing.
Read next: `etamu.solve.oracle`, where a `Solution` carries one of these.
"""

from __future__ import annotations

import enum


class Outcome(enum.Enum):
    """How a search ended; `advice` says what it means and what to do.

    Examples
    --------
    >>> Outcome("infinite").advice
    'No finite maximum: the value keeps rising while coefficients grow without end (separation); ...'
    """

    CONVERGED = "converged"
    STATIONARY = "stationary"
    INFINITE = "infinite"
    BOUNDARY = "boundary"
    INFEASIBLE = "infeasible"
    LIMIT = "limit"
    STALLED = "stalled"
    PRECISION = "precision"

    @property
    def advice(self) -> str:
        """One sentence: what this outcome means, and what to do about it."""
        return _ADVICE[self]


_ADVICE = {
    Outcome.CONVERGED: "Converged: the maximum is verified; nothing needs to be done.",
    Outcome.STATIONARY: "Stationary, not a maximum: the observed information is not positive definite there; "
    "start from another point, or drop columns that the data cannot tell apart.",
    Outcome.INFINITE: "No finite maximum: the value keeps rising while coefficients grow without end "
    "(separation); drop or merge the columns that separate, or penalise.",
    Outcome.BOUNDARY: "The maximum lies on the boundary of the domain, where standard errors do not exist; "
    "choose a scale on which every coefficient is admissible, or a smaller model.",
    Outcome.INFEASIBLE: "The value at the start is not finite: the start lies outside the domain; "
    "give a start inside.",
    Outcome.LIMIT: "The limit of iterations came before the maximum; raise the limit, give a better start, "
    "or use a solver that knows the curvature.",
    Outcome.STALLED: "No step raises the value although the gradient is not zero; check the scale of the "
    "columns, give another start, or choose another solver.",
    Outcome.PRECISION: "The maximum was found, and float64 has too few digits for its coefficients: fitted "
    "values of rounded ones are wrong; drop, centre or combine the columns whose terms cancel.",
}
