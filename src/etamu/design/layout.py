"""Names and contrasts: how reported coefficients meet the raw columns of the blocks.

May import: numpy, `etamu._base`.
Read next: `etamu.design.coordinates`, which adds shift, scale and aliases.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array


@dataclass(frozen=True, slots=True)
class TermColumns:
    """The reported columns of one term of the formula."""

    label: str
    columns: slice


SPARSE = 4_096
"""Entries from which a contrast matrix with few that are not zero is kept in compressed rows."""


@dataclass(frozen=True, eq=False)
class ContrastPart:
    """A categorical term: reported coefficients are contrasts of the levels of one coded block.

    Parameters
    ----------
    reported : slice or integers
        Reported coefficients of the term.
    raw : slice
        Its raw columns, one per level.
    matrix : array (levels, coefficients)
        Row l holds what level l contributes to each coefficient.
    """

    reported: slice | NDArray[np.intp]
    raw: slice
    matrix: Array

    @cached_property
    def operator(self) -> Any:
        """The matrix as it is multiplied with: compressed where most of it is zero, as sum contrasts are."""
        entries = self.matrix.size
        if entries < SPARSE or np.count_nonzero(self.matrix) > entries / 10:
            return self.matrix
        from scipy import sparse

        return sparse.csr_array(self.matrix)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """What every reported coefficient is made of.

    Parameters
    ----------
    names : tuple of str
        Reported coefficients in the order of the formula.
    terms : tuple of TermColumns
    dense_reported, dense_raw : integers
        Reported coefficient `dense_reported[i]` multiplies raw column `dense_raw[i]` as it stands.
    parts : tuple of ContrastPart
        Categorical terms.
    raw_width : int
        Number of raw columns.
    constant : array (reported,), optional
        c with X c = 1, None where the constant is not among the columns.
    """

    names: tuple[str, ...]
    terms: tuple[TermColumns, ...]
    dense_reported: NDArray[np.intp]
    dense_raw: NDArray[np.intp]
    parts: tuple[ContrastPart, ...]
    raw_width: int
    constant: Array | None = None

    @property
    def width(self) -> int:
        """Number of reported coefficients."""
        return len(self.names)

    def expand(self, beta: Array) -> Array:
        """Map reported coefficients, (width, …), to coefficients of the raw columns, (raw_width, …)."""
        raw = np.zeros((self.raw_width, *beta.shape[1:]))
        raw[self.dense_raw] = beta[self.dense_reported]
        for part in self.parts:
            raw[part.raw] = part.operator @ beta[part.reported]
        return raw

    def gather(self, raw: Array) -> Array:
        """Map a vector or matrix over raw columns, (raw_width, …), by the transpose of `expand`."""
        out = np.zeros((self.width, *raw.shape[1:]))
        out[self.dense_reported] = raw[self.dense_raw]
        for part in self.parts:
            out[part.reported] = part.operator.T @ raw[part.raw]
        return out


def plain_layout(names: tuple[str, ...], intercept: int | None = None) -> Layout:
    """Lay out columns that are reported as they stand, as an array of numbers is.

    Examples
    --------
    >>> plain_layout(("Intercept", "x"), intercept=0).width
    2
    """
    index: NDArray[Any] = np.arange(len(names))
    constant = None if intercept is None else (index == intercept).astype(np.float64)
    terms = tuple(TermColumns(name, slice(j, j + 1)) for j, name in enumerate(names))
    return Layout(names, terms, index, index, (), len(names), constant)
