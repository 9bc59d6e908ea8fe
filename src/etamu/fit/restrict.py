"""Smaller models on the same blocks: other coordinates, a warm start, and no row encoded again.

May import: everything below `fit`.
Read next: `etamu.fit.anova`, which asks for one fit per term.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from etamu import sums
from etamu._base.errors import NotAvailableError
from etamu._base.facts import dataclass
from etamu._base.later import later
from etamu._base.types import Array, Want
from etamu.design.chunk import Chunk, Predictor
from etamu.design.coordinates import Coordinates, describe, extent, standardised
from etamu.design.layout import Layout
from etamu.design.moments import Moments
from etamu.execute.threads import Threads
from etamu.family.unit import Unit
from etamu.fit.face import Rows
from etamu.fit.limit import limit_of
from etamu.fit.null import null_deviance
from etamu.fit.start import start
from etamu.infer.tests import rao
from etamu.objective.likelihood import Likelihood
from etamu.solve.factor import clearly_independent, independent_columns
from etamu.solve.newton import newton
from etamu.solve.oracle import Oracle, Outcome
from etamu.solve.restricted import Restricted

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel
    from etamu.fit.penalty import penalised, penalty_of
    from etamu.fit.problem import Problem
else:
    penalised = later("etamu.fit.penalty", "penalised")
    penalty_of = later("etamu.fit.penalty", "penalty_of")

Columns = tuple[int, ...]
"""Reported columns of a model, in order."""


@dataclass(frozen=True, slots=True, eq=False)
class Smaller:
    """A model over some of the reported columns.

    Parameters
    ----------
    columns : tuple of int
        Reported columns it was allowed, aliased ones included.
    bench : Bench
        Where it was fitted.
    coordinates : Coordinates
    beta : array (rank,)
        Working coefficients.
    deviance : float
        NaN where the model has no point at all.
    outcome : Outcome
    limit : bool
        Whether the deviance is the limit of a fit that has no finite maximum.
    """

    columns: Columns
    bench: Bench
    coordinates: Coordinates
    beta: Array
    deviance: float
    outcome: Outcome
    limit: bool = False

    @property
    def rank(self) -> int:
        """Number of its coefficients."""
        return self.coordinates.size

    @property
    def settled(self) -> bool:
        """Whether its maximum, or the supremum that is none, was verified."""
        return self.limit or self.outcome is Outcome.CONVERGED


@dataclass(frozen=True, slots=True, eq=False)
class Reduction:
    """A fit whose likelihood is penalised: models without some columns keep its penalty, over all columns.

    So a smaller model is a constraint on one and the same penalised likelihood (Heinze and Schemper 2002),
    and its deviance is that of the penalised likelihood, the penalty counted from its value at the fit.

    Parameters
    ----------
    method : str
    phi : float
        Held where the fit has it.
    kept : integers
        Reported columns that have a coefficient.
    peak : array (rank,)
        Working coefficients of the fit.
    root : array (rank, k)
        Root of their covariance.
    deviance : float
    """

    method: str
    phi: float
    kept: NDArray[np.intp]
    peak: Array
    root: Array
    deviance: float


@dataclass(frozen=True, eq=False)
class Bench:
    """The rows of a fit in shifted and scaled columns, ready for any of its columns to be left out.

    Parameters
    ----------
    unit : Unit
    layout : Layout
    executor : Threads
        Visits the rows that count, in shifted and scaled columns.
    full : Coordinates
        All reported columns, aliased ones included.
    moments : Moments
    warm : array (reported,)
        Working coefficients to start from, 0 where there is none.
    nobs : int
    independent : bool
        Whether every set of columns has full rank, as it has where no column was aliased.
    reduction : Reduction, optional
        The penalised fit that smaller models are constraints of; None under maximum likelihood.
    """

    unit: Unit
    layout: Layout
    executor: Threads
    full: Coordinates
    moments: Moments
    warm: Array
    nobs: int
    independent: bool
    reduction: Reduction | None = None

    @property
    def chunk(self) -> Chunk:
        """The rows that count."""
        return self.executor.whole

    @cached_property
    def unshifted(self) -> Bench:
        """The same rows with columns as they lie, for models in which the constant is no column."""
        layout = replace(self.layout, constant=None)
        plain = self.chunk.predictors[0]
        design, full = standardised(plain.design, layout, self.moments)
        chunk = replace(self.chunk, predictors=(Predictor(design, plain.offset),))
        executor = Threads(chunk, self.executor.rows, self.executor.threads)
        return replace(self, layout=layout, executor=executor, full=full, warm=np.zeros(layout.width))

    @cached_property
    def triangle(self) -> Array:
        """R with R'R = X'X over all reported columns, which decides aliases of any subset."""
        whole = partial(sums.triangle, coordinates=self.full, unit=None, beta=None)
        return self.executor.reduce(whole).factor

    def holding(self, columns: Columns) -> Bench:
        """Return the bench on which these columns are a model of their own."""
        constant = self.layout.constant
        if constant is None or not self.full.shift.any() or set(np.flatnonzero(constant)) <= set(columns):
            return self
        return self.unshifted

    def over(self, columns: Columns) -> Coordinates:
        """Keep some reported columns, less those that earlier ones explain."""
        chosen = np.asarray(columns, dtype=np.intp)
        if not self.independent and len(chosen):
            chosen = chosen[independent_columns(self.triangle[:, chosen])]
        kept = np.sort(chosen)
        return Coordinates(self.layout, kept, self.full.raw_shift, self.full.raw_scale)

    def oracle(self, coordinates: Coordinates) -> Likelihood:
        """State the likelihood over some columns."""
        df = None if self.unit.family.dispersion_known else float(self.nobs - coordinates.size)
        return Likelihood(self.executor, self.unit, coordinates, extent(coordinates, self.moments), df)

    def fit(self, columns: Iterable[int], warm: Smaller | None = None) -> Smaller:
        """Fit the model over some reported columns.

        Parameters
        ----------
        columns : integers
        warm : Smaller, optional
            A fit of a similar model to start from; the fit of the bench if left out.
        """
        wanted = tuple(columns)
        if self.reduction is not None:
            return self._constrained(wanted, self.reduction)
        place = self.holding(wanted)
        coordinates = place.over(wanted)
        if not coordinates.size:
            deviance = null_deviance(self.unit, place.chunk, place.executor, intercept=False)
            outcome = Outcome.CONVERGED
            if not math.isfinite(deviance):  # eta = offset has no mean under this link
                deviance, outcome = math.nan, Outcome.INFEASIBLE
            return Smaller(wanted, place, coordinates, np.zeros(0), deviance, outcome)
        oracle = place.oracle(coordinates)
        solution = newton(oracle, place.first(oracle, warm))
        limit = None
        if solution.outcome is Outcome.INFINITE:
            found = limit_of(Rows(place.unit, place.executor, coordinates), oracle, solution)
            solution, limit = found.solution, found.limit
        feasible = math.isfinite(solution.local.value)
        deviance = abs(2.0 * solution.local.value) if feasible else math.nan
        outcome = solution.outcome
        return Smaller(wanted, place, coordinates, solution.beta, deviance, outcome, limit is not None)

    def penalised(self, reduction: Reduction) -> Oracle:
        """State the penalised likelihood of a fit over all its columns."""
        coordinates = Coordinates(self.layout, reduction.kept, self.full.raw_shift, self.full.raw_scale)
        return penalised(self.oracle(coordinates), self.unit, reduction.method, reduction.phi, reduction.peak)

    def _constrained(self, wanted: Columns, reduction: Reduction) -> Smaller:
        """Maximise a penalised likelihood under coefficients of 0."""
        plain = self.over(wanted)
        gone = np.setdiff1d(reduction.kept, np.asarray(wanted, dtype=np.intp))
        full = Coordinates(self.layout, reduction.kept, self.full.raw_shift, self.full.raw_scale)
        if plain.size == full.size:
            return Smaller(wanted, self, plain, reduction.peak, reduction.deviance, Outcome.CONVERGED)
        if plain.size != full.size - len(gone):
            raise NotAvailableError(
                "aliased columns take over part of what is left out, so the smaller model is no constraint "
                "on the coefficients of this one: leave the aliased columns out of the formula, or use a "
                "Wald test"
            )
        rows = full.hypothesis(np.eye(self.layout.width)[gone])
        peak, root = reduction.peak, reduction.root
        nearest = peak - root @ np.linalg.lstsq(rows @ root, rows @ peak, rcond=1e-12)[0]
        basis = np.linalg.svd(rows / np.linalg.norm(rows, axis=1, keepdims=True))[2][len(gone) :].T
        flat = Restricted(self.penalised(reduction), nearest, basis)
        solution = newton(flat, np.zeros(flat.size))
        value = solution.local.value
        deviance = -2.0 * value if math.isfinite(value) else math.nan
        beta = np.delete(flat.lifted(solution.beta), np.searchsorted(reduction.kept, gone))
        return Smaller(wanted, self, plain, beta, deviance, solution.outcome)

    def first(self, oracle: Likelihood, warm: Smaller | None) -> Array:
        """Start where a similar model ended; where maxima may be several, where any fit starts."""
        full = self.warm
        if warm is not None and warm.bench is self:
            full = _spread(warm)
        beta = full[oracle.coordinates.kept]
        if self.unit.convex and np.any(beta) and _inside(oracle, beta):
            return beta
        return start(oracle, self.unit, self.chunk)

    def score_test(self, smaller: Smaller, columns: Iterable[int]) -> float:
        """Compute Rao's statistic of more columns at the maximum of a smaller model, at phi = 1.

        One pass at (beta-hat, 0): u' I^-1 u with the expected information over all columns.
        """
        place = smaller.bench
        coordinates = place.over(tuple(columns))
        if not coordinates.size or not smaller.settled:
            return math.nan
        beta = _spread(smaller)[coordinates.kept]
        total = place.oracle(coordinates).sums(beta, Want.SCORE | Want.EXPECTED)
        if total.score is None or total.expected is None:
            return math.nan
        return rao(total.score, total.expected)


def bench_of(fit: FittedModel) -> Bench:
    """Set up the rows of a fit, in the coordinates it was fitted in.

    Raises
    ------
    NotAvailableError
        If the fit carries no rows.
    """
    problem, shift, scale = fit.problem, fit.coordinates.raw_shift, fit.coordinates.raw_scale
    full = Coordinates(problem.layout, np.arange(problem.layout.width), shift, scale)
    warm = np.zeros(problem.layout.width)
    warm[fit.coordinates.kept] = fit.beta if fit.limit is None else fit.limit.near
    raw = problem.counting()
    predictor = raw.predictors[0]
    executor = _visited(problem, raw, Predictor(full.placed(predictor.design), predictor.offset))
    return Bench(
        unit=problem.unit,
        layout=problem.layout,
        executor=executor,
        full=full,
        moments=_moments(_visited(problem, raw, predictor)),
        warm=warm,
        nobs=problem.nobs,
        independent=not fit.aliased,
        reduction=_reduction(fit),
    )


def _reduction(fit: FittedModel) -> Reduction | None:
    """Return what a penalised fit asks of its smaller models; None where nothing is added."""
    method = fit.problem.options.method
    if method == "ml":
        return None
    penalty = penalty_of(fit.problem.unit, method)
    if penalty is None or penalty.none or fit.factor is None:
        return None
    root = fit.factor.matrix
    return Reduction(method, fit.phi.value, fit.coordinates.kept, fit.beta, root, fit.deviance)


def larger_bench(fit: FittedModel, predictor: Predictor, layout: Layout) -> Bench:
    """Set up the rows of a fit under a larger design whose first columns are those of the fit."""
    problem = fit.problem
    raw = problem.counting()
    kept = predictor if problem.counted.all() else predictor.take(np.flatnonzero(problem.counted))
    moments = _moments(_visited(problem, raw, kept))
    design, full = standardised(kept.design, layout, moments)
    executor = _visited(problem, raw, Predictor(design, kept.offset))
    known = np.zeros(layout.width)
    known[: problem.layout.width] = fit.finite
    gram = executor.reduce(lambda block: block.predictors[0].design.gram_parts(np.ones(len(block))))
    return Bench(
        unit=problem.unit,
        layout=layout,
        executor=executor,
        full=full,
        moments=moments,
        warm=full.working(known),
        nobs=problem.nobs,
        independent=clearly_independent(full.gram(gram)),
    )


def whole(fit: FittedModel, bench: Bench) -> Smaller:
    """Return the fit itself as the largest of its restricted models, without fitting anything."""
    columns = tuple(range(fit.problem.layout.width))
    kept = fit.coordinates.kept
    coordinates = Coordinates(bench.layout, kept, bench.full.raw_shift, bench.full.raw_scale)
    return Smaller(columns, bench, coordinates, fit.beta, fit.deviance, fit.outcome, fit.limit is not None)


def _visited(problem: Problem, chunk: Chunk, predictor: Predictor) -> Threads:
    """Visit the rows that count under a predictor, the way the fit visited them."""
    ready, options = replace(chunk, predictors=(predictor,)), problem.options
    rows = options.block_rows
    return Threads(ready, rows) if options.threads is None else Threads(ready, rows, options.threads)


def _moments(executor: Threads) -> Moments:
    return executor.reduce(lambda block: describe(block.predictors[0].design))


def _spread(smaller: Smaller) -> Array:
    full = np.zeros(smaller.coordinates.layout.width)
    full[smaller.coordinates.kept] = smaller.beta
    return full


def _inside(oracle: Likelihood, beta: Array) -> bool:
    return bool(np.isfinite(oracle.along(beta, beta * 0.0, np.zeros(1))[0]))
