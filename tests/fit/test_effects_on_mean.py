"""Average effects on the mean are averages over the rows, of derivatives and of differences."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu.fit.effects_on_mean import MeanEffects
from etamu.fit.meaning import meanings

RNG = np.random.default_rng(9)
N = 80
X = RNG.uniform(1.0, 3.0, N)
G = np.array(list("abcd") * 20)
W = RNG.integers(1, 5, N).astype(float)
DATA = {"x": X, "g": G, "w": W, "y": RNG.poisson(3.0 + X + (G == "b")).astype(float)}


def average(fit: em.Fit, name: str) -> float:
    (found,) = (each for each in meanings(fit, {}) if each.name == name)
    return MeanEffects(fit).average(found)


def fit(formula: str = "y ~ x + g", **keywords) -> em.Fit:
    return em.glm(formula, DATA, "poisson", "sqrt", **keywords)


def test_a_unit_of_a_number_is_the_average_derivative() -> None:
    model, step = fit(), 1e-5
    up, down = (model.predict(DATA | {"x": X + h}) for h in (step, -step))
    assert average(model, "x") == pytest.approx(np.mean(up - down) / (2 * step), rel=1e-7)


@pytest.mark.parametrize("level", ["b", "c", "d"])
def test_a_level_is_the_difference_of_means_with_all_rows_moved(level) -> None:
    model = fit()
    at, reference = (model.predict(DATA | {"g": np.full(N, each)}).mean() for each in (level, "a"))
    assert average(model, f"g[T.{level}]") == pytest.approx(at - reference, rel=1e-9)


def test_a_doubling_is_the_difference_before_and_after() -> None:
    model = fit("y ~ log(x) + g")
    expected = np.mean(model.predict(DATA | {"x": 2 * X}) - model.predict())
    assert average(model, "log(x)") == pytest.approx(expected, rel=1e-9)


def test_successive_levels_are_compared_with_the_one_before() -> None:
    model = fit("y ~ x + C(g, contr.diff)")
    means = [model.predict(DATA | {"g": np.full(N, each)}).mean() for each in "abcd"]
    told = [average(model, name) for name in model.names if "g" in name]
    np.testing.assert_allclose(told, np.diff(means), rtol=1e-9)


@pytest.mark.parametrize("kind", ["frequency_weights", "sampling_weights"])
def test_a_row_stands_for_its_frequency_and_its_sampling_weight(kind) -> None:
    model = fit(**{kind: "w"})
    slopes = 2 * model.predict(kind="link")
    assert average(model, "x") == pytest.approx(model.coef[1] * np.average(slopes, weights=W), rel=1e-9)


def test_variance_weights_do_not_say_how_many_a_row_is() -> None:
    model = fit(variance_weights="w")
    assert average(model, "x") == pytest.approx(model.coef[1] * np.mean(2 * model.predict(kind="link")))


def test_rows_of_weight_zero_do_not_count() -> None:
    effects = MeanEffects(fit(sampling_weights=np.where(np.arange(N) < 10, 0.0, W)))
    assert effects.eta.shape == effects.share.shape == (N - 10,)
    assert effects.share.sum() == pytest.approx(1.0)
    assert effects.share.min() > 0


def test_an_identity_link_gives_the_coefficient_back() -> None:
    model = em.glm("y ~ x + g", DATA)
    for name in model.names[1:]:
        assert average(model, name) == pytest.approx(model.coef[model.names.index(name)], rel=1e-9)


def test_a_change_out_of_the_domain_has_no_average() -> None:
    t = np.linspace(1.0, 2.0, 30)
    data = {"t": t, "y": 1.0 / (3.0 - t)}
    model = em.glm("y ~ log(t)", data, "gamma", "inverse")
    # Twice the largest t leads far below eta = 0.
    assert model.coef[0] + model.coef[1] * np.log(4.0) < 0
    assert np.isnan(average(model, "log(t)"))
