"""Families of several parameters in arbitrary precision: log densities from the textbook, differentiated.

Nothing here is clever: the density as it is written down, with enough digits for what it loses, and central
differences whose step is far below what the digits resolve.
Read next: tests/family/test_zeros.py, which compares.
"""

from __future__ import annotations

import mpmath as mp
import numpy as np

from etamu.family.natural import LOGIT, NaturalFamily
from tests.family.reference import inverse


def _poisson(y, mu):
    return y * mp.log(mu) - mu - mp.loggamma(y + 1)


def _negative_binomial(y, mu, theta):
    rise = mp.loggamma(y + theta) - mp.loggamma(theta) - mp.loggamma(y + 1)
    return rise - theta * mp.log1p(mu / theta) - y * mp.log1p(theta / mu)


def _truncated(law):
    def log_density(y, *at):
        return law(y, *at) - mp.log(-mp.expm1(law(mp.mpf(0), *at)))

    return log_density


def _hurdle(law):
    def log_density(y, mu, zero, *rest):
        if y == 0:
            return mp.log(zero.mu)
        return mp.log(zero.complement) + _truncated(law)(y, mu, *rest)

    return log_density


def _inflated(law):
    def log_density(y, mu, zero, *rest):
        if y == 0:
            return mp.log(zero.mu + zero.complement * mp.exp(law(y, mu, *rest)))
        return mp.log(zero.complement) + law(y, mu, *rest)

    return log_density


def _beta(y, mean, phi):
    a, b = mean.mu * phi, mean.complement * phi
    gammas = mp.loggamma(phi) - mp.loggamma(a) - mp.loggamma(b)
    return gammas + (a - 1) * mp.log(y) + (b - 1) * mp.log1p(-y)


def _beta_binomial(y, m, mean, phi):
    a, b = mean.mu * phi, mean.complement * phi
    ways = mp.loggamma(m + 1) - mp.loggamma(y + 1) - mp.loggamma(m - y + 1)
    over = mp.loggamma(phi) - mp.loggamma(a) - mp.loggamma(b)
    return ways + over + mp.loggamma(y + a) + mp.loggamma(m - y + b) - mp.loggamma(m + phi)


def _generalized_poisson(y, mu, phi):
    a, c = mu / phi, 1 - 1 / phi
    return mp.log(a) + (y - 1) * mp.log(a + c * y) - a - c * y - mp.loggamma(y + 1)


LOG_DENSITIES = {
    "negative_binomial_1": lambda y, mu, alpha: _negative_binomial(y, mu, mu / alpha),
    "negative_binomial_2": _negative_binomial,
    "generalized_poisson": _generalized_poisson,
    "beta": _beta,
    "beta_binomial": _beta_binomial,
    "zero_truncated_poisson": _truncated(_poisson),
    "zero_truncated_negative_binomial": _truncated(_negative_binomial),
    "hurdle_poisson": _hurdle(_poisson),
    "hurdle_negative_binomial": _hurdle(_negative_binomial),
    "zero_inflated_poisson": _inflated(_poisson),
    "zero_inflated_negative_binomial": _inflated(_negative_binomial),
}
"""log f(y; parameters); a share comes with its complement, a positive parameter as a number."""


def log_density(family: NaturalFamily, y: tuple[float, ...], eta):
    """Return log f at eta, in the precision of the context."""
    at = []
    for parameter, scale, value in zip(family.parameters, family.scales, eta, strict=True):
        mean = inverse(parameter.link, mp.mpf(value))
        at.append(mean if scale == LOGIT else mean.mu)
    return LOG_DENSITIES[family.name](*(mp.mpf(each) for each in y), *at)


def local(family: NaturalFamily, y: tuple[float, ...], eta, digits: int = 50):
    """Return log f, its gradient and minus its Hessian in eta, by central differences."""
    return differentiated(lambda *at: log_density(family, y, at), eta, digits)


def differentiated(function, eta, digits: int):
    """Return a function of several numbers, its gradient and minus its Hessian, by central differences."""
    k = len(eta)
    with mp.workdps(3 * digits):
        step = mp.mpf(10) ** -digits

        def moved(*pairs):
            moves = [mp.mpf(e) for e in eta]
            for place, by in pairs:
                moves[place] += by * step
            return function(*moves)

        value = moved()
        score = [mp.mpf(0)] * k
        information = [[mp.mpf(0)] * k for _ in range(k)]
        for i in range(k):
            up, down = moved((i, 1)), moved((i, -1))
            score[i] = (up - down) / (2 * step)
            information[i][i] = -(up + down - 2 * value) / step**2
            for j in range(i):
                bend = sum(a * b * moved((i, a), (j, b)) for a in (1, -1) for b in (1, -1))
                information[i][j] = information[j][i] = -bend / (4 * step**2)
        return value, score, information


def errors(family: NaturalFamily, y: tuple[float, ...], eta: tuple[float, ...], digits: int = 50):
    """Return value, score and observed information got and true, as two flat lists of numbers."""
    rows = tuple(np.array([each]) for each in y)
    with np.errstate(over="ignore", under="ignore"):
        value, score, information = family.bind(np, "observed")(rows, np.array([eta]))
        value = value + family.saturated(rows)
    true = local(family, y, eta, digits)
    got = [float(value[0]), *map(float, score[0]), *map(float, information[0].ravel())]
    return got, [true[0], *true[1], *(each for row in true[2] for each in row)]
