"""Hypotheses in words mean the matrix a reader would write; what is no coefficient is named."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu.fit.hypothesis import hypothesis

NAMES = ("Intercept", "x", "x2", "x:C(g)[T.b]", "C(g)[T.b]", "C(g)[T.c]", "I(x ** 2)", "poly(z, degree=2)[1]",
         "my column", "log(a - b)")  # fmt: skip


def row(**coefficients: float) -> list[float]:
    return [coefficients.get(name, 0.0) for name in NAMES]


@pytest.mark.parametrize(
    ("text", "coefficients", "right"),
    [
        ("x", {"x": 1}, 0),
        ("x = 0", {"x": 1}, 0),
        ("x == 1.5e-1", {"x": 1}, 0.15),
        ("2 = x", {"x": -1}, -2),
        ("x2 = x", {"x2": 1, "x": -1}, 0),
        ("C(g)[T.b] = C(g)[T.c]", {"C(g)[T.b]": 1, "C(g)[T.c]": -1}, 0),
        ("x:C(g)[T.b] + 2 * x - 3", {"x:C(g)[T.b]": 1, "x": 2}, 3),
        ("I(x**2) = -(x - 1)/2", {"I(x ** 2)": 1, "x": 0.5}, 0.5),
        ("poly(z, degree=2)[1] = 0", {"poly(z, degree=2)[1]": 1}, 0),
        ("`my column` = my column + x", {"x": -1}, 0),
        ("log(a - b) + log(a-b) = 4", {"log(a - b)": 2}, 4),
        ("(Intercept) = 1", {"Intercept": 1}, 1),
        ("-x + +x2*-.5 = 0", {"x": -1, "x2": -0.5}, 0),
        ("(x + x2)*3 = 1 + 1", {"x": 3, "x2": 3}, 2),
    ],
)
def test_words_are_linear_combinations(text: str, coefficients: dict, right: float) -> None:
    found = hypothesis(text, NAMES)
    np.testing.assert_allclose(found.matrix, [row(**coefficients)])
    np.testing.assert_allclose(found.rhs, [right])


def test_several_equations_and_chains() -> None:
    found = hypothesis("x = 0, C(g)[T.b] = C(g)[T.c] = 1; x2 = 2", NAMES)
    assert found.rows == ("x = 0", "C(g)[T.b] = 1", "C(g)[T.c] = 1", "x2 = 2")
    assert hypothesis(["x = 0", "x2 = 1"], NAMES).rows == ("x = 0", "x2 = 1")


def test_a_matrix_is_taken_as_it_is() -> None:
    found = hypothesis([1.0, -1.0], ("a", "b"), rhs=2)
    assert found.rows == ("a - b = 2",)
    assert hypothesis(np.eye(2), ("a", "b"), [0, 1]).rows == ("a = 0", "b = 1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("X = 0", "'X', which is no coefficient; did you mean 'x'"),
        ("C(g)[T.d] = 0", r"'C\(g\)\[T.d\]', which is no coefficient; did you mean 'C\(g\)\[T"),
        ("agee = 0", "'agee', which is no coefficient; the coefficients are Intercept"),
        ("x3 = 0", "'x3', which is no coefficient; did you mean 'x"),
        ("x * x2 = 0", "not linear: it multiplies"),
        ("1 / x = 0", "not linear: it divides"),
        ("x / 0 = 0", "not linear: it divides"),
        ("x - x = 0", "about no coefficient"),
        ("1 = 1", "about no coefficient"),
        ("x = ", "ends where a coefficient"),
        ("", "ends where a coefficient"),
        ("(x = 0", "no coefficient"),
        ("x 2", "'2', which is no coefficient"),
        ("x = 1e999", "too large"),
        ("(" * 60 + "x", "nested too deeply"),
        ("__import__('os')", "no coefficient"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, message: str) -> None:
    with pytest.raises(em.OptionError, match=message):
        hypothesis(text, NAMES)


@pytest.mark.parametrize(
    ("matrix", "rhs", "message"),
    [
        (np.eye(3), None, "has shape .* and the model 2 coefficients"),
        ([[1.0, 0.0]], [1, 2], "rhs has shape"),
        ([[0.0, 0.0]], None, "row 0 .* all zeros"),
        ([[np.nan, 0.0]], None, "not finite"),
        (object(), None, "neither text nor a matrix"),
        ("a = 1", 2, "rhs= belongs to a matrix"),
    ],
)
def test_matrices_that_do_not_fit(matrix, rhs, message: str) -> None:
    with pytest.raises(em.OptionError, match=message):
        hypothesis(matrix, ("a", "b"), rhs)
