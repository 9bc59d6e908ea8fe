"""The way to the maximum: how far each iteration was from it.

May import: everything below `plot`, in this room style.
Read next: `etamu.solve.stop`, the rule that ends the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etamu._base.errors import NotAvailableError
from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.fit.result import Fit
from etamu.plot.style import INK, PENS, QUIET, figure_of, note, panel, quiet_grid, settings, title
from etamu.solve.stop import TOLERANCE
from etamu.vector.result import VectorFit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FLOOR = 1e-16
"""Nothing smaller is drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """Where each iteration began; distances in standard errors.

    Parameters
    ----------
    newton : array (steps,)
        Length of the Newton step, lambda over the root of the scale.
    gap : array (steps,)
        Root of twice what the log-likelihood still had to rise.
    observed : booleans (steps,)
        Whether the step came from the observed information.
    """

    newton: Array
    gap: Array
    observed: Mask


def convergence(fit: Fit | VectorFit, *, axes: Axes | None = None) -> Figure:
    """Draw how far from the maximum each iteration began, in standard errors.

    Parameters
    ----------
    fit : Fit, or VectorFit
    axes : matplotlib Axes, optional

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    NotAvailableError
        If the solver took no step, or matplotlib is not installed.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> figure = em.glm("y ~ x", data, family="poisson").plot("convergence")
    >>> figure.axes[0].get_xlabel(), figure.axes[0].get_yscale()
    ('iteration', 'log')
    """
    shown = way(fit)
    axes = panel(axes, 6.0, 4.4)
    at = np.arange(1, len(shown.newton) + 1)
    with settings():
        outcome, passes = fit.outcome.value, f"{fit.passes} pass{'es' if fit.passes != 1 else ''}"
        title(axes, "The way to the maximum", f"{outcome} after {len(at)} steps and {passes} over the rows")
        axes.set_yscale("log")
        axes.axhline(TOLERANCE, color=QUIET, lw=0.9, ls=(0, (4, 3)), zorder=1)
        axes.plot(
            at,
            np.maximum(shown.newton, FLOOR),
            color=PENS[0].colour,
            lw=1.8,
            marker="o",
            ms=6.5,
            label="length of the Newton step",
            zorder=4,
        )
        axes.plot(
            at[~shown.observed],
            np.maximum(shown.newton, FLOOR)[~shown.observed],
            lw=0,
            marker="o",
            ms=6.5,
            mfc="white",
            color=PENS[0].colour,
            mew=1.5,
            zorder=5,
        )
        far = shown.gap > FLOOR
        # Where the likelihood is a parabola the two are one: a square around the circle.
        axes.plot(
            at[far],
            shown.gap[far],
            lw=0,
            marker="s",
            ms=11.0,
            mfc="none",
            color=PENS[1].colour,
            mew=1.8,
            label="√(2 × what the log-likelihood has to rise)",
            zorder=3,
        )
        axes.set_xticks(_whole(len(at)))
        axes.set_xlabel("iteration")
        axes.set_ylabel("distance in standard errors")
        axes.legend(loc="lower left")
        quiet_grid(axes)
        hollow = "hollow: not from the observed information" if (~shown.observed).any() else ""
        note(axes, "dashes: tolerance, 10⁻⁹", hollow)
        axes.set_ylim(max(float(np.min(shown.newton)), FLOOR) * 0.01, None)
        axes.spines["left"].set_color(INK)
    return figure_of(axes)


def way(fit: Fit | VectorFit) -> Way:
    """Read the trace in standard errors.

    Raises
    ------
    NotAvailableError
        If there is no step.
    """
    if not fit.trace:
        raise NotAvailableError("the solver took no step, or the fit was read from a file without its trace")
    last = fit.solution.local
    scale = last.scale if last.scale > 0.0 else 1.0
    values = np.array([step.value for step in fit.trace])
    # Below this the value has no digits left in which a rise could be seen.
    rounding = 8.0 * np.finfo(float).eps * max(abs(last.value), 1e-300)
    rise = last.value - values
    return Way(
        np.sqrt(np.maximum([step.decrement for step in fit.trace], 0.0) / scale),
        np.sqrt(np.where(rise > rounding, 2.0 * rise / scale, 0.0)),
        np.array([step.information == "observed" for step in fit.trace], dtype=bool),
    )


def _whole(steps: int) -> Array:
    every = max(1, int(np.ceil(steps / 12)))
    return np.arange(1, steps + 1, every, dtype=float)
