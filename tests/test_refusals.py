"""Bad input at the door: each a named error that says column, value, row and remedy, before any work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import etamu as em

DATA: dict[str, Any] = {
    "y": [1.0, 0.0, 3.0, 2.0, 5.0, 4.0, 2.0, 1.0],
    "b": [1, 0, 1, 0, 1, 1, 0, 0],
    "x": [0.1, 0.4, 0.9, 0.3, 1.4, 1.2, 0.5, 0.2],
    "g": ["u", "v", "w", "u", "v", "w", "u", "v"],
    "one": ["same"] * 8,
    "word": ["many", "few", "some", "many", "few", "some", "many", "few"],
    "years": [1.0, 2.0, 1.0, 0.5, 1.0, 2.0, 1.0, 1.0],
    "w": [1.0, 2.0, 1.0, 1.0, 3.0, 1.0, 1.0, 1.0],
}


def changed(**columns: Any) -> dict[str, Any]:
    return DATA | columns


def at(column: str, row: int, value: Any) -> dict[str, Any]:
    values = list(DATA[column])
    values[row] = value
    return changed(**{column: values})


REFUSALS: dict[str, tuple[type[em.EtamuError], list[str], tuple[Any, ...], dict[str, Any]]] = {
    "unknown column in the formula": (em.FormulaError, ["'xx'", "did you mean 'x'"], ("y ~ xx", DATA), {}),
    "unknown column of a keyword": (
        em.FormulaError,
        ["exposure='yaers'", "did you mean 'years'"],
        ("y ~ x", DATA, "poisson"),
        {"exposure": "yaers"},
    ),
    "negative count": (
        em.DataError,
        ["poisson", "non-negative integers", "'y'", "-1", "row 3"],
        ("y ~ x", at("y", 3, -1.0), "poisson"),
        {},
    ),
    "fraction as a count": (
        em.DataError,
        ["'y'", "1.5", "row 2", "quasipoisson"],
        ("y ~ x", at("y", 2, 1.5), "poisson"),
        {},
    ),
    "zero for a gamma": (
        em.DataError,
        ["gamma", "positive", "row 1", "tweedie"],
        ("y ~ x", DATA, "gamma"),
        {},
    ),
    "two in a Bernoulli": (em.DataError, ["'b'", "2", "row 5"], ("b ~ x", at("b", 5, 2), "bernoulli"), {}),
    "two in a binomial without trials": (
        em.DataError,
        ["'b'", "row 5", "trials="],
        ("b ~ x", at("b", 5, 2), "binomial"),
        {},
    ),
    "proportion without trials": (
        em.DataError,
        ["0.5", "row 5", "quasibinomial"],
        ("b ~ x", at("b", 5, 0.5), "binomial"),
        {},
    ),
    "more successes than trials": (
        em.DataError,
        ["'y'", "row 0", "trials"],
        ("y ~ x", DATA, "binomial"),
        {"trials": np.full(8, 0.0)},
    ),
    "trials that are no counts": (
        em.DataError,
        ["trials", "2.5", "row 0"],
        ("y ~ x", DATA, "binomial"),
        {"trials": np.full(8, 2.5)},
    ),
    "trials for a Poisson": (
        em.DataError,
        ["trials", "binomial", "poisson"],
        ("y ~ x", DATA, "poisson"),
        {"trials": np.full(8, 9.0)},
    ),
    "infinite response": (em.DataError, ["'y'", "inf", "row 4"], ("y ~ x", at("y", 4, np.inf)), {}),
    "infinite covariate": (em.DataError, ["'x'", "inf", "row 6"], ("y ~ x", at("x", 6, np.inf)), {}),
    "log of a negative number": (em.DataError, ["log(x)", "row 2"], ("y ~ np.log(x)", at("x", 2, -1.0)), {}),
    "every row missing": (em.DataError, ["every row", "x (8)"], ("y ~ x", changed(x=[np.nan] * 8)), {}),
    "missing values refused": (
        em.DataError,
        ["1 of 8", "row 7", "x (1)"],
        ("y ~ x", at("x", 7, np.nan)),
        {"missing": "raise"},
    ),
    "no rows": (em.DataError, ["no rows"], ("y ~ x", {"y": [], "x": []}), {}),
    "negative weight": (
        em.DataError,
        ["variance_weights", "-1", "row 0", "negative"],
        ("y ~ x", DATA),
        {"variance_weights": np.r_[-1.0, np.ones(7)]},
    ),
    "all weights zero": (
        em.DataError,
        ["variance_weights", "zero"],
        ("y ~ x", DATA),
        {"variance_weights": np.zeros(8)},
    ),
    "fractional frequency": (
        em.DataError,
        ["frequency_weights", "1.5", "row 0", "variance_weights"],
        ("y ~ x", DATA),
        {"frequency_weights": np.r_[1.5, np.ones(7)]},
    ),
    "weights without a kind": (
        em.OptionError,
        ["frequency_weights", "variance_weights", "sampling_weights"],
        ("y ~ x", DATA),
        {"weights": "w"},
    ),
    "keyword of another length": (
        em.DataError,
        ["offset", "3 values", "8 rows"],
        ("y ~ x", DATA),
        {"offset": np.zeros(3)},
    ),
    "columns of different lengths": (em.DataError, ["8", "7"], ("y ~ x", changed(x=[0.0] * 7)), {}),
    "constant factor": (em.DataError, ["one", "'same'"], ("y ~ one", DATA), {}),
    "exposure zero": (
        em.DataError,
        ["exposure", "years", "0", "row 2", "positive"],
        ("y ~ x", at("years", 2, 0.0), "poisson"),
        {"exposure": "years"},
    ),
    "exposure without a log link": (
        em.OptionError,
        ["exposure", "log link", "identity"],
        ("y ~ x", DATA, "poisson", "identity"),
        {"exposure": "years"},
    ),
    "link the family cannot have": (
        em.LinkError,
        ["poisson", "logit"],
        ("y ~ x", DATA, "poisson", "logit"),
        {},
    ),
    "unknown family": (em.FamilyError, ["poison", "poisson"], ("y ~ x", DATA, "poison"), {}),
    "unknown link": (em.LinkError, ["lgo"], ("y ~ x", DATA, "poisson", "lgo"), {}),
    "theta that is no shape": (em.FamilyError, ["theta", "-1"], ("y ~ x", DATA, "negative_binomial(-1)"), {}),
    "power between 0 and 1": (em.FamilyError, ["0.5", "1"], ("y ~ x", DATA, "tweedie(0.5)"), {}),
    "phi by ML beside an estimated theta": (
        em.OptionError,
        ["dispersion", "theta", "pearson"],
        ("y ~ x", DATA, "negative_binomial"),
        {"dispersion": "ml"},
    ),
    "text where numbers belong": (em.DataError, ["word", "'many'"], ("y ~ np.log(word)", DATA), {}),
    "text as an offset": (
        em.DataError,
        ["offset", "word", "row 0", "'many'"],
        ("y ~ x", DATA),
        {"offset": "word"},
    ),
    "text as a Gaussian response": (em.DataError, ["word", "gaussian"], ("word ~ x", DATA), {}),
    "three levels for two outcomes": (em.DataError, ["'g'", "3 levels"], ("g ~ x", DATA, "bernoulli"), {}),
    "unparsable formula": (em.FormulaError, ["y ~ x +"], ("y ~ x +* g", DATA), {}),
    "empty formula": (em.FormulaError, ["formula"], ("", DATA), {}),
    "formula without a response": (em.FormulaError, ["y ~"], ("~ x", DATA), {}),
    "code in a formula": (em.FormulaError, ["__import__"], ("y ~ __import__('os').getcwd()", DATA), {}),
    "data that is no table": (em.DataError, ["int"], ("y ~ x", 3), {}),
    "start of the wrong length": (
        em.OptionError,
        ["3", "2", "Intercept, x"],
        ("y ~ x", DATA),
        {"start": np.zeros(3)},
    ),
    "start outside the domain": (
        em.OptionError,
        ["start", "(0, inf)"],
        ("y ~ x", DATA, "poisson", "identity"),
        {"start": np.array([-1.0, 0.0])},
    ),
    "unknown option": (em.OptionError, ["solver", "'newtn'", "newton"], ("y ~ x", DATA), {"solver": "newtn"}),
    "unknown keyword": (em.OptionError, ["familly"], ("y ~ x", DATA), {"familly": "poisson"}),
    "family as a class": (em.FamilyError, ["Poisson", "em.Poisson()"], ("y ~ x", DATA, em.Poisson), {}),
    "no family at all": (em.FamilyError, ["None", "'poisson'"], ("y ~ x", DATA, None), {}),
    "link as a class": (em.LinkError, ["Power", "em.Power("], ("y ~ x", DATA, "poisson", em.Power), {}),
    "formula that is no text": (em.FormulaError, ["int", "y ~ x"], (3, DATA), {}),
    "start that is no number": (
        em.OptionError,
        ["start", "nan", "'x'"],
        ("y ~ x", DATA, "poisson"),
        {"start": np.array([0.0, np.nan])},
    ),
    "two coefficients of one name": (
        em.FormulaError,
        ["'Intercept'", "rename"],
        ("y ~ x + Intercept", changed(Intercept=[1.0] * 8)),
        {},
    ),
    "senseless dispersion": (em.OptionError, ["dispersion", "-1"], ("y ~ x", DATA), {"dispersion": -1.0}),
    "dispersion that is a list": (em.OptionError, ["dispersion=[1]"], ("y ~ x", DATA), {"dispersion": [1]}),
    "dispersion that is a truth value": (em.OptionError, ["True"], ("y ~ x", DATA), {"dispersion": True}),
    "keyword misspelt": (
        em.OptionError,
        ["exposur", "did you mean exposure"],
        ("y ~ x", DATA),
        {"exposur": "years"},
    ),
    "start in a column": (
        em.OptionError,
        ["one for each coefficient"],
        ("y ~ x", DATA),
        {"start": np.zeros((2, 1))},
    ),
    "complex start": (em.OptionError, ["start is", "numbers"], ("y ~ x", DATA), {"start": np.zeros(2) * 1j}),
    "start by name": (em.OptionError, ["{'x': 1.0}"], ("y ~ x", DATA), {"start": {"x": 1.0}}),
    "start in words": (em.OptionError, ["'near'"], ("y ~ x", DATA), {"start": "near"}),
    "power of one variable": (
        em.FormulaError,
        ["x^2 would be x alone", "I(x^2)"],
        ("y ~ x^2", DATA),
        {},
    ),
    "power of one factor": (em.FormulaError, ["g**3 would be g alone"], ("y ~ x + g**3", DATA), {}),
    "leaving out what is not there": (
        em.FormulaError,
        ["no column 'yaers'", "did you mean 'years'"],
        ("y ~ . - yaers", DATA),
        {},
    ),
    "bracket that is not closed": (em.FamilyError, ["'tweedie(1.5'"], ("y ~ x", DATA, "tweedie(1.5"), {}),
    "power beyond every mean": (em.FamilyError, ["300", "100"], ("y ~ x", DATA, "tweedie(300)"), {}),
    "predictors without names": (
        em.OptionError,
        ["predictors=['~ x']", "by name"],
        ("b ~ x", DATA, "zero_inflated_poisson"),
        {"predictors": ["~ x"]},
    ),
    "a list where a formula belongs": (
        em.FormulaError,
        ["nonproportional=['x']", "'~ x'"],
        ("b ~ x", DATA, em.Cumulative(nonproportional=["x"])),  # type: ignore[arg-type]
        {},
    ),
    "response as its own offset": (em.DataError, ["offset='y'", "itself"], ("y ~ x", DATA), {"offset": "y"}),
    "response without a column": (em.FormulaError, ["names no column", "`1`"], ("1 ~ x", DATA), {}),
    "a column called like an expression": (
        em.FormulaError,
        ["log(x)", "rename"],
        ("y ~ log(x) + `log(x)`", DATA | {"log(x)": DATA["x"]}),
        {},
    ),
    "an ulp beyond": (
        em.DataError,
        ["1.0000000000000002", "row 2"],
        ("b ~ x", at("b", 2, np.nextafter(1.0, 2.0)), "bernoulli"),
        {},
    ),
    "a frequency that is nearly whole": (
        em.DataError,
        ["2.0000000001"],
        ("y ~ x", DATA),
        {"frequency_weights": np.full(8, 2.0000000001)},
    ),
    "too many products": (
        em.FormulaError,
        ["20,000 terms"],
        ("y ~ .**20", DATA | {f"c{j}": DATA["x"] for j in range(30)}),
        {},
    ),
    "knots without end": (em.DataError, ["df=1000000000", "8 values"], ("y ~ bs(x, df=1e9)", DATA), {}),
    "powers without end": (em.DataError, ["degree=1000000000"], ("y ~ poly(x, 1e9, raw=True)", DATA), {}),
    "a power without means": (
        em.LinkError,
        ["Power(k=1e+308)", "100"],
        ("y ~ x", DATA, "gamma", "power(1e308)"),
        {},
    ),
    "a theta beneath all": (
        em.FamilyError,
        ["1e-320", "1e-100"],
        ("y ~ x", DATA, "negative_binomial(1e-320)"),
        {},
    ),
    "a theta that is no number": (
        em.FamilyError,
        ["'negative_binomial(x)'", "'negative_binomial(1.5)'"],
        ("y ~ x", DATA, "negative_binomial(x)"),
        {},
    ),
    "a column beyond float64": (
        em.DataError,
        ["'x'", "more than 1e+307", "divided by"],
        ("y ~ x", changed(x=[1.7e308, -1.7e308] * 4)),
        {},
    ),
    "a start in another order": (
        em.OptionError,
        ["another order", "'x'", "start.loc[names]"],
        ("y ~ x", DATA),
        {"start": pd.Series([1.0, 0.0], index=["x", "Intercept"])},
    ),
    "a start without a likelihood": (
        em.OptionError,
        ["beyond float64"],
        ("y ~ x", DATA, "poisson"),
        {"start": [800.0, 0.0]},
    ),
    "a fit as a start": (em.OptionError, ["of type Fit"], ("y ~ x", DATA), {"start": em.glm("y ~ x", DATA)}),
    "an option of no word": (em.OptionError, ["method=[]"], ("y ~ x", DATA), {"method": []}),
    "weights of others": (em.OptionError, ["three meanings"], ("y ~ x", DATA), {"sample_weights": "w"}),
    "a weight misspelt": (
        em.OptionError,
        ["did you mean variance_weights"],
        ("y ~ x", DATA),
        {"variance_weight": "w"},
    ),
    "another measure of dispersion": (
        em.OptionError,
        ["did you mean 'pearson'"],
        ("y ~ x", DATA),
        {"dispersion": "person"},
    ),
    "a dispersion method nobody knows": (
        em.OptionError,
        ["dispersion_method=3", "'reml'"],
        ("y ~ x", DATA),
        {"dispersion_method": 3},
    ),
    "whole numbers beyond doubles": (
        em.DataError,
        ["'x'", "row 1", f"{2**62 + 1}", "subtract"],
        ("y ~ x", changed(x=[2**62 + row for row in range(8)])),
        {},
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_bad_input_is_refused_by_name(name: str) -> None:
    error, words, arguments, keywords = REFUSALS[name]
    with pytest.raises(error) as caught:
        em.glm(*arguments, **keywords)
    message = str(caught.value)
    missing = [word for word in words if word not in message]
    assert not missing, f"{message!r} does not say {missing}"


@pytest.mark.parametrize("name", REFUSALS)
def test_every_refusal_is_also_a_value_error(name: str) -> None:
    error, _, arguments, keywords = REFUSALS[name]
    assert issubclass(error, ValueError)
    with pytest.raises(ValueError, match=r"\w"):
        em.glm(*arguments, **keywords)


ARRAYS: dict[str, tuple[type[em.EtamuError], list[str], dict[str, Any]]] = {
    "intercept in words": (em.OptionError, ["intercept='yes'", "True or False"], {"intercept": "yes"}),
    "intercept of nothing": (em.OptionError, ["intercept=None"], {"intercept": None}),
    "names in one text": (em.OptionError, ["names='ab'", "a list"], {"names": "ab"}),
    "keyword misspelt": (em.OptionError, ["ofset", "did you mean offset"], {"ofset": np.zeros(8)}),
    "bare weights": (em.OptionError, ["frequency_weights", "variance_weights"], {"weights": np.ones(8)}),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_the_door_of_arrays_refuses_by_name(name: str) -> None:
    error, words, keywords = ARRAYS[name]
    X = np.c_[DATA["x"], DATA["years"]]
    with pytest.raises(error) as caught:
        em.GLM().fit(X, DATA["y"], **keywords)
    assert all(word in str(caught.value) for word in words), caught.value


def test_what_is_no_path_no_link_and_no_family_is_named() -> None:
    fit = em.glm("y ~ x", DATA)
    for path in (None, 3):
        with pytest.raises(em.FileError, match=f"{path} is no path"):
            fit.save(path)  # type: ignore[arg-type]
        with pytest.raises(em.FileError, match=f"{path} is no path"):
            em.load(path)  # type: ignore[arg-type]
    for thing in ("logit", em.Power):
        with pytest.raises(em.LinkError, match="is no link; give a value"):
            em.check_link(thing)  # type: ignore[arg-type]
    for thing in ("poisson", em.Poisson):
        with pytest.raises(em.FamilyError, match="is no family; give a value"):
            em.check_family(thing)  # type: ignore[arg-type]


def test_the_response_is_not_added_to_its_own_predictors() -> None:
    with pytest.raises(em.FormulaError, match="the response y on its right side too"):
        em.glm("y ~ x", DATA).add1("~ . + y")


def test_the_table_of_refusals_starts_from_data_that_can_be_fitted() -> None:
    # Else every refusal here might be the same one.
    assert em.glm("y ~ x", DATA, "poisson", exposure="years").converged
    assert em.glm("y ~ x + word", DATA, variance_weights="w").converged


def test_the_input_is_left_as_it_was() -> None:
    y, x = np.array(DATA["y"]), np.array(DATA["x"])
    y.flags.writeable = x.flags.writeable = False
    before = y.copy(), x.copy()
    em.glm("y ~ x", {"y": y, "x": x}, "poisson", exposure=np.ones(8)).residuals("deviance")
    assert np.array_equal(y, before[0])
    assert np.array_equal(x, before[1])


NEW: dict[str, tuple[type[em.EtamuError], list[str], dict[str, Any]]] = {
    "column missing from the new data": (em.FormulaError, ["'x'"], {"data": {"g": ["u"]}}),
    "level never seen": (em.DataError, ["'g'", "'q'", "row 1"], {"data": {"x": [0.0, 1.0], "g": ["u", "q"]}}),
    "number where text was": (em.DataError, ["g"], {"data": {"x": [0.0], "g": [1.0]}}),
    "unknown kind": (
        em.OptionError,
        ["'respones'", "mean"],
        {"data": {"x": [0.0], "g": ["u"]}, "kind": "respones"},
    ),
    "R's word for a mean": (
        em.OptionError,
        ["did you mean 'mean'"],
        {"data": {"x": [0.0], "g": ["u"]}, "kind": "response"},
    ),
    "trials of a count": (
        em.OptionError,
        ["trials= is given", "poisson model has none"],
        {"data": {"x": [0.0], "g": ["u"]}, "trials": [3]},
    ),
}


@pytest.mark.parametrize(
    "family", ["poisson", "bernoulli", "multinomial", "zero_inflated_poisson", "cumulative"]
)
@pytest.mark.parametrize("door", ["formula", "arrays"])
@pytest.mark.filterwarnings("ignore::etamu.ConvergenceWarning")
def test_predictions_of_no_rows_are_empty(family: str, door: str) -> None:
    X, y = np.c_[DATA["x"], DATA["years"]], DATA["b"]
    fit = em.GLM(family).fit(X, y) if door == "arrays" else em.glm("b ~ x + years", DATA, family)
    none = X[:0] if door == "arrays" else {"x": [], "years": []}
    assert len(fit.predict(none)) == 0
    with_se = fit.predict(none, se=True, interval="confidence")
    assert all(len(getattr(with_se, name)) == 0 for name in ("estimate", "se", "lower", "upper"))


@pytest.mark.parametrize("name", NEW)
def test_prediction_refuses_by_name(name: str) -> None:
    error, words, keywords = NEW[name]
    fit = em.glm("y ~ x + g", DATA, "poisson")
    with pytest.raises(error) as caught:
        fit.predict(**keywords)
    missing = [word for word in words if word not in str(caught.value)]
    assert not missing, f"{caught.value} does not say {missing}"


def test_an_offset_given_as_an_array_is_asked_for_again() -> None:
    fit = em.glm("y ~ x", DATA, "poisson", offset=np.ones(8))
    with pytest.raises(em.DataError, match="offset"):
        fit.predict({"x": [1.0]})
    assert fit.predict({"x": [1.0]}, offset=[1.0]).shape == (1,)


def test_unseen_levels_can_be_nan_or_the_reference() -> None:
    fit = em.glm("y ~ x + g", DATA, "poisson")
    new = {"x": [0.5, 0.5], "g": ["u", "q"]}
    assert np.isnan(fit.predict(new, unseen="nan")).tolist() == [False, True]
    both = fit.predict(new, unseen="reference")
    assert both[0] == both[1]


def test_what_is_not_silent() -> None:
    with pytest.warns(em.DroppedRowsWarning, match=r"1 of 8 rows.*x \(1\)"):
        fit = em.glm("y ~ x", at("x", 7, np.nan), "poisson")
    assert np.isnan(fit.predict()).tolist() == [False] * 7 + [True]
    with pytest.warns(em.AliasWarning, match="twice"):
        fit = em.glm("y ~ x + twice", changed(twice=2 * np.array(DATA["x"])), "poisson")
    assert fit.aliased == ("twice",)
    assert np.isnan(fit.coef[2])
    separated = {"b": [0, 0, 0, 1, 1, 1], "x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}
    with pytest.warns(em.ConvergenceWarning, match="No finite maximum"):
        fit = em.glm("b ~ x", separated, "bernoulli")
    assert not fit.converged


@pytest.mark.parametrize("door", [em.compare_links, em.why_not_ols], ids=["compare_links", "why_not_ols"])
def test_what_looks_at_one_predictor_refuses_several_and_strangers(door: Any) -> None:
    several = em.glm("b ~ x", DATA, family="multinomial")
    with pytest.raises(em.NotAvailableError, match="is for models of one linear predictor"):
        door(several)
    with pytest.raises(em.OptionError, match="this is a str"):
        door("y ~ x")
    empty = em.glm("y ~ 0", DATA, family="poisson")
    if door is em.why_not_ols:
        with pytest.raises(em.NotAvailableError, match="no coefficients"):
            door(empty)


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_links_and_least_squares_of_responses_far_from_one(size: float) -> None:
    data = changed(y=size * (1.0 + np.array(DATA["y"])))
    fit = em.glm("y ~ x", data, family="gamma", link="log")
    near = em.glm("y ~ x", changed(y=1.0 + np.array(DATA["y"])), family="gamma", link="log")
    found, wanted = (em.compare_links(each, ["log"]).rows[0].p_value for each in (fit, near))
    assert found == pytest.approx(wanted, rel=1e-6)
    with pytest.raises(em.NotAvailableError, match="in units that bring it near 1"):
        em.why_not_ols(fit)


def test_ratios_of_parameters_at_their_limits_are_zero_or_infinite() -> None:
    data = changed(y=1 + np.array(DATA["y"]))
    with pytest.warns(em.ConvergenceWarning, match="no count is 0"):
        fit = em.glm("y ~ x", data, family="hurdle_poisson")
    assert fit.conf_int(scale="ratio").shape == (3, 2)
