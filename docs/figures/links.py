"""Links: eight ways from eta to mu.

May import: etamu, numpy.
Read next: `docs/learn/canonical-links.rst`.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from etamu.family.catalogue import link
from etamu.plot.style import FAINT, PENS, blank, settings, title

PROPORTIONS = ("logit", "probit", "cloglog", "loglog", "cauchit")
AMOUNTS = ("identity", "log", "sqrt", "inverse")


def draw() -> Figure:
    """Draw mu against eta for links of proportions and links of amounts."""
    figure = blank(12.0, 4.4)
    with settings():
        left, right = figure.subplots(1, 2)
        title(left, "Means between 0 and 1", "η scaled so that every curve has slope 1/4 where μ = 1/2")
        title(right, "Positive means", "the same μ at η = 1")
        for pen, name in zip(PENS, PROPORTIONS, strict=False):
            eta = np.linspace(-60.0, 60.0, 24001)
            mean = link(name).inverse(np, eta)
            middle = int(np.argmin(np.abs(np.asarray(mean.mu) - 0.5)))
            scaled = (eta - eta[middle]) * 4.0 * mean.d1[middle]
            left.plot(scaled, mean.mu, color=pen.colour, ls=pen.dash, lw=2, label=name)
        left.set_xlim(-7.0, 7.0)
        for pen, name in zip(PENS, AMOUNTS, strict=False):
            eta = np.linspace(0.25 if name == "inverse" else -1.0 if name == "log" else 0.0, 2.2, 300)
            mu = np.asarray(link(name).inverse(np, eta).mu) / (np.e if name == "log" else 1.0)
            right.plot(eta, mu, color=pen.colour, ls=pen.dash, lw=2, label=name)
        right.set_ylim(0.0, 4.0)
        left.legend(loc="upper left")
        right.legend(loc="upper left")
        for axes in (left, right):
            axes.set_xlabel("η")
            axes.set_ylabel("μ")
            axes.grid(visible=True, color=FAINT, lw=0.6)
    return figure
