"""Kinds of columns: dense numbers, coded categories, sparse numbers, and the verbs each of them has.

May import: numpy, `etamu._base`.
Read next: `etamu.design.cross` for products between kinds, `etamu.design.design` for blocks side by side.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.joined import Joined
from etamu._base.kernel import kernel, portable
from etamu._base.types import Array, Codes
from etamu.design.moments import Moments, beside, constant, moments_of
from etamu.design.twin import CodedParts, csr_part
from etamu.design.verbs import contiguous, readable, readable_codes, some, verbs_for

COMPILED = frozenset(np.dtype(kind) for kind in "dfbhilqBHILQ?")
"""Types of columns the compiled kernel reads, in the byte order of the machine; others are left to NumPy."""


class Block(Protocol):
    """Some columns of the design over some rows."""

    shiftable: ClassVar[bool]
    """Whether a number may be subtracted from its columns while they are packed."""

    @property
    def width(self) -> int:
        """Number of raw columns."""

    @property
    def length(self) -> int:
        """Number of rows."""

    @property
    def stored(self) -> int:
        """Numbers kept per row: what a pass has to read."""

    def matvec(self, beta: Array) -> Array:
        """Compute X beta, one number per row."""

    def matmat(self, matrix: Array) -> Array:
        """Compute X B for several vectors at once, (rows, vectors)."""

    def rmatvec(self, v: Array) -> Array:
        """Compute X'v, one number per column."""

    def gram(self, w: Array) -> Array:
        """Compute X' diag(w) X for weights of any sign."""

    def quadratic(self, matrix: Array) -> Array:
        """Compute x_i' M x_i for every row i."""

    def dense(self) -> Array:
        """Write the columns out, rows by columns; meant for a block that fits in cache."""

    def rows(self, start: int, stop: int) -> Block:
        """View the rows start, …, stop - 1."""

    def take(self, index: NDArray[np.intp]) -> Block:
        """Copy some rows."""

    def moments(self) -> Moments:
        """Describe every raw column: mean, spread and range, shift and scale left aside."""

    def extent(self) -> Array:
        """Return the largest |x| of every placed column, one number for the levels of a block."""

    def scaled(self, shift: Array, scale: Array) -> Block:
        """Replace the shift and the scale of every raw column; a block without shift ignores it."""


@dataclass(frozen=True, eq=False)
class Dense:
    """Numeric columns, read where they lie, shifted and scaled while they are packed.

    Parameters
    ----------
    columns : tuple of arrays
        Each (n,) or (n, k), of any numeric dtype.
    shift, scale : arrays (width,), optional
        Column j enters as (x_j - shift_j) / scale_j.
    """

    columns: tuple[np.ndarray[Any, Any], ...]
    shift: Array | None = None
    scale: Array | None = None

    shiftable: ClassVar[bool] = True

    @cached_property
    def width(self) -> int:
        """Number of columns."""
        return sum(1 if column.ndim == 1 else column.shape[1] for column in self.columns)

    @property
    def length(self) -> int:
        """Number of rows."""
        return len(self.columns[0])

    @property
    def stored(self) -> int:
        """Numbers kept per row: the columns."""
        return self.width

    @cached_property
    def compiled(self) -> bool:
        """Whether the compiled kernel does the work, tile by tile; else NumPy does it on `packed`."""
        return kernel is not None and all(column.dtype in COMPILED for column in self.columns)

    @property
    def recipe(self) -> tuple[tuple[np.ndarray[Any, Any], ...], Array | None, Array | None]:
        """What the compiled kernel packs: columns, shift, scale."""
        columns = tuple(map(np.asarray, self.columns)) if self.pieced else self.columns
        return columns, self.shift, self.scale

    @cached_property
    def pieced(self) -> bool:
        """Whether some column lies in several pieces of memory, joined for as long as they are read."""
        return any(isinstance(column, Joined) for column in self.columns)

    def column(self, place: int) -> Array:
        """Return one column as it lies, neither shifted nor scaled."""
        for column in self.columns:
            width = 1 if column.ndim == 1 else column.shape[1]
            if place < width:
                return np.asarray(column if column.ndim == 1 else column[:, place], dtype=np.float64)
            place -= width
        raise IndexError(place)

    @cached_property
    def packed(self) -> Array:
        """The columns as one float64 panel (length, width)."""
        panel = np.column_stack(self.columns).astype(np.float64, copy=False)
        if self.shift is not None:
            panel = panel - self.shift
        if self.scale is not None:
            panel = panel / self.scale
        return panel

    def matvec(self, beta: Array) -> Array:
        """Compute X beta."""
        if self.compiled:
            return np.asarray(kernel.dense_matvec(*self.recipe, beta))
        return self.packed @ beta

    def matmat(self, matrix: Array) -> Array:
        """Compute X B."""
        return self.packed @ matrix

    def rmatvec(self, v: Array) -> Array:
        """Compute X'v."""
        if self.compiled:
            return np.asarray(kernel.dense_rmatvec(*self.recipe, v))
        return self.packed.T @ v

    def gram(self, w: Array) -> Array:
        """Compute X' diag(w) X."""
        if self.compiled:
            return np.asarray(kernel.dense_gram(*self.recipe, w))
        product = self.packed.T @ (self.packed * w[:, None])
        return 0.5 * (product + product.T)

    def quadratic(self, matrix: Array) -> Array:
        """Compute x_i' M x_i row by row."""
        if self.compiled:
            return np.asarray(kernel.dense_quadratic(*self.recipe, matrix))
        return np.asarray(np.einsum("ij,ij->i", self.packed @ matrix, self.packed))

    def dense(self) -> Array:
        """Return the packed panel."""
        return self.packed

    def rows(self, start: int, stop: int) -> Dense:
        """View the rows start, …, stop - 1."""
        return Dense(tuple(column[start:stop] for column in self.columns), self.shift, self.scale)

    def take(self, index: NDArray[np.intp]) -> Dense:
        """Copy some rows."""
        return Dense(tuple(some(column, index) for column in self.columns), self.shift, self.scale)

    def moments(self) -> Moments:
        """Describe every column."""
        if self.length and all(column.ndim == 1 and column.strides == (0,) for column in self.columns):
            return beside([constant(float(column[0]), self.length) for column in self.columns], self.length)
        if kernel is None or not self.length:
            return moments_of(Dense(self.columns).packed)
        columns = tuple(readable(column) for column in self.columns)
        whole = kernel.Rows(self.length, self.width, [(0, (columns, None, None, None))], (), None, None, None)
        return Moments(self.length, *whole.moments())

    def extent(self) -> Array:
        """Return the largest |x| of every column."""
        return np.asarray(np.abs(self.packed).max(axis=0, initial=0.0))

    def scaled(self, shift: Array, scale: Array) -> Dense:
        """Replace the shift and the scale applied while packing."""
        return Dense(self.columns, shift, scale)


@dataclass(frozen=True, eq=False)
class Coded:
    """One column per level, kept as a code per row; an interaction with a number carries it as multiplier.

    Categorical, categorical x categorical and categorical x numeric are this one kind. Raw column l
    of row i is `multiplier_i / scale` where `codes_i == l`, else 0.

    Parameters
    ----------
    codes : integers (n,)
        Level of each row, in 0, …, levels - 1.
    levels : int
        Number of levels, that is of raw columns.
    multiplier : array (n,), optional
        The number the indicator is multiplied by; 1 if absent.
    scale : float
        Divides the multiplier.
    """

    codes: Codes
    levels: int
    multiplier: np.ndarray[Any, Any] | None = None
    scale: float = 1.0

    shiftable: ClassVar[bool] = False

    @property
    def width(self) -> int:
        """Number of levels."""
        return self.levels

    @property
    def length(self) -> int:
        """Number of rows."""
        return len(self.codes)

    @property
    def stored(self) -> int:
        """Numbers kept per row: the code, and the multiplier if there is one."""
        return 1 if self.multiplier is None else 2

    @cached_property
    def parts(self) -> CodedParts:
        """The block as the verbs take it: (codes, levels, multiplier, scale)."""
        multiplier = None if self.multiplier is None else readable(self.multiplier)
        return readable_codes(self.codes), self.levels, multiplier, self.scale

    def matvec(self, beta: Array) -> Array:
        """Compute X beta: look each level up."""
        return np.asarray(verbs_for(self.levels).coded_matvec(self.parts, contiguous(beta)))

    def matmat(self, matrix: Array) -> Array:
        """Compute X B: look each level up."""
        found = matrix[self.codes]
        if self.multiplier is not None:
            found = found * np.asarray(self.multiplier, dtype=np.float64)[:, None]
        return found if self.scale == 1.0 else found / self.scale

    def rmatvec(self, v: Array) -> Array:
        """Compute X'v: add up by level."""
        return np.asarray(verbs_for(self.levels).coded_rmatvec(self.parts, contiguous(v)))

    def diagonal(self, w: Array) -> Array:
        """Compute the diagonal of X' diag(w) X, all that there is of it."""
        return np.asarray(verbs_for(self.levels).coded_diagonal(self.parts, contiguous(w)))

    def gram(self, w: Array) -> Array:
        """Compute X' diag(w) X, a diagonal matrix."""
        return np.diag(self.diagonal(w))

    def quadratic(self, matrix: Array) -> Array:
        """Compute x_i' M x_i: the diagonal of M, looked up."""
        return np.asarray(verbs_for(self.levels).coded_quadratic(self.parts, contiguous(np.diag(matrix))))

    def dense(self) -> Array:
        """Write the indicators out; for a block of rows, never for the whole table."""
        panel = np.zeros((self.length, self.levels))
        number = 1.0 if self.multiplier is None else np.asarray(self.multiplier, dtype=np.float64)
        panel[np.arange(self.length), self.codes] = number / self.scale
        return panel

    def rows(self, start: int, stop: int) -> Coded:
        """View the rows start, …, stop - 1."""
        part = None if self.multiplier is None else self.multiplier[start:stop]
        return Coded(self.codes[start:stop], self.levels, part, self.scale)

    def take(self, index: NDArray[np.intp]) -> Coded:
        """Copy some rows."""
        part = None if self.multiplier is None else some(self.multiplier, index)
        return Coded(some(self.codes, index), self.levels, part, self.scale)

    def moments(self) -> Moments:
        """Describe the multiplier, in the place of every level."""
        if self.multiplier is None:
            return constant(1.0, self.length, self.levels)
        return Dense((self.multiplier,)).moments().repeated(self.levels)

    def extent(self) -> Array:
        """Return the largest |multiplier|, in the place of every level."""
        return self.moments().largest(0.0) / self.scale if self.length else np.zeros(self.levels)

    def scaled(self, shift: Array, scale: Array) -> Coded:
        """Replace the number that divides the multiplier; all levels share it."""
        return Coded(self.codes, self.levels, self.multiplier, float(scale[0]) if len(scale) else 1.0)


@dataclass(frozen=True, eq=False)
class Sparse:
    """Numeric columns with few non-zeros, in compressed rows; scaled, never shifted.

    Parameters
    ----------
    matrix : scipy.sparse CSR array or matrix (n, width)
        No column twice in a row.
    scale : array (width,), optional
        Column j enters as x_j / scale_j.
    """

    matrix: Any
    scale: Array | None = None

    shiftable: ClassVar[bool] = False

    def __getstate__(self) -> dict[str, Any]:
        return portable(self)

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.matrix.shape[1])

    @property
    def length(self) -> int:
        """Number of rows."""
        return int(self.matrix.shape[0])

    @property
    def stored(self) -> int:
        """Numbers kept per row, on average and rounded up."""
        return -(-int(self.matrix.nnz) // max(self.length, 1))

    def unscale(self, panel: Array) -> Array:
        """Divide the leading axis, one entry per column, by the scale."""
        if self.scale is None:
            return panel
        return panel / (self.scale if panel.ndim == 1 else self.scale[:, None])

    @cached_property
    def parts(self) -> Any:
        """The block as the verbs take it; its indexes are looked at once for all parts of the rows."""
        rows = self.matrix.tocsr()
        indices = rows.indices.astype(rows.indptr.dtype, copy=False)
        return verbs_for().csr_rows(rows.indptr, indices, contiguous(rows.data), self.width)

    def matvec(self, beta: Array) -> Array:
        """Compute X beta."""
        return np.asarray(verbs_for().csr_matvec(self.parts, contiguous(self.unscale(beta))))

    def matmat(self, matrix: Array) -> Array:
        """Compute X B."""
        return np.asarray(self.matrix @ self.unscale(matrix))

    def rmatvec(self, v: Array) -> Array:
        """Compute X'v."""
        return self.unscale(np.asarray(verbs_for().csr_rmatvec(self.parts, contiguous(v))))

    def gram(self, w: Array) -> Array:
        """Compute X' diag(w) X."""
        factor = None if self.scale is None else 1.0 / self.scale
        return np.asarray(verbs_for().csr_gram(self.parts, contiguous(w), factor))

    def quadratic(self, matrix: Array) -> Array:
        """Compute x_i' M x_i row by row."""
        inner = self.unscale(self.unscale(matrix).T)
        return np.asarray(verbs_for().csr_quadratic(self.parts, contiguous(inner)))

    def dense(self) -> Array:
        """Write the columns out."""
        panel = np.asarray(self.matrix.toarray(), dtype=np.float64)
        return panel if self.scale is None else panel / self.scale

    def rows(self, start: int, stop: int) -> Sparse:
        """View the rows start, …, stop - 1."""
        out = Sparse(csr_part(self.matrix.tocsr(), start, stop), self.scale)
        out.__dict__["parts"] = verbs_for().csr_part(self.parts, start, stop)
        return out

    def take(self, index: NDArray[np.intp]) -> Sparse:
        """Copy some rows."""
        return Sparse(self.matrix[index], self.scale)

    def moments(self) -> Moments:
        """Describe every column, its zeros included."""
        n = self.length
        total, square, low, high, stored = np.asarray(verbs_for().csr_moments(self.parts))
        gaps = stored < n
        low, high = np.where(gaps, np.minimum(low, 0.0), low), np.where(gaps, np.maximum(high, 0.0), high)
        mean = total / max(n, 1)
        return Moments(n, mean, np.maximum(square - n * mean**2, 0.0), low, high)

    def extent(self) -> Array:
        """Return the largest |x| of every column."""
        largest = self.moments().largest(0.0)
        return largest if self.scale is None else largest / self.scale

    def scaled(self, shift: Array, scale: Array) -> Sparse:
        """Replace the numbers that divide the columns; shifting would fill the zeros."""
        out = Sparse(self.matrix, scale)
        out.__dict__["parts"] = self.parts
        return out
