from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import ndtri, stdtrit

import etamu as em
from etamu.family.links import Identity
from etamu.family.unit import Unit
from etamu.fit.prediction import prediction_interval


def _data(seed, n=400):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.0, 1.0, n)
    return rng, x, np.exp(1.0 + 0.8 * x)


def test_gaussian_intervals_are_those_of_students_t():
    rng, x, mu = _data(1, 20)
    data = {"x": x, "y": mu + rng.normal(size=20)}
    fit = em.glm("y ~ x", data)
    got = fit.predict(interval="prediction", level=0.9)
    half = stdtrit(18, 0.95) * np.sqrt(fit.dispersion + got.se**2)
    assert_allclose(got.lower, got.estimate - half, rtol=1e-7)
    assert_allclose(got.upper, got.estimate + half, rtol=1e-7)


@pytest.mark.parametrize("ratio", [0.01, 1.0, 8.0])
def test_the_mixture_is_that_of_a_normal_eta(ratio):
    # y | eta ~ N(eta, 1) and eta ~ N(3, ratio^2): y ~ N(3, 1 + ratio^2).
    unit = Unit(em.Gaussian(), Identity())
    eta, se, phi = np.array([3.0]), np.array([ratio]), np.ones(1)
    low, high = prediction_interval(unit, eta, se, phi, None, 0.025)
    half = ndtri(0.975) * np.hypot(1.0, ratio)
    assert_allclose([low[0], high[0]], [3.0 - half, 3.0 + half], rtol=1e-6)


def _drawn(family, rng, x, mu):
    if family == "poisson":
        return rng.poisson(mu).astype(float)
    if family == "binomial":
        return rng.binomial(200, 1 / (1 + np.exp(-x))).astype(float)
    if family == "gaussian":
        return rng.normal(np.log(mu), 1.0)
    return rng.gamma(4.0, mu / 4.0)


@pytest.mark.parametrize("family", ["poisson", "gamma", "binomial", "gaussian", "tweedie"])
def test_intervals_hold_the_next_response_as_often_as_they_say(family):
    covered, replications, n, fresh = [], 20, 300, 100
    for seed in range(replications):
        rng, x, mu = _data(seed, n + fresh)
        mu = 30 * mu
        trials = np.full(n + fresh, 200.0)
        y = _drawn(family, rng, x, mu)
        data = {"x": x, "y": y, "m": trials}
        value = {"tweedie": em.Tweedie(2.0)}.get(family, family)
        link = {"gamma": "log", "tweedie": "log"}.get(family)
        more = {"trials": "m"} if family == "binomial" else {}
        fit = em.glm("y ~ x", {k: v[:n] for k, v in data.items()}, value, link=link, **more)
        kind = "count" if family == "binomial" else "mean"
        got = fit.predict({k: v[n:] for k, v in data.items()}, kind, interval="prediction")
        covered.append(np.mean((got.lower <= y[n:]) & (y[n:] <= got.upper)))
    assert 0.94 < np.mean(covered) < 0.96


def test_counts_get_whole_ends_and_proportions_their_share():
    data = {"s": [1.0, 3.0, 5.0, 2.0], "n": [4.0, 6.0, 8.0, 9.0], "x": [0.0, 1.0, 2.0, 0.5]}
    fit = em.glm("s ~ x", data, "binomial", trials="n")
    count = fit.predict(kind="count", interval="prediction")
    assert np.array_equal(count.upper, np.round(count.upper))
    assert np.all((count.lower >= 0) & (count.upper <= data["n"]))
    mean = fit.predict(interval="prediction")
    assert_allclose(mean.upper, count.upper / data["n"])
    assert_allclose(fit.predict(data, interval="prediction").upper, mean.upper)


def test_prediction_intervals_are_wider_than_those_of_the_mean():
    rng, x, mu = _data(3)
    fit = em.glm("y ~ x", {"x": x, "y": rng.gamma(2.0, mu / 2)}, "gamma", link="log")
    mean, one = (fit.predict(interval=kind) for kind in ("confidence", "prediction"))
    assert np.all((one.lower < mean.lower) & (mean.upper < one.upper))
    assert_allclose(one.estimate, mean.estimate)


def test_variance_weights_narrow_the_interval():
    rng, x, mu = _data(4, 100)
    data = {"x": x, "y": mu + rng.normal(size=100), "w": np.full(100, 4.0)}
    fit = em.glm("y ~ x", data, variance_weights="w")
    old = fit.predict(interval="prediction")
    half = stdtrit(98, 0.975) * np.sqrt(fit.dispersion / 4.0 + old.se**2)
    assert_allclose(old.upper, old.estimate + half, rtol=1e-7)
    assert_allclose(fit.predict({"x": x, "w": data["w"]}, interval="prediction").upper, old.upper)
    plain = fit.predict({"x": x}, interval="prediction")
    assert_allclose(plain.upper, old.estimate + stdtrit(98, 0.975) * np.sqrt(fit.dispersion + old.se**2))


def test_missing_rows_are_nan_and_quasi_families_refuse():
    data = {"y": [1.0, 2.0, 4.0, 3.0, 7.0], "x": [0.0, 1.0, 2.0, 3.0, np.nan]}
    with pytest.warns(em.DroppedRowsWarning):
        fit = em.glm("y ~ x", data, "poisson")
    assert np.isnan(fit.predict(interval="prediction").upper).tolist() == [False] * 4 + [True]
    quasi = em.glm("y ~ x", {"y": [1.0, 2.0, 4.0, 3.0], "x": [0.0, 1.0, 2.0, 3.0]}, "quasipoisson")
    with pytest.raises(em.NotAvailableError, match="distribution"):
        quasi.predict(interval="prediction")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kind": "link", "interval": "prediction"}, "no eta"),
        ({"kind": "terms", "interval": "confidence"}, "terms"),
        ({"interval": "both"}, "'both'.*'prediction'"),
        ({"interval": "prediction", "level": 2.0}, "level is 2"),
        ({"kind": "rate"}, "without exposure="),
    ],
)
def test_bad_questions_are_refused(options, words):
    fit = em.glm("y ~ x", {"y": [1.0, 2.0, 4.0, 3.0], "x": [0.0, 1.0, 2.0, 3.0]}, "poisson")
    with pytest.raises(em.OptionError, match=words):
        fit.predict(**options)


# Rates


def _exposed(n=60):
    rng = np.random.default_rng(9)
    data = {"x": rng.normal(size=n), "years": rng.uniform(0.5, 2.0, n), "o": rng.normal(size=n) * 0.1}
    data["y"] = rng.poisson(3.0 * data["years"] * np.exp(data["o"])).astype(float)
    return data


def test_a_rate_is_the_mean_per_exposure():
    data = _exposed()
    fit = em.glm("y ~ x", data, "poisson", exposure="years", offset="o")
    for rows in (None, data):
        mean, rate = (fit.predict(rows, kind, interval="confidence") for kind in ("mean", "rate"))
        for part in ("estimate", "se", "lower", "upper"):
            assert_allclose(getattr(rate, part), getattr(mean, part) / data["years"], rtol=1e-12)
    one = fit.predict(data, "rate", interval="prediction")
    assert_allclose(one.upper, fit.predict(data, interval="prediction").upper / data["years"])
    assert_allclose(fit.predict({"x": data["x"], "o": data["o"]}, "rate"), fit.predict(kind="rate"))


def test_an_exposure_given_as_an_array_is_given_again():
    data = _exposed()
    fit = em.glm("y ~ x", data, "poisson", exposure=data["years"])
    with pytest.raises(em.DataError, match="exposure= again"):
        fit.predict(kind="rate")
    rate = fit.predict(kind="rate", exposure=data["years"])
    assert_allclose(rate * data["years"], fit.predict())
    assert_allclose(fit.predict({"x": data["x"]}, "rate"), rate)


# Terms


def test_terms_add_up_to_eta_and_have_mean_zero():
    data = _exposed() | {"g": np.array(list("abc") * 20), "z": np.linspace(5.0, 6.0, 60) ** 2}
    fit = em.glm("y ~ poly(x, 2) + C(g) + z:C(g)", data, "poisson", exposure="years", offset="o")
    got = fit.predict(kind="terms", se=True)
    offset = np.log(data["years"]) + data["o"]
    assert got.names == ("poly(x, 2)", "C(g)", "z:C(g)")
    assert_allclose(got.total + offset, fit.predict(kind="link"), rtol=1e-10)
    for column in got.columns.values():
        assert abs(column.mean()) < 1e-12
    new = fit.predict({name: data[name][:7] for name in data}, "terms", se=True)
    for name in got.names:
        assert_allclose(new[name], got[name][:7], rtol=1e-9, atol=1e-12)
        assert_allclose(new.se[name], got.se[name][:7], rtol=1e-7)
    assert new.constant == got.constant


def test_standard_errors_of_terms_are_those_of_centred_columns():
    data = _exposed()
    fit = em.glm("y ~ x + o", data, "poisson")
    got = fit.predict(kind="terms", se=True)
    centred = data["x"] - data["x"].mean()
    assert_allclose(got["x"], fit.coef[1] * centred, rtol=1e-10, atol=1e-14)
    assert_allclose(got.se["x"], fit.se[1] * np.abs(centred), rtol=1e-7)
    assert_allclose(got.constant, np.mean(fit.predict(kind="link")))


def test_without_an_intercept_nothing_is_centred():
    data = _exposed()
    fit = em.glm("y ~ 0 + x", data)
    got = fit.predict(kind="terms")
    assert got.constant == 0.0
    assert_allclose(got["x"], fit.coef[0] * data["x"])


def test_terms_are_a_table_in_the_library_of_the_rows_with_nan_for_missing():
    pd = pytest.importorskip("pandas")
    data = pd.DataFrame({"y": [1.0, 3.0, 2.0, 5.0], "x": [0.0, 1.0, np.nan, 3.0], "z": [1.0, 0.0, 1.0, 2.0]})
    with pytest.warns(em.DroppedRowsWarning):
        fit = em.glm("y ~ x", data)
    table = fit.predict(kind="terms").table()
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == ["x"]
    assert np.isnan(table["x"]).tolist() == [False, False, True, False]


@pytest.mark.parametrize("family", ["poisson", "negative_binomial(2)", "gamma", "tweedie(1.5)"])
def test_rows_far_outside_the_data_get_the_interval_of_their_mean(family):
    rng, x, mu = _data(3, 30)
    y = rng.poisson(mu) if family in {"poisson", "negative_binomial(2)"} else rng.gamma(2.0, mu / 2.0)
    fit = em.glm("y ~ x", {"x": x, "y": y}, family, "log")
    new = {"x": [200.0, 800.0, -800.0]}
    tight, loose = (fit.predict(new, interval=kind) for kind in ("confidence", "prediction"))
    # Of log eta the law of one response takes a few units, of which its mean spreads over hundreds.
    with np.errstate(divide="ignore"):
        for one, other in ((tight.lower, loose.lower), (tight.upper, loose.upper)):
            near = np.log(np.maximum(one, 1.0)), np.log(np.maximum(other, 1.0))
            assert_allclose(*near, atol=0.1 * np.log(tight.upper[0]))
    assert (loose.lower <= loose.upper).all()


def test_intervals_of_means_without_squares_are_said_to_be_unknown():
    rng, x, mu = _data(4, 2000)
    fit = em.glm("y ~ x", {"x": x, "y": rng.gamma(200.0, mu / 200.0)}, "gamma", "log")
    with pytest.warns(em.EtamuWarning, match="1 prediction intervals are NaN: .* beyond float64"):
        got = fit.predict({"x": [500.0, 0.0]}, interval="prediction")
    assert np.isnan(got.lower).tolist() == [True, False]
