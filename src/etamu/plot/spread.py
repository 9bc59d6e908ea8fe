"""The size of residuals against the fitted values: whether the variance function is right.

May import: everything below `plot`, in this room rows, smooth, style.
Read next: `etamu.plot.residuals`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etamu.fit.components import stated
from etamu.fit.result import Fit
from etamu.plot.rows import DRAWN, drawn, drawn_note
from etamu.plot.smooth import lowess
from etamu.plot.style import INK, PENS, figure_of, greek, note, panel, quiet_grid, settings, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEVEL = 0.8222
"""Mean of the root of |z|, z standard normal: 2^(1/4) Gamma(3/4) / sqrt(pi)."""


def spread(fit: Fit, *, axes: Axes | None = None) -> Figure:
    """Draw the root of the size of standardised Pearson residuals against the linear predictor.

    The only check of the distribution that a quasi family allows, which states nothing but a variance.

    Parameters
    ----------
    fit : Fit
    axes : matplotlib Axes, optional

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    NotAvailableError
        If matplotlib is not installed.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> figure = em.glm("y ~ x", data, family="quasipoisson").plot("spread")
    >>> figure.axes[0].get_xlabel()
    'linear predictor η'
    """
    axes = panel(axes, 6.0, 4.6)
    size = np.sqrt(np.abs(fit.residuals("standardised pearson")))
    rows = np.flatnonzero(np.isfinite(size))
    some = rows[drawn(len(rows))]
    eta = np.asarray(fit.predict(kind="link"))[some]
    many = len(some) > 400
    with settings():
        title(axes, "Is the variance right?", f"flat if V(μ) = {greek(stated(fit.family)[0])} holds")
        axes.axhline(LEVEL, color=INK, lw=1.0, zorder=1)
        axes.scatter(
            eta,
            size[some],
            s=7 if many else 20,
            facecolor="none",
            edgecolor=PENS[0].colour,
            linewidth=0.7 if many else 1.0,
            alpha=0.35 if many else 1.0,
            zorder=2,
        )
        places, smooth = lowess(eta, size[some])
        axes.plot(places, smooth, color=PENS[1].colour, lw=2.2, zorder=4)
        axes.set_xlabel("linear predictor η")
        axes.set_ylabel("√|standardised Pearson residual|")
        axes.set_ylim(bottom=0.0)
        quiet_grid(axes)
        note(axes, "line: robust smooth; black: its level for normal residuals", drawn_note(len(rows), DRAWN))
    return figure_of(axes)
