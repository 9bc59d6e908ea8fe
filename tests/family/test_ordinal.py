"""Ordinal families against 50 digits: the probability between thresholds, however far out or close."""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
import pytest

import etamu as em
from etamu.family.ordinal import LINKS

GRID = (-700.0, -40.0, -37.0, -5.0, -1.0, 0.0, 0.3, 5.0, 37.0, 40.0, 700.0)
NARROW = (1e-3, 1e-1)
FARTHEST = {"cloglog": 36.0, "loglog": 36.0, "probit": 40.0}
"""Beyond, a probability of exp(-exp(36)) has no logarithm worth the name; and erfc takes mpmath seconds."""


def tails(link, x):
    """F(x) and 1 - F(x)."""
    x = mpmath.mpf(x)
    return {
        "logit": lambda: (1 / (1 + mpmath.e**-x), 1 / (1 + mpmath.e**x)),
        "probit": lambda: (mpmath.erfc(-x / mpmath.sqrt(2)) / 2, mpmath.erfc(x / mpmath.sqrt(2)) / 2),
        "cloglog": lambda: (-mpmath.expm1(-(mpmath.e**x)), mpmath.e ** (-(mpmath.e**x))),
        "loglog": lambda: (mpmath.e ** (-(mpmath.e**-x)), -mpmath.expm1(-(mpmath.e**-x))),
        "cauchit": lambda: (mpmath.atan2(1, -x) / mpmath.pi, mpmath.atan2(1, x) / mpmath.pi),
    }[link]()


def between(link, low, high):
    """log(F(high) - F(low)) from the nearer tail."""
    below, above = tails(link, low), tails(link, high)
    return mpmath.log(above[0] - below[0]) if above[0] < below[1] else mpmath.log(below[1] - above[1])


@pytest.mark.parametrize("link", LINKS)
def test_the_middle_class_keeps_its_digits(link):
    pairs = [pair for pair in itertools.product(GRID, GRID) if pair[0] < pair[1]]
    pairs += [(x, x + width) for x in (-37.0, -5.0, 0.0, 3.0, 37.0) for width in NARROW]
    family = em.Cumulative(link).among(("a", "b", "c"))
    eta = np.array([(*pair, 0.0) for pair in pairs])
    with np.errstate(all="ignore"):
        value, score, _ = family.bind(np, "observed")((np.ones(len(pairs)),), eta)
    with mpmath.workdps(340):
        for (low, high), mine, slope in zip(pairs, value, score, strict=True):
            if max(abs(low), abs(high)) > FARTHEST.get(link, 700.0):
                continue
            true = between(link, low, high)
            size = abs(float(true))
            width = min(high - low, 1.0)
            assert abs(mine - float(true)) <= 1e-14 * size + 2e-15 * (1.0 + size) / width
            step = mpmath.mpf(10) ** -30
            up = (between(link, low, high + step) - true) / step
            assert abs(slope[1] - float(up)) <= 1e-12 * (abs(float(up)) / width + 1e-290)


@pytest.mark.parametrize("link", LINKS)
def test_two_classes_are_the_binary_model(link):
    eta = np.linspace(-30.0, 30.0, 61)
    y = np.arange(61) % 2.0
    theirs = em.Unit(em.Bernoulli(), em.Cumulative(link).link).bind(np, "observed")((1.0 - y,), eta)
    for family in (em.Cumulative(link), em.ContinuationRatio(link)):
        two = family.among(("no", "yes"))
        with np.errstate(all="ignore"):
            ours = two.bind(np, "observed")((y,), np.column_stack([eta, np.zeros(61)]))
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-13)
        np.testing.assert_allclose(ours[1][:, 0], theirs[1], rtol=1e-13)
        np.testing.assert_allclose(ours[2][:, 0, 0], theirs[2], rtol=1e-11)


def test_cumulative_and_continuation_ratio_are_one_model_under_the_complementary_log_log_link():
    """Läärä and Matthews (1985): the thresholds differ, the location does not."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=300)
    y = np.digitize(x + rng.gumbel(size=300), [-0.5, 1.0, 2.0])
    data = {"y": y, "x": x}
    one, other = (em.glm("y ~ x", data, family=f("cloglog")) for f in (em.Cumulative, em.ContinuationRatio))
    np.testing.assert_allclose(one.loglik, other.loglik, rtol=1e-12)
    np.testing.assert_allclose(one.coef[-1], other.coef[-1], rtol=1e-8)


def test_thresholds_that_cross_have_no_likelihood():
    family = em.Cumulative().among(("a", "b", "c"))
    with np.errstate(all="ignore"):
        crossed = np.array([[1.0, 0.5, 0.0], [1.0, 1.0, 0.0]])
        value = family.bind(np)((np.array([0.0, 1.0]),), crossed)[0]
        assert np.all(np.isnan(family.mean(np, crossed)))
    assert np.all(value == -np.inf)


def test_an_unknown_link_is_refused_with_those_there_are():
    with pytest.raises(em.LinkError, match="no link log; there are logit, probit"):
        em.Cumulative("log")
    with pytest.raises(em.LinkError, match="no link to choose"):
        em.glm("y ~ x", {"y": [0, 1], "x": [0, 1]}, family=em.AdjacentCategory(), link="probit")
