"""A hanging rootogram: how often each count was observed, hung from how often the model expects it.

May import: everything below `plot`, in this room style.
Read next: Kleiber and Zeileis (2016), The American Statistician 70; `etamu.family.distribution`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etamu._base.errors import NotAvailableError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.family.distribution import distribution
from etamu.fit.leverage import counts
from etamu.fit.result import Fit
from etamu.plot.style import FAINT, INK, PENS, QUIET, figure_of, note, panel, settings, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 40
"""Counts that are drawn one by one; beyond, they are one bar."""
BLOCK = 1 << 15
"""Rows whose probabilities are computed at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Frequencies:
    """How often each count from 0 on was observed and is expected; the last entry may be a tail.

    Parameters
    ----------
    observed, expected : arrays (k,)
    tail : bool
        Whether the last entry stands for that count and all above.
    """

    observed: Array
    expected: Array
    tail: bool


def rootogram(fit: Fit, *, most: int = MOST, axes: Axes | None = None) -> Figure:
    """Draw the roots of expected frequencies of counts, and hang the observed ones from them.

    Parameters
    ----------
    fit : Fit
        Of counts: Poisson, negative binomial, binomial.
    most : int
        The count from which on all share one bar.
    axes : matplotlib Axes, optional

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    NotAvailableError
        If the response is no count, the family states no distribution, or matplotlib is not installed.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> figure = em.glm("y ~ x", data, family="poisson").plot("rootogram")
    >>> figure.axes[0].get_ylabel()
    '√frequency'
    """
    shown = frequencies(fit, most)
    axes = panel(axes, 6.4, 4.6)
    at = np.arange(len(shown.observed), dtype=float)
    top, drop = np.sqrt(shown.expected), np.sqrt(shown.observed)
    with settings():
        title(axes, "Rootogram", "bars hang from the model; they end at 0 where it is right")
        axes.bar(at, -drop, bottom=top, width=0.82, color=FAINT, edgecolor=QUIET, linewidth=0.8, zorder=2)
        axes.plot(
            at, top, color=PENS[0].colour, marker="o", ms=4.5 if len(at) < 25 else 3.0, lw=1.8, zorder=4
        )
        # Off by one in the root is off by two Poisson standard deviations: Tukey's warning limits.
        for line in (-1.0, 1.0):
            axes.axhline(line, color=QUIET, ls=(0, (4, 3)), lw=0.9, zorder=3)
        axes.axhline(0.0, color=INK, lw=1.0, zorder=3)
        axes.set_xlabel(fit.problem.words.response or "count")
        axes.set_ylabel("√frequency")
        axes.set_ylim(min(float(np.min(top - drop)), -1.0) - 0.5, 1.06 * float(np.max(top)) + 0.1)
        every = max(1, int(np.ceil(len(at) / 16)))
        names = [f"{int(value)}" for value in at]
        if shown.tail:
            names[-1] += "+"
        places = [int(place) for place in at[::every]]
        if shown.tail and places[-1] != len(at) - 1:
            places = [place for place in places if len(at) - 1 - place >= every] + [len(at) - 1]
        axes.set_xticks(places, [names[place] for place in places])
        worst = float(np.max(np.abs(top - drop)))
        note(axes, "grey: observed; blue: expected", "dashes: ±1, two standard errors", f"worst {worst:.1f}")
    return figure_of(axes)


def frequencies(fit: Fit, most: int) -> Frequencies:
    """Count the observed counts and add up the probabilities of each, block by block.

    Raises
    ------
    NotAvailableError
        If the response is no count, or the family states no distribution.
    """
    law = distribution(fit.family)
    if not law.discrete:
        raise NotAvailableError(
            f"a rootogram is of counts, and {fit.family.name} responses are none: use fit.plot('qq')"
        )
    chunk = fit.problem.chunk
    use = np.flatnonzero(counts(chunk))
    y = chunk.y[0][use]
    mu = np.asarray(fit.predict())[chunk.row_ids][use]
    trials = chunk.y[1][use] if len(chunk.y) > 1 else None
    copies = np.ones(len(use)) if chunk.weights.frequency is None else chunk.weights.frequency[use]
    largest = int(y.max()) if trials is None else int(trials.max())
    if fit.family.mean.upper == 1.0 and trials is None:
        largest = 1
    last = min(largest, most)
    tail = largest > last or (trials is None and fit.family.mean.upper > 1.0)
    observed = np.bincount(np.minimum(y, last).astype(np.intp), copies, minlength=last + 1).astype(float)
    expected = np.zeros(last + 1)
    for start in range(0, len(use), BLOCK):
        rows = slice(start, start + BLOCK)
        given = {} if trials is None else {"trials": trials[rows]}
        for count in range(last + 1):
            # A mean that has run to 0 or 1 has no logarithm, and leaves a probability of 0 or 1.
            with np.errstate(all="ignore"):
                density = np.nan_to_num(np.exp(law.logpdf(float(count), mu[rows], 1.0, **given)))
            expected[count] += float(copies[rows] @ density)
    if tail:
        expected[last] = copies.sum() - expected[:last].sum()
    return _pooled(Frequencies(observed, expected, tail))


def _pooled(found: Frequencies) -> Frequencies:
    """Put counts so high that the model expects less than one of them all together into one bar."""
    above = np.cumsum(found.expected[::-1])[::-1]
    end = max(int(np.sum(above >= 1.0)), 2)
    if end >= len(above):
        return found
    observed, expected = (
        np.append(values[:end], values[end:].sum()) for values in (found.observed, found.expected)
    )
    return Frequencies(observed, expected, tail=True)
