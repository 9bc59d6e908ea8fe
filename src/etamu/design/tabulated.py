"""Several columns that are functions of one variable with few values: a code per row, and a table of them.

A spline of age in years is a map on 80 levels: eta looks its value up, a score adds by level before it is
multiplied by the table, and X'WX is that of the levels with the table on both sides. The kernel sees codes.

May import: numpy, `etamu._base`, `etamu.design.blocks`.
Read next: `etamu.design.fold`, which carries what the kernel sums by level to the columns.
"""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array, Codes
from etamu.design.blocks import Coded
from etamu.design.moments import Moments


@dataclass(frozen=True, eq=False)
class Tabulated:
    """Columns of numbers, the same in all rows of one code.

    Parameters
    ----------
    codes : integers (n,)
        Level of each row, in 0, …, levels - 1.
    table : array (levels, width)
        The columns at each level.
    shift, scale : arrays (width,), optional
        Column j enters as (x_j - shift_j) / scale_j.

    Examples
    --------
    >>> block = Tabulated(np.array([0, 1, 0]), np.array([[1.0, 2.0], [3.0, 5.0]]))
    >>> block.dense().tolist(), block.rmatvec(np.ones(3)).tolist()
    ([[1.0, 2.0], [3.0, 5.0], [1.0, 2.0]], [5.0, 9.0])
    """

    codes: Codes
    table: Array
    shift: Array | None = None
    scale: Array | None = None

    shiftable: ClassVar[bool] = True

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.table.shape[1])

    @property
    def length(self) -> int:
        """Number of rows."""
        return len(self.codes)

    @property
    def stored(self) -> int:
        """Numbers kept per row: the code."""
        return 1

    @cached_property
    def values(self) -> Array:
        """The table, shifted and scaled."""
        values = self.table if self.shift is None else self.table - self.shift
        return values if self.scale is None else values / self.scale

    @cached_property
    def coded(self) -> Coded:
        """The levels themselves."""
        return Coded(self.codes, len(self.table))

    def matvec(self, beta: Array) -> Array:
        """Compute X beta: once per level, then looked up."""
        return self.coded.matvec(self.values @ beta)

    def matmat(self, matrix: Array) -> Array:
        """Compute X B."""
        return np.asarray((self.values @ matrix)[self.codes])

    def rmatvec(self, v: Array) -> Array:
        """Compute X'v: added by level first."""
        return self.values.T @ self.coded.rmatvec(v)

    def gram(self, w: Array) -> Array:
        """Compute X' diag(w) X."""
        return squared(self.values, self.coded.diagonal(w))

    def quadratic(self, matrix: Array) -> Array:
        """Compute x_i' M x_i, once per level."""
        return np.asarray(np.einsum("ij,ij->i", self.values @ matrix, self.values)[self.codes])

    def extent(self) -> Array:
        """Return the largest |x| of every column, over all levels."""
        return np.asarray(np.abs(self.values).max(axis=0, initial=0.0))

    def dense(self) -> Array:
        """Write the columns out."""
        return np.asarray(self.values[self.codes])

    def rows(self, start: int, stop: int) -> Tabulated:
        """View the rows start, …, stop - 1."""
        return Tabulated(self.codes[start:stop], self.table, self.shift, self.scale)

    def take(self, index: NDArray[np.intp]) -> Tabulated:
        """Copy some rows."""
        return Tabulated(self.codes[index], self.table, self.shift, self.scale)

    def moments(self) -> Moments:
        """Describe every column, its levels as often as they occur."""
        counts = np.bincount(self.codes, minlength=len(self.table))
        seen, times = self.table[counts > 0], counts[counts > 0].astype(np.float64)
        if not len(seen):
            zero = np.zeros(self.width)
            return Moments(0, zero, zero, zero + np.inf, zero - np.inf)
        mean = times @ seen / self.length
        return Moments(self.length, mean, times @ (seen - mean) ** 2, seen.min(axis=0), seen.max(axis=0))

    def scaled(self, shift: Array, scale: Array) -> Tabulated:
        """Replace the shift and the scale of the table."""
        return Tabulated(self.codes, self.table, shift, scale)


def squared(table: Array, diagonal: Array) -> Array:
    """Compute T' diag(d) T, exactly symmetric.

    Examples
    --------
    >>> squared(np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([1.0, 3.0])).tolist()
    [[1.0, 2.0], [2.0, 7.0]]
    """
    product = table.T @ (diagonal[:, None] * table)
    return np.asarray(0.5 * (product + product.T))
