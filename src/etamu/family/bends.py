"""How a unit bends: what the bias of an estimate is made of beside the leverages.

May import: _base, family.unit.
Read next: `etamu.objective.adjusted`, which sums these over the rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.family.unit import Unit


class Bends(NamedTuple):
    """Two ratios per row, on the scale of 1 / eta.

    With mu' and mu'' the derivatives of the mean in eta: `mean` = mu''/mu', by which the mean bends, and
    `spread` = V'(mu) mu'/V(mu), the slope of log V in eta. Where mu' underflows both are 0; such a row has no
    information, and whatever is made of them is multiplied by it.
    """

    mean: Array
    spread: Array


def bends(unit: Unit, eta: Array) -> Bends:
    """Compute the bends of a unit at eta.

    Examples
    --------
    >>> import etamu as em
    >>> from etamu.family.catalogue import unit
    >>> found = bends(unit("binomial", "logit"), np.array([0.0, 40.0, -800.0]))
    >>> found.mean.tolist() == found.spread.tolist(), [round(bend, 6) + 0.0 for bend in found.mean.tolist()]
    (True, [0.0, -1.0, 0.0])
    """
    family = unit.family
    with np.errstate(all="ignore"):
        mu, complement, d1, d2 = unit.mean(np, eta)
        slope = d1 * family.dvariance(np, mu, complement) / family.variance(np, mu, complement)
        alive = d1 != 0.0
        mean = np.where(alive, d2 / np.where(alive, d1, 1.0), 0.0)
        spread = mean if unit.canonical else np.where(alive & np.isfinite(slope), slope, 0.0)
    return Bends(mean, spread)


@dataclass(frozen=True, slots=True)
class Penalty:
    """What added to a log-likelihood has adjusted scores for its gradient.

    Parameters
    ----------
    share : float
        Of log det X'WX.
    slopes : bool
        Whether half the sum of h log |mu'| is added, h the leverages.
    """

    share: float
    slopes: bool = False

    @property
    def none(self) -> bool:
        """Whether nothing is added."""
        return self.share == 0.0 and not self.slopes


def mean_penalty(unit: Unit) -> Penalty | None:
    """Return the penalty behind the mean bias-reducing scores of beta, None where there is none.

    There is one exactly where mu' is proportional to a power omega of V: omega / (4 omega - 2) log det X'WX;
    at omega = 1/2, where W does not move, half the sum of h log |mu'| (Kosmidis and Firth 2009, theorem 1).
    A canonical link has omega = 1: Jeffreys' prior.

    Examples
    --------
    >>> from etamu.family.catalogue import unit
    >>> mean_penalty(unit("binomial", "logit")), mean_penalty(unit("binomial", "probit")) is None
    (Penalty(share=0.5, slopes=False), True)
    >>> mean_penalty(unit("gamma", "log")), mean_penalty(unit("poisson", "identity")).none
    (Penalty(share=0.0, slopes=True), True)
    """
    if unit.link.exponent == 1.0:
        return Penalty(0.0)
    if unit.canonical:
        return Penalty(0.5)
    power, exponent = unit.family.variance_power, unit.link.exponent
    if not power or exponent is None:
        return None
    omega = (1.0 - exponent) / power
    if omega == 0.5:
        return Penalty(0.0, slopes=True)
    return Penalty(omega / (4.0 * omega - 2.0))
