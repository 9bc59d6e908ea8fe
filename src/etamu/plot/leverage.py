"""Leverage against residual, with contours of Cook's distance: which rows hold the fit.

May import: everything below `plot`, in this room rows, style.
Read next: `etamu.fit.influence`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.fit.result import Fit
from etamu.plot.rows import DRAWN, Rows, drawn
from etamu.plot.style import INK, PENS, QUIET, figure_of, note, panel, quiet_grid, settings, short, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ALWAYS = 200
"""Rows of the largest Cook's distance that are drawn however many rows there are."""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """The rows drawn.

    Parameters
    ----------
    rows : positions in the input
    leverage, residual, cook : arrays (rows,)
        The residual is Pearson's, standardised, so that cook = residual^2 h / ((1 - h) rank).
    count : int
        Rows there are.
    average : float
        The mean leverage, rank over rows.
    """

    rows: Rows
    leverage: Array
    residual: Array
    cook: Array
    count: int
    average: float


def leverage(fit: Fit, *, named: int = 3, axes: Axes | None = None) -> Figure:
    """Draw standardised Pearson residuals against leverage, with contours of equal Cook's distance.

    Parameters
    ----------
    fit : Fit
    named : int
        How many rows of the largest Cook's distance are named.
    axes : matplotlib Axes, optional

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    NotAvailableError
        If the fit carries no rows, or matplotlib is not installed.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 2.0], "x": [0.0, 1.0, 2.0, 3.0, 9.0]}
    >>> figure = em.glm("y ~ x", data).plot("leverage", named=1)
    >>> figure.axes[0].get_xlabel()
    'leverage h'
    """
    axes = panel(axes, 6.4, 4.8)
    shown = held(fit)
    many = len(shown.rows) > 400
    with settings():
        largest = float(np.max(shown.cook, initial=0.0))
        title(
            axes, "Who holds the fit?", f"largest Cook's distance {largest:.2g}; 0.5 is much, 1 is too much"
        )
        axes.axhline(0.0, color=INK, lw=1.0, zorder=1)
        axes.axvline(shown.average, color=QUIET, lw=0.8, ls=(0, (1, 2)), zorder=1)
        axes.scatter(
            shown.leverage,
            shown.residual,
            s=8 if many else 24,
            facecolor="none",
            edgecolor=PENS[0].colour,
            linewidth=0.8 if many else 1.1,
            alpha=0.5 if many else 1.0,
            zorder=3,
        )
        _limits(axes, shown)
        contours(axes, fit.rank, levels_of(largest))
        _named(axes, fit, shown, named)
        axes.locator_params(axis="x", nbins=6)
        axes.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4), useMathText=True)
        axes.set_xlabel("leverage h")
        axes.set_ylabel("standardised Pearson residual")
        quiet_grid(axes)
        some = f"{len(shown.rows):,} of {shown.count:,} rows, those of the largest Cook's distance among them"
        note(
            axes,
            "curves: equal Cook's distance",
            "dots: mean leverage",
            some if shown.count > len(shown.rows) else "",
        )
    return figure_of(axes)


def held(fit: Fit) -> Held:
    """Choose the rows that are drawn: all, or some at random and the most influential."""
    found = fit.influence()
    rank = fit.rank
    with np.errstate(all="ignore"):
        size = np.sqrt(found.cooks_distance * (1.0 - found.leverage) * rank / found.leverage)
        residual = np.sign(fit.residuals("pearson")) * np.where(found.cooks_distance == 0.0, 0.0, size)
    rows = np.flatnonzero(np.isfinite(residual) & (found.leverage > 0.0))
    some = rows[drawn(len(rows), DRAWN)]
    if len(rows) > DRAWN:
        some = np.union1d(some, found.most(ALWAYS))
    return Held(
        some,
        found.leverage[some],
        residual[some],
        found.cooks_distance[some],
        len(rows),
        float(np.mean(found.leverage[rows])) if len(rows) else np.nan,
    )


def levels_of(largest: float) -> tuple[float, ...]:
    """Choose contours: 0.5 and 1 where a row comes near them, else round numbers around the largest.

    Examples
    --------
    >>> levels_of(0.4), levels_of(0.0037)
    ((0.5, 1.0), (0.002, 0.005))
    """
    if not largest > 0.0 or largest >= 0.15:
        return (0.5, 1.0)
    round_numbers = [step * 10.0**power for power in range(-12, 1) for step in (1.0, 2.0, 5.0)]
    above = next(place for place, number in enumerate(round_numbers) if number > largest)
    return round(round_numbers[above - 1], 15), round(round_numbers[above], 15)


def contours(axes: Axes, rank: int, levels: tuple[float, ...]) -> None:
    """Draw where Cook's distance has a value: r = ± sqrt(D rank (1 - h) / h)."""
    low, high = axes.get_xlim()
    bottom, top = axes.get_ylim()
    h = np.linspace(max(low, 1e-9), min(high, 1.0 - 1e-9), 800)
    for level, dash in zip(levels, ((0, (5, 3)), "-"), strict=False):
        r = np.sqrt(level * rank * (1.0 - h) / h)
        for side in (-1.0, 1.0):
            inside = (side * r > bottom) & (side * r < top)
            if not inside.any():
                continue
            axes.plot(h[inside], side * r[inside], color=PENS[5].colour, ls=dash, lw=1.3, zorder=2)
            axes.annotate(
                f"{level:g}",
                (float(h[inside][-1]), float(side * r[inside][-1])),
                xytext=(3.0, 0.0),
                textcoords="offset points",
                va="center",
                fontsize=8.5,
                color=INK,
                annotation_clip=False,
            )


def _limits(axes: Axes, shown: Held) -> None:
    right = 1.12 * float(np.max(shown.leverage, initial=1e-9))
    axes.set_xlim(0.0, min(right, 1.0) if right < 1.1 else 1.0)
    low = float(np.min(shown.residual, initial=-2.0))
    high = float(np.max(shown.residual, initial=2.0))
    margin = 0.1 * (high - low)
    axes.set_ylim(low - margin, high + margin)


def _named(axes: Axes, fit: Fit, shown: Held, named: int) -> None:
    """Write the names of the most influential rows beside them, on the side where there is room."""
    order = np.argsort(-shown.cook, kind="stable")[:named]
    table = fit.problem.table
    labels = None if table is None else table.labels(shown.rows[order])
    middle = sum(axes.get_xlim()) / 2.0
    for place, index in enumerate(order):
        text = f"{shown.rows[index]}" if labels is None else f"{np.asarray(labels)[place]}"
        left = shown.leverage[index] > middle
        axes.annotate(
            short(text, 16),
            (float(shown.leverage[index]), float(shown.residual[index])),
            xytext=(-6.0 if left else 6.0, 4.0),
            textcoords="offset points",
            ha="right" if left else "left",
            fontsize=9,
            color=INK,
            zorder=5,
        )
