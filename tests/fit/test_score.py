"""The share of the deviance explained: R² where there is one, else a comparison with the best constant."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special

import etamu as em
from etamu.fit.inputs import Keywords
from etamu.fit.score import explained

RNG = np.random.default_rng(8)
N = 70
DATA = {"x": RNG.normal(size=N), "z": RNG.normal(size=N)}
DATA["y"] = RNG.poisson(np.exp(0.5 + 0.4 * DATA["x"])).astype(float)
ROWS = {name: DATA[name] for name in ("x", "z")}
WEIGHTS = RNG.integers(1, 5, N).astype(float)
OFFSET = RNG.normal(scale=0.3, size=N)


def poisson_deviance(y: np.ndarray, mu: np.ndarray) -> np.ndarray:
    return 2.0 * (special.xlogy(y, y / mu) - (y - mu))


def best_constant(y: np.ndarray, offset: np.ndarray, weights: np.ndarray) -> float:
    """The least deviance of exp(constant + offset), found by search."""
    found = optimize.minimize_scalar(
        lambda b: float(weights @ poisson_deviance(y, np.exp(b + offset))),
        bounds=(-5, 5),
        method="bounded",
        options={"xatol": 1e-10},
    )
    return float(found.fun)


def test_for_a_gaussian_it_is_r_squared() -> None:
    fit = em.glm("y ~ x + z", DATA)
    y, mu = DATA["y"], fit.predict()
    r2 = 1 - np.sum((y - mu) ** 2) / np.sum((y - y.mean()) ** 2)
    assert explained(fit, ROWS, y, Keywords()) == pytest.approx(r2, rel=1e-12)


def test_for_a_gaussian_with_weights_it_is_the_weighted_r_squared() -> None:
    fit = em.glm("y ~ x", DATA)
    y, mu = DATA["y"], fit.predict()
    centre = np.average(y, weights=WEIGHTS)
    r2 = 1 - WEIGHTS @ (y - mu) ** 2 / (WEIGHTS @ (y - centre) ** 2)
    assert explained(fit, ROWS, y, Keywords(variance_weights=WEIGHTS)) == pytest.approx(r2, rel=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("moved", [False, True])
def test_both_deviances_carry_offset_and_weights(weighted, moved) -> None:
    fit = em.glm("y ~ x", DATA, "poisson")
    weights = WEIGHTS if weighted else np.ones(N)
    offset = OFFSET if moved else np.zeros(N)
    mu = np.exp(fit.coef[0] + fit.coef[1] * DATA["x"] + offset)
    expected = 1 - weights @ poisson_deviance(DATA["y"], mu) / best_constant(DATA["y"], offset, weights)
    keywords = Keywords(offset=offset if moved else None, variance_weights=weights if weighted else None)
    assert explained(fit, ROWS, DATA["y"], keywords) == pytest.approx(expected, rel=1e-7)


def test_a_frequency_counts_like_repeated_rows() -> None:
    fit = em.glm("y ~ x", DATA, "poisson")
    times = WEIGHTS.astype(int)
    longer = {name: np.repeat(values, times) for name, values in ROWS.items()}
    repeated = explained(fit, longer, np.repeat(DATA["y"], times), Keywords())
    assert explained(fit, ROWS, DATA["y"], Keywords(frequency_weights=WEIGHTS)) == pytest.approx(repeated)


def test_a_row_of_weight_zero_does_not_count() -> None:
    fit = em.glm("y ~ x", DATA, "poisson")
    weights = np.ones(N)
    weights[:20] = 0.0
    part = explained(fit, {"x": DATA["x"][20:]}, DATA["y"][20:], Keywords())
    assert explained(fit, ROWS, DATA["y"], Keywords(variance_weights=weights)) == pytest.approx(part)


def test_the_constant_alone_explains_nothing_and_a_wrong_model_less() -> None:
    y = DATA["y"]
    assert explained(em.glm("y ~ 1", DATA, "poisson"), ROWS, y, Keywords()) == pytest.approx(0.0, abs=1e-10)
    turned = {"x": -DATA["x"]}
    assert explained(em.glm("y ~ x", DATA, "poisson"), turned, y, Keywords()) < 0.0


def test_on_its_own_rows_a_larger_model_explains_no_less() -> None:
    small, large = (
        explained(em.glm(f, DATA, "poisson"), ROWS, DATA["y"], Keywords()) for f in ("y ~ x", "y ~ x*z")
    )
    assert 0 < small <= large < 1


def test_exposure_is_an_offset_of_its_log() -> None:
    fit = em.glm("y ~ x", DATA, "poisson")
    one = explained(fit, ROWS, DATA["y"], Keywords(exposure=np.exp(OFFSET)))
    assert one == pytest.approx(explained(fit, ROWS, DATA["y"], Keywords(offset=OFFSET)), rel=1e-12)


def test_where_a_constant_is_perfect_the_fit_is_judged_as_perfect_or_not() -> None:
    flat = np.full(N, 2.0)
    assert explained(em.glm("y ~ x", DATA), ROWS, flat, Keywords()) == 0.0


@pytest.mark.parametrize(
    ("y", "words"),
    [(np.r_[np.nan, DATA["y"][1:]], "missing"), (-1.0 - DATA["y"], "poisson|Poisson|negative")],
    ids=["missing", "negative"],
)
def test_responses_that_cannot_be_used_are_refused(y, words) -> None:
    fit = em.glm("y ~ x", DATA, "poisson")
    with pytest.raises(em.DataError, match=words):
        explained(fit, ROWS, y, Keywords())
