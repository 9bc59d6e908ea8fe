"""Responses drawn from the fitted model, every one a function of seed, row and number of the draw.

May import: everything below `fit`.
Read next: `etamu.infer.uniform` for the random numbers, `etamu.family.quantile` for what they become.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.errors import NotAvailableError, OptionError
from etamu._base.types import Array
from etamu.design.chunk import Chunk, Predictor
from etamu.execute.threads import Threads
from etamu.family.distribution import distribution
from etamu.family.quantile import Mixture, quantile
from etamu.fit.rows import raw_beta
from etamu.infer.uniform import uniform
from etamu.sums import etas

if TYPE_CHECKING:
    from etamu.fit.result import Fit

LARGEST_SEED = 2**64 - 1


def simulate(fit: Fit, n: int, seed: int) -> Array:
    """Draw responses as `Fit.simulate` describes.

    Raises
    ------
    OptionError
        If n or the seed is no such whole number.
    NotAvailableError
        If the family states a variance and no law, or the fit carries no rows.
    """
    n = _whole(n, "n", 1, 2**32 - 1)
    seed = _whole(seed, "seed", 0, LARGEST_SEED)
    problem, unit, law = fit.problem, fit.problem.unit, distribution(fit.family)
    if not np.isfinite(fit.phi.value) and not fit.family.dispersion_known:
        raise NotAvailableError("phi could not be estimated: give dispersion= a number, then simulate")
    beta, phi = raw_beta(fit), fit.phi.value
    predictor = problem.chunk.predictors[0]
    placed = Predictor(fit.coordinates.placed(predictor.design), predictor.offset)
    whole = Chunk((placed,), problem.chunk.y, problem.chunk.weights, problem.chunk.row_ids)
    out = np.full((problem.input_rows, n), np.nan)

    def draw(chunk: Chunk) -> tuple[Any, Array]:
        with np.errstate(all="ignore"):
            mean = unit.mean(np, etas(chunk, beta))
        trials = chunk.y[1] if len(chunk.y) > 1 else None
        dispersion = row_dispersion(phi, chunk.weights.variance, len(chunk))
        numbers = uniform(seed, chunk.row_ids, n)
        columns = [
            quantile(
                Mixture(
                    law,
                    np.asarray(mean.mu)[:, None],
                    np.asarray(mean.complement)[:, None],
                    np.ones((len(chunk), 1)),
                    dispersion,
                    trials,
                ),
                numbers[:, k],
            )
            for k in range(n)
        ]
        return chunk.row_ids, np.stack(columns, axis=1)

    def place(drawn: tuple[Any, Array]) -> None:
        out[drawn[0]] = drawn[1]

    Threads(whole, rows=problem.options.block_rows).map(draw, place)
    return out


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
