"""The functions a formula may use, by every name people give them.

May import: numpy, `etamu.data.basis`.
Read next: `etamu.data.evaluate`, which calls them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from etamu._base.facts import dataclass
from etamu.data.basis import STATEFUL


@dataclass(frozen=True, slots=True)
class Function:
    """A function of numbers, row by row: how to compute it and how many arguments it takes."""

    compute: Callable[..., Any]
    least: int = 1
    most: int = 1
    whole: bool = False
    """Whether whole numbers give whole numbers."""


def _log(x: Any, base: Any = None) -> Any:
    return np.log(x) if base is None else np.log(x) / np.log(base)


def _round(x: Any, digits: Any = 0) -> Any:
    return np.round(x, int(digits))


FUNCTIONS: dict[str, Function] = {
    "log": Function(_log, 1, 2),
    "log2": Function(np.log2),
    "log10": Function(np.log10),
    "log1p": Function(np.log1p),
    "exp": Function(np.exp),
    "exp2": Function(np.exp2),
    "expm1": Function(np.expm1),
    "sqrt": Function(np.sqrt),
    "cbrt": Function(np.cbrt),
    "square": Function(np.square, whole=True),
    "abs": Function(np.abs, whole=True),
    "sign": Function(np.sign, whole=True),
    "floor": Function(np.floor),
    "ceil": Function(np.ceil),
    "trunc": Function(np.trunc),
    "round": Function(_round, 1, 2),
    "sin": Function(np.sin),
    "cos": Function(np.cos),
    "tan": Function(np.tan),
    "arcsin": Function(np.arcsin),
    "arccos": Function(np.arccos),
    "arctan": Function(np.arctan),
    "sinh": Function(np.sinh),
    "cosh": Function(np.cosh),
    "tanh": Function(np.tanh),
    "arcsinh": Function(np.arcsinh),
    "arctanh": Function(np.arctanh),
    "power": Function(np.power, 2, 2, whole=True),
    "minimum": Function(np.minimum, 2, 2, whole=True),
    "maximum": Function(np.maximum, 2, 2, whole=True),
    "clip": Function(np.clip, 3, 3, whole=True),
    "where": Function(np.where, 3, 3),
}
"""Functions of numbers by canonical name."""

SPELLINGS: dict[str, str] = {
    "absolute": "abs",
    "fabs": "abs",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arcsinh",
    "atanh": "arctanh",
    "ceiling": "ceil",
    "pmin": "minimum",
    "pmax": "maximum",
    "ifelse": "where",
    "factor": "C",
    "as.factor": "C",
    "identity": "I",
    "Treatment": "contr.treatment",
    "Sum": "contr.sum",
    "Poly": "contr.poly",
    "Diff": "contr.diff",
    "Helmert": "contr.helmert",
}
"""Other names, R's and patsy's."""

CONTRASTS = ("treatment", "SAS", "sum", "helmert", "poly", "diff", "custom")
"""Contrasts by name, as in `contr.sum`."""

STRUCTURAL = frozenset(
    {"I", "C", "relevel", "offset", "cbind", "c"} | {f"contr.{name}" for name in CONTRASTS}
)
"""Words with a meaning of their own."""


def canonical(name: str) -> str | None:
    """Return the canonical name of a function, None if formulas do not have it.

    Examples
    --------
    >>> canonical("np.log"), canonical("pmax"), canonical("eval")
    ('log', 'maximum', None)
    """
    for prefix in ("np.", "numpy."):
        if name.startswith(prefix):
            bare = SPELLINGS.get(name.removeprefix(prefix), name.removeprefix(prefix))
            return bare if bare in FUNCTIONS else None
    name = SPELLINGS.get(name, name)
    return name if name in FUNCTIONS or name in STATEFUL or name in STRUCTURAL else None
