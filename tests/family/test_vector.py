"""Every family of several linear predictors of the catalogue: derivatives, information, tails, namespaces."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest

from tests.catalogue import VECTORS

SIZE = 40
every = pytest.mark.parametrize("family", VECTORS, ids=[str(family) for family in VECTORS])


def points(family, seed=0, spread=2.0):
    """Responses and etas inside the domain: where thresholds stand, they increase."""
    rng = np.random.default_rng(seed)
    eta = rng.normal(scale=spread, size=(SIZE, len(family.parameters)))
    if getattr(family, "ordered", False):
        eta[:, :-1] = np.sort(eta[:, :-1], axis=1) + 0.1 * np.arange(eta.shape[1] - 1)
    if len(family.response) > 1:
        return tuple(rng.integers(0, 6, (len(family.response), SIZE)).astype(float)), eta
    return (rng.integers(0, len(family.settings["levels"]), SIZE).astype(float),), eta


def slopes(function, eta, step=1e-3):
    """Differentiate by six points, (n, …, k); the error is about 1e-13."""
    columns = []
    for j in range(eta.shape[1]):
        move = np.zeros(eta.shape[1])
        move[j] = step
        one, two, three = (function(eta + t * move) - function(eta - t * move) for t in (1, 2, 3))
        columns.append((45.0 * one - 9.0 * two + three) / (60.0 * step))
    return np.stack(columns, axis=-1)


@every
def test_score_and_observed_information_are_derivatives_of_the_value(family):
    y, eta = points(family)
    bound = family.bind(np, "observed")
    _, score, information = bound(y, eta)
    size = 1.0 + np.abs(score).max()
    np.testing.assert_allclose(score, slopes(lambda at: bound(y, at)[0], eta), atol=1e-7 * size)
    bends = -slopes(lambda at: bound(y, at)[1], eta)
    np.testing.assert_allclose(information, bends, atol=1e-7 * (1.0 + np.abs(bends).max()))


@every
def test_expected_information_is_the_mean_of_squared_scores(family):
    y, eta = points(family)
    trials = np.sum(y, axis=0) if len(y) > 1 else 1.0
    single = family.among(family.settings["levels"])
    bound, p = single.bind(np), family.mean(np, eta)
    total = np.zeros((SIZE, eta.shape[1], eta.shape[1]))
    mean = np.zeros_like(eta)
    for c in range(p.shape[1]):
        score = bound((np.full(SIZE, float(c)),), eta)[1]
        mean += p[:, c, None] * score
        total += p[:, c, None, None] * score[:, :, None] * score[:, None, :]
    np.testing.assert_allclose(mean, 0.0, atol=1e-12)
    expected = family.bind(np, "expected")(y, eta)[2]
    np.testing.assert_allclose(expected, np.reshape(trials, (-1, 1, 1)) * total, rtol=1e-10, atol=1e-12)


@every
def test_the_value_is_the_log_likelihood_less_what_depends_on_the_response_alone(family):
    y, eta = points(family)
    value, log_p = family.bind(np)(y, eta)[0], family.log_probabilities(np, eta)
    if len(y) == 1:
        np.testing.assert_allclose(value, np.take_along_axis(log_p, y[0].astype(int)[:, None], 1)[:, 0])
        assert not family.saturated(y).any()
    else:
        from scipy.special import gammaln

        counts = np.stack(y, axis=1)
        whole = (
            (counts * log_p).sum(axis=1) + gammaln(counts.sum(axis=1) + 1) - gammaln(counts + 1).sum(axis=1)
        )
        np.testing.assert_allclose(value + family.saturated(y), whole, rtol=1e-12, atol=1e-12)
        assert np.all(value <= 0.0)


@every
def test_counts_are_classes_that_many_times(family):
    if len(family.response) == 1:
        pytest.skip("the response is a class")
    y, eta = points(family)
    score, information = family.bind(np, "observed")(y, eta)[1:]
    single = family.among(family.settings["levels"]).bind(np, "observed")
    parts = [single((np.full(SIZE, float(c)),), eta) for c in range(len(y))]
    np.testing.assert_allclose(
        score, sum(n[:, None] * part[1] for n, part in zip(y, parts, strict=True)), rtol=1e-9, atol=1e-9
    )
    summed = sum(n[:, None, None] * part[2] for n, part in zip(y, parts, strict=True))
    np.testing.assert_allclose(information, summed, rtol=1e-9, atol=1e-9)


@every
def test_array_api_strict_agrees(family):
    y, eta = points(family)
    ours = family.bind(np, "observed")(y, eta)
    xp = array_api_strict
    theirs = family.bind(xp, "observed")(tuple(xp.asarray(c) for c in y), xp.asarray(eta))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, np.asarray(other), rtol=1e-13, atol=1e-300)


@every
def test_nothing_is_lost_far_out(family):
    """The class that is left has log-probability near 0; those that lost have theirs, never -inf."""
    count = len(family.parameters)
    for far in (37.0, 40.0, 700.0):
        for direction in np.vstack([np.eye(count), -np.eye(count)]):
            eta = far * direction[None, :]
            if getattr(family, "ordered", False):
                eta = np.array([[*np.linspace(-1.0, 1.0, count - 1), far * direction.sum()]])
            with np.errstate(all="ignore"):
                log_p = family.log_probabilities(np, eta)
            certain = getattr(family.settings.get("link"), "name", "") in {"cloglog", "loglog"}
            assert np.all(log_p <= 0.0)
            assert certain or np.all(np.isfinite(log_p))
            np.testing.assert_allclose(np.exp(log_p).sum(), 1.0, rtol=1e-14)


@every
def test_both_tails_add_to_one_and_draws_follow_them(family):
    if len(family.response) > 1:
        pytest.skip("the response is several counts")
    y, eta = points(family)
    np.testing.assert_allclose(family.cdf(y, eta) + family.sf(y, eta), 1.0, rtol=1e-14)
    rows = np.repeat(eta[:1], 20_000, axis=0)
    drawn = family.sample(np.random.default_rng(1), rows)
    shares = np.bincount(drawn.astype(int), minlength=4) / len(rows)
    np.testing.assert_allclose(shares, family.mean(np, eta[:1])[0], atol=0.015)


@every
def test_the_start_has_the_shares_of_the_sample(family):
    y, _ = points(family)
    eta = family.start(y, np.ones(SIZE))
    shares = family.shares(y, np.ones(SIZE))
    np.testing.assert_allclose(family.mean(np, eta[None, :])[0], shares, rtol=1e-10)
