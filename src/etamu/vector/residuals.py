"""Residuals and simulated responses of models of several predictors.

May import: everything below `vector`.
Read next: `etamu.infer.quantile` for normal scores, `etamu.infer.uniform` for the random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.choice import check_choice
from etamu._base.errors import OptionError
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.execute.halt import heed
from etamu.family.vector import VectorFamily
from etamu.fit.simulate import in_portions
from etamu.infer.quantile import normal_scores
from etamu.infer.uniform import LARGEST_SEED, RESIDUAL, uniform
from etamu.vector.rows import by_row, eta_of

if TYPE_CHECKING:
    from etamu.vector.fitted import FittedVectorModel

KINDS = ("quantile", "response", "pearson")


def residuals(fit: FittedVectorModel, kind: str = "quantile", seed: int = 0) -> Array:
    """Compute residuals as `VectorFit.residuals` describes.

    Raises
    ------
    OptionError
        If the kind is not known, or the seed is no whole number.
    """
    check_choice("kind", kind, KINDS, ", of residuals")
    _check_whole(seed, "seed", 0, LARGEST_SEED)
    raw, family = fit.coordinates.raw(fit.beta), fit.family

    def quantile(chunk: Chunk) -> Array:
        u = uniform(seed, chunk.row_ids, 1, RESIDUAL)[:, 0]
        return scores(family, chunk.y, eta_of(chunk, raw), u)

    def plain(chunk: Chunk) -> Array:
        eta = eta_of(chunk, raw)
        return _response(family, chunk.y, eta, standardised=kind == "pearson")

    if kind == "quantile" and family.categorical and len(fit.problem.chunk.y) > 1:
        raise OptionError("quantile residuals need one response per row, and counts of classes are several")
    return by_row(fit, quantile if kind == "quantile" else plain)


def scores(family: VectorFamily, y: tuple[Array, ...], eta: Array, u: Array) -> Array:
    """Compute randomised quantile residuals from the nearer tail (Dunn and Smyth 1996)."""
    with np.errstate(all="ignore"):
        lower, upper = family.cdf(y, eta), family.sf(y, eta)
        before = (y[0] - 1.0, *y[1:])
        lower_open = family.cdf(before, eta) if family.discrete else lower
        upper_open = family.sf(before, eta) if family.discrete else upper
    below = lower <= upper
    return normal_scores(np.where(below, lower, upper), np.where(below, lower_open, upper_open), u, below)


def _response(family: VectorFamily, y: tuple[Array, ...], eta: Array, *, standardised: bool) -> Array:
    with np.errstate(all="ignore"):
        mean, variance = np.asarray(family.mean(np, eta)), np.asarray(family.variance(np, eta))
        if family.categorical:
            counts = (
                np.stack(y, axis=1) if len(y) > 1 else np.equal.outer(y[0], np.arange(mean.shape[1])) * 1.0
            )
            trials = counts.sum(axis=1, keepdims=True)
            rest = counts - trials * mean
            return np.asarray(rest / np.sqrt(trials * variance) if standardised else rest)
        rest = family.observed(y) - mean
        return np.asarray(rest / np.sqrt(family.variance_of(y, eta)) if standardised else rest)


def simulate(fit: FittedVectorModel, n: int = 1, seed: int = 0) -> Array:
    """Draw responses as `VectorFit.simulate` describes; the same seed and rows give the same draws.

    Raises
    ------
    OptionError
        If n or the seed is no such whole number.
    """
    _check_whole(n, "n", 1, 2**32 - 1)
    _check_whole(seed, "seed", 0, LARGEST_SEED)
    return draws(fit, seed)(range(n))


def draws(fit: FittedVectorModel, seed: int) -> Callable[[range], Array]:
    """Return what draws responses by the numbers of the draws, (input rows, numbers)."""
    raw, family = fit.coordinates.raw(fit.beta), fit.family
    drawn: Callable[[Array, Array], Array] | None = getattr(family, "drawn", None)

    def by_numbers(numbers: range) -> Array:
        def draw(chunk: Chunk) -> Array:
            eta = eta_of(chunk, raw)
            if drawn is not None:
                columns: list[Array] = []
                for column in uniform(seed, chunk.row_ids, numbers).T:
                    heed()
                    columns.append(drawn(column, eta))
                return np.stack(columns, axis=1)
            first = int(chunk.row_ids[0]) if len(chunk) else 0
            each = (np.random.default_rng([seed, first, number]) for number in numbers)
            return np.stack([family.sample(rng, eta, chunk.y[1:]) for rng in each], axis=1)

        return by_row(fit, draw)

    return lambda numbers: in_portions(by_numbers, numbers, fit.problem.input_rows)


def _check_whole(value: Any, name: str, least: int, most: int) -> None:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or not least <= value <= most:
        raise OptionError(f"{name} is {value!r}; it is a whole number from {least} to {most}")
