"""The page of four of a model of yes and no.

May import: etamu, numpy.
Read next: `docs/use/pictures.rst`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import etamu as em

DATA = Path(__file__).parents[1] / "data" / "fish.csv"


def draw() -> Figure:
    """Draw the page."""
    food, water, survived = np.loadtxt(DATA, delimiter=",", skiprows=1).T
    data = {"food": food, "water": water, "survived": survived}
    fit = em.glm("survived ~ food + water", data, family="bernoulli")
    return fit.plot()
