"""Four solvers on one data set: how far each is from the maximum at each iteration.

May import: etamu, numpy.
Read next: `docs/learn/estimation.rst`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import etamu as em
from etamu.datasets import budworms
from etamu.plot.style import FAINT, PENS, blank, settings, title

SOLVERS = ("newton", "irls", "gradient", "lbfgs")
LINKS = (
    ("logit", "1  Canonical link: logit", "Newton and IRLS take the same steps"),
    ("cauchit", "2  Another link: cauchit", "near the end Newton squares the error, IRLS divides it by 20"),
)
NOTHING = 1e-15
"""Drawn where rounding leaves nothing to see."""


def draw() -> Figure:
    """Draw how much deviance is left at each iteration, for the canonical link and another one."""
    figure = blank(12.0, 4.6)
    with settings():
        for axes, (link, head, below) in zip(figure.subplots(1, 2, sharey=True), LINKS, strict=True):
            title(axes, head, below)
            for pen, solver in zip((PENS[0], PENS[1], PENS[2], PENS[4]), SOLVERS, strict=True):
                left = remaining(link, solver)
                hollow = "white" if solver == "irls" else pen.colour
                style: dict[str, Any] = {"color": pen.colour, "ls": pen.dash, "marker": pen.marker}
                axes.semilogy(range(len(left)), left, label=solver, ms=6, mfc=hollow, **style)
            _around(axes)
        figure.axes[0].set_ylabel("deviance above its minimum")
        figure.axes[1].legend(loc="upper right")
    return figure


def remaining(link: str, solver: str) -> np.ndarray:
    """Return the deviance above its minimum at the start of each iteration."""
    fit = em.glm(
        "dead ~ sex + log2_dose", budworms().columns, "binomial", link, trials="moths", solver=solver
    )
    values = np.array([step.value for step in fit.trace])
    return np.maximum(-2.0 * values - fit.deviance, NOTHING)


def _around(axes: Axes) -> None:
    axes.set_xlabel("iteration")
    axes.set_xticks(range(0, 21, 2))
    axes.grid(visible=True, color=FAINT, lw=0.6)
    axes.set_axisbelow(True)
