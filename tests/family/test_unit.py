"""Every admissible pair: right to rounding at every eta and response, and consistent with itself."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from etamu._base.errors import LinkError, OptionError
from etamu.family import families as own
from etamu.family import links as every
from etamu.family.borrowed import Binomial, Quasi, QuasiBinomial, QuasiPoisson, Tweedie
from etamu.family.unit import Unit, general
from tests.catalogue import BORROWED_UNITS, FAMILIES, LINKS, UNITS, columns, crossed, grid, responses
from tests.family import reference

EPS = 2.0**-52
# Errors are counted in units of EPS |f| + what moving eta or y by one rounding moves f: no algorithm that
# starts from rounded eta and y can promise less. The named families stay below 8; a general power p pays for
# mu^p and for the logarithm of a response of 1e12, whose rounding p multiplies.
NAMED, ANY_POWER = 8.0, 32.0

whole = pytest.mark.parametrize("unit", UNITS, ids=str)


def evaluate(unit, y, eta, xp=np):
    """Value, score, expected and observed information, overflow alone being allowed."""
    with np.errstate(over="ignore", under="ignore", divide="raise", invalid="raise"):
        value, score, expected = unit.bind(xp, "expected")(y, eta)
        observed = unit.bind(xp, "observed")(y, eta)[2]
    return value, score, expected, observed


def in_reach(unit, y, eta):
    """A quasi family whose unbounded mean is held between 0 and 1 has no tails: they underflow with it."""
    held = unit.family.any_link and unit.link.range.upper == 1.0
    inside = np.abs(eta) <= (1.5 if held else np.inf)
    return y[inside], eta[inside]


@whole
def test_unit_agrees_with_arbitrary_precision(unit):
    family, link = unit.family, unit.link
    allowed = ANY_POWER if type(family.kin) is own.PowerVariance else NAMED
    y, eta = in_reach(unit, *crossed(unit))
    got = np.stack(evaluate(unit, (y,), eta))
    for column, (y_, eta_) in enumerate(zip(y.tolist(), eta.tolist(), strict=True)):
        with mp.workdps(reference.digits(family, link, eta_)):
            exact = reference.unit(family, link, y_, eta_)
            moved = [
                reference.unit(family, link, y_, mp.mpf(eta_) * (1 + mp.mpf(EPS))),
                reference.unit(family, link, mp.mpf(y_) * (1 - mp.mpf(EPS)), eta_),
            ]
            # below EPS of the expected, observed information is the rounding of 1 / k
            floor = {"observed": abs(exact.expected)} if link.exponent else {}
            names = reference.Row._fields
            for name, number, truth, *near in zip(names, got[:, column], exact, *moved, strict=True):
                if name == "observed" and unit.canonical:
                    continue  # equal to expected by construction, tested below
                rounding = mp.mpf(EPS) * (abs(truth) + floor.get(name, 0))
                reach = rounding + sum(abs(other - truth) for other in near)
                assert _distance(number, truth) <= allowed * reach + mp.mpf(EPS) ** 2, (
                    f"{unit} {name} at y={y_}, eta={eta_}: {number} for {mp.nstr(truth, 17)}"
                )


def _distance(number, truth):
    """|number - truth|; 0 where both overflow alike or the truth is below the normal numbers."""
    if not np.isfinite(number):
        assert abs(truth) > 1.79e308
        assert np.sign(number) == mp.sign(truth)
        return mp.mpf(0)
    gap = abs(mp.mpf(float(number)) - truth)
    return mp.mpf(0) if gap < 1e-307 else gap


TAILS = [-700.0, -40.0, -37.0, -5.0, -1.0, 1.0, 5.0, 37.0, 40.0, 700.0]


@pytest.mark.parametrize("link", [every.Logit(), every.Probit(), every.Cauchit()], ids=str)
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_both_tails_of_a_symmetric_binary_link_are_right_to_four_ulp(link, y):
    eta = np.array(TAILS)
    got = np.stack(evaluate(Unit(own.Bernoulli(), link), (np.full_like(eta, y),), eta))
    for column, eta_ in enumerate(TAILS):
        with mp.workdps(720):
            exact = reference.unit(own.Bernoulli(), link, y, eta_)
            for name, number, truth in zip(reference.Row._fields, got[:, column], exact, strict=True):
                if link.name == "cauchit" and name == "observed":
                    continue  # a difference by nature: it changes sign
                if abs(truth) > 1e-307:
                    assert abs(number / truth - 1) <= 4 * EPS, f"{name} at eta={eta_}"


@whole
def test_stated_pair_equals_the_general_formula_where_that_is_accurate(unit):
    eta = grid(unit)
    eta = eta[(np.abs(eta) <= 5.0) & (np.abs(eta) > 0.1) & (np.abs(eta - 1.0) > 0.05)]
    y = responses(unit.family)
    y, eta = (part.ravel() for part in np.meshgrid(y[(y < 10.0)], eta, indexing="ij"))
    for information in ("expected", "observed"):
        for mine, plain in zip(
            unit.bind(np, information)((y,), eta), general(unit, np, information)(y, eta), strict=True
        ):
            np.testing.assert_allclose(mine, plain, rtol=1e-11, atol=1e-11 * np.max(np.abs(plain)))


@whole
def test_score_is_the_slope_of_the_value_and_observed_information_that_of_the_score(unit):
    y, eta = in_reach(unit, *crossed(unit))
    near = (np.abs(eta) <= 5.0) & (np.abs(eta) > 0.1) & (np.abs(eta - 1.0) > 0.05) & (np.abs(y) < 200.0)
    y, eta, step = (y[near],), eta[near], 1e-5
    above, below = (evaluate(unit, y, eta + shift) for shift in (step, -step))
    _, score, expected, observed = evaluate(unit, y, eta)
    # a central difference errs by step^2 f''' / 6 ~ 1e-10 f and by EPS f / step ~ 2e-11 f
    for rise, slope in (((above[0] - below[0]), score), ((below[1] - above[1]), observed)):
        size = np.abs(slope) + np.abs(score) + expected + np.abs(above[0])
        assert np.all(np.abs(rise / (2.0 * step) - slope) <= 1e-6 * size)


@whole
def test_observed_equals_expected_information_exactly_if_the_link_is_canonical(unit):
    y, eta = in_reach(unit, *crossed(unit))
    _, _, expected, observed = evaluate(unit, (y,), eta)
    if unit.canonical:
        np.testing.assert_array_equal(observed, expected)
    else:
        finite = np.isfinite(observed) & np.isfinite(expected)
        assert np.any(np.abs(observed[finite] - expected[finite]) > 1e-6 * expected[finite])


@whole
def test_minus_value_is_convex_where_claimed_and_not_where_denied(unit):
    more = np.array([2.0, 20.0, 5000.0])
    eta = np.concatenate([grid(unit), more[unit.domain.contains(more)]])
    y, eta = (part.ravel() for part in np.meshgrid(responses(unit.family), eta, indexing="ij"))
    y, eta = in_reach(unit, y, eta)
    _, _, expected, observed = evaluate(unit, (y,), eta)
    finite = np.isfinite(observed) & np.isfinite(expected)
    expected, observed = expected[finite], observed[finite]
    if unit.convex:
        assert np.all(observed >= -1e-14 * expected)
    else:
        assert np.any(observed < -1e-14 * expected)


@whole
def test_value_is_never_positive_and_expected_information_never_negative(unit):
    y, eta = in_reach(unit, *crossed(unit))
    value, _, expected, _ = evaluate(unit, (y,), eta)
    assert np.all(value <= 0.0)
    assert np.all(expected >= 0.0)


@whole
def test_nothing_but_overflow_is_signalled_between_plus_and_minus_745(unit):
    eta = np.array([-745.0, -720.0, -709.5, -30.0, 30.0, 709.5, 720.0, 745.0])
    eta = eta[unit.domain.contains(eta)]
    y, eta = (part.ravel() for part in np.meshgrid(responses(unit.family), eta, indexing="ij"))
    y, eta = in_reach(unit, y, eta)
    for result in evaluate(unit, columns(unit, y), eta):
        assert not np.any(np.isnan(result))


@pytest.mark.parametrize(("unit", "kin"), BORROWED_UNITS, ids=str)
def test_borrowed_family_equals_its_kin_row_by_row(unit, kin):
    single = len(unit.family.response) == 1
    y = responses(kin.family)
    y = y[unit.family.support.contains(y)] if single else np.array([0.0, 0.25, 0.5, 1.0])
    y, eta = (part.ravel() for part in np.meshgrid(y, grid(unit), indexing="ij"))
    y, eta = in_reach(unit, y, eta)
    trials = 8.0 if len(unit.family.response) == 2 else 1.0
    for mine, theirs in zip(evaluate(unit, columns(unit, y), eta), evaluate(kin, (y,), eta), strict=True):
        np.testing.assert_allclose(mine, trials * theirs, rtol=1e-15)
    assert (unit.domain, unit.canonical, unit.convex) == (kin.domain, kin.canonical, kin.convex)


def test_no_trials_are_no_observation_and_make_no_nan():
    unit = Unit(Binomial(), every.Logit())
    rows = evaluate(unit, (np.array([0.0, 3.0]), np.array([0.0, 4.0])), np.array([1.0, 1.0]))
    for result in rows:
        assert result[0] == 0.0
        assert np.all(np.isfinite(result))
    ybar, trials = unit.observed((np.array([0.0, 3.0]), np.array([0.0, 4.0])))
    np.testing.assert_array_equal(ybar, [0.0, 0.75])
    np.testing.assert_array_equal(trials, [0.0, 4.0])


def test_a_binomial_row_is_the_sum_of_its_bernoulli_trials_up_to_a_constant():
    eta = np.array([-3.0, 0.2, 5.0])
    for link in (every.Logit(), every.Probit(), every.Cloglog(), every.Cauchit()):
        rows = evaluate(Unit(Binomial(), link), (np.full(3, 2.0), np.full(3, 5.0)), eta)
        yes, no = (evaluate(Unit(own.Bernoulli(), link), (np.full(3, y),), eta) for y in (1.0, 0.0))
        for position in (1, 2, 3):
            np.testing.assert_allclose(rows[position], 2.0 * yes[position] + 3.0 * no[position], rtol=1e-13)
        np.testing.assert_allclose(np.diff(rows[0]), np.diff(2.0 * yes[0] + 3.0 * no[0]), rtol=1e-13)


def test_the_deviance_of_a_huge_count_keeps_its_digits():
    y, mu = np.array([1e12]), np.array([1e12 + 1e6])
    with mp.workdps(50):
        exact = 2 * (mp.mpf(1e12) * mp.log(mp.mpf(1e12) / mp.mpf(1e12 + 1e6)) + mp.mpf(1e6))
    assert abs(own.Poisson().deviance(np, y, mu, 1.0 - mu)[0] / float(exact) - 1.0) < 4 * EPS


@pytest.mark.parametrize(
    ("family", "link"),
    [
        (own.Poisson(), every.Logit()),
        (own.Gaussian(), every.Probit()),
        (own.Gamma(), every.Cauchit()),
        (own.NegativeBinomial(2.0), every.Cloglog()),
        (Tweedie(1.5), every.Loglog()),
        (QuasiPoisson(), every.Logit()),
    ],
    ids=str,
)
def test_a_link_that_bounds_an_unbounded_mean_is_refused_with_the_remedy(family, link):
    with pytest.raises(LinkError, match=rf"{family.name}.*{link.name}.*\(0, 1\).*quasi"):
        Unit(family, link)
    assert Unit(Quasi("constant"), link).domain.whole


@pytest.mark.parametrize(
    ("family", "link", "lower", "upper"),
    [
        (own.Bernoulli(), every.Log(), -np.inf, 0.0),
        (own.Bernoulli(), every.Identity(), 0.0, 1.0),
        (own.Bernoulli(), every.Inverse(), 1.0, np.inf),
        (own.Bernoulli(), every.Logit(), -np.inf, np.inf),
        (own.Poisson(), every.Identity(), 0.0, np.inf),
        (own.Poisson(), every.Sqrt(), 0.0, np.inf),
        (own.Gaussian(), every.Log(), -np.inf, np.inf),
        (own.Gamma(), every.Inverse(), 0.0, np.inf),
    ],
    ids=str,
)
def test_domain_is_where_the_mean_is_possible(family, link, lower, upper):
    domain = Unit(family, link).domain
    assert (domain.lower, domain.upper) == (lower, upper)
    assert Unit(family, link).restricted == (not (lower == -np.inf and upper == np.inf))


@pytest.mark.parametrize("unit", [Unit(f, f.default_link) for f in FAMILIES], ids=str)
def test_every_default_link_is_admissible_and_starts_inside_the_domain(unit):
    y = responses(unit.family)
    y = np.array([0.0, 0.25, 1.0]) if unit.family.mean.upper == 1.0 and y.size > 2 else y
    start = unit.start(columns(unit, y), np.ones_like(y))
    assert np.all(np.isfinite(start))
    assert np.all(unit.domain.contains(start))


INF = np.inf
SLOPES = [
    (own.Bernoulli(), every.Logit(), 0.0, 0.0, -1.0),
    (own.Bernoulli(), every.Logit(), 1.0, 1.0, 0.0),
    (QuasiBinomial(), every.Logit(), 0.25, 0.25, -0.75),
    (own.Bernoulli(), every.Probit(), 1.0, INF, 0.0),
    (own.Bernoulli(), every.Cloglog(), 1.0, 1.0, 0.0),
    (own.Bernoulli(), every.Cloglog(), 0.0, 0.0, -INF),
    (own.Bernoulli(), every.Cauchit(), 1.0, 0.0, 0.0),
    (own.Bernoulli(), every.Log(), 1.0, 1.0, 1.0),
    (own.Bernoulli(), every.Identity(), 1.0, INF, 1.0),
    (own.Bernoulli(), every.Identity(), 0.0, -1.0, -INF),
    (own.Bernoulli(), every.Inverse(), 1.0, -1.0, 0.0),
    (own.Poisson(), every.Log(), 0.0, 0.0, -INF),
    (own.Poisson(), every.Log(), 3.0, 3.0, -INF),
    (own.Poisson(), every.Identity(), 3.0, INF, -1.0),
    (own.NegativeBinomial(2.0), every.Log(), 3.0, 3.0, -2.0),
    (own.Gamma(), every.Log(), 3.0, INF, -1.0),
    (own.Gamma(), every.Inverse(), 3.0, INF, -3.0),
    (own.InverseGaussian(), every.Log(), 3.0, INF, 0.0),
    (Tweedie(1.5), every.Log(), 0.0, 0.0, -INF),
    (Tweedie(1.5), every.Log(), 3.0, INF, -INF),
    (own.Gaussian(), every.Identity(), 3.0, INF, -INF),
]


@pytest.mark.parametrize(("family", "link", "y", "minus", "plus"), SLOPES, ids=str)
def test_slopes_are_the_limits_that_decide_existence(family, link, y, minus, plus):
    got = Unit(family, link).slopes((np.array([y]),))
    np.testing.assert_allclose([got[0][0], got[1][0]], [minus, plus], rtol=1e-12)


def test_slopes_are_known_for_every_pair():
    for unit in UNITS:
        y = responses(unit.family)
        for limit in unit.slopes(columns(unit, y)):
            assert not np.any(np.isnan(limit)), str(unit)


def test_concordance_bounds_the_third_derivative_by_the_second_where_it_is_a_proof():
    step = 1e-4
    for family, link in [
        (own.Bernoulli(), every.Logit()),
        (own.Poisson(), every.Log()),
        (own.NegativeBinomial(2.0), every.Log()),
        (own.Gamma(), every.Log()),
        (Tweedie(1.5), every.Log()),
    ]:
        unit = Unit(family, link)
        assert unit.concordance == 1.0
        eta = np.linspace(-4.0, 4.0, 41)
        for y in responses(family)[responses(family) < 10.0]:
            bound, rows = unit.bind(np, "observed"), (np.full_like(eta, y),)
            observed = [bound(rows, eta + shift)[2] for shift in (-step, 0.0, step)]
            third = (observed[2] - observed[0]) / (2.0 * step)
            assert np.all(np.abs(third) <= observed[1] * (1.0 + 1e-6))


def test_concordance_is_not_applied_where_eta_carries_units_or_an_end():
    assert Unit(own.Gaussian(), every.Identity()).concordance == 0.0
    assert Unit(own.Bernoulli(), every.Log()).concordance == 0.0
    assert Unit(own.Gamma(), every.Inverse()).concordance == 0.0


def test_information_has_two_names_only():
    with pytest.raises(OptionError, match="'expected' or 'observed'"):
        Unit(own.Poisson(), every.Log()).bind(np, "fisher")


def test_units_are_values():
    for link in LINKS:
        try:
            unit = Unit(own.Bernoulli(), link)
        except LinkError:
            continue
        assert unit == Unit(own.Bernoulli(), link)
        assert hash(unit) == hash(Unit(own.Bernoulli(), link))


@whole
def test_a_steady_unit_has_the_same_information_at_every_eta(unit) -> None:
    eta = np.linspace(0.5, 1.5, 9)
    y = tuple(np.full(9, number) for number in (1.0, 2.0)[: len(unit.family.response)])
    known = unit.family.variance_power is not None and unit.link.exponent is not None
    if not (known and np.all(unit.domain.contains(eta))):
        assert not unit.steady or not np.all(unit.domain.contains(eta))
        return
    expected = unit.bind(np)(y, eta)[2]
    assert unit.steady == (np.ptp(expected) <= 8.0 * EPS * expected.max())


def test_the_units_that_stabilise_the_variance() -> None:
    steady = {str(unit) for unit in UNITS if unit.steady}
    assert {"gaussian with identity link", "gamma with log link", "poisson with sqrt link"} <= steady
    assert "poisson with log link" not in steady
