"""The way to the maximum of the likelihood of damage to ships.

May import: etamu.
Read next: `docs/use/pictures.rst`.
"""

from __future__ import annotations

from matplotlib.figure import Figure

import etamu as em
from etamu.datasets import ships


def draw() -> Figure:
    """Draw Newton's steps."""
    fit = em.glm("incidents ~ type + built + period", ships().columns, family="poisson", exposure="months")
    return fit.plot("convergence")
