"""The dispersion phi: known, given, or estimated the way that was asked for.

May import: everything below `fit`.
Read next: `etamu.fit.likelihood`, which plugs a phi of its own in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from etamu._base.errors import OptionError
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.fit.problem import Problem
from etamu.infer.dispersion import moment
from etamu.sums import etas


@dataclass(frozen=True, slots=True)
class Phi:
    """A dispersion and how it came about.

    Parameters
    ----------
    value : float
    kind : str
        "known", "given", "pearson", "deviance" or "ml".
    """

    value: float
    kind: str

    @property
    def estimated(self) -> bool:
        """Whether the data chose it, so that t and F replace z and chi-squared."""
        return self.kind in {"pearson", "deviance", "ml"}


def estimated_phi(
    problem: Problem, chunk: Chunk, raw: Array, *, deviance: float, chi2: float, df: int
) -> Phi:
    """Find phi as `dispersion=` asks.

    Raises
    ------
    OptionError
        If `dispersion` is neither None, "pearson", "deviance", "ml" nor a positive number.
    """
    asked = problem.options.dispersion
    if asked is None:
        return Phi(1.0, "known") if problem.unit.family.dispersion_known else Phi(moment(chi2, df), "pearson")
    if asked == "pearson":
        return Phi(moment(chi2, df), "pearson")
    if asked == "deviance":
        return Phi(moment(deviance, df), "deviance")
    if asked == "ml":
        return Phi(likelihood_phi(problem, chunk, raw), "ml")
    if not isinstance(asked, str) and math.isfinite(asked) and asked > 0:
        return Phi(float(asked), "given")
    raise OptionError(
        f"dispersion={asked!r} is not understood; give None, 'pearson', 'deviance', 'ml' or a positive number"
    )


def likelihood_phi(problem: Problem, chunk: Chunk, raw: Array) -> float:
    """Maximise the likelihood over phi at the fitted means, by Brent's method in log phi."""
    from scipy.optimize import minimize_scalar

    with np.errstate(all="ignore"):
        value = problem.unit.bind(np, "expected")(chunk.y, etas(chunk, raw))[0]
    weights = chunk.weights
    precision = np.ones(len(chunk)) if weights.variance is None else weights.variance
    counts = np.ones(len(chunk)) if weights.frequency is None else weights.frequency
    loss = float(np.sum(counts * precision * -value))
    if not loss > 0:
        return 0.0

    def minus_log_likelihood(log_phi: float) -> float:
        # All zeros push phi to infinity: 1e300 is far enough, and a number.
        phi = math.exp(min(log_phi, 690.0))
        saturated = problem.unit.family.saturated(chunk.y, phi / precision)
        return loss / phi - float(np.sum(counts * saturated))

    first = math.log(2.0 * loss / float(np.sum(counts)))
    best = minimize_scalar(minus_log_likelihood, bracket=(first - 0.5, first + 0.5), tol=1e-12)
    return math.exp(best.x)
