"""A saved fit reads back to the last bit; a damaged, hostile or newer file gets one clear error."""

from __future__ import annotations

import builtins
import copy
import json
import math
import subprocess
import sys
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import etamu as em
from etamu import datasets, plot
from etamu.family.families import Poisson
from etamu.family.link import Link, Mean
from etamu.family.stated import StatedLink
from etamu.fit.restore import loads
from etamu.fit.store import dumps
from etamu.solve.oracle import INFORMATIONS
from tests.samples import FITTED, FORMULA, keywords, sample

SCALARS = (
    "deviance", "null_deviance", "pearson_chi2", "dispersion", "loglik", "aic", "bic", "nobs", "df_resid",
    "df_null", "rank", "parameters", "iterations", "passes",
)  # fmt: skip


def same(one: em.Fit, other: em.Fit) -> None:
    """Hold two fits equal, to the last bit."""
    for name in ("coef", "se", "cov", "statistic", "p_values"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), strict=True)
    np.testing.assert_array_equal(one.conf_int(0.9), other.conf_int(0.9))
    for name in SCALARS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for name in ("names", "aliased", "family", "link", "formula", "notes", "outcome", "converged"):
        assert getattr(one, name) == getattr(other, name)
    assert [str(step) for step in one.trace] == [str(step) for step in other.trace]
    assert str(one) == str(other)
    assert one.summary().html == other.summary().html
    assert one.problem.words == other.problem.words
    assert one.problem.schema == other.problem.schema


def quietly(*arguments: Any, **options: Any) -> em.Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.EtamuWarning)
        return em.glm(*arguments, **options)


def again(fit: em.Fit, folder: Path, **options: Any) -> em.Fit:
    fit.save(folder / "m.json", **options)
    return em.load(folder / "m.json")


# --- the round trip ---


@pytest.mark.parametrize("unit", FITTED, ids=[f"{u.family!r}-{u.link!r}" for u in FITTED])
def test_a_fit_of_every_pair_reads_back_the_same(unit, tmp_path):
    data = sample(unit, 3)
    fit = quietly(FORMULA, data, **keywords(unit))
    loaded = again(fit, tmp_path)
    same(fit, loaded)
    new = {name: values[::-1][:40] for name, values in data.items()}
    for kind in ("mean", "link", "count"):
        one = fit.predict(new, kind, interval="confidence")
        other = loaded.predict(new, kind, interval="confidence")
        for part in ("estimate", "se", "lower", "upper"):
            np.testing.assert_array_equal(getattr(one, part), getattr(other, part))


def test_steps_of_every_kind_read_back_the_same(tmp_path):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(60, 2))
    fit = em.glm(
        "y ~ a + b", {"a": x[:, 0], "b": x[:, 1], "y": rng.poisson(np.exp(0.2 * x[:, 0]))}, "poisson"
    )
    steps = [replace(fit.solution.steps[0], information=name) for name in INFORMATIONS]
    fit = replace(fit, solution=replace(fit.solution, steps=tuple(steps)))
    assert again(fit, tmp_path).solution.steps == fit.solution.steps


RICH = [
    "y ~ poly(x, 3) + bs(z, df=5) + C(g, contr.sum)",
    "y ~ ns(x, df=3):g + C(g, contr.helmert)*z",
    "y ~ 0 + g + scale(x) + center(z) + I(x^2 > 4) + I(~(z > 0))",
    "y ~ cr(x, df=4) + offset(log(x + 9)) + where(z > 0, z, 0)",
    "y ~ x + I(2*x) + g + C(g):z",
    "y ~ 1",
]


@pytest.mark.parametrize("formula", RICH)
def test_transforms_contrasts_and_aliases_read_back_the_same(formula, tmp_path):
    data = sample(em.Unit(Poisson(), Poisson().canonical), 5)
    fit = quietly(formula, data, family="poisson")
    loaded = again(fit, tmp_path)
    same(fit, loaded)
    new = {name: values[:30] for name, values in data.items()}
    np.testing.assert_array_equal(fit.predict(new), loaded.predict(new))


@pytest.mark.parametrize(
    "options",
    [
        {"covariance": "HC0"},
        {"covariance": "HC1", "dispersion": "deviance"},
        {"covariance": "observed", "dispersion": 2.5},
        {"solver": "lbfgs", "variance_weights": "w"},
        {"frequency_weights": "k", "offset": "w"},
        {"sampling_weights": "w"},
        {"exposure": "w"},
    ],
    ids=str,
)
def test_options_and_keywords_read_back_the_same(options, tmp_path):
    data = sample(em.Unit(Poisson(), Poisson().canonical), 7)
    rng = np.random.default_rng(1)
    data |= {"w": rng.uniform(0.5, 2.0, 90), "k": rng.integers(0, 4, 90)}
    fit = quietly("y ~ x + g", data, family="poisson", **options)
    loaded = again(fit, tmp_path)
    same(fit, loaded)
    new = {name: values[:30] for name, values in data.items()}
    np.testing.assert_array_equal(fit.predict(new, se=True).se, loaded.predict(new, se=True).se)


def test_missing_rows_dropped_levels_and_strange_names_read_back_the_same(tmp_path):
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"Solar.R": rng.normal(size=60), "größe (m)": rng.normal(size=60)})
    frame["g"] = pd.Categorical(rng.choice(["a", 'say "b"', "naïve\n"], 60), ["a", 'say "b"', "naïve\n", "d"])
    frame["y"] = rng.normal(size=60)
    frame.loc[[3, 9], "Solar.R"] = np.nan
    fit = quietly("y ~ Solar.R + `größe (m)` + g", frame)
    loaded = again(fit, tmp_path)
    same(fit, loaded)
    assert loaded.problem.tally == fit.problem.tally
    assert len(loaded.notes) == 2


def test_a_fit_to_a_matrix_reads_back_the_same(tmp_path):
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(50, 3)), rng.poisson(2.0, 50)
    for intercept in (True, False):
        fit = em.GLM(family="poisson").fit(X, y, intercept=intercept)
        loaded = again(fit, tmp_path)
        same(fit, loaded)
        np.testing.assert_array_equal(fit.predict(X), loaded.predict(X))


@pytest.mark.parametrize(
    "case",
    [
        pytest.param({"data": {"y": [0, 0, 0, 1, 1, 1], "x": [1, 2, 3, 4, 5, 6]}}, id="separated"),
        pytest.param(
            {"data": {"y": [0, 1, 0, 1], "x": [1.0, 2.0, 4.0, 9.0]}, "family": "gaussian"}, id="few"
        ),
        pytest.param(
            {"data": {"y": [1.0, 2.0, 3.0], "x": [1.0, 2.0, 3.0]}, "family": "gaussian"}, id="perfect"
        ),
    ],
)
def test_odd_ends_read_back_the_same(case, tmp_path):
    fit = quietly("y ~ x", case["data"], family=case.get("family", "bernoulli"))
    same(fit, again(fit, tmp_path))


def test_a_link_stated_by_formulas_travels_as_text(tmp_path):
    link = StatedLink("(1 + tanh(eta)) / 2", "atanh(2 * mu - 1)", name="tanh", range=(0, 1))
    data = {"y": [0, 1, 0, 1, 1, 0, 1, 1], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 1.5, 2.5, 0.5]}
    fit = em.glm("y ~ x", data, family="bernoulli", link=link)
    same(fit, again(fit, tmp_path))
    assert '"inverse": "(1 + tanh(eta)) / 2"' in (tmp_path / "m.json").read_text()


def test_without_the_covariance_coefficients_keep_their_errors(tmp_path):
    fit = em.glm("dead ~ sex + log2_dose", datasets.budworms().columns, family="binomial", trials="moths")
    loaded = again(fit, tmp_path, covariance=False)
    np.testing.assert_array_equal(loaded.se, fit.se)
    assert str(loaded) == str(fit)
    new = datasets.budworms().columns
    np.testing.assert_array_equal(loaded.predict(new), fit.predict(new))
    for ask in (lambda: loaded.cov, lambda: loaded.predict(new, se=True)):
        with pytest.raises(em.NotAvailableError, match="left out when the fit was saved"):
            ask()
    same_text = dumps(loaded, covariance=False)
    assert same_text == dumps(fit, covariance=False)


def test_saving_what_was_loaded_writes_the_same_file(tmp_path):
    fit = em.glm("dead ~ sex + log2_dose", datasets.budworms().columns, family="binomial", trials="moths")
    assert dumps(loads(dumps(fit))) == dumps(fit)


def test_a_file_of_version_1_of_the_format_is_read_for_ever():
    """The file was written by etamu 0.1.0 and is never written again."""
    kept = em.load(Path(__file__).parent / "golden" / "model-version-1.json")
    fit = em.glm("dead ~ sex * log2_dose", datasets.budworms().columns, family="binomial", trials="moths")
    assert str(kept) == str(fit)
    new = {"sex": ["male", "female"], "log2_dose": [2.0, 4.5]}
    one, other = (each.predict(new, interval="confidence") for each in (kept, fit))
    for part in ("estimate", "se", "lower", "upper"):
        np.testing.assert_allclose(getattr(one, part), getattr(other, part), rtol=1e-9)


# --- what is in the file ---


def test_the_file_is_readable_and_holds_no_rows(tmp_path):
    rng = np.random.default_rng(8)
    data = {"y": rng.poisson(3.0, 5000), "x": rng.normal(size=5000), "g": rng.choice(list("abc"), 5000)}
    fit = em.glm("y ~ x + g", data, family="poisson")
    fit.save(tmp_path / "m.json")
    text = (tmp_path / "m.json").read_text()
    document = json.loads(text)
    assert [row[0] for row in document["coefficients"]] == list(fit.names)
    assert list(document)[-1] == "covariance"
    assert len(text) < 4000
    held = text.split('"shift"')[0]
    assert not any(repr(float(value)) in held for value in data["x"])


def test_the_covariance_costs_a_triangle_of_numbers(tmp_path):
    rng = np.random.default_rng(9)
    X, y = rng.normal(size=(400, 100)), rng.normal(size=400)
    fit = em.GLM().fit(X, y)
    with_it, without = len(dumps(fit)), len(dumps(fit, covariance=False))
    assert 101 * 102 / 2 * 18 < with_it - without < 101 * 102 / 2 * 26
    assert without < 101 * 130


def test_what_needs_rows_says_so(tmp_path):
    data = datasets.ships().columns
    loaded = again(em.glm("incidents ~ type", data, family="poisson", exposure="months"), tmp_path)
    for ask in (
        loaded.residuals, loaded.augment, loaded.working, loaded.predict, lambda: em.compare_links(loaded)
    ):  # fmt: skip
        with pytest.raises(em.NotAvailableError, match="carries none: give data= to predict"):
            ask()
    with pytest.raises(em.NotAvailableError, match="with its data attached"):
        plot.components(loaded)
    assert "eta =" in str(loaded.components())
    assert list(loaded.tidy()) == ["term", "estimate", "std_error", "statistic", "p_value"]
    assert loaded.glance()["nobs"] == [34]
    assert "type" in str(loaded.interpret())


def test_code_is_not_saved():
    @dataclass(frozen=True, slots=True)
    class Mine(Link):
        name = "log"
        text = "log(mu)"

        def inverse(self, xp: Any, eta: Any) -> Mean:
            mu = xp.exp(eta)
            return Mean(mu, 1.0 - mu, mu, mu)

        def link(self, xp: Any, mu: Any, complement: Any = None) -> Any:
            return xp.log(mu)

    data = {"y": [1.0, 2.0, 4.0, 3.0], "x": [1.0, 2.0, 3.0, 5.0]}
    called = StatedLink(lambda xp, eta: xp.exp(eta), "log(mu)", name="called", range=(0, math.inf))
    for link, reason in ((Mine(), "class of your own"), (called, "stated by a callable")):
        with pytest.raises(em.NotAvailableError, match=reason):
            dumps(quietly("y ~ x", data, family="poisson", link=link))


def test_a_file_is_replaced_completely_or_not_at_all(tmp_path, monkeypatch):
    fit = em.glm("y ~ x", {"y": [1.0, 2.0, 4.0], "x": [1.0, 2.0, 3.0]})
    fit.save(tmp_path / "m.json")
    before = (tmp_path / "m.json").read_text()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(em.FileError, match=r"m\.json: cannot be written: No space left"):
        fit.save(tmp_path / "m.json", covariance=False)
    assert (tmp_path / "m.json").read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == ["m.json"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    fit = em.glm("y ~ x", {"y": [1.0, 2.0, 4.0], "x": [1.0, 2.0, 3.0]})
    with pytest.raises(em.FileError, match=r"nowhere.*No such file or directory"):
        fit.save(tmp_path / "nowhere" / "m.json")


def test_the_version_is_the_package_s():
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert f'version = "{em.__version__}"' in text


# --- files that are not what they should be ---


def model() -> dict[str, Any]:
    """A file with everything in it: levels, transforms, offsets, a trace, a stated link."""
    data = sample(em.Unit(Poisson(), Poisson().canonical), 5, 40)
    link = StatedLink("exp(eta)", "log(mu)", name="mine", range=(0, math.inf), complement="1 - exp(eta)")
    fit = em.glm(
        "y ~ poly(x, 2) + bs(x, df=4):g + C(g, contr.sum) + offset(log(x + 9)) + I(x > 2)",
        data,
        family=em.Quasi("mu"),
        link=link,
        variance_weights=np.ones(40),
    )
    return json.loads(dumps(fit))


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model()


def changed(document: dict[str, Any], way: list[Any], value: Any) -> str:
    out = copy.deepcopy(document)
    place = out
    for step in way[:-1]:
        place = place[step]
    place[way[-1]] = value
    return json.dumps(out)


@pytest.mark.parametrize(
    ("way", "value", "message"),
    [
        (["format"], "pickle", "is no etamu model"),
        (["version"], 2, r"written by etamu 0\.\d+\.\d+ in version 2 .* install a newer etamu"),
        (["version"], "1", "version: \"1\" stands where a whole number"),
        (["family"], {"name": "os.system"}, "family: 'os.system' is no family"),
        (["family"], {"name": "tweedie", "power": 0.5}, "family: Tweedie"),
        (["family"], {"name": "poisson", "theta": 1.0}, "family: family poisson is stated by its name alone"),
        (["link"], {"name": "lodgit"}, "link: 'lodgit' is no link; there are identity"),
        (["coefficients", 1, 1], 3.0, r"coefficients: coefficient 1 is .*3\.0.* one of them was changed"),
        (["coefficients", 1, 0], "y", "coefficients: coefficient 1 is 'y', but the schema makes"),
        (["fit", "nobs"], "many", "fit.nobs: \"many\" stands where a whole number belongs"),
        (["fit", "deviance"], None, "fit.deviance: null stands where a number belongs"),
        (["rows", "used"], 41, "rows.used: 41 stands where a whole number from 0 to 40 belongs"),
        (["search", "outcome"], "fine", "search.outcome: \"fine\" stands where one of 'converged'"),
        (["estimate", "beta", 2], "NaN", r"estimate.beta\[2\]: \"NaN\" stands where a finite number belongs"),
        (["estimate", "beta"], [1.0], "estimate.beta: there are 1 entries where"),
        (["estimate", "kept"], [0, 0], "estimate.kept: the columns do not rise"),
        (["estimate", "scale", 0], 0.0, "estimate.scale: a scale is not positive"),
        (["estimate", "shift", 0], 10**400, r"shift\[0\]: .* stands where a number a float can hold"),
        (["covariance", "rows", 0], [], r"covariance.rows\[0\]: there are 0 entries where"),
        (["words", "arrays"], ["password"], r"words.arrays\[0\]: .password. stands where one of 'offset'"),
        (["schema", "terms"], [], "schema: .*the terms make 0 coefficients"),
        (["schema", "states", 0, 1, "norm2", 1], 0.0, "schema: .*norms that do not fit"),
        (["extra"], 1, "\"extra\" is not a key of this format"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_by_file_and_place(way, value, message, whole):
    with pytest.raises(em.FileError, match=f"^m.json: {message}|^m.json: .*{message}"):
        loads(changed(whole, way, value), "m.json")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "line 1, column 1"),
        (b"{", "line 1, column"),
        (b"\x80\x04K\x01.", "byte 0 is no UTF-8"),
        (b"PK\x03\x04\xff", "is no UTF-8"),
        (b"[]", "is no etamu model"),
        (b'{"format": "etamu model"}', "'version' is missing"),
        (b'{"format": "etamu model", "version": 1}', "'family' is missing"),
        (b'{"format": "etamu model", "format": "x"}', "stands twice"),
        (b'{"format": NaN}', "a bare NaN"),
        (b'{"a": "\\ud800"}', "half a character"),
        (b"[" * 200_000, "nested too deeply"),
        (b"1" * 10_000, "m.json: "),
        (b"\xef\xbb\xbf{}", "is no etamu model"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_what_is_no_model_is_said_in_one_line(data, message, tmp_path):
    (tmp_path / "m.json").write_bytes(data)
    with pytest.raises(em.FileError, match=message) as caught:
        em.load(tmp_path / "m.json")
    assert "m.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_and_a_missing_file_are_said(tmp_path):
    with pytest.raises(em.FileError, match="cannot be read: Is a directory"):
        em.load(tmp_path)
    with pytest.raises(em.FileError, match="cannot be read: No such file"):
        em.load(tmp_path / "m.json")
    with pytest.raises(em.FileError, match="cannot be read"):
        em.load("a\0b")


def test_a_cut_file_is_refused_wherever_it_is_cut(whole):
    text = json.dumps(whole)
    for end in range(0, len(text) - 1, 97):
        with pytest.raises(em.FileError):
            loads(text[:end])


# --- files of strangers ---

SMUGGLED = [
    "__import__('os').system('touch {}')",
    "eta.__class__.__mro__",
    "(lambda: 0)()",
    "f'{eta!r}'",
    "'{0.__class__}'.format(eta)",
    "[x for x in (1,)]",
    "eval('1')",
    "eta[0]",
    "open('{}', 'w')",
    "exp.__globals__",
    "9**9**9**9**9*eta",
    "10**400*eta",
    "-" * 5000 + "eta",
    "(" * 300 + "eta" + ")" * 300,
    "+".join(["eta"] * 3000),
    "9" * 5000,
    "eta +",
    "eta\0",
    "1/0*eta",
    "True*eta",
    "\ud800",
    "",
]


@pytest.mark.parametrize("statement", SMUGGLED, ids=lambda text: ascii(text)[:20])
@pytest.mark.parametrize("word", ["inverse", "link", "complement"])
def test_a_smuggled_link_runs_nothing(statement, word, whole, tmp_path):
    document = copy.deepcopy(whole)
    document["link"]["stated"][word] = statement.replace("{}", str(tmp_path / "pwned"))
    with pytest.raises(em.FileError):
        loads(json.dumps(document))
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "expression",
    [
        ["call", "__import__", [["text", "os"]], [], "x"],
        ["call", "eval", [["text", "1"]], [], "x"],
        ["call", "np.load", [["text", "f"]], [], "x"],
        ["attribute", "x", "__class__"],
        ["operation", "@", [["name", "x"], ["name", "x"]], "x"],
        ["operation", "*", [], "x"],
        ["operation", "*", [["name", "x"]], "x"],
        ["name", ["x"]],
        [["name"], "x"],
        [],
        "x",
        None,
    ],
    ids=str,
)
def test_a_smuggled_expression_runs_nothing(expression, whole):
    with pytest.raises(em.FileError, match="schema: "):
        loads(changed(whole, ["schema", "offsets", 0, "expression"], expression))


def test_a_name_in_a_file_is_only_ever_a_column(whole):
    for name in ("x.__class__", "__import__('os')", "{0.__class__}", "../../etc/passwd"):
        text = changed(whole, ["schema", "offsets", 0, "expression"], ["name", name])
        with pytest.raises(em.EtamuError, match="there is no column"):
            loads(text).predict({"x": [1.0], "g": ["a"]})


def test_nesting_without_end_is_refused(whole):
    # Written by hand: Python's own encoder gives up before the reader is asked.
    text = '["call", "exp", [' * 5000 + '["name", "x"]' + '], [], "x"]' * 5000
    document = copy.deepcopy(whole)
    document["schema"]["offsets"][0]["expression"] = 0
    with pytest.raises(em.FileError, match="nested too deeply"):
        loads(json.dumps(document).replace('"expression": 0', f'"expression": {text}'))


def bomb(factors: int, levels: int, always: bool = False) -> dict[str, Any]:
    """A schema whose one term crosses factors of many levels."""
    names = [str(level) for level in range(levels)]
    matrix = None if not always else [[1.0] for _ in names]
    contrast = {
        "prefix": "", "fields": ["f"] if always else names[1:], "base": 0, "matrix": matrix, "always": always,
    }  # fmt: skip
    factor = {
        "kind": "categorical", "label": "g", "expression": ["name", "g"], "levels": names, "numbers": None,
        "contrast": contrast,
    }  # fmt: skip
    return {
        "formula": "y ~ g", "response": "y", "factors": [factor], "offsets": [], "states": [],
        "dropped_levels": [],
        "terms": [{"label": "g", "scale": 1.0, "products": [[[0, True]] * factors]}],
    }  # fmt: skip


@pytest.mark.parametrize(
    "schema",
    [
        bomb(2, 2500),
        bomb(64, 2),
        bomb(30, 3),
        bomb(3, 1500, always=True),
        bomb(10_000, 2),
    ],
    ids=["wide", "doubling", "tripling", "contrasts", "long"],
)
def test_absurd_sizes_are_refused_before_they_are_made(schema, whole):
    with pytest.raises(em.FileError, match="schema: "):
        loads(changed(whole, ["schema"], schema))


@pytest.mark.parametrize(
    "state",
    [
        {"kind": "raw poly", "degree": 10**12},
        {"kind": "bs", "degree": 3, "knots": [0.0] * 4 + [1.0] * 4, "width": 10**12},
        {"kind": "bs", "degree": 10**9, "knots": [0.0, 1.0], "width": 1},
        {"kind": "ns", "knots": [0.0] * 4 + [1.0] * 4, "weights": [[1.0]] * 3},
        {"kind": "ns", "knots": ["a"], "weights": []},
        {"kind": "scale", "shift": 0.0, "width": 0.0},
        {"kind": "poly", "centre": 0.0, "spread": 1.0, "alpha": [0.0], "norm2": [1.0, "inf"]},
        {"kind": "__import__"},
        [],
    ],
    ids=str,
)
def test_absurd_transforms_are_refused(state, whole):
    with pytest.raises(em.FileError, match="schema: "):
        loads(changed(whole, ["schema", "states", 0, 1], state))


def test_a_zip_of_names_is_refused(whole):
    document = copy.deepcopy(whole)
    for factor in document["schema"]["factors"]:
        factor["label"] = "x" * 50_000_000
    with pytest.raises(em.FileError, match="characters"):
        loads(json.dumps(document))


def leaves(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the way to everything in a document."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(found for step, part in steps for found in leaves(part, (*way, step)))]


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from(["NaN", "Infinity", "__import__", 10**20, -1, 1e308, [], {}, [[]], {"name": "x"}]),
    st.lists(st.integers(-2, 5), max_size=4),
)  # fmt: skip


def loads_or_refuses(text: str) -> None:
    """Load and use a file; nothing but our own error may come out."""
    try:
        fit = loads(text)
    except em.FileError as error:
        if "\n" in str(error):
            raise
        return
    try:
        str(fit)
        fit.predict({"x": [1.0, 2.5], "g": ["a", "b"]}, se=True, offset=[0.0, 0.0], exposure=[1.0, 1.0])
        dumps(fit)
    except em.EtamuError:
        pass


@settings(max_examples=400, deadline=20_000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_files_are_refused_or_harmless(data, whole, monkeypatch):
    document = copy.deepcopy(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        way = data.draw(st.sampled_from(leaves(document)[1:]))
        place: Any = document
        for step in way[:-1]:
            place = place[step]
        action = data.draw(st.sampled_from(["delete", "replace", "swap", "repeat"]))
        if action == "delete":
            del place[way[-1]]
        elif action == "repeat" and isinstance(place, list):
            place.append(place[way[-1]])
        elif action == "swap":
            other = data.draw(st.sampled_from(leaves(document)[1:]))
            value: Any = document
            for step in other:
                value = value[step]
            place[way[-1]] = copy.deepcopy(value)
        else:
            place[way[-1]] = data.draw(JUNK)
        if not document:
            break
    for name in ("eval", "exec", "__import__"):
        monkeypatch.setattr(builtins, name, getattr(builtins, name))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loads_or_refuses(json.dumps(document, allow_nan=True))


@settings(max_examples=200, deadline=20_000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_bytes_changed_anywhere_are_refused_or_harmless(data, whole, tmp_path):
    text = bytearray(json.dumps(whole).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=6))
    (tmp_path / "m.json").write_bytes(bytes(text))
    try:
        decoded = bytes(text).decode()
    except UnicodeDecodeError:
        with pytest.raises(em.FileError):
            em.load(tmp_path / "m.json")
        return
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loads_or_refuses(decoded)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_random_bytes_are_refused(data, tmp_path):
    (tmp_path / "m.json").write_bytes(data)
    with pytest.raises(em.FileError):
        em.load(tmp_path / "m.json")


def test_reading_and_predicting_run_no_code(whole, tmp_path):
    """An audit hook sees every compile, import and process; none may come from the file."""
    (tmp_path / "m.json").write_text(json.dumps(whole))
    script = f"""
import sys
import numpy, scipy.special, scipy.linalg, etamu as em
data = {{"x": [1.0, 2.5], "g": ["a", "b"]}}
em.load({str(tmp_path / "m.json")!r}).predict(data, se=True)   # imports what is lazy
seen, on = [], False
sys.addaudithook(lambda event, args: seen.append((event, args)) if on else None)
on = True
fit = em.load({str(tmp_path / "m.json")!r})
fit.predict(data, se=True); str(fit)
on = False
code = {{"exec", "os.system", "subprocess.Popen", "pickle.find_class", "marshal.loads"}}
bad = [e for e, a in seen if e in code]
opened = {{str(a[0]) for e, a in seen if e == "open"}}
assert not bad, bad
assert opened == {{{str(tmp_path / "m.json")!r}}}, opened
"""
    answer = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
