"""What was probably meant by a formula that cannot be read: brackets, typographer's signs, arithmetic.

May import: the standard library.
Read next: `etamu.data.formula`, which asks here for a remedy.
"""

from __future__ import annotations

import re
import unicodedata

_PLAIN = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    **dict.fromkeys("\u00d7\u22c5\u2217", "*"),
    **dict.fromkeys("\u201c\u201d\u201e\u2018\u2019\u201a\u00b4", "a backquote or a quote"),
    **dict.fromkeys("\u200b\u200c\u200d\ufeff", "nothing, for nobody sees it"),
    "\u223c": "~",
}
"""Characters that word processors and web pages put in the place of others."""

_QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|'[^']*'")


def remedy(formula: str) -> str:
    """Say what to do about a formula that cannot be read; nothing where that is not known.

    Examples
    --------
    >>> remedy("y ~ (x"), remedy("y ~ x)")
    ("; the bracket '(' at character 5 is not closed", "; the bracket ')' at character 6 closes nothing")
    >>> remedy("y ~ a \u2013 b")
    "; write - for the character '\u2013' (EN DASH)"
    >>> remedy("y = x"), remedy("y ~ x > 1")
    ("; write '~' for '='", '; arithmetic and comparisons stand inside I(), such as I(x > 1)')
    """
    plain = _QUOTED.sub(lambda quoted: " " * len(quoted.group()), formula)
    found = (_character(formula), *(look(plain) for look in (_quote, _bracket, _arithmetic)))
    return next((each for each in found if each), "")


def _character(formula: str) -> str:
    """Find a character that only looks like one of the grammar."""
    for character in formula:
        if character in _PLAIN:
            named = unicodedata.name(character, "without a name")
            return f"; write {_PLAIN[character]} for the character {character!r} ({named})"
        if unicodedata.combining(character):
            return "; put a name with combined letters into backquotes, as the data spell it"
    return ""


def _quote(plain: str) -> str:
    """Find a quote without its other half."""
    quote = next((quote for quote in "`'\"" if quote in plain), None)
    return "" if quote is None else f"; the {quote} at character {plain.index(quote) + 1} is not closed"


def _arithmetic(plain: str) -> str:
    """Find signs that mean something else in a formula, and names with a blank."""
    if "~" not in plain and plain.count("=") == 1:
        return "; write '~' for '='"
    if re.search(r"[=<>%/]|\d", plain.partition("~")[2]):
        return "; arithmetic and comparisons stand inside I(), such as I(x > 1)"
    if re.search(r"[\w)]\s+[\w(]", plain):
        return "; a name with a blank stands in backquotes, and a sign between two names"
    return ""


def _bracket(plain: str) -> str:
    """Find the first bracket without its other half."""
    closing, stack = {")": "(", "]": "[", "}": "{"}, []
    for place, character in enumerate(plain, start=1):
        if character in closing.values():
            stack.append((character, place))
        elif character in closing:
            if not stack or stack[-1][0] != closing[character]:
                return f"; the bracket {character!r} at character {place} closes nothing"
            stack.pop()
    return f"; the bracket {stack[-1][0]!r} at character {stack[-1][1]} is not closed" if stack else ""
