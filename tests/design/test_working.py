from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu._base.arrow import Arrow
from etamu.design.blocks import Coded, Dense
from etamu.design.design import Design
from etamu.design.layout import ContrastPart, Layout, plain_layout
from etamu.design.working import working_gram

RNG = np.random.default_rng(8)
SUM = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])


def dense_gram(design, layout, kept, w):
    x = layout.gather(design.dense().T).T[:, kept]
    return x.T @ (w[:, None] * x)


@pytest.fixture
def mixed():
    """Intercept and number, a factor by treatment, a factor by sum contrasts, a factor times a number."""
    n = 200
    a, b = RNG.integers(0, 4, n), RNG.integers(0, 3, n)
    x = RNG.normal(size=n)
    blocks = (Dense((np.ones(n), x)), Coded(a, 4), Coded(b, 3), Coded(a, 4, x))
    layout = Layout(
        ("I", "x", "a1", "a2", "a3", "b1", "b2", "z0", "z1", "z2", "z3"),
        (),
        np.array([0, 1, 2, 3, 4, 7, 8, 9, 10]),
        np.array([0, 1, 3, 4, 5, 9, 10, 11, 12]),
        (ContrastPart(slice(5, 7), slice(6, 9), SUM),),
        13,
    )
    return Design(blocks, n), layout


@pytest.mark.parametrize("dropped", [(), (3,), (0, 5, 10)], ids=["all", "a level", "one of each"])
def test_parts_reach_working_coordinates_as_the_matrix_does(mixed, dropped):
    design, layout = mixed
    kept = np.delete(np.arange(11), dropped)
    w = RNG.normal(size=design.length)
    found = working_gram(design.gram_parts(w), layout, kept)
    assert_allclose(found, dense_gram(design, layout, kept, w), rtol=1e-10, atol=1e-10)
    assert np.array_equal(found, np.asarray(found).T)


def test_a_column_taken_twice_meets_itself():
    design = Design((Coded(RNG.integers(0, 3, 50), 3),), 50)
    layout = Layout(("a", "b", "again"), (), np.array([0, 1, 2]), np.array([1, 2, 1]), (), 3)
    w = RNG.normal(size=50)
    found = working_gram(design.gram_parts(w), layout, np.arange(3))
    assert_allclose(found, dense_gram(design, layout, np.arange(3), w), atol=1e-12)


@pytest.mark.parametrize("order", ["large first", "large last"])
def test_a_factor_that_dominates_makes_an_arrow(order):
    n, many = 3_000, 400
    large, small = Coded(RNG.integers(0, many, n), many), Coded(RNG.integers(0, 9, n), 9)
    dense = Dense((np.ones(n), RNG.normal(size=n)))
    blocks = (dense, large, small) if order == "large first" else (dense, small, large)
    design = Design(blocks, n)
    chosen = np.delete(np.arange(design.width), [2, 2 + blocks[1].width])  # the base levels
    names = tuple(map(str, range(len(chosen))))
    layout = Layout(names, (), np.arange(len(chosen)), chosen, (), design.width)
    kept = np.delete(np.arange(len(chosen)), [5, 100])
    w = RNG.normal(size=n)
    found = working_gram(design.gram_parts(w), layout, kept)
    assert isinstance(found, Arrow)
    assert len(found.spine) > many - 4
    assert_allclose(np.asarray(found), dense_gram(design, layout, kept, w), atol=1e-9)


def test_two_wide_factors_make_an_arrow_from_their_cells():
    n, wide = 300, 750
    a, b = RNG.integers(0, wide, n), RNG.integers(0, wide, n)
    for blocks in [(Coded(a, wide), Coded(b, wide)), (Coded(b, wide), Dense((np.ones(n),)), Coded(a, wide))]:
        design = Design(blocks, n)
        layout = plain_layout(tuple(map(str, range(design.width))))
        kept = np.arange(design.width)[:-1]
        w = RNG.normal(size=n)
        found = working_gram(design.gram_parts(w), layout, kept)
        assert isinstance(found, Arrow)
        assert_allclose(np.asarray(found), dense_gram(design, layout, kept, w), atol=1e-10)


def test_without_a_dominant_factor_the_matrix_is_plain(mixed):
    design, layout = mixed
    assert isinstance(working_gram(design.gram_parts(np.ones(200)), layout, np.arange(11)), np.ndarray)


def test_wide_sum_contrasts_are_those_of_the_dense_matrix():
    n, levels = 2_000, 120
    codes, other = RNG.integers(0, levels, n), RNG.integers(0, 3, n)
    matrix = np.vstack([np.eye(levels - 1), -np.ones(levels - 1)])
    design = Design((Dense((np.ones(n),)), Coded(codes, levels), Coded(other, 3)), n)
    layout = Layout(
        tuple(map(str, range(levels + 2))),
        (),
        np.array([0, levels, levels + 1]),
        np.array([0, levels + 2, levels + 3]),
        (ContrastPart(slice(1, levels), slice(1, levels + 1), matrix),),
        levels + 4,
    )
    w = RNG.normal(size=n)
    kept = np.delete(np.arange(levels + 2), [7])
    found = working_gram(design.gram_parts(w), layout, kept)
    assert_allclose(found, dense_gram(design, layout, kept, w), atol=1e-10)


def test_a_contrast_of_part_of_a_block_is_refused():
    design = Design((Coded(np.array([0, 1, 2]), 3),), 3)
    layout = Layout(
        ("a",),
        (),
        np.zeros(0, int),
        np.zeros(0, int),
        (ContrastPart(slice(0, 1), slice(0, 2), SUM[:2, :1]),),
        3,
    )
    with pytest.raises(ValueError, match="whole block"):
        working_gram(design.gram_parts(np.ones(3)), layout, np.arange(1))
