"""A step along a contour: the program takes NumPy's steps, and what it cannot record is left to NumPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu._base.kernel import kernel
from etamu.family import contour
from etamu.family.implied import candidate
from etamu.family.midpoints import Pair, compiled_step
from etamu.family.statement import Statement

needs_kernel = pytest.mark.skipif(kernel is None, reason="no compiled kernel here: the NumPy twins serve")


def walk_of(text, rows=40):
    law = contour.law(text)
    rng = np.random.default_rng(7)
    y, scale = rng.uniform(0.5, 3.0, rows), rng.uniform(0.2, 1.0, rows)
    return contour.Walk(law, y, np.ones(rows), 0.13 * scale, scale, rng.uniform(-0.5, 0.5, rows), 0.1 * scale)


@needs_kernel
@pytest.mark.parametrize(
    "text", ["1 + mu**2", "mu**2*(1 + mu)", "mu*(1 + mu)**2", "mu**3/(2 + mu)", "3*mu - 1/mu"]
)
def test_the_program_takes_the_steps_of_the_formulas(text):
    walk = walk_of(text)
    assert walk.law.step is not None
    plain = replace(walk, law=walk.law._replace(step=None))
    state = walk._start()
    for count in range(6):
        expected = plain._forward(count * walk.step, state)
        found = walk._forward(count * walk.step, state)
        # some 1000 operations on numbers of size 1 to 10
        assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
        state = expected


def test_what_is_no_sum_product_or_small_power_is_left_to_numpy():
    for text in ("mu*exp(mu)", "mu**1.5", "mu**2 + mu**1.3", "mu**11"):
        assert contour.law(text).step is None
    assert compiled_step(np.exp, (2, 4)) is None


@needs_kernel
def test_both_ways_invert_a_law_alike():
    with_program = contour.law("1 + mu**2")
    y, phi = np.linspace(-3.0, 3.0, 15), np.full(15, 0.7)
    inversion = candidate(Statement("cumulant", "-log(cos(theta))"))
    plain = replace(inversion, law=with_program._replace(step=None))
    assert_allclose(inversion.saturated(y, phi), plain.saturated(y, phi), rtol=0, atol=1e-11)


def test_pairs_are_complex_numbers():
    a, b = complex(1.5, -2.0), complex(0.25, 3.0)
    one, other = Pair(a.real, a.imag), Pair(b.real, b.imag)
    for found, exact in (
        (one + other, a + b),
        (one - other, a - b),
        (one * other, a * b),
        (one / other, a / b),
        (2.0 - one, 2.0 - a),
        (2 + one * 3, 2 + a * 3),
        (one / 4.0, a / 4.0),
        (4.0 / one, 4.0 / a),
        (one**3, a**3),
        (one**-2, a**-2),
        (-one, -a),
    ):
        assert abs(complex(found.real, found.imag) - exact) <= 1e-15 * abs(exact)
    with pytest.raises(TypeError, match="powers"):
        one**0.5
