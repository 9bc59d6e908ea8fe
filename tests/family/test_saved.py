"""Families and links as statements: what is written is read back, through JSON, and nothing else is read."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu._base.errors import FamilyError, LinkError, NotAvailableError
from etamu._base.types import LINE
from etamu.family import families as own
from etamu.family import links as every
from etamu.family.borrowed import Quasi, Tweedie
from etamu.family.catalogue import MEMBERS
from etamu.family.derived import CanonicalDerived
from etamu.family.family import Borrowed
from etamu.family.link import Link
from etamu.family.saved import family_from, family_to, link_from, link_to
from etamu.family.stated import StatedLink
from tests.catalogue import CUBIC, DERIVED, FAMILIES, LINKS, SYMPY

STATED = StatedLink(
    "1 - exp(-exp(eta))",
    "log(-log(1 - mu))",
    name="mine",
    complement="exp(-exp(eta))",
    range=(0.0, 1.0),
)


@dataclass(frozen=True, slots=True)
class OwnFamily(Borrowed):
    name = "poisson"
    kin = own.Poisson()


@dataclass(frozen=True, slots=True)
class OwnLink(Link):
    name = "log"
    text = "log(mu)"

    inverse = every.Log.inverse
    link = every.Log.link


def through_json(saved):
    return json.loads(json.dumps(saved))


def stated(**changes) -> dict:
    parts = {
        "name": "mine",
        "inverse": "exp(eta)",
        "link": "log(mu)",
        "complement": None,
        "range": [0.0, "Infinity"],
        "domain": ["-Infinity", "Infinity"],
    }
    return {"name": "stated", "stated": parts | changes}


def derived(**changes) -> dict:
    return {"name": "derived", "interval": None, "link": None, "quasi": False} | changes


@pytest.mark.parametrize("family", dict.fromkeys((*MEMBERS, *FAMILIES, *DERIVED)), ids=repr)
def test_a_family_comes_back_equal_through_json(family) -> None:
    back = family_from(through_json(family_to(family)))
    assert back == family
    assert type(back) is type(family)


@pytest.mark.parametrize(
    "link",
    [*LINKS, every.CanonicalNegativeBinomial(2.5), *[CanonicalDerived(CUBIC.statement)] * SYMPY],
    ids=repr,
)
def test_a_link_comes_back_equal_through_json(link) -> None:
    back = link_from(through_json(link_to(link)))
    assert back == link
    assert type(back) is type(link)


def test_what_is_written_is_plain_numbers_and_text() -> None:
    assert family_to(own.NegativeBinomial(theta=np.float64(2.0))) == {
        "name": "negative_binomial",
        "theta": 2.0,
    }
    assert type(family_to(Tweedie(np.float64(1.5)))["power"]) is float
    assert family_to(Quasi("mu ** 2")) == {"name": "quasi", "variance": "mu^2"}
    assert link_to(every.Power(2)) == {"name": "power", "k": 2.0}


def test_a_stated_link_comes_back_with_its_formulas_and_its_tails() -> None:
    saved = link_to(STATED)
    assert saved["stated"]["range"] == [0.0, 1.0]
    back = link_from(saved)
    eta = np.array([-3.0, 0.2, 4.0])
    for found, expected in zip(back.inverse(np, eta), every.Cloglog().inverse(np, eta), strict=True):
        assert_allclose(found, expected, rtol=1e-12)
    assert (back.name, back.range, back.domain) == ("mine", STATED.range, LINE)
    assert back == STATED


def test_infinite_ends_are_read_from_their_words() -> None:
    link = link_from(through_json(stated()))
    assert (link.range.lower, link.range.upper) == (0.0, np.inf)
    assert link.domain.whole


def test_code_of_the_user_is_not_written() -> None:
    with pytest.raises(
        NotAvailableError, match=r"'poisson' is a class of your own: .*statements, never code"
    ):
        family_to(OwnFamily())
    with pytest.raises(NotAvailableError, match=r"'log' is a class of your own: .*StatedLink"):
        link_to(OwnLink())
    called = StatedLink(lambda xp, eta: xp.exp(eta), "log(mu)", name="called", range=(0.0, np.inf))
    with pytest.raises(NotAvailableError, match=r"'called' is stated by a callable: .*never code"):
        link_to(called)


@pytest.mark.parametrize(
    ("saved", "words"),
    [
        ({}, "None is no family; there are gaussian"),
        ({"name": "weibull"}, "'weibull' is no family"),
        ({"name": ["poisson"]}, "is no family"),
        ({"name": "poisson", "theta": 1.0}, "poisson is stated by its name alone"),
        ({"name": "tweedie"}, "tweedie is stated by its name and power"),
        ({"name": "tweedie", "theta": 1.5}, "by its name and power"),
        ({"name": "tweedie", "power": "1.5"}, "tweedie has the power '1.5'"),
        ({"name": "tweedie", "power": True}, "has the power True"),
        ({"name": "tweedie", "power": 0.5}, "no such model exists"),
        ({"name": "quasi", "variance": 2.0}, "quasi has the variance 2.0"),
        ({"name": "quasi", "variance": "exp(mu)"}, "cannot be read"),
        ({"name": "negative_binomial", "theta": -1.0}, "theta"),
        ({"name": "derived", "cumulant": "exp(theta)"}, "stated by a cumulant or variance, interval"),
        (derived(cumulant=1.0), "stated by a cumulant or by a variance, as text"),
        (derived(cumulant="exp(theta)", variance="mu"), "by a cumulant or by a variance"),
        (derived(cumulant="__import__('os').getcwd()"), "which is not allowed: it may use theta"),
        *[(derived(cumulant="theta**3"), "is not convex")] * SYMPY,
        (derived(variance="mu", interval=[1.0]), "it is two numbers"),
        (derived(variance="mu", quasi=1), "quasi true or false"),
        (derived(variance="mu", link="log"), "a link or none"),
    ],
    ids=str,
)
def test_what_is_no_family_is_refused(saved, words) -> None:
    with pytest.raises(FamilyError, match=words):
        family_from(saved)


@pytest.mark.parametrize(
    ("saved", "words"),
    [
        ({}, "None is no link; there are identity"),
        ({"name": "Log"}, "'Log' is no link"),
        ({"name": 3}, "3 is no link"),
        ({"name": "log", "k": 1.0}, "a link is stated by name, not by k, name"),
        ({"name": "power"}, "stated by k, name, not by name"),
        ({"name": "power", "k": "2"}, "'2' stands where a number"),
        ({"name": "power", "k": True}, "True stands where a number"),
        ({"name": "power", "k": 0.0}, "must be between -100 and 100 and not 0"),
        ({"name": "nbinom", "theta": 0.0}, "theta 0.0; it is a positive number"),
        ({"name": "nbinom", "theta": float("inf")}, "it is a positive number"),
        ({"name": "nbinom", "theta": None}, "None stands where a number"),
        ({"name": "stated", "stated": "exp(eta)"}, "a stated link is an object"),
        ({"name": "canonical", "of": "exp(theta)"}, "stated by its family's cumulant or variance"),
        ({"name": "canonical", "of": {"cumulant": "eval(1)", "interval": None}}, "not allowed"),
        ({"name": "stated", "stated": {"name": "x"}}, "a link is stated by complement, domain, inverse"),
    ],
    ids=str,
)
def test_what_is_no_link_is_refused(saved, words) -> None:
    with pytest.raises(LinkError, match=words):
        link_from(saved)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": None}, "the name of a stated link is text"),
        ({"inverse": 1.0}, "the inverse of a stated link is text"),
        ({"link": None}, "the link of a stated link is text"),
        ({"complement": 2}, "the complement of a stated link is text"),
        ({"range": [0.0]}, "range and domain of a stated link are two numbers"),
        ({"domain": "all"}, "two numbers"),
        ({"range": [1.0, 0.0]}, r"are \(lower, upper\)"),
        ({"range": [0.0, float("nan")]}, r"are \(lower, upper\)"),
        ({"range": [0.0, "inf"]}, "'inf' stands where a number"),
        ({"link": "2"}, "do not vary with eta and mu"),
        ({"inverse": "0.5 + 0 * eta"}, "do not vary with eta and mu"),
        ({"inverse": "where(eta > 1e9, 0.2, 0.5)"}, "do not vary with eta and mu"),
        ({"inverse": "__import__('os').getcwd()"}, "which is not allowed: it may use"),
        ({"link": "mu.__class__"}, "which is not allowed: it may use"),
    ],
    ids=str,
)
def test_a_stated_link_that_is_not_a_statement_is_refused(changes, words) -> None:
    with pytest.raises(LinkError, match=words):
        link_from(stated(**changes))
