"""The fish: survival given food and water.

May import: etamu, numpy.
Read next: `docs/learn/fish-and-seeds.rst`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import etamu as em
from etamu.plot.style import FAINT, PENS, blank, settings, title

DATA = Path(__file__).parents[1] / "data" / "fish.csv"


def draw() -> Figure:
    """Draw the fish, and the probability of survival by food at three amounts of water."""
    food, water, survived = np.loadtxt(DATA, delimiter=",", skiprows=1).T
    fit = em.glm("survived ~ food + water", {"food": food, "water": water, "survived": survived}, "bernoulli")
    figure = blank(12.0, 4.4)
    nudge = np.random.default_rng(0).uniform(-0.09, 0.09, food.size)
    with settings():
        left, right = figure.subplots(1, 2)
        title(left, "120 fish (made up)", "one mark each, set a little apart; the line is where half survive")
        title(right, "Probability of survival", "food multiplies the odds, whatever the water")
        for pen, alive, label in ((PENS[0], 1, "survived"), (PENS[1], 0, "died")):
            chosen = survived == alive
            face = pen.colour if alive else "none"
            style: dict[str, Any] = {"facecolor": face, "edgecolor": pen.colour, "marker": pen.marker}
            left.scatter((food + nudge)[chosen], water[chosen], s=26, label=label, **style)
        intercept, by_food, by_water = fit.coef
        grid = np.linspace(0.3, 5.2, 100)
        left.plot(grid, -(intercept + by_food * grid) / by_water, color="#222222", lw=1.4)
        left.set_ylim(1.0, 23.5)
        left.set_ylabel("water, litres per fish")
        for pen, litres in zip(PENS, (16, 10, 4), strict=False):
            new = {"food": grid, "water": np.full(100, float(litres))}
            told: Any = fit.predict(new, interval="confidence")
            right.fill_between(grid, told.lower, told.upper, color=pen.colour, alpha=0.14, lw=0)
            right.plot(grid, told.estimate, color=pen.colour, ls=pen.dash, lw=2, label=f"{litres} litres")
        right.set_ylim(0.0, 1.0)
        right.set_ylabel("P(survived)")
        left.legend(loc="upper right", ncols=2)
        right.legend(loc="lower right")
        for axes in (left, right):
            axes.set_xlabel("food, grams a day")
            axes.grid(visible=True, axis="y", color=FAINT, lw=0.6)
            axes.set_axisbelow(True)
    return figure
