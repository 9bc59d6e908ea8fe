"""Rows become the same design from any library and replay exactly; what is wrong is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etamu._base.errors import DataError, FormulaError, OptionError
from etamu.data.encode import Encoded, encode, missing_rows, response
from etamu.data.formula import parse
from etamu.data.frame import Frame, read
from etamu.data.schema import Schema, settle
from etamu.design.blocks import Coded, Dense

N = 40


def columns(n: int = N) -> dict[str, list[Any]]:
    rng = np.random.default_rng(3)
    table: dict[str, list[Any]] = {
        "y": rng.poisson(2.0, n).tolist(),
        "x": rng.normal(size=n).tolist(),
        "z": rng.uniform(1.0, 2.0, size=n).tolist(),
        "k": rng.permutation(np.resize([3, 1, 2], n)).tolist(),
        "flag": rng.permutation(np.resize([True, False, True], n)).tolist(),
        "g": rng.permutation(np.resize(["b", "ä", "a", "c"], n)).tolist(),
        "h": rng.permutation(np.resize(["u", "v"], n)).tolist(),
    }
    for name, row in {"x": 5, "k": 11, "flag": 0, "g": 7, "y": 20}.items():
        table[name][row] = None
    return table


def kept(frame: Frame, text: str) -> np.ndarray:
    keep = np.ones(len(frame), dtype=bool)
    for missing in missing_rows(parse(text), frame).values():
        keep &= ~missing
    return keep


def dense(encoded: Encoded) -> np.ndarray:
    return encoded.layout.gather(encoded.design.dense().T).T


FORMULAS = [
    "y ~ x + z",
    "y ~ x + g * h + flag",
    "y ~ C(k) + log(z)",
    "y ~ poly(x, 2) * g + offset(log(z))",
    "y ~ bs(x, df=5) + ns(z, 3) + scale(x):g",
    "y ~ 0 + g:flag + C(g, contr.sum):x + I(x^2 > 1) + k",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_every_library_gives_the_same_bits(make: Any, text: str) -> None:
    reference, frame = read(columns()), read(make(columns()))
    first, second = (
        encode(settle(parse(text), data, kept(data, text)), data, kept(data, text))
        for data in (reference, frame)
    )
    names = [name.replace(".0]", "]") if "C(k)" in name else name for name in second.layout.names]
    assert names == list(first.layout.names)
    assert dense(second).tobytes() == dense(first).tobytes()
    if first.offset is not None and second.offset is not None:
        assert second.offset.tobytes() == first.offset.tobytes()
    (ours,), (theirs,) = (response(parse(text), data, kept(data, text)) for data in (reference, frame))
    assert ours.values.tobytes() == theirs.values.tobytes()


@pytest.mark.parametrize("text", FORMULAS)
@given(rows=st.lists(st.integers(0, N - 1), min_size=1, max_size=8))
def test_some_rows_encode_as_they_did_among_all(text: str, rows: list[int]) -> None:
    table = pd.DataFrame({name: pd.Series(values) for name, values in columns().items()}).convert_dtypes()
    frame = read(table)
    keep = kept(frame, text)
    schema = settle(parse(text), frame, keep)
    whole = encode(schema, frame, keep)
    chosen = [row for row in rows if keep[row]]
    place = (np.cumsum(keep) - 1)[chosen]
    part = encode(schema, read(table.iloc[chosen].drop(columns="y")))
    assert dense(part).tobytes() == dense(whole)[place].tobytes()
    if whole.offset is not None and part.offset is not None:
        assert part.offset.tobytes() == whole.offset[place].tobytes()


def made(text: str, data: Any, keep: np.ndarray | None = None, **options: Any) -> Encoded:
    frame = read(data)
    return encode(settle(parse(text, frame.names), frame, keep), frame, keep, **options)


def test_numbers_enter_as_they_lie() -> None:
    x, w, g = np.arange(4.0), np.arange(4, dtype=np.int8), np.array(["a", "b", "a", "c"])
    design = made("~ x + w + g + g:x", {"x": x, "w": w, "g": g}).design
    plain, levels, slopes = design.blocks
    assert isinstance(plain, Dense)
    assert plain.columns[1] is x
    assert plain.columns[2] is w
    assert plain.columns[0].strides == (0,)
    assert isinstance(levels, Coded)
    assert isinstance(slopes, Coded)
    assert slopes.codes is levels.codes
    assert slopes.multiplier is x


def test_a_category_costs_its_codes() -> None:
    n = 20_000
    data = {"g": np.arange(n) % 5000, "h": np.arange(n) % 3, "x": np.ones(n)}
    encoded = made("~ C(g) + C(h):x", data)
    assert [type(block) for block in encoded.design.blocks] == [Dense, Coded, Coded]
    assert not encoded.layout.parts
    assert encoded.layout.width == 1 + 4999 + 3


def test_all_kept_is_no_copy_and_a_mask_selects() -> None:
    x = np.array([1.0, 2.0, 3.0])
    assert made("~ x", {"x": x}, np.array([True, True, True])).design.blocks[0].columns[1] is x  # type: ignore[attr-defined]
    np.testing.assert_array_equal(
        dense(made("~ x", {"x": x}, np.array([True, False, True]))), [[1, 1], [1, 3]]
    )


def test_missing_rows_are_told_by_column() -> None:
    frame = read(
        {"y": [1, None], "x": [np.nan, 2.0], "g": ["a", None], "e": [1.0, None], "other": [None, None]}
    )
    missing = missing_rows(parse("y ~ log(x) + g + offset(e)"), frame)
    assert {name: mask.tolist() for name, mask in missing.items()} == {
        "y": [False, True],
        "x": [True, False],
        "g": [False, True],
        "e": [False, True],
    }
    assert "y" not in missing_rows(parse("y ~ x"), frame, response=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("~ inf", r"column 'inf' is inf in row 2; correct"),
        ("~ gap", r"column 'gap' is missing in row 1; fill it in"),
        ("~ log(x)", r"log\(x\) is -inf in row 3, where x = 0.0; correct"),
        ("~ g:log(x)", r"log\(x\) is -inf in row 3, where x = 0.0"),
        ("~ sqrt(x - 2)", r"sqrt\(x - 2\) is nan in row 0, where x = 1.0"),
        ("~ poly(inf, 1)", r"column 'inf' is inf in row 2"),
        ("~ C(inf)", r"column 'inf' is inf in row 2"),
        ("~ I(1 / 0)", r"I\(1 / 0\) is inf in every row"),
        ("~ x + offset(log(x))", r"offset\(log\(x\)\) is -inf in row 3, where x = 0.0"),
        ("~ huge:I(huge + 1)", r"huge:I\(huge \+ 1\) is inf in row 1; rescale"),
        (
            "~ np.log(g)",
            r"column 'g' holds text where numbers belong: row 0 is 'b'; use it as a factor, C\(g\)",
        ),
        ("~ I(g + 1)", r"column 'g' holds text where numbers belong"),
        ("~ poly(g, 2)", r"column 'g' holds text where numbers belong"),
        ("~ I(x == 'a')", r"column 'x' holds numbers, not text"),
        ("~ one", r"factor one has fewer than two levels in the rows used, only 'q'"),
        ("~ C(x, contr.treatment('zz'))", r"'zz' is not a level; the levels in use are 0.0, 1.0, 2.0, 4.0"),
        ("~ C(g, levels=['b'])", r"the data hold 'a', which levels= does not list"),
        ("~ relevel(g, ref='q')", r"'q' is not a level; the levels in use are a, b"),
        (
            "~ C(g, [[1], [2], [3]])",
            r"shape \(3, 1\) and needs one row for each of the 2 levels in use, a, b",
        ),
        ("~ C(g, contr.poly(scores=[1, 2, 3]))", r"contr.poly has 3 scores and the factor 2 levels"),
        ("~ poly(x, 9)", r"poly\(x, 9\): .*4 distinct values"),
    ],
)
def test_bad_values_are_named(text: str, message: str) -> None:
    data = {
        "x": [1.0, 4.0, 2.0, 0.0],
        "inf": [1.0, 2.0, np.inf, 3.0],
        "gap": [1.0, np.nan, 2.0, 3.0],
        "huge": [1.0, 1e200, 1.0, 1.0],
        "g": ["b", "a", "b", "a"],
        "one": ["q"] * 4,
    }
    with pytest.raises(DataError, match=message):
        made(text, data)


def test_rows_are_counted_in_the_input() -> None:
    keep = np.array([False, True, False, True])
    with pytest.raises(DataError, match="column 'x' is inf in row 3"):
        made("~ x", {"x": [np.inf, 1.0, np.inf, np.inf]}, keep)
    with pytest.raises(DataError, match="row 1 is 'a'"):
        made("~ log(g)", {"g": [None, "a", "b", "c"]}, keep)
    with pytest.raises(DataError, match="mask of rows has 4 entries and the data have 2 rows"):
        made("~ x", {"x": [1.0, 2.0]}, keep)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("~ ag", "no column 'ag'; did you mean 'age'"),
        ("~ log(x.real)", "no column 'x.real'"),
        ("~ x.__class__", "no column 'x.__class__'"),
        ("~ C(g, contr.nosuch)", "'contr.nosuch' is not a contrast; there are contr.treatment"),
        ("~ C(g, contr.sum(3))", "an argument that contr.sum does not take"),
        ("~ C(g, base=2)", "C has no argument 'base'"),
        ("~ C(g, contr.sum, contr.sum)", "takes the variable and one contrast"),
        ("~ C()", "needs the variable first"),
        ("~ poly()", "needs the variable first"),
        ("~ relevel(g)", "say which level comes first"),
        ("~ C(g, [[1], ['a']])", "rows of numbers of one length"),
        ("~ C(g, contr.custom([[1], [2]], names=['u', 'v']))", "2 names for 1 contrasts"),
        ("~ C(bs(age, 3))", "a basis has no levels"),
        ("~ I(bs(age, 4) + 1)", r"bs\(age, 4\) has several columns and can only be a term"),
        ("~ poly(age, age)", "must be written out as numbers or text"),
        ("~ log(age, 2, 3)", "log takes 1 to 2 arguments, not 3"),
        ("~ I('a')", "the text 'a' stands where a number belongs"),
        ("~ c(1, 2)", "a vector stands where a number belongs"),
        ("~ contr.sum(g)", "contr.sum makes none"),
        ("~ I(age & g)", "neither true nor false|text where numbers"),
        ("~ I((age > 1) & age)", "age is neither true nor false"),
        ("~ I(age, g)", "I takes one argument"),
    ],
)
def test_what_a_formula_asks_wrongly_is_said(text: str, message: str) -> None:
    with pytest.raises((FormulaError, DataError), match=message):
        made(text, {"age": [1.0, 2.0, 3.0, 5.0, 9.0], "x": [1.0] * 5, "g": ["a", "b", "a", "b", "b"]})


def trained(text: str, data: dict[str, Any]) -> Schema:
    return settle(parse(text), read(data))


TRAINING = {"g": ["a", "b", "c"], "n": [1, 2, 5], "x": [0.5, 1.0, 2.0], "flag": [True, False, True]}


@pytest.mark.parametrize(
    ("text", "new", "message"),
    [
        (
            "~ g",
            {"g": ["a", "zz"]},
            r"column 'g' has the level 'zz' in row 1, which was not among .* \(a, b, c\)",
        ),
        ("~ C(n)", {"n": [1, 3]}, r"column 'n' has the level 3 in row 1, .* \(1, 2, 5\)"),
        ("~ C(n > 1)", {"n": [1, 2]}, None),
        ("~ C(x * 2)", {"x": [0.5, 3.0]}, r"C\(x \* 2\) has the level 6.0 in row 1"),
        ("~ g", {"g": [1, 2]}, r"column 'g' has the level 1 in row 0|level 1"),
        ("~ g", {"h": ["a"]}, r"no column 'g'"),
        ("~ x", {"x": ["a"]}, r"column 'x' holds text where numbers belong: row 0 is 'a'"),
        ("~ x", {"x": [1.0, None]}, r"column 'x' is missing in row 1"),
        ("~ g", {"g": ["a", None]}, r"column 'g' is missing in row 1"),
    ],
)
def test_new_data_that_do_not_fit_are_named(text: str, new: dict[str, Any], message: str | None) -> None:
    schema = trained(text, TRAINING)
    if message is None:
        assert encode(schema, read(new)).design.length == 2
        return
    with pytest.raises((DataError, FormulaError), match=message):
        encode(schema, read(new))


def test_a_level_never_seen_can_be_nan_or_the_reference() -> None:
    schema = trained("~ C(g, contr.treatment('b')) + C(n)", TRAINING)
    new = read({"g": ["zz", "b", "c"], "n": [1, 9, 5]})
    marked = encode(schema, new, unseen="nan")
    assert marked.invalid is not None
    assert marked.invalid.tolist() == [True, True, False]
    reference = encode(schema, new, unseen="reference")
    assert reference.invalid is None
    np.testing.assert_array_equal(dense(reference), [[1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [1, 0, 1, 0, 1]])
    with pytest.raises(OptionError, match="unseen='maybe' is not known"):
        encode(schema, new, unseen="maybe")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("~ C(n)", [1, 2, 5], ["1", "5", "2"]),
        ("~ C(n)", [1.0, 2.0, 5.0], [1, 5, 2]),
        ("~ n", ["1", "2", "5"], [1, 5, 2]),
        ("~ n", [True, False, True], [1, 0, 1]),
        ("~ n", [True, False, True], ["True", "False", "True"]),
        ("~ n", ["True", "False", "True"], [True, False, True]),
    ],
)
def test_levels_are_known_again_in_another_type(text: str, old: list[Any], new: list[Any]) -> None:
    schema = trained(text, {"n": old})
    assert np.isfinite(dense(encode(schema, read({"n": new})))).all()


def test_new_data_need_only_the_right_side() -> None:
    frame = read({"y": [1.0, 2.0, 3.0], "x": [0.1, 0.2, 0.4]})
    schema = settle(parse("log(y) ~ x"), frame)
    assert schema.columns == ("x",)
    assert schema.response == "log(y)"
    np.testing.assert_array_equal(dense(encode(schema, read({"x": [7.0]}))), [[1.0, 7.0]])
    assert encode(schema, read({"x": []})).design.length == 0


def test_the_left_side_is_evaluated() -> None:
    frame = read(
        {
            "s": [1, 2, 4],
            "f": [3, 2, 0],
            "g": ["no", "yes", "no"],
            "b": [True, False, True],
            "c": [None, 1, 2],
        }
    )

    def left(text: str, keep: np.ndarray | None = None) -> list[Any]:
        return [column.values.tolist() for column in response(parse(f"{text} ~ 1"), frame, keep)]

    assert left("s") == [[1, 2, 4]]
    assert left("log2(s)") == [[0, 1, 2]]
    assert left("s + f") == [[4, 4, 4]]
    assert left("I(s / 4)") == [[0.25, 0.5, 1]]
    assert left("cbind(s, f)") == [[1, 2, 4], [4, 4, 4]]
    assert left("cbind(s, I(s + f) - s)") == [[1, 2, 4], [4, 4, 4]]
    assert left("b") == [[1, 0, 1]]
    assert left("c", np.array([False, True, True])) == [[1, 2]]
    (factor,) = response(parse("factor(g) ~ 1"), frame)
    assert (factor.kind, factor.levels, factor.codes.tolist()) == ("text", ("no", "yes"), [0, 1, 0])
    with pytest.raises(DataError, match=r"log\(f\) is -inf in row 2, where f = 0"):
        left("log(f)")
    with pytest.raises(DataError, match="column 'c' is missing in row 0"):
        left("c")
    with pytest.raises(FormulaError, match=r"write cbind\(successes, failures\)"):
        left("cbind(s)")
    with pytest.raises(FormulaError, match="has no left side"):
        response(parse("~ s"), frame)
    with pytest.raises(FormulaError, match="cannot be the response"):
        left("poly(s, 2)")


def test_offsets_add_up() -> None:
    encoded = made("~ x + offset(x) + offset(log(z))", {"x": [1.0, 2.0], "z": [1.0, np.e]})
    np.testing.assert_allclose(encoded.offset, [1.0, 3.0])
    assert made("~ x", {"x": [1.0, 2.0]}).offset is None


def test_scales_multiply_the_columns() -> None:
    data = {"x": [1.0, 2.0], "g": ["a", "b"]}
    np.testing.assert_array_equal(dense(made("~ 0 + 2:x", data)), [[2.0], [4.0]])
    np.testing.assert_array_equal(dense(made("~ 1 + 3:g", data)), [[1.0, 0.0], [1.0, 3.0]])
    encoded = made("~ 0 + 4:g", data)
    np.testing.assert_array_equal(dense(encoded) @ encoded.layout.constant, [1.0, 1.0])
