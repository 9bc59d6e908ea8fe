"""The orchestra: solvers by name, covariances by kind, warnings that point at the user's line."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from etamu.fit.estimate import estimate

RNG = np.random.default_rng(12)
N = 300
X = RNG.normal(size=(N, 2))
DATA = {"x": X[:, 0], "z": X[:, 1], "y": RNG.poisson(np.exp(0.3 + 0.4 * X[:, 0])).astype(float)}
DESIGN = np.column_stack([np.ones(N), X])


def dense_pieces(fit: em.Fit, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mu = fit.predict()
    bread = np.linalg.inv(DESIGN.T @ ((weight * mu)[:, None] * DESIGN))
    return bread, DESIGN * (DATA["y"] - mu)[:, None]


def test_the_model_covariance_is_the_inverse_information():
    fit = em.glm("y ~ x + z", DATA, "poisson")
    assert_allclose(fit.cov, dense_pieces(fit, np.ones(N))[0], rtol=1e-9)


@pytest.mark.parametrize(("kind", "factor"), [("HC0", 1.0), ("HC1", N / (N - 3))])
def test_a_sandwich_is_bread_meat_bread(kind, factor):
    fit = em.glm("y ~ x + z", DATA, "poisson", covariance=kind)
    bread, scores = dense_pieces(fit, np.ones(N))
    assert_allclose(fit.cov, factor * bread @ (scores.T @ scores) @ bread, rtol=1e-8)
    assert fit.covariance_kind == kind


def test_the_meat_counts_each_kind_of_weight_as_it_should():
    k, w = RNG.integers(1, 4, N).astype(float), RNG.uniform(0.5, 2.0, N)
    fit = em.glm("y ~ x + z", DATA, "poisson", frequency_weights=k, variance_weights=w, covariance="HC0")
    bread, scores = dense_pieces(fit, k * w)
    meat = scores.T @ ((k * w**2)[:, None] * scores)
    assert_allclose(fit.cov, bread @ meat @ bread, rtol=1e-8)


def test_sampling_weights_take_a_sandwich_and_ignore_their_scale():
    s = RNG.uniform(1.0, 30.0, N)
    fit, scaled = (em.glm("y ~ x + z", DATA, "poisson", sampling_weights=c * s) for c in (1.0, 7.0))
    normalised = s * N / s.sum()
    bread, scores = dense_pieces(fit, normalised)
    meat = scores.T @ ((normalised**2)[:, None] * scores) * N / (N - 1)
    assert_allclose(fit.cov, bread @ meat @ bread, rtol=1e-8)
    assert_allclose(scaled.cov, fit.cov, rtol=1e-9)
    assert fit.nobs == N


def test_observed_information_differs_where_the_link_is_not_canonical():
    model = em.glm("y ~ x", DATA, "poisson", "sqrt")
    observed = em.glm("y ~ x", DATA, "poisson", "sqrt", covariance="observed")
    assert_allclose(model.coef, observed.coef)
    assert np.all(np.abs(observed.se / model.se - 1) > 1e-4)
    canonical = em.glm("y ~ x", DATA, "poisson"), em.glm("y ~ x", DATA, "poisson", covariance="observed")
    assert_allclose(canonical[0].cov, canonical[1].cov, rtol=1e-12)


def test_ill_conditioned_columns_keep_their_standard_errors():
    # cond(X) = 1e7 leaves a Gram two digits; the covariance must not come from it.
    x = np.linspace(0.0, 1.0, N)
    near = x + 1e-7 * RNG.normal(size=N)
    fit = em.glm("y ~ x + near", {"y": RNG.normal(size=N), "x": x, "near": near})
    dense = np.column_stack([np.ones(N), x, near - x])
    exact = np.linalg.inv(dense.T @ dense)[2, 2] ** 0.5 * np.sqrt(fit.dispersion)
    assert_allclose(fit.se[2], exact, rtol=1e-6)


def test_warnings_point_at_the_line_that_called():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        em.glm("y ~ x + d", {"y": [1.0, 2.0, 4.0], "x": [0.0, 1.0, 2.0], "d": [0.0, 2.0, 4.0]})
    assert [warning.filename for warning in caught] == [__file__]


def test_the_trace_tells_how_the_maximum_was_reached():
    fit = em.glm("y ~ x + z", DATA, "poisson")
    values = [step.value for step in fit.trace]
    assert values == sorted(values)
    assert fit.iterations == len(fit.trace)
    assert fit.passes >= fit.iterations
    assert fit.trace[-1].decrement < 1e-6 < fit.trace[0].decrement
    assert fit.trace[0].lambda_rho > fit.trace[-1].lambda_rho


def test_the_start_given_is_where_the_search_begins():
    best = em.glm("y ~ x", DATA, "poisson")
    again = em.glm("y ~ x", DATA, "poisson", start=best.coef)
    assert again.iterations <= 1
    assert_allclose(again.coef, best.coef, rtol=1e-10)


def test_a_model_without_coefficients_is_a_model():
    fit = em.glm("y ~ 0", DATA, "poisson")
    assert fit.coef.shape == (0,)
    assert fit.rank == 0
    assert_allclose(fit.predict(), 1.0)
    assert "No coefficients" in str(fit.summary()) or fit.names == ()


@pytest.mark.parametrize("threads", [1, 3])
def test_many_fits_at_once_give_the_serial_answer(threads):
    from concurrent.futures import ThreadPoolExecutor

    serial = em.glm("y ~ x + z", DATA, "poisson").coef
    with ThreadPoolExecutor(threads) as pool:
        answers = list(pool.map(lambda _: em.glm("y ~ x + z", DATA, "poisson").coef, range(6)))
    assert all(np.array_equal(answer, serial) for answer in answers)


@pytest.fixture(scope="module")
def levels():
    """Rows of 400 and 12 levels, which a fit by parts eliminates."""
    rng = np.random.default_rng(4)
    a, b = rng.integers(0, 400, 40_000), rng.integers(0, 12, 40_000)
    x = rng.normal(size=40_000)
    eta = 0.4 + 0.2 * x + rng.normal(size=400)[a] * 0.3 + rng.normal(size=12)[b] * 0.3
    names = np.array([f"a{j:03d}" for j in range(400)])
    return {"y": rng.poisson(np.exp(eta)), "x": x, "a": names[a], "b": np.array(list("abcdefghijkl"))[b]}


@pytest.mark.parametrize("covariance", [None, "observed", "HC1"])
def test_a_fit_that_eliminates_a_factor_is_the_fit_that_does_not(levels, covariance, monkeypatch):
    options = {"family": em.Poisson(), "link": "sqrt", "covariance": covariance}
    eliminated = em.glm("y ~ a + x + b", levels, **options)
    monkeypatch.setattr("etamu.design.working.DOMINANT", 10_000)
    dense = em.glm("y ~ a + x + b", levels, **options)
    assert eliminated.converged
    assert dense.converged
    assert_allclose(eliminated.coef, dense.coef, rtol=1e-9, atol=1e-10)
    assert_allclose(eliminated.se, dense.se, rtol=1e-9)
    assert eliminated.deviance == pytest.approx(dense.deviance, rel=1e-13)


def test_a_wide_fit_is_the_same_bits_whatever_the_number_of_threads(levels):
    fit = em.glm("y ~ a + x + b", levels, "poisson")
    options = [replace(fit.problem.options, block_rows=4_096, threads=threads) for threads in (1, 2)]
    one, two = (estimate(replace(fit.problem, options=option)) for option in options)
    assert np.array_equal(one.coef, two.coef)
    assert np.array_equal(one.se, two.se)
    assert_allclose(one.coef, fit.coef, rtol=1e-9, atol=1e-10)
