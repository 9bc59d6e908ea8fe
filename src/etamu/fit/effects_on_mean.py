"""Average effects on the mean, over the rows, where a link's own scale says little.

May import: everything below `fit`.
Read next: `etamu.fit.interpret`, which tells them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.fit.changes import level_etas
from etamu.fit.meaning import Meaning
from etamu.fit.rows import by_row, raw_beta
from etamu.sums import etas

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel


@dataclass(frozen=True, eq=False)
class MeanEffects:
    """What average effects need of the rows: eta with its offset, and how many units a row stands for.

    A row stands for its frequency times its sampling weight times its trials. Variance weights say how
    precise a row is, not how many it is, and do not enter; rows of weight 0 do not count.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0], "x": [0.0, 1.0, 2.0, 3.0]}
    >>> fit = em.glm("y ~ x", data, family="poisson", link="sqrt")
    >>> effects = MeanEffects(fit)
    >>> bool(np.isclose(effects.slope, np.mean(2 * fit.predict(kind="link"))))
    True
    """

    fit: FittedModel
    _rests: dict[int, Array] = field(default_factory=dict)

    @cached_property
    def eta(self) -> Array:
        """Eta of every row that counts."""
        beta = raw_beta(self.fit)
        return self._per_row(lambda chunk: etas(chunk, beta))

    @cached_property
    def share(self) -> Array:
        """The share of each of these rows in an average; the shares add up to 1."""
        units = self._per_row(units_of)
        return np.asarray(units / units.sum())

    @cached_property
    def slope(self) -> float:
        """The average of dmu/deta over the rows."""
        with np.errstate(all="ignore"):
            return float(self.share @ self.fit.problem.unit.mean(np, self.eta).d1)

    def average(self, meaning: Meaning) -> float:
        """Return the average effect on the mean of the change that a coefficient tells.

        For a unit of a number the average of dmu/deta times beta; for a doubling the average difference of
        the means before and after; for a level the average difference of mu between all rows at that level
        and all rows at what it is compared with.

        Parameters
        ----------
        meaning : Meaning
            Of an effect that meets no partner in an interaction.

        Returns
        -------
        float
            NaN where the change takes a row to where the link has no mean this family can have.
        """
        (change,) = meaning.changes
        delta = float(meaning.step * self.fit.coef[meaning.index])
        if change.slope:
            return delta * self.slope
        if change.level < 0:
            return self._mean(self.eta + delta) - self._mean(self.eta)
        schema = self.fit.problem.schema
        assert schema is not None
        # An aliased level has no coefficient: its column adds nothing.
        coefficients = self.fit.finite[meaning.columns]
        at_level = level_etas(schema.categorical(change.factor), coefficients)[change.level]
        rest = self._without(meaning.columns)
        return self._mean(rest + at_level) - self._mean(rest + (at_level - delta))

    def _mean(self, eta: Array) -> float:
        unit = self.fit.problem.unit
        if not np.all(unit.domain.contains(eta)):
            return float("nan")
        with np.errstate(all="ignore"):
            return float(self.share @ unit.mean(np, eta).mu)

    def _without(self, columns: slice) -> Array:
        """Return eta without what some reported columns add to it; the levels of a term share it."""
        if columns.start not in self._rests:
            self._rests[columns.start] = self.eta - self._contribution(columns)
        return self._rests[columns.start]

    def _contribution(self, columns: slice) -> Array:
        """Compute what some reported columns add to eta, row by row."""
        coordinates = self.fit.coordinates
        mine = (coordinates.kept >= columns.start) & (coordinates.kept < columns.stop)
        alone = np.where(mine, self.fit.beta, 0.0)
        beta = coordinates.raw(alone)
        # Working columns are shifted: give back what the shift has moved into the constant.
        kept = coordinates.kept[mine]
        moved = float(coordinates.shift[kept] @ coordinates.reported(self.fit.beta)[kept])
        return self._per_row(lambda chunk: etas(chunk, beta, offset=False)) + moved

    def _per_row(self, function: Callable[[Chunk], Array]) -> Array:
        """Compute one number per row that counts."""
        problem = self.fit.problem
        return np.asarray(by_row(self.fit, function)[problem.chunk.row_ids[problem.counted]])


def units_of(chunk: Chunk) -> Array:
    """Count the units each row stands for: frequency times sampling weight times trials."""
    weights = chunk.weights
    out = np.ones(len(chunk))
    for factor in (weights.frequency, weights.sampling, chunk.y[1] if len(chunk.y) > 1 else None):
        out = out if factor is None else out * factor
    return out
