"""Sandwiches that correct for leverage: how much a row or a cluster pulled the fit towards itself.

May import: numpy, `etamu._base`, `etamu.infer`.
Read next: `etamu.infer.clusters`, the same for clusters, and `etamu.infer.autocorrelation`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from etamu._base.types import Array
from etamu.infer.covariance import Root

NOTHING_LEFT = 1e-10
"""Where 1 - h is below this, a row or a direction of a cluster is fitted by itself alone."""


def remaining(leverage: Array, power: Array | float) -> Array:
    """Raise 1 - h to a power, 0 where nothing remains.

    Such a row has residual 0 whatever its error was, so 0 / 0 stands for no information: the
    Moore-Penrose inverse of the matrix I - H (Pustejovsky and Tipton 2018, section 3.1).

    Examples
    --------
    >>> remaining(np.array([0.0, 0.5, 1.0]), -2).tolist()
    [1.0, 4.0, 0.0]
    """
    left = 1.0 - leverage
    usable = left > NOTHING_LEFT
    return np.where(usable, np.where(usable, left, 1.0) ** power, 0.0)


INFLATIONS: dict[str, Callable[[Array, float], Array]] = {
    "HC0": lambda leverage, _: np.ones_like(leverage),
    "HC1": lambda leverage, _: np.ones_like(leverage),
    "HC2": lambda leverage, _: remaining(leverage, -1.0),
    "HC3": lambda leverage, _: remaining(leverage, -2.0),
    "HC4": lambda leverage, mean: remaining(leverage, -np.minimum(4.0, leverage / mean)),
}
"""What multiplies each squared score, from the leverages and their mean p / n.

HC0 White (1980); HC2, HC3 MacKinnon and White (1985), HC3 with (1 - h)^-2 in place of the jackknife;
HC4 Cribari-Neto (2004).
"""


def indefinite(meat: Array) -> bool:
    """Tell whether a symmetric matrix has an eigenvalue below 0 by more than rounding."""
    if not len(meat) or not np.all(np.isfinite(meat)):
        return False
    values = np.linalg.eigvalsh(meat)
    return bool(values[0] < -1e-10 * np.abs(values).max())


def nearest(bread: Root, meat: Array, reported: Array) -> Root:
    """Set the negative eigenvalues of the covariance of the reported coefficients to 0.

    Differences of clustered meats need not be positive semi-definite; this is the remedy of Cameron,
    Gelbach and Miller (2011, section 2.3) and of `fix = TRUE` in R's `sandwich::vcovCL`.

    Parameters
    ----------
    bread : Root
        L, whose product L L' is the bread in working coordinates.
    meat : array (p, p)
        M of whitened scores; the covariance is L M L'.
    reported : array (p, p)
        S L, the same root carried to the coefficients that are reported.
    """
    values, vectors = np.linalg.eigh(reported @ meat @ reported.T)
    half = vectors * np.sqrt(np.maximum(values, 0.0))
    return Root(bread.matrix @ np.linalg.solve(reported, half))
