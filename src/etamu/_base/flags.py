"""Flags of rows: how many are set, and whether all are; flags that are all one flag take a byte and one look.

May import: numpy, etamu._base.
Read next: `etamu.fit.assemble`, which flags complete rows and those that count.
"""

from __future__ import annotations

import numpy as np

from etamu._base.types import Mask


def all_set(n: int) -> Mask:
    """Return n flags, all set, in the memory of one; they are only read.

    Examples
    --------
    >>> all_set(3).tolist(), all_set(3).strides
    ([True, True, True], (0,))
    """
    return np.broadcast_to(np.True_, n)


def count(flags: Mask) -> int:
    """Count the flags that are set.

    Examples
    --------
    >>> count(all_set(5)), count(np.array([True, False]))
    (5, 1)
    """
    if flags.strides == (0,) and len(flags):
        return len(flags) * int(flags[0])
    return int(np.count_nonzero(flags))


def are_all(flags: Mask) -> bool:
    """Tell whether every flag is set.

    Examples
    --------
    >>> are_all(all_set(5)), are_all(np.array([True, False])), are_all(np.array([], dtype=bool))
    (True, False, True)
    """
    return count(flags) == len(flags)
