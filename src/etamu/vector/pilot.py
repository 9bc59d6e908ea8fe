"""The pilot of several predictors: a sample of the rows fitted first, so that passes over all start close.

May import: everything below `vector`.
Read next: `etamu.fit.pilot`, the same for one predictor; `etamu.solve.pilot` for the steps.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from etamu._base.errors import DataError
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.family.vector import VectorFamily
from etamu.fit.pilot import CLOSE, ENOUGH, FIRST, size_of
from etamu.fit.sample import Sampled, drawn
from etamu.objective.likelihood import Likelihood
from etamu.solve.pilot import rough
from etamu.vector.stack import Stack
from etamu.vector.start import start

MANY = 20_000
"""Rows from which on a sample is fitted first."""


def piloted(oracle: Likelihood, family: VectorFamily, chunk: Chunk, stack: Stack) -> Array | None:
    """Fit a sample roughly; None where there are few rows, or the sample is no help.

    A small ridge, one row's worth, keeps it finite where the sample separates; constants are left alone.
    """
    size = size_of(len(chunk), stack.size)
    if len(chunk) < MANY or size < ENOUGH * stack.size:
        return None
    sampled = drawn(chunk, size)
    fewest = sampled.part(FIRST) if size >= FIRST * ENOUGH * stack.size else sampled
    strength = np.full(stack.size, 1.0 / sampled.share)
    for part, at in zip(stack.parts, stack.blocks, strict=True):
        if part.layout.constant is not None:
            strength[at][part.layout.constant[part.kept] != 0.0] = 0.0
    try:
        first = start(_over(oracle, fewest), family, fewest.chunk, stack)
    except DataError:
        return None
    found = None
    for rows in (fewest, sampled):
        found = rough(_over(oracle, rows), first, strength, CLOSE * stack.size / rows.share)
        first = first if found is None else found[0]
    return None if found is None else found[0]


def _over(oracle: Likelihood, sampled: Sampled) -> Likelihood:
    return replace(oracle, executor=oracle.executor.over(sampled.chunk), dear=False)
