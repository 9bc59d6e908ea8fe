"""Quantile residuals against the normal law they have if the model is right, whatever the family.

May import: everything below `plot`, in this room normal, style.
Read next: `etamu.plot.worm`, the same with the line laid flat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etamu.fit.result import Fit
from etamu.plot.normal import band_and_points, ordered
from etamu.plot.style import INK, figure_of, panel, settings, signed, title
from etamu.vector.result import VectorFit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def qq(fit: Fit | VectorFit, *, seed: int = 0, level: float = 0.95, axes: Axes | None = None) -> Figure:
    """Draw the quantile residuals in order against normal quantiles.

    Parameters
    ----------
    fit : Fit, or VectorFit
    seed : int
        Of the random part of residuals where a response has atoms: another seed shows what is noise.
    level : float
        Probability the band covers, point by point, if the model holds.
    axes : matplotlib Axes, optional
        Where to draw; a new figure if left out.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    NotAvailableError
        If the family states a variance and no distribution, or matplotlib is not installed.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> figure = em.glm("y ~ x", data, family="poisson").plot("qq")
    >>> figure.axes[0].get_ylabel()
    'quantile residual'
    """
    axes = panel(axes, 5.4, 5.0)
    shown = ordered(fit, seed, level)
    with settings():
        title(
            axes,
            "Is the distribution right?",
            f"on the line if so; mean {signed(shown.mean)}, standard deviation {shown.deviation:.2f}",
        )
        axes.axline((0.0, 0.0), slope=1.0, color=INK, lw=1.0)
        axes.set_ylabel("quantile residual")
        band_and_points(axes, shown, 0.0)
    return figure_of(axes)
