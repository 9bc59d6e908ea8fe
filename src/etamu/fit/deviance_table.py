"""A table of tests as a value: columns with names, printed as R prints them.

May import: numpy, `etamu._base`, `etamu.fit.numerals`, `etamu.fit.components`.
Read next: `etamu.fit.anova`, `etamu.fit.drop`, `etamu.fit.compare`, which fill it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from etamu._base.errors import OptionError
from etamu._base.facts import dataclass
from etamu._base.markup import WIDTH, escape, wrap
from etamu._base.types import Array
from etamu.fit.numerals import LEGEND, common, p_texts, stars

DIGITS = 5
"""Significant digits, as R's print.anova."""

Kind = Literal["count", "number", "p"]


@dataclass(frozen=True, slots=True, eq=False)
class TableColumn:
    """A column: its name in Python, its title in print, and one number per row, NaN where there is none."""

    name: str
    title: str
    values: Array
    kind: Kind = "number"

    def texts(self) -> list[str]:
        """Format the numbers that are there; blanks elsewhere, as R prints NA in such a table."""
        numbers = self.values.tolist()
        shown = [number for number in numbers if not math.isnan(number)]
        texts = p_texts(shown) if self.kind == "p" else common(shown, 15 if self.kind == "count" else DIGITS)
        waiting = iter(texts)
        return ["" if math.isnan(number) else next(waiting) for number in numbers]


@dataclass(frozen=True, slots=True, eq=False)
class DevianceTable:
    """A frozen table of tests; printing it prints what R would.

    Parameters
    ----------
    title : str
        What the table is.
    heading : tuple of str
        The model, and which phi and which reference distribution the tests use.
    rows : tuple of str
        What each row is about.
    cells : tuple of TableColumn
    notes : tuple of str
        What the numbers alone do not say.
    maker : Any
        Makes a table in the library the data came in; None where there was none.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> table = em.glm("y ~ x", data, family="poisson").anova()
    >>> table.columns
    ('df', 'deviance', 'resid_df', 'resid_deviance', 'p_value')
    >>> table["resid_df"].tolist()
    [5.0, 4.0]
    >>> table.row("x")["df"]
    1.0
    """

    title: str
    heading: tuple[str, ...]
    rows: tuple[str, ...]
    cells: tuple[TableColumn, ...]
    notes: tuple[str, ...] = ()
    maker: Any = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(cell.name for cell in self.cells)

    def __getitem__(self, name: str) -> Array:
        """Return a column by its name, or by its title in print.

        Raises
        ------
        OptionError
            If there is no such column.
        """
        for cell in self.cells:
            if name in {cell.name, cell.title}:
                return cell.values
        raise OptionError(f"there is no column {name!r}; the columns are {', '.join(self.columns)}")

    def row(self, name: str) -> dict[str, float]:
        """Return a row by its name, one number per column.

        Raises
        ------
        OptionError
            If there is no such row.
        """
        if name not in self.rows:
            raise OptionError(f"there is no row {name!r}; the rows are {', '.join(self.rows)}")
        place = self.rows.index(name)
        return {cell.name: float(cell.values[place]) for cell in self.cells}

    def frame(self) -> Any:
        """Return the table in the data-frame library that came in, a dict of arrays where there was none."""
        columns: dict[str, Any] = {"term": np.array(self.rows)}
        columns |= {cell.name: cell.values for cell in self.cells}
        return columns if self.maker is None else self.maker.native_table(columns)

    def __str__(self) -> str:
        blocks = [self.title, *(("\n".join(map(_wrapped, self.heading)),) if self.heading else ())]
        blocks.append("\n".join(self._lines()))
        blocks += ["\n".join(_wrapped(f"Note: {note}") for note in self.notes)] if self.notes else []
        return "\n\n".join(blocks)

    def __repr__(self) -> str:
        return str(self)

    def _marks(self) -> list[str]:
        tails = [cell.values for cell in self.cells if cell.kind == "p"]
        return stars(tails[-1]) if tails else [""] * len(self.rows)

    def _lines(self) -> list[str]:
        return [*self.body, "---", LEGEND] if any(self._marks()) else list(self.body)

    @property
    def body(self) -> tuple[str, ...]:
        """The lines of the table alone, without heading and legend."""
        marks = self._marks()
        texts = [[cell.title, *cell.texts()] for cell in self.cells]
        widths = [max(map(len, column)) for column in texts]
        room = WIDTH - sum(widths) - len(widths) - 4
        margin = max((len(name) for name in self.rows if len(name) <= room), default=0)
        out = []
        for place, name in enumerate(("", *self.rows)):
            if len(name) > room:
                out.append(name)
            cells = " ".join(column[place].rjust(width) for column, width in zip(texts, widths, strict=True))
            mark = marks[place - 1] if place else ""
            out.append(f"{(name if len(name) <= room else '').ljust(margin)} {cells} {mark}".rstrip())
        return tuple(out)

    def _repr_html_(self) -> str:
        right = 'style="text-align: right; font-variant-numeric: tabular-nums"'
        left = 'style="text-align: left"'
        titles = "".join(f"<th {right}>{escape(cell.title)}</th>" for cell in self.cells)
        texts = [cell.texts() for cell in self.cells]
        body = "".join(
            f"<tr><th {left}>{escape(name)}</th>"
            + "".join(f"<td {right}>{escape(column[place].strip())}</td>" for column in texts)
            + f"<td {left}>{escape(mark)}</td></tr>"
            for place, (name, mark) in enumerate(zip(self.rows, self._marks(), strict=True))
        )
        head = f"<thead><tr><th></th>{titles}<th></th></tr></thead>"
        lines = [f"<p><b>{escape(self.title)}</b></p>"]
        lines += [f"<p>{'<br>'.join(map(escape, self.heading))}</p>"] if self.heading else []
        below = [f"<p>{escape(LEGEND)}</p>"] if any(self._marks()) else []
        below += [f"<p>Note: {escape(note)}</p>" for note in self.notes]
        table = f"<table>{head}<tbody>{body}</tbody></table>"
        return f'<div class="etamu-tests">{"".join(lines)}{table}{"".join(below)}</div>'


def columns_of(
    rows: Sequence[Mapping[str, float]], titles: Mapping[str, tuple[str, Kind]]
) -> tuple[TableColumn, ...]:
    """Turn rows into columns; a row that says nothing of a column is NaN there.

    Examples
    --------
    >>> columns_of([{"df": 1.0}, {}], {"df": ("Df", "count")})[0].values
    array([ 1., nan])
    """
    return tuple(
        TableColumn(name, title, np.array([row.get(name, math.nan) for row in rows], dtype=np.float64), kind)
        for name, (title, kind) in titles.items()
    )


def _wrapped(text: str) -> str:
    return "\n".join(wrap(text))
