"""What SymPy does for a derived family: derivatives, integrals, inverses, and formulas that keep digits.

May import: _base, family.formula; sympy and mpmath inside functions.
Read next: `etamu.family.facts`, which asks for these.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterable
from dataclasses import field
from typing import Any

import numpy as np

from etamu._base.errors import NotAvailableError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.family.formula import CALLS, STEEPEST, Formula, Step, Tree

Expression = Any
"""A SymPy expression."""

ROOTS = 4
"""Largest denominator of an exponent that SymPy is asked to solve for."""

SIMPLE = 8
"""Operations of a formula that SymPy is asked to integrate by rules; of longer ones it may take minutes."""

_TIMES = 8
"""Largest power of a factor below which SymPy is asked to integrate over."""

_GIGANTIC = 1e6
"""Exponents beyond this are out of reach of any float."""

DIGITS = 320
"""Decimal digits of the numbers that formulas are compared with."""


def sympy() -> Any:
    """Return SymPy.

    Raises
    ------
    NotAvailableError
        If it is not installed.
    """
    try:
        import sympy as found
    except ImportError:
        raise NotAvailableError(
            "a derived family needs SymPy, which is not installed: pip install 'etamu[derive]'"
        ) from None
    return found


def expression(tree: Tree, **symbols: Expression) -> Expression:  # noqa: PLR0911  (one per kind of part)
    """Return a tree as SymPy's expression, its numbers exact."""
    sp = sympy()
    match tree:
        case ("number", text):
            return sp.Rational(text)
        case ("constant", word):
            return sp.pi if word == "pi" else sp.E
        case ("name", word):
            return symbols[word]
        case ("-", part):
            return -expression(part, **symbols)
    parts = [expression(part, **symbols) for part in tree[1:]]
    if len(parts) == 2:
        return _SIGNS[tree[0]](*parts)
    if tree[0] == "log1p":
        return sp.log(1 + parts[0])
    return sp.exp(parts[0]) - 1 if tree[0] == "expm1" else getattr(sp, tree[0])(*parts)


_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow,
}  # fmt: skip


def precise(value: Expression, symbol: Expression) -> Callable[[Any], Any]:
    """Return a function of an mpmath number that computes an expression with `DIGITS` digits."""
    import mpmath

    tame = {name: _tame(getattr(mpmath, name)) for name in ("exp", "sinh", "cosh")}
    function = sympy().lambdify([symbol], value, [tame, "mpmath"])

    def at(x: Any) -> Any:
        with mpmath.workdps(DIGITS):
            try:
                found = function(mpmath.mpf(x))
            except (ArithmeticError, ValueError, TypeError):
                return mpmath.nan
            real = abs(mpmath.im(found)) <= mpmath.mpf(10) ** (8 - DIGITS) * (1 + abs(found))
            return mpmath.re(found) if real else mpmath.nan

    return at


def _tame(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function that is held where mpmath would write out a billion digits of the logarithm of 2."""
    import mpmath

    def tame(x: Any) -> Any:
        if abs(x) < _GIGANTIC:
            return function(x)
        return mpmath.nan if mpmath.im(x) else function(mpmath.sign(x) * _GIGANTIC)

    return tame


def error(
    formula: Formula,
    exact: Callable[[Any], Any],
    columns: tuple[Array, ...],
    points: Iterable[Any],
    size: Callable[[Any], Any] | None = None,
) -> float:
    """Return the largest error of a formula, relative to itself or a larger size; inf if it is no number."""
    import mpmath

    with np.errstate(all="ignore"):
        found = np.broadcast_to(formula(np, *columns), columns[0].shape)
    worst = 0.0
    for number, point in zip(found.tolist(), points, strict=True):
        truth = exact(point)
        if mpmath.isnan(truth) or not 1e-290 < abs(truth) < 1e290:
            continue
        scale = abs(truth) if size is None else max(abs(truth), abs(size(point)))
        worst = max(worst, float(abs(number - truth) / scale) if math.isfinite(number) else math.inf)
    return worst


def antiderivative(value: Expression, symbol: Expression, inside: Expression) -> Expression | None:
    """Return an antiderivative that is real around a point, None if SymPy finds none."""
    sp = sympy()
    try:
        found = _integrated(value, symbol)
    except Exception:  # SymPy's integrator fails in many ways; quadrature serves then
        return None
    if found is None or not _elementary(found):
        return None
    if found.has(sp.acoth, sp.acosh, sp.asech, sp.acsch, sp.acot, sp.asin, sp.acos):
        found = found.rewrite(sp.log)
    # log of a negative argument and of its opposite differ by a constant
    found = found.replace(
        lambda part: part.func is sp.log and sp.N(part.args[0].subs(symbol, inside)).is_negative,
        lambda part: sp.log(-part.args[0]),
    )
    return found if sp.N(found.subs(symbol, inside)).is_real else None


def _integrated(value: Expression, symbol: Expression) -> Expression | None:
    """Integrate what SymPy integrates in a moment: which that is, the formula tells, never a clock."""
    sp = sympy()
    if value.is_rational_function(symbol):
        return sp.integrate(value, symbol) if _splits(value, symbol) else None
    powers = {each for each in value.atoms(sp.Pow) if each.has(symbol) and not each.exp.is_Integer}
    plain = not value.atoms(sp.Function) and all(each.base == symbol for each in powers)
    if plain and symbol.is_positive and all(each.exp.is_Rational for each in powers):
        return _of_roots(value, symbol, math.lcm(*(int(each.exp.q) for each in powers)))
    if len({each.base for each in powers}) > 1:
        return None
    if sp.count_ops(value) > SIMPLE or _exponential_integral(value, symbol):
        return None
    from sympy.integrals.manualintegrate import manualintegrate

    return manualintegrate(value, symbol)  # by rules alone


def _exponential_integral(value: Expression, symbol: Expression) -> bool:
    """Tell whether a function is an exponential over simple zeros, whose integral is never elementary."""
    sp = sympy()
    factors = sp.Mul.make_args(value)
    exponentials = [each for each in factors if each.func is sp.exp and each.has(symbol)]
    rest = sp.Mul(*(each for each in factors if each not in exponentials))
    if not exponentials or not rest.is_rational_function(symbol):
        return False
    below = sp.fraction(sp.cancel(rest))[1]
    return bool(below.has(symbol) and sp.Poly(below, symbol).is_sqf)


def _of_roots(value: Expression, symbol: Expression, root: int) -> Expression | None:
    """Integrate a rational function of the q-th root of a positive symbol; a single power of any q."""
    sp = sympy()
    if (power := sp.cancel(symbol * sp.diff(value, symbol) / value)).is_number:
        return sp.integrate(value.subs(symbol, 1) * symbol**power, symbol)
    if root > ROOTS:
        return None
    inner = sp.Symbol("t", positive=True)
    rational = sp.cancel(sp.powdenest(value.subs(symbol, inner**root)) * root * inner ** (root - 1))
    if not (rational.is_rational_function(inner) and _splits(rational, inner)):
        return None
    return sp.integrate(rational, inner).subs(inner, symbol ** sp.Rational(1, root))


def _elementary(value: Expression) -> bool:
    """Tell whether a formula is made of functions that a formula may call."""
    sp = sympy()
    if value.has(sp.Integral, sp.Piecewise, sp.RootSum, sp.Derivative, sp.Subs, sp.I):
        return False
    inverse = (sp.acoth, sp.acosh, sp.asech, sp.acsch, sp.acot, sp.asin, sp.acos)
    extra = (*inverse, sp.coth, sp.sech, sp.csch, sp.sec, sp.csc, sp.cot)
    allowed = {getattr(sp, name) for name in CALLS if hasattr(sp, name)} | {*extra, sp.Abs}
    return all(part.func in allowed for part in value.atoms(sp.Function))


def _splits(value: Expression, symbol: Expression) -> bool:
    """Tell whether a denominator has roots by square roots alone: quadratics in mu, or in mu^2.

    An irreducible cubic has roots by Cardano's formula, of which SymPy makes pages, after minutes; of a high
    power of a factor it makes a sum of as many terms, in which digits cancel.
    """
    sp = sympy()
    _, factors = sp.factor_list(sp.denom(sp.together(value)), symbol)
    if any(times > _TIMES for _, times in factors):
        return False
    powers = [[power for (power,) in sp.Poly(factor, symbol).monoms()] for factor, _ in factors]
    return all(max(each) <= 2 or (max(each) == 4 and {1, 3}.isdisjoint(each)) for each in powers)


def joined_logs(value: Expression) -> Expression:
    """Return a sum of logarithms as one, unless a coefficient would become a power nobody can expand."""
    sp = sympy()
    apart = sp.expand_log(value, force=True)
    steep = any(
        term.has(sp.log) and abs(term.as_coeff_Mul()[0]) > STEEPEST for term in sp.Add.make_args(apart)
    )
    return apart if steep else sp.logcombine(apart, force=True)


def spellings(value: Expression, symbol: Expression) -> tuple[Expression, ...]:
    """Return ways to write an expression, of which one may keep more digits than the others."""
    sp = sympy()
    ways = [value, sp.factor(value), sp.simplify(value)]
    joined = joined_logs(value)
    ways.append(joined)
    if all(part.args[0].is_rational_function(symbol) for part in joined.atoms(sp.log)):
        ways.append(joined.replace(sp.log, lambda part: sp.log(sp.apart(sp.together(part), symbol))))
    turned = joined.replace(sp.log, lambda part: -sp.log(sp.expand(1 / part)))
    apart = sp.expand_log(value, force=True)
    # a difference of roots is written as a quotient with their sum below
    rooted = apart.replace(
        lambda part: part.func is sp.log and part.args[0].is_Add and part.has(sp.Pow),
        lambda part: -sp.log(sp.radsimp(1 / part.args[0])),
    )
    return tuple(dict.fromkeys([*ways, turned, apart, rooted]))


def written(
    value: Expression, symbols: tuple[Expression, ...], complement: Expression | None = None
) -> Formula:
    """Write an expression as a formula whose inputs are the symbols, then 1 - the first one if asked.

    Rational functions of an exponential are computed from e^-|theta|, so that neither tail overflows or
    cancels; 1 - mu is taken from the complement; log(1 + x) by log1p.
    """
    inputs = (*symbols, complement) if complement is not None else symbols
    writer = _Writer({symbol: slot for slot, symbol in enumerate(inputs)}, symbols[0], complement)
    found = writer.write(value)
    result = found if isinstance(found, int) else writer.put("number", 0, found)
    return Formula(len(inputs), tuple(writer.steps), result)


Slot = int | float


@dataclass(frozen=True, slots=True, eq=False)
class _Writer:
    """Expressions become steps; each distinct one once."""

    known: dict[Expression, Slot]
    symbol: Expression
    complement: Expression | None
    steps: list[Step] = field(default_factory=list)
    shared: dict[Step, int] = field(default_factory=dict)

    def put(self, operation: str, *operands: Slot) -> int:
        key = (operation, *((type(each), each) for each in operands))  # slot 2 is not the number 2.0
        if key not in self.shared:
            inputs = len([each for each in self.known if each.is_Symbol])
            self.shared[key] = inputs + len(self.steps)
            self.steps.append((operation, *operands))
        return self.shared[key]

    def write(self, value: Expression) -> Slot:
        if value.is_number:
            return float(value)
        if value not in self.known:
            self.known[value] = self._new(value)
        return self.known[value]

    def _new(self, value: Expression) -> Slot:  # noqa: PLR0911  (one per kind of expression)
        sp = sympy()
        if self.complement is not None:
            for sign in (1, -1):
                if value.is_Add and sp.expand(value - sign * (1 - self.symbol)) == 0:
                    return self._signed(sign, self.write(self.complement))
        if value.has(sp.exp) or value.has(sp.sinh, sp.cosh, sp.tanh):
            found = self._exponential(value)
            if found is not None:
                return found
        if value.is_Add:
            return self._sum(value)
        if value.is_Mul:
            return self._product(value)
        if value.is_Pow:
            return self._power(value.base, value.exp)
        if value.func is sp.log:
            return self._log(value.args[0])
        name = value.func.__name__
        return self.put("abs" if name == "Abs" else name, self.write(value.args[0]))

    def _signed(self, sign: int, slot: Slot) -> Slot:
        return slot if sign == 1 else self.put("negative", slot)

    def _sum(self, value: Expression) -> Slot:
        sp = sympy()
        if value.is_polynomial(self.symbol) and value.free_symbols == {self.symbol}:
            coefficients = [float(each) for each in sp.Poly(value, self.symbol).all_coeffs()]
            if len(coefficients) > 2 or coefficients[0] not in {1.0, -1.0}:
                return self.put("polynomial", self.write(self.symbol), *coefficients)
        positive = [each for each in value.args if not each.could_extract_minus_sign()]
        negative = [-each for each in value.args if each.could_extract_minus_sign()]
        if not positive:
            return self.put("negative", self.write(-value))
        plus = functools.reduce(lambda a, b: self.put("+", a, b), map(self.write, positive))
        return functools.reduce(lambda a, b: self.put("-", a, b), map(self.write, negative), plus)

    def _product(self, value: Expression) -> Slot:
        sp = sympy()
        top, bottom = sp.fraction(value)
        if bottom != 1:
            if top.could_extract_minus_sign() and not top.is_number:
                return self.put("negative", self.put("/", self.write(-top), self.write(bottom)))
            return self.put("/", self.write(top), self.write(bottom))
        number, rest = value.as_coeff_Mul()
        if number == -1:
            return self.put("negative", self.write(rest))
        factors = [each for each in value.args if not each.is_number]
        product = functools.reduce(lambda a, b: self.put("*", a, b), map(self.write, factors))
        scale = float(functools.reduce(operator.mul, [e for e in value.args if e.is_number], sp.Integer(1)))
        return product if scale == 1.0 else self.put("*", product, scale)

    def _power(self, base: Expression, exponent: Expression) -> Slot:
        sp = sympy()
        if not exponent.is_number:
            return self.put("exp", self.put("*", self.write(exponent), self.write(sp.log(base))))
        if exponent.could_extract_minus_sign():
            return self.put("/", 1.0, self._power(base, -exponent))
        if exponent == 1:
            return self.write(base)
        if exponent == sp.Rational(1, 2):
            return self.put("sqrt", self.write(base))
        return self.put("power", self.write(base), float(exponent))

    def _log(self, inside: Expression) -> Slot:  # noqa: PLR0911  (one per way to keep digits)
        sp = sympy()
        if inside.func is sp.cosh:
            return self.put("log_cosh", self.write(inside.args[0]))
        if inside.is_Add and (many := self._log_exponential(inside)) is not None:
            return many
        rest = inside - 1
        if inside.is_Add and rest.func is sp.exp:
            return self.put("softplus", self.write(rest.args[0]))
        if inside.is_Add and (-rest).func is sp.exp:
            return self.put("log_complement", self.write((-rest).args[0]))
        if self.complement is not None and inside == 1 - self.symbol:
            return self.put("log", self.write(self.complement))
        if inside.is_Add and not rest.is_Add:
            return self.put("log1p", self.write(rest))
        return self.put("log", self.write(inside))

    def _exponential(self, value: Expression) -> Slot | None:
        """Write a rational function of exp(theta) in e^-|theta|; None for anything else."""
        found = in_exponential(value, self.symbol)
        if found is None:
            return None
        ratio, unit, rate = found[0], found[1], float(found[2])
        sp = sympy()
        theta = self.write(self.symbol)
        decay = self.put("exp", self.put("*", self.put("abs", theta), -rate))
        top, bottom = sp.fraction(sp.together(ratio))
        slots: dict[int, list[Slot]] = {1: [], -1: []}
        number, below, above = sp.Integer(1), 0, 0
        for sign, part in ((1, top), (-1, bottom)):
            scale, factors = sp.factor_list(part, unit)
            number *= scale**sign
            for factor, times in factors:
                poly = sp.Poly(factor, unit)
                if poly.degree() == 1 and poly.eval(0) == 0:
                    number *= poly.LC() ** (sign * times)
                    below, above = below + sign * times, above + sign * times
                    continue
                above += sign * times * poly.degree()
                slots[sign] += [self._balanced(poly, theta, rate, decay)] * times
        return self._gathered(float(number), slots, (below, above), (theta, rate, decay))

    def _log_exponential(self, inside: Expression) -> Slot | None:
        """Write the log of 1 + … + a E^n, E = exp(theta), with positive coefficients and n > 1."""
        sp = sympy()
        found = in_exponential(inside, self.symbol)
        if found is None or not found[0].is_polynomial(found[1]):
            return None
        numbers = [float(each) for each in sp.Poly(found[0], found[1]).all_coeffs()]
        if len(numbers) < 3 or min(numbers) < 0.0 or numbers[-1] != 1.0:
            return None
        theta, rate, degree = self.write(self.symbol), float(found[2]), len(numbers) - 1
        decay = self.put("exp", self.put("*", self.put("abs", theta), -rate))
        down = [each / numbers[0] for each in numbers[::-1]]
        sides = (self.put("polynomial", decay, *each[:-1], 0.0) for each in (down, numbers))
        growth = self.put("+", self.put("*", theta, rate * degree), math.log(numbers[0]))
        small = self.put("log1p", self.put("rises", theta, *sides))
        return self.put("+", self.put("rises", theta, growth, 0.0), small)

    def _balanced(self, poly: Any, theta: Slot, rate: float, decay: Slot) -> Slot:
        """Write a polynomial in e^theta without its growth: divided by its leading power above 0."""
        numbers = [float(each) for each in poly.all_coeffs()]
        if len(numbers) == 2 and numbers[0] == -numbers[1]:
            short = self.put("expm1", self.put("*", self.put("abs", theta), -rate))
            sides = (self.put("*", short, -numbers[0]), self.put("*", short, numbers[0]))
            return self.put("rises", theta, *sides)
        down, up = (self.put("polynomial", decay, *each) for each in (numbers[::-1], numbers))
        return self.put("rises", theta, down, up)

    def _gathered(
        self,
        number: float,
        slots: dict[int, list[Slot]],
        powers: tuple[int, int],
        at: tuple[Slot, float, Slot],
    ) -> Slot:
        (below, above), (theta, rate, decay) = powers, at
        times: list[Slot] = list(slots[1])
        if (below, above) != (0, 0):
            if below >= 0 >= above:
                sides = [self.put("power", decay, float(k)) if k else 1.0 for k in (-above, below)]
                times.append(sides[0] if sides[0] == sides[1] else self.put("rises", theta, *sides))
            else:
                power: Slot = float(above) * rate
                if below != above:
                    power = self.put("rises", theta, float(above) * rate, float(below) * rate)
                times.append(self.put("exp", self.put("*", theta, power)))
        if not times:
            top: Slot = number
        else:
            top = functools.reduce(lambda a, b: self.put("*", a, b), times)
            top = top if number == 1.0 else self.put("*", top, number)
        if not slots[-1]:
            return top
        return self.put("/", top, functools.reduce(lambda a, b: self.put("*", a, b), slots[-1]))


def in_exponential(value: Expression, symbol: Expression) -> tuple[Expression, Expression, Expression] | None:
    """Return a value as a rational function of E = exp(rate * symbol), E and rate; None if it is none."""
    sp = sympy()
    value = sp.expand_power_exp(value.rewrite(sp.exp))
    rates = []
    for part in value.atoms(sp.exp):
        rate = part.args[0] / symbol
        if part.args[0].has(symbol):
            if not rate.is_Rational:
                return None
            rates.append(abs(rate))
    if not rates:
        return None
    common = functools.reduce(sp.gcd, rates)
    unit = sp.Symbol("E", positive=True)
    ratio = value.replace(
        lambda part: part.func is sp.exp and part.has(symbol),
        lambda part: unit ** (part.args[0] / symbol / common),
    )
    if ratio.has(symbol) or not ratio.is_rational_function(unit):
        return None
    return sp.cancel(ratio), unit, common
