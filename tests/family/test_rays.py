"""Theta, b and deviance by quadrature: closed forms, and mpmath's integrals where none are."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu._base.types import LINE, Interval
from etamu.family.formula import Formula
from etamu.family.rays import integrals
from tests.catalogue import BETWEEN, BLEND, SHARE, STEEP, SYMPY

POSITIVE, UNIT = Interval(0.0, math.inf), Interval(0.0, 1.0)
SQUARE = Formula(2, (("*", 0, 0),))
LOGISTIC = Formula(2, (("*", 0, 1),))
SECANT = Formula(2, (("*", 0, 0), ("+", 2, 1.0)))


@pytest.mark.parametrize(
    ("variance", "mean", "theta", "mu"),
    [
        (SQUARE, POSITIVE, lambda mu: -1.0 / mu, (1e-30, 1e-3, 1.0, 40.0, 1e90)),
        (SQUARE, Interval(-math.inf, 0.0), lambda mu: -1.0 / mu, (-1e-30, -1e-3, -1.0, -40.0)),
        (LOGISTIC, UNIT, lambda mu: np.log(mu) - np.log1p(-mu), (1e-100, 1e-3, 0.3, 0.5, 0.8)),
        (SECANT, LINE, np.arctan, (-1e30, -2.0, -1e-9, 0.0, 0.3, 70.0)),
    ],
    ids=["gamma", "negative gamma", "Bernoulli", "secant"],
)
def test_theta_is_the_one_in_closed_form(variance, mean, theta, mu) -> None:
    mu = np.array(mu)
    found = integrals(variance, mean).theta(np, mu, 1.0 - mu)
    assert_allclose(found, theta(mu), rtol=4e-15, atol=1e-15)


def test_tails_of_a_proportion_are_carried_by_the_complement() -> None:
    found = integrals(LOGISTIC, UNIT)
    rest = np.array([1e-200, 1e-30])
    assert_allclose(found.theta(np, 1.0 - rest, rest), -np.log(rest), rtol=4e-15)
    assert found.closed == (0.0, pytest.approx(0.0, abs=1e-15))


def _variance(text, mu):
    names = {name: getattr(mp, name) for name in ("exp", "sqrt")}
    return eval(text.replace("1.3", "mpf('1.3')"), {"__builtins__": {}}, {**names, "mpf": mp.mpf, "mu": mu})


CASES = (
    (BLEND, ((1.0, 1.2), (1e-9, 3e-9), (3e3, 40.0), (1e-9, 2.0), (0.0, 0.3))),
    (STEEP, ((1.0, 1.2), (1e-9, 3e-9), (30.0, 31.0), (30.0, 1e-3), (0.0, 2.0))),
    (BETWEEN, ((1.0, 1.2), (-2.0, 3.0), (1e6, 4e5), (-1e4, 1.0), (0.0, -0.1))),
    (SHARE, ((0.5, 0.6), (1e-9, 0.9), (0.999, 0.99), (0.0, 0.2), (1.0, 0.7))),
)


@pytest.mark.skipif(not SYMPY, reason="without SymPy nothing is derived")
@pytest.mark.parametrize(("family", "pairs"), CASES, ids=[repr(family) for family, _ in CASES])
def test_the_deviance_is_the_integral(family, pairs) -> None:
    text = family.statement.text
    for y, mu in pairs:
        with mp.workdps(30):

            def rate(t, y=y):
                return (mp.mpf(y) - t) / _variance(text, t)

            inside = [mp.mpf(mu) + (mp.mpf(y) - mp.mpf(mu)) * (1 - mp.mpf(2) ** -k) for k in range(60)]
            truth = 2 * mp.quad(rate, inside)
        found = family.deviance(np, np.array([y]), np.array([mu]), np.array([1.0 - mu]))[0]
        assert_allclose(found, float(truth), rtol=1e-9)
