"""The integral of a positive rate over (0, top), to nearly the last digit at every size of its limit.

On the scale w = log2 d a rate is smooth, whatever powers it goes by: Chebyshev panels are halved until their
polynomials agree with it, integrated term by term, and summed from either end. Their edges are exact powers
of 2. Beyond the panels the rate is a power, whose integral is known; whether the integral converges at an end
is read off from that power.

May import: `etamu._base`, numpy.
Read next: `etamu.family.rays`, which integrates 1 / V and mu / V with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from etamu._base.errors import FamilyError
from etamu._base.facts import dataclass
from etamu._base.types import Array

_DEGREE = 20
_WIDTH = 8.0
_HALVINGS = 20
_MOST = 20_000
_SHORT = 0.01
"""Half the width of a panel in which the rounding of a steep rate is seen."""
_SMALL = 4e-15
"""Last coefficients of a panel that is believed, as shares of its largest."""

_TOLERATED = 1e-11
"""The same where panels are as short as they get: the rounding of the rate itself."""

_FAR = 1016.0
"""|log2 d| of the smallest and the largest d."""

_STEEP = 16.0
"""Largest ratio of rates within a panel, so that the smallest has its digits too."""

_FASTER = 1.02
"""Ratio of what two successive tenths of an octave take off; 1 of a power, 1.07 of an exponential."""

_SLOW = 0.02
"""A rate that falls more slowly toward an end than d^0.02 has no finite integral that floats could tell."""

_LEAST = 1e-290


@dataclass(frozen=True, slots=True, eq=False)
class Primitive:
    """A rate as polynomials of w = log2 d, integrated from the left edge of each panel."""

    edges: Array
    coefficients: Array
    """(degree + 2, panels): Chebyshev's, 0 at the left edge."""
    below: Array
    """The integral from 0 to each edge; where that diverges, from the first edge."""
    above: Array
    """The integral from each edge to the top; where that diverges, to the last edge."""
    converges: tuple[bool, bool]

    @property
    def narrowest(self) -> float:
        """Return the width in log d of the shortest panel that reaches between 2^-20 and 2."""
        near = (self.edges[1:] > -20.0) & (self.edges[:-1] < 1.0)
        return float(np.min(np.diff(self.edges), where=near, initial=_WIDTH)) * math.log(2.0)

    @property
    def total(self) -> float:
        """Return the integral over all of (0, top), where it converges."""
        return float(self.below[-1] + self.above[-1])

    def up_to(self, d: Array) -> Array:
        """Return the integral from 0 to d, NaN beyond the panels."""
        panel, part = self._inside(d)
        return np.asarray(self.below[panel] + part)

    def beyond(self, d: Array) -> Array:
        """Return the integral from d to the top, NaN beyond the panels."""
        panel, part = self._inside(d)
        whole = np.sum(self.coefficients, axis=0)[panel]  # at the right edge every polynomial is 1
        return np.asarray(self.above[panel + 1] + (whole - part))

    def between(self, start: float, d: Array) -> Array:
        """Return the integral from an edge of the panels to d."""
        edge = int(np.argmin(np.abs(self.edges - math.log2(start))))
        panel, part = self._inside(d)
        whole = np.sum(self.coefficients, axis=0)
        sums = np.zeros(self.edges.size)
        sums[edge:] = _running(0.0, whole[edge:])
        sums[: edge + 1] = -_running(0.0, whole[:edge][::-1])[::-1]
        above = panel >= edge
        return np.asarray(np.where(above, sums[panel] + part, sums[panel + 1] - (whole[panel] - part)))

    def _inside(self, d: Array) -> tuple[np.ndarray, Array]:
        """Return the panel of each d, and the integral from its left edge."""
        with np.errstate(all="ignore"):
            panel = np.clip(np.searchsorted(self.edges, np.log2(d), side="right") - 1, 0, self.edges.size - 2)
            left, right = self.edges[panel], self.edges[panel + 1]
            t = 2.0 * np.log2(d / np.exp2(left)) / (right - left) - 1.0
        last, before = np.zeros_like(t), np.zeros_like(t)
        for row in self.coefficients[:0:-1]:
            last, before = row[panel] + 2.0 * t * last - before, last
        part = self.coefficients[0][panel] + t * last - before
        return panel, np.where(np.abs(t) <= 1.0 + 1e-9, part, math.nan)


def primitive(variance: Callable[[Array], Array], power: int, top: float) -> Primitive:
    """Integrate d^power / V over (0, top), where top is infinite or a number.

    Raises
    ------
    FamilyError
        If no panel is short enough for the rate to be a polynomial there: V has no digits.

    Examples
    --------
    >>> found = primitive(lambda d: d**0.5 * (1.0 + d), 0, np.inf)
    >>> bool(abs(found.up_to(np.array([1.0]))[0] - math.pi / 2.0) < 1e-14), found.converges
    (True, (True, True))
    """

    def rate(d: Array) -> Array:
        v = variance(d)
        return np.where(v > _LEAST, d**power / v, math.nan)  # what underflows has no digits

    with np.errstate(all="ignore"):
        edges = _usable(rate, top)
        left, right = edges[:-1], edges[1:]
        done: list[tuple[Array, Array]] = []
        for _ in range(_HALVINGS + 1):
            coefficients, error = _fitted(rate, left, right)
            good = error <= np.where(right - left < 2.0 * _SHORT, _TOLERATED, _SMALL)
            done.append((left[good], coefficients[:, good]))
            middle = 0.5 * (left + right)[~good]
            left, right = np.concatenate([left[~good], middle]), np.concatenate([middle, right[~good]])
            if not left.size or left.size > _MOST:
                break
        if left.size:
            raise FamilyError(
                f"the integral of {'mu' if power else '1'} / V is not found: {2.0 ** left[0]:.4g} from an "
                "end of the means, or from 0, V turns too often or has no digits"
            )
        return _summed(rate, done, float(edges[-1]), bounded=math.isfinite(top))


def _usable(rate: Callable[[Array], Array], top: float) -> Array:
    """Return edges of the first panels: where the rate is finite, to just beyond where it underflows."""
    last = math.log2(top) if math.isfinite(top) else _FAR
    edges = np.asarray(
        last - _WIDTH * np.arange(math.floor((last + _FAR) / _WIDTH) + 1)[::-1], dtype=np.float64
    )
    heights = np.exp2(edges) * rate(np.exp2(edges))
    usable = (heights > _LEAST) & (heights < 1.0 / _LEAST)
    start = stop = int(np.argmin(np.abs(edges - min(last, 0.0))))
    while start > 0 and usable[start - 1]:
        start -= 1
    while stop < edges.size - 1 and usable[stop + 1]:
        stop += 1
    start -= int(start > 0 and _dies(rate, edges[start - 1 : start + 1]))
    stop += int(stop < edges.size - 1 and _dies(rate, edges[stop : stop + 2]))
    return np.asarray(edges[start : stop + 1])


def _dies(rate: Callable[[Array], Array], edges: Array) -> bool:
    """Tell whether a rate falls ever faster within a panel until it underflows, as exponentials do.

    A power falls evenly: there the panels end before V overflows, and what is left is known.
    """
    side = 1.0 if rate(np.exp2(edges[:1])) > rate(np.exp2(edges[1:])) else -1.0
    first = edges[0] if side > 0.0 else edges[1]
    d = np.exp2(np.append(first + side * np.array([0.0, 0.1, 0.2]), np.linspace(edges[0], edges[1], 400)))
    heights = d * rate(d)
    some = heights[heights > 0.0]
    falls = np.diff(np.log(heights[:3]))
    return bool(
        np.all(np.isfinite(heights)) and np.min(some) < 1e40 * _LEAST and falls[1] < _FASTER * falls[0]
    )


_NODES = np.cos(np.pi * (np.arange(_DEGREE + 1) + 0.5) / (_DEGREE + 1))
_TRANSFORM = np.cos(np.outer(np.arange(_DEGREE + 1), np.arccos(_NODES))) * (2.0 / (_DEGREE + 1))
_TRANSFORM[0] *= 0.5


def _fitted(rate: Callable[[Array], Array], left: Array, right: Array) -> tuple[Array, Array]:
    """Return the integrated polynomials of panels, and their last coefficients as shares of the largest."""
    half = 0.5 * (right - left)
    d = np.exp2(left) * np.exp2(half * (1.0 + _NODES[:, None]))  # no noise of a large exponent
    heights = np.asarray(d * rate(d.ravel()).reshape(d.shape))
    found = _TRANSFORM @ heights
    size, least = np.max(np.abs(heights), axis=0), np.min(np.abs(heights), axis=0)
    error = np.max(np.abs(found[-3:]), axis=0) / np.where(size > _LEAST, size, math.inf)
    integrated = np.zeros((_DEGREE + 2, left.size))
    padded = np.concatenate([found, np.zeros((2, left.size))])
    for k in range(1, _DEGREE + 2):
        integrated[k] = ((2.0 if k == 1 else 1.0) * padded[k - 1] - padded[k + 1]) / (2.0 * k)
    integrated *= half * math.log(2.0)
    signs = (-1.0) ** np.arange(_DEGREE + 2)
    integrated[0] = -(signs[1:] @ integrated[1:])
    steep = (size > _STEEP * least) & (size > 1e20 * _LEAST) & (half > _SHORT)
    return integrated, np.where(np.isfinite(error) & ~steep, error, math.inf)


def _running(first: float, parts: Array) -> Array:
    """Return running sums, each rounded once."""
    return np.asarray(np.cumsum(np.append(first, parts), dtype=np.longdouble), dtype=np.float64)


def _summed(
    rate: Callable[[Array], Array], done: list[tuple[Array, Array]], last: float, *, bounded: bool
) -> Primitive:
    """Sum panels from both ends, with what is left beyond them."""
    starts = np.concatenate([panels for panels, _ in done])
    order = np.argsort(starts)
    edges = np.append(starts[order], last)
    coefficients = np.concatenate([part for _, part in done], axis=1)[:, order]
    parts = np.sum(coefficients, axis=0)
    ends = (_rest(rate, edges[0], 1.0), 0.0 if bounded else _rest(rate, edges[-1], -1.0))
    below, above = _running(ends[0] or 0.0, parts), _running(ends[1] or 0.0, parts[::-1])[::-1]
    return Primitive(edges, coefficients, below, above, (ends[0] is not None, ends[1] is not None))


def _rest(rate: Callable[[Array], Array], edge: float, inward: float) -> float | None:
    """Return the integral from an outermost edge to its end, as of a power; None where it diverges."""
    d = np.exp2(edge) * np.exp(inward * np.array([0.0, 1.0]))
    near, inner = (d * rate(d)).tolist()
    if near < _LEAST:
        return 0.0
    falls = math.log(inner / near)
    return near / falls if falls > _SLOW else None
