"""Per-row quantities of a fit of several predictors, laid out at the length of the input.

May import: everything below `vector`.
Read next: `etamu.vector.predict`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array, Interval, Namespace
from etamu.design.chunk import Chunk, Predictor
from etamu.execute.threads import Threads
from etamu.family.unit import Bound
from etamu.family.vector import VectorFamily
from etamu.fit.placed import visits
from etamu.fit.problem import Options
from etamu.sums import etas

if TYPE_CHECKING:
    from etamu.vector.fitted import FittedVectorModel


@final
@dataclass(frozen=True, slots=True)
class Alone:
    """A family that has one predictor after all (two classes), as sums know one: eta (n,), not (n, 1)."""

    family: VectorFamily

    @property
    def domain(self) -> Interval:
        """The etas for which a value exists."""
        return self.family.domain

    @property
    def canonical(self) -> bool:
        """Whether observed and expected information are the same function."""
        return self.family.canonical

    @property
    def concordance(self) -> float:
        """The bound of the third derivative by the second, 0 where none is claimed."""
        return self.family.concordance

    @property
    def alone(self) -> Alone:
        """Itself."""
        return self

    def bind(self, xp: Namespace, information: str = "expected") -> Bound:
        """Return f(y, eta) -> (value, score, information), all (n,)."""
        bound = self.family.bind(xp, information)

        def kernel(y: Any, eta: Any) -> tuple[Any, Any, Any]:
            value, score, curvature = bound(y, eta[:, None])
            return value, score[:, 0], curvature[:, 0, 0]

        return kernel


NUMBERS = 1 << 17
"""Numbers of an information per row block: k x k per row, few enough to stay in the cache."""
BULK = 1 << 24
"""The same where the cache is too small for 256 rows: few enough for the memory."""
ROWS = 1 << 14
"""Most rows of a block."""


def visited(options: Options, k: int) -> dict[str, Any]:
    """Say how rows of k predictors are visited, as keywords of `Threads`: fewer at once, the larger k is."""
    asked = visits(options)
    if k == 1:
        return asked
    rows = max(NUMBERS // (k * k), min(256, BULK // (k * k)), 1)
    return {"rows": min(1 << rows.bit_length() - 1, ROWS), **asked}


@final
@dataclass(frozen=True, slots=True)
class Observed:
    """A family whose expected information is dear, as a climb knows it: by its observed information alone."""

    family: VectorFamily

    canonical: ClassVar[bool] = True
    """There is one information, whatever it is called."""

    @property
    def domain(self) -> Interval:
        """The etas for which a value exists."""
        return self.family.domain

    @property
    def concordance(self) -> float:
        """The bound of the third derivative by the second, 0 where none is claimed."""
        return self.family.concordance

    @property
    def alone(self) -> Observed:
        """Itself."""
        return self

    def bind(self, xp: Namespace, information: str = "expected") -> Bound:
        """Return f(y, eta) -> (value, score, observed information)."""
        del information
        return self.family.bind(xp, "observed")


def unit_of(family: VectorFamily, *, climbing: bool = False) -> Any:
    """Return the family as sums know it; `climbing` without what is dear."""
    if climbing and family.expected_dear:
        return Observed(family)
    return family if len(family.parameters) > 1 else Alone(family)


def eta_of(chunk: Chunk, raw: Array, *, offset: bool = True) -> Array:
    """Compute eta, (n, k) for any k, with or without the offsets."""
    eta = etas(chunk, raw, offset=offset)
    return eta[:, None] if eta.ndim == 1 else eta


def placed_chunk(fit: FittedVectorModel, chunk: Chunk) -> Chunk:
    """Give the columns of every predictor the shift and scale of the estimate; equal predictors once."""
    seen: dict[tuple[int, int], Predictor] = {}
    placed: list[Predictor] = []
    for predictor, part in zip(chunk.predictors, fit.coordinates.parts, strict=True):
        key = id(predictor), id(part)
        if key not in seen:
            seen[key] = Predictor(part.placed(predictor.design), predictor.offset)
        placed.append(seen[key])
    return Chunk(tuple(placed), chunk.y, chunk.weights, chunk.row_ids, chunk.cluster)


def by_row(fit: FittedVectorModel, function: Callable[[Chunk], Array]) -> Array:
    """Compute numbers per row of the input, block by block; NaN where a row was dropped.

    The chunk handed to `function` has columns in the coordinates of `fit.beta`.
    """
    problem = fit.problem
    chunk = placed_chunk(fit, problem.chunk)
    pieces: list[Array] = []
    Threads(chunk, **visited(problem.options, len(chunk.predictors))).map(function, pieces.append)
    values = np.concatenate(pieces)
    out = np.full((problem.input_rows, *values.shape[1:]), np.nan)
    out[chunk.row_ids] = values
    return out
