"""Bends of units: derivatives of what they claim, whole in both tails, and the penalties made of them."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from etamu.family.bends import bends, mean_penalty
from etamu.family.catalogue import unit
from tests.catalogue import UNITS, grid

FAR = np.array([-700.0, -40.0, -37.0, -8.0, -0.5, 0.0, 0.5, 3.0, 8.0, 37.0, 40.0, 700.0])


@pytest.mark.parametrize("pair", UNITS, ids=str)
def test_bends_are_logarithmic_slopes(pair) -> None:
    eta = grid(pair)
    eta = eta[(np.abs(eta) < 5.0) & (np.abs(eta) > 0.05)]
    step = 1e-5
    with np.errstate(all="ignore"):
        logs = [
            (np.log(np.abs(mean.d1)), np.log(pair.family.variance(np, mean.mu, mean.complement)))
            for mean in (pair.mean(np, eta - step), pair.mean(np, eta + step))
        ]
    found = bends(pair, eta)
    for ours, before, after in zip(found, *logs, strict=True):
        slope = (after - before) / (2.0 * step)
        usable = np.isfinite(slope) & (np.abs(slope) < 1e4)
        assert np.allclose(ours[usable], slope[usable], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog", "loglog", "cauchit"])
def test_tails_of_proportions_are_whole(link: str) -> None:
    found = bends(unit("bernoulli", link), FAR)
    assert np.all(np.isfinite(found.mean))
    assert np.all(np.isfinite(found.spread))


def test_probit_tails_against_more_digits() -> None:
    eta = FAR[np.abs(FAR) < 38.0]
    found = bends(unit("bernoulli", "probit"), eta)
    assert np.allclose(found.mean, -eta, rtol=1e-14)
    with mp.workdps(400):
        for at, ours in zip(eta, found.spread, strict=True):
            low, high, density = mp.ncdf(at), mp.ncdf(-at), mp.npdf(at)
            theirs = (high - low) * density / (low * high)
            assert float(ours) == pytest.approx(float(theirs), rel=1e-11, abs=1e-14)


@pytest.mark.parametrize(
    ("family", "link"),
    [
        ("bernoulli", "logit"),
        ("poisson", "log"),
        ("poisson", "sqrt"),
        ("gamma", "log"),
        ("gamma", "inverse"),
        ("gamma", "identity"),
        ("inverse_gaussian", "log"),
        ("inverse_gaussian", "inverse_squared"),
    ],
)
def test_the_penalty_has_the_adjustment_for_its_gradient(family: str, link: str) -> None:
    pair, penalty = unit(family, link), mean_penalty(unit(family, link))
    assert penalty is not None
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(12), rng.uniform(0.1, 1.0, 12)])

    def parts(beta):
        mean = pair.mean(np, x @ beta)
        w = mean.d1**2 / pair.family.variance(np, mean.mu, mean.complement)
        information = x.T @ (w[:, None] * x)
        h = w * np.einsum("ij,jk,ik->i", x, np.linalg.inv(information), x)
        return mean, h, np.linalg.slogdet(information)[1]

    def value(beta):
        mean, h, volume = parts(beta)
        return penalty.share * volume + penalty.slopes * 0.5 * h @ np.log(np.abs(mean.d1))

    beta = np.array([0.8, 0.3])
    _, h, _ = parts(beta)
    adjustment = x.T @ (h * bends(pair, x @ beta).mean / 2.0)
    steps = 1e-5 * np.eye(2)
    slope = [(value(beta + step) - value(beta - step)) / 2e-5 for step in steps]
    assert slope == pytest.approx(adjustment, rel=1e-6, abs=1e-8)


def test_links_without_a_penalty() -> None:
    for family, link in (("bernoulli", "probit"), ("gaussian", "log"), ("negative_binomial(2)", "log")):
        assert mean_penalty(unit(family, link)) is None
