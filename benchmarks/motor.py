"""Motor insurance policies drawn after the published marginals of freMTPL2: no row of the original is used.

May import: numpy, benchmarks.problem.
Read next: `benchmarks.tasks` for the models fitted to these tables.

The counts below are those published with freMTPL2freq (678,013 policies, 36,102 claims; CASdatasets,
OpenML 41214).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.dense import SEED
from benchmarks.problem import Array, Coded, Table

POLICIES = 678_013
CLAIMS = 36_102

# fmt: off
VEH_POWER = {"10": 31354, "11": 18352, "12": 8214, "13": 3229, "14": 2350, "15": 2926, "4": 115349,
             "5": 124821, "6": 148976, "7": 145401, "8": 46956, "9": 30085}
VEH_BRAND = {"B1": 162736, "B10": 17707, "B11": 13585, "B12": 166024, "B13": 12178, "B14": 4047, "B2": 159861,
             "B3": 53395, "B4": 25179, "B5": 34753, "B6": 28548}
VEH_GAS = {"Diesel": 332136, "Regular": 345877}
REGION = {"R11": 69791, "R21": 3026, "R22": 7994, "R23": 8784, "R24": 160601, "R25": 10893, "R26": 10492,
          "R31": 27285, "R41": 12990, "R42": 2200, "R43": 1326, "R52": 38751, "R53": 42122, "R54": 19046,
          "R72": 31329, "R73": 17141, "R74": 4567, "R82": 84752, "R83": 5287, "R91": 35805, "R93": 79315,
          "R94": 4516}
AREA_FROM = np.array([50.0, 100.0, 500.0, 2_000.0, 10_000.0])
# fmt: on
"""Least density (inhabitants per km2) of the areas B to F: Area is a function of Density."""

COMMUNES = 1_607
"""Distinct densities in the original."""
FULL_YEAR = 168_124 / POLICIES
"""Share of policies with an exposure of exactly 1."""
BEST_BONUS = 0.5666
"""Share of policies with a BonusMalus of 50."""


@dataclass(frozen=True, slots=True, eq=False)
class Policies:
    """The columns of a portfolio, and the log of its claim frequency up to a constant."""

    coded: dict[str, Coded]
    veh_age: NDArray[np.int64]
    driv_age: NDArray[np.int64]
    bonus_malus: NDArray[np.int64]
    density: NDArray[np.int64]
    exposure: Array
    risk: Array


def _draw(rng: np.random.Generator, counts: dict[str, int], rows: int) -> Coded:
    share = np.array(list(counts.values()), dtype=np.float64)
    return Coded(rng.choice(len(share), rows, p=share / share.sum()), tuple(counts))


def _places(rng: np.random.Generator, rows: int) -> tuple[Coded, NDArray[np.int64]]:
    """Draw each policy's region and its commune's density; regions have their published shares.

    Log densities are normal with the original's mean 5.98 and standard deviation 1.87, cut to 1, ..., 27,000.
    """
    region = _draw(rng, REGION, rows)
    share = np.array(list(REGION.values()), dtype=np.float64) / POLICIES
    communes = np.maximum(np.round(COMMUNES * share).astype(np.intp), 3)
    first = np.concatenate([[0], np.cumsum(communes)[:-1]])
    density = np.exp(5.98 + 1.87 * rng.standard_normal(int(communes.sum())))
    density = np.clip(np.round(density), 1, 27_000).astype(np.int64)
    within = (rng.random(rows) * communes[region.codes]).astype(np.intp)
    return region, density[first[region.codes] + within]


def _bonus_malus(rng: np.random.Generator, driv_age: NDArray[np.int64]) -> NDArray[np.int64]:
    """Draw bonus-malus: a mass at 50, above it exponential up to 230; the young are seldom at 50."""
    rank = np.argsort(np.argsort(-driv_age + rng.random(len(driv_age)))) / len(driv_age)
    u = 0.5 * rank + 0.5 * rng.random(
        len(driv_age)
    )  # triangular on (0, 1): its distribution function is next
    u = np.where(u < 0.5, 2.0 * u * u, 1.0 - 2.0 * (1.0 - u) ** 2)
    above = np.clip((u - BEST_BONUS) / (1.0 - BEST_BONUS), 0.0, 1.0 - 1e-12)
    return np.minimum(50 + np.ceil(-22.0 * np.log1p(-above)), 230).astype(np.int64)


def policies(rows: int, seed: int = 5) -> Policies:
    """Draw a portfolio."""
    rng = np.random.default_rng([SEED, seed, rows])
    region, density = _places(rng, rows)
    area = Coded(np.searchsorted(AREA_FROM, density, side="right"), ("A", "B", "C", "D", "E", "F"))
    coded = {
        "Area": area,
        "VehPower": _draw(rng, VEH_POWER, rows),
        "VehBrand": _draw(rng, VEH_BRAND, rows),
        "VehGas": _draw(rng, VEH_GAS, rows),
        "Region": region,
    }
    veh_age = np.minimum(rng.gamma(1.6, 4.7, rows), 100.0).astype(np.int64)
    driv_age = np.minimum(18.0 + rng.gamma(3.8, 7.24, rows), 100.0).astype(np.int64)
    bonus = _bonus_malus(rng, driv_age)
    part = np.maximum(np.round(rng.beta(0.8, 1.35, rows), 2), 0.01)
    exposure = np.where(rng.random(rows) < FULL_YEAR, 1.0, part)
    effects = [0.15 * rng.standard_normal(len(column.levels))[column.codes] for column in coded.values()]
    risk = np.sum(effects, axis=0) + 0.02 * (bonus - 50) - 0.01 * veh_age + 0.05 * np.log(density)
    risk += 0.3 * np.exp(-(driv_age - 18.0) / 5.0)
    return Policies(coded, veh_age, driv_age, bonus, density, exposure, risk)


def _counts(held: Policies, rows: int) -> Array:
    """Draw as many claims as the original has in all: a shortened portfolio keeps its levels estimable."""
    rng = np.random.default_rng([SEED, 6, rows])
    mean = held.exposure * np.exp(held.risk)
    wanted = min(float(CLAIMS), 0.5 * rows)
    return rng.poisson(mean * (wanted / mean.sum())).astype(np.float64)


def mixed(rows: int, *, text: bool = False) -> Table:
    """Make the table of five categorical and four numeric columns."""
    held = policies(rows)
    numeric = {
        "VehAge": held.veh_age,
        "DrivAge": held.driv_age,
        "BonusMalus": held.bonus_malus,
        "LogDensity": np.log(held.density.astype(np.float64)),
    }
    return Table("ClaimNb", _counts(held, rows), {**held.coded, **numeric}, held.exposure, text).used()


def _banded(values: NDArray[np.int64], starts: NDArray[np.int64]) -> Coded:
    """Cut a column into bands that begin at the starts given and below the first of them."""
    return Coded(
        np.searchsorted(starts, values, side="right"), tuple(f"b{i:02d}" for i in range(len(starts) + 1))
    )


def _bands(held: Policies) -> dict[str, Coded]:
    """Eight categorical features: 6 + 12 + 11 + 2 + 22 + 20 + 30 + 26 levels, 122 coefficients."""
    return {
        **held.coded,
        "VehAge": _banded(held.veh_age, np.arange(1, 20)),
        "DrivAge": _banded(held.driv_age, np.arange(21, 79, 2)),
        "BonusMalus": _banded(held.bonus_malus, np.arange(51, 101, 2)),
    }


def banded(rows: int) -> Table:
    """Make the table of eight categorical columns."""
    held = policies(rows)
    return Table("ClaimNb", _counts(held, rows), {**_bands(held)}, held.exposure).used()


def severity(rows: int) -> Table:
    """Make the table of claim amounts, about 2,000 in the mean, by the eight banded features."""
    held = policies(rows, seed=7)
    rng = np.random.default_rng([SEED, 8, rows])
    mean = 1_900.0 * np.exp(0.5 * (held.risk - held.risk.mean()))
    return Table("ClaimAmount", np.maximum(rng.gamma(0.8, mean / 0.8), 0.01), {**_bands(held)}).used()
