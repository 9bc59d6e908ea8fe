"""A formula that cannot be read comes with what was probably meant."""

from __future__ import annotations

import pytest

import etamu as em
from etamu.data.formula import parse

MISTYPED = {
    "y ~ (x": r"'\(' at character 5 is not closed",
    "y ~ x)": r"'\)' at character 6 closes nothing",
    "y ~ a \u2013 b": r"write - for the character '\u2013' \(EN DASH\)",
    "y ~ a \u00d7 b": r"write \* for the character",
    "y ~ \u201ca\u201d": "a backquote or a quote for the character",
    "y ~ a\u200b": "nothing, for nobody sees it",
    "y ~ gro\u0308sse": "a name with combined letters into backquotes",
    "y = x": "write '~' for '='",
    "y ~ x > 1": r"inside I\(\), such as I\(x > 1\)",
    "y ~ x + 3": r"only be used to scale other terms; arithmetic and comparisons stand inside I\(\)",
    "y ~ a b": "a name with a blank stands in backquotes",
    "y ~ C(g, 'u": "the ' at character 10 is not closed",
}


@pytest.mark.parametrize("formula", MISTYPED)
def test_what_was_meant_is_said(formula: str) -> None:
    with pytest.raises(em.FormulaError, match=MISTYPED[formula]) as caught:
        parse(formula, ("y", "a", "b", "x", "g"))
    assert "tip:" not in str(caught.value)


@pytest.mark.parametrize("formula", ["y ~ C(x)..y", "y ~ , x"])
def test_nothing_is_added_where_nothing_is_known(formula: str) -> None:
    with pytest.raises(em.FormulaError, match=r"^[^;]*$"):
        parse(formula, ("y", "x"))
