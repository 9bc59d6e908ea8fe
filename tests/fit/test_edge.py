"""A maximum on the edge of the domain is the constrained maximum, whatever rows lie there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

import etamu as em
from etamu._base.errors import ConvergenceWarning
from etamu.datasets import ships
from etamu.solve.outcome import Outcome

DOMAINS = {
    ("bernoulli", "log"): (-np.inf, 0.0),
    ("bernoulli", "identity"): (0.0, 1.0),
    ("poisson", "identity"): (0.0, np.inf),
    ("inverse_gaussian", "inverse"): (0.0, np.inf),
}
pytestmark = pytest.mark.filterwarnings("ignore::etamu._base.errors.ConvergenceWarning")


def drawn(seed: int, family: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Draw rows of which many share a pattern, so that several lie on the edge together."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(15, 50)), int(rng.integers(1, 4))
    x = rng.normal(size=(n, p)) if seed % 2 else rng.integers(0, 3, size=(n, p)).astype(float)
    slope = x @ rng.normal(size=p)
    if family == "bernoulli":
        y = (rng.random(n) < 1 / (1 + np.exp(-slope))).astype(float)
    elif family == "poisson":
        y = rng.poisson(np.exp(slope.clip(-4, 3))).astype(float)
    else:
        y = rng.wald(np.exp(slope.clip(-3, 3)), 1.0)
    columns = {f"x{j}": x[:, j] for j in range(p)}
    return {"y": y, **columns, "w": rng.integers(1, 4, n).astype(float)}, np.column_stack([np.ones(n), x])


def loss(family: str, link: str, y: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """Half the deviance of each row, on the closure of the domain."""
    tiny = 1e-300
    if link == "log":
        return -np.where(y == 1, eta, np.log(-np.expm1(np.minimum(eta, -tiny))))
    if family == "bernoulli":
        return -np.log(np.maximum(np.where(y == 1, eta, 1 - eta), tiny))
    if family == "poisson":
        full = np.where(y > 0, y * np.log(np.maximum(y, tiny)) - y, 0.0)
        return full - y * np.log(np.maximum(eta, tiny)) + eta
    return 0.5 * (y * eta - 1) ** 2 / y


def best(family: str, link: str, data: dict[str, np.ndarray], design: np.ndarray) -> float:
    """Minimise by sequential quadratic programming under the constraints of the domain."""
    low, high = DOMAINS[family, link]
    start = np.zeros(design.shape[1])
    mean = float(np.mean(data["y"]))
    start[0] = {
        "log": np.log(np.clip(mean, 0.05, 0.9)),
        "inverse": 1 / mean,
        "identity": np.clip(mean, 0.05, 0.95),
    }[link]
    rules: list[dict[str, Any]] = []
    if np.isfinite(low):
        rules.append({"type": "ineq", "fun": lambda beta: design @ beta - low})
    if np.isfinite(high):
        rules.append({"type": "ineq", "fun": lambda beta: high - design @ beta})
    found = minimize(
        lambda beta: float(data["w"] @ loss(family, link, data["y"], design @ beta)),
        start,
        method="SLSQP",
        constraints=rules,
        options={"maxiter": 500, "ftol": 1e-12},
    )
    eta = design @ found.x
    return float(found.fun) if eta.min() >= low - 1e-8 and eta.max() <= high + 1e-8 else np.inf


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("family", "link"), DOMAINS)
def test_no_feasible_point_is_better(family: str, link: str, seed: int) -> None:
    data, design = drawn(1000 + seed, family)
    formula = "y ~ " + " + ".join(name for name in data if name.startswith("x"))
    fit = em.glm(formula, data, family=family, link=link, frequency_weights="w")
    assert fit.outcome in {Outcome.CONVERGED, Outcome.BOUNDARY}
    assert fit.deviance / 2 <= best(family, link, data, design) * (1 + 1e-7) + 1e-7


def test_means_on_the_edge_are_on_it() -> None:
    group = np.repeat(["a", "b", "c"], 4)
    y = np.array([3, 5, 2, 8, 1, 0, 2, 4, 0, 0, 0, 0.0])
    with pytest.warns(ConvergenceWarning, match="boundary"):
        fit = em.glm("y ~ g", {"y": y, "g": group}, family="poisson", link="identity")
    assert fit.outcome is Outcome.BOUNDARY
    np.testing.assert_allclose(np.asarray(fit.predict())[[0, 4, 8]], [4.5, 1.75, 0.0], atol=1e-12)


def test_ships_with_the_identity_link() -> None:
    fit = em.glm("incidents ~ type + built + period", ships().columns, family="poisson", link="identity")
    assert fit.outcome is Outcome.BOUNDARY
    assert fit.iterations <= 30
    assert fit.deviance == pytest.approx(123.909582244756, rel=1e-12)


def test_a_maximum_just_inside_is_verified_inside() -> None:
    data, design = drawn(316, "poisson")
    del design
    formula = "y ~ " + " + ".join(name for name in data if name.startswith("x"))
    fit = em.glm(formula, data, family="poisson", link="identity")
    again = em.glm(formula, data, family="poisson", link="identity", start=fit.coef)
    assert again.deviance == pytest.approx(fit.deviance, rel=1e-9)


def test_an_offset_moves_the_edge() -> None:
    data, _ = drawn(1004, "poisson")
    plain = em.glm("y ~ x0", data, family="poisson", link="identity")
    moved = em.glm("y ~ x0", data, family="poisson", link="identity", offset=np.full(len(data["y"]), 3.0))
    assert moved.deviance == pytest.approx(plain.deviance, rel=1e-9)
    np.testing.assert_allclose(moved.coef + np.array([3.0, 0.0]), plain.coef, rtol=1e-7, atol=1e-9)
