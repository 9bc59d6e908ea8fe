"""Formulas: what stands left and right of `~`, as a list of terms in formulaic's order.

`etamu.data.algebra` reads plain formulas; formulaic is loaded at the first that is not, or is wrong.

May import: formulaic (here alone, when it is needed), `etamu._base`, `etamu.data`.
Read next: `etamu.data.schema`, where terms meet data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from etamu._base.errors import FormulaError
from etamu._base.facts import dataclass
from etamu.data import algebra
from etamu.data.evaluate import names_in
from etamu.data.expression import Call, Expression, Name, Parsed, parse_expression
from etamu.data.functions import canonical
from etamu.data.mistyped import remedy

HIGHEST_POWER = 20
"""Highest power of a sum of terms; beyond the number of variables more changes nothing."""


@dataclass(frozen=True, slots=True)
class Term:
    """A product of factors: `factors` are indices into the statement's, none for the intercept."""

    label: str
    factors: tuple[int, ...]
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Statement:
    """A formula, read but not yet matched with data.

    Parameters
    ----------
    text : str
        As typed.
    response : Parsed, optional
        The left side.
    factors : tuple of Parsed
        What terms are made of, each once.
    terms : tuple of Term
        In formulaic's order: by number of factors, then as written.
    offsets : tuple of Parsed
        Arguments of `offset()`.
    intercept : bool
    """

    text: str
    response: Parsed | None
    factors: tuple[Parsed, ...]
    terms: tuple[Term, ...]
    offsets: tuple[Parsed, ...]
    intercept: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns the right side reads, offsets included."""
        used = {index for term in self.terms for index in term.factors}
        parsed = [factor for index, factor in enumerate(self.factors) if index in used]
        return _columns([*parsed, *self.offsets])

    @property
    def named(self) -> tuple[str, ...]:
        """Columns the right side names, also in terms that it leaves out."""
        return _columns([*self.factors, *self.offsets])

    @property
    def response_columns(self) -> tuple[str, ...]:
        """Columns the left side reads."""
        return _columns([self.response] if self.response is not None else [])


def _columns(parsed: list[Parsed]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in parsed for name in names_in(part.expression)))


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of a formula: `kind` is formulaic's, "name", "python", "value", "operator" or "context"."""

    kind: str
    text: str


@lru_cache(maxsize=512)
def parse(formula: str, columns: tuple[str, ...] = ()) -> Statement:
    """Read a formula.

    Parameters
    ----------
    formula : str
        `y ~ a * log(b) + offset(c)`; without a left side for prediction.
    columns : tuple of str
        Names of the columns of the data, which `.` stands for.

    Raises
    ------
    FormulaError
        If it cannot be read; says what and where.

    Examples
    --------
    >>> [term.label for term in parse("y ~ b:a + a*b").terms]
    ['Intercept', 'a', 'b', 'b:a']
    """
    if not str(formula).strip():
        raise FormulaError(f"the formula is {formula!r}; write one such as 'y ~ x'")
    left, right = _sides(formula)
    if not right:
        raise FormulaError(
            f"the formula {formula!r} has nothing on its right side; write 1 for the intercept alone"
        )
    response = None if left is None else _response(left, formula)
    used = () if response is None else names_in(response.expression)
    if response is not None and not used:
        raise FormulaError(
            f"the left side of {formula!r} names no column: write the response there; a column called "
            f"{response.label} is `{response.label}` in backquotes"
        )
    factors: dict[str, Parsed] = {}
    spelled = _spell(right, factors, tuple(name for name in columns if name not in used), formula)
    terms, offsets = _split_offsets(_terms(spelled, factors, formula), factors)
    if response is not None:
        refuse_own(response, terms, tuple(factors.values()), formula)
    return Statement(
        formula,
        response,
        tuple(factors.values()),
        tuple(terms),
        tuple(offsets),
        any(not term.factors for term in terms),
    )


def refuse_own(response: Parsed, terms: Sequence[Term], factors: tuple[Parsed, ...], formula: str) -> None:
    """Refuse the response among its own predictors: it would explain itself."""
    for term in terms:
        if any(factors[number].expression == response.expression for number in term.factors):
            raise FormulaError(
                f"the formula {formula!r} has the response {response.label} on its right side"
                f" too, in the term {term.label}; leave that term out"
            )


def additive(columns: tuple[str, ...], *, intercept: bool) -> Statement:
    """State the sum of some columns as they are named, without a left side and without parsing anything.

    Examples
    --------
    >>> [term.label for term in additive(("age", "my column"), intercept=True).terms]
    ['Intercept', 'age', 'my column']
    """
    constant = (Term("Intercept", ()),) if intercept else ()
    terms = tuple(Term(name, (number,)) for number, name in enumerate(columns))
    factors = tuple(Parsed(name, Name(name)) for name in columns)
    return Statement("", None, factors, (*constant, *terms), (), intercept)


def _tokens(formula: str) -> list[_Token]:
    pieces = algebra.scan(formula)
    if pieces is not None:
        return [_Token(kind, text) for kind, text in pieces]
    from formulaic.parser.algos.tokenize import tokenize

    try:
        return [_Token(token.kind.value, token.token) for token in tokenize(formula)]
    except Exception as error:
        raise _unreadable(formula, error, {}) from None


def _unreadable(formula: str, error: Exception, factors: dict[str, Parsed]) -> FormulaError:
    """Say in one line why formulaic could not read a formula, in the words the user typed."""
    message = (
        re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip().split("\n")[0].replace("insuffient", "insufficient")
    )
    for number, factor in reversed(list(enumerate(factors.values()))):
        message = message.replace(_placeholder(number), factor.label)
    if isinstance(error, RecursionError):
        message = "it is nested too deeply"
    shown = formula if len(formula) <= 300 else formula[:300] + "…"
    # Its advice on numbers is about scaling terms, which hardly anybody means.
    reason = re.sub(r"\s*\(tip: .*\)", "", message or type(error).__name__).rstrip(".")
    return FormulaError(f"cannot read the formula {shown!r}: {reason}{remedy(formula)}")


def _sides(formula: str) -> tuple[str | None, list[_Token]]:
    """Split at `~`, the left side as text, the right side as tokens."""
    tokens = _tokens(formula)
    count = sum(token.text.count("~") for token in tokens if token.kind == "operator")
    if count > 1:
        raise FormulaError(f"the formula {formula!r} has {count} '~'; it takes one")
    if not count:
        return None, tokens
    place = next(i for i, token in enumerate(tokens) if token.kind == "operator" and "~" in token.text)
    before, after = tokens[place].text.split("~")
    if before:
        raise FormulaError(f"cannot read the formula {formula!r}: {before!r} stands before '~'")
    left = formula[: _tilde(formula)].strip()
    right = ([_Token("operator", after)] if after else []) + tokens[place + 1 :]
    return left or None, right


def _tilde(formula: str) -> int:
    """Find the `~` that is not inside quotes."""
    masked = re.sub(
        r"`[^`]*`|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", lambda m: " " * len(m.group()), formula
    )
    return masked.index("~")


def _response(text: str, formula: str) -> Parsed:
    try:
        return _factor(text)
    except FormulaError as error:
        raise FormulaError(f"the left side of {formula!r}: {error}") from None


def _factor(text: str) -> Parsed:
    return parse_expression(text, canonical)


def _placeholder(number: int) -> str:
    return f"f_{number}_"


def _spell(
    tokens: list[_Token], factors: dict[str, Parsed], others: tuple[str, ...], formula: str
) -> list[str]:
    """Write the right side with a placeholder for every factor, so that formulaic sees structure only."""
    numbers: dict[str, int] = {}

    def mark(parsed: Parsed) -> str:
        number = numbers.setdefault(parsed.label, len(numbers))
        if factors.setdefault(parsed.label, parsed).expression != parsed.expression:
            raise FormulaError(
                f"{formula!r} names {parsed.label} and a column that is called so: rename the column"
            )
        return _placeholder(number)

    words: list[str] = []
    for token in tokens:
        if token.text == ".":
            if not others:
                raise FormulaError(f"{formula!r}: '.' stands for all other columns, and there are none")
            every = [mark(Parsed(name, Name(name))) for name in others]
            words += ["(", every[0], *(word for name in every[1:] for word in ("+", name)), ")"]
        elif token.kind == "name":
            words.append(mark(Parsed(token.text, Name(token.text))))
        elif token.kind == "python":
            words.append(mark(_factor(token.text)))
        elif token.kind == "value":
            words.append(_number(token.text, formula))
        elif token.text == "|":
            raise FormulaError(f"{formula!r}: '|' (several parts, or a random effect) is not supported")
        else:
            words.append(f"%{token.text}%" if token.text == "in" else token.text)
    _check_powers(words, tuple(numbers), formula)
    return words


def _number(text: str, formula: str) -> str:
    if not re.fullmatch(r"\d+(\.\d*)?|\.\d+", text):
        raise FormulaError(
            f"cannot read the formula {formula!r}: {text} is not a term; quote odd names in backquotes"
        )
    return text


def _check_powers(words: list[str], labels: tuple[str, ...], formula: str) -> None:
    alone = {_placeholder(number): label for number, label in enumerate(labels)}
    for base, operator, power in zip(words, words[1:], words[2:], strict=False):
        if operator in {"^", "**"} and base in alone and power.isdigit() and int(power) > 1:
            label = alone[base]
            raise FormulaError(
                f"{formula!r}: {label}{operator}{power} would be {label} alone, for a sum of terms is "
                f"crossed with itself; for the power of a variable write I({label}^{power})"
            )
    for operator, power in pairwise(words):
        if operator in {"^", "**"} and (not power.isdigit() or not 1 <= int(power) <= HIGHEST_POWER):
            raise FormulaError(
                f"{formula!r}: a sum of terms can be raised to 1, …, {HIGHEST_POWER};"
                " for powers of a variable write I(x^2)"
            )


def _number_of(placeholder: str, formula: str) -> int:
    """Return which factor a placeholder stands for; formulaic makes words of its own of a stray %."""
    digits = placeholder.removeprefix("f_").removesuffix("_")
    if not digits.isdecimal():
        raise FormulaError(f"cannot read the formula {formula!r}: {placeholder!r} is no term")
    return int(digits)


def _terms(spelled: list[str], factors: dict[str, Parsed], formula: str) -> list[Term]:
    """Expand the operators."""
    labels = list(factors)
    found = algebra.expand(spelled, {_placeholder(number): number for number in range(len(labels))})
    if found is None:
        return _formulaic_terms(" ".join(spelled), factors, formula)
    return [Term(":".join(labels[number] for number in term) or "Intercept", term) for term in found]


def _formulaic_terms(spelled: str, factors: dict[str, Parsed], formula: str) -> list[Term]:
    """Let formulaic expand the operators, where they are not plain."""
    from formulaic.parser import DefaultFormulaParser

    try:
        found = list(DefaultFormulaParser(feature_flags=set()).get_terms(spelled))
    except Exception as error:
        raise _unreadable(formula, error, factors) from None
    labels = list(factors)
    terms = []
    for term in sorted(found, key=lambda term: int(term.degree)):
        numbers, scale = [], 1.0
        for factor in term.factors:
            if factor.eval_method.value == "literal":
                scale *= float(factor.expr)
            else:
                numbers.append(_number_of(factor.expr, formula))
        if scale == 0.0:
            raise FormulaError(f"{formula!r}: a term is multiplied by 0; leave it out")
        label = ":".join(labels[number] for number in numbers) or "Intercept"
        terms.append(Term(label, tuple(numbers), scale))
    return terms


def _split_offsets(terms: list[Term], factors: dict[str, Parsed]) -> tuple[list[Term], list[Parsed]]:
    parsed = list(factors.values())
    plain: list[Term] = []
    offsets: list[Parsed] = []
    for term in terms:
        calls = [parsed[index].expression for index in term.factors if _is_offset(parsed[index].expression)]
        if not calls:
            plain.append(term)
            continue
        call: Any = calls[0]
        if len(term.factors) > 1 or term.scale != 1.0:
            raise FormulaError(f"{term.label}: an offset cannot be part of an interaction")
        if len(call.arguments) != 1 or call.keywords:
            raise FormulaError(f"{call.text}: offset takes one argument")
        offsets.append(Parsed(call.text, call.arguments[0]))
    return plain, offsets


def _is_offset(expression: Expression) -> bool:
    return isinstance(expression, Call) and expression.function == "offset"
