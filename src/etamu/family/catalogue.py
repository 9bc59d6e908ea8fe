"""Names to values: `family("poisson")`, `link("log")`, and the table of all there is.

May import: _base, family.families, family.borrowed, family.links, family.unit.
Read next: `etamu.family.unit`, which pairs a family with a link.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast, final

from etamu._base.errors import EtamuError, FamilyError, LinkError
from etamu._base.facts import dataclass
from etamu._base.later import later
from etamu._base.listing import closest
from etamu._base.markup import escape
from etamu.family import families as own
from etamu.family import links as every
from etamu.family.borrowed import Binomial, Quasi, QuasiBinomial, QuasiPoisson, Tweedie
from etamu.family.family import Family
from etamu.family.link import Link
from etamu.family.unit import Unit

if TYPE_CHECKING:
    from etamu.family.vector import VectorFamily

MEMBERS: tuple[Family, ...] = (
    own.Gaussian(),
    own.Bernoulli(),
    Binomial(),
    own.Poisson(),
    own.Gamma(),
    own.InverseGaussian(),
    own.NegativeBinomial(theta=2.0),
    Tweedie(power=1.5),
    QuasiPoisson(),
    QuasiBinomial(),
    Quasi("constant"),
)
"""One family of each name, parameters chosen where the name needs one."""

LINKS: tuple[Link, ...] = (
    every.Identity(),
    every.Log(),
    every.Logit(),
    every.Probit(),
    every.Cloglog(),
    every.Loglog(),
    every.Cauchit(),
    every.Inverse(),
    every.InverseSquared(),
    every.Sqrt(),
    every.Power(1.0 / 3.0),
)
"""One link of each name."""

_WITH_NUMBER: dict[str, Callable[..., Family]] = {
    "negative_binomial": own.NegativeBinomial,
    "tweedie": Tweedie,
}
SEVERAL: dict[str, Callable[..., VectorFamily]] = {
    "multinomial": later("etamu.family.multinomial", "Multinomial"),
    "cumulative": later("etamu.family.ordinal", "Cumulative"),
    "continuation_ratio": later("etamu.family.ordinal", "ContinuationRatio"),
    "adjacent_category": later("etamu.family.ordinal", "AdjacentCategory"),
    "beta": later("etamu.family.beta", "Beta"),
    "beta_binomial": later("etamu.family.beta", "BetaBinomial"),
    "negative_binomial_1": later("etamu.family.overdispersed", "NegativeBinomial1"),
    "negative_binomial_2": later("etamu.family.overdispersed", "NegativeBinomial2"),
    "generalized_poisson": later("etamu.family.overdispersed", "GeneralizedPoisson"),
    "conway_maxwell_poisson": later("etamu.family.conway", "ConwayMaxwellPoisson"),
    "zero_truncated_poisson": later("etamu.family.excess", "ZeroTruncatedPoisson"),
    "zero_truncated_negative_binomial": later("etamu.family.excess", "ZeroTruncatedNegativeBinomial"),
    "hurdle_poisson": later("etamu.family.excess", "HurdlePoisson"),
    "hurdle_negative_binomial": later("etamu.family.excess", "HurdleNegativeBinomial"),
    "zero_inflated_poisson": later("etamu.family.excess", "ZeroInflatedPoisson"),
    "zero_inflated_negative_binomial": later("etamu.family.excess", "ZeroInflatedNegativeBinomial"),
}
"""Families of several linear predictors by name, each loaded when it is asked for."""

_SEVERAL_SPELLINGS = {
    "multinom": "multinomial", "softmax": "multinomial", "ordinal": "cumulative",
    "betabinom": "beta_binomial", "nb1": "negative_binomial_1", "nbinom1": "negative_binomial_1",
    "nb2": "negative_binomial_2", "nbinom2": "negative_binomial_2",
    "generalisedpoisson": "generalized_poisson",
    "genpois": "generalized_poisson", "compois": "conway_maxwell_poisson",
    "compoisson": "conway_maxwell_poisson", "zip": "zero_inflated_poisson",
    "zinb": "zero_inflated_negative_binomial", "truncatedpoisson": "zero_truncated_poisson",
}  # fmt: skip
_PLAIN: dict[str, Family] = {each.name: each for each in MEMBERS if each.name not in _WITH_NUMBER}
_FAMILY_SPELLINGS = {
    "normal": "gaussian",
    "binary": "bernoulli",
    "logistic": "bernoulli",
    "nb": "negative_binomial",
    "negbin": "negative_binomial",
    "nbinom": "negative_binomial",
    "invgauss": "inverse_gaussian",
    "wald": "inverse_gaussian",
}
_NAMED_LINKS: dict[str, Link] = {each.name: each for each in LINKS[:-1]}
_LINK_SPELLINGS = {
    "1/mu^2": "inverse_squared",
    "1/mu**2": "inverse_squared",
    "1/mu": "inverse",
    "reciprocal": "inverse",
    "inversepower": "inverse",
    "cauchy": "cauchit",
    "squareroot": "sqrt",
    "ln": "log",
    "complementaryloglog": "cloglog",
    "linear": "identity",
}
_POWER = re.compile(r"(?:power|mu(?:\^|\*\*))\(?([-+.\deE/]+|nan|[-+]?inf)\)?")


@lru_cache(maxsize=64)
def family(name: str) -> Family:
    """Return the family of a name; R's and statsmodels' spellings are understood.

    "negative_binomial" and "tweedie" without a number leave theta and the power to be estimated.

    Raises
    ------
    FamilyError
        If there is no such family, or it has no such parameter.

    Examples
    --------
    >>> family("Gamma"), family("inverse.gaussian"), family("tweedie(1.5)")
    (Gamma(), InverseGaussian(), Tweedie(power=1.5))
    >>> family("poison")
    Traceback (most recent call last):
        ...
    etamu._base.errors.FamilyError: unknown family 'poison'; did you mean 'poisson'? There are gaussian, ...
    """
    word, argument = _split(name)
    known = _lookup(word, [*_PLAIN, *_WITH_NUMBER], _FAMILY_SPELLINGS)
    if known == "quasi" and argument:
        return Quasi(argument)
    if known in _PLAIN and not argument:
        return _PLAIN[known]
    if known not in _WITH_NUMBER:
        if known in _PLAIN:
            raise FamilyError(f"family {known!r} has no parameter, but {name!r} gives it {argument!r}")
        raise _unknown("family", name, [*_PLAIN, *_WITH_NUMBER, *SEVERAL], FamilyError)
    make = _WITH_NUMBER[known]
    return make(_number(name, argument, FamilyError)) if argument else make()


@lru_cache(maxsize=64)
def link(name: str) -> Link:
    """Return the link of a name; R's and statsmodels' spellings are understood.

    Raises
    ------
    LinkError
        If there is no such link.

    Examples
    --------
    >>> link("1/mu^2"), link("power(1/3)").text, link("power(0)")
    (InverseSquared(), 'mu^0.333333', Log())
    """
    power = _POWER.fullmatch(re.sub(r"\s", "", name.casefold()))
    if power:
        return every.power_link(_number(name, power[1], LinkError))
    known = _lookup(name, [*_NAMED_LINKS], _LINK_SPELLINGS)
    if known is None:
        if _plain(name) == "power":
            raise LinkError("link 'power' needs its exponent: Power(1/3) or 'power(1/3)'")
        raise _unknown("link", name, [*_NAMED_LINKS, "power(k)"], LinkError)
    return _NAMED_LINKS[known]


def several(member: Any, each: str | Link | None) -> VectorFamily | None:
    """Return the family of several linear predictors that a name or value is, None if it is another.

    Raises
    ------
    LinkError
        If a link is given and the family has none to choose.

    Examples
    --------
    >>> several("cumulative", "probit").link, several("poisson", None)
    (Probit(), None)
    """
    found = _several_named(member) if isinstance(member, str) else member
    if found is None or isinstance(found, type) or not hasattr(found, "parameters"):
        return None
    if each is None:
        return cast("VectorFamily", found)
    if "link" not in found.settings:
        raise LinkError(f"family {found.name!r} has no link to choose: leave link= out")
    return cast("VectorFamily", replace(found, link=each))


@lru_cache(maxsize=64)
def _several_named(name: str) -> VectorFamily | None:
    word, argument = _split(name)
    known = _lookup(word, [*SEVERAL], _SEVERAL_SPELLINGS)
    return None if known is None else SEVERAL[known](*([argument] if argument else []))


def stated(member: str | Family) -> Family:
    """Return the family given by name or value.

    Raises
    ------
    FamilyError
        If the name is unknown, or the value is no family.
    """
    found = family(member) if isinstance(member, str) else member
    if isinstance(found, type) or not hasattr(found, "default_link"):
        raise FamilyError(
            f"family is {member!r}; give a name such as 'poisson' or a value such as em.Poisson()"
        )
    return found


def unit(member: str | Family, each: str | Link | None) -> Unit:
    """Pair a family and a link given by name or value; the link is the family's default if left out.

    Raises
    ------
    FamilyError, LinkError
        If a name is unknown, or the family cannot have the link.

    Examples
    --------
    >>> str(unit("poisson", None))
    'poisson with log link'
    """
    found = stated(member)
    chosen = found.default_link if each is None else link(each) if isinstance(each, str) else each
    if isinstance(chosen, type) or not hasattr(chosen, "inverse"):
        raise LinkError(f"link is {each!r}; give a name such as 'log' or a value such as em.Power(0.5)")
    try:
        return _paired(found, chosen)
    except TypeError:  # a family that holds a list has no hash
        return Unit(found, chosen)


@lru_cache(maxsize=64)
def _paired(found: Family, chosen: Link) -> Unit:
    """Return one unit for equal families and links: what it has found out about itself need not be again."""
    return Unit(found, chosen)


def pairs(members: Iterable[Family] = MEMBERS, links: Iterable[Link] = LINKS) -> tuple[Unit, ...]:
    """Return every admissible pair of the families and links given.

    Examples
    --------
    >>> [str(unit) for unit in pairs([own.Poisson()])][:3]
    ['poisson with identity link', 'poisson with log link', 'poisson with inverse link']
    """
    all_links = tuple(links)
    return tuple(unit for member in members for each in all_links if (unit := _pair(member, each)))


def _pair(member: Family, each: Link) -> Unit | None:
    try:
        return Unit(member, each)
    except LinkError:
        return None


@final
@dataclass(frozen=True, slots=True)
class FamilyTable:
    """The textbook's table of families, printed as text or HTML."""

    rows: tuple[tuple[str, ...], ...]

    header = ("family", "response", "V(mu)", "b(theta), or law", "canonical", "usual alternatives", "use")

    def __repr__(self) -> str:
        lines = (self.header, *self.rows)
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.header))]
        text = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
        return "\n".join((text[0], "-" * len(text[0]), *text[1:]))

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(cell)}</th>" for cell in self.header)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def families() -> FamilyTable:
    """Return the table of families: response, V(mu), b(theta), canonical link, usual alternatives, use.

    V and b are stated for phi = 1; Var y = phi V(mu) and theta is the canonical parameter. A law that is of
    no exponential family in its mean is named in the place of b. The k of a negative binomial (its theta)
    and the p of a Tweedie (its power) are estimated where they are left out.

    Examples
    --------
    >>> print(families().rows[3][:5])
    ('poisson', 'non-negative integers', 'mu', 'exp(theta)', 'log')
    """
    more = (_row_of_several(each()) for each in SEVERAL.values())
    return FamilyTable((*(_row(each) for each in MEMBERS), *more))


def _row_of_several(member: VectorFamily) -> tuple[str, ...]:
    book = member.textbook
    response = "classes" if member.categorical else repr(member.support)
    response = "successes of trials" if "trials" in member.response else response
    link = member.settings.get("link")
    return (
        member.name,
        response,
        book.variance,
        book.cumulant,
        "logit" if link is None else str(link),
        ", ".join(book.alternatives),
        book.use,
    )


def _row(member: Family) -> tuple[str, ...]:
    book = member.textbook
    canonical = {"negative_binomial": "log(mu/(mu+k))", "tweedie": "mu^(1-p)", "quasi": "by V"}
    response = "successes of trials" if len(member.response) > 1 else repr(member.support)
    return (
        member.name,
        "as V allows" if member.any_link else response,
        book.variance,
        book.cumulant,
        canonical.get(member.name, member.canonical.name),
        ", ".join(book.alternatives),
        book.use,
    )


@lru_cache(maxsize=256)
def _plain(word: str) -> str:
    return re.sub(r"[\s._-]", "", word.casefold())


def _split(name: str) -> tuple[str, str]:
    """Return the word and the argument of 'word(argument)' or 'word(key=argument)'; a bare name otherwise."""
    word, bracket, rest = name.strip().partition("(")
    if bracket and not rest.endswith(")"):
        return name, ""
    inside = rest.removesuffix(")").strip()
    return word, re.sub(r"^(theta|power|variance)\s*=\s*", "", inside).strip("'\"")


def _lookup(word: str, names: list[str], spellings: dict[str, str]) -> str | None:
    plain = _plain(word)
    return spellings.get(plain) or next((name for name in names if _plain(name) == plain), None)


def _number(name: str, text: str, error: type[EtamuError]) -> float:
    from fractions import Fraction

    with contextlib.suppress(ValueError, ZeroDivisionError, OverflowError):
        return float(Fraction(text))
    word = _split(name)[0]
    raise error(
        f"{name!r}: {text!r} is not a finite number; write one in the brackets, such as '{word}(1.5)'"
    )


def _unknown(kind: str, name: str, names: list[str], error: type[EtamuError]) -> EtamuError:
    close = closest(name, names)
    guess = f"; did you mean {close!r}?" if close else "."
    return error(f"unknown {kind} {name!r}{guess} There are {', '.join(names)}")
