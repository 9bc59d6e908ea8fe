"""Estimates that are functions of the coefficients, as a value: a table with standard errors and intervals.

May import: everything below `fit`.
Read next: `etamu.fit.effects` and `etamu.fit.means`, which fill it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.choice import check_choice
from etamu._base.errors import OptionError
from etamu._base.facts import dataclass
from etamu._base.markup import WIDTH, wrap
from etamu._base.types import Array
from etamu.fit.covariance import varying_df
from etamu.fit.numerals import common, p_texts
from etamu.fit.profile import interval_df
from etamu.infer.adjust import METHODS, adjust, max_t
from etamu.infer.covariance import Root
from etamu.infer.wald import criticals, p_values

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

DIGITS = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """How estimates are turned into tests and intervals.

    Parameters
    ----------
    level : float
    reference : None or "z"
        None uses t where phi is estimated, or what the covariance demands.
    """

    level: float = 0.95
    reference: str | None = None


USUAL = Reading()


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """A frozen table of estimates; printing it prints the table.

    Parameters
    ----------
    title : str
    heading : tuple of str
        The model, the scale, and what the estimates are averages over.
    labels : dict of str to tuple of str
        Columns of text that say what each row is.
    estimate, std_error : arrays (m,)
    statistic, p_value : arrays (m,), optional
        Against no effect: 0, or 1 for a ratio. None where nothing is tested.
    conf_low, conf_high : arrays (m,)
    df : float or array (m,)
        Of Student's t; infinite for the normal.
    root : array (m, k)
        C with C C' the covariance of the estimates.
    p_adjusted : array (m,), optional
        Adjusted for being several.
    notes : tuple of str
    maker : Any
        Makes a table in the library the data came in.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> effects = em.glm("y ~ x", data, family="poisson").effects()
    >>> effects.columns
    ('variable', 'contrast', 'estimate', 'std_error', 'statistic', 'p_value', 'conf_low', 'conf_high')
    >>> effects["estimate"].round(3).tolist()
    [2.928]
    """

    title: str
    heading: tuple[str, ...]
    labels: Mapping[str, tuple[str, ...]]
    estimate: Array
    std_error: Array
    conf_low: Array
    conf_high: Array
    df: Array | float
    root: Array
    statistic: Array | None = None
    p_value: Array | None = None
    p_adjusted: Array | None = None
    notes: tuple[str, ...] = ()
    maker: Any = None

    def __len__(self) -> int:
        return len(self.estimate)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of the table."""
        return tuple(self._columns())

    @property
    def cov(self) -> Array:
        """Covariance of the estimates, (m, m)."""
        return self.root @ self.root.T

    def __getitem__(self, name: str) -> Any:
        """Return a column.

        Raises
        ------
        OptionError
            If there is no such column.
        """
        columns = self._columns()
        if name not in columns:
            raise OptionError(f"there is no column {name!r}; the columns are {', '.join(columns)}")
        return columns[name]

    def frame(self) -> Any:
        """Return the table in the data-frame library that came in, a dict of arrays where there was none."""
        columns = self._columns()
        return columns if self.maker is None else self.maker.native_table(columns)

    def adjusted(self, method: str = "max-t", seed: int = 0) -> Estimates:
        """Return the same estimates with p-values adjusted for being several.

        Parameters
        ----------
        method : "max-t", "holm", "bonferroni", "sidak" or "bh"
            "max-t" knows how the estimates are correlated.
        seed : int
            Of the integration that "max-t" needs.

        Raises
        ------
        OptionError
            If the method is not known, nothing is tested, or "max-t" meets several degrees of freedom.
        """
        check_choice("method", method, ("max-t", *METHODS))
        if self.p_value is None or self.statistic is None:
            raise OptionError(
                "these estimates are not tested against anything; ask for pairs() or contrasts()"
            )
        if method != "max-t":
            return replace(self, p_adjusted=adjust(self.p_value, method))
        degrees = np.unique(np.asarray(self.df))
        if degrees.size != 1:
            raise OptionError("max-t needs one number of degrees of freedom for all; use method='holm'")
        with np.errstate(all="ignore"):
            unit = self.root / Root(self.root).errors()[:, None]
        together = max_t(self.statistic, unit @ unit.T, float(degrees[0]), seed=seed)
        return replace(self, p_adjusted=together)

    def _columns(self) -> dict[str, Any]:
        columns: dict[str, Any] = {name: np.array(texts) for name, texts in self.labels.items()}
        columns |= {"estimate": self.estimate, "std_error": self.std_error}
        if self.statistic is not None and self.p_value is not None:
            columns |= {"statistic": self.statistic, "p_value": self.p_value}
        if self.p_adjusted is not None:
            columns["p_adjusted"] = self.p_adjusted
        return columns | {"conf_low": self.conf_low, "conf_high": self.conf_high}

    def _cells(self) -> list[tuple[str, list[str], bool]]:
        """Return title, texts and whether they stand on the right, column by column."""
        letter = "z" if np.all(np.isinf(self.df)) else "t"
        titles = {
            "estimate": "Estimate",
            "std_error": "Std. Error",
            "statistic": f"{letter} value",
            "p_value": f"Pr(>|{letter}|)",
            "p_adjusted": "adjusted",
            "conf_low": "from",
            "conf_high": "to",
        }
        out = []
        for name, values in self._columns().items():
            if name in self.labels:
                out.append((name, list(map(str, values)), False))
            else:
                texts = p_texts(values) if name.startswith("p_") else common(values, DIGITS)
                out.append((titles[name], texts, True))
        return out

    def __str__(self) -> str:
        cells = self._cells()
        widths = [max(map(len, (title, *texts))) for title, texts, _ in cells]
        lines = []
        for row in range(-1, len(self)):
            line = []
            for (title, texts, right), width in zip(cells, widths, strict=True):
                text = title if row < 0 else texts[row]
                line.append(text.rjust(width) if right else text.ljust(width))
            lines.append(" ".join(line).rstrip())
        blocks = [self.title, "\n".join(map(_wrapped, self.heading)), "\n".join(lines)]
        blocks += ["\n".join(_wrapped(f"Note: {note}") for note in self.notes)] if self.notes else []
        return "\n\n".join(blocks)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        cells = self._cells()
        titles = "".join(f"<th{_side(right)}>{escape(title)}</th>" for title, _, right in cells)
        body = "".join(
            "<tr>"
            + "".join(f"<td{_side(right)}>{escape(texts[row].strip())}</td>" for _, texts, right in cells)
            + "</tr>"
            for row in range(len(self))
        )
        top = f"<p><b>{escape(self.title)}</b></p><p>{'<br>'.join(map(escape, self.heading))}</p>"
        below = "".join(f"<p>Note: {escape(note)}</p>" for note in self.notes)
        table = f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"
        return f'<div class="etamu-estimates">{top}{table}{below}</div>'


def _side(right: bool) -> str:  # noqa: FBT001  # one flag, one meaning
    if right:
        return ' style="text-align: right; font-variant-numeric: tabular-nums"'
    return ' style="text-align: left"'


def _wrapped(text: str) -> str:
    return "\n".join(wrap(text, WIDTH)) if len(text) > WIDTH else text


@dataclass(frozen=True, slots=True, eq=False)
class Linearised:
    """Estimates on a scale where intervals are symmetric, with their gradients.

    Parameters
    ----------
    estimate : array (m,)
    gradient : array (m, size)
        Derivatives in the working coefficients of the fit.
    """

    estimate: Array
    gradient: Array


def estimates(
    fit: FittedModel, what: Linearised, reading: Reading, *, exponentiated: bool = False, tested: bool = True
) -> dict[str, Any]:
    """Make the numbers of an `Estimates` by the delta method, with the covariance in force.

    Parameters
    ----------
    fit : Fit
    what : Linearised
    reading : Reading
    exponentiated : bool
        Whether e^estimate is reported: a ratio, whose interval is that of its logarithm.
    tested : bool
        Whether the estimates are tested against 0.
    """
    df = interval_df(fit, reading.level, reading.reference)
    if reading.reference is None and (degrees := varying_df(fit)) is not None:
        df = degrees(what.gradient)
    root = what.gradient @ fit.root.matrix
    se = Root(root).errors()
    half = criticals(reading.level, df) * se
    low, high, value, error = what.estimate - half, what.estimate + half, what.estimate, se
    with np.errstate(all="ignore"):
        statistic = what.estimate / se
        if exponentiated:
            low, high, value = np.exp(low), np.exp(high), np.exp(value)
            error, root = value * se, root * value[:, None]
    numbers: dict[str, Any] = {
        "estimate": value,
        "std_error": error,
        "conf_low": low,
        "conf_high": high,
        "df": df,
        "root": root,
        "maker": fit.problem.table,
    }
    if tested:
        numbers |= {"statistic": statistic, "p_value": p_values(statistic, df)}
    return numbers


def law(df: Array | float) -> str:
    """Say what intervals and tests refer to.

    Examples
    --------
    >>> law(math.inf), law(12.0)
    ('normal', 't(12)')
    """
    degrees = np.unique(np.asarray(df, dtype=np.float64))
    degrees = degrees[~np.isnan(degrees)]
    if not degrees.size:
        return "t(unknown)"
    if degrees.size == 1:
        return "normal" if math.isinf(degrees[0]) else f"t({degrees[0]:g})"
    return f"t({degrees[0]:.3g} to {degrees[-1]:.3g})"


def stated(fit: FittedModel, reading: Reading, df: Array | float) -> str:
    """Say which covariance and which reference distribution intervals use."""
    kind = "the model's" if fit.covariance_kind == "model" else fit.covariance_kind
    return f"{100 * reading.level:g} % intervals: {law(df)}; covariance: {kind}"


def text_rows(rows: Sequence[Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    """Turn one dict of labels per row into columns.

    Examples
    --------
    >>> text_rows([{"g": "a"}, {"g": "b"}])
    {'g': ('a', 'b')}
    """
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: tuple(row.get(name, "") for row in rows) for name in names}
