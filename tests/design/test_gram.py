from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu.design.blocks import Coded, Dense
from etamu.design.design import Design
from etamu.design.gram import Cells, Diagonal, Table, gram_of, kept_sparse

RNG = np.random.default_rng(6)


def test_parts_are_the_matrix(everything):
    design, x = everything
    w = RNG.normal(size=len(x))
    gram = design.gram_parts(w)
    assert_allclose(gram.dense(), x.T @ (w[:, None] * x), rtol=1e-9, atol=1e-5)
    assert np.array_equal(np.asarray(gram), gram.dense())


def test_grams_of_rows_add_to_the_gram_of_all(everything):
    design, x = everything
    w = RNG.normal(size=len(x))
    added = design.rows(0, 9).gram_parts(w[:9]) + design.rows(9, len(x)).gram_parts(w[9:])
    # the columns go up to 1e4, so their products to 1e8: 1e-6 is their rounding
    assert_allclose(added.dense(), design.gram(w), rtol=1e-10, atol=1e-6)


def test_a_coded_block_is_a_diagonal_of_its_levels():
    gram = gram_of((Coded(np.array([0, 2, 2]), 3),), np.array([1.0, 2.0, -5.0]))
    part = gram.parts[0, 0]
    assert isinstance(part, Diagonal)
    assert part.values.tolist() == [1.0, 0.0, -3.0]


@pytest.mark.parametrize("first", ["codes", "numbers"])
def test_codes_and_numbers_meet_in_either_order(first):
    codes, x = RNG.integers(0, 3, 20), RNG.normal(size=(20, 2))
    blocks = (Coded(codes, 3), Dense((x,))) if first == "codes" else (Dense((x,)), Coded(codes, 3))
    design = Design(blocks, 20)
    w = RNG.normal(size=20)
    panel = design.dense()
    assert_allclose(design.gram(w), panel.T @ (w[:, None] * panel), rtol=1e-12, atol=1e-12)


def test_two_factors_of_20_000_levels_keep_only_the_pairs_that_occur():
    n, levels = 5_000, 20_000
    a, b = RNG.integers(0, levels, n), RNG.integers(0, levels, n)
    design = Design((Coded(a, levels), Coded(b, levels)), n)
    halves = design.rows(0, 2_000).gram_parts(np.ones(2_000)) + design.rows(2_000, n).gram_parts(
        np.ones(3_000)
    )
    part = halves.parts[0, 1]
    assert isinstance(part, Cells)
    cells, counts = np.unique(a * levels + b, return_counts=True)
    assert np.array_equal(part.cells, cells)
    assert np.array_equal(part.values, counts)


def test_a_sparse_table_becomes_a_table_once_it_is_full():
    cells = np.arange(3)
    assert isinstance(kept_sparse(cells, np.ones(3), (3, 4)), Cells)
    full = kept_sparse(cells, np.ones(3), (3, 3))
    assert isinstance(full, Table)
    assert full.values.tolist() == [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]


def test_sparse_and_dense_tables_add_in_any_order():
    cells = Cells(np.array([1, 5]), np.array([1.0, 2.0]), (2, 100))
    table = Table(np.ones((2, 100)))
    expected = cells.dense() + table.values
    assert np.array_equal((cells + table).dense(), expected)
    assert np.array_equal((table + cells).dense(), expected)
    assert np.array_equal((cells + cells).dense(), 2.0 * cells.dense())
