"""Formulas are read to formulaic's terms; what cannot be read says why, and nothing is run."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etamu._base.errors import FormulaError
from etamu.data.formula import parse


def labels(formula: str, columns: tuple[str, ...] = ()) -> list[str]:
    return [term.label for term in parse(formula, columns).terms]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("y ~ 1", ["Intercept"]),
        ("y ~ 0", []),
        ("y ~ x - 1", ["x"]),
        ("y ~ a:b + a", ["Intercept", "a", "a:b"]),
        ("y ~ (a + b + c)^2 - b:c", ["Intercept", "a", "b", "c", "a:b", "a:c"]),
        ("y ~ a / (b + c)", ["Intercept", "a", "a:b", "a:c"]),
        ("y ~ a*log(x)", ["Intercept", "a", "log(x)", "a:log(x)"]),
        ("y ~ Solar.R + `odd name`", ["Intercept", "Solar.R", "odd name"]),
        ("y ~ x + x", ["Intercept", "x"]),
        ("y ~ log(x) + log( x )", ["Intercept", "log(x)"]),
    ],
)
def test_terms_are_formulaics(formula: str, expected: list[str]) -> None:
    assert labels(formula) == expected


def test_a_point_stands_for_all_other_columns() -> None:
    assert labels("log(y) ~ .", ("a", "y", "b")) == ["Intercept", "a", "b"]
    assert labels("y ~ .^2 - a:b", ("a", "y", "b")) == ["Intercept", "a", "b"]
    with pytest.raises(FormulaError, match=r"'\.' stands for all other columns, and there are none"):
        parse("y ~ .")


def test_offsets_are_set_apart() -> None:
    statement = parse("y ~ x + offset(log(e)) + offset(z)")
    assert [term.label for term in statement.terms] == ["Intercept", "x"]
    assert [offset.label for offset in statement.offsets] == ["offset(log(e))", "offset(z)"]
    assert statement.columns == ("x", "e", "z")
    with pytest.raises(FormulaError, match="an offset cannot be part of an interaction"):
        parse("y ~ x:offset(z)")


def test_sides_and_columns() -> None:
    statement = parse("cbind(dead, alive) ~ C(dose, contr.sum) + `a b`:I(x / z)")
    assert statement.response is not None
    assert statement.response.label == "cbind(dead, alive)"
    assert statement.response_columns == ("dead", "alive")
    assert statement.columns == ("dose", "a b", "x", "z")
    assert statement.intercept
    assert parse("~ x").response is None
    assert parse("x").response is None
    assert parse("I(`a~b` + 1) ~ x").response_columns == ("a~b",)


def test_a_response_may_leave_the_right_side_or_stand_there_as_another_function() -> None:
    assert parse("y ~ x + y - y").columns == ("x",)
    assert parse("log(y) ~ x + y").columns == ("x", "y")


def test_a_statement_is_read_once() -> None:
    assert parse("y ~ cached + x") is parse("y ~ cached + x")


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("", "write one such as"),
        ("y ~", "nothing on its right side"),
        ("y ~ x + y", "has the response y on its right side too, in the term y; leave"),
        ("log(y) ~ x * log(y)", r"has the response log\(y\) on its right side too, in the term"),
        ("y ~ x +", "insufficient arguments"),
        ("y ~ a b", "Missing operator between `a` and `b`"),
        ("y ~ log(x", "ended before quote"),
        ("y ~ a ~ b", "has 2 '~'"),
        ("y ~ a | b", "is not supported"),
        ("y ~ 'a'", "'a' is not a term"),
        ("y ~ 3", "Numeric literals"),
        ("y ~ 3.2.1", "is not a term"),
        ("y ~ (a + b)^99999", "raised to 1, …, 20"),
        ("y ~ (a + b)^c", "raised to 1, …, 20"),
        ("y ~ a $ b", "cannot read the formula"),
        ("y + ~ x", "stands before '~'|cannot read"),
        ("y ~ nosuch(x)", r"uses nosuch\(\), which is not among the functions"),
        ("eval(y) ~ x", r"the left side of .* uses eval\(\)"),
        ("y ~ " + "(" * 20_000 + "x" + ")" * 19_999, "cannot read the formula"),
    ],
)
def test_what_cannot_be_read_says_why(formula: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message):
        parse(formula)


@pytest.mark.parametrize(
    "piece",
    [
        "__import__('pathlib').Path('smuggled').touch()",
        "open('smuggled', 'w')",
        "I(open('smuggled', 'w'))",
        "{open('smuggled', 'w')}",
        "log(x).__class__()",
        "x.__class__()",
        "x[open('smuggled', 'w')]",
        "(lambda: open('smuggled', 'w'))()",
        "C(x, contr.custom(open('smuggled', 'w')))",
        "C(x, (lambda: 1)())",
        "poly(x, [open('smuggled', 'w') for _ in (1,)])",
        "I(f'{open(chr(115))}')",
        "I('{0.__class__}'.format(x))",
        "np.ctypeslib.os.system('touch smuggled')",
        "offset(eval('1'))",
    ],
)
@pytest.mark.parametrize("side", ["y ~ x + {}", "{} ~ x"])
def test_nothing_smuggled_is_run(
    piece: str, side: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        statement = parse(side.replace("{}", piece))
    except FormulaError:
        pass
    else:  # read as the name of a column that no data have
        assert {"lambda"} & {*statement.columns, *statement.response_columns}
    assert not list(tmp_path.iterdir())


@given(st.text(max_size=30) | st.text(alphabet="yxab~+-*/:^%()0123.`'\" ilogn|C,", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(FormulaError):
        parse(text, ("a", "b"))
