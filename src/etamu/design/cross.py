"""Products between two kinds of blocks, one table entry per pair of kinds.

May import: numpy, `etamu._base`, `etamu.design.blocks`.
Read next: `etamu.design.design`, which walks over the pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from etamu._base.kernel import kernel
from etamu._base.types import Array
from etamu.design.blocks import Block, Coded, Dense, Sparse


def cross(a: Block, b: Block, w: Array) -> Array:
    """Compute A' diag(w) B, (width of a, width of b), for weights of any sign."""
    return _CROSS[type(a), type(b)](a, b, w)


def bilinear(a: Block, b: Block, matrix: Array) -> Array:
    """Compute a_i' M b_i for every row i, M being (width of a, width of b)."""
    return _BILINEAR[type(a), type(b)](a, b, matrix)


def _dense_dense(a: Dense, b: Dense, w: Array) -> Array:
    if a.compiled and b.compiled:
        return np.asarray(kernel.dense_cross(*a.recipe, *b.recipe, w))
    return a.packed.T @ (b.packed * w[:, None])


def _coded_dense(a: Coded, b: Dense, w: Array) -> Array:
    weight = a.times(w)
    out = np.empty((a.width, b.width))
    for j in range(b.width):
        out[:, j] = a.sum_by_level(weight * b.packed[:, j])
    return out


def _coded_coded(a: Coded, b: Coded, w: Array) -> Array:
    # The pair of codes is the cell of a two-way table; int64 because 50,000 x 50,000 levels overflow int32.
    cell = a.codes.astype(np.int64) * b.levels + b.codes
    table = np.bincount(cell, weights=a.times(b.times(w)), minlength=a.levels * b.levels)
    return np.asarray(table, dtype=np.float64).reshape(a.levels, b.levels)


def _sparse_dense(a: Sparse, b: Dense, w: Array) -> Array:
    return a.unscale(np.asarray(a.matrix.T @ (b.packed * w[:, None])))


def _sparse_coded(a: Sparse, b: Coded, w: Array) -> Array:
    weighted = a.matrix.multiply(b.times(w)[:, None]).tocoo()
    cell = weighted.col.astype(np.int64) * b.levels + np.asarray(b.codes, dtype=np.int64)[weighted.row]
    table = np.bincount(cell, weights=weighted.data, minlength=a.width * b.levels)
    return a.unscale(np.asarray(table, dtype=np.float64).reshape(a.width, b.levels))


def _sparse_sparse(a: Sparse, b: Sparse, w: Array) -> Array:
    product = np.asarray((a.matrix.T @ b.matrix.multiply(w[:, None]).tocsr()).toarray(), dtype=np.float64)
    return b.unscale(a.unscale(product).T).T


def _rows_dense_dense(a: Dense, b: Dense, matrix: Array) -> Array:
    if a.compiled and b.compiled:
        return np.asarray(kernel.dense_bilinear(*a.recipe, *b.recipe, matrix))
    return np.asarray(np.einsum("ij,ij->i", a.packed @ matrix, b.packed))


def _rows_coded_dense(a: Coded, b: Dense, matrix: Array) -> Array:
    return a.times(np.einsum("ij,ij->i", matrix[a.codes], b.packed))


def _rows_coded_coded(a: Coded, b: Coded, matrix: Array) -> Array:
    return a.times(b.times(matrix[a.codes, b.codes]))


def _rows_sparse_dense(a: Sparse, b: Dense, matrix: Array) -> Array:
    return np.asarray(np.einsum("ij,ij->i", a.matrix @ a.unscale(matrix), b.packed))


def _rows_sparse_coded(a: Sparse, b: Coded, matrix: Array) -> Array:
    product = np.asarray(a.matrix @ a.unscale(matrix))
    return b.times(product[np.arange(b.length), b.codes])


def _rows_sparse_sparse(a: Sparse, b: Sparse, matrix: Array) -> Array:
    product = np.asarray(a.matrix @ a.unscale(b.unscale(matrix.T).T))
    return np.asarray(b.matrix.multiply(product).sum(axis=1)).ravel()


def _mirrored(table: dict[tuple[type, type], Any]) -> dict[tuple[type, type], Callable[..., Array]]:
    """Complete a table by symmetry: A' W B is the transpose of B' W A."""
    full = dict(table)
    for (a, b), product in table.items():
        full.setdefault((b, a), _swapped(product))
    return full


def _swapped(product: Callable[..., Array]) -> Callable[..., Array]:
    def mirrored(a: Block, b: Block, argument: Array) -> Array:
        # The argument is a weight per row (its own transpose) or the matrix between a and b.
        return product(b, a, argument.T).T

    return mirrored


_CROSS = _mirrored(
    {
        (Dense, Dense): _dense_dense,
        (Coded, Dense): _coded_dense,
        (Coded, Coded): _coded_coded,
        (Sparse, Dense): _sparse_dense,
        (Sparse, Coded): _sparse_coded,
        (Sparse, Sparse): _sparse_sparse,
    }
)

_BILINEAR = _mirrored(
    {
        (Dense, Dense): _rows_dense_dense,
        (Coded, Dense): _rows_coded_dense,
        (Coded, Coded): _rows_coded_coded,
        (Sparse, Dense): _rows_sparse_dense,
        (Sparse, Coded): _rows_sparse_coded,
        (Sparse, Sparse): _rows_sparse_sparse,
    }
)
