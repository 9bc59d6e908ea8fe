"""Average effects are those written out by hand over a dense design, with gradients by complex steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import etamu as em
from etamu.infer.wald import p_values

N = 200


def data(seed: int = 3) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x, z, t = rng.uniform(0.5, 4.0, N), rng.normal(size=N), rng.uniform(0.5, 5.0, N)
    g = rng.integers(0, 3, N)
    eta = 0.4 * np.log(x) - 0.3 + 0.4 * (g == 1) + 0.2 * z
    return {
        "x": x,
        "z": z,
        "t": t,
        "g": np.array(["a", "b", "c"])[g],
        "k": rng.integers(1, 4, N),
        "b": (rng.random(N) < 1 / (1 + np.exp(-eta))).astype(float),
        "y": rng.poisson(t * np.exp(eta)).astype(float),
        "c": rng.gamma(4.0, np.exp(eta) / 4.0),
    }


def design(d: dict[str, Any], x: Any = None, g: Any = None) -> np.ndarray:
    """Write 1, log(x), z, g, z:g out."""
    x, g = d["x"] if x is None else x, d["g"] if g is None else np.full(N, g)
    b, c, z = (g == "b") * 1.0, (g == "c") * 1.0, d["z"]
    return np.stack([np.ones(N), np.log(x), z, b, c, z * b, z * c], axis=1)


NAMES = ("Intercept", "log(x)", "z", "g[T.b]", "g[T.c]", "z:g[T.b]", "z:g[T.c]")
FORMULA = "~ log(x) + z*g"


def by_hand(fit: Any, functional: Callable[[np.ndarray], Any]) -> tuple[float, float]:
    """Evaluate a function of the coefficients, and its standard error by complex steps."""
    order = [fit.names.index(name) for name in NAMES]
    beta, cov = fit.coef[order], fit.cov[np.ix_(order, order)]
    steps = beta + 1e-30j * np.eye(len(beta))
    gradient = np.array([functional(step).imag for step in steps]) / 1e-30
    return float(functional(beta + 0j).real), float(np.sqrt(gradient @ cov @ gradient))


def agree(table: Any, row: int, expected: tuple[float, float], tolerance: float = 1e-9) -> None:
    assert table["estimate"][row] == pytest.approx(expected[0], rel=tolerance)
    assert table["std_error"][row] == pytest.approx(expected[1], rel=tolerance)


def logistic(eta: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-eta))


KINDS = ["model", "HC3", "CR1"]


@pytest.mark.parametrize("kind", KINDS)
def test_logistic_slopes_and_differences(kind: str) -> None:
    d = data()
    fit = em.glm("b " + FORMULA, d, family="bernoulli")
    fit = fit.with_covariance(kind, cluster="k" if kind == "CR1" else None)
    table = fit.effects()
    assert table["variable"].tolist() == ["x", "z", "g", "g"]
    assert table["contrast"].tolist() == ["slope", "slope", "b - a", "c - a"]
    X = design(d)

    def of_x(beta: np.ndarray) -> Any:
        mu = logistic(X @ beta)
        return np.mean(mu * (1 - mu) * beta[1] / d["x"])

    def of_z(beta: np.ndarray) -> Any:
        mu = logistic(X @ beta)
        return np.mean(mu * (1 - mu) * (beta[2] + X[:, 3] * beta[5] + X[:, 4] * beta[6]))

    agree(table, 0, by_hand(fit, of_x))
    agree(table, 1, by_hand(fit, of_z))
    for row, level in ((2, "b"), (3, "c")):
        high, low = design(d, g=level), design(d, g="a")
        expected = by_hand(fit, lambda beta: np.mean(logistic(high @ beta) - logistic(low @ beta)))  # noqa: B023
        agree(table, row, expected)
    t = table["estimate"] / table["std_error"]
    assert np.allclose(table["statistic"], t)
    assert np.allclose(table["p_value"], p_values(t, fit.reference_df))


@pytest.mark.parametrize("kind", ["model", "HC0"])
def test_risk_ratios_and_odds_ratios(kind: str) -> None:
    d = data()
    fit = em.glm("b " + FORMULA, d, family="bernoulli").with_covariance(kind)
    high, low = design(d, g="c"), design(d, g="a")

    def logs(beta: np.ndarray) -> Any:
        return np.log(np.mean(logistic(high @ beta))) - np.log(np.mean(logistic(low @ beta)))

    def odds(beta: np.ndarray) -> Any:
        a, b = np.mean(logistic(high @ beta)), np.mean(logistic(low @ beta))
        return np.log(a / (1 - a)) - np.log(b / (1 - b))

    for measure, functional in (("lnratio", logs), ("lnoddsratio", odds)):
        value, error = by_hand(fit, functional)
        table = fit.contrasts("g", ("a", "c"), measure)
        agree(table, 0, (value, error))
        ratio = fit.contrasts("g", ("a", "c"), measure.removeprefix("ln"))
        agree(ratio, 0, (np.exp(value), np.exp(value) * error))
        assert ratio["conf_low"] == pytest.approx(np.exp(table["conf_low"]))
        assert ratio["p_value"] == pytest.approx(table["p_value"])


def test_offset_and_exposure_stay_with_their_row() -> None:
    d = data()
    fits = [
        em.glm("y " + FORMULA, d, family="poisson", exposure="t"),
        em.glm("y " + FORMULA + " + offset(log(t))", d, family="poisson"),
        em.glm("y " + FORMULA, d | {"l": np.log(d["t"])}, family="poisson", offset="l"),
        em.glm("y " + FORMULA, d, family="poisson", exposure=d["t"]),
    ]
    X, high, low = design(d), design(d, g="b"), design(d, g="a")
    slope = by_hand(fits[0], lambda beta: np.mean(d["t"] * np.exp(X @ beta) * beta[1] / d["x"]))
    change = by_hand(fits[0], lambda beta: np.mean(d["t"] * (np.exp(high @ beta) - np.exp(low @ beta))))
    for fit in fits:
        agree(fit.slopes("x"), 0, slope)
        agree(fit.contrasts("g", ("a", "b")), 0, change)
    rate = by_hand(fits[0], lambda beta: np.mean(np.exp(X @ beta) * beta[1] / d["x"]))
    agree(fits[0].slopes("x", kind="rate"), 0, rate)


def test_an_offset_of_a_variable_moves_with_it() -> None:
    d = data()
    fit = em.glm("y ~ z + log(x) + offset(log(x))", d, family="poisson")
    same = em.glm("y ~ z + log(x)", d, family="poisson")
    ours, theirs = fit.slopes("x"), same.slopes("x")
    assert ours["estimate"] == pytest.approx(theirs["estimate"], rel=1e-9)
    assert ours["std_error"] == pytest.approx(theirs["std_error"], rel=1e-7)
    change = fit.contrasts("x", (1.0, 2.0), "ratio")
    assert change["estimate"] == pytest.approx(same.contrasts("x", (1.0, 2.0), "ratio")["estimate"], rel=1e-9)


def test_a_log_link_makes_ratios_of_coefficients() -> None:
    d = data()
    fit = em.glm("c ~ x + g", d, family="gamma", link="log")
    ratio = fit.contrasts("g", measure="ratio")
    place = [fit.names.index("g[T.b]"), fit.names.index("g[T.c]")]
    assert np.allclose(ratio["estimate"], np.exp(fit.coef[place]), rtol=1e-12)
    assert np.allclose(ratio["std_error"], np.exp(fit.coef[place]) * fit.se[place], rtol=1e-9)
    assert np.allclose(ratio["conf_low"], np.exp(fit.conf_int()[place, 0]), rtol=1e-9)
    assert np.allclose(ratio["p_value"], fit.p_values[place], rtol=1e-7)
    assert np.isclose(fit.contrasts("x", 2, "lnratio")["estimate"][0], 2 * fit.coef[1])


def test_least_squares_gives_its_coefficients_back() -> None:
    d = data()
    fit = em.glm("c ~ x + z + g", d)
    table = fit.effects()
    assert np.allclose(table["estimate"], fit.coef[1:], rtol=1e-10)
    assert np.allclose(table["std_error"], fit.se[1:], rtol=1e-9)
    assert np.allclose(table["p_value"], fit.p_values[1:], rtol=1e-7)
    clustered = fit.with_covariance("CR2", cluster="k")
    assert np.allclose(clustered.effects().df, clustered.reference_df[1:], rtol=1e-8)
    z = fit.effects(reference="z")
    assert np.allclose(z["p_value"], p_values(fit.statistic[1:]), rtol=1e-7)


def test_groups_are_averages_over_their_rows() -> None:
    d = data()
    fit = em.glm("b " + FORMULA, d, family="bernoulli")
    table = fit.effects(["x", "g"], by="k")
    assert table["k"].tolist() == ["1", "2", "3"] * 3
    for row, group in enumerate((1, 2, 3)):
        part = {name: values[d["k"] == group] for name, values in d.items()}
        alone = fit.effects(["x", "g"], data=part)
        for place in range(3):
            agree(table, 3 * place + row, (alone["estimate"][place], alone["std_error"][place]), 1e-7)
    two = fit.effects("z", by=["k", "g"])
    assert len(two) == len(set(zip(d["k"].tolist(), d["g"].tolist(), strict=True)))


def test_a_frequency_weight_is_copies() -> None:
    d = data()
    copies = {name: np.repeat(values, d["k"]) for name, values in d.items()}
    weighted = em.glm("b " + FORMULA, d, family="bernoulli", frequency_weights="k").effects()
    repeated = em.glm("b " + FORMULA, copies, family="bernoulli").effects()
    assert np.allclose(weighted["estimate"], repeated["estimate"], rtol=1e-8)
    assert np.allclose(weighted["std_error"], repeated["std_error"], rtol=1e-8)


def test_trials_weigh_their_rows() -> None:
    d = data()
    m = d["k"].astype(float)
    d["s"] = np.minimum(d["b"] * 2, m)
    fit = em.glm("s " + FORMULA, d | {"m": m}, family="binomial", trials="m")
    X = design(d)

    def functional(beta: np.ndarray) -> Any:
        mu = logistic(X @ beta)
        return np.average(mu * (1 - mu) * beta[1] / d["x"], weights=m)

    agree(fit.slopes("x"), 0, by_hand(fit, functional))


def test_blocks_do_not_matter() -> None:
    d = data()
    fit = em.glm("b ~ x + z*g", d, family="bernoulli")
    whole = fit.effects(by="k")
    options = replace(fit.problem.options, block_rows=17, threads=2)
    blocks = replace(fit, problem=replace(fit.problem, options=options)).effects(by="k")
    assert np.allclose(whole["estimate"], blocks["estimate"], rtol=1e-12)
    assert np.allclose(whole["std_error"], blocks["std_error"], rtol=1e-12)


@pytest.mark.parametrize("text", ["bs(x, df=5)", "poly(x, 3)", "x + I(x**2)", "sqrt(x)", "ns(x, df=4)"])
def test_slopes_of_functions_and_bases(text: str) -> None:
    d = data()
    fit = em.glm(f"y ~ {text} + z", d, family="poisson")
    inside = (d["x"] > d["x"].min() + 1e-3) & (d["x"] < d["x"].max() - 1e-3)
    part = {name: values[inside] for name, values in d.items()}
    h = 1e-5
    ahead, behind = (fit.predict(part | {"x": part["x"] + side * h}) for side in (1, -1))
    assert fit.slopes("x", data=part)["estimate"][0] == pytest.approx(
        np.mean(ahead - behind) / (2 * h), rel=1e-7
    )


def test_comparisons_of_levels_and_numbers() -> None:
    d = data()
    fit = em.glm("y ~ x + C(k) + g", d, family="poisson")
    assert fit.contrasts("g", "pairwise")["contrast"].tolist() == ["b - a", "c - a", "c - b"]
    assert fit.contrasts("k", "sequential")["contrast"].tolist() == ["2 - 1", "3 - 2"]
    assert fit.contrasts("k", (3, 1))["contrast"].tolist() == ["1 - 3"]
    assert fit.contrasts("x", 0.5)["contrast"].tolist() == ["(x + 0.5) - x"]
    step = fit.contrasts("x", (1.0, 3.0))["estimate"][0]
    by_predict = [np.mean(fit.predict(d | {"x": np.full(N, value)})) for value in (1.0, 3.0)]
    assert step == pytest.approx(by_predict[1] - by_predict[0], rel=1e-10)
    low, high = np.quantile(d["x"], [0.25, 0.75])
    assert fit.contrasts("x", "iqr")["estimate"] == pytest.approx(
        fit.contrasts("x", (low, high))["estimate"], rel=1e-12
    )
    assert fit.contrasts("x", kind="link")["estimate"][0] == pytest.approx(fit.coef[1], rel=1e-10)


def test_several_can_be_adjusted() -> None:
    fit = em.glm("y ~ x + g", data(), family="poisson")
    table = fit.contrasts("g", "pairwise")
    assert np.all(table.adjusted()["p_adjusted"] >= table["p_value"] - 1e-4)
    assert np.allclose(table.adjusted("bonferroni")["p_adjusted"], np.minimum(1, 3 * table["p_value"]))
    assert "adjusted" in str(table.adjusted("holm"))
    assert "p_adjusted" in table.adjusted("bh").columns


REFUSED = {
    "no such variable": (lambda fit: fit.effects("w"), "reads a variable 'w'"),
    "slope of a factor": (lambda fit: fit.slopes("g"), "has no slope"),
    "no such level": (lambda fit: fit.contrasts("g", ("a", "q")), "no level 'q'"),
    "no such word": (lambda fit: fit.contrasts("g", "all"), "compare='all'"),
    "a step of 0": (lambda fit: fit.contrasts("x", 0.0), "no step"),
    "text for a number": (lambda fit: fit.contrasts("x", ("a", "b")), "give two numbers"),
    "no such measure": (lambda fit: fit.contrasts("g", measure="odds"), "measure='odds'"),
    "odds of counts": (lambda fit: fit.contrasts("g", measure="oddsratio"), "between 0 and 1"),
    "ratio of eta": (
        lambda fit: fit.contrasts("g", measure="ratio", kind="link"),
        "ratios are those of means",
    ),
    "no such kind": (lambda fit: fit.effects(kind="median"), "kind='median'"),
    "a rate without exposure": (lambda fit: fit.effects(kind="rate"), "without exposure="),
    "no such group": (lambda fit: fit.effects(by="w"), "no column 'w'"),
    "no level at all": (lambda fit: fit.effects(level=2.0), "level is 2.0"),
    "no such column": (lambda fit: fit.effects()["se"], "no column 'se'"),
    "no such adjustment": (lambda fit: fit.effects().adjusted("fdr"), "method='fdr'"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what: str) -> None:
    fit = em.glm("y ~ x + g", data(), family="poisson")
    ask, message = REFUSED[what]
    with pytest.raises(em.EtamuError, match=message.replace("(", r"\(")):
        ask(fit)


def test_a_matrix_has_no_variables(tmp_path: Any) -> None:
    d = data()
    fit = em.GLM(family="poisson").fit(np.stack([d["x"], d["z"]], axis=1), d["y"])
    with pytest.raises(em.NotAvailableError, match="fitted to a matrix"):
        fit.effects()
    formula = em.glm("y ~ x + g", d, family="poisson")
    formula.save(tmp_path / "fit.json")
    loaded = em.load(tmp_path / "fit.json")
    with pytest.raises(em.NotAvailableError, match="carries none"):
        loaded.effects()
    assert np.allclose(loaded.effects(data=d)["estimate"], formula.effects()["estimate"], rtol=1e-10)


def test_tables_print_and_come_back() -> None:
    pandas = pytest.importorskip("pandas")
    fit = em.glm("y ~ x + g", pandas.DataFrame(data()), family="poisson")
    table = fit.effects()
    assert isinstance(table.frame(), pandas.DataFrame)
    assert "b - a" in str(table)
    assert "<table>" in table._repr_html_()
    assert np.allclose(np.sqrt(np.diag(table.cov)), table["std_error"])


@pytest.mark.filterwarnings("ignore::etamu.AliasWarning")
def test_what_aliased_columns_leave_open_has_no_effect() -> None:
    d = data()
    d["h"] = np.where(np.arange(N) % 2 == 0, "u", "v")
    keep = ~((d["g"] == "c") & (d["h"] == "v"))
    d = {name: values[keep] for name, values in d.items()}
    fit = em.glm("y ~ g * h + x", d, family="poisson")
    table = fit.effects()
    told = dict(zip(table["contrast"].tolist(), table["estimate"].tolist(), strict=True))
    assert np.isnan(told["c - a"])  # a row at v has no counterpart at c
    assert np.isnan(told["v - u"])
    assert np.isfinite(told["b - a"])
    assert np.isfinite(told["slope"])
    assert "aliased" in str(table)
    twice = em.glm("y ~ g + x + I(2 * x)", d, family="poisson")
    once = em.glm("y ~ g + x", d, family="poisson")
    assert twice.slopes("x")["estimate"] == pytest.approx(once.slopes("x")["estimate"], rel=1e-8)


def test_levels_of_a_function_have_no_slope() -> None:
    fit = em.glm("y ~ C(floor(x))", data(), family="poisson")
    with pytest.raises(em.OptionError, match="enters by the levels"):
        fit.effects()
    low, high = fit.predict(data() | {"x": np.full(N, 1.5)}), fit.predict(data() | {"x": np.full(N, 2.5)})
    assert fit.contrasts("x", (1.5, 2.5))["estimate"][0] == pytest.approx(np.mean(high - low))


def test_truth_values_are_levels() -> None:
    d = data() | {"flag": data()["z"] > 0}
    fit = em.glm("y ~ x + flag", d, family="poisson")
    assert fit.effects("flag")["contrast"].tolist() == ["True - False"]
    ratio = fit.contrasts("flag", measure="ratio")["estimate"][0]
    assert ratio == pytest.approx(np.exp(fit.coef[fit.names.index("flag[T.True]")]))


@pytest.mark.parametrize(
    "formula", ["y ~ x + relevel(g, ref='b')", "y ~ x + C(g, reference='b')", "y ~ x + C(g, contr.sum)"]
)
def test_the_reference_is_that_of_the_formula(formula: str) -> None:
    fit = em.glm(formula, data(), family="poisson")
    base = "a" if "sum" in formula else "b"
    assert all(text.endswith(f"- {base}") for text in fit.effects("g")["contrast"])
    plain = em.glm("y ~ x + g", data(), family="poisson").contrasts("g", ("a", "b"))
    assert fit.contrasts("g", ("a", "b"))["estimate"] == pytest.approx(plain["estimate"], rel=1e-9)
