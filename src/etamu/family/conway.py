"""The Conway-Maxwell-Poisson count by its mean: a law whose constant is a series, solved for every row.

P(Y = y) is proportional to c^(nu y) / (y!)^nu. With T the logarithm of y! (less a line in y, which changes
nothing) it is an exponential family in y and T, and everything here is a moment of the two: mean mu, variance
V, and r = T - E T - (Cov(y, T)/V) (y - mu), what of T the count itself does not say.

May import: _base, family.chebyshev, family.counts, family.natural, family.overdispersed, family.remainders,
 family.special, family.summed, family.vector.
Read next: `etamu.family.overdispersed` for its relatives with a closed density.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple, final

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Array, Namespace
from etamu.family import saturated, special
from etamu.family.chebyshev import along_line
from etamu.family.family import Textbook
from etamu.family.natural import Kernel, Local, Points
from etamu.family.overdispersed import Dispersed
from etamu.family.remainders import log_gamma_rest
from etamu.family.stirling import HALF_LOG_TWO_PI
from etamu.family.summed import summed
from etamu.family.vector import Rows

LOWEST, HIGHEST = math.log(1e-15), math.log(50.0)
"""The log nu that are computed: below, the law is geometric; above, all but one or two counts."""
LARGEST = math.log(1e15)
"""The largest log mu."""

_DROP = 45.0
"""How many powers of e below the largest a term is left out."""
_FAR = 160.0
"""nu c above which no term near 0 counts and the sum is taken with wide steps."""
_NODES = 24
_CELLS = 2**16
_ROUNDS = 60
_SINGLE = 128
_GAUSS = 16
"""Terms that are added one by one, and nodes of a Gauss sum over each later block."""
_DENSE = 200
"""Laws of one shape from which on their moments are read off polynomials in log mu."""
_CLOSE = 1e-8
"""A Newton step after which the error is its square."""


class Moments(NamedTuple):
    """What a row's series says, each (n,)."""

    log_c: AnyArray
    log_sum: AnyArray
    """log of the sum of exp(-nu T)."""
    variance: AnyArray
    mean_t: AnyArray
    slope: AnyArray
    """Cov(y, T) / V."""
    rest: AnyArray
    """E r^2."""
    third: AnyArray
    """E (y - mu)^3."""
    second: AnyArray
    """E (y - mu)^2 r."""
    first: AnyArray
    """E (y - mu) r^2."""
    far: AnyArray
    """Whether T is log y! - y log c + c (else log y!)."""


@final
@dataclass(frozen=True, slots=True)
class ConwayMaxwellPoisson(Dispersed):
    """A Conway-Maxwell-Poisson count of mean mu and shape nu: nu < 1 over-, nu > 1 under-dispersed.

    Parameters
    ----------
    link, dispersion_link : str or Link
        Links of the mean and of nu <= 50; beyond, the likelihood is taken as 0 here. nu = 1 is Poisson,
        nu = 0 geometric.

    Notes
    -----
    The rate solves E Y = mu row by row, so that coefficients speak of the mean, and mu and nu are orthogonal:
    the expected information is diagonal, mu^2/V and nu^2 E r^2. Sums end where terms are below e^-45 of the
    largest; far from 0, where the terms are a smooth bump, they are summed with a step of
    half a standard deviation, whose error is below e^-78.

    References
    ----------
    Huang (2017), *Mean-parametrized Conway-Maxwell-Poisson regression models for dispersed counts*,
    Statistical Modelling 17. Benson and Friel (2021), *Bayesian inference, model selection and likelihood
    estimation using fast rejection sampling*, Bayesian Analysis 16, for the sampler.

    Examples
    --------
    >>> family = ConwayMaxwellPoisson()
    >>> value, score, information = family.bind(np)((np.array([3.0]),), np.array([[np.log(2.0), 0.0]]))
    >>> p = np.exp(value + family.saturated((np.array([3.0]),)))
    >>> print(p.round(8), score[:, 0].round(8))  # nu = 1: Poisson
    [0.18044704] [1.]
    """

    name = "conway_maxwell_poisson"
    textbook = Textbook(
        "by a series", "c^(nu y)/(y!)^nu", ("identity", "sqrt"), "counts that spread more or less"
    )
    second = "dispersion"

    def kernel(self, xp: Namespace, information: str) -> Kernel:
        """Return the kernel in (log mu, log nu)."""

        def kernel(y: Rows, t: Points) -> Local:
            inside = (t[1] >= LOWEST) & (t[1] <= HIGHEST) & (t[0] <= LARGEST)
            m, n = (xp.where(inside, each, 0.0) for each in t)
            count, mu, nu = y[0], xp.exp(m), xp.exp(n)
            at = moments(xp, m, n)
            some = count > 0.0
            size = xp.where(some, count, 1.0)
            own = xp.where(some, log_gamma_rest(xp, size) + 0.5 * xp.log(size) + HALF_LOG_TWO_PI, 0.0)
            statistic = _statistic(xp, count, at) + own
            line = xp.where(at.far, 0.0, nu * at.log_c * count)
            value = (line + own - nu * statistic) - at.log_sum
            off = count - mu
            share = mu / at.variance
            r = (statistic - at.mean_t) - at.slope * off
            mean, cross, shape = mu * share, xp.zeros_like(mu), nu * (nu * at.rest)
            if information == "observed":
                mean = mean + (share * off) * (share * (at.third / at.variance) - 1.0)
                cross = -(nu * share) * (off * (at.second / at.variance))
                shape = shape + nu * (nu * (off * (at.first / at.variance))) + nu * r
            local = (value, share * off, -nu * r, mean, cross, shape)
            value, *rest = (
                xp.where(inside, each, out)
                for each, out in zip(local, (-xp.inf, 0.0, 0.0, 0.0, 0.0, 0.0), strict=True)
            )
            by_mean, by_shape, mean, cross, shape = rest
            return Local(value, (by_mean, by_shape), {(0, 0): mean, (0, 1): cross, (1, 1): shape})

        return kernel

    @property
    def limits(self) -> dict[str, tuple[str, str]]:
        """No pull between counts at all is geometric."""
        return {"dispersion": ("the geometric law: the counts are over-dispersed beyond it", "")}

    @property
    def edges(self) -> dict[str, tuple[float, float]]:
        """Return the range of log nu."""
        return {"dispersion": (-math.inf, HIGHEST)}

    def guess(self, y: Array, mean: float, ratio: float) -> float:
        """Return mean / variance."""
        return float(np.clip(1.0 / max(ratio, 1e-3), 0.1, 10.0))

    def variance(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return V, of the series."""
        m, n = self.natural(xp, eta)
        inside = (n >= LOWEST) & (n <= HIGHEST) & (m <= LARGEST)
        found = moments(xp, xp.where(inside, m, 0.0), xp.where(inside, n, 0.0)).variance
        return xp.where(inside, found, xp.nan)

    def cdf(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return the sum of the probabilities up to y."""
        count, t = np.floor(y[0]), self.natural(np, eta)
        at = moments(np, *t)
        first = np.maximum(0.0, count - _reach(at))
        return np.minimum(_summed(t, at, first, count), 1.0)

    def sf(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return the sum of the probabilities above y."""
        first, t = np.maximum(np.floor(y[0]) + 1.0, 0.0), self.natural(np, eta)
        at = moments(np, *t)
        last = np.maximum(first, np.ceil(np.exp(t[0]))) + _reach(at)
        return np.minimum(_summed(t, at, first, last), 1.0)

    def sample(self, rng: np.random.Generator, eta: Array, given: tuple[Array, ...] = ()) -> Array:
        """Draw by rejection: from Poisson counts for nu >= 1, from geometric ones below."""
        t = self.natural(np, eta)
        u, nu = moments(np, *t).log_c, np.exp(t[1])
        out, left = np.zeros(u.shape), np.arange(u.size)
        while left.size:
            draw, log_accept = _proposed(rng, u[left], nu[left])
            good = np.log(rng.random(left.size)) <= log_accept
            out[left[good]] = draw[good]
            left = left[~good]
        return out


def _proposed(rng: np.random.Generator, u: Array, nu: Array) -> tuple[Array, Array]:
    """Draw proposals and the logarithm of the probability to accept each."""
    from scipy.special import gammaln

    c = np.exp(u)
    less = nu < 1.0
    p = 2.0 * nu / (2.0 * c * nu + 1.0 + nu)
    decay = np.where(less, np.log1p(-np.minimum(p, 0.999999)), 0.0)
    decay = np.where(less, np.minimum(decay, nu * u), 0.0)  # of c < 1 the law falls as c^(nu y) at least
    top = np.floor(np.where(less, np.exp(np.minimum(u - decay / nu, 600.0)), c))
    poisson = rng.poisson(np.minimum(c, 1e18))
    geometric = np.floor(np.log(rng.random(c.shape)) / np.where(less, decay, -1.0))
    y = np.where(less, geometric, poisson)
    power = np.where(less, nu, nu - 1.0)
    gain = power * ((y - top) * u - (gammaln(y + 1.0) - gammaln(top + 1.0)))
    return y, gain - (y - top) * decay


def _statistic(xp: Namespace, y: AnyArray, at: Moments) -> AnyArray:
    """Return T of an observed count without its Stirling part: y log y - y, far from 0 y log(y/c) - y + c."""
    some = y > 0.0
    size = xp.where(some, y, 1.0)
    c = special.exp(xp, at.log_c)
    off = (c - y) / size
    near = at.far & (xp.abs(off) < 0.25)
    log_c = xp.where(at.far, at.log_c, 0.0)  # near 0 the line is left out: nu may be tiny, log c enormous
    apart = size * (xp.log(size) - log_c) - size + xp.where(at.far, c, 0.0)
    close = -size * special.log1pmx(xp, xp.where(near, off, 0.0))
    return xp.where(some, xp.where(near, close, apart), xp.where(at.far, c, 0.0))


def _reach(at: Moments) -> Array:
    return np.asarray(np.ceil(45.0 * np.sqrt(at.variance)) + 50.0)


def _summed(t: Points, at: Moments, first: Array, last: Array) -> Array:
    nu = np.exp(t[1])

    def log_p(j: Array, rows: Array) -> Array:
        here = Moments(*(each[rows] for each in at))
        own = -saturated.poisson(j)
        line = np.where(here.far, 0.0, nu[rows] * here.log_c * j)
        return np.asarray(line - nu[rows] * (_statistic(np, j, here) + own) - here.log_sum)

    with np.errstate(all="ignore"):
        return summed(log_p, first, last)


def moments(xp: Namespace, m: AnyArray, n: AnyArray) -> Moments:
    """Return the moments of the laws of mean e^m and shape e^n, a bounded number of terms at a time."""
    if xp is np and m.size > 1:
        pairs, back = np.unique(np.stack([m, n]), axis=1, return_inverse=True)
        if pairs.shape[1] < m.size:
            found = moments(np, pairs[0], pairs[1])
            return Moments(*(each[back.reshape(-1)] for each in found))
        if m.size >= _DENSE and np.all(n == n[0]):
            return _along(m, n)
    nu, mu = xp.exp(n), xp.exp(m)
    far = _is_far(xp, mu, nu)
    near = _near(xp, xp.where(far, 0.0, m), xp.where(far, 0.0, n)) if not bool(xp.all(far)) else None
    if near is not None and not bool(xp.any(far)):
        return near
    rows, total = _CELLS // (2 * _NODES + 1), m.shape[0]
    m, n = xp.where(far, m, 10.0), xp.where(far, n, 0.0)
    pieces = [slice(i, min(i + rows, total)) for i in range(0, total, rows)]
    wide = _joined(xp, [_wide(xp, m[piece], n[piece]) for piece in pieces])
    if near is None:
        return wide
    return Moments(*(xp.where(far, a, b) for a, b in zip(wide, near, strict=True)))


_AGREEMENT = np.array([1e-9 if name in {"third", "second", "first"} else 1e-13 for name in Moments._fields])
"""How closely moments are read off polynomials; the last three enter the observed information alone."""


def _centre(xp: Namespace, mu: AnyArray, nu: AnyArray) -> AnyArray:
    """Return where the terms of a series are largest, nearly."""
    return xp.where(mu > 0.0, mu + (0.5 - 0.5 / nu), 0.0)


def _is_far(xp: Namespace, mu: AnyArray, nu: AnyArray) -> AnyArray:
    """Tell whether no term near 0 counts, and no node of the wide sum is below 0."""
    centre = _centre(xp, mu, nu)
    return (nu * centre > _FAR) & (centre > _NODES + 1.0)


def _along(m: Array, n: Array) -> Moments:
    """Return the moments of many laws of one shape, smooth functions of their mean on both sides of _FAR."""
    out = np.empty((len(Moments._fields), len(m)))
    far = _is_far(np, np.exp(m), np.exp(n))
    for side in (far, ~far):
        if side.any():
            shape, here = n[0], bool(far[side][0])

            def numbers(x: Array, shape: float = shape, *, here: bool = here) -> Array:
                nu = np.full_like(x, shape)
                if here:
                    rows = _CELLS // (2 * _NODES + 1)
                    pieces = [slice(i, min(i + rows, len(x))) for i in range(0, len(x), rows)]
                    found = _joined(np, [_wide(np, x[piece], nu[piece]) for piece in pieces])
                else:
                    found = _near(np, x, nu)
                return np.stack([np.asarray(each, dtype=np.float64) for each in found])

            with np.errstate(all="ignore"):
                out[:, side] = along_line(numbers, m[side], _AGREEMENT)
    return Moments(**{**dict(zip(Moments._fields, out, strict=True)), "far": out[-1] > 0.5})


def _near(xp: Namespace, m: AnyArray, n: AnyArray) -> Moments:
    """Return moments of laws whose terms near 0 count: sums over j = 0, 1, ..., T = log j! - j log c."""
    nu, mu = xp.exp(n), xp.exp(m)
    # bounds of log lambda: lambda = E Y^nu, Jensen's inequality, and the geometric law at nu = 0
    less = nu < 1.0
    low = xp.where(less, m - xp.log1p(mu), xp.maximum(nu * m, m))
    high = xp.where(less, xp.minimum(nu * m, m), nu * xp.log1p(mu))
    high = xp.maximum(high, low)
    length = _length(xp, high, nu)
    parts, start = [], 0
    rows = m.shape[0]
    while start < rows:
        ahead = max(1, _CELLS // _cells(float(length[start])))
        width = int(xp.max(length[start : min(start + ahead, rows)]))
        stop = min(start + max(1, min(ahead, _CELLS // _cells(width))), rows)
        width = int(xp.max(length[start:stop]))
        parts.append(_solved(xp, m[start:stop], nu[start:stop], (low[start:stop], high[start:stop]), width))
        start = stop
    return _joined(xp, parts)


def _joined(xp: Namespace, parts: list[Moments]) -> Moments:
    if len(parts) == 1:
        return parts[0]
    return Moments(*(xp.concat(list(column)) for column in zip(*parts, strict=True)))


def _length(xp: Namespace, a: AnyArray, nu: AnyArray) -> AnyArray:
    """Return how many terms count: nu c ((1 + x) log(1 + x) - x) = 45 at c (1 + x), or lambda^j = e^-45."""
    log_c = a / nu
    c = special.exp(xp, xp.minimum(log_c, 60.0))
    drop = xp.minimum(_DROP / (nu * xp.maximum(c, 1e-300)), 1e100)
    x = drop / 3.0 + xp.sqrt(drop * drop / 9.0 + 2.0 * drop)
    for _ in range(6):
        log = xp.log1p(x)
        x = xp.maximum(x - ((1.0 + x) * log - x - drop) / log, 1e-3)
    end = c * (1.0 + x)
    geometric = _DROP / xp.maximum(-a, 1e-9)
    return xp.ceil(xp.where(a < 0.0, xp.minimum(end, geometric), end)) + 12.0


@cache
def _nodes(blocks: int) -> tuple[Array, Array]:
    """Return nodes and the logarithms of their weights for a sum over 0, 1, 2, ...: singles, then blocks.

    A block of m integers, a quarter as long as what comes before it, is a Gauss sum of 16 nodes, exact for
    polynomials of degree 31: the Jacobi matrix of the discrete Chebyshev polynomials has off-diagonal entries
    sqrt(k^2 (m^2 - k^2) / (4 (4 k^2 - 1))) around (m - 1)/2 (Gautschi 2004, *Orthogonal Polynomials*, 1.5).
    """
    parts, weights, start = [np.arange(float(_SINGLE))], [np.zeros(_SINGLE)], _SINGLE
    k = np.arange(1.0, _GAUSS)
    for _ in range(blocks):
        m = start // 4
        off = np.sqrt(k * k * (m * m - k * k) / (4.0 * (4.0 * k * k - 1.0)))
        nodes, vectors = np.linalg.eigh(np.diag(off, 1) + np.diag(off, -1))
        parts.append(start + 0.5 * (m - 1.0) + nodes)
        weights.append(np.log(m * vectors[0] ** 2))
        start += m
    return np.concatenate(parts), np.concatenate(weights)


def _cells(length: float) -> int:
    """Return how many nodes a sum of so many terms has."""
    return int(length) if length <= _SINGLE else _SINGLE + _GAUSS * _blocks(length)


def _blocks(length: float) -> int:
    start, count = _SINGLE, 0
    while start < length:
        start, count = start + start // 4, count + 1
    return count


def _solved(
    xp: Namespace, m: AnyArray, nu: AnyArray, bracket: tuple[AnyArray, AnyArray], width: int
) -> Moments:
    """Solve E Y = mu for log lambda by Newton's steps on log E Y in a bracket; then take the moments."""
    low, high = bracket
    short = width <= _SINGLE
    nodes, shares = _nodes(0 if short else _blocks(width))
    end = width if short else len(nodes)
    j, share = xp.asarray(nodes[:end]), xp.asarray(shares[:end])[None, :]
    size = xp.maximum(j, 1.0)
    logs = xp.where(
        j > 0.0, (size + 0.5) * xp.log(size) - size + HALF_LOG_TWO_PI + log_gamma_rest(xp, size), 0.0
    )
    mu, row = xp.exp(m), nu[:, None] * logs[None, :]

    def weights(a: AnyArray) -> tuple[AnyArray, AnyArray]:
        exponent = a[:, None] * j[None, :] - row + share
        top = xp.max(exponent, axis=1)
        return xp.exp(exponent - top[:, None]), top

    smooth = mu + (0.5 - 0.5 / nu)
    a = nu * xp.log(xp.where(smooth > 0.25, smooth, 1.0))
    a = xp.where(smooth > 0.25, a, xp.where((nu < 1.0) & (nu > 0.02), high, low))
    a = xp.minimum(xp.maximum(a, low), high)
    for _ in range(_ROUNDS):
        w, _top = weights(a)
        total, weighed = xp.sum(w, axis=1), w * j[None, :]
        mean = xp.sum(weighed, axis=1) / total
        spread = xp.sum(weighed * (j[None, :] - mean[:, None]), axis=1) / total
        gap = xp.log(mean) - m
        low, high = xp.where(gap < 0.0, a, low), xp.where(gap > 0.0, a, high)
        step = gap * mean / xp.maximum(spread, 1e-290)
        new = a - step
        inner = (new >= low) & (new <= high)
        new = xp.where(inner, new, 0.5 * (low + high))
        done = xp.abs(step) <= _CLOSE
        a = new
        if bool(xp.all(done | (gap == 0.0))):
            break
    w, top = weights(a)
    total = xp.sum(w, axis=1)
    statistic = logs[None, :] + 0.0 * a[:, None]
    return _gathered(
        xp, w / total[:, None], j[None, :] - mu[:, None], statistic, (a / nu, top + xp.log(total), mu < 0.0)
    )


def _wide(xp: Namespace, m: AnyArray, n: AnyArray) -> Moments:
    """Return moments of laws far from 0: nodes around c, T = j log(j/c) - j + c and Stirling's part."""
    nu, mu = xp.exp(n), xp.exp(m)
    log_c = m + xp.log1p((0.5 - 0.5 / nu) / mu)
    k = xp.arange(-_NODES, _NODES + 1, dtype=m.dtype)[None, :]
    done = False
    for round_ in range(8):
        c = xp.exp(log_c)
        width = xp.sqrt(c / nu)
        step = xp.maximum(0.5 * width, 1.0)
        snap = xp.where(step > 1.0, 0.0, xp.round(c) - c)
        off = snap[:, None] + step[:, None] * k
        j = c[:, None] + off
        inside = j > -0.5
        size = xp.where(inside, xp.maximum(j, 1.0), 1.0)
        excess = -off / size
        near = xp.abs(excess) < 0.25
        close = -special.log1pmx(xp, xp.where(near, excess, 0.0))
        apart = excess - (log_c[:, None] - xp.log(size))
        statistic = size * xp.where(near, close, apart) + 0.5 * xp.log(size) + HALF_LOG_TWO_PI
        statistic = statistic + log_gamma_rest(xp, size)
        statistic = xp.where(j >= 0.5, statistic, c[:, None])
        bottom = xp.min(statistic, axis=1)
        w = xp.where(inside, xp.exp(-nu[:, None] * (statistic - bottom[:, None])), 0.0)
        total = xp.sum(w, axis=1)
        w = w / total[:, None]
        if done or round_ == 7:
            break
        mean = xp.sum(w * off, axis=1)
        spread = xp.sum(w * (off - mean[:, None]) ** 2, axis=1)
        move = ((mu - c) - mean) / (nu * spread)
        log_c = log_c + move
        done = bool(xp.all(xp.abs(move) * xp.sqrt(c * nu) <= _CLOSE))
    log_sum = xp.log(total * step) - nu * bottom
    # from the mean itself, which is mu: what c lacks of it is known better than the difference of two
    centred = off - xp.sum(w * off, axis=1)[:, None]
    return _gathered(xp, w, centred, statistic, (log_c, log_sum, mu >= 0.0))


def _gathered(
    xp: Namespace,
    p: AnyArray,
    y: AnyArray,
    statistic: AnyArray,
    known: tuple[AnyArray, AnyArray, AnyArray],
) -> Moments:
    """Return the moments of y, already less its mean, and T under the probabilities p, (rows, nodes)."""
    log_c, log_sum, far = known

    def expected(values: Any) -> AnyArray:
        return xp.sum(p * values, axis=1)

    variance, mean_t = expected(y * y), expected(statistic)
    above = statistic - mean_t[:, None]
    slope = expected(y * above) / variance
    r = above - slope[:, None] * y
    return Moments(
        log_c=log_c,
        log_sum=log_sum,
        variance=variance,
        mean_t=mean_t,
        slope=slope,
        rest=expected(r * r),
        third=expected(y * y * y),
        second=expected(y * y * r),
        first=expected(y * r * r),
        far=far,
    )
