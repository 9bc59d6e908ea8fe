"""Passes through the compiled kernel: rows, coefficients and a program go in, sums come out.

May import: `etamu._base`, `etamu.family`, `etamu.design`, and nothing above.
Read next: `etamu.sums`, which asks here first and computes by NumPy where the answer is None.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate, combinations_with_replacement, islice, pairwise
from typing import Any, NamedTuple

import numpy as np

from etamu._base.types import Array, Interval, Want
from etamu.design.chunk import Chunk
from etamu.design.design import Design
from etamu.design.gram import Diagonal, Gram, Part, Table, kept_sparse
from etamu.design.verbs import contiguous
from etamu.family import several
from etamu.family.program import Wanted, compiled

Ends = tuple[float, float, bool, bool]

WORTH = 1 << 16
"""From so many numbers of an information on a unit of several predictors is worth being recorded."""
DOUBLE, SINGLE, COARSE, WHOLE = range(4)
"""Digits of a matrix, as the kernel counts them."""
ROOM = 1 << 17
"""Numbers of the Grams that are summed at once."""


class Seen(NamedTuple):
    """What one pass brought; a matrix nobody asked for is None."""

    value: float
    score: Array | None = None
    expected: Gram | Array | None = None
    observed: Gram | Array | None = None
    meat: Gram | Array | None = None
    pearson: float | None = None
    extent: Array | None = None


OUTSIDE = Seen(-np.inf)


def summed(chunk: Chunk, beta: Array, unit: Any, want: Want) -> Seen | None:
    """Pass over some rows once; None where the kernel cannot serve."""
    rows = chunk.compiled
    if rows is None:
        return None
    plan, program, domain = _order(chunk, unit, want)
    if program is None:
        return None
    found = rows.accumulate(
        _vector(beta), program, domain, plan.score, plan.squares, plan.weights, *plan.reach
    )
    if found is None:
        return OUTSIDE
    value, gradient, parts, pearson, extent = found
    design = chunk.predictors[0].design
    matrices = {name: gram_of_parts(design, part) for name, part in zip(plan.names, parts, strict=True)}
    if plan.one:
        matrices["observed"] = matrices["expected"]  # one matrix under two names
    return Seen(value, gradient, **matrices, pearson=pearson if plan.squares else None, extent=extent)


def along(chunk: Chunk, beta: Array, step: Array, unit: Any, lengths: Array) -> Array | None:
    """Sum the value at beta + t step for every t; None where the kernel cannot serve."""
    if chunk.compiled is None:
        return None
    _, program, domain = _order(chunk, unit, Want.VALUE)
    if program is None:
        return None
    arguments = (_vector(beta), _vector(step), _vector(lengths), program, domain)
    return np.asarray(chunk.compiled.along(*arguments))


def per_row(chunk: Chunk, eta: Array, unit: Any, want: Want) -> dict[str, Array] | None:
    """Evaluate value, score and informations of every row at a given eta; None where the kernel cannot.

    For rows that a pass of the kernel does not read: very many levels, sparse columns beside codes, several
    predictors.
    """
    outputs, columns = _wanted(want, canonical=unit.canonical), [*map(contiguous, chunk.y)]
    if eta.ndim > 1:
        found = _of_several(columns, eta, unit, outputs)
    else:
        program = compiled(unit, len(columns), outputs)
        found = program and dict(zip(outputs, program.run([*columns, eta]), strict=True))
    if found and "expected" in found:
        found.setdefault("observed", found["expected"])
    return found


def _of_several(columns: list[Array], eta: Array, unit: Any, outputs: Wanted) -> dict[str, Array] | None:
    """Evaluate a unit of k predictors: (n,), (n, k) and (n, k, k), each entry of all rows in one piece."""
    n, k = eta.shape
    if n * k * k < WORTH:
        return None
    program = several.compiled(unit, len(columns), k, outputs)
    if program is None:
        return None
    results = iter(program.run([*columns, *map(contiguous, eta.T)]))
    found: dict[str, Array] = {}
    for name in outputs:
        if name == "value":
            found[name] = next(results)
        elif name == "score":
            found[name] = np.stack([*islice(results, k)]).T
        else:
            matrix = np.empty((k, k, n))
            for i, j in combinations_with_replacement(range(k), 2):
                matrix[i, j] = matrix[j, i] = next(results)
            found[name] = matrix.transpose(2, 0, 1)
    return found


def etas_of(design: Design, betas: list[Array]) -> Array:
    """Compute X beta for several betas, (betas, rows), with one look at the columns."""
    rows = design.compiled
    if rows is None:
        return np.stack([design.matvec(beta) for beta in betas])
    return np.asarray(rows.etas_of(np.stack(betas)))


def scores_of(design: Design, columns: list[Array]) -> list[Array]:
    """Sum X'u for several columns u, with one look at X."""
    rows = design.compiled
    if rows is None:
        return [design.rmatvec(column) for column in columns]
    return list(rows.weighed([*map(contiguous, columns)], [])[0])


def grams_of(design: Design, weights: list[Array]) -> list[Array]:
    """Sum X' diag(w) X for several weights w, with as few looks at X as there is room in cache for."""
    rows = design.compiled
    if rows is None:
        return [design.gram(w) for w in weights]
    at_once = max(ROOM // (design.width**2 + 1), 1)
    batches = (weights[first : first + at_once] for first in range(0, len(weights), at_once))
    parts = [part for some in batches for part in rows.weighed([], [*map(contiguous, some)])[1]]
    return [np.asarray(gram_of_parts(design, part)) for part in parts]


class _Plan(NamedTuple):
    """What a pass asks of the kernel: outputs of the program, sums, and matrices by name and weight."""

    outputs: tuple[str, ...]
    score: bool
    squares: bool
    names: tuple[str, ...]
    weights: list[tuple[int, int]]
    one: bool
    reach: tuple[bool, bool]


def _order(chunk: Chunk, unit: Any, want: Want) -> tuple[_Plan, Any, Ends]:
    """Say what is asked of the kernel, by which program and within which ends of eta."""
    columns = chunk.compiled.responses
    try:
        return _ordered(unit, columns, want, alone=columns != len(chunk.y))
    except TypeError:  # a unit that holds a list has no hash
        return _ordered.__wrapped__(unit, columns, want, alone=columns != len(chunk.y))


@lru_cache(maxsize=128)
def _ordered(unit: Any, columns: int, want: Want, *, alone: bool) -> tuple[_Plan, Any, Ends]:
    """Every block of every pass asks the same."""
    outputs = _wanted(want, canonical=unit.canonical)
    grams = _grams(want, outputs)
    names = tuple(name for name, _, _ in grams)
    one = "observed" not in names and bool(want & (Want.OBSERVED | Want.CURVATURE))
    weights = [(where, digits) for _, where, digits in grams]
    reach = (bool(want & Want.EXTENT), bool(want & Want.GIRTH))
    plan = _Plan(outputs, bool(want & Want.SCORE), bool(want & Want.PEARSON), names, weights, one, reach)
    return plan, compiled(unit.alone if alone else unit, columns, outputs), ends(unit.domain)


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


def _grams(want: Want, wanted: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """List the matrices asked for: name, the output that weighs the rows, and which digits will do."""
    grams = []
    exact = WHOLE if want & Want.WHOLE else DOUBLE
    if want & Want.EXPECTED:
        grams.append(("expected", wanted.index("expected"), exact))
    if want & (Want.OBSERVED | Want.CURVATURE) and not (grams and "observed" not in wanted):
        weight = wanted.index("observed" if "observed" in wanted else "expected")
        step = COARSE if want & Want.COARSE else SINGLE
        grams.append(("observed", weight, exact if want & Want.OBSERVED else step))
    if want & Want.MEAT:
        grams.append(("meat", -1, DOUBLE))
    return grams


def gram_of_parts(design: Design, parts: Any) -> Gram | Array:
    """Sort what the kernel summed into pairs of blocks; of few raw columns it is one matrix already."""
    if design.fold is not None:
        return design.fold.gram(gram_of_parts(Design(design.fold.blocks, design.length), parts))
    if isinstance(parts, np.ndarray):
        return parts
    corner, diagonals, panels, pairs = parts
    dense = [i for i, block in enumerate(design.blocks) if block.shiftable]
    tables = [i for i, block in enumerate(design.blocks) if not block.shiftable]
    edges = [0, *accumulate(design.blocks[i].width for i in dense)]
    panel = {i: slice(*ends) for i, ends in zip(dense, pairwise(edges), strict=True)}
    out: dict[tuple[int, int], Part] = {
        (i, j): Table(corner[panel[i], panel[j]]) for i in dense for j in dense if i <= j
    }
    for i, own, against in zip(tables, diagonals, panels, strict=True):
        out[i, i] = Diagonal(own) if own.ndim == 1 else Table(own)  # of levels, or of a sparse block
        for j in dense:
            product = against[:, panel[j]]
            out[min(i, j), max(i, j)] = Table(product if i < j else product.T)
    for (a, b), product in pairs.items():
        i, j = tables[a], tables[b]
        shape = (design.blocks[i].width, design.blocks[j].width)
        whole = isinstance(product, np.ndarray)
        out[i, j] = Table(product) if whole else kept_sparse(product[0], product[1], shape)
    return Gram(tuple(block.width for block in design.blocks), out)


def ends(domain: Interval) -> Ends:
    """Return an interval as the kernel takes it."""
    return (domain.lower, domain.upper, domain.closed_lower, domain.closed_upper)


def _vector(numbers: Array) -> Array:
    return np.ascontiguousarray(numbers, dtype=np.float64)
