"""The rows of a problem of several predictors as a cone of directions: each row makes one demand or more.

A row of class c among three demands that the scores of the two others rise no faster than its own; a demand
is a vector a of the k predictors, and a'(X_i d) >= 0. So a pair of a row and a demand is to
`solve.recession` what a row is for one predictor.

May import: everything below `vector`.
Read next: `etamu.family.cones` for the demands, `etamu.vector.limit` for what is done with the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from etamu import sums
from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.execute.threads import Threads
from etamu.family.cones import Cones
from etamu.fit.face import NARROW, SHORT, TooWideError, cleaned
from etamu.solve.aliases import doubts_of
from etamu.solve.factor import clearly_independent, independent_columns, triangle
from etamu.vector.stack import Stack

MOST = 50_000_000
"""Numbers in the demands of all rows, and in a triangle's rows, up to which a question is asked."""
BLOCK = 1 << 13
"""Pairs written out at a time."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Every demand of every row that counts, in the order of the kinds of rows.

    Parameters
    ----------
    cones : Cones
    executor : Threads
    stack : Stack
    moot : booleans (pairs,), optional
        Demands that nothing hangs on any more, as others of the same row have put it at its end.
    """

    cones: Cones
    executor: Threads
    stack: Stack
    moot: Mask | None = None

    def __post_init__(self) -> None:
        if len(self.executor.whole) * len(self.stack.parts) ** 2 > MOST or self.size > NARROW:
            raise TooWideError("there are too many rows and columns to ask every row what it demands")

    @property
    def size(self) -> int:
        """Number of working coordinates."""
        return self.stack.size

    @cached_property
    def _kinds(self) -> tuple[tuple[NDArray[np.intp], Array], ...]:
        """For each kind its rows and its inequalities."""
        kind, inequalities = self.cones
        return tuple((np.flatnonzero(kind == j), some) for j, some in enumerate(inequalities))

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        """The row of each pair."""
        return np.concatenate([np.repeat(rows, len(some)) for rows, some in self._kinds])

    @cached_property
    def demands(self) -> Array:
        """The demand of each pair, (pairs, k)."""
        return np.concatenate([np.tile(some, (len(rows), 1)) for rows, some in self._kinds])

    @cached_property
    def ways(self) -> NDArray[np.int8]:
        """What each pair demands: a'x'd >= 0, or nothing."""
        asked = np.ones(len(self.rows), dtype=np.int8)
        return asked if self.moot is None else np.where(self.moot, np.int8(2), asked)

    def _split(self, v: Array) -> Iterator[tuple[NDArray[np.intp], Array, Array]]:
        """Yield for each kind its rows, its inequalities, and what is given of its pairs, (rows, m)."""
        start = 0
        for rows, some in self._kinds:
            stop = start + len(rows) * len(some)
            yield rows, some, v[start:stop].reshape(len(rows), len(some))
            start = stop

    def etas(self, direction: Array) -> Array:
        """Compute X_i d, (rows, k)."""
        raw = self.stack.raw(direction)
        pieces: list[Array] = []
        self.executor.map(lambda chunk: sums.etas(chunk, raw, offset=False), pieces.append)
        return np.concatenate(pieces).reshape(-1, len(self.stack.parts))

    def of(self, eta: Array) -> Array:
        """Compute a'eta_i for every pair, from eta (rows, k)."""
        return np.concatenate([(eta[rows] @ some.T).ravel() for rows, some in self._kinds])

    def margins(self, direction: Array) -> Array:
        """Compute a'X_i d for every pair."""
        return self.of(self.etas(direction))

    def gathered(self, v: Array) -> Array:
        """Compute the sum of v_p X_i'a over the pairs."""
        score = np.zeros((len(self.executor.whole), len(self.stack.parts)))
        for rows, some, part in self._split(v):
            score[rows] = part @ some
        return self.stack.gathered(sums.spread_score(self.executor.whole, score))

    def some(self, rows: NDArray[np.intp]) -> Array:
        """Write some pairs out, (pairs, size)."""
        chunk, demands = self.executor.whole.take(self.rows[rows]), self.demands[rows]
        return np.concatenate(
            [
                part.rows(predictor.design) * demands[:, j : j + 1]
                for j, (predictor, part) in enumerate(zip(chunk.predictors, self.stack.parts, strict=True))
            ],
            axis=1,
        )

    def null_space(self, rows: Mask) -> tuple[Mask, Array]:
        """Return which coordinates earlier ones explain on some pairs, and the null vectors that say so."""
        if not rows.any():
            return np.ones(self.size, dtype=bool), np.eye(self.size)
        gram = self._gram(rows)
        if clearly_independent(gram):
            return np.zeros(self.size, dtype=bool), np.zeros((self.size, 0))
        doubts = doubts_of(gram)
        gone = np.zeros(self.size, dtype=bool)
        gone[doubts.doubtful] = True
        basis = cleaned(doubts.combinations())
        for _ in range(3):  # refined twice is enough, as in `independent_columns`
            moved = [np.where(rows, self.margins(vector), 0.0) for vector in basis.T]
            left = np.array([np.linalg.norm(each) for each in moved])
            if np.all(left <= SHORT * doubts.lengths[doubts.doubtful]):
                return gone, basis
            products = np.stack([self.gathered(each) for each in moved], axis=1)
            basis = cleaned(doubts.refined(basis, products))
        return self._triangular(rows)

    def _gram(self, rows: Mask) -> Array:
        """Sum X_i'a a'X_i over some pairs."""
        k = len(self.stack.parts)
        weight = np.zeros((len(self.executor.whole), k, k))
        for own, some, part in self._split(rows.astype(np.float64)):
            squares = (some[:, :, None] * some[:, None, :]).reshape(-1, k * k)
            weight[own] = (part @ squares).reshape(-1, k, k)
        return np.asarray(self.stack.gram(sums.spread_information(self.executor.whole, weight)))

    def _triangular(self, rows: Mask) -> tuple[Mask, Array]:
        """Decide on a triangle of the pairs, which has not squared the condition number."""
        place = np.flatnonzero(rows)
        if len(place) * self.size > MOST:
            raise TooWideError("there are too many rows to write out what they demand")
        upper = np.zeros((self.size, self.size))
        for start in range(0, len(place), BLOCK):
            upper = triangle(np.vstack([upper, self.some(place[start : start + BLOCK])]))
        gone = ~independent_columns(upper)
        basis = np.zeros((self.size, int(gone.sum())))
        if gone.any():
            basis[~gone] = -np.linalg.lstsq(upper[:, ~gone], upper[:, gone], rcond=None)[0]
            basis[gone] = np.eye(int(gone.sum()))
        return gone, cleaned(basis)
