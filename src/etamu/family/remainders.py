"""What Stirling's formula leaves of log gamma, digamma and trigamma, in any array namespace.

Differences such as log Gamma(y + a) - log Gamma(a) with a = 1e10 lose every digit; their leading terms are
taken together as logarithms near 1, and what is left are the differences of these remainders, which vanish.

May import: _base, family.special.
Read next: `etamu.family.counts` and `etamu.family.beta`, which are made of them.
"""

from __future__ import annotations

import numpy as np

from etamu._base.types import AnyArray, Namespace
from etamu.family.special import horner

_STEPS = 10
# B_2k / (2k (2k - 1)), B_2k / 2k and B_2k, k = 9, ..., 1: at x = 10 what is left out is below 1e-17.
_LOG_GAMMA = (
    43867 / 244188,
    -3617 / 122400,
    1 / 156,
    -691 / 360360,
    1 / 1188,
    -1 / 1680,
    1 / 1260,
    -1 / 360,
    1 / 12,
)
_DIGAMMA = (-43867 / 14364, 3617 / 8160, -1 / 12, 691 / 32760, -1 / 132, 1 / 240, -1 / 252, 1 / 120, -1 / 12)
_TRIGAMMA = (43867 / 798, -3617 / 510, 7 / 6, -691 / 2730, 5 / 66, -1 / 30, 1 / 42, -1 / 30, 1 / 6)


def log_gamma_rest(xp: Namespace, x: AnyArray) -> AnyArray:
    """Return log Gamma(x + 1) - (x + 1/2) log x + x - log(2 pi)/2 for x > 0: about 1/(12 x).

    Examples
    --------
    >>> import numpy as np
    >>> print(f"{log_gamma_rest(np, np.array([1.0]))[0]:.14f}")
    0.08106146679533
    """
    small = x < _STEPS
    near = xp.where(small, x, 1.0)
    far = xp.where(small, x + _STEPS, x)
    inverse = 1.0 / far
    total = horner(_LOG_GAMMA, inverse * inverse) * inverse
    if _none(xp, small):
        return total
    # Gamma's recurrence, one step: rest(x) - rest(x + 1) = (x + 1/2) log(1 + 1/x) - 1.
    steps = near * 0.0
    for k in range(_STEPS - 1, -1, -1):
        at = near + k
        steps = steps + ((at + 0.5) * xp.log1p(1.0 / xp.maximum(at, 1e-307)) - 1.0)
    return xp.where(small, total + steps, total)


def digamma_rest(xp: Namespace, x: AnyArray) -> AnyArray:
    """Return x (digamma(x) - log x) + 1/2 for x > 0: -1/2 at 0, about -1/(12 x) far out.

    Examples
    --------
    >>> import numpy as np
    >>> print(f"{digamma_rest(np, np.array([1.0]))[0]:.15f}")
    -0.077215664901533
    """
    small = x < _STEPS
    near = xp.where(small, x, 1.0)
    far = xp.where(small, x + _STEPS, x)
    inverse = 1.0 / far
    series = horner(_DIGAMMA, inverse * inverse) * inverse  # x (digamma - log x) + 1/2, as x stands
    if _none(xp, small):
        return series
    above = near + _STEPS
    steps = near * 0.0
    for k in range(_STEPS - 1, 0, -1):
        steps = steps + 1.0 / (near + k)
    ratio = near / above
    log = xp.log1p(_STEPS / xp.maximum(near, 1e-306))
    return xp.where(small, ratio * (series - 0.5) + near * (log - steps) - 0.5, series)


def trigamma_rest(xp: Namespace, x: AnyArray) -> AnyArray:
    """Return x^2 trigamma(x) - x - 1/2 for x > 0: 1/2 at 0, about 1/(6 x) far out.

    Examples
    --------
    >>> import numpy as np
    >>> print(f"{trigamma_rest(np, np.array([1.0]))[0]:.15f}")
    0.144934066848226
    """
    small = x < _STEPS
    near = xp.where(small, x, 1.0)
    far = xp.where(small, x + _STEPS, x)
    inverse = 1.0 / far
    series = horner(_TRIGAMMA, inverse * inverse) * inverse
    if _none(xp, small):
        return series
    above = near + _STEPS
    steps = near * 0.0
    for k in range(_STEPS - 1, 0, -1):
        at = 1.0 / (near + k)
        steps = steps + at * at
    ratio = near / above
    # x^2 (1/X + 1/(2 X^2)) - x - 1/2 + 1 with X = x + 10: x^2/X - x = -10 x/X.
    closed = 0.5 * ratio * ratio - _STEPS * ratio + 0.5
    return xp.where(small, ratio * ratio * series + near * near * steps + closed, series)


def _none(xp: Namespace, mask: AnyArray) -> bool:
    """Tell whether NumPy sees at once that no element needs the recurrence."""
    return xp is np and not np.any(mask)
