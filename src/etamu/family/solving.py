"""Equations of a derived family that close: theta of a mean, a mean of theta, and the zeros of V.

May import: _base, family.formula, family.symbolic; sympy and mpmath inside functions.
Read next: `etamu.family.facts`, which asks for these.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from etamu.family.formula import CALLS
from etamu.family.symbolic import ROOTS, SIMPLE, Expression, in_exponential, joined_logs, sympy

_SHORT = 8
"""Degree up to which all zeros of a polynomial are iterated for together."""

_POLISH = 6


def solved(value: Expression, symbol: Expression, target: Expression) -> tuple[Expression, ...]:
    """Return what SymPy finds for value = target solved for symbol, in elementary functions."""
    sp = sympy()
    try:
        found = _of_power(value, symbol, target) or _of_exponential(value, symbol, target)
        if not found and _easy(value, symbol):
            # whoever asks compares the answer with numbers, which SymPy's own check takes seconds for
            found = sp.solve(sp.Eq(value, target), symbol, check=False, simplify=False)
    except Exception:  # what cannot be solved is found by Newton's method
        return ()
    allowed = {getattr(sp, name) for name in CALLS if hasattr(sp, name)}
    simple = [sp.simplify(each) for each in found if not isinstance(each, dict)]
    return tuple(
        each
        for each in simple
        if not each.has(sp.I, sp.zoo, sp.nan) and all(f.func in allowed for f in each.atoms(sp.Function))
    )


def _of_power(value: Expression, symbol: Expression, target: Expression) -> list[Expression]:
    """Solve a (p x + q)^k + c = target, of which SymPy would list all k roots; nothing for other values."""
    sp = sympy()
    constant, rest = value.as_independent(symbol, as_Add=True)
    scale, power = rest.as_independent(symbol, as_Add=False)
    base, exponent = power.as_base_exp()
    if not (exponent.is_Rational and base.is_polynomial(symbol) and sp.degree(base, symbol) == 1):
        return []
    slope, level = sp.Poly(base, symbol).all_coeffs()
    root = ((target - constant) / scale) ** (1 / exponent)
    return [(sign * root - level) / slope for sign in (1, -1)]


def _of_exponential(value: Expression, symbol: Expression, target: Expression) -> list[Expression]:
    """Solve an equation quadratic in exp(k x), of which SymPy would seek all k logarithms."""
    sp = sympy()
    found = in_exponential(value, symbol)
    if found is None or not _quadratic(found[0], found[1]):
        return []
    ratio, unit, rate = found
    return [sp.log(each) / rate for each in sp.solve(sp.Eq(ratio, target), unit)]


def _easy(value: Expression, symbol: Expression) -> bool:
    """Tell whether an equation is of the first or second degree in the symbol, a power or a function of it.

    All others SymPy would search for long, write out by Cardano's formula, or seek in vain.
    """
    sp = sympy()
    if value.has(sp.exp, sp.sinh, sp.cosh, sp.tanh) and (found := in_exponential(value, symbol)) is not None:
        return _quadratic(found[0], found[1])
    joined = joined_logs(value)
    functions = {part for part in joined.atoms(sp.Function) if part.has(symbol)}
    outer = {
        part for part in functions if not any(part in other.args[0].atoms(sp.Function) for other in functions)
    }
    if outer:
        (part, *others) = outer
        return not others and not joined.subs(part, 1).has(symbol) and _easy(part.args[0], symbol)
    powers = [each for each in joined.atoms(sp.Pow) if each.has(symbol) and not each.exp.is_Integer]
    if any(not each.exp.is_Rational or each.exp.q > ROOTS for each in powers):
        return False  # SymPy would write out a polynomial of a degree as high as the denominators
    if any(each.base != symbol for each in powers):
        return len(powers) == 1 and sp.count_ops(joined) <= SIMPLE
    root, inner = math.lcm(*(int(each.exp.q) for each in powers)), sp.Symbol("t", positive=True)
    return _quadratic(sp.powdenest(joined.subs(symbol, inner**root), force=True), inner)


def _quadratic(value: Expression, symbol: Expression) -> bool:
    """Tell whether value = target is an equation of the second degree at most, or one of a power alone."""
    sp = sympy()
    top, bottom = (sp.Poly(part, symbol) for part in sp.fraction(sp.cancel(sp.together(value))))
    if top.degree() <= 2 and bottom.degree() <= 2:
        return True
    constants = [sum(1 for (power,) in part.monoms() if power) for part in (top, bottom)]
    return sum(constants) == 1 and all(len(part.monoms()) <= 2 for part in (top, bottom))


def singular_points(value: Expression, symbol: Expression) -> tuple[complex, ...] | None:
    """Return where a rational function is 0 in the complex plane; None for any other function."""
    sp = sympy()
    top, bottom = sp.fraction(sp.together(value))
    if not (top.is_polynomial(symbol) and bottom.is_polynomial(symbol)):
        return None
    if not top.has(symbol):
        return ()
    # of a zero of high order an iteration finds few digits, after long
    simple = (sp.Poly(factor, symbol) for factor, _ in sp.sqf_list(top, symbol)[1])
    roots = (complex(root) for factor in simple for root in _roots(factor))
    return tuple(complex(*(part if abs(part) > 1e-9 else 0.0 for part in (z.real, z.imag))) for z in roots)


def _roots(polynomial: Any) -> Iterable[Any]:
    """Return the zeros of a polynomial without multiple ones, by its companion matrix where it is long."""
    if polynomial.degree() <= _SHORT:
        found: Iterable[Any] = polynomial.nroots(n=30, maxsteps=300)
        return found
    import mpmath

    def polished(root: Any) -> Any:
        for _ in range(_POLISH):
            value, slope = mpmath.polyval(numbers, root, derivative=1)
            root = root - value / slope if slope else root
        return root

    with mpmath.workdps(50):
        numbers = [mpmath.mpmathify(each.evalf(50)) for each in polynomial.all_coeffs()]
        return [polished(mpmath.mpc(root)) for root in np.roots([float(each) for each in numbers])]
