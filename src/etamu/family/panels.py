"""A function of a positive number as a table read by the number's own bits: 32 panels to every octave.

The bits of a float are its logarithm already: the exponent and the first bits of the fraction number a panel,
the rest is the place in it. So neither a logarithm nor a search is needed, a power law has the same shape in
every octave, and near zero the digits are as many as anywhere. Beyond the first and last octave the function
is a power, which a factor per octave continues over all floats.

May import: `etamu._base`, numpy.
Read next: `etamu.family.inverse`, which makes tables of inverses; the kernel reads them as `panels`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Array, Mask, Namespace

SPLITS = 5
"""Bits of the fraction that number a panel: 2^5 panels to an octave."""

COUNT = 8
"""Coefficients of a panel, one line of cache: a power law errs by 130^-8 on a 32nd of an octave."""

REACH = 1021
"""Octaves above and below 1 in which a function is looked at: all normal numbers but the last."""

_NODES = 10
_ANGLES = np.pi * (np.arange(_NODES) + 0.5) / _NODES
_EXPONENTS = 2048
_BIAS = 1023
_FRACTION = 52
_LOW = (1 << (_FRACTION - SPLITS)) - 1
_HALF = 1 << (_FRACTION - SPLITS - 1)
_ONE = _BIAS << _FRACTION
_MANTISSA = (1 << _FRACTION) - 1

_LEAST, _MOST = 2.0**-1022, 2.0**1022
"""Between these a number is looked up where its bits cannot be read."""

_SETTLED = 4e-15
"""Relative change of the ratio of neighbouring octaves below which the function is nearly a power."""

_MARGIN = 8
"""Octaves after which it is one: what remains of a correction by the square root is a sixteenth."""

_CLOSE = 3e-14
"""Largest relative error of a panel between the nodes it was made from."""

_NOISE = 300
"""Octaves from 1 after which cubes underflow, so that what has settled before is not looked at again."""

_OUT = 24
"""Octaves within which an exponential leaves the floats."""

_SIMPLE = 60.0
"""Exponents of the powers at the ends are taken for fractions of this where they are that close."""


@dataclass(frozen=True, slots=True, eq=False)
class Panels:
    """A piecewise polynomial in the place within a panel, times a factor per octave.

    Parameters
    ----------
    first : int
        The biased exponent of the first octave.
    coefficients : array (octaves * 2^SPLITS, COUNT)
        The highest power first.
    factors : array (2048,)
        By biased exponent: 1 in the octaves of the table, beyond them what continues the outermost ones.
    """

    first: int
    coefficients: Array
    factors: Array

    def __call__(self, xp: Namespace, x: AnyArray) -> AnyArray:
        """Return the function at x >= 0: by its bits in NumPy and in the kernel, else by logarithms."""
        if xp is not np:
            return xp.panels(self, x) if hasattr(type(xp), "panels") else self._looked_up(xp, x)
        x = np.asarray(x, dtype=np.float64)
        bits = np.ascontiguousarray(np.abs(x)).view(np.int64).reshape(x.shape)
        exponent = bits >> _FRACTION
        octave = np.clip(exponent - self.first, 0, self.octaves - 1)
        panel = (octave << SPLITS) | ((bits & _MANTISSA) >> (_FRACTION - SPLITS))
        inside = np.asarray((bits & _MANTISSA) | _ONE).view(np.float64)
        middle = np.asarray((bits & (_MANTISSA ^ _LOW)) | (_ONE | _HALF)).view(np.float64)
        place = inside - middle
        own = self.coefficients[panel]
        total = own[..., 0]
        for power in range(1, COUNT):
            total = total * place + own[..., power]
        return np.asarray(np.where(np.isnan(x), x, total * self.factors[exponent]))

    def _looked_up(self, xp: Namespace, x: AnyArray) -> AnyArray:
        """Return the same with no more than a namespace of arrays has: log2, floor and take."""
        normal = xp.where(
            x > _LEAST, xp.where(x < _MOST, x, _MOST), _LEAST
        )  # no number reads the first panel
        exponent = xp.floor(xp.log2(normal))

        def taken(table: Array, index: AnyArray) -> AnyArray:
            places = xp.reshape(xp.asarray(index, dtype=xp.int64), (-1,))
            return xp.reshape(xp.take(xp.asarray(table), places), x.shape)

        inside = normal * taken(np.ldexp(1.0, -np.arange(-_BIAS + 1, _BIAS + 1)), exponent + (_BIAS - 1.0))
        share = xp.floor((inside - 1.0) * (1 << SPLITS))
        share = xp.where(share < 0.0, 0.0, xp.where(share < (1 << SPLITS), share, (1 << SPLITS) - 1.0))
        place = inside - (1.0 + (share + 0.5) / (1 << SPLITS))
        octave = exponent + float(_BIAS - self.first)
        octave = xp.where(octave < 0.0, 0.0, xp.where(octave < self.octaves, octave, self.octaves - 1.0))
        start = (octave * (1 << SPLITS) + share) * COUNT
        flat = self.coefficients.ravel()
        total = taken(flat, start)
        for power in range(1, COUNT):
            total = total * place + taken(flat, start + float(power))
        return xp.where(x == x, total * taken(self.factors, exponent + float(_BIAS)), x)  # noqa: PLR0124  (NaN)

    @property
    def octaves(self) -> int:
        """Return how many octaves the table has."""
        return int(self.coefficients.shape[0]) >> SPLITS

    @property
    def flat(self) -> Array:
        """Return the numbers in the order the kernel reads them: first, octaves, factors, coefficients."""
        return np.concatenate([[self.first, self.octaves], self.factors, self.coefficients.ravel()])


@dataclass(frozen=True, slots=True)
class Curve:
    """A function of a positive number: a table times e^(rate d)."""

    table: Panels
    rate: float = 0.0

    def __call__(self, xp: Namespace, d: AnyArray) -> AnyArray:
        """Return the function at d."""
        value = self.table(xp, d)
        return value * xp.exp(self.rate * d) if self.rate else value


def curved(function: Callable[[Array], Array], size: Callable[[Array], Array] | None = None) -> Curve | None:
    """Tabulate a function that is a power or an exponential far out; None where panels do not follow it.

    `size` is that of the terms of which the function is a difference, which has the digits they leave.

    Examples
    --------
    >>> decay = curved(lambda d: np.exp(-2.0 * d) / (1.0 + d))
    >>> round(decay.rate, 1), round(float(decay(np, np.array([3.0]))[0] * np.exp(6.0)), 12)
    (-2.0, 0.25)
    """
    with np.errstate(all="ignore"):
        rate = _rate(function)

        def straightened(of: Callable[[Array], Array]) -> Callable[[Array], Array]:
            return lambda d: of(d) * np.exp(-rate * d) if rate else of(d)

        table = paneled(straightened(function), rate, None if size is None else straightened(size))
    return None if table is None else Curve(table, rate)


def _rate(function: Callable[[Array], Array]) -> float:
    """Return d log|f| / dd where f leaves the floats at a moderate d, as exponentials do; else 0."""
    d = np.ldexp(1.0, np.arange(_OUT))
    size = np.abs(function(d))
    usable = np.flatnonzero(np.isfinite(size) & (size > 1e-300) & (size < 1e300))
    if usable.size < 4 or usable[-1] >= _OUT - 2:
        return 0.0
    near, far = usable[-2:]
    return float(np.log(size[far] / size[near]) / (d[far] - d[near]))


def paneled(
    function: Callable[[Array], Array],
    rate: float = 0.0,
    size: Callable[[Array], Array] | None = None,
) -> Panels | None:
    """Tabulate a smooth function of a positive number; None where panels do not follow it.

    A function from which e^(rate x) was taken out has the rounding of rate x, which is no fault of panels.

    Examples
    --------
    >>> table = paneled(lambda x: x**-0.5 * (1.0 + x) ** -1.5)
    >>> x = np.array([1e-300, 1e-9, 0.7, 3.0, 1e100])
    >>> bool(np.all(np.abs(table(np, x) / (x**-0.5 * (1.0 + x) ** -1.5) - 1.0) < 1e-14))
    True
    """
    with np.errstate(all="ignore"):
        low, high, powers = _range(function)
        if high <= low:
            return None
        coefficients = _fitted(function, low, high)
        factors = np.ones(_EXPONENTS)
        below, above = np.arange(low), np.arange(high, _EXPONENTS)
        factors[:low] = np.exp2(powers[0] * (below - low))
        factors[high:] = np.exp2(powers[1] * (above - (high - 1)))
        table = Panels(low, coefficients, factors)
        return table if _close(table, function, size or function, rate) else None


def over(function: Callable[[Array], Array], least: float, most: float, tolerance: float) -> Panels | None:
    """Tabulate a smooth function from a positive number to a larger one; None where panels do not follow it.

    Examples
    --------
    >>> table = over(np.log, 0.3, 40.0, 1e-12)
    >>> bool(np.all(np.abs(table(np, np.array([0.3, 40.0])) - np.log([0.3, 40.0])) < 1e-12))
    True
    """
    low, high = (int(np.frexp(each)[1]) + _BIAS - 1 for each in (least, most))
    table = Panels(low, _fitted(function, low, high + 1), np.ones(_EXPONENTS))
    x = _places(_BETWEEN, low, high + 1).ravel()
    truth = function(x)
    right = np.abs(table(np, x) - truth) <= tolerance * np.maximum(np.abs(truth), 1.0)
    return table if np.all(right) else None


def _range(function: Callable[[Array], Array]) -> tuple[int, int, tuple[float, float]]:
    """Return the octaves within which the function is no mere power yet, and the power at either end."""
    exponents = np.arange(_BIAS - REACH, _BIAS + REACH + 1)
    values = np.abs(function(np.ldexp(1.0, exponents - _BIAS)))
    usable = np.flatnonzero(np.isfinite(values) & (values > 1e-300) & (values < 1e300))
    if usable.size < 4 or not np.all(np.isfinite(values[usable[0] : usable[-1] + 1])):
        return 0, 0, (0.0, 0.0)
    usable = np.arange(usable[0], usable[-1] + 1)
    inner = values[usable]
    ratio = inner[1:] / inner[:-1]
    moving = ~(np.abs(ratio[1:] / ratio[:-1] - 1.0) < _SETTLED)
    centre = int(np.clip(_BIAS - exponents[usable[0]], 1, inner.size - 3))
    start = max(centre - _last(moving[centre::-1]) - _MARGIN, 0)
    stop = min(centre + _last(moving[centre:]) + 2 + _MARGIN, inner.size - 2)
    powers = (_simple(np.log2(ratio[max(start - 1, 0)])), _simple(np.log2(ratio[stop])))
    return int(exponents[usable[start]]), int(exponents[usable[stop]]) + 1, powers


def _last(moving: Mask) -> int:
    """Return the last place where something moves; what moves far out is the noise of underflow."""
    some = np.flatnonzero(moving)
    early = some[some < _NOISE]
    settled = early.size == 0 or early[-1] < _NOISE - 2 * _MARGIN
    return int((early if settled else some)[-1]) if some.size and (early.size or not settled) else 0


def _simple(power: float) -> float:
    if not np.isfinite(power):
        return 0.0
    near = round(power * _SIMPLE) / _SIMPLE
    return near if abs(power - near) < 1e-12 else float(power)


def _places(u: Array, low: int, high: int) -> Array:
    """Return the numbers at the places u in (-1, 1) of every panel, (u.size, panels)."""
    octave = np.ldexp(1.0, np.arange(low, high) - _BIAS)
    share = (np.arange(1 << SPLITS) + 0.5) / (1 << SPLITS)
    starts = octave[:, None] * (1.0 + share)
    widths = octave[:, None] * np.full_like(share, 0.5 / (1 << SPLITS))
    return np.asarray(starts.ravel() + widths.ravel() * u[:, None])


def _fitted(function: Callable[[Array], Array], low: int, high: int) -> Array:
    """Interpolate at Chebyshev's points and write the polynomials in powers of the place."""
    x = _places(np.cos(_ANGLES), low, high)
    values = np.asarray(function(x.ravel())).reshape(x.shape)
    transform, powers = _interpolation()
    scale = float(2 << SPLITS) ** np.arange(COUNT)
    return np.ascontiguousarray((scale[:, None] * (powers @ (transform @ values)))[::-1].T)


@functools.cache
def _interpolation() -> tuple[Array, Array]:
    """Return the matrix from values at Chebyshev's points to coefficients, and that from these to powers."""
    transform = np.cos(np.outer(np.arange(COUNT), _ANGLES)) * (2.0 / _NODES)
    transform[0] *= 0.5
    powers = np.zeros((COUNT, COUNT))
    for degree in range(COUNT):
        powers[: degree + 1, degree] = np.polynomial.chebyshev.cheb2poly(np.eye(COUNT)[degree])[: degree + 1]
    return transform, powers


_BETWEEN = np.array([-0.98, -0.31, 0.2, 0.67])
"""Places between the nodes of a panel, where it is compared with the function."""


def _close(
    table: Panels, function: Callable[[Array], Array], size: Callable[[Array], Array], rate: float
) -> bool:
    """Compare with the function between the nodes of every panel."""
    x = _places(_BETWEEN, table.first, table.first + table.octaves)
    truth, most = (np.asarray(each(x.ravel())).reshape(x.shape) for each in (function, size))
    allowed = (_CLOSE + 1e-15 * abs(rate) * x) * np.max(np.abs(most), axis=0)
    return bool(np.all(np.abs(table(np, x) - truth) <= allowed))
