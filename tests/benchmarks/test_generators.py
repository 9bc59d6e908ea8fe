"""The problems of the benchmarks are what they are said to be, the same in every process."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from benchmarks import dense, motor
from benchmarks.problem import Coded, Dense, Table
from benchmarks.tasks import BY_NAME, EVERYBODY, TASKS

ROWS = 100_000
PUBLISHED = {
    "VehPower": motor.VEH_POWER,
    "VehBrand": motor.VEH_BRAND,
    "VehGas": motor.VEH_GAS,
    "Region": motor.REGION,
}


@pytest.fixture(scope="module")
def policies() -> motor.Policies:
    return motor.policies(ROWS)


@pytest.mark.parametrize("counts", PUBLISHED.values(), ids=list(PUBLISHED))
def test_the_published_counts_are_those_of_all_policies(counts: dict[str, int]) -> None:
    assert sum(counts.values()) == motor.POLICIES


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_the_shares_of_levels_are_the_published_ones(policies: motor.Policies, name: str) -> None:
    column = policies.coded[name]
    expected = np.array([PUBLISHED[name][level] for level in column.levels]) / motor.POLICIES
    share = np.bincount(column.codes, minlength=len(column.levels)) / ROWS
    assert np.max(np.abs(share - expected) / np.sqrt(expected / ROWS)) < 5.0  # five standard errors


def test_area_is_a_function_of_density(policies: motor.Policies) -> None:
    area = policies.coded["Area"].codes
    order = np.argsort(policies.density)
    assert np.all(np.diff(area[order]) >= 0)
    assert policies.density[area == 0].max() < 50 <= policies.density[area == 1].min()
    assert set(area) == set(range(6))


def test_density_is_log_normal_and_repeated_by_commune(policies: motor.Policies) -> None:
    log = np.log(policies.density)
    assert abs(log.mean() - 5.98) < 0.3
    assert abs(log.std() - 1.87) < 0.2
    assert len(np.unique(policies.density)) <= motor.COMMUNES
    assert policies.density.min() >= 1
    assert policies.density.max() <= 27_000


def test_the_masses_and_means_of_numbers_are_the_published_ones(policies: motor.Policies) -> None:
    assert abs(np.mean(policies.bonus_malus == 50) - motor.BEST_BONUS) < 0.01
    assert abs(policies.bonus_malus.mean() - 59.8) < 1.0
    assert abs(np.mean(policies.exposure == 1.0) - motor.FULL_YEAR) < 0.01
    assert abs(policies.exposure.mean() - 0.529) < 0.01
    assert abs(policies.driv_age.mean() - 45.5) < 1.0
    assert abs(policies.veh_age.mean() - 7.04) < 0.3
    assert policies.driv_age.min() >= 18
    assert np.corrcoef(policies.bonus_malus, policies.driv_age)[0, 1] < -0.3


def test_a_full_portfolio_has_the_published_claims() -> None:
    table = motor.mixed(motor.POLICIES)
    assert abs(table.y.sum() - motor.CLAIMS) < 5.0 * np.sqrt(motor.CLAIMS)
    assert abs(np.mean(table.y == 0.0) - 0.95) < 0.005
    assert [len(column.levels) for column in table.coded.values()] == [6, 12, 11, 2, 22]
    assert list(table.numeric) == ["VehAge", "DrivAge", "BonusMalus", "LogDensity"]


def test_the_banded_portfolio_has_eight_features_and_122_coefficients() -> None:
    table = motor.banded(ROWS)
    assert (len(table.coded), len(table.numeric), table.coefficients) == (8, 0, 122)
    assert motor.severity(25_000).coefficients == 122


def test_text_and_categories_are_the_same_table() -> None:
    coded, text = motor.mixed(2_000), motor.mixed(2_000, text=True)
    assert (coded.text, text.text) == (False, True)
    for name, column in coded.coded.items():
        assert_array_equal(column.text(), text.coded[name].text())


@pytest.mark.parametrize("task", TASKS, ids=[task.name for task in TASKS])
def test_a_rehearsal_is_repeatable_and_estimable(task) -> None:
    problem, again = task.make(task.quick), task.make(task.quick)
    assert problem.rows == task.quick
    assert_array_equal(problem.y, again.y)
    assert len(np.unique(problem.y)) > 1
    if isinstance(problem, Dense):
        assert_array_equal(problem.X, again.X)
        assert problem.X.flags.c_contiguous
        return
    for column in problem.coded.values():
        # A level without any response has no finite coefficient.
        assert np.bincount(column.codes, weights=problem.y).min() > 0.0


def test_other_rows_are_other_draws() -> None:
    assert not np.array_equal(dense.poisson(100, 3).X, dense.poisson(101, 3).X[:100])


def test_the_table_is_that_of_the_issue() -> None:
    assert {name: task.rows for name, task in BY_NAME.items()} == {
        "logistic-dense": 500_000,
        "poisson-dense": 200_000,
        "logistic-narrow": 3_000_000,
        "poisson-wide": 30_000,
        "motor-mixed": 678_013,
        "motor-text": 678_013,
        "motor-banded": 678_013,
        "gamma-severity": 25_000,
        "high-cardinality": 1_000_000,
        "small": 1_000,
        "derived-family": 500_000,
    }
    assert all(task.libraries == EVERYBODY for task in TASKS if task.name != "derived-family")


def test_levels_that_are_not_sorted_are_refused() -> None:
    with pytest.raises(ValueError, match="sorted"):
        Coded(np.array([0, 1]), ("b", "a"))


def test_unused_levels_are_left_out() -> None:
    table = Table("y", np.ones(2), {"g": Coded(np.array([2, 0]), ("a", "b", "c"))}).used()
    assert table.coded["g"].levels == ("a", "c")
    assert_array_equal(table.coded["g"].codes, [1, 0])
    assert (table.formula, table.coefficients) == ("y ~ g", 2)
