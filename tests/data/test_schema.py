"""What is settled on the first data: levels, contrasts, transforms, names; frozen, picklable, JSON-able."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etamu._base.errors import DataError, EtamuError
from etamu.data.encode import encode
from etamu.data.formula import parse
from etamu.data.frame import read
from etamu.data.saved import from_dict, to_dict
from etamu.data.schema import CategoricalFactor, Schema, settle


def settled(text: str, data: Any, keep: Any = None) -> Schema:
    frame = read(data)
    return settle(parse(text, frame.names), frame, None if keep is None else np.array(keep, dtype=bool))


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (np.array([6, 10, 7]), ["C(m)[T.7]", "C(m)[T.10]"]),
        (np.array([6.0, 10.0, 7.5]), ["C(m)[T.7.5]", "C(m)[T.10.0]"]),
        (np.array([6.0, 10.1, 7.5], dtype=np.float32), ["C(m)[T.7.5]", "C(m)[T.10.1]"]),
        (pd.Series([6, None, 7], dtype="Int64"), ["C(m)[T.7]"]),
        (["10", "9", "a"], ["C(m)[T.9]", "C(m)[T.a]"]),
        (["é", "z", "Z"], ["C(m)[T.z]", "C(m)[T.é]"]),
        (np.array([True, False, True]), ["C(m)[T.True]"]),
    ],
)
def test_levels_are_sorted_and_printed_as_formulaic_does(values: Any, names: list[str]) -> None:
    keep = [value is not pd.NA for value in values]
    assert list(settled("~ C(m)", {"m": values}, keep).names) == ["Intercept", *names]


def test_truth_values_are_a_factor_with_false_first() -> None:
    assert settled("~ b", {"b": [True, False]}).names == ("Intercept", "b[T.True]")
    assert settled("~ 0 + b", {"b": [True, False]}).names == ("b[False]", "b[True]")


def test_declared_levels_without_a_row_in_use_are_dropped_and_said() -> None:
    column = pd.Categorical(["u", "v", "w", "u"], categories=["w", "v", "q", "u"])
    schema = settled("~ g + C(g, contr.sum):x", {"g": pd.Series(column), "x": np.arange(4.0)}, [1, 1, 0, 1])
    assert schema.dropped_levels == (("g", ("w", "q")),)
    assert schema.names[:2] == ("Intercept", "g[T.u]")
    text = settled("~ g", {"g": ["u", "v", "w", "u"]}, [1, 1, 0, 1])
    assert text.names == ("Intercept", "g[T.v]")
    assert text.dropped_levels == ()


def test_transforms_are_settled_where_their_own_column_is_present() -> None:
    x = np.array([1.0, 2.0, np.nan, 4.0, 100.0])
    frame = read({"x": x, "z": np.arange(5.0)})
    keep = np.array([True, True, False, True, False])
    encoded = encode(settle(parse("~ center(x) + scale(log(x))"), frame, keep), frame, keep)
    present = x[~np.isnan(x)]
    dense = encoded.design.dense()
    np.testing.assert_allclose(dense[:, 1], x[keep] - present.mean(), rtol=1e-14)
    expected = (np.log(x[keep]) - np.log(present).mean()) / np.log(present).std(ddof=1)
    np.testing.assert_allclose(dense[:, 2], expected, rtol=1e-13)


def test_transforms_nest() -> None:
    x = np.linspace(1.0, 3.0, 9)
    frame = read({"x": x})
    schema = settle(parse("~ poly(center(log(x)), 2)"), frame)
    assert [text for text, _ in schema.states] == ["center(log(x))", "poly(center(log(x)), 2)"]
    basis = encode(schema, frame).design.dense()[:, 1:]
    np.testing.assert_allclose(basis.T @ basis, np.eye(2), atol=1e-13)


def test_the_reference_can_be_named() -> None:
    data = {"g": ["a", "b", "c"], "n": [1, 2, 3]}
    assert settled("~ relevel(g, ref='b')", data).names[1:] == (
        "relevel(g, ref='b')[T.a]",
        "relevel(g, ref='b')[T.c]",
    )
    assert settled("~ C(n, contr.treatment(base=3))", data).names[1:] == (
        "C(n, contr.treatment(base=3))[T.1]",
        "C(n, contr.treatment(base=3))[T.2]",
    )
    first = settled("~ C(g, levels=['c', 'a', 'b'])", data).factors[0]
    assert isinstance(first, CategoricalFactor)
    assert first.levels == ("c", "a", "b")


@pytest.mark.parametrize("spelled", ["contr.sum", "'contr.sum'", "'sum'", "Sum", "contr.sum()"])
def test_a_contrast_has_many_spellings(spelled: str) -> None:
    (factor,) = settled(f"~ C(g, {spelled})", {"g": ["a", "b", "c"]}).factors
    assert isinstance(factor, CategoricalFactor)
    assert factor.contrast.matrix == ((1.0, 0.0), (0.0, 1.0), (-1.0, -1.0))


def test_more_coefficients_than_any_model_holds_are_refused() -> None:
    data = {name: np.arange(200) for name in "abcd"}
    with pytest.raises(DataError, match=r"makes 1,600,000,000 coefficients; the limit is 5,000,000"):
        settled("~ C(a):C(b):C(c):C(d)", data)


RICH = (
    "cbind(s, f) ~ poly(x, 2):g + bs(x, df=5) + ns(x, 3) + C(n, contr.poly) + I(x^2 > 1) + scale(log(z))"
    " + flag + C(g, contr.custom([[1, 0.1], [0, 1], [-1, -2]], names=['u', 'v'])) + cat * x + I(g == 'a')"
    " + where(x > 0, x, -z) + C(z > 1.5) + offset(log(z)) + 2:z"
)


def rich() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    n = 30
    return pd.DataFrame(
        {
            "s": rng.poisson(2, n),
            "f": rng.poisson(2, n),
            "x": rng.normal(size=n),
            "z": rng.uniform(1, 2, size=n),
            "n": np.resize([1, 2, 4], n),
            "g": np.resize(["a", "b", "c"], n),
            "flag": np.resize([True, False], n),
            "cat": pd.Categorical(np.resize(["p", "q"], n), categories=["q", "nobody", "p"]),
        }
    )


def test_a_schema_is_a_value() -> None:
    schema = settled(RICH, rich())
    assert pickle.loads(pickle.dumps(schema)) == schema
    assert hash(schema) == hash(settled(RICH, rich()))
    with pytest.raises(AttributeError):
        schema.formula = "other"  # type: ignore[misc]


def test_json_gives_the_same_schema_and_the_same_bits() -> None:
    frame = read(rich())
    schema = settled(RICH, frame)
    again = from_dict(json.loads(json.dumps(to_dict(schema))))
    assert again == schema
    new = read(rich().iloc[3:9])
    assert encode(again, new).design.dense().tobytes() == encode(schema, new).design.dense().tobytes()
    assert again.names == encode(again, new).layout.names


def damaged(saved: Any, path: list[Any], value: Any) -> Any:
    """Replace what stands at the end of a path."""
    out = copy.deepcopy(saved)
    place = out
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return out


def paths(saved: Any) -> list[list[Any]]:
    steps = saved.items() if isinstance(saved, dict) else enumerate(saved) if isinstance(saved, list) else []
    return [[step, *rest] for step, part in steps for rest in [[], *paths(part)]]


SAVED = json.loads(json.dumps(to_dict(settled(RICH, rich()))))
PATHS = paths(SAVED)
JUNK = st.sampled_from(
    [None, True, 0, -1, 3, 10**9, 1e300, "", "x", "eval", "__import__", [], [[]], {}, [1, "a"], ["call"]]
)


@settings(max_examples=300, deadline=None)
@given(path=st.sampled_from(PATHS), value=JUNK)
def test_damaged_schemas_are_refused_or_harmless(path: list[Any], value: Any) -> None:
    frame = read(rich())
    with contextlib.suppress(EtamuError):
        encode(from_dict(damaged(SAVED, path, value)), frame)


@pytest.mark.parametrize("name", ["eval", "__import__", "np.load", "getattr", "os.system"])
def test_saved_expressions_call_allowed_functions_only(name: str) -> None:
    saved = to_dict(settled("~ log(x)", {"x": [1.0, 2.0]}))
    saved["factors"][0]["expression"][1] = name
    with pytest.raises(DataError, match=f"damaged: '{name}' is not among the functions of formulas"):
        from_dict(saved)


def test_saved_names_are_columns_never_attributes() -> None:
    saved = to_dict(settled("~ x", {"x": [1.0, 2.0]}))
    saved["factors"][0]["expression"][1] = "x.__class__"
    with pytest.raises(EtamuError, match=r"no column 'x\.__class__'"):
        encode(from_dict(saved), read({"x": [1.0]}))
