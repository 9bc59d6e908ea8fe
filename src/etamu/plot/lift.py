"""How much the model tells rows apart: observed means from the lowest fitted tenth to the highest.

May import: everything below `plot`, in this room groups, rows, style.
Read next: `etamu.plot.double_lift`, which sets two models against each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.types import Array
from etamu.fit.result import Fit
from etamu.plot.groups import GROUPS, bars, by_fitted
from etamu.plot.rows import Seen, seen
from etamu.plot.style import INK, PENS, figure_of, note, panel, quiet_grid, settings, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def lift(fit: Fit, *, groups: int = GROUPS, level: float = 0.95, axes: Axes | None = None) -> Figure:
    """Draw observed and fitted means over the overall mean, in order of the fitted mean.

    Where means can be negative they are drawn as they are.

    Parameters
    ----------
    fit : Fit
    groups : int
        How many groups of about equal volume; fewer where fitted means tie.
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
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> figure = em.glm("y ~ x", data, family="poisson").plot("lift", groups=3)
    >>> figure.axes[0].get_ylabel()
    'mean of y, overall = 1'
    """
    axes = panel(axes, 6.4, 4.6)
    rows = seen(fit)
    shown = by_fitted(rows, groups)
    middle = float(np.average(rows.observed, weights=rows.volume))
    overall = middle if positive(rows) else 1.0
    at = np.arange(1, len(shown.fitted) + 1)
    apart = f"highest group {shown.observed[-1] / overall:.2f} × the mean; Gini {gini(rows):.2f}"
    apart = apart if positive(rows) else "rising if the model tells rows apart"
    with settings():
        title(axes, "Lift", apart)
        axes.axhline(middle / overall, color=INK, lw=1.0, zorder=1)
        style: dict[str, Any] = {"ms": 6.5, "mew": 1.5, "lw": 1.6}
        axes.errorbar(
            at,
            shown.observed / overall,
            shown.half(level) / overall,
            color=PENS[2].colour,
            marker="o",
            mfc="white",
            ls=PENS[2].dash,
            elinewidth=1.2,
            capsize=2.5,
            label="observed",
            zorder=3,
            **style,
        )
        axes.plot(
            at, shown.fitted / overall, color=PENS[0].colour, marker="s", label="fitted", zorder=4, **style
        )
        axes.set_xticks(at)
        axes.set_xlabel("group, from the lowest fitted mean to the highest")
        axes.set_ylabel(f"mean of {rows.response}{', overall = 1' if positive(rows) else ''}")
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]) if positive(rows) else None)
        handles, names = axes.get_legend_handles_labels()
        axes.legend(handles[::-1], names[::-1], loc="upper left")
        quiet_grid(axes)
        note(axes, f"groups of about equal {rows.unit}", bars(level))
    return figure_of(axes)


def positive(rows: Seen) -> bool:
    """Tell whether means can be set in proportion to each other."""
    return bool(np.min(rows.fitted) > 0.0 and np.average(rows.observed, weights=rows.volume) > 0.0)


def gini(rows: Seen) -> float:
    """Compute the Gini index of the observed means in order of the fitted ones: 0 tells nothing apart.

    Twice the area between the diagonal and the Lorenz curve; rows of equal fitted mean count as one.
    """
    volume, amount = _cells(rows)
    share = np.concatenate([[0.0], np.cumsum(volume) / volume.sum()])
    lorenz = np.concatenate([[0.0], np.cumsum(amount) / amount.sum()])
    return float(1.0 - np.sum(np.diff(share) * (lorenz[1:] + lorenz[:-1])))


def _cells(rows: Seen) -> tuple[Array, Array]:
    size = float(np.max(np.abs(rows.fitted), initial=0.0)) or 1.0
    place = np.unique(np.round(rows.fitted / size, 11), return_inverse=True)[1]
    amount = rows.volume * rows.observed
    return np.bincount(place, rows.volume).astype(float), np.bincount(place, amount).astype(float)
