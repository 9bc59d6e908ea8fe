"""The log density of a derived family at its own mean, by inversion along a contour through the saddle.

At mu = y the density is lambda / (2 pi) * integral of exp(lambda K(s)) ds, lambda = 1 / phi, where
K(s) = b(theta_y + i s) - b(theta_y) - i s y has neither a linear term nor a large one. Only V is needed:
along any path d mu = V(mu) d theta and dK = (mu - y) d theta, integrated to high order for all y at once,
without branches. The trapezoidal rule then converges exponentially (Trefethen and Weideman 2014).

Where theta ends at 0 the path is the parabola around it, on which exp(-y theta) decays like a normal density
(Weideman and Trefethen 2007); else it is vertical. A law on the integers has mu of period 2 pi.

May import: `etamu._base`, `etamu.family.computed`, `.facts`, `.formula`, `.midpoints`, `.symbolic`, numpy.
Read next: `etamu.family.implied`, which verifies what comes out before it is called a density.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.family.computed import theta_at
from etamu.family.facts import Facts
from etamu.family.formula import read
from etamu.family.midpoints import compiled_step, extrapolated, speed
from etamu.family.symbolic import Expression, expression, sympy

Complex = NDArray[np.complex128]
Analytic = Callable[[Complex], Complex]
"""A function of complex numbers."""

_STAGES = (2, 4, 6, 8, 10)
"""Midpoint steps within a step, extrapolated to none: order 10."""

_PLACES = sorted({inner / count for count in _STAGES for inner in range(count + 1)})
_SPEEDS = np.array(_PLACES)[:, None]
"""Places within a step, as shares of it, at which some of these begin or end."""

_REACHED = [
    [_PLACES.index(inner / count) for count in _STAGES if count >= inner]
    for inner in range(1, _STAGES[-1] + 1)
]
"""Where those that have not ended are after 1, 2, … of their own."""

_GONE = -36.0
"""The log of what counts as nothing beside 1."""

_STEPS = 250
_FINE = 0.13
"""Step as a share of the scale: the trapezoidal rule errs by exp(-pi^2 / 0.13) where the strip is widest."""

_EVEN = 1e300
"""A scale beyond every step."""

_TURNS = 180
_CROSSING = 120

_TURN = 1.4
"""Most by which mu turns in a step, in radians: then eleven digits are left."""
_PARTS = 32
_SIDES = np.array([1.0, -1.0])[:, None] * np.array([0.01, 0.3, 1.0, 2.7, 30.0])
_BATCH = 4096
"""Rows worked on at once: their columns stay in cache."""


class Law(NamedTuple):
    """V and V' in the complex plane."""

    variance: Analytic
    slope: Analytic
    step: Any | None = None
    """The program of a step along a contour, where V is recorded."""

    def at(self, mu: Array) -> Array:
        """Return V of real means."""
        return np.asarray(self.variance(mu.astype(np.complex128)).real)


def law(text: str) -> Law:
    """Return V and V' of a formula in the mean.

    Examples
    --------
    >>> law("mu**2").slope(np.array([1j])).tolist()
    [2j]
    """
    sp = sympy()
    mu = sp.Symbol("mu")
    value = expression(read(text, "mu"), mu=mu)
    plain = sp.lambdify([mu], value, "math")
    step = compiled_step(plain, _STAGES) if value.has(mu) else None
    return Law(_analytic(value, mu), _analytic(sp.diff(value, mu), mu), step)


def _analytic(value: Expression, mu: Expression) -> Analytic:
    """Return an expression as a function of complex numbers, of their shape though it is constant."""
    function = sympy().lambdify([mu], value, "numpy")
    if value.has(mu):
        return lambda z: np.asarray(function(z), dtype=np.complex128)
    return lambda z: np.full(z.shape, function(0.0), dtype=np.complex128)


@dataclass(frozen=True, slots=True)
class Walk:
    """Rows that walk together from theta_y, each with its steps along its path.

    The path is theta - theta_y = scale (i sinh w + slope (cosh w - 1)) + bend (scale sinh w)^2 at the place
    u = scale w: a hyperbola with slope, the parabola whose focus is an end of theta where bend is 1 / (4 d),
    else the vertical line, walked ever faster beyond its scale.
    """

    law: Law
    y: Array
    precision: Array
    step: Array
    scale: Array
    slope: Array
    bend: Array

    def at(self, rows: Mask) -> Walk:
        """Return some of the rows."""
        parts = (self.y, self.precision, self.step, self.scale, self.slope, self.bend)
        return Walk(self.law, *(part[rows] for part in parts))

    def integral(self, state: Complex | None = None) -> Array:
        """Return the integral of exp(K / phi) ds over the whole path; NaN where it does not end."""
        walk, places = self, np.arange(self.y.size)
        least = 0.0 if state is None else 1e-3  # beside what a path from theta_y brings
        state = self._start() if state is None else state
        total, found = 0.5 * np.exp(self.precision * state[1]).real, np.full(self.y.shape, math.nan)
        for count in range(1, _STEPS):
            state = walk._forward((count - 1) * walk.step, state)
            term = np.exp(walk.precision * state[1]) * walk._speed(count * walk.step) / 1j
            total = total + term.real
            done = np.abs(term) <= math.exp(_GONE) * (np.abs(total) + least)
            lost = ~np.isfinite(term)
            found[places[done]] = (2.0 * walk.step * total)[done]
            open_ = ~(done | lost)
            if not np.any(open_):
                break
            if not np.all(open_):
                walk, places, total, state = walk.at(open_), places[open_], total[open_], state[:, open_]
        return found

    def over(self, nodes: int) -> Array:
        """Return the integral over a period of 2 nodes steps."""
        state, total = self._start(), np.full(self.y.shape, 0.5)
        for count in range(1, nodes + 1):
            state = self._forward((count - 1) * self.step, state)
            term = (np.exp(self.precision * state[1]) * self._speed(count * self.step) / 1j).real
            total = total + (0.5 if count == nodes else 1.0) * term
        return np.asarray(2.0 * self.step * total)

    def half_turn(self) -> Complex:
        """Return mu and K half a period up, on the vertical line whose steps are short at both ends."""
        nothing = np.zeros_like(self.y)
        far = self.scale * np.arcsinh(0.5 * math.pi / self.scale)
        step = far / _CROSSING
        line = Walk(self.law, self.y, self.precision, step, self.scale, nothing, nothing)
        state = self._start()
        for count in range(2 * _CROSSING):
            state = line._forward(count * step - (far + far if count >= _CROSSING else 0.0), state)
        return state

    def after(self, nodes: int) -> Complex:
        """Return mu and K after so many steps."""
        state = self._start()
        for count in range(nodes):
            state = self._forward(count * self.step, state)
        return state

    def _start(self) -> Complex:
        return np.stack([self.y + 0j, np.zeros_like(self.y) + 0j])

    def _speed(self, u: Array) -> Complex:
        """Return d theta / du."""
        across, along = speed(np, u, self.scale, self.slope, self.bend)
        both = np.empty(along.shape, dtype=np.complex128)
        both.real, both.imag = across, along
        return both

    def _forward(self, u: Array, state: Complex) -> Complex:
        """Take a step, in parts so short that mu hardly turns in one."""
        turn = np.abs(self.law.slope(state[0]) * self._speed(u + self.step) * self.step)
        parts = int(np.clip(np.ceil(np.nanmax(turn, initial=0.0) / _TURN), 1, _PARTS))
        short = self.step / parts
        for part in range(parts):
            state = self._taken(u + part * short, short, state)
        return state

    def _taken(self, u: Array, step: Array, state: Complex) -> Complex:
        """Take a step by the midpoint rule of Gragg, extrapolated as Bulirsch and Stoer do."""
        if self.law.step is not None:
            return self._compiled(self.law.step, u, step, state)
        return extrapolated(self._midpoints(u, step, state), _STAGES)

    def _compiled(self, program: Any, u: Array, step: Array, state: Complex) -> Complex:
        """Take a step by the kernel."""
        path = (self.y, u, step, self.scale, self.slope, self.bend)
        parts = (part for each in state for part in (each.real, each.imag))
        found = program.run([np.ascontiguousarray(each) for each in (*path, *parts)])
        out = np.empty_like(state)
        (out[0].real, out[0].imag, out[1].real, out[1].imag) = found
        return out

    def _midpoints(self, u: Array, step: Array, state: Complex) -> list[Complex]:
        """Return where the midpoint rule ends in 2, 4, 6, … parts: all walk abreast, for rows are few."""
        part = step / np.array(_STAGES, dtype=np.float64)[:, None]
        speeds = self._speed(u + _SPEEDS * step)
        before = np.repeat(state[:, None], len(_STAGES), axis=1)
        now = before + part * self._rates(speeds[0], state)[:, None]
        ends: list[Complex] = []
        for inner, reached in enumerate(_REACHED, start=1):
            move = part * self._rates(speeds[reached], now)
            if inner == _STAGES[len(ends)]:
                ends.append(0.5 * (before[:, 0] + now[:, 0] + move[:, 0]))
                part, before, now, move = part[1:], before[:, 1:], now[:, 1:], move[:, 1:]
            before, now = now, before + 2.0 * move
        return ends

    def _rates(self, along: Complex, state: Complex) -> Complex:
        rates = np.empty_like(state)
        np.multiply(self.law.variance(state[0]), along, out=rates[0])
        np.multiply(state[0] - self.y, along, out=rates[1])
        return rates


def upright(given: Law, y: Array, step: float) -> Walk:
    """Return a walk with even steps on the vertical line, phi = 1."""
    one, nothing = np.ones_like(y), np.zeros_like(y)
    return Walk(given, y, one, step * one, _EVEN * one, nothing, nothing)


def lattice(given: Law, mean: float) -> bool:
    """Tell whether the law lives on the integers and on no coarser lattice.

    Then mu has the period 2 pi i and no shorter one, and after it K is -2 pi i (mean - k), k whole.
    """
    walk = upright(given, np.array([mean]), 2.0 * math.pi / _TURNS)
    with np.errstate(all="ignore"):
        whole = walk.after(_TURNS)[:, 0]
        finer = min(abs(walk.after(_TURNS // k)[0, 0] - mean) for k in (2, 3, 5))
    shift = (whole[1] / (2j * math.pi)).real + mean
    return bool(
        abs(whole[0] - mean) < 1e-8 * (1.0 + mean) and finer > 1e-6 and abs(shift - round(shift)) < 1e-8
    )


@dataclass(frozen=True, slots=True)
class Inversion:
    """What it takes to invert the cumulant of one family."""

    found: Facts
    law: Law
    integer: bool

    @property
    def twice(self) -> bool:
        """Tell whether theta ends half a period up, too: mu, real there, runs off and not to a zero of V."""
        if not self.integer:
            return False
        below = float(upright(self.law, np.ones(1), math.pi / _TURNS).after(_TURNS)[0, 0].real)
        falls = below < 0.0 and float(self.law.at(np.array([below]))[0]) < 0.0
        zeros = self.found.points or ()
        return falls and not any(zero.imag == 0.0 and zero.real < below for zero in zeros)

    @property
    def even(self) -> bool:
        """Tell whether the density at mu = y is the same at -y: V is."""
        here, there = self.law.at(_SIDES)
        return self.found.mean.whole and bool(np.all(np.abs(here - there) <= 1e-14 * np.abs(here)))

    def saturated(self, y: Array, dispersion: Array) -> Array:
        """Return the log density at mu = y, y inside the means; NaN where it is not positive."""
        value = np.empty(y.shape)
        for start in range(0, y.size, _BATCH):
            part = slice(start, start + _BATCH)
            with np.errstate(all="ignore"):
                value[part] = self._batch(y[part], dispersion[part])
        return value

    def _batch(self, y: Array, dispersion: Array) -> Array:
        walk, distance = self._walk(y, dispersion)
        again = np.zeros(y.shape, dtype=bool)
        if self.integer:  # what is not gone when the period is over is summed over the period
            again = ~(np.abs(y) * math.pi**2 / (4.0 * distance) > 4.0 - _GONE)
        total = np.empty_like(y)
        once = walk.at(~again)
        total[~again] = once.integral()
        if self.twice and np.any(~again):
            total[~again] += once.integral(once.half_turn())
        if np.any(again):
            # the law, tilted to mean y, has to be over before it comes again
            steps = np.minimum(0.07 * walk.scale[again], 0.14 * distance[again])
            nodes = math.ceil(math.pi / min(float(np.min(steps)), 0.1))
            total[again] = upright(self.law, y[again], math.pi / nodes).over(nodes)
        return np.asarray(np.log(np.where(total > 0.0, total, np.nan) / (2.0 * math.pi * dispersion)))

    def _walk(self, y: Array, dispersion: Array) -> tuple[Walk, Array]:
        """Return the path of every row, and how far theta_y is from the end on the side of y."""
        natural, mean = self.found.natural, self.found.mean
        spread = np.sqrt(dispersion / np.abs(self.law.at(y)))
        theta = np.asarray(theta_at(np, self.found, y, 1.0 - y))
        below, above = theta - natural.lower, natural.upper - theta
        side = np.where(y > 0.0, 1.0, -1.0)  # beyond the end on the side of y, exp(-y theta) vanishes
        distance, other = np.where(y > 0.0, (above, below), (below, above))
        scale = np.minimum(np.minimum(4.0 * spread, 2.0 * distance), other)
        slope, bend = np.zeros_like(y), 0.25 * side / distance
        if mean.whole and np.isfinite(natural.upper - natural.lower):
            # far out mu is a zero of V, near sqrt(-V(0)), and the steepest way down has the slope y over that
            height = float(np.sqrt(np.abs(self.law.at(np.zeros(1))[0])))
            scale = np.minimum(4.0 * spread, np.minimum(distance, other))
            slope, bend = np.clip(y / height, -1.0, 1.0), np.zeros_like(y)
        return Walk(self.law, y, 1.0 / dispersion, _FINE * scale, scale, slope, bend), distance
