"""The Fit: its facts follow from its parts, agree with each other, and do not change."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtr, stdtr

import etamu as em
from etamu._base.errors import NotAvailableError

N = 30
RNG = np.random.default_rng(8)
DATA: dict[str, Any] = {
    "x": RNG.normal(size=N),
    "herd": np.arange(N) % 6,
    "y": RNG.poisson(4.0, N).astype(float),
}
X = np.column_stack([np.ones(N), DATA["x"]])
POISSON = em.glm("y ~ x", DATA, "poisson")
GAUSSIAN = em.glm("y ~ x", DATA, "gaussian")
CLUSTERED = POISSON.with_covariance("CR2", cluster="herd")


def test_the_gaussian_fit_is_least_squares() -> None:
    beta, rss = np.linalg.lstsq(X, DATA["y"], rcond=None)[:2]
    assert_allclose(GAUSSIAN.coef, beta, rtol=1e-12)
    assert_allclose(GAUSSIAN.cov, np.linalg.inv(X.T @ X) * rss[0] / (N - 2), rtol=1e-10)
    assert GAUSSIAN.dispersion == pytest.approx(rss[0] / (N - 2), rel=1e-12)


@pytest.mark.parametrize("fit", [POISSON, GAUSSIAN, CLUSTERED], ids=["poisson", "gaussian", "CR2"])
def test_standard_errors_statistics_and_covariance_agree(fit: em.Fit) -> None:
    assert_allclose(fit.se**2, np.diag(fit.cov), rtol=1e-12)
    assert_allclose(fit.statistic * fit.se, fit.coef, rtol=1e-14)
    root = fit.reported_root.matrix
    assert_allclose(root @ root.T, fit.cov, rtol=1e-13)


def test_p_values_are_normal_or_of_t_with_the_residual_degrees_of_freedom() -> None:
    assert POISSON.reference_df == math.inf
    assert GAUSSIAN.reference_df == N - 2
    assert_allclose(POISSON.p_values, 2.0 * ndtr(-np.abs(POISSON.statistic)), rtol=1e-12)
    assert_allclose(GAUSSIAN.p_values, 2.0 * stdtr(N - 2, -np.abs(GAUSSIAN.statistic)), rtol=1e-10)


def test_contrasts_of_single_coefficients_have_the_degrees_of_freedom_of_these() -> None:
    assert_allclose(CLUSTERED.contrast_df(np.eye(2)), CLUSTERED.reference_df, rtol=1e-10)
    assert_allclose(CLUSTERED.contrast_df([0.0, -5.0]), CLUSTERED.reference_df[1:], rtol=1e-10)
    assert POISSON.contrast_df(np.eye(2)) == math.inf
    assert POISSON.with_covariance("CR1", cluster="herd").contrast_df(np.eye(2)) == 5


def test_criteria_count_the_dispersion_only_where_it_was_estimated() -> None:
    assert (POISSON.rank, POISSON.parameters) == (2, 2)
    assert (GAUSSIAN.rank, GAUSSIAN.parameters) == (2, 3)
    for fit in (POISSON, GAUSSIAN):
        assert fit.aic == pytest.approx(-2.0 * fit.loglik + 2.0 * fit.parameters, rel=1e-14)
        assert fit.bic - fit.aic == pytest.approx(fit.parameters * (math.log(N) - 2.0), rel=1e-12)


def test_an_aliased_coefficient_is_nan_in_every_array_and_counts_in_none() -> None:
    with pytest.warns(em.AliasWarning):
        fit = em.glm("y ~ x + again", DATA | {"again": 3.0 * DATA["x"]}, "poisson")
    assert (fit.aliased, fit.rank, fit.df_resid) == (("again",), 2, N - 2)
    for values in (fit.coef, fit.se, fit.statistic, fit.p_values, np.diag(fit.cov)):
        assert_array_equal(np.isnan(values), [False, False, True])
    assert_allclose(fit.coef[:2], POISSON.coef, rtol=1e-12)


def test_without_its_factor_a_fit_keeps_standard_errors_and_refuses_the_covariance() -> None:
    bare = replace(GAUSSIAN, factor=None, kept_se=GAUSSIAN.se)
    assert_array_equal(bare.se, GAUSSIAN.se)
    assert_array_equal(bare.p_values, GAUSSIAN.p_values)
    for question in ("root", "cov", "reported_root"):
        with pytest.raises(NotAvailableError, match=r"covariance, which was left out.*covariance=True"):
            getattr(bare, question)


def test_a_fit_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        POISSON.deviance = 0.0  # type: ignore[misc]


def test_the_way_there_is_kept() -> None:
    assert POISSON.converged
    assert POISSON.iterations == len(POISSON.trace) > 0
    assert POISSON.passes >= POISSON.iterations
    another = next(o for o in type(POISSON.outcome) if o is not POISSON.outcome)
    other = replace(POISSON.solution, outcome=another)
    assert not replace(POISSON, solution=other).converged


def test_what_the_model_is_and_how_it_is_shown() -> None:
    assert (POISSON.names, POISSON.formula, POISSON.notes) == (("Intercept", "x"), "y ~ x", ())
    assert (POISSON.family.name, POISSON.link.name) == ("poisson", "log")
    assert repr(POISSON) == str(POISSON.summary())
    assert "Intercept" in repr(POISSON)
    assert POISSON._repr_html_() == POISSON.summary().html
