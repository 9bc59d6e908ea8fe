"""Put R's reference cases to the public door of etamu, and say where etamu differs on purpose.

Read first: tests/references/README.md. Read next: tests/test_oracle.py, which compares the answers.
"""

from __future__ import annotations

import ast
import functools
import json
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import etamu as em

REFERENCES = Path(__file__).parent / "references"
SPECIAL = {"NaN": np.nan, "Inf": np.inf, "-Inf": -np.inf}
LINKS = {"1/mu^2": "inverse_squared"}
QUASI_VARIANCES = {"constant": "1", "mu": "mu", "mu(1-mu)": "mu*(1-mu)", "mu^2": "mu**2", "mu^3": "mu**3"}
FUNCTIONS = {"log": np.log, "log2": np.log2, "log10": np.log10, "sqrt": np.sqrt, "exp": np.exp}


# --- reading ---


def identifiers() -> list[str]:
    """Name every case."""
    return sorted(path.stem for path in (REFERENCES / "cases").glob("*.json"))


@functools.cache
def case(identifier: str) -> dict[str, Any]:
    """Read one case."""
    return json.loads((REFERENCES / "cases" / f"{identifier}.json").read_text(encoding="utf-8"))


def number(value: Any) -> float:
    """Read R's number: null is NA, and so are the strings for what JSON cannot say."""
    if value is None:
        return np.nan
    return SPECIAL[value] if isinstance(value, str) else float(value)


def numbers(values: Any) -> np.ndarray:
    """Read a list, the values of a dictionary, or a matrix of R's numbers."""
    if isinstance(values, dict):
        values = values["values"] if "values" in values else list(values.values())
    if values and isinstance(values[0], list):
        return np.array([[number(value) for value in row] for row in values])
    return np.array([number(value) for value in values])


@functools.cache
def table(name: str) -> pd.DataFrame:
    """Read a data set exactly: doubles round-trip, factors keep R's order of levels."""
    columns = json.loads((REFERENCES / "data" / f"{name}.levels.json").read_text(encoding="utf-8"))["columns"]
    path = next((REFERENCES / "data").glob(f"{name}.csv*"))
    data = pd.read_csv(path, dtype=object, keep_default_na=False, na_values=[""])
    for column, kind in columns.items():
        if kind["type"] == "factor":
            data[column] = pd.Categorical(data[column], categories=kind["levels"])
        elif kind["type"] in {"integer", "double"}:
            data[column] = np.array([float(text) for text in data[column]])
    return data


# --- asking ---


@dataclass(frozen=True)
class Question:
    """The arguments of one call of em.glm."""

    formula: str
    data: pd.DataFrame
    options: dict[str, Any] = field(default_factory=dict)


def question(asked: dict[str, Any]) -> Question:
    """Say in etamu's words what the case asks of R."""
    data = table(asked["data"]).copy()
    response = asked["response"]
    left, weights, options = _left(asked["formula"]), asked["weights"], {"family": _family(asked)}
    if response is None:
        pass
    elif response["type"] == "factor":
        levels = list(data[left].cat.categories)
        assert levels.index(response["success"]) == 1, "the second level is the success"
    else:
        left, weights = _counts(data, response, options, quasi=asked["family"].startswith("quasi"))
    if weights is not None:
        options["variance_weights"] = weights
    if asked["offset"] is not None:
        data["offset_"] = eval(asked["offset"], {"__builtins__": {}}, {**FUNCTIONS, **data})
        options["offset"] = "offset_"
    if asked["family"] == "negative.binomial":
        options["dispersion"] = "pearson"
    if asked["start"] is not None:
        options["start"] = np.array(asked["start"], dtype=float)
    options["link"] = _link(asked["link"])
    return Question(f"{left} ~ {right(asked)}", data, options)


def right(asked: dict[str, Any]) -> str:
    """Return formulaic's text of the right-hand side, R's where only R has the basis."""
    return asked["formulaic_rhs"] or _python(asked["formula"].partition("~")[2].strip())


def _left(formula: str) -> str:
    return _python(formula.partition("~")[0].strip())


def _python(text: str) -> str:
    return text.replace("^", "**").replace("factor(", "C(")


def _counts(
    data: pd.DataFrame, response: dict[str, str], options: dict[str, Any], *, quasi: bool
) -> tuple[str, str | None]:
    """Add the columns `successes_`, `trials_`, `proportion_`; name the response and the weights."""
    if response["type"] == "successes_failures":
        data["successes_"] = data[response["successes"]]
        data["trials_"] = data[response["successes"]] + data[response["failures"]]
    else:
        data["trials_"] = data[response["trials"]]
        data["successes_"] = (data[response["proportion"]] * data["trials_"]).round()
    if quasi:
        data["proportion_"] = data["successes_"] / data["trials_"].where(data["trials_"] > 0, 1.0)
        return "proportion_", "trials_"
    options["trials"] = "trials_"
    return "successes_", None


def _family(asked: dict[str, Any]) -> Any:
    name, parameters = asked["family"], asked["family_params"] or {}
    if name == "binomial":
        trials = asked["response"] is not None and asked["response"]["type"] != "factor"
        return "binomial" if trials else "bernoulli"
    if name == "negative.binomial":
        return em.NegativeBinomial(parameters["theta"])
    if name == "tweedie":
        return em.Tweedie(parameters["var_power"])
    if name == "quasi":
        return em.Quasi(QUASI_VARIANCES[parameters["variance"]])
    return {
        "gaussian": "gaussian",
        "poisson": "poisson",
        "Gamma": "gamma",
        "inverse.gaussian": "inverse_gaussian",
        "quasipoisson": "quasipoisson",
        "quasibinomial": "quasibinomial",
    }[name]


def _link(text: str) -> Any:
    power = re.fullmatch(r"power\((.+)\)", text)
    return em.Power(float(power[1])) if power else LINKS.get(text, text)


@dataclass(frozen=True)
class Answer:
    """What em.glm answered, what it warned of, and the question."""

    fit: Any
    warned: tuple[type[Warning], ...]
    question: Question


@functools.cache
def answer(identifier: str) -> Answer:
    """Put the case to the door, once."""
    asked = question(case(identifier))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = em.glm(asked.formula, asked.data, **asked.options)
    return Answer(fit, tuple(warning.category for warning in caught), asked)


def names(asked: dict[str, Any]) -> list[str]:
    """Translate R's coefficient names into formulaic's, in R's order.

    The map was verified column by column; it lacks R's bases, whose k-th column formulaic calls `term[k]`.
    """
    known = asked["formulaic"]
    mapping = dict(known.get("coef_map", {}))
    mapping |= dict(
        zip(known.get("unmatched_r_columns", []), known.get("extra_formulaic_columns", []), strict=True)
    )
    return [mapping.get(name) or _unmapped(name, asked["data"]) for name in asked["expected"]["coef"]]


def _unmapped(name: str, data: str) -> str:
    if name == "(Intercept)":
        return "Intercept"
    if basis := re.fullmatch(r"(.+\))(\d+)", name):
        return f"{ast.unparse(ast.parse(basis[1]))}[{basis[2]}]"  # formulaic writes every call as Python does
    factors = {
        f"{column}{level}": f"{column}[T.{level}]"
        for column, values in table(data).items()
        if isinstance(values.dtype, pd.CategoricalDtype)
        for level in values.cat.categories
    }
    return ":".join(factors.get(part, part) for part in name.split(":"))


# --- differing on purpose ---

Quantity = str
Asked = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """A number of R that is not ours, the reason, and what it is instead."""

    quantities: frozenset[Quantity]
    applies: Callable[[Asked], bool]
    reason: str
    truth: Callable[[Asked, Quantity], float] | None
    """Ours, computed here without etamu; None where another test holds it."""


def _positive(asked: Asked) -> tuple[np.ndarray, np.ndarray]:
    """Weights and responses of the rows of positive weight."""
    data = table(asked["data"])
    weights = data[asked["weights"]].to_numpy()
    response = data[asked["formula"].partition("~")[0].strip()].to_numpy()
    return weights[weights > 0], response[weights > 0]


def _criterion(asked: Asked, quantity: Quantity, loglik: float) -> float:
    expected = asked["expected"]
    rows = expected["nobs"]
    penalty = {"loglik": 0.0, "aic": 2.0, "bic": np.log(rows)}[quantity]
    return loglik if quantity == "loglik" else -2 * loglik + penalty * expected["loglik_df"]


def _gaussian(asked: Asked, quantity: Quantity) -> float:
    weights, _ = _positive(asked)
    n, deviance = weights.size, asked["expected"]["deviance"]
    loglik = -0.5 * n * (np.log(2 * np.pi * deviance / n) + 1) + 0.5 * np.log(weights).sum()
    return _criterion(asked, quantity, loglik)


def _bernoulli(asked: Asked, quantity: Quantity) -> float:
    return _criterion(asked, quantity, -0.5 * asked["expected"]["deviance"])


def _unchanged(asked: Asked, quantity: Quantity) -> float:
    return _criterion(asked, quantity, number(asked["expected"]["loglik"]))


def _has_zero_weights(asked: Asked) -> bool:
    return asked["expected"]["n_zero_weights"] > 0


def _has_fractional_weights(asked: Asked) -> bool:
    if asked["weights"] is None or asked["response"] is not None:
        return False
    weights = table(asked["data"])[asked["weights"]]
    return bool((weights % 1 != 0).any())


LIKELIHOOD = frozenset({"loglik", "aic", "bic"})
DIFFERENCES = {
    "tweedie has a likelihood": Difference(
        LIKELIHOOD,
        lambda asked: asked["family"] == "tweedie",
        "statmod's family states no density, so R answers NA; ours is exact (held to mpmath elsewhere)",
        None,
    ),
    "a row of weight zero has no density": Difference(
        LIKELIHOOD,
        lambda asked: asked["family"] == "gaussian" and _has_zero_weights(asked),
        "R adds log(0) for every row of weight zero and answers -Inf; such rows do not count",
        _gaussian,
    ),
    "weights are not rounded": Difference(
        LIKELIHOOD,
        lambda asked: asked["family"] == "binomial" and _has_fractional_weights(asked),
        "R hands round(w) to dbinom (1.5 counts 2, 0.5 nothing), unlike its deviance; ours is sum w log f",
        _bernoulli,
    ),
    "a row of weight zero is not counted": Difference(
        frozenset({"bic"}),
        lambda asked: asked["family"] == "poisson" and _has_zero_weights(asked),
        "R's BIC takes the logarithm of all rows, though its own nobs() leaves those of weight zero out",
        _unchanged,
    ),
}


def difference(asked: Asked, quantity: Quantity) -> Difference | None:
    """Return the reason why R's quantity is not ours, if there is one."""
    for found in DIFFERENCES.values():
        if quantity in found.quantities and found.applies(asked):
            return found
    return None


def altered_rows(asked: Asked, column: str) -> np.ndarray:
    """Tell which of the observed rows R shows with residuals that are not those of the data.

    `glm` sets y to 0 in binomial rows of weight zero. And it clamps the means of bounded links into
    [2.2e-16, 1 - 2.2e-16]: a deviance residual that is 0 to the last digit is shown as 7e-7, a working
    residual of 0.02 as 1. Ours are of the data, with both tails computed.
    """
    observed = asked["expected"]["obs"]
    binomial = asked["family"] == "binomial"
    without_weight = numbers(observed["prior_weights"]) == 0
    clamped = numbers(observed["mu"]) >= 1 - 4e-16
    return binomial & (
        (without_weight & (column in {"resid_response", "resid_working"}))
        | (clamped & (column in {"resid_working", "resid_pearson", "resid_deviance"}))
    )


def scalars() -> list[tuple[str, str]]:
    """Pair every case with every scalar it answers."""
    quantities = ["deviance", "null_deviance", "loglik", "aic", "bic", "dispersion", "pearson_chi2"]
    return [(identifier, quantity) for identifier in identifiers() for quantity in quantities]


def predicted(fit: Any, asked: Asked, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Predict the case's new rows, with standard errors."""
    rows = pd.DataFrame(asked["expected"]["predict"]["newdata"])
    if asked["offset"] is not None:
        rows["offset_"] = eval(asked["offset"], {"__builtins__": {}}, {**FUNCTIONS, **rows})
    answered = fit.predict(rows, kind=kind, se=True)
    return np.asarray(answered.estimate), np.asarray(answered.se)
