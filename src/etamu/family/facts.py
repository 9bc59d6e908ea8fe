"""What follows from one stated formula: intervals, theta, b, V and the deviance, each where it has digits.

May import: _base, family.formula, .symbolic, .solving, .ends, .kept, .rays, .statement, the families.
Read next: `etamu.family.derived`, the family that answers with these.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from etamu._base.errors import FamilyError
from etamu._base.facts import dataclass
from etamu._base.types import LINE, AnyArray, Interval, Namespace
from etamu.family import families as own
from etamu.family.borrowed import Tweedie
from etamu.family.ends import limit, simple, spread, spread_means, typical
from etamu.family.family import Family
from etamu.family.formula import Formula, read
from etamu.family.kept import LOST, best_in_mean, best_in_theta, kept
from etamu.family.rays import Integrals, integrals
from etamu.family.solving import singular_points, solved
from etamu.family.statement import (
    Statement,
    mean_interval,
    natural_interval,
    refuse_concave,
    refuse_means,
    refuse_negative,
    refuse_no_number,
)
from etamu.family.symbolic import (
    DIGITS,
    Expression,
    antiderivative,
    expression,
    precise,
    sympy,
    written,
)

_REMEMBERED = 64

_DWARFS = 1000
"""Beyond this c, log(mu + c) is mostly log(c)."""

_FLATTEST = 6
"""Order of a zero of 1 / V at infinity up to which a few Gauss points integrate it."""


OfMean = Callable[[Namespace, AnyArray, AnyArray], AnyArray]
"""A function of (namespace, mu, 1 - mu): a formula, or an integral read from tables."""


class Texts(NamedTuple):
    """The same as formulas to print; "" where there is no closed form."""

    cumulant: str
    mean: str
    natural: str
    variance: str
    second: str
    deviance: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a statement implies.

    Formulas in the mean have the inputs (mu, 1 - mu); those in theta have one. None: no closed form.
    """

    mean: Interval
    natural: Interval
    closed: tuple[float | None, float | None]
    """max over theta of y theta - b(theta) at y = the lower and the upper end, None where it is infinite."""
    variance: Formula | None
    dvariance: Formula | None
    theta: OfMean | None
    tail: tuple[float, Formula] | None
    """(R, r): beyond mu = R, theta = -integral from 0 to 1/mu of r."""
    cumulant_of_mean: OfMean | None
    cumulant: tuple[Formula | None, ...]
    """b, b', b'', b''' and 1 - b' in theta."""
    points: tuple[complex, ...] | None
    """Where V is 0 in the complex plane; None where that is not known."""
    simple_ends: tuple[bool, bool]
    """Whether V vanishes no faster than linearly at the lower and upper end."""
    named: Family | None
    texts: Texts
    integrals: Integrals | None = None
    """Theta, b and the deviance by quadrature, where they do not close."""

    def __hash__(self) -> int:
        return id(self)


@functools.lru_cache(maxsize=_REMEMBERED)
def facts(statement: Statement) -> Facts:
    """Return what a statement implies.

    Raises
    ------
    FamilyError
        If the formula is no cumulant or variance function, or its digits are lost in a tail.
    NotAvailableError
        If SymPy is not installed.
    """
    return _of_cumulant(statement) if statement.kind == "cumulant" else _of_variance(statement)


# --- from a cumulant ---


def _of_cumulant(statement: Statement) -> Facts:
    sp = sympy()
    theta = sp.Symbol("theta", real=True)
    b = expression(read(statement.text, "theta"), theta=theta)
    refuse_no_number(statement, b)
    derivatives = [b]
    for _ in range(3):
        derivatives.append(sp.simplify(sp.diff(derivatives[-1], theta)))
    if derivatives[2] == 0:
        raise FamilyError(f"the cumulant {statement.text!r} is linear: nothing would vary")
    natural = natural_interval(statement, theta, b, derivatives[2])
    grid = spread(natural)
    refuse_concave(statement, derivatives[2], theta, grid)
    b0 = written(b, (theta,))

    def digits(order: int, word: str, beside: Expression | None = None) -> Formula:
        what = f"the {word} derivative of the cumulant"
        return kept(derivatives[order], theta, grid, what, statement.text, beside)

    b1 = digits(1, "first")
    slope = functools.partial(b1, np)
    mean = Interval(limit(slope, natural, -1.0), limit(slope, natural, 1.0))
    refuse_means(statement, mean)
    b2, b3 = digits(2, "second"), digits(3, "third", derivatives[2])
    other = None
    if mean.upper == 1.0:
        other = kept(1 - derivatives[1], theta, grid, "1 - b'", statement.text)
    mu = _mean_symbol(mean)
    closed_form = _inverse_of(derivatives[1], theta, mu, natural)
    own_facts = Facts(
        mean, natural, _conjugate_at_ends(derivatives, theta, natural, mean), None, None, None, None, None,
        (b0, b1, b2, b3, other), None, (False, False), None,
        Texts(str(b), str(derivatives[1]), "", "", str(derivatives[2])),
    )  # fmt: skip
    if closed_form is None:
        return own_facts
    hyperbolic = (sp.sinh, sp.cosh, sp.tanh, sp.coth)
    for second in (derivatives[2], derivatives[2].rewrite(hyperbolic, sp.exp)):  # theta may be a logarithm
        variance = sp.simplify(second.subs(theta, closed_form))
        if best_in_mean(variance, mu, mean)[1] <= LOST:
            at_mean = sp.simplify(b.subs(theta, closed_form))
            return _in_the_mean(statement, own_facts, mu, variance, closed_form, at_mean)
    return own_facts  # the root of b' has the digits that its formula has lost


def _inverse_of(slope: Expression, theta: Expression, mu: Expression, natural: Interval) -> Expression | None:
    """Return theta as a function of the mean where SymPy solves b'(theta) = mu, and the answer is right."""
    import mpmath

    forward = precise(slope, theta)
    points = [x for x in spread(natural) if abs(x) < 20.0]
    for candidate in solved(slope, theta, mu):
        backward = precise(candidate, mu)
        with mpmath.workdps(DIGITS):
            if all(abs(backward(forward(x)) - x) <= 1e-15 * (1 + abs(x)) for x in points):
                return candidate
    return None


def _conjugate_at_ends(
    derivatives: list[Expression], theta: Expression, natural: Interval, mean: Interval
) -> tuple[float | None, float | None]:
    """Return the limit of y theta - b(theta) toward each end of theta, y the mean there."""
    import mpmath

    b = precise(derivatives[0], theta)
    found: list[float | None] = []
    sides = ((mean.lower, natural.lower, -1), (mean.upper, natural.upper, 1))
    for end, last, side in sides:
        if math.isinf(end):
            found.append(None)
            continue
        with mpmath.workdps(DIGITS):
            for powers in ((20, 40), (4, 5)) if math.isinf(last) else ((-20, -40),):
                gaps = (mpmath.mpf(10) ** k for k in powers)
                points = [side * gap if math.isinf(last) else last - side * gap for gap in gaps]
                near, nearer = (end * point - b(point) for point in points)
                settled = mpmath.isfinite(nearer) and abs(near - nearer) <= 1e-8 * (1 + abs(nearer))
                if settled:  # far out exponentials are beyond all numbers, and nearer powers go on
                    break
            found.append(simple(nearer, 1e-12) if settled else None)
    return found[0], found[1]


# --- from a variance function ---


def _of_variance(statement: Statement) -> Facts:
    sp = sympy()
    plain = sp.Symbol("mu", real=True)
    stated = expression(read(statement.text, "mu"), mu=plain)
    refuse_no_number(statement, stated)
    mean = mean_interval(statement, plain, stated)
    refuse_means(statement, mean)
    mu, theta = _mean_symbol(mean), sp.Symbol("theta", real=True)
    variance = stated.subs(plain, mu)
    refuse_negative(statement, variance, mu, mean)
    inside = typical(mean)
    natural_of = antiderivative(1 / variance, mu, inside)
    at_mean = antiderivative(mu / variance, mu, inside)
    empty = Facts(
        mean, LINE, (None, None), None, None, None, None, None, (None,) * 5, None, (False, False), None,
        Texts("", "", "", str(stated), ""),
    )  # fmt: skip
    if natural_of is None or at_mean is None:
        return _in_the_mean(statement, empty, mu, variance, None, None)
    natural_of, natural = _normalised(natural_of, mu, mean)
    at_mean = _from_one(at_mean, mu)
    empty = _with(empty, natural=natural)
    inverse = next(
        (each for each in solved(natural_of, mu, theta) if _right(each, theta, natural_of, mu, mean)), None
    )
    if inverse is not None:
        empty = _with_cumulant(empty, inverse, at_mean, mu, theta)
    return _in_the_mean(statement, empty, mu, variance, natural_of, at_mean)


def _from_one(at_mean: Expression, mu: Expression) -> Expression:
    """Choose the constant of b so that none dwarfs it: c log(1 + mu / c) for c log(mu + c), c large."""
    sp = sympy()

    def large(part: Expression) -> bool:
        inside = part.args[0] if part.func is sp.log else mu
        return bool(inside.is_Add and (inside - mu).is_number and inside - mu > _DWARFS)

    return at_mean.replace(large, lambda part: sp.log(1 + mu / (part.args[0] - mu)))


def _normalised(natural: Expression, mu: Expression, mean: Interval) -> tuple[Expression, Interval]:
    """Choose the constant of theta: 0 at its upper end where that is finite, else at its lower end."""
    formula = best_in_mean(natural, mu, mean)[0]
    lower, upper = (limit(lambda x: np.asarray(formula(np, x, 1.0 - x)), mean, side) for side in (-1.0, 1.0))
    if math.isfinite(lower) == math.isfinite(upper):
        return natural, Interval(lower, upper)
    sp = sympy()
    end = upper if math.isfinite(upper) else lower
    exact = sp.nsimplify(end, [sp.pi], tolerance=1e-12) if end else sp.Integer(0)
    return natural - exact, Interval(lower - end, upper - end)


def _right(
    inverse: Expression, theta: Expression, natural: Expression, mu: Expression, mean: Interval
) -> bool:
    import mpmath

    forward, backward = precise(natural, mu), precise(inverse, theta)
    points = [x for x in spread_means(mean)[2] if 1e-5 < abs(x) < 20]
    with mpmath.workdps(DIGITS):
        return all(abs(backward(forward(x)) - x) <= 1e-15 * abs(x) for x in points)


def _with_cumulant(
    found: Facts, inverse: Expression, at_mean: Expression, mu: Expression, theta: Expression
) -> Facts:
    """Add b and its derivatives in theta, where they keep their digits."""
    sp = sympy()
    b = sp.simplify(at_mean.subs(mu, inverse))
    derivatives = [b, inverse, sp.simplify(sp.diff(inverse, theta)), sp.simplify(sp.diff(inverse, theta, 2))]
    grid = spread(found.natural)
    formulas = [best_in_theta(b, theta, grid)[0]]
    for each in derivatives[1:]:
        formula, loss = best_in_theta(each, theta, grid)
        if loss > LOST:
            return found
        formulas.append(formula)
    other = None
    if found.mean.upper == 1.0:
        other, loss = best_in_theta(1 - inverse, theta, grid)
        if loss > LOST:
            return found
    texts = found.texts._replace(cumulant=str(b), mean=str(inverse), second=str(derivatives[2]))
    return _with(found, cumulant=(*formulas, other), texts=texts)


# --- in the mean, whichever was stated ---


def _in_the_mean(
    statement: Statement,
    found: Facts,
    mu: Expression,
    variance: Expression,
    natural_of: Expression | None,
    at_mean: Expression | None,
) -> Facts:
    """Add what is written in the mean: V, V', theta, b, and what the deviance is made of."""
    sp = sympy()
    mean = found.mean
    v, loss = best_in_mean(variance, mu, mean)
    if loss > LOST:
        raise FamilyError(
            f"the variance {statement.text!r} keeps no digits in a tail of the mean (relative error "
            f"{loss:.1g}): write it so that nothing cancels, as mu*(1 - mu) for mu - mu**2"
        )
    dv = best_in_mean(sp.simplify(sp.diff(variance, mu)), mu, mean)[0]
    points = singular_points(variance, mu)
    ends = _simple_ends(variance, mu, mean)
    texts = found.texts._replace(variance=str(sp.factor(variance)))
    if natural_of is None or at_mean is None:
        by_quadrature = integrals(v, mean)
        return _with(
            found,
            natural=by_quadrature.natural,
            variance=v,
            dvariance=dv,
            theta=by_quadrature.theta,
            cumulant_of_mean=by_quadrature.cumulant,
            closed=by_quadrature.closed,
            points=points,
            simple_ends=ends,
            named=_named(variance, mu, mean),
            texts=texts,
            integrals=by_quadrature,
        )
    theta = best_in_mean(natural_of, mu, mean)[0]
    bounded = math.isfinite(found.natural.upper - found.natural.lower)
    tail = _tail(variance, mu, mean, found.natural)
    flat = tail is not None and tail.order > _FLATTEST
    between = None
    if found.cumulant[1] is None and (bounded or flat):
        between = _as_stated(integrals(v, mean), theta)
    return _with(
        found,
        variance=v,
        dvariance=dv,
        natural=found.natural if between is None else between.natural,
        theta=theta,
        integrals=between,
        tail=None if tail is None or flat else (tail.start, tail.rate),
        cumulant_of_mean=best_in_mean(at_mean, mu, mean)[0],
        closed=_closed(natural_of, at_mean, mu, mean),
        points=points,
        simple_ends=ends,
        named=_named(variance, mu, mean),
        texts=texts._replace(natural=str(natural_of), deviance=_deviance_text(natural_of, at_mean, mu)),
    )


def _as_stated(found: Integrals, theta: Formula) -> Integrals:
    """Return integrals with the constant that theta has as a formula."""
    mu = np.array([typical(found.mean)])
    return found.moved(float(theta(np, mu, 1.0 - mu)[0] - found.exact(mu, 1.0 - mu)[0]))


def _deviance_text(natural: Expression, at_mean: Expression, mu: Expression) -> str:
    """Write 2 (y (theta(y) - theta(mu)) - b(theta(y)) + b(theta(mu)))."""
    sp = sympy()
    y = sp.Symbol("y", positive=mu.is_positive, real=True)
    half = y * (natural.subs(mu, y) - natural) - at_mean.subs(mu, y) + at_mean
    short = sp.simplify(2 * half)
    return str(2 * half if any(not power.exp.is_number for power in short.atoms(sp.Pow)) else short)


def _closed(
    natural: Expression, at_mean: Expression, mu: Expression, mean: Interval
) -> tuple[float | None, float | None]:
    """Return the limit of y theta(y) - b(theta(y)) at each end of the means, None where infinite."""
    import mpmath

    theta, b = precise(natural, mu), precise(at_mean, mu)
    found: list[float | None] = []
    for end, inward in ((mean.lower, 1), (mean.upper, -1)):
        if math.isinf(end):
            found.append(None)
            continue
        with mpmath.workdps(DIGITS):
            near, nearer = (
                y * theta(y) - b(y)
                for y in (end + inward * mpmath.mpf(10) ** -k for k in ((30, 60) if end else (200, 400)))
            )
            settled = mpmath.isfinite(nearer) and abs(near - nearer) <= 1e-8 * (1 + abs(nearer))
            found.append(simple(nearer, 1e-12) if settled else None)
    return found[0], found[1]


def _simple_ends(variance: Expression, mu: Expression, mean: Interval) -> tuple[bool, bool]:
    """Tell whether V(y) / (y - end) stays away from 0 at each finite end."""
    import mpmath

    at = precise(variance, mu)
    found = []
    for end, inward in ((mean.lower, 1), (mean.upper, -1)):
        if math.isinf(end):
            found.append(False)
            continue
        with mpmath.workdps(DIGITS):
            gaps = (mpmath.mpf(10) ** -12, mpmath.mpf(10) ** -24)
            near, nearer = (at(end + inward * gap) / gap for gap in gaps)
            found.append(bool(mpmath.isfinite(nearer) and abs(near - nearer) < 1e-3 * abs(nearer)))
    return found[0], found[1]


class _Tail(NamedTuple):
    """Theta far out: minus the integral from 0 to 1/mu of a rate, which begins like a power of this order."""

    start: float
    rate: Formula
    order: int


def _tail(variance: Expression, mu: Expression, mean: Interval, natural: Interval) -> _Tail | None:
    """Return from where on theta is the integral of a smooth function of 1/mu; None where it is a power."""
    if not (math.isinf(mean.upper) and natural.upper == 0.0):
        return None
    sp = sympy()
    s = sp.Symbol("s", positive=True)
    rate = sp.cancel(sp.together(1 / (s**2 * variance.subs(mu, 1 / s))))
    points = singular_points(1 / rate, s)
    if not points or any(abs(point) < 1e-9 for point in points):
        return None
    order = min(power for (power,) in sp.Poly(sp.fraction(rate)[0], s).monoms())
    return _Tail(max(4.0 / min(map(abs, points)), 1e-3), written(rate, (s,)), order)


_LAWS: tuple[tuple[str, Interval, Family], ...] = (
    ("1", LINE, own.Gaussian()),
    ("mu", own.POSITIVE, own.Poisson()),
    ("mu**2", own.POSITIVE, own.Gamma()),
    ("mu**3", own.POSITIVE, own.InverseGaussian()),
    ("mu*(1 - mu)", own.UNIT, own.Bernoulli()),
)


def _named(variance: Expression, mu: Expression, mean: Interval) -> Family | None:
    """Return the family of the catalogue that this is: V and its interval of means say all (Morris 1982)."""
    sp = sympy()
    for text, interval, family in _LAWS:
        same = (interval.lower, interval.upper) == (mean.lower, mean.upper)
        if same and sp.simplify(variance - expression(read(text, "mu"), mu=mu)) == 0:
            return family
    if (mean.lower, mean.upper) != (0.0, math.inf):
        return None
    excess = sp.simplify((variance - mu) / mu**2)
    if excess.is_number and excess > 0:
        return own.NegativeBinomial(float(1 / excess))
    power = sp.simplify(mu * sp.diff(variance, mu) / variance)
    if power.is_number and power > 1 and sp.simplify(variance / mu**power) == 1:
        return Tweedie(float(power))
    return None


# --- parts ---


def _with(found: Facts, **changes: Any) -> Facts:
    parts = {name: getattr(found, name) for name in Facts.__dataclass_fields__}
    return Facts(**(parts | changes))


def _mean_symbol(mean: Interval) -> Expression:
    return sympy().Symbol("mu", positive=True) if mean.lower >= 0.0 else sympy().Symbol("mu", real=True)
