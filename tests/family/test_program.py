"""Every unit becomes a program that gives what NumPy gives; what cannot be traced gives none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from etamu._base.types import Interval
from etamu.family import families as own
from etamu.family import links as every
from etamu.family.borrowed import Binomial
from etamu.family.family import Family, Support
from etamu.family.program import (
    PART,
    REMEMBERED,
    RESULTS,
    Program,
    assemble,
    compiled,
    elementwise,
    traced,
)
from etamu.family.stated import StatedLink
from etamu.family.trace import Recorder
from etamu.family.unit import Unit
from etamu.fit.start import Inside
from tests.catalogue import DERIVED_UNITS, UNITS, columns, crossed

ALL = (*UNITS, *DERIVED_UNITS, Unit(Binomial(), every.Logit()), Unit(Binomial(), every.Cauchit()))
POISSON = Unit(own.Poisson(), every.Log())


def assembled(formula, inputs=1):
    recorder = Recorder()
    results = formula(recorder, *(recorder.input() for _ in range(inputs)))
    return assemble(recorder, [recorder.number(each) for each in results])


def operations(program):
    return [instruction.operation for instruction in program.code]


@pytest.mark.parametrize("unit", ALL, ids=str)
def test_program_gives_what_numpy_gives(unit):
    y, eta = crossed(unit)
    rows = columns(unit, y)
    program = traced(unit, len(rows), RESULTS)
    with np.errstate(all="ignore"):
        value, score, expected = unit.bind(np, "expected")(rows, eta)
        observed = unit.bind(np, "observed")(rows, eta)[2]
    # the same operations but for joined signs and constants
    for mine, theirs in zip(program.run(*rows, eta), (value, score, expected, observed), strict=True):
        np.testing.assert_allclose(mine, np.broadcast_to(theirs, eta.shape), rtol=1e-14, atol=1e-300)


def test_what_is_not_wanted_is_not_computed():
    every_result = traced(POISSON, 1, RESULTS)
    assert "half_deviance" in operations(every_result)
    assert operations(traced(POISSON, 1, ("score", "expected"))) == ["exp", "sub"]
    probit = Unit(own.Bernoulli(), every.Probit())
    assert len(traced(probit, 1, ("value",)).code) < len(traced(probit, 1, RESULTS).code)


def test_expected_and_observed_information_share_what_they_can():
    unit = Unit(own.NegativeBinomial(2.0), every.Log())
    both, one = (traced(unit, 1, wanted) for wanted in (RESULTS, RESULTS[:3]))
    assert len(both.code) - len(one.code) <= 4


def test_results_come_in_the_order_asked_and_may_be_the_same():
    score, value, again = traced(POISSON, 1, ("score", "value", "score")).run(
        np.array([3.0]), np.array([0.0])
    )
    assert score[0] == again[0] == 2.0
    assert value[0] < 0.0
    expected, observed = traced(POISSON, 1, ("expected", "observed")).run(np.array([3.0]), np.array([0.0]))
    assert expected[0] == observed[0] == 1.0


def test_a_constant_or_an_input_may_be_a_result():
    gaussian = traced(Unit(own.Gaussian(), every.Identity()), 1, ("expected",))
    assert gaussian.code == ()
    np.testing.assert_array_equal(gaussian.run(np.zeros(3), np.zeros(3))[0], 1.0)
    program = assembled(lambda _, x: (x, x + 1.0, 2.0))
    assert [column.tolist() for column in program.run(np.array([1.0, 2.0]))] == [[1, 2], [2, 3], [2, 2]]


def test_registers_are_used_again():
    def chain(xp, x):
        for _ in range(50):
            x = xp.exp(xp.sin(x))
        return (x,)

    assert assembled(chain).registers == 1

    def tree(xp, x):
        leaves = [xp.exp(x * k) for k in range(8)]
        while len(leaves) > 1:
            leaves = [xp.maximum(a, b) for a, b in zip(leaves[::2], leaves[1::2], strict=True)]
        return (leaves[0],)

    assert assembled(tree).registers <= 8


def test_no_register_is_overwritten_before_it_is_read_for_the_last_time():
    rng = np.random.default_rng(0)
    for _ in range(30):
        steps = [(rng.integers(3), rng.random(2)) for _ in range(40)]

        def tangle(xp, x, y, steps=steps):
            known = [x, y]
            for kind, picks in steps:
                a, b = (known[int(pick * len(known))] for pick in picks)
                known.append((a + b, xp.minimum(a, b) * 0.5, xp.where(a > b, a, -b))[kind])
            return known[-1], known[-5], known[-9]

        x, y = rng.normal(size=(2, 20))
        for mine, theirs in zip(assembled(tangle, 2).run(x, y), tangle(np, x, y), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)


def test_products_join_the_sums_that_alone_read_them():
    assert operations(assembled(lambda _, x, y: (x * y + x,), 2)) == ["fma"]
    assert operations(assembled(lambda _, x, y: (x * y - x,), 2)) == ["fms"]
    assert operations(assembled(lambda _, x, y: (x - y * x,), 2)) == ["fnma"]
    assert operations(assembled(lambda _, x, y: (x * y + x, x * y), 2)) == ["mul", "add"]


def test_horner_is_one_operation():
    program = assembled(lambda _, x: (((x * 2.0 + 3.0) * x + 4.0) * x + 5.0,))
    assert operations(program) == ["poly"]
    assert [program.constants[slot - 1] for slot in program.code[0].operands[1:]] == [2.0, 3.0, 4.0, 5.0]
    assert program.run(np.array([10.0]))[0][0] == 2345.0


def test_guards_of_branches_nobody_takes_are_dropped():
    program = assembled(lambda xp, x: (xp.where(x > 0.0, xp.log(xp.where(x > 0.0, x, 1.0)), 0.0),))
    assert operations(program) == ["lt", "log", "where"]
    kept = assembled(lambda xp, x: (xp.where(x > 0.0, xp.log(xp.where(x > 1.0, x, 1.0)), 0.0),))
    assert operations(kept).count("where") == 2
    both = assembled(
        lambda xp, x: (xp.where(x > 0.0, 1.0 + xp.where(x > 0.0, x, 9.0), xp.where(x > 0.0, x, 9.0)),)
    )
    np.testing.assert_array_equal(both.run(np.array([-1.0, 2.0]))[0], [9.0, 3.0])
    shared = assembled(
        lambda xp, x: (xp.where(x > 0.0, xp.where(x > 0.0, x, 9.0), 0.0), xp.where(x > 0.0, x, 9.0))
    )
    np.testing.assert_array_equal(shared.run(np.array([-1.0, 2.0])), [[0.0, 2.0], [9.0, 2.0]])


# --- what a user states ---------------------------------------------------------------------


@dataclass(frozen=True)
class Lengths(Family):
    """A family of a user, with Poisson's variance."""

    power: float = 1.0
    name = "lengths"
    support = Support(Interval(0.0, np.inf, closed_lower=True))
    mean = Interval(0.0, np.inf)
    canonical = every.Log()

    def natural(self, xp, mu, complement):
        return xp.log(mu)

    def cumulant(self, xp, theta):
        return xp.exp(theta)

    def variance(self, xp, mu, complement):
        return mu**self.power

    def dvariance(self, xp, mu, complement):
        return self.power * mu ** (self.power - 1.0)

    def deviance(self, xp, y, mu, complement):
        some = y > 0.0
        log = xp.log(xp.where(some, y, 1.0) / mu)
        return 2.0 * (xp.where(some, y * log, 0.0) + mu - y)

    def start(self, y, weight):
        return y + 0.1

    def saturated(self, y, dispersion):
        return 0.0 * y[0]


@dataclass(frozen=True)
class Branching(Lengths):
    """One that looks at its data."""

    def variance(self, xp, mu, complement):
        return mu if np.all(mu > 0.0) else -mu


def test_a_family_of_a_user_is_traced():
    unit = Unit(Lengths(), every.Sqrt())
    y, eta = np.array([0.0, 1.0, 4.0]), np.array([0.5, 1.5, 3.0])
    for mine, theirs in zip(traced(unit).run(y, eta), unit.bind(np)((y,), eta), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-14)


@pytest.mark.parametrize(
    "unit",
    [
        Unit(Branching(), every.Sqrt()),
        Unit(own.Poisson(), StatedLink(lambda xp, eta: xp.exp(eta) if eta.value.sum() > 0 else eta, "log(mu)",
                                       range=(0, np.inf))),
        Unit(own.Poisson(), StatedLink(lambda _, eta: [eta], "log(mu)", range=(0, np.inf))),
    ],
    ids=["branch", "sum", "list"],
)  # fmt: skip
def test_what_cannot_be_traced_gives_no_program_and_no_error(unit):
    assert traced(unit) is None
    assert compiled(unit) is None


def test_what_has_no_hash_is_traced_all_the_same():
    @dataclass
    class Mutable:
        shift: float

        def bind(self, xp: Any, information: str = "expected") -> Any:
            return lambda _, eta: (-eta * eta, eta + self.shift, xp.ones_like(eta))

    assert traced(Mutable(2.0)).run(np.zeros(1), np.ones(1))[1] == 3.0
    assert traced(Mutable(3.0)).run(np.zeros(1), np.ones(1))[1] == 4.0


def test_phase_one_is_traced():
    eta = np.linspace(-3.0, 3.0, 13)
    for inside in (Inside(0.5, np.inf), Inside(0.5, 2.0)):
        for mine, theirs in zip(traced(inside).run(eta, eta), inside.bind(np)((eta,), eta), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_programs_are_values_and_kept_within_bounds():
    assert traced(POISSON) is traced(Unit(own.Poisson(), every.Log()))
    assert traced(POISSON) == Program(**{name: getattr(traced(POISSON), name) for name in Program.__slots__})
    assert hash(traced(POISSON)) == hash(traced(POISSON))
    for k in range(REMEMBERED + 10):
        traced(Inside(0.0, 1.0 + k))
    assert traced(POISSON) == traced(POISSON, 1, ("value", "score", "expected"))


def test_a_program_can_be_read():
    assert str(traced(POISSON, 1, ("score",))).splitlines()[-1] == "return out0"
    assert "poly" in str(assembled(lambda _, x: ((x * 2.0 + 3.0) * x + 4.0,)))


def test_long_columns_are_evaluated_in_parts_that_are_the_whole():
    function = elementwise(lambda xp, x: xp.exp(-x) + 1.0)
    x = np.linspace(-3.0, 3.0, 3 * PART + 17).reshape(-1, 1)
    parts = [function(x[first : first + 1000]) for first in range(0, len(x), 1000)]
    np.testing.assert_array_equal(function(x), np.concatenate(parts))
