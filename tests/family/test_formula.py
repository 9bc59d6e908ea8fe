"""Formulas of families: read by an allow-list, printed both ways, run in any namespace."""

from __future__ import annotations

import math

import array_api_strict
import numpy as np
import pytest

from etamu._base.errors import FamilyError
from etamu.family.formula import CALLS, OPERATIONS, Formula, constant, latex_of, read, text_of

TEXTS = {
    "log(1 + exp(theta))": r"\log(1 + e^{\theta})",
    "-sqrt(-2*theta)": r"-\sqrt{-2 \, \theta}",
    "mu**2*(1 + mu)": r"\mu^{2} \, (1 + \mu)",
    "(y - mu)/mu": r"\frac{y - \mu}{\mu}",
    "y - (mu - 1)": r"y - (\mu - 1)",
    "exp(theta)**2": r"(e^{\theta})^{2}",
    "atan(mu)": r"\arctan(\mu)",
    "2*pi": r"2 \, \pi",
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_formula_prints_as_text_that_reads_the_same_and_as_latex(text) -> None:
    tree = read(text, "theta", "mu", "y")
    assert read(text_of(tree), "theta", "mu", "y") == tree
    assert latex_of(tree) == TEXTS[text]


def test_the_caret_is_a_power_and_constants_are_computed() -> None:
    assert read("mu^2", "mu") == read("mu**2", "mu")
    assert constant(read("2*pi - e/2", "mu")) == pytest.approx(2 * math.pi - math.e / 2)
    assert constant(read("mu + 1", "mu")) is None
    assert constant(read("exp(mu) + 1", "mu"), mu=0.0) == 2.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1/0 * mu", "no number of a reasonable size"),
        ("log(-1) * mu", "no number of a reasonable size"),
        ("9**99 * mu", "no number of a reasonable size"),
        ("mu**100", "too high a power"),
        ("(mu**9)**9", "too high a power"),
        ("exp(exp(exp(mu)))", "more than two exponentials"),
        ("mu" + " + mu" * 200, "too long"),
        ("sin(" * 45 + "mu" + ")" * 45, "nested too deeply"),
        ("mu +", "cannot be read"),
        ("1e400 * mu", "reasonable size"),
        ("mu\0", "cannot be read"),
    ],
)
def test_what_no_computer_should_try_is_refused(text, words) -> None:
    with pytest.raises(FamilyError, match=words):
        read(text, "mu")


def test_a_formula_runs_in_any_namespace_and_is_a_value() -> None:
    steps = (("exp", 0), ("polynomial", 0, 2.0, 0.0, 1.0), ("/", 1, 2), ("rises", 0, 1.0, 3))
    formula = Formula(1, steps)
    x = np.array([-1.0, 0.5])
    expected = np.where(x > 0, 1.0, np.exp(x) / (2 * x * x + 1))
    np.testing.assert_allclose(formula(np, x), expected, rtol=1e-15)
    strict = formula(array_api_strict, array_api_strict.asarray(x))
    np.testing.assert_allclose(np.asarray(strict), expected, rtol=1e-15)
    assert hash(formula) == hash(Formula(1, steps))
    assert set(CALLS) <= set(OPERATIONS)


def test_log_cosh_has_both_tails() -> None:
    x = np.array([-800.0, -0.3, 0.0, 2.0, 800.0])
    found = Formula(1, (("log_cosh", 0),))(np, x)
    np.testing.assert_allclose(found[1:4], np.log(np.cosh(x[1:4])), rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(found[[0, 4]], 800.0 - math.log(2.0), rtol=1e-15)
