"""What each term adds to eta along its column, with its band and the partial residuals around it.

May import: everything below `plot`, in this room groups, rows, smooth, style, variable.
Read next: `etamu.fit.terms`, which takes eta apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etamu._base.errors import NotAvailableError, OptionError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.fit.result import Fit
from etamu.fit.terms import Terms
from etamu.infer.wald import criticals
from etamu.plot.groups import equal_groups
from etamu.plot.rows import drawn
from etamu.plot.smooth import lowess
from etamu.plot.style import (
    INK,
    PENS,
    QUIET,
    figure_of,
    level_ticks,
    note,
    panel,
    panels,
    quiet_grid,
    settings,
    short,
    title,
)
from etamu.plot.variable import Variable, term_column, terms

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = 9
"""Most panels of one figure."""


CROWD = 400
"""More rows than this are drawn as means of groups."""
GROUPS = 40
"""Groups along numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """One term along its column.

    Parameters
    ----------
    term : str
    along : Variable
        What the rows of the line have; contributions themselves where the term has several columns.
    added, half : arrays (rows,)
        What the term adds to eta of each of these rows, centred, and half the width of its interval.
    dots : array (dots, 2)
        The data: partial residuals, added plus the working residual, of all rows, or their means in groups,
        by working weight, where they are many.
    weight : array (dots,)
        The working weight of each.
    count : int
        Rows there are.
    """

    term: str
    along: Variable
    added: Array
    half: Array
    dots: Array
    weight: Array
    count: int

    @property
    def crowded(self) -> bool:
        """Whether a dot stands for a group of rows."""
        return self.count > CROWD


def effects(fit: Fit, term: str | None = None, *, level: float = 0.95, axes: Axes | None = None) -> Figure:
    """Draw what each term, or one of them, adds to eta, with the data as partial residuals.

    Parameters
    ----------
    fit : Fit
    term : str, optional
        All terms if left out.
    level : float
        Probability the bands cover, point by point.
    axes : matplotlib Axes, optional
        Where to draw one term.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    OptionError
        If there is no such term, or axes are given and no term.
    NotAvailableError
        If the model has a constant only, or matplotlib is not installed.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> figure = em.glm("y ~ x", data, family="poisson").plot("effects")
    >>> figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()
    ('x', 'added to η')
    """
    if term is None and axes is not None:
        raise OptionError("axes= hold one panel: name the term")
    known = terms(fit)
    if not known:
        raise NotAvailableError("the model has a constant only: no term adds anything")
    if term is not None and term not in known:
        raise OptionError(f"there is no term {term!r}; the terms are {', '.join(map(repr, known))}")
    names = (term,) if term is not None else known[:PANELS]
    if term is not None:
        places = [panel(axes, 6.4, 4.6)]
    else:
        places = panels(len(names))
    shown = taken_apart(fit, names, level)
    with settings():
        for one, place in zip(shown, places, strict=True):
            _draw(place, one, level)
        if not term:
            _share_height(places)
    return figure_of(places[0])


def taken_apart(fit: Fit, names: tuple[str, ...], level: float) -> list[Effect]:
    """Compute what terms add to the rows that are drawn, and where the data lie around that."""
    parts = fit.predict(kind="terms", se=True)
    assert isinstance(parts, Terms)
    assert parts.se is not None
    working, weights = np.asarray(fit.residuals("working")), np.asarray(fit.working().weights)
    rows = np.flatnonzero(np.isfinite(working) & (weights > 0.0))
    some = drawn(len(rows))
    times = float(np.max(criticals(level, fit.reference_df)))
    found = []
    for name in names:
        added = np.asarray(parts[name])[rows]
        along = term_column(fit, name, rows) or Variable(f"{name}, what it adds to η", added)
        partial, weight = added + working[rows], weights[rows]
        found.append(
            Effect(
                name,
                Variable(along.name, along.values[some], along.levels),
                added[some],
                times * np.asarray(parts.se[name])[rows[some]],
                *_dots(along, partial, weight),
                len(rows),
            )
        )
    return found


def _dots(along: Variable, partial: Array, weight: Array) -> tuple[Array, Array]:
    """Return partial residuals beside what they are drawn against, or means of groups, and their weights.

    A single working residual says little where means are small: a count of 1 in place of 0.01 has 99.
    """
    if len(partial) <= CROWD:
        return np.stack([along.values, partial], axis=1), weight
    codes = along.values.astype(np.intp) if along.levels else equal_groups(along.values, weight, GROUPS)
    held = np.bincount(codes, weight)
    some = held > 0.0
    means = [np.bincount(codes, weight * each)[some] for each in (along.values, partial)]
    return np.stack(means, axis=1) / held[some, None], held[some].astype(float)


def _draw(axes: Axes, shown: Effect, level: float) -> None:
    title(axes, short(shown.term, 34), "line: what the term adds; dots: what the data say")
    axes.axhline(0.0, color=INK, lw=0.8, zorder=1)
    if shown.along.levels:
        _by_level(axes, shown)
    else:
        _along(axes, shown)
    axes.set_xlabel(shown.along.name)
    axes.set_ylabel("added to η")
    _limits(axes, shown)
    quiet_grid(axes)
    bands = f"{'bars' if shown.along.levels else 'bands'}: {100 * level:g} %"
    smooth = "" if shown.along.levels else "dashes: smooth"
    dots = f"dots: means of groups of {shown.count:,} rows" if shown.crowded else "dots: partial residuals"
    note(axes, bands, smooth, dots, _beyond(axes, shown))


def _along(axes: Axes, shown: Effect) -> None:
    order = np.argsort(shown.along.values, kind="stable")
    x, middle, half = shown.along.values[order], shown.added[order], shown.half[order]
    axes.scatter(
        shown.dots[:, 0], shown.dots[:, 1], s=20, facecolor="none", edgecolor=QUIET, linewidth=1.0, zorder=4
    )
    places, smooth = lowess(shown.dots[:, 0], shown.dots[:, 1], rounds=0, weights=shown.weight)
    axes.plot(places, smooth, color=PENS[1].colour, ls=PENS[1].dash, lw=1.8, zorder=6)
    axes.fill_between(x, middle - half, middle + half, color=PENS[0].colour, alpha=0.2, lw=0, zorder=3)
    axes.plot(x, middle, color=PENS[0].colour, lw=2.2, zorder=5)


def _by_level(axes: Axes, shown: Effect) -> None:
    codes = shown.along.values.astype(int)
    x, y = shown.dots.T
    nudge = 0.2 if shown.crowded else np.random.default_rng(0).uniform(-0.16, 0.16, len(x))
    axes.scatter(x + nudge, y, s=20, facecolor="none", edgecolor=QUIET, linewidth=1.0, zorder=2)
    first = [int(np.flatnonzero(codes == code)[0]) for code in np.unique(codes)]
    at, middle, half = codes[first].astype(float), shown.added[first], shown.half[first]
    pen = PENS[0]
    axes.errorbar(at, middle, half, fmt="s", ms=5.5, color=pen.colour, elinewidth=2.0, capsize=4.0, zorder=5)
    level_ticks(axes, shown.along.levels)


def _limits(axes: Axes, shown: Effect) -> None:
    """Show the band and the middle of the data: one wild working residual must not flatten the term."""
    y = shown.dots[:, 1]
    inner = np.quantile(y, [0.02, 0.98]) if len(y) > 50 else y
    band = np.concatenate([shown.added - shown.half, shown.added + shown.half])
    reach = np.concatenate([np.atleast_1d(inner), band[np.isfinite(band)]])
    low, high = float(np.min(reach)), float(np.max(reach))
    margin = 0.05 * (high - low) or 0.5
    axes.set_ylim(low - margin, high + margin)


def _beyond(axes: Axes, shown: Effect) -> str:
    low, high = axes.get_ylim()
    outside = int(np.sum((shown.dots[:, 1] < low) | (shown.dots[:, 1] > high)))
    return f"{outside:,} dots lie outside" if outside else ""


def _share_height(places: list[Axes]) -> None:
    """Give all panels one scale: then the tallest line is the strongest term."""
    low = min(axes.get_ylim()[0] for axes in places)
    high = max(axes.get_ylim()[1] for axes in places)
    for axes in places:
        axes.set_ylim(low, high)
