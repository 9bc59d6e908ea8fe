"""The log density of one response at its own mean: a placeholder the distribution room replaces.

May import: _base.
Read next: `etamu.family.families`.
"""

from __future__ import annotations

import numpy as np

from etamu._base.types import Array


def gaussian(y: Array, phi: Array) -> Array:
    """Return -log(2 pi phi) / 2."""
    return np.zeros_like(y) - 0.5 * np.log(2.0 * np.pi * phi)


def bernoulli(y: Array, phi: Array) -> Array:
    """Return 0: a Bernoulli response at its own mean is certain."""
    return np.zeros_like(y)


def poisson(y: Array, phi: Array) -> Array:
    """Return y log y - y - log y!."""
    from scipy.special import gammaln, xlogy

    return np.asarray(xlogy(y, y) - y - gammaln(y + 1.0))
