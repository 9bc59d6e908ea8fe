"""Coefficients with their intervals, as they stand or as ratios.

May import: everything below `plot`, in this room style.
Read next: `etamu.plot.profile`, whether an interval may be symmetric.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etamu._base.errors import NotAvailableError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.fit.profile import FACTORS
from etamu.fit.result import Fit
from etamu.plot.style import INK, PENS, figure_of, note, panel, quiet_grid, settings, short, title
from etamu.vector.result import VectorFit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 60
"""Coefficients that can be read below one another."""
FACTS = {"means": "mean ratio", "odds": "odds ratio", "hazards": "hazard ratio"}


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Coefficients from top to bottom.

    Parameters
    ----------
    names : tuple of str
    middle : array (k,)
    ends : array (k, 2)
    left_out : int
        Coefficients that are not shown for want of room.
    """

    names: tuple[str, ...]
    middle: Array
    ends: Array
    left_out: int


def coefficients(
    fit: Fit | VectorFit,
    *,
    ratio: bool = False,
    intercept: bool = False,
    level: float = 0.95,
    method: str = "wald",
    most: int = MOST,
    axes: Axes | None = None,
) -> Figure:
    """Draw coefficients and their intervals, one line each, in the order of the formula.

    Parameters
    ----------
    fit : Fit, or VectorFit
    ratio : bool
        Draw e^beta, a ratio of means (log link), odds (logit) or hazards (cloglog), on a log axis.
    intercept : bool
        Whether the intercept has a line too.
    level : float
    method : "wald" or "profile"
        As in `Fit.conf_int`.
    most : int
        How many lines there is room for; of more coefficients the furthest from 0 in standard errors.
    axes : matplotlib Axes, optional

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    OptionError
        If a ratio is asked for and the link has none.
    NotAvailableError
        If there is no coefficient to draw, or matplotlib is not installed.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> figure = em.glm("y ~ x", data, family="poisson").plot("coefficients", ratio=True)
    >>> figure.axes[0].get_xlabel()
    'mean ratio'
    """
    shown = forest(fit, ratio=ratio, intercept=intercept, level=level, method=method, most=most)
    k = len(shown.names)
    axes = panel(axes, 6.4, max(2.6, 1.5 + 0.3 * k))
    rest = 1.0 if ratio else 0.0
    with settings():
        title(axes, "Coefficients", f"{100 * level:g} % intervals; hollow where they reach {rest:g}")
        axes.axvline(rest, color=INK, lw=1.0, zorder=1)
        low, high = _inside(axes, shown, ratio=ratio)
        for row in range(k):
            apart = bool(shown.ends[row, 0] > rest or shown.ends[row, 1] < rest)
            axes.plot([low[row], high[row]], [row, row], color=PENS[0].colour, lw=1.8, solid_capstyle="butt")
            axes.plot(
                [shown.middle[row]],
                [row],
                marker="o",
                ms=6.5,
                color=PENS[0].colour,
                mfc=PENS[0].colour if apart else "white",
                mew=1.5,
                lw=0,
                zorder=3,
            )
        axes.set_yticks(np.arange(k), [short(name, 30) for name in shown.names])
        axes.set_ylim(k - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(_scale(fit) if ratio else "coefficient")
        quiet_grid(axes, "x")
        left = f"{shown.left_out} further coefficients, nearer to {rest:g} in standard errors, left out"
        kind = "" if fit.covariance_kind == "model" else f"{fit.covariance_kind} covariance"
        cut = "an interval that leaves the panel is longer than it" if _endless(shown) else ""
        note(axes, kind, cut, left if shown.left_out else "")
    return figure_of(axes)


def _scale(fit: Fit | VectorFit) -> str:
    """Name the ratio; several predictors have one each."""
    return "ratio" if isinstance(fit, VectorFit) else FACTS[FACTORS[fit.link.name]]


def forest(
    fit: Fit | VectorFit, *, ratio: bool, intercept: bool, level: float, method: str, most: int
) -> Forest:
    """Choose the coefficients that are drawn: all that are known, or the clearest where they are many.

    Raises
    ------
    NotAvailableError
        If none is left.
    """
    ends = fit.conf_int(level, method=method, scale="ratio" if ratio else "link")
    constants = fit.constants if isinstance(fit, VectorFit) else ("Intercept",)
    named = np.array([intercept or name not in constants or len(fit.names) == 1 for name in fit.names])
    known = np.flatnonzero(named & ~np.isnan(fit.coef))
    if not len(known):
        raise NotAvailableError("there is no coefficient to draw besides the intercept: use intercept=True")
    size = np.nan_to_num(np.abs(fit.statistic[known]))
    kept = np.sort(known[np.argsort(-size, kind="stable")[:most]])
    middle = np.exp(fit.coef[kept]) if ratio else fit.coef[kept]
    return Forest(tuple(fit.names[j] for j in kept), middle, ends[kept], len(known) - len(kept))


def _endless(shown: Forest) -> bool:
    return not bool(np.all(np.isfinite(shown.ends)))


def _inside(axes: Axes, shown: Forest, *, ratio: bool) -> tuple[Array, Array]:
    """Set the axis, and cut intervals without an end at its ends."""
    rest = 1.0 if ratio else 0.0
    ends = np.where(np.isnan(shown.ends), shown.middle[:, None], shown.ends)
    scale = np.log if ratio else np.asarray
    with np.errstate(all="ignore"):
        places = np.asarray(scale(np.concatenate([ends.ravel(), shown.middle, [rest]])))
    places = places[np.isfinite(places)]
    margin = 0.06 * float(np.ptp(places)) or 0.5
    low, high = float(places.min()) - margin, float(places.max()) + margin
    if ratio:
        axes.set_xscale("log")
        low, high = float(np.exp(low)), float(np.exp(high))
        _ratio_ticks(axes, low, high)
    axes.set_xlim(low, high)
    return np.clip(ends[:, 0], low, high), np.clip(ends[:, 1], low, high)


def _ratio_ticks(axes: Axes, low: float, high: float) -> None:
    """Set ticks at ratios people say: 1/2, 1, 2, not at powers of ten only."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    tens = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for steps in (
        (1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.7, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0),
        (1.0, 1.5, 2.0, 3.0, 5.0, 7.0),
        (1.0, 2.0, 5.0),
        (1.0, 3.0),
        (1.0,),
    ):
        ticks = np.unique(np.outer(tens, steps).ravel())
        ticks = ticks[(ticks >= low) & (ticks <= high)]
        if len(ticks) <= 7:
            break
    if len(ticks) < 2:
        return
    axes.xaxis.set_major_locator(FixedLocator(ticks.tolist()))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
