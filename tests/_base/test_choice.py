"""An option that is none of its words is refused with the one that was meant, whatever it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from etamu._base.choice import check_choice
from etamu._base.errors import OptionError


@pytest.mark.parametrize("value", ["a", np.str_("a"), None, 2, np.int64(2)])
def test_words_and_numbers_are_known_by_what_they_say(value: Any) -> None:
    check_choice("x", value, ("a", None, 2))


@pytest.mark.parametrize(
    "value", [[], {}, np.zeros(2), object(), True, 2.5, "2", b"a"], ids=lambda v: type(v).__name__
)
def test_whatever_else_is_refused_and_never_compared(value: Any) -> None:
    with pytest.raises(OptionError, match=r"x=.* is not known; choose one of 'a', None, 1, 2"):
        check_choice("x", value, ("a", None, 1, 2))


@pytest.mark.parametrize(("value", "meant"), [("WALD", "wald"), ("prof", "profile"), ("walt", "wald")])
def test_the_word_that_was_meant_is_said(value: str, meant: str) -> None:
    with pytest.raises(OptionError, match=rf"did you mean '{meant}'\? choose one of"):
        check_choice("method", value, ("wald", "profile"))
