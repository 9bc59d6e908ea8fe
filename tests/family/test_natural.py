"""Every family in natural coordinates: derivatives, information, tails, draws, links, namespaces, ends."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import array_api_strict
import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu._base.errors import LinkError
from etamu.family.excess import ZeroInflatedPoisson
from etamu.family.links import Log, Power
from etamu.family.natural import LOG, LOGIT, bend, link_of
from tests.catalogue import NATURAL
from tests.family import vector_reference as reference
from tests.family.test_vector import slopes

every = pytest.mark.parametrize("family", NATURAL, ids=str)
SERIES = {"conway_maxwell_poisson"}
"""Families whose density mpmath cannot write down: tests/family/test_conway.py."""


def inside(family, rows=30, seed=0):
    """Draw etas inside every link's domain."""
    rng = np.random.default_rng(seed)
    eta = rng.normal(scale=0.8, size=(rows, len(family.parameters)))
    for j, parameter in enumerate(family.parameters):
        if parameter.link.exponent not in (None, 0.0):
            eta[:, j] = np.exp(0.5 * eta[:, j])
        elif family.scales[j] == LOGIT and parameter.link.exponent == 0.0:
            eta[:, j] = -np.exp(eta[:, j])
    if family.name == "generalized_poisson":
        eta[:, 1] = np.abs(eta[:, 1])
    return eta


def responses(family, eta, seed=1):
    rng = np.random.default_rng(seed)
    given = (rng.integers(1, 9, len(eta)).astype(float),) if "trials" in family.response else ()
    return (family.sample(rng, eta, given), *given)


@every
def test_draws_lie_in_the_support(family):
    assert np.all(family.support.contains(responses(family, inside(family, 500))[0]))


@every
def test_score_and_observed_information_are_derivatives_of_the_value(family):
    eta = inside(family)
    y = responses(family, eta)
    bound = family.bind(np, "observed")
    _, score, information = bound(y, eta)
    size = 1.0 + np.abs(information).max()
    assert_allclose(score, slopes(lambda at: bound(y, at)[0], eta), atol=1e-8 * size)
    assert_allclose(information, -slopes(lambda at: bound(y, at)[1], eta), atol=1e-8 * size)


@every
def test_expected_information_is_that_of_many_draws_where_it_is_known(family):
    eta = inside(family, 4)
    if not family.expected_known:
        y = responses(family, eta)
        assert_allclose(family.bind(np)(y, eta)[2], family.bind(np, "observed")(y, eta)[2])
        return
    rows = np.repeat(eta, 6_400, axis=0)
    y = responses(family, rows)
    expected = family.bind(np)(y, rows)[2].reshape(4, -1, eta.shape[1] ** 2)
    observed = family.bind(np, "observed")(y, rows)[2].reshape(expected.shape)
    error = observed.std(axis=1) / 80.0
    assert np.all(np.abs(observed.mean(axis=1) - expected.mean(axis=1)) <= 4.5 * error + 1e-9)


@pytest.mark.parametrize("family", [family for family in NATURAL if family.discrete], ids=str)
def test_expected_information_is_the_observed_one_summed_over_all_counts(family):
    eta = inside(family, 3)
    counts = np.arange(600.0)
    rows = np.repeat(eta, len(counts), axis=0)
    y = (np.tile(counts, 3), *((np.full(len(rows), 7.0),) if "trials" in family.response else ()))
    possible = family.support.contains(y[0]) & (y[0] <= (y[1] if len(y) > 1 else np.inf))
    y = tuple(np.where(possible, each, 1.0) for each in y)
    with np.errstate(all="ignore"):
        value, _, observed = family.bind(np, "observed")(y, rows)
        probability = np.where(possible, np.exp(value + family.saturated(y)), 0.0).reshape(3, -1)
        summed = np.einsum("rc,rckl->rkl", probability, observed.reshape(3, len(counts), *observed.shape[1:]))
    expected = family.bind(np, "expected")(tuple(each[:: len(counts)] for each in y), eta)[2]
    if len(y) > 1:
        expected = family.bind(np, "expected")((np.ones(3), np.full(3, 7.0)), eta)[2]
    assert_allclose(probability.sum(axis=1), 1.0, rtol=1e-9)
    assert_allclose(summed, expected, rtol=1e-6, atol=1e-8 * np.abs(expected).max())


@every
def test_score_has_mean_zero_and_draws_have_the_moments_that_are_told(family):
    eta = inside(family, 3)
    rows = np.repeat(eta, 6_400, axis=0)
    y = responses(family, rows)
    score = family.bind(np)(y, rows)[1].reshape(3, -1, eta.shape[1])
    assert np.all(np.abs(score.mean(axis=1)) <= 5.0 * score.std(axis=1) / np.sqrt(6_400.0) + 1e-9)
    if "trials" in family.response:
        return
    draws = y[0].reshape(3, -1)
    mean, variance = family.mean(np, eta), family.variance(np, eta)
    assert np.all(np.abs(draws.mean(axis=1) - mean) <= 4.5 * np.sqrt(variance / 6_400.0))
    squares = (draws - mean[:, None]) ** 2
    assert np.all(np.abs(squares.mean(axis=1) - variance) <= 5.0 * squares.std(axis=1) / np.sqrt(6_400.0))


@every
def test_tails_add_to_one_and_differ_by_the_density(family):
    eta = inside(family)
    y = responses(family, eta)
    assert_allclose(family.cdf(y, eta) + family.sf(y, eta), 1.0, rtol=1e-10)
    if family.discrete:
        before = (y[0] - 1.0, *y[1:])
        density = np.exp(family.bind(np)(y, eta)[0] + family.saturated(y))
        assert_allclose(family.cdf(y, eta) - family.cdf(before, eta), density, rtol=1e-7, atol=1e-12)
        assert_allclose(family.sf(before, eta) - family.sf(y, eta), density, rtol=1e-7, atol=1e-12)


@every
def test_quantile_scores_of_draws_are_uniform(family):
    eta = np.tile(np.linspace(0.3, 2.0, len(family.parameters)), (4000, 1))
    y = responses(family, eta)
    upper = family.cdf(y, eta)
    lower = family.cdf((y[0] - 1.0, *y[1:]), eta) if family.discrete else upper
    u = lower + np.random.default_rng(5).random(len(eta)) * (upper - lower)
    steps = np.arange(1.0, len(u) + 1.0) / len(u)
    distance = np.max(np.maximum(steps - np.sort(u), np.sort(u) - steps + 1.0 / len(u)))
    assert distance <= 2.2 / np.sqrt(len(u))  # Kolmogorov's law: passed once in ten thousand


@every
@pytest.mark.parametrize("information", ["expected", "observed"])
def test_strict_array_api_gives_what_numpy_gives(family, information):
    eta = inside(family)
    y = responses(family, eta)
    xp = array_api_strict
    ours = family.bind(np, information)(y, eta)
    theirs = family.bind(xp, information)(tuple(xp.asarray(each) for each in y), xp.asarray(eta))
    for one, other in zip(ours, theirs, strict=True):
        assert_allclose(np.asarray(other), one, rtol=1e-11, atol=1e-12)


@every
def test_start_is_inside_and_no_worse_than_far_away(family):
    eta = inside(family, 300)
    y = responses(family, eta)
    first = family.start(y, np.ones(300))
    assert first.shape == (len(family.parameters),)
    value = family.bind(np)(y, np.tile(first, (300, 1)))[0]
    assert np.all(np.isfinite(value))


@every
def test_density_agrees_with_arbitrary_precision(family):
    if family.name in SERIES:
        pytest.skip("a series")
    plain = all(p.link.name in {"log", "logit"} for p in family.parameters)
    points = [-37.0, -5.0, 0.3, 5.0, 40.0] if plain else [-2.0, 0.5, 2.0]
    ys = {"beta": [(1e-10,), (0.3,), (0.999,)], "beta_binomial": [(0.0, 1.0), (3.0, 5.0), (5e5, 1e6)]}
    rng = np.random.default_rng(2)
    for y in ys.get(family.name, [(0.0,), (1.0,), (7.0,), (1e6,)]):
        if not family.support.contains(y[0]):
            continue
        for eta in product(points, repeat=len(family.parameters)):
            if family.name == "generalized_poisson" and eta[1] < 0.0:
                continue
            if rng.random() < (0.6 if len(eta) < 3 else 0.96):
                continue
            if np.isnan(np.stack(family.natural(np, np.array([eta])))).any():
                continue
            got, true = reference.errors(family, y, eta)
            # what one rounding of y moves is the least that can be promised
            floor = 1e-14 * (1.0 + max(y))
            for number, exact in zip(got, true, strict=True):
                assert abs(number - exact) <= 1e-11 * abs(exact) + floor or abs(exact) > 1e300, (y, eta)


@every
def test_nothing_but_overflow_far_out(family):
    count = len(family.parameters)
    if any(p.link.exponent not in (None, 0.0) for p in family.parameters):
        pytest.skip("a link with a bounded domain")
    eta = np.array(list(product([-700.0, -40.0, 0.5, 40.0, 700.0], repeat=count)))
    ys = {"beta": [0.3], "beta_binomial": [3.0]}.get(family.name, [0.0, 1.0, 1e15])
    for y in ys:
        if not family.support.contains(y):
            continue
        rows = (np.full(len(eta), y), *([np.full(len(eta), 7.0)] if "trials" in family.response else []))
        with np.errstate(all="ignore"):
            for part in family.bind(np, "observed")(rows, eta):
                assert not np.any(np.isnan(part))


def test_other_links_are_changes_of_coordinates():
    plain, other = ZeroInflatedPoisson(), ZeroInflatedPoisson(link="sqrt", zero_link="probit")
    y = (np.array([0.0, 0.0, 3.0, 1.0]),)
    eta = np.array([[0.7, -0.4], [1.9, 1.1], [1.2, 0.2], [0.9, -2.0]])
    natural = np.stack(other.natural(np, eta), axis=1)
    assert_allclose(other.bind(np)(y, eta)[0], plain.bind(np)(y, natural)[0], rtol=1e-13)
    outside = other.bind(np)(y, eta * [[-1.0, 1.0]])
    assert np.all(np.isneginf(outside[0]))
    assert not np.any(np.isnan(outside[1]))


@pytest.mark.parametrize(
    ("link", "scale"),
    [
        ("sqrt", LOG),
        ("inverse", LOG),
        (Power(1.5), LOG),
        ("cauchit", LOGIT),
        ("log", LOGIT),
        ("cloglog", LOGIT),
    ],
)
def test_a_bend_is_the_logarithm_and_its_derivatives(link, scale):
    found = link_of(link, scale, "mean")
    eta = np.array([-1.7, -0.4]) if scale == LOGIT else np.array([0.4, 2.3])
    at, step = bend(np, found, scale, eta), 1e-5
    mean = found.inverse(np, eta)
    assert_allclose(at.t, np.log(mean.mu / (mean.complement if scale == LOGIT else 1.0)), rtol=1e-12)
    up, down = (bend(np, found, scale, eta + move) for move in (step, -step))
    assert_allclose(at.d1, (up.t - down.t) / (2 * step), rtol=1e-7)
    assert_allclose(at.d2, (up.d1 - down.d1) / (2 * step), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("link", "scale", "words"),
    [("logit", LOG, "it is a positive number"), ("identy", LOGIT, "there are logit"), (Log, LOG, "positive")],
)
def test_links_that_do_not_fit_are_refused_with_those_that_do(link, scale, words):
    with pytest.raises(LinkError, match=words):
        link_of(link, scale, "mean")


def test_a_family_refuses_a_link_at_once():
    with pytest.raises(LinkError, match="zero"):
        ZeroInflatedPoisson(zero_link="sqrt")
    with pytest.raises(LinkError, match="mean"):
        replace(ZeroInflatedPoisson(), link="probit")
