"""The worm of counts that spread more than a Poisson law.

May import: etamu, numpy.
Read next: `docs/use/pictures.rst`.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import etamu as em


def draw() -> Figure:
    """Draw the worm of the days absent by a wrong model: variance above the mean."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0.0, 2.0, 400)
    y = rng.negative_binomial(12.0, 12.0 / (12.0 + np.exp(1.0 + x)))
    return em.glm("y ~ x", {"x": x, "y": y}, family="poisson").plot("worm")
