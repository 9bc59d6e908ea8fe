"""Several starts: an outlier makes a maximum of its own under a cauchit link, and the best one is found."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em


def outlying(seed: int) -> dict[str, np.ndarray]:
    """Draw rows of which one lies far out and has the wrong outcome."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=40)
    y = (rng.random(40) < 0.5 + np.arctan(6 * x) / np.pi).astype(float)
    x[0], y[0] = 40.0, 0.0
    return {"y": y, "x": x}


@pytest.mark.parametrize("seed", range(6))
def test_no_start_of_a_grid_ends_higher(seed: int) -> None:
    data = outlying(seed)
    fit = em.glm("y ~ x", data, family="bernoulli", link="cauchit")
    assert fit.converged
    ends = [
        em.glm("y ~ x", data, family="bernoulli", link="cauchit", start=[level, slope])
        for level in (-1.0, 0.0, 1.0)
        for slope in (-3.0, 0.0, 0.3, 3.0, 30.0)
    ]
    best = min(end.deviance for end in ends if end.converged)
    assert fit.deviance <= best * (1 + 1e-8)


def test_the_outlier_made_a_second_maximum() -> None:
    data = outlying(0)
    fit = em.glm("y ~ x", data, family="bernoulli", link="cauchit")
    other = em.glm("y ~ x", data, family="bernoulli", link="cauchit", start=[0.0, 0.0])
    assert other.converged
    assert other.deviance > fit.deviance + 1.0


def test_the_same_answer_every_time() -> None:
    data = outlying(1)
    one, two = (em.glm("y ~ x", data, family="bernoulli", link="cauchit") for _ in range(2))
    assert one.coef.tolist() == two.coef.tolist()


def test_a_start_that_is_given_is_the_only_one() -> None:
    data = outlying(0)
    other = em.glm("y ~ x", data, family="bernoulli", link="cauchit", start=[0.0, 0.0])
    assert other.deviance > em.glm("y ~ x", data, family="bernoulli", link="cauchit").deviance + 1.0
