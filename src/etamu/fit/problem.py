"""One model and its rows, stated completely before anything is computed.

May import: everything below `fit`.
Read next: `etamu.fit.estimate`, which solves it.
"""

from __future__ import annotations

import reprlib
from abc import ABC
from dataclasses import field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.choice import check_choice, guess
from etamu._base.errors import NotAvailableError, OptionError
from etamu._base.facts import dataclass
from etamu._base.flags import are_all, count
from etamu._base.listing import listed
from etamu._base.types import Array
from etamu.data.index import refuse_named_otherwise
from etamu.data.schema import Schema
from etamu.design.chunk import Chunk
from etamu.design.layout import Layout
from etamu.family.family import is_number
from etamu.family.unit import Unit

ALONE = ("model", "observed", "HC0", "HC1", "HC2", "HC3", "HC4", "HAC")
"""Covariances that need nothing but the fit."""

METHODS = {
    "ml": "maximum likelihood",
    "firth": "scores adjusted for mean bias (Firth)",
    "median": "scores adjusted for median bias",
    "mixed": "scores adjusted for mean bias (coefficients) and median bias (phi)",
    "jeffreys": "likelihood penalised by Jeffreys' prior",
}
"""How coefficients are found, and in words."""

CLUSTERED = ("CR0", "CR1", "CR2", "CR3")
"""Covariances that need clusters."""


PHI = ("pearson", "deviance", "ml")
"""How a dispersion is found."""

ON_SEPARATION = ("warn", "error", "drop", "firth")
"""Say what runs away and return the limit; raise; leave the separated rows out; or fit with less bias."""


@dataclass(frozen=True, slots=True)
class Options:
    """Choices that do not change what the model is.

    Parameters
    ----------
    dispersion : None, "pearson", "deviance", "ml" or float
    covariance : None or one of `ALONE`
    solver : str
    start : array, optional
        Reported coefficients to start from.
    block_rows, threads : int
        How the rows are visited; never what comes out.
    method : str
        One of `METHODS`: maximum likelihood, or scores adjusted for mean or median bias or by a prior.
    precision : "double" or "extended"
        Whether the score is summed in twice the precision at the end.
    on_separation : one of `ON_SEPARATION`
        What happens where no finite estimate exists.
    """

    dispersion: str | float | None = None
    covariance: str | None = None
    solver: str = "newton"
    start: Array | None = None
    block_rows: int | None = None
    threads: int | None = None
    method: str = "ml"
    precision: str = "double"
    on_separation: str = "warn"


def check_options(options: Options, missing: str) -> None:
    """Refuse options nobody understands, before any data are read.

    Raises
    ------
    OptionError
        Naming the option and what it may be.
    """
    choices: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "missing": (missing, ("drop", "raise")),
        "solver": (options.solver, ("newton", "irls", "gradient", "lbfgs")),
        "covariance": (options.covariance, (None, *ALONE)),
        "method": (options.method, tuple(METHODS)),
        "precision": (options.precision, ("double", "extended")),
        "on_separation": (options.on_separation, ON_SEPARATION),
    }
    if options.covariance in (*CLUSTERED, "cluster"):
        raise OptionError(
            f"covariance={options.covariance!r} needs clusters, which are said after the fit: "
            f"fit.with_covariance({options.covariance!r}, cluster='column')"
        )
    for keyword, (value, known) in choices.items():
        check_choice(keyword, value, known)
    if options.method != "ml" and options.solver != "newton":
        raise OptionError(
            f"solver={options.solver!r} climbs a likelihood, and method={options.method!r} solves adjusted "
            "score equations: leave solver= out"
        )
    _check_start(options.start)
    phi = options.dispersion
    if isinstance(phi, str):
        understood = phi in PHI
    else:
        understood = phi is None or (is_number(phi) and phi > 0.0)
    if not understood:
        raise OptionError(
            f"dispersion={phi!r} is not understood;{guess(phi, PHI)} give None, 'pearson', 'deviance', 'ml', "
            "a positive number, or a formula that models it, such as '~ x'"
        )


def _check_start(start: Any) -> None:
    """Refuse a start that is no row of numbers, before any data are read."""
    if start is None:
        return
    try:
        given = np.asarray(start)
        fitting = given.ndim == 1 and given.dtype.kind in "iufO"
        np.asarray(start if fitting else [], dtype=np.float64)
    except (TypeError, ValueError):
        fitting = False
    if not fitting:
        raise OptionError(
            f"start is {_shown(start)}; give an array of numbers, one for each coefficient in the "
            "order of the names"
        )


def start_of(given: Any, names: tuple[str, ...], kept: NDArray[np.intp]) -> Array:
    """Read the coefficients to start from, one for each name; those not kept may be anything.

    Raises
    ------
    OptionError
        If there are more or fewer, they are named otherwise, or one is not finite.
    """
    if len(given) != len(names):
        raise OptionError(
            f"start has {len(given)} numbers and the model {len(names)} coefficients: {listed(names)}"
        )
    refuse_named_otherwise(given, names)
    numbers = np.asarray(given, dtype=np.float64)
    for j in kept[~np.isfinite(numbers[kept])]:
        raise OptionError(f"start is {numbers[j]} for {names[j]!r}; give a finite number")
    return numbers


def outside(unit: Unit) -> OptionError:
    """Say that a start has no likelihood."""
    domain = unit.domain
    everywhere = np.isneginf(domain.lower) and np.isposinf(domain.upper)
    where = "so far out that its likelihood is beyond float64" if everywhere else f"outside {domain!r}"
    return OptionError(
        f"start puts some eta {where}, where the {unit.link.name} link has no mean this family can have; "
        "leave start out or choose one nearer"
    )


def _shown(value: Any) -> str:
    """Write a value in one short line, or name its kind."""
    text = reprlib.repr(value)
    return text if "\n" not in text else f"of type {type(value).__name__}"


@dataclass(frozen=True, slots=True)
class Words:
    """How the model is called when it is shown.

    Parameters
    ----------
    response : str
    formula : str
    offset, exposure, trials : str, optional
        Column names given for these, None where an array or nothing was given.
    given : tuple of str
        Keywords that were given as arrays and so must be given again with new data.
    weights : tuple of (keyword, column)
        Columns named for the three kinds of weights.
    """

    response: str
    formula: str
    offset: str | None = None
    exposure: str | None = None
    trials: str | None = None
    given: tuple[str, ...] = ()
    weights: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The rows a model is fitted to.

    Parameters
    ----------
    chunk : Chunk
        Complete rows, raw columns neither shifted nor scaled.
    counted : booleans (len(chunk),)
        Rows of positive weight; the others are predicted and nothing else.
    table : Any
        The frame that came in, for tables in its library.
    """

    chunk: Chunk
    counted: NDArray[np.bool_]
    table: Any = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows there were: what is still known where the rows themselves are gone.

    Parameters
    ----------
    given : int
        Rows in the input, dropped ones included.
    used : int
        Complete rows of positive weight.
    idle : int
        Complete rows of weight 0.
    """

    given: int
    used: int
    idle: int


def tally(given: int, counted: NDArray[np.bool_]) -> Tally:
    """Count the rows of an input of which some are complete and some of those counted."""
    used = count(counted)
    return Tally(given, used, len(counted) - used)


class OfRows(ABC):
    """A model and its rows, of one predictor or of several; abstract."""

    __slots__ = ()

    sample: Sample | None
    tally: Tally
    words: Words

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
        """The frame that came in; None where there was none or a fit carries no rows."""
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
        return self.chunk if self.all_count else self.chunk.take(np.flatnonzero(self.counted))

    @property
    def all_count(self) -> bool:
        """Whether every complete row has a positive weight."""
        return are_all(self.counted)

    @property
    def nobs(self) -> int:
        """Number of observations: rows of positive weight, or the sum of frequency weights."""
        frequency = self.chunk.weights.frequency
        return count(self.counted) if frequency is None else round(float(frequency.sum()))


@dataclass(frozen=True, slots=True, eq=False)
class Problem(OfRows):
    """A model and the rows it is fitted to.

    Parameters
    ----------
    unit : Unit
        Family and link.
    layout : Layout
        What the reported coefficients are.
    sample : Sample, optional
        The rows; None for a fit that was read from a file.
    tally : Tally
        How many rows there were.
    dropped : dict of str to int
        Missing values per column.
    schema : Schema, optional
        How to encode new data; None for a model fitted to arrays.
    words : Words
    options : Options
    notes : tuple of str
        What the user should know.
    unknown : str
        Name of the family's parameter that is estimated with the coefficients; the unit has it at a value,
        which before the fit means nothing. Empty where there is none.
    """

    unit: Unit
    layout: Layout
    sample: Sample | None
    tally: Tally
    dropped: dict[str, int]
    schema: Schema | None
    words: Words
    options: Options = field(default_factory=Options)
    notes: tuple[str, ...] = ()
    unknown: str = ""

    @property
    def has_offset(self) -> bool:
        """Whether an offset or exposure was given, by keyword or in the formula."""
        words = self.words
        named = words.offset or words.exposure or {"offset", "exposure"} & set(words.given)
        return bool(named) or (self.schema is not None and bool(self.schema.offsets))
