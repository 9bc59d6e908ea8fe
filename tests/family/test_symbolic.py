"""Expressions become formulas that keep their digits where the plain spelling loses them."""

from __future__ import annotations

import numpy as np
import pytest

from etamu.family.formula import read
from etamu.family.symbolic import (
    antiderivative,
    error,
    expression,
    precise,
    spellings,
    sympy,
    written,
)

pytest.importorskip("sympy")

sp = sympy()
THETA = sp.Symbol("theta", real=True)
MU = sp.Symbol("mu", positive=True)
TAILS = np.array([-700.0, -40.0, -37.0, -1.0, -1e-8, 1e-8, 0.5, 37.0, 40.0, 700.0])


def of(text, symbol=THETA):
    return expression(read(text, symbol.name), **{symbol.name: symbol})


@pytest.mark.parametrize(
    "text", ["log(1 + exp(theta))", "log(1 + exp(theta) + exp(2*theta))", "tanh(theta)", "exp(theta)"]
)
@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_rational_functions_of_an_exponential_keep_both_tails(text, order) -> None:
    value = sp.simplify(sp.diff(of(text), THETA, order))
    assert error(written(value, (THETA,)), precise(value, THETA), (TAILS,), TAILS) < 1e-14


@pytest.mark.parametrize("text", ["-log(1 - exp(theta))", "exp(theta)/(1 - exp(theta))", "expm1(theta)"])
def test_one_minus_an_exponential_does_not_cancel(text) -> None:
    below = np.array([-700.0, -40.0, -1.0, -1e-8, -1e-12])
    assert error(written(of(text), (THETA,)), precise(of(text), THETA), (below,), below) < 1e-14


def test_the_complement_is_taken_and_not_subtracted() -> None:
    c = sp.Symbol("c", positive=True)
    formula = written(sp.factor(MU - MU**2), (MU,), c)
    np.testing.assert_array_equal(formula(np, np.array([1.0]), np.array([1e-40])), 1e-40)
    formula = written(sp.log(1 - MU), (MU,), c)
    np.testing.assert_allclose(formula(np, np.array([1.0]), np.array([1e-40])), np.log(1e-40))


def test_one_spelling_of_a_difference_of_logarithms_keeps_its_digits() -> None:
    value = sp.log(MU + 1) - sp.log(MU)
    x = np.array([1e3, 1e9, 1e15])
    losses = [error(written(way, (MU,)), precise(value, MU), (x,), x) for way in spellings(value, MU)]
    assert max(losses) > 1e-3
    assert min(losses) < 1e-15


def test_antiderivatives_are_real_where_the_means_are() -> None:
    found = antiderivative(1 / (MU * (1 - MU)), MU, 0.5)
    assert sp.simplify(sp.diff(found, MU) - 1 / (MU * (1 - MU))) == 0
    assert sp.N(found.subs(MU, 0.5)).is_real
    assert antiderivative(sp.exp(MU) / MU ** sp.exp(MU), MU, 0.5) is None


def test_a_slot_is_not_mistaken_for_a_number() -> None:
    c = sp.Symbol("c", positive=True)
    value = (1 - 2 * MU) / (MU**2 - MU)
    x = np.array([0.2, 0.7])
    np.testing.assert_allclose(written(value, (MU,), c)(np, x, 1 - x), (1 - 2 * x) / (x * x - x), rtol=1e-14)


def test_powers_and_constants_are_written() -> None:
    x = np.array([0.5, 2.0])
    for text in ("mu**1.5", "mu**-2", "sqrt(mu)", "mu**(1/3)", "3", "2**mu", "mu**12", "pi*mu", "1/mu**0.5"):
        value = of(text, MU)
        assert error(written(value, (MU,)), precise(value, MU), (x,), x) < 1e-14


@pytest.mark.parametrize(
    ("text", "closes"),
    [("exp(-mu)/(mu*(1 - mu))", False), ("exp(-mu)/mu", False), ("mu*exp(-mu)", True), ("exp(-mu)", True)],
)
def test_an_exponential_over_simple_zeros_has_no_elementary_integral(text, closes) -> None:
    assert (antiderivative(of(text, MU), MU, 0.5) is not None) == closes
