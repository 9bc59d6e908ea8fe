"""A model of several linear predictors and its rows, stated completely before anything is computed.

May import: everything below `vector`.
Read next: `etamu.vector.assemble`, which states one, and `etamu.vector.estimate`, which solves it.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.errors import NotAvailableError
from etamu._base.facts import dataclass
from etamu.data.schema import Schema
from etamu.design.chunk import Chunk
from etamu.design.layout import Layout
from etamu.family.vector import Parameter, VectorFamily
from etamu.fit.problem import Options, Sample, Tally, Words


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """One linear predictor of a model: its parameter, and the columns it is made of.

    Parameters
    ----------
    parameter : Parameter
    formula : str
        Its right side, such as "~ age".
    layout : Layout
    schema : Schema, optional
        How to encode new data; None for the columns of a matrix.
    hidden : tuple of str
        Terms of its formula that are other predictors' and so not its own.
    offset : bool
        Whether the offset of the model is added to it.
    """

    parameter: Parameter
    formula: str
    layout: Layout
    schema: Schema | None
    hidden: tuple[str, ...] = ()
    offset: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class VectorProblem:
    """A model of k linear predictors and the rows it is fitted to.

    Parameters
    ----------
    family : VectorFamily
        With its classes settled, where it has some.
    predictors : tuple of Predicted
    sample : Sample, optional
        The rows; None for a fit that was read from a file.
    tally : Tally
    dropped : dict of str to int
        Missing values per column.
    words : Words
    options : Options
    notes : tuple of str
    """

    family: VectorFamily
    predictors: tuple[Predicted, ...]
    sample: Sample | None
    tally: Tally
    dropped: dict[str, int]
    words: Words
    options: Options = field(default_factory=Options)
    notes: tuple[str, ...] = ()

    @property
    def chunk(self) -> Chunk:
        """The complete rows; raises NotAvailableError where a fit carries none."""
        return self.attached().chunk

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Which of the complete rows count; raises NotAvailableError where a fit carries none."""
        return self.attached().counted

    @property
    def table(self) -> Any:
        """The frame that came in; None where a fit carries no rows."""
        return None if self.sample is None else self.sample.table

    @property
    def input_rows(self) -> int:
        """Rows in the input, dropped ones included."""
        return self.tally.given

    def attached(self) -> Sample:
        """Return the rows.

        Raises
        ------
        NotAvailableError
            If the fit was read from a file, which carries none.
        """
        if self.sample is None:
            raise NotAvailableError(
                "this needs the rows of the data, and a fit read from a file carries none: give data= to "
                "predict; for anything else fit the model again"
            )
        return self.sample

    def counting(self) -> Chunk:
        """Return the rows that count, copied only where some do not."""
        return self.chunk if self.counted.all() else self.chunk.take(np.flatnonzero(self.counted))

    @property
    def nobs(self) -> int:
        """Number of observations: rows of positive weight, or the sum of frequency weights."""
        frequency = self.chunk.weights.frequency
        return int(self.counted.sum()) if frequency is None else round(float(frequency.sum()))
