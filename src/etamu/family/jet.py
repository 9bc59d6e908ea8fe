"""Second-order jets: a value with its first and second derivative, carried exactly through arithmetic.

May import: _base, family.normal, family.special.
Read next: `etamu.family.stated`, which differentiates a stated inverse link with them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, final

from etamu._base.errors import LinkError
from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Namespace
from etamu.family import normal, special

Derivatives = tuple[AnyArray, AnyArray, AnyArray]


@final
@dataclass(frozen=True, slots=True, eq=False)
class Jet:
    """f, f' and f'' at every element of an array.

    Examples
    --------
    >>> import numpy as np
    >>> x = variable(np, np.array([3.0]))
    >>> (x * x / 2).first, (x * x / 2).second
    (array([3.]), array([1.]))
    """

    xp: Namespace
    value: AnyArray
    first: AnyArray
    second: AnyArray

    def __add__(self, other: Any) -> Jet:
        right = self.lift(other)
        return Jet(self.xp, self.value + right.value, self.first + right.first, self.second + right.second)

    def __neg__(self) -> Jet:
        return Jet(self.xp, -self.value, -self.first, -self.second)

    def __pos__(self) -> Jet:
        return self

    def __sub__(self, other: Any) -> Jet:
        return self + (-self.lift(other))

    def __mul__(self, other: Any) -> Jet:
        right = self.lift(other)
        first = self.first * right.value + self.value * right.first
        second = self.second * right.value + 2.0 * self.first * right.first + self.value * right.second
        return Jet(self.xp, self.value * right.value, first, second)

    def __truediv__(self, other: Any) -> Jet:
        return self * self.lift(other).through(_reciprocal)

    def __pow__(self, power: Any) -> Jet:
        if isinstance(power, Jet):
            return (self.through(_log) * power).through(_exp)
        k = float(power)
        if k == 0.0:
            return self.lift(1.0)
        x = self.value
        bend = k * (k - 1.0) * x ** (k - 2.0) if k != 1.0 else self.xp.zeros_like(x)
        return self._chain((x**k, k * x ** (k - 1.0), bend))

    def __radd__(self, other: Any) -> Jet:
        return self.__add__(other)

    def __rsub__(self, other: Any) -> Jet:
        return self.lift(other) - self

    def __rmul__(self, other: Any) -> Jet:
        return self.__mul__(other)

    def __rtruediv__(self, other: Any) -> Jet:
        return self.lift(other) / self

    def __rpow__(self, base: Any) -> Jet:
        return (self * math.log(float(base))).through(_exp)

    def __lt__(self, other: Any) -> AnyArray:
        return self.value < self.lift(other).value

    def __le__(self, other: Any) -> AnyArray:
        return self.value <= self.lift(other).value

    def __gt__(self, other: Any) -> AnyArray:
        return self.value > self.lift(other).value

    def __ge__(self, other: Any) -> AnyArray:
        return self.value >= self.lift(other).value

    def through(self, function: Callable[[Namespace, AnyArray], Derivatives]) -> Jet:
        """Return the jet of function(self), given f, f' and f'' of the function."""
        return self._chain(function(self.xp, self.value))

    def _chain(self, at: Derivatives) -> Jet:
        value, slope, bend = at
        return Jet(self.xp, value, slope * self.first, bend * self.first * self.first + slope * self.second)

    def lift(self, other: Any) -> Jet:
        """Return a number or array as a jet that does not vary."""
        if isinstance(other, Jet):
            return other
        nothing = self.xp.zeros_like(self.value)
        return Jet(self.xp, nothing + other, nothing, nothing)


def variable(xp: Namespace, x: AnyArray) -> Jet:
    """Return the jet of x itself: derivative 1."""
    return Jet(xp, x, xp.ones_like(x), xp.zeros_like(x))


def _reciprocal(_xp: Namespace, x: AnyArray) -> Derivatives:
    inverse = 1.0 / x
    return inverse, -inverse * inverse, 2.0 * inverse * inverse * inverse


def _exp(xp: Namespace, x: AnyArray) -> Derivatives:
    value = special.exp(xp, x)
    return value, value, value


def _expm1(xp: Namespace, x: AnyArray) -> Derivatives:
    value = special.exp(xp, x)
    return xp.where(x < 1.0, xp.expm1(xp.minimum(x, 1.0)), value - 1.0), value, value


def _log(xp: Namespace, x: AnyArray) -> Derivatives:
    return xp.log(x), 1.0 / x, -1.0 / (x * x)


def _log1p(xp: Namespace, x: AnyArray) -> Derivatives:
    slope = 1.0 / (1.0 + x)
    return xp.log1p(x), slope, -slope * slope


def _sqrt(xp: Namespace, x: AnyArray) -> Derivatives:
    root = xp.sqrt(x)
    return root, 0.5 / root, -0.25 / (x * root)


def _tanh(xp: Namespace, x: AnyArray) -> Derivatives:
    decay = xp.exp(-2.0 * xp.abs(x))
    slope = 4.0 * decay / ((1.0 + decay) * (1.0 + decay))
    value = xp.tanh(x)
    return value, slope, -2.0 * value * slope


def _sinh(xp: Namespace, x: AnyArray) -> Derivatives:
    return xp.sinh(x), xp.cosh(x), xp.sinh(x)


def _cosh(xp: Namespace, x: AnyArray) -> Derivatives:
    return xp.cosh(x), xp.sinh(x), xp.cosh(x)


def _atanh(xp: Namespace, x: AnyArray) -> Derivatives:
    slope = 1.0 / ((1.0 - x) * (1.0 + x))
    return xp.atanh(x), slope, 2.0 * x * slope * slope


def _asinh(xp: Namespace, x: AnyArray) -> Derivatives:
    slope = 1.0 / xp.sqrt(1.0 + x * x)
    return xp.asinh(x), slope, -x * slope * slope * slope


def _sin(xp: Namespace, x: AnyArray) -> Derivatives:
    return xp.sin(x), xp.cos(x), -xp.sin(x)


def _cos(xp: Namespace, x: AnyArray) -> Derivatives:
    return xp.cos(x), -xp.sin(x), -xp.cos(x)


def _tan(xp: Namespace, x: AnyArray) -> Derivatives:
    value = xp.tan(x)
    slope = 1.0 + value * value
    return value, slope, 2.0 * value * slope


def _atan(xp: Namespace, x: AnyArray) -> Derivatives:
    slope = 1.0 / (1.0 + x * x)
    return xp.atan(x), slope, -2.0 * x * slope * slope


def _asin(xp: Namespace, x: AnyArray) -> Derivatives:
    slope = 1.0 / xp.sqrt((1.0 - x) * (1.0 + x))
    return xp.asin(x), slope, x * slope * slope * slope


def _abs(xp: Namespace, x: AnyArray) -> Derivatives:
    return xp.abs(x), xp.sign(x), xp.zeros_like(x)


def _flat(name: str) -> Callable[[Namespace, AnyArray], Derivatives]:
    def function(xp: Namespace, x: AnyArray) -> Derivatives:
        return getattr(xp, name)(x), xp.zeros_like(x), xp.zeros_like(x)

    return function


def _expit(xp: Namespace, x: AnyArray) -> Derivatives:
    decay = xp.exp(-xp.abs(x))
    bulk = 1.0 / (1.0 + decay)
    slope = decay * bulk * bulk
    return xp.where(x < 0.0, decay * bulk, bulk), slope, -slope * xp.tanh(0.5 * x)


def _softplus(xp: Namespace, x: AnyArray) -> Derivatives:
    value, slope, _ = _expit(xp, x)
    return special.softplus(xp, x), value, slope


def _normal_cdf(xp: Namespace, x: AnyArray) -> Derivatives:
    height = normal.density(xp, x)
    return normal.cdf(xp, x), height, -x * height


def _normal_quantile(xp: Namespace, p: AnyArray) -> Derivatives:
    x = normal.quantile(xp, p, 1.0 - p)
    slope = 1.0 / normal.density(xp, x)
    return x, slope, x * slope * slope


FUNCTIONS: dict[str, Callable[[Namespace, AnyArray], Derivatives]] = {
    "exp": _exp,
    "expm1": _expm1,
    "log": _log,
    "log1p": _log1p,
    "sqrt": _sqrt,
    "tanh": _tanh,
    "sinh": _sinh,
    "cosh": _cosh,
    "atanh": _atanh,
    "asinh": _asinh,
    "sin": _sin,
    "cos": _cos,
    "tan": _tan,
    "atan": _atan,
    "asin": _asin,
    "abs": _abs,
    "sign": _flat("sign"),
    "floor": _flat("floor"),
    "ceil": _flat("ceil"),
    "round": _flat("round"),
    "expit": _expit,
    "softplus": _softplus,
    "normal_cdf": _normal_cdf,
    "normal_quantile": _normal_quantile,
}
"""name -> (f, f', f''): everything a stated link may call, beside where, minimum and maximum."""


def where(xp: Namespace, condition: AnyArray, left: Any, right: Any) -> Any:
    """Return left where the condition holds, right elsewhere, for jets, arrays and numbers alike."""
    example = left if isinstance(left, Jet) else right
    if not isinstance(example, Jet):
        return xp.where(condition, left, right)
    one, other = example.lift(left), example.lift(right)
    return Jet(
        xp,
        xp.where(condition, one.value, other.value),
        xp.where(condition, one.first, other.first),
        xp.where(condition, one.second, other.second),
    )


def _call(function: Callable[[Namespace, AnyArray], Derivatives], xp: Namespace, x: Any) -> Any:
    return x.through(function) if isinstance(x, Jet) else function(xp, x)[0]


@final
@dataclass(frozen=True, slots=True)
class JetNamespace:
    """A namespace whose functions take jets: calling `f(xp, eta)` with it differentiates f."""

    xp: Namespace
    pi = math.pi
    e = math.e
    inf = math.inf

    def where(self, condition: AnyArray, left: Any, right: Any) -> Any:
        """Return left where the condition holds, right elsewhere."""
        return where(self.xp, condition, left, right)

    def minimum(self, left: Any, right: Any) -> Any:
        """Return the smaller of the two."""
        return where(self.xp, left < right, left, right)

    def maximum(self, left: Any, right: Any) -> Any:
        """Return the larger of the two."""
        return where(self.xp, left > right, left, right)

    def ones_like(self, x: Any) -> Any:
        """Return ones."""
        return x * 0.0 + 1.0

    def zeros_like(self, x: Any) -> Any:
        """Return zeros."""
        return x * 0.0

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        if name not in FUNCTIONS:
            allowed = ", ".join(sorted(FUNCTIONS))
            raise LinkError(f"a stated link may not call {name!r}; it may call {allowed}")
        return functools.partial(_call, FUNCTIONS[name], self.xp)
