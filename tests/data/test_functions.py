"""Functions of formulas: every name means the function of that name, and no other name is let in."""

from __future__ import annotations

import builtins
import math

import mpmath
import numpy as np
import pytest

from etamu.data.basis import STATEFUL
from etamu.data.functions import CONTRASTS, FUNCTIONS, SPELLINGS, STRUCTURAL, canonical

PRECISE = {
    "log": mpmath.log,
    "log2": lambda x: mpmath.log(x, 2),
    "log10": mpmath.log10,
    "log1p": mpmath.log1p,
    "exp": mpmath.exp,
    "exp2": lambda x: mpmath.mpf(2) ** x,
    "expm1": mpmath.expm1,
    "sqrt": mpmath.sqrt,
    "cbrt": mpmath.cbrt,
    "square": lambda x: x * x,
    "abs": abs,
    "sign": mpmath.sign,
    "floor": mpmath.floor,
    "ceil": mpmath.ceil,
    "trunc": lambda x: mpmath.mpf(int(x)),
    "round": mpmath.nint,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "arcsin": mpmath.asin,
    "arccos": mpmath.acos,
    "arctan": mpmath.atan,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "tanh": mpmath.tanh,
    "arcsinh": mpmath.asinh,
    "arctanh": mpmath.atanh,
}
POSITIVE = {"log", "log2", "log10", "sqrt", "cbrt"}


@pytest.mark.parametrize("name", sorted(PRECISE))
def test_functions_of_one_number_agree_with_many_digits(name) -> None:
    x = np.array([0.013, 0.4, 0.97]) if name in POSITIVE else np.array([-0.83, -0.013, 0.0, 0.4, 0.97])
    with mpmath.workdps(40):
        exact = [float(PRECISE[name](mpmath.mpf(float(value)))) for value in x]
    np.testing.assert_allclose(FUNCTIONS[name].compute(x), exact, rtol=4e-16, atol=1e-300)


def test_every_function_of_one_number_is_compared() -> None:
    assert {name for name, function in FUNCTIONS.items() if function.least == 1} == set(PRECISE)


def test_functions_of_several_numbers_act_row_by_row() -> None:
    a, b = [3.0, -1.0, 2.0], [2.0, 5.0, 0.5]
    two = {"power": math.pow, "minimum": min, "maximum": max}
    for name, plain in two.items():
        assert FUNCTIONS[name].compute(np.array(a), np.array(b)).tolist() == list(map(plain, a, b))
    assert FUNCTIONS["clip"].compute(np.array(a), 0.0, 2.5).tolist() == [2.5, 0.0, 2.0]
    assert FUNCTIONS["where"].compute(np.array([1.0, 0.0, 1.0]), np.array(a), np.array(b)).tolist() == [
        3,
        5,
        2,
    ]


def test_log_takes_a_base_and_round_digits() -> None:
    x = np.array([1.0, 8.0, 1024.0])
    np.testing.assert_allclose(FUNCTIONS["log"].compute(x, 2.0), [0.0, 3.0, 10.0], rtol=1e-15)
    np.testing.assert_array_equal(FUNCTIONS["log"].compute(x), [math.log(value) for value in x])
    assert FUNCTIONS["round"].compute(np.array([2.34, -2.36, 0.5, 1.5]), 1.0).tolist() == [
        2.3,
        -2.4,
        0.5,
        1.5,
    ]
    assert FUNCTIONS["round"].compute(np.array([0.5, 1.5, 2.5])).tolist() == [0.0, 2.0, 2.0]
    assert FUNCTIONS["round"].compute(np.array([1234.0]), -2.0).tolist() == [1200.0]


@pytest.mark.parametrize("name", sorted(name for name, function in FUNCTIONS.items() if function.whole))
def test_functions_said_to_keep_whole_numbers_do(name) -> None:
    function = FUNCTIONS[name]
    args = [np.array([-7.0, 0.0, 3.0]), np.array([2.0, 1.0, 4.0]), np.array([5.0, 6.0, 4.0])]
    out = function.compute(*args[: function.least])
    np.testing.assert_array_equal(out, np.trunc(out))


def test_every_spelling_leads_to_a_word_that_formulas_have() -> None:
    for spelled, name in SPELLINGS.items():
        assert canonical(spelled) == name
        assert canonical(name) == name
        assert name in FUNCTIONS or name in STRUCTURAL
        assert spelled not in FUNCTIONS


@pytest.mark.parametrize("name", sorted({*FUNCTIONS, *STATEFUL, *STRUCTURAL}))
def test_a_canonical_name_is_its_own(name) -> None:
    assert canonical(name) == name


def test_the_prefix_of_numpy_is_read_for_functions_of_numbers_only() -> None:
    for name in FUNCTIONS:
        assert canonical(f"np.{name}") == canonical(f"numpy.{name}") == name
    for name in (*STATEFUL, *STRUCTURAL, "factor", "load", "ndarray", ""):
        assert canonical(f"np.{name}") is None
    assert canonical("np.absolute") == "abs"
    assert canonical("np.np.log") is None
    assert canonical("scipy.log") is None


def test_nothing_of_python_is_let_in() -> None:
    allowed = {"abs", "round"}
    assert {name for name in dir(builtins) if canonical(name) is not None} == allowed
    for name in ("eval", "os.system", "__import__", "log.__class__", "Log", " log", ""):
        assert canonical(name) is None


def test_contrasts_have_words_with_their_prefix_alone() -> None:
    for name in CONTRASTS:
        assert canonical(f"contr.{name}") == f"contr.{name}"
    bare = {name: canonical(name) for name in CONTRASTS}
    assert bare == {name: "poly" if name == "poly" else None for name in CONTRASTS}  # poly is a transform too
