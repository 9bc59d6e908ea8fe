"""Numbers of twice the precision: a sum hi + lo of two doubles, by error-free transformations.

Knuth's two-sum and Dekker's product need nothing but float64 that rounds to nearest, so that every machine
gives the same bits; a long double is 64 bits wide on some.

References: Dekker (1971), Numer. Math. 18; Ogita, Rump and Oishi (2005), SIAM J. Sci. Comput. 26.

May import: numpy, `etamu._base`.
Read next: `etamu.objective.extended`, which sums a score so.
"""

from __future__ import annotations

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array

SPLIT = 134217729.0
"""2^27 + 1: it cuts 53 bits into 26 and 27."""


@dataclass(frozen=True, slots=True, eq=False)
class Double:
    """An array of numbers hi + lo, |lo| at most half a unit in the last place of hi.

    Examples
    --------
    >>> total = Double(np.array([1.0]), np.array([0.0])) + Double(np.array([1e-20]), np.array([0.0]))
    >>> total.hi.tolist(), total.lo.tolist()
    ([1.0], [1e-20])
    """

    hi: Array
    lo: Array

    def __add__(self, other: Double) -> Double:
        hi, error = two_sum(self.hi, other.hi)
        return normal(hi, error + (self.lo + other.lo))

    def times(self, factor: float) -> Double:
        """Return the product with one number."""
        hi, error = two_product(self.hi, np.asarray(factor, dtype=np.float64))
        return normal(hi, error + self.lo * factor)


def single(values: Array) -> Double:
    """Return numbers of one precision as such of two.

    Examples
    --------
    >>> single(np.array([1.5])).lo.tolist()
    [0.0]
    """
    hi = np.array(values, dtype=np.float64)
    return Double(hi, np.zeros_like(hi))


def normal(hi: Array, lo: Array) -> Double:
    """Carry what of lo is visible over to hi."""
    return Double(*two_sum(hi, lo))


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Return the rounded sum and its error, exactly.

    Examples
    --------
    >>> [float(part) for part in two_sum(np.float64(1e16), np.float64(1.0))]
    [1e+16, 1.0]
    """
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """Return the rounded product and its error, exactly, up to |a|, |b| of 1e290.

    Examples
    --------
    >>> [float(part) for part in two_product(np.float64(1e8 + 1), np.float64(1e8 + 1))]
    [1.00000002e+16, 1.0]
    """
    product = a * b
    a_high, a_low = _halves(a)
    b_high, b_low = _halves(b)
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _halves(a: Array) -> tuple[Array, Array]:
    scaled = SPLIT * a
    high = scaled - (scaled - a)
    return high, a - high


def total(hi: Array, lo: Array) -> Double:
    """Add up (n, ...) numbers over their first axis, in a tree that depends on n alone.

    Examples
    --------
    >>> found = total(np.array([1e16, 1.0, -1e16]), np.zeros(3))
    >>> found.hi.tolist()
    [1.0]
    """
    while len(hi) > 1:
        half = len(hi) // 2
        odd_hi, odd_lo = hi[2 * half :], lo[2 * half :]
        summed, error = two_sum(hi[:half], hi[half : 2 * half])
        rest = error + (lo[:half] + lo[half : 2 * half])
        hi, lo = np.concatenate([summed, odd_hi]), np.concatenate([rest, odd_lo])
    if not len(hi):
        return Double(np.zeros(hi.shape[1:]), np.zeros(hi.shape[1:]))
    return normal(hi[0], lo[0]) if hi.ndim > 1 else normal(hi, lo)
