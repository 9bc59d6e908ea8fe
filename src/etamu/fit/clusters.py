"""Clusters: how they are given, and the sums over the rows of each.

May import: everything below `fit`.
Read next: `etamu.infer.clusters`, what is made of the sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial, reduce
from itertools import combinations, pairwise
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.errors import DataError
from etamu._base.facts import dataclass
from etamu._base.listing import listed
from etamu._base.types import Array
from etamu.data.column import Column
from etamu.data.frame import Frame, bare_rows
from etamu.design.blocks import Coded
from etamu.design.chunk import Chunk
from etamu.design.design import Design
from etamu.execute.threads import Threads
from etamu.fit.placed import Bread, Placed, score_and_information, visits, whitened
from etamu.fit.problem import Problem
from etamu.infer.clusters import POWERS, ByCluster, Spectra, Spread, adjusted, spectra, spread

KEPT = 2**20
"""Numbers of per-cluster sums worked on at once: 8 MB, and as much for each of the steps made of them."""

HELD = 4
"""So many times more numbers are held from one question about degrees of freedom to the next."""

LEAST = 1024
"""Rows that are written out together, at least."""

SLICE = 64
"""Clusters that are looked at together for many contrasts, at least."""

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """By what a covariance was clustered, kept with the fit.

    Parameters
    ----------
    names : tuple of str
        The columns, "<array>" where an array was given.
    counts : tuple of int
        Number of clusters each way.
    df : array (names of the coefficients,) or float
        Reference degrees of freedom of each coefficient, or of every contrast.
    """

    names: tuple[str, ...]
    counts: tuple[int, ...]
    df: Array | float


def ways_of(problem: Problem, cluster: Any) -> tuple[tuple[str, ...], tuple[Codes, ...]]:
    """Read what `cluster=` was given, as codes over the complete rows, -1 in rows that do not count.

    Raises
    ------
    FormulaError
        If there is no such column.
    DataError
        If an array has another length than the input, a value is missing, or there is one cluster only.
    """
    frame = problem.table if problem.table is not None else bare_rows(problem.input_rows)
    names, codes = [], []
    for value in _several(frame, cluster):
        column = frame.keyword("cluster", value)
        name = value if isinstance(value, str) else "<array>"
        names.append(name)
        codes.append(_codes(problem, column, name))
    return tuple(names), tuple(codes)


def _several(frame: Frame, cluster: Any) -> tuple[Any, ...]:
    """Tell several ways of clustering from one: a tuple or list of column names or of arrays."""
    if not isinstance(cluster, (tuple, list)) or not len(cluster):
        return (cluster,)
    if all(isinstance(way, str) for way in cluster):
        named = all(way in frame.names for way in cluster)
        return tuple(cluster) if named or len(cluster) != len(frame) else (cluster,)
    return tuple(cluster) if all(hasattr(way, "__len__") for way in cluster) else (cluster,)


def _codes(problem: Problem, column: Column, name: str) -> Codes:
    rows, counted = problem.chunk.row_ids, problem.counted
    used = rows[counted]
    label = "cluster" if name == "<array>" else f"cluster {name!r}"
    if column.missing is not None and column.missing[used].any():
        lost = used[column.missing[used]]
        places = listed([str(each) for each in lost.tolist()], 5)
        raise DataError(
            f"{label} is missing in {len(lost)} of the {len(used)} rows used (row {places}): fill it in, or "
            "fit without these rows"
        )
    out = np.full(len(rows), -1, dtype=np.int64)
    levels, out[counted] = np.unique(column.values[used], return_inverse=True)
    if len(levels) < 2:
        raise DataError(f"{label} has one cluster only; a clustered covariance needs two or more")
    return out


def crossed(ways: tuple[Codes, ...]) -> Iterator[tuple[int, Codes]]:
    """Yield sign and codes of every intersection of ways, for inclusion and exclusion.

    Each pair of rows that shares a cluster in some way is then counted once (Cameron, Gelbach and
    Miller 2011).
    """
    for size in range(1, len(ways) + 1):
        for chosen in combinations(ways, size):
            yield (-1) ** (size + 1), reduce(_cells, chosen)


def _cells(left: Codes, right: Codes) -> Codes:
    cell = left * (int(right.max(initial=0)) + 1) + right
    return np.asarray(np.unique(cell, return_inverse=True)[1], dtype=np.int64)


def by_cluster(at: Placed, codes: Codes, inverse: Bread, *, grams: bool) -> Iterator[ByCluster]:
    """Sum whitened scores, and information if wanted, over each cluster; every cluster comes once, whole.

    Every row is visited once. Where all sums would be too large to hold, clusters come in batches.

    Parameters
    ----------
    at : Placed
        Its rows are those that count.
    codes : integers (rows,)
        0, ..., G - 1.
    """
    size, count = at.coordinates.size, int(codes.max(initial=-1)) + 1
    function = partial(_informed if grams else _scored, at=at, inverse=inverse)
    most = max(1, KEPT // max(1, size * (size + 1) if grams else size))
    whole = replace(at.executor.whole, cluster=(codes,))
    asked = visits(at.problem.options)
    if grams:  # these rows are written out
        asked = {"rows": max(LEAST, KEPT // (2 * max(1, size)))} | asked
    if count <= most:
        yield Threads(whole, **asked).reduce(function)
        return
    batch = codes // most
    order = np.argsort(batch, kind="stable")
    ends = np.searchsorted(batch[order], np.arange(0, -(-count // most) + 1))
    for start, stop in pairwise(ends.tolist()):
        rows = whole.take(order[start:stop])
        yield Threads(rows, **asked).reduce(function)


def _scored(chunk: Chunk, at: Placed, inverse: Bread) -> ByCluster:
    keys, local = np.unique(chunk.cluster[0], return_inverse=True)
    score, _ = score_and_information(chunk, at)
    design = chunk.predictors[0].design
    indicator = Design((Coded(local, len(keys)),), len(chunk))
    sums = at.coordinates.gathered(design.cross(indicator, _copies(chunk, score))).T
    return ByCluster(keys, sums @ inverse.root.matrix)


def _informed(chunk: Chunk, at: Placed, inverse: Bread) -> ByCluster:
    order = np.argsort(chunk.cluster[0], kind="stable")
    keys, starts = np.unique(chunk.cluster[0][order], return_index=True)
    score, information = score_and_information(chunk, at)
    # Whitened row by row: a Gram of ill-conditioned columns would lose what I - T_g is made of.
    white = whitened(chunk, at, inverse)[order]
    scores = np.add.reduceat(white * _copies(chunk, score)[order, None], starts, axis=0)
    white *= np.sqrt(_copies(chunk, information))[order, None]
    stops = [*starts[1:].tolist(), len(order)]
    grams = np.empty((len(keys), white.shape[1], white.shape[1]))
    for place, (start, stop) in enumerate(zip(starts.tolist(), stops, strict=True)):
        grams[place] = white[start:stop].T @ white[start:stop]
    return ByCluster(keys, scores, grams)


def _copies(chunk: Chunk, values: Array) -> Array:
    frequency = chunk.weights.frequency
    return values if frequency is None else values * frequency


def plain_meat(at: Placed, codes: Codes, inverse: Bread) -> Array:
    """Sum z_g z_g' of the whitened scores of the clusters."""
    return sum(
        (batch.scores.T @ batch.scores for batch in by_cluster(at, codes, inverse, grams=False)),
        start=np.zeros((at.coordinates.size,) * 2),
    )


def adjusted_meat(at: Placed, codes: Codes, inverse: Bread, kind: str) -> Array:
    """Sum the squares of the adjusted scores of CR2 or CR3."""
    total = np.zeros((at.coordinates.size,) * 2)
    for batch in _spectra(at, codes, inverse):
        scores = adjusted(batch, POWERS[kind])
        total += scores.T @ scores
    return total


def _spectra(at: Placed, codes: Codes, inverse: Bread) -> Iterator[Spectra]:
    for batch in by_cluster(at, codes, inverse, grams=True):
        assert batch.grams is not None
        yield spectra(batch.scores, batch.grams)


@dataclass(frozen=True, slots=True, eq=False)
class Satterthwaite:
    """Degrees of freedom of CR2 for any contrast.

    Parameters
    ----------
    at : Placed
    codes : integers (rows,)
    inverse : Bread
    held : tuple of Spectra, optional
        The spectra of all clusters, where they are few enough to be held.
    """

    at: Placed
    codes: Codes
    inverse: Bread
    held: tuple[Spectra, ...] | None = None

    def df(self, contrasts: Array) -> Array:
        """Return the degrees of freedom of rows c over the working coefficients, (m, p), one each."""
        white = contrasts @ self.inverse.root.matrix
        size = max(1, white.shape[1])
        step = max(1, KEPT // (size * max(size, SLICE)))
        parts = [self._spread(white[start : start + step]) for start in range(0, len(white), step)]
        return np.concatenate([part.df() for part in parts]) if parts else np.zeros(0)

    def _spread(self, white: Array) -> Spread:
        batches = _spectra(self.at, self.codes, self.inverse) if self.held is None else self.held
        few = max(1, KEPT // max(1, white.size))
        return reduce(add, (spread(part, white) for batch in batches for part in batch.slices(few)))


def satterthwaite(at: Placed, codes: Codes, inverse: Bread) -> Satterthwaite:
    """Prepare the degrees of freedom of CR2, holding what can be held."""
    size = at.coordinates.size
    few = (int(codes.max(initial=0)) + 1) * size * (size + 1) <= HELD * KEPT
    return Satterthwaite(
        at, codes, inverse, tuple(_spectra(at, codes, inverse)) if few and inverse.usable else None
    )
