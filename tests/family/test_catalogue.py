"""Names find their family and link in every usual spelling; a wrong one is told what exists."""

from __future__ import annotations

import html

import pytest

from etamu._base.errors import FamilyError, LinkError
from etamu.family import catalogue
from etamu.family import families as own
from etamu.family import links as every
from etamu.family.borrowed import Binomial, Quasi, QuasiBinomial, QuasiPoisson, Tweedie
from tests import catalogue as listed

FAMILY_SPELLINGS = [
    ("gaussian", own.Gaussian()),
    ("normal", own.Gaussian()),
    ("Gaussian", own.Gaussian()),
    ("bernoulli", own.Bernoulli()),
    ("binomial", Binomial()),
    ("poisson", own.Poisson()),
    ("gamma", own.Gamma()),
    ("Gamma", own.Gamma()),
    ("inverse.gaussian", own.InverseGaussian()),
    ("inverse_gaussian", own.InverseGaussian()),
    ("InverseGaussian", own.InverseGaussian()),
    ("quasipoisson", QuasiPoisson()),
    ("quasi-binomial", QuasiBinomial()),
    ("quasi", Quasi("constant")),
    ("quasi(mu(1-mu))", Quasi("mu(1-mu)")),
    ("tweedie(1.5)", Tweedie(1.5)),
    ("tweedie(power=1.5)", Tweedie(1.5)),
    ("negative.binomial(2)", own.NegativeBinomial(2.0)),
    ("negative_binomial(theta=2.0)", own.NegativeBinomial(2.0)),
]
LINK_SPELLINGS = [
    ("identity", every.Identity()),
    ("log", every.Log()),
    ("Logit", every.Logit()),
    ("probit", every.Probit()),
    ("cloglog", every.Cloglog()),
    ("loglog", every.Loglog()),
    ("cauchit", every.Cauchit()),
    ("cauchy", every.Cauchit()),
    ("inverse", every.Inverse()),
    ("inverse_power", every.Inverse()),
    ("1/mu^2", every.InverseSquared()),
    ("inverse_squared", every.InverseSquared()),
    ("sqrt", every.Sqrt()),
    ("power(0.333)", every.Power(0.333)),
    ("power(1/3)", every.Power(1 / 3)),
    ("mu^0.25", every.Power(0.25)),
    ("power(-1)", every.Inverse()),
    ("power(0)", every.Log()),
]


@pytest.mark.parametrize(("spelling", "family"), FAMILY_SPELLINGS)
def test_a_family_is_found_by_every_usual_spelling(spelling, family):
    assert catalogue.family(spelling) == family


@pytest.mark.parametrize(("spelling", "link"), LINK_SPELLINGS)
def test_a_link_is_found_by_every_usual_spelling(spelling, link):
    assert catalogue.link(spelling) == link


@pytest.mark.parametrize("family", catalogue.MEMBERS, ids=str)
def test_what_a_family_prints_finds_it_again(family):
    assert catalogue.family(str(family)) == family


@pytest.mark.parametrize("link", catalogue.LINKS, ids=str)
def test_what_a_link_prints_finds_it_again(link):
    assert catalogue.link(str(link)) == link


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("poison", "did you mean 'poisson'"),
        ("weibull", "There are gaussian"),
        ("negative.binomial(-1)", "theta must be a positive number"),
        ("tweedie(0.5)", "no such model exists"),
        ("tweedie(one)", r"'tweedie\(one\)': 'one' is not a finite number.*'tweedie\(1.5\)'"),
        ("poisson(3)", "has no parameter"),
    ],
)
def test_a_wrong_family_name_says_what_to_write(name, message):
    with pytest.raises(FamilyError, match=message):
        catalogue.family(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("logt", "did you mean 'logit'"),
        ("arcsine", "There are identity"),
        ("power", "needs its exponent"),
        ("power(1/0)", r"is not a finite number.*'power\(1.5\)'"),
    ],
)
def test_a_wrong_link_name_says_what_to_write(name, message):
    with pytest.raises(LinkError, match=message):
        catalogue.link(name)


def test_the_table_names_every_family_with_its_variance_and_canonical_link():
    table = catalogue.families()
    text = repr(table)
    names = [*(family.name for family in catalogue.MEMBERS), *catalogue.SEVERAL]
    assert [row[0] for row in table.rows] == names
    columns = ("family", "response", "V(mu)", "b(theta), or law", "canonical", "usual alternatives", "use")
    for column in columns:
        assert column in text
    assert len(text.splitlines()) == 2 + len(names)


def test_every_registered_family_and_link_stands_in_the_catalogue_of_the_tests():
    """What is registered and not listed there would miss every property test."""
    single = {family.name for family in (*listed.OWN, *(family for family, _ in listed.BORROWED))}
    assert {family.name for family in catalogue.MEMBERS} <= single
    unknown = {family.name for family in listed.ESTIMATED}
    assert {family.name for family in catalogue.MEMBERS if family.unknown} <= unknown
    several = {family.name for family in (*listed.VECTORS, *listed.NATURAL)}
    assert {*catalogue.SEVERAL} <= several
    assert {type(link) for link in catalogue.LINKS} <= {type(link) for link in listed.LINKS}


def test_the_table_is_html_in_a_notebook():
    table = catalogue.families()
    page = table._repr_html_()
    assert page.count("<tr>") == 1 + len(table.rows)
    for row in table.rows:
        assert all(html.escape(cell) in page for cell in row)


def test_usual_alternatives_are_admissible():
    for family in catalogue.MEMBERS:
        if family.any_link:
            continue
        links = [catalogue.link(name) for name in family.textbook.alternatives]
        assert len(catalogue.pairs([family], links)) == len(links)


def test_pairs_lists_what_is_admissible_and_nothing_else():
    names = {str(unit) for unit in catalogue.pairs()}
    assert "poisson with log link" in names
    assert "bernoulli with cauchit link" in names
    assert "poisson with logit link" not in names
    assert "quasi(variance=constant) with logit link" in names
