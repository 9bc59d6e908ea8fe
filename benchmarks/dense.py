"""Generators of dense problems, and of tables that are no insurance: seeded, the same bits in every process.

May import: numpy, benchmarks.problem.
Read next: `benchmarks.motor`.
"""

from __future__ import annotations

import numpy as np

from benchmarks.problem import Array, Coded, Dense, Table

SEED = 2026


def _predictors(rows: int, columns: int, seed: int) -> tuple[np.random.Generator, Array, Array]:
    """Draw N(0, 1) columns and an eta of standard deviation 0.6 around -1."""
    rng = np.random.default_rng([SEED, seed, rows, columns])
    X = rng.standard_normal((rows, columns))
    beta = rng.standard_normal(columns)
    eta = X @ (0.6 * beta / np.linalg.norm(beta)) - 1.0
    return rng, X, eta


def logistic(rows: int, columns: int) -> Dense:
    """Draw yes-or-no responses, about 28 % of them yes."""
    rng, X, eta = _predictors(rows, columns, 1)
    return Dense(X, (rng.random(rows) * (1.0 + np.exp(-eta)) < 1.0).astype(np.float64))


def poisson(rows: int, columns: int) -> Dense:
    """Draw counts of mean about 0.44."""
    rng, X, eta = _predictors(rows, columns, 2)
    return Dense(X, rng.poisson(np.exp(eta)).astype(np.float64))


def _names(prefix: str, levels: int) -> tuple[str, ...]:
    digits = len(str(levels - 1))
    return tuple(f"{prefix}{i:0{digits}d}" for i in range(levels))


def crossed(rows: int, first: int, second: int, numbers: int) -> Table:
    """Draw counts of mean about 0.5 by two crossed factors of many uneven levels, and some numbers.

    The rarest level has about a quarter of its even share: none is left without a claim.
    """
    rng = np.random.default_rng([SEED, 3, rows, first, second, numbers])
    eta = np.full(rows, -0.9)
    terms: dict[str, Coded | Array] = {}
    for name, levels in (("model", first), ("dealer", second)):
        share = (np.arange(levels) + levels / 20.0) ** -0.5
        codes = rng.choice(levels, rows, p=rng.permutation(share) / share.sum())
        eta += 0.4 * rng.standard_normal(levels)[codes]
        terms[name] = Coded(codes, _names(name[0], levels))
    for j in range(numbers):
        x = rng.standard_normal(rows)
        eta += 0.2 * rng.standard_normal() * x
        terms[f"x{j}"] = x
    return Table("count", rng.poisson(np.exp(eta)).astype(np.float64), terms).used()


def small(rows: int) -> Table:
    """Draw a textbook table: two factors of three and four levels, three numbers, a yes-or-no response."""
    rng = np.random.default_rng([SEED, 4, rows])
    group = Coded(rng.integers(0, 3, rows), ("a", "b", "c"))
    site = Coded(rng.integers(0, 4, rows), ("east", "north", "south", "west"))
    age = np.round(rng.uniform(18.0, 80.0, rows))
    dose = rng.gamma(4.0, 0.5, rows)
    score = rng.standard_normal(rows)
    eta = -1.0 + np.array([0.0, 0.5, -0.3])[group.codes] + np.array([0.0, 0.2, -0.2, 0.4])[site.codes]
    eta += 0.02 * (age - 50.0) + 0.3 * dose - 0.5 * score
    y = (rng.random(rows) * (1.0 + np.exp(-eta)) < 1.0).astype(np.float64)
    return Table("cured", y, {"group": group, "site": site, "age": age, "dose": dose, "score": score})
