"""Residuals against the fitted values, and against each term, with a smooth through them.

May import: everything below `plot`, in this room rows, smooth, style, variable.
Read next: `etamu.plot.effects`, where the smooth says what form a term should have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.errors import OptionError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.fit.result import Fit
from etamu.plot.rows import DRAWN, drawn, drawn_note
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
from etamu.plot.variable import Variable, against, terms

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = 9
"""Most panels of one figure."""


@dataclass(frozen=True, slots=True, eq=False)
class Scatter:
    """Residuals beside what they are drawn against.

    Parameters
    ----------
    along : Variable
    residual : array (rows,)
    label : str
        What kind of residual.
    count : int
        Rows there are, of which these may be some.
    """

    along: Variable
    residual: Array
    label: str
    count: int


def residuals(
    fit: Fit, name: str | None = None, *, kind: str | None = None, seed: int = 0, axes: Axes | None = None
) -> Figure:
    """Draw residuals against the fitted values and every term, or against one of them.

    Parameters
    ----------
    fit : Fit
    name : str, optional
        "fitted", a term, or a column of the data, in the model or not; all of the first two if left out.
    kind : str, optional
        Any kind `Fit.residuals` knows that is one number per row; if left out quantile residuals, or
        standardised deviance residuals where the family states no distribution.
    seed : int
        Of the random part of quantile residuals.
    axes : matplotlib Axes, optional
        Where to draw one panel.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    OptionError
        If there is no such term or column, or axes are given and no name.
    NotAvailableError
        If residuals of this kind do not exist for the family, or matplotlib is not installed.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> figure = em.glm("y ~ x", data, family="poisson").plot("residuals")
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['linear predictor η', 'x']
    """
    shown_kind = kind or ("quantile" if fit.family.has_density else "standardised")
    values = fit.residuals(shown_kind, seed=seed)
    if not isinstance(values, np.ndarray):
        raise OptionError(f"residuals of kind {shown_kind!r} are a table: see fit.plot('effects')")
    if name is None and axes is not None:
        raise OptionError("axes= hold one panel: name what residuals are drawn against, such as 'fitted'")
    names = (name,) if name is not None else ("fitted", *terms(fit))[:PANELS]
    if name is not None:
        places = [panel(axes, 6.4, 4.6)]
    else:
        places = panels(len(names))
    with settings():
        for each, place in zip(names, places, strict=True):
            _draw(place, scatter(fit, each, values, shown_kind), each)
    return figure_of(places[0])


def scatter(fit: Fit, name: str, values: Array, kind: str) -> Scatter:
    """Choose the rows that are drawn, and read what they are drawn against."""
    rows = np.flatnonzero(np.isfinite(values))
    some = rows[drawn(len(rows))]
    if name == "fitted":
        along = Variable("linear predictor η", np.asarray(fit.predict(kind="link"))[some])
    else:
        along = against(fit, name, some)
    return Scatter(along, values[some], f"{kind} residual", len(rows))


def _draw(axes: Axes, shown: Scatter, name: str) -> None:
    below = "smooth near 0 if the form is right" if name == "fitted" else "no trend if its form is right"
    title(axes, "Residuals and fitted" if name == "fitted" else short(name, 34), below)
    axes.axhline(0.0, color=INK, lw=1.0, zorder=1)
    for two in (-1.96, 1.96):
        axes.axhline(two, color=QUIET, lw=0.8, ls=(0, (4, 3)), zorder=1)
    if shown.along.levels:
        _by_level(axes, shown)
    else:
        _points(axes, shown.along.values, shown.residual)
        places, smooth = lowess(shown.along.values, shown.residual)
        axes.plot(places, smooth, color=PENS[1].colour, lw=2.2, zorder=4, label="smooth")
    axes.set_xlabel(shown.along.name)
    axes.set_ylabel(shown.label)
    quiet_grid(axes)
    what = "boxes: quartiles, to the 5 and 95 % points" if shown.along.levels else "line: robust smooth"
    note(axes, f"{what}; dashes: ±1.96", drawn_note(shown.count, DRAWN))


def _points(axes: Axes, x: Array, y: Array) -> None:
    many = len(x) > 400
    style: dict[str, Any] = {"facecolor": "none", "edgecolor": PENS[0].colour, "zorder": 2}
    axes.scatter(
        x, y, s=7 if many else 20, linewidth=0.7 if many else 1.0, alpha=0.35 if many else 1.0, **style
    )


def _by_level(axes: Axes, shown: Scatter) -> None:
    codes = shown.along.values.astype(int)
    groups = [shown.residual[codes == code] for code in range(len(shown.along.levels))]
    used = [code for code, group in enumerate(groups) if len(group)]
    axes.boxplot(
        [groups[code] for code in used],
        positions=np.arange(len(used)),
        widths=0.55,
        whis=(5.0, 95.0),
        manage_ticks=False,
        patch_artist=True,
        boxprops={"facecolor": "white", "edgecolor": PENS[0].colour, "linewidth": 1.2},
        medianprops={"color": PENS[1].colour, "linewidth": 2.2},
        whiskerprops={"color": PENS[0].colour, "linewidth": 1.0},
        capprops={"color": PENS[0].colour, "linewidth": 1.0},
        flierprops={"marker": ".", "markersize": 3.0, "markeredgecolor": PENS[0].colour, "alpha": 0.5},
    )
    level_ticks(axes, [shown.along.levels[code] for code in used])
