"""Quantile residuals of the cost of claims against the normal law.

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
    """Draw them."""
    policies = np.genfromtxt(DATA, delimiter=",", names=True, dtype=None, encoding="utf-8")
    data = {name: policies[name] for name in policies.dtype.names}
    data = {name: column[policies["claims"] > 0] for name, column in data.items()}
    fit = em.glm("cost ~ region + age + power", data, family="gamma", link="log", variance_weights="claims")
    return fit.plot("qq")
