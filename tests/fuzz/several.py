"""Models of several linear predictors drawn at random, and what a fit of one came to.

A fit stands at finite coefficients, far out where some run away: there the textbook's log-likelihood is
differentiated in as many digits as it takes.

Read next: tests/fuzz/test_several.py, which counts verdicts; tests/fuzz/recipes.py for single predictors.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import mpmath as mp
import numpy as np
from hypothesis import strategies as st

import etamu as em
from etamu.solve.outcome import Outcome
from tests.family.reference import BOUNDED
from tests.family.vector_reference import LOG_DENSITIES, differentiated, log_density
from tests.fuzz import recipes
from tests.fuzz.verdict import BOUNDARY, INFINITE, REFUSED, RIGHT, UNCONVERGED, column

DIGITS, MOST_DIGITS = 30, 120
STEP, ENDED = 1e-6, 1e-4
"""Most standard errors from the maximum, and from a limit that is looked at from a finite place."""
STILL, GONE = 1e-12, 1e-6
"""Curvature of a log density by its eta that is as good as none, and on the way to a limit."""
FLAT = 1e-9
"""Curvature, beside the largest of its column, below which a direction is one that runs away."""
RISE, MISS = 1e-9, 1e-6
"""Of itself, how much the log-likelihood may miss what is said of it, and of the limit of one that rises."""

LINKS = ("logit", "probit", "cloglog", "loglog", "cauchit")
CLASSES = (
    em.Multinomial(),
    *(em.Cumulative(link) for link in LINKS),
    *(em.ContinuationRatio(link) for link in LINKS),
    em.AdjacentCategory(),
)
COUNTS = (
    em.NegativeBinomial1(),
    em.NegativeBinomial2(),
    em.GeneralizedPoisson(),
    em.HurdlePoisson(),
    em.HurdleNegativeBinomial(),
    em.ZeroInflatedPoisson(),
    em.ZeroInflatedPoisson(zero_link="probit"),
    em.ZeroInflatedNegativeBinomial(),
    em.ZeroTruncatedPoisson(),
    em.ZeroTruncatedNegativeBinomial(),
)
SHARES = (em.Beta(), em.Beta(link="cloglog"), em.BetaBinomial())
FAMILIES = (*CLASSES, *COUNTS, *SHARES)
"""Conway-Maxwell-Poisson is not among them: its mean is a root of a series, dear in many digits."""
HOSTILE = ("tiny", "huge", "far", "constant", "copy", "sum", "spike", "zero")


@dataclass(frozen=True)
class Recipe:
    """The choices, named as those of a single predictor are."""

    family: Any
    rows: int
    numbers: tuple[str, ...]
    factor: str
    second: bool
    response: str
    weights: str
    extent: str
    offset: str
    seed: int
    together: str = "none"

    @property
    def fair(self) -> bool:
        """Whether the response could be the model's and columns are of usual size."""
        return self.response == "model" and set(self.numbers) <= set(recipes.PLAIN)


def drawn() -> st.SearchStrategy[Recipe]:
    """Draw recipes."""
    return st.builds(
        Recipe,
        family=st.sampled_from(CLASSES) | st.sampled_from(COUNTS) | st.sampled_from(SHARES),
        rows=st.integers(3, 24),
        numbers=st.lists(
            st.sampled_from(recipes.PLAIN) | st.sampled_from((*recipes.PLAIN, *HOSTILE)), max_size=2
        ).map(tuple),
        factor=st.sampled_from(recipes.FACTORS),
        second=st.booleans(),
        response=st.sampled_from(("model", "model", "model", "equal", "zero", "separated", "extreme")),
        weights=st.sampled_from(recipes.WEIGHTS),
        extent=st.sampled_from(("usual", "zeros")),
        offset=st.sampled_from(("none", "none", "usual", "constant")),
        seed=st.integers(0, 2**32 - 1),
    )


def fitted(recipe: Recipe) -> tuple[Any, dict[str, Any]]:
    """Make the data of a recipe and fit it."""
    rng = np.random.default_rng(recipe.seed)
    columns: list[np.ndarray] = []
    for kind in recipe.numbers:
        columns.append(recipes.number(kind, recipe.rows, columns, rng))
    data: dict[str, Any] = {f"x{j}": values for j, values in enumerate(columns)}
    terms = list(data)
    wave = sum((0.4 * recipes.standard(values) for values in columns), np.zeros(recipe.rows))
    if recipe.factor != "none":
        terms += recipes.factor(recipe, data, rng, terms)
    data["y"] = _response(recipe, np.clip(wave, -1.0, 1.0), data, rng)
    options = recipes.weights(recipe, data, rng) | recipes.offset(recipe, data, rng)
    right = " + ".join(terms or ["1"])
    if recipe.second and terms and recipe.family not in CLASSES:
        options["predictors"] = dict.fromkeys(_further(recipe.family), f"~ {terms[0]}")
    if "m" in data:
        options["trials"] = "m"
    return em.glm(f"y ~ {right}", data, family=recipe.family, **options), data


def _further(family: Any) -> tuple[str, ...]:
    return tuple(parameter.name for parameter in family.parameters[1:2])


def _response(recipe: Recipe, wave: np.ndarray, data: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
    n, family = recipe.rows, recipe.family
    lowest = 1.0 if "truncated" in family.name else 0.0
    if family in CLASSES:
        latent = 2.0 * wave + rng.logistic(size=n)
        made = np.digitize(latent, [-0.7, 0.8]).astype(float)
        highest = 2.0
    elif family in COUNTS:
        made = np.maximum(rng.poisson(np.exp(0.5 + wave) * rng.gamma(2.0, 0.5, n)), lowest).astype(float)
        highest = 5.0
    elif family.name == "beta":
        made, lowest, highest = rng.beta(2.0 + wave, 2.0), 1e-9, 1.0 - 1e-9
    else:
        data["m"] = rng.integers(1, 9, n).astype(float)
        made, highest = (
            rng.binomial(data["m"].astype(int), rng.beta(2.0 + wave, 2.0)).astype(float),
            data["m"],
        )
    if recipe.response == "equal":
        return np.full(n, np.min(made))
    if recipe.response == "zero":
        return np.full(n, lowest)
    if recipe.response == "separated":
        return np.where(wave > 0.0, highest, lowest)
    if recipe.response == "extreme" and family in COUNTS:
        return np.floor(10.0 ** rng.uniform(0.0, 6.0, n))
    return np.asarray(made)


# --- the textbook ---


def _tails(link: str, eta: mp.mpf) -> tuple[mp.mpf, mp.mpf]:
    if eta > 200 and link == "cloglog":  # e^-e^200 is a number that takes a minute
        return mp.mpf(1), mp.mpf(0)
    if eta < -200 and link == "loglog":
        return mp.mpf(0), mp.mpf(1)
    mean = BOUNDED[link](eta)
    return mean.mu, mean.complement


def _between(link: str, low: mp.mpf, high: mp.mpf) -> mp.mpf:
    below, above = _tails(link, low), _tails(link, high)
    part = above[0] - below[0] if above[0] < below[1] else below[1] - above[1]
    return mp.log(part) if part > 0 else mp.mpf("-inf")


def _cumulative(family: Any, y: int, *at: mp.mpf) -> mp.mpf:
    *thresholds, location = at
    link = family.link.name
    if y == 0:
        return mp.log(_tails(link, thresholds[0] - location)[0])
    if y == len(thresholds):
        return mp.log(_tails(link, thresholds[-1] - location)[1])
    return _between(link, thresholds[y - 1] - location, thresholds[y] - location)


def _continuation_ratio(family: Any, y: int, *at: mp.mpf) -> mp.mpf:
    *thresholds, location = at
    steps = [_tails(family.link.name, each - location) for each in thresholds]
    passed = sum((mp.log(on) for _, on in steps[:y]), mp.mpf(0))
    return passed + (mp.log(steps[y][0]) if y < len(steps) else 0)


def _softmax(scores: list[mp.mpf], y: int) -> mp.mpf:
    return -mp.log(sum(mp.exp(score - scores[y]) for score in scores))


def _adjacent_category(_: Any, y: int, *at: mp.mpf) -> mp.mpf:
    *thresholds, location = at
    scores = [mp.mpf(0)]
    for each in thresholds:
        scores.append(scores[-1] - (each - location))
    return _softmax(scores, y)


def _multinomial(_: Any, y: int, *at: mp.mpf) -> mp.mpf:
    return _softmax([mp.mpf(0), *at], y)


OF_CLASSES = {
    "multinomial": _multinomial,
    "cumulative": _cumulative,
    "continuation_ratio": _continuation_ratio,
    "adjacent_category": _adjacent_category,
}


@dataclass(frozen=True)
class Textbook:
    """The log-likelihood of a fit's coefficients, in many digits: columns, responses and weights by row."""

    family: Any
    x: list[np.ndarray]
    y: list[tuple[Any, ...]]
    weight: np.ndarray
    offset: np.ndarray
    shifted: list[bool]

    def etas(self, row: int, coef: list[mp.mpf]) -> list[mp.mpf]:
        """Compute the etas of a row."""
        out, start = [], 0
        for columns, with_offset in zip(self.x, self.shifted, strict=True):
            own = coef[start : start + columns.shape[1]]
            start += columns.shape[1]
            eta = mp.fsum(mp.mpf(float(v)) * c for v, c in zip(columns[row], own, strict=True))
            out.append(eta + (mp.mpf(float(self.offset[row])) if with_offset else 0))
        return out

    def at(self, row: int, *eta: mp.mpf) -> mp.mpf:
        """Compute the log density of a row."""
        if self.family.name in OF_CLASSES:
            return OF_CLASSES[self.family.name](self.family, *self.y[row], *eta)
        return log_density(self.family, self.y[row], eta)

    def sizes(self) -> list[float]:
        """Compute the sum of squares of every column."""
        return [float(self.weight @ v**2) for columns in self.x for v in columns.T]

    def value(self, coef: list[mp.mpf]) -> mp.mpf:
        """Compute the log-likelihood."""
        rows = np.flatnonzero(self.weight)  # a row without weight may be one that cannot be
        return mp.fsum(mp.mpf(float(self.weight[i])) * self.at(i, *self.etas(i, coef)) for i in rows)

    def local(self, coef: list[mp.mpf]) -> tuple[mp.mpf, mp.matrix, mp.matrix]:
        """Compute the log-likelihood, its gradient and the observed information."""
        size = len(coef)
        value, score, information = mp.mpf(0), mp.matrix(size, 1), mp.matrix(size, size)
        for row in np.flatnonzero(self.weight):
            w = self.weight[row]
            etas = self.etas(row, coef)
            of_row = differentiated(lambda *eta, row=row: self.at(row, *eta), etas, _digits(etas))
            spread = [(k, mp.mpf(float(v))) for k, columns in enumerate(self.x) for v in columns[row]]
            value += float(w) * of_row[0]
            for i, (k, v) in enumerate(spread):
                score[i] += float(w) * v * of_row[1][k]
                for j, (m, u) in enumerate(spread):
                    information[i, j] += float(w) * v * u * of_row[2][k][m]
        return value, score, information


def _digits(etas: list[mp.mpf]) -> int:
    """Return the digits of a derivative: e^eta far out is as large as what is left beside it is small."""
    far = float(max((abs(eta) for eta in etas), default=0))
    return int(min(DIGITS + far, MOST_DIGITS))


assert set(OF_CLASSES) | set(LOG_DENSITIES) >= {family.name for family in FAMILIES}


# --- the judge ---


def verdict(recipe: Recipe) -> tuple[str, str]:
    """Fit, and return the verdict and a remark; an AssertionError is a defect."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            fit, data = fitted(recipe)
            str(fit)
        except em.EtamuError as error:
            return REFUSED, f"{type(error).__name__}: {str(error)[:70]}"
    for warning in said:
        assert issubclass(warning.category, em.EtamuWarning), f"a bare warning: {warning.message!r}"
    if fit.outcome is not Outcome.CONVERGED:
        told = any(issubclass(warning.category, em.ConvergenceWarning) for warning in said)
        assert told, f"{fit.outcome} without a warning"
    if fit.limit is None and fit.outcome is not Outcome.CONVERGED:
        return (BOUNDARY if fit.outcome is Outcome.BOUNDARY else UNCONVERGED), fit.outcome.value
    if fit.limit is not None and fit.limit.outcome is Outcome.BOUNDARY and fit.limit.count:
        return BOUNDARY, "of the limit"
    if fit.limit is not None and fit.limit.outcome is not Outcome.CONVERGED:
        return UNCONVERGED, f"the limit is {fit.limit.outcome.value}"
    coef = fit.coordinates.reported(fit.beta)  # far out where some run away
    kept = ~np.isnan(coef)
    book = _opened(fit, data, kept)
    there = [mp.mpf(float(each)) for each in coef[kept]]
    with mp.workdps(3 * DIGITS):
        if fit.solution.local.value == np.inf:
            _unbounded(fit, book, there, kept)
            return BOUNDARY, "no bound"
        value, score, information = book.local(there)
        if recipe.weights != "sampling":  # whose likelihood is none
            miss = (RISE if fit.limit is None else MISS) * (1 + abs(value))
            said_of = f"the log-likelihood is {mp.nstr(value, 15)}, not {fit.loglik}"
            assert abs(value - fit.loglik) <= miss, said_of
        still = STILL if fit.limit is None else GONE
        step, least = _distance(score, information, [still * size for size in book.sizes()])
        rounding = float(sum(abs(c) * mp.sqrt(abs(information[i, i])) for i, c in enumerate(there)))
        allowed = (STEP if fit.limit is None else ENDED) + 4.0 * np.finfo(float).eps * rounding
        assert step <= allowed, f"{float(step):.1e} standard errors off, rounding {rounding:.0e} eps"
        assert least > -allowed, f"curved upwards: {float(least):.1e}"
        if fit.limit is None:
            assert least > FLAT**2, f"converged on a flat of {float(least):.0e}"
            return RIGHT, ""
        _rising(fit, book, there, kept, value)
    return (INFINITE if fit.outcome is Outcome.INFINITE else BOUNDARY), ""


def _opened(fit: Any, data: dict[str, Any], kept: np.ndarray) -> Textbook:
    n = len(data["y"])
    places = iter(kept)
    x: list[np.ndarray] = []
    for parameter, names in fit.predictors.items():
        bare = ["Intercept" if name == parameter else name.removeprefix(f"{parameter}:") for name in names]
        own = [column(name, data, n) for name in bare if next(places)]
        x.append(np.stack(own, axis=1) if own else np.zeros((n, 0)))
    weight = np.asarray(data.get("w", np.ones(n)), float)
    if fit.family.name in OF_CLASSES:
        y: list[tuple[Any, ...]] = [(sorted(set(data["y"])).index(each),) for each in data["y"]]
    else:
        y = (
            [(float(a), float(b)) for a, b in zip(data["y"], data["m"], strict=True)]
            if "m" in data
            else [(float(each),) for each in data["y"]]
        )
    with_offset = [each.offset for each in fit.problem.predictors]
    return Textbook(fit.family, x, y, weight, np.asarray(data.get("o", np.zeros(n)), float), with_offset)


def _distance(score: mp.matrix, information: mp.matrix, least: list[float]) -> tuple[mp.mpf, mp.mpf]:
    """Return the length of Newton's step off the flat, and the least curvature, of columns of length one."""
    size = len(score)
    scale = [mp.sqrt(max(abs(information[i, i]), least[i])) or mp.mpf(1) for i in range(size)]
    scaled = mp.matrix(size, size)
    for i in range(size):
        for j in range(size):
            scaled[i, j] = information[i, j] / (scale[i] * scale[j])
    values, vectors = mp.eigsy(scaled)
    along = [mp.fsum(vectors[i, k] * score[i] / scale[i] for i in range(size)) for k in range(size)]
    steps = [a**2 / v for a, v in zip(along, values, strict=True) if v > FLAT]
    return mp.sqrt(mp.fsum(steps)), min(values, default=mp.mpf(1))


def _rising(fit: Any, book: Textbook, there: list[mp.mpf], kept: np.ndarray, value: mp.mpf) -> None:
    """Hold that the log-likelihood does not fall along the direction it is said to rise for ever."""
    way = fit.coordinates.reported(fit.limit.direction)[kept]
    moved = [mp.mpf(float(d)) for d in way]
    for length in (1, 30):
        fallen = value - book.value([c + length * d for c, d in zip(there, moved, strict=True)])
        assert fallen <= 1e-12 * (1 + abs(value)), f"falls by {mp.nstr(fallen, 5)} where it is said to rise"


def _unbounded(fit: Any, book: Textbook, there: list[mp.mpf], kept: np.ndarray) -> None:
    """Hold that the log-likelihood rises by half a unit per row, until means have no more digits."""
    way = fit.coordinates.reported(fit.limit.direction)[kept]
    near, nearer = (
        book.value([c - mp.mpf(float(d * out * fit.limit.far)) for c, d in zip(there, way, strict=True)])
        for out in (0.3, 0.4)
    )
    assert near - nearer > 0.1, "said to rise without bound, and does not"
