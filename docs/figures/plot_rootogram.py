"""Rootogram of counts that spread more than a Poisson law.

May import: etamu, numpy.
Read next: `docs/use/pictures.rst`.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import etamu as em


def draw() -> Figure:
    """Draw observed counts hung from those a Poisson law expects."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0.0, 2.0, 400)
    y = rng.negative_binomial(2.0, 2.0 / (2.0 + np.exp(0.5 + x)))
    return em.glm("y ~ x", {"x": x, "y": y}, family="poisson").plot("rootogram")
