"""Families and links as plain statements, a name and its parameters, and back; reading one runs no code.

May import: numpy, _base, and in this room catalogue, check, derived, facts, links, stated.
Read next: `etamu.family.stated`, which reads the formulas of a link by an allow-list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from etamu._base.errors import FamilyError, LinkError, NotAvailableError
from etamu.family.catalogue import LINKS, MEMBERS
from etamu.family.check import spread
from etamu.family.derived import CanonicalDerived, Derived
from etamu.family.facts import facts
from etamu.family.family import Family
from etamu.family.formula import read
from etamu.family.link import Link
from etamu.family.links import CanonicalNegativeBinomial, Power
from etamu.family.stated import StatedLink
from etamu.family.statement import Statement

_FAMILIES: dict[str, type[Family]] = {member.name: type(member) for member in MEMBERS}
_PARAMETERS = {
    "negative_binomial": ("theta", "theta"),
    "tweedie": ("power", "power"),
    "quasi": ("variance", "statement"),
}
"""Families with a parameter: its word at the door, and the attribute that holds it."""

_LINKS: dict[str, type[Link]] = {each.name: type(each) for each in LINKS[:-1]}
_INFINITE = {"Infinity": np.inf, "-Infinity": -np.inf}
_STATED = ("name", "inverse", "link", "complement", "range", "domain")


def family_to(family: Family) -> dict[str, Any]:
    """Write a family as its name and parameter; a derived one as its formula.

    Raises
    ------
    NotAvailableError
        If it is a class of the user's own, which is code and not a statement.

    Examples
    --------
    >>> from etamu.family.families import NegativeBinomial
    >>> family_to(NegativeBinomial(theta=2.0))
    {'name': 'negative_binomial', 'theta': 2.0}
    """
    if type(family) is Derived:
        return _derived_to(family)
    if _FAMILIES.get(family.name) is not type(family):
        raise NotAvailableError(
            f"the family {family.name!r} is a class of your own: a file holds statements, never code, so "
            "this fit cannot be saved"
        )
    if family.name not in _PARAMETERS:
        return {"name": family.name}
    word, attribute = _PARAMETERS[family.name]
    value = getattr(family, attribute)
    return {"name": family.name, word: value if isinstance(value, str) else float(value)}


def family_from(saved: Mapping[str, Any]) -> Family:
    """Make the family that `family_to` wrote.

    Raises
    ------
    FamilyError
        If there is no such family, or the parameter does not fit it.
    """
    name = saved.get("name")
    if name == "derived":
        return _derived_from(saved)
    if not isinstance(name, str) or name not in _FAMILIES:
        raise FamilyError(f"{name!r} is no family; there are {', '.join(_FAMILIES)}")
    word = _PARAMETERS[name][0] if name in _PARAMETERS else None
    if set(saved) != {"name", word} - {None}:
        raise FamilyError(f"family {name} is stated by its name{' and ' + word if word else ' alone'}")
    make: Callable[..., Family] = _FAMILIES[name]
    if word is None:
        return make()
    value = saved[word]
    if type(value) is not (str if name == "quasi" else float):
        raise FamilyError(f"family {name} has the {word} {value!r}")
    return make(value)


def _statement_to(statement: Statement) -> dict[str, Any]:
    return {statement.kind: statement.text, "interval": statement.interval and list(statement.interval)}


def _statement_from(saved: Mapping[str, Any]) -> Statement:
    """Read a statement; its formula is read by the allow-list of families."""
    kinds = [kind for kind in ("cumulant", "variance") if kind in saved]
    if len(kinds) != 1 or not isinstance(saved[kinds[0]], str):
        raise FamilyError("a derived family is stated by a cumulant or by a variance, as text")
    kind, interval = kinds[0], saved.get("interval")
    read(saved[kind], "theta" if kind == "cumulant" else "mu")
    try:
        ends = None if interval is None else _interval(interval)
    except LinkError:
        raise FamilyError(f"a derived family has the interval {interval!r}; it is two numbers") from None
    return Statement(kind, saved[kind], ends)


def _derived_to(family: Derived) -> dict[str, Any]:
    link = None if family.link is None else link_to(family.link)
    return {"name": "derived", **_statement_to(family.statement), "link": link, "quasi": family.quasi}


def _derived_from(saved: Mapping[str, Any]) -> Family:
    if set(saved) - {"cumulant", "variance"} != {"name", "interval", "link", "quasi"}:
        raise FamilyError("a derived family is stated by a cumulant or variance, interval, link and quasi")
    if type(saved["quasi"]) is not bool or not (saved["link"] is None or isinstance(saved["link"], Mapping)):
        raise FamilyError("a derived family has quasi true or false, and a link or none")
    link = None if saved["link"] is None else link_from(saved["link"])
    statement = _statement_from(saved)
    facts(statement)  # what is no family is refused here, by place in the file
    return Derived(statement, link, saved["quasi"])


def link_to(link: Link) -> dict[str, Any]:
    """Write a link as its name and parameter; a stated one as its formulas.

    Raises
    ------
    NotAvailableError
        If it is stated by callables, or a class of the user's own: that is code.

    Examples
    --------
    >>> link_to(Power(1 / 3))
    {'name': 'power', 'k': 0.3333333333333333}
    """
    if _LINKS.get(link.name) is type(link):
        return {"name": link.name}
    writer = _WRITERS.get(type(link))
    if writer is None:
        raise NotAvailableError(
            f"the link {link.name!r} is a class of your own: a file holds statements, never code; state it "
            "by formulas, StatedLink(inverse='…', link='…')"
        )
    return writer(link)


def _stated_to(link: Any) -> dict[str, Any]:
    inverse, forward, complement = link.statements
    if callable(inverse) or callable(forward) or callable(complement):
        raise NotAvailableError(
            f"the link {link.name!r} is stated by a callable: a file holds statements, never code; state it "
            "by formulas, StatedLink(inverse='…', link='…')"
        )
    return {
        "name": "stated",
        "stated": {
            "name": link.label,
            "inverse": inverse,
            "link": forward,
            "complement": complement,
            "range": list(link.ends[:2]),
            "domain": list(link.ends[2:]),
        },
    }


_WRITERS: dict[type[Link], Callable[[Any], dict[str, Any]]] = {
    Power: lambda link: {"name": "power", "k": float(link.k)},
    CanonicalNegativeBinomial: lambda link: {"name": "nbinom", "theta": float(link.theta)},
    StatedLink: _stated_to,
    CanonicalDerived: lambda link: {"name": "canonical", "of": _statement_to(link.statement)},
}


def link_from(saved: Mapping[str, Any]) -> Link:
    """Make the link that `link_to` wrote; formulas are read by the allow-list of stated links.

    Raises
    ------
    LinkError
        If there is no such link, its parameter does not fit, or a formula uses anything not allowed.
    """
    name = saved.get("name")
    if not isinstance(name, str) or name not in _LINKS | _READERS:
        raise LinkError(f"{name!r} is no link; there are {', '.join([*_LINKS, *_READERS])}")
    if name in _LINKS:
        _only(saved, {"name"})
        make: Callable[[], Link] = _LINKS[name]
        return make()
    word, read = _READERS[name]
    _only(saved, {"name", word})
    return read(saved[word])


def _only(saved: Mapping[str, Any], words: set[str]) -> None:
    if set(saved) != words:
        raise LinkError(f"a link is stated by {', '.join(sorted(words))}, not by {', '.join(sorted(saved))}")


def _stated_from(saved: Any) -> Link:
    if not isinstance(saved, Mapping):
        raise LinkError("a stated link is an object")
    _only(saved, set(_STATED))
    for word in ("name", "inverse", "link", "complement"):
        if not isinstance(saved[word], str) and (word != "complement" or saved[word] is not None):
            raise LinkError(f"the {word} of a stated link is text")
    ends = {word: _interval(saved[word]) for word in ("range", "domain")}
    link = StatedLink(
        saved["inverse"],
        saved["link"],
        name=saved["name"],
        complement=saved["complement"],
        range=ends["range"],
        domain=ends["domain"],
    )
    _try(link)
    return link


def _try(link: Link) -> None:
    """Compute the link once: only numbers of the formula itself can fail, and those fail everywhere."""
    at = spread(link.domain)
    try:
        with np.errstate(all="ignore"):
            mean = link.inverse(np, at)
            shapes = {np.shape(part) for part in mean} | {np.shape(link.link(np, at))}
    except (ArithmeticError, ValueError, TypeError, RecursionError) as error:
        raise LinkError(f"the formulas of link {link.name!r} cannot be computed: {error}") from None
    if shapes != {at.shape} or not np.any(mean.d1):
        raise LinkError(f"the formulas of link {link.name!r} do not vary with eta and mu")


def _interval(value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise LinkError("range and domain of a stated link are two numbers")
    ends = (_end(value[0]), _end(value[1]))
    if not ends[0] < ends[1]:
        raise LinkError("range and domain of a stated link are (lower, upper)")
    return ends


def _end(value: Any) -> float:
    return _INFINITE[value] if isinstance(value, str) and value in _INFINITE else _number(value)


def _number(value: Any) -> float:
    if type(value) not in {int, float}:
        raise LinkError(f"{value!r} stands where a number of a link belongs")
    return float(value)


def _canonical_from(value: Any) -> Link:
    if not isinstance(value, Mapping) or set(value) - {"cumulant", "variance"} != {"interval"}:
        raise LinkError("a canonical link is stated by its family's cumulant or variance, and an interval")
    try:
        statement = _statement_from(value)
        facts(statement)
    except FamilyError as error:
        raise LinkError(str(error)) from None
    return CanonicalDerived(statement)


def _positive(value: Any) -> float:
    number = _number(value)
    if not 0.0 < number < np.inf:
        raise LinkError(f"a negative binomial link has the theta {value!r}; it is a positive number")
    return number


_READERS: dict[str, tuple[str, Callable[[Any], Link]]] = {
    "power": ("k", lambda value: Power(_number(value))),
    "nbinom": ("theta", lambda value: CanonicalNegativeBinomial(_positive(value))),
    "stated": ("stated", _stated_from),
    "canonical": ("of", _canonical_from),
}
"""Links with a parameter: its word, and how it is read."""
