from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from tests.samples import FITTED, FORMULA, keywords, sample

UNRESTRICTED = [u for u in FITTED if not u.restricted]


@pytest.mark.parametrize("unit", UNRESTRICTED, ids=[f"{u.family!r}-{u.link!r}" for u in UNRESTRICTED])
def test_standard_errors_are_those_of_the_delta_method(unit):
    data = sample(unit, 5)
    fit = em.glm(FORMULA, data, **keywords(unit))
    x = np.column_stack([np.ones(len(data["y"])), data["x"], data["z"], data["g"] == "b", data["g"] == "c"])
    link = fit.predict(kind="link", se=True)
    assert_allclose(link.estimate, x @ fit.coef, rtol=1e-9, atol=1e-9)
    assert_allclose(link.se, np.sqrt(np.einsum("ij,jk,ik->i", x, fit.cov, x)), rtol=1e-7)
    mean = fit.predict(se=True)
    step = 1e-6 * np.maximum(np.abs(link.estimate), 1.0)
    up, down = (unit.mean(np, link.estimate + s * step).mu for s in (1, -1))
    assert_allclose(mean.se, np.abs(up - down) / (2 * step) * link.se, rtol=1e-5)


@pytest.mark.parametrize("unit", UNRESTRICTED, ids=[f"{u.family!r}-{u.link!r}" for u in UNRESTRICTED])
def test_confidence_intervals_hold_the_mean_and_stay_in_its_range(unit):
    data = sample(unit, 5)
    fit = em.glm(FORMULA, data, **keywords(unit))
    got = fit.predict(interval="confidence", level=0.9)
    assert np.all((got.lower < got.estimate) & (got.estimate < got.upper))
    low, high = max(unit.family.mean.lower, unit.link.range.lower), unit.family.mean.upper
    assert np.all((got.lower >= low) & (got.upper <= high))
    wide = fit.predict(interval="confidence", level=0.99)
    assert np.all((wide.lower < got.lower) & (wide.upper > got.upper))


def test_counts_are_trials_times_the_proportion():
    data = {"s": [1, 3, 5, 2], "n": [4, 6, 8, 9], "x": [0.0, 1.0, 2.0, 0.5]}
    fit = em.glm("s ~ x", data, "binomial", trials="n")
    assert_allclose(fit.predict(kind="count"), fit.predict() * data["n"])
    assert_allclose(fit.predict(data, kind="count"), fit.predict(data) * data["n"])
    assert_allclose(fit.predict({"x": [1.0]}, kind="count", trials=[10]), 10 * fit.predict({"x": [1.0]}))
    with pytest.raises(em.EtamuError, match="n"):
        fit.predict({"x": [1.0]}, kind="count")


def test_exposure_and_offset_travel_with_new_data():
    rng = np.random.default_rng(1)
    data = {"y": rng.poisson(3.0, 50), "x": rng.normal(size=50), "years": rng.uniform(0.5, 2.0, 50)}
    fit = em.glm("y ~ x", data, "poisson", exposure="years")
    new = {"x": [0.0, 0.0], "years": [1.0, 2.0]}
    one, two = fit.predict(new)
    assert_allclose(two, 2 * one)
    with pytest.raises(em.EtamuError, match="years"):
        fit.predict({"x": [0.0]})


def test_missing_values_in_new_data_give_nan_there_and_nowhere_else():
    data = {"y": [1.0, 2.0, 4.0, 3.0, 7.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0], "g": list("ababa")}
    fit = em.glm("y ~ x + g", data)
    got = fit.predict({"x": [1.0, np.nan, 2.0], "g": ["a", "b", None]}, interval="confidence")
    for column in (got.estimate, got.se, got.lower, got.upper):
        assert np.isnan(column).tolist() == [False, True, True]


def test_a_level_of_one_row_in_new_data_is_coded_as_in_training():
    data = {"y": [1.0, 2.0, 4.0, 3.0], "g": ["a", "b", "c", "b"]}
    fit = em.glm("y ~ g", data)
    assert_allclose(fit.predict({"g": ["c"]}), [4.0])


def test_an_aliased_column_counts_as_zero():
    data = {"y": [1.0, 2.0, 4.0, 3.0], "x": [0.0, 1.0, 2.0, 3.0], "d": [0.0, 2.0, 4.0, 6.0]}
    with pytest.warns(em.AliasWarning):
        fit = em.glm("y ~ x + d", data)
    assert_allclose(fit.predict({"x": [5.0], "d": [99.0]}), em.glm("y ~ x", data).predict({"x": [5.0]}))


@pytest.mark.parametrize("unit", [2.0**984, 2.0**-984], ids=["huge", "tiny"])
@pytest.mark.parametrize(
    ("family", "link"), [("gaussian", "identity"), ("gamma", "log"), ("gamma", "inverse")], ids=str
)
@pytest.mark.filterwarnings("ignore:phi is:etamu.EtamuWarning")
def test_intervals_know_no_units_of_the_response(family: str, link: str, unit: float) -> None:
    """Phi over 1e300^2 is no number of float64, and neither is 1 over the square of a slope."""
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=20), rng.gamma(8.0, size=20)
    usual, far = (em.glm("y ~ x", {"x": x, "y": y * u}, family=family, link=link) for u in (1.0, unit))
    for new in (None, {"x": [-0.3, 0.9]}):
        for interval in ("confidence", "prediction"):
            near = usual.predict(new, interval=interval)
            found = far.predict(new, interval=interval)
            for part in ("estimate", "se", "lower", "upper"):
                assert getattr(found, part) / unit == pytest.approx(getattr(near, part), rel=1e-8)
