"""The plan of a design: which raw columns there are and how reported coefficients are made of them.

May import: numpy, `etamu._base`, `etamu.design`, `etamu.data`.
Read next: `etamu.data.encode`, which fills the plan with rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, product
from math import prod
from operator import mul
from typing import cast

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.data.schema import CategoricalFactor, Factor, NumericFactor, Schema, product_width
from etamu.data.scope import Scoped
from etamu.design.layout import ContrastPart, Layout, TermColumns

Index = NDArray[np.intp]

FEW = 1_000
"""Coefficients up to which the plan of a design is remembered."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Some raw columns of one product: numbers multiplied together, times the levels of some factors.

    Parameters
    ----------
    numbers : tuple of (factor, column of it)
    factors : tuple of int
        Categorical factors, the first varying fastest; none for a plain column.
    reported : integers
        The coefficients, in the order of `chosen` or of the columns of `matrix`.
    chosen : integers, optional
        Where coefficients are level combinations as they stand: which.
    matrix : array (combinations, coefficients), optional
        Where they are contrasts.
    width : int
        Number of level combinations, that is of raw columns.
    scale : float
    """

    numbers: tuple[tuple[int, int], ...]
    factors: tuple[int, ...]
    reported: Index
    chosen: Index | None
    matrix: Array | None
    width: int
    scale: float


def pieces_of(schema: Schema) -> tuple[Piece, ...]:
    """Take every term apart into pieces; plain columns come first, as one block."""
    found: list[Piece] = []
    start = 0
    for term in schema.terms:
        for scoped in term.products:
            found.extend(_pieces(scoped, schema, start, term.scale))
            start += product_width(scoped, schema.factors)
    return tuple(sorted(found, key=lambda piece: bool(piece.factors)))


def _pieces(scoped: Scoped, schema: Schema, start: int, scale: float) -> list[Piece]:
    """Split a product: one piece for every combination of the columns of its numeric factors."""
    factors = schema.factors
    widths = [factors[number].width(reduced=reduced) for number, reduced in scoped]
    strides = [1, *accumulate(widths, mul)]
    numeric = [
        place for place, (number, _) in enumerate(scoped) if isinstance(factors[number], NumericFactor)
    ]
    levelled = [place for place in range(len(scoped)) if place not in numeric]
    across = _combined([widths[place] for place in levelled], [strides[place] for place in levelled])
    coded = [(schema.categorical(scoped[place][0]), scoped[place][1]) for place in levelled]
    chosen, matrix = _coding(coded)
    out = []
    for picked in product(*(range(widths[place]) for place in numeric)):
        offset = start + sum(strides[place] * column for place, column in zip(numeric, picked, strict=True))
        numbers = tuple(
            (scoped[place][0], column + scoped[place][1])
            for place, column in zip(numeric, picked, strict=True)
        )
        out.append(
            Piece(
                numbers,
                tuple(scoped[place][0] for place in levelled),
                across + offset,
                chosen,
                matrix,
                prod(len(factor.levels) for factor, _ in coded),
                scale,
            )
        )
    return out


def _combined(sizes: Sequence[int], strides: Sequence[int]) -> Index:
    """Count through the combinations of several digits, the first fastest, each with its stride."""
    out = np.zeros(1, dtype=np.intp)
    for size, stride in zip(sizes, strides, strict=True):
        out = (np.arange(size, dtype=np.intp)[:, None] * stride + out[None, :]).ravel()
    return out


def _coding(coded: list[tuple[CategoricalFactor, bool]]) -> tuple[Index | None, Array | None]:
    """Choose level combinations, or build the Kronecker product of the contrasts."""
    if all(factor.contrast.selects(reduced=reduced) for factor, reduced in coded):
        chosen, stride = np.zeros(1, dtype=np.intp), 1
        for factor, reduced in coded:
            kept = np.array(factor.contrast.selected(len(factor.levels), reduced=reduced), dtype=np.intp)
            chosen = (kept[:, None] * stride + chosen[None, :]).ravel()
            stride *= len(factor.levels)
        return chosen, None
    matrix: Array = np.ones((1, 1))
    for factor, reduced in coded:
        rows = factor.contrast.rows(len(factor.levels), reduced=reduced)
        matrix = np.asarray(np.kron(rows, matrix), dtype=np.float64)
    return None, matrix


def planned(schema: Schema) -> tuple[tuple[Piece, ...], Layout]:
    """Split a design into pieces and say what is reported of it; a model is often fitted again."""
    if len(schema.names) > FEW:
        return _planned.__wrapped__(schema)
    try:
        return _planned(schema)
    except TypeError:  # a state that holds an array has no hash
        return _planned.__wrapped__(schema)


@lru_cache(maxsize=32)
def _planned(schema: Schema) -> tuple[tuple[Piece, ...], Layout]:
    pieces = pieces_of(schema)
    return pieces, layout_of(schema, pieces)


def layout_of(schema: Schema, pieces: tuple[Piece, ...]) -> Layout:
    """Say how reported coefficients are made of raw columns."""
    reported: list[Index] = []
    raw: list[Index] = []
    parts: list[ContrastPart] = []
    start = 0
    for piece in pieces:
        if piece.chosen is not None:
            reported.append(piece.reported)
            raw.append(piece.chosen + start)
        elif piece.matrix is not None:
            parts.append(
                ContrastPart(_as_slice(piece.reported), slice(start, start + piece.width), piece.matrix)
            )
        start += piece.width
    empty = np.zeros(0, dtype=np.intp)
    return Layout(
        schema.names,
        _terms(schema),
        np.concatenate([empty, *reported]),
        np.concatenate([empty, *raw]),
        tuple(parts),
        start,
        _constant(schema),
    )


def _as_slice(index: Index) -> slice:
    """Write an index as a slice.

    Contrasts of two factors around a basis of several columns (a:bs(x):b) are the one case where the
    coefficients are not evenly spaced; NumPy takes the index itself in the place of a slice there.
    """
    steps = np.diff(index)
    if not len(index) or (len(steps) and (steps != steps[0]).any()):
        return cast("slice", index)
    step = int(steps[0]) if len(steps) else 1
    return slice(int(index[0]), int(index[-1]) + 1, None if step == 1 else step)


def _terms(schema: Schema) -> tuple[TermColumns, ...]:
    out = []
    start = 0
    for term in schema.terms:
        stop = start + sum(product_width(scoped, schema.factors) for scoped in term.products)
        out.append(TermColumns(term.label, slice(start, stop)))
        start = stop
    return tuple(out)


def _constant(schema: Schema) -> Array | None:
    """Find c with X c = 1: the intercept, or the first product of factors coded in full."""
    start = 0
    for term in schema.terms:
        for scoped in term.products:
            width = product_width(scoped, schema.factors)
            if not any(reduced for _, reduced in scoped) and all(
                _sums_to_one(schema.factors[number]) for number, _ in scoped
            ):
                constant = np.zeros(len(schema.names))
                constant[start : start + width] = 1.0 / term.scale
                return constant
            start += width
    return None


def _sums_to_one(factor: Factor) -> bool:
    """Tell whether the columns of a factor coded in full sum to one."""
    return factor.spans if isinstance(factor, NumericFactor) else not factor.contrast.always
