"""Links a user states as formulas: read by an allow-list, differentiated exactly, saved as text.

May import: _base, family.link, family.jet.
Read next: `etamu.family.check` for what `check_link` verifies about them.
"""

from __future__ import annotations

import ast
import functools
import math
import operator
import sys
import warnings
from collections.abc import Callable
from typing import Any, final

import numpy as np

from etamu._base.errors import LinkError
from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Interval, Namespace
from etamu.family.jet import FUNCTIONS, Jet, JetNamespace, variable
from etamu.family.link import Link, Mean

Statement = str | Callable[[Namespace, Any], Any]
"""A formula in eta (or mu), or a callable f(xp, eta) of array-API operations."""

_CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf}
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_SELECTIONS = {"where": 3, "minimum": 2, "maximum": 2}
_MARGIN = 2.0**-54

LONGEST = 10_000
"""Longest formula of a link, in characters."""

DEEPEST = 100
"""Deepest nesting of a formula of a link."""


@final
@dataclass(frozen=True, slots=True, init=False)
class StatedLink(Link):
    """A link stated by its two maps, as formulas or callables.

    Parameters
    ----------
    inverse : str or callable
        mu as a function of ``eta``: ``"(1 + tanh(eta)) / 2"``, or ``f(xp, eta)``.
    link : str or callable
        eta as a function of ``mu``.
    name : str
        The word by which errors and tables call it.
    range, domain : pairs of numbers
        The open intervals of mu and of eta.
    complement : str or callable, optional
        1 - mu as a function of ``eta``. Without it `1 - mu` is subtracted, and a probability closer to 0 or 1
        than 5.5e-17 is held there: those tails are dead, as they are in libraries that clip.

    A formula may use + - * / **, comparisons, the numbers pi and e, where, minimum, maximum and the functions
    of `etamu.family.jet.FUNCTIONS`. Its derivatives are exact.

    Raises
    ------
    LinkError
        If a formula cannot be read or uses anything else.

    Examples
    --------
    >>> import numpy as np
    >>> twice = StatedLink("(1 + tanh(eta)) / 2", "atanh(2 * mu - 1)", name="tanh", range=(0, 1))
    >>> mean = twice.inverse(np, np.array([0.5]))
    >>> mean.mu.round(6), mean.d1.round(6)
    (array([0.731059]), array([0.393224]))
    """

    statements: tuple[Statement, Statement, Statement | None]
    label: str
    ends: tuple[float, float, float, float]

    def __init__(
        self,
        inverse: Statement,
        link: Statement,
        *,
        name: str = "stated",
        range: tuple[float, float] = (-math.inf, math.inf),  # noqa: A002  the word of the book
        domain: tuple[float, float] = (-math.inf, math.inf),
        complement: Statement | None = None,
    ) -> None:
        _read_all((inverse, "eta"), (link, "mu"), (complement, "eta"))
        ends = (float(range[0]), float(range[1]), float(domain[0]), float(domain[1]))
        if not (ends[0] < ends[1] and ends[2] < ends[3]):
            raise LinkError(f"link {name!r}: range {range} and domain {domain} must be (lower, upper)")
        object.__setattr__(self, "statements", (inverse, link, complement))
        object.__setattr__(self, "label", name)
        object.__setattr__(self, "ends", ends)

    @property
    def name(self) -> str:
        """Return the word of the user."""
        return self.label

    @property
    def text(self) -> str:
        """Return the stated formula of g."""
        forward = self.statements[1]
        return forward if isinstance(forward, str) else f"{self.label}(mu)"

    @property
    def range(self) -> Interval:
        """Return the stated interval of mu."""
        return Interval(self.ends[0], self.ends[1])

    @property
    def domain(self) -> Interval:
        """Return the stated interval of eta."""
        return Interval(self.ends[2], self.ends[3])

    @property
    def concordance(self) -> float:
        """Return the largest |d2 / d1| where mu is well inside its range; 0 for a bounded domain."""
        if not self.domain.whole:
            return 0.0
        with np.errstate(all="ignore"):
            mean = self.inverse(np, np.linspace(-8.0, 8.0, 161))
            bounded = math.isfinite(self.ends[0]) and math.isfinite(self.ends[1])
            edge = 1e-6 * (self.ends[1] - self.ends[0]) if bounded else 0.0
            inside = (mean.mu > self.ends[0] + edge) & (mean.mu < self.ends[1] - edge) & (mean.d1 != 0.0)
            return float(np.max(np.abs(mean.d2 / mean.d1), where=inside, initial=0.0))

    def inverse(self, xp: Namespace, eta: AnyArray) -> Mean:
        """Return the stated mean and its exact derivatives."""
        backward, _, opposite = self.statements
        at = _at(backward, "eta", JetNamespace(xp), variable(xp, eta))
        if not isinstance(at, Jet):
            at = variable(xp, eta) * 0.0 + at
        mu = _held_inside(xp, at.value, self.ends[0], self.ends[1])
        if opposite is None:
            return Mean(mu, 1.0 - mu, at.first, at.second)
        other = _at(opposite, "eta", JetNamespace(xp), eta)
        return Mean(at.value, other, at.first, at.second)

    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        """Return the stated eta; the complement is not used."""
        return _at(self.statements[1], "mu", JetNamespace(xp), mu)

    def __repr__(self) -> str:
        backward, forward, _ = self.statements
        return f"StatedLink({backward!r}, {forward!r}, name={self.label!r}, range={self.range!r})"


def _held_inside(xp: Namespace, mu: AnyArray, lower: float, upper: float) -> AnyArray:
    """Keep a mean off the finite ends of its range, where variances vanish."""
    if math.isfinite(lower) and math.isfinite(upper):
        width = upper - lower
        inside = xp.clip(mu, lower + _MARGIN * width, upper - 2.0 * _MARGIN * width)
        return xp.where(xp.abs(mu - inside) < 1e-9 * width, inside, mu)
    return mu


def _at(statement: Statement, name: str, functions: JetNamespace, argument: Any) -> Any:
    if isinstance(statement, str):
        return _evaluate(_read(statement, name), functions, name, argument)
    return statement(functions, argument)


def _read_all(*statements: tuple[Statement | None, str]) -> None:
    for statement, name in statements:
        if isinstance(statement, str):
            _read(statement, name)
        elif statement is not None and not callable(statement):
            raise LinkError(f"a link is stated by a formula or a callable, not by {statement!r}")


@functools.lru_cache(maxsize=256)
def _read(text: str, name: str) -> ast.expr:
    """Parse a formula; raise LinkError at the first thing that is not on the list."""
    if len(text) > LONGEST:
        raise LinkError(f"a formula of {len(text)} characters is too long for a link; the limit is {LONGEST}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise LinkError(f"the formula {_short(text)!r} cannot be read: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError):
        raise LinkError(f"the formula {_short(text)!r} cannot be read") from None
    _allow(tree, text, name)
    return tree


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:200] + "…"


def _allow(node: ast.expr, text: str, name: str, depth: int = 0) -> None:
    if depth > DEEPEST:
        raise LinkError(f"the formula {_short(text)!r} is nested too deeply; the limit is {DEEPEST}")
    match node:
        case ast.Constant(value=int() | float() as value) if _usual(value):
            return
        case ast.Name(id=word) if word == name or word in _CONSTANTS:
            return
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            parts = [left, right]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
            parts = [operand]
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
            parts = [left, right]
        case ast.Call(func=ast.Name(id=word), args=parts, keywords=[]) if len(parts) == _arity(word):
            pass
        case _:
            used = ast.get_source_segment(text, node) or type(node).__name__
            raise LinkError(
                f"the formula {_short(text)!r} uses {_short(used)!r}, which is not allowed: it may use "
                f"{name}, numbers, pi, e, + - * / **, < <= > >=, "
                f"{', '.join(sorted([*_SELECTIONS, *FUNCTIONS]))}"
            )
    for part in parts:
        _allow(part, text, name, depth + 1)


def _usual(value: float) -> bool:
    return not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _arity(word: str) -> int:
    return _SELECTIONS.get(word, 1 if word in FUNCTIONS else -1)


def _evaluate(node: ast.expr, functions: JetNamespace, name: str, argument: Any) -> Any:
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)  # powers of Python's integers grow without end
        case ast.Name(id=word):
            return argument if word == name else _CONSTANTS[word]
        case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
            sides = [_evaluate(each, functions, name, argument) for each in (left, right)]
            return _OPERATORS[type(op)](*sides)
        case ast.UnaryOp(op=op, operand=operand):
            return _OPERATORS[type(op)](_evaluate(operand, functions, name, argument))
        case ast.Call(func=ast.Name(id=word), args=parts):
            return getattr(functions, word)(*(_evaluate(part, functions, name, argument) for part in parts))
    raise LinkError(f"{ast.unparse(node)!r} is not allowed in a formula")
