"""Estimates of the dispersion phi.

May import: numpy, `etamu._base`.
Read next: `etamu.infer.criteria`.
"""

from __future__ import annotations

import math


def moment(total: float, df: float) -> float:
    """Divide a Pearson chi-squared or a deviance by its degrees of freedom; NaN where none are left.

    Examples
    --------
    >>> moment(12.0, 6)
    2.0
    """
    return total / df if df > 0 else math.nan
