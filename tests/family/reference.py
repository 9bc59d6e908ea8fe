"""Units in arbitrary precision, from the textbook's formulas: what the float64 code is compared with.

Nothing here is clever: the general formula, with enough digits that nothing it loses can be seen.
Read next: tests/family/test_reference.py, which checks these formulas by differentiation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import mpmath as mp

from etamu.family.family import Family
from etamu.family.link import Link

Number = mp.mpf


class Mean(NamedTuple):
    mu: Number
    complement: Number
    d1: Number
    d2: Number


def _power(eta, a):
    if a == 1:
        return Mean(eta, 1 - eta, mp.mpf(1), mp.mpf(0))
    mu = eta**a
    return Mean(mu, 1 - mu, a * mu / eta, a * (a - 1) * mu / eta**2)


def _logit(eta):
    mu, complement = 1 / (1 + mp.exp(-eta)), 1 / (1 + mp.exp(eta))
    return Mean(mu, complement, mu * complement, mu * complement * (complement - mu))


def _probit(eta):
    density = mp.exp(-(eta**2) / 2) / mp.sqrt(2 * mp.pi)
    return Mean(mp.erfc(-eta / mp.sqrt(2)) / 2, mp.erfc(eta / mp.sqrt(2)) / 2, density, -eta * density)


def _cloglog(eta):
    hazard = mp.exp(eta)
    slope = hazard * mp.exp(-hazard)
    return Mean(-mp.expm1(-hazard), mp.exp(-hazard), slope, slope * (1 - hazard))


def _loglog(eta):
    hazard = mp.exp(-eta)
    slope = hazard * mp.exp(-hazard)
    return Mean(mp.exp(-hazard), -mp.expm1(-hazard), slope, slope * (hazard - 1))


def _cauchit(eta):
    slope = 1 / (mp.pi * (1 + eta**2))
    return Mean(mp.atan2(1, -eta) / mp.pi, mp.atan2(1, eta) / mp.pi, slope, -2 * eta * slope / (1 + eta**2))


def _log(eta):
    mu = mp.exp(eta)
    return Mean(mu, -mp.expm1(eta), mu, mu)


def _nbinom(eta, theta):
    mu = theta / mp.expm1(-eta)
    slope = mu + mu**2 / theta
    return Mean(mu, 1 - mu, slope, slope * (1 + 2 * mu / theta))


BOUNDED: dict[str, Callable[[Number], Mean]] = {
    "log": _log,
    "logit": _logit,
    "probit": _probit,
    "cloglog": _cloglog,
    "loglog": _loglog,
    "cauchit": _cauchit,
}


def inverse(link: Link, eta: Number) -> Mean:
    if link.name in BOUNDED:
        return BOUNDED[link.name](eta)
    if link.name.startswith("nbinom"):
        return _nbinom(eta, mp.mpf(link.theta))
    return _power(eta, mp.mpf(1.0 / link.exponent))  # the float 1 / k is part of the link's definition


def _log_of(part, rest):
    """log(part) where part + rest = 1."""
    return mp.log1p(-rest) if rest < 0.5 else mp.log(part)


def _xlog(y, ratio):
    return y * mp.log(ratio) if y > 0 else mp.mpf(0)


def half_deviance(family: Family, y, mu, complement):
    if family.mean.upper == 1.0:
        success = mp.mpf(0) if y == 0 else y * (mp.log(y) - _log_of(mu, complement))
        failure = mp.mpf(0) if y == 1 else (1 - y) * (mp.log1p(-y) - _log_of(complement, mu))
        return success + failure
    if family.variance_power is None:
        theta = mp.mpf(family.theta)
        return _xlog(y, y / mu) - (y + theta) * mp.log((y + theta) / (mu + theta))
    p = mp.mpf(family.variance_power)
    if p == 1:
        return _xlog(y, y / mu) + mu - y
    if p == 2:
        return (y - mu) / mu - mp.log(y / mu)
    if p == 0:
        return (y - mu) ** 2 / 2
    upper, lower = 2 - p, 1 - p
    if y == 0:
        return mu**upper / upper
    return y * (y**lower - mu**lower) / lower - (y**upper - mu**upper) / upper


def variance(family: Family, mu, complement):
    """V and its derivative."""
    if family.mean.upper == 1.0:
        return mu * complement, complement - mu
    if family.variance_power is None:
        theta = mp.mpf(family.theta)
        return mu + mu**2 / theta, 1 + 2 * mu / theta
    p = mp.mpf(family.variance_power)
    return mu**p, p * mu ** (p - 1) if p else mp.mpf(0)


class Row(NamedTuple):
    value: Number
    score: Number
    expected: Number
    observed: Number


def unit(family: Family, link: Link, y: float, eta: float) -> Row:
    """Value, score and both informations of one observation of one trial."""
    y, eta = mp.mpf(y), mp.mpf(eta)
    mu, complement, d1, d2 = inverse(link, eta)
    v, dv = variance(family, mu, complement)
    residual = y * complement - (1 - y) * mu if family.mean.upper == 1.0 else y - mu
    expected = d1**2 / v
    observed = expected - residual * (d2 * v - d1**2 * dv) / v**2
    return Row(-half_deviance(family, y, mu, complement), residual * d1 / v, expected, observed)


def digits(family: Family, link: Link, eta: float) -> int:
    """How many digits hide what the general formula loses at this eta."""
    if family.variance_power is not None:
        return 90
    return 720 if abs(eta) > 100 else 120
