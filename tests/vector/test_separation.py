"""Where no finite estimate exists: a certificate, infinite coefficients, and a limit that is right."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from etamu.solve.oracle import Outcome
from etamu.vector.located import located
from etamu.vector.stage import likelihood_of, prepare
from tests.catalogue import CLASSES, NATURAL, VECTORS

N = 160
RNG = np.random.default_rng(11)
X = RNG.normal(size=N)
G = np.where(np.arange(N) % 2 == 0, "u", "v")
LATENT = np.digitize(0.7 * X + RNG.logistic(size=N), [-0.8, 0.9])
FAMILIES = [
    em.Multinomial(),
    em.Multinomial(reference="2"),
    *(em.Cumulative(link) for link in ("logit", "probit", "cloglog", "loglog", "cauchit")),
    em.ContinuationRatio(),
    em.ContinuationRatio("cloglog"),
    em.AdjacentCategory(),
    em.Cumulative(nonproportional="~ g"),
]
every = pytest.mark.parametrize("family", FAMILIES, ids=str)


def separated(family, data, formula="y ~ g + x", **options):
    with pytest.warns(em.SeparationWarning, match="No finite maximum exists"):
        return em.glm(formula, data, family=family, **options)


def quasi():
    """All rows of group u are in the lowest class."""
    return {"y": np.where(G == "u", 0, LATENT), "x": X, "g": G}


@every
def test_a_group_of_one_class_has_infinite_coefficients_and_a_limit(family):
    fit = separated(family, quasi())
    found = fit.existence
    assert found.outcome == "infinite"
    assert fit.outcome is Outcome.INFINITE
    assert found.classes == ("1", "2")
    assert found.count == np.sum(G == "u")
    runs = [name for name, value in zip(fit.names, fit.coef, strict=True) if not np.isfinite(value)]
    assert set(found.coefficients) == set(runs)
    assert all("x" not in name for name in runs)
    assert "Inf" in str(fit.summary())
    assert "class" in str(fit.existence) or "probability of 1, 2 is 0" in str(fit.existence)


@pytest.mark.parametrize("family", [each for each in FAMILIES if "cauchit" not in str(each)], ids=str)
def test_the_limit_is_that_of_rows_which_make_it_finite_at_vanishing_weight(family):
    data, tiny = quasi(), 1e-7
    limit = separated(family, data)
    more = {name: np.append(values, [values[0]] * 2) for name, values in data.items()}
    more["y"][-2:] = [1, 2]
    more["x"][-2:] = 0.0
    more["w"] = np.append(np.ones(N), [tiny] * 2)
    finite = em.glm("y ~ g + x", more, family=family, variance_weights="w")
    assert finite.converged
    assert_allclose(limit.loglik, finite.loglik, atol=1e-4)
    own = np.isfinite(limit.coef)
    assert_allclose(limit.coef[own], finite.coef[own], atol=2e-5)
    assert_allclose(limit.se[own], finite.se[own], rtol=1e-4)
    assert_allclose(limit.predict(), finite.predict()[:N], atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES[:2], ids=str)
def test_a_class_that_a_number_predicts_is_named(family):
    y = np.where(X > 0.6, 2, LATENT.clip(max=1))
    fit = separated(family, {"y": y, "x": X}, "y ~ x")
    assert fit.existence.outcome == "infinite"
    assert np.any(np.isinf(fit.coef))
    assert np.all(fit.predict(kind="class")[X > 0.6] == "2")


@pytest.mark.parametrize("family", VECTORS, ids=[f"{f}-{f.counted}" for f in VECTORS])
def test_along_a_cone_the_value_never_falls_and_outside_of_it_falls(family):
    k, rng = len(family.parameters), np.random.default_rng(2)
    classes = np.eye(len(CLASSES))
    held = [*classes, np.array([1.0, 0.0, 2.0, 0.0])][: len(CLASSES) + family.counted]
    bound = family.bind(np)
    for number, counts in enumerate(held):
        y = tuple(np.array([each]) for each in counts) if family.counted else (np.array([float(number)]),)
        kind, inequalities = family.cones(y)
        for direction in itertools.product((-1.0, 0.0, 1.0), repeat=k):
            eta = np.sort(rng.normal(size=k)) if family.ordered else rng.normal(size=k)
            eta = np.append(np.sort(eta[:-1]), 0.2) if family.ordered else eta
            path = eta + np.multiply.outer([0.0, 0.5, 1.0, 3.0, 10.0, 1e3], direction)
            rows = tuple(np.broadcast_to(each, len(path)) for each in y)
            with np.errstate(all="ignore"):
                value = bound(rows, path)[0]
            if np.all(inequalities[kind[0]] @ direction >= 0.0):
                assert np.all(np.diff(value) >= -1e-12 * np.abs(value[:-1]))
            else:
                assert not value[-1] >= value[0]


@pytest.mark.parametrize("family", NATURAL, ids=str)
def test_along_the_ways_of_a_count_the_value_never_falls(family):
    y = np.array([0.0, 1.0, 3.0]) + family.support.interval.lower
    columns = (y, np.array([3.0, 1.0, 3.0])) if "trials" in family.response else (y,)
    cones = family.cones(columns)
    if cones is None:
        assert family.name == "beta"
        return
    bound, domain = family.bind(np), [each.link.domain for each in family.parameters]
    for row in range(len(y)):
        for direction in itertools.product((-1.0, 0.0, 1.0), repeat=len(family.parameters)):
            if np.any(cones.inequalities[cones.kind[row]] @ direction < 0.0):
                continue
            start = [0.6 if not each.whole else 0.1 for each in domain]
            path = np.array(start) + np.multiply.outer([0.0, 0.5, 1.0, 3.0, 10.0, 30.0], direction)
            rows = tuple(np.broadcast_to(each[row], len(path)) for each in columns)
            with np.errstate(all="ignore"):
                value = bound(rows, path)[0]
            assert np.all(np.diff(value) >= -1e-9 * (1.0 + np.abs(value[:-1])))


COUNTS = np.random.default_rng(4).poisson(np.exp(1.0 + 0.3 * X))


@pytest.mark.parametrize(
    ("family", "words"),
    [
        (em.HurdlePoisson(), {"zero": "~ g"}),
        (em.ZeroInflatedPoisson(), {"zero": "~ g"}),
        (em.NegativeBinomial1(), {}),
        (em.GeneralizedPoisson(), {}),
        (em.ConwayMaxwellPoisson(), {}),
    ],
    ids=str,
)
def test_a_group_without_a_count_above_zero_is_certain_to_be_zero(family, words):
    y = np.where(G == "u", 0, COUNTS)
    y[G == "v"] = np.where(np.arange(N // 2) % 4 == 0, 0, y[G == "v"])
    formula = "y ~ x" if words else "y ~ x + g"
    fit = separated(family, {"y": y, "x": X, "g": G}, formula, predictors=words)
    assert fit.limit.outcome is Outcome.CONVERGED
    assert np.isinf(fit.coef).any()
    assert_allclose(fit.predict()[G == "u"], 0.0, atol=1e-12)
    own = np.isfinite(fit.coef)
    assert np.all(np.isfinite(fit.se[own]))


def test_what_stays_is_tested_as_in_any_fit():
    fit = separated(em.Multinomial(), quasi())
    smaller = separated(em.Multinomial(), quasi(), "y ~ g")
    ratio = fit.test("1:x = 0, 2:x = 0", "lr")
    table = em.compare(smaller, fit)
    assert_allclose(ratio.statistic, table.row("y ~ g + x")["LR" if "LR" in table.columns else "statistic"])
    ends = fit.conf_int(method="profile")
    assert np.all(np.isnan(ends) == ~np.isfinite(fit.coef)[:, None])
    with pytest.raises(em.NotAvailableError, match="no finite estimate"):
        fit.test("1:Intercept = 0")


def test_sandwiches_of_a_limit_are_those_of_what_stays():
    data = {**quasi(), "farm": np.arange(N) % 20}
    fit = separated(em.Cumulative(), data)
    alone = {name: values[G == "v"] for name, values in data.items()}
    rest = em.glm("y ~ x", alone, family=em.Cumulative())
    place = fit.names.index("x")
    for kind, options in (("HC0", {}), ("CR0", {"cluster": "farm"}), ("expected", {})):
        errors = fit.with_covariance(kind, **options).se
        assert np.all(np.isnan(errors) == ~np.isfinite(fit.coef))
        assert_allclose(errors[place], rest.with_covariance(kind, **options).se[-1], rtol=1e-6)


def test_predictions_at_the_limit_are_its_probabilities_and_have_no_error_at_the_end():
    fit = separated(em.Multinomial(), quasi())
    asked = fit.predict({"x": [0.0, 0.0], "g": ["u", "v"]}, interval="confidence")
    assert asked.estimate[0].tolist() == [1.0, 0.0, 0.0]
    assert np.all(np.isnan(asked.se[0]))
    assert np.all((asked.lower[1] < asked.estimate[1]) & (asked.estimate[1] < asked.upper[1]))
    assert fit.predict({"x": [0.0], "g": ["u"]}, kind="link")[0].tolist() == [-np.inf, -np.inf]


def test_what_rows_do_not_determine_is_not_predicted():
    x = np.arange(12.0)
    z = np.array([3.0, 1.0, 2.0, 4.0, 0.0, 2.0, 5.0, 1.0, 3.0, 2.0, 4.0, 1.0])
    y = ["a"] * 4 + ["b"] * 4 + ["c"] * 4
    fit = separated(em.Multinomial(), {"y": y, "x": x, "z": z}, "y ~ x + z")
    assert np.array_equal(fit.predict(kind="class"), y)
    assert fit.existence.undetermined
    between = fit.predict({"x": [3.5], "z": [2.0]})
    assert np.all(np.isnan(between))


def test_a_limit_survives_saving(tmp_path):
    fit = separated(em.Cumulative("cauchit"), quasi())
    fit.save(tmp_path / "m.json")
    again = em.load(tmp_path / "m.json")
    assert str(again) == str(fit)
    assert str(again.existence) == str(fit.existence)
    new = {"x": [0.0], "g": ["u"]}
    assert_allclose(again.predict(new), fit.predict(new))


def test_separation_may_be_an_error_and_nothing_that_makes_no_sense():
    with pytest.raises(em.SeparationError, match=r"probability of 1, 2 is 0.*merge"):
        em.glm("y ~ g + x", quasi(), family=em.Multinomial(), on_separation="error")
    for answer in ("drop", "firth"):
        with pytest.raises(em.OptionError, match="choose 'warn' or 'error'"):
            em.glm("y ~ g + x", quasi(), family=em.Multinomial(), on_separation=answer)


@every
def test_overlap_is_known_where_it_is(family):
    fit = em.glm("y ~ g + x", {"y": LATENT, "x": X, "g": G}, family=family)
    found = fit.existence
    assert found.exists
    assert found.outcome == ("interior" if family.convex else "local")
    assert found.coefficients == {}


def test_an_inflation_of_some_rows_that_vanishes_is_told_though_nothing_separates():
    rng = np.random.default_rng(5)
    y = rng.poisson(1.5, N)
    y[(G == "v") & (y == 0)] = rng.integers(0, 2, np.sum((G == "v") & (y == 0)))  # fewer zeros than Poisson
    y[(G == "u")] *= rng.integers(0, 2, np.sum(G == "u"))
    with pytest.warns(
        em.ConvergenceWarning, match=rf"zero of zero_inflated_poisson .* in {np.sum(G == 'v')} rows"
    ):
        fit = em.glm(
            "y ~ x", {"y": y, "x": X, "g": G}, family=em.ZeroInflatedPoisson(), predictors={"zero": "~ g"}
        )
    assert fit.existence.outcome == "boundary"
    assert not fit.converged


def test_a_beta_response_without_spread_ends_in_words():
    with pytest.warns(em.ConvergenceWarning, match="every response equals its mean"):
        fit = em.glm("y ~ x", {"y": 1.0 / (1.0 + np.exp(-X)), "x": X}, family=em.Beta())
    assert fit.outcome is Outcome.BOUNDARY


def test_a_million_cells_of_one_separated_level_cost_little_more_than_the_fit():
    rng = np.random.default_rng(1)
    n = 20_000
    x, g = rng.normal(size=n), rng.integers(0, 30, n)
    y = np.digitize(x + rng.logistic(size=n), [-1.0, 1.0])
    y[g == 7] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = em.glm("y ~ x + C(g)", {"y": y, "x": x, "g": g}, family=em.Multinomial())
    assert fit.existence.outcome == "infinite"
    assert fit.passes < 40
    assert fit.existence.count == np.sum(g == 7)


def test_what_no_row_tells_of_once_others_have_run_is_not_determined():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.EtamuWarning)
        fit = em.glm("y ~ 1", {"y": [1.0, 1.0, 1.0]}, em.HurdleNegativeBinomial())
    assert fit.limit.outcome is Outcome.CONVERGED
    np.testing.assert_array_equal(fit.coef, [-np.inf, -np.inf, np.nan])
    assert fit.loglik == 0.0


def test_rows_that_separate_beside_a_parameter_at_its_wall():
    data = {"x": [2.0, 3.0, -1.0], "z": [-1.0, 1.0, 1.0], "y": [1.0, 3.0, 0.0]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.EtamuWarning)
        fit = em.glm("y ~ x + z", data, em.GeneralizedPoisson())
    assert fit.limit.outcome is Outcome.BOUNDARY
    assert_allclose(fit.predict(kind="dispersion")[:2], 0.5, rtol=1e-6)
    # no point on the flat that is inside the range is higher
    flat = located(fit, likelihood_of(fit.problem, prepare(fit.problem)))
    rng = np.random.default_rng(0)
    for size in (1e-4, 1e-2, 0.3):
        for _ in range(100):
            value = flat.oracle.along(flat.beta, size * rng.normal(size=len(flat.beta)), np.ones(1))[0]
            assert value <= fit.solution.local.value + 1e-7


def test_a_parameter_at_its_end_beside_others_that_run_with_rows():
    data = {"g": list("a" * 7 + "b" * 3), "y": [5.0, 2, 4, 3, 4, 2, 3, 1, 1, 1]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.EtamuWarning)
        fit = em.glm("y ~ g", data, em.HurdleNegativeBinomial())
        simple = em.glm("y ~ 1", {"y": data["y"][:7]}, em.ZeroTruncatedPoisson())
    assert fit.limit.outcome is Outcome.CONVERGED
    ends = dict(zip(fit.names, fit.coef.tolist(), strict=True))
    assert (ends["mean:g[T.b]"], ends["shape:Intercept"]) == (-np.inf, np.inf)
    assert ends["mean:Intercept"] == pytest.approx(simple.coef[0], abs=1e-8)
    assert fit.loglik == pytest.approx(simple.loglik, abs=1e-8)


def test_a_zero_that_is_certain_asks_nothing_of_the_inflation():
    data = {
        "x": [0.3715, 1.3505, -0.1901, 0.0087, 0.2406, -0.0907, 0.0424, 0.2853],
        "z": [0.1758, 1.1189, -1.2988, -1.3405, 0.0497, 0.6109, 0.9980, 0.8268],
        "g": list("babbabba"),
        "y": np.array([0.0, 5.0, 0.0, 0.0, 0.0, 0.0, 5.0, 5.0]),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.EtamuWarning)
        fit = em.glm("y ~ x + z + g", data, em.ZeroInflatedPoisson(), predictors={"zero": "~ x"})
        fives = em.glm("y ~ 1", {"y": [5.0] * 3}, "poisson")
    assert (fit.outcome, fit.limit.outcome) == (Outcome.INFINITE, Outcome.CONVERGED)
    assert fit.loglik == pytest.approx(fives.loglik, abs=1e-8)
    assert_allclose(fit.predict(), data["y"], atol=1e-6)


def test_two_coefficients_that_rows_left_tell_of_only_together_are_one():
    data = {"g": list("abbbbbbba"), "y": [0.0, 4, 0, 2, 4, 3, 7, 1, 0]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.EtamuWarning)
        fit = em.glm("y ~ g", data, em.GeneralizedPoisson(), predictors={"dispersion": "~ g"})
    alone = em.glm("y ~ 1", {"y": data["y"][1:8]}, em.GeneralizedPoisson())
    assert fit.limit.outcome is Outcome.CONVERGED
    assert_allclose(fit.coef, [-np.inf, np.inf, np.nan, np.nan])
    assert fit.loglik == pytest.approx(alone.loglik, abs=1e-8)
    assert_allclose(fit.predict(kind="dispersion")[1:8], alone.predict(kind="dispersion"), rtol=1e-6)


def test_a_parameter_at_its_end_in_the_rows_that_others_leave():
    data = {"x": [2.0, -1.0], "y": [8.0, 3.0], "m": [8.0, 4.0]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.EtamuWarning)
        fit = em.glm("y ~ x", data, em.BetaBinomial(), predictors={"precision": "~ x"}, trials="m")
    assert fit.limit.outcome is Outcome.CONVERGED
    assert fit.loglik == pytest.approx(np.log(4 * 0.75**3 * 0.25), abs=1e-8)  # the binomial of 3 out of 4
    assert_allclose(fit.predict(), [1.0, 0.75], atol=1e-8)


@pytest.mark.parametrize("size", [3, 4])
def test_shares_that_columns_meet_exactly_have_no_bound(size):
    rng = np.random.default_rng(size)
    data = {f"x{j}": rng.normal(size=size) for j in range(size - 1)} | {"y": rng.uniform(0.1, 0.9, size)}
    right = " + ".join(f"x{j}" for j in range(size - 1))
    with pytest.warns(em.ConvergenceWarning, match="every response equals its mean"):
        fit = em.glm(f"y ~ {right}", data, em.Beta())
    assert (fit.outcome, fit.limit.outcome, fit.loglik) == (Outcome.BOUNDARY, Outcome.CONVERGED, np.inf)
    assert_allclose(fit.predict(kind="mean"), data["y"], rtol=1e-6)


def test_a_level_of_one_share_is_met_exactly():
    data = {
        "g": list("abbbbbbbb"),
        "y": [0.33325, 0.33286, 0.65196, 0.64601, 0.43270, 0.34188, 0.65452, 0.74593, 0.24219],
    }
    with pytest.warns(em.ConvergenceWarning, match=r"precision .* in 1 rows \(the first is row 0\)"):
        fit = em.glm("y ~ g", data, em.Beta(), predictors={"precision": "~ g"})
    assert fit.outcome is Outcome.BOUNDARY
    assert fit.predict(kind="mean")[0] == pytest.approx(data["y"][0], rel=1e-6)
