"""Every figure of the pages: each script beside this one has `draw()` and gives its figure its name.

May import: etamu, matplotlib, the scripts beside this file.
Read next: `docs/figures/least_squares.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import components
import deviances
import fish
import least_squares
import links
import seeds
import solvers
from matplotlib.figure import Figure

FIGURES: dict[str, Callable[[], Figure]] = {
    module.__name__.rpartition(".")[2]: module.draw
    for module in (components, deviances, fish, least_squares, links, seeds, solvers)
}
"""How to draw each figure, by name."""


def everything(folder: Path) -> None:
    """Draw every figure into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        draw().savefig(folder / f"{name}.png", metadata={"Software": None})
