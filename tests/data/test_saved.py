"""A schema as JSON data: it comes back equal, and damaged data are refused and never computed with."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from etamu._base.errors import DataError
from etamu.data.expression import parse_expression
from etamu.data.formula import parse
from etamu.data.frame import read
from etamu.data.functions import canonical
from etamu.data.saved import DEEPEST, _expression_from, _expression_to, _number, from_dict, to_dict
from etamu.data.schema import Schema, settle

DATA = {
    "x": np.array([1.0, 2.0, 4.0, 7.0, 11.0, 12.0]),
    "k": np.array([1, 2, 3, 1, 2, 3]),
    "g": ["u", "v", "w", "u", "v", "w"],
}
FORMULA = "log(x) ~ g * x + poly(x, 2) + C(k, contr.sum) + offset(log(x + 1))"


def settled(formula: str = FORMULA) -> Schema:
    return settle(parse(formula), read(DATA))


def saved(formula: str = FORMULA) -> dict[str, Any]:
    return json.loads(json.dumps(to_dict(settled(formula)), allow_nan=False))


FORMULAS = [
    FORMULA,
    "~ 0",
    "~ 1",
    "~ 0 + g:x + bs(x, df=4)",
    "~ C(g, {'p': [1, 0, -1]}) + scale(x)",
    "~ relevel(g, 'v') + ns(x, df=2):g",
    "~ I(x > 2) + where(x < 3, -x, +x ** 2) + C(k == 2)",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_schema_through_json_text_is_equal(formula) -> None:
    assert from_dict(saved(formula)) == settled(formula)


@pytest.mark.parametrize(
    "text", ["`my col` + 1", "c(1, 2.5, 'a')", "{'a': [True, None]}", "f == '1'", "~b", "bs(x, df=3)"]
)
def test_an_expression_comes_back_as_it_was(text) -> None:
    expression = parse_expression(text, canonical).expression
    assert _expression_from(json.loads(json.dumps(_expression_to(expression)))) == expression


def test_numbers_json_does_not_have_are_read_from_their_words() -> None:
    assert math.isnan(_number("NaN"))
    assert (_number("Infinity"), _number("-Infinity"), _number(3)) == (math.inf, -math.inf, 3.0)
    for wrong in ("nan", "1", True, None, [1]):
        with pytest.raises(DataError, match="stands where a number belongs"):
            _number(wrong)


def test_the_size_is_that_of_the_names_and_another_is_refused() -> None:
    data = saved("~ g + x")  # Intercept, two contrasts of g from three raw columns, x
    assert len(from_dict(data, (4, 5)).names) == 4
    for size, words in (((5, 6), "4 coefficients, 5 raw columns, not 5 and 6"), ((3, 5), "more than 3")):
        with pytest.raises(DataError, match=f"the saved schema is damaged: the terms make {words}"):
            from_dict(data, size)


@pytest.mark.parametrize("field", sorted(to_dict(settled("~ 1"))))
def test_no_field_may_be_missing_or_of_another_kind(field) -> None:
    data = saved()
    value = data.pop(field)
    with pytest.raises(DataError, match=f"the saved schema is damaged: KeyError '{field}'"):
        from_dict(data)
    assert from_dict(data | {field: value}) == settled()
    with pytest.raises(DataError, match=r"the saved schema is damaged: 3 stands where (a list|text) belongs"):
        from_dict(data | {field: 3})


def changed(path: list[Any], value: Any) -> dict[str, Any]:
    data = saved("~ g + poly(x, 2) + C(g, contr.sum):x + offset(log(x))")
    place: Any = data
    for step in path[:-1]:
        place = place[step]
    assert place[path[-1]] != value
    place[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["terms", 0, "scale"], 0, "the scale 0.0 of a term is not a number to multiply by"),
        (["terms", 0, "scale"], "Infinity", "the scale inf of a term"),
        (["terms", 1, "products", 0, 0, 0], 99, "99 stands where an index below"),
        (["terms", 1, "products", 0, 0, 1], 1.5, "1.5 stands where true or false belongs"),
        (["factors", 0, "expression"], ["lambda", "x"], "an expression has the unknown kind 'lambda'"),
        (
            ["offsets", 0, "expression"],
            ["call", "eval", [], [], "eval()"],
            "'eval' is not among",
        ),
        (
            ["offsets", 0, "expression"],
            ["call", "np.log", [], [], "t"],
            "'np.log' is not among the functions",
        ),
        (["offsets", 0, "expression"], ["operation", "@", [], "t"], "'@' is not among the operators"),
        (["offsets", 0, "expression"], ["operation", "*", [["name", "x"]], "t"], r"'\*' has 1 operands"),
        (["offsets", 0, "expression"], ["name"], "TypeError"),
        (["factors", 0, "contrast", "fields"], ["v"], "the contrast of factor g does not fit its 3 levels"),
        (["factors", 0, "contrast", "base"], 3, "3 stands where an index below 3 belongs"),
        (["factors", 0, "numbers"], [1.0], "factor g has 3 levels and 1 numbers"),
        (["states"], [], r"the state of poly\(x, 2\) is missing"),
        (["states", 0, 1], {"kind": "raw poly", "degree": 3}, r"poly\(x, 2\) has 2 fields and 3 columns"),
        (["states", 0, 1, "spread"], 0, "a saved basis has the spread 0"),
    ],
    ids=[
        *(
            [
                "zero-scale",
                "infinite-scale",
                "factor-index",
                "reduced",
                "kind",
                "eval",
                "spelling",
                "operator",
                "operands",
            ]
        ),
        *(["arity", "contrast-fields", "base", "numbers", "no-state", "other-state", "divisor"]),
    ],
)
def test_damage_is_refused_and_named(path, value, words) -> None:
    with pytest.raises(DataError, match=f"the saved schema is damaged: .*{words}"):
        from_dict(changed(path, value))


@pytest.mark.parametrize("data", [None, [], "schema", {}], ids=["none", "list", "text", "empty"])
def test_what_is_no_schema_is_refused(data) -> None:
    with pytest.raises(DataError, match="the saved schema is damaged"):
        from_dict(data)


def test_an_expression_may_be_nested_so_deep_and_no_deeper() -> None:
    def nested(depth: int) -> list[Any]:
        inner: list[Any] = ["name", "x"]
        for _ in range(depth):
            inner = ["operation", "-", [inner], "t"]
        return inner

    assert _expression_to(_expression_from(nested(DEEPEST))) == nested(DEEPEST)
    with pytest.raises(DataError, match="an expression is nested too deeply"):
        _expression_from(nested(DEEPEST + 1))
