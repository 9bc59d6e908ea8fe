from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from etamu.design.layout import ContrastPart, Layout, TermColumns, plain_layout

SUM = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
LAYOUT = Layout(
    ("Intercept", "g1", "g2", "x"),
    (TermColumns("Intercept", slice(0, 1)), TermColumns("g", slice(1, 3)), TermColumns("x", slice(3, 4))),
    np.array([0, 3]),
    np.array([0, 4]),
    (ContrastPart(slice(1, 3), slice(1, 4), SUM),),
    5,
)


def test_expand_gives_every_level_its_effect():
    assert LAYOUT.expand(np.array([10.0, 1.0, 2.0, 7.0])).tolist() == [10.0, 1.0, 2.0, -3.0, 7.0]


def test_gather_is_the_transpose_of_expand():
    rng = np.random.default_rng(0)
    beta, raw = rng.normal(size=4), rng.normal(size=5)
    assert_allclose(LAYOUT.expand(beta) @ raw, beta @ LAYOUT.gather(raw))
    matrix = LAYOUT.expand(np.eye(4))
    assert_allclose(LAYOUT.gather(np.eye(5)), matrix.T)


def test_a_plain_layout_reports_columns_as_they_stand():
    plain = plain_layout(("a", "Intercept"), intercept=1)
    assert np.array_equal(plain.expand(np.array([3.0, 4.0])), [3.0, 4.0])
    assert np.array_equal(plain.constant, [0.0, 1.0])
    assert plain_layout(("a",)).constant is None


def wide(levels):
    """Sum contrasts of many levels, between an intercept and a number."""
    matrix = np.vstack([np.eye(levels - 1), -np.ones(levels - 1)])
    part = ContrastPart(slice(1, levels), slice(1, levels + 1), matrix)
    names = tuple(map(str, range(levels + 1)))
    return Layout(names, (), np.array([0, levels]), np.array([0, levels + 1]), (part,), levels + 2)


def test_contrasts_that_are_mostly_zero_are_applied_as_such():
    layout = wide(200)
    part = layout.parts[0]
    assert part.operator.nnz == 2 * 199
    rng = np.random.default_rng(2)
    beta, raw = rng.normal(size=(201, 3)), rng.normal(size=(202, 3))
    assert_allclose(layout.expand(beta)[1:201], part.matrix @ beta[1:200], rtol=1e-13)
    assert_allclose(layout.gather(raw)[1:200], part.matrix.T @ raw[1:201], rtol=1e-13)
    assert_allclose(layout.expand(beta[:, 0]), layout.expand(beta)[:, 0])


def test_a_small_or_full_contrast_stays_a_matrix():
    assert LAYOUT.parts[0].operator is SUM
    full = ContrastPart(slice(0, 99), slice(0, 100), np.ones((100, 99)))
    assert full.operator is full.matrix
