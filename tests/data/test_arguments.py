"""Arguments of transforms: bound as Python binds them, read as numbers, or refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from etamu._base.errors import DataError, FormulaError
from etamu.data.arguments import amount, boundary, flag, given, numbers, whole

PARAMETERS = ("df", "knots", "degree", "intercept", "boundary_knots")


def python_binds(*args: Any, **kwargs: Any) -> dict[str, Any]:
    """Bind by the interpreter itself."""

    def call(df=..., knots=..., degree=..., intercept=..., boundary_knots=...) -> dict[str, Any]:
        return {word: value for word, value in locals().items() if value is not ...}

    return call(*args, **kwargs)


@hypothesis_given(st.integers(0, 5), st.permutations(PARAMETERS), st.integers(0, 5))
def test_binding_is_that_of_a_python_call(positional, order, keywords) -> None:
    args = tuple(range(positional))
    kwargs = {word: word.upper() for word in order[:keywords]}
    try:
        expected = python_binds(*args, **kwargs)
    except TypeError:
        with pytest.raises(FormulaError, match="given twice"):
            given("bs", PARAMETERS, args, kwargs)
    else:
        assert given("bs", PARAMETERS, args, kwargs) == expected


def test_spellings_of_other_libraries_are_the_same_parameter() -> None:
    bound = given("bs", PARAMETERS, (), {"Boundary.knots": [0, 1], "include_intercept": True})
    assert bound == {"boundary_knots": [0, 1], "intercept": True}
    with pytest.raises(FormulaError, match=r"bs: intercept is given twice, as True and False"):
        given("bs", PARAMETERS, (), {"include_intercept": True, "intercept": False})


def test_too_many_arguments_and_unknown_ones_are_refused_with_the_call_shown() -> None:
    with pytest.raises(FormulaError, match=r"scale: 9 is one argument too many; .*\(x, center, scale\)"):
        given("scale", ("center", "scale"), (1, 2, 9), {})
    with pytest.raises(FormulaError, match=r"center: there is no argument 'by'; the call is center\(x\)$"):
        given("center", (), (), {"by": 1})


@pytest.mark.parametrize("value", [3, 3.0, np.int8(3), np.float32(3.0)], ids=lambda v: type(v).__name__)
def test_a_whole_number_may_be_of_any_type_and_becomes_int(value) -> None:
    read = whole("poly", "degree", value, least=3)
    assert (read, type(read)) == (3, int)


@pytest.mark.parametrize(
    "value",
    [2, 3.5, True, "3", None, [3], float("nan"), float("inf"), 3 + 0j],
    ids=["low", "half", "bool", "text", "none", "list", "nan", "inf", "complex"],
)
def test_what_is_not_a_whole_number_of_enough_is_refused(value) -> None:
    with pytest.raises(FormulaError, match=r"poly: degree=.* must be a whole number of at least 3"):
        whole("poly", "degree", value, least=3)


def test_a_flag_is_a_truth_value_and_nothing_that_acts_like_one() -> None:
    for value in (True, False, np.True_, np.False_):
        assert flag("poly", "raw", value) is bool(value)
    for value in (1, 0, "True", None, 0.0):
        with pytest.raises(FormulaError, match=r"poly: raw=.* must be True or False"):
            flag("poly", "raw", value)


def test_an_amount_is_a_switch_or_the_number_itself() -> None:
    assert amount("scale", "center", True, 7.5, 0.25) == 7.5
    assert amount("scale", "center", np.False_, 7.5, 0.25) == 0.25
    assert amount("scale", "center", 1, 7.5, 0.25) == 1.0  # the number 1 is not the switch True
    assert amount("scale", "center", [-3], 7.5, 0.25) == -3.0
    for value in ([1, 2], []):
        with pytest.raises(FormulaError, match="must be True, False or one number"):
            amount("scale", "center", value, 7.5, 0.25)


def test_numbers_flatten_to_one_row_of_float64() -> None:
    for value, expected in ((2, [2.0]), ([1, 2.5], [1.0, 2.5]), (np.array([[1], [2]]), [1.0, 2.0]), ((), [])):
        read = numbers("bs", "knots", value)
        assert read.dtype == np.float64
        assert read.tolist() == expected


@pytest.mark.parametrize("value", ["a", {"a": 1}, [[1], [1, 2]]], ids=["text", "dict", "ragged"])
def test_what_is_not_numbers_is_refused(value) -> None:
    with pytest.raises(FormulaError, match=r"bs: knots=.* must be a number or a list of numbers"):
        numbers("bs", "knots", value)


@pytest.mark.parametrize("value", [float("nan"), [1.0, float("inf")]], ids=["nan", "inf"])
def test_numbers_that_are_not_finite_are_refused(value) -> None:
    with pytest.raises(FormulaError, match=r"bs: knots=.* must be finite"):
        numbers("bs", "knots", value)


def test_boundary_knots_are_ordered_and_default_to_the_range() -> None:
    x = np.array([4.0, -1.0, 2.0])
    assert boundary("ns", x, None) == (-1.0, 4.0)
    assert boundary("ns", x, [9, 3]) == boundary("ns", x, (3.0, 9.0)) == (3.0, 9.0)
    constant = np.full(3, 2.5)
    assert boundary("ns", constant, [0, 5]) == (0.0, 5.0)  # given bounds help a constant x
    with pytest.raises(DataError, match=r"ns\(x\): x is constant \(2.5\); leave the term out"):
        boundary("ns", constant, None)


@pytest.mark.parametrize("value", [1, [1, 1], [1, 2, 3], []], ids=["one", "equal", "three", "none"])
def test_boundary_knots_that_are_not_two_different_numbers_are_refused(value) -> None:
    with pytest.raises(FormulaError, match=r"ns: boundary_knots=.* must be two different numbers"):
        boundary("ns", np.arange(3.0), value)
