"""Names in a sentence: the first few of them and how many more there are, and which one was meant.

May import: the standard library.
Read next: `etamu.fit.existence`, whose sentences list coefficients, levels and rows.
"""

from collections.abc import Sequence

MOST = 20
"""Names in one list; who wants all of them has an attribute for it."""

LONG = 200
"""Letters of a name that is nobody's."""
BEGINNING = 3
"""Letters of a name from which it is said to be begun."""


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


def closest(name: str, names: Sequence[str], cutoff: float = 0.6) -> str | None:
    """Find the name that was probably meant: spelt nearly so, or begun so, capitals aside.

    Examples
    --------
    >>> closest("Age", ["wage", "age"]), closest("FMILY", ["family"]), closest("x", ["abc"])
    ('age', 'family', None)
    >>> closest("conf", ["confidence", "prediction"])
    'confidence'
    """
    import difflib

    folded = {other.casefold(): other for other in reversed(names)}
    begun = [other for other in folded if len(name) >= BEGINNING and other.startswith(name.casefold())]
    close = (
        begun if len(begun) == 1 else difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=cutoff)
    )
    return folded[close[0]] if close else None


def suggestion(name: str, names: Sequence[str], what: str = "columns") -> str:
    """Say which of the names was probably meant, and list them.

    Examples
    --------
    >>> suggestion("xx", ["x", "y"])
    "; did you mean 'x'? the columns are x, y"
    """
    meant = closest(name, names) if len(name) <= LONG else None
    return (f"; did you mean {meant!r}?" if meant else ";") + f" the {what} are {listed(names) or 'none'}"
