"""Which way a model is fitted: by its coefficients alone, or with a parameter of the family to be found.

May import: everything below `fit`.
Read next: `etamu.fit.theta` and `etamu.fit.power`, the parameters that can be found.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from etamu._base.errors import LinkError, OptionError
from etamu._base.facts import dataclass, replace
from etamu._base.later import later
from etamu.family import catalogue
from etamu.family.family import Family
from etamu.family.link import Link
from etamu.family.unit import Unit
from etamu.fit.estimate import estimate
from etamu.fit.problem import Options, Problem
from etamu.fit.result import Fit
from etamu.fit.stage import UnreadError
from etamu.fit.width import refuse_too_wide

if TYPE_CHECKING:
    from etamu.fit.phi_shape import shape_of_phi
    from etamu.fit.power import estimate_power
    from etamu.fit.theta import estimate_theta
else:
    shape_of_phi = later("etamu.fit.phi_shape", "shape_of_phi")
    estimate_power = later("etamu.fit.power", "estimate_power")
    estimate_theta = later("etamu.fit.theta", "estimate_theta")


@dataclass(frozen=True, slots=True)
class Way:
    """How a parameter is found.

    Parameters
    ----------
    fitting : callable
        Problem to Fit.
    meanwhile : float
        A value of the parameter while the data are read.
    dispersions : tuple of str
        What `dispersion=` may be, besides None and a number.
    """

    fitting: Callable[[Problem], Fit]
    meanwhile: float
    dispersions: tuple[str, ...]


WAYS = {
    "theta": Way(estimate_theta, 1.0, ("pearson", "deviance")),
    "power": Way(estimate_power, 1.5, ("pearson", "deviance", "ml")),
}
"""Parameters that can be estimated, by name."""


def fitted(problem: Problem) -> Fit:
    """Fit a problem, with the parameter of the family that it does not know.

    Raises
    ------
    DataError
        If it has more columns than their covariance has memory for.
    """
    refuse_too_wide([problem.layout])
    fit = WAYS[problem.unknown].fitting(problem) if problem.unknown else estimate(problem)
    shapes = shape_of_phi(fit) if fit.phi.kind == "ml" and not fit.shapes else fit.shapes
    return replace(fit, fitting=fitted, shapes=shapes)


class Stated(Protocol):
    """What states a problem, having read every number or not."""

    def __call__(self, *, read: bool) -> Problem:
        """State it."""


def fitted_unread(state: Stated) -> Fit:
    """Fit a problem whose numbers were not read; where they are not finite, read them and begin again."""
    try:
        return fitted(state(read=False))
    except UnreadError:
        return fitted(state(read=True))


def stated(family: str | Family, link: str | Link | None, options: Options) -> tuple[Unit, str]:
    """Return family and link, and the name of the parameter of the family that is to be estimated, if any.

    The unit then has that parameter at a provisional value.

    Raises
    ------
    FamilyError, LinkError
        If a name is unknown, or the family cannot have the link.
    OptionError
        If an option cannot be had with an estimated parameter.
    """
    member = catalogue.stated(family)
    name = member.unknown
    if not name:
        return catalogue.unit(member, link), ""
    if options.method != "ml":
        raise OptionError(
            f"method={options.method!r} cannot be had with an estimated {name}: give the {name} to the "
            "family, or leave method out"
        )
    unit = catalogue.unit(member.at(WAYS[name].meanwhile), link)
    if hasattr(unit.link, name):
        raise LinkError(
            f"the link {unit.link.name!r} has a {name} of its own, so that of the family cannot be "
            "estimated beside it: use the log link, or give both"
        )
    known = WAYS[name].dispersions
    if isinstance(options.dispersion, str) and options.dispersion not in known:
        listed = ", ".join(map(repr, known))
        raise OptionError(
            f"dispersion={options.dispersion!r} cannot be had with an estimated {name}: choose "
            f"{listed}, a number, or leave it out"
        )
    return unit, name
