"""The figure of the three components: linear predictor, mean after the inverse link, variance function.

May import: everything below `plot`; matplotlib through `etamu.plot.style`.
Read next: `etamu.plot.grid`, the rows at which the lines are drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etamu._base.types import Array
from etamu.fit.components import INVERSES
from etamu.fit.result import Fit
from etamu.plot.grid import Curve, Picture, picture
from etamu.plot.style import FAINT, INK, PENS, QUIET, Pen, blank, greek, settings, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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

    Examples
    --------
    >>> import etamu as em
    >>> from etamu import plot
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> figure = plot.components(em.glm("y ~ x", data, family="poisson"))
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['x', 'x', 'mean μ']
    """
    figure = blank(12.0, 4.4)
    shown = picture(fit, covariate, by, level)
    with settings():
        systematic, link, random = figure.subplots(1, 3)
        _systematic(systematic, shown)
        _link(link, fit, shown)
        _random(random, fit, shown)
        _around(figure, systematic, fit, shown)
    return figure


def _systematic(axes: Axes, shown: Picture) -> None:
    title(axes, "1  Linear predictor", f"η = x′β{shown.offset_text}")
    for pen, curve in zip(PENS, shown.curves, strict=False):
        axes.fill_between(shown.positions, curve.eta_low, curve.eta_high, color=pen.colour, alpha=0.13, lw=0)
        _line(axes, shown, curve, curve.eta, pen)
    axes.set_xlabel(shown.covariate)
    axes.set_ylabel("η")
    _ticks(axes, shown)


def _link(axes: Axes, fit: Fit, shown: Picture) -> None:
    name = fit.link.name
    inverse = INVERSES.get(name, "the inverse of g").split(",")[0]
    title(axes, "2  Mean", f"μ = g⁻¹(η) = {greek(inverse)}   ({name} link)")
    small = len(shown.x) > 200
    for pen, curve in zip(PENS, shown.curves, strict=False):
        axes.fill_between(shown.positions, curve.mean_low, curve.mean_high, color=pen.colour, alpha=0.13, lw=0)
        _line(axes, shown, curve, curve.mean, pen)
        x, y = shown.x[curve.rows], shown.y[curve.rows]
        axes.plot(x, y, pen.marker, ms=3 if small else 6, mfc="white", mec=pen.colour, mew=1.3, alpha=0.5 if small else 1)
    axes.set_xlabel(shown.covariate)
    axes.set_ylabel(shown.response)
    _ticks(axes, shown)


def _random(axes: Axes, fit: Fit, shown: Picture) -> None:
    family = fit.family
    title(axes, "3  Variance", f"Var(y) ∝ V(μ) = {greek(family.textbook.variance)}   ({family.name})")
    mu = _means(fit, shown.mean)
    axes.plot(mu, _variance(fit, mu), color=QUIET, lw=1.6, zorder=1)
    for pen, curve in zip(PENS, shown.curves, strict=False):
        mean = shown.mean[curve.rows]
        axes.plot(mean, _variance(fit, mean), pen.marker, ms=6, mfc=pen.colour, mec="white", mew=0.8, zorder=2)
    axes.set_xlabel("mean μ")
    axes.set_ylabel("V(μ)")
    axes.set_ylim(bottom=0.0)


def _variance(fit: Fit, mu: Array) -> Array:
    return np.asarray(fit.family.variance(np, mu, 1.0 - mu))


def _means(fit: Fit, mean: Array) -> Array:
    """Spread means over the interval a family can have, or over what the rows have."""
    possible = fit.family.mean
    low = possible.lower if np.isfinite(possible.lower) else float(mean.min())
    high = possible.upper if np.isfinite(possible.upper) else float(mean.max()) * 1.05
    return np.linspace(low, high, 400)[1:-1]


def _line(axes: Axes, shown: Picture, curve: Curve, values: Array, pen: Pen) -> None:
    marked = {"marker": pen.marker, "ms": 4} if shown.levels else {}
    axes.plot(shown.positions, values, color=pen.colour, ls=pen.dash, lw=2, label=curve.label, **marked)


def _ticks(axes: Axes, shown: Picture) -> None:
    if shown.levels:
        axes.set_xticks(shown.positions, shown.levels)
    axes.grid(visible=True, axis="y", color=FAINT, lw=0.6)
    axes.set_axisbelow(True)


def _around(figure: Figure, axes: Axes, fit: Fit, shown: Picture) -> None:
    figure.suptitle(fit.formula, x=0.008, ha="left", fontsize=13, color=INK, family="monospace")
    if len(shown.curves) > 1:
        axes.legend(title=shown.by, handlelength=3.0, loc="best")
    if shown.held:
        figure.supxlabel(shown.held, x=0.99, ha="right", fontsize=9, color=QUIET)
