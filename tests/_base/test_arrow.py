from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu._base import arrow as arrows
from etamu._base.arrow import Arrow, all_finite, entries, largest_eigenvalue, largest_form
from etamu.solve.factor import cholesky

RNG = np.random.default_rng(12)


def arrow_of(k, r, n=400, scale=1.0):
    """The Gram of n rows with a factor of k levels and r numbers, coordinates shuffled."""
    codes, x = RNG.integers(0, k, n) if k else None, RNG.normal(size=(n, r)) * scale
    panel = np.hstack([np.eye(k)[codes] if k else np.zeros((n, 0)), x])
    place = RNG.permutation(k + r)
    spine, rest = place[:k], place[k:]
    w = RNG.random(n) + 0.1
    gram = panel.T @ (w[:, None] * panel)
    gram = 0.5 * (gram + gram.T)
    shuffled = np.zeros_like(panel)
    shuffled[:, place] = panel
    return Arrow(spine, rest, np.diag(gram)[:k].copy(), gram[:k, k:], gram[k:, k:]), shuffled


@pytest.fixture(params=[(7, 3), (20, 1), (5, 0), (0, 4)], ids=lambda shape: f"{shape[0]} and {shape[1]}")
def arrow(request):
    return arrow_of(*request.param)[0]


def test_an_arrow_is_read_as_its_matrix(arrow):
    h = np.asarray(arrow)
    assert h.shape == arrow.shape
    assert np.array_equal(h, h.T)
    assert np.array_equal(arrow.entries(), np.diag(h))
    b = RNG.normal(size=(2, len(arrow)))
    assert_allclose(b @ arrow @ b.T, b @ h @ b.T)
    assert_allclose(arrow @ b[0], h @ b[0])


def test_eliminating_the_spine_is_dense_cholesky(arrow):
    found, dense = cholesky(arrow), cholesky(np.asarray(arrow))
    v = RNG.normal(size=len(arrow))
    assert_allclose(found.solve(v), dense.solve(v), rtol=1e-10, atol=1e-12)
    assert_allclose(found.solve(np.eye(len(arrow))), dense.inverse(), rtol=1e-9, atol=1e-12)
    assert_allclose(found.logdet, dense.logdet, rtol=1e-12)
    assert_allclose(np.asarray(found.inverse()), dense.inverse(), rtol=1e-9, atol=1e-12)
    assert_allclose(found.inverse().entries(), np.diag(dense.inverse()), rtol=1e-10)
    root = found.inverse().root()
    assert_allclose(root @ root.T, dense.inverse(), rtol=1e-9, atol=1e-12)
    rows = RNG.normal(size=(3, len(arrow)))
    lengths = np.einsum("ij,jk,ik->i", rows, dense.inverse(), rows)
    assert_allclose((found.whiten(rows) ** 2).sum(axis=1), lengths, rtol=1e-9)


def test_the_condition_is_that_of_the_matrix_with_unit_diagonal():
    arrow, _ = arrow_of(30, 4)
    size = np.sqrt(arrow.entries())
    exact = math.sqrt(np.linalg.cond(np.asarray(arrow) / size[:, None] / size))
    # the power method comes from below, to a few per cent
    assert 0.8 * exact <= cholesky(arrow).condition <= exact * (1 + 1e-9)


@pytest.mark.parametrize("way", ["negative", "zero", "nan", "singular"])
def test_what_is_not_positive_definite_has_no_factor(way):
    arrow, _ = arrow_of(6, 2)
    diagonal, corner = arrow.diagonal.copy(), arrow.corner.copy()
    if way == "singular":
        corner = arrow.side.T @ (arrow.side / diagonal[:, None])
    else:
        diagonal[2] = {"negative": -1.0, "zero": 0.0, "nan": np.nan}[way]
    bent = Arrow(arrow.spine, arrow.rest, diagonal, arrow.side, corner)
    assert cholesky(bent) is None
    assert all_finite(bent) is (way != "nan")


def test_units_of_columns_cost_nothing():
    arrow, _ = arrow_of(6, 2)
    far = np.exp2(RNG.integers(-200, 200, 8).astype(float))
    scaled = Arrow(
        arrow.spine,
        arrow.rest,
        arrow.diagonal * far[arrow.spine] ** 2,
        arrow.side * far[arrow.spine][:, None] * far[arrow.rest],
        arrow.corner * far[arrow.rest][:, None] * far[arrow.rest],
    )
    v = RNG.normal(size=8)
    assert_allclose(cholesky(scaled).solve(v) * far, cholesky(arrow).solve(v / far), rtol=1e-12)


def test_the_free_bound_bounds_every_row():
    arrow, rows = arrow_of(25, 4)
    inverse = cholesky(arrow).inverse()
    lengths = np.einsum("ij,jk,ik->i", rows, np.asarray(inverse), rows)
    bound = largest_form(inverse, np.abs(rows).max(axis=0))
    assert lengths.max() <= bound
    # and is tighter than what a dense inverse allows without knowing of the spine
    assert bound <= largest_form(np.asarray(inverse), np.abs(rows).max(axis=0)) * (1 + 1e-9)


@pytest.mark.skipif(arrows.kernel is None, reason="not compiled")
@pytest.mark.parametrize("odd", [0.0, np.inf, np.nan], ids=["plain", "infinite", "nan"])
def test_the_compiled_bound_of_groups_is_that_of_numpy(odd: float, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix, extent = RNG.normal(size=(23, 23)), np.abs(RNG.normal(size=23))
    matrix[3, 5] = matrix[3, 5] if odd == 0.0 else odd
    groups = np.r_[np.arange(40, 46), np.repeat([7, 99, 7], [5, 8, 4])]
    mine = largest_form(matrix, extent, groups)
    monkeypatch.setattr(arrows, "kernel", None)
    assert_allclose(mine, largest_form(matrix, extent, groups), rtol=1e-13)


@pytest.mark.skipif(arrows.kernel is None, reason="not compiled")
def test_groups_beyond_their_number_are_refused() -> None:
    with pytest.raises(ValueError, match="beyond their number"):
        arrows.kernel.grouped_form(np.eye(2), np.ones(2), np.array([0, 2]), 2)
    with pytest.raises(ValueError, match="shapes"):
        arrows.kernel.grouped_form(np.eye(2), np.ones(3), np.array([0, 1]), 2)


def test_lifting_makes_a_matrix_with_an_empty_level_solvable():
    arrow, _ = arrow_of(6, 2)
    diagonal, side = arrow.diagonal.copy(), arrow.side.copy()
    diagonal[0], side[0] = 0.0, 0.0
    empty = Arrow(arrow.spine, arrow.rest, diagonal, side, arrow.corner)
    assert cholesky(empty) is None
    assert cholesky(empty.lifted(1e-8)) is not None


def test_entries_of_a_plain_matrix_are_its_diagonal():
    assert entries(np.diag([1.0, 2.0])).tolist() == [1.0, 2.0]


def test_the_power_method_finds_the_largest_eigenvalue():
    values = np.array([0.1, 1.0, 5.0])
    assert math.isclose(largest_eigenvalue(lambda v: values * v, 3), 5.0, rel_tol=0.01)
