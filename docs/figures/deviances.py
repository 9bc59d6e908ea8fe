"""Unit deviances: how each family measures the distance of a mean from an observation.

May import: etamu, numpy.
Read next: `docs/learn/deviance.rst`.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import etamu as em
from etamu.plot.style import FAINT, PENS, QUIET, blank, settings, title


def draw() -> Figure:
    """Draw d(y, mu) against mu for y = 3, and for a yes or no."""
    figure = blank(12.0, 4.4)
    with settings():
        left, right = figure.subplots(1, 2)
        title(left, "One observation, y = 3", "d(3, μ): zero at μ = y, steep where the family varies little")
        title(right, "One yes or no", "bernoulli: d(1, μ) = −2 log μ and d(0, μ) = −2 log(1 − μ)")
        mu = np.linspace(0.3, 9.0, 400)
        for pen, family in zip(PENS, (em.Gaussian(), em.Poisson(), em.Gamma()), strict=False):
            d = family.deviance(np, np.full_like(mu, 3.0), mu, 1.0 - mu)
            left.plot(mu, d, color=pen.colour, ls=pen.dash, lw=2, label=f"{family.name}, V(μ) = {_v(family)}")
        left.axvline(3.0, color=QUIET, lw=0.8)
        left.set_ylim(0.0, 10.0)
        p = np.linspace(0.005, 0.995, 400)
        for pen, y in zip(PENS, (1.0, 0.0), strict=False):
            d = em.Bernoulli().deviance(np, np.full_like(p, y), p, 1.0 - p)
            right.plot(p, d, color=pen.colour, ls=pen.dash, lw=2, label=f"y = {y:g}")
        left.legend(loc=(0.66, 0.68))
        right.legend(loc="upper center")
        for axes in (left, right):
            axes.set_xlabel("μ")
            axes.set_ylabel("unit deviance d(y, μ)")
            axes.grid(visible=True, axis="y", color=FAINT, lw=0.6)
    return figure


def _v(family: em.Gaussian | em.Poisson | em.Gamma) -> str:
    return {"1": "1", "mu": "μ", "mu^2": "μ²"}[family.textbook.variance]
