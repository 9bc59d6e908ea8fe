"""Linear hypotheses in words: "age = 0, C(region)[T.B] = C(region)[T.C]" becomes L beta = r.

May import: numpy, `etamu._base`.
Read next: `etamu.fit.linear_test`, which tests them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from etamu._base.errors import OptionError
from etamu._base.facts import dataclass
from etamu._base.listing import closest, listed
from etamu._base.types import Array

NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
DEEPEST = 50
"""Deepest nesting of parentheses."""


@dataclass(frozen=True, slots=True, eq=False)
class Hypothesis:
    """Linear hypotheses L beta = r.

    Parameters
    ----------
    matrix : array (m, coefficients)
    rhs : array (m,)
    rows : tuple of str
        Each in words.
    """

    matrix: Array
    rhs: Array
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Linear:
    """A sum of coefficients times numbers, and a constant."""

    parts: tuple[tuple[int, float], ...] = ()
    constant: float = 0.0

    def times(self, number: float) -> Linear:
        """Multiply by a number."""
        return Linear(tuple((j, number * c) for j, c in self.parts), number * self.constant)

    def plus(self, other: Linear) -> Linear:
        """Add another."""
        total = dict(self.parts)
        for j, c in other.parts:
            total[j] = total.get(j, 0.0) + c
        return Linear(tuple(total.items()), self.constant + other.constant)


def hypothesis(stated: Any, names: tuple[str, ...], rhs: Any = None) -> Hypothesis:
    """Read hypotheses in words, or check a matrix.

    Parameters
    ----------
    stated : str, list of str, or array (m, coefficients)
        Equations separated by commas: sums of coefficients times numbers on either side of `=`; without `=`
        the sum is 0. Names that are no plain text may stand in backquotes.
    names : tuple of str
        Coefficients.
    rhs : number or array (m,), optional
        The right side of a matrix, 0 if left out.

    Raises
    ------
    OptionError
        If a name is no coefficient (the nearest ones are said), or the text or the shape cannot be read.

    Examples
    --------
    >>> found = hypothesis("2*x = z + 1, g[T.b]", ("Intercept", "x", "z", "g[T.b]"))
    >>> found.matrix.tolist(), found.rhs.tolist()
    ([[0.0, 2.0, -1.0, 0.0], [0.0, 0.0, 0.0, 1.0]], [1.0, 0.0])
    >>> found.rows
    ('2 x - z = 1', 'g[T.b] = 0')
    """
    if isinstance(stated, str):
        return _read([stated], names, rhs)
    if isinstance(stated, Sequence) and stated and all(isinstance(text, str) for text in stated):
        return _read(list(stated), names, rhs)
    return _checked(stated, names, rhs)


def _read(texts: list[str], names: tuple[str, ...], rhs: Any) -> Hypothesis:
    if rhs is not None:
        raise OptionError("rhs= belongs to a matrix; in words write the number to the right of '='")
    found = [equation for text in texts for equation in _reader(text, names).equations()]
    matrix, right = np.zeros((len(found), len(names))), np.zeros(len(found))
    for row, equation in enumerate(found):
        for j, c in equation.parts:
            matrix[row, j] += c
        right[row] = 0.0 - equation.constant
    if not matrix.any(axis=1).all():
        raise OptionError(
            f"the hypothesis {', '.join(texts)!r} has an equation about no coefficient: everything cancels"
        )
    if not (np.all(np.isfinite(matrix)) and np.all(np.isfinite(right))):
        raise OptionError(f"the hypothesis {', '.join(texts)!r} has numbers that are too large")
    return _named(matrix, right, names)


def _checked(stated: Any, names: tuple[str, ...], rhs: Any) -> Hypothesis:
    try:
        matrix = np.atleast_2d(np.asarray(stated, dtype=np.float64))
    except (TypeError, ValueError):
        raise OptionError(
            f"the hypothesis {stated!r} is neither text nor a matrix of numbers; write such as 'age = 0'"
        ) from None
    if matrix.ndim != 2 or matrix.shape[1] != len(names) or not len(matrix):
        raise OptionError(
            f"the hypothesis matrix has shape {np.shape(stated)} and the model {len(names)} coefficients: "
            f"give one row per hypothesis and one column for each of {listed(names)}"
        )
    right = np.zeros(len(matrix)) if rhs is None else np.atleast_1d(np.asarray(rhs, dtype=np.float64))
    if len(right) == 1:
        right = np.full(len(matrix), right[0])
    if right.shape != (len(matrix),):
        raise OptionError(
            f"rhs has shape {right.shape} and the hypothesis {len(matrix)} rows; give one number each"
        )
    if not (np.all(np.isfinite(matrix)) and np.all(np.isfinite(right))):
        raise OptionError("the hypothesis has numbers that are not finite")
    empty = np.flatnonzero(~matrix.any(axis=1))
    if len(empty):
        raise OptionError(f"row {empty[0]} of the hypothesis matrix is all zeros: it is about no coefficient")
    return _named(matrix, right, names)


def _named(matrix: Array, rhs: Array, names: tuple[str, ...]) -> Hypothesis:
    rows = (f"{_sum(row, names)} = {number:g}" for row, number in zip(matrix, rhs, strict=True))
    return Hypothesis(matrix, rhs, tuple(rows))


def _sum(row: Array, names: tuple[str, ...]) -> str:
    words: list[str] = []
    for j in np.flatnonzero(row):
        size = "" if abs(row[j]) == 1 else f"{abs(row[j]):g} "
        sign = ("-" if row[j] < 0 else "") if not words else ("- " if row[j] < 0 else "+ ")
        words.append(f"{sign}{size}{names[j]}")
    return " ".join(words)


def _reader(text: str, names: tuple[str, ...]) -> _Reader:
    known = [*enumerate(names)]
    if "Intercept" in names and "(Intercept)" not in names:
        known.append((names.index("Intercept"), "(Intercept)"))
    known.sort(key=lambda pair: -len(pair[1]))  # the longest name that fits is meant
    return _Reader(text, names, tuple((_pattern(name), j) for j, name in known))


def _pattern(name: str) -> re.Pattern[str]:
    """Match a name, in backquotes or not, whatever blanks stand around its signs (`x**2` is `x ** 2`)."""
    pieces = re.findall(r"\w+|[^\w\s]", name)
    joined = "".join(
        (r"\s+" if before[-1:].isalnum() and piece[0].isalnum() else r"\s*" if before else "")
        + re.escape(piece)
        for before, piece in zip(["", *pieces], pieces, strict=False)
    )
    return re.compile(rf"`\s*{joined}\s*`|{joined}(?![\w\[(:.])")


@dataclass(frozen=True, slots=True)
class _Reader:
    """A text; names are known beforehand, whatever signs they contain, the longest first."""

    text: str
    names: tuple[str, ...]
    known: tuple[tuple[re.Pattern[str], int], ...]

    def equations(self) -> list[Linear]:
        """Read everything."""
        out: list[Linear] = []
        at = 0
        while True:
            left, at = self.sum(at, 0)
            sides = [left]
            while self.sign(at) == "=":
                at = self.skip(at) + (2 if self.text.startswith("==", self.skip(at)) else 1)
                side, at = self.sum(at, 0)
                sides.append(side)
            if len(sides) == 1:
                sides.append(Linear())
            out += [side.plus(sides[-1].times(-1.0)) for side in sides[:-1]]
            if self.sign(at) in {",", ";"}:
                at = self.skip(at) + 1
                continue
            if self.sign(at):
                raise self.unreadable(at)
            return out

    def skip(self, at: int) -> int:
        """Pass blanks."""
        while at < len(self.text) and self.text[at].isspace():
            at += 1
        return at

    def sign(self, at: int) -> str:
        """Return the next sign that is no blank, empty at the end."""
        return self.text[self.skip(at) : self.skip(at) + 1]

    def sum(self, at: int, depth: int) -> tuple[Linear, int]:
        """Read terms joined by + and -."""
        if depth > DEEPEST:
            raise OptionError("the hypothesis is nested too deeply")
        total, at = self.product(at, depth)
        while (sign := self.sign(at)) in {"+", "-"} and sign:
            term, at = self.product(self.skip(at) + 1, depth)
            total = total.plus(term.times(1.0 if sign == "+" else -1.0))
        return total, at

    def product(self, at: int, depth: int) -> tuple[Linear, int]:
        """Read factors joined by * and /; at most one of them holds coefficients."""
        out, at = self.factor(at, depth)
        while (sign := self.sign(at)) in {"*", "/"} and sign:
            place = self.skip(at)
            other, at = self.factor(place + 1, depth)
            if sign == "*" and not (out.parts and other.parts):
                out = other.times(out.constant) if other.parts else out.times(other.constant)
            elif sign == "/" and not other.parts and other.constant != 0.0:
                out = out.times(1.0 / other.constant)
            else:
                what = "it multiplies coefficients" if sign == "*" else "it divides by no number, or by 0"
                raise OptionError(f"the hypothesis {self.text!r} is not linear: {what}")
        return out, at

    def factor(self, at: int, depth: int) -> tuple[Linear, int]:
        """Read a signed number, coefficient or parenthesis."""
        at = self.skip(at)
        minus = 1.0
        while self.sign(at) in {"+", "-"} and self.sign(at):
            minus = -minus if self.sign(at) == "-" else minus
            at = self.skip(at) + 1
        at = self.skip(at)
        for pattern, j in self.known:
            if found := pattern.match(self.text, at):
                return Linear(((j, minus),)), found.end()
        number = NUMBER.match(self.text, at)
        if number and not re.match(r"[\w\[:]", self.text[number.end() : number.end() + 1]):
            value = float(number.group())
            if not math.isfinite(value):
                raise OptionError(f"the number {number.group()} in the hypothesis is too large")
            return Linear((), minus * value), number.end()
        if self.text[at : at + 1] == "(":
            inside, after = self.sum(at + 1, depth + 1)
            if self.sign(after) == ")":
                return inside.times(minus), self.skip(after) + 1
        raise self.unreadable(at)

    def unreadable(self, at: int) -> OptionError:
        """Say what stands where a coefficient should."""
        at = self.skip(at)
        if at >= len(self.text):
            return OptionError(f"the hypothesis {self.text!r} ends where a coefficient should stand")
        word = _word(self.text[at:])
        close = closest(word, self.names, cutoff=0.5)
        meant = f"; did you mean {close!r}?" if close else ";"
        return OptionError(
            f"the hypothesis {self.text!r} names {word!r}, which is no coefficient{meant} the coefficients "
            f"are {listed(self.names)}"
        )


def _word(text: str) -> str:
    """Take what was meant as a name: up to a sign outside of brackets."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if place and (depth < 0 or (depth == 0 and letter in "=,;+*/ ")):
            return text[: place + (letter in ")]" and depth == 0)].strip("`")
    return text.strip("`")
