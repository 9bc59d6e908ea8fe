"""The doors: a formula and a table, or arrays, in; a Fit out.

May import: everything below.
Read next: `etamu.fit.assemble`, then `etamu.fit.estimate`: the path of one fit.
"""

from __future__ import annotations

from typing import Any

from etamu._base.errors import OptionError
from etamu._base.types import Array
from etamu.family import catalogue
from etamu.family.family import Family
from etamu.family.link import Link
from etamu.family.unit import Unit
from etamu.fit.assemble import from_formula
from etamu.fit.estimate import estimate
from etamu.fit.inputs import Keywords
from etamu.fit.problem import Options
from etamu.fit.result import Fit

BARE_WEIGHTS = (
    "there is no bare weights=, because the word has three meanings with three different standard errors: "
    "frequency_weights (the row stands for k identical rows), variance_weights (Var(y) = phi V(mu) / w, "
    "known precision, what R's glm calls weights), sampling_weights (the row represents w members of a "
    "population). Choose one"
)


def glm(
    formula: str,
    data: Any,
    family: str | Family = "gaussian",
    link: str | Link | None = None,
    *,
    offset: Any = None,
    exposure: Any = None,
    trials: Any = None,
    frequency_weights: Any = None,
    variance_weights: Any = None,
    sampling_weights: Any = None,
    dispersion: str | float | None = None,
    covariance: str | None = None,
    missing: str = "drop",
    start: Array | None = None,
    solver: str = "newton",
    **others: Any,
) -> Fit:
    """Fit a generalized linear model.

    The response y has mean mu and variance phi V(mu) / w; g(mu) = eta = x' beta + offset.

    Parameters
    ----------
    formula : str
        Such as ``"claims ~ C(region) + age"``.
    data : pandas, Polars or PyArrow table, dict of arrays, anything narwhals reads
    family : str or Family
        ``"poisson"``, ``em.Gamma()``, ``em.NegativeBinomial(theta=2)``, …; see `families`.
    link : str or Link, optional
        ``"log"``, ``em.Power(1/3)``, …; the canonical link of the family if left out.
    offset : column name or array, optional
        Added to eta.
    exposure : column name or array, optional
        Its log is added to eta; log link only.
    trials : column name or array, optional
        Number of trials of which the response counts successes.
    frequency_weights, variance_weights, sampling_weights : column name or array, optional
        The row stands for k rows; Var(y) = phi V(mu) / w; the row represents s of a population.
    dispersion : None, "pearson", "deviance", "ml" or float
        How phi is found; None: 1 where the family knows it, else Pearson.
    covariance : None, "model", "observed", "HC0" or "HC1"
        None: model; with sampling weights a sandwich.
    missing : "drop" or "raise"
        What happens to rows with missing values; dropped rows are counted and said.
    start : array, optional
        Coefficients to start from, in the order of the names.
    solver : "newton", "irls", "gradient" or "lbfgs"

    Returns
    -------
    Fit

    Raises
    ------
    FormulaError, DataError, FamilyError, LinkError, OptionError
        Before any work is done, naming what is wrong and the remedy.

    References
    ----------
    McCullagh and Nelder (1989), *Generalized Linear Models*, 2nd edition.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"dead": [6, 13, 18, 28, 52], "n": [59, 60, 62, 56, 63], "dose": [1.69, 1.72, 1.76, 1.78, 1.81]}
    >>> fit = em.glm("dead ~ dose", data, family="binomial", trials="n")
    >>> fit.converged
    True
    """
    _refuse_others(others)
    unit = unit_of(family, link)
    keywords = Keywords(offset, exposure, trials, frequency_weights, variance_weights, sampling_weights)
    options = Options(dispersion, covariance, solver, start)
    check_options(options, missing)
    return estimate(from_formula(formula, data, unit, keywords, missing, options))


def unit_of(family: str | Family, link: str | Link | None) -> Unit:
    """Pair a family and a link given by name or value.

    Examples
    --------
    >>> str(unit_of("poisson", None))
    'poisson with log link'
    """
    member = catalogue.family(family) if isinstance(family, str) else family
    if link is None:
        return Unit(member, member.default_link)
    return Unit(member, catalogue.link(link) if isinstance(link, str) else link)


def check_options(options: Options, missing: str) -> None:
    """Refuse options nobody understands, before any data are read."""
    choices: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "missing": (missing, ("drop", "raise")),
        "solver": (options.solver, ("newton", "irls", "gradient", "lbfgs")),
        "covariance": (options.covariance, (None, "model", "observed", "HC0", "HC1")),
    }
    for keyword, (value, known) in choices.items():
        if value not in known:
            raise OptionError(
                f"{keyword}={value!r} is not known; choose one of {', '.join(map(repr, known))}"
            )
    phi = options.dispersion
    if isinstance(phi, str):
        understood = phi in {"pearson", "deviance", "ml"}
    else:
        understood = phi is None or (phi > 0 and phi < float("inf"))
    if not understood:
        raise OptionError(
            f"dispersion={phi!r} is not understood; give None, 'pearson', 'deviance', 'ml' or a positive number"
        )


def _refuse_others(others: dict[str, Any]) -> None:
    if "weights" in others:
        raise OptionError(BARE_WEIGHTS)
    if others:
        unknown = ", ".join(others)
        raise OptionError(f"glm has no keyword {unknown}; see help(etamu.glm)")
