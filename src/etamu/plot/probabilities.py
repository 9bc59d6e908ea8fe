"""The probability of every class, or the mean, along one column, the others at typical values.

May import: everything below `plot`, in this room style.
Read next: `etamu.vector.along`, which predicts; `etamu.plot.effects`, the terms of one predictor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu.plot.style import PENS, figure_of, level_ticks, note, panel, quiet_grid, settings, short, title
from etamu.vector.along import Along, along
from etamu.vector.result import VectorFit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def probabilities(
    fit: VectorFit,
    column: str | None = None,
    *,
    at: Mapping[str, Any] | None = None,
    level: float = 0.95,
    axes: Axes | None = None,
) -> Figure:
    """Draw the probability of every class, or the mean where there are none, along a column.

    Parameters
    ----------
    fit : VectorFit
    column : str, optional
        The first column of the formula if left out.
    at : dict, optional
        Where other columns stand; numbers at their mean and levels at the commonest if left out.
    level : float
        Of the bands.
    axes : matplotlib Axes, optional

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    OptionError
        If there is no such column.
    NotAvailableError
        If the fit carries no rows or was fitted to a matrix, or matplotlib is not installed.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"way": ["bus", "car", "car", "rail", "bus", "rail"], "km": [1.0, 2.0, 4.0, 3.0, 3.0, 1.0]}
    >>> figure = em.glm("way ~ km", data, family=em.Multinomial()).plot("probabilities", "km")
    >>> figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()
    ('km', 'probability')
    """
    shown = along(fit, column, at=at, level=level)
    what = "probability" if fit.family.categorical else "mean"
    axes = panel(axes, 6.4, 4.6)
    with settings():
        title(axes, f"The {what} along {short(shown.name, 30)}", "as fitted, with its interval")
        for number in range(_count(shown)):
            _line(axes, shown, number)
        if shown.levels:
            level_ticks(axes, shown.levels)
        axes.set_xlabel(shown.name)
        axes.set_ylabel(what)
        if what == "probability":
            axes.set_ylim(-0.02, 1.02)
        if shown.predicted.columns:
            axes.legend(loc="best", ncols=1 + len(shown.predicted.columns) // 7)
        quiet_grid(axes)
        others = ", ".join(f"{name} {_value(value)}" for name, value in shown.at.items())
        note(axes, f"bands: {100 * level:g} %", f"at {others}" if others else "")
    return figure_of(axes)


def _count(shown: Along) -> int:
    return max(len(shown.predicted.columns), 1)


def _line(axes: Axes, shown: Along, number: int) -> None:
    found, pen = shown.predicted, PENS[number % len(PENS)]
    assert found.lower is not None
    assert found.upper is not None
    each = (
        part.reshape(len(shown.values), -1)[:, number] for part in (found.estimate, found.lower, found.upper)
    )
    middle, low, high = each
    label = short(found.columns[number], 24) if found.columns else None
    if shown.levels:
        x = shown.values + 0.08 * (number - (_count(shown) - 1) / 2.0)
        bars = np.nan_to_num(np.stack([middle - low, high - middle]).clip(min=0.0))
        style: dict[str, Any] = {"ms": 5.5, "elinewidth": 1.8, "capsize": 3.0, "lw": 0.0}
        axes.errorbar(x, middle, bars, fmt=pen.marker, color=pen.colour, label=label, **style)
        return
    axes.fill_between(shown.values, low, high, color=pen.colour, alpha=0.18, lw=0)
    axes.plot(shown.values, middle, color=pen.colour, ls=pen.dash, lw=2.0, label=label)


def _value(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
