"""Canonical means read from tables: mpmath's roots over the whole domain, and what the search finds."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

import etamu as em
from etamu.family import computed
from etamu.family.program import compiled
from etamu.family.unit import Unit

pytest.importorskip("sympy")

NATURAL = {
    "mu**2*(1 + mu)": lambda mu: mp.log1p(1 / mu) - 1 / mu,
    "mu*(1 + mu)**2": lambda mu: 1 / (1 + mu) - mp.log1p(1 / mu),
    "mu**3*(1 + mu)": lambda mu: 1 / mu - mp.log1p(1 / mu) - 1 / (2 * mu**2),
}
"""theta(mu), 0 at the upper end."""
SIZES = (1e-25, 1e-8, 3e-4, 0.07, 0.4, 0.999, 1.7, 11.0, 250.0, 6e5, 1e12, 1e30)
each = pytest.mark.parametrize("text", sorted(NATURAL))


@each
def test_the_mean_is_the_root_to_the_last_digits_in_both_tails(text) -> None:
    family = em.derive(variance=text)
    for start in SIZES:
        with mp.workdps(130):
            theta = float(NATURAL[text](mp.mpf(start)))
            x = mp.mpf(start)
            for _ in range(7):
                slope = mp.diff(lambda log, text=text: NATURAL[text](mp.exp(log)), mp.log(x))
                x *= mp.exp((mp.mpf(theta) - NATURAL[text](x)) / slope)
            found = float(family.canonical.inverse(np, np.array([theta])).mu[0])
            # a rounding of theta moves an exponential tail by |theta| roundings
            assert abs(found / x - 1) < 2e-14 + 3e-16 * abs(theta) * (text == "mu*(1 + mu)**2")


@pytest.mark.parametrize("text", [*NATURAL, "mu**2*(1 - mu)", "mu**2*(1 - mu)**2"])
def test_the_table_agrees_with_the_search_for_roots(text) -> None:
    family = em.derive(variance=text)
    found = family.found
    assert computed._mean_table(found) is not None
    theta = -(10.0 ** np.linspace(-6.0, 1.5, 60))
    if found.natural.whole:
        theta = np.concatenate([theta, -theta])
    with np.errstate(all="ignore"):
        mine, theirs = computed.mean_at(np, found, theta), computed._mean_searched(np, found, theta)
    for one, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-12)


def test_outside_the_domain_there_is_no_mean() -> None:
    link = em.derive(variance="mu**2*(1 + mu)").canonical
    assert np.isnan(link.inverse(np, np.array([0.5])).mu[0])


@pytest.mark.parametrize("text", ["1 + mu**4", "cosh(mu)", "sqrt(mu)+mu**2", "sqrt(mu*(1 - mu))"])
def test_where_theta_has_two_ends_the_mean_is_read_by_the_distance_from_each(text) -> None:
    family = em.derive(variance=text)
    found, natural = family.found, family.canonical.domain
    assert np.isfinite([natural.lower, natural.upper]).all()
    assert computed._mean_table(found) is not None
    share = np.concatenate([[1e-12, 1e-5], np.linspace(0.03, 0.97, 25), [1.0 - 1e-5, 1.0 - 1e-12]])
    theta = natural.lower + share * (natural.upper - natural.lower)
    with np.errstate(all="ignore"):
        mu, rest, slope, _ = family.canonical.inverse(np, theta)
        back = family.canonical.link(np, mu, rest)
    # a rounding of the mean, or of theta, moves theta by its slope
    assert np.all(np.abs(back - theta) <= 4e-16 * (np.abs(natural.lower) + natural.upper - natural.lower)
                  + 1e-15 * np.abs(mu) / slope)  # fmt: skip
    outside = np.array([natural.lower - 0.1, natural.upper + 0.1])
    assert np.all(np.isnan(family.canonical.inverse(np, outside).mu))


def test_the_program_of_a_canonical_unit_searches_for_nothing() -> None:
    family = em.derive(variance="mu**2*(1 + mu)")
    unit = Unit(family, family.canonical)
    if (program := compiled(unit)) is None:
        pytest.skip("without the kernel there is no program")
    eta = -(10.0 ** np.linspace(-3.0, 1.0, 200))
    y = np.resize([0.01, 0.3, 1.0, 7.0], 200)
    for mine, theirs in zip(program.run([y, eta]), unit.bind(np)((y,), eta), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-13)


def test_a_fit_is_the_one_with_roots(monkeypatch) -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(3000, 2))
    family = em.derive(variance="mu**2*(1 + mu)")
    eta = -1.0 + 0.1 * x[:, 0]
    y = rng.gamma(2.0, family.canonical.inverse(np, eta).mu / 2.0)
    fit = em.GLM(family=family).fit(x, y)
    monkeypatch.setattr(computed, "_mean_table", lambda _: None)
    twin = em.derive(variance="(1 + mu)*mu**2")  # the same family, none of whose programs is remembered
    searched = em.GLM(family=twin).fit(x, y)
    np.testing.assert_allclose(fit.coef, searched.coef, rtol=1e-10)
    np.testing.assert_allclose(fit.se, searched.se, rtol=1e-10)
