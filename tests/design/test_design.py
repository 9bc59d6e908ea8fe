from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from etamu.design.design import Design

RNG = np.random.default_rng(2)


def test_every_verb_is_that_of_the_matrix_never_built(everything):
    design, x = everything
    beta, w = RNG.normal(size=x.shape[1]), RNG.normal(size=len(x))
    m = RNG.normal(size=(x.shape[1], x.shape[1]))
    m = m + m.T
    assert_allclose(design.matvec(beta), x @ beta, rtol=1e-11)
    assert_allclose(design.rmatvec(w), x.T @ w, rtol=1e-9, atol=1e-9)
    assert_allclose(design.gram(w), x.T @ (w[:, None] * x), rtol=1e-9, atol=1e-5)
    assert_allclose(design.quadratic(m), np.einsum("ij,jk,ik->i", x, m, x), rtol=1e-9)


def test_gram_is_symmetric_to_the_last_bit(everything):
    design, x = everything
    gram = design.gram(RNG.normal(size=len(x)))
    assert np.array_equal(gram, gram.T)


def test_the_cross_product_of_a_design_with_itself_is_its_gram(everything):
    design, x = everything
    w = RNG.normal(size=len(x))
    assert_allclose(design.cross(design, w), design.gram(w), rtol=1e-9, atol=1e-6)


def test_a_design_without_columns_has_eta_zero():
    nothing = Design((), 5)
    assert_allclose(nothing.matvec(np.zeros(0)), np.zeros(5))
    assert nothing.gram(np.ones(5)).shape == (0, 0)
    assert nothing.dense().shape == (5, 0)


def test_rows_and_take_choose_rows(everything):
    design, x = everything
    assert_allclose(design.rows(2, 9).dense(), x[2:9])
    assert_allclose(design.take(np.array([5, 0])).dense(), x[[5, 0]])
