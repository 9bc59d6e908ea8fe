"""How well a fit describes rows it may not have seen: the share of their deviance it explains.

May import: everything below `fit`.
Read next: `etamu.fit.null`, the yardstick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etamu.execute.threads import Threads
from etamu.fit.arrays import Shape, from_arrays
from etamu.fit.inputs import Keywords
from etamu.fit.null import null_deviance
from etamu.fit.predict import predict
from etamu.fit.problem import Options

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel


def explained(fit: FittedModel, X: Any, y: Any, keywords: Keywords) -> float:
    """Compute D² = 1 - D(y, mu) / D(y, mu0), with mu0 the constant that fits these rows best.

    Both deviances carry the offset and the weights of the rows. For a Gaussian with identity link this
    is R². It is at most 1, and negative where a constant would do better; where the constant fits
    perfectly, it is 1 if the fit does too, else 0.

    Raises
    ------
    DataError
        If X, y or a keyword cannot be used.
    """
    unit = fit.problem.unit
    problem = from_arrays(X, y, unit, keywords, "raise", Options(), Shape())
    eta = predict(fit, X, kind="link", offset=keywords.offset, exposure=keywords.exposure)
    chunk = problem.counting()
    with np.errstate(all="ignore"):
        value = unit.bind(np, "expected")(chunk.y, np.asarray(eta)[problem.counted])[0]
    total = chunk.weights.total()
    deviance = -2.0 * float(np.sum(value if total is None else value * total))
    null = null_deviance(unit, chunk, Threads(chunk), intercept=True)
    if null > 0:
        return 1.0 - deviance / null
    return float(deviance <= 0)
