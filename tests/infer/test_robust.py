from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu.infer.covariance import Root, filled
from etamu.infer.robust import INFLATIONS, indefinite, nearest, remaining

RNG = np.random.default_rng(7)
H = np.array([0.0, 0.1, 0.5, 0.9])


@pytest.mark.parametrize(
    ("kind", "exact"),
    [
        ("HC0", np.ones(4)),
        ("HC1", np.ones(4)),
        ("HC2", 1 / (1 - H)),
        ("HC3", 1 / (1 - H) ** 2),
        ("HC4", (1 - H) ** -np.minimum(4.0, H / 0.2)),
    ],
)
def test_inflations_are_those_of_their_papers(kind, exact):
    assert_allclose(INFLATIONS[kind](H, 0.2), exact, rtol=1e-15)


def test_every_inflation_is_another():
    values = np.array([INFLATIONS[kind](H[1:], 0.2) for kind in ("HC0", "HC2", "HC3", "HC4")])
    assert all(np.all(one != other) for i, one in enumerate(values) for other in values[:i])


def test_where_nothing_remains_nothing_counts():
    assert remaining(np.array([1.0, 1.0 - 1e-12, 1.0 + 1e-15]), -2.0).tolist() == [0.0, 0.0, 0.0]


def test_rounding_is_not_indefinite_and_a_negative_eigenvalue_is():
    x = RNG.normal(size=(3, 5))
    assert not indefinite(x.T @ x)
    assert indefinite(np.diag([1.0, -0.01]))
    assert not indefinite(np.zeros((0, 0)))


def test_the_nearest_covariance_is_that_of_clipped_eigenvalues():
    bread, change = Root(RNG.normal(size=(3, 3))), RNG.normal(size=(3, 3))
    meat = np.diag([3.0, 1.0, -0.5])
    root = nearest(bread, meat, change @ bread.matrix)
    exact = change @ bread.matrix @ meat @ bread.matrix.T @ change.T
    values, vectors = np.linalg.eigh(exact)
    assert values[0] < 0
    clipped = vectors @ np.diag(np.maximum(values, 0)) @ vectors.T
    assert_allclose(change @ root.covariance() @ change.T, clipped, rtol=1e-9, atol=1e-9)


def test_what_is_not_finite_gives_nan_and_no_error():
    assert np.isnan(filled(Root(np.eye(2)), np.full((2, 2), np.inf)).matrix).all()
