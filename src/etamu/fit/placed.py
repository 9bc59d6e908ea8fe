"""An estimate and its rows, the columns placed in its coordinates: where sums after the fit are taken.

May import: everything below `fit`.
Read next: `etamu.fit.covariance`, which takes them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from etamu import sums
from etamu._base.arrow import all_finite
from etamu._base.facts import dataclass
from etamu._base.triangles import surely_within
from etamu._base.types import Array, Want
from etamu.design.chunk import Chunk, Predictor
from etamu.design.coordinates import Coordinates
from etamu.execute.threads import Threads
from etamu.family.unit import Unit
from etamu.fit.problem import Options, Problem
from etamu.infer.covariance import Root, root_of_triangle, root_or_steep
from etamu.solve.factor import Factor, Metric
from etamu.sums import etas

SQUARED_CONDITION = 1e3
"""Above this condition number of the scaled design rows are whitened one by one: a Gram squares it."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """An estimate with rows whose columns are in its coordinates.

    Parameters
    ----------
    problem : Problem
    executor : Threads
        The rows, shifted and scaled.
    coordinates : Coordinates
    beta : array
        Working coefficients.
    """

    problem: Problem
    executor: Threads
    coordinates: Coordinates
    beta: Array

    @property
    def raw(self) -> Array:
        """Coefficients of the shifted, scaled raw columns."""
        return self.coordinates.raw(self.beta)

    @property
    def unit(self) -> Unit:
        """Family and link."""
        return self.problem.unit

    def information(self, want: Want) -> Array | None:
        """Sum the information over the rows, in working coordinates, in one pass."""
        total = self.executor.reduce(partial(sums.accumulate, beta=self.raw, unit=self.unit, want=want))
        raw = total.observed if want is Want.OBSERVED else total.expected
        return None if raw is None else self.coordinates.gram(raw)


@dataclass(frozen=True, slots=True, eq=False)
class Bread:
    """The inverse information at phi = 1, as a root L with M = L L'.

    Parameters
    ----------
    root : Root
    delicate : bool
        Whether the design is so ill-conditioned that the root was taken from a triangle, not a Gram.
    """

    root: Root
    delicate: bool = False

    @property
    def usable(self) -> bool:
        """Whether the information could be inverted."""
        return self.root.finite()


def visits(options: Options) -> dict[str, Any]:
    """Say how rows are visited, as keywords of `Threads`."""
    asked = {"rows": options.block_rows, "threads": options.threads}
    return {keyword: value for keyword, value in asked.items() if value is not None}


def placed(problem: Problem, chunk: Chunk, coordinates: Coordinates, beta: Array) -> Placed:
    """Place rows of a problem, whose raw columns are as they came, in the coordinates of an estimate."""
    predictor = chunk.predictors[0]
    ready = Chunk(
        (Predictor(coordinates.placed(predictor.design), predictor.offset),),
        chunk.y,
        chunk.weights,
        chunk.ids,
        chunk.cluster,
    )
    return Placed(problem, Threads(ready, **visits(problem.options)), coordinates, beta)


def bread(
    at: Placed, information: Array | None, *, observed: bool = False, metric: Metric | None = None
) -> Bread:
    """Factor the inverse information; by TSQR where the Gram has lost too many digits.

    NaN where the information is not positive definite. Where its factor is known, `metric` is that.
    """
    size = at.coordinates.size
    if information is None or not all_finite(information):
        return Bread(Root(np.full((size, size), np.nan)))
    steep = math.inf if observed else SQUARED_CONDITION
    if isinstance(metric, Factor) and surely_within(metric.inverse_triangle, steep):
        return Bread(Root(metric.inverse_triangle / metric.diagonal[:, None]))
    try:
        root = root_or_steep(information, steep)
        if root is None:
            rows = partial(sums.triangle, coordinates=at.coordinates, unit=at.unit, beta=at.raw)
            return Bread(root_of_triangle(at.executor.reduce(rows).factor), delicate=True)
        return Bread(root)
    except np.linalg.LinAlgError:
        return Bread(Root(np.full((size, size), np.nan)))


def score_and_information(chunk: Chunk, at: Placed) -> tuple[Array, Array]:
    """Compute score and expected information of each row with its precision, of a single copy."""
    with np.errstate(all="ignore"):
        _, score, information = at.unit.bind(np, "expected")(chunk.y, etas(chunk, at.raw))
    precision = chunk.weights.precision()
    if precision is None:
        return score, information
    return score * precision, information * precision


def whitened(chunk: Chunk, at: Placed, inverse: Bread) -> Array:
    """Write some rows out as x_i'L, with M = L L'."""
    return at.coordinates.rows(chunk.predictors[0].design) @ inverse.root.matrix


def leverages(chunk: Chunk, at: Placed, inverse: Bread, information: Array) -> Array:
    """Compute h_i = W_i x_i'M x_i of a single copy of each row, W_i from `score_and_information`."""
    lengths = squared_lengths(at.coordinates, inverse.root, delicate=inverse.delicate)
    return information * lengths(chunk)


def squared_lengths(coordinates: Coordinates, root: Root, *, delicate: bool) -> Callable[[Chunk], Array]:
    """Return the function rows -> x_i'L L'x_i, by L'x_i itself where a multiplied-out L L' loses digits."""
    if delicate:

        def written_out(chunk: Chunk) -> Array:
            white = coordinates.rows(chunk.predictors[0].design) @ root.matrix
            return np.asarray(np.einsum("ij,ij->i", white, white))

        return lambda chunk: np.concatenate([written_out(piece) for piece in chunk.pieces(coordinates.size)])
    matrix = coordinates.raw_matrix(root.covariance())
    return lambda chunk: chunk.predictors[0].design.quadratic(matrix)
