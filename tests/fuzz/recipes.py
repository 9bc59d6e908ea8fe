"""Models drawn at random: from the friendly to the hostile, each from a few choices and a seed.

A recipe is what hypothesis draws and shrinks; its numbers follow from its seed.

Read next: tests/fuzz/verdict.py, which fits a dish and judges the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from etamu.family.borrowed import Binomial, QuasiPoisson
from etamu.family.catalogue import pairs
from etamu.family.unit import Unit
from tests.catalogue import LINKS, UNITS, responses
from tests.samples import FITTED, response

POOL: tuple[Unit, ...] = (*UNITS, *pairs([Binomial(), QuasiPoisson()], LINKS))
SUITED = tuple(unit for unit in POOL if unit in FITTED or unit.family.name == "binomial")
"""Pairs whose link can reach every mean."""

PLAIN = ("usual", "integer", "year")
NUMBERS = (*PLAIN, "tiny", "huge", "far", "wild", "constant", "copy", "sum", "near", "spike", "zero")
FACTORS = (*("none",) * 9, *("even",) * 4, *("rare",) * 3, *("unused",) * 3, "single")
TOGETHER = ("none", "cross", "slopes", "factors")
RESPONSES = ("model", "model", "model", "edge", "equal", "zero", "extreme", "separated")
WEIGHTS = ("none", "none", "frequency", "variance", "sampling")
EXTENTS = ("usual", "zeros", "extreme")
OFFSETS = ("none", "none", "usual", "constant", "far")
SOLVERS = (*("newton",) * 28, "irls", "lbfgs")
COVARIANCES = (None, None, None, "observed", "HC0", "HC3")
DISPERSIONS = (None, None, None, "pearson", "deviance", 2.0)


@dataclass(frozen=True)
class Recipe:
    """The choices; the words are those of the tables above."""

    unit: Unit
    rows: int
    numbers: tuple[str, ...]
    factor: str
    together: str
    intercept: bool
    response: str
    weights: str
    extent: str
    offset: str
    missing: bool
    solver: str
    covariance: str | None
    dispersion: str | float | None
    seed: int

    @property
    def plain(self) -> bool:
        """Whether columns are of usual size, so that a linear program in double precision can judge."""
        return set(self.numbers) <= set(PLAIN) and self.extent != "extreme"

    @property
    def fair(self) -> bool:
        """Whether the response could be the model's, columns are plain, and every mean has an eta."""
        usual = self.response == "model" and self.offset in {"none", "usual"} and self.solver == "newton"
        return usual and self.plain and self.unit in SUITED

    @property
    def friendly(self) -> bool:
        """Whether nothing about it is hostile."""
        enough = self.rows >= 24 and len(self.numbers) <= 2 and self.factor in {"none", "even"}
        # Without a constant a number of both signs leaves half a line, and no column at all leaves 0.
        whole = self.unit.domain.whole and bool(self.numbers)
        some = self.intercept or self.factor != "none" or whole
        return self.fair and enough and some and self.extent == "usual" and self.together == "none"


def recipes() -> st.SearchStrategy[Recipe]:
    """Draw recipes; a third of the pairs are all, two thirds those that suit any response."""
    return st.builds(
        Recipe,
        unit=st.sampled_from(SUITED) | st.sampled_from(POOL),
        rows=st.integers(3, 40) | st.integers(1, 6),
        numbers=st.lists(st.sampled_from(PLAIN) | st.sampled_from(NUMBERS), max_size=4).map(tuple),
        factor=st.sampled_from(FACTORS),
        together=st.sampled_from(TOGETHER),
        intercept=st.sampled_from((True, True, True, False)),
        response=st.sampled_from(RESPONSES),
        weights=st.sampled_from(WEIGHTS),
        extent=st.sampled_from(EXTENTS),
        offset=st.sampled_from(OFFSETS),
        missing=st.sampled_from((False, False, False, True)),
        solver=st.sampled_from(SOLVERS),
        covariance=st.sampled_from(COVARIANCES),
        dispersion=st.sampled_from(DISPERSIONS),
        seed=st.integers(0, 2**32 - 1),
    )


@dataclass(frozen=True)
class Dish:
    """A model ready to be fitted, and its columns for those who check the answer."""

    recipe: Recipe
    formula: str
    data: dict[str, Any]
    options: dict[str, Any]


def cooked(recipe: Recipe) -> Dish:
    """Make data and options from a recipe."""
    rng = np.random.default_rng(recipe.seed)
    n = recipe.rows
    numbers: list[np.ndarray] = []
    for kind in recipe.numbers:
        numbers.append(number(kind, n, numbers, rng))
    data: dict[str, Any] = {f"x{j}": values for j, values in enumerate(numbers)}
    terms = list(data)
    wave = np.clip(sum((0.2 * standard(values) for values in numbers), np.zeros(n)), -0.49, 0.49)
    if recipe.factor != "none":
        terms += factor(recipe, data, rng, terms)
    data["y"] = _response(recipe, wave, data, rng)
    options: dict[str, Any] = {"family": recipe.unit.family, "link": recipe.unit.link}
    if "trials" in recipe.unit.family.response:
        options["trials"] = "m"
    options |= weights(recipe, data, rng) | offset(recipe, data, rng)
    options |= {"solver": recipe.solver, "covariance": recipe.covariance, "dispersion": recipe.dispersion}
    if recipe.missing and n > 2 and numbers:
        data["x0"] = np.where(np.arange(n) == int(rng.integers(n)), np.nan, data["x0"])
    right = " + ".join(terms or ["1"]) if recipe.intercept else " + ".join(["0", *terms])
    return Dish(recipe, f"y ~ {right}", data, options)


def standard(values: np.ndarray) -> np.ndarray:
    scaled = values / (np.max(np.abs(values)) or 1.0)
    return np.asarray((scaled - scaled.mean()) / (np.std(scaled) or 1.0))


def number(kind: str, n: int, before: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    z = rng.normal(size=n)
    last = before[-1] if before else np.ones(n)
    made = {
        "usual": lambda: z,
        "integer": lambda: rng.integers(-2, 4, n).astype(float),
        "year": lambda: rng.integers(1990, 2025, n).astype(float),
        "tiny": lambda: z * 1e-12,
        "huge": lambda: z * 1e12,
        "far": lambda: 1.7e9 + 100.0 * z,
        "wild": lambda: z * 10.0 ** rng.uniform(-100, 100, n),
        "constant": lambda: np.full(n, float(rng.integers(-3, 4))),
        "copy": last.copy,
        "sum": lambda: np.sum([*before, np.ones(n)], axis=0),
        "near": lambda: last * (1.0 + 1e-9 * z),
        "spike": lambda: np.where(np.arange(n) == rng.integers(n), 1.0, 0.0),
        "zero": lambda: np.zeros(n),
    }
    return np.asarray(made[kind](), dtype=float)


def factor(recipe: Recipe, data: dict[str, Any], rng: np.random.Generator, numbers: list[str]) -> list[str]:
    n, letters = recipe.rows, "abcd"
    share = {"even": (0.25,) * 4, "rare": (0.6, 0.35, 0.025, 0.025), "single": (1.0, 0.0, 0.0, 0.0)}
    codes = rng.choice(4, n, p=share.get(recipe.factor, (0.5, 0.5, 0.0, 0.0)))
    if recipe.factor != "single":
        codes[:2] = (0, 1)[:n]  # two levels at least, or there is nothing but an error to see
    labels = np.array(list(letters))[codes]
    unused = recipe.factor == "unused"
    data["g"] = pd.Categorical(labels, categories=[*letters, "z"]) if unused else labels
    if recipe.together == "factors":
        data["h"] = np.array(["p", "q"])[np.concatenate([[0, 1], rng.integers(0, 2, n)])[:n]]
        return ["g * h"]
    if recipe.together == "none" or not numbers:
        return ["g"]
    return [f"g * {numbers[0]}" if recipe.together == "cross" else f"g + g:{numbers[0]}"]


def _response(recipe: Recipe, wave: np.ndarray, data: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
    unit, n = recipe.unit, recipe.rows
    if "trials" in unit.family.response:
        data["m"] = rng.integers(0 if recipe.response == "edge" else 1, 9, n).astype(float)
        share = {"zero": 0.0, "equal": 1.0}.get(recipe.response, 0.5)
        chance = (wave > 0).astype(float) if recipe.response == "separated" else share + wave * (share == 0.5)
        return rng.binomial(data["m"].astype(int), chance).astype(float)
    if recipe.response == "model":
        return response(unit, wave, rng)
    support = responses(unit.family)
    lowest, highest = float(support.min()), float(support.max())
    if recipe.response == "zero":
        return np.full(n, lowest)
    if recipe.response == "equal":
        return np.full(n, float(rng.choice(support)))
    if recipe.response == "separated":
        return np.where(wave > 0, highest if highest <= 1.0 else 5.0, lowest)
    if recipe.response == "edge":
        return np.where(rng.random(n) < 0.8, lowest, rng.choice(support[support <= 5.0], n))
    drawn = 10.0 ** rng.uniform(-12.0, 12.0, n)
    if unit.family.mean.upper == 1.0:
        return rng.choice(support, n)
    return np.floor(drawn) if unit.family.support.integer else drawn


def weights(recipe: Recipe, data: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    if recipe.weights == "none":
        return {}
    n = recipe.rows
    whole = recipe.weights == "frequency"
    weight = rng.integers(1, 5, n).astype(float) if whole else rng.uniform(0.2, 3.0, n)
    if recipe.extent == "zeros":
        weight = np.where(rng.random(n) < 0.3, 0.0, weight)
    elif recipe.extent == "extreme":
        weight = 10.0 ** rng.integers(0, 9, n) if whole else 10.0 ** rng.uniform(-60.0, 60.0, n)
    data["w"] = weight.astype(float)
    return {f"{recipe.weights}_weights": "w"}


def offset(recipe: Recipe, data: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    if recipe.offset == "none":
        return {}
    n = recipe.rows
    made = {
        "usual": rng.uniform(-0.2, 0.2, n),
        "constant": np.full(n, 0.1),
        "far": rng.choice([-700.0, 0.0, 700.0], n),
    }
    data["o"] = made[recipe.offset]
    return {"offset": "o"}
