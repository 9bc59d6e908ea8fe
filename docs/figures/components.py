"""The three components of a logistic model of moths killed by a poison.

May import: etamu.
Read next: `docs/learn/three-components.rst`.
"""

from __future__ import annotations

from matplotlib.figure import Figure

import etamu as em
from etamu import plot
from etamu.datasets import budworms


def draw() -> Figure:
    """Draw eta, mu and V of the budworms."""
    fit = em.glm("dead ~ sex + log2_dose", budworms().columns, family="binomial", trials="moths")
    return plot.components(fit)
