"""NumPy twins of the compiled verbs of coded and sparse blocks: same names, same arguments, same answers.

May import: numpy, `etamu._base`.
Read next: `etamu.design.verbs`, which chooses between these and their compiled counterparts.

A coded block travels as the tuple (codes, levels, multiplier or None, scale), a sparse one as what
`csr_rows` makes of it. They serve where the kernel was not built, and with ETAMU_KERNEL=numpy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.types import Array

CodedParts = tuple[NDArray[Any], int, NDArray[Any] | None, float]
Cells = tuple[NDArray[np.int64], Array]

LARGE, EMPTY = 1 << 19, 8
"""A pair with more cells than LARGE, and EMPTY times more than rows, is summed cell by cell."""


def _factor(block: CodedParts) -> Array | None:
    _, _, multiplier, scale = block
    if multiplier is None:
        return None if scale == 1.0 else np.full(len(block[0]), 1.0 / scale)
    return np.asarray(multiplier, dtype=np.float64) / scale


def _times(block: CodedParts, v: Array) -> Array:
    factor = _factor(block)
    return v if factor is None else v * factor


def _by_level(block: CodedParts, v: Array) -> Array:
    return np.asarray(np.bincount(block[0], weights=v, minlength=block[1]), dtype=np.float64)


def _cell(a: CodedParts, b: CodedParts) -> NDArray[np.int64]:
    # int64 because 50,000 x 50,000 levels overflow int32
    return np.asarray(a[0], dtype=np.int64) * b[1] + b[0]


def coded_matvec(block: CodedParts, beta: Array) -> Array:
    """Compute X beta: look each level up."""
    return _times(block, beta[block[0]])


def coded_quadratic(block: CodedParts, diagonal: Array) -> Array:
    """Compute x_i' M x_i from the diagonal of M."""
    return _times(block, _times(block, diagonal[block[0]]))


def coded_rmatvec(block: CodedParts, v: Array) -> Array:
    """Compute X'v: add up by level."""
    return _by_level(block, _times(block, v))


def coded_diagonal(block: CodedParts, w: Array) -> Array:
    """Compute the diagonal of X'WX, which has no other entries."""
    return _by_level(block, _times(block, _times(block, w)))


def coded_cross(a: CodedParts, b: CodedParts, w: Array, *, sparse: bool = False) -> Array | Cells:
    """Compute A'WB: a table, or (cells, values) of the cells that occur, in ascending order."""
    cell, weight = _cell(a, b), _times(a, _times(b, w))
    if sparse:
        met, place = np.unique(cell, return_inverse=True)
        return met, np.bincount(place.ravel(), weights=weight, minlength=len(met)).astype(np.float64)
    table = np.bincount(cell, weights=weight, minlength=a[1] * b[1])
    return np.asarray(table, dtype=np.float64).reshape(a[1], b[1])


def coded_dense_cross(block: CodedParts, panel: Array, w: Array) -> Array:
    """Compute A'WB for a panel B, column by column."""
    weight = _times(block, w)
    out = np.empty((block[1], panel.shape[1]))
    for j in range(panel.shape[1]):
        out[:, j] = _by_level(block, weight * panel[:, j])
    return out


def coded_bilinear(a: CodedParts, b: CodedParts, matrix: Array) -> Array:
    """Compute a_i' M b_i: look each pair of levels up."""
    return _times(a, _times(b, matrix[a[0], b[0]]))


def coded_dense_bilinear(block: CodedParts, panel: Array, matrix: Array) -> Array:
    """Compute a_i' M b_i for a panel B."""
    return _times(block, np.einsum("ij,ij->i", matrix[block[0]], panel))


def coded_sparse_pair(levels_a: int, levels_b: int, rows: int) -> bool:
    """Tell whether a pair is summed cell by cell: its table would be large and mostly empty."""
    return levels_a * levels_b > max(LARGE, EMPTY * rows)


def coded_gram(
    blocks: tuple[CodedParts, ...], panel: Array | None, w: Array
) -> tuple[list[Array], list[Array], dict[tuple[int, int], Array | Cells]]:
    """Compute all products of coded blocks and a panel: (diagonals, panels, pairs)."""
    diagonals = [coded_diagonal(block, w) for block in blocks]
    narrow = panel is None or panel.shape[1] == 0
    panels = [] if panel is None or narrow else [coded_dense_cross(block, panel, w) for block in blocks]
    pairs = {
        (i, j): coded_cross(
            blocks[i], blocks[j], w, sparse=coded_sparse_pair(blocks[i][1], blocks[j][1], len(w))
        )
        for i in range(len(blocks))
        for j in range(i + 1, len(blocks))
    }
    return diagonals, panels, pairs


def coded_merge(a: Cells, b: Cells) -> Cells:
    """Add two sparse tables: the cells of either, values of the same cell added."""
    met, place = np.unique(np.concatenate([a[0], b[0]]), return_inverse=True)
    values = np.bincount(place.ravel(), weights=np.concatenate([a[1], b[1]]), minlength=len(met))
    return met, values.astype(np.float64)


def csr_rows(indptr: NDArray[Any], indices: NDArray[Any], data: Array, width: int) -> Any:
    """Return sparse columns as the verbs below read them."""
    from scipy import sparse

    return sparse.csr_array((data, indices, indptr), shape=(len(indptr) - 1, width))


def csr_part(x: Any, start: int, stop: int) -> Any:
    """View the rows start, …, stop - 1; slicing a matrix of scipy would copy them."""
    ends = x.indptr[start : stop + 1]
    within = slice(ends[0], ends[-1])
    parts = x.data[within], x.indices[within], ends - ends[0]
    return type(x)(parts, (len(ends) - 1, x.shape[1]))


def _weighted(x: Any, w: Array) -> Any:
    return x.multiply(w[:, None]).tocsr()


def csr_matvec(x: Any, beta: Array) -> Array:
    """Compute X beta."""
    return np.asarray(x @ beta, dtype=np.float64)


def csr_rmatvec(x: Any, v: Array) -> Array:
    """Compute X'v."""
    return np.asarray(x.T @ v, dtype=np.float64)


def csr_gram(x: Any, w: Array, scale: Array | None = None) -> Array:
    """Compute X'WX, rows and columns times the scale."""
    product = np.asarray((x.T @ _weighted(x, w)).toarray(), dtype=np.float64)
    whole = 0.5 * (product + product.T)
    return whole if scale is None else whole * (scale[:, None] * scale)


def csr_quadratic(x: Any, matrix: Array) -> Array:
    """Compute x_i' M x_i row by row, M symmetric."""
    return np.asarray(x.multiply(x @ matrix).sum(axis=1), dtype=np.float64).ravel()


def csr_moments(x: Any) -> Array:
    """Describe what is stored per column: rows of sums, squares, smallest, largest and counts."""
    indices, data, width = x.indices, x.data, x.shape[1]
    out = np.zeros((5, width))
    out[0] = np.bincount(indices, weights=data, minlength=width)
    out[1] = np.bincount(indices, weights=data * data, minlength=width)
    out[2], out[3] = np.inf, -np.inf
    np.minimum.at(out[2], indices, data)
    np.maximum.at(out[3], indices, data)
    out[4] = np.bincount(indices, minlength=width)
    return out


def csr_dense_cross(x: Any, panel: Array, w: Array) -> Array:
    """Compute X'WB for a panel B."""
    return np.asarray(x.T @ (panel * w[:, None]), dtype=np.float64)


def csr_coded_cross(x: Any, block: CodedParts, w: Array) -> Array:
    """Compute X'WB for a coded block B."""
    weighted = _weighted(x, _times(block, w)).tocoo()
    width = x.shape[1]
    cell = weighted.col.astype(np.int64) * block[1] + np.asarray(block[0], dtype=np.int64)[weighted.row]
    table = np.bincount(cell, weights=weighted.data, minlength=width * block[1])
    return np.asarray(table, dtype=np.float64).reshape(width, block[1])


def csr_cross(a: Any, b: Any, w: Array) -> Array:
    """Compute A'WB of two sparse blocks."""
    return np.asarray((a.T @ _weighted(b, w)).toarray(), dtype=np.float64)
