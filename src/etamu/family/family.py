"""What a family is: how the response varies around its mean, stated as the textbook states it.

May import: _base, family.derivation, family.link.
Read next: `etamu.family.families`, one stanza per family.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import fields, replace
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.later import later
from etamu._base.types import AnyArray, Array, Interval, Mask, Namespace
from etamu.family.link import Link

if TYPE_CHECKING:
    from etamu.family.derivation import Derivation, derivation
else:
    derivation = later("etamu.family.derivation", "derivation")


@dataclass(frozen=True, slots=True)
class Support:
    """The set of values a response may take; its text is what errors print.

    Examples
    --------
    >>> import math
    >>> Support(Interval(0, math.inf, closed_lower=True), integer=True)
    non-negative integers
    >>> Support(Interval(0, math.inf)).contains([0.0, 2.5])
    array([False,  True])
    """

    interval: Interval
    integer: bool = False

    def contains(self, values: Any) -> Mask:
        """Tell element by element whether values belong to the set; NaN never does."""
        numbers = np.asarray(values, dtype=np.float64)
        inside = self.interval.contains(numbers) & np.isfinite(numbers)
        return np.asarray(inside & (numbers == np.floor(numbers)) if self.integer else inside)

    def __repr__(self) -> str:
        low, high = self.interval.lower, self.interval.upper
        if self.integer:
            return "0 or 1" if high == 1.0 else "positive integers" if low >= 1.0 else "non-negative integers"
        if self.interval.whole:
            return "any finite number"
        if (low, high) == (0.0, math.inf):
            return "non-negative numbers" if self.interval.closed_lower else "positive numbers"
        return f"numbers in {self.interval!r}"


def is_number(value: Any) -> bool:
    """Tell whether a setting is a finite number, and neither text nor a truth value.

    Examples
    --------
    >>> is_number(2), is_number("2"), is_number(None), is_number(True), is_number(math.inf)
    (True, False, False, False, False)
    """
    return type(value) is not bool and isinstance(value, Real) and math.isfinite(value)


class Unknown(float):
    """A NaN that stands for a parameter to be estimated with the coefficients.

    Examples
    --------
    >>> Unknown(), Unknown() == Unknown()
    (estimated, True)
    """

    __slots__ = ()

    def __new__(cls) -> Self:
        """Make the NaN."""
        return float.__new__(cls, math.nan)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown)

    def __hash__(self) -> int:
        return hash(Unknown)

    def __repr__(self) -> str:
        return "estimated"

    __str__ = __repr__

    def __reduce__(self) -> tuple[type[Unknown], tuple[()]]:
        return Unknown, ()


class Textbook(NamedTuple):
    """The row of a family in the textbook's table, as text."""

    variance: str
    cumulant: str
    alternatives: tuple[str, ...]
    use: str


@dataclass(frozen=True, slots=True)
class Family(ABC):
    """How a response varies around its mean: an exponential dispersion model; abstract.

    The density is exp((y theta - b(theta)) / phi + c(y, phi)), so that E y = b'(theta) = mu and
    Var y = phi b''(theta) = phi V(mu). Everything takes the array namespace first and is elementwise;
    `complement` is 1 - mu, carried beside mu so that families of proportions keep both tails.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Return the word a user writes."""

    @property
    @abstractmethod
    def support(self) -> Support:
        """Return the values the response may take."""

    @property
    @abstractmethod
    def mean(self) -> Interval:
        """Return the interval of possible means."""

    @property
    @abstractmethod
    def canonical(self) -> Link:
        """Return the link that is theta up to an affine map."""

    @property
    def textbook(self) -> Textbook:
        """Return the family's row of the textbook table."""
        return Textbook("as stated", "as stated", (), "stated by the user")

    @property
    def default_link(self) -> Link:
        """Return the link used when the user names none."""
        return self.canonical

    @property
    def response(self) -> tuple[str, ...]:
        """Return the names of the response columns."""
        return ("y",)

    @property
    def dispersion_known(self) -> bool:
        """Tell whether phi is 1 by definition."""
        return False

    @property
    def has_density(self) -> bool:
        """Tell whether a likelihood exists (it does not for quasi families)."""
        return True

    @property
    def likelihood_dispersion(self) -> str:
        """Tell which phi the log-likelihood holds: "deviance" for D / n, "ml" for its maximum over phi."""
        return "deviance"

    @property
    def kin(self) -> Family:
        """Return the family with the same variance and deviance whose specialised pairs this one uses."""
        return self

    @property
    def settings(self) -> dict[str, Any]:
        """Return the parameters that were given, by name."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.init}

    @property
    def unknown(self) -> str:
        """Return the name of the parameter that is to be estimated; empty where all are given.

        Such a family is a statement of what to fit, and has no formulas until it is `at` a value.
        """
        return next((name for name, value in self.settings.items() if isinstance(value, Unknown)), "")

    def at(self, value: float) -> Family:
        """Return the family with the unknown parameter at a value."""
        return replace(self, **{self.unknown: value})

    @property
    def formulas(self) -> dict[str, str]:
        """Return formulas of its own for `derivation`; the catalogue's are in `etamu.family.derivation`."""
        return {}

    def kernel_with(self, link: Link) -> Callable[[Namespace, str], Any] | None:
        """Return a kernel of its own with a link, as in `etamu.family.pairs`; None where it has none."""
        return None

    def derivation(self) -> Derivation:
        """Return the textbook's steps from the density to Newton's method, as text and as LaTeX.

        Examples
        --------
        >>> from etamu.family.families import Poisson
        >>> print(Poisson().derivation().steps[2])
        Mean
            mu = b'(theta) = exp(theta)
        """
        return derivation(self)

    @property
    def named(self) -> Family:
        """Return the family of the catalogue that this is under another description; itself if none."""
        return self

    @property
    def convexity_stated(self) -> bool:
        """Tell whether the catalogue's rules say for which links minus the value is convex."""
        return True

    @property
    def any_link(self) -> bool:
        """Tell whether links with a bounded range are allowed for an unbounded mean."""
        return False

    @property
    def single(self) -> Family | None:
        """Return the family of a row with one trial, None where there are no trials."""
        return None

    @property
    def variance_power(self) -> float | None:
        """Return p where V(mu) = mu^p, None for every other variance function."""
        return None

    @abstractmethod
    def natural(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return the canonical parameter theta of a mean."""

    @abstractmethod
    def cumulant(self, xp: Namespace, theta: AnyArray) -> AnyArray:
        """Return b(theta)."""

    @abstractmethod
    def variance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return V(mu)."""

    @abstractmethod
    def dvariance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return V'(mu)."""

    @abstractmethod
    def deviance(self, xp: Namespace, y: AnyArray, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return the unit deviance 2 * integral from mu to y of (y - t) / V(t) dt, never negative."""

    @property
    def exponent_stated(self) -> bool:
        """Tell whether `exponent` and `highest` are stated, for sums that take the place of deviances."""
        return False

    def exponent(
        self,
        xp: Namespace,
        y: AnyArray,
        mu: AnyArray,
        complement: AnyArray,
        theta: AnyArray | None = None,
    ) -> AnyArray:
        """Return y theta - b(theta) at a mean, whose theta may be known."""
        at_mean = self.natural(xp, mu, complement) if theta is None else theta
        return y * at_mean - self.cumulant(xp, at_mean)

    def highest(self, xp: Namespace, y: AnyArray) -> AnyArray:
        """Return the maximum over theta of y theta - b(theta), y inside the means."""
        return self.exponent(xp, y, y, 1.0 - y)

    def residual(self, xp: Namespace, y: AnyArray, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return y - mu."""
        return y - mu

    @abstractmethod
    def start(self, y: Array, weight: Array) -> Array:
        """Return a first guess of each row's mean, inside the interval of means (R's mustart)."""

    @abstractmethod
    def saturated(self, y: tuple[Array, ...], dispersion: Array) -> Array:
        """Return each row's log density at mu = y; NaN where no likelihood exists."""

    def __str__(self) -> str:
        given = (each.name for each in fields(self) if each.name != self.unknown)
        settings = ", ".join(f"{name}={getattr(self, name)}" for name in given)
        return f"{self.name}({settings})" if settings else self.name


@dataclass(frozen=True, slots=True)
class Borrowed(Family):
    """A family whose formulas are those of its kin: only response, support or dispersion differ; abstract."""

    @property
    @abstractmethod
    def kin(self) -> Family:
        """Return the family whose formulas these are."""

    @property
    def mean(self) -> Interval:
        """Return the kin's interval of means."""
        return self.kin.mean

    @property
    def support(self) -> Support:
        """Return the kin's support."""
        return self.kin.support

    @property
    def canonical(self) -> Link:
        """Return the kin's canonical link."""
        return self.kin.canonical

    @property
    def variance_power(self) -> float | None:
        """Return the kin's power of the variance."""
        return self.kin.variance_power

    def natural(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return the kin's theta."""
        return self.kin.natural(xp, mu, complement)

    def cumulant(self, xp: Namespace, theta: AnyArray) -> AnyArray:
        """Return the kin's b(theta)."""
        return self.kin.cumulant(xp, theta)

    def variance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return the kin's V(mu)."""
        return self.kin.variance(xp, mu, complement)

    def dvariance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return the kin's V'(mu)."""
        return self.kin.dvariance(xp, mu, complement)

    def deviance(self, xp: Namespace, y: AnyArray, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return the kin's unit deviance."""
        return self.kin.deviance(xp, y, mu, complement)

    def residual(self, xp: Namespace, y: AnyArray, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return the kin's y - mu."""
        return self.kin.residual(xp, y, mu, complement)

    def start(self, y: Array, weight: Array) -> Array:
        """Return the kin's first guess."""
        return self.kin.start(y, weight)

    def saturated(self, y: tuple[Array, ...], dispersion: Array) -> Array:
        """Return NaN: without a density of its own there is no likelihood."""
        return np.full(np.shape(y[0]), math.nan)
