"""The few types every room shares: arrays, intervals and what may be asked of a sum.

May import: numpy.
Read next: `etamu.family.link` for what happens to one observation.
"""

from __future__ import annotations

import enum
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass

Array = NDArray[np.float64]
"""A float64 NumPy array."""

Codes = NDArray[np.integer[Any]]
"""Integer level codes of a categorical column."""

Mask = NDArray[np.bool_]
"""One boolean per row."""

AnyArray = Any
"""An array of any array-API namespace; the namespace travels beside it as `xp`."""

Namespace = Any
"""An array-API namespace: numpy, array_api_strict, or one that records."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval of the real line, its ends open unless said.

    Examples
    --------
    >>> Interval(0, math.inf, closed_lower=True)
    [0, inf)
    >>> bool(Interval(0, 1).contains(0.0))
    False
    """

    lower: float = -math.inf
    upper: float = math.inf
    closed_lower: bool = False
    closed_upper: bool = False

    @property
    def whole(self) -> bool:
        """Whether this is the whole real line."""
        return self.lower == -math.inf and self.upper == math.inf

    def contains(self, values: Any) -> Any:
        """Tell element by element whether values lie inside; NaN never does."""
        above = values >= self.lower if self.closed_lower else values > self.lower
        below = values <= self.upper if self.closed_upper else values < self.upper
        return above & below

    def __repr__(self) -> str:
        left = "[" if self.closed_lower else "("
        right = "]" if self.closed_upper else ")"
        return f"{left}{self.lower:g}, {self.upper:g}{right}"


LINE = Interval()
"""The whole real line."""


class Want(enum.Flag):
    """How much is asked of one pass over the rows."""

    VALUE = enum.auto()
    SCORE = enum.auto()
    CURVATURE = enum.auto()
    """Observed information good enough for a step; float32 is allowed."""
    EXPECTED = enum.auto()
    """Expected information in float64."""
    OBSERVED = enum.auto()
    """Observed information in float64."""
    MEAT = enum.auto()
    """Sum of squared scores, the middle of a sandwich."""
    PEARSON = enum.auto()
    """Sum of squared Pearson residuals."""
    EXTENT = enum.auto()
    """Largest |x| of every raw column."""
    GIRTH = enum.auto()
    """With EXTENT: the largest x'x of a row."""
    COARSE = enum.auto()
    """With CURVATURE: for a step that leaves a percent of its length anyway; bfloat16 is allowed."""
    WHOLE = enum.auto()
    """With EXPECTED or OBSERVED: well-conditioned; exact sums of 48 bits of each number are allowed."""
