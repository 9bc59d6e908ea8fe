"""A step along a contour, compiled: the midpoint rules of Gragg, extrapolated, as one straight-line program.

Few rows walk together and a step is some thousand operations on each: NumPy would spend its time on calls.

May import: family.program, family.trace.
Read next: `etamu.family.contour`, which takes the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast, final

from etamu._base.kernel import kernel
from etamu.family.program import assemble, handed_over
from etamu.family.trace import Recorder, Symbol

INPUTS = ("y", "u", "step", "scale", "slope", "bend", "mu.real", "mu.imag", "K.real", "K.imag")
"""What the program reads, by row; it gives the last four anew."""
LARGEST = 8
"""Whole powers up to this are products."""

Number = Any
"""A symbol, a float, or an array of all rows."""


@final
class Pair:
    """A complex number of two symbols, as far as formulas that close need one."""

    __slots__ = ("imag", "real")
    __array_ufunc__ = None
    """NumPy's functions refuse."""

    def __init__(self, real: Number, imag: Number) -> None:
        self.real, self.imag = real, imag

    def __add__(self, other: Any) -> Pair:
        if isinstance(other, Pair):
            return Pair(self.real + other.real, self.imag + other.imag)
        return Pair(self.real + float(other), self.imag)

    def __mul__(self, other: Any) -> Pair:
        if isinstance(other, Pair):
            real = self.real * other.real - self.imag * other.imag
            return Pair(real, self.real * other.imag + self.imag * other.real)
        return self.times(float(other))

    def __neg__(self) -> Pair:
        return Pair(-self.real, -self.imag)

    def __sub__(self, other: Any) -> Pair:
        return self.__add__(-other)

    def __rsub__(self, other: Any) -> Pair:
        return (-self).__add__(other)

    def __truediv__(self, other: Any) -> Pair:
        return self.__mul__(other.inverse() if isinstance(other, Pair) else 1.0 / float(other))

    def __rtruediv__(self, other: Any) -> Pair:
        return self.inverse().__mul__(other)

    def __pow__(self, exponent: Any) -> Pair:
        times = int(exponent)
        if times != exponent or not 1 <= abs(times) <= LARGEST:
            raise TypeError("only small whole powers are recorded")
        out = self
        for _ in range(abs(times) - 1):
            out = out * self
        return out if times > 0 else out.inverse()

    __radd__, __rmul__ = __add__, __mul__

    def times(self, factor: Number) -> Pair:
        """Multiply by a real number."""
        return Pair(factor * self.real, factor * self.imag)

    def inverse(self) -> Pair:
        """Return one over it."""
        size = self.real * self.real + self.imag * self.imag
        return Pair(self.real / size, -self.imag / size)


State = tuple[Pair, Pair]
T = TypeVar("T")
"""What can be added, subtracted and divided by a number: a Pair, or an array of all rows."""


def compiled_step(variance: Callable[[Any], Any], stages: tuple[int, ...]) -> Any | None:
    """Return the program of a step for V, a function of complex numbers; None where it is not recorded.

    Parameters
    ----------
    variance : callable
        Of sums, products and whole powers.
    stages : tuple of int
        Parts of the step that each midpoint rule takes.
    """
    if kernel is None:
        return None
    try:
        recorder = Recorder()
        y, u, step, scale, slope, bend, *state = (recorder.input() for _ in INPUTS)

        def rates(share: float, at: State) -> State:
            along = Pair(*speed(recorder, u + share * step, scale, slope, bend))
            return variance(at[0]) * along, Pair(at[0].real - y, at[0].imag) * along

        start = Pair(*state[:2]), Pair(*state[2:])
        ends = [_midpoint(rates, step, start, count) for count in stages]
        mu, cumulant = (extrapolated(part, stages) for part in zip(*ends, strict=True))
        outputs = [recorder.number(part) for part in (mu.real, mu.imag, cumulant.real, cumulant.imag)]
    except (TypeError, AttributeError):
        return None
    return handed_over(assemble(recorder, outputs))


def speed(xp: Any, u: Number, scale: Number, slope: Number, bend: Number) -> tuple[Number, Number]:
    """Return real and imaginary part of d theta / du, as `etamu.family.contour.Walk` states the path."""
    grows = xp.exp(u / scale)
    falls = 1.0 / grows
    level, rise = 0.5 * (grows + falls), 0.5 * (grows - falls)
    return rise * (2.0 * bend * scale * level + slope), level


def extrapolated(ends: Sequence[T], stages: tuple[int, ...]) -> T:
    """Extrapolate the ends of midpoint rules to steps of no length (Bulirsch and Stoer 1966).

    Examples
    --------
    >>> extrapolated([1.0 + 0.5**2, 1.0 + 0.25**2], (2, 4))
    1.0
    """
    rows: list[Any] = []
    for stage, end in enumerate(ends):
        new: list[Any] = [end]
        for column in range(stage):
            ratio = (stages[stage] / stages[stage - 1 - column]) ** 2 - 1.0
            new.append(new[column] + (new[column] - rows[column]) / ratio)
        rows = new
    return cast("T", rows[-1])


def _midpoint(rates: Callable[[float, State], State], step: Symbol, state: State, count: int) -> State:
    """Take a step in so many parts: every part from the place before the last, at the rate of the last."""
    part = step * (1.0 / count)
    before, now = state, _plus(state, rates(0.0, state), part)
    for inner in range(1, count):
        before, now = now, _plus(before, rates(inner / count, now), 2.0 * part)
    mean = _plus(_plus(before, now, 1.0), rates(1.0, now), part)
    return mean[0].times(0.5), mean[1].times(0.5)


def _plus(state: State, rates: State, factor: Number) -> State:
    return state[0] + rates[0].times(factor), state[1] + rates[1].times(factor)
