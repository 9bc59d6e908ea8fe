"""Existence: our decision against linear programs over every row, limits against fits to the rows left."""

from __future__ import annotations

import json
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import linprog

import etamu as em
from etamu.family.recession import may_run
from etamu.family.unit import Unit
from etamu.fit import face
from etamu.solve.outcome import Outcome
from tests.catalogue import UNITS

SEPARABLE = [
    "bernoulli with logit",
    "bernoulli with probit",
    "bernoulli with cloglog",
    "bernoulli with loglog",
    "bernoulli with cauchit",
    "poisson with log",
    "negative_binomial(theta=2.0) with log",
    "tweedie(power=1.5) with log",
    "quasibinomial with logit",
]


def quietly(*arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.EtamuWarning)
        return em.glm(*arguments, **options)


@cache
def unit_of(text: str) -> Unit:
    return next(unit for unit in UNITS if str(unit).startswith(text))


def every_row(x: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """Flag every row that some direction separates, by one linear program with a variable per row.

    Maximise sum z subject to 0 <= z_i <= 1, z_i <= way_i x_i'd, and x_i'd = 0 where no way is open.
    """
    n, p = x.shape
    signed = x * np.where(ways == 0, 1, ways)[:, None]
    cost = np.concatenate([np.zeros(p), -np.ones(n)])
    pinned = ways == 0
    answer = linprog(
        cost,
        A_ub=np.hstack([-signed, np.eye(n)]),
        b_ub=np.zeros(n),
        A_eq=np.hstack([x[pinned], np.zeros((int(pinned.sum()), n))]),
        b_eq=np.zeros(int(pinned.sum())),
        bounds=[(None, None)] * p + [(0.0, 0.0 if flag else 1.0) for flag in pinned],
        method="highs",
    )
    assert answer.status == 0
    return answer.x[p:] > 0.5


def drawn(seed: int, text: str) -> tuple[dict[str, np.ndarray], str, Unit]:
    """Draw a small design with levels, whole numbers or both, and responses that separate now and then."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(6, 30))
    unit = unit_of(text)
    levels = int(rng.integers(2, 5))
    data = {
        "g": rng.integers(0, levels, n).astype(str),
        "h": rng.integers(0, 2, n).astype(str),
        "x": rng.integers(-2, 3, n).astype(float),
        "z": rng.normal(size=n).round(2),
    }
    formula = ["g", "x", "g + x", "g + h", "x + z", "g * x", "g * h", "0 + g + z", "x"][int(rng.integers(9))]
    eta = rng.normal() + rng.normal(size=levels)[data["g"].astype(int)] * 2 + rng.normal() * data["x"]
    if len(unit.family.response) == 1 and unit.family.mean.upper == 1.0:
        y = (rng.uniform(size=n) < 1 / (1 + np.exp(-2 * eta))).astype(float)
        if unit.family.name == "quasibinomial":
            y[rng.uniform(size=n) < 0.15] = 0.5
    else:
        y = rng.poisson(np.exp(np.minimum(eta - 1.0, 3.0))).astype(float)
        if unit.family.name == "tweedie":
            y *= 1.25
    data["y"] = y
    return data, f"y ~ {formula}", unit


def design_of(fit: em.Fit) -> np.ndarray:
    chunk = fit.problem.chunk
    design = chunk.predictors[0].design
    return fit.problem.layout.gather(design.dense().T).T[:, fit.coordinates.kept]


@pytest.mark.parametrize("text", SEPARABLE)
def test_the_decision_is_that_of_a_linear_program_over_all_rows(text):
    decided = {True: 0, False: 0}
    for seed in range(16):
        data, formula, unit = drawn(seed, text)
        fit = quietly(formula, data, unit.family, unit.link)
        truth = every_row(design_of(fit), may_run(unit, (data["y"],)))
        assert (fit.existence.outcome == "infinite") == truth.any(), (seed, formula, str(fit.existence))
        decided[bool(truth.any())] += 1
        assert_array_equal(fit.existence.rows, np.flatnonzero(truth), err_msg=f"{seed} {formula}")
        if not truth.any():
            assert fit.existence.outcome in {"interior", "local"}, (seed, formula)
    assert min(decided.values()) >= 2


@settings(max_examples=20, deadline=None)
@given(st.integers(1000, 10**6), st.sampled_from(SEPARABLE[:2] + SEPARABLE[5:8]))
def test_a_certificate_holds_row_by_row(seed, text):
    data, formula, unit = drawn(seed, text)
    fit = quietly(formula, data, unit.family, unit.link)
    truth = every_row(design_of(fit), may_run(unit, (data["y"],)))
    assert (fit.existence.outcome == "infinite") == truth.any()
    if not truth.any():
        return
    direction = np.array([fit.existence.direction.get(name, 0.0) for name in fit.names])
    moved = fit.problem.layout.gather(fit.problem.chunk.predictors[0].design.dense().T).T @ direction
    ways = may_run(unit, (data["y"],))
    assert np.all((moved * ways)[truth] >= 1.0 - 1e-9)
    assert_allclose(moved[~truth], 0.0, atol=1e-9)


@pytest.mark.parametrize("text", [*SEPARABLE[:4], *SEPARABLE[5:8]])
def test_a_limit_is_the_fit_to_the_rows_left(text):
    seen = 0
    for seed in range(100, 118):
        data, formula, unit = drawn(seed, text)
        fit = quietly(formula, data, unit.family, unit.link, dispersion=1.0)
        if fit.existence.outcome != "infinite" or len(fit.existence.rows) == len(data["y"]):
            continue
        seen += 1
        left = np.setdiff1d(np.arange(len(data["y"])), fit.existence.rows)
        rest = quietly(formula, data, unit.family, unit.link, dispersion=1.0, on_separation="drop")
        assert rest.converged
        assert rest.nobs == len(left)
        assert_allclose(fit.deviance, rest.deviance, rtol=1e-8, atol=1e-9)
        assert_allclose(fit.predict()[left], rest.predict()[left], rtol=1e-6, atol=1e-9)
        finite = np.isfinite(fit.coef)
        assert_array_equal(np.isnan(fit.se), ~finite)
        both = finite & np.isfinite(rest.coef)
        assert_allclose(fit.coef[both], rest.coef[both], atol=1e-6 * rest.se[both].max(initial=1.0))
        assert_allclose(fit.se[both], rest.se[both], rtol=1e-6)
        mu = fit.predict()[fit.existence.rows]
        end = data["y"][fit.existence.rows]
        assert_allclose(mu, end, atol=1e-300)
        assert np.all(np.isinf(fit.predict(kind="link")[fit.existence.rows]))
    assert seen >= 2


def test_each_coefficient_runs_where_it_must():
    data = {"y": [1, 2, 3, 0, 0, 0, 2, 5, 3], "g": list("aaabbbccc"), "x": [1.0, 3, 2, 5, 2, 4, 3, 1, 6]}
    with pytest.warns(em.SeparationWarning, match=r"g\[T.b\] -> -Inf.*g = b.*rows 3, 4, 5"):
        fit = em.glm("y ~ g + x", data, "poisson")
    assert fit.coef[1] == -np.inf
    assert fit.existence.coefficients == {"g[T.b]": -np.inf}
    assert fit.existence.levels == (("g", "b"),)
    assert fit.existence.direction == {"g[T.b]": -1.0}
    assert np.isnan(fit.cov[1]).all()
    assert np.isfinite(np.delete(np.delete(fit.cov, 1, 0), 1, 1)).all()
    assert not fit.converged


def test_a_reference_level_takes_all_others_with_it():
    data = {"y": [0, 0, 0, 1, 2, 3, 2, 5, 3], "g": list("aaabbbccc"), "x": [1.0, 3, 2, 5, 2, 4, 3, 1, 6]}
    fit = quietly("y ~ g + x", data, "poisson")
    assert_array_equal(fit.coef[:3], [-np.inf, np.inf, np.inf])
    assert fit.existence.levels == (("g", "a"),)
    other = quietly("y ~ 0 + g + x", data, "poisson")
    assert_allclose(other.deviance, fit.deviance, rtol=1e-10)
    assert_allclose(fit.test("g[T.b] = g[T.c]").estimate, other.coef[1] - other.coef[2], rtol=1e-6)
    assert_allclose(fit.coef[3], other.coef[3], rtol=1e-6)
    with pytest.raises(em.NotAvailableError, match="separation"):
        fit.test("g[T.b] = 0")


def test_what_could_be_anything_is_nan():
    fit = quietly("y ~ x", {"y": [0.0] * 6, "x": np.arange(6.0)}, "poisson")
    assert_array_equal(fit.coef, [-np.inf, np.nan])
    assert fit.existence.undetermined == ("x",)
    assert fit.deviance == 0.0
    assert_array_equal(fit.predict(), np.zeros(6))
    new = fit.predict({"x": [2.0, 9.0, -40.0]})
    assert new[0] == 0.0
    assert new[1] == 0.0 or np.isnan(new[1])
    assert np.isnan(new[2])


def test_predictions_of_new_rows_stand_at_their_end():
    data = {"y": [0, 0, 0, 0, 1, 1, 1, 1], "x": [0.0, 1, 2, 3, 3, 4, 5, 6]}
    fit = quietly("y ~ x", data, "bernoulli")
    assert_array_equal(fit.predict({"x": [2.9, 3.0, 3.1]}), [0.0, 0.5, 1.0])
    assert_array_equal(fit.predict({"x": [2.9, 3.1]}, kind="link"), [-np.inf, np.inf])
    assert_allclose(fit.deviance, 4 * np.log(2.0), rtol=1e-12)
    assert fit.predict({"x": [3.0]}, se=True).se[0] == pytest.approx(0.25 * np.sqrt(2.0), rel=1e-6)
    assert np.isfinite(fit.residuals()).all()


def test_tests_of_what_is_finite_are_those_of_the_limit():
    data = {"y": [1, 2, 3, 0, 0, 0, 2, 5, 3], "g": list("aaabbbccc"), "x": [1.0, 3, 2, 5, 2, 4, 3, 1, 6]}
    fit = quietly("y ~ g + x", data, "poisson")
    rest = quietly("y ~ g + x", data, "poisson", on_separation="drop")
    assert_allclose(
        fit.conf_int(method="profile")[[0, 2, 3]], rest.conf_int(method="profile")[[0, 2, 3]], rtol=1e-6
    )
    low, high = fit.conf_int(method="profile")[1]
    assert low == -np.inf
    assert np.isfinite(high)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.SeparationWarning)
        table = fit.drop1(test="LR")
        smaller = em.glm("y ~ g", data, "poisson")
    assert_allclose(table.row("x")["deviance"], smaller.deviance, rtol=1e-8)
    assert_allclose(fit.test("x = 0", kind="lr").statistic, smaller.deviance - fit.deviance, rtol=1e-6)
    assert_allclose(fit.test("x = 0").p_value, rest.test("x = 0").p_value, rtol=1e-6)
    for kind in ("HC0", "HC3", "observed"):
        assert_allclose(
            fit.with_covariance(kind).se[[0, 2, 3]], rest.with_covariance(kind).se[[0, 2, 3]], rtol=1e-6
        )


def test_error_raises_before_anything_is_returned():
    data = {"y": [0, 0, 1, 1], "x": [1.0, 2.0, 3.0, 4.0]}
    with pytest.raises(em.SeparationError, match=r"x -> \+Inf.*on_separation='drop'"):
        em.glm("y ~ x", data, "bernoulli", on_separation="error")
    model = em.GLM("bernoulli", on_separation="error")
    with pytest.raises(em.SeparationError, match=r"x0 -> \+Inf"):
        model.fit(np.array(data["x"])[:, None], data["y"])


def test_drop_leaves_the_rows_out_and_says_so():
    data = {"y": [1, 2, 3, 0, 0, 0, 2, 5, 3], "g": list("aaabbbccc"), "x": [1.0, 3, 2, 5, 2, 4, 3, 1, 6]}
    with (
        pytest.warns(em.DroppedRowsWarning, match="3 separated rows dropped"),
        pytest.warns(em.AliasWarning, match=r"g\[T.b\]"),
    ):
        fit = em.glm("y ~ g + x", data, "poisson", on_separation="drop")
    assert fit.converged
    assert fit.nobs == 6
    assert_array_equal(np.isnan(fit.predict()), [False] * 3 + [True] * 3 + [False] * 3)
    assert "3 separated rows dropped" in str(fit)
    assert 'on_separation="drop"' in str(fit)
    with pytest.raises(em.DataError, match="every row is separated"):
        em.glm("y ~ x", {"y": [0, 0, 1, 1], "x": [1.0, 2, 3, 4]}, "bernoulli", on_separation="drop")


def test_words_that_are_not_known_or_not_there_yet():
    with pytest.raises(em.OptionError, match="'warn', 'error', 'drop'"):
        em.glm("y ~ x", {"y": [0, 1], "x": [1.0, 2.0]}, "bernoulli", on_separation="ignore")


def test_rows_of_weight_zero_and_offsets_have_no_say():
    data = {"y": [0, 0, 0, 1, 1, 1, 0], "x": [0.0, 1, 2, 3, 4, 5, 9], "w": [1, 1, 1, 1, 1, 1, 0]}
    fit = quietly("y ~ x", data, "bernoulli", frequency_weights="w")
    assert fit.existence.outcome == "infinite"
    assert_array_equal(fit.existence.rows, np.arange(6))
    moved = quietly("y ~ x", data, "bernoulli", frequency_weights="w", offset=np.linspace(-50, 50, 7))
    assert_array_equal(moved.existence.rows, np.arange(6))
    data["w"][-1] = 1
    assert quietly("y ~ x", data, "bernoulli", frequency_weights="w").existence.outcome == "interior"


def test_trials_count_as_rows_of_both_kinds():
    data = {"s": [0, 1, 0, 4, 5], "m": [5, 5, 5, 5, 5], "x": [0.0, 1, 2, 3, 4]}
    fit = em.glm("s ~ x", data, "binomial", trials="m")
    assert fit.existence.outcome == "interior"
    data["s"] = [0, 0, 5, 5, 5]
    assert quietly("s ~ x", data, "binomial", trials="m").existence.outcome == "infinite"


def test_several_directions_and_directions_found_one_after_the_other():
    # x separates all but the ties at 0; among those, z separates all but its own ties.
    x = np.array([-2.0, -1, 0, 0, 0, 0, 0, 0, 1, 2])
    z = np.array([5.0, -3, -2, -1, 0, 0, 1, 2, -4, 1])
    y = np.array([0.0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    fit = quietly("y ~ 0 + x + z", {"x": x, "y": y, "z": z}, "bernoulli")
    assert_array_equal(fit.existence.rows, [0, 1, 2, 3, 6, 7, 8, 9])
    assert_allclose(fit.deviance, 4 * np.log(2.0), rtol=1e-10)
    # Two groups of zeros run on their own.
    data = {"y": [0.0, 0, 0, 0, 1, 2, 3, 1], "g": list("aabbccdd")}
    two = quietly("y ~ 0 + g", data, "poisson")
    assert_array_equal(two.coef[:2], [-np.inf, -np.inf])
    assert two.existence.levels == (("g", "a"), ("g", "b"))


def test_log_binomial_zero_cells_are_seen_though_the_search_converges():
    data = {"y": [0, 0, 0, 0, 1, 1, 1, 0, 1], "g": list("aaabbbccc")}
    fit = quietly("y ~ 0 + g", data, "bernoulli", "log")
    assert fit.existence.outcome == "infinite"
    assert fit.coef[0] == -np.inf
    assert_allclose(np.exp(fit.coef[1:]), [2 / 3, 2 / 3], rtol=1e-8)


def test_correia_guimaraes_zylkin():
    # Table 1 of their paper: x1 is 0 wherever y > 0, x2 as well but for a combination.
    data = {
        "y": [0.0, 0, 0, 1, 2, 3],
        "x1": [2.0, -1, 0, 0, 5, 6],
        "x2": [-1.0, 2, 0, 0, -10, -12],
    }
    fit = quietly("y ~ x1 + x2", data, "poisson")
    truth = every_row(design_of(fit), may_run(fit.problem.unit, (np.array(data["y"]),)))
    assert_array_equal(fit.existence.rows, np.flatnonzero(truth))
    assert fit.existence.outcome == "infinite"


def test_a_fit_read_from_a_file_knows_what_ran_away(tmp_path):
    data = {"y": [1, 2, 3, 0, 0, 0, 2, 5, 3], "g": list("aaabbbccc"), "x": [1.0, 3, 2, 5, 2, 4, 3, 1, 6]}
    fit = quietly("y ~ g + x", data, "poisson")
    fit.save(tmp_path / "m.json")
    loaded = em.load(tmp_path / "m.json")
    assert str(loaded.existence) == str(fit.existence)
    assert_array_equal(loaded.predict({"g": ["a", "b"], "x": [1.0, 1.0]})[1], 0.0)


def test_a_design_of_codes_names_its_level_before_it_runs():
    rng = np.random.default_rng(1)
    n = 700_000
    data = {"g": rng.integers(0, 30, n).astype(str), "h": rng.integers(0, 20, n).astype(str)}
    y = rng.poisson(0.5, n).astype(float)
    y[data["g"] == "7"] = 0.0
    data["y"] = y
    fit = quietly("y ~ g + h", data, "poisson")
    assert fit.existence.levels == (("g", "7"),)
    assert fit.coef[fit.names.index("g[T.7]")] == -np.inf
    assert fit.passes < 10


@pytest.mark.parametrize("solver", ["newton", "irls", "gradient", "lbfgs"])
def test_every_solver_ends_in_the_same_certificate(solver):
    data = {"y": [0, 0, 0, 0, 1, 1, 1, 1], "x": [0.0, 1, 2, 3, 3, 4, 5, 6]}
    fit = quietly("y ~ x", data, "bernoulli", solver=solver)
    assert fit.existence.outcome == "infinite"
    assert_allclose(fit.deviance, 4 * np.log(2.0), rtol=1e-9)


REFERENCES = json.loads((Path(__file__).parents[1] / "references" / "separated.json").read_text())


@pytest.mark.parametrize("name", REFERENCES)
def test_limits_are_those_worked_out_by_r(name):
    case = REFERENCES[name]
    frame = pd.DataFrame(case["rows"])
    for column, levels in case["levels"].items():
        if levels:
            frame[column] = pd.Categorical(frame[column], categories=levels)
    left, right = case["formula"].split("~")
    if "job" in frame:
        frame["y"], left = (frame["job"] == "custodial").astype(float), "y"
    family = {"binomial": "bernoulli", "tweedie": em.Tweedie(power=1.5)}.get(case["family"], case["family"])
    fit = quietly(f"{left} ~ {right}", frame, family, case["link"])
    assert fit.existence.outcome == "infinite"
    reference = case["reference"]
    assert_allclose(fit.deviance, reference.get("limit_deviance", 0.0), rtol=1e-10, atol=1e-12)
    plain = dict(zip([name.replace("[T.", "").replace("]", "") for name in fit.names], fit.coef, strict=True))
    plain["(Intercept)"] = plain["Intercept"]
    error = dict(zip(plain, fit.se, strict=False)) | {"(Intercept)": fit.se[0]}
    for label, end in reference.get("infinite", {}).items():
        assert plain[label] == float(end)
    for label, value in reference.get("limit_coef", {}).items():
        assert_allclose(plain[label], value, atol=1e-6 * error[label])
    for label, value in reference.get("limit_se", {}).items():
        assert_allclose(error[label], value, rtol=1e-6)
    if not reference:
        assert len(fit.existence.rows) == len(frame)


def test_more_columns_than_memory_are_refused_by_name():
    data = {"y": np.ones(12_100), "g": np.arange(12_100).astype(str), "x": np.arange(12_100.0)}
    with pytest.raises(em.DataError, match=r"12,101 columns, 12,099 of them from 'g'.*Merge rare levels"):
        em.glm("y ~ x + g", data, "poisson")


def test_with_too_many_columns_for_a_limit_the_levels_are_still_named(monkeypatch):
    monkeypatch.setattr(face, "MOST", 2)
    monkeypatch.setattr(face, "WIDEST", 2)
    data = {"y": [1, 2, 3, 0, 0, 0, 2, 5, 3], "g": list("aaabbbccc"), "x": [1.0, 3, 2, 5, 2, 4, 3, 1, 6]}
    with pytest.warns(em.SeparationWarning, match=r"g = b.*too many columns"):
        fit = em.glm("y ~ g + x", data, "poisson")
    assert fit.existence.outcome == "infinite"
    assert fit.existence.levels == (("g", "b"),)
    assert_array_equal(fit.existence.rows, [3, 4, 5])
    assert not fit.existence.coefficients
    with pytest.raises(em.SeparationError, match="g = b"):
        em.glm("y ~ g + x", data, "poisson", on_separation="error")
    rest = quietly("y ~ g + x", data, "poisson", on_separation="drop")
    assert rest.converged
    assert rest.nobs == 6


@pytest.mark.parametrize("method", ["firth", "median", "jeffreys"])
def test_a_reduced_estimate_is_finite_and_says_so(method: Any) -> None:
    data = {"y": [0, 0, 0, 1, 1], "x": [0.0, 1.0, 2.0, 3.0, 4.0]}
    known = em.glm("y ~ x", data, family="bernoulli", method=method).existence
    assert known.outcome == "local"
    assert method in known.how


def test_remedies_know_more_columns_than_rows_and_aliased_ones() -> None:
    rng = np.random.default_rng(0)
    data: dict[str, Any] = {f"x{j}": rng.normal(size=4) for j in range(6)}
    formula = "y ~ " + " + ".join(data)
    data["y"] = [0.0, 3.0, 0.0, 2.0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.EtamuWarning)
        warned = em.glm(formula, data, family="poisson")
        dropped = em.glm(formula, data, family="poisson", on_separation="drop")
        firth = em.glm(formula, data, family="poisson", on_separation="firth")
    assert warned.outcome is Outcome.INFINITE
    assert warned.existence.count == 2
    assert dropped.converged
    assert dropped.nobs == 2
    assert firth.converged
    assert np.isfinite(firth.coef).sum() == 4
