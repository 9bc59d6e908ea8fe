"""Scores adjusted for bias: leverages times bends, summed block by block beside the likelihood.

May import: everything below `objective`: executors, sums, units, coordinates, the oracle protocol.
Read next: `etamu.solve.balance`, which finds where they are zero; `etamu.fit.reduced`, which asks.

With h the leverages of the W-weighted design, M = (X'WX)^-1 and the bends r = mu''/mu', s = V'mu'/V, the
score of beta at phi = 1 becomes U + phi A, with

    A = X'(h r) / 2                       mean bias (Firth 1993, Biometrika 80; Kosmidis and Firth 2009)
    A = X'(h (2r - s)) / 2                Jeffreys' prior, whose logarithm is log det X'WX / 2
    A = X'(h r) / 2 + X'WX b,             median bias (Kosmidis, Kenne Pagui and Sartori 2020),
        b_j = sum_i W_i (s_i/6 - r_i/2) (x_i'M_j)^3 / M_jj

where j runs over the coefficients as they are reported: the median of a combination is not that of its parts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from etamu._base.arrow import entries
from etamu._base.facts import dataclass
from etamu._base.types import Array, Want
from etamu.design.chunk import Chunk
from etamu.family.bends import Penalty, bends
from etamu.family.unit import Unit
from etamu.objective.likelihood import Likelihood
from etamu.solve.balance import Seen, slopes
from etamu.solve.factor import EPS, Metric, cholesky
from etamu.solve.oracle import Before, Local
from etamu.solve.search import finite
from etamu.sums import etas

MANY = 64
"""Up to so many coefficients the slopes of adjusted scores are taken by differences, one pass for each."""
STRIDE = 5.0
"""No step of balancing moves an eta farther."""
LOOK = Want.VALUE | Want.SCORE | Want.EXPECTED


@dataclass(frozen=True, slots=True, eq=False)
class Axes:
    """The reported coefficients seen from working coordinates: M_j of each, and M_jj.

    Parameters
    ----------
    raw : array (raw columns, size)
    lengths : array (size,)
    """

    raw: Array
    lengths: Array


def leverages(chunk: Chunk, unit: Unit, eta: Array, matrix: Array) -> tuple[Array, Array]:
    """Return W of each row with its weight, and W x'Mx, which is the sum of the leverages of its copies."""
    with np.errstate(all="ignore"):
        information = unit.bind(np, "expected")(chunk.y, eta)[2]
    total = chunk.weights.total()
    weight = np.asarray(information if total is None else information * total)
    return weight, weight * chunk.predictors[0].design.quadratic(matrix)


def adjustment(
    chunk: Chunk, raw: Array, unit: Unit, matrix: Array, jeffreys: float, axes: Axes | None = None
) -> Array:
    """Sum the adjustment of some rows: A over raw columns, followed by b where the axes are given.

    `jeffreys` is the share of Jeffreys' prior in A, the rest being for mean bias.
    """
    eta, design = etas(chunk, raw), chunk.predictors[0].design
    weight, h = leverages(chunk, unit, eta, matrix)
    bend = bends(unit, eta)
    score = design.rmatvec(0.5 * h * (bend.mean + jeffreys * (bend.mean - bend.spread)))
    if axes is None:
        return np.asarray(score)
    third = weight * (bend.spread / 6.0 - 0.5 * bend.mean)
    moments = np.empty(len(axes.lengths))
    for j, length in enumerate(axes.lengths):
        reach = design.matvec(np.ascontiguousarray(axes.raw[:, j]))
        moments[j] = third @ (reach * reach * reach) / length
    return np.concatenate([score, moments])


def slope_term(chunk: Chunk, raw: Array, unit: Unit, matrix: Array) -> Array:
    """Sum h log |mu'| / 2 over some rows."""
    eta = etas(chunk, raw)
    h = leverages(chunk, unit, eta, matrix)[1]
    with np.errstate(all="ignore"):
        logs = np.log(np.abs(unit.mean(np, eta).d1))
    return np.array([0.5 * float(h @ logs)])


@dataclass(frozen=True, slots=True, eq=False)
class Adjusted:
    """The adjusted scores as equations to be balanced.

    Parameters
    ----------
    oracle : Likelihood
    unit : Unit
    rule : "mean", "median" or "jeffreys"
    phi : callable
        (raw coefficients, what a pass saw) -> phi there.
    share : float
        Of the rule's own adjustment; the rest is that of Jeffreys' prior, from whose maximum, which there
        always is, a path leads to the root of another rule.
    amount : float
        How much of the adjustment is made: another path, from maximum likelihood.
    """

    oracle: Likelihood
    unit: Unit
    rule: str
    phi: Callable[[Array, Local], float]
    share: float = 1.0
    amount: float = 1.0

    @property
    def size(self) -> int:
        """Number of working coefficients."""
        return self.oracle.size

    @property
    def restricted(self) -> bool:
        """Whether eta has to stay inside an interval."""
        return self.oracle.restricted

    def reach(self, beta: Array, step: Array) -> float:
        """Find the largest t that keeps every eta in the closure of the domain."""
        return self.oracle.reach(beta, step)

    def room(self, step: Array) -> float:
        """Return the t at which some eta may have moved by `STRIDE`, where eta has a scale of its own."""
        if self.unit.link.concordance == 0.0:
            return float("inf")
        moved = float(self.oracle.extent @ np.abs(step))
        return STRIDE / moved if moved > 0.0 else float("inf")

    def at(self, beta: Array) -> Seen | None:
        """Look at a point, in two passes; None where there is nothing finite to see."""
        local = self.oracle.at(beta, LOOK)
        factor = cholesky(local.expected) if finite(local) and local.expected is not None else None
        if factor is None or local.score is None:
            return None
        phi = self.phi(self.oracle.coordinates.raw(beta), local)
        force = local.score + self.amount * phi * self.added(beta, factor, local)
        if not (np.all(np.isfinite(force)) and np.isfinite(phi)):
            return None
        # What rounding x'beta does to the score, all that is left of it where the fit is perfect.
        rounding = 256.0 * self.size * EPS**2 * float(np.abs(entries(local.expected)) @ beta**2)
        return Seen(force, factor, max(phi, 0.0), local.value, rounding)

    def added(self, beta: Array, factor: Metric, local: Local) -> Array:
        """Compute A, in working coordinates."""
        coordinates = self.oracle.coordinates
        inverse = np.asarray(factor.inverse())
        axes = self._axes(inverse) if self.rule == "median" else None
        rows = partial(
            adjustment,
            raw=coordinates.raw(beta),
            unit=self.unit,
            matrix=coordinates.raw_matrix(inverse),
            jeffreys=1.0 if self.rule == "jeffreys" else 1.0 - self.share,
            axes=axes,
        )
        total = self.oracle.executor.reduce(rows)
        width = len(total) - (0 if axes is None else self.size)
        out = coordinates.gathered(total[:width])
        if axes is None:
            return out
        moved = np.zeros(coordinates.layout.width)
        moved[coordinates.kept] = self.share * total[width:]
        return np.asarray(out + np.asarray(local.expected) @ coordinates.working(moved))

    def _axes(self, inverse: Array) -> Axes:
        coordinates = self.oracle.coordinates
        combinations = coordinates.hypothesis(np.eye(coordinates.layout.width)[coordinates.kept])
        towards = inverse @ combinations.T
        lengths = np.einsum("ij,ji->i", combinations, towards)
        return Axes(coordinates.raw(towards), lengths)


@dataclass(frozen=True, slots=True, eq=False)
class Penalised(Before):
    """The likelihood with the penalty whose gradient the adjustment is, phi held fixed: an oracle.

    The value is counted so that it is the likelihood's own where log det X'WX and the other term are as at
    `origin`; a difference of two values is a difference of penalised likelihoods times phi.

    Parameters
    ----------
    oracle : Likelihood
    equations : Adjusted
    penalty : Penalty
    phi : float
    origin : float
    """

    oracle: Likelihood
    equations: Adjusted
    penalty: Penalty
    phi: float
    origin: float = 0.0

    @property
    def concordance(self) -> float:
        """0: no bound is known; a penalised maximum exists in any case."""
        return 0.0

    @property
    def exact(self) -> bool:
        """Whether the slopes of the score are taken by differences."""
        return self.size <= MANY and not self.dear

    def at(self, beta: Array, want: Want) -> Local:
        """Look at a point, penalty included."""
        bent = bool(want & (Want.OBSERVED | Want.CURVATURE))
        asked = (want & ~(Want.OBSERVED | Want.CURVATURE) if self.exact else want) | LOOK
        local = self.oracle.at(beta, asked)
        factor = cholesky(local.expected) if finite(local) and local.expected is not None else None
        if factor is None or local.score is None:
            return Local(-np.inf, self.phi)
        added = 0.0 if self.penalty.none else self.equations.added(beta, factor, local)
        score = local.score + self.phi * added
        observed = local.observed
        if bent and self.exact:
            found = slopes(self._force, beta, score, factor)
            observed = None if found is None else -0.5 * (found + found.T)
        return Local(
            local.value + self.phi * (self.weight(beta, factor) - self.origin),
            self.phi,
            score,
            local.expected,
            observed,
            local.beside,
        )

    def weight(self, beta: Array, factor: Metric) -> float:
        """Compute the penalty itself, in working coordinates."""
        weight = self.penalty.share * factor.logdet
        if self.penalty.slopes:
            coordinates = self.oracle.coordinates
            rows = partial(
                slope_term,
                raw=coordinates.raw(beta),
                unit=self.equations.unit,
                matrix=coordinates.raw_matrix(np.asarray(factor.inverse())),
            )
            weight += float(self.oracle.executor.reduce(rows)[0])
        return weight

    def along(self, beta: Array, step: Array, ts: Array) -> Array:
        """Evaluate the penalised value at beta + t step for every t, one after the other."""
        out = np.full(len(ts), -np.inf)
        for i, t in enumerate(ts):
            there = beta + t * step
            local = self.oracle.at(there, Want.VALUE | Want.EXPECTED)
            usable = np.isfinite(local.value) and finite(local) and local.expected is not None
            factor = cholesky(local.expected) if usable and local.expected is not None else None
            if factor is not None:
                out[i] = local.value + self.phi * (self.weight(there, factor) - self.origin)
        return out

    def _force(self, beta: Array) -> Array | None:
        local = self.oracle.at(beta, LOOK)
        factor = cholesky(local.expected) if finite(local) and local.expected is not None else None
        if factor is None or local.score is None:
            return None
        if self.penalty.none:
            return local.score
        return np.asarray(local.score + self.phi * self.equations.added(beta, factor, local))
