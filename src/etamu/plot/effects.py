"""What each term adds to eta along its column, with its band and the partial residuals around it.

May import: everything below `plot`, in this room rows, smooth, style, variable.
Read next: `etamu.fit.terms`, which takes eta apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.errors import NotAvailableError, OptionError
from etamu._base.types import Array
from etamu.fit.result import Fit
from etamu.fit.terms import Terms
from etamu.infer.wald import criticals
from etamu.plot.rows import DRAWN, drawn, drawn_note
from etamu.plot.smooth import lowess
from etamu.plot.style import (
    INK,
    PENS,
    QUIET,
    figure_of,
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


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """One term along its column.

    Parameters
    ----------
    term : str
    along : Variable
        What the drawn rows have; contributions themselves where the term has several columns.
    added, half : arrays (rows,)
        What the term adds to eta of each drawn row, centred, and half the width of its interval.
    partial, weight : arrays (rows,)
        Partial residuals, that plus the working residual; and the working weight of each.
    count : int
        Rows there are.
    """

    term: str
    along: Variable
    added: Array
    half: Array
    partial: Array
    weight: Array
    count: int


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
    """Compute what terms add to the rows that are drawn."""
    parts = fit.predict(kind="terms", se=True)
    assert isinstance(parts, Terms)
    assert parts.se is not None
    working, weights = np.asarray(fit.residuals("working")), np.asarray(fit.working().weights)
    rows = np.flatnonzero(np.isfinite(working))
    some = rows[drawn(len(rows))]
    times = float(np.max(criticals(level, fit.reference_df)))
    found = []
    for name in names:
        added = np.asarray(parts[name])[some]
        along = term_column(fit, name, some) or Variable(f"{name}, what it adds to η", added)
        half = times * np.asarray(parts.se[name])[some]
        found.append(Effect(name, along, added, half, added + working[some], weights[some], len(rows)))
    return found


def _draw(axes: Axes, shown: Effect, level: float) -> None:
    title(axes, short(shown.term, 34), "line: what the term adds; dots: with the data")
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
    smooth = "" if shown.along.levels else "dashes: smooth of the dots"
    note(axes, bands, smooth, _beyond(axes, shown), drawn_note(shown.count, DRAWN))


def _along(axes: Axes, shown: Effect) -> None:
    many = len(shown.partial) > 400
    order = np.argsort(shown.along.values, kind="stable")
    x, middle, half = shown.along.values[order], shown.added[order], shown.half[order]
    axes.scatter(
        shown.along.values,
        shown.partial,
        s=6 if many else 18,
        facecolor="none",
        edgecolor=QUIET,
        linewidth=0.6 if many else 0.9,
        alpha=0.35 if many else 0.9,
        zorder=2,
    )
    places, smooth = lowess(shown.along.values, shown.partial, rounds=0, weights=shown.weight)
    axes.plot(places, smooth, color=PENS[1].colour, ls=PENS[1].dash, lw=1.8, zorder=6)
    axes.fill_between(x, middle - half, middle + half, color=PENS[0].colour, alpha=0.2, lw=0, zorder=3)
    axes.plot(x, middle, color=PENS[0].colour, lw=2.2, zorder=5)


def _by_level(axes: Axes, shown: Effect) -> None:
    many = len(shown.partial) > 400
    codes = shown.along.values.astype(int)
    nudge = np.random.default_rng(0).uniform(-0.16, 0.16, len(codes))
    style: dict[str, Any] = {"facecolor": "none", "edgecolor": QUIET, "zorder": 2}
    axes.scatter(
        codes + nudge,
        shown.partial,
        s=5 if many else 16,
        linewidth=0.6 if many else 0.9,
        alpha=0.3 if many else 0.8,
        **style,
    )
    first = [int(np.flatnonzero(codes == code)[0]) for code in np.unique(codes)]
    at, middle, half = codes[first].astype(float), shown.added[first], shown.half[first]
    pen = PENS[0]
    axes.errorbar(at, middle, half, fmt="s", ms=6.5, color=pen.colour, elinewidth=2.2, capsize=4.0, zorder=5)
    labels = [short(level, 14) for level in shown.along.levels]
    turned = sum(map(len, labels)) > 32
    axes.set_xticks(
        np.arange(len(labels)), labels, rotation=45.0 if turned else 0.0, ha="right" if turned else "center"
    )
    axes.set_xlim(-0.6, len(labels) - 0.4)


def _limits(axes: Axes, shown: Effect) -> None:
    """Show the band and the middle of the data: one wild working residual must not flatten the term."""
    inner = np.quantile(shown.partial, [0.01, 0.99]) if len(shown.partial) > 50 else shown.partial
    band = np.concatenate([shown.added - shown.half, shown.added + shown.half])
    reach = np.concatenate([np.atleast_1d(inner), band[np.isfinite(band)]])
    low, high = float(np.min(reach)), float(np.max(reach))
    margin = 0.05 * (high - low) or 0.5
    axes.set_ylim(low - margin, high + margin)


def _beyond(axes: Axes, shown: Effect) -> str:
    low, high = axes.get_ylim()
    outside = int(np.sum((shown.partial < low) | (shown.partial > high)))
    return f"{outside:,} dots lie outside" if outside else ""


def _share_height(places: list[Axes]) -> None:
    """Give all panels one scale: then the tallest line is the strongest term."""
    low = min(axes.get_ylim()[0] for axes in places)
    high = max(axes.get_ylim()[1] for axes in places)
    for axes in places:
        axes.set_ylim(low, high)
