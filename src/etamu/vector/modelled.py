"""Which family of several predictors a call means: one by name, or of a mean whose shape has a formula.

May import: everything below `vector`.
Read next: `etamu.vector.assemble`, which states its problem, and `etamu.vector.dispersed`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from etamu._base.errors import FamilyError, OptionError
from etamu._base.later import later
from etamu.family import catalogue
from etamu.family import families as own
from etamu.family.family import Family
from etamu.family.vector import VectorFamily
from etamu.vector.dispersed import dispersed, estimate_dispersed
from etamu.vector.estimate import estimate
from etamu.vector.problem import VectorProblem
from etamu.vector.result import VectorFit

SHAPED: dict[type[Family], Callable[..., Any]] = {
    own.NegativeBinomial: later("etamu.family.overdispersed", "NegativeBinomial2")
}
"""Families with a shape, and what they are where the shape has a predictor."""

PHI = "dispersion"


def several_of(
    family: Any, link: Any, predictors: Mapping[str, str], dispersion: str | None, method: str
) -> tuple[VectorFamily, Mapping[str, str]]:
    """Return the family that a call means, and the formulas of its further predictors.

    Parameters
    ----------
    family, link
        As given to the door.
    predictors : mapping of str to str
    dispersion : str, optional
        A formula; None where `dispersion=` is none.
    method : "ml" or "reml"

    Raises
    ------
    FamilyError
        If the family has no dispersion to model.
    OptionError
        If the keywords contradict each other, or name no parameter of the family.

    Examples
    --------
    >>> several_of("negative_binomial", None, {"theta": "~ z"}, None, "ml")[0].name
    'negative_binomial_2'
    """
    if dispersion is not None and PHI in predictors:
        raise OptionError("the dispersion has two formulas, of dispersion= and of predictors=: give one")
    found = catalogue.several(family, link)
    if found is not None:
        _refuse_method(found.name, method)
        return found, predictors if dispersion is None else {**predictors, **_about(found, dispersion)}
    member = catalogue.stated(family)
    shaped = type(member) in SHAPED
    if shaped and {*predictors} - {"mean"}:
        _refuse_method(member.name, method)
        return _shaped(member, link), predictors
    if shaped and dispersion is not None:
        raise FamilyError(
            f"the {member.name} family has a theta in the place of a dispersion, and its variance falls with "
            f"it: predictors={{'theta': {dispersion!r}}} models it"
        )
    others = {name: right for name, right in predictors.items() if name != PHI}
    right = predictors.get(PHI, dispersion)
    if right is None:
        beside = "" if member.dispersion_known else ", and a dispersion to model"
        raise OptionError(
            "predictors= belongs to families of several linear predictors; "
            f"{member.name} has one, the mean{beside}"
        )
    if member.unknown:
        raise FamilyError(
            f"a model of the dispersion holds the {member.unknown} of {member.name}: give it, "
            f"{type(member).__name__}({member.unknown}=…); a fit without dispersion= estimates one"
        )
    return dispersed(catalogue.unit(member, link), right, method), others


def estimate_several(problem: VectorProblem) -> VectorFit:
    """Fit a problem of several predictors: a modelled dispersion in its own way, which may be REML."""
    return (estimate_dispersed if "adjusted" in problem.family.settings else estimate)(problem)


def _refuse_method(name: str, method: str) -> None:
    if method != "ml":
        raise OptionError(
            f"dispersion_method={method!r} adjusts the dispersion of a gaussian, gamma, inverse Gaussian or "
            f"Tweedie family, not of {name}: leave it out"
        )


def _about(family: VectorFamily, formula: str) -> dict[str, str]:
    """Give a formula to the parameter that is called dispersion."""
    names = [each.name for each in family.parameters if not each.main] if not family.categorical else []
    if PHI in names:
        return {PHI: formula}
    others = " or ".join(f"predictors={{{name!r}: {formula!r}}}" for name in names)
    remedy = f"; {others} models what it has" if others else ": leave dispersion= out"
    raise FamilyError(f"the {family.name} family has no dispersion to model{remedy}")


def _shaped(member: Family, link: Any) -> VectorFamily:
    """Return the family whose shape has a predictor; one that is given cannot have one."""
    if not member.unknown:
        given = ", ".join(f"{name}={value:g}" for name, value in member.settings.items())
        raise OptionError(
            f"{type(member).__name__}({given}) says what predictors= is to model: leave it out of the family"
        )
    made = SHAPED[type(member)](*([] if link is None else [link]))
    return cast("VectorFamily", made)
