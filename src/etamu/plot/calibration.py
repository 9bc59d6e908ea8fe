"""Observed against fitted means in groups of rows: whether a tenth of what is called a tenth comes true.

May import: everything below `plot`, in this room groups, rows, style.
Read next: `etamu.plot.lift`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etamu._base.types import Array
from etamu.fit.result import Fit
from etamu.plot.groups import GROUPS, Groups, bars, by_fitted
from etamu.plot.rows import Seen, seen
from etamu.plot.style import FAINT, INK, PENS, QUIET, figure_of, note, panel, quiet_grid, settings, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SLICES = 60
"""Bars of the histogram of fitted means."""


def calibration(fit: Fit, *, groups: int = GROUPS, level: float = 0.95, axes: Axes | None = None) -> Figure:
    """Draw the observed mean of groups of about equal volume against their fitted mean.

    Parameters
    ----------
    fit : Fit
        Of any family; proportions where there are trials, rates where there is an exposure.
    groups : int
        How many; fewer where fitted means tie.
    level : float
        Probability that an observed mean lies this near its fitted one if the model holds.
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
    >>> data = {"y": [0, 0, 1, 0, 1, 1], "x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}
    >>> figure = em.glm("y ~ x", data, family="bernoulli").plot("calibration", groups=3)
    >>> figure.axes[0].get_xlabel()
    'fitted mean of y'
    """
    axes = panel(axes, 5.6, 5.2)
    rows = seen(fit)
    shown = by_fitted(rows, groups)
    half = shown.half(level)
    with settings():
        title(axes, "Calibration", "on the line where what was fitted came true")
        axes.axline((float(shown.fitted[0]),) * 2, slope=1.0, color=INK, lw=1.0, zorder=2)
        possible = fit.family.mean
        axes.errorbar(
            shown.fitted,
            shown.observed,
            np.stack(
                [
                    np.minimum(half, np.maximum(shown.observed - possible.lower, 0.0)),
                    np.minimum(half, np.maximum(possible.upper - shown.observed, 0.0)),
                ]
            ),
            fmt="o",
            ms=7.0,
            mfc="white",
            mew=1.6,
            color=PENS[0].colour,
            elinewidth=1.6,
            capsize=3.0,
            zorder=4,
        )
        _limits(axes, fit, shown, half)
        _histogram(axes, rows)
        axes.set_xlabel(f"fitted mean of {rows.response}")
        axes.set_ylabel(f"observed mean of {rows.response}")
        quiet_grid(axes)
        note(
            axes,
            f"{len(shown.fitted)} groups of about equal {rows.unit}",
            bars(level),
            f"grey: where the {rows.unit} lie",
        )
    return figure_of(axes)


def _limits(axes: Axes, fit: Fit, shown: Groups, half: Array) -> None:
    ends = np.concatenate([shown.observed + half, shown.observed - half, shown.fitted])
    low, high = float(np.min(ends)), float(np.max(ends))
    margin = 0.05 * (high - low) or 0.1
    possible = fit.family.mean
    bottom = max(low - 3.0 * margin, possible.lower) if np.isfinite(possible.lower) else low - 3.0 * margin
    top = min(high + margin, possible.upper) if np.isfinite(possible.upper) else high + margin
    # Room for whole markers at the ends of what is possible.
    edge = 0.02 * (top - bottom)
    axes.set_xlim(bottom - edge, top + edge)
    axes.set_ylim(bottom - edge, top + edge)


def _histogram(axes: Axes, rows: Seen) -> None:
    """Stand the distribution of fitted means on the horizontal axis, a tenth of the height."""
    low, high = axes.get_xlim()
    held, edges = np.histogram(rows.fitted, bins=SLICES, range=(low, high), weights=rows.volume)
    axes.bar(
        edges[:-1],
        0.1 * held / max(float(held.max()), 1e-300),
        width=np.diff(edges),
        align="edge",
        color=FAINT,
        edgecolor=QUIET,
        linewidth=0.3,
        transform=axes.get_xaxis_transform(),
        zorder=1,
    )
    axes.set_xlim(low, high)
