"""The law a derived family has, where its cumulant is one: density, both tails, draws; verified before use.

A cumulant is that of a law only if its inversion is nowhere negative, sums or integrates to 1 and has mean mu
and variance phi V(mu); many variance functions belong to no law (Letac and Mora 1990). All of this is checked
at several means before the family has a density; else it stays a quasi-likelihood, and says why.

May import: `etamu._base`, `etamu.family.computed`, `.contour`, `.facts`, `.laws`, `.panels`, `.program`,
`.table`, numpy.
Read next: `etamu.family.contour`, which inverts the cumulant.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array, Interval
from etamu.family.computed import conjugate_at, cumulant_at_mean, half_deviance, theta_at
from etamu.family.contour import Inversion, lattice, law
from etamu.family.facts import facts
from etamu.family.laws import Law, Setting
from etamu.family.panels import Panels, over
from etamu.family.program import elementwise
from etamu.family.statement import Statement
from etamu.family.table import Table, tabulate

_REMEMBERED = 64
_MEANS = {0.0: (0.5, 1.0, 2.0), -math.inf: (-1.0, 0.0, 2.0)}
_DISPERSIONS = (0.4, 1.5)
_CLOSE = 1e-7
_FIRST = 8
_SAME = 300
"""More distinct values than this are read from a table."""

_COUNTED = 4096.0
"""Smaller counts are looked at one after the other, and kept."""

_STRETCH = 4.0
"""Tables end at this, twice and four times this and so on, so that neighbouring questions share one."""

_OUTERMOST = 48.0
_FARTHEST = {0.0: 47.0, -math.inf: 15.9}
"""Beyond e^47 and below e^-47 nothing is integrated; on the whole line theta keeps its distance to e^16."""

_WIDE = 45.0
_BUDGET = 4000
_DIGITS = 3e-11
"""What the inversion itself keeps: a table cannot be smoother."""

_PANELS = 4
"""Panels a table begins with: a density is smooth, and rounding in needless ones would split them."""


class Verdict(NamedTuple):
    """How a law is inverted, None where there is none that is known; and why."""

    inversion: Inversion | None
    reason: str


@functools.lru_cache(maxsize=_REMEMBERED)
def candidate(statement: Statement) -> Inversion | None:
    """Return how the law of a statement would be inverted, if it has one: that is not looked into here."""
    found = facts(statement)
    ends = (found.mean.lower, found.mean.upper)
    if found.variance is None or ends not in {(0.0, math.inf), (-math.inf, math.inf)}:
        return None
    functions = law(found.texts.variance)
    return Inversion(
        found, functions, found.closed[0] is not None and ends[0] == 0.0 and lattice(functions, 1.0)
    )


@functools.lru_cache(maxsize=_REMEMBERED)
def implied(statement: Statement) -> Verdict:
    """Return the law that a statement implies, verified.

    Examples
    --------
    >>> implied(Statement("variance", "mu**2 * (1 + mu)")).inversion.integer
    False
    >>> implied(Statement("variance", "mu * (1 + mu)**2")).inversion.integer
    True
    """
    inversion = candidate(statement)
    if inversion is None:
        return Verdict(
            None, "its density is looked for only where V closes and means are all or all positive"
        )
    with np.errstate(all="ignore"):
        fault = _fault(inversion)
    if fault:
        return Verdict(None, f"no law has this variance function, or its density is not found: {fault}")
    return Verdict(inversion, "")


def _fault(inversion: Inversion) -> str:
    """Return what keeps an inversion from being a density; nothing where it is one."""
    found = inversion.found
    means = np.array(_MEANS[found.mean.lower])
    for phi in (1.0,) if inversion.integer else _DISPERSIONS:
        y, width = _places(inversion, means, phi)
        for some in (y[:_FIRST], y):  # what is no law shows it at once, and thousands of places take minutes
            inner = saturated(inversion, some, np.full_like(some, phi), direct=True)
            if np.any(np.isnan(inner)):
                return f"it is not positive at y = {some[np.isnan(inner)][0]:.4g}, phi = {phi:g}"
        for mu in means:
            at = np.full_like(y, mu)
            half = np.asarray(half_deviance(np, found, y, at, 1.0 - at))
            fault = _moments(y, width * np.exp(inner - half / phi), float(mu), phi, inversion)
            if fault:
                return f"its {fault} at mu = {mu:g}, phi = {phi:g}"
    return ""


def _moments(y: Array, weight: Array, mu: float, phi: float, inversion: Inversion) -> str:
    """Return which of total, mean and variance is wrong; nothing where all are right."""
    spread = phi * float(inversion.law.at(np.array([mu]))[0])
    for word, value, truth, size in (
        ("total", np.sum(weight), 1.0, 1.0),
        ("mean", np.sum(y * weight), mu, 1.0 + abs(mu)),
        ("variance", np.sum((y - mu) ** 2 * weight), spread, spread),
    ):
        if not abs(value - truth) <= _CLOSE * size:
            return f"{word} ought to be {truth:.6g} and is off by {value - truth:.1g}"
    return ""


def _places(inversion: Inversion, means: Array, phi: float) -> tuple[Array, Array]:
    """Return values of the response over which laws of these means are summed, and what each stands for."""
    natural = inversion.found.natural
    theta = np.asarray(theta_at(np, inversion.found, means, 1.0 - means))
    spread = np.sqrt(phi * inversion.law.at(means))
    # toward an end of theta a law falls like exp(-room y / phi), toward none faster
    above, below = (
        float(np.max(_WIDE * phi / np.minimum(room, 10.0) + 15.0 * spread))
        for room in (natural.upper - theta, theta - natural.lower)
    )
    top = float(means[-1]) + above
    if inversion.integer:
        y = np.arange(40.0 + min(top, 1e4))
        return y, np.ones_like(y)
    if inversion.found.mean.whole:
        t = np.linspace(np.arcsinh(means[0] - below), np.arcsinh(top), 400)
        return np.sinh(t), (t[1] - t[0]) * np.cosh(t)
    t = np.linspace(-_WIDE, math.log(top), 520)
    y = np.exp(t)
    return np.concatenate([[0.0], y]), np.concatenate([[1.0], (t[1] - t[0]) * y])


def log_density(inversion: Inversion, y: Array, mu: Array, dispersion: Array) -> Array:
    """Return log f(y; mu, phi): the saturated term less half the deviance over phi."""
    half = np.asarray(half_deviance(np, inversion.found, y, mu, 1.0 - mu))
    return np.asarray(saturated(inversion, y, dispersion) - half / dispersion)


def saturated(inversion: Inversion, y: Array, dispersion: Array, *, direct: bool = False) -> Array:
    """Return the log density at mu = y; 0 at a closed end, where all probability is on it.

    Many rows of one dispersion are read from a table on a stretched scale, or found once per count, unless
    each is asked for directly.
    """
    y, phi = np.broadcast_arrays(y, dispersion)
    found = inversion.found
    inside = y > found.mean.lower
    together = not direct and bool(np.any(inside)) and _same(phi)
    if together and np.all(inside):
        return _of_many(inversion, y, float(phi.flat[0]))
    value = np.full(y.shape, 0.0 if found.closed[0] is not None else -math.inf)
    some = y[inside]
    value[inside] = (
        _of_many(inversion, some, float(phi.flat[0]))
        if together
        else inversion.saturated(some, np.ascontiguousarray(phi[inside]))
    )
    return value


def _same(values: Array) -> bool:
    """Tell whether all are equal, at once where they are one number."""
    return not any(values.strides) or bool(np.all(values == values.flat[0]))


def _of_many(inversion: Inversion, y: Array, phi: float) -> Array:
    """Return the saturated term of rows with one dispersion."""
    if inversion.integer and phi == 1.0 and np.max(y) < _COUNTED and np.all(y == np.rint(y)):
        return _of_counts(inversion, _doubled(float(np.max(y))))[y.astype(np.intp)]
    if y.size > _SAME and not inversion.integer:
        last = _FARTHEST[inversion.found.mean.lower]
        y = np.abs(y) if inversion.even else y
        ends = _stretched(inversion.found.mean, np.array([np.min(y), np.max(y)]))
        low, high = np.clip(ends, -last, last).tolist()
        far = bool(np.any(np.abs(ends) > last))
        reader = _reader(inversion, phi, -_outward(-low), _outward(high) or _STRETCH, far=far)
        if reader is not None:
            return reader(y)
    distinct, place = np.unique(y, return_inverse=True)
    return np.asarray(inversion.saturated(distinct, np.full_like(distinct, phi))[place]).reshape(y.shape)


@functools.lru_cache(maxsize=_REMEMBERED)
def _of_counts(inversion: Inversion, count: int) -> Array:
    """Return the saturated terms of 0, 1, 2, …; phi is 1."""
    k = np.arange(1.0, float(count))
    with np.errstate(all="ignore"):
        return np.append(0.0, inversion.saturated(k, np.ones_like(k)))


def _doubled(most: float) -> int:
    """Return how many counts are looked at where one is the largest: 64, or the next power of 2."""
    return max(64, 1 << int(most).bit_length())


def _outward(end: float) -> float:
    """Return where a table ends that reaches an end: 0, a power of 2 times `_STRETCH`, or the farthest."""
    if not end > 0.0:
        return 0.0
    return min(_STRETCH * 2.0 ** max(math.ceil(math.log2(end / _STRETCH)), 0), _OUTERMOST)


def _stretched(mean: Interval, y: Array) -> Array:
    return np.asarray(np.arcsinh(y) if mean.whole else np.log(y))


@functools.lru_cache(maxsize=_REMEMBERED)
def _reader(
    inversion: Inversion, phi: float, low: float, high: float, *, far: bool
) -> Callable[[Array], Array] | None:
    """Return the saturated term as a function of y; None where it is no smooth one.

    Unless some y are far out it is read from panels by the kernel, where these follow.
    """
    mean = inversion.found.mean

    def at(t: Array) -> Array:
        y = np.sinh(t) if mean.whole else np.exp(t)
        return inversion.saturated(y, np.full_like(y, phi))

    with np.errstate(all="ignore"):
        table = tabulate(at, low, high, _BUDGET, _DIGITS, _PANELS)
    if table is None:
        return None
    swift = None if far else _paneled(table, mean)
    return functools.partial(_extended, table, mean) if swift is None else swift


def _extended(table: Table, mean: Interval, y: Array) -> Array:
    """Read a table; farther out a density is a power of y, a straight line on the stretched scale."""
    whole, last = _stretched(mean, y), _FARTHEST[mean.lower]
    t = np.clip(whole, -last, last)
    edge = np.array([-last, 1.0 - last, last - 1.0, last])
    slopes = np.diff(table(np.clip(edge, table.edges[0], table.edges[-1])))[[0, 2]]
    return np.asarray(table(t) + np.where(t < whole, slopes[1], slopes[0]) * (whole - t))


def _paneled(table: Table, mean: Interval) -> Callable[[Array], Array] | None:
    """Return a table as panels of y within its edges, None where none follow.

    On the whole line each sign is read by 1 + |y|: about 0 the density is smooth in y, not in its logarithm.
    """
    low, high = table.edges[[0, -1]].tolist()
    if not mean.whole:
        amounts = over(lambda y: table(np.log(y)), math.exp(low), math.exp(high), _DIGITS)
        return None if amounts is None else elementwise(amounts)

    def side(sign: float, far: float) -> Panels | None:
        return over(lambda d: table(np.arcsinh(sign * (d - 1.0))), 1.0, 1.0 + math.sinh(far), _DIGITS)

    above = side(1.0, max(high, 0.0))
    if above is not None and low == 0.0:
        return elementwise(lambda xp, y: above(xp, 1.0 + y))
    below = side(-1.0, max(-low, 0.0))
    if below is None or above is None:
        return None
    return elementwise(lambda xp, y: xp.where(y < 0.0, below(xp, 1.0 - y), above(xp, 1.0 + y)))


# --- both tails and draws ---


def implied_law(inversion: Inversion) -> Law:
    """State the law: a count's tails are summed, others integrated outward from y."""
    tails = _Counts(inversion) if inversion.integer else _Amounts(inversion)
    return Law(
        lambda y, at: saturated(inversion, y, at.dispersion),
        lambda y, at: tails.tail(y, at, -1.0),
        lambda y, at: tails.tail(y, at, 1.0),
        tails.sample,
        discrete=inversion.integer,
    )


def _by_rows(function: Callable[..., Array], *columns: Array) -> Array:
    """Apply a function to flat columns and give back the shape."""
    flat = np.broadcast_arrays(*columns)
    with np.errstate(all="ignore"):
        return np.asarray(function(*(each.ravel() for each in flat))).reshape(flat[0].shape)


@dataclass(frozen=True, slots=True)
class _Counts:
    """A law on 0, 1, 2, …: log f = c(k) + k theta - b."""

    inversion: Inversion

    def tail(self, y: Array, at: Setting, side: float) -> Array:
        """Sum f over k <= y, or over k > y."""
        return _by_rows(functools.partial(self._tail, side=side), np.floor(y), at.mu)

    def _tail(self, y: Array, mu: Array, side: float) -> Array:
        theta, b, last = self._at(mu)
        total = np.zeros_like(y)
        top = int(np.max(y, initial=-1.0)) + 1 if side < 0.0 else int(np.max(np.maximum(y, 0.0) + last))
        carrier = self.carrier(top)
        for k in range(top):
            use = y >= k if side < 0.0 else (y < k)
            total[use] += np.exp(carrier[k] + k * theta[use] - b[use])
        return np.minimum(total, 1.0)

    def _at(self, mu: Array) -> tuple[Array, Array, Array]:
        """Return theta, b, and how far beyond a count nothing is left."""
        found = self.inversion.found
        theta = np.asarray(theta_at(np, found, mu, 1.0 - mu))
        spread = np.sqrt(np.abs(self.inversion.law.at(mu)))
        room = found.natural.upper - theta
        far = np.where(np.isfinite(room), _WIDE / room, 0.0) + 12.0 * spread + mu + 40.0
        return theta, np.asarray(cumulant_at_mean(np, found, mu, 1.0 - mu)), np.minimum(far, 1e6)

    def carrier(self, count: int) -> Array:
        """Return c(k), k < count."""
        return _carrier(self.inversion, _doubled(count))[:count]

    def sample(self, rng: np.random.Generator, at: Setting) -> Array:
        """Draw by going up the counts until their sum exceeds a uniform number."""
        mu = at.mu.ravel()
        with np.errstate(all="ignore"):
            theta, b, last = self._at(mu)
            left, value = rng.random(mu.size), np.zeros(mu.size)
            open_ = np.arange(mu.size)
            for k in range(int(np.max(last, initial=1.0))):
                left[open_] -= np.exp(self.carrier(k + 1)[k] + k * theta[open_] - b[open_])
                open_ = open_[left[open_] > 0.0]
                value[open_] = k + 1.0
                if not open_.size:
                    break
        return value.reshape(at.mu.shape)


@functools.lru_cache(maxsize=_REMEMBERED)
def _carrier(inversion: Inversion, count: int) -> Array:
    found, k = inversion.found, np.arange(1.0, float(count))
    with np.errstate(all="ignore"):
        inner = _of_counts(inversion, count)[1:] - np.asarray(conjugate_at(np, found, k))
    zero = found.closed[0]
    assert zero is not None
    return np.concatenate([[-zero], inner])


_OUT = np.arange(-4.6, 4.0, 0.07)
_FAR = np.exp(_OUT - np.exp(-_OUT))
_HEIGHTS = 0.07 * _FAR * (1.0 + np.exp(-_OUT))
"""Places and weights of an integral over (0, inf) of what vanishes exponentially (Takahasi and Mori 1974)."""


@dataclass(frozen=True, slots=True)
class _Amounts:
    """A law with a density, and perhaps an atom at a closed end."""

    inversion: Inversion

    def tail(self, y: Array, at: Setting, side: float) -> Array:
        """Integrate f over the scale of log y, or of asinh y, outward from y; the larger tail is the rest."""

        def asked(y: Array, mu: Array, phi: Array) -> Array:
            return self._tail(y, mu, phi, side)[0]

        return _by_rows(asked, y, at.mu, at.dispersion)

    def _tail(self, y: Array, mu: Array, phi: Array, side: float) -> tuple[Array, Array]:
        """Return a tail and the height of f on the stretched scale."""
        total = np.full(y.shape, 0.5 + 0.5 * side)  # what y below the support have
        height = np.zeros_like(total)
        inside = (
            y >= self.inversion.found.mean.lower if self._has_atom else y > self.inversion.found.mean.lower
        )
        for outward in (-1.0, 1.0):
            rows = inside & ((y >= mu) == (outward > 0.0))
            if np.any(rows):
                own, height[rows] = self._outward(y[rows], mu[rows], phi[rows], outward)
                total[rows] = own if outward == side else 1.0 - own
        return np.clip(total, 0.0, 1.0), height

    def _outward(self, y: Array, mu: Array, phi: Array, side: float) -> tuple[Array, Array]:
        """Integrate from y away from mu; the first place of the integral is y itself."""
        found = self.inversion.found
        some = y > found.mean.lower
        t = _stretched(found.mean, np.where(some, y, 1.0))[:, None] + side * _FAR
        height = self._height(t, *(np.broadcast_to(each[:, None], t.shape) for each in (mu, phi)))
        height = np.where((np.abs(t) < self._farthest) & some[:, None], np.nan_to_num(height), 0.0)
        total = np.sum(_HEIGHTS * height, axis=1)
        return total + self._atom(mu, phi) if side < 0.0 and self._has_atom else total, height[:, 0]

    @property
    def _has_atom(self) -> bool:
        return self.inversion.found.closed[0] is not None

    @property
    def _farthest(self) -> float:
        return _FARTHEST[self.inversion.found.mean.lower]

    def _atom(self, mu: Array, phi: Array) -> Array:
        """Return P(Y = 0)."""
        zero = np.zeros_like(mu)
        return np.exp(-np.asarray(half_deviance(np, self.inversion.found, zero, mu, 1.0 - mu)) / phi)

    def _height(self, t: Array, mu: Array, phi: Array) -> Array:
        """Return f dy / dt."""
        whole = self.inversion.found.mean.whole
        t = np.clip(t, -self._farthest, self._farthest)
        y = np.sinh(t) if whole else np.exp(t)
        return np.asarray(np.exp(log_density(self.inversion, y, mu, phi)) * (np.cosh(t) if whole else y))

    def sample(self, rng: np.random.Generator, at: Setting) -> Array:
        """Draw by the quantile of a uniform number: Newton's method on the stretched scale of y."""
        return _by_rows(functools.partial(self._sampled, rng), at.mu, at.dispersion)

    def _sampled(self, rng: np.random.Generator, mu: Array, phi: Array) -> Array:
        uniform, back = rng.random(mu.size), np.sinh if self.inversion.found.mean.whole else np.exp
        t = self._about(uniform, mu, phi)
        low, high = np.full_like(t, -self._farthest), np.full_like(t, self._farthest)
        zero = uniform <= self._atom(mu, phi) if self._has_atom else np.zeros(mu.shape, dtype=np.bool_)
        rows = np.flatnonzero(~zero)
        for _ in range(_STEPS):
            own, m, p = t[rows], mu[rows], phi[rows]
            below, height = self._tail(back(own), m, p, -1.0)
            above = below - uniform[rows]
            low[rows] = np.where(above < 0.0, own, low[rows])
            high[rows] = np.where(above < 0.0, high[rows], own)
            newton = own - above / height
            inside = (newton > low[rows]) & (newton < high[rows])
            t[rows] = np.where(inside, newton, 0.5 * (low[rows] + high[rows]))
            rows = rows[~(np.abs(t[rows] - own) <= _SETTLED)]
            if not rows.size:
                break
        return np.where(zero, 0.0, back(t))

    def _about(self, uniform: Array, mu: Array, phi: Array) -> Array:
        """Return where the signed root of the deviance has the quantile of a normal law: nearly that of y."""
        from scipy.special import ndtri

        found, goal = self.inversion.found, ndtri(uniform)
        back = np.sinh if found.mean.whole else np.exp
        centre, far = _stretched(found.mean, mu), self._farthest
        low, high = np.where(goal < 0.0, -far, centre), np.where(goal < 0.0, centre, far)
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            half = np.asarray(half_deviance(np, found, back(middle), mu, 1.0 - mu))
            short = np.copysign(np.sqrt(2.0 * half / phi), goal) < goal
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        return np.asarray(0.5 * (low + high))


_HALVINGS, _STEPS = 20, 60
_SETTLED = 1e-6
"""A step of the root search on the stretched scale after which another one, by far shorter, is not taken."""
