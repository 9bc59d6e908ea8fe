"""Theta, b and the unit deviance of a variance function whose integrals do not close, as tables made once.

Means are distances d along one or two rays: from 0 for means of one sign, from 0 either way for all numbers,
from either end for proportions. On a ray everything is an integral of a positive rate,

    tau = int dd / V,  beta = int d dd / V,  gamma = d tau - beta,

taken from the end at which it vanishes, so that far out nothing is subtracted from a large constant. With
sign = dmu / dd and the end e at d = 0 of a proportion, theta = sign tau + shift and b = beta + e sign tau +
level; half the deviance of y and mu on one ray is gamma(d_y) + beta(d_mu) - d_y tau(d_mu).

May import: `etamu._base`, `etamu.family.formula`, `.panels`, `.primitive`, numpy.
Read next: `etamu.family.computed`, which asks these where there is no formula.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Array, Interval, Namespace
from etamu.family.formula import Formula
from etamu.family.panels import Curve, curved
from etamu.family.primitive import Primitive, primitive

_NEAREST = 1.0 / 16.0
"""Four Gauss points serve where y and mu differ by at most this share, if no panel was as short."""

TAU, BETA, GAMMA = range(3)

Constants = tuple[float, float]
"""Of the part below d = 1 and of the part above."""


class Anchored(NamedTuple):
    """A primitive, from which end it is taken below d = 1 and above, and what it jumps by there."""

    whole: Primitive
    inner: str
    outer: str
    middle: float

    @property
    def jump(self) -> float:
        """Return what the inner part has more than the outer one, where each has an end of its own."""
        return self.whole.total if (self.inner, self.outer) == ("low", "high") else 0.0

    def __call__(self, d: Array) -> Array:
        """Return the integral at d."""
        inner = self._from(self.inner, d)
        return inner if self.inner == self.outer else np.where(d < 1.0, inner, self._from(self.outer, d))

    def _from(self, end: str, d: Array) -> Array:
        if end == "middle":
            return self.whole.between(self.middle, d)
        return self.whole.up_to(d) if end == "low" else -self.whole.beyond(d)


def _anchored(whole: Primitive, top: float) -> Anchored:
    low, high = whole.converges
    if math.isfinite(top):
        end = "low" if low else "middle"
        return Anchored(whole, end, end, top)
    inner = "low" if low else "high" if high else "middle"
    return Anchored(whole, inner, "high" if high else inner, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Ray:
    """Means at distances d, with what is integrated along them."""

    sign: float
    end: float
    top: float
    tau: Anchored
    beta: Anchored
    tables: tuple[Curve | None, Curve | None, Curve | None]
    """Of tau, beta and gamma; None where panels do not follow."""

    def gamma(self, d: Array) -> Array:
        """Return d tau - beta."""
        return np.asarray(d * self.tau(d) - self.beta(d))

    def read(self, xp: Namespace, which: int, d: AnyArray) -> AnyArray:
        """Return tau, beta or gamma: by its table, or by its panels in NumPy where there is none."""
        table = self.tables[which]
        if table is not None and which == TAU:  # no table reaches an infinity
            return xp.where(d > 0.0, table(xp, d), 0.0 if self.tau.inner == "low" else -xp.inf)
        if table is not None:
            return table(xp, d)
        if xp is not np:
            raise TypeError("an integral that is no table is known to NumPy only")
        return (self.tau, self.beta, self.gamma)[which](np.minimum(d, self.top))


def _ray(variance: Formula, sign: float, end: float, top: float) -> Ray:
    def v(d: Array) -> Array:
        mu = end + sign * d
        return np.asarray(variance(np, mu, d if end else 1.0 - mu))

    tau = _anchored(primitive(v, 0, top), top)
    beta = _anchored(primitive(v, 1, top), top)
    plain = Ray(sign, end, top, tau, beta, (None, None, None))

    def within(part: Callable[[Array], Any]) -> Callable[[Array], Array]:
        return lambda d: part(np.minimum(d, top))

    size = within(lambda d: np.abs(d * tau(d)) + np.abs(beta(d)))
    tables = curved(within(tau.__call__)), curved(within(beta.__call__)), curved(within(plain.gamma), size)
    return Ray(sign, end, top, tau, beta, tables)


@dataclass(frozen=True, slots=True, eq=False)
class Integrals:
    """Theta, b and deviance along the rays of an interval of means.

    Parameters
    ----------
    mean, natural : Interval
    rays : tuple of Ray
        One for means of one sign, else the lower and the upper one.
    shifts, levels : one pair of constants per ray
    closed : (float or None, float or None)
        y theta(y) - b at either end of the means, None where it is infinite.
    """

    mean: Interval
    natural: Interval
    rays: tuple[Ray, ...]
    shifts: tuple[Constants, ...]
    levels: tuple[Constants, ...]
    closed: tuple[float | None, float | None]

    @property
    def near(self) -> float:
        """Return how close y and mu have to be for a few Gauss points, as a share of what an end leaves."""
        return min([_NEAREST, *(ray.tau.whole.narrowest / 16.0 for ray in self.rays)])

    @property
    def steep(self) -> bool:
        """Tell whether V is exponential somewhere, so that also |y - mu| V' / V has to be small."""
        return any(table is None or table.rate != 0.0 for ray in self.rays for table in ray.tables)

    @property
    def plain(self) -> bool:
        """Tell whether sign tau is theta on every ray."""
        return all(shift == (0.0, 0.0) for shift in self.shifts)

    def theta(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return theta of a mean."""

        def part(ray: Ray, d: AnyArray, shift: Constants) -> AnyArray:
            return ray.sign * ray.read(xp, TAU, d) + (0.0 if shift == (0.0, 0.0) else _of(xp, shift, d))

        return self._chosen(xp, mu, complement, part, self.shifts)

    def cumulant(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return b at theta of a mean."""

        def part(ray: Ray, d: AnyArray, level: Constants) -> AnyArray:
            own = ray.read(xp, BETA, d) + _of(xp, level, d)
            return own + (ray.end * ray.sign) * ray.read(xp, TAU, d) if ray.end else own

        return self._chosen(xp, mu, complement, part, self.levels)

    def exact(self, mu: Array, complement: Array) -> Array:
        """Return theta by NumPy, from the panels of the integral: what tables are made of."""

        def part(ray: Ray, d: Array, shift: Constants) -> Array:
            return np.asarray(ray.sign * ray.tau(d) + _of(np, shift, d))

        return np.asarray(self._chosen(np, mu, complement, part, self.shifts))

    def half_deviance(
        self, xp: Namespace, y: AnyArray, mu: AnyArray, complement: AnyArray, theta: AnyArray | None
    ) -> AnyArray:
        """Return the integral of (y - t) / V(t) from mu to y, where these are apart; theta is that of mu."""
        known = theta if self.plain else None

        def of_mean(ray: Ray, d: AnyArray) -> AnyArray:
            tau = ray.read(xp, TAU, d) if known is None else ray.sign * known
            return ray.read(xp, BETA, d) - (ray.sign * (y - ray.end)) * tau

        def of_response(ray: Ray, d: AnyArray) -> AnyArray:
            return xp.where(d > 0.0, ray.read(xp, GAMMA, d), 0.0)

        def constant(_: Ray, d: AnyArray, own: Constants) -> AnyArray:
            return _of(xp, own, d)

        own = self._chosen(xp, y, 1.0 - y, of_response) + self._chosen(xp, mu, complement, of_mean)
        # constants far larger than what they are added to cancel first
        for factor, constants in ((y, self.shifts), (-1.0, self.levels)):
            if len({each for pair in constants for each in pair}) > 1:
                rise = self._chosen(xp, y, 1.0 - y, constant, constants)
                own = own + factor * (rise - self._chosen(xp, mu, complement, constant, constants))
        return xp.where(own == own, own, xp.inf)  # noqa: PLR0124  (infinite minus infinite: mu is on an end)

    def distance(self, side: float, mu: Array, complement: Array) -> Array:
        """Return how far theta is from its finite lower or upper end, right where that is little (NumPy)."""
        ray = self.rays[0] if side < 0.0 else self.rays[-1]
        d = self._distances(np, mu, complement)[0 if side < 0.0 else -1]
        if not self.mean.whole:
            near_zero = len(self.rays) == 2 or (side < 0.0) == (ray.sign > 0.0)
            return ray.tau.whole.up_to(d) if near_zero else ray.tau.whole.beyond(d)
        own = np.abs(ray.tau(np.where(d > 0.0, d, 1.0)))
        return np.where(d >= 1.0, own, np.where(d > 0.0, ray.tau.jump - own, ray.tau.jump))

    def moved(self, by: float) -> Integrals:
        """Return the same with a constant added to theta."""
        shifts = tuple((inner + by, outer + by) for inner, outer in self.shifts)
        closed = tuple(
            None if value is None else value + end * by
            for value, end in zip(self.closed, (0.0, self.mean.upper), strict=True)
        )
        natural = Interval(self.natural.lower + by, self.natural.upper + by)
        return Integrals(self.mean, natural, self.rays, shifts, self.levels, (closed[0], closed[1]))

    def _distances(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> tuple[AnyArray, ...]:
        if self.mean.whole:
            size = xp.abs(mu)
            return size, size
        if len(self.rays) == 2:
            return mu, complement
        return (mu if self.rays[0].sign > 0.0 else -mu,)

    def _chosen(
        self,
        xp: Namespace,
        mu: AnyArray,
        complement: AnyArray,
        part: Callable[..., AnyArray],
        constants: tuple[Any, ...] | None = None,
    ) -> AnyArray:
        """Return a part on the ray on which a mean lies."""
        distances = self._distances(xp, mu, complement)
        columns = (self.rays, distances) if constants is None else (self.rays, distances, constants)
        parts = [part(*each) for each in zip(*columns, strict=True)]
        if len(parts) == 1:
            return parts[0]
        return xp.where(mu > (0.0 if self.mean.whole else 0.5), parts[1], parts[0])


def _of(xp: Namespace, constants: Constants, d: AnyArray) -> AnyArray:
    """Return the constant of the part of the ray that d is in."""
    inner, outer = constants
    none = xp.zeros_like(d)
    return none + inner if inner == outer else xp.where(d < 1.0, none + inner, outer)


def integrals(variance: Formula, mean: Interval) -> Integrals:
    """Integrate 1 / V and mu / V over an interval of means.

    Theta is 0 at its upper end where that is finite, else at its lower end, else in the middle.

    Raises
    ------
    FamilyError
        If panels do not follow 1 / V.

    Examples
    --------
    >>> square = Formula(2, (("*", 0, 0),))
    >>> found = integrals(square, Interval(0.0, math.inf))
    >>> found.natural, round(float(found.theta(np, np.array([4.0]), np.array([-3.0]))[0]), 12)
    ((-inf, 0), -0.25)
    """
    if mean.whole:
        return _from_zero(mean, (_ray(variance, -1.0, 0.0, math.inf), _ray(variance, 1.0, 0.0, math.inf)))
    if mean.upper == 1.0:
        return _from_both_ends(mean, (_ray(variance, 1.0, 0.0, 0.5), _ray(variance, -1.0, 1.0, 0.5)))
    return _of_one_sign(mean, _ray(variance, 1.0 if mean.lower == 0.0 else -1.0, 0.0, math.inf))


def _of_one_sign(mean: Interval, ray: Ray) -> Integrals:
    low, high = ray.tau.whole.converges
    jump, level = ray.tau.jump, ray.beta.jump
    # tau runs from -jump or 0 at d = 0 to 0 at infinity; for negative means all is turned round
    ends = (-jump if low and high else 0.0 if low else -math.inf), (0.0 if high else math.inf)
    at_zero = 0.0 if ray.beta.whole.converges[0] else None
    if ray.sign < 0.0 and low and high:  # 0 at the upper end of theta, which is at d = 0
        ends, shift = (0.0, jump), (0.0, -jump)
    else:
        shift = (-jump, 0.0)
    natural = Interval(*ends) if ray.sign > 0.0 else Interval(-ends[1], 0.0 - ends[0])
    closed = (at_zero, None) if ray.sign > 0.0 else (None, at_zero)
    return Integrals(mean, natural, (ray,), (shift,), ((0.0, level),), closed)


def _from_zero(mean: Interval, rays: tuple[Ray, Ray]) -> Integrals:
    jumps = [ray.tau.jump if ray.tau.whole.converges[1] else math.inf for ray in rays]
    finite = [math.isfinite(jump) for jump in jumps]
    origin = 0.0 if finite[0] == finite[1] else jumps[0] if finite[0] else -jumps[1]
    shifts = tuple(
        (origin, origin + ray.sign * jump if math.isfinite(jump) else origin)
        for ray, jump in zip(rays, jumps, strict=True)
    )
    levels = tuple((0.0, ray.beta.jump) for ray in rays)
    return Integrals(mean, Interval(origin - jumps[0], origin + jumps[1]), rays, shifts, levels, (None, None))


def _from_both_ends(mean: Interval, rays: tuple[Ray, Ray]) -> Integrals:
    def at_half(part: Anchored) -> float:
        return part.whole.total if part.inner == "low" else 0.0

    lower, upper = rays
    finite = [ray.tau.whole.converges[0] for ray in rays]
    half = -at_half(upper.tau) if finite[1] else at_half(lower.tau) if finite[0] else 0.0
    shifts = (half - at_half(lower.tau), half + at_half(upper.tau))
    level = at_half(lower.beta) - at_half(upper.beta) + at_half(upper.tau)
    natural = Interval(shifts[0] if finite[0] else -math.inf, shifts[1] if finite[1] else math.inf)
    closed = (
        0.0 if lower.beta.whole.converges[0] else None,
        shifts[1] - level if upper.beta.whole.converges[0] else None,
    )
    pairs = tuple((shift, shift) for shift in shifts)
    return Integrals(mean, natural, rays, pairs, ((0.0, 0.0), (level, level)), closed)
