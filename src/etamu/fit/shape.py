"""A shape parameter that was estimated with the coefficients: its estimate, its error, its profile.

May import: everything below `fit`.
Read next: `etamu.fit.theta` and `etamu.fit.power`, which estimate one; `etamu.fit.phi_shape` for gamma.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import field
from typing import Protocol

import numpy as np

from etamu._base.choice import check_choice
from etamu._base.errors import NotAvailableError, OptionError
from etamu._base.facts import dataclass
from etamu._base.types import Array, Interval
from etamu.fit.numerals import short
from etamu.fit.placed import Placed
from etamu.infer.wald import criticals

INVERSES = {"theta": "alpha", "shape": "phi", "lambda": "phi"}
"""What one over a shape is called."""

METHODS = ("wald", "profile")


@dataclass(frozen=True, slots=True, eq=False)
class ShapeProfile:
    """The log-likelihood of a shape, maximised over everything else.

    Parameters
    ----------
    name : str
    estimate : float
    level : float
    interval : array (2,)
        Where twice the log-likelihood has fallen by the chi-squared quantile; an end that does not exist is
        the end of the parameter's range.
    values, loglik : arrays (k,)
        The traced curve, in order of the values; an infinite one is the limit.
    highest : float
        The log-likelihood at the estimate.
    """

    name: str
    estimate: float
    level: float
    interval: Array
    values: Array
    loglik: Array
    highest: float

    @property
    def drop(self) -> Array:
        """Twice the fall of the log-likelihood from its maximum, chi-squared on 1 degree of freedom."""
        return np.maximum(2.0 * (self.highest - self.loglik), 0.0)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.name} {self.estimate:.6g}, {self.level:.4g} profile interval {low:.6g} to {high:.6g}"


class Tracing(Protocol):
    """How a profile is traced."""

    def __call__(self, level: float, *, curve: bool) -> ShapeProfile:
        """Find the interval of a level, and the curve beside it if that is wanted."""


Jointly = Callable[[Placed, Array], Array]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A shape parameter estimated by maximum likelihood.

    Parameters
    ----------
    name : str
        "theta" of a negative binomial, "power" of a Tweedie, "shape" of a gamma, "lambda" of an inverse
        Gaussian response.
    estimate : float
        Infinite where the likelihood rises for ever.
    se : float
        From the information about the shape, the means held (jointly with the coefficients under
        ``covariance="observed"``, by a sandwich under sampling weights); NaN at an end of the range.
    family : str
        The family that was asked for with this parameter left out; empty where phi was asked for.
    range : Interval
        The values it was allowed.
    tracing : callable, optional
        How the profile is traced; None for a fit that carries no rows or has no likelihood.
    joint : callable, optional
        How the observed information of the coefficients becomes their part of the joint one.

    Examples
    --------
    >>> import etamu as em
    >>> fit = em.glm("y ~ 1", {"y": [0, 3, 1, 9, 0, 2, 14, 1]}, family=em.NegativeBinomial())
    >>> print(fit.shape)
    theta = 0.6583 (SE 0.4139), alpha = 1/theta = 1.519 (SE 0.955)
    >>> fit.shape.conf_int().round(3), fit.shape.conf_int(method="profile").round(3)
    (array([0.192, 2.258]), array([0.185, 2.335]))
    """

    name: str
    estimate: float
    se: float
    family: str = ""
    range: Interval = field(default_factory=lambda: Interval(0.0, math.inf))
    tracing: Tracing | None = None
    joint: Jointly | None = None

    @property
    def inverse(self) -> float:
        """One over the shape: alpha of a negative binomial, phi of a gamma or inverse Gaussian response."""
        return 1.0 / self.estimate if self.estimate else math.inf

    @property
    def inverse_se(self) -> float:
        """Standard error of `inverse`, by the delta method."""
        return self.se / self.estimate**2

    def conf_int(self, level: float = 0.95, *, method: str = "wald") -> Array:
        """Compute an interval, (2,).

        Parameters
        ----------
        level : float
        method : "wald" or "profile"
            Estimate and standard error on the scale of the log (of the logit between the ends, for a
            power); or where twice the log-likelihood, maximised over everything else, has fallen by the
            chi-squared quantile.

        Raises
        ------
        OptionError
            If the level or the method is not understood.
        NotAvailableError
            If the profile is asked for and there are no rows, or no likelihood of them.
        """
        check_choice("method", method, METHODS)
        if not 0.0 < level < 1.0:
            raise OptionError(f"level is {level!r}; it is a probability such as 0.95")
        if method == "profile":
            return self._traced(level, curve=False).interval
        if not math.isfinite(self.estimate):
            return np.array([math.nan, math.inf])
        low, high = self.range.lower, self.range.upper
        ahead, behind = self.estimate - low, high - self.estimate
        reach = float(criticals(level, math.inf)) * self.se
        if math.isinf(high):
            return low + ahead * np.exp(np.array([-reach, reach]) / ahead)
        if not (ahead > 0.0 and behind > 0.0):  # at an end of the range there is no standard error
            return np.array([math.nan, math.nan])
        # On the logit of (x - low) / (high - low).
        odds = ahead / behind * np.exp(np.array([-reach, reach]) * (high - low) / (ahead * behind))
        return low + (high - low) * odds / (1.0 + odds)

    def profile(self, level: float = 0.95) -> ShapeProfile:
        """Trace the log-likelihood of the shape out to the ends of an interval.

        Raises
        ------
        OptionError
            If the level is no probability.
        NotAvailableError
            If there are no rows, as in a fit read from a file, or no likelihood of them.
        """
        if not 0.0 < level < 1.0:
            raise OptionError(f"level is {level!r}; it is a probability such as 0.95")
        return self._traced(level, curve=True)

    def _traced(self, level: float, *, curve: bool) -> ShapeProfile:
        if self.tracing is None:
            raise NotAvailableError(
                f"a profile of {self.name} needs the rows of the data and a likelihood of them: a fit read "
                "from a file has none of the first, one with sampling weights none of the second"
            )
        return self.tracing(level, curve=curve)

    def __str__(self) -> str:
        text = f"{self.name} = {short(self.estimate, 4)}"
        if math.isfinite(self.se):
            text += f" (SE {short(self.se, 4)})"
        if self.name in INVERSES:
            text += f", {INVERSES[self.name]} = 1/{self.name} = {short(self.inverse, 4)}"
            if math.isfinite(self.se):
                text += f" (SE {short(self.inverse_se, 3)})"
        return text

    def __repr__(self) -> str:
        return str(self)
