"""Every unit runs compiled as it runs in NumPy, by every instruction set that this machine has."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from etamu._base.kernel import kernel
from etamu.family import families as own
from etamu.family import links as every
from etamu.family import special
from etamu.family.borrowed import Binomial
from etamu.family.program import RESULTS, Program, compiled, handed_over, traced
from etamu.family.stated import StatedLink
from etamu.family.trace import NUMPY
from etamu.family.unit import Unit
from etamu.fit.start import Inside
from tests.catalogue import BORROWED_UNITS, UNITS, columns, crossed
from tests.family.test_stated import GOOD

pytestmark = pytest.mark.skipif(kernel is None, reason="no compiled kernel here: the NumPy twins serve")

EPS = 2.0**-52
# Errors are counted in units of EPS |f| + what moving eta and y by one rounding moves f: two algorithms that
# start from the same rounded numbers can promise each other no more. NumPy's is held to 8 of them (a general
# power: 32) by arbitrary precision in tests/family/test_unit.py; rows at the minimum of a deviance take most.
ALLOWED = 32.0
NUDGE = 2.0**-26
"""How far eta and y are moved to see what a rounding moves: far enough for the difference not to be noise."""


def sets() -> list[str]:
    program = (
        None if kernel is None else kernel.Program(1, [], [kernel.OPERATIONS["neg"], 1, 0, 0, 0], [1], 0)
    )
    found = []
    for name in ("base", "avx2", "avx512", "amx"):
        try:
            program.run([np.zeros(1)], name)
        except (ValueError, AttributeError):
            continue
        found.append(name)
    return found


every_set = pytest.mark.parametrize("isa", sets())


def plain(unit, rows, eta):
    """What NumPy gives: value, score, expected and observed information."""
    with np.errstate(all="ignore"):
        value, score, expected = unit.bind(np, "expected")(rows, eta)
        observed = unit.bind(np, "observed")(rows, eta)[2]
    return [np.broadcast_to(each, eta.shape) for each in (value, score, expected, observed)]


def agree(unit, rows, eta, results, *, cancels=0.0):
    exact = plain(unit, rows, eta)
    moved = [plain(unit, rows, eta * (1.0 + NUDGE)), plain(unit, (rows[0] * (1.0 - NUDGE), *rows[1:]), eta)]
    for number, (name, mine, theirs) in enumerate(zip(RESULTS, results, exact, strict=True)):
        with np.errstate(all="ignore"):
            reach = sum(np.abs(other[number] - theirs) for other in moved) * (EPS / NUDGE)
            # observed information is expected information and a correction, which may cancel it
            scale = np.abs(theirs) + (
                np.abs(exact[2]) + cancels * exact[1] ** 2 if name == "observed" else 0.0
            )
            close = np.abs(mine - theirs) <= ALLOWED * (
                EPS * scale + np.where(np.isfinite(reach), reach, 0.0)
            )
        same = (mine == theirs) | (np.isnan(mine) & np.isnan(theirs)) | close
        wrong = np.flatnonzero(~same)
        assert not wrong.size, f"{unit} {name} at row {wrong[0]}: {mine[wrong[0]]!r} for {theirs[wrong[0]]!r}"


@every_set
@pytest.mark.parametrize("unit", [*UNITS, *(unit for unit, _ in BORROWED_UNITS)], ids=str)
def test_compiled_unit_equals_numpy(unit, isa):
    y, eta = crossed(unit)
    rows = columns(unit, y)
    program = compiled(unit, len(rows), RESULTS)
    agree(unit, rows, eta, program.run([*rows, eta], isa))


def stated():
    """Every stated link of tests/family/test_stated.py with every family whose means it gives."""
    for family in (own.Poisson(), own.Gamma(), own.Bernoulli(), own.Gaussian()):
        for number, link in enumerate(GOOD):
            if (link.range.lower, link.range.upper) == (family.mean.lower, family.mean.upper):
                yield pytest.param(Unit(family, link), id=f"{family.name}-{number}")


@every_set
@pytest.mark.parametrize("unit", [*stated()])
def test_stated_link_is_compiled_too(unit, isa):
    y, eta = crossed(unit)
    near = np.abs(eta) < 30.0  # beyond, a stated complement is 0: the twin divides by it
    y, eta = y[near], eta[near]
    program = compiled(unit, 1, RESULTS)
    assert program is not None
    # a second derivative without a formula of its own is a difference whose parts are of the size of score^2
    agree(unit, (y,), eta, program.run([y, eta], isa), cancels=1.0)


@pytest.mark.parametrize(
    "wanted", [("value",), ("score", "expected"), ("observed", "score"), ("expected",) * 2]
)
@pytest.mark.parametrize("rows", [1, 2, 7, 8, 9, 255, 256, 257, 1000])
def test_any_number_of_rows_and_any_results(rows, wanted):
    unit = Unit(own.Bernoulli(), every.Probit())
    eta = np.linspace(-9.0, 9.0, rows)
    y = (np.arange(rows) % 3 == 0).astype(float)
    full = dict(zip(RESULTS, compiled(unit, 1, RESULTS).run([y, eta]), strict=True))
    for name, column in zip(wanted, compiled(unit, 1, wanted).run([y, eta]), strict=True):
        assert column.shape == (rows,)
        np.testing.assert_allclose(column, full[name], rtol=4 * EPS)


def test_one_row_stands_for_all_and_a_row_does_not_depend_on_its_neighbours():
    program = compiled(Unit(own.Poisson(), every.Log()), 1)
    eta = np.linspace(-3.0, 3.0, 300)
    together = program.run([np.array([2.0]), eta])
    for k in (0, 17, 299):
        alone = program.run([np.array([2.0]), eta[k : k + 1]])
        assert [column[k] for column in together] == [column[0] for column in alone]


def test_no_rows_give_no_rows():
    assert [
        c.size for c in compiled(Unit(own.Poisson(), every.Log()), 1).run([np.zeros(0), np.zeros(0)])
    ] == [0] * 3


def test_rows_without_trials_are_nothing():
    program = compiled(Unit(Binomial(), every.Logit()), 2, RESULTS)
    for column in program.run([np.array([0.0, 3.0]), np.array([0.0, 4.0]), np.array([1.0, 1.0])]):
        assert column[0] == 0.0
        assert np.isfinite(column[1])


@every_set
def test_phase_one_is_compiled_too(isa):
    for inside in (Inside(0.5, np.inf), Inside(-np.inf, 2.0), Inside(0.5, 2.0), Inside(-np.inf, np.inf)):
        eta = np.linspace(-3.0, 3.0, 37)
        for mine, theirs in zip(
            compiled(inside).run([np.zeros(1), eta], isa), inside.bind(np)((eta,), eta), strict=True
        ):
            np.testing.assert_array_equal(mine, theirs)


# --- the functions --------------------------------------------------------------------------

ULPS = {
    "exp": 1.0, "expm1": 1.1, "log": 0.8, "log1p": 0.8, "sqrt": 0.5, "tanh": 2.5, "sinh": 2.0, "cosh": 1.6,
    "atan": 1.6, "sin": 0.8, "cos": 0.8, "tan": 1.7, "asinh": 1.3, "atanh": 0.9,
}  # fmt: skip
"""Largest error allowed, in units of the last place."""
RANGES = {"log": (0.0, np.inf), "sqrt": (0.0, np.inf), "log1p": (-1.0, np.inf), "atanh": (-1.0, 1.0)}
TINY = (5e-324, 2.2e-308, 1e-300)
LARGE = (1.7976931348623157e308, 709.782712893384, 709.7827128933841, 710.5, 711.5, 750.0)
SMALLEST = (708.5, 744.5, 745.1332191019411, 745.1332191019412, 745.2)  # where e^-x underflows
POSITIVE = np.array([0.0, np.inf, 1.0, 1.0 + EPS, 1.0 - EPS / 2, 0.5, *TINY, *LARGE, *SMALLEST])
EDGES = np.concatenate([POSITIVE, -POSITIVE, [np.nan]])


def numbers(seed=0, count=250):
    """Numbers of every size and, more densely, where functions bend."""
    rng = np.random.default_rng(seed)
    sizes = [10.0 ** rng.uniform(-320.0, 308.2, count), 10.0 ** rng.uniform(-20.0, 4.0, count)]
    flat = [rng.uniform(0.0, upper, count) for upper in (2.0, 50.0, 745.0)]
    ones = [1.0 + rng.normal(size=count) * width for width in (1e-3, 1e-9)]
    x = np.concatenate([*sizes, *flat, *ones])
    return np.concatenate([x, -x])


def one_operation(name, operands):
    program = Program(operands, (), ((name, operands, tuple(range(operands))),), (operands,), 0)
    return handed_over(program)


def truth(name, x):
    """The function at a float, in enough digits: small and large arguments by their limits."""
    value = mp.mpf(float(x))
    if abs(value) < mp.mpf(10) ** -60 and name in {
        "expm1",
        "log1p",
        "tanh",
        "sinh",
        "atan",
        "sin",
        "tan",
        "asinh",
        "atanh",
    }:
        return value
    if name == "tanh" and abs(value) > 100:
        return mp.sign(value)
    if name == "expm1" and value < -100:
        return mp.mpf(-1)
    return getattr(mp, name)(value)


def ulps(mine, exact):
    """Errors in units of the last place of the truth; overflow where the truth overflows is none."""
    errors = []
    for number, true in zip(mine.tolist(), exact, strict=True):
        if not np.isfinite(number):
            errors.append(0.0 if abs(true) > 1.7976931348623157e308 else np.inf)
        else:
            errors.append(float(abs(mp.mpf(number) - true) / mp.mpf(float(np.spacing(abs(float(true)))))))
    return np.array(errors)


@every_set
@pytest.mark.parametrize("name", sorted(ULPS))
def test_function_is_right_to_the_last_places_over_the_whole_range(name, isa):
    x = numbers()
    lower, upper = RANGES.get(name, (-np.inf, np.inf))
    x = x[(x > lower) & (x < upper)]
    if name in {"exp", "expm1", "sinh", "cosh"}:
        x = x[np.abs(x) < 745.0]
    with mp.workprec(1300 if name in {"sin", "cos", "tan"} else 250):
        errors = ulps(one_operation(name, 1).run([x], isa)[0], [truth(name, each) for each in x])
    worst = int(np.argmax(errors))
    assert errors[worst] <= ULPS[name], f"{name}({x[worst]!r}) is off by {errors[worst]} ulp"


@every_set
@pytest.mark.parametrize("name", [*sorted(ULPS), "neg", "abs", "floor", "sign"])
def test_function_treats_edges_as_numpy_does(name, isa):
    with np.errstate(all="ignore"):
        theirs = NUMPY[name](EDGES)
    mine = one_operation(name, 1).run([EDGES], isa)[0]
    np.testing.assert_allclose(mine, theirs, rtol=4 * EPS, atol=1e-323)
    np.testing.assert_array_equal(np.signbit(mine)[~np.isnan(mine)], np.signbit(theirs)[~np.isnan(mine)])


@every_set
@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow", "minimum", "maximum"])
def test_operation_of_two_treats_edges_as_numpy_does(name, isa):
    x, y = (part.ravel() for part in np.meshgrid(EDGES, np.concatenate([EDGES, [2.0, 3.0, 1e-200, 0.3]])))
    with np.errstate(all="ignore"):
        theirs = NUMPY[name](x, y)
    mine = one_operation(name, 2).run([x, y], isa)[0]
    np.testing.assert_allclose(mine, theirs, rtol=2 * EPS, atol=1e-323)
    if name not in {"minimum", "maximum"}:  # which zero is smaller is left open
        np.testing.assert_array_equal(np.signbit(mine)[~np.isnan(mine)], np.signbit(theirs)[~np.isnan(mine)])


@every_set
@pytest.mark.parametrize("name", ["lt", "le", "eq", "ne"])
def test_comparison_is_numpys_and_a_choice_takes_one_side_whole(name, isa):
    x, y = (part.ravel() for part in np.meshgrid(EDGES, EDGES))
    code = ((name, 4, (0, 1)), ("where", 5, (4, 2, 3)), ("invert", 4, (4,)), ("where", 6, (4, 2, 3)))
    program = handed_over(Program(4, (), code, (5, 6), 1))
    chosen, other = program.run([x, y, np.array([np.nan]), np.array([7.0])], isa)
    np.testing.assert_array_equal(np.isnan(chosen), NUMPY[name](x, y))
    np.testing.assert_array_equal(np.isnan(other), ~NUMPY[name](x, y))
    np.testing.assert_array_equal(chosen[~np.isnan(chosen)], 7.0)


@every_set
def test_division_is_rounded_to_the_last_place(isa):
    x, y = numbers(1), numbers(2)
    with np.errstate(all="ignore"):
        theirs = x / y
        off = np.abs(one_operation("div", 2).run([x, y], isa)[0] - theirs) / np.spacing(np.abs(theirs))
    finite = np.isfinite(theirs) & (theirs != 0.0)
    assert np.nanmax(off[finite]) <= 1.0
    assert np.mean(off[finite] > 0.0) < 1e-3


@every_set
def test_power_is_right_to_two_ulp(isa):
    rng = np.random.default_rng(3)
    x = np.concatenate([10.0 ** rng.uniform(-300.0, 300.0, 400), rng.uniform(0.0, 3.0, 400)])
    y = np.concatenate([rng.uniform(-1.0, 1.0, 400), rng.uniform(-400.0, 400.0, 400)])
    with mp.workprec(300):
        exact = [mp.mpf(a) ** mp.mpf(b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
        assert np.max(ulps(one_operation("pow", 2).run([x, y], isa)[0], exact)) <= 2.0


@every_set
def test_functions_of_deviances_keep_their_digits_where_numpy_cancels(isa):
    x = np.concatenate([numbers(4, 60), np.linspace(-0.9, 0.9, 181)])
    x = x[(np.abs(x) < 700.0) & (np.abs(x) > 1e-150)]
    up, above = x[x > -1.0], x[x > -0.49]
    small = 10.0 ** np.linspace(-300.0, np.log10(0.5), 200)
    y, mu = np.array([3.0, 1e12, 1e6, 0.25]), np.array([3.0 + 1e-9, 1e12 + 1e6, 1e-3, 0.25])
    with mp.workprec(2200):
        exact = [mp.mpf(each) for each in x.tolist()]
        excess = [mp.mpf(each) for each in up.tolist()]
        checks = (
            ("expm1mx", (x,), [mp.expm1(each) - each for each in exact]),
            ("log1pmx", (up,), [mp.log1p(each) - each for each in excess]),
            ("relative_entropy", (1.0 + above, above), [e - mp.log1p(e) for e in map(mp.mpf, above)]),
            ("relative_entropy", (small, small - 1.0), [r - 1 - mp.log(r) for r in map(mp.mpf, small)]),
            ("log_of_part", (small, 1.0 - small), [mp.log(part) for part in map(mp.mpf, small)]),
            ("log_of_part", (1.0 - small, small), [mp.log1p(-rest) for rest in map(mp.mpf, small)]),
            ("exp_of_square", (x, np.full_like(x, -0.5)), [mp.exp(-(e**2) / 2) for e in exact]),
        )
        for name, operands, true in checks:
            errors = ulps(one_operation(name, len(operands)).run(list(operands), isa)[0], true)
            assert np.max(errors) <= 3.0, f"{name} at {[each[np.argmax(errors)] for each in operands]}"
        a, b = ([mp.mpf(each) for each in part.tolist()] for part in (y, mu))
        half = [p * mp.log(p / q) + q - p for p, q in zip(a, b, strict=True)]
        assert np.max(ulps(one_operation("bd0", 2).run([y, mu], isa)[0], half)[:3]) < 8.0
    means = np.array([0.0, 2.0, 1e300])
    np.testing.assert_array_equal(one_operation("bd0", 2).run([np.zeros(3), means], isa)[0], means)
    y, u = np.array([0.0, 2.0, 2.0, 5.0]), np.array([np.nan, 0.1, 3.0, -700.0])
    with np.errstate(all="ignore"):
        mu = np.where(y > 0.0, y * np.exp(u), 4.0)
        theirs = special.half_deviance(np, y, u, mu)
    np.testing.assert_allclose(
        one_operation("half_deviance", 3).run([y, u, mu], isa)[0], theirs, rtol=4 * EPS
    )


# --- the door -------------------------------------------------------------------------------

NEG = [kernel.OPERATIONS["neg"] if kernel else 0, 2, 0, 0, 0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((1, [1.0], [*NEG[:4]], [2], 0), "fives"),
        ((1, [1.0], [999, *NEG[1:]], [2], 0), "unknown operation"),
        ((1, [1.0], [NEG[0], 1, 0, 0, 0], [2], 0), "no register"),
        ((1, [1.0], [NEG[0], 0, 0, 0, 0], [2], 0), "no register"),
        ((1, [1.0], [NEG[0], 3, 0, 0, 0], [2], 0), "no register"),
        ((1, [1.0], [NEG[0], 2, 7, 0, 0], [2], 0), "no slot"),
        ((1, [1.0], [NEG[0], 2, -1, 0, 0], [2], 0), "no slot"),
        ((1, [1.0], NEG, [9], 0), "no slot"),
        ((1, [1.0], NEG, [], 0), "wrong size"),
        ((0, [1.0], NEG, [2], 0), "wrong size"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_door_refuses_a_program_that_would_leave_its_memory(arguments, says):
    with pytest.raises(ValueError, match=says):
        kernel.Program(*arguments)


def test_the_door_refuses_columns_that_do_not_fit():
    program = compiled(Unit(own.Poisson(), every.Log()), 1)
    with pytest.raises(ValueError, match="number of columns"):
        program.run([np.zeros(3)])
    with pytest.raises(ValueError, match="differ in length"):
        program.run([np.zeros(3), np.zeros(4)])
    with pytest.raises(ValueError, match="instruction set nowhere"):
        program.run([np.zeros(3), np.zeros(3)], "nowhere")


def test_what_is_traced_twice_is_handed_over_once():
    unit = Unit(own.Poisson(), StatedLink("exp(eta)", "log(mu)", range=(0, np.inf)))
    assert compiled(unit) is compiled(
        Unit(own.Poisson(), StatedLink("exp(eta)", "log(mu)", range=(0, np.inf)))
    )
    assert traced(unit) is traced(unit)
