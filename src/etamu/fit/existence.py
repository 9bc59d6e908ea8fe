"""Does the estimate exist? What is known of it, how it is known, and what runs away if it does not.

May import: everything below `fit`.
Read next: `etamu.fit.limit`, what a fit comes to where there is no finite maximum.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.listing import listed
from etamu._base.types import Array, Mask
from etamu.data.pieces import pieces_of
from etamu.data.schema import Schema
from etamu.design.chunk import Chunk
from etamu.design.coordinates import Coordinates
from etamu.family.recession import anyone_may_run, bounded_bend, falls_for_ever, may_run
from etamu.fit.face import Rows, TooWideError
from etamu.fit.levels_apart import among, one_way
from etamu.fit.limit import Limit
from etamu.fit.numerals import short
from etamu.fit.placed import placed, score_and_information
from etamu.solve.factor import cholesky
from etamu.solve.oracle import Outcome
from etamu.solve.recession import recede

if TYPE_CHECKING:
    from etamu.fit.placed import Placed
    from etamu.fit.problem import Problem
    from etamu.fit.result import Fit

CLEAR = 1e-8
"""Share of what was subtracted from which on a score is more than rounding."""
SHOWN = 5
"""Rows, levels and coefficients that a sentence names."""
State = Literal["interior", "infinite", "boundary", "local", "unknown"]
VERIFIED = "Verified row by row: no separated row moves away from its end, and no other row moves at all."
PAID = (
    "The likelihood is not concave: it rises along this direction to the limit that is reported, and no "
    "finite point that was found is as high. Some rows pay for it, by an end that is not their best: it is "
    "not proved that none is higher."
)
"""How a direction is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Existence:
    """Whether a finite maximum exists; printing it says it in words.

    Parameters
    ----------
    outcome : str
        "interior": it exists, is unique and was found. "infinite": it does not; coefficients run away along
        `direction`. "boundary": it lies on the edge of the domain of eta. "local": a maximum was found where
        there may be others. "unknown": the search ended early, and nothing is proved.
    how : str
        How that is known.
    direction : dict of str to float
        Reported coefficients that run away together and in which proportion, per unit of eta by which the
        nearest separated row moves; empty unless infinite.
    coefficients : dict of str to float
        Inf or -Inf for each coefficient that runs away whatever the others do, or is of a parameter at its
        end; NaN for one that is not determined, because others can run away in its place.
    levels : tuple of (factor, level)
        Levels all of whose rows want the same infinite eta.
    rows : integers
        Positions in the input of the separated rows: those whose fitted value is at the end of its range.
        Of a fit that was read from a file, the first 1,000.
    count : int
        Number of separated rows.
    classes : tuple of str
        Of a categorical response, the classes whose probability is 0 in some rows.
    paid : bool
        Whether rows run to an end that is not their best because others gain by it, where the value is not
        concave. Then the limit is above every finite point that was found; that none is higher is not proved.

    Examples
    --------
    >>> import warnings
    >>> import etamu as em
    >>> data = {"y": [0, 0, 0, 2, 5, 3], "g": list("aaabbb")}
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     fit = em.glm("y ~ 0 + g", data, family="poisson")
    >>> fit.existence.outcome, fit.existence.coefficients, fit.existence.levels
    ('infinite', {'g[a]': -inf}, (('g', 'a'),))
    """

    outcome: State
    how: str
    direction: dict[str, float]
    coefficients: dict[str, float]
    levels: tuple[tuple[str, str], ...]
    rows: NDArray[np.int64]
    count: int = 0
    classes: tuple[str, ...] = ()
    paid: bool = False

    @property
    def exists(self) -> bool:
        """Whether a finite maximum is known to exist."""
        return self.outcome in {"interior", "boundary", "local"} and not self.coefficients

    @property
    def undetermined(self) -> tuple[str, ...]:
        """Coefficients that may be anything at the limit."""
        return tuple(name for name, end in self.coefficients.items() if math.isnan(end))

    def __str__(self) -> str:
        if self.outcome != "infinite":
            return self.how
        return f"{self.sentence} {self.how}"

    def __repr__(self) -> str:
        return str(self)

    @property
    def sentence(self) -> str:
        """What runs away: coefficients, levels and rows by name; how all is known, where no row does."""
        if self.outcome != "infinite":
            return self.how
        ends = [f"{name} -> {_end(end)}" for name, end in self.coefficients.items() if not math.isnan(end)]
        head = "No finite maximum was found" if self.paid else "No finite maximum exists (separation)"
        parts = [f"{head}: {listed(ends, SHOWN)}" if ends else head]
        if len(self.direction) > 1 or (self.direction and not ends):
            along = [f"{short(value)} {name}" for name, value in self.direction.items()]
            parts.append(f"the likelihood rises for ever along ({listed(along, SHOWN)})")
        if self.undetermined:
            parts.append(f"{listed(list(self.undetermined), SHOWN)} not determined (NaN)")
        if self.levels:
            named = [f"{factor} = {level}" for factor, level in self.levels]
            parts.append(f"every response of {listed(named, SHOWN)} is at the same end of its range")
        if self.classes:
            parts.append(f"the probability of {listed(list(self.classes), SHOWN)} is 0 in some rows")
        rows = [str(row) for row in self.rows[:SHOWN].tolist()] + ["..."] * (self.count > SHOWN)
        plural = "s" if self.count != 1 else ""
        which = f"row{plural} with the mean at an end of its range" if self.paid else f"separated row{plural}"
        parts.append(f"{self.count} {which} (row{plural} {', '.join(rows)})")
        return "; ".join(parts) + "."


def _end(end: float) -> str:
    return "+Inf" if end > 0 else "-Inf"


def separation(problem: Problem, coordinates: Coordinates, limit: Limit) -> Existence:
    """Say in names what a limit says in numbers."""
    signs, names = limit.signs(coordinates), problem.layout.names
    moved = np.nan_to_num(coordinates.reported(limit.direction))
    moves = signs != 0.0
    # What is next to nothing is so in units of its column: one may be counted in 1e12 of another's.
    unit = np.ones(len(moved))
    unit[coordinates.kept] = coordinates.scale[coordinates.kept]
    size = np.abs(limit.direction).max(initial=0.0)
    shown = moves & (np.abs(moved) * unit > 1e-12 * size)
    direction = {names[j]: float(f"{moved[j]:.15g}") for j in np.flatnonzero(shown)}
    ends = {names[j]: float(signs[j]) * math.inf for j in np.flatnonzero(moves)}
    how = PAID if limit.paid else VERIFIED
    if limit.outcome is not Outcome.CONVERGED:
        how += f" What is left of the fit is {limit.outcome.value}: {limit.outcome.advice}"
    return Existence("infinite", how, direction, ends, limit.levels, limit.rows, limit.count, paid=limit.paid)


def levels_of(problem: Problem, ways: NDArray[np.int8] | None = None) -> tuple[tuple[str, str], ...]:
    """Name the levels all of whose rows may run the same way and no other; `ways` where these are known."""
    if problem.schema is None:
        return ()
    schema, chunk = problem.schema, problem.counting()
    ways = may_run(problem.unit, chunk.y) if ways is None else ways
    if np.all(ways == ways[0]):
        return ()
    found: list[tuple[str, str]] = []
    pieces = [piece for piece in pieces_of(schema) if piece.factors and not piece.numbers]
    for (_, levels), piece in zip(one_way(chunk, ways), pieces, strict=False):
        named = [_level(schema, piece.factors, int(level)) for level in levels]
        found += [name for name in named if name not in found]
    return tuple(found)


def rows_of_levels(problem: Problem) -> Mask:
    """Flag the counting rows of levels all of whose rows may run the same way."""
    chunk = problem.counting()
    return among(chunk, one_way(chunk, may_run(problem.unit, chunk.y)))


def _level(schema: Schema, factors: tuple[int, ...], level: int) -> tuple[str, str]:
    names, texts = [], []
    for number in factors:
        factor = schema.categorical(number)
        level, place = divmod(level, len(factor.levels))
        names.append(factor.label)
        texts.append(str(factor.levels[place]))
    return ":".join(names), ":".join(texts)


NOWHERE = np.zeros(0, dtype=np.int64)


def existence(fit: Fit) -> Existence:
    """Tell what is known of the existence of the maximum, as `Fit.existence` describes."""
    if fit.limit is not None:
        return separation(fit.problem, fit.coordinates, fit.limit)
    unit, outcome = fit.problem.unit, fit.outcome
    if outcome is Outcome.BOUNDARY:
        text = (
            f"The maximum lies on the boundary: some eta is at the edge of {unit.domain!r}, where the "
            f"{unit.link.name} link has its last mean; it is finite, and no zero of the score."
        )
        return _plain("boundary", text)
    if outcome is Outcome.PRECISION:
        text = (
            "A maximum was found and verified in twice the precision of float64, which does not hold its "
            "coefficients closely enough for fitted values."
        )
        return _plain("local", text)
    if outcome is Outcome.CONVERGED and fit.method != "ml":
        text = (
            f"The adjusted scores of method={fit.method!r} have a finite root, found here, whether or not "
            "rows are separated; it is not proved to be the only one."
        )
        return _plain("local", text)
    if outcome is Outcome.CONVERGED:
        return _of_interior(fit)
    return _of_nothing(fit)


def _plain(outcome: State, how: str) -> Existence:
    return Existence(outcome, how, {}, {}, (), NOWHERE)


def _of_nothing(fit: Fit) -> Existence:
    """Tell what can be told of a search that ended early."""
    said = f"The search ended early ({fit.outcome.value}), and nothing is proved."
    if fit.problem.sample is None:
        return _plain("unknown", said)
    if fit.outcome is Outcome.INFINITE and (levels := levels_of(fit.problem)):
        rows_apart = fit.problem.counting().row_ids[rows_of_levels(fit.problem)]
        how = "Columns are too many, or too different, for the limit: coefficients are unverified."
        return Existence("infinite", how, {}, {}, levels, np.sort(rows_apart), len(rows_apart))
    at = placed(fit.problem, fit.problem.counting(), fit.coordinates, fit.beta)
    rows = Rows(fit.problem.unit, at.executor, fit.coordinates)
    try:
        answer = recede(rows, np.ones(len(rows.ways), dtype=bool))
    except TooWideError:
        return _plain("unknown", said)
    if not (answer.settled and answer.found is None):
        return _plain("unknown", said)
    return _plain("unknown", f"{said} No direction separates the rows, so that is not what went wrong.")


def _of_interior(fit: Fit) -> Existence:
    """Tell how a maximum that was found is known to exist, and whether it is the only one."""
    unit = fit.problem.unit
    if (why := _by_the_unit(fit)) is not None:
        return _interior(fit, why)
    if fit.problem.sample is None:
        return _interior(fit, "the maximum was verified when the model was fitted")
    at = placed(fit.problem, fit.problem.counting(), fit.coordinates, fit.beta)
    if overlapping(at):
        return _interior(fit, "the scores at the maximum balance on every side (overlap), which proves it")
    rows = Rows(unit, at.executor, fit.coordinates)
    try:
        answer = recede(rows, np.ones(len(rows.ways), dtype=bool))
    except TooWideError:
        return _plain("unknown", "The search converged; there are too many columns to decide more.")
    if answer.settled and answer.found is None:
        return _interior(fit, "no direction separates the rows")
    return _plain("unknown", "The search converged, but whether rows are separated was not decided.")


def _by_the_unit(fit: Fit) -> str | None:
    """Say what the unit and lambda rho prove on their own, None where rows have to be looked at."""
    unit, sample = fit.problem.unit, fit.problem.sample
    lambda_rho = fit.trace[-1].lambda_rho if fit.trace else math.nan
    if not fit.rank:
        return "there is no coefficient, so nothing can run away"
    if bounded_bend(unit) and lambda_rho < 1.0:
        return f"lambda rho = {lambda_rho:.1g} is below 1, which proves it"
    if not anyone_may_run(unit):
        return "eta is bounded, so no coefficient can run away"
    if sample is not None and not np.any(np.abs(may_run(unit, fit.problem.counting().y)) == 1):
        return "the value of every row falls whichever way its eta runs"
    return None


def _interior(fit: Fit, why: str) -> Existence:
    unit = fit.problem.unit
    if unit.convex:
        return _plain("interior", f"A finite maximum exists and is the only one: {why}.")
    found = (
        f"A local maximum: with the {unit.link.name} link the likelihood is not concave, and other maxima "
        "are not ruled out"
    )
    sample = fit.problem.sample
    if sample is not None and anyone_may_run(unit) and falls_for_ever(unit, fit.problem.counting().y):
        return _plain("local", f"{found}. That a finite maximum exists is known: {why}.")
    return _plain("local", f"{found}; nor is it proved that the highest is finite.")


@dataclass(frozen=True, slots=True)
class _All:
    """Whether something holds, of all rows of several chunks."""

    holds: bool

    def __add__(self, other: _All) -> _All:
        return _All(self.holds and other.holds)


def overlapping(at: Placed) -> bool:
    """Prove at a point where the score nearly vanishes that no direction separates the rows.

    With the scores u_i, informations W_i >= 0 and H = X'WX, the numbers a_i = u_i - W_i x_i'H^-1 X'u satisfy
    X'a = 0 exactly. If each a_i of a row that may run one way has the sign of that way, no direction obeys
    every row and moves one of them (Stiemke 1915).
    """
    seen = at.executor.reduce(lambda chunk: _balance(chunk, at))
    factor = cholesky(at.coordinates.gram(seen.information))
    if factor is None:
        return False
    step = at.coordinates.raw(factor.solve(at.coordinates.gathered(seen.score)))

    def signed(chunk: Chunk) -> _All:
        score, information = _scores(chunk, at)
        moved = information * chunk.predictors[0].design.matvec(step)
        left, size = score - moved, np.abs(score) + np.abs(moved)
        return _All(bool(np.all(_on_side(may_run(at.unit, chunk.y), left, size))))

    return at.executor.reduce(signed).holds


def _on_side(ways: NDArray[np.int8], left: Array, size: Array) -> Mask:
    return np.asarray((np.abs(ways) != 1) | (ways * left > CLEAR * size))


@dataclass(frozen=True, slots=True, eq=False)
class _Balance:
    score: Array
    information: Any  # Gram

    def __add__(self, other: _Balance) -> _Balance:
        return _Balance(self.score + other.score, self.information + other.information)


def _scores(chunk: Chunk, at: Placed) -> tuple[Array, Array]:
    """Compute score and information of each row, all its copies together."""
    score, information = score_and_information(chunk, at)
    copies = 1.0 if chunk.weights.frequency is None else chunk.weights.frequency
    return copies * score, copies * np.where(np.isfinite(information), information, 0.0)


def _balance(chunk: Chunk, at: Placed) -> _Balance:
    score, information = _scores(chunk, at)
    design = chunk.predictors[0].design
    return _Balance(design.rmatvec(score), design.gram_parts(information))
