from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from tests.samples import FITTED, FORMULA, keywords, sample

LAWFUL = [u for u in FITTED if u.family.has_density]
"""Of laws that cost milliseconds a tail, one link is enough: a draw sees only the mean."""
DEAR = {u.family: u for u in LAWFUL if u.family.name == "tweedie"}
LAWFUL = [u for u in LAWFUL if DEAR.get(u.family, u) == u]


@pytest.mark.parametrize("unit", LAWFUL, ids=[f"{u.family!r}-{u.link!r}" for u in LAWFUL])
def test_draws_have_the_mean_and_the_variance_of_the_model(unit):
    data = sample(unit, 5)
    if not unit.restricted:
        data = {name: values[:40] for name, values in data.items()}
    fit = em.glm(FORMULA, data, **keywords(unit))
    n = 20 if unit.family in DEAR else 60
    draws = fit.simulate(n, seed=4)
    kind = "count" if len(unit.family.response) > 1 else "mean"
    mu = fit.predict(kind=kind)
    trials = data.get("m", 1.0)
    phi = 1.0 if unit.family.dispersion_known else fit.dispersion
    variance = phi * trials * unit.family.variance(np, mu / trials, 1 - mu / trials)
    z = (draws - mu[:, None]) / np.sqrt(variance)[:, None]
    assert abs(z.mean()) * np.sqrt(z.size) < 4.0
    # The spread of z^2 is judged by the draws themselves: laws have very different tails.
    assert abs(np.mean(z**2) - 1.0) < 4.5 * np.std(z**2) / np.sqrt(z.size)
    assert np.all(unit.family.support.contains(draws))


def test_draws_depend_on_seed_row_and_number_alone():
    unit = next(u for u in FITTED if u.family.name == "gamma")
    data = sample(unit, 5)
    fit = em.glm(FORMULA, data, **keywords(unit))
    visits = [replace(fit.problem.options, block_rows=k) for k in (7, 1000)]
    fits = [replace(fit, problem=replace(fit.problem, options=options)) for options in visits]
    few, many = fits[0].simulate(2, seed=1), fits[1].simulate(5, seed=1)
    assert_allclose(few, many[:, :2], rtol=1e-9)
    assert np.array_equal(fits[0].simulate(2, seed=1), few)
    assert not np.any(fits[0].simulate(2, seed=2) == few)
    assert not np.any(few[:, 0] == few[:, 1])


def test_dropped_rows_are_nan_and_the_others_keep_their_draws():
    data = {"y": [1.0, 2.0, 4.0, 3.0, 7.0], "x": [0.0, np.nan, 2.0, 3.0, 4.0]}
    with pytest.warns(em.DroppedRowsWarning):
        fit = em.glm("y ~ x", data)
    draws = fit.simulate(3)
    assert draws.shape == (5, 3)
    assert np.isnan(draws[:, 0]).tolist() == [False, True, False, False, False]


def test_variance_weights_divide_the_variance():
    rng = np.random.default_rng(0)
    data = {"y": rng.normal(size=500), "w": np.repeat([1.0, 16.0], 250)}
    fit = em.glm("y ~ 1", data, variance_weights="w")
    draws = fit.simulate(40) - fit.coef[0]
    assert_allclose(draws[:250].var() / fit.dispersion, 1.0, rtol=0.05)
    assert_allclose(draws[250:].var() * 16 / fit.dispersion, 1.0, rtol=0.05)


def test_trials_bound_the_draws():
    data = {"s": [1.0, 3.0, 5.0, 0.0], "n": [4.0, 6.0, 8.0, 0.0], "x": [0.0, 1.0, 2.0, 0.5]}
    draws = em.glm("s ~ x", data, "binomial", trials="n").simulate(50)
    assert np.all((draws >= 0) & (draws <= np.array(data["n"])[:, None]))
    assert np.array_equal(draws, np.round(draws))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [((0,), "n is 0"), ((1.5,), "n is 1.5"), ((1, -1), "seed is -1"), ((True,), "n is True")],
)
def test_bad_numbers_are_refused(arguments, words):
    fit = em.glm("y ~ 1", {"y": [1.0, 2.0]})
    with pytest.raises(em.OptionError, match=words):
        fit.simulate(*arguments)


def test_a_variance_is_no_law():
    fit = em.glm("y ~ 1", {"y": [1.0, 2.0]}, "quasipoisson")
    with pytest.raises(em.NotAvailableError, match="distribution"):
        fit.simulate()
