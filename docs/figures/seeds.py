"""The seeds: germination given water and fertilizer, trays and fitted shares.

May import: etamu, numpy.
Read next: `docs/learn/fish-and-seeds.rst`.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import etamu as em
from etamu.plot.style import FAINT, PENS, blank, settings, title

DATA = Path(__file__).parents[1] / "data" / "seeds.csv"
CELLS = (("dry", "none"), ("watered", "none"), ("dry", "some"), ("watered", "some"))


def draw() -> Figure:
    """Draw the shares of the trays with the two fits, and how the two effects compose on the log scale."""
    data = table()
    fits = {
        link: em.glm("germinated ~ water + fertilizer", data, "binomial", link, trials="sown")
        for link in ("log", "logit")
    }
    figure = blank(12.0, 4.4)
    with settings():
        left, right = figure.subplots(1, 2)
        _trays(left, data, fits)
        _steps(right, fits["log"])
    return figure


def table() -> dict[str, np.ndarray]:
    """Read the trays."""
    with DATA.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    text = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return {**text, **{name: text[name].astype(int) for name in ("sown", "germinated")}}


def _trays(axes: Axes, data: dict[str, np.ndarray], fits: dict[str, em.Fit]) -> None:
    title(axes, "24 trays of 50 seeds (made up)", "share that germinated, and the fitted shares of two links")
    share = data["germinated"] / data["sown"]
    jitter = np.linspace(-0.12, 0.12, 6)
    for place, (water, fertilizer) in enumerate(CELLS):
        chosen = (data["water"] == water) & (data["fertilizer"] == fertilizer)
        style: dict[str, Any] = {"facecolor": "none", "edgecolor": "#6b6b6b"}
        axes.scatter(place + jitter, share[chosen], s=26, **style)
    new = {"water": np.array([w for w, _ in CELLS]), "fertilizer": np.array([f for _, f in CELLS])}
    for pen, (link, fit) in zip(PENS, fits.items(), strict=False):
        side = 0.22 if link == "log" else 0.32
        told: Any = fit.predict(new, interval="confidence")
        bars = np.stack([told.estimate - told.lower, told.upper - told.estimate])
        places = np.arange(4) + side
        style = {"color": pen.colour, "marker": pen.marker, "label": f"{link} link"}
        axes.errorbar(places, told.estimate, bars, lw=0, elinewidth=1.5, **style)
    axes.set_xticks(range(4), [f"{w},\nfertilizer: {f}" for w, f in CELLS])
    axes.set_ylim(0.0, 1.0)
    axes.set_ylabel("share germinated")
    axes.legend(loc="upper left")
    axes.grid(visible=True, axis="y", color=FAINT, lw=0.6)


def _steps(axes: Axes, fit: em.Fit) -> None:
    title(axes, "Effects add on the link's scale", "log link: sums of η are products of μ")
    start, water, fertilizer = fit.coef
    heights = np.cumsum([start, water, fertilizer])
    axes.step([0, 1, 2, 3], [*heights, heights[-1]], where="post", color=PENS[0].colour, lw=2)
    texts = ("dry, none", f"water: × {np.exp(water):.2f}", f"fertilizer: × {np.exp(fertilizer):.2f}")
    for place, (height, text) in enumerate(zip(heights, texts, strict=True)):
        axes.text(place + 0.05, height + 0.02, f"{text}\nμ = {np.exp(height):.2f}", va="bottom")
    axes.set_xticks([])
    axes.set_ylim(-1.0, -0.1)
    axes.set_ylabel("η = log μ")
    axes.grid(visible=True, axis="y", color=FAINT, lw=0.6)
