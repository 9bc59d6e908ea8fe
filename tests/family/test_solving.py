"""Equations are solved where the answer is elementary, by rules that take no longer for a higher power."""

from __future__ import annotations

import numpy as np
import pytest

from etamu.family.solving import singular_points, solved
from etamu.family.symbolic import sympy

pytest.importorskip("sympy")

sp = sympy()
THETA = sp.Symbol("theta", real=True)
MU = sp.Symbol("mu", positive=True)


@pytest.mark.parametrize("power", [2, -3, 64, -59, sp.Rational(3, 2)])
def test_a_power_of_a_linear_function_is_solved_whatever_its_degree(power) -> None:
    target = sp.Rational(7, 10)
    for value in (MU**power / 5, 3 - (1 + 2 * MU) ** power):
        at = value.subs(MU, target)
        found = [complex(each.subs(THETA, at).evalf(60)) for each in solved(value, MU, THETA)]
        assert min(abs(each - 0.7) for each in found) < 1e-12


def test_exponentials_of_any_rate_have_one_logarithm() -> None:
    (found,) = solved(1000 * sp.exp(1000 * THETA), THETA, MU)
    assert sp.simplify(found - sp.log(MU / 1000) / 1000) == 0


def test_only_elementary_answers_are_solutions() -> None:
    assert solved(sp.tan(THETA), THETA, MU) == (sp.atan(MU),)
    assert solved(sp.exp(THETA) + THETA, THETA, MU) == ()
    assert solved(sp.log(1 + 1 / MU) - 1 / MU, MU, THETA) == ()


def test_zeros_in_the_complex_plane() -> None:
    assert sorted(singular_points(1 + MU**2, MU), key=lambda z: z.imag) == [-1j, 1j]
    assert singular_points(MU**60, MU) == (0j,)  # each once, whatever its order
    assert singular_points((1 + MU) ** 64 * MU, MU) == (0j, -1 + 0j)
    many = singular_points(MU**20 - 2, MU)
    np.testing.assert_allclose(np.abs(many), 2.0**0.05, rtol=1e-14)
    assert len(many) == 20
    assert singular_points(sp.Integer(1), MU) == ()
    assert singular_points(sp.exp(MU), MU) is None
