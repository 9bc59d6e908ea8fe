"""Names in a sentence: the first few of them, and how many more there are.

May import: nothing.
Read next: `etamu.fit.existence`, whose sentences list coefficients, levels and rows.
"""

from collections.abc import Sequence

MOST = 20
"""Names in one list; who wants all of them has an attribute for it."""


def listed(names: Sequence[str], most: int = MOST) -> str:
    """List names with commas between them, and count those that are too many to be read.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b, c'
    >>> listed([f"x{i}" for i in range(5000)], 3)
    'x0, x1, x2 and 4,997 more'
    """
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")
