"""Every figure of the pages: each script beside this one has `draw()` and gives its figure its name.

`python docs/figures/draw.py` renews the small examples of pictures that lie beside the scripts.

May import: etamu, matplotlib, Pillow (which matplotlib needs), the scripts beside this file.
Read next: `docs/figures/least_squares.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import components
import deviances
import fish
import least_squares
import links
import plot_calibration
import plot_coefficients
import plot_convergence
import plot_double_lift
import plot_effects
import plot_levels
import plot_leverage
import plot_lift
import plot_page
import plot_page_binary
import plot_profile
import plot_qq
import plot_residuals
import plot_rootogram
import plot_spread
import plot_worm
import seeds
import solvers
from matplotlib.figure import Figure
from PIL import Image

FIGURES: dict[str, Callable[[], Figure]] = {
    module.__name__.rpartition(".")[2]: module.draw
    for module in (
        components,
        deviances,
        fish,
        least_squares,
        links,
        plot_calibration,
        plot_coefficients,
        plot_convergence,
        plot_double_lift,
        plot_effects,
        plot_levels,
        plot_leverage,
        plot_lift,
        plot_page,
        plot_page_binary,
        plot_profile,
        plot_qq,
        plot_residuals,
        plot_rootogram,
        plot_spread,
        plot_worm,
        seeds,
        solvers,
    )
}
"""How to draw each figure, by name."""


def everything(folder: Path) -> None:
    """Draw every figure into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        draw().savefig(folder / f"{name}.png", metadata={"Software": None})


def examples(folder: Path) -> None:
    """Draw every picture of a fit small, in few colours: the examples that lie beside these scripts."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        if name.startswith("plot_"):
            drawn = BytesIO()
            draw().savefig(drawn, dpi=80, metadata={"Software": None})
            Image.open(drawn).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(
                folder / f"{name}.png", optimize=True
            )


if __name__ == "__main__":
    examples(Path(__file__).parent)
