"""The bootstrap: the model fitted again to resampled rows, clusters, weights or responses.

May import: everything below `fit`.
Read next: `etamu.infer.bootstrap`, what is made of the replications.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.choice import check_choice
from etamu._base.errors import EtamuWarning, NotAvailableError, OptionError
from etamu._base.facts import dataclass
from etamu._base.types import Array, Want
from etamu.design.chunk import Chunk
from etamu.execute.blas import held
from etamu.execute.tasks import in_order
from etamu.execute.threads import Threads, available
from etamu.fit.caller import user_level
from etamu.fit.clusters import Clustering, by_cluster, ways_of
from etamu.fit.estimated import Reporting
from etamu.fit.placed import bread, leverages, placed, score_and_information
from etamu.fit.reduced import reduced
from etamu.fit.restrict import bench_of, whole
from etamu.fit.simulate import responses
from etamu.infer import bootstrap as formulas
from etamu.infer.bootstrap import Replicates
from etamu.infer.covariance import condition
from etamu.infer.robust import remaining
from etamu.infer.uniform import LARGEST_SEED, RESAMPLED, uniform
from etamu.solve.newton import newton
from etamu.solve.oracle import Outcome, Solution

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel, Model


SCHEMES = ("pairs", "cluster", "parametric", "fractional")

TOLERANCE = 1e-6
"""How far, in standard errors, a replication may stay from its maximum."""

LOST = 1e8
"""By how much the condition number may grow before a replication has lost a coefficient."""

LEAST = 0.5
"""The share of replications that must have a maximum."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """How rows are resampled.

    Parameters
    ----------
    scheme : str, optional
        "cluster" where clusters are given and "pairs" elsewhere, if left out.
    replications : int
    seed : int
    progress : bool
        Whether to count replications on stderr.
    """

    scheme: str | None = None
    replications: int = 1000
    seed: int = 0
    progress: bool = False


def resampling(options: Mapping[str, Any]) -> Resampling:
    """Read the options of a bootstrap.

    Raises
    ------
    OptionError
        If one is not known.
    """
    unknown = [name for name in options if name not in Resampling.__slots__]
    if unknown:
        known = ", ".join(Resampling.__slots__)
        raise OptionError(f"bootstrap has no option {unknown[0]!r}; it takes {known}")
    return Resampling(**options)


def bootstrap(fit: Model, cluster: Any, asked: Resampling) -> Model:
    """Return the fit with the covariance of its replications, which it carries along.

    Raises
    ------
    OptionError
        If an option is not known or does not go with the others.
    NotAvailableError
        If the fit carries no rows, the family no law to draw from, or few replications have a maximum.
    """
    made: Model = resampled(fit, cluster, asked, _replicates)
    return replace(made, kept_se=None, lags=None)


def resampled(
    fit: Any, cluster: Any, asked: Resampling, replicates_of: Callable[[Any, str, Resampling], Replicates]
) -> Any:
    """Return a fit of one predictor or of several with the covariance of its replications.

    Raises
    ------
    OptionError
        If an option is not known or does not go with the others.
    NotAvailableError
        If the fit has no verified maximum or carries no rows, or few replications have a maximum.
    """
    scheme = _checked(asked, cluster)
    if not fit.converged:
        raise NotAvailableError(f"there is no verified maximum to replicate. {fit.outcome.advice}")
    problem = fit.problem
    named, ways = ways_of(problem, cluster) if cluster is not None else ((), ())
    if len(ways) > 1:
        raise OptionError("the bootstrap resamples one way of clustering; give one column")
    sample = replace(problem.attached(), chunk=replace(problem.chunk, cluster=ways))
    options = replace(problem.options, covariance=None)
    fit = replace(fit, problem=replace(problem, sample=sample, options=options))
    replicates = replicates_of(fit, scheme, asked)
    _say_failures(replicates)
    clustering = None
    if ways:
        count = int(ways[0].max()) + 1
        clustering = Clustering(named, (count,), float(count - 1))
    return replace(
        fit,
        factor=formulas.spread(replicates.beta),
        covariance_kind="bootstrap",
        clustering=clustering,
        replicates=replicates,
    )


def _checked(asked: Resampling, cluster: Any) -> str:
    scheme = asked.scheme or ("pairs" if cluster is None else "cluster")
    check_choice("scheme", scheme, SCHEMES)
    if scheme == "cluster" and cluster is None:
        raise OptionError("scheme='cluster' needs clusters: give cluster='column', or one value per row")
    if scheme in {"pairs", "parametric"} and cluster is not None:
        raise OptionError(f"scheme={scheme!r} takes no clusters; choose 'cluster' or 'fractional'")
    for name, value, least, most in (
        ("replications", asked.replications, 2, 2**32 - 1),
        ("seed", asked.seed, 0, LARGEST_SEED),
    ):
        whole_number = type(value) is not bool and isinstance(value, (int, np.integer))
        if not whole_number or not least <= value <= most:
            raise OptionError(f"{name} is {value!r}; it is a whole number from {least} to {most}")
    return scheme


# --- replications ---


def _replicates(fit: FittedModel, scheme: str, asked: Resampling) -> Replicates:
    """Fit every replication, several at once; each depends on the seed and its number alone."""
    bench = bench_of(fit)
    start = whole(fit, bench)
    source = Source(fit.problem.unit.restricted, partial(responses, fit))
    altered = ALTERED[scheme](source, bench.chunk, asked.seed)
    information = fit.solution.local.expected
    usual = 1.0 if information is None else condition(information)

    def one(number: int) -> tuple[str, Array]:
        chunk = altered(number)
        again = replace(bench, executor=Threads(chunk, bench.executor.rows, 1))
        oracle = again.oracle(start.coordinates)
        if fit.problem.options.method == "ml":
            solution = newton(oracle, start.beta, tolerance=TOLERANCE)
        else:
            solution = reduced(fit.problem, chunk, oracle, start.beta)
        return ending(solution, usual), solution.beta

    return replicated(one, scheme, asked, fit.problem.options.threads, start.coordinates.size)


def replicated(
    one: Callable[[int], tuple[str, Array]], scheme: str, asked: Resampling, threads: int | None, size: int
) -> Replicates:
    """Collect replications by their numbers; `one` returns how each failed, "" if not, and its estimate."""
    found, failed = [], Counter[str]()
    with held():  # replications have the cores, a BLAS one of them
        for number, (ending, beta) in enumerate(
            in_order(one, range(asked.replications), threads or available())
        ):
            if ending:
                failed[ending] += 1
            else:
                found.append(beta)
            if asked.progress:
                _show(number + 1, asked.replications, sum(failed.values()))
    beta = np.array(found).reshape(len(found), size)
    return Replicates(scheme, asked.replications, asked.seed, beta, dict(failed))


def ending(solution: Solution, usual: float) -> str:
    """Say how a replication failed; empty where it has a maximum and every coefficient a say in it."""
    if solution.outcome is not Outcome.CONVERGED:
        return str(solution.outcome.value)
    information = solution.local.expected
    if information is None or not len(information):
        return ""
    undetermined = not np.all(np.diag(information) > 0.0) or condition(information) > LOST * usual
    return "undetermined" if undetermined else ""


def _show(done: int, total: int, failed: int) -> None:
    """Count on stderr, in one line that is written over."""
    if done % max(total // 100, 1) and done < total:
        return
    said = f", {failed} failed" if failed else ""
    sys.stderr.write(f"\rbootstrap: {done} of {total} replications{said}" + ("\n" if done == total else ""))
    sys.stderr.flush()


def _say_failures(replicates: Replicates) -> None:
    lost = sum(replicates.failed.values())
    if not lost:
        return
    how = ", ".join(f"{name} {count}" for name, count in sorted(replicates.failed.items()))
    message = f"{lost} of {replicates.asked} replications have no maximum ({how})"
    if len(replicates.beta) < max(2.0, LEAST * replicates.asked):
        raise NotAvailableError(
            f"{message}: the rows are too few for this scheme; try scheme='fractional', which drops no row, "
            "or a sandwich, with_covariance('HC3')"
        )
    warnings.warn(f"{message} and are left out", EtamuWarning, stacklevel=user_level())


# --- what is resampled ---

Alteration = Callable[[int], Chunk]
"""From the number of a replication to its rows."""


def _weighted(chunk: Chunk, copies: Array, *, restricted: bool) -> Chunk:
    """Give every row the number of its copies; rows without any stay, unless they could forbid an eta."""
    weights = replace(chunk.weights, frequency=copies)
    out = replace(chunk, weights=weights)
    return out.take(np.flatnonzero(copies > 0.0)) if restricted else out


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What resampling asks of a fit.

    Parameters
    ----------
    restricted : bool
        Whether a row that counts nothing could forbid an eta.
    draws : callable
        From a seed to what draws responses by the numbers of replications, (input rows, numbers).
    """

    restricted: bool
    draws: Callable[[int], Callable[[range], Array]]


def _pairs(source: Source, chunk: Chunk, seed: int) -> Alteration:
    """Draw as many observations as there are, with replacement; draw j is number j of the replication."""
    frequency, restricted = chunk.weights.frequency, source.restricted
    ends = None if frequency is None else np.cumsum(frequency)
    total = len(chunk) if ends is None else round(float(ends[-1]))
    draws = np.arange(total)

    def altered(number: int) -> Chunk:
        chosen = np.floor(uniform(seed, draws, range(number, number + 1), RESAMPLED)[:, 0] * total)
        if ends is not None:
            chosen = np.searchsorted(ends, chosen, side="right")
        copies = np.bincount(chosen.astype(np.intp), minlength=len(chunk)).astype(np.float64)
        return _weighted(chunk, copies, restricted=restricted)

    return altered


def _clusters(source: Source, chunk: Chunk, seed: int) -> Alteration:
    """Draw as many clusters as there are, with replacement."""
    codes, restricted = chunk.cluster[0], source.restricted
    count = int(codes.max()) + 1
    frequency = np.ones(len(chunk)) if chunk.weights.frequency is None else chunk.weights.frequency

    def altered(number: int) -> Chunk:
        u = uniform(seed, np.arange(count), range(number, number + 1), RESAMPLED)[:, 0]
        copies = np.bincount(np.floor(u * count).astype(np.intp), minlength=count)
        return _weighted(chunk, frequency * copies[codes], restricted=restricted)

    return altered


def _fractional(source: Source, chunk: Chunk, seed: int) -> Alteration:
    """Weigh every row, or cluster, by an exponential number: the weights of the Bayesian bootstrap.

    A row of k copies gets a gamma(k) number, the sum of k exponential ones. They are scaled to add up to the
    observations (Rubin 1981; Xu et al. 2020).
    """
    del source
    frequency = chunk.weights.frequency
    total = float(len(chunk)) if frequency is None else float(frequency.sum())
    codes = chunk.cluster[0] if chunk.cluster else None

    def altered(number: int) -> Chunk:
        draw = range(number, number + 1)
        if codes is not None:
            clusters = np.arange(int(codes.max()) + 1)
            weight = -np.log(uniform(seed, clusters, draw, RESAMPLED)[:, 0])[codes]
            weight = weight if frequency is None else weight * frequency
        else:
            weight = _gamma(uniform(seed, chunk.row_ids, draw, RESAMPLED)[:, 0], frequency)
        return _weighted(chunk, weight * (total / weight.sum()), restricted=False)

    return altered


def _gamma(u: Array, shape: Array | None) -> Array:
    """Turn uniform numbers into gamma ones of unit scale; exponential where no shape is given."""
    if shape is None:
        return np.asarray(-np.log(u))
    from scipy.special import gammainccinv

    return np.asarray(gammainccinv(shape, u))


def _parametric(source: Source, chunk: Chunk, seed: int) -> Alteration:
    """Draw responses from the fitted model: replication k is draw k of `simulate` with the same seed."""
    draw = source.draws(seed)

    def altered(number: int) -> Chunk:
        y = draw(range(number, number + 1))[chunk.row_ids, 0]
        return replace(chunk, y=(y, *chunk.y[1:]))

    return altered


ALTERED: dict[str, Callable[[Source, Chunk, int], Alteration]] = {
    "pairs": _pairs,
    "cluster": _clusters,
    "parametric": _parametric,
    "fractional": _fractional,
}


# --- intervals ---


def replicated_intervals(fit: FittedModel, level: float, method: str) -> Array:
    """Compute percentile, basic or BCa intervals of the coefficients, (names, 2).

    Raises
    ------
    NotAvailableError
        If the fit carries no replications, or BCa is asked of a parametric bootstrap.
    """
    values = replications(fit.replicates, fit.coordinates, method)
    assert fit.replicates is not None
    if method == "percentile":
        return formulas.percentile(values, level)
    if method == "basic":
        return formulas.basic(values, fit.coef, level)
    if fit.replicates.scheme == "parametric":
        raise NotAvailableError(
            "BCa takes its acceleration from rows or clusters that are resampled, and a parametric bootstrap "
            "resamples none: use method='percentile' or 'basic'"
        )
    return formulas.bca(values, fit.coef, _acceleration(fit), level)


def replications(replicates: Replicates | None, coordinates: Reporting, method: str) -> Array:
    """Return the replicated coefficients as they are reported, (replications, names).

    Raises
    ------
    NotAvailableError
        If there are none.
    """
    if replicates is None:
        raise NotAvailableError(
            f"method={method!r} needs replications: ask fit.with_covariance('bootstrap') first (a fit that "
            "was saved does not keep them)"
        )
    return coordinates.reported(replicates.beta.T).T


@dataclass(frozen=True, slots=True, eq=False)
class _Powers:
    """Sums of squares and cubes of influences, (p,)."""

    squares: Array
    cubes: Array

    def __add__(self, other: _Powers) -> _Powers:
        return _Powers(self.squares + other.squares, self.cubes + other.cubes)


def _acceleration(fit: FittedModel) -> Array:
    """Return a sixth of the skewness of each coefficient's influences, of rows or of clusters."""
    at = placed(fit.problem, fit.problem.counting(), fit.coordinates, fit.beta)
    inverse = bread(at, at.information(Want.EXPECTED))
    carry = fit.coordinates.reported(inverse.root.matrix)

    def powers(chunk: Chunk) -> _Powers:
        score, information = score_and_information(chunk, at)
        h = leverages(chunk, at, inverse, information)
        white = at.coordinates.rows(chunk.predictors[0].design) @ inverse.root.matrix
        influence = (white * (score * remaining(h, -1.0))[:, None]) @ carry.T
        copies = chunk.weights.frequency
        return _powers(influence, np.ones(len(chunk)) if copies is None else copies)

    chunk = at.executor.whole
    if chunk.cluster:
        batches = by_cluster(at, chunk.cluster[0], inverse, grams=False)
        parts = [_powers(batch.scores @ carry.T, np.ones(len(batch.scores))) for batch in batches]
        total = sum(parts[1:], start=parts[0])
    else:
        total = at.executor.reduce(powers)
    return formulas.acceleration(total.squares, total.cubes)


def _powers(influence: Array, copies: NDArray[Any]) -> _Powers:
    return _Powers(copies @ influence**2, copies @ influence**3)
