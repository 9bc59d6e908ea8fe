"""What a link is: the map between the linear predictor eta and the mean mu, both ways, side by side.

May import: _base.
Read next: `etamu.family.links` for every link that exists.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from etamu._base.facts import dataclass
from etamu._base.types import LINE, AnyArray, Interval, Namespace


class Mean(NamedTuple):
    """What one value of eta says about the mean.

    Four arrays of the shape of eta. For a mean between 0 and 1 the complement keeps the tail `1 - mu` loses.
    """

    mu: AnyArray
    """The mean."""
    complement: AnyArray
    """1 - mu, accurate even where mu rounds to 1."""
    d1: AnyArray
    """First derivative of mu in eta."""
    d2: AnyArray
    """Second derivative of mu in eta."""


@dataclass(frozen=True, slots=True)
class Link(ABC):
    """A smooth, strictly monotone map g with eta = g(mu): abstract, subclass it or use `StatedLink`.

    A subclass is a frozen value that gives `name`, `text`, `domain`, `range` and the two maps. Both take the
    array namespace first and use elementwise operations only. `etamu.check_link` verifies it numerically.

    Examples
    --------
    >>> import numpy as np
    >>> from etamu.family.links import Logit
    >>> Logit().link(np, 0.75)
    np.float64(1.0986122886681098)
    >>> Logit().inverse(np, np.array([40.0])).complement
    array([4.24835426e-18])
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Return the word a user writes."""

    @property
    @abstractmethod
    def text(self) -> str:
        """Return the formula of g, in mu."""

    @property
    def domain(self) -> Interval:
        """Return the interval of eta on which the inverse is defined."""
        return LINE

    @property
    def range(self) -> Interval:
        """Return the interval of mu the inverse reaches."""
        return LINE

    @property
    def exponent(self) -> float | None:
        """Return k where g is mu^k up to a factor, 0 for the logarithm, None for every other link."""
        return None

    @property
    def log_concave(self) -> bool:
        """Tell whether log mu and log(1 - mu) are both concave in eta."""
        return False

    @property
    def concordance(self) -> float:
        """Return a typical bound of |d2| / |d1|; 0 where eta carries the units of y."""
        return 0.0

    @abstractmethod
    def inverse(self, xp: Namespace, eta: AnyArray) -> Mean:
        """Return the mean, its complement and its two derivatives at eta."""

    @abstractmethod
    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        """Return eta = g(mu); `complement` (1 - mu) keeps digits where mu is close to 1."""

    def __str__(self) -> str:
        return self.name
