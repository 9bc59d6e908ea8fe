"""What a derived family is computed by: an exponential V keeps its digits to the last response admitted."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from etamu.family.computed import reach

pytest.importorskip("sympy")

STEEP = {
    "exp(mu)": mp.exp,
    "exp(mu/100)": lambda mu: mp.exp(mu / 100),
    "mu*exp(mu)": lambda mu: mu * mp.exp(mu),
    "mu**2*exp(mu)": lambda mu: mu**2 * mp.exp(mu),
    "mu*exp(mu/100)": lambda mu: mu * mp.exp(mu / 100),
    "cosh(mu)": mp.cosh,
}
SHARES = (1e-3, 0.02, 0.4, 0.98, 0.995)
steep = pytest.mark.parametrize("text", STEEP)


def integral(part, lower, upper, variance):
    """Integrate part / V by tanh-sinh in pieces, relative to 1 / V where it is largest: an end or 0."""
    ends = [mp.mpf(each) for each in (lower, upper) if mp.isfinite(each)]
    ends += [mp.mpf(0)] * (lower < 0 < upper)
    scale = max(1 / variance(each) for each in ends)
    steps = [mp.mpf(4) ** k for k in range(-2, 9)]
    places = {*ends, *([mp.inf] if upper == mp.inf else ())}
    places |= {each + side * step for each in ends for side in (-1, 1) for step in steps}
    places = {each for each in places if lower <= each <= upper}
    return scale * mp.quad(lambda t: part(t) / variance(t) / scale, sorted(places), maxdegree=5)


def means(family):
    """Return means up to the last one admitted, on both sides where there are two."""
    within = family.support.interval
    right = within.upper * np.array(SHARES)
    return np.concatenate([within.lower * np.array(SHARES), right]) if within.lower < 0.0 else right


@steep
def test_theta_the_deviance_and_the_inverse_keep_their_digits_to_the_last_response_admitted(text) -> None:
    family, exact = em.derive(variance=text, quasi=True), STEEP[text]
    mu = means(family)
    theta = family.natural(np, mu, 1.0 - mu)
    if family.canonical.domain.upper == 0.0:
        with mp.workdps(25):
            truth = [-integral(lambda _: 1, mp.mpf(each), mp.inf, exact) for each in mu]
        assert_allclose(theta, np.array(truth, dtype=float), rtol=2e-12)
    with np.errstate(over="ignore", divide="ignore"):  # the third derivative of b is beyond the floats
        back = family.canonical.inverse(np, theta)
    some = np.abs(mu) < 30.0 if family.canonical.domain.upper > 0.0 else np.full(mu.shape, True)
    assert_allclose(back.mu[some], mu[some], rtol=1e-12)
    assert_allclose(back.d1[some], np.array([exact(each) for each in mu[some]], dtype=float), rtol=1e-9)


@steep
def test_deviances_far_apart_are_those_of_the_integral(text) -> None:
    family, exact = em.derive(variance=text, quasi=True), STEEP[text]
    places = means(family)[:: 2 if family.mean.lower < 0.0 else 1]
    y, mu = (each.ravel() for each in np.meshgrid(places, places))
    y, mu = y[y != mu], mu[y != mu]
    with mp.workdps(25):
        truth = [
            2 * integral(lambda t, own=own: abs(own - t), mp.mpf(min(pair)), mp.mpf(max(pair)), exact)
            for own, pair in ((a, (a, b)) for a, b in zip(y, mu, strict=True))
        ]
    assert_allclose(family.deviance(np, y, mu, 1.0 - mu), np.array(truth, dtype=float), rtol=1e-11)


def test_a_response_beyond_the_digits_of_a_steep_variance_is_refused_by_name() -> None:
    data = {"x": [0.0, 1.0, 2.0, 3.0], "y": [0.5, 1.0, 700.0, 2.0]}
    with pytest.raises(
        em.DataError, match=r"needs numbers in \[0, 490\), but the response 'y' is 700 in row"
    ):
        em.glm("y ~ x", data, family=em.derive(variance="mu*exp(mu)", link="log", quasi=True))
    assert repr(em.derive(variance="exp(mu)").support) == "numbers in (-500, 500)"


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("mu**2*(1 + mu)", (0.0, np.inf)),
        ("1 + mu**2", (-np.inf, np.inf)),
        ("mu*(1 - mu)*exp(mu)", (0.0, 1.0)),
        ("mu*exp(-mu)", (0.0, 510.0)),
    ],
)
def test_means_reach_their_ends_where_the_variance_is_no_exponential(text, ends) -> None:
    within = reach(em.derive(variance=text).found)
    assert (within.lower, within.upper) == ends


@pytest.mark.parametrize("text", ["exp(exp(mu))", "exp(-mu**2)", "mu*exp(mu**2)", "exp(mu**2)"])
def test_a_variance_steeper_than_an_exponential_is_refused_with_the_reason(text) -> None:
    with pytest.raises(em.FamilyError, match=r"leaves the floats at mu = .*, faster than exp\(mu\) would"):
        em.derive(variance=text)
