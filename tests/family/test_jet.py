"""Jets carry first and second derivatives exactly through every function and operator."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from etamu._base.errors import LinkError
from etamu.family.jet import FUNCTIONS, JetNamespace, variable

MPMATH = {
    "exp": mp.exp,
    "expm1": mp.expm1,
    "log": mp.log,
    "log1p": mp.log1p,
    "sqrt": mp.sqrt,
    "tanh": mp.tanh,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "atanh": mp.atanh,
    "asinh": mp.asinh,
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "atan": mp.atan,
    "asin": mp.asin,
    "abs": abs,
    "expit": lambda x: 1 / (1 + mp.exp(-x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "normal_cdf": mp.ncdf,
    "normal_quantile": lambda p: mp.sqrt(2) * mp.erfinv(2 * p - 1),
}
FLAT = {"sign", "floor", "ceil", "round"}
POINTS = np.array([0.03, 0.4, 0.5, 0.9])


def test_every_function_is_tested():
    assert set(MPMATH) | FLAT == set(FUNCTIONS)


@pytest.mark.parametrize("name", MPMATH)
def test_function_and_both_derivatives_agree_with_mpmath(name):
    jet = variable(np, POINTS).through(FUNCTIONS[name])
    for column, x in enumerate(POINTS.tolist()):
        with mp.workdps(40):
            exact = [mp.diff(MPMATH[name], mp.mpf(x), order) for order in range(3)]
        for number, truth in zip((jet.value, jet.first, jet.second), exact, strict=True):
            assert abs(number[column] - float(truth)) <= 1e-13 * (1 + abs(float(truth)))


@pytest.mark.parametrize("name", sorted(FLAT))
def test_steps_have_no_slope(name):
    jet = variable(np, POINTS).through(FUNCTIONS[name])
    np.testing.assert_array_equal(jet.first, 0.0)
    np.testing.assert_array_equal(jet.second, 0.0)


EXPRESSIONS = {
    "sum and product": lambda x, _: (x + 2) * x - 3 * x,
    "quotient": lambda x, _: (1 - x) / (1 + x * x),
    "reciprocal": lambda x, _: 2 / x,
    "power": lambda x, _: x**2.5 + x**1 + x**0,
    "power of a number": lambda x, _: 2**x,
    "power of a variable": lambda x, _: (1 + x) ** x,
    "negation": lambda x, _: -x * +x,
    "composition": lambda x, f: f.exp(f.tanh(3 * x) - x / 4),
    "choice": lambda x, f: f.where(x > 0.45, x * x, 2 * x),
    "smaller and larger": lambda x, f: f.minimum(x, x * x) + f.maximum(0.45, x),
    "ones and zeros": lambda x, f: x * f.ones_like(x) + f.zeros_like(x),
    "constants": lambda x, f: f.pi * x + f.e,
}


class Plain:
    """mpmath in the dress of a namespace."""

    pi, e = mp.pi, mp.e
    exp, tanh = staticmethod(mp.exp), staticmethod(mp.tanh)
    minimum, maximum = staticmethod(min), staticmethod(max)

    @staticmethod
    def ones_like(_):
        return 1

    @staticmethod
    def zeros_like(_):
        return 0

    @staticmethod
    def where(condition, left, right):
        return left if condition else right


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expressions_are_differentiated_exactly(name):
    expression = EXPRESSIONS[name]
    jet = expression(variable(np, POINTS), JetNamespace(np))
    for column, x in enumerate(POINTS.tolist()):
        with mp.workdps(40):
            exact = [mp.diff(lambda z: mp.mpf(expression(z, Plain)), mp.mpf(x), order) for order in range(3)]
        for number, truth in zip((jet.value, jet.first, jet.second), exact, strict=True):
            assert abs(number[column] - float(truth)) <= 1e-12 * (1 + abs(float(truth)))


def test_a_function_without_derivatives_is_refused_by_name():
    with pytest.raises(LinkError, match="may not call 'cumsum'"):
        JetNamespace(np).cumsum(variable(np, POINTS))


def test_jets_cannot_be_branched_on():
    comparison = variable(np, POINTS) > 0.45
    np.testing.assert_array_equal(comparison, [False, False, True, True])
