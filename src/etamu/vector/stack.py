"""Several coordinates end to end: how the coefficients of k linear predictors travel as one vector.

May import: numpy, `etamu._base`, `etamu.design`.
Read next: `etamu.vector.estimate`, which solves in them, and `etamu.design.coordinates`, one of them.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.design.coordinates import Coordinates
from etamu.design.gram import Gram


@dataclass(frozen=True, eq=False)
class Stack:
    """The map between raw columns, working coordinates and reported coefficients of k predictors.

    Every method is that of `Coordinates`, predictor by predictor. One predictor may be anchored: only what
    the others exceed it by matters, and its constant is theirs. Its columns are shifted all the same, and the
    shift is carried to the constants of the others,

        alpha_j - x' beta = (alpha_j - m' beta) - (x - m)' beta,

    so that thresholds keep their digits however far from 0 a column lies.

    Parameters
    ----------
    parts : tuple of Coordinates
        One per predictor; of the anchored one the constant is not kept.
    names : tuple of str
        Reported coefficients.
    chosen : integers (names,)
        Their places among the reported coefficients of all parts, end to end.
    anchored : int, optional
        The predictor whose constant is carried by the others.
    """

    parts: tuple[Coordinates, ...]
    names: tuple[str, ...]
    chosen: NDArray[np.intp]
    anchored: int | None = None

    @property
    def width(self) -> int:
        """Number of reported coefficients."""
        return len(self.names)

    @cached_property
    def size(self) -> int:
        """Number of working coordinates."""
        return sum(part.size for part in self.parts)

    @cached_property
    def blocks(self) -> tuple[slice, ...]:
        """The working coordinates of each predictor."""
        return _slices([part.size for part in self.parts])

    @cached_property
    def stretch(self) -> float:
        """A bound of x_w'x_w / x_raw'x_raw over all rows."""
        return max(part.stretch for part in self.parts)

    @cached_property
    def free(self) -> Mask:
        """Which reported coefficients are not aliased."""
        kept = [np.isin(np.arange(part.layout.width), part.kept) for part in self.parts]
        return np.asarray(np.concatenate(kept)[self.chosen])

    @property
    def aliased(self) -> tuple[str, ...]:
        """Names of the coefficients that have no column of their own."""
        return tuple(name for name, free in zip(self.names, self.free, strict=True) if not free)

    @cached_property
    def _raw(self) -> tuple[slice, ...]:
        return _slices([part.layout.raw_width for part in self.parts])

    @cached_property
    def _reported(self) -> tuple[slice, ...]:
        return _slices([part.layout.width for part in self.parts])

    @cached_property
    def _carried(self) -> Array:
        """What each working coordinate adds to the constants that carry it, (size,)."""
        out = np.zeros(self.size)
        if self.anchored is not None:
            part = self.parts[self.anchored]
            out[self.blocks[self.anchored]] = part.shift[part.kept] / part.scale[part.kept]
        return out

    @cached_property
    def _carriers(self) -> NDArray[np.intp]:
        """The reported coefficients that are constants beside the anchored predictor."""
        places: list[int] = []
        for number, (part, at) in enumerate(zip(self.parts, self._reported, strict=True)):
            constant = part.layout.constant
            if self.anchored is not None and number != self.anchored and constant is not None:
                places += [at.start + int(j) for j in np.flatnonzero(constant)]
        return np.flatnonzero(np.isin(self.chosen, places))

    def part_of(self, name: str) -> int:
        """Return the number of the predictor a coefficient belongs to."""
        place = int(self.chosen[self.names.index(name)])
        return next(i for i, at in enumerate(self._reported) if at.start <= place < at.stop)

    def raw(self, beta: Array) -> Array:
        """Map working coefficients (size, …) to coefficients of the raw columns of all predictors."""
        parts = [part.raw(beta[at]) for part, at in zip(self.parts, self.blocks, strict=True)]
        return np.concatenate(parts)

    def gathered(self, raw: Array) -> Array:
        """Map a score over raw columns, (raw_width, …), to working coordinates."""
        parts = [part.gathered(raw[at]) for part, at in zip(self.parts, self._raw, strict=True)]
        return np.concatenate(parts)

    def gram(self, raw: Array | Gram) -> Array:
        """Map an information over raw columns, or its parts, to working coordinates, (size, size)."""
        if isinstance(raw, Gram):  # of one predictor
            return np.asarray(self.parts[0].gram(raw))
        full = self.gathered(self.gathered(raw).T)
        return 0.5 * (full + full.T)

    def raw_matrix(self, working: Array) -> Array:
        """Map M so that x_w' M x_w = x_raw' (result) x_raw."""
        return self.raw(self.raw(working).T)

    def reported(self, working: Array) -> Array:
        """Map working coefficients (size, …) to reported ones; aliased entries are NaN."""
        parts = [part.reported(working[at]) for part, at in zip(self.parts, self.blocks, strict=True)]
        out = np.concatenate(parts)[self.chosen]
        if self.anchored is not None:
            out[self._carriers] += self._carried @ working
        return np.asarray(out)

    def working(self, beta: Array) -> Array:
        """Map reported coefficients back; aliased entries are ignored."""
        full = np.zeros(self._reported[-1].stop if self.parts else 0)
        full[self.chosen] = np.where(np.isnan(beta), 0.0, beta)
        out = self._working(full)
        if self.anchored is not None:
            full[self.chosen[self._carriers]] -= self._carried @ out
            out = self._working(full)
        return out

    def _working(self, full: Array) -> Array:
        parts = [part.working(full[at]) for part, at in zip(self.parts, self._reported, strict=True)]
        return np.concatenate(parts)

    def hypothesis(self, reported: Array) -> Array:
        """Map rows L of a linear combination L beta, (m, names), to working coordinates."""
        full = np.zeros((len(reported), self._reported[-1].stop))
        full[:, self.chosen] = reported
        parts = [part.hypothesis(full[:, at]) for part, at in zip(self.parts, self._reported, strict=True)]
        out = np.concatenate(parts, axis=1)
        if self.anchored is not None:
            out += np.multiply.outer(reported[:, self._carriers].sum(axis=1), self._carried)
        return out


def _slices(sizes: list[int]) -> tuple[slice, ...]:
    ends = np.cumsum(sizes).tolist()
    return tuple(slice(end - size, end) for end, size in zip(ends, sizes, strict=True))
