"""Claims a year, observed and fitted, by bands of age.

May import: etamu, numpy.
Read next: `docs/use/pictures.rst`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import etamu as em

DATA = Path(__file__).parents[1] / "data" / "policies.csv"


def draw() -> Figure:
    """Draw a model with a straight line in age by age."""
    policies = np.genfromtxt(DATA, delimiter=",", names=True, dtype=None, encoding="utf-8")
    data = {name: policies[name] for name in policies.dtype.names}
    fit = em.glm("claims ~ region + age + power", data, family="poisson", exposure="years")
    return fit.plot("levels", "age")
