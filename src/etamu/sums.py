"""The meeting point: rows and coefficients go in, things that add come out.

May import: `etamu._base`, `etamu.family`, `etamu.design`, and nothing above.
Read next: `etamu.objective.likelihood`, which asks for these sums.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import reduce
from itertools import accumulate as accumulated
from itertools import combinations, combinations_with_replacement
from typing import Any, Literal, Protocol

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array, Interval, Want
from etamu.design.chunk import Chunk
from etamu.design.coordinates import Coordinates
from etamu.design.design import Design
from etamu.design.gram import Gram
from etamu.family.vector import InParts
from etamu.fused import along, etas_of, grams_of, per_row, scores_of, summed
from etamu.solve.factor import triangle as triangularised

MANY = 12
"""Predictors from which on the numbers of an information are not written out, if they can be had in parts."""


class PerRow(Protocol):
    """What these sums need to know of a unit; `etamu.family.unit.Unit` is one."""

    @property
    def domain(self) -> Interval:
        """The etas for which a value exists."""

    @property
    def canonical(self) -> bool:
        """Whether observed and expected information are the same function."""

    @property
    def concordance(self) -> float:
        """The bound c with |l'''| <= c |l''|, 0 where none is claimed."""

    @property
    def alone(self) -> PerRow:
        """The same for rows of one trial each, without the column of trials."""

    def bind(self, xp: Any, information: Literal["expected", "observed"] = "expected") -> Callable[..., Any]:
        """Return f(y, eta) -> (value, score, information)."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums over rows of value, score and information, in raw columns; what was not asked for is None.

    Parameters
    ----------
    value : float
        Sum of weighted values, minus half the deviance; -inf where an eta leaves the domain.
    score : array (R,), optional
    expected, observed : Gram, or arrays (R, R), optional
        Information matrices, by pairs of blocks for one predictor; R counts the raw columns of all.
    meat : Gram, or array (R, R), optional
        Sum of squared scores, each squared as its kind of weight demands.
    pearson : float, optional
        Sum of squared Pearson residuals.
    extent : array (R + 1,), optional
        Largest |x| of every raw column, one bound for the levels of a block, and the largest x'x of a row,
        inf where nobody asked for it; of two sums the larger.
    """

    value: float
    score: Array | None = None
    expected: Any = None
    observed: Any = None
    meat: Any = None
    pearson: float | None = None
    extent: Array | None = None

    def __add__(self, other: Sums) -> Sums:
        return self._plus(other, _added)

    def absorb(self, other: Sums) -> Sums:
        """Add, in the memory of these sums, which are used up."""
        return self._plus(other, _absorbed)

    def _plus(self, other: Sums, add: Callable[[Any, Any], Any]) -> Sums:
        expected = add(self.expected, other.expected)
        # One matrix under two names stays one.
        one = self.observed is self.expected and other.observed is other.expected
        return Sums(
            self.value + other.value,
            _added(self.score, other.score),
            expected,
            expected if one else add(self.observed, other.observed),
            add(self.meat, other.meat),
            _added(self.pearson, other.pearson),
            _larger(self.extent, other.extent),
        )


@dataclass(frozen=True, slots=True)
class Smallest:
    """A number whose sum is the smaller of the two."""

    value: float

    def __add__(self, other: Smallest) -> Smallest:
        return Smallest(min(self.value, other.value))


@dataclass(frozen=True, slots=True)
class Largest:
    """A number whose sum is the larger of the two."""

    value: float

    def __add__(self, other: Largest) -> Largest:
        return Largest(max(self.value, other.value))


@dataclass(frozen=True, slots=True, eq=False)
class Triangle:
    """An upper triangle R with R'R = X'WX; adding stacks two and triangularises again (TSQR)."""

    factor: Array

    def __add__(self, other: Triangle) -> Triangle:
        return Triangle(triangularised(np.vstack([self.factor, other.factor])))


def accumulate(chunk: Chunk, beta: Array, unit: PerRow, want: Want) -> Sums:
    """Sum what is wanted over the rows of a chunk.

    Parameters
    ----------
    chunk : Chunk
    beta : array (R,)
        Coefficients of the raw columns of all predictors, end to end.
    unit : PerRow
    want : Want
    """
    seen = summed(chunk, beta, unit, want)
    if seen is not None:
        return Sums(*seen)
    eta = etas(chunk, beta)
    if not inside(unit, eta):
        return Sums(-np.inf)
    # Overflow and 0 / 0 in a row far out make a sum that is not finite, which the solver turns away.
    with np.errstate(all="ignore"):
        return _summed(chunk, eta, unit, want)


def value_at(chunk: Chunk, eta: Array, unit: PerRow) -> float:
    """Sum the value at given etas, whatever the columns are."""
    if not inside(unit, eta):
        return -np.inf
    with np.errstate(all="ignore"):
        return _summed(chunk, eta, unit, Want.VALUE).value


def _summed(chunk: Chunk, eta: Array, unit: PerRow, want: Want) -> Sums:
    total = chunk.weights.total()
    found = _looked(chunk, eta, unit, want)
    value, score = found["value"], found.get("score")
    parts: dict[str, Any] = {}
    if want & Want.SCORE:
        parts["score"] = spread_score(chunk, _weighted(found["score"], total))
    if want & Want.EXPECTED:
        parts["expected"] = spread_information(chunk, _weighted(found["expected"], total))
    if want & (Want.OBSERVED | Want.CURVATURE):
        one = "expected" in parts and found["observed"] is found["expected"]
        parts["observed"] = (
            parts["expected"] if one else spread_information(chunk, _weighted(found["observed"], total))
        )
    if want & Want.MEAT:
        column = _columns(found["score"], len(chunk.predictors))
        squares = column[:, :, None] * column[:, None, :]
        parts["meat"] = spread_information(chunk, _weighted(squares, chunk.weights.squared()))
    if want & Want.EXTENT:
        columns = [predictor.design.extent() for predictor in chunk.predictors]
        parts["extent"] = np.concatenate([*columns, [girth(chunk).value if want & Want.GIRTH else np.inf]])
    if want & Want.PEARSON and score is not None and score.ndim == 1:
        parts["pearson"] = _pearson(score, found["expected"], total)
    return Sums(float(np.sum(_weighted(value, total))), **parts)


def _looked(chunk: Chunk, eta: Array, unit: PerRow, want: Want) -> dict[str, Any]:
    """Evaluate a unit row by row, by whatever does it fastest."""
    return _in_parts(chunk, eta, unit) or per_row(chunk, eta, unit, want) or _by_numpy(chunk, eta, unit, want)


def _in_parts(chunk: Chunk, eta: Array, unit: PerRow) -> dict[str, Any] | None:
    """Evaluate a unit of many predictors whose k x k numbers per row are made of k; None of any other."""
    bind = getattr(unit, "bind_in_parts", None)
    if bind is None or eta.ndim < 2 or eta.shape[1] < MANY:
        return None
    found = dict(zip(("value", "score", "expected"), bind(np)(chunk.y, eta), strict=True))
    return found | {"observed": found["expected"]}


def _by_numpy(chunk: Chunk, eta: Array, unit: PerRow, want: Want) -> dict[str, Array]:
    """Evaluate a unit row by row: value, score, and the informations that are wanted."""
    curved = bool(want & (Want.OBSERVED | Want.CURVATURE)) and not unit.canonical
    # The observed information alone brings value and score with it: one look at each row, not two.
    if curved and not want & (Want.EXPECTED | Want.PEARSON):
        return dict(zip(("value", "score", "observed"), unit.bind(np, "observed")(chunk.y, eta), strict=True))
    value, score, expected = unit.bind(np, "expected")(chunk.y, eta)
    observed = unit.bind(np, "observed")(chunk.y, eta)[2] if curved else expected
    return {"value": value, "score": score, "expected": expected, "observed": observed}


def values_along(chunk: Chunk, beta: Array, step: Array, unit: PerRow, lengths: Array) -> Array:
    """Sum the value at beta + t step for every t, in one pass over the rows."""
    seen = along(chunk, beta, step, unit, lengths)
    if seen is not None:
        return seen
    start, direction = etas(chunk, beta), etas(chunk, step, offset=False)
    total = chunk.weights.total()
    out = np.full(len(lengths), -np.inf)
    for i, t in enumerate(lengths):
        eta = start + t * direction
        if inside(unit, eta):
            with np.errstate(all="ignore"):  # a sum that overflows is -inf: no point to go to
                out[i] = np.sum(_weighted(_looked(chunk, eta, unit, Want.VALUE)["value"], total))
    return out


def reach(chunk: Chunk, beta: Array, step: Array, unit: PerRow) -> Smallest:
    """Find the largest t for which every eta + t (X step) stays in the closure of the domain."""
    eta, direction = etas(chunk, beta), etas(chunk, step, offset=False)
    with np.errstate(all="ignore"):
        room = np.where(direction < 0.0, eta - unit.domain.lower, unit.domain.upper - eta)
        lengths = room / np.abs(direction)
    return Smallest(float(np.fmin.reduce(lengths, axis=None, initial=np.inf)))


def clearance(chunk: Chunk, beta: Array, unit: PerRow) -> Smallest:
    """Find the smallest distance of an eta from an end of the domain, as a share of 1 + |eta|."""
    eta = etas(chunk, beta)
    with np.errstate(all="ignore"):
        gaps = np.minimum(np.abs(eta - unit.domain.lower), np.abs(eta - unit.domain.upper))
        return Smallest(float(np.nanmin(gaps / (1.0 + np.abs(eta)), initial=np.inf)))


def longest(chunk: Chunk, matrix: Array) -> Largest:
    """Find the largest x_i' M x_i, M over the raw columns.

    Of several predictors x_i is the row of any one of them, or of the difference of any two.
    """
    if len(chunk.predictors) > 1:
        return Largest(_longest_of_any(chunk, matrix))
    rows = chunk.compiled
    design = chunk.predictors[0].design
    squares = design.quadratic(matrix) if rows is None else rows.quadratic(np.ascontiguousarray(matrix))
    return Largest(float(squares.max(initial=0.0)))


def _longest_of_any(chunk: Chunk, matrix: Array) -> float:
    """Find the largest squared length of a row of a predictor, or of the difference of two."""
    designs = [predictor.design for predictor in chunk.predictors]
    ends = np.cumsum([design.width for design in designs])
    places = [slice(end - design.width, end) for end, design in zip(ends, designs, strict=True)]
    own = [np.ascontiguousarray(matrix[at, at]) for at in places]
    lengths = [design.quadratic(part) for design, part in zip(designs, own, strict=True)]
    most = max(float(length.max(initial=0.0)) for length in lengths)
    for i, j in combinations(range(len(designs)), 2):
        between = np.einsum("ij,ij->i", designs[i].dense() @ matrix[places[i], places[j]], designs[j].dense())
        most = max(most, float((lengths[i] + lengths[j] - 2.0 * between).max(initial=0.0)))
    return most


def girth(chunk: Chunk) -> Largest:
    """Find the largest x_i'x_i; of several predictors bound that of the difference of any two rows."""
    if chunk.compiled is not None:
        return Largest(float(chunk.compiled.girth()))
    each = {id(predictor): predictor.design for predictor in chunk.predictors}
    longest = {key: float((design.dense() ** 2).sum(axis=1).max(initial=0.0)) for key, design in each.items()}
    return Largest(sum(sorted(longest[id(predictor)] for predictor in chunk.predictors)[-2:]))


def triangle(chunk: Chunk, coordinates: Coordinates, unit: PerRow | None, beta: Array | None) -> Triangle:
    """Triangularise sqrt(W) X of some rows in working coordinates; W = 1 without a unit.

    W is the expected information, which is never negative.
    """
    triangles = (_triangle(piece, coordinates, unit, beta) for piece in chunk.pieces(coordinates.size))
    return reduce(operator.add, triangles)


def _triangle(chunk: Chunk, coordinates: Coordinates, unit: PerRow | None, beta: Array | None) -> Triangle:
    panel = coordinates.rows(chunk.predictors[0].design)
    if unit is not None and beta is not None:
        with np.errstate(all="ignore"):
            information = unit.bind(np, "expected")(chunk.y, etas(chunk, beta))[2]
            panel = panel * np.sqrt(_weighted(information, chunk.weights.total()))[:, None]
        # Heavy rows first: a reflection rounds every row to eps of the heaviest it has mixed in (Cox and
        # Higham 1998, BIT 38), and weights may differ by 1e120.
        panel = panel[np.argsort(-np.abs(panel).max(axis=1, initial=0.0), kind="stable")]
    return Triangle(triangularised(panel))


def etas(chunk: Chunk, beta: Array, *, offset: bool = True) -> Array:
    """Compute eta, (n,) for one predictor and (n, k) for k; a step travels without the offset."""
    if chunk.compiled is not None:
        return np.asarray(chunk.compiled.etas(np.ascontiguousarray(beta, dtype=np.float64), offset))
    columns: list[Array] = [np.zeros(0)] * len(chunk.predictors)
    parts = _split(beta, chunk)
    for design, places in _together(chunk):
        for j, eta in zip(places, etas_of(design, [parts[j] for j in places]), strict=True):
            own = chunk.predictors[j].offset if offset else None
            columns[j] = eta if own is None else eta + own
    # Each predictor's column lies in one piece, so that sums over the few predictors run along the rows.
    return columns[0] if len(columns) == 1 else np.stack(columns).T


def _split(beta: Array, chunk: Chunk) -> list[Array]:
    """Return the coefficients of each predictor."""
    return np.split(beta, [*accumulated(predictor.design.width for predictor in chunk.predictors)][:-1])


def _together(chunk: Chunk) -> list[tuple[Design, list[int]]]:
    """Return every design with the predictors that have it: its columns are read once for all of them."""
    places: dict[int, list[int]] = {}
    for j, predictor in enumerate(chunk.predictors):
        places.setdefault(id(predictor.design), []).append(j)
    return [(chunk.predictors[each[0]].design, each) for each in places.values()]


def inside(unit: PerRow, eta: Array) -> bool:
    """Tell whether every eta lies in the domain; a NaN never does."""
    if unit.domain.whole:
        return bool(np.all(np.isfinite(eta)))
    return bool(np.all(unit.domain.contains(eta)))


def _columns(score: Array, k: int) -> Array:
    return score.reshape(len(score), k)


def _weighted(rows: Any, weight: Array | None) -> Any:
    if weight is None:
        return rows
    if isinstance(rows, InParts):
        return InParts(rows.diagonal * weight[:, None], rows.factor * np.sqrt(weight)[:, None])
    return rows * weight.reshape(-1, *(1,) * (rows.ndim - 1))


def spread_score(chunk: Chunk, score: Array) -> Array:
    """Sum x_ij score_ij over the rows, for the raw columns of every predictor j, end to end."""
    columns = _columns(score, len(chunk.predictors))
    parts: list[Array] = [np.zeros(0)] * len(chunk.predictors)
    for design, places in _together(chunk):
        for j, part in zip(places, scores_of(design, [columns[:, j] for j in places]), strict=True):
            parts[j] = part
    return np.concatenate(parts)


def spread_information(chunk: Chunk, information: Any) -> Array | Gram:
    """Sum x_ij information_ijl x_il' over the rows, for every two predictors j and l."""
    if isinstance(information, InParts):
        return _spread_parts(chunk, information)
    k = len(chunk.predictors)
    if k == 1:
        return chunk.predictors[0].design.gram_parts(information.reshape(len(information)))
    blocks: dict[tuple[int, int], Array] = {}
    for design, places in _together(chunk):
        pairs = [*combinations_with_replacement(places, 2)]
        grams = grams_of(design, [information[:, i, j] for i, j in pairs])
        blocks.update(zip(pairs, grams, strict=True))
    for i, j in combinations(range(k), 2):
        if (i, j) not in blocks:
            left, right = (chunk.predictors[each].design for each in (i, j))
            blocks[i, j] = left.cross(right, information[:, i, j])
        blocks[j, i] = blocks[i, j].T
    return np.block([[blocks[i, j] for j in range(k)] for i in range(k)])


def _spread_parts(chunk: Chunk, information: InParts) -> Array:
    """Multiply the columns by u once, and with one another: what the diagonal has is put in its place."""
    columns = np.empty((len(chunk), sum(predictor.design.width for predictor in chunk.predictors)))
    ends = [0, *accumulated(predictor.design.width for predictor in chunk.predictors)]
    for design, places in _together(chunk):
        rows = design.dense()
        for j in places:
            np.multiply(rows, information.factor[:, j, None], out=columns[:, ends[j] : ends[j + 1]])
    out = columns.T @ columns
    np.negative(out, out=out)
    for design, places in _together(chunk):
        for j, gram in zip(places, grams_of(design, [*information.diagonal.T[places]]), strict=True):
            out[ends[j] : ends[j + 1], ends[j] : ends[j + 1]] = gram
    return out


def _added(left: Any, right: Any) -> Any:
    return None if left is None or right is None else left + right


def _larger(left: Array | None, right: Array | None) -> Array | None:
    return None if left is None or right is None else np.maximum(left, right)


def _absorbed(left: Any, right: Any) -> Any:
    whole = left is None or right is None or not isinstance(left, Gram)
    return _added(left, right) if whole else left.absorb(right)


def pearson(chunk: Chunk, beta: Array, unit: PerRow) -> float:
    """Sum the squared Pearson residuals, score^2 / information, which needs no mean and so no tail."""
    found = accumulate(chunk, beta, unit, Want.VALUE | Want.PEARSON).pearson
    return math.nan if found is None else found


def _pearson(score: Array, information: Array, total: Array | None) -> float:
    squares = np.where(score == 0.0, 0.0, score * (score / information))  # score**2 may underflow
    return float(np.sum(_weighted(squares, total)))
