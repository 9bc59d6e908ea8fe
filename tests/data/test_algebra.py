"""Plain formulas are read without formulaic, and read the same."""

from __future__ import annotations

import subprocess
import sys
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etamu._base.errors import FormulaError
from etamu.data import algebra
from etamu.data.formula import Statement, parse

COLUMNS = ("a", "b", "c")

PLAIN = [
    "y ~ 1", "y ~ 0", "y ~ -1", "~ a", "a", "y ~ a + b", "y ~ a - 1", "y ~ 0 + a", "y ~ a + 0",
    "y ~ -1 + a:b",
    "y ~ + a", "y ~ 1 + a", "y ~ a + 1 - 1", "y ~ (a)", "y ~ ((a + b))", "y ~ a*b", "y ~ a*b*c",
    "y ~ a*(b + c)",
    "y ~ a:b:c", "y ~ a:(b + c)", "y ~ b:a + a*b", "y ~ a/b", "y ~ a/b/c", "y ~ a/(b + c)", "y ~ (a + b)/c",
    "y ~ (a + b + c)^2", "y ~ (a + b)**3 - a:b", "y ~ (a)^1", "y ~ (a + b)^2:c", "y ~ (a*b)^2 - b",
    "y ~ a - b", "y ~ a + a", "y ~ a:a", "y ~ b:a + a:b", "y ~ a*b - a", "y ~ (a + b) - (b + c)", "y ~ .",
    "y ~ .^2 - a:b",
    "y ~ . - b", "log(y) ~ `odd name` + `a~b`:c", "y ~ np.log(a) + I(a^2)", "y ~ C(a, contr.sum):bs(b, df=4)",
    "y ~ f_1_ + f_0_", "y ~ a.b + Solar.R", "y ~ poly(a, 2) + C(b, levels=[1, 2])", "y~a+b", "  y ~\ta  ",
    "y ~ C(a, Treatment('x y')) + log( b )", "cbind(a, b) ~ c + offset(log(d))", "y ~ a*b*c - a:b:c - c",
]  # fmt: skip

BEYOND = [
    "y ~ a %in% b", "y ~ {a + b}", "y ~ 2:a", "y ~ a:2.5", "y ~ (1 + a):b", "y ~ (a - 1)", "y ~ (0 + a)",
    "y ~ a +- b", "y ~ a - 0", "y ~ a --1", "y ~ (-a + b)", "y ~ (a - a):b", "y ~ a^2^2", "y ~ C(a, '{')",
]  # fmt: skip
"""Formulas that only formulaic reads."""

WRONG = [
    "y ~ a b",
    "y ~ (a",
    "y ~ a)",
    "y ~ a +",
    "y ~ * a",
    "y ~ ()",
    "y ~ a:",
    "y ~ (a +) b",
    "y ~ 'a'",
    "y ~ a (b)",
]


def read(formula: str) -> Statement | str:
    """Read a formula afresh; the message where it is refused."""
    try:
        return parse.__wrapped__(formula, COLUMNS)
    except FormulaError as error:
        return str(error)


def read_by_formulaic(formula: str) -> Statement | str:
    with (
        mock.patch.object(algebra, "scan", return_value=None),
        mock.patch.object(algebra, "expand", return_value=None),
    ):
        return read(formula)


@pytest.mark.parametrize("formula", PLAIN)
def test_plain_formulas_are_read_here_and_as_formulaic_reads_them(formula: str) -> None:
    with mock.patch.dict(sys.modules, {"formulaic.parser": None, "formulaic.parser.algos.tokenize": None}):
        ours = read(formula)
    assert isinstance(ours, Statement), ours
    assert ours == read_by_formulaic(formula)


@pytest.mark.parametrize("formula", [*BEYOND, *WRONG])
def test_what_is_not_plain_is_left_to_formulaic(formula: str) -> None:
    assert read(formula) == read_by_formulaic(formula)


@pytest.mark.parametrize("formula", WRONG)
def test_mistakes_are_refused(formula: str) -> None:
    assert isinstance(read(formula), str)


atoms = st.sampled_from(["a", "b", "c", "log(a)", "C(b)", "`o d`", "x.y", "bs(c, df=4)", "1", "0", "2", "."])
sums = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", "+", " - ", " * ", ":", " / ", " %in% "]), inner).map(
            "".join
        ),
        inner.map("({})".format),
        st.tuples(inner, st.sampled_from(["^2", " ** 3", "^1"])).map(lambda pair: f"({pair[0]}){pair[1]}"),
        inner.map("-{}".format),
    ),
    max_leaves=8,
)


@given(st.tuples(st.sampled_from(["y ~ ", "~", "", "log(y) ~ 0 + ", "y~ -1 + "]), sums).map("".join))
def test_any_formula_is_read_as_formulaic_reads_it(formula: str) -> None:
    assert read(formula) == read_by_formulaic(formula)


CHARACTERS = [*"abc()()[]+-*:/^~.|%`'{}01 ", "log(", "^2", "**", "in", "\\"]


@given(st.lists(st.sampled_from(CHARACTERS), max_size=14).map("".join))
def test_any_text_is_read_as_formulaic_reads_it(text: str) -> None:
    assert read("y ~ " + text) == read_by_formulaic("y ~ " + text)


def test_powers_do_not_explode() -> None:
    assert len(parse("y ~ (a + b + c + d + e + f)^20").terms) == 2**6


def test_plain_formulas_load_no_other_library() -> None:
    code = (
        "import sys; from etamu.data.formula import parse; parse('y ~ a*b + np.log(c) + C(d) - 1');"
        "print({'formulaic', 'pandas', 'scipy'} & set(sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "set()"
