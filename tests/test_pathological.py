"""Every hostile case ends as tests/pathological.py says: a number, a certificate or a named refusal."""

from __future__ import annotations

import functools
import json
import re
import warnings
from typing import Any

import numpy as np
import pytest

import etamu as em
from etamu._base.errors import ConvergenceWarning
from etamu.solve.outcome import Outcome
from tests import oracle
from tests.pathological import (
    BOUNDARIES,
    CASES,
    INFINITE,
    OTHERS,
    REFUSED,
    Boundary,
    Infinite,
    Number,
    Refused,
)

BEST = ("reference_mp_exact_decimal", "reference_mp", "reference_exact", "reference", "reference_tight")
"""References, the best first."""
LIMIT = 1e-6
"""How near an infinite case has come to the deviance and the finite coefficients of its limit."""
NUMBERS = [name for name, expected in CASES.items() if isinstance(expected, Number)]


@functools.cache
def asked(name: str) -> dict[str, Any]:
    text = (oracle.REFERENCES / "pathological.json").read_text(encoding="utf-8")
    found = json.loads(text)[name]
    absent = dict.fromkeys(("response", "weights", "offset", "start", "family", "link", "family_params"))
    return {"formulaic": {}, **absent, **found}


def every_name() -> list[str]:
    return list(json.loads((oracle.REFERENCES / "pathological.json").read_text(encoding="utf-8")))


def reference(name: str) -> dict[str, Any] | None:
    said = asked(name)
    return next((said[key] for key in BEST if "coef" in said.get(key, {})), None)


def question(name: str) -> oracle.Question:
    """Put the case in etamu's words; two kinds of response are only found here."""
    said = asked(name)
    response = said["response"] or {}
    if response.get("type") == "indicator":
        data = oracle.table(said["data"]).copy()
        data["is_"] = (data[response["column"]] == response["level"]).astype(float)
        return oracle.Question(
            f"is_ ~ {oracle.right(said)}", data, {"family": "bernoulli", "link": said["link"]}
        )
    if response.get("failures") == "n - s":
        data = oracle.table(said["data"])
        options = {"family": "binomial", "trials": "n", "link": said["link"]}
        return oracle.Question(f"{response['successes']} ~ {oracle.right(said)}", data, options)
    with np.errstate(divide="ignore"):
        return oracle.question(said)


@functools.cache
def answer(name: str) -> oracle.Answer:
    """Ask etamu once; warnings are kept."""
    put = question(name)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = em.glm(put.formula, put.data, **put.options)
    return oracle.Answer(fit, tuple(warning.category for warning in caught), put)


def named(name: str, values: dict[str, Any]) -> dict[str, float]:
    """Translate R's names of coefficients into ours."""
    translated = oracle.names({**asked(name), "expected": {"coef": values}})
    translated = [_power(ours) for ours in translated]
    return dict(zip(translated, map(oracle.number, values.values()), strict=True))


def _power(text: str) -> str:
    """R's I(x^2) is our I(x ** 2)."""
    return text.replace("^", " ** ")


def close(ours: float, theirs: float, relative: float, absolute: float = 0.0) -> bool:
    return bool(np.isclose(ours, theirs, rtol=relative, atol=absolute, equal_nan=True))


def test_every_case_has_an_expectation() -> None:
    assert set(CASES) == set(every_name())


@pytest.mark.parametrize("name", CASES)
def test_every_expectation_says_why(name: str) -> None:
    assert len(CASES[name].why) > 10


# --- numbers ---


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name: str) -> None:
    expected, found = CASES[name], answer(name)
    assert isinstance(expected, Number)
    fit, best = found.fit, reference(name)
    assert fit.outcome is Outcome.CONVERGED
    assert set(found.warned) == set(expected.warned)
    truth = expected.coef
    if truth is None:
        truth = {} if best is None else named(name, best["coef"])
    ours = dict(zip(fit.names, fit.coef, strict=True))
    # Nearer than a billionth of its standard error no estimate is asked to be.
    unseen = dict(zip(fit.names, 1e-9 * np.nan_to_num(fit.se), strict=True))
    assert set(truth) <= set(ours)
    for column, theirs in truth.items():
        near = max(expected.absolute, unseen[column])
        assert close(ours[column], theirs, expected.relative, near), (
            column,
            ours[column],
            theirs,
        )
    deviance = expected.deviance
    if deviance is None and best is not None and "deviance" in best:
        deviance = oracle.number(best["deviance"])
    if deviance is not None:
        size = fit.null_deviance if np.isfinite(fit.null_deviance) else deviance
        assert close(fit.deviance, deviance, expected.relative, 1e-13 * size), (fit.deviance, deviance)
        assert fit.deviance >= 0.0


@pytest.mark.parametrize("name", [name for name in NUMBERS if CASES[name].errors])
def test_standard_errors(name: str) -> None:
    expected, fit, best = CASES[name], answer(name).fit, reference(name)
    assert isinstance(expected, Number)
    if best is None or "se" not in best:
        assert np.all(np.isfinite(fit.se[np.isfinite(fit.coef)]))
        return
    ours = dict(zip(fit.names, fit.se, strict=True))
    for column, theirs in named(name, best["se"]).items():
        assert close(ours[column], theirs, max(1e-8, expected.relative)), (column, ours[column], theirs)


def test_where_a_perfect_fit_leaves_no_degree_of_freedom_there_is_no_standard_error() -> None:
    for name in ("saturated-gaussian", "wide-gaussian", "wide-gamma", "w-one-positive-gaussian"):
        fit = answer(name).fit
        assert fit.df_resid == 0
        assert np.all(np.isnan(fit.se))


# --- certificates ---


@pytest.mark.parametrize("name", INFINITE)
def test_infinite(name: str) -> None:
    expected, found = CASES[name], answer(name)
    assert isinstance(expected, Infinite)
    fit = found.fit
    assert fit.outcome is Outcome.INFINITE
    assert not fit.converged
    assert any(issubclass(category, ConvergenceWarning) for category in found.warned), "never silently"
    assert close(fit.deviance, expected.deviance, LIMIT, LIMIT)
    ours = dict(zip(fit.names, fit.coef, strict=True))
    for column, sign in expected.columns.items():
        assert sign * ours[column] > 10.0, "infinite, or where the climb was given up"
    for column, theirs in expected.finite.items():
        assert close(ours[column], theirs, LIMIT, LIMIT), column


@pytest.mark.parametrize("name", BOUNDARIES)
def test_boundary(name: str) -> None:
    expected, found = CASES[name], answer(name)
    assert isinstance(expected, Boundary)
    fit, best = found.fit, reference(name)
    assert fit.outcome is Outcome.BOUNDARY
    assert ConvergenceWarning in found.warned
    truth = expected.coef
    deviance = expected.deviance
    if truth is None and best is not None:
        truth, deviance = named(name, best["coef"]), oracle.number(best["deviance"])
    assert truth is not None
    assert deviance is not None
    assert close(fit.deviance, deviance, expected.relative)
    ours = dict(zip(fit.names, fit.coef, strict=True))
    for column, theirs in truth.items():
        assert close(ours[column], theirs, expected.relative, expected.relative), (
            column,
            ours[column],
            theirs,
        )


# --- refusals ---


def put_by_hand(name: str) -> Any:
    """Put the questions that are not one call of glm."""
    table = oracle.table("p_factor")
    if name == "empty-data":
        return em.glm("y ~ x", table.iloc[:0])
    if name == "missing-variable":
        return em.glm("y ~ nosuch", table)
    if name == "predict-missing-column":
        return em.glm("y ~ x", table).predict({"z": [1.0]})
    if name == "predict-new-level":
        used = table.assign(g=table["g"].cat.remove_unused_categories())
        return em.glm("y ~ g", used).predict({"g": ["zzz"]})
    assert name == "weights-length"
    return em.glm("y ~ x", table, variance_weights=np.array([1.0, 2.0]))


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    expected = CASES[name]
    assert isinstance(expected, Refused)
    ask = put_by_hand if asked(name)["family"] is None else answer
    with pytest.raises(expected.error) as raised:
        ask(name)
    assert expected.says in str(raised.value)


REMEDIES = [name for name, expected in REFUSED.items() if expected.remedy is not None]


@pytest.mark.parametrize("name", REMEDIES)
def test_the_remedy_that_a_refusal_names_meets_the_reference(name: str) -> None:
    expected, put, best = CASES[name], question(name), reference(name)
    assert isinstance(expected, Refused)
    assert best is not None
    left, _, right = put.formula.partition("~")
    data = put.data
    if left.startswith("I("):
        data, left = data.assign(rate_=data["cnt"] / data["pop"]), "rate_ "
    fit = em.glm(f"{left}~{right}", data, **{**put.options, "family": expected.remedy})
    for column, theirs in named(name, best["coef"]).items():
        assert close(fit.coef[fit.names.index(column)], theirs, 1e-9), column


# --- models that are not one mean ---


FAMILIES = {
    "glm.nb": em.NegativeBinomial(),
    "multinom": em.Multinomial(),
    "polr": em.Cumulative(levels=("lo", "mid", "hi")),
}
"""What R's functions fit."""


@pytest.mark.parametrize("name", OTHERS)
def test_other_models_end_as_expected(name: str) -> None:
    called, expected = asked(name)["r_call"], OTHERS[name]
    kind, formula = re.fullmatch(r"\w+::([\w.]+)\((.*)\)", called).groups()
    assert kind == expected.kind
    data = oracle.table(asked(name)["data"])
    if expected.outcome == "refused":
        with pytest.raises(em.DataError, match="every response is 0"):
            em.glm(formula, data, FAMILIES[kind])
        return
    with pytest.warns(em.ConvergenceWarning):
        fit = em.glm(formula, data, FAMILIES[kind])
    assert fit.outcome.value == expected.outcome


# --- the page that says so ---


def claims() -> list[tuple[str, bool]]:
    """Read the names of cases from the tables of the page, and whether it says that R accepts them."""
    page = (oracle.REFERENCES.parents[1] / "docs" / "use" / "hostile-data.rst").read_text(encoding="utf-8")
    silent, _, wrong = page.partition("And these R gets wrong")
    found = [
        (line.removeprefix("     - "), part is silent)
        for part in (silent, wrong)
        for line in part.split("\n")
    ]
    return [(name, accepted) for name, accepted in found if name in CASES]


def test_the_page_names_every_silent_case() -> None:
    silent = {name for name, accepted in claims() if accepted}
    for name, expected in CASES.items():
        r = asked(name)["r"]
        quiet = r["status"] == "ok" and r.get("converged") and not r["warnings"]
        if quiet and isinstance(expected, Infinite | Refused):
            assert name in silent
    assert len(silent) == 10


@pytest.mark.parametrize(("name", "accepted"), claims())
def test_a_claim_of_the_page(name: str, accepted: bool) -> None:
    r = asked(name)["r"]
    assert r["status"] == "ok"
    assert r["converged"]
    assert r["warnings"] == []
    if accepted:
        assert isinstance(CASES[name], Infinite | Refused)
        return
    best = reference(name)
    assert best is not None
    off = [
        theirs is None or abs(theirs - oracle.number(true)) > 0.01 * abs(oracle.number(true))
        for theirs, true in zip(r["coef"].values(), best["coef"].values(), strict=True)
    ]
    assert any(off)
