"""Columns nearly dependent: the estimate is right to what the data carry, and those columns are named."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import mpmath as mp
import numpy as np
import pytest

import etamu as em
from etamu._base.errors import AliasWarning, ConvergenceWarning, OptionError
from etamu.fit.estimate import solved
from etamu.fit.refine import polished
from etamu.fit.stage import likelihood_of, prepare
from etamu.solve.direction import FINAL
from etamu.solve.stop import TOLERANCE, remaining

RNG = np.random.default_rng(3)
N = 60
X, Z, NOISE = RNG.normal(size=(3, N))
RESPONSES = {
    ("gaussian", "identity"): 1 + X + Z + NOISE,
    ("poisson", "log"): RNG.poisson(np.exp(0.3 + 0.4 * X)).astype(float),
    ("bernoulli", "logit"): (RNG.random(N) < 1 / (1 + np.exp(-X))).astype(float),
    ("gamma", "log"): RNG.gamma(2.0, np.exp(0.2 * X)),
}


def near(distance: float, y: np.ndarray) -> dict[str, np.ndarray]:
    """A column that differs from the sum of two others by `distance`."""
    return {"y": y, "x": X, "z": Z, "c": X + Z + distance * NOISE}


def rows(family: str, y: Any, eta: Any) -> tuple[list[Any], list[Any]]:
    """Score and information of each row, in 50 digits."""
    if family == "gaussian":
        return [mp.mpf(float(a)) - e for a, e in zip(y, eta, strict=True)], [mp.mpf(1)] * N
    mu = [mp.exp(e) if family != "bernoulli" else 1 / (1 + mp.exp(-e)) for e in eta]
    if family == "gamma":
        ratio = [mp.mpf(float(a)) / m for a, m in zip(y, mu, strict=True)]
        return [value - 1 for value in ratio], ratio
    score = [mp.mpf(float(a)) - m for a, m in zip(y, mu, strict=True)]
    return score, mu if family == "poisson" else [m * (1 - m) for m in mu]


def truth(family: str, data: dict[str, np.ndarray]) -> np.ndarray:
    """The maximum by Newton's method in 50 digits."""
    with mp.workdps(50):
        design = mp.matrix(np.column_stack([np.ones(N), data["x"], data["z"], data["c"]]).tolist())
        beta = mp.matrix(4, 1)
        for _ in range(40):
            score, information = rows(family, data["y"], design * beta)
            step = mp.lu_solve(design.T * mp.diag(information) * design, design.T * mp.matrix(score))
            beta += step
            if mp.norm(step) < mp.mpf(10) ** -30:
                break
        return np.array([float(value) for value in beta])


@pytest.mark.parametrize("family", [family for family, _ in RESPONSES])
@pytest.mark.parametrize(("distance", "relative"), [(1e-5, 1e-9), (1e-8, 1e-7)])
def test_columns_near_an_alias_have_their_maximum(family: str, distance: float, relative: float) -> None:
    link, y = next((link, y) for (name, link), y in RESPONSES.items() if name == family)
    data = near(distance, y)
    fit = em.glm("y ~ x + z + c", data, family=family, link=link)
    assert fit.converged
    assert fit.iterations < 15
    np.testing.assert_allclose(fit.coef, truth(family, data), rtol=relative)


def test_the_columns_are_named_with_the_condition_number() -> None:
    data = near(1e-10, RESPONSES["gaussian", "identity"]) | {"w": NOISE[::-1]}
    with pytest.warns(ConvergenceWarning, match=r"columns x, z, c are nearly collinear .*\de\+10") as warned:
        fit = em.glm("y ~ x + z + c + w", data)
    assert len(warned) == 1
    assert fit.converged


def test_closer_still_it_is_an_alias() -> None:
    with pytest.warns(AliasWarning, match="c$"):
        fit = em.glm("y ~ x + z + c", near(1e-13, RESPONSES["gaussian", "identity"]))
    assert fit.aliased == ("c",)


def test_a_factor_takes_part_by_its_levels() -> None:
    level = np.array(list("abc"))[np.arange(N) % 3]
    data = {"y": NOISE, "g": level, "c": (level == "b") + 1e-10 * X}
    with pytest.warns(ConvergenceWarning, match=r"columns g\[T\.b\], c are"):
        em.glm("y ~ g + c", data)


def test_well_separated_columns_are_left_alone() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain = em.glm("y ~ x + z", near(1.0, NOISE))
        fine = em.glm("y ~ x + z", near(1.0, NOISE), precision="extended")
    np.testing.assert_allclose(fine.coef, plain.coef, rtol=1e-13)
    np.testing.assert_allclose(fine.se, plain.se, rtol=1e-13)


@pytest.mark.parametrize("family", [family for family, _ in RESPONSES])
def test_twice_the_precision_knows_weights_and_offset(family: str) -> None:
    link, y = next((link, y) for (name, link), y in RESPONSES.items() if name == family)
    data = near(1e-3, y) | {"o": np.sin(np.arange(N)), "k": np.arange(N) % 4}
    options = {"family": family, "link": link, "offset": "o", "frequency_weights": "k"}
    plain = em.glm("y ~ x + z + c", data, **options)
    fine = em.glm("y ~ x + z + c", data, precision="extended", **options)
    assert fine.converged
    np.testing.assert_allclose(fine.coef, plain.coef, rtol=1e-9)


def test_the_call_says_the_precision() -> None:
    fit = em.glm("y ~ x", near(1.0, NOISE), precision="extended")
    assert 'precision="extended")' in str(fit.summary()).split("Coefficients")[0].replace("\n", "")


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(
        OptionError, match="precision='quad' is not known; choose one of 'double', 'extended'"
    ):
        em.glm("y ~ x", near(1.0, NOISE), precision="quad")


@pytest.mark.parametrize(
    ("y", "slope"),
    [([9e15, 3, 4, 5, 6], -32.82397796681876614), ([9e15, 1, 0, 2, 5], None)],
    ids=["all positive", "with a zero"],
)
def test_a_count_near_the_end_of_float64_beside_small_ones(y: list[float], slope: float | None) -> None:
    """All but one row have means that vanish: the slope is known from the second row alone."""
    fit = em.glm("y ~ x", {"y": y, "x": np.arange(5.0)}, family="poisson")
    assert fit.converged
    assert fit.coef[0] == pytest.approx(np.log(9e15), rel=1e-12)
    if slope is not None:
        assert fit.coef[1] == pytest.approx(slope, rel=1e-9)


def test_a_climb_that_stopped_short_is_polished_until_it_is_within_the_tolerance() -> None:
    data = {"y": RESPONSES["poisson", "log"], "x": X}
    problem = em.glm("y ~ x", data, family="poisson").problem
    stage = prepare(problem)
    oracle = likelihood_of(problem, stage)
    arrived = solved(problem, oracle, stage)
    start = arrived.beta + 1e-4
    short = replace(arrived, beta=start, local=oracle.at(start, FINAL))
    better = polished(oracle, stage.chunk, short)
    assert remaining(short.local)[1] > TOLERANCE**2
    assert remaining(better.local)[1] <= TOLERANCE**2
    assert better.passes > short.passes
    assert polished(oracle, stage.chunk, better) is better
