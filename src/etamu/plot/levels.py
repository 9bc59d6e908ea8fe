"""Observed against fitted means by level of a column, over bars of the exposure behind them.

May import: everything below `plot`, in this room groups, rows, style, variable.
Read next: `etamu.plot.calibration`, the same along the fitted mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.errors import NotAvailableError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.fit.result import Fit
from etamu.infer.wald import critical
from etamu.plot.groups import Codes, Groups, equal_groups, grouped
from etamu.plot.rows import Seen, seen
from etamu.plot.style import FAINT, PENS, QUIET, figure_of, level_ticks, note, panel, settings, short, title
from etamu.plot.variable import MISSING, Variable, column_of, columns_in, terms

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BANDS = 12
"""Bands into which numbers are cut."""
MOST = 30
"""Levels that can be read beside one another; the smallest beyond are pooled."""


@dataclass(frozen=True, slots=True, eq=False)
class Levelled:
    """Groups with the words below them.

    Parameters
    ----------
    name : str
    labels : tuple of str
    groups : Groups
    pooled : int
        Levels that share the last place.
    """

    name: str
    labels: tuple[str, ...]
    groups: Groups
    pooled: int


def levels(
    fit: Fit,
    by: str | Any | None = None,
    *,
    bands: int = BANDS,
    level: float = 0.95,
    axes: Axes | None = None,
) -> Figure:
    """Draw observed and fitted means by level of a column, with what each level weighs.

    Parameters
    ----------
    fit : Fit
    by : column name or array (n,), optional
        Any column of the data, in the model or not; the first column of the formula if left out. Numbers
        of many values are cut into bands of about equal exposure.
    bands : int
        How many bands.
    level : float
        Probability that the observed mean lies this near the fitted one if the model holds.
    axes : matplotlib Axes, optional

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    FormulaError, DataError, OptionError
        If there is no such column, or the values are not one per row.
    NotAvailableError
        If the formula reads no column, or matplotlib is not installed.

    Examples
    --------
    >>> import etamu as em
    >>> from etamu.datasets import ships
    >>> fit = em.glm("incidents ~ type", ships().columns, family="poisson", exposure="months")
    >>> figure = fit.plot("levels", "built")
    >>> [text.get_text() for text in figure.axes[0].get_xticklabels()]
    ['1960-64', '1965-69', '1970-74', '1975-79']
    """
    shown_rows = seen(fit)
    shown = levelled(fit, shown_rows, by, bands)
    at = np.arange(len(shown.labels), dtype=float)
    axes = panel(axes, min(max(6.4, 2.5 + 0.42 * len(at)), 13.0), 4.8)
    with settings():
        title(axes, f"By {short(shown.name, 40)}", f"mean of {shown_rows.response}")
        _bars(axes, at, shown.groups.volume, shown_rows.unit)
        half = critical(level) * shown.groups.error
        seen_pen, model_pen = PENS[2], PENS[0]
        style: dict[str, Any] = {"ms": 6.0, "mew": 1.4, "lw": 1.4}
        axes.errorbar(
            at - 0.06,
            shown.groups.observed,
            half,
            color=seen_pen.colour,
            marker="o",
            mfc="white",
            elinewidth=1.1,
            capsize=2.5,
            ls=seen_pen.dash,
            label="observed",
            zorder=4,
            **style,
        )
        axes.plot(
            at + 0.06,
            shown.groups.fitted,
            color=model_pen.colour,
            marker="s",
            label="fitted",
            zorder=5,
            **style,
        )
        _height(axes, shown.groups, half)
        level_ticks(axes, shown.labels, 18)
        axes.set_xlabel(shown.name)
        axes.set_ylabel(shown_rows.response)
        handles, names = axes.get_legend_handles_labels()
        axes.legend(
            handles[::-1],
            names[::-1],
            loc="lower right",
            bbox_to_anchor=(1.0, 0.99),
            ncols=2,
            borderaxespad=0.1,
        )
        pooled = f"the {shown.pooled} smallest levels are one" if shown.pooled else ""
        note(axes, f"bars: {100 * level:g} % if the model holds", pooled)
    return figure_of(axes)


def levelled(fit: Fit, rows: Seen, by: str | Any | None, bands: int) -> Levelled:
    """Group rows by the levels of a column, or by bands of its numbers."""
    variable = column_of(fit, _first(fit) if by is None else by, rows.rows)
    if variable.levels:
        codes: Codes = variable.values.astype(np.intp)
        labels = variable.levels
    else:
        codes, labels = _banded(variable, rows.volume, bands)
    codes, labels, pooled = _pooled(codes, labels, rows.volume)
    return Levelled(variable.name, labels, grouped(rows, codes, len(labels)), pooled)


def _first(fit: Fit) -> str:
    """Name the first column the formula reads, one of levels where there is any."""
    read = [pair for term in terms(fit) for pair in columns_in(fit, term).items()]
    if not read:
        raise NotAvailableError("the formula reads no column: say by which one, as fit.plot('levels', by)")
    return next((name for name, of_levels in read if of_levels), read[0][0])


def _banded(variable: Variable, volume: Array, bands: int) -> tuple[Codes, tuple[str, ...]]:
    """Cut numbers into bands, or take them as levels where they are few."""
    values = variable.values
    known = ~np.isnan(values)
    distinct = np.unique(values[known])
    codes = np.zeros(len(values), dtype=np.intp)
    if len(distinct) <= max(bands, 1):
        codes[known] = np.searchsorted(distinct, values[known])
        labels = [f"{value:g}" for value in distinct.tolist()]
    else:
        inside = equal_groups(values[known], volume[known], bands)
        codes[known] = inside
        labels = []
        for code in range(int(inside.max()) + 1):
            own = values[known][inside == code]
            low, high = f"{own.min():.4g}", f"{own.max():.4g}"
            labels.append(low if low == high else f"{low} to {high}")
    if not known.all():
        codes[~known] = len(labels)
        labels.append(MISSING)
    return codes, tuple(labels)


def _pooled(codes: Codes, labels: tuple[str, ...], volume: Array) -> tuple[Codes, tuple[str, ...], int]:
    """Drop levels without a row, and pool the smallest where there are too many to read."""
    held = np.bincount(codes, volume, minlength=len(labels))
    used = np.flatnonzero(np.bincount(codes, minlength=len(labels)))
    if len(used) <= MOST:
        return np.searchsorted(used, codes), tuple(labels[code] for code in used), 0
    kept = np.sort(used[np.argsort(-held[used], kind="stable")[: MOST - 1]])
    place = np.full(len(labels), len(kept))
    place[kept] = np.arange(len(kept))
    return place[codes], (*(labels[code] for code in kept), "(others)"), len(used) - len(kept)


def _bars(axes: Axes, at: Array, volume: Array, unit: str) -> None:
    """Draw what each level weighs behind the means, on an axis of its own at the right."""
    behind = axes.twinx()
    behind.bar(at, volume, width=0.8, color=FAINT, zorder=0)
    behind.set_ylim(0.0, 2.8 * float(np.max(volume)))
    behind.set_ylabel(unit, color=QUIET, loc="bottom")
    behind.tick_params(axis="y", labelcolor=QUIET)
    ticks = [tick for tick in behind.get_yticks() if 0.0 <= tick <= 1.02 * float(np.max(volume))]
    behind.set_yticks(ticks if len(ticks) > 1 else [0.0, float(np.max(volume))])
    behind.yaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    behind.spines["right"].set_visible(True)
    axes.set_zorder(behind.get_zorder() + 1)
    axes.patch.set_visible(False)


def _height(axes: Axes, groups: Groups, half: Array) -> None:
    """Leave the lower part to the bars, and let no level with hardly a row decide the rest."""
    heavy = groups.volume >= 0.002 * float(groups.volume.sum())
    ends = np.concatenate(
        [groups.observed, groups.fitted, (groups.observed + half)[heavy], (groups.observed - half)[heavy]]
    )
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    spread = (high - low) or abs(high) or 1.0
    # Means that cannot be negative are not drawn on an axis that can.
    bottom = low - 0.35 * spread
    axes.set_ylim(0.0 if low >= 0.0 and bottom < 0.0 else bottom, high + 0.08 * spread)
