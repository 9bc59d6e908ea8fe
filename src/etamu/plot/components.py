"""The figure of the three components: linear predictor, mean after the inverse link, variance function.

May import: everything below `plot`; matplotlib through `etamu.plot.style`.
Read next: `etamu.plot.grid`, the rows at which the lines are drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.types import Array
from etamu.fit.components import inverse_text, stated
from etamu.fit.result import Fit
from etamu.plot.grid import CROWD, Line, Picture, picture
from etamu.plot.style import INK, PENS, QUIET, Pen, blank, greek, quiet_grid, settings, short, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINE_LENGTH = 105
"""Letters of the formula's font that fit across the figure."""


def components(fit: Fit, covariate: str | None = None, by: str | None = None, level: float = 0.95) -> Figure:
    """Draw the three components of a fit: eta against a covariate, mu with the data, V against mu.

    Parameters
    ----------
    fit : Fit
        Fitted to a formula, with its data attached.
    covariate : str, optional
        Column along the horizontal axis; the first number of the formula if left out.
    by : str, optional
        Categorical column whose levels are drawn as lines; the first of the formula if left out, none if "".
        Other columns are held at their median or most frequent level.
    level : float
        Probability the bands around the lines cover, point by point.

    Returns
    -------
    matplotlib Figure
        Save it with ``figure.savefig("components.png")``.

    Raises
    ------
    NotAvailableError
        If matplotlib is not installed, or the fit has no formula or no covariate.
    FormulaError
        If the formula does not use the column named.
    OptionError
        If `by` has more levels than lines can be told apart.

    Examples
    --------
    >>> import etamu as em
    >>> from etamu import plot
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> figure = plot.components(em.glm("y ~ x", data, family="poisson"))
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['x', 'x', 'mean μ of each row']
    """
    figure = blank(12.0, 4.8)
    shown = picture(fit, covariate, by, level)
    with settings():
        systematic, link, random = figure.subplots(1, 3)
        _systematic(systematic, shown)
        _link(link, fit, shown)
        _random(random, fit, shown)
        _around(figure, fit, shown)
    return figure


def _systematic(axes: Axes, shown: Picture) -> None:
    title(axes, "1  Linear predictor", f"η = x′β{shown.offset_text}")
    for place, (pen, curve) in enumerate(zip(PENS, shown.curves, strict=False)):
        _line(axes, pen, curve.label, _dodged(shown, place), curve.eta, shown)
    axes.set_ylabel("η")
    _along(axes, shown)


def _link(axes: Axes, fit: Fit, shown: Picture) -> None:
    title(
        axes,
        "2  Mean",
        f"μ = g⁻¹(η) = {greek(inverse_text(fit.link).split(',')[0])}   ({fit.link.name} link)",
    )
    faint = 0.45 if len(shown.x) > CROWD else 0.95
    for place, (pen, curve) in enumerate(zip(PENS, shown.curves, strict=False)):
        _line(axes, pen, curve.label, _dodged(shown, place), curve.mean, shown)
        x = shown.x[curve.rows] + _shift(shown, place)
        style: dict[str, Any] = {
            "facecolor": "none" if shown.levels else "white",
            "edgecolor": pen.colour,
            "linewidth": 1.3,
            "alpha": faint,
            "zorder": 3,
        }
        axes.scatter(x, shown.y[curve.rows], s=shown.sizes[curve.rows], marker=pen.marker, **style)
    axes.set_ylabel(shown.response)
    _along(axes, shown)


def _random(axes: Axes, fit: Fit, shown: Picture) -> None:
    title(axes, "3  Variance", f"V(μ) = {greek(stated(fit.family)[0])}   ({fit.family.name})")
    mu = _means(fit, shown.mean)
    axes.plot(mu, _variance(fit, mu), color=QUIET, lw=1.6, zorder=1)
    for pen, curve in zip(PENS, shown.curves, strict=False):
        mean = shown.mean[curve.rows]
        style: dict[str, Any] = {"facecolor": pen.colour, "edgecolor": "white", "linewidth": 0.8, "zorder": 2}
        axes.scatter(mean, _variance(fit, mean), s=34, marker=pen.marker, **style)
    axes.set_xlabel("mean μ of each row")
    axes.set_ylabel("V(μ)")
    axes.set_ylim(bottom=0.0)
    quiet_grid(axes)


def _variance(fit: Fit, mu: Array) -> Array:
    return np.asarray(fit.family.variance(np, mu, 1.0 - mu))


def _means(fit: Fit, mean: Array) -> Array:
    """Spread means over the interval a family can have, or over what the rows have."""
    possible = fit.family.mean
    low = possible.lower if np.isfinite(possible.lower) else float(mean.min())
    high = possible.upper if np.isfinite(possible.upper) else float(mean.max()) * 1.05
    return np.linspace(low, high, 400)[1:-1]


def _line(axes: Axes, pen: Pen, label: str, positions: Array, line: Line, shown: Picture) -> None:
    """Draw a line with its band; between levels there is nothing, so there bars stand for the band."""
    style: dict[str, Any] = {"color": pen.colour, "label": label}
    if shown.levels:
        bars = np.stack([line.middle - line.low, line.high - line.middle])
        axes.errorbar(positions, line.middle, bars, lw=0, elinewidth=1.4, marker=pen.marker, ms=5, **style)
        axes.plot(positions, line.middle, color=pen.colour, ls=pen.dash, lw=1.0, alpha=0.6)
        return
    axes.fill_between(positions, line.low, line.high, color=pen.colour, alpha=0.14, lw=0)
    axes.plot(positions, line.middle, ls=pen.dash, lw=2.0, **style)


def _shift(shown: Picture, place: int) -> float:
    """Set groups side by side over a level."""
    return (place - (len(shown.curves) - 1) / 2.0) * 0.13 if shown.levels else 0.0


def _dodged(shown: Picture, place: int) -> Array:
    return shown.positions + _shift(shown, place)


def _along(axes: Axes, shown: Picture) -> None:
    axes.set_xlabel(shown.covariate)
    if shown.levels:
        axes.set_xticks(shown.positions, shown.levels)
    quiet_grid(axes)


def _around(figure: Figure, fit: Fit, shown: Picture) -> None:
    from matplotlib.lines import Line2D

    labels = [short(curve.label, 18) for curve in shown.curves]
    room = LINE_LENGTH - (sum(len(label) + 10 for label in labels) if len(labels) > 1 else 0)
    figure.suptitle(
        short(fit.formula, max(room, 24)), x=0.008, ha="left", fontsize=13, color=INK, family="monospace"
    )
    if len(shown.curves) > 1:
        # A handle of line and marker: in panel 2 the line is the model and the marker the data.
        style: dict[str, Any] = {"lw": 2.0, "ms": 6.0, "mfc": "white", "mew": 1.3}
        handles = [
            Line2D([], [], color=pen.colour, ls=pen.dash, marker=pen.marker, label=label, **style)
            for pen, label in zip(PENS, labels, strict=False)
        ]
        handles = [Line2D([], [], lw=0, label=f"{shown.by}:"), *handles]
        figure.legend(
            handles=handles, loc="upper right", ncols=len(handles), handlelength=3.4, borderaxespad=0.2
        )
    figure.supxlabel(shown.foot, x=0.99, ha="right", fontsize=9, color=QUIET)
