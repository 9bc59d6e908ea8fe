"""What checks need of every row: numbers of the rows that count, never a matrix of them.

May import: everything below `fit`.
Read next: `etamu.fit.check`, which asks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.family.distribution import distribution
from etamu.fit.leverage import bread, lever
from etamu.fit.placed import placed
from etamu.fit.residual_kinds import residuals
from etamu.fit.rows import by_row, raw_beta
from etamu.sums import etas

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel


@dataclass(frozen=True, slots=True, eq=False)
class CheckRows:
    """Numbers per row that counts.

    Parameters
    ----------
    y, mu, complement, slope, eta : arrays (n,)
        Response (successes for trials), mean, 1 - mean, dmu / deta, eta.
    score, information : arrays (n,)
        Of one copy at precision 1, at phi = 1.
    leverage, pearson, studentised : arrays (n,)
    scores : array (n,), optional
        Quantile residuals, one for each observation, where the family states a law.
    trials, copies : arrays (n,), optional
    total : array (n,)
        Frequency times variance and sampling weight.
    zero, score_at_zero : arrays (n,), optional
        P(Y = 0) and the score of a zero, for counts.
    weighted, sampling : bool
        Whether there are variance or sampling weights; whether there are sampling weights.
    root : array (size, size)
        L with L L' the inverse information at phi = 1.
    ids : integers (n,)
        Positions in the input.
    """

    y: Array
    mu: Array
    complement: Array
    slope: Array
    eta: Array
    score: Array
    information: Array
    leverage: Array
    pearson: Array
    studentised: Array
    scores: Array | None
    trials: Array | None
    copies: Array | None
    total: Array
    zero: Array | None
    score_at_zero: Array
    weighted: bool
    sampling: bool
    root: Array
    ids: Any

    @property
    def copies_or_ones(self) -> Array:
        """How often each row counts."""
        return np.ones_like(self.mu) if self.copies is None else self.copies

    @property
    def count(self) -> int:
        """Number of observations."""
        return len(self.mu) if self.copies is None else round(float(self.copies.sum()))

    def label(self, fit: FittedModel, place: int) -> str:
        """Name a row: its position, and what the input calls it where that differs."""
        row = int(self.ids[place])
        table = fit.problem.table
        labels = None if table is None else table.labels(np.array([row]))
        return f"{row}" if labels is None or str(labels[0]) == str(row) else f"{row} ({labels[0]})"


def check_rows(fit: FittedModel, seed: int) -> CheckRows:
    """Compute what checks need, in a few passes."""
    problem, unit = fit.problem, fit.problem.unit
    beta, root = raw_beta(fit), bread(fit)
    leverage = lever(fit, root)
    counted = fit.family.name in {"poisson", "negative_binomial"}
    law = distribution(fit.family) if counted else None

    def numbers(chunk: Chunk) -> Array:
        eta = etas(chunk, beta)
        with np.errstate(all="ignore"):
            mean = unit.mean(np, eta)
            _, score, information = unit.bind(np, "expected")(chunk.y, eta)
            columns = [eta, mean.mu, mean.complement, mean.d1, score, information, leverage(chunk, eta)]
            if law is not None:
                nothing = tuple(np.zeros_like(column) for column in chunk.y)
                columns += [law.cdf(0.0, mean.mu), unit.bind(np, "expected")(nothing, eta)[1]]
        return np.stack(columns, axis=1)

    chunk = problem.counting()
    ids = chunk.row_ids
    columns = [column[ids] for column in by_row(fit, numbers).T]
    eta, mu, complement, slope, score, information, h = columns[:7]
    pearson = residuals(fit, "pearson")[ids]
    weights = chunk.weights
    total = weights.total()
    scores = None
    if fit.family.has_density and fit.phi.value > 0.0:
        scores = np.asarray(residuals(fit, "quantile", seed))[ids]
    return CheckRows(
        y=chunk.y[0],
        mu=mu,
        complement=complement,
        slope=slope,
        eta=eta,
        score=score,
        information=information,
        leverage=h,
        pearson=pearson,
        studentised=residuals(fit, "studentised")[ids] if scores is None else pearson,
        scores=scores,
        trials=chunk.y[1] if len(chunk.y) > 1 else None,
        copies=weights.frequency,
        total=np.ones(len(chunk)) if total is None else total,
        zero=columns[7] if law is not None else None,
        score_at_zero=columns[8] if law is not None else np.zeros(0),
        weighted=weights.variance is not None or weights.sampling is not None,
        sampling=weights.sampling is not None,
        root=root.matrix,
        ids=ids,
    )


def projected(fit: FittedModel, values: Array) -> Array:
    """Compute X'v over the rows that count, in working coordinates."""
    at = placed(fit.problem, fit.problem.counting(), fit.coordinates, fit.beta)
    whole = replace(at.executor.whole, y=(values,))
    block: Callable[[Chunk], Array] = lambda part: part.predictors[0].design.rmatvec(part.y[0])  # noqa: E731
    return fit.coordinates.gathered(replace(at.executor, whole=whole).reduce(block))
