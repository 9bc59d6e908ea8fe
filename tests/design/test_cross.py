from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu.design.cross import bilinear, cross
from tests.design.gallery import GALLERY

RNG = np.random.default_rng(1)


@pytest.mark.parametrize(("left", "right"), list(product(GALLERY, GALLERY)))
def test_products_between_kinds_are_those_of_the_matrices(left, right):
    (a, x), (b, z) = GALLERY[left], GALLERY[right]
    w = RNG.normal(size=len(x))
    assert_allclose(cross(a, b, w), x.T @ (w[:, None] * z), rtol=1e-10, atol=1e-6)


@pytest.mark.parametrize(("left", "right"), list(product(GALLERY, GALLERY)))
def test_bilinear_forms_between_kinds_are_those_of_the_rows(left, right):
    (a, x), (b, z) = GALLERY[left], GALLERY[right]
    m = RNG.normal(size=(x.shape[1], z.shape[1]))
    assert_allclose(bilinear(a, b, m), np.einsum("ij,jk,ik->i", x, m, z), rtol=1e-10, atol=1e-6)
