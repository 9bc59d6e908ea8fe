"""Families stated in natural coordinates, the logarithm or the log odds of each parameter; links come after.

A family of several parameters is written once, in t = log of a positive parameter or log odds of a share.
With the default links eta is t; any other link is a change of coordinates with the chain rule, here.

May import: _base, family.cones, family.link, family.links, family.proportion, family.vector.
Read next: `etamu.family.counts` for the count laws, `etamu.family.zeros` for what they make of zeros.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from etamu._base.errors import LinkError
from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Array, Interval, Namespace
from etamu.family import links as every
from etamu.family import proportion
from etamu.family.cones import Cones, of_ways
from etamu.family.link import Link
from etamu.family.vector import Pairs, Rows, VectorBound, VectorFamily, matrices

Points = tuple[AnyArray, ...]
"""One array per parameter: natural coordinates t, or derivatives by them."""


class Local(NamedTuple):
    """A row's log-likelihood near t: value, slopes by t, and minus the second derivatives."""

    value: AnyArray
    score: Points
    information: Pairs


Ways = tuple[NDArray[np.int8], ...]
"""Which way each natural coordinate of each row may run."""

Kernel = Callable[[Rows, Points], Local]

LOG = "log"
LOGIT = "logit"

_SIDES: dict[type[Link], proportion.Side] = {
    every.Logit: proportion.logit,
    every.Probit: proportion.probit,
    every.Cloglog: proportion.cloglog,
    every.Loglog: proportion.loglog,
    every.Cauchit: proportion.cauchit,
    every.Log: proportion.log,
}
_POSITIVE: tuple[Link, ...] = (
    every.Log(), every.Identity(), every.Sqrt(), every.Inverse(), every.InverseSquared(),
)  # fmt: skip
_SHARE: tuple[Link, ...] = (
    every.Logit(), every.Probit(), every.Cloglog(), every.Loglog(), every.Cauchit(), every.Log(),
)  # fmt: skip
_NAMES: dict[str, dict[str, Link]] = {
    LOG: {each.name: each for each in _POSITIVE},
    LOGIT: {each.name: each for each in _SHARE},
}


def link_of(given: str | Link, scale: str, parameter: str) -> Link:
    """Return the link of a name or value, if a parameter of this scale can have it.

    Raises
    ------
    LinkError
        If it cannot.

    Examples
    --------
    >>> link_of("probit", LOGIT, "zero")
    Probit()
    """
    names = _NAMES[scale]
    found = names.get(given) if isinstance(given, str) else given
    kind = "a positive number" if scale == LOG else "between 0 and 1"
    if found is None or isinstance(found, type) or not hasattr(found, "inverse"):
        raise LinkError(f"link of {parameter!r} is {given!r}; it is {kind}: there are {', '.join(names)}")
    fits = found in names.values() or (
        found.range.lower >= 0.0 and (found.range.upper == 1.0) == (scale == LOGIT)
    )
    if not fits:
        raise LinkError(
            f"{parameter!r} is {kind} and link {found.name!r} does not keep it there; use {', '.join(names)}"
        )
    return found


@dataclass(frozen=True, slots=True)
class NaturalFamily(VectorFamily):
    """A family of several parameters whose kernel is stated in natural coordinates; abstract."""

    def __post_init__(self) -> None:
        _ = self.parameters  # asks for every link, so that one that does not fit is refused at once

    @property
    @abstractmethod
    def scales(self) -> tuple[str, ...]:
        """Return for each parameter whether t is its logarithm (LOG) or its log odds (LOGIT)."""

    @property
    def canonical(self) -> bool:
        """Observed and expected information are the same function where only one is known."""
        return not self.expected_known

    @abstractmethod
    def kernel(self, xp: Namespace, information: str) -> Kernel:
        """Return (y, t) -> value, score and information in the natural coordinates."""

    def rising(self, y: tuple[Array, ...]) -> Ways | None:
        """Return which way each natural coordinate may run, all together, with the value never falling.

        One array (n,) per parameter: 1 up, -1 down, 0 nowhere, 2 both ways; None where nothing is known.
        """
        del y
        return None

    def cones(self, y: tuple[Array, ...]) -> Cones | None:
        """Return the same for eta: a link may turn the axis, or end it."""
        ways = self.rising(y)
        if ways is None:
            return None
        each = zip(ways, self.parameters, self.scales, strict=True)
        return of_ways(np.stack([_turned(way, own.link, scale) for way, own, scale in each], axis=1))

    def bind(self, xp: Namespace, information: str = "expected") -> VectorBound:
        """Return f(y, eta) -> (value (n,), score (n, k), information (n, k, k))."""
        asked = information if self.expected_known else "observed"
        kernel = self.kernel(xp, asked)
        plain = all(
            each.link == natural_link(scale) for each, scale in zip(self.parameters, self.scales, strict=True)
        )

        def bound(y: Rows, eta: AnyArray) -> tuple[AnyArray, AnyArray, AnyArray]:
            if plain:
                return _stacked(xp, kernel(y, columns(eta, len(self.scales))))
            inside, bends = self._bends(xp, eta)
            found = _stacked(xp, _chained(xp, kernel(y, tuple(b.t for b in bends)), bends, asked))
            value = xp.where(inside, found[0], -xp.inf)
            return value, found[1], found[2]

        return bound

    def natural(self, xp: Namespace, eta: AnyArray) -> Points:
        """Return t, one array (n,) per parameter; NaN where eta is outside the link's domain."""
        inside, bends = self._bends(xp, eta)
        return tuple(xp.where(inside, bend.t, xp.nan) for bend in bends)

    def _bends(self, xp: Namespace, eta: AnyArray) -> tuple[AnyArray, tuple[Bend, ...]]:
        """Return which rows are inside every domain, and t with its derivatives (at a safe eta if not)."""
        each = columns(eta, len(self.scales))
        inside = each[0] == each[0]
        bends = []
        for column, parameter, scale in zip(each, self.parameters, self.scales, strict=True):
            domain = _domain(parameter.link, scale)
            here = domain.contains(column)
            inside = inside & here
            harmless = 1.0 if domain.lower == 0.0 else -1.0 if domain.upper == 0.0 else 0.0
            safe = column if domain.whole else xp.where(here, column, harmless)
            bends.append(bend(xp, parameter.link, scale, safe))
        return inside, tuple(bends)


class Bend(NamedTuple):
    """A natural coordinate as a function of eta, with two derivatives; None for t = eta."""

    t: AnyArray
    d1: AnyArray | None
    d2: AnyArray | None


def natural_link(scale: str) -> Link:
    """Return the link whose eta is the natural coordinate."""
    return every.Log() if scale == LOG else every.Logit()


def bend(xp: Namespace, link: Link, scale: str, eta: AnyArray) -> Bend:
    """Return t = log (or log odds) of the parameter at eta, and its derivatives."""
    if link == natural_link(scale):
        return Bend(eta, None, None)
    if scale == LOG:
        if link.exponent is not None:  # log of eta^(1/k)
            a = 1.0 / link.exponent
            return Bend(a * xp.log(eta), a / eta, -a / (eta * eta))
        mu, _, d1, d2 = link.inverse(xp, eta)
        slope = d1 / mu
        return Bend(xp.log(mu), slope, d2 / mu - slope * slope)
    at = _SIDES.get(type(link), proportion.of_link(link))(xp, eta)
    return Bend(at.log_mu - at.log_complement, at.up + at.down, at.down_bend - at.up_bend)


def columns(eta: AnyArray, k: int) -> Points:
    """Return the k columns of eta (n, k); eta (n,) is one column."""
    return (eta,) if eta.ndim == 1 else tuple(eta[:, i] for i in range(k))


def ways_of(*of_each: Any) -> Ways:
    """Return ways as arrays."""
    return tuple(np.asarray(way, dtype=np.int8) for way in of_each)


def started(family: NaturalFamily, guesses: dict[str, float]) -> Array:
    """Return eta (k,) of a first guess of every parameter by name."""
    found = [each.link.link(np, np.float64(guesses[each.name])) for each in family.parameters]
    return np.asarray(found, dtype=np.float64)


def _domain(link: Link, scale: str) -> Interval:
    if link.exponent == 1.0:
        return Interval(0.0, math.inf if scale == LOG else 1.0)
    return Interval(-math.inf, 0.0) if scale == LOGIT and link.exponent == 0.0 else link.domain


def _turned(ways: NDArray[np.int8], link: Link, scale: str) -> NDArray[np.int8]:
    """Carry ways of a natural coordinate to eta, which runs nowhere where its domain ends."""
    domain = _domain(link, scale)
    falling = scale == LOG and link.exponent is not None and link.exponent < 0.0
    turned = np.where(ways == 2, 2, -ways) if falling else ways
    shut = ((turned == 1) & np.isfinite(domain.upper)) | ((turned == -1) & np.isfinite(domain.lower))
    return np.where(shut, 0, turned).astype(np.int8)


def _chained(xp: Namespace, at: Local, bends: tuple[Bend, ...], information: str) -> Local:
    """Return the derivatives by eta from those by t; the second derivative of t meets the observed score."""
    slopes = [xp.ones_like(b.t) if b.d1 is None else b.d1 for b in bends]
    score = tuple(s * d for s, d in zip(at.score, slopes, strict=True))
    pairs = {(i, j): entry * slopes[i] * slopes[j] for (i, j), entry in at.information.items()}
    if information == "observed":
        for i, b in enumerate(bends):
            if b.d2 is not None:
                pairs[i, i] = pairs[i, i] - at.score[i] * b.d2
    return Local(at.value, score, pairs)


def _stacked(xp: Namespace, at: Local) -> tuple[AnyArray, AnyArray, AnyArray]:
    k = len(at.score)
    return at.value, xp.stack(at.score, axis=-1), matrices(xp, at.information, k, at.value)
