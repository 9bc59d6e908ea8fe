"""The step of a factor that is told is the step the column takes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from etamu.data.formula import parse
from etamu.data.frame import read
from etamu.data.schema import CategoricalFactor, NumericFactor, Schema, settle
from etamu.fit.changes import (
    level_change,
    level_etas,
    listed,
    number_change,
    plain_change,
    text_of,
    unit_of,
    variable,
)

LEVELS = ("a", "b", "c", "d")
DATA = {"x": [1.0, 2.0, 4.0, 8.0] * 3, "g": list(LEVELS) * 3}
COEFFICIENTS = np.array([0.7, -1.3, 2.1])


def schema(right: str) -> Schema:
    return settle(parse(f"~ {right}"), read(DATA))


def numeric(right: str) -> NumericFactor:
    return schema(right).numeric(0)


def categorical(right: str) -> CategoricalFactor:
    return schema(right).categorical(0)


@pytest.mark.parametrize("call", ["log(x)", "log2(x)", "log10(x)", "log(x, 3)", "log(x, base=0.5)"])
def test_a_doubling_moves_the_column_by_the_step_told(call) -> None:
    base = {"log(x)": math.e, "log2(x)": 2.0, "log10(x)": 10.0, "log(x, 3)": 3.0}.get(call, 0.5)
    change = number_change(0, numeric(call), {})
    for x in (0.3, 5.0):
        assert change.step == pytest.approx(math.log(2 * x, base) - math.log(x, base), rel=1e-12)
    assert change.subject == "each doubling of x"
    assert not change.slope


def test_log1p_doubles_one_plus_the_variable() -> None:
    change = number_change(0, numeric("log1p(x)"), {})
    assert change.once == "a doubling of 1 + x"
    # 1 + x = 4 becomes 8 where x goes from 3 to 7.
    assert change.step == pytest.approx(np.log1p(7.0) - np.log1p(3.0))


@pytest.mark.parametrize(
    ("right", "name", "kind"),
    [
        ("x", "x", "unit"),
        ("center(x)", "x", "unit"),
        ("scale(x)", "x", "deviation"),
        ("log(x)", "x", "doubling"),
        ("log1p(x)", "1 + x", "doubling"),
        ("sqrt(x)", "sqrt(x)", "unit"),
        ("poly(x, 2)", "poly(x, 2)", "basis"),
    ],
)
def test_what_a_number_counts(right, name, kind) -> None:
    assert unit_of(numeric(right)) == (name, kind)


def test_units_are_words_of_the_variable_inside_and_never_of_a_deviation() -> None:
    units = {"x": "year"}
    assert number_change(0, numeric("center(x)"), units).once == "one more year of x"
    assert number_change(0, numeric("scale(x)"), units).once == "one more standard deviation of x"
    assert number_change(0, numeric("x"), {}).subject == "each additional unit of x"
    assert plain_change("x", units).subject == number_change(0, numeric("x"), units).subject
    assert plain_change("x", units).factor == -1


def test_a_column_of_a_basis_is_not_told_alone() -> None:
    change = number_change(0, numeric("poly(x, 2)"), {"x": "year"})
    assert change.whole
    assert not change.told
    assert "year" not in change.subject


def compared(factor: CategoricalFactor, column: int, kind: str) -> float:
    """The difference of levels the words claim, from what each level adds to eta."""
    etas = level_etas(factor, COEFFICIENTS)
    place = {
        "treatment": (column + 1, [0]),
        "base c": ((0, 1, 3)[column], [2]),
        "sum": (column, [0, 1, 2, 3]),
        "helmert": (column + 1, list(range(column + 1))),
        "diff": (column + 1, [column]),
    }[kind]
    return float(etas[place[0]] - etas[place[1]].mean())


@pytest.mark.parametrize("column", [0, 1, 2])
@pytest.mark.parametrize(
    ("right", "kind"),
    [
        ("C(g)", "treatment"),
        ('C(g, contr.treatment(base="c"))', "base c"),
        ("C(g, contr.sum)", "sum"),
        ("C(g, contr.helmert)", "helmert"),
        ("C(g, contr.diff)", "diff"),
    ],
)
def test_the_comparison_told_is_step_times_the_coefficient(right, kind, column) -> None:
    factor = categorical(right)
    change = level_change(0, factor, column)
    assert change.told
    assert change.step * COEFFICIENTS[column] == pytest.approx(compared(factor, column, kind))
    assert change.subject == f"g {LEVELS[change.level]}"
    assert change.about == variable(factor) == "g"


def test_what_a_level_is_compared_with_is_named() -> None:
    assert level_change(0, categorical("C(g)"), 2).versus == "compared with g a"
    assert level_change(0, categorical("C(g, contr.diff)"), 2).versus == "compared with g c"
    assert level_change(0, categorical("C(g, contr.helmert)"), 0).versus == "compared with g a"
    assert level_change(0, categorical("C(g, contr.helmert)"), 2).versus.endswith("before it (a, b, c)")
    assert level_change(0, categorical("C(g, contr.sum)"), 0).versus.endswith("(a, b, c, d)")


def test_trends_and_stated_contrasts_are_not_told_as_comparisons() -> None:
    factor = categorical("C(g, contr.poly)")
    changes = [level_change(0, factor, column) for column in range(3)]
    assert [change.subject.split()[1] for change in changes] == ["linear", "quadratic", "cubic"]
    assert all("a < b < c < d" in change.subject for change in changes)
    assert not any(change.told for change in changes)


@pytest.mark.parametrize(
    ("column", "ordinal"), [(3, "4th"), (10, "11th"), (11, "12th"), (20, "21st"), (21, "22nd")]
)
def test_degrees_beyond_cubic_are_ordinals(column, ordinal) -> None:
    names = [f"{number:02d}" for number in range(25)]
    data = {"g": names}
    factor = settle(parse("~ C(g, contr.poly)"), read(data)).categorical(0)
    assert f"the {ordinal} degree trend" in level_change(0, factor, column).subject


def test_every_level_adds_its_row_of_the_contrast_matrix() -> None:
    np.testing.assert_allclose(level_etas(categorical("C(g)"), COEFFICIENTS), [0.0, *COEFFICIENTS])
    np.testing.assert_allclose(
        level_etas(categorical("C(g, contr.sum)"), COEFFICIENTS), [*COEFFICIENTS, -COEFFICIENTS.sum()]
    )


def test_eight_words_are_listed_and_more_are_cut() -> None:
    words = tuple("abcdefghi")
    assert listed(words[:8]) == "a, b, c, d, e, f, g, h"
    assert listed(words, "-") == "a-b-c-…-i"
    assert listed(()) == ""


def test_expressions_are_written_as_in_the_formula() -> None:
    assert text_of(numeric("x").expression) == "x"
    assert text_of(categorical("C(g, contr.sum)").expression) == "g"
    assert text_of(numeric("log(x + 1)").expression) == "log(x + 1)"
