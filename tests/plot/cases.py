"""Fits that are drawn, and what is asked of every drawing: where its data are and in what ink.

Made up, so that a mistake in a picture has a right answer to be held against.
"""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_hex

import etamu as em
from etamu import datasets
from etamu.plot.style import FAINT, INK, PENS, QUIET

SHIPS = em.glm(
    "incidents ~ type + built + period", datasets.ships().columns, family="poisson", exposure="months"
)
MOTHS = em.glm("dead ~ sex + log2_dose", datasets.budworms().columns, family="binomial", trials="moths")


def counts(n: int = 600, seed: int = 0) -> dict[str, np.ndarray]:
    """Poisson counts with an exposure, a number, levels, and a column that is in no model."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.0, 1.0, n)
    g = rng.choice(["a", "b", "c"], n)
    years = rng.uniform(0.5, 2.0, n)
    y = rng.poisson(years * np.exp(0.4 + 0.8 * x + 0.5 * (g == "b")))
    return {"y": y, "x": x, "g": g, "years": years, "other": rng.normal(size=n), "w": rng.integers(1, 4, n)}


def yes_or_no(n: int = 400) -> dict[str, np.ndarray]:
    """Answers with a known probability."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=n)
    return {"y": (rng.random(n) < 1.0 / (1.0 + np.exp(-0.3 - x))).astype(int), "x": x}


COUNTS = em.glm("y ~ x + g", counts(), family="poisson", exposure="years")
ANSWERS = em.glm("y ~ x", yes_or_no(), family="bernoulli")


def colours(axes) -> set[str]:
    """Every colour lines, dots, bars and areas of axes are drawn in."""
    used = set()
    for line in axes.lines:
        used |= {line.get_color(), line.get_markeredgecolor()}
    for collection in axes.collections:
        for shades in (collection.get_edgecolor(), collection.get_facecolor()):
            used |= {tuple(shade[:3]) for shade in shades if shade[3] > 0}
    for patch in axes.patches:
        used |= {tuple(patch.get_facecolor()[:3]), tuple(patch.get_edgecolor()[:3])}
    return {to_hex(colour) for colour in used if not isinstance(colour, str) or colour != "none"}


HOUSE = {pen.colour for pen in PENS} | {INK, QUIET, FAINT, "#ffffff"}
"""The palette: nothing is drawn in another colour."""


def said(axes) -> str:
    """All words in axes: title, what stands below it, and the note."""
    return "\n".join([axes.get_title(loc="left"), *(text.get_text() for text in axes.texts)])


def dots(axes, which: int = 0) -> np.ndarray:
    """Where the dots of a scatter are."""
    scatters = [one for one in axes.collections if len(one.get_offsets()) > 1 and one.get_paths()]
    return np.asarray(scatters[which].get_offsets())


def inside(axes, points: np.ndarray) -> np.ndarray:
    """Which points lie in the part of the plane that axes show."""
    (left, right), (bottom, top) = sorted(axes.get_xlim()), sorted(axes.get_ylim())
    x, y = points.T
    return (left <= x) & (x <= right) & (bottom <= y) & (y <= top)
