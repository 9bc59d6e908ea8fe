"""How many columns a model may have: as many as its covariance, a square matrix, has memory for.

May import: everything below `fit`.
Read next: `etamu.fit.shaped` and `etamu.vector.estimate`, which ask before any work.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

from etamu._base.errors import DataError
from etamu.design.layout import Layout

WIDEST = 12_000
"""Columns beyond which nobody waits for the factors of an information."""
MATRICES = 15
"""Square matrices there are at once at most while a fit is made, as measured with 2,000 and 3,000 columns."""


def widest_here() -> int:
    """Return how many columns this machine has memory for."""
    return min(WIDEST, math.isqrt(_memory() // (8 * MATRICES)))


def _memory() -> int:
    """Return the bytes of memory of this machine; as many as anybody needs where it does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 8 * MATRICES * WIDEST**2


def refuse_too_wide(layouts: Sequence[Layout]) -> None:
    """Refuse more columns, of all predictors together, than their covariance has memory for.

    Raises
    ------
    DataError
        Naming the term most of them come from, if they come from one.
    """
    width, most = sum(layout.width for layout in layouts), widest_here()
    if width <= most:
        return
    each = "" if len(layouts) == 1 else f" in {len(layouts):,} predictors"
    said = (
        f"their covariance is a square matrix, and more than {most:,} columns are refused here before memory "
        "runs out"
    )
    widest = max(layouts, key=lambda layout: layout.width)
    sizes = {term.label: term.columns.stop - term.columns.start for term in widest.terms}
    label = max(sizes, key=lambda name: sizes[name])
    if 2 * sizes[label] < widest.width:
        raise DataError(
            f"the model has {width:,} columns{each}, no term of which has most; {said}. Leave some out, or "
            "put fewer in their place, such as principal components"
        )
    raise DataError(
        f"the model has {width:,} columns{each}, {sizes[label]:,} of them from {label!r}; {said}. Merge rare "
        f"levels of {label!r}, replace it by what its levels have in common, or compare within levels"
    )
