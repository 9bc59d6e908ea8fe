"""Wrapped text keeps its words and its width; escaped text reads back."""

from __future__ import annotations

import html
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etamu._base.markup import GLUE, escape, wrap

WORDS = st.lists(st.text("abcxyz_0-", min_size=1, max_size=12), min_size=1, max_size=40)


@given(WORDS, st.integers(20, 60))
def test_wrapping_keeps_every_word_and_no_line_is_too_long(words: list[str], width: int) -> None:
    lines = wrap(" ".join(words), width)
    assert " ".join(lines).split() == words
    assert all(len(line) <= width for line in lines)
    assert all(line.startswith("  ") for line in lines[1:])


@given(WORDS)
def test_a_line_is_as_full_as_it_can_be(words: list[str]) -> None:
    lines = wrap(" ".join(words), 30)
    for line, after in pairwise(lines):
        assert len(line) + 1 + len(after.split()[0]) > 30


def test_glued_words_stay_on_one_line() -> None:
    lines = wrap(f"{'x' * 15} a{GLUE}={GLUE}1 b", 18)
    assert lines == ["x" * 15, "  a = 1 b"]


def test_a_word_longer_than_the_page_is_not_cut() -> None:
    assert wrap("a " + "b" * 40 + " c", 20) == ["a", "  " + "b" * 40, "  c"]


@given(st.text())
def test_what_is_escaped_is_read_back(text: str) -> None:
    written = escape(text)
    assert html.unescape(written) == html.unescape(html.escape(text))
    assert not set("<>\"'") & set(written)


@pytest.mark.parametrize("text", ["", "plain", "a < b"])
def test_it_is_what_the_library_writes(text: str) -> None:
    assert escape(text) == html.escape(text)
