"""What the fuzz has found, the smallest model that showed it, and what is said now."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

import etamu as em
from etamu.family.borrowed import Binomial, QuasiPoisson
from etamu.family.families import Gaussian, InverseGaussian
from etamu.family.links import Cloglog, Inverse, InverseSquared, Log
from etamu.family.unit import Unit
from etamu.solve.lbfgs import two_loop
from etamu.solve.outcome import Outcome
from etamu.solve.radius import within
from tests.fuzz.recipes import Recipe, cooked
from tests.fuzz.verdict import BEYOND, BOUNDARY, INFINITE, RIGHT, verdict

NONE = {"y": [0.0, 0.0, 0.0]}
ALL = {"y": [7.0], "m": [7.0]}
FAR = {
    "x": [0.118, -0.235, -0.714, -0.947, -0.498, 1.2335, 1.1213, -1.0357],
    "g": list("abaaaaaa"),
    "y": [5.0] * 8,
    "o": [0.0, 0.0, 700.0, 0.0, 700.0, 700.0, -700.0, 0.0],
}


@pytest.mark.parametrize(
    ("family", "link", "outcome"),
    [
        # The mean 0 lies at eta = 0, which the search nears by two thirds of the way each time.
        (em.Poisson(), "sqrt", Outcome.BOUNDARY),
        (em.Poisson(), "identity", Outcome.BOUNDARY),
        # The mean 0 lies at eta = infinity, and Newton's steps grow by a third each time.
        (em.NegativeBinomial(2.0), em.Power(-0.5), Outcome.INFINITE),
        (em.NegativeBinomial(1e6), "inverse", Outcome.INFINITE),
        (em.NegativeBinomial(0.05), None, Outcome.INFINITE),
        (em.Bernoulli(), "inverse", Outcome.INFINITE),
    ],
    ids=repr,
)
def test_a_search_that_creeps_has_not_converged(family: Any, link: Any, outcome: Outcome) -> None:
    with pytest.warns(em.ConvergenceWarning):
        fit = em.glm("y ~ 1", NONE, family=family, link=link)
    assert fit.outcome is outcome


@pytest.mark.parametrize(
    ("formula", "data", "options"),
    [
        ("y ~ 1", NONE, {"family": "poisson", "link": "identity", "covariance": "observed"}),
        (
            "y ~ 1",
            ALL,
            {"family": "binomial", "link": em.Power(-0.5), "trials": "m", "covariance": "observed"},
        ),
        (
            "y ~ g",
            {"g": list("abaad"), "y": [0.25, 1e-10, 1e-10, 1e-10, 0.5]},
            {"family": em.Tweedie(4.0), "link": "identity", "covariance": "observed"},
        ),
    ],
    ids=["no-information", "no-failures", "indefinite"],
)
def test_numbers_that_overflow_on_the_way_are_not_told_to_the_user(
    formula: str, data: dict[str, Any], options: dict[str, Any]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", em.EtamuWarning)
        em.glm(formula, data, **options)


@pytest.mark.parametrize(
    ("family", "data"),
    [
        # At the start one row alone has any information, 1e280 times that of all the others together.
        ("poisson", FAR),
        # A row whose mean is e^700 too large comes down by e a step, and 700 steps are not made.
        ("poisson", {"y": [1.0, 1.0, 1.0], "x": [0.909, 0.751, -0.026], "o": [-700.0, 700.0, 700.0]}),
        (em.Quasi("mu^0.5"), {"y": [7.41, 4.44, 3.24], "o": [-700.0, -700.0, 0.0]}),
    ],
    ids=["factor", "poisson", "quasi"],
)
@pytest.mark.filterwarnings("ignore:Pearson's phi is above:etamu.EtamuWarning")
def test_a_maximum_hundreds_of_steps_away_is_reached(family: Any, data: dict[str, Any]) -> None:
    formula = "y ~ " + " + ".join([k for k in "xg" if k in data] or ["1"])
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        fit = em.glm(formula, data, family=family, link="log", offset="o")
    assert fit.converged
    assert fit.iterations < 60


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12], ids=str)
def test_what_runs_away_does_not_depend_on_the_units_of_columns(unit: float) -> None:
    """A coefficient of 1e12 beside it made the constant's own run count as rounding."""
    data = {"y": [0.0, 0.0, 0.0, 0.0], "x": [0.1 * unit, -0.5 * unit, 0.6 * unit, 0.1 * unit]}
    with pytest.warns(em.SeparationWarning):
        fit = em.glm("y ~ x", data, family="poisson")
    assert fit.coef[0] == -np.inf
    assert np.isnan(fit.coef[1])
    assert fit.existence.direction == {"Intercept": -1.0}


def test_a_constant_made_of_an_aliased_level_is_no_direction() -> None:
    data = {"x": [0.13, -0.13], "g": ["a", "b"], "y": [2.0, 7.0], "m": [2.0, 7.0]}
    with pytest.warns(em.EtamuWarning):
        fit = em.glm("y ~ 0 + x + g", data, family="binomial", trials="m")
    along = np.array([fit.existence.direction.get(name, 0.0) for name in ("x", "g[a]")])
    assert np.all(np.array([[0.13, 1.0], [-0.13, 0.0]]) @ along > 0)


@pytest.mark.parametrize("family", [em.Quasi("mu^0.5"), em.Quasi("mu^-1")], ids=str)
def test_a_perfect_fit_at_an_end_takes_its_phi_with_it(family: Any) -> None:
    with pytest.warns(em.ConvergenceWarning):
        fit = em.glm("y ~ 1", {"y": [0.0, 0.0, 0.0]}, family=family, link=em.Power(1 / 3))
    assert fit.outcome is Outcome.BOUNDARY


def test_weights_of_any_size_leave_light_rows_their_say() -> None:
    """Three rows, three coefficients: whatever the weights, the fit goes through every response."""
    data = {
        "x": [0.189, -0.523, -0.413],
        "z": [-2.441, 1.8, 1.144],
        "m": [8.0, 2.0, 8.0],
        "y": [5.0, 1.0, 4.0],
        "w": [5.4e-10, 9.6e15, 1.2e56],
    }
    options: dict[str, Any] = {"family": "binomial", "link": em.Power(1 / 3), "trials": "m"}
    fit = em.glm("y ~ x + z", data, variance_weights="w", **options)  # and no column is blamed for it
    assert fit.converged
    share = np.array(data["y"]) / np.array(data["m"])
    assert fit.predict() == pytest.approx(share, abs=1e-4)  # 1e-9 of the standard error of the light row, 1e5


def test_a_value_may_be_finite_where_the_slope_of_its_variance_is_not() -> None:
    data = {"y": [4.0, 4.8, 3.1], "o": [0.0, 700.0, -700.0]}
    with pytest.warns(em.EtamuWarning):
        fit = em.glm("y ~ 1", data, family=em.Quasi("mu^-1"), link="logit", offset="o")
    assert fit.outcome is not Outcome.INFEASIBLE


def test_a_robust_covariance_of_scores_without_squares_is_nan() -> None:
    rng = np.random.default_rng(1)
    data = {"x": rng.normal(size=12), "y": np.r_[rng.gamma(2.0, size=11), 1e200]}
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", em.EtamuWarning)
        em.glm("y ~ x", data, family="gamma", link="log", covariance="HC0")


def test_a_fall_too_small_to_have_a_square_does_not_divide_by_zero() -> None:
    move, fall = np.array([1.0, 0.0]), np.array([1e-170, 0.0])
    assert np.all(np.isfinite(two_loop(np.array([1e-170, 1e-170]), [(move, fall)])))


def recipe(unit: Unit, rows: int, numbers: tuple[str, ...], seed: int, **choices: Any) -> Recipe:
    usual: dict[str, Any] = {
        "factor": "none",
        "together": "none",
        "intercept": True,
        "response": "edge",
        "weights": "none",
        "extent": "usual",
        "offset": "none",
        "missing": False,
        "solver": "newton",
        "covariance": None,
        "dispersion": None,
    }
    return Recipe(unit=unit, rows=rows, numbers=numbers, seed=seed, **usual | choices)


LOW = Unit(Gaussian(), Inverse())
WILD = {"factor": "even", "together": "cross", "response": "separated", "missing": True}


@pytest.mark.skipif(
    np.finfo(np.longdouble).eps >= np.finfo(float).eps, reason="no precision beyond double on this machine"
)
@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        # All rows but one sink to 0: it was said to have converged.
        (recipe(LOW, 17, ("constant", "constant"), 2, weights="frequency", offset="usual"), INFINITE),
        # Columns over 200 powers of ten, and columns that differ by 1e-9: no direction was verified.
        (
            recipe(
                Unit(Binomial(), Cloglog()),
                29,
                ("wild", "year", "sum", "usual"),
                172,
                intercept=False,
                response="equal",
                offset="far",
            ),
            INFINITE,
        ),
        (recipe(Unit(QuasiPoisson(), Log()), 29, ("wild", "usual", "copy"), 37190, **WILD), INFINITE),
        (
            recipe(
                Unit(Binomial(), Cloglog()),
                5,
                ("year", "year", "usual", "near"),
                18420,
                factor="unused",
                together="slopes",
                offset="usual",
            ),
            INFINITE,
        ),
        # A condition number of infinity was to be written with its digits.
        (
            recipe(
                LOW,
                5,
                ("year", "zero", "year", "far"),
                28203,
                factor="unused",
                intercept=False,
                response="equal",
                weights="sampling",
                extent="extreme",
            ),
            RIGHT,
        ),
        # Rounding of the value stopped both climbs 5e-6 standard errors from where the score is 0.
        (
            recipe(
                Unit(InverseGaussian(), em.Power(-0.5)),
                8,
                (),
                8,
                factor="rare",
                response="separated",
                extent="extreme",
                offset="usual",
                missing=True,
                dispersion="deviance",
            ),
            RIGHT,
        ),
        (
            recipe(
                Unit(InverseGaussian(), InverseSquared()),
                8,
                ("usual", "usual", "wild"),
                201,
                together="slopes",
                response="separated",
                weights="frequency",
                dispersion=2.0,
            ),
            RIGHT,
        ),
    ],
    ids=["constant", "wild", "wild-levels", "near", "singular", "polished", "polished-large"],
)
def test_a_verdict_on_what_had_none(drawn: Recipe, expected: str) -> None:
    assert verdict(cooked(drawn))[0] == expected


@pytest.mark.skipif(
    np.finfo(np.longdouble).eps >= np.finfo(float).eps, reason="no precision beyond double on this machine"
)
@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        # Every eta was at 1e-17, where the mean has no slope, and was said to be a maximum inside.
        (
            recipe(
                Unit(em.NegativeBinomial(0.05), em.Power(1 / 3)),
                3,
                ("near", "near", "near", "usual"),
                986,
                together="cross",
                intercept=False,
                response="equal",
                weights="sampling",
                extent="zeros",
                offset="constant",
            ),
            BOUNDARY,
        ),
        # Rows weigh nothing so far out in their tails, and crept there for hundreds of steps.
        (
            recipe(
                Unit(Binomial(), Cloglog()),
                8,
                ("usual", "huge"),
                6905,
                factor="rare",
                together="factors",
                weights="frequency",
                offset="far",
                missing=True,
            ),
            RIGHT,
        ),
        # The slope of the value toward its limit was that of an underflow.
        (
            recipe(
                Unit(Gaussian(), em.Power(-0.5)),
                5,
                ("year", "usual"),
                1070,
                together="factors",
                response="separated",
                weights="frequency",
                extent="extreme",
                offset="constant",
                missing=True,
            ),
            INFINITE,
        ),
        # A search stopped by the edge some way from it was said to be on it.
        (
            recipe(
                Unit(em.Tweedie(1.5), em.Power(1 / 3)),
                32,
                ("integer",),
                32,
                factor="even",
                together="factors",
                extent="zeros",
                offset="far",
            ),
            BOUNDARY,
        ),
        # At eta = 6e-24 the mean is the response; two units of rounding from the edge it was 1e8, not 4e11.
        (
            recipe(
                Unit(em.NegativeBinomial(2.0), InverseSquared()),
                1,
                ("usual", "usual", "huge", "copy"),
                5370303,
                together="factors",
                intercept=False,
                response="extreme",
                weights="variance",
                extent="zeros",
                offset="constant",
                missing=True,
            ),
            BEYOND,
        ),
    ],
    ids=["no-slope", "tails", "underflow", "beside", "rounding"],
)
def test_a_claim_that_was_none(drawn: Recipe, expected: str) -> None:
    assert verdict(cooked(drawn))[0] == expected


def test_responses_below_all_means_of_a_link_have_a_start() -> None:
    with pytest.warns(em.ConvergenceWarning):
        fit = em.glm("y ~ 1", {"y": [-3.0] * 3}, family="gaussian", link=em.Power(1 / 3))
    assert fit.outcome is Outcome.BOUNDARY
    assert fit.deviance == pytest.approx(27.0)


def fitted(formula: str, data: dict[str, Any], **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", em.EtamuWarning)
        return em.glm(formula, data, **options)


def test_phi_beyond_float64_is_said_to_be_there() -> None:
    data = {
        "y": [0.5] * 6,
        "x": [1.0, 2.0, 3.0, 4.0, 5.0, 7.0],
        "o": [700.0, -700.0, 0.0, -700.0, 700.0, -700.0],
    }
    with pytest.warns(em.EtamuWarning, match="Pearson's phi is above the largest number"):
        fit = em.glm("y ~ x", data, family="quasibinomial", offset="o")
    assert fit.dispersion == np.inf


SATURATED = {"y": [6.0, 2.0, 7.0], "x": [0.3, 1.1, -0.7], "z": [2.0, -0.4, 0.9], "w": [1e59, 1e-15, 1e-60]}


@pytest.mark.parametrize(
    ("family", "link"),
    [
        ("poisson", em.Power(1 / 3)),
        (em.Tweedie(2.5), "log"),
        ("inverse_gaussian", "sqrt"),
        ("gamma", "inverse"),
    ],
    ids=str,
)
def test_as_many_coefficients_as_rows_go_through_every_response(family: Any, link: Any) -> None:
    """Steps of the light rows leave the heavy one where it is, to more digits than float64 has."""
    fit = fitted("y ~ x + z", SATURATED, family=family, link=link, variance_weights="w")
    assert fit.converged
    assert fit.predict() == pytest.approx(SATURATED["y"], rel=1e-2)  # far within their standard errors


def test_an_eta_smaller_than_the_rounding_of_its_terms_needs_more_digits() -> None:
    """Beside terms of 4e7 float64 does not tell the mean of 1e-12 from 0, where the domain ends."""
    data = {"y": [3.8e7, 1.16e-12], "g": ["a", "b"], "x": [1.0, 1.0 / 3.0]}
    fit = fitted("y ~ x", data, family="gamma", link="identity")
    assert fit.outcome is Outcome.PRECISION
    assert fit.deviance < 1e-9
    assert fit.predict()[0] == pytest.approx(3.8e7, rel=1e-12)


@pytest.mark.parametrize("family", [em.Poisson(), em.NegativeBinomial(0.05), em.Quasi("mu^0.5")], ids=str)
def test_several_zeros_are_held_on_the_edge_together(family: Any) -> None:
    """The slope of the mean has no end at eta = 0: three zeros, of two patterns, want to be there."""
    data = {"y": [0.0, 0.0, 0.0, 9.0, 2.0, 30.0], "x": [0.0, 0.0, 1.0, 2.0, 1.0, 3.0], "g": list("ababab")}
    fit = fitted("y ~ g * x", data, family=family, link=em.Power(1.5))
    assert fit.outcome is Outcome.BOUNDARY
    eta = fit.predict(kind="link")
    assert np.all(eta >= 0.0)
    assert np.min(eta) < 1e-10


def test_rounding_that_stopped_a_climb_far_from_the_maximum_is_seen_through() -> None:
    """Rounding in the heavy row alone was larger than the whole step of the light ones."""
    data = {"y": [1e-10, 5.0, 5.0], "g": ["a", "b", "b"], "w": [1e40, 1.0, 2.0]}
    fit = fitted("y ~ g", data, family=em.Tweedie(4.0), link="sqrt", variance_weights="w")
    assert fit.converged
    assert fit.predict() == pytest.approx(data["y"], rel=1e-6)


def test_rows_of_zero_keep_their_mean_beside_a_row_of_a_mean_of_1e_minus_10() -> None:
    """About its mean a column of one large number put eta = 0.4 down as a difference of two of 1e19."""
    rng = np.random.default_rng(3)
    data = {"y": [5.0, 2.0, 1e-10, 4.0, 3.0, 2.5], "s": np.eye(6)[2], "x": rng.normal(size=6)}
    fit = fitted("y ~ s + x", data, family="gamma", link=em.Power(-2))
    left = {key: np.delete(np.asarray(values), 2) for key, values in data.items()}
    alone = fitted("y ~ x", left, family="gamma", link=em.Power(-2))
    assert fit.converged
    assert fit.coef[[0, 2]] == pytest.approx(alone.coef, rel=1e-9)


@pytest.mark.parametrize("unit", [1e-30, 1.0, 1e30], ids=str)
def test_an_edge_at_which_the_mean_has_no_slope_is_no_zero_of_the_score(unit: float) -> None:
    """Each step left half of the way there, and the last ones were short; a row alone would leave."""
    data = {"y": [-3.0, -3.0, 0.5, -3.0], "g": list("abab"), "w": [2.0 * unit, unit, unit, 2.0 * unit]}
    fit = fitted("y ~ 0 + g", data, family="gaussian", link=em.Power(1 / 3), variance_weights="w")
    assert fit.outcome is Outcome.BOUNDARY
    assert fit.deviance == pytest.approx(unit * (9.0 * 5.0 + 0.25), rel=1e-12)


def test_a_row_that_nothing_moves_holds_no_edge() -> None:
    data = {"y": [1e-10] * 6, "x": np.eye(6)[0], "z": np.eye(6)[5], "o": [0.1] * 6}
    fit = fitted("y ~ 0 + x + z", data, family=em.Tweedie(2.5), link=em.Power(-2), offset="o")
    assert fit.converged
    assert fit.predict()[[0, 5]] == pytest.approx([1e-10, 1e-10], rel=1e-6)


def test_a_level_gives_the_direction_that_columns_over_200_powers_of_ten_hide() -> None:
    rng = np.random.default_rng(51189)
    n = 18
    data = {
        "x": rng.normal(size=n) * 10.0 ** rng.uniform(-100, 100, n),
        "z": rng.normal(size=n) * 10.0 ** rng.uniform(-100, 100, n),
        "g": ["a", "b"] * 8 + ["d", "d"],
        "y": [1.0, 2.0, 0.0, 3.0] * 4 + [0.0, 0.0],
    }
    fit = fitted("y ~ x + z + g", data, family="poisson")
    assert fit.outcome is Outcome.INFINITE
    assert fit.existence.coefficients["g[T.d]"] == -np.inf


def test_scores_that_cancel_to_rounding_prove_no_maximum() -> None:
    """Of as many levels as coefficients nothing is left to balance: signs were those of rounding."""
    data = {"y": [0.0] * 8, "g": list("aabbaabb"), "h": list("pqpqpqpq"), "o": np.linspace(-0.2, 0.2, 8)}
    fit = fitted("y ~ g * h", data, family=QuasiPoisson(), link=em.Power(-0.5), offset="o")
    assert fit.outcome is Outcome.INFINITE


@pytest.mark.parametrize(
    ("family", "link", "weights"),
    [("gamma", "inverse_squared", [1.0, 1.0, 1.0]), (em.NegativeBinomial(2.0), "inverse", [2.0, 0.0, 0.0])],
    ids=str,
)
def test_offsets_of_0_and_700_have_no_common_part(family: Any, link: Any, weights: list[float]) -> None:
    """350 was taken out of all, and put the eta of 5e-8 down as a difference of two of 350."""
    data = {"y": [4e10, 1.0, 20.0], "g": list("abc"), "o": [0.0, 700.0, 0.0], "w": weights}
    fit = fitted("y ~ g", data, family=family, link=link, offset="o", frequency_weights="w")
    assert fit.converged
    assert fit.predict()[0] == pytest.approx(4e10, rel=1e-9)


def test_phi_of_a_mean_of_1e304_is_what_is_left_of_it() -> None:
    """Its score is 1e-304, whose square is 0, and so was Pearson's phi."""
    data = {"y": [4.0, 5.0], "o": [700.0, 700.0]}
    fit = fitted("y ~ 0", data, family="inverse_gaussian", link="log", offset="o")
    assert fit.pearson_chi2 == pytest.approx(2.0 * np.exp(-700.0), rel=1e-9, abs=0.0)


def test_rows_on_the_wrong_side_of_an_underflow_go_to_their_best_end() -> None:
    """With means of exactly 0 and 1 nothing moved any row, though those at 0 would be at 1."""
    y = [0.93, 1.3, 2.1, 3.4, 4.2, 5.0, 2.2, 6.1, 3.0]
    data = {"y": y, "o": [0.0, -700.0, 700.0] * 3}
    fit = fitted("y ~ 1", data, family=em.Quasi("mu^0.5"), link="probit", offset="o")
    assert fit.outcome is Outcome.INFINITE
    assert fit.existence.coefficients == {"Intercept": np.inf}
    assert np.all(fit.predict() == 1.0)


@pytest.mark.parametrize(
    ("family", "link", "data", "chi2"),
    [
        # Of a mean of 1 - e^-699 score and information are beyond float64, the residual is not.
        (em.Quasi("mu^-1"), "loglog", {"y": [0.0, 0.5], "o": [700.0, 0.0]}, 1.0),
        (em.Quasi("mu^0.5"), "log", {"y": [4.0, 5.0], "o": [-702.0, -690.0]}, 4.4e153),
    ],
    ids=["complement", "variance"],
)
def test_phi_where_scores_have_underflowed_is_of_means(
    family: Any, link: str, data: dict[str, Any], chi2: float
) -> None:
    fit = fitted("y ~ 0", data, family=family, link=link, offset="o")
    residuals = fit.residuals("pearson")
    assert fit.pearson_chi2 == pytest.approx(float(residuals @ residuals), rel=1e-9)
    assert fit.pearson_chi2 == pytest.approx(chi2, rel=0.3)


def test_squares_of_scores_beyond_float64_are_said_to_be_none() -> None:
    rng = np.random.default_rng(1)
    data = {"x": rng.normal(size=12), "y": np.r_[rng.poisson(3.0, size=11), 3e170]}
    with pytest.warns(em.EtamuWarning, match="no squares in float64"):
        fit = em.glm("y ~ x", data, family="poisson", covariance="HC0")
    assert np.all(np.isnan(fit.se))


def test_a_step_whose_squares_are_beyond_float64_has_a_length() -> None:
    step = within(np.array([-3.5e-37, 0.0, 1.0]), np.array([5.8e24, 2.5e142, -2.0e12]), math.inf)
    assert np.all(np.isfinite(step))
