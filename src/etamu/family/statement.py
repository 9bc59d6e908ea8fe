"""What a user states about a family, where it holds, and why it is refused where it does not.

May import: _base, family.ends, family.solving, family.symbolic; mpmath inside functions.
Read next: `etamu.family.facts`, which works out what a statement implies.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from etamu._base.errors import FamilyError
from etamu._base.types import Array, Interval
from etamu.family.ends import around, spread_means
from etamu.family.solving import singular_points
from etamu.family.symbolic import DIGITS, Expression, precise, sympy

_STARTS = (0.0, -0.5, 0.5, -1.0, 1.0, -3.0, 3.0)
_MEANS = (0.5, 1.0, 2.0)

_ROUNDED = 10.0 ** (10 - DIGITS)
"""What is left where b'' vanishes and terms of b'' cancel to all their digits: no more negative than that."""


class Statement(NamedTuple):
    """What a user states: "cumulant" or "variance", its formula, and the interval if one is given."""

    kind: str
    text: str
    interval: tuple[float, float] | None = None


def natural_interval(statement: Statement, theta: Expression, b: Expression, second: Expression) -> Interval:
    """Return the stated interval, or the largest one around 0, or near it, where b is real and convex."""
    if statement.interval is not None:
        return Interval(*statement.interval)
    import mpmath

    value, bend = precise(b, theta), precise(second, theta)

    def holds(x: Any) -> bool:
        return bool(mpmath.isfinite(value(x)) and mpmath.isfinite(bend(x)) and bend(x) >= -_ROUNDED)

    start = next((x for x in _STARTS if holds(x) and bend(x) > 0), None)
    if start is None:
        raise FamilyError(
            f"the cumulant {statement.text!r} is not convex: b'' is not positive at theta = 0 nor near "
            "it; if theta lives elsewhere, state its interval: derive(cumulant=…, theta=(lower, upper))"
        )
    found = around(holds, start)
    for end, outward in ((found.lower, -1.0), (found.upper, 1.0)):
        if math.isfinite(end):
            step = outward * 1e-7 * (1.0 + abs(end))
            tame = bend(end - step) < 1e4 * (1 + bend(start))  # else it is a pole, where theta ends
            if tame and mpmath.isfinite(value(end + step)) and bend(end + step) < 0:
                raise FamilyError(
                    f"the cumulant {statement.text!r} is not convex: b'' changes its sign at "
                    f"theta = {end:g}; if theta is meant to stay on one side, state theta=(lower, upper)"
                )
    return found


def mean_interval(statement: Statement, mu: Expression, variance: Expression) -> Interval:
    """Return the stated interval, or the largest one around 1/2, 1 or 2 where V is positive."""
    if statement.interval is not None:
        return Interval(*statement.interval)
    import mpmath

    value = precise(variance, mu)

    def holds(x: Any) -> bool:
        return bool(mpmath.isfinite(value(x)) and value(x) > 0)

    start = next((x for x in _MEANS if holds(x)), None)
    if start is None or not holds(_MEANS[0]):
        raise FamilyError(
            f"the variance {statement.text!r} is not positive at mu = {_MEANS[0]:g}; if means live "
            "elsewhere, state their interval: derive(variance=…, mean=(lower, upper))"
        )
    found = around(holds, start)
    # a double zero is an end too, though V is positive on either side of it
    zeros = [*(singular_points(variance, mu) or ()), *(singular_points(1 / variance, mu) or ())]
    real = [zero.real for zero in zeros if abs(zero.imag) < 1e-9]
    real += [0.0] * (value(0) == 0)
    lower = max([found.lower, *(zero for zero in real if zero < start)])
    return Interval(lower, min([found.upper, *(zero for zero in real if zero > start)]))


def refuse_no_number(statement: Statement, value: Expression) -> None:
    """Refuse what is a number nowhere."""
    sp = sympy()
    if value.has(sp.zoo, sp.nan, sp.oo):
        raise FamilyError(f"the {statement.kind} {statement.text!r} divides by zero or is no number anywhere")


def refuse_concave(statement: Statement, second: Expression, theta: Expression, grid: Array) -> None:
    """Refuse a cumulant whose second derivative is not positive."""
    at = precise(second, theta)
    for point in grid:
        value = at(point)
        if not value >= -_ROUNDED:
            raise FamilyError(
                f"the cumulant {statement.text!r} is not convex: b'' is {float(value):.4g} at "
                f"theta = {point:.6g}, and a variance is never negative"
            )
    flat = float(grid[0]) < 0.0 < float(grid[-1]) and at(0) == 0
    if flat:
        raise FamilyError(
            f"the cumulant {statement.text!r} is not strictly convex: b'' is 0 at theta = 0, and a variance "
            "is positive at every mean; state theta=(lower, upper) if one side is meant"
        )


def refuse_negative(statement: Statement, variance: Expression, mu: Expression, mean: Interval) -> None:
    """Refuse a variance that is not positive at every mean."""
    at = precise(variance, mu)
    for point in spread_means(mean)[2]:
        if not at(point) > 0:
            raise FamilyError(
                f"the variance {statement.text!r} is {float(at(point)):.4g} at mu = {float(point):.6g}, "
                f"which is in {mean!r}: a variance is positive at every mean; state mean=(lower, upper) if "
                "fewer are meant"
            )


def refuse_means(statement: Statement, mean: Interval) -> None:
    """Refuse means whose distance from an end is lost by subtraction: 1 - mu is carried, no other is."""
    lower, upper = mean.lower, mean.upper
    if lower < upper and lower in {0.0, -math.inf} and upper in {0.0, math.inf}:
        return
    if (lower, upper) == (0.0, 1.0):
        return
    if math.isfinite(lower) and math.isfinite(upper):
        shifted, width = _less(lower), upper - lower
        share = shifted if width == 1.0 else f"({shifted}) / {width:g}" if lower else f"y / {width:g}"
        remedy = f"use {share} as the response, whose mean is between 0 and 1"
    else:
        end = lower if math.isfinite(lower) else upper
        remedy = f"use {_less(end)} as the response, whose mean ends at 0"
    raise FamilyError(
        f"the {statement.kind} {statement.text!r} has means in {mean!r}: close to such an end, mu has no "
        f"digits left to tell its distance; {remedy}"
    )


def _less(end: float) -> str:
    """Return y less an end, as one writes it."""
    return f"y - {end:g}" if end > 0.0 else f"y + {-end:g}"
