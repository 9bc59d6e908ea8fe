from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from etamu import sums
from etamu.design.blocks import Coded, Dense
from etamu.design.chunk import Chunk, Predictor, Weights
from etamu.design.coordinates import describe, standardised
from etamu.design.design import Design
from etamu.design.layout import plain_layout
from etamu.execute.threads import Threads
from etamu.fit.aliases import MANY, aliased
from etamu.solve.factor import independent_columns

RNG = np.random.default_rng(11)
N = 4_000


def posed(*blocks):
    design = Design(blocks, N)
    layout = plain_layout(tuple(map(str, range(design.width))))
    placed, coordinates = standardised(design, layout, describe(design))
    return Threads(Chunk((Predictor(placed),), (np.zeros(N),), Weights(), np.arange(N)), 1024), coordinates


def by_triangle(executor, coordinates):
    found = executor.reduce(partial(sums.triangle, coordinates=coordinates, unit=None, beta=None))
    return ~independent_columns(found.factor)


def numbers(k):
    return Dense((RNG.normal(size=(N, k)),))


CODES = RNG.integers(0, 330, N)
CODES[:330] = np.arange(330)
X = RNG.normal(size=N)
HAIR = X + 1e-7 * RNG.normal(size=N)

DESIGNS = {
    "full rank": (Dense((X,)), Coded(CODES, 330)),
    "levels within levels": (Coded(CODES // 11, 30), Coded(CODES, 330)),
    "levels within levels, the other way": (Coded(CODES, 330), Coded(CODES // 11, 30)),
    "a constant beside levels": (Dense((np.ones(N), X)), Coded(CODES, 330)),
    "levels times a number": (Coded(CODES, 330, X), Dense((X,)), Coded(CODES, 330)),
    "a number twice": (Dense((X, np.ones(N), X + 3.0)), Coded(CODES, 331)),
    "independent by a hair": (Dense((X, HAIR)), Coded(CODES, 330)),
    "few columns": (Dense((X, X)), Coded(CODES % 5, 5)),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_aliases_are_those_a_triangle_of_all_rows_finds(name):
    executor, coordinates = posed(*DESIGNS[name])
    assert (coordinates.size > MANY) is (name != "few columns")
    assert np.array_equal(aliased(executor, coordinates), by_triangle(executor, coordinates))


def test_without_columns_there_is_no_alias():
    executor, coordinates = posed(Dense((np.zeros((N, 0)),)))
    assert aliased(executor, coordinates).shape == (0,)
