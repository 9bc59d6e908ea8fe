"""What the rows of a fit say to a picture: observed and fitted means, what each row counts, which are drawn.

May import: everything below `plot`.
Read next: `etamu.plot.groups`, averages over them; `etamu.plot.variable`, what they are drawn against.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.fit.leverage import counts
from etamu.fit.result import Fit

Rows = NDArray[np.intp]

DRAWN = 4000
"""Most rows drawn as points."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The rows that count; every array has one entry per such row.

    Parameters
    ----------
    rows : positions in the input
    observed, fitted : arrays
        Means, as proportions where there are trials and as rates where there is an exposure.
    volume : array
        What the row counts in an average of these: the product of weights, trials and exposure.
    variance : array
        Variance of volume times observed, if the model holds.
    response, unit : str
        What the means are of, and what the volume is counted in.
    """

    rows: Rows
    observed: Array
    fitted: Array
    volume: Array
    variance: Array
    response: str
    unit: str

    def __len__(self) -> int:
        return len(self.rows)


def seen(fit: Fit) -> Seen:
    """Read the rows of a fit that count.

    Raises
    ------
    NotAvailableError
        If the fit was read from a file, which carries no rows.
    """
    problem, family = fit.problem, fit.family
    chunk = problem.chunk
    use = counts(chunk)
    observed, response = observed_means(fit)
    mu = np.asarray(fit.predict())[chunk.row_ids]
    exposure = np.exp(np.asarray(chunk.predictors[0].offset)) if rated(fit) else np.ones(len(chunk))
    trials = problem.unit.observed(chunk.y)[1]
    weights = chunk.weights
    copies, precision, members = (
        np.ones(len(chunk)) if given is None else given
        for given in (weights.frequency, weights.variance, weights.sampling)
    )
    precision = precision if trials is None else precision * trials
    with np.errstate(all="ignore"):
        spread = fit.phi.value * np.asarray(family.variance(np, mu, 1.0 - mu))
    rows = np.asarray(chunk.row_ids[use], dtype=np.intp)
    return Seen(
        rows,
        observed[use],
        (mu / exposure)[use],
        (copies * members * precision * exposure)[use],
        (copies * members**2 * precision * spread)[use],
        response,
        _unit(fit),
    )


def rated(fit: Fit) -> bool:
    """Tell whether the data are drawn as rates: log link, and all of the offset given by keyword."""
    words, schema = fit.problem.words, fit.problem.schema
    by_keyword = words.offset or words.exposure or {"offset", "exposure"} & set(words.given)
    return bool(by_keyword) and fit.link.name == "log" and (schema is None or not schema.offsets)


def observed_means(fit: Fit) -> tuple[Array, str]:
    """Return what is drawn beside the model, proportions and rates where there are any, and its name."""
    problem, words = fit.problem, fit.problem.words
    observed, trials = problem.unit.observed(problem.chunk.y)
    response = words.response or "y"
    if trials is not None and (words.trials or "trials" in words.given):
        return observed, f"{response} / {words.trials or 'trials'}"
    if rated(fit):
        offset = np.asarray(problem.chunk.predictors[0].offset)
        return observed * np.exp(-offset), f"{response} / {_per(fit)}"
    return observed, response


def _per(fit: Fit) -> str:
    words = fit.problem.words
    return words.exposure or ("exposure" if "exposure" in words.given else "exp(offset)")


def _unit(fit: Fit) -> str:
    """Name what the volume of a row is counted in."""
    words = fit.problem.words
    parts = [column for _, column in words.weights]
    parts += [keyword for keyword in words.given if keyword.endswith("_weights")]
    if words.trials or "trials" in words.given:
        parts.append(words.trials or "trials")
    if rated(fit):
        parts.append(_per(fit))
    return " × ".join(parts) or "rows"


def drawn(n: int, most: int = DRAWN) -> Rows:
    """Choose which of n rows are drawn as points: all, or as many as a picture bears, at random, seed 0.

    Examples
    --------
    >>> drawn(3), len(drawn(100_000))
    (array([0, 1, 2]), 4000)
    """
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(0).choice(n, most, replace=False))


def drawn_note(n: int, most: int = DRAWN) -> str:
    """Say so where not every row is drawn.

    Examples
    --------
    >>> drawn_note(100_000)
    '4,000 of 100,000 rows, chosen at random'
    """
    return f"{most:,} of {n:,} rows, chosen at random" if n > most else ""
