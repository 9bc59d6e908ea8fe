"""Rows in the coordinates of an estimate: information, its inverse and leverages against dense matrices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import etamu as em
from etamu._base.types import Want
from etamu.fit.placed import Bread, Placed, bread, leverages, placed, score_and_information, visits, whitened
from etamu.fit.problem import Options
from etamu.infer.covariance import Root

N = 50
RNG = np.random.default_rng(12)
Z = RNG.normal(40.0, 2.0, N)
GROUP = np.arange(N) % 3
DATA: dict[str, Any] = {
    "z": Z,
    "g": np.array(["a", "b", "c"])[GROUP],
    "k": RNG.integers(1, 4, N).astype(float),
    "v": RNG.uniform(0.5, 2.0, N),
    "y": RNG.poisson(5.0, N).astype(float) + 1.0,
}
X = np.column_stack([np.ones(N), Z, GROUP == 1, GROUP == 2]).astype(float)
PLAIN = em.glm("y ~ z + g", DATA, "poisson")
WEIGHTED = em.glm("y ~ z + g", DATA, "poisson", "sqrt", frequency_weights="k", variance_weights="v")
FITS = [PLAIN, WEIGHTED]
IDS = ["log", "sqrt weighted"]


INDEFINITE = np.ones((4, 4)) + np.diag([0.5, 0.5, -0.9, 0.5])


def at(fit: em.Fit) -> Placed:
    return placed(fit.problem, fit.problem.counting(), fit.coordinates, fit.beta)


def parts(fit: em.Fit) -> tuple[np.ndarray, np.ndarray]:
    """Score and expected information of single copies by hand: log, and sqrt where mu = eta^2."""
    eta, y = X @ fit.coef, DATA["y"]
    if fit is PLAIN:
        return y - np.exp(eta), np.exp(eta)
    return DATA["v"] * 2.0 * (y / eta - eta), DATA["v"] * 4.0


def copies(fit: em.Fit) -> np.ndarray:
    return np.ones(N) if fit is PLAIN else DATA["k"]


@pytest.mark.parametrize("fit", FITS, ids=IDS)
def test_score_and_information_of_a_single_copy_by_hand(fit: em.Fit) -> None:
    here = at(fit)
    score, information = score_and_information(here.executor.whole, here)
    expected, w = parts(fit)
    assert_allclose(score, expected, rtol=1e-9, atol=1e-9)
    assert_allclose(information, w, rtol=1e-10)


@pytest.mark.parametrize("fit", FITS, ids=IDS)
def test_the_information_is_that_of_the_dense_matrix(fit: em.Fit) -> None:
    """Working coordinates are an invertible map of the reported ones: B = S (S'GS)^-1 S' = G^-1."""
    here = at(fit)
    information = here.information(Want.EXPECTED)
    assert information is not None
    assert_allclose(information, information.T, rtol=0, atol=0)
    gram = X.T @ ((copies(fit) * parts(fit)[1])[:, None] * X)
    reported = fit.coordinates.reported_covariance(np.linalg.inv(information))
    assert_allclose(reported, np.linalg.inv(gram), rtol=1e-7)


def test_observed_and_expected_information_agree_for_the_canonical_link_only() -> None:
    one, other = (at(PLAIN).information(want) for want in (Want.EXPECTED, Want.OBSERVED))
    assert one is not None
    assert_allclose(one, other, rtol=1e-12, atol=1e-9)
    here = at(WEIGHTED)
    observed = here.information(Want.OBSERVED)
    assert observed is not None
    eta = X @ WEIGHTED.coef  # -l'' of y log eta^2 - eta^2
    w = DATA["k"] * DATA["v"] * 2.0 * (DATA["y"] / eta**2 + 1.0)
    reported = WEIGHTED.coordinates.reported_covariance(np.linalg.inv(observed))
    assert_allclose(reported, np.linalg.inv(X.T @ (w[:, None] * X)), rtol=1e-7)


@pytest.mark.parametrize("fit", FITS, ids=IDS)
def test_bread_is_a_root_of_the_inverse(fit: em.Fit) -> None:
    here = at(fit)
    information = here.information(Want.EXPECTED)
    made = bread(here, information)
    assert made.usable
    assert not made.delicate
    assert_allclose(made.root.covariance() @ information, np.eye(4), atol=1e-10)


def test_bread_of_an_ill_conditioned_design_comes_from_a_triangle_and_keeps_its_digits() -> None:
    t = np.linspace(-1.0, 1.0, N)
    data = {"y": np.sin(3.0 * t), "t": t, "u": t + 1e-5 * np.cos(9.0 * t)}
    fit = em.glm("y ~ t + u", data, "gaussian")
    here = at(fit)
    information = here.information(Want.EXPECTED)
    made = bread(here, information)
    assert made.delicate
    q, _ = np.linalg.qr(np.column_stack([np.ones(N), t, data["u"]]))
    whole = here.executor.whole
    assert_allclose(leverages(whole, here, made, np.ones(N)), np.sum(q**2, axis=1), rtol=1e-8)
    assert not bread(here, information, observed=True).delicate


@pytest.mark.parametrize(
    "information",
    [
        None,
        np.full((4, 4), np.nan),
        np.diag([1.0, 1.0, 1.0, np.inf]),
        np.ones((4, 4)) + np.diag([0.5, 0.5, -0.9, 0.5]),
    ],
    ids=["none", "nan", "infinite", "indefinite"],
)
def test_bread_that_cannot_be_made_is_nan_and_says_so(information: Any) -> None:
    made = bread(at(PLAIN), information, observed=True)
    assert not made.usable
    assert made.root.matrix.shape == (4, 4)
    assert np.isnan(made.root.matrix).all()


@pytest.mark.parametrize("delicate", [False, True])
@pytest.mark.parametrize("fit", FITS, ids=IDS)
def test_leverages_are_the_diagonal_of_the_hat_matrix_on_both_paths(fit: em.Fit, delicate: bool) -> None:
    here = at(fit)
    made = replace(bread(here, here.information(Want.EXPECTED)), delicate=delicate)
    whole = here.executor.whole
    h = leverages(whole, here, made, score_and_information(whole, here)[1])
    w = parts(fit)[1]
    gram = X.T @ ((copies(fit) * w)[:, None] * X)
    assert_allclose(h, w * np.einsum("ij,ji->i", X, np.linalg.solve(gram, X.T)), rtol=1e-8)
    assert np.sum(copies(fit) * h) == pytest.approx(4.0, rel=1e-9)


@pytest.mark.parametrize("fit", FITS, ids=IDS)
def test_whitened_rows_are_orthonormal_under_the_weights(fit: em.Fit) -> None:
    here = at(fit)
    white = whitened(here.executor.whole, here, bread(here, here.information(Want.EXPECTED)))
    w = copies(fit) * parts(fit)[1]
    assert_allclose(white.T @ (w[:, None] * white), np.eye(4), atol=1e-9)


def test_visits_leave_to_threads_what_was_not_chosen() -> None:
    assert visits(Options()) == {}
    assert visits(Options(block_rows=7)) == {"rows": 7}
    assert visits(Options(block_rows=7, threads=2)) == {"rows": 7, "threads": 2}


def test_blocks_and_threads_change_sums_by_rounding_at_most() -> None:
    problem = replace(WEIGHTED.problem, options=Options(block_rows=3, threads=2))
    many = placed(problem, problem.chunk, WEIGHTED.coordinates, WEIGHTED.beta)
    assert_allclose(
        many.information(Want.EXPECTED), at(WEIGHTED).information(Want.EXPECTED), rtol=1e-12, atol=1e-9
    )


def test_placing_keeps_the_rows_and_their_clusters() -> None:
    codes = np.arange(N)
    here = placed(
        PLAIN.problem, replace(PLAIN.problem.chunk, cluster=(codes,)), PLAIN.coordinates, PLAIN.beta
    )
    assert_array_equal(here.executor.whole.cluster[0], codes)
    assert_array_equal(here.executor.whole.row_ids, codes)
    assert_allclose(here.executor.whole.predictors[0].eta(here.raw), X @ PLAIN.coef, rtol=1e-10)


def test_bread_is_usable_only_if_every_number_is_finite() -> None:
    assert Bread(Root(np.eye(2))).usable
    assert Bread(Root(np.zeros((0, 0)))).usable
    assert not Bread(Root(np.array([[1.0, np.inf], [0.0, 1.0]]))).usable
