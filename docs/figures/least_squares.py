"""Why least squares fails: means below zero, probabilities beyond one, residuals that fan out.

May import: etamu, numpy.
Read next: `docs/learn/why-least-squares-fails.rst`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import etamu as em
from etamu.datasets import budworms, ships
from etamu.plot.style import FAINT, INK, PENS, QUIET, blank, settings, title


def draw() -> Figure:
    """Draw the three failures side by side."""
    figure = blank(12.0, 4.4)
    with settings():
        counts, shares, spread = figure.subplots(1, 3)
        _counts(counts)
        _shares(shares)
        _spread(spread)
    return figure


def _counts(axes: Axes) -> None:
    title(axes, "1  Counts below zero", "ships: means fitted to the 34 cells, in order of size")
    data = ships().columns
    line = em.glm("incidents ~ type + built + period + months", data)
    rates = em.glm("incidents ~ type + built + period", data, family="poisson", exposure="months")
    for pen, fit, label in ((PENS[1], line, "least squares"), (PENS[0], rates, "poisson, log link")):
        mean = np.sort(np.asarray(fit.predict()))
        axes.plot(np.arange(1, 35), mean, pen.marker, color=pen.colour, ms=4.5, label=label)
    _floor(axes, 0.0)
    axes.set_xlabel("rank of the cell")
    axes.set_ylabel("fitted number of incidents")
    axes.legend(loc="upper left")


def _shares(axes: Axes) -> None:
    title(axes, "2  Probabilities beyond 1", "budworms, males: share killed by dose")
    data = budworms().columns
    share = {**data, "share": data["dead"] / data["moths"]}
    line = em.glm("share ~ sex + log2_dose", share)
    curve = em.glm("dead ~ sex + log2_dose", data, family="binomial", trials="moths")
    doses = np.linspace(-2.0, 7.0, 200)
    new = {"sex": np.full(200, "male"), "log2_dose": doses}
    axes.plot(doses, line.predict(new), color=PENS[1].colour, ls=PENS[1].dash, lw=2, label="least squares")
    axes.plot(doses, curve.predict(new), color=PENS[0].colour, lw=2, label="binomial, logit link")
    male = data["sex"] == "male"
    style: dict[str, Any] = {"facecolor": "white", "edgecolor": INK, "zorder": 3}
    axes.scatter(data["log2_dose"][male], share["share"][male], s=36, **style)
    for edge in (0.0, 1.0):
        _floor(axes, edge)
    axes.set_xlabel("log2 of the dose")
    axes.set_ylabel("share killed")
    axes.legend(loc="lower right")


def _spread(axes: Axes) -> None:
    title(axes, "3  Variance that grows", "simulated counts: residuals of the true line")
    rng = np.random.default_rng(3)
    mean = rng.uniform(1.0, 60.0, 300)
    residual = rng.poisson(mean) - mean
    style: dict[str, Any] = {"facecolor": "none", "edgecolor": PENS[0].colour, "linewidth": 0.9}
    axes.scatter(mean, residual, s=18, **style)
    grid = np.linspace(0.0, 61.0, 200)
    axes.plot(grid, 2 * np.sqrt(grid), color=INK, lw=1.4, label="± 2 √μ")
    axes.plot(grid, -2 * np.sqrt(grid), color=INK, lw=1.4)
    _floor(axes, 0.0)
    axes.set_xlabel("mean μ")
    axes.set_ylabel("y − μ")
    axes.legend(loc="upper left")


def _floor(axes: Axes, height: float) -> None:
    axes.axhline(height, color=QUIET, lw=1.0, zorder=0)
    axes.grid(visible=True, axis="y", color=FAINT, lw=0.6)
    axes.set_axisbelow(True)
