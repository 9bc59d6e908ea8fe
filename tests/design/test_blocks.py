from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

RNG = np.random.default_rng(0)


def test_matvec_is_the_matrix_times_a_vector(block):
    one, x = block
    beta = RNG.normal(size=x.shape[1])
    assert_allclose(one.matvec(beta), x @ beta, rtol=1e-12, atol=1e-12)


def test_rmatvec_is_the_transpose_times_a_vector(block):
    one, x = block
    v = RNG.normal(size=len(x))
    assert_allclose(one.rmatvec(v), x.T @ v, rtol=1e-11, atol=1e-10)


def test_gram_takes_weights_of_any_sign(block):
    one, x = block
    w = RNG.normal(size=len(x))
    assert (w < 0).any()
    assert_allclose(one.gram(w), x.T @ (w[:, None] * x), rtol=1e-10, atol=1e-6)


def test_quadratic_is_the_row_wise_form(block):
    one, x = block
    m = RNG.normal(size=(x.shape[1], x.shape[1]))
    m = m + m.T
    assert_allclose(one.quadratic(m), np.einsum("ij,jk,ik->i", x, m, x), rtol=1e-10, atol=1e-6)


def test_dense_writes_the_matrix_out(block):
    one, x = block
    assert_allclose(one.dense(), x, rtol=1e-15)
    assert one.width == x.shape[1]
    assert one.length == len(x)


def test_rows_and_take_choose_rows(block):
    one, x = block
    index = np.array([4, 1, 1, 20])
    assert_allclose(one.rows(3, 11).dense(), x[3:11], rtol=1e-15)
    assert_allclose(one.take(index).dense(), x[index], rtol=1e-15)


def test_an_empty_block_has_empty_products(block):
    one, x = block
    empty = one.rows(0, 0)
    assert empty.matvec(np.ones(x.shape[1])).shape == (0,)
    assert_allclose(empty.gram(np.zeros(0)), 0.0)


def test_moments_describe_the_columns_before_shift_and_scale(block):
    one, _ = block
    plain = one.scaled(np.zeros(one.width), np.ones(one.width))
    x, moments = plain.dense(), one.moments()
    largest = np.maximum(np.abs(moments.low), np.abs(moments.high))
    assert np.all(np.abs(x).max(axis=0) <= largest * (1 + 1e-12))


def test_read_only_columns_are_never_written(block):
    one, x = block
    for array in [getattr(one, name, None) for name in ("codes", "multiplier")]:
        if array is not None:
            array.flags.writeable = False
    one.gram(np.ones(len(x)))
    one.matvec(np.ones(x.shape[1]))


def test_matmat_is_the_matrix_times_a_few_vectors(block):
    one, x = block
    vectors = RNG.normal(size=(x.shape[1], 3))
    assert_allclose(one.matmat(vectors), x @ vectors, rtol=1e-12, atol=1e-12)
