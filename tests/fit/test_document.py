"""A document reads back as what was written, and says where it is wrong."""

from __future__ import annotations

import json
import math
import re
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etamu._base.errors import FileError
from etamu.fit.document import Place, parsed, written

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    # Half a character is refused, see below.
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_what_is_written_is_json_of_the_same_value(value) -> None:
    document = {"value": value}
    assert json.loads(written(document)) == document
    assert parsed(written(document), "f").value == document


@given(st.lists(st.floats(), max_size=12))
def test_every_float_comes_back_bit_by_bit(values) -> None:
    back = parsed(written({"beta": np.array(values)}), "f")["beta"].numbers()
    assert back.dtype == np.float64
    for one, other in zip(values, back, strict=True):
        assert math.isnan(one) == math.isnan(other)
        assert math.isnan(one) or struct.pack("d", one) == struct.pack("d", other)


def test_numbers_json_lacks_are_written_as_text() -> None:
    values = {"a": math.nan, "b": np.float64(math.inf), "c": np.array([-math.inf, 1.0]), "d": (math.inf,)}
    assert json.loads(written(values)) == {
        "a": "NaN",
        "b": "Infinity",
        "c": ["-Infinity", 1.0],
        "d": ["Infinity"],
    }


def test_numpy_scalars_and_arrays_keep_their_kind() -> None:
    value = {"i": np.int32(3), "b": np.bool_(True), "m": np.arange(4).reshape(2, 2), "t": (1, 2)}
    back = json.loads(written(value))
    assert back == {"i": 3, "b": True, "m": [[0, 1], [2, 3]], "t": [1, 2]}
    assert back["b"] is True
    assert type(back["i"]) is int


def test_lists_of_numbers_take_one_line_and_lists_of_lists_one_line_each() -> None:
    lines = written({"long": list(range(500)), "rows": [[1, 2], [3, 4], [5, 6]]}).splitlines()
    assert len([line for line in lines if "499" in line]) == 1
    assert [line.strip().rstrip(",") for line in lines if re.match(r"\s+\[\d", line)] == [
        "[1, 2]",
        "[3, 4]",
        "[5, 6]",
    ]
    assert written({}) == "{}"
    assert written({"none": [], "nothing": {}}).splitlines()[1:3] == ['  "none": [],', '  "nothing": {}']


def test_text_outside_ascii_is_written_as_it_is() -> None:
    assert "größe 🦊" in written({"name": "größe 🦊"})


DOCUMENT = (
    '{"a": {"b": [1, 2.5, "NaN", "-Infinity"], "name": "x"}, "n": 7, "texts": ["p", "q"], "none": null}'
)


def test_a_place_knows_the_way_that_led_to_it() -> None:
    place = parsed(DOCUMENT, "model.json")
    ways = [each.way for each in place["a"]["b"]]
    assert ways == ["a.b[0]", "a.b[1]", "a.b[2]", "a.b[3]"]
    assert str(place["a"]["b"].error("odd")) == "model.json: a.b: odd"
    assert str(place.error("odd")) == "model.json: odd"


def test_values_are_read_as_what_they_are() -> None:
    place = parsed(DOCUMENT, "f")
    np.testing.assert_array_equal(place["a"]["b"].numbers(4), [1.0, 2.5, math.nan, -math.inf])
    assert place["texts"].texts() == ("p", "q")
    assert place["n"].count(7, 7) == 7
    assert place["n"].number() == 7.0
    assert type(place["n"].number()) is float
    assert place["a"]["name"].word("x", "y") == "x"
    assert place.get("absent") is None
    assert place["a"].only("name", "b", "c") is None


@pytest.mark.parametrize(
    ("use", "words"),
    [
        pytest.param(lambda p: p["absent"], r"^f: 'absent' is missing", id="no such key"),
        pytest.param(lambda p: p["a"]["c"], r"^f: a: 'c' is missing", id="no such key inside"),
        pytest.param(lambda p: p["n"]["c"], r"^f: n: 7 stands where an object belongs", id="no object"),
        pytest.param(lambda p: p["n"].get("c"), "where an object belongs", id="get of no object"),
        pytest.param(lambda p: list(p["a"]), r"a: an object stands where a list", id="no list"),
        pytest.param(lambda p: p["a"].only("b"), '"name" is not a key', id="a key nobody reads"),
        pytest.param(lambda p: p["texts"].parts(3), "there are 2 entries where 3 belong", id="wrong length"),
        pytest.param(lambda p: p["none"].text(), "null stands where text", id="null for text"),
        pytest.param(lambda p: p["texts"].word("p"), "a list stands where one of 'p'", id="list for a word"),
        pytest.param(lambda p: p["a"]["name"].word("y", "z"), "one of 'y', 'z'", id="another word"),
        pytest.param(lambda p: p["n"].count(8), "7 stands where a whole number", id="too few"),
        pytest.param(lambda p: p["n"].count(0, 6), "a whole number from 0 to 6", id="too many"),
        pytest.param(
            lambda p: next(iter(p["texts"])).number(), r"texts\[0\]: \"p\" .* a number", id="no number"
        ),
        pytest.param(lambda p: p["a"]["b"].numbers(finite=True), r"a\.b\[2\]: .*a finite", id="not finite"),
        pytest.param(lambda p: p["a"]["b"].texts(), r"a\.b\[0\]: 1 stands where text", id="no texts"),
    ],
)
def test_wrong_content_is_refused_with_its_place(use, words) -> None:
    with pytest.raises(FileError, match=words):
        use(parsed(DOCUMENT, "f"))


@pytest.mark.parametrize("value", [True, 1.0, "1", None], ids=repr)
def test_a_count_is_a_whole_number_and_nothing_like_one(value) -> None:
    with pytest.raises(FileError, match="a whole number"):
        Place(value, "f").count()


def test_true_is_no_number() -> None:
    with pytest.raises(FileError, match="true stands where a number belongs"):
        Place(True, "f").number()
    with pytest.raises(FileError, match=r"\[1\]: true stands where a number"):
        Place([1.0, True], "f").numbers()


def test_an_integer_beyond_floats_is_refused() -> None:
    with pytest.raises(FileError, match="a number a float can hold"):
        Place(10**400, "f").number()


def test_long_values_are_cut_in_messages() -> None:
    with pytest.raises(FileError) as caught:
        Place("x" * 1000, "f").number()
    assert len(str(caught.value)) < 120
    assert "…" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param('{"a": 1,\n "b": ', "line 2, column 7.*cut short", id="cut"),
        pytest.param("", "line 1, column 1", id="empty"),
        pytest.param('{"a": 1, "b": 2, "a": 3}', 'the key "a" stands twice', id="twice"),
        pytest.param('{"a": {"b": 1, "b": 1}}', 'the key "b" stands twice', id="twice inside"),
        pytest.param('{"a": NaN}', "bare NaN is no JSON", id="bare NaN"),
        pytest.param('{"a": [-Infinity]}', "bare -Infinity", id="bare infinity"),
        pytest.param('{"a": "\\ud800"}', "half a character", id="half"),
        pytest.param("[" * 200_000, "nested too deeply", id="deep"),
    ],
)
def test_what_is_no_strict_json_is_refused(text, words) -> None:
    with pytest.raises(FileError, match=f"model.json: .*{words}"):
        parsed(text, "model.json")


def test_a_whole_character_in_two_escapes_is_accepted() -> None:
    assert parsed('{"a": "\\ud83e\\udd8a"}', "f")["a"].text() == "🦊"
