"""Profile likelihood of the model of moths killed by a poison.

May import: etamu.
Read next: `docs/use/pictures.rst`.
"""

from __future__ import annotations

from matplotlib.figure import Figure

import etamu as em
from etamu.datasets import budworms


def draw() -> Figure:
    """Draw the signed roots, curved where a Wald interval is wrong."""
    few = {name: column[::2] for name, column in budworms().columns.items()}
    fit = em.glm("dead ~ sex + log2_dose", few, family="binomial", trials="moths")
    return fit.plot("profile")
