"""The dispersion phi: known, given, or estimated the way that was asked for.

May import: everything below `fit`.
Read next: `etamu.fit.likelihood`, which plugs a phi of its own in.
"""

from __future__ import annotations

import math

import numpy as np

from etamu._base.errors import OptionError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.family.dispersion import dispersion_ml
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
    """Maximise the likelihood over phi at the fitted means; 0 where the fit is perfect.

    Raises
    ------
    OptionError
        If phi is no parameter of the family's likelihood.
    """
    family, weights = problem.unit.family, chunk.weights
    if family.variance_power is None or family.dispersion_known or not family.has_density:
        raise OptionError(
            f"dispersion='ml' needs a family with phi in its likelihood, which {family.name} is not: "
            "use 'pearson' or 'deviance'"
        )
    with np.errstate(all="ignore"):
        value = problem.unit.bind(np, "expected")(chunk.y, etas(chunk, raw))[0]
    moving = (value < 0) & (chunk.y[0] != 0)
    if not moving.any():
        # Nothing but zeros, or a perfect fit: the likelihood has no maximum over phi inside.
        return 0.0
    precision = np.ones(len(chunk)) if weights.variance is None else weights.variance
    counts = np.ones(len(chunk)) if weights.frequency is None else weights.frequency
    return dispersion_ml(chunk.y[0], -2.0 * value, precision, family.variance_power, counts)
