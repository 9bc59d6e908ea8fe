"""Products between two kinds of blocks, one table entry per pair of kinds.

May import: numpy, `etamu._base`, `etamu.design.blocks`, `etamu.design.tabulated`.
Read next: `etamu.design.design`, which walks over the pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from etamu._base.kernel import kernel
from etamu._base.types import Array
from etamu.design.blocks import Block, Coded, Dense, Sparse
from etamu.design.tabulated import Tabulated
from etamu.design.verbs import contiguous, verbs_for


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
    verbs = verbs_for(a.levels)
    return np.asarray(verbs.coded_dense_cross(a.parts, contiguous(b.packed), contiguous(w)))


def _coded_coded(a: Coded, b: Coded, w: Array) -> Array:
    verbs = verbs_for(a.levels, b.levels)
    return np.asarray(verbs.coded_cross(a.parts, b.parts, contiguous(w)))


def _sparse_dense(a: Sparse, b: Dense, w: Array) -> Array:
    product = verbs_for().csr_dense_cross(a.parts, contiguous(b.packed), contiguous(w))
    return a.unscale(np.asarray(product))


def _sparse_coded(a: Sparse, b: Coded, w: Array) -> Array:
    product = verbs_for(b.levels).csr_coded_cross(a.parts, b.parts, contiguous(w))
    return a.unscale(np.asarray(product))


def _sparse_sparse(a: Sparse, b: Sparse, w: Array) -> Array:
    product = np.asarray(verbs_for().csr_cross(a.parts, b.parts, contiguous(w)))
    return b.unscale(a.unscale(product).T).T


def _tabulated_any(a: Tabulated, b: Block, w: Array) -> Array:
    return a.values.T @ cross(a.coded, b, w)


def _tabulated_tabulated(a: Tabulated, b: Tabulated, w: Array) -> Array:
    return a.values.T @ cross(a.coded, b.coded, w) @ b.values


def _rows_dense_dense(a: Dense, b: Dense, matrix: Array) -> Array:
    if a.compiled and b.compiled:
        return np.asarray(kernel.dense_bilinear(*a.recipe, *b.recipe, matrix))
    return np.asarray(np.einsum("ij,ij->i", a.packed @ matrix, b.packed))


def _rows_coded_dense(a: Coded, b: Dense, matrix: Array) -> Array:
    verbs = verbs_for(a.levels)
    return np.asarray(verbs.coded_dense_bilinear(a.parts, contiguous(b.packed), contiguous(matrix)))


def _rows_coded_coded(a: Coded, b: Coded, matrix: Array) -> Array:
    verbs = verbs_for(a.levels, b.levels)
    return np.asarray(verbs.coded_bilinear(a.parts, b.parts, contiguous(matrix)))


def _rows_sparse_dense(a: Sparse, b: Dense, matrix: Array) -> Array:
    return np.asarray(np.einsum("ij,ij->i", a.matrix @ a.unscale(matrix), b.packed))


def _rows_sparse_coded(a: Sparse, b: Coded, matrix: Array) -> Array:
    product = np.asarray(a.matrix @ a.unscale(matrix))
    picked = product[np.arange(b.length), b.codes] / b.scale
    return picked if b.multiplier is None else picked * b.multiplier


def _rows_sparse_sparse(a: Sparse, b: Sparse, matrix: Array) -> Array:
    product = np.asarray(a.matrix @ a.unscale(b.unscale(matrix.T).T))
    return np.asarray(b.matrix.multiply(product).sum(axis=1)).ravel()


def _rows_tabulated_any(a: Tabulated, b: Block, matrix: Array) -> Array:
    return bilinear(a.coded, b, a.values @ matrix)


def _rows_tabulated_tabulated(a: Tabulated, b: Tabulated, matrix: Array) -> Array:
    return bilinear(a.coded, b.coded, a.values @ matrix @ b.values.T)


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
        **dict.fromkeys([(Tabulated, Dense), (Tabulated, Coded), (Tabulated, Sparse)], _tabulated_any),
        (Tabulated, Tabulated): _tabulated_tabulated,
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
        **dict.fromkeys([(Tabulated, Dense), (Tabulated, Coded), (Tabulated, Sparse)], _rows_tabulated_any),
        (Tabulated, Tabulated): _rows_tabulated_tabulated,
    }
)
