"""The spread of Pearson residuals of counts whose variance grows faster than the mean.

May import: etamu, numpy.
Read next: `docs/use/pictures.rst`.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import etamu as em


def draw() -> Figure:
    """Draw it for quasi-Poisson, whose variance is proportional to the mean."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0.0, 2.0, 400)
    y = rng.negative_binomial(2.0, 2.0 / (2.0 + np.exp(1.5 * x)))
    return em.glm("y ~ x", {"x": x, "y": y}, family="quasipoisson").plot("spread")
