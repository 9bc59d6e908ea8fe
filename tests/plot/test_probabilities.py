"""Pictures of a fit of several predictors."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em

N = 90
RNG = np.random.default_rng(0)
X = RNG.normal(size=N)
DATA = {
    "y": np.array(["a", "b", "c"])[np.digitize(X + RNG.logistic(size=N), [-1.0, 1.0])],
    "x": X,
    "g": np.array(["u", "v"])[RNG.integers(0, 2, N)],
    "n": RNG.poisson(2.0, N) * RNG.integers(0, 2, N),
}


@pytest.fixture(scope="module")
def fit():
    return em.glm("y ~ x + g", DATA, family=em.Multinomial())


def test_every_class_has_its_line_and_band(fit):
    axes = fit.plot().axes[0]
    assert [line.get_label() for line in axes.get_lines()] == ["a", "b", "c"]
    np.testing.assert_allclose(sum(line.get_ydata() for line in axes.get_lines()), 1.0)
    assert len(axes.collections) == 3
    assert axes.get_xlabel() == "x"


def test_levels_have_bars_and_a_mean_one_line(fit):
    axes = fit.plot("probabilities", "g").axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["u", "v"]
    count = em.glm("n ~ x", DATA, family=em.ZeroInflatedPoisson())
    assert count.plot("probabilities").axes[0].get_ylabel() == "mean"


@pytest.mark.parametrize("name", ["coefficients", "qq", "worm", "convergence"])
def test_pictures_of_one_predictor_serve_several(fit, name):
    assert fit.plot(name).axes[0].get_title(loc="left")


def test_ratios_and_thresholds_are_told_apart(fit):
    axes = fit.plot("coefficients", ratio=True).axes[0]
    assert axes.get_xlabel() == "ratio"
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert labels == ["b:x", "b:g[T.v]", "c:x", "c:g[T.v]"]
    with pytest.raises(em.OptionError, match="no picture 'lift'; choose one of 'probabilities'"):
        fit.plot("lift")


def test_a_limit_is_drawn_with_what_stays():
    y = np.where(DATA["g"] == "u", "a", DATA["y"])
    with pytest.warns(em.SeparationWarning):
        limit = em.glm("y ~ x + g", {**DATA, "y": y}, family=em.Multinomial())
    assert np.isfinite(limit.plot("coefficients").axes[0].get_xlim()).all()
    assert limit.plot("probabilities", "g").axes[0].get_ylabel() == "probability"
    assert limit.plot("qq").axes[0].has_data()
