"""The recorder shares, folds and simplifies without changing a bit, and refuses to be looked into."""

from __future__ import annotations

import math

import numpy as np
import pytest

from etamu.family import normal, special
from etamu.family.trace import MASKS, NUMPY, ONE, WHOLE, Recorder


@pytest.fixture
def xp():
    return Recorder()


@pytest.mark.parametrize("looks", [bool, len, float, int, list, np.exp, np.asarray, hash])
def test_a_symbol_refuses_to_be_looked_into(xp, looks):
    with pytest.raises(TypeError):
        looks(xp.input())


def test_what_is_not_elementwise_is_refused(xp):
    with pytest.raises(AttributeError, match="sum is not an elementwise"):
        xp.sum(1.0)
    with pytest.raises(TypeError, match="neither a symbol nor a number"):
        xp.input() + np.zeros(3)
    with pytest.raises(TypeError, match="join conditions"):
        xp.input() & True
    with pytest.raises(TypeError, match="denies a condition"):
        ~xp.input()


def test_what_is_asked_twice_is_recorded_once(xp):
    x, y = xp.input(), xp.input()
    assert xp.exp(x * y + 1.0).node == xp.exp(1.0 + y * x).node
    assert (x - y).node != (y - x).node
    assert (x > y).node == (y < x).node
    assert (x + 0.0).node != (x + -0.0).node


def test_numbers_of_numpy_meet_symbols_as_numbers(xp):
    x = xp.input()
    for two in (2, 2.0, np.float64(2.0), np.float32(2.0), np.int64(2), np.array(2.0)):
        assert (two * x).node == (x * 2.0).node == (x * two).node
    assert (np.float64(2.0) - x).node == (2.0 - x).node


def test_constants_are_folded_as_numpy_computes_them(xp):
    x = xp.input()
    assert xp.constants[(xp.ones_like(x) * 3.0 / 7.0).node] == 3.0 / 7.0
    assert xp.constants[xp.exp(1000.0).node] == math.inf
    assert math.isnan(xp.constants[(xp.zeros_like(x) / 0.0).node])
    assert xp.constants[xp.where(xp.ones_like(x) > 0.0, 5.0, 6.0).node] == 5.0
    assert xp.where(xp.zeros_like(x) > 0.0, 5.0, x).node == x.node


def test_minus_half_of_twice_a_number_is_minus_that_number(xp):
    x = xp.input()
    assert (-0.5 * (2.0 * x)).node == (-x).node
    assert (0.25 * (4.0 * x)).node == x.node
    assert (3.0 * (x * (1.0 / 3.0))).node != x.node  # a third is rounded


EDGES = np.array([0.0, -0.0, 1.5, -1.5, np.inf, -np.inf, np.nan, 1e-320, 1e308, 3.0])
SAME = {
    "x * 1": lambda _, x: (x * 1.0, x),
    "1 * x": lambda _, x: (1.0 * x, x),
    "x / 1": lambda _, x: (x / 1.0, x),
    "x - 0": lambda _, x: (x - 0.0, x),
    "x + -0": lambda _, x: (x + -0.0, x),
    "--x": lambda _, x: (-(-x), x),  # noqa: B002
    "x * -1": lambda _, x: (x * -1.0, -x),
    "x + -y": lambda _, x: (x + -(x * x), x - x * x),
    "-y + x": lambda _, x: (-(x * x) + x, x - x * x),
    "x - -y": lambda _, x: (x - -(x * x), x + x * x),
    "-x * 3": lambda _, x: (-x * 3.0, x * -3.0),
    "x / 8": lambda _, x: (x / 8.0, x * 0.125),
    "x ** 2": lambda _, x: (x**2, x * x),
    "x ** 1": lambda _, x: (x**1.0, x),
    "x ** 0": lambda xp, x: (x**0, xp.ones_like(x)),
    "x ** 0.5": lambda xp, x: (x**0.5, xp.sqrt(x)),
    "x ** -1": lambda _, x: (x**-1.0, 1.0 / x),
    "|-x|": lambda xp, x: (xp.abs(-x), xp.abs(x)),
    "||x||": lambda xp, x: (xp.abs(xp.abs(x)), abs(x)),
    "min(x, inf)": lambda xp, x: (xp.minimum(x, xp.inf), x),
    "max(x, -inf)": lambda xp, x: (xp.maximum(x, -xp.inf), x),
    "where twice": lambda xp, x: (xp.where(x > 1, xp.where(x > 1, x, 0.0), 2.0), xp.where(x > 1, x, 2.0)),
    "where not": lambda xp, x: (xp.where(~(x > 1), x, 2.0), xp.where(x > 1, 2.0, x)),
    "where alike": lambda xp, x: (xp.where(x > 1, x, x), x),
    "clip": lambda xp, x: (xp.clip(x, 0.0, 1.0), xp.minimum(xp.maximum(x, 0.0), 1.0)),
}


@pytest.mark.parametrize("name", SAME)
def test_a_simplification_is_made_and_changes_no_bit(xp, name):
    simple, plain = SAME[name](xp, xp.input())
    assert simple.node == plain.node
    with np.errstate(all="ignore"):
        before, after = (np.asarray(each) for each in SAME[name](np, EDGES))
    np.testing.assert_array_equal(before, after)
    number = ~np.isnan(before)  # the sign of NaN says nothing
    if name != "clip":  # which zero is the larger is left open
        np.testing.assert_array_equal(np.signbit(before)[number], np.signbit(after)[number])


def test_what_changes_a_bit_is_left_alone(xp):
    x = xp.input()
    kept = (
        x + 0.0,
        0.0 - x,
        x * 0.0,
        x - x,
        x / 3.0,
        x / 0.0,
        x / 2.0**1023,
        x**3,
        0.0 / x,
        xp.minimum(x, 0.0),
    )
    assert len({each.node for each in kept} | {x.node}) == len(kept) + 1


def test_true_counts_as_one_in_arithmetic_and_a_number_as_a_condition(xp):
    x = xp.input()
    assert ((x > 0.0) * 2.0).node == (xp.where(x > 0.0, 1.0, 0.0) * 2.0).node
    assert xp.where(x, 1.0, 2.0).node == xp.where(x != 0.0, 1.0, 2.0).node
    assert xp.isnan(x).node == (x != x).node
    assert xp.isfinite(x).node == (xp.abs(x) < xp.inf).node
    assert xp.full_like(x, 2.0).node == (xp.ones_like(x) * 2.0).node


def test_functions_of_deviances_are_one_operation(xp):
    x, y = xp.input(), xp.input()
    names = {
        "expm1mx": special.expm1mx(xp, x),
        "log1pmx": special.log1pmx(xp, x),
        "relative_entropy": special.relative_entropy(xp, x, y),
        "bd0": special.bd0(xp, x, y),
        "log_of_part": special.log_of_part(xp, x, y),
        "exp_of_square": normal.exp_of_square(xp, x, -0.5),
        "half_deviance": special.half_deviance(xp, x, y, x),
        "exp": special.exp(xp, x),
    }
    assert {name: xp.operations[symbol.node] for name, symbol in names.items()} == {
        name: name for name in names
    }
    assert set(names) == {*WHOLE, "exp"}


def test_every_operation_has_a_meaning():
    assert {*ONE, *WHOLE, *MASKS} <= set(NUMPY)
