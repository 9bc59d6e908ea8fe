"""Fits of families of several parameters: against direct maximisation, published fits, and each other."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import optimize, special

import etamu as em
from tests.oracle import table

N = 400
X = "fem + mar + kid5 + phd + ment"


def covariates(n=N, seed=0):
    rng = np.random.default_rng(seed)
    return rng, {"x": rng.normal(size=n), "w": rng.uniform(-1.0, 1.0, n)}


CASES = {
    "zip": (em.ZeroInflatedPoisson(), [[0.7, 0.5], [-0.4, 0.9]], {"zero": "~ w"}),
    "zinb": (em.ZeroInflatedNegativeBinomial(), [[1.2, 0.5], [-0.6, 0.9], [0.4]], {"zero": "~ w"}),
    "hurdle poisson": (em.HurdlePoisson(), [[0.7, 0.5], [-0.4, 0.9]], {"zero": "~ w"}),
    "hurdle nb": (em.HurdleNegativeBinomial(), [[1.0, 0.5], [-0.4, 0.9], [0.6]], {"zero": "~ w"}),
    "truncated poisson": (em.ZeroTruncatedPoisson(), [[0.3, 0.5]], {}),
    "truncated nb": (em.ZeroTruncatedNegativeBinomial(), [[0.9, 0.5], [0.6]], {}),
    "beta": (em.Beta(), [[0.3, 0.6], [1.5, 0.7]], {"precision": "~ w"}),
    "beta-binomial": (em.BetaBinomial(), [[0.3, 0.6], [1.2]], {}),
    "nb1": (em.NegativeBinomial1(), [[0.8, 0.5], [0.3]], {}),
    "nb2": (em.NegativeBinomial2(), [[0.8, 0.5], [0.6, 0.5]], {"theta": "~ w"}),
    "generalised poisson": (em.GeneralizedPoisson(), [[0.8, 0.5], [0.3, 0.4]], {"dispersion": "~ w"}),
    "under-dispersed": (em.GeneralizedPoisson(), [[2.2, 0.2], [-0.25]], {}),
    "com-poisson": (em.ConwayMaxwellPoisson(), [[1.0, 0.5], [0.7]], {}),
    "com-poisson over": (em.ConwayMaxwellPoisson(), [[1.0, 0.5], [-0.7]], {}),
}


def simulated(name, n=N, seed=0):
    family, coefficients, predictors = CASES[name]
    rng, data = covariates(n, seed)
    eta = []
    for parameter, coef in zip(family.parameters, coefficients, strict=True):
        column = predictors.get(parameter.name, "~ x" if len(coef) == 2 else "").removeprefix("~ ")
        eta.append(coef[0] + (coef[1] * data[column] if len(coef) == 2 else 0.0 * data["x"]))
    keywords = {}
    if "trials" in family.response:
        data["m"] = rng.integers(1, 15, n).astype(float)
        keywords["trials"] = "m"
    data["y"] = family.sample(rng, np.stack(eta, axis=1), (data["m"],) if keywords else ())
    return family, data, {"predictors": predictors or None, **keywords}, np.concatenate(coefficients)


def fitted(name, n=N, seed=0, **more):
    family, data, keywords, truth = simulated(name, n, seed)
    return em.glm("y ~ x", data, family=family, **keywords, **more), data, truth


@pytest.mark.parametrize("name", CASES)
def test_estimates_are_within_three_standard_errors_of_the_truth(name):
    fit, _, truth = fitted(name, 600, 11)
    assert fit.converged
    assert np.all(np.abs(fit.coef - truth) <= 3.2 * fit.se), (fit.coef, truth)


def poisson_logpmf(y, mu):
    return special.xlogy(y, mu) - mu - special.gammaln(y + 1)


def nb_logpmf(y, mu, theta):
    rise = special.gammaln(y + theta) - special.gammaln(theta) - special.gammaln(y + 1)
    return rise + theta * np.log(theta / (theta + mu)) + special.xlogy(y, mu / (theta + mu))


def truncated(log_p, log_none):
    return log_p - np.log(-np.expm1(log_none))


def log_densities(name, y, m, at):
    """Log densities as they stand in the textbooks, by scipy's laws."""
    mu = np.exp(at[0])
    if name in {"zip", "zinb", "hurdle poisson", "hurdle nb"}:
        zero, theta = special.expit(at[1]), np.exp(at[2]) if len(at) == 3 else None
    elif name in {"truncated nb", "nb2"}:
        theta = np.exp(at[1])
    else:
        theta = None
    law = poisson_logpmf if theta is None else lambda y, mu: nb_logpmf(y, mu, theta)
    if name in {"zip", "zinb"}:
        some = np.log1p(-zero) + law(y, mu)
        return np.where(y == 0, np.log(zero + (1 - zero) * np.exp(law(0.0 * y, mu))), some)
    if name in {"hurdle poisson", "hurdle nb"}:
        positive = np.log1p(-zero) + truncated(law(y, mu), law(0.0 * y, mu))
        return np.where(y == 0, np.log(zero), positive)
    if name.startswith("truncated"):
        return truncated(law(y, mu), law(0.0 * y, mu))
    if name == "nb2":
        return law(y, mu)
    if name == "nb1":
        return nb_logpmf(y, mu, mu / np.exp(at[1]))
    if name in {"generalised poisson", "under-dispersed"}:
        phi = np.exp(at[1])
        a, c = mu / phi, 1 - 1 / phi
        return np.log(a) + (y - 1) * np.log(a + c * y) - a - c * y - special.gammaln(y + 1)
    share, phi = special.expit(at[0]), np.exp(at[1])
    if name == "beta":
        a, b = share * phi, (1 - share) * phi
        return (a - 1) * np.log(y) + (b - 1) * np.log1p(-y) - special.betaln(a, b)
    a, b = share * phi, (1 - share) * phi
    ways = -np.log(m + 1) - special.betaln(y + 1, m - y + 1)
    return ways + special.betaln(y + a, m - y + b) - special.betaln(a, b)


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("com-poisson")])
def test_fit_is_the_maximum_that_a_direct_search_finds(name):
    fit, data, truth = fitted(name)
    family, _, predictors = CASES[name]
    ones = np.ones((N, 1))
    designs = []
    for parameter in family.parameters:
        column = predictors.get(parameter.name, "~ x" if parameter.main else "").removeprefix("~ ")
        designs.append(np.column_stack([ones, data[column]]) if column else ones)
    ends = np.cumsum([0, *(design.shape[1] for design in designs)])

    def minus(beta):
        at = [design @ beta[i:j] for design, i, j in zip(designs, ends, ends[1:], strict=False)]
        with np.errstate(all="ignore"):
            total = np.sum(log_densities(name, data["y"], data.get("m"), at))
        return -total if np.isfinite(total) else 1e10

    assert_allclose(-minus(fit.coef), fit.loglik, rtol=1e-10)
    found = optimize.minimize(minus, truth, method="BFGS", options={"gtol": 1e-5})
    assert fit.loglik >= -found.fun - 1e-8
    assert np.all(np.abs(found.x - fit.coef) <= 2e-3 * fit.se)
    curvature = [
        (minus(fit.coef + h) + minus(fit.coef - h) - 2 * minus(fit.coef)) / 1e-6
        for h in 1e-3 * np.eye(len(truth))
    ]
    information = np.linalg.inv(fit.cov)
    assert_allclose(curvature, np.diag(information), rtol=1e-3)


def test_com_poisson_of_shape_one_is_poisson_and_the_mean_is_the_mean():
    _, data = covariates()
    data["y"] = np.random.default_rng(4).poisson(np.exp(1.0 + 0.4 * data["x"])).astype(float)
    poisson = em.glm("y ~ x", data, family="poisson")
    free = em.glm("y ~ x", data, family=em.ConwayMaxwellPoisson())
    assert free.loglik >= poisson.loglik
    assert abs(free.coef[2]) <= 3.0 * free.se[2]
    one = em.ConwayMaxwellPoisson().bind(np)(
        (data["y"],), np.column_stack([1.0 + 0.4 * data["x"], 0 * data["x"]])
    )
    assert_allclose(one[0] + poisson_logpmf(data["y"], data["y"]),
                    poisson_logpmf(data["y"], np.exp(1.0 + 0.4 * data["x"])), rtol=1e-11)  # fmt: skip
    # the score by log mu of a canonical mean family: the intercept makes the weighted residuals add to 0
    mu, v = (
        free.predict(),
        free.family.variance(np, np.column_stack([np.log(free.predict()), np.full(N, free.coef[2])])),
    )
    assert_allclose(np.sum((data["y"] - mu) * mu / v), 0.0, atol=1e-6 * N)


def test_a_hurdle_is_a_binomial_fit_and_a_truncated_fit():
    for name, hurdle, cut in (
        ("hurdle poisson", em.HurdlePoisson(), em.ZeroTruncatedPoisson()),
        ("hurdle nb", em.HurdleNegativeBinomial(), em.ZeroTruncatedNegativeBinomial()),
    ):
        _, data, _, _ = simulated(name)
        both = em.glm("y ~ x", data, family=hurdle, predictors={"zero": "~ w"})
        positive = {key: column[data["y"] > 0] for key, column in data.items()}
        count = em.glm("y ~ x", positive, family=cut)
        zero = em.glm("z ~ w", {"z": (data["y"] == 0) * 1.0, "w": data["w"]}, family="bernoulli")
        assert_allclose(both.coef[:2], count.coef[:2], rtol=1e-8)
        assert_allclose(both.coef[2:4], zero.coef, rtol=1e-8)
        assert_allclose(both.coef[4:], count.coef[2:], rtol=1e-7)
        assert_allclose(both.se[:2], count.se[:2], rtol=1e-7)
        assert_allclose(both.se[2:4], zero.se, rtol=1e-7)
        assert_allclose(both.loglik, count.loglik + zero.loglik, rtol=1e-11)


def test_published_fits_of_the_articles_of_doctoral_students():
    """Long (1997), tables 8.4 to 8.7, and the manual of R's pscl, `zeroinfl` (reltol 1e-8)."""
    data = table("bioChemists")
    zip_, zinb = (
        em.glm(f"art ~ {X}", data, family=family, predictors={"zero": f"~ {X}"})
        for family in (em.ZeroInflatedPoisson(), em.ZeroInflatedNegativeBinomial())
    )
    assert zip_.converged
    assert zinb.converged
    assert round(zip_.loglik, 3) == -1604.773
    assert round(zinb.loglik, 3) == -1549.991
    told = {"fem[T.Women]": -0.209145, "mar[T.Married]": 0.103751, "kid5": -0.143320, "phd": -0.006166,
            "ment": 0.018098}  # fmt: skip
    for name, number in told.items():
        assert_allclose(coefficient(zip_, f"mean:{name}"), number, atol=2e-6)
    told = {"fem[T.Women]": 0.109746, "mar[T.Married]": -0.354013, "kid5": 0.217101, "phd": 0.001272,
            "ment": -0.134111}  # fmt: skip
    for name, number in told.items():
        assert_allclose(coefficient(zip_, f"zero:{name}"), number, atol=2e-5)
    told = {"fem[T.Women]": -0.195507, "mar[T.Married]": 0.097583, "kid5": -0.151732, "phd": -0.000700,
            "ment": 0.024786}  # fmt: skip
    for name, number in told.items():
        assert_allclose(coefficient(zinb, f"mean:{name}"), number, atol=2e-6)
    assert_allclose(coefficient(zinb, "shape:Intercept"), 0.976357, atol=2e-5)


def coefficient(fit, name):
    """Return a coefficient by its name, the sign turned where the other level is the reference."""
    if name in fit.names:
        return fit.coef[fit.names.index(name)]
    return -fit.coef[fit.names.index(name.replace("Married", "Single"))]


def test_no_zeros_to_explain_leave_the_poisson_fit():
    rng, data = covariates(300, 5)
    data["y"] = rng.poisson(np.exp(1.5 + 0.3 * data["x"])).astype(float)
    plain = em.glm("y ~ x", data, family="poisson")
    family = em.ZeroInflatedPoisson()
    eta = np.column_stack([plain.coef[0] + plain.coef[1] * data["x"], np.full(300, -700.0)])
    value, score, information = family.bind(np, "observed")((data["y"],), eta)
    assert_allclose(np.sum(value + family.saturated((data["y"],))), plain.loglik, rtol=1e-12)
    assert_allclose(score[:, 0], data["y"] - np.exp(eta[:, 0]), rtol=1e-9, atol=1e-9)
    assert_allclose(information[:, 0, 0], np.exp(eta[:, 0]), rtol=1e-12)


@pytest.mark.parametrize("family", [em.NegativeBinomial1(), em.ZeroInflatedNegativeBinomial()], ids=str)
def test_the_poisson_law_is_the_end_of_the_shapes_axis(family):
    y = np.array([0.0, 1.0, 4.0, 30.0])
    m = np.log([0.5, 2.0, 3.0, 40.0])
    columns = (
        [m, np.full(4, -700.0), np.full(4, 700.0)]
        if family.name.startswith("zero")
        else [m, np.full(4, -700.0)]
    )
    value, score, information = family.bind(np, "observed")((y,), np.column_stack(columns))
    assert_allclose(value + family.saturated((y,)), poisson_logpmf(y, np.exp(m)), rtol=1e-12)
    assert_allclose(score[:, 0], y - np.exp(m), rtol=1e-11)
    assert_allclose(score[:, -1], 0.0, atol=1e-12)
    assert_allclose(information[:, -1, -1], 0.0, atol=1e-12)


def test_beta_of_symmetric_data_has_mean_one_half_and_shares_and_rests_change_places():
    rng, data = covariates(300, 6)
    half = rng.beta(2.0, 5.0, 150)
    fit = em.glm("y ~ 1", {"y": np.concatenate([half, 1.0 - half])}, family=em.Beta())
    assert_allclose(fit.coef[0], 0.0, atol=1e-9)
    data["y"] = rng.beta(2.0 * np.exp(0.3 * data["x"]), 3.0)
    data["z"] = 1.0 - data["y"]
    one, other = (em.glm(f"{name} ~ x", data, family=em.Beta()) for name in ("y", "z"))
    assert_allclose(one.coef[:2], -other.coef[:2], rtol=1e-7)
    assert_allclose(one.coef[2], other.coef[2], rtol=1e-7)


def test_an_exposure_multiplies_the_mean_of_the_count_alone():
    rng, data = covariates(500, 8)
    data["t"] = rng.uniform(0.5, 3.0, 500)
    family = em.ZeroInflatedPoisson()
    eta = np.column_stack([0.5 + 0.4 * data["x"] + np.log(data["t"]), np.full(500, -0.5)])
    data["y"] = family.sample(rng, eta)
    fit = em.glm("y ~ x", data, family=family, exposure="t")
    assert np.all(np.abs(fit.coef - [0.5, 0.4, -0.5]) <= 3.5 * fit.se)
    offset = em.glm("y ~ x", {**data, "o": np.log(data["t"])}, family=family, offset="o")
    assert_allclose(fit.coef, offset.coef, rtol=1e-10)


def test_frequency_weights_are_copies():
    for name in ("zip", "beta", "beta-binomial", "nb1"):
        family, data, keywords, _ = simulated(name, 150)
        k = np.random.default_rng(1).integers(1, 4, 150)
        weighed = em.glm("y ~ x", {**data, "k": k}, family=family, frequency_weights="k", **keywords)
        copied = em.glm("y ~ x", {key: np.repeat(v, k) for key, v in data.items()}, family=family, **keywords)
        assert_allclose(weighed.coef, copied.coef, rtol=1e-7)
        assert_allclose(weighed.se, copied.se, rtol=1e-7)
        assert_allclose(weighed.loglik, copied.loglik, rtol=1e-11)


@pytest.mark.parametrize("name", CASES)
def test_every_fit_predicts_has_residuals_simulates_prints_and_travels(name, tmp_path):
    fit, data, _ = fitted(name)
    mean = fit.predict()
    assert mean.shape == (N,)
    assert_allclose(fit.predict({key: v[:5] for key, v in data.items()}), mean[:5], rtol=1e-12)
    for kind in ("quantile", "pearson", "response"):
        assert np.all(np.isfinite(fit.residuals(kind)))
    assert 0.8 < np.std(fit.residuals("quantile")) < 1.2
    assert 0.7 < np.std(fit.residuals("pearson")) < 1.3
    assert fit.simulate(2, seed=3).shape == (N, 2)
    assert fit.family.name in str(fit.summary())
    fit.save(tmp_path / "fit.json")
    again = em.load(tmp_path / "fit.json")
    assert_allclose(again.predict({key: v[:5] for key, v in data.items()}), mean[:5], rtol=1e-13)


def test_the_mean_that_is_predicted_is_that_of_the_response():
    fit, data, _ = fitted("zip")
    zero, count = fit.predict(kind="zero"), np.exp(fit.predict(kind="link")[:, 0])
    assert_allclose(fit.predict(), (1.0 - zero) * count, rtol=1e-12)
    assert_allclose(fit.predict(kind="mean"), fit.predict(), rtol=1e-12)
    told = fit.predict({key: v[:3] for key, v in data.items()}, se=True, interval="confidence")
    assert np.all((told.lower < told.estimate) & (told.estimate < told.upper))
    # the delta method by hand, in (mean:Intercept, mean:x, zero:Intercept, zero:w)
    x, w = data["x"][:3], data["w"][:3]
    by_count, by_zero = told.estimate, -told.estimate * zero[:3]
    slopes = np.column_stack([by_count, by_count * x, by_zero, by_zero * w])
    assert_allclose(told.se, np.sqrt(np.einsum("ij,jk,ik->i", slopes, fit.cov, slopes)), rtol=1e-7)
    assert "before zeros" in str(fit.interpret()).replace("\n", " ")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["zip", "zinb", "hurdle nb", "beta", "beta-binomial", "nb1", "com-poisson"])
def test_intervals_cover_as_often_as_they_say(name):
    covered, ran = 0, 0
    for seed in range(200):
        fit, _, truth = fitted(name, 300, 1000 + seed)
        if fit.converged:
            interval = fit.conf_int()
            covered += (interval[:, 0] <= truth) & (truth <= interval[:, 1])
            ran += 1
    assert ran >= 195
    error = np.sqrt(0.95 * 0.05 / ran)
    assert np.all(np.abs(covered / ran - 0.95) <= 3.0 * error + 0.01)  # 0.01: the interval is asymptotic


@pytest.mark.parametrize(
    ("family", "y", "words"),
    [
        (em.Beta(), [0.2, 1.0, 0.4], r"numbers in \(0, 1\).*is 1 in row 1"),
        (em.ZeroTruncatedPoisson(), [1.0, 0.0, 4.0], "positive integers.*is 0 in row 1"),
        (em.ZeroInflatedPoisson(), [1.0, 0.5, 4.0], "non-negative integers.*is 0.5 in row 1"),
        (em.NegativeBinomial1(), [1.0, 2.0, -1.0], "non-negative integers.*is -1 in row 2"),
    ],
)
def test_values_outside_the_support_are_refused_with_row_and_value(family, y, words):
    with pytest.raises(em.DataError, match=words):
        em.glm("y ~ 1", {"y": y}, family=family)


def test_more_successes_than_trials_are_refused():
    with pytest.raises(em.DataError, match="between 0 and its trials"):
        em.glm("y ~ 1", {"y": [1.0, 5.0], "m": [2.0, 4.0]}, family=em.BetaBinomial(), trials="m")


@pytest.mark.parametrize("name", ["nb1", "zinb", "hurdle nb", "beta-binomial"])
def test_the_expected_information_is_near_the_observed_one_and_is_not_it(name):
    fit, _, _ = fitted(name, 2000, 3)
    expected = fit.with_covariance("expected")
    assert np.any(expected.se != fit.se)
    np.testing.assert_allclose(expected.se, fit.se, rtol=0.2)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("scale", "shift"), [(2.0**40, 0.0), (16.0, 2000.0)], ids=["1e12", "year"])
def test_the_units_of_a_column_change_nothing(name, scale, shift):
    family, data, keywords, _ = simulated(name, 300, 5)
    data["x"] = np.round(data["x"] * 1024.0) / 1024.0  # so that the shift is exact
    one = em.glm("y ~ x", data, family=family, **keywords)
    other = em.glm("y ~ x", {**data, "x": data["x"] * scale + shift}, family=family, **keywords)
    assert_allclose(other.predict(), one.predict(), rtol=1e-10)
    assert_allclose(other.loglik, one.loglik, rtol=1e-12)
    assert_allclose((other.coef / other.se)[1], (one.coef / one.se)[1], rtol=1e-8)
