"""Theta, the mean and the unit deviance of a derived family: by formula, by table, by quadrature or by roots.

May import: _base, family.ends, .facts, .formula, .inverse, .numeric, .panels.
Read next: `etamu.family.derived`, the family that answers with these.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable

import numpy as np

from etamu._base.errors import FamilyError
from etamu._base.types import AnyArray, Array, Interval, Namespace
from etamu.family.ends import typical
from etamu.family.facts import Facts, OfMean
from etamu.family.formula import Formula
from etamu.family.inverse import FAINT, Inverse, Problem, tabled
from etamu.family.numeric import FALLING, FINE, RULE, SHORT, SHORT_FALLING, Pair, integral, inverted
from etamu.family.panels import Panels, paneled

_REMEMBERED = 64
_FAR = 0.25
"""Six Gauss points serve up to this share."""

_LEAST = 1e-300
"""Smaller variances are not divided by."""

_STEEPEST = 1e220
"""V and 1 / V up to this leave room for the digits of theta, b and the deviance."""

_LARGEST = 1e15
"""A larger response is not told from its neighbours, whatever V is."""

_NEAR = 1.0 / 16.0
"""Four Gauss points serve where y and mu are closer than this share of their distance to a zero of V."""


def of_mean(formula: OfMean | None, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
    """Return a formula in the mean.

    Raises
    ------
    FamilyError
        If there is none.
    """
    if formula is None:
        raise FamilyError(
            "the integral of mu / V(mu) has no closed form, by which b(theta) is verified: state the "
            "cumulant, derive(cumulant=…), or a V of powers of mu whose zeros are those of quadratics"
        )
    return formula(xp, mu, complement)


def in_theta(found: Facts, order: int) -> Formula:
    """Return a derivative of b in theta that there is."""
    formula = found.cumulant[order]
    assert formula is not None
    return formula


def theta_at(
    xp: Namespace, found: Facts, mu: AnyArray, complement: AnyArray, *, fine: bool = False
) -> AnyArray:
    """Return theta of a mean: its formula, its tail by quadrature, or the root of b'.

    For the last digits the tail begins where less of the formula has cancelled, and takes twice the points.
    """
    if found.theta is None:
        roots = _root_table(found)
        return _theta_searched(xp, found, mu) if roots is None else roots(xp, mu, complement)[0]
    assert found.theta is not None
    if found.integrals is not None:
        return found.integrals.exact(mu, complement) if fine else found.integrals.theta(xp, mu, complement)
    if found.tail is None:
        return found.theta(xp, mu, complement)
    if not fine and (table := _theta_table(found)) is not None:
        return table(xp, mu)
    start, rate = (0.5 * found.tail[0] if fine else found.tail[0]), found.tail[1]
    far = mu > start
    inner = xp.where(far, start, mu)
    s = 1.0 / xp.where(far, mu, start)
    tail = -s * integral(lambda share: rate(xp, share * s), FINE if fine else RULE)
    return xp.where(far, tail, found.theta(xp, inner, 1.0 - inner))


def _theta_searched(xp: Namespace, found: Facts, mu: AnyArray) -> AnyArray:
    first, second = in_theta(found, 1), in_theta(found, 2)
    return inverted(
        xp,
        lambda theta, _: first(xp, theta),
        lambda theta, _: second(xp, theta),
        mu,
        (found.natural, found.mean),
    )[0]


@functools.lru_cache(maxsize=_REMEMBERED)
def _root_table(found: Facts) -> Inverse | None:
    """Return theta, the root of b', as a table of the mean; None where the search has to serve."""
    first, second, rest = in_theta(found, 1), in_theta(found, 2), found.cumulant[4]

    def searched(mu: Array) -> tuple[Array, Array]:
        theta = np.asarray(_theta_searched(np, found, mu))
        return theta, 1.0 - theta

    def distance(side: float, theta: Array, _: Array) -> Array:
        assert rest is not None
        return np.asarray((first if side < 0.0 else rest)(np, theta))

    return tabled(
        Problem(
            lambda theta, _: np.asarray(first(np, theta)),
            lambda theta, _: np.asarray(second(np, theta)),
            found.natural,
            found.mean,
            searched,
            None if rest is None else distance,
        )
    )


@functools.lru_cache(maxsize=_REMEMBERED)
def _theta_table(found: Facts) -> Panels | None:
    """Return theta as a table of the mean, which is positive wherever theta has a tail."""
    return paneled(lambda mu: np.asarray(theta_at(np, found, mu, 1.0 - mu, fine=True)))


@functools.lru_cache(maxsize=_REMEMBERED)
def _cumulant_table(found: Facts) -> Panels | None:
    """Return b as a table of the mean."""
    return paneled(lambda mu: _fine_cumulant(found, mu))


@functools.lru_cache(maxsize=_REMEMBERED)
def _conjugate_table(found: Facts) -> Panels | None:
    """Return y theta(y) - b(theta(y)) as a table of y."""
    return paneled(
        lambda y: np.asarray(y * theta_at(np, found, y, 1.0 - y, fine=True) - _fine_cumulant(found, y))
    )


def _fine_cumulant(found: Facts, mu: Array) -> Array:
    """Return b to its last digits: where V grows faster than mu^2, far out as an integral from its limit."""
    whole = np.asarray(of_mean(found.cumulant_of_mean, np, mu, 1.0 - mu))
    assert found.tail is not None
    start, rate = 0.5 * found.tail[0], found.tail[1]

    def rest(at: Array) -> Array:
        s = 1.0 / at
        return np.asarray(integral(lambda share: rate(np, share * s) / share, FINE))

    if not np.abs(rate(np, np.array(1e-200))) < 1e-100:
        return whole
    edge = np.array(start)
    last = float(of_mean(found.cumulant_of_mean, np, edge, 1.0 - edge) + rest(edge))
    last = 0.0 if abs(last) < 1e-14 else last
    return np.where(mu > start, last - rest(np.maximum(mu, start)), whole)


def cumulant_at_mean(xp: Namespace, found: Facts, mu: AnyArray, complement: AnyArray) -> AnyArray:
    """Return b at theta of a mean."""
    if found.tail is not None and (table := _cumulant_table(found)) is not None:
        return table(xp, mu)
    return of_mean(found.cumulant_of_mean, xp, mu, complement)


def conjugate_at(xp: Namespace, found: Facts, y: AnyArray) -> AnyArray:
    """Return the maximum over theta of y theta - b(theta), y inside the means."""
    if found.tail is not None and (table := _conjugate_table(found)) is not None:
        return table(xp, y)
    rest = 1.0 - y
    return y * theta_at(xp, found, y, rest) - of_mean(found.cumulant_of_mean, xp, y, rest)


def mean_at(xp: Namespace, found: Facts, theta: AnyArray) -> Pair:
    """Return mu and 1 - mu of theta: b', or the root of theta(mu)."""
    first, other = found.cumulant[1], found.cumulant[4]
    if first is not None:
        mu = first(xp, theta)
        return mu, 1.0 - mu if other is None else other(xp, theta)
    table = _mean_table(found)
    return _mean_searched(xp, found, theta) if table is None else table(xp, theta)


def _mean_searched(xp: Namespace, found: Facts, theta: AnyArray) -> Pair:
    return inverted(
        xp,
        lambda mu, complement: theta_at(xp, found, mu, complement),
        lambda mu, complement: 1.0 / of_mean(found.variance, xp, mu, complement),
        theta,
        (found.mean, found.natural),
    )


@functools.lru_cache(maxsize=_REMEMBERED)
def _mean_table(found: Facts) -> Inverse | None:
    """Return the mean as a table of theta; None where the search for roots has to serve."""
    if found.theta is None:
        return None
    return tabled(
        Problem(
            lambda mu, complement: np.asarray(theta_at(np, found, mu, complement, fine=True)),
            lambda mu, complement: np.asarray(1.0 / of_mean(found.variance, np, mu, complement)),
            found.mean,
            found.natural,
            lambda theta: _mean_searched(np, found, theta),
            None if found.integrals is None else found.integrals.distance,
            FAINT if found.integrals is not None and found.integrals.steep else 0.0,
        )
    )


# --- where digits are kept ---


@functools.lru_cache(maxsize=_REMEMBERED)
def reach(found: Facts) -> Interval:
    """Return the means at which neither V nor 1 / V leaves the floats: all of them, unless V is that steep.

    Beyond, theta and the deviance would have no digits. Means below 1e-15 or beyond 1e15 are not asked.
    """
    mean = found.mean
    if mean.upper == 1.0:
        near = _last(found, 0.5, 1.0 / _LARGEST, lambda d: d)
        far = _last(found, 0.5, 1.0 / _LARGEST, lambda d: 1.0 - d)
        return Interval(near or 0.0, 1.0 - (far or 0.0))
    lower, upper = mean.lower, mean.upper
    if upper > 0.0:
        upper = _last(found, 1.0, _LARGEST, lambda d: d) or upper
        lower = lower if lower < 0.0 else _last(found, 1.0, 1.0 / _LARGEST, lambda d: d) or lower
    if mean.lower < 0.0:
        lower = -(_last(found, 1.0, _LARGEST, lambda d: -d) or -lower)
        upper = upper if upper > 0.0 else -(_last(found, 1.0, 1.0 / _LARGEST, lambda d: -d) or -upper)
    return Interval(lower, upper)


def _last(found: Facts, start: float, stop: float, at: Callable[[Array], Array]) -> float | None:
    """Return the last size, to two digits, before V is out of reach; None where it never is."""
    sizes = np.geomspace(start, stop, 4000)
    mu = at(sizes)
    with np.errstate(all="ignore"):
        if found.variance is not None:
            variance = np.asarray(of_mean(found.variance, np, mu, 1.0 - mu))
        else:
            variance = np.asarray(in_theta(found, 2)(np, theta_at(np, found, mu, 1.0 - mu)))
    out = ~((variance > 1.0 / _STEEPEST) & (variance < _STEEPEST))
    if not np.any(out):
        return None
    last = sizes[max(int(np.argmax(out)) - 1, 0)]
    unit = 10.0 ** (math.floor(math.log10(last)) - 1)
    whole = math.floor(last / unit) if stop > start else math.ceil(last / unit)
    return float(f"{whole * unit:.2g}")


# --- the unit deviance ---


def half_deviance(
    xp: Namespace,
    found: Facts,
    y: AnyArray,
    mu: AnyArray,
    complement: AnyArray,
    theta: AnyArray | None = None,
) -> AnyArray:
    """Return the integral from mu to y of (y - t) / V(t) dt.

    Near mu it is (y - mu)^2 times a smooth integral that nothing is subtracted in; apart, theta and b.
    `theta` is that of mu, where it is known.
    """
    proportion = found.mean.upper == 1.0
    gap = y * complement - (1.0 - y) * mu if proportion else y - mu
    near = _near(xp, found, y, mu, complement, gap)
    variance = of_mean(found.variance, xp, mu, complement)
    if found.integrals is not None and found.integrals.steep:
        growth = gap * of_mean(found.dvariance, xp, mu, complement)
        near = near & (xp.abs(growth) <= 0.25 * variance)
    near = near & (variance > _LEAST)
    # rows that are not near are put where V is a number, and do not move
    middle = typical(found.mean)
    start, rest = xp.where(near, mu, middle), xp.where(near, complement, 1.0 - middle)
    step = xp.where(near, gap, 0.0)

    def rate(share: float) -> AnyArray:
        return step / of_mean(found.variance, xp, start + share * step, rest - share * step)

    close = step * integral(rate, FALLING if _bounded(found) else SHORT_FALLING)
    if found.integrals is not None:
        apart = found.integrals.half_deviance(xp, y, mu, complement, theta)
    else:
        apart = _apart(xp, found, y, mu, complement, theta)
    return xp.where(near, close, xp.maximum(apart, 0.0))


def _bounded(found: Facts) -> bool:
    """Tell whether theta is a formula between two finite ends, where y theta dwarfs the deviance."""
    ends = found.natural.upper - found.natural.lower
    return found.integrals is None and found.points is not None and math.isfinite(ends)


def _near(
    xp: Namespace, found: Facts, y: AnyArray, mu: AnyArray, complement: AnyArray, gap: AnyArray
) -> AnyArray:
    """Tell whether y and mu are close compared with their distance to every zero of V."""
    share = _FAR if _bounded(found) else _NEAR if found.points is not None else _NEAR / 2.0
    if found.points is None and found.integrals is not None:
        share = found.integrals.near
    zeros = [(end, gentle) for end, gentle in _ends(found) if math.isfinite(end)]
    others = _closest(found)
    size = xp.abs(gap)
    if not (zeros or others):
        room = 1.0 + xp.minimum(y * y, mu * mu) if found.points is None else xp.inf
        return gap * gap <= share * share * room
    conditions = []
    for end, gentle in zeros:
        from_mu = complement if end == 1.0 else xp.abs(mu - end)
        within = size <= share * xp.minimum(from_mu, xp.abs(y - end))
        # where V vanishes like the distance, the zero is cancelled by y - t
        conditions.append(within | (y == end) if gentle else within)
    for point in others:
        from_mu, from_y = mu - point.real, y - point.real
        distance = xp.minimum(from_mu * from_mu, from_y * from_y) + point.imag * point.imag
        conditions.append(gap * gap <= share * share * distance)
    return functools.reduce(operator.and_, conditions)


def _ends(found: Facts) -> tuple[tuple[float, bool], tuple[float, bool]]:
    """Return either end of the means, and whether V vanishes there no faster than linearly."""
    return (found.mean.lower, found.simple_ends[0]), (found.mean.upper, found.simple_ends[1])


def _closest(found: Facts) -> tuple[complex, ...]:
    """Return the zeros of V off the ends that may be closer to a mean than an end that is no gentle one."""
    lower, upper = (math.nan if gentle else end for end, gentle in _ends(found))
    ends = (found.mean.lower, found.mean.upper)
    upwards = (complex(point.real, abs(point.imag)) for point in found.points or ())
    return tuple(
        dict.fromkeys(
            point
            for point in upwards
            if point not in ends and not (point.real <= lower or point.real >= upper)
        )
    )


def _apart(
    xp: Namespace,
    found: Facts,
    y: AnyArray,
    mu: AnyArray,
    complement: AnyArray,
    theta: AnyArray | None,
) -> AnyArray:
    """Return y (theta(y) - theta(mu)) - b(theta(y)) + b(theta(mu)), its limit where y is on an end."""
    at_mu = theta_at(xp, found, mu, complement) if theta is None else theta
    b = cumulant_at_mean(xp, found, mu, complement)
    apart = highest(xp, found, y) - _product(xp, found, y, at_mu) + b
    return xp.where(apart == apart, apart, xp.inf)  # noqa: PLR0124  (infinite minus infinite: mu is on an end)


def exponent(
    xp: Namespace,
    found: Facts,
    y: AnyArray,
    mu: AnyArray,
    complement: AnyArray,
    theta: AnyArray | None = None,
) -> AnyArray:
    """Return y theta - b at a mean: the log-likelihood, but for what y alone adds.

    By the formulas as they are, without the tables that keep digits in a tail: those of a sum are not there.
    """
    at_mu = of_mean(found.theta, xp, mu, complement) if theta is None else theta
    return _product(xp, found, y, at_mu) - of_mean(found.cumulant_of_mean, xp, mu, complement)


def _product(xp: Namespace, found: Facts, y: AnyArray, theta: AnyArray) -> AnyArray:
    """Return y theta, 0 where y is on a closed end that is 0, whatever theta is."""
    product = y * theta
    return xp.where(y == 0.0, 0.0, product) if any(end == 0.0 for _, end in _closed(found)) else product


def highest(xp: Namespace, found: Facts, y: AnyArray) -> AnyArray:
    """Return the maximum over theta of y theta - b(theta), its limit where y is on a closed end."""
    closed, inner = _closed(found), y
    for _, end in closed:
        inner = xp.where(y == end, typical(found.mean), inner)
    most = conjugate_at(xp, found, inner)
    for value, end in closed:
        most = xp.where(y == end, value, most)
    return most


def _closed(found: Facts) -> tuple[tuple[float, float], ...]:
    """Return the maximum over theta of y theta - b(theta) at ends where it is finite, and these ends."""
    pairs = zip(found.closed, (found.mean.lower, found.mean.upper), strict=True)
    return tuple((value, end) for value, end in pairs if value is not None)


def half_deviance_in_theta(
    xp: Namespace, found: Facts, y: AnyArray, mu: AnyArray, theta: AnyArray
) -> AnyArray:
    """Return b(theta) - b(theta(y)) - y (theta - theta(y)), by quadrature of b'' where they are near."""
    inner = y
    closed, ends = found.closed, (found.mean.lower, found.mean.upper)
    for value, end in zip(closed, ends, strict=True):
        if value is not None:
            inner = xp.where(y == end, 0.5 if found.mean.upper == 1.0 else 1.0, inner)
    b, second = in_theta(found, 0), in_theta(found, 2)
    own = theta_at(xp, found, inner, 1.0 - inner)
    step = theta - own
    room = 1.0 + 0.0 * step
    for end in (found.natural.lower, found.natural.upper):
        if math.isfinite(end):
            room = xp.minimum(room, xp.minimum(xp.abs(theta - end), xp.abs(own - end)))
    near = xp.abs(step) <= _NEAR * room
    short = xp.where(near, step, 0.0)
    # theta(y) has the rounding of a root: the step is taken from y - mu, which has none
    short = xp.where(near, (mu - y) / integral(lambda share: second(xp, theta - share * short), SHORT), 0.0)
    close = short * short * integral(lambda share: share * second(xp, theta - share * short), SHORT)
    apart = b(xp, theta) - b(xp, own) - inner * step
    half = xp.where(near, close, xp.maximum(apart, 0.0))
    for value, end in zip(closed, ends, strict=True):
        if value is not None:
            half = xp.where(y == end, (value - end * theta if end else value) + b(xp, theta), half)
    return half
