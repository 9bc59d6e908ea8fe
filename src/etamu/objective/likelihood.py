"""The likelihood as an oracle: a point in working coordinates in, sums over all rows out.

May import: everything below `objective`: executors, sums, units, coordinates, the oracle protocol.
Read next: `etamu.solve.oracle` for the questions, `etamu.fit.estimate` for who asks them.
"""

from __future__ import annotations

import math
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu import sums
from etamu._base.arrow import all_finite
from etamu._base.facts import dataclass, replace
from etamu._base.types import Array, Want
from etamu.design.coordinates import Coordinates, bound_of
from etamu.execute.executor import Executor
from etamu.solve.factor import Metric
from etamu.solve.oracle import Local
from etamu.sums import PerRow, Sums

LONG = 20
"""From so many columns on the length of the longest row tells more than the extent of each column."""


@dataclass(frozen=True, slots=True, eq=False)
class Steady:
    """An expected information that is the same at every eta, with what it is of."""

    executor: Executor
    unit: PerRow
    coordinates: Coordinates
    information: Any
    metric: Metric | None


@lru_cache(maxsize=64)
def _said(want: Want, *, single: bool) -> Want:
    """Ask for Pearson's statistic beside an expected information, for float64 unless float32 serves."""
    if want & Want.EXPECTED:
        want |= Want.PEARSON
    return want & ~Want.CURVATURE | Want.OBSERVED if want & Want.CURVATURE and not single else want


@dataclass(frozen=True, slots=True, eq=False)
class Likelihood:
    """Minus half the deviance as a function of working coefficients.

    Parameters
    ----------
    executor : Executor
    unit : PerRow
    coordinates : Coordinates
    extent : array (size,)
        Largest |x_ij| of each working column.
    df : float, optional
        Residual degrees of freedom by which a deviance is turned into an estimate of phi;
        None where phi is known to be 1.
    dear : bool
        Whether a pass costs more than the last few digits of the curvature are worth.
    single : bool
        Whether curvature for a step may be summed in float32.
    wide : bool
        Whether an information costs several times as much as a score.
    groups : integers (size,), optional
        A number per working column; of those with one number at most one is not 0 in a row.
    breadth : float
        A bound of the largest x'x over the rows, inf where nobody has looked.
    level : float
        What the values of the unit have too much: 0 where they are minus half the deviance.
    least : float
        The smallest phi that is told from 0. A fit that goes to perfection takes its own phi with it, and no
        step would ever be small beside that.
    steady : Steady, optional
        An expected information that no pass has to sum again.
    """

    executor: Executor
    unit: PerRow
    coordinates: Coordinates
    extent: Array
    df: float | None = None
    dear: bool = False
    single: bool = False
    wide: bool = False
    groups: NDArray[np.intp] | None = None
    breadth: float = math.inf
    least: float = 0.0
    level: float = 0.0
    steady: Steady | None = None

    @property
    def size(self) -> int:
        """Number of working coefficients."""
        return self.coordinates.size

    @property
    def concordance(self) -> float:
        """The bound c with |l'''| <= c |l''| of every row."""
        return self.unit.concordance

    @property
    def restricted(self) -> bool:
        """Whether eta has to stay inside an interval."""
        return not self.unit.domain.whole

    def sums(self, beta: Array, want: Want) -> Sums:
        """Pass over all rows; the sums are in working coordinates, but for the extent of raw columns."""
        raw = self.coordinates.raw(beta)
        total = self.executor.reduce(partial(sums.accumulate, beta=raw, unit=self.unit, want=want))
        gram = self.coordinates.gram
        expected = None if total.expected is None else gram(total.expected)
        same = total.observed is total.expected
        return Sums(
            total.value - self.level,
            None if total.score is None else self.coordinates.gathered(total.score),
            expected,
            expected if same else None if total.observed is None else gram(total.observed),
            None if total.meat is None else gram(total.meat),
            total.pearson,
            total.extent,
        )

    def at(self, beta: Array, want: Want) -> Local:
        """Evaluate what is wanted at a point, in one pass; an exact one brings Pearson's statistic beside."""
        want = _said(want, single=self.single)
        known = self._known()
        asked = want if known is None else self._less(want)
        total = self.sums(beta, asked)
        short = self.single and asked & Want.CURVATURE
        if short and np.isfinite(total.value) and not all_finite(total.observed):
            # A number too large for float32: float64 has room for it.
            total = self.sums(beta, asked & ~Want.CURVATURE | Want.OBSERVED)
        if known is None:
            return self._local(total)
        bent = want & (Want.OBSERVED | Want.CURVATURE)
        matrix = known.information
        total = replace(
            total,
            expected=matrix if want & Want.EXPECTED else None,
            observed=matrix if self.unit.canonical and bent else total.observed,
        )
        return self._local(total).knowing(matrix, known.metric)

    def _known(self) -> Steady | None:
        """Return the expected information, if it is known and of these very rows."""
        held = self.steady
        if held is None or held.executor is not self.executor or held.unit is not self.unit:
            return None
        return held if held.coordinates is self.coordinates else None

    def _less(self, want: Want) -> Want:
        """Leave out what follows from a known expected information."""
        bent = Want.OBSERVED | Want.CURVATURE
        return want & ~(Want.EXPECTED | bent) if self.unit.canonical else want & ~Want.EXPECTED

    def opened(self, beta: Array, want: Want) -> tuple[Local, Likelihood] | None:
        """Evaluate as `at` does, and learn in the same pass how far columns and rows reach.

        None where anything is not finite, or too large for float32.
        """
        if want & Want.CURVATURE and not self.single:
            want = want & ~Want.CURVATURE | Want.OBSERVED
        total = self.sums(beta, want | Want.EXTENT | (Want.GIRTH if self.size >= LONG else Want.EXTENT))
        wanted = [part for part in (total.score, total.observed) if part is not None]
        if total.extent is None or not np.isfinite(total.value) or not all(map(all_finite, wanted)):
            return None
        extent = bound_of(self.coordinates, total.extent[:-1])
        breadth = self.coordinates.stretch * float(total.extent[-1])
        return self._local(total), replace(self, extent=extent, breadth=breadth)

    def _local(self, total: Sums) -> Local:
        scale = self.scale(total.value)
        return Local(total.value, scale, total.score, total.expected, total.observed, total.pearson)

    def scale(self, value: float) -> float:
        """Estimate phi by deviance / df, or return 1 where it is known."""
        if self.df is None:
            return 1.0
        return max(-2.0 * value / max(self.df, 1.0), self.least)

    def along(self, beta: Array, step: Array, ts: Array) -> Array:
        """Evaluate the value at beta + t step for every t, in one pass."""
        start, direction = self.coordinates.raw(beta), self.coordinates.raw(step)
        values = self.executor.reduce(
            partial(sums.values_along, beta=start, step=direction, unit=self.unit, lengths=ts)
        )
        return values - self.level

    def reach(self, beta: Array, step: Array) -> float:
        """Find the largest t that keeps every eta in the closure of the domain."""
        if not self.restricted:
            return float("inf")
        start, direction = self.coordinates.raw(beta), self.coordinates.raw(step)
        return self.executor.reduce(partial(sums.reach, beta=start, step=direction, unit=self.unit)).value

    def girth(self) -> float:
        """Bound the largest x'x over all rows, in working coordinates."""
        if math.isfinite(self.breadth):
            return self.breadth
        return self.coordinates.stretch * self.executor.reduce(sums.girth).value

    def longest(self, covariance: Array) -> float:
        """Find the largest x_i' covariance x_i over all rows."""
        if not self.size:
            return 0.0
        raw = self.coordinates.raw_matrix(np.asarray(covariance))
        return self.executor.reduce(partial(sums.longest, matrix=raw)).value
