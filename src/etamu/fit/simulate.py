"""Responses drawn from the fitted model, every one a function of seed, row and number of the draw.

May import: everything below `fit`.
Read next: `etamu.infer.uniform` for the random numbers, `etamu.family.quantile` for what they become.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.errors import NotAvailableError, OptionError
from etamu._base.types import Array
from etamu.design.chunk import Chunk, Predictor
from etamu.execute.halt import heed
from etamu.execute.threads import Threads
from etamu.family.distribution import distribution
from etamu.family.quantile import Mixture, quantile
from etamu.fit.rows import raw_beta
from etamu.infer.uniform import LARGEST_SEED, uniform
from etamu.sums import etas

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel
    from etamu.fit.measure import Measure

AT_ONCE = 1 << 20
"""Numbers that are drawn at a time."""
ROWS = 1 << 14
"""Rows whose quantiles are found at a time: a tenth of a second where each is a search."""


def simulate(fit: FittedModel, n: int, seed: int) -> Array:
    """Draw responses as `Fit.simulate` describes.

    Raises
    ------
    OptionError
        If n or the seed is no such whole number.
    NotAvailableError
        If the family states a variance and no law, or the fit carries no rows.
    """
    n = _whole(n, "n", 1, 2**32 - 1)
    return responses(fit, _whole(seed, "seed", 0, LARGEST_SEED))(range(n))


def responses(fit: FittedModel, seed: int) -> Callable[[range], Array]:
    """Return the function that draws responses, (rows of the input, draws), of the draws it is given.

    Raises
    ------
    NotAvailableError
        As `simulate`.
    """
    if fit.near is not None:
        return _counted_in(responses(fit.near.fit, seed), fit.near.measure)
    problem, unit, law = fit.problem, fit.problem.unit, distribution(fit.family)
    if not np.isfinite(fit.phi.value) and not fit.family.dispersion_known:
        raise NotAvailableError("phi could not be estimated: give dispersion= a number, then simulate")
    beta, phi = raw_beta(fit), fit.phi.value
    predictor = problem.chunk.predictors[0]
    placed = Predictor(fit.coordinates.placed(predictor.design), predictor.offset)
    whole = Chunk((placed,), problem.chunk.y, problem.chunk.weights, problem.chunk.row_ids)

    def draw(chunk: Chunk, numbers: Array) -> Array:
        with np.errstate(all="ignore"):
            mean = unit.mean(np, etas(chunk, beta))
        trials = chunk.y[1] if len(chunk.y) > 1 else None
        if phi == 0.0:  # a perfect fit: every response is its mean
            return np.repeat(np.asarray(mean.mu)[:, None], numbers.shape[1], axis=1)
        dispersion = row_dispersion(phi, chunk.weights.variance, len(chunk))
        means = np.asarray(mean.mu)[:, None], np.asarray(mean.complement)[:, None]
        mixture = Mixture(law, *means, np.ones((len(chunk), 1)), dispersion, trials)
        for column in numbers.T:
            heed()
            column[:] = quantile(mixture, column)
        return numbers

    def some(draws: range) -> Array:
        out = np.full((problem.input_rows, len(draws)), np.nan)

        def place(block: tuple[Any, Array]) -> None:
            out[block[0]] = block[1]

        def block(chunk: Chunk) -> tuple[Any, Array]:
            return chunk.row_ids, draw(chunk, uniform(seed, chunk.row_ids, draws))

        Threads(whole, rows=problem.options.block_rows or ROWS).map(block, place)
        return out

    return lambda draws: in_portions(some, draws, problem.input_rows)


def in_portions(draw: Callable[[range], Array], draws: range, rows: int) -> Array:
    """Draw a few responses of every row at a time, (rows, draws): an interrupt waits for those only."""
    few = max(AT_ONCE // max(rows, 1), 1)
    if len(draws) <= few:
        return draw(draws)
    out = np.empty((rows, len(draws)), order="F")  # so that a draw is written in one piece
    for start in range(0, len(draws), few):
        out[:, start : start + few] = draw(draws[start : start + few])
    return out


def _counted_in(draw: Callable[[range], Array], measure: Measure) -> Callable[[range], Array]:
    """Say responses drawn in units near 1 in those of the fit."""
    return lambda draws: np.asarray(np.ldexp(draw(draws), measure.response))


def row_dispersion(phi: float, variance_weights: Array | None, n: int) -> Array:
    """Return phi / w of each row; NaN where w is 0, for then the variance has no bound."""
    if variance_weights is None:
        return np.full(n, phi)
    safe = np.where(variance_weights > 0, variance_weights, 1.0)
    return np.where(variance_weights > 0, phi / safe, np.nan)


def _whole(value: Any, name: str, least: int, most: int) -> int:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or not least <= value <= most:
        raise OptionError(f"{name} is {value!r}; it is a whole number from {least} to {most}")
    return int(value)
