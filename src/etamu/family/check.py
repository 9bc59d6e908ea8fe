"""Numerical verification of links and families: every identity they promise, before anyone relies on it.

May import: _base, family.family, family.link, family.check_density.
Read next: `etamu.family.stated` and `etamu.family.families`, whose members pass.
"""

from __future__ import annotations

import itertools
import math
from typing import NoReturn, final

import numpy as np

from etamu._base.errors import EtamuError, FamilyError, LinkError
from etamu._base.facts import dataclass
from etamu._base.types import Array, Interval
from etamu.family.check_density import means, totals
from etamu.family.family import Family
from etamu.family.link import Link, Mean

_STEP = 1e-5  # a central difference then errs by 1e-10 of curvature and 1e-11 of rounding
_DIFFERENCE = 1e-5
_EXACT = 1e-9
_TOTAL = 1e-8


@final
@dataclass(frozen=True, slots=True)
class Report:
    """What was verified, and the largest relative error of each identity."""

    subject: str
    identities: tuple[tuple[str, float], ...]

    def __repr__(self) -> str:
        width = max(len(text) for text, _ in self.identities)
        lines = (f"  {text.ljust(width)}  {error:.1e}" for text, error in self.identities)
        return "\n".join((f"{self.subject}: every identity holds; largest relative errors", *lines))


def check_link(link: Link) -> Report:
    """Verify a link numerically.

    Checked on a grid of its domain: the mean is inside the stated range; its derivative is not 0 and does not
    change sign; both derivatives agree with differences; complement = 1 - mu; link(inverse(eta)) = eta.

    Raises
    ------
    LinkError
        Naming the identity that fails and the eta where it does.

    Examples
    --------
    >>> from etamu.family.links import Logit
    >>> check_link(Logit()).subject
    'link logit'
    """
    if not hasattr(link, "inverse") or isinstance(link, type):
        raise LinkError(f"{link!r} is no link; give a value such as em.Power(0.5) or em.StatedLink(...)")
    subject = f"link {link.name}"
    with np.errstate(all="ignore"):
        eta = spread(link.domain)
        mean = _arrays(link, eta)
        _check_slope(subject, link, eta, mean)
        _check_ends(subject, link)
        within = _interior(link, mean)
        eta, mean = eta[within], Mean(*(part[within] for part in mean))
        if eta.size < 3:
            _fail(LinkError, subject, f"the mean is hardly ever inside {link.range!r}", spread(link.domain))
        step = _STEP * _room(link.domain, eta)
        above, below = _arrays(link, eta + step), _arrays(link, eta - step)
        size = np.abs(mean.d1) + np.abs(mean.mu) * 1e-6
        bend = np.abs(mean.d2) + np.abs(mean.d1) + 1e-6 * size
        back = np.asarray(link.link(np, mean.mu, mean.complement), dtype=np.float64)
        slack = 1.0 + np.abs(eta) + 1e-7 * (1.0 + np.abs(mean.mu)) / np.abs(mean.d1)
        found = (
            ("d1 = d mu / d eta", (above.mu - below.mu) / (2.0 * step) - mean.d1, size, _DIFFERENCE),
            ("d2 = d^2 mu / d eta^2", (above.d1 - below.d1) / (2.0 * step) - mean.d2, bend, _DIFFERENCE),
            ("complement = 1 - mu", mean.complement - (1.0 - mean.mu), 1.0 + np.abs(mean.mu), _EXACT),
            ("link(inverse(eta)) = eta", back - eta, slack, _EXACT),
        )
        return Report(subject, tuple(_judge(LinkError, subject, "eta", eta, *each) for each in found))


def check_family(family: Family) -> Report:
    """Verify a family numerically.

    Checked on a grid of means: b'(theta(mu)) = mu and b''(theta) = V(mu); V' is the derivative of V; the unit
    deviance is 0 at y = mu, positive elsewhere and equal to 2 * integral (y - t) / V(t) dt; a first guess is
    a mean; the density, where there is one, sums or integrates to 1 and has mean mu.

    Raises
    ------
    FamilyError
        Naming the identity that fails and the mean where it does.

    Examples
    --------
    >>> from etamu.family.families import Poisson
    >>> print(check_family(Poisson()).identities[0][0])
    b'(theta(mu)) = mu
    """
    if not hasattr(family, "variance") or isinstance(family, type):
        raise FamilyError(f"{family!r} is no family; give a value such as em.Poisson() or em.derive(...)")
    subject = f"family {family}"
    with np.errstate(all="ignore"):
        mu = spread(family.mean)
        found = (*_cumulant(family, mu), *_variance(family, mu), *_deviance(family, mu))
        results = tuple(_judge(FamilyError, subject, "mu", mu, *each) for each in found)
        y = mu[family.support.contains(mu)]
        if y.size and not np.all(family.mean.contains(family.start(y, np.ones_like(y)))):
            _fail(FamilyError, subject, "a starting mean is no mean", y)
        if family.has_density:
            results = (*results, *_density(family, subject))
    return Report(subject, results)


Identity = tuple[str, Array, Array, float]
"""(text, error, size it is compared with, tolerance)."""


def _density(family: Family, subject: str) -> tuple[tuple[str, float], ...]:
    mu = np.array(means(family))
    total, mean = np.array([totals(family, each) for each in means(family)]).T
    one = "sum of f(y) = 1" if family.support.integer else "integral of f(y) = 1"
    found = (
        (one, total - 1.0, np.ones_like(mu), _TOTAL),
        ("mean of f = mu", mean - mu, 1.0 + np.abs(mu), _TOTAL),
    )
    return tuple(_judge(FamilyError, subject, "mu", mu, *each) for each in found)


def _cumulant(family: Family, mu: Array) -> tuple[Identity, ...]:
    def natural(mean: Array) -> Array:
        return np.asarray(family.natural(np, mean, 1.0 - mean))

    def cumulant(mean: Array) -> Array:
        return np.asarray(family.cumulant(np, natural(mean)))

    step = _STEP * _room(family.mean, mu)
    across = natural(mu + step) - natural(mu - step)
    slope = (cumulant(mu + step) - cumulant(mu - step)) / across
    variance = _v(family, mu)
    return (
        ("b'(theta(mu)) = mu", slope - mu, np.abs(mu) + np.sqrt(variance), _DIFFERENCE),
        ("b''(theta(mu)) = V(mu)", 2.0 * step / across - variance, variance, _DIFFERENCE),
    )


def _variance(family: Family, mu: Array) -> tuple[Identity, ...]:
    step = _STEP * _room(family.mean, mu)
    slope = (_v(family, mu + step) - _v(family, mu - step)) / (2.0 * step)
    stated = np.asarray(family.dvariance(np, mu, 1.0 - mu))
    return (("V' = dV / dmu", slope - stated, np.abs(stated) + _v(family, mu), _DIFFERENCE),)


def _deviance(family: Family, mu: Array) -> tuple[Identity, ...]:
    """Compare the deviance with its integral from mu to y, for y at another mean of the grid."""
    zero = np.asarray(family.deviance(np, mu, mu, 1.0 - mu))
    y = np.roll(mu, 1)
    nodes, heights = np.polynomial.legendre.leggauss(40)
    whole, edges = np.zeros_like(mu), np.linspace(0.0, 1.0, 41)
    for low, high in itertools.pairwise(edges):
        t, speed = _between(family.mean, mu, y, 0.5 * (low + high) + 0.5 * (high - low) * nodes[:, None])
        rate = (y - t) / _v(family, t) * speed
        whole = whole + 0.5 * (high - low) * np.sum(heights[:, None] * rate, axis=0)
    stated = np.asarray(family.deviance(np, y, mu, 1.0 - mu))
    least = np.where(stated > 0.0, 0.0, math.inf)
    return (
        ("d(y, y) = 0", zero, np.ones_like(mu), _EXACT),
        ("d(y, mu) > 0 where y != mu", least, np.ones_like(mu), _EXACT),
        ("d(y, mu) = 2 int (y - t) / V(t) dt", stated - 2.0 * whole, np.abs(stated), 1e-7),
    )


def _between(mean: Interval, mu: Array, y: Array, share: Array) -> tuple[Array, Array]:
    """Return points t(share) from mu to y and dt / dshare; on the log scale where means have one sign."""
    if (mean.lower, mean.upper) in {(0.0, math.inf), (-math.inf, 0.0)}:
        t = mu * np.exp(share * np.log(y / mu))
        return t, t * np.log(y / mu)
    return mu + share * (y - mu), np.broadcast_to(y - mu, share.shape[:1] + mu.shape)


def _v(family: Family, mu: Array) -> Array:
    return np.asarray(family.variance(np, mu, 1.0 - mu), dtype=np.float64)


def spread(interval: Interval) -> Array:
    """Return points well spread inside an open interval."""
    lower, upper = interval.lower, interval.upper
    if interval.whole:
        return np.linspace(-6.0, 6.0, 41) + 0.05
    if math.isinf(upper):
        return np.asarray(lower + np.geomspace(1e-2, 1e2, 41))
    if math.isinf(lower):
        return np.asarray(upper - np.geomspace(1e-2, 1e2, 41))
    return np.asarray(lower + (upper - lower) * np.linspace(0.01, 0.99, 41))


def _room(interval: Interval, points: Array) -> Array:
    """Return the scale on which points may be moved without leaving the interval."""
    distance = np.minimum(points - interval.lower, interval.upper - points)
    return np.where(np.isfinite(distance), np.minimum(distance, 1.0 + np.abs(points)), 1.0 + np.abs(points))


def _arrays(link: Link, eta: Array) -> Mean:
    return Mean(*(np.asarray(part, dtype=np.float64) for part in link.inverse(np, eta)))


def _interior(link: Link, mean: Mean) -> Array:
    """Tell where the mean is far enough inside its range for differences to mean something."""
    bounded = math.isfinite(link.range.lower) and math.isfinite(link.range.upper)
    margin = 1e-6 * (link.range.upper - link.range.lower) if bounded else 0.0
    inside = (mean.mu > link.range.lower + margin) & (mean.mu < link.range.upper - margin)
    return np.asarray(inside & np.isfinite(mean.mu))


def _check_slope(subject: str, link: Link, eta: Array, mean: Mean) -> None:
    """Refuse a mean that does not move with eta, moves both ways or leaves its range."""
    outside = (mean.mu < link.range.lower) | (mean.mu > link.range.upper) | np.isnan(mean.mu)
    if np.any(outside):
        _fail(LinkError, subject, f"the mean leaves the range {link.range!r} or is no number", eta[outside])
    inside = _interior(link, mean)
    flat = (mean.d1 == 0.0) & inside
    if np.any(flat) or not np.any(mean.d1 != 0.0):
        where = eta[flat] if np.any(flat) else eta
        _fail(LinkError, subject, "the derivative of the mean is 0, as of a step or a constant", where)
    signs = np.sign(mean.d1[inside])
    if np.any(signs != signs[:1]):
        turn = eta[inside][signs != signs[0]]
        _fail(LinkError, subject, "the mean is not monotone: its derivative changes sign", turn)


def _check_ends(subject: str, link: Link) -> None:
    """Refuse a range the mean does not fill: toward the ends of eta it must come near, or keep growing."""
    far = _far(link.domain)
    means = _arrays(link, np.array(far)).mu
    if means[0] > means[-1]:
        means = means[::-1]
    ends = ((link.range.lower, means[0], means[1]), (link.range.upper, means[3], means[2]))
    for end, farthest, nearer in ends:
        if math.isfinite(end):
            reached = abs(farthest - end) <= 0.01
        else:
            reached = math.isinf(farthest) or (abs(farthest) > 1.0 and abs(farthest) >= 1.05 * abs(nearer))
        if not reached:
            raise LinkError(
                f"{subject}: the range says {link.range!r}, but the mean ends at {farthest:.6g}; "
                f"state the range that the inverse reaches"
            )


def _far(domain: Interval) -> tuple[float, float, float, float]:
    """Return two eta near the lower end of a domain and two near the upper one, outermost first and last."""
    if domain.whole:
        return (-100.0, -50.0, 50.0, 100.0)
    if math.isinf(domain.upper):
        return (domain.lower + 1e-100, domain.lower + 1e-50, 1e50, 1e100)
    if math.isinf(domain.lower):
        return (-1e100, -1e50, domain.upper - 1e-50, domain.upper - 1e-100)
    width = domain.upper - domain.lower
    return (
        domain.lower + 1e-12 * width,
        domain.lower + 1e-6 * width,
        domain.upper - 1e-6 * width,
        domain.upper - 1e-12 * width,
    )


def _judge(
    error: type[EtamuError],
    subject: str,
    place: str,
    points: Array,
    text: str,
    gap: Array,
    size: Array,
    tolerance: float,
) -> tuple[str, float]:
    """Return the identity with its largest relative error; raise where that is too large."""
    relative = np.abs(gap) / size
    relative = np.where(np.isnan(relative), math.inf, relative)
    worst = int(np.argmax(relative))
    if not relative[worst] <= tolerance:
        raise error(
            f"{subject}: {text} fails at {place} = {points[worst]:.6g}: "
            f"relative error {relative[worst]:.2g}, allowed {tolerance:.0e}"
        )
    return text, float(relative[worst])


def _fail(error: type[EtamuError], subject: str, text: str, points: Array) -> NoReturn:
    raise error(f"{subject}: {text} (at {points[points.size // 2]:.6g})")
