"""A model of several linear predictors and its rows, stated completely before anything is computed.

May import: everything below `vector`.
Read next: `etamu.vector.assemble`, which states one, and `etamu.vector.estimate`, which solves it.
"""

from __future__ import annotations

from dataclasses import field

from etamu._base.facts import dataclass
from etamu.data.schema import Schema
from etamu.design.layout import Layout
from etamu.family.vector import Parameter, VectorFamily
from etamu.fit.problem import OfRows, Options, Sample, Tally, Words


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
class VectorProblem(OfRows):
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
