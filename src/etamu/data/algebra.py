"""The common grammar of formulas, read without formulaic: names, calls, sums, products, interactions, powers.

What lies beyond it (quotes outside calls, braces, nesting by `in`, odd operators, every mistake) is None
here, and formulaic reads it or says what is wrong. What is read here, formulaic reads the same.

May import: the standard library, `etamu._base`.
Read next: `etamu.data.formula`, which asks here first.
"""

from __future__ import annotations

import re
from itertools import product

from etamu._base.errors import FormulaError

Piece = tuple[str, str]
"""A kind of token, "name", "python", "value", "operator" or "context", and its text."""

Terms = dict[frozenset[int], tuple[int, ...]]
"""Terms in the order they were found: the set of factors, and the factors in the order they were named."""

_PIECE = re.compile(
    r"\s*(?:(?P<name>[^\W\d][\w.]*)|`(?P<quoted>[^`\\]+)`|(?P<value>[0-9.]+)(?![\w`])"
    r"|(?P<operator>[-+*/:^~|](?:\s*[-+*/:^~|])*)|(?P<context>[()]))"
)

PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, ":": 3, "^": 4, "**": 4}
"""How tightly operators bind."""

MOST_TERMS = 20_000
"""Products beyond which nobody means them: no model has so many columns."""

POWERS = frozenset({"^", "**"})
"""Operators that take a number on their right; they do not chain here."""


def scan(formula: str) -> list[Piece] | None:
    """Cut a formula into tokens, None where formulaic must.

    Examples
    --------
    >>> scan("y ~ a:log(b)")
    [('name', 'y'), ('operator', '~'), ('name', 'a'), ('operator', ':'), ('python', 'log(b)')]
    >>> scan("y ~ {a}") is None
    True
    """
    text = formula.rstrip()
    pieces: list[Piece] = []
    place = 0
    while place < len(text):
        match = _PIECE.match(text, place)
        if match is None:
            return None
        place = match.end()
        kind = str(match.lastgroup)
        if kind == "name" and text[place : place + 1] in {"(", "["}:
            end = _closing(text, place)
            if end is None:
                return None
            pieces.append(("python", text[match.start("name") : end]))
            place = end
        elif kind == "quoted":
            if text[place : place + 1] in {"(", "["}:
                return None
            pieces.append(("name", match["quoted"]))
        else:
            pieces.append((kind, re.sub(r"\s+", "", match[kind])))
    return pieces


def _closing(text: str, place: int) -> int | None:
    """Find where a call that opens at `place` ends, as formulaic counts: brackets in quotes are brackets."""
    stack: list[str] = []
    closers = {"(": ")", "[": "]", "`": "`"}
    for end in range(place, len(text)):
        char = text[end]
        if char in "\\{}%":
            return None
        if stack and char == stack[-1]:
            stack.pop()
            after = text[end + 1 : end + 2]
            if not stack and after not in {"(", "["}:
                return None if after == "`" else end + 1
        elif char in closers and (not stack or stack[-1] != "`"):
            stack.append(closers[char])
    return None


def expand(words: list[str], number_of: dict[str, int]) -> list[tuple[int, ...]] | None:
    """Expand the right side into terms, None where formulaic must.

    Parameters
    ----------
    words : list of str
        Placeholders of factors, numbers, operators and brackets.
    number_of : dict
        The number of the factor each placeholder stands for.

    Returns
    -------
    The factors of each term in formulaic's order, by their number and then as written; () is the intercept.

    Examples
    --------
    >>> expand("( a + b ) ^ 2 - 1".split(), {"a": 0, "b": 1})
    [(0,), (1,), (0, 1)]
    """
    signed = _signed(words)
    plain = ["1", *signed] if signed[:1] in (["+"], ["-"]) else ["1", "+", *signed]
    if not _well_formed(plain, number_of):
        return None
    output: list[Terms] = []
    stack: list[str] = []
    for word in plain:
        if word == "(":
            stack.append(word)
        elif word == ")" or word in PRECEDENCE:
            if not _reduced(output, stack, PRECEDENCE.get(word, 0)):
                return None
            stack[-1:] = [] if word == ")" else [*stack[-1:], word]
        elif stack and stack[-1] in POWERS:
            stack.pop()
            output.append(_power(output.pop(), int(word)))
        else:
            output.append({frozenset(): ()} if word == "1" else _single(number_of[word]))
    return sorted(output[0].values(), key=len) if _reduced(output, stack, 0) else None


def _well_formed(words: list[str], number_of: dict[str, int]) -> bool:
    """Tell whether operands and operators alternate, brackets close, and numbers stand where they may."""
    depth, wanted = 0, True
    for before, word, after in zip(["+", *words], words, [*words[1:], "+"], strict=False):
        joins = word in PRECEDENCE or word == ")"
        if wanted == joins:
            return False
        depth += (word == "(") - (word == ")")
        wanted = word in PRECEDENCE or word == "("
        if before in POWERS:
            fits = word.isdecimal() and after not in POWERS
        else:
            alone = word == "1" and not depth and {before, after} <= {"+", "-"}
            fits = joins or wanted or word in number_of or alone
        if depth < 0 or not fits:
            return False
    return not depth and not wanted


def _signed(words: list[str]) -> list[str]:
    """Write 0 as it is meant, `+ 0` as `- 1`, and take a sign at the start as the operator after the 1."""
    out: list[str] = []
    for before, word in zip(["+", *words], words, strict=False):
        if word == "0" and before == "+":
            out[-1:] = ["-"]
            out.append("1")
        else:
            out.append(word)
    return out


def _reduced(output: list[Terms], stack: list[str], least: int) -> bool:
    """Apply the operators on the stack that bind at least so tightly; False where formulaic must."""
    while stack and stack[-1] != "(" and PRECEDENCE[stack[-1]] >= least:
        right, left = output.pop(), output.pop()
        symbol = stack.pop()
        if symbol not in "+-" and not (left and right):
            return False
        output.append(_OPERATIONS[symbol](left, right))
    return True


def _single(number: int) -> Terms:
    return {frozenset((number,)): (number,)}


def _times(*terms: tuple[int, ...]) -> tuple[frozenset[int], tuple[int, ...]]:
    factors = tuple(dict.fromkeys(number for term in terms for number in term))
    return frozenset(factors), factors


def _union(*parts: Terms) -> Terms:
    """Join terms, each as it was first written."""
    out: Terms = {}
    for part in parts:
        for key, term in part.items():
            out.setdefault(key, term)
    return out


def _interaction(*parts: Terms) -> Terms:
    out: Terms = {}
    for chosen in product(*(part.values() for part in parts)):
        key, term = _times(*chosen)
        out.setdefault(key, term)
        if len(out) > MOST_TERMS:
            raise FormulaError(
                f"the formula makes more than {MOST_TERMS:,} terms of products; write down those that are "
                "meant, or take a lower power"
            )
    return out


def _power(terms: Terms, exponent: int) -> Terms:
    """Multiply out, step by step: what repeats itself is dropped before it multiplies."""
    out = terms
    for _ in range(exponent - 1):
        out = _interaction(out, terms)
    return out


def _nested(parents: Terms, nested: Terms) -> Terms:
    common = dict([_times(*parents.values())])
    return _union(parents, _interaction(common, nested))


_OPERATIONS = {
    "+": _union,
    "-": lambda left, right: {key: term for key, term in left.items() if key not in right},
    "*": lambda left, right: _union(left, right, _interaction(left, right)),
    "/": _nested,
    ":": _interaction,
}
