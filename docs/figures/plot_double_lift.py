"""Two models of claims, with age as a line and as a curve.

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
    """Draw them where they disagree."""
    policies = np.genfromtxt(DATA, delimiter=",", names=True, dtype=None, encoding="utf-8")
    data = {name: policies[name] for name in policies.dtype.names}
    fit = em.glm("claims ~ region + age + power", data, family="poisson", exposure="years")
    curve = em.glm("claims ~ region + bs(age, df=5) + power", data, family="poisson", exposure="years")
    return fit.plot("double_lift", curve)
