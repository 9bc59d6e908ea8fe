from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from etamu.infer.clusters import POWERS, ByCluster, Spectra, adjusted, spectra, spread

RNG = np.random.default_rng(11)
SIZES = (1, 2, 4, 7, 9)
CODES = np.repeat(np.arange(5), SIZES)
N, P = len(CODES), 3


def orthonormal() -> np.ndarray:
    """Return Z = W^{1/2} X L with Z'Z = I, whose projection Z Z' is the hat matrix."""
    return np.linalg.qr(RNG.normal(size=(N, P)))[0]


def whitened(z: np.ndarray, e: np.ndarray) -> Spectra:
    scores = np.array([z[g == CODES].T @ e[g == CODES] for g in range(5)])
    return spectra(scores, np.array([z[g == CODES].T @ z[g == CODES] for g in range(5)]))


def power_of(matrix: np.ndarray, power: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    inverted = np.where(values > 1e-9, np.maximum(values, 1e-9) ** power, 0.0)
    return vectors * inverted @ vectors.T


@pytest.mark.parametrize("kind", ["CR2", "CR3"])
def test_adjusted_scores_are_those_of_the_rows(kind):
    z, e = orthonormal(), RNG.normal(size=N)
    rows = []
    for g in range(5):
        inside = g == CODES
        matrix = np.eye(inside.sum()) - z[inside] @ z[inside].T
        rows.append(z[inside].T @ power_of(matrix, POWERS[kind]) @ e[inside])
    assert_allclose(adjusted(whitened(z, e), POWERS[kind]), rows, rtol=1e-10, atol=1e-12)


def test_the_adjustment_of_cr2_is_unbiased_under_the_working_model():
    # E of the sum of squares of c'z_g over errors of variance 1 is c'c; by the trace, without drawing any.
    z = orthonormal()
    hat = np.eye(N) - z @ z.T
    basis = [adjusted(whitened(z, hat[:, i]), POWERS["CR2"]) for i in range(N)]
    expected = sum(scores.T @ scores for scores in basis)
    assert_allclose(expected, np.eye(P), atol=1e-12)


def test_degrees_of_freedom_are_those_of_the_matrix_of_row_vectors():
    z, contrasts = orthonormal(), RNG.normal(size=(4, P)) * [[1.0], [1e8], [1e-8], [1.0]]
    clusters = whitened(z, np.zeros(N))
    annihilator = np.eye(N) - z @ z.T
    exact = []
    for contrast in contrasts:
        columns = []
        for g in range(5):
            inside = g == CODES
            freed = power_of(np.eye(inside.sum()) - z[inside] @ z[inside].T, -0.5)
            columns.append(annihilator[:, inside] @ freed @ z[inside] @ contrast)
        matrix = np.array(columns) @ np.array(columns).T
        exact.append(np.trace(matrix) ** 2 / np.trace(matrix @ matrix))
    assert_allclose(spread(clusters, contrasts).df(), exact, rtol=1e-10)


def test_spreads_of_clusters_add():
    clusters, contrasts = whitened(orthonormal(), np.zeros(N)), np.eye(P)
    parts = [spread(part, contrasts) for part in clusters.slices(2)]
    assert len(parts) == 3
    assert_allclose((parts[0] + parts[1] + parts[2]).df(), spread(clusters, contrasts).df(), rtol=1e-12)


def test_a_contrast_of_nothing_has_no_degrees_of_freedom():
    assert np.isnan(spread(whitened(orthonormal(), np.zeros(N)), np.zeros((1, P))).df()).all()


def test_a_cluster_that_decides_a_direction_alone_adds_nothing_there():
    # The last column is an indicator of cluster 0: its score in that direction is 0 and 0 / 0 counts 0.
    z = np.linalg.qr(np.column_stack([np.arange(N) > 0, RNG.normal(size=N)]).astype(float))[0]
    z = np.linalg.qr(np.column_stack([CODES == 0, z]).astype(float))[0]
    e = RNG.normal(size=N)
    e -= z @ (z.T @ e)
    for power in POWERS.values():
        scores = adjusted(whitened(z, e), power)
        assert np.all(np.isfinite(scores))
        assert_allclose(scores[0], 0.0, atol=1e-6)


def test_clusters_met_in_two_places_merge():
    left = ByCluster(np.array([1, 4]), np.array([[1.0], [2.0]]), np.array([[[1.0]], [[2.0]]]))
    right = ByCluster(np.array([0, 4]), np.array([[10.0], [20.0]]), np.array([[[10.0]], [[20.0]]]))
    both = left + right
    assert_array_equal(both.keys, [0, 1, 4])
    assert_array_equal(both.scores[:, 0], [10.0, 1.0, 22.0])
    assert both.grams is not None
    assert_array_equal(both.grams[:, 0, 0], [10.0, 1.0, 22.0])
