"""Integrals of powers, exponentials and peaks from either end, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from etamu.family.primitive import primitive

D = np.array([1e-120, 1e-20, 1e-3, 0.4, 1.0, 7.0, 50.0])


def test_an_integral_from_0_has_its_digits_at_every_size() -> None:
    found = primitive(lambda d: 2.0 * np.sqrt(d) * (1.0 + d), 0, math.inf)
    assert found.converges == (True, True)
    assert_allclose(found.up_to(D), np.arctan(np.sqrt(D)), rtol=4e-15)
    assert_allclose(found.beyond(1.0 / D), np.arctan(np.sqrt(D)), rtol=4e-15)
    assert_allclose(found.total, math.pi / 2.0, rtol=4e-15)


def test_an_exponential_end_keeps_the_digits_that_its_exponent_leaves() -> None:
    found = primitive(np.exp, 0, math.inf)
    d = np.array([1e-9, 0.3, 20.0, 400.0])
    assert found.converges == (True, True)
    assert np.all(np.abs(found.beyond(d) * np.exp(d) - 1.0) < 1e-14 + 1e-15 * d)


def test_an_integral_that_diverges_is_taken_from_the_middle() -> None:
    found = primitive(lambda d: d, 0, 0.5)
    assert found.converges == (False, True)
    assert_allclose(found.between(0.5, D[:4]), np.log(2.0 * D[:4]), rtol=4e-15)
    assert primitive(lambda d: d, 1, math.inf).converges == (True, False)


def test_a_narrow_peak_is_found() -> None:
    found = primitive(lambda d: 1.0 + 1e6 * (d - 3.0) ** 2, 0, math.inf)
    truth = np.arctan(1e3 * (D[3:] - 3.0)) + math.atan(3e3)
    assert_allclose(found.up_to(D[3:]), 1e-3 * truth, rtol=1e-11)


def test_what_turns_without_end_is_refused() -> None:
    with pytest.raises(em.FamilyError, match="V turns too often"):
        primitive(lambda d: 2.0 + np.sin(d), 0, math.inf)
