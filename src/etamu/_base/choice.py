"""One of a few words: whether an option is one of them, and which was meant if it is not.

May import: `etamu._base`.
Read next: `etamu.fit.problem`, whose options are checked so before any work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

from etamu._base.errors import OptionError
from etamu._base.listing import closest

ELSEWHERE: Mapping[str, str] = {"response": "mean", "reml": "ml", "lrt": "LR", "chisq": "LR"}
"""What other libraries call a word of ours, where ours is not spelt like it."""


def is_one(value: Any, known: Iterable[Any]) -> bool:
    """Tell whether an option is one of some words or numbers; whatever has no equals is none.

    Examples
    --------
    >>> is_one("a", ("a", None)), is_one(["a"], ("a", "b")), is_one(True, (1, 2))
    (True, False, False)
    """
    if value is None:
        return any(other is None for other in known)
    if isinstance(value, bool) or not isinstance(value, (str, Integral)):
        return False
    kind = str if isinstance(value, str) else Integral
    return any(isinstance(other, kind) and value == other for other in known)


def unknown_choice(keyword: str, value: Any, known: Iterable[Any], where: str = "") -> OptionError:
    """Say that an option is none of the words there are, and which of them was probably meant.

    Examples
    --------
    >>> str(unknown_choice("covariance", "hc1", (None, "HC0", "HC1")))
    "covariance='hc1' is not known; did you mean 'HC1'? choose one of None, 'HC0', 'HC1'"
    """
    choices = tuple(dict.fromkeys(known))
    listed = ", ".join(map(repr, choices))
    return OptionError(
        f"{keyword}={value!r} is not known{where};{guess(value, choices)} choose one of {listed}"
    )


def guess(value: Any, known: Iterable[Any]) -> str:
    """Ask whether one of the words was meant; nothing where none is near.

    Examples
    --------
    >>> guess("person", ("pearson", "ml")), guess("response", ("mean", "link")), guess(3, ("ml",))
    (" did you mean 'pearson'?", " did you mean 'mean'?", '')
    """
    if not isinstance(value, str):
        return ""
    texts = [choice for choice in known if isinstance(choice, str)]
    other = ELSEWHERE.get(value.casefold())
    meant = other if other in texts else closest(value, texts)
    return "" if meant is None else f" did you mean {meant!r}?"


def check_choice(keyword: str, value: Any, known: Iterable[Any], where: str = "") -> None:
    """Refuse an option that is none of the words there are.

    Raises
    ------
    OptionError
        Naming the one that was probably meant, and all there are.

    Examples
    --------
    >>> check_choice("solver", "newton", ("newton", "irls"))
    >>> check_choice("solver", "newtn", ("newton", "irls"))
    Traceback (most recent call last):
        ...
    etamu._base.errors.OptionError: solver='newtn' is not known; did you mean 'newton'? choose one of ...
    """
    choices = tuple(known)
    if not is_one(value, choices):
        raise unknown_choice(keyword, value, choices, where)
