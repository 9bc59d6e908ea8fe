"""The worm: how far each quantile residual lies off its normal quantile.

May import: everything below `plot`, in this room normal, style.
Read next: `etamu.plot.qq`; van Buuren and Fredriks (2001), Statistics in Medicine 20, who drew it first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etamu._base.types import Array
from etamu.fit.result import Fit
from etamu.plot.normal import Ordered, band_and_points, ordered
from etamu.plot.style import INK, PENS, figure_of, panel, settings, title
from etamu.vector.result import VectorFit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def worm(fit: Fit | VectorFit, *, seed: int = 0, level: float = 0.95, axes: Axes | None = None) -> Figure:
    """Draw quantile residuals less their normal quantiles, with a cubic through them.

    Parameters
    ----------
    fit : Fit, or VectorFit
    seed : int
        As in `qq`.
    level : float
        Probability the band covers, point by point, if the model holds.
    axes : matplotlib Axes, optional

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
    >>> figure = em.glm("y ~ x", data, family="poisson").plot("worm")
    >>> figure.axes[0].get_ylabel()
    'residual less normal quantile'
    """
    axes = panel(axes, 6.0, 4.6)
    shown = ordered(fit, seed, level)
    with settings():
        title(axes, "The worm", "flat if right; a slope: spread, a U: skewness, an S: tails")
        axes.axhline(0.0, color=INK, lw=1.0)
        curve = cubic(shown)
        if curve is not None:
            axes.plot(shown.normal, curve, color=PENS[1].colour, lw=2.0, zorder=4)
        axes.set_ylabel("residual less normal quantile")
        _reach(axes, shown, curve)
        band_and_points(axes, shown, shown.normal, "line: cubic")
    return figure_of(axes)


def cubic(shown: Ordered) -> Array | None:
    """Return the cubic through the points, along their normal quantiles; None for fewer than eight."""
    known = np.isfinite(shown.sample)
    if known.sum() < 8:
        return None
    # Points of a thinned sample stand for as many as lie between them: the cubic must not follow the tails.
    powers = np.vander(shown.normal, 4)
    share = np.sqrt(np.gradient(shown.normal) * np.exp(-0.5 * shown.normal**2))
    off = shown.sample - shown.normal
    found = np.linalg.lstsq(powers[known] * share[known, None], off[known] * share[known], rcond=None)[0]
    return np.asarray(powers @ found)


def _reach(axes: Axes, shown: Ordered, curve: Array | None) -> None:
    """Let the worm, not the ends of the band, decide what is seen."""
    off = np.abs(shown.sample - shown.normal)
    inner = slice(len(off) // 20, len(off) - len(off) // 20)
    half = 1.12 * float(
        np.nanmax([*off, *np.abs([] if curve is None else curve), *(shown.high - shown.normal)[inner], 0.1])
    )
    axes.set_ylim(-half, half)
