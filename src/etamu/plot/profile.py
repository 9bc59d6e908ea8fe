"""Profile likelihood as its signed root: a straight line where an interval may be symmetric.

May import: everything below `plot`, in this room style.
Read next: `etamu.fit.profile`, which traces it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.errors import NotAvailableError, OptionError
from etamu.fit.profile import Profile
from etamu.fit.result import Fit
from etamu.plot.style import (
    INK,
    PENS,
    QUIET,
    figure_of,
    note,
    panel,
    panels,
    quiet_grid,
    settings,
    short,
    title,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = 9
"""Most profiles of one figure."""


def profile(
    fit: Fit,
    combination: str | Sequence[float] | None = None,
    *,
    level: float = 0.95,
    axes: Axes | None = None,
) -> Figure:
    """Draw the signed root of the deviance along a coefficient, minimised over all others.

    Parameters
    ----------
    fit : Fit
    combination : str or array (names,), optional
        A coefficient or a combination, as in `Fit.profile`; the first nine coefficients if left out.
    level : float
    axes : matplotlib Axes, optional
        Where to draw one profile.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    OptionError
        If there is no such coefficient, or axes are given and none is named.
    NotAvailableError
        If there is no likelihood to profile, or matplotlib is not installed.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [0.0, 0.0, 1.0, 0.0, 1.0, 1.0], "x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}
    >>> figure = em.glm("y ~ x", data, family="bernoulli").plot("profile", "x")
    >>> figure.axes[0].get_xlabel()
    'x'
    """
    if combination is None and axes is not None:
        raise OptionError("axes= hold one panel: name the coefficient")
    if combination is not None:
        asked: list[Any] = [combination]
        places = [panel(axes, 6.0, 4.6)]
    else:
        known = [name for name in fit.names if name not in fit.aliased]
        asked = [name for name in known if name != "Intercept"][:PANELS] or known[:1]
        if not asked:
            raise NotAvailableError("there is no coefficient to profile")
        places = panels(len(asked))
    with settings():
        for each, place in zip(asked, places, strict=True):
            _draw(place, fit.profile(each, level))
    return figure_of(places[0])


def _draw(axes: Axes, shown: Profile) -> None:
    low, high = shown.interval
    ends = f"{_written(float(low))} to {_written(float(high))}"
    title(axes, short(shown.name, 34), f"{100 * shown.level:g} % profile interval {ends}")
    axes.axhline(0.0, color=INK, lw=0.8, zorder=1)
    for side in (-1.0, 1.0):
        axes.axhline(side * shown.critical, color=QUIET, lw=0.9, ls=(0, (4, 3)), zorder=1)
    reach = np.array([shown.values.min(), shown.values.max()])
    if shown.se > 0.0:
        wald = (reach - shown.estimate) / shown.se
        axes.plot(reach, wald, color=PENS[1].colour, ls=PENS[1].dash, lw=1.6, zorder=2, label="Wald")
    axes.plot(shown.values, shown.roots, color=PENS[0].colour, lw=2.2, zorder=3, label="profile")
    axes.plot([shown.estimate], [0.0], marker="o", ms=6.5, color=PENS[0].colour, zorder=4)
    for end, side in zip((float(low), float(high)), (-1.0, 1.0), strict=True):
        if math.isfinite(end):
            axes.plot([end, end], [0.0, side * shown.critical], color=PENS[0].colour, lw=1.1, zorder=2)
            axes.plot([end], [0.0], marker="|", ms=9.0, mew=1.6, color=PENS[0].colour, zorder=4)
    top = 1.25 * max(shown.critical, float(np.max(np.abs(shown.roots), initial=0.0)))
    axes.set_ylim(-top, top)
    axes.set_xlabel(short(shown.name, 40))
    axes.set_ylabel("signed root of the deviance")
    axes.legend(loc="upper left")
    quiet_grid(axes)
    endless = (
        "" if np.all(np.isfinite(shown.interval)) else "a curve that never meets a dash has no end there"
    )
    note(axes, f"dashes: ±{shown.critical:.3g}", endless)


def _written(end: float) -> str:
    return f"{end:.4g}".replace("-", "−") if math.isfinite(end) else ("∞" if end > 0 else "−∞")
