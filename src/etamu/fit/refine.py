"""The last digits of an estimate whose columns are nearly dependent, and what to say about them.

Above a condition number of 1e3 the solver goes on in coordinates in which the columns are orthogonal
(`Whitened`), until rounding stops it; with precision="extended" it then steps by a score summed in twice the
precision, which is iterative refinement (Björck 1967, BIT 7; Demmel et al. 2009, ACM TOMS 35).

May import: everything below `fit`.
Read next: `etamu.fit.estimate`, which calls it.
"""

from __future__ import annotations

import math
import warnings
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from etamu import sums
from etamu._base import triangles
from etamu._base.arrow import Arrow, all_finite
from etamu._base.errors import ConvergenceWarning
from etamu._base.facts import dataclass, replace
from etamu._base.later import later
from etamu._base.listing import listed
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.design.coordinates import Coordinates
from etamu.fit.caller import user_level
from etamu.fit.edge import beside
from etamu.fit.placed import SQUARED_CONDITION
from etamu.fit.problem import Problem
from etamu.infer.covariance import ill_conditioned
from etamu.objective.likelihood import Likelihood
from etamu.solve.direction import FINAL
from etamu.solve.factor import Factor, Metric, cholesky
from etamu.solve.newton import newton
from etamu.solve.oracle import Outcome, Solution
from etamu.solve.stop import DECREMENT, TOLERANCE, measured, relative, remaining

if TYPE_CHECKING:
    from etamu.objective.extended import score as extended_score
    from etamu.objective.whitened import Whitened
else:
    extended_score = later("etamu.objective.extended", "score")
    Whitened = later("etamu.objective.whitened", "Whitened")

FINEST = 1e-15
"""Standard errors to which the climb goes on: until rounding stops it."""
STEEP = 1e6
"""Condition number from which a fit with many rows is refined as well."""
MANY = 300
"""Columns from which on rows written out are dear as well."""
MOST_COLUMNS = 2000
"""Columns beyond which rows are not written out unasked."""
WARN_CONDITION = 1e10
"""Above this condition number the estimate is said to be doubtful."""
FEW = 20_000
"""Numbers in the rows up to which the score of a delicate fit is summed in twice the precision unasked."""
PROVED = 1e-3
"""A lambda*rho this far below 1 proves that a finite maximum exists, nearer than 1e-3 of a row's eta."""
ROUNDED = 4.0
"""A step that is this many times as long as rounding makes one counts as rounding."""
STILL = 0.5
"""Most by which a step of rounding moves an eta; one that creeps to an infinite end moves it by 1."""
SHARE = 1e-2
"""The same of its distance from a finite end; far out, the square of this of its size."""
FALLEN = 1e-9
"""Share of its value that steps at the floor of rounding may lose, beside what rounding explains."""
MOST = 12
"""Steps by a score of twice the precision."""
TAKES_PART = 0.1
"""Share of the largest entry of a singular vector from which its column is named."""
NAMED = 8
"""Columns named in a warning."""
POLISHING = 4
"""Newton steps that may polish a climb which rounding of the value has stopped."""
CELLS = 200_000
"""Numbers in the rows up to which a second attempt is cheap."""
MOST_APART = 200
"""Most coefficients whose curvature is taken apart at every step."""
LOST = (Outcome.STALLED, Outcome.STATIONARY, Outcome.LIMIT, Outcome.INFEASIBLE)
"""Ends of a search that say nothing of the maximum."""
OPEN = (Outcome.CONVERGED, Outcome.STATIONARY, Outcome.STALLED, Outcome.LIMIT)
"""Outcomes that better arithmetic may change."""


@dataclass(frozen=True, slots=True, eq=False)
class Collinear:
    """How nearly dependent the columns are, and which of them take part.

    Parameters
    ----------
    condition : float
        Largest over smallest singular value of sqrt(W) X, its columns of length 1.
    names : tuple of str
    """

    condition: float
    names: tuple[str, ...]


def refined(problem: Problem, oracle: Likelihood, solution: Solution) -> Solution:
    """Improve an estimate where its columns are nearly dependent, or where that was asked for.

    Warns, naming them, where so nearly that few digits of the estimate mean anything.
    """
    asked = problem.options.precision == "extended"
    local = solution.local
    if not oracle.size or solution.outcome not in OPEN or local.expected is None:
        return solution
    if not all_finite(local.expected):
        return solution
    if oracle.size > MOST_COLUMNS and not asked:
        return solution
    large = oracle.dear or oracle.size > MANY
    delicate = _delicate(local.fisher, local.expected, STEEP if large else SQUARED_CONDITION)
    if not (asked or delicate):
        return solution
    triangle = _triangle(oracle, solution.beta)
    if triangle is None:
        return solution
    better = _refined(problem, oracle, Whitened(oracle, triangle), solution, delicate=delicate)
    _say(_as_they_came(oracle, collinear(oracle.coordinates, triangle)))
    return better


def _delicate(metric: Metric | None, information: Array | Arrow, beyond: float) -> bool:
    """Tell whether cond(X) is larger than a number; the factor of the information mostly says that not."""
    if isinstance(metric, Factor) and triangles.surely_within(metric.inverse_triangle, beyond):
        return False
    return ill_conditioned(information, beyond)


def _as_they_came(oracle: Likelihood, weighed: Collinear) -> Collinear:
    """Measure columns as they came where weights make them look dependent: light rows keep their digits."""
    plain = _triangle(oracle, None) if weighed.condition > WARN_CONDITION else None
    return weighed if plain is None else collinear(oracle.coordinates, plain)


def polished(oracle: Likelihood, chunk: Chunk, solution: Solution) -> Solution:
    """Step on by Newton from where rounding of the value stopped a climb, while that halves lambda.

    A line search sees no gain below the rounding of the value, which is of the order of lambda^2; the score
    tells lambda itself. A climb that arrived within the tolerance is left as it is.
    """
    if solution.outcome is not Outcome.CONVERGED or not oracle.size or chunk.cells > CELLS:
        return solution
    for _ in range(POLISHING):
        step, decrement = remaining(solution.local)
        if not relative(decrement, solution.local.scale) > TOLERANCE**2:
            break
        beta = solution.beta + step
        seen = oracle.at(beta, FINAL)
        held = no_lower(seen.value, solution, solution.local.scale)
        if not (held and remaining(seen)[1] < decrement / 4):
            break
        solution = replace(solution, beta=beta, local=seen, passes=solution.passes + 1)
    return solution


def in_doubt(oracle: Likelihood, chunk: Chunk, solution: Solution) -> bool:
    """Tell whether a climb over few rows did not arrive, or only rounding is said to have stopped it."""
    if not oracle.size or oracle.size > MOST_APART or chunk.cells > CELLS:
        return False
    if solution.outcome is Outcome.CONVERGED:
        return not measured(solution.local)
    return solution.outcome in LOST or beside(oracle, chunk, solution)


def in_question(solution: Solution) -> bool:
    """Tell whether a search came to nothing, or to an edge.

    A maximum nearer the edge than coefficients of float64 can tell is inside, and its value another one.
    """
    return solution.outcome is Outcome.BOUNDARY or solution.outcome in LOST


def uphill(oracle: Likelihood, start: Array) -> Solution | None:
    """Climb in orthogonal coordinates from the first step on, for columns of which a Gram sees no difference.

    None where even their triangle sees none.
    """
    triangle = None if oracle.size > MANY else _triangle(oracle, None)
    if triangle is None:
        return None
    whitened = Whitened(oracle, triangle)
    found = newton(whitened, whitened.gamma(start))
    beta = whitened.beta(found.beta)
    seen = oracle.at(beta, FINAL)
    if not np.isfinite(seen.value):
        return None
    return Solution(beta, seen, found.outcome, found.steps, found.passes + 1)


def _refined(
    problem: Problem, oracle: Likelihood, whitened: Whitened, solution: Solution, *, delicate: bool
) -> Solution:
    found = newton(whitened, whitened.gamma(solution.beta), tolerance=FINEST) if delicate else solution
    beta = whitened.beta(found.beta) if delicate else solution.beta
    if problem.options.precision == "extended" or len(problem.chunk) * oracle.size <= FEW:
        beta = _extended(problem, oracle, whitened, beta)
    seen = oracle.at(beta, FINAL)
    few = len(problem.chunk) * oracle.size <= FEW and solution.outcome is not Outcome.CONVERGED
    # The way to orthogonal coordinates and back may cost more than was gained.
    if not no_lower(seen.value, solution, solution.local.scale):
        return (_at_floor(oracle, solution) if few else None) or solution
    kept = solution.outcome if found.outcome in {Outcome.STALLED, Outcome.LIMIT} else found.outcome
    if found.outcome in {Outcome.INFINITE, Outcome.STALLED} and _proved(found):
        kept = Outcome.CONVERGED  # rounding kept lambda*rho from falling further: the maximum is there
    steps = solution.steps + (found.steps if delicate else ())
    passes = solution.passes + (found.passes if delicate else 0) + 1
    better = Solution(beta, seen, kept, steps, passes)
    few = few and kept is not Outcome.CONVERGED
    return (_at_floor(oracle, better) if few else None) or better


def no_lower(value: float, before: Solution, slack: float) -> bool:
    """Tell whether a value is no lower than that of a solution but for its last digits, and some slack.

    The slack is what rounding may change the value by, or one standard error where only the score tells.
    """
    known = before.local.value
    return not (math.isnan(value) or value < known - FALLEN * abs(known) - max(0.0, slack))


def _at_floor(oracle: Likelihood, solution: Solution) -> Solution | None:
    """Step by Newton whatever the value says, until rounding explains every component of the step.

    Where weights differ by 1e60 rounding in the heaviest rows is larger than the whole value of the others:
    the value tells nothing any more, but of components that are orthogonal where they are looked at each has
    its own floor.
    """
    beta = solution.beta
    for step in range(1, MOST + 1):
        triangle = _triangle(oracle, beta)
        if triangle is None:
            return None
        whitened = Whitened(oracle, triangle)
        local = whitened.at(whitened.gamma(beta), FINAL)
        if not np.isfinite(local.value) or local.expected is None or local.score is None:
            return None
        metric = local.metric or cholesky(local.expected)
        if metric is None:
            return None
        move, lost = metric.solve(local.score), metric.solve(whitened.rounding(beta))
        size = TOLERANCE * np.sqrt(max(local.scale, 0.0)) + ROUNDED * np.abs(lost)
        step_in_beta = whitened.beta(move)
        if (
            local.metric is not None
            and np.all(np.abs(move) <= size)
            and not _creeps(oracle, beta, step_in_beta)
        ):
            seen = oracle.at(beta, FINAL)
            noise = ROUNDED**2 * float(whitened.rounding(beta) @ np.abs(lost))
            fallen = solution.local.value - seen.value - noise
            if not (np.isfinite(seen.value) and fallen <= FALLEN * abs(solution.local.value)):
                return None
            passes = solution.passes + 3 * step + 1
            return replace(solution, beta=beta, local=seen, outcome=Outcome.CONVERGED, passes=passes)
        beta = beta + step_in_beta
    return None


def _creeps(oracle: Likelihood, beta: Array, step: Array) -> bool:
    """Tell whether a step moves some eta as far as one that creeps to an end of eta does.

    Toward an infinite end it moves by 1 if the tail is exponential, else by a share of its own size.
    """
    if oracle.concordance > 0.0:
        return math.sqrt(oracle.longest(np.multiply.outer(step, step))) > STILL
    raw, moved, domain = oracle.coordinates.raw(beta), oracle.coordinates.raw(step), oracle.unit.domain
    far: list[bool] = []

    def look(chunk: Chunk) -> bool:
        eta, change = sums.etas(chunk, raw), np.abs(sums.etas(chunk, moved, offset=False))
        gap = np.minimum(eta - domain.lower, domain.upper - eta)
        room = np.where(np.isfinite(gap), SHARE * gap, np.maximum(STILL, SHARE**2 * np.abs(eta)))
        return bool(np.any(change > room))

    oracle.executor.map(look, far.append)
    return any(far)


def _proved(found: Solution) -> bool:
    """Tell whether the last step shows that a finite maximum exists, and no distance from it but rounding."""
    if not found.steps:
        return False
    last = found.steps[-1]
    return last.lambda_rho <= PROVED and relative(last.decrement, found.local.scale) <= DECREMENT


def _triangle(oracle: Likelihood, beta: Array | None) -> Array | None:
    """Triangularise sqrt(W) X at an estimate, X without one; None where it is of no full rank."""
    raw = None if beta is None else oracle.coordinates.raw(beta)
    unit = None if beta is None else oracle.unit
    rows = partial(sums.triangle, coordinates=oracle.coordinates, unit=unit, beta=raw)
    factor = oracle.executor.reduce(rows).factor
    usable = np.all(np.isfinite(factor)) and np.all(np.diag(factor) > 0)
    return factor if usable else None


def _extended(problem: Problem, oracle: Likelihood, whitened: Whitened, beta: Array) -> Array:
    """Step by a score of twice the precision while that brings the estimate nearer."""
    executor = oracle.executor.over(problem.counting())
    metric = whitened.at(whitened.gamma(beta), FINAL).metric
    if metric is None:
        return beta
    best, shortest = beta, np.inf
    for _ in range(MOST):
        found = executor.reduce(
            partial(extended_score, beta=beta, unit=problem.unit, coordinates=oracle.coordinates)
        )
        score = oracle.coordinates.gathered(found.hi) + oracle.coordinates.gathered(found.lo)
        white = triangles.solved(whitened.triangle, score, transposed=True)
        step = metric.solve(white)
        with np.errstate(over="ignore"):  # a step without a length is no shorter one
            length = float(np.linalg.norm(step))
        if not length < shortest:
            break
        best, shortest = beta, length
        if length == 0.0:
            break
        beta = beta + whitened.beta(step)
    return best


def collinear(coordinates: Coordinates, triangle: Array) -> Collinear:
    """Measure how nearly the columns of a triangle depend on each other, and name those that do."""
    lengths = np.linalg.norm(triangle, axis=0)
    _, values, vectors = np.linalg.svd(triangle / lengths)
    number = float(values[0] / values[-1]) if values[-1] > 0 else np.inf
    # What each column as it came adds to the combination that nearly vanishes.
    combination = coordinates.reported(vectors[-1] / lengths)
    size = np.hypot(coordinates.shift, coordinates.scale)
    return Collinear(number, _names(coordinates, np.abs(combination * size)[coordinates.kept]))


def _names(coordinates: Coordinates, shares: Array) -> tuple[str, ...]:
    """Name the columns with the largest shares, in their own order."""
    chosen = np.flatnonzero(shares >= TAKES_PART * shares.max())
    most = np.sort(chosen[np.argsort(-shares[chosen], kind="stable")][:NAMED])
    return tuple(coordinates.layout.names[coordinates.kept[j]] for j in most)


def _say(found: Collinear) -> None:
    if found.condition <= WARN_CONDITION:
        return
    digits = max(0, int(16 - np.log10(min(found.condition, 1e16))))
    message = (
        f"the columns {listed(found.names)} are nearly collinear (condition number "
        f"{found.condition:.1e}): the rounding of the data alone leaves about {digits} digits of their "
        "coefficients; drop or combine some of them, or use orthogonal ones such as poly()"
    )
    warnings.warn(message, ConvergenceWarning, stacklevel=user_level())
