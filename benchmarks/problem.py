"""What a benchmark fits: a dense matrix, or a table whose categories are codes.

May import: the standard library, numpy.
Read next: `benchmarks.dense`, `benchmarks.motor`, which draw them; `benchmarks.tasks`, their list.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A categorical column; its levels are sorted text, so that every library takes the same reference."""

    codes: NDArray[np.intp]
    levels: tuple[str, ...]

    def __post_init__(self) -> None:
        if list(self.levels) != sorted(self.levels):
            raise ValueError(
                f"levels must be sorted text, or libraries disagree on the reference: {self.levels[:5]}"
            )

    def text(self) -> NDArray[Any]:
        """Return the level of each row."""
        return np.asarray(self.levels, dtype=object)[self.codes]

    def used(self) -> Coded:
        """Return the column without levels that no row has."""
        present, codes = np.unique(self.codes, return_inverse=True)
        return Coded(codes, tuple(self.levels[i] for i in present))


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """A matrix of numbers, row-major float64, without the intercept's column, and a response."""

    X: Array
    y: Array

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return len(self.y)

    @property
    def coefficients(self) -> int:
        """Return the number of coefficients, the intercept included."""
        return self.X.shape[1] + 1

    @property
    def nbytes(self) -> int:
        """Return the bytes of the input."""
        return self.X.nbytes + self.y.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Named columns for a formula of main effects: categories first, then numbers."""

    response: str
    y: Array
    terms: dict[str, Coded | NDArray[Any]]
    exposure: Array | None = None
    text: bool = False

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return len(self.y)

    @property
    def coded(self) -> dict[str, Coded]:
        """Return the categorical columns."""
        return {name: column for name, column in self.terms.items() if isinstance(column, Coded)}

    @property
    def numeric(self) -> dict[str, NDArray[Any]]:
        """Return the numeric columns."""
        return {name: column for name, column in self.terms.items() if not isinstance(column, Coded)}

    @property
    def coefficients(self) -> int:
        """Return the number of coefficients, the intercept included, the reference levels left out."""
        return 1 + sum(len(c.levels) - 1 for c in self.coded.values()) + len(self.numeric)

    @property
    def formula(self) -> str:
        """Return the formula of all terms."""
        return f"{self.response} ~ {' + '.join(self.terms)}"

    @property
    def nbytes(self) -> int:
        """Return the bytes of codes and numbers."""
        sizes = [c.codes.nbytes if isinstance(c, Coded) else c.nbytes for c in self.terms.values()]
        return sum(sizes) + self.y.nbytes + (0 if self.exposure is None else self.exposure.nbytes)

    def used(self) -> Table:
        """Return the table without levels that no row has."""
        return replace(
            self, terms={k: c.used() if isinstance(c, Coded) else c for k, c in self.terms.items()}
        )


Problem = Dense | Table
