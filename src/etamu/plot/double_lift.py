"""Two models on the same rows, where they disagree: which of them the data follow.

May import: everything below `plot`, in this room groups, lift, rows, style.
Read next: `etamu.plot.lift`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.errors import DataError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.fit.result import Fit
from etamu.plot.groups import GROUPS, equal_groups
from etamu.plot.lift import positive
from etamu.plot.rows import Seen, seen
from etamu.plot.style import INK, PENS, figure_of, note, panel, quiet_grid, settings, short, signed, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Groups of rows by the ratio of two fitted means, or their difference where means can be negative.

    Observed and fitted means are over the overall observed mean; as they are where they can be negative.

    Parameters
    ----------
    apart : array (groups,)
        Fitted mean of the second model over that of the first, or less that of the first.
    observed, first, second : arrays (groups,)
    errors : (float, float)
        Root mean square of each model's distance from the observed means, groups weighted by volume.
    proportional : bool
        Whether means are set in proportion to each other.
    """

    apart: Array
    observed: Array
    first: Array
    second: Array
    errors: tuple[float, float]
    proportional: bool


def double_lift(
    fit: Fit,
    other: Fit,
    *,
    labels: tuple[str, str] | None = None,
    groups: int = GROUPS,
    axes: Axes | None = None,
) -> Figure:
    """Draw observed and both fitted means, rows in order of how much the second model says over the first.

    Parameters
    ----------
    fit, other : Fit
        Two models of the same response on the same rows.
    labels : (str, str), optional
        What to call them; their formulas if left out.
    groups : int
        How many groups of about equal volume; fewer where the ratio ties.
    axes : matplotlib Axes, optional

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    DataError
        If the two were not fitted to the same rows and responses.
    NotAvailableError
        If matplotlib is not installed.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> line, flat = (em.glm(formula, data, family="poisson") for formula in ("y ~ x", "y ~ 1"))
    >>> figure = flat.plot("double_lift", line, groups=3)
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['observed', '1: y ~ 1', '2: y ~ x']
    """
    axes = panel(axes, 6.8, 4.8)
    first, second = seen(fit), seen(other)
    shown = compared(first, second, groups)
    named = labels or (fit.formula or "first", other.formula or "second")
    at = np.arange(1, len(shown.apart) + 1)
    with settings():
        nearer = 1 + int(shown.errors[1] < shown.errors[0])
        off = " and ".join(f"{error:.3f}" for error in shown.errors)
        title(axes, "Double lift", f"the data follow model {nearer} more closely: off by {off}")
        if shown.proportional:
            axes.axhline(1.0, color=INK, lw=0.8, zorder=1)
        style: dict[str, Any] = {"ms": 6.5, "mew": 1.5, "lw": 1.7}
        axes.plot(
            at,
            shown.observed,
            color=PENS[2].colour,
            ls=PENS[2].dash,
            marker="o",
            mfc="white",
            label="observed",
            zorder=4,
            **style,
        )
        for place, (pen, values) in enumerate(
            zip((PENS[1], PENS[0]), (shown.first, shown.second), strict=True)
        ):
            label = f"{place + 1}: {short(named[place], 44)}"
            marker = ("s", "D")[place]
            axes.plot(
                at, values, color=pen.colour, ls=pen.dash, marker=marker, label=label, zorder=3, **style
            )
        digits = 2 if np.ptp(shown.apart) > 0.1 else 3
        axes.set_xticks(at, [signed(value, digits) for value in shown.apart])
        between = "over" if shown.proportional else "less"
        axes.set_xlabel(f"fitted by 2 {between} fitted by 1, in the group")
        axes.set_ylabel(f"mean of {first.response}{', overall = 1' if shown.proportional else ''}")
        axes.legend(loc="best")
        quiet_grid(axes)
        note(axes, f"groups of about equal {first.unit}", "off: root mean square over groups")
    return figure_of(axes)


def compared(first: Seen, second: Seen, groups: int) -> Compared:
    """Group the rows of two models by the ratio of their fitted means.

    Raises
    ------
    DataError
        If the rows or the responses differ.
    """
    if not np.array_equal(first.rows, second.rows) or not np.allclose(first.observed, second.observed):
        raise DataError(
            "a double lift sets two models of the same response on the same rows against each other: "
            f"the first has {len(first)} rows, the second {len(second)}, or their responses differ"
        )
    volume = first.volume
    proportional = positive(first) and positive(second)
    apart = second.fitted / first.fitted if proportional else second.fitted - first.fitted
    codes = equal_groups(apart, volume, groups)
    held = np.bincount(codes, volume)
    overall = float(np.average(first.observed, weights=volume)) if proportional else 1.0
    means = [
        np.bincount(codes, volume * values) / held for values in (first.observed, first.fitted, second.fitted)
    ]
    observed, one, two = (values / overall for values in means)
    off = [float(np.sqrt(np.average((values - observed) ** 2, weights=held))) for values in (one, two)]
    between = two / one if proportional else two - one
    return Compared(between, observed, one, two, (off[0], off[1]), proportional)
