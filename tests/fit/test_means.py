"""Estimated marginal means, their pairs and joint tests are emmeans', in every case of the corpus."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import etamu as em
from tests import oracle

CLOSE = 1e-7

CASES = [
    (identifier, formula)
    for identifier in oracle.identifiers()
    for formula in (oracle.case(identifier)["expected"].get("emmeans") or {})
]
every = pytest.mark.parametrize(("identifier", "formula"), CASES)


def asked(identifier: str, formula: str) -> tuple[Any, dict[str, Any], str | None]:
    """Return the fit, R's answer, and the reference distribution R used."""
    theirs = oracle.case(identifier)["expected"]["emmeans"][formula]
    fit = oracle.answer(identifier).fit
    # emmeans takes z for quasi families, whose phi is estimated; ours is t there.
    reference = "z" if theirs["link"][0]["df"] == "Inf" and fit.phi.estimated else None
    return fit, theirs, reference


def label_of(term: str) -> str:
    """Write a term as R does, which sets contrasts outside of the formula."""
    return re.sub(r"C\((\w+), contr.sum\)", r"\1", term)


def column(rows: list[dict[str, Any]], *names: str) -> np.ndarray:
    name = next(name for name in names if name in rows[0])
    return oracle.numbers([row[name] for row in rows])


def close(ours: Any, theirs: np.ndarray, scale: Any = 0.0) -> None:
    assert np.all(np.abs(np.asarray(ours) - theirs) <= CLOSE * (np.abs(theirs) + scale)), (ours, theirs)


@every
@pytest.mark.parametrize("scale", ["link", "response"])
def test_means(identifier: str, formula: str, scale: str) -> None:
    fit, theirs, reference = asked(identifier, formula)
    ours = fit.means(formula, scale=scale, reference=reference)
    rows = theirs[scale]
    for name in ours.labels:
        assert list(ours[name]) == [str(row[name]) for row in rows]
    error = column(rows, "SE")
    close(ours["estimate"], column(rows, "emmean", "prob", "rate", "response"), error)
    close(ours["std_error"], error)
    close(ours["conf_low"], column(rows, "asymp.LCL", "lower.CL"), error)
    close(ours["conf_high"], column(rows, "asymp.UCL", "upper.CL"), error)


@every
def test_pairs(identifier: str, formula: str) -> None:
    fit, theirs, reference = asked(identifier, formula)
    ours = fit.means(formula, scale="link", reference=reference).pairs()
    rows = theirs["pairs_none"]
    error, statistic = column(rows, "SE"), column(rows, "z.ratio", "t.ratio")
    close(ours["estimate"], column(rows, "estimate"), error)
    close(ours["std_error"], error)
    close(ours["conf_low"], column(rows, "asymp.LCL", "lower.CL"), error)
    close(ours["conf_high"], column(rows, "asymp.UCL", "upper.CL"), error)
    close(ours["statistic"], statistic, 1.0)
    p = column(rows, "p.value")
    assert np.all(np.abs(ours["p_value"] - p) <= CLOSE * p * (1 + statistic**2))
    tukey = column(theirs["pairs_tukey"], "p.value")
    # R's ptukey is good to about 1e-12 of a probability, not of its tail.
    assert np.all(np.abs(ours["p_adjusted"] - tukey) <= CLOSE * tukey * (1 + statistic**2) + 1e-11)


@every
def test_joint_tests(identifier: str, formula: str) -> None:
    fit, theirs, reference = asked(identifier, formula)
    ours = fit.joint_tests(reference="chi2" if reference else None)
    for row in theirs["joint_tests"]:
        mine = {label_of(name): ours.row(name) for name in ours.rows}[row["model term"]]
        assert mine["df"] == row["df1"]
        assert mine["df_resid"] == oracle.number(row["df2"])
        assert mine["f"] == pytest.approx(row["F.ratio"], abs=6e-4)  # rounded by emmeans
        assert abs(mine["p_value"] - row["p.value"]) <= CLOSE * row["p.value"] * (1 + mine["f"] * mine["df"])


# --- what the corpus does not ask ---


def small(seed: int = 1, n: int = 120) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    g, h = rng.integers(0, 3, n), rng.integers(0, 2, n)
    x, t = rng.uniform(0.0, 2.0, n), rng.uniform(0.5, 4.0, n)
    y = rng.poisson(t * np.exp(0.3 * x + 0.4 * (g == 1) - 0.3 * h)).astype(float)
    return {"y": y, "x": x, "t": t, "g": np.array(list("abc"))[g], "h": np.array(["u", "v"])[h]}


def test_proportional_weights_are_means_over_the_other_factors_as_they_occur() -> None:
    d = small()
    fit = em.glm("y ~ g + h + x", d, family="poisson")
    share = np.mean(d["h"] == "v")
    rows = {"g": ["b", "b"], "h": ["u", "v"], "x": [np.mean(d["x"])] * 2}
    eta = fit.predict(rows, kind="link")
    proportional = fit.means("g", scale="link", weights="proportional")["estimate"][1]
    assert proportional == pytest.approx((1 - share) * eta[0] + share * eta[1], rel=1e-12)
    assert fit.means("g", scale="link")["estimate"][1] == pytest.approx(eta.mean(), rel=1e-12)


def test_variables_can_be_put_elsewhere() -> None:
    d = small()
    fit = em.glm("y ~ g * x + h", d, family="poisson")
    table = fit.means("g", "x", at={"x": [0.0, 1.0], "h": "v"})
    told = fit.predict({"g": list("abcabc"), "x": [0.0] * 3 + [1.0] * 3, "h": ["v"] * 6}, se=True)
    assert np.allclose(table["estimate"], told.estimate, rtol=1e-12)
    assert np.allclose(table["std_error"], told.se, rtol=1e-9)
    assert len(table.pairs()) == 6


def test_the_offset_is_its_mean_or_a_number_or_left_out() -> None:
    d = small()
    fits = [
        em.glm("y ~ g + x", d, family="poisson", exposure="t"),
        em.glm("y ~ g + x", d | {"l": np.log(d["t"])}, family="poisson", offset="l"),
    ]
    rows = {"g": list("abc"), "x": [np.mean(d["x"])] * 3}
    rate = fits[0].predict(rows, kind="rate")
    for fit in fits:
        assert np.allclose(fit.means("g")["estimate"], rate * np.exp(np.mean(np.log(d["t"]))), rtol=1e-10)
        assert np.allclose(fit.means("g", offset=0.0)["estimate"], rate, rtol=1e-10)
    assert np.allclose(fits[0].means("g", kind="rate")["estimate"], rate, rtol=1e-10)
    formula = em.glm("y ~ g + x + offset(log(t))", d, family="poisson")
    # R evaluates the offset of a formula at the mean of its variables.
    assert np.allclose(formula.means("g")["estimate"], rate * np.mean(d["t"]), rtol=1e-10)


def test_a_bias_adjustment_is_the_mean_to_second_order() -> None:
    fit = em.glm("y ~ g + x", small(), family="poisson")
    plain, adjusted = fit.means("g"), fit.means("g", bias=0.5)
    assert np.allclose(adjusted["estimate"], plain["estimate"] * (1 + 0.125), rtol=1e-12)
    assert np.allclose(adjusted["std_error"], plain["std_error"] * (1 + 0.125), rtol=1e-9)
    assert np.allclose(adjusted["conf_high"], plain["conf_high"] * (1 + 0.125), rtol=1e-12)
    logit = em.glm("y > 1 ~ g + x", small(), family="bernoulli").means("g", bias=0.3)
    p = 1 / (1 + np.exp(-logit.eta))
    assert np.allclose(logit["estimate"], p + 0.045 * p * (1 - p) * (1 - 2 * p), rtol=1e-12)
    slope = p * (1 - p) * (1 + 0.045 * (1 - 6 * p * (1 - p)))
    assert np.allclose(logit["std_error"], slope * logit_error(logit), rtol=1e-8)


def logit_error(means: Any) -> np.ndarray:
    return np.sqrt(np.einsum("ij,jk,ik->i", means.rows, means.fit.cov, means.rows))


@pytest.mark.filterwarnings("ignore::etamu.AliasWarning")
def test_a_mean_of_an_empty_cell_has_no_estimate() -> None:
    d = small()
    keep = ~((d["g"] == "c") & (d["h"] == "v"))
    fit = em.glm("y ~ g * h", {name: values[keep] for name, values in d.items()}, family="poisson")
    table = fit.means("g", "h", scale="link")
    empty = (table["g"] == "c") & (table["h"] == "v")
    assert np.array_equal(np.isnan(table["estimate"]), empty)
    assert np.array_equal(np.isnan(table["std_error"]), empty)
    assert "aliased" in str(table)
    averaged = fit.means("g", scale="link")
    assert np.array_equal(np.isnan(averaged["estimate"]), averaged["g"] == "c")
    rows = {"g": ["a", "b"], "h": ["v", "v"]}
    assert np.allclose(table["estimate"][3:5], fit.predict(rows, kind="link"), rtol=1e-10)


@pytest.mark.filterwarnings("ignore::etamu.AliasWarning")
def test_aliased_copies_of_a_column_leave_every_mean_as_it_was() -> None:
    d = small()
    d["twice"] = 2 * d["x"]
    fit = em.glm("y ~ g + x + twice", d, family="poisson")
    plain = em.glm("y ~ g + x", d, family="poisson")
    assert np.allclose(fit.means("g")["estimate"], plain.means("g")["estimate"], rtol=1e-10)


REFUSED = {
    "no such factor": (lambda fit: fit.means("q"), "'q' is no factor"),
    "a number": (lambda fit: fit.means("x"), "at={'x'"),
    "twice": (lambda fit: fit.means("g", "g"), "named twice"),
    "nothing": (lambda fit: fit.means(""), "name the factor"),
    "two bars": (lambda fit: fit.means("g | h", "h"), "use one of the two"),
    "no such scale": (lambda fit: fit.means("g", scale="odds"), "scale='odds'"),
    "no such weights": (lambda fit: fit.means("g", weights="cells"), "weights='cells'"),
    "at a level": (lambda fit: fit.means("g", at={"h": "w"}), "no level of it"),
    "at nothing": (lambda fit: fit.means("g", at={"w": 1}), "no term reads"),
    "no such option": (lambda fit: fit.means("g", sigma=1.0), "no option 'sigma'"),
    "a negative bias": (lambda fit: fit.means("g", bias=-1.0), "standard deviation"),
    "a bias of eta": (lambda fit: fit.means("g", bias=1.0, scale="link"), "about means"),
    "no such adjustment": (lambda fit: fit.means("g").pairs("fdr"), "adjust='fdr'"),
    "tukey of few": (lambda fit: fit.means("g").pairs(compare="reference"), "for all pairs"),
    "no such comparison": (lambda fit: fit.means("g").pairs(None, compare="all"), "compare='all'"),
    "means of eta": (lambda fit: fit.means("g", scale="link").pairs(scale="response"), "scale='response'"),
    "one mean": (lambda fit: fit.means("g", at={"g": "a"}).pairs(), "nothing to compare"),
    "a rate without exposure": (lambda fit: fit.means("g", kind="rate"), "exposure"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what: str) -> None:
    fit = em.glm("y ~ g + h + x + offset(t)", small(), family="poisson")
    ask, message = REFUSED[what]
    with pytest.raises(em.OptionError, match=message):
        ask(fit)
