"""Estimates of reduced bias: adjusted scores solved, and the penalised likelihood behind them, if any.

May import: everything below `fit`.
Read next: `etamu.objective.adjusted` for the sums, `etamu.solve.balance` for the solver.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from etamu._base.errors import DataError, NotAvailableError, OptionError
from etamu._base.types import Array, Want
from etamu.design.coordinates import Coordinates
from etamu.family.bends import Penalty, bends
from etamu.fit.penalty import RULES, no_penalty, penalty_of
from etamu.fit.phi import Phi, estimated_phi
from etamu.fit.restrict import bench_of, whole
from etamu.objective.adjusted import LOOK, MANY, Adjusted, Penalised
from etamu.objective.likelihood import Likelihood
from etamu.solve.balance import balance
from etamu.solve.direction import FINAL
from etamu.solve.factor import cholesky
from etamu.solve.newton import newton
from etamu.solve.oracle import Local, Outcome, Solution
from etamu.sums import etas

if TYPE_CHECKING:
    from etamu.design.chunk import Chunk
    from etamu.fit.fitted import FittedModel
    from etamu.fit.problem import Problem

SHORTEST = 1.0 / 32.0
"""Share of a path below which it is given up."""
FARTHER = (2.0, 3.0, 4.0, 8.0)
"""Multiples of the maximum under Jeffreys' prior from which a root is looked for when paths are lost."""
WIDER = (
    "a larger model has another penalty, so the two likelihoods are not of one kind: fit the larger one and "
    "drop the term from it, fit.drop1() or fit.test('x = 0', kind='lr')"
)
"""Why likelihoods of two penalised fits are not compared."""


def refuse_unreduced(problem: Problem) -> None:
    """Refuse what has no bias to reduce in this sense.

    Raises
    ------
    OptionError
        Naming the method, what it lacks and the remedy.
    """
    method, family = problem.options.method, problem.unit.family
    if problem.chunk.weights.sampling is not None:
        raise OptionError(
            f"method={method!r} takes leverages from the information in the rows, and sampling weights "
            "state none: use frequency_weights or variance_weights, or method='ml'"
        )
    if method == "jeffreys" and not family.has_density:
        raise OptionError(
            f"method='jeffreys' penalises a likelihood, and {family.name} states a variance, not a density: "
            "method='firth' needs only the variance"
        )


def reduced(problem: Problem, chunk: Chunk, oracle: Likelihood, first: Array) -> Solution:
    """Solve the adjusted score equations of a problem from a first guess.

    Where they are the gradient of a penalised likelihood and phi is no unknown, that is climbed; else the
    equations themselves are balanced, phi solved for anew at every look.

    Returns
    -------
    Solution
        Its `local` is that of the likelihood itself at the estimate.

    Raises
    ------
    DataError
        If phi is needed and no degrees of freedom are left to estimate it.
    """
    unit, method = problem.unit, problem.options.method
    df = problem.nobs - oracle.size
    phi = partial(_phi_at, problem=problem, chunk=chunk, df=df)
    equations = Adjusted(oracle, unit, RULES[method], phi)
    penalty = penalty_of(unit, method)
    fixed = fixed_phi(problem)
    if penalty is not None and penalty.none:
        solution = newton(oracle, first)
    elif fixed is None and df <= 0 and method != "jeffreys":
        raise DataError(
            f"method={method!r} adjusts the score by phi, and no degrees of freedom are left to estimate it: "
            "give dispersion= a number"
        )
    elif penalty is not None and fixed is not None and oracle.size <= MANY and not oracle.dear:
        solution = newton(Penalised(oracle, equations, penalty, fixed), first)
    else:
        cheap = oracle.size <= MANY and not oracle.dear
        solution = balance(equations, first, differences=cheap)
        if cheap and solution.outcome is not Outcome.CONVERGED:
            solution = _led(equations, first, solution)
    return replace(solution, local=oracle.at(solution.beta, FINAL), passes=solution.passes + 1)


def _led(equations: Adjusted, first: Array, failed: Solution) -> Solution:
    """Follow the root from where it is known: from maximum likelihood, or from the maximum under a prior.

    On the first path the adjustment grows from nothing, on the second it is mixed with that of
    Jeffreys' prior. Where both are lost the root of few, separated rows is farther out than either end:
    it is looked for from there, the nearest first, as there may be several.
    """
    oracle = equations.oracle
    passes = failed.passes
    likeliest = newton(oracle, first)
    if likeliest.outcome is Outcome.CONVERGED:
        found = _followed(lambda way: replace(equations, amount=way), likeliest.beta)
        if found is not None:
            return replace(found, passes=passes + likeliest.passes + found.passes)
    local = oracle.at(first, Want.VALUE | Want.EXPECTED)
    phi = equations.phi(oracle.coordinates.raw(first), local)
    held = phi if math.isfinite(phi) and phi > 0.0 else 1.0
    jeffreys = Adjusted(oracle, equations.unit, "jeffreys", lambda *_: held)
    start = newton(Penalised(oracle, jeffreys, Penalty(0.5), held), first)
    if start.outcome is not Outcome.CONVERGED:
        return failed
    passes += start.passes
    found = _followed(lambda way: replace(equations, share=way), start.beta)
    for times in FARTHER if found is None else ():
        found = balance(equations, times * start.beta)
        if found.outcome is Outcome.CONVERGED:
            break
        passes, found = passes + found.passes, None
    return failed if found is None else replace(found, passes=passes + found.passes)


def _followed(equations: Callable[[float], Adjusted], beta: Array) -> Solution | None:
    """Go from one end of a path of equations to the other by steps that are halved where the way is lost."""
    way, stride, passes = 0.0, 1.0, 0
    while stride >= SHORTEST:
        ahead = min(way + stride, 1.0)
        solution = balance(equations(ahead), beta, limit=40)
        passes += solution.passes
        if solution.outcome is not Outcome.CONVERGED:
            stride /= 2.0
        elif ahead == 1.0:
            return replace(solution, passes=passes)
        else:
            beta, way = solution.beta, ahead
    return None


def unsolved(outcome: Outcome, method: str) -> str:
    """Say that the adjusted score equations were not solved, and what to do."""
    remedy = "another link or start=" if method == "jeffreys" else "method='jeffreys', which has a maximum"
    return (
        f"The adjusted score equations of method={method!r} were not solved ({outcome.value}): the estimate "
        f"is not to be trusted; few rows, separated, may have no such estimate with this link; try {remedy}"
    )


def instead(problem: Problem, method: str = "firth") -> Problem:
    """State the same problem for another method, such as one whose estimate is finite under separation.

    Examples
    --------
    >>> import etamu as em
    >>> fit = em.glm("y ~ x", {"y": [0, 1, 0, 1, 1], "x": [0.0, 1, 2, 3, 4]}, family="bernoulli")
    >>> fit.fitting(instead(fit.problem)).method
    'firth'
    """
    return replace(problem, options=replace(problem.options, method=method, solver="newton", start=None))


def fixed_phi(problem: Problem) -> float | None:
    """Return phi where it is known or given, None where it is estimated."""
    asked = problem.options.dispersion
    if asked is None:
        return 1.0 if problem.unit.family.dispersion_known else None
    return None if isinstance(asked, str) else float(asked)


def _phi_at(raw: Array, local: Local, problem: Problem, chunk: Chunk, df: int) -> float:
    chi2 = math.nan if local.beside is None else local.beside
    return estimated_phi(problem, chunk, raw, deviance=abs(2.0 * local.value), chi2=chi2, df=df).value


def refuse_unpenalised(fit: FittedModel, what: str) -> None:
    """Refuse a comparison of likelihoods where the estimate maximises none.

    Raises
    ------
    NotAvailableError
        Naming the method, the link and the remedy.
    """
    unit, method = fit.problem.unit, fit.problem.options.method
    if method == "ml":
        return
    if not unit.family.has_density:
        raise NotAvailableError(
            f"{what} compares likelihoods, and {unit.family.name} states a variance, not a density: under "
            f"method={method!r} use a Wald test"
        )
    if penalty_of(unit, method) is None:
        raise NotAvailableError(f"{what} compares penalised likelihoods. {no_penalty(unit, method)}")


def refuse_reduced(fit: FittedModel, what: str, why: str) -> None:
    """Refuse what a bias-reduced estimate does not allow.

    Raises
    ------
    NotAvailableError
        Saying why.
    """
    method = fit.problem.options.method
    penalty = penalty_of(fit.problem.unit, method)
    if penalty is None or not penalty.none:
        raise NotAvailableError(f"{what} is not for estimates by method={method!r}: {why}")


def penalty_value(problem: Problem, oracle: Likelihood, phi: Phi, solution: Solution) -> float:
    """Compute what the penalised log-likelihood adds at the estimate; NaN with none, or phi estimated.

    For Jeffreys' prior that is log det(X'WX / phi) / 2, in the coefficients as they are reported.
    """
    penalty = penalty_of(problem.unit, problem.options.method)
    expected = solution.local.expected
    if problem.options.method == "ml" or penalty is None or phi.estimated or expected is None:
        return math.nan
    factor = cholesky(expected)
    if factor is None or not problem.unit.family.has_density:
        return math.nan
    equations = Adjusted(oracle, problem.unit, "mean", lambda *_: phi.value)
    weight = Penalised(oracle, equations, penalty, phi.value).weight(solution.beta, factor)
    return weight + penalty.share * _reported_volume(oracle.coordinates, phi.value)


def working_shift(fit: FittedModel) -> Callable[[Chunk], Array]:
    """Return the function rows -> what the adjustment of the score adds to their working response.

    Row by row phi x'Mx (mu''/mu') / 2 for mean bias (Kosmidis and Firth 2009, section 5); median bias adds a
    combination of the columns.
    """
    unit, coordinates, phi = fit.problem.unit, fit.coordinates, fit.phi.value
    bench = bench_of(fit)
    oracle = bench.oracle(whole(fit, bench).coordinates)
    local = oracle.at(fit.beta, LOOK)
    factor = None if local.expected is None else cholesky(local.expected)
    if factor is None:
        raise NotAvailableError("the information is not positive definite, so there are no leverages")
    rule = RULES[fit.method]
    tilt = np.zeros(coordinates.size)
    if rule == "median":
        median, mean = (Adjusted(oracle, unit, each, lambda *_: phi) for each in ("median", "mean"))
        tilt = factor.solve(median.added(fit.beta, factor, local) - mean.added(fit.beta, factor, local))
    raw, towards = coordinates.raw(fit.beta), coordinates.raw(tilt)
    matrix = coordinates.raw_matrix(np.asarray(factor.inverse()))

    def shift(chunk: Chunk) -> Array:
        design, bend = chunk.predictors[0].design, bends(unit, etas(chunk, raw))
        along = 2.0 * bend.mean - bend.spread if rule == "jeffreys" else bend.mean
        return np.asarray(phi * (0.5 * design.quadratic(matrix) * along + design.matvec(towards)))

    return shift


def _reported_volume(coordinates: Coordinates, phi: float) -> float:
    """Return log det of the information of reported coefficients less that of working ones at phi = 1."""
    scales = coordinates.scale[coordinates.kept]
    return float(2.0 * np.log(scales).sum() - coordinates.size * math.log(phi))
