"""Passes through the compiled kernel: rows, coefficients and a program go in, sums come out.

May import: `etamu._base`, `etamu.family`, `etamu.design`, and nothing above.
Read next: `etamu.sums`, which asks here first and computes by NumPy where the answer is None.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from etamu._base.types import Array, Interval, Want
from etamu.design.chunk import Chunk
from etamu.design.design import Design
from etamu.family.program import compiled

Ends = tuple[float, float, bool, bool]


class Seen(NamedTuple):
    """What one pass brought; a matrix nobody asked for is None."""

    value: float
    score: Array | None = None
    expected: Array | None = None
    observed: Array | None = None
    meat: Array | None = None
    pearson: float | None = None


OUTSIDE = Seen(-np.inf)


def summed(chunk: Chunk, beta: Array, unit: Any, want: Want) -> Seen | None:
    """Pass over some rows once; None where the kernel cannot serve."""
    rows = chunk.compiled
    if rows is None:
        return None
    wanted = _wanted(want, canonical=unit.canonical)
    program = compiled(unit, len(chunk.y), wanted)
    if program is None:
        return None
    grams = _grams(want, wanted)
    asked = (bool(want & Want.SCORE), bool(want & Want.PEARSON), [(where, single) for _, where, single in grams])
    found = rows.accumulate(_vector(beta), program, ends(unit.domain), *asked)
    if found is None:
        return OUTSIDE
    value, score, parts, pearson = found
    matrices = {name: matrix(chunk.predictors[0].design, part) for (name, _, _), part in zip(grams, parts, strict=True)}
    return Seen(value, score, **matrices, pearson=pearson if want & Want.PEARSON else None)


def along(chunk: Chunk, beta: Array, step: Array, unit: Any, lengths: Array) -> Array | None:
    """Sum the value at beta + t step for every t; None where the kernel cannot serve."""
    program = None if chunk.compiled is None else compiled(unit, len(chunk.y), ("value",))
    if program is None:
        return None
    arguments = (_vector(beta), _vector(step), _vector(lengths), program, ends(unit.domain))
    return np.asarray(chunk.compiled.along(*arguments))


def _wanted(want: Want, *, canonical: bool) -> tuple[str, ...]:
    bent = bool(want & (Want.OBSERVED | Want.CURVATURE))
    expected = bool(want & (Want.EXPECTED | Want.PEARSON)) or (bent and canonical)
    names = ["value"]
    if expected or bent or want & (Want.SCORE | Want.MEAT):
        names.append("score")
    if expected:
        names.append("expected")
    if bent and not canonical:
        names.append("observed")
    return tuple(names)


def _grams(want: Want, wanted: tuple[str, ...]) -> list[tuple[str, int, bool]]:
    """List the matrices asked for: name, output of the program that weighs the rows, whether float32 will do."""
    grams = []
    if want & Want.EXPECTED:
        grams.append(("expected", wanted.index("expected"), False))
    if want & (Want.OBSERVED | Want.CURVATURE):
        weight = wanted.index("observed" if "observed" in wanted else "expected")
        grams.append(("observed", weight, not want & Want.OBSERVED))
    if want & Want.MEAT:
        grams.append(("meat", -1, False))
    return grams


def matrix(design: Design, parts: Any) -> Array:
    """Put the parts of a Gram in their places, (raw, raw)."""
    corner, diagonals, panels, pairs = parts
    coded = [columns for columns, block in design.placed() if not block.shiftable]
    numbers = np.concatenate(
        [np.zeros(0, np.intp)]
        + [np.arange(columns.start, columns.stop) for columns, block in design.placed() if block.shiftable]
    )
    out = np.zeros((design.width, design.width))
    out[np.ix_(numbers, numbers)] = corner
    for columns, diagonal, panel in zip(coded, diagonals, panels, strict=True):
        places = np.arange(columns.start, columns.stop)
        out[places, places] = diagonal
        out[columns, numbers] = panel
        out[numbers, columns] = panel.T
    for (a, b), table in pairs.items():
        product = table if isinstance(table, np.ndarray) else _written(table, coded[a], coded[b])
        out[coded[a], coded[b]] = product
        out[coded[b], coded[a]] = product.T
    return out


def _written(cells: Any, a: slice, b: slice) -> Array:
    table = np.zeros((a.stop - a.start) * (b.stop - b.start))
    table[cells[0]] = cells[1]
    return table.reshape(a.stop - a.start, b.stop - b.start)


def ends(domain: Interval) -> Ends:
    """Return an interval as the kernel takes it."""
    return (domain.lower, domain.upper, domain.closed_lower, domain.closed_upper)


def _vector(numbers: Array) -> Array:
    return np.ascontiguousarray(numbers, dtype=np.float64)
