"""The likelihood in coordinates in which its information is near the identity, for columns nearly dependent.

A Gram squares the condition number of the columns: beyond 1e8 nothing is left of it. With R the triangle
of sqrt(W) X (TSQR) the columns of the rows z' = x' R^-1 are as good as orthogonal.

May import: everything below `objective`.
Read next: `etamu.fit.refine`, which climbs in these coordinates.
"""

from __future__ import annotations

import math
from functools import cached_property, partial

import numpy as np

from etamu._base import triangles
from etamu._base.facts import dataclass
from etamu._base.types import Array, Want
from etamu.design.blocks import Dense
from etamu.design.chunk import Chunk, Predictor
from etamu.design.design import Design
from etamu.design.gram import Gram
from etamu.objective.likelihood import Likelihood
from etamu.solve.factor import EPS
from etamu.solve.oracle import Before, Local
from etamu.sums import Largest, accumulate, etas


@dataclass(frozen=True, eq=False)
class Whitened(Before):
    """A likelihood as a function of gamma = R beta.

    Parameters
    ----------
    oracle : Likelihood
    triangle : array (size, size)
        R, upper triangular, of full rank.
    """

    oracle: Likelihood
    triangle: Array

    @property
    def dear(self) -> bool:
        """A few more passes are what these coordinates are for."""
        return False

    @property
    def wide(self) -> bool:
        """Rows are written out anyway."""
        return False

    @property
    def groups(self) -> None:
        """None: every coordinate mixes columns."""
        return None

    @property
    def breadth(self) -> float:
        """Inf: nobody has looked at rows in these coordinates."""
        return math.inf

    @cached_property
    def extent(self) -> Array:
        """Largest |z_ij| over the rows, in one pass."""
        return self.oracle.executor.reduce(lambda block: _Peak(_peak(self._rows(block)))).value

    def gamma(self, beta: Array) -> Array:
        """Return R beta."""
        return np.asarray(self.triangle @ beta)

    def beta(self, gamma: Array) -> Array:
        """Return R^-1 gamma."""
        return triangles.solved(self.triangle, gamma)

    def _rows(self, block: Chunk) -> Array:
        """Write rows out as x'R^-1."""
        rows = self.oracle.coordinates.rows(block.predictors[0].design)
        return np.ascontiguousarray(triangles.solved(self.triangle, rows.T, transposed=True).T)

    def _white(self, block: Chunk) -> Chunk:
        """Replace the columns of some rows."""
        design = Design((Dense((self._rows(block),)),), len(block))
        return Chunk(
            (Predictor(design, block.predictors[0].offset),),
            block.y,
            block.weights,
            block.row_ids,
            block.cluster,
        )

    def at(self, beta: Array, want: Want) -> Local:
        """Look at gamma; curvature is always float64 here."""
        if want & Want.CURVATURE:
            want = want & ~Want.CURVATURE | Want.OBSERVED
        if want & Want.EXPECTED:
            want |= Want.PEARSON
        unit = self.oracle.unit
        found = self.oracle.executor.reduce(lambda block: accumulate(self._white(block), beta, unit, want))
        expected, observed = _written(found.expected), _written(found.observed)
        scale = self.oracle.scale(found.value)
        return Local(found.value, scale, found.score, expected, observed, found.pearson)

    def along(self, beta: Array, step: Array, ts: Array) -> Array:
        """Return values at gamma + t step."""
        return self.oracle.along(self.beta(beta), self.beta(step), ts)

    def reach(self, beta: Array, step: Array) -> float:
        """Return the largest t that stays in the domain."""
        return self.oracle.reach(self.beta(beta), self.beta(step))

    def rounding(self, beta: Array) -> Array:
        """Return what rounding offsets, coefficients and their sums may do to each component of the score."""
        return self.oracle.executor.reduce(lambda block: _Sum(self._rounding(block, beta))).value

    def _rounding(self, block: Chunk, beta: Array) -> Array:
        predictor, total = block.predictors[0], block.weights.total()
        size = np.abs(self.oracle.coordinates.rows(predictor.design)) @ np.abs(beta)
        if predictor.offset is not None:
            size = size + np.abs(predictor.offset)
        with np.errstate(all="ignore"):
            eta = etas(block, self.oracle.coordinates.raw(beta))
            _, score, information = self.oracle.unit.bind(np, "expected")(block.y, eta)
            lost = EPS * (information * size + np.abs(score))
        lost = lost if total is None else lost * total
        return np.asarray(np.abs(self._rows(block)).T @ lost)

    def girth(self) -> float:
        """Return the largest z'z over the rows."""
        return self.oracle.executor.reduce(
            lambda block: Largest(float(np.square(self._rows(block)).sum(axis=1).max(initial=0.0)))
        ).value

    def longest(self, covariance: Array) -> float:
        """Return the largest z' covariance z over the rows."""
        return self.oracle.executor.reduce(partial(self._longest, covariance=covariance)).value

    def _longest(self, block: Chunk, covariance: Array) -> Largest:
        rows = self._rows(block)
        return Largest(
            float(np.einsum("ij,jk,ik->i", rows, covariance, rows, optimize=True).max(initial=0.0))
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Sum:
    """An array that adds."""

    value: Array

    def __add__(self, other: _Sum) -> _Sum:
        return _Sum(self.value + other.value)


@dataclass(frozen=True, slots=True, eq=False)
class _Peak:
    """Largest absolute values of columns; adding keeps the larger."""

    value: Array

    def __add__(self, other: _Peak) -> _Peak:
        return _Peak(np.maximum(self.value, other.value))


def _peak(rows: Array) -> Array:
    return np.asarray(np.abs(rows).max(axis=0, initial=0.0))


def _written(gram: Gram | Array | None) -> Array | None:
    """Write a Gram out, if it is kept by pairs of blocks."""
    return gram.dense() if isinstance(gram, Gram) else gram
