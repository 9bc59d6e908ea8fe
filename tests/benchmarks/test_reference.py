"""The reference is a maximum, found without etamu; etamu agrees with it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from benchmarks import dense, motor, reference
from benchmarks.problem import Coded, Dense, Table

PROBLEMS = {
    "logistic": ("bernoulli", "logit", lambda: dense.logistic(2_000, 4)),
    "poisson": ("poisson", "log", lambda: dense.poisson(2_000, 4)),
    "table with exposure": ("poisson", "log", lambda: motor.mixed(40_000)),
    "gamma": ("gamma", "log", lambda: motor.severity(3_000)),
    "small": ("bernoulli", "logit", lambda: dense.small(1_000)),
}


def _columns(table: Table) -> dict[str, np.ndarray]:
    columns = {k: c.text() if isinstance(c, Coded) else c for k, c in table.terms.items()}
    exposure = {} if table.exposure is None else {"Exposure": table.exposure}
    return {table.response: table.y, **columns, **exposure}


@pytest.mark.parametrize("name", list(PROBLEMS))
def test_etamu_agrees_with_the_reference(name: str) -> None:
    family, link, make = PROBLEMS[name]
    problem = make()
    truth = reference.solve(family, problem)
    if isinstance(problem, Dense):
        fit = em.GLM(family, link).fit(problem.X, problem.y)
    else:
        exposure = None if problem.exposure is None else "Exposure"
        fit = em.glm(problem.formula, _columns(problem), family, link, exposure=exposure)
    assert len(truth.coef) == problem.coefficients
    assert truth.floor < 1e-8
    assert truth.error(fit.coef) < 1e-8
    assert_allclose(fit.se, truth.se, rtol=1e-6)


def test_a_problem_without_a_maximum_is_refused() -> None:
    x = np.linspace(-1.0, 1.0, 40)
    with pytest.raises(ArithmeticError, match="no finite maximum"):
        reference.solve("bernoulli", Dense(x[:, None], (x > 0.0).astype(float)))


def test_an_error_is_counted_in_standard_errors() -> None:
    truth = reference.Reference(np.array([1.0, 2.0]), np.array([0.5, 0.1]), 0.0, 0.0)
    assert truth.error(np.array([1.5, 2.2])) == pytest.approx(2.0)


def test_a_reference_survives_its_file(tmp_path) -> None:
    truth = reference.solve("poisson", dense.poisson(200, 2))
    reference.save(truth, tmp_path / "some" / "file.npz")
    again = reference.load(tmp_path / "some" / "file.npz")
    assert again.error(truth.coef) == 0.0
    assert (again.floor, again.deviance) == (truth.floor, truth.deviance)
