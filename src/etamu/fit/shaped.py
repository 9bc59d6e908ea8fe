"""Which way a model is fitted: by its family alone, or with a parameter of the family to be found first.

May import: everything below `fit`.
Read next: `etamu.fit.theta` and `etamu.fit.power`, the parameters that can be found.
"""

from __future__ import annotations

from collections.abc import Callable

from etamu._base.errors import LinkError, OptionError
from etamu._base.facts import dataclass
from etamu._base.later import later
from etamu.family import catalogue
from etamu.family.family import Family
from etamu.family.link import Link
from etamu.family.unit import Unit
from etamu.fit.estimate import estimate
from etamu.fit.problem import Options, Problem
from etamu.fit.result import Fit

Fitting = Callable[[Problem], Fit]


@dataclass(frozen=True, slots=True)
class Way:
    """How a parameter is found.

    Parameters
    ----------
    fitting : callable
        Problem to Fit.
    meanwhile : float
        A value of the parameter while the data are read.
    dispersions : tuple
        What `dispersion=` may be, besides None and a number.
    """

    fitting: Fitting
    meanwhile: float
    dispersions: tuple[str, ...]


WAYS = {
    "theta": Way(later("etamu.fit.theta", "estimate_theta"), 1.0, ("pearson", "deviance")),
    "power": Way(later("etamu.fit.power", "estimate_power"), 1.5, ("pearson", "deviance", "ml")),
}
"""Parameters that can be estimated, by name."""


def way(family: str | Family, link: str | Link | None, options: Options) -> tuple[Unit, Fitting]:
    """Return family and link, and what fits them: `estimate` where every parameter of the family is given.

    The unit of a family whose parameter is to be estimated has it at a provisional value.

    Raises
    ------
    FamilyError, LinkError
        If a name is unknown, or the family cannot have the link.
    OptionError
        If an option cannot be had with an estimated parameter.
    """
    member = catalogue.stated(family)
    if not member.unknown:
        return catalogue.unit(member, link), estimate
    known = WAYS[member.unknown]
    unit = catalogue.unit(member.at(known.meanwhile), link)
    if member.unknown in getattr(unit.link, "__slots__", ()):
        raise LinkError(
            f"the link {unit.link.name!r} has a {member.unknown} of its own, so that of the family cannot be "
            "estimated beside it: use the log link, or give both"
        )
    if isinstance(options.dispersion, str) and options.dispersion not in known.dispersions:
        listed = ", ".join(map(repr, known.dispersions))
        raise OptionError(
            f"dispersion={options.dispersion!r} cannot be had with an estimated {member.unknown}: choose "
            f"{listed}, a number, or leave it out"
        )
    return unit, known.fitting
