"""A stated link is read by an allow-list, differentiated exactly, and a value like every other link."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from etamu._base.errors import LinkError
from etamu.family import families as own
from etamu.family import links as every
from etamu.family.check import check_link
from etamu.family.stated import StatedLink
from etamu.family.unit import Unit

TANH = StatedLink("(1 + tanh(eta)) / 2", "atanh(2 * mu - 1)", name="tanh", range=(0, 1))
GOOD = [
    TANH,
    StatedLink("exp(2 * eta)", "log(mu) / 2", range=(0, np.inf)),
    StatedLink("2 ** eta", "log(mu) / log(2)", range=(0, np.inf)),
    StatedLink("eta ** 3", "sign(mu) * abs(mu) ** (1 / 3)", domain=(0, np.inf), range=(0, np.inf)),
    StatedLink("softplus(eta)", "log(expm1(mu))", range=(0, np.inf)),
    StatedLink("1 / (1 + exp(-eta))", "log(mu / (1 - mu))", range=(0, 1), complement="1 / (1 + exp(eta))"),
    StatedLink("normal_cdf(eta)", "normal_quantile(mu)", range=(0, 1), complement="normal_cdf(-eta)"),
    StatedLink("expit(eta)", "log(mu) - log1p(-mu)", range=(0, 1)),
    StatedLink("asinh(eta)", "sinh(mu)"),
    StatedLink("sqrt(eta)", "mu * mu", domain=(0, np.inf), range=(0, np.inf)),
    StatedLink("1 / 2 + atan(eta) / pi", "tan(pi * (mu - 1 / 2))", range=(0, 1)),
    StatedLink("where(eta > 0, eta + eta * eta / 2, expm1(eta))", "mu", range=(-1, np.inf)),
    StatedLink(lambda xp, eta: 1 / (1 + xp.exp(-eta)), lambda xp, mu: xp.log(mu / (1 - mu)), range=(0, 1)),
]


def test_half_of_one_plus_tanh_is_accepted_and_is_logit_at_twice_eta():
    check_link(TANH)
    eta = np.linspace(-8.0, 8.0, 41)
    for y in (0.0, 1.0):
        rows = (np.full_like(eta, y),)
        for information in ("expected", "observed"):
            mine = Unit(own.Bernoulli(), TANH).bind(np, information)(rows, eta)
            logit = Unit(own.Bernoulli(), every.Logit()).bind(np, information)(rows, 2.0 * eta)
            for power, (ours, theirs) in enumerate(zip(mine, logit, strict=True)):
                # 1 + tanh(eta) has lost 9 digits at eta = -8: 2e-16 of 1e-7
                np.testing.assert_allclose(ours, 2.0**power * theirs, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("link", GOOD[:-2] + GOOD[-1:], ids=str)
def test_a_right_statement_passes_the_check(link):
    check_link(link)


@pytest.mark.parametrize("link", GOOD, ids=str)
def test_stated_derivatives_are_exact(link):
    eta = np.linspace(0.1, 3.0, 30) if not link.domain.whole else np.linspace(-3.0, 3.0, 31) + 0.01
    step = 1e-5
    mean, above, below = (link.inverse(np, eta + shift) for shift in (0.0, step, -step))
    np.testing.assert_allclose(mean.d1, (above.mu - below.mu) / (2 * step), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(mean.d2, (above.d1 - below.d1) / (2 * step), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("stated", "built"),
    [
        (GOOD[5], every.Logit()),
        (GOOD[6], every.Probit()),
        (StatedLink("exp(eta)", "log(mu)", range=(0, np.inf)), every.Log()),
    ],
    ids=str,
)
def test_a_stated_link_equals_the_built_in_one_in_both_tails(stated, built):
    eta = np.array([-37.0, -5.0, 0.0, 5.0, 37.0])
    for mine, theirs in zip(stated.inverse(np, eta), built.inverse(np, eta), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-14, atol=1e-30)


BAD = {
    "where(eta > 0, 1, 0)": "derivative of the mean is 0",
    "floor(eta)": "derivative of the mean is 0",
    "(1 + sign(eta)) / 2": "derivative of the mean is 0",
    "1 / 2": "derivative of the mean is 0",
    "eta * eta": "not monotone",
    "sin(eta)": "not monotone",
    "(1 + tanh(eta)) / 2": "state the range",
    "log(eta)": "no number",
}


@pytest.mark.parametrize("statement", BAD)
def test_what_is_no_link_is_refused_with_the_reason(statement):
    with pytest.raises(LinkError, match=BAD[statement]):
        check_link(StatedLink(statement, "mu"))


def test_a_link_that_is_not_the_inverse_of_its_inverse_is_refused():
    with pytest.raises(LinkError, match=r"link\(inverse\(eta\)\) = eta fails"):
        check_link(StatedLink("exp(eta)", "log(mu) + 1", range=(0, np.inf)))


def test_a_complement_that_is_not_one_minus_mu_is_refused():
    with pytest.raises(LinkError, match="complement = 1 - mu fails"):
        check_link(StatedLink("exp(eta)", "log(mu)", range=(0, np.inf), complement="exp(eta)"))


def test_a_mean_beyond_its_range_is_refused():
    with pytest.raises(LinkError, match="leaves the range"):
        check_link(StatedLink("exp(eta)", "log(mu)", range=(0, 1)))


@pytest.mark.parametrize(
    "formula",
    [
        "__import__('os').system('true')",
        "eta.real",
        "eta[0]",
        "open('x')",
        "x + 1",
        "eta if eta else 1",
        "(lambda: 1)()",
        "[1]",
        "exp(eta, 2)",
        "exp(x=eta)",
        "where(eta > 0, 1)",
        "0 < eta < 1",
        "'a'",
        "True",
        "1j",
        "exp",
        "eta +",
        "(e := 2)",
    ],
)
def test_a_formula_may_use_nothing_beyond_the_list(formula):
    with pytest.raises(LinkError, match=r"not allowed|cannot be read"):
        StatedLink(formula, "mu")


def test_a_formula_in_mu_may_not_mention_eta():
    with pytest.raises(LinkError, match="'eta', which is not allowed"):
        StatedLink("exp(eta)", "log(eta)")


@pytest.mark.parametrize("wrong", [{"range": (1, 0)}, {"domain": (0, 0)}])
def test_intervals_have_a_lower_and_an_upper_end(wrong):
    with pytest.raises(LinkError, match="must be"):
        StatedLink("exp(eta)", "log(mu)", **wrong)


def test_a_statement_is_text_or_callable():
    with pytest.raises(LinkError, match="not by 3"):
        StatedLink(3, "mu")


def test_stated_links_travel_and_compare_as_values():
    copy = pickle.loads(pickle.dumps(TANH))
    assert copy == TANH
    assert hash(copy) == hash(TANH)
    assert Unit(own.Bernoulli(), copy) == Unit(own.Bernoulli(), TANH)
    assert repr(TANH).startswith("StatedLink('(1 + tanh(eta)) / 2'")


def test_concordance_of_a_stated_link_follows_its_scale():
    assert abs(TANH.concordance - 2.0) < 1e-3
    assert GOOD[1].concordance == pytest.approx(2.0)
    assert StatedLink("eta", "mu").concordance == 0.0


def test_a_dead_tail_gives_no_nan():
    eta = np.array([-400.0, -30.0, 30.0, 400.0])
    for y in (0.0, 1.0):
        for result in Unit(own.Bernoulli(), TANH).bind(np, "observed")((np.full(4, y),), eta):
            assert np.all(np.isfinite(result))
