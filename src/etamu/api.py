"""The doors: a formula and a table, or arrays, in; a Fit out.

May import: everything below.
Read next: `etamu.fit.assemble` and `etamu.fit.arrays`, then `etamu.fit.estimate`: the path of one fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY
from typing import TYPE_CHECKING, Any, cast, overload

from etamu._base.choice import check_choice
from etamu._base.errors import OptionError
from etamu._base.facts import dataclass, replace
from etamu._base.later import later
from etamu._base.listing import closest
from etamu._base.types import Array
from etamu.family import catalogue
from etamu.family.family import Family
from etamu.family.link import Link
from etamu.fit.arrays import Shape, from_arrays
from etamu.fit.assemble import from_formula
from etamu.fit.inputs import Keywords
from etamu.fit.problem import Options, Problem, check_options
from etamu.fit.result import Fit
from etamu.fit.shaped import fitted, fitted_unread, stated

if TYPE_CHECKING:
    from etamu.family.vector import VectorFamily
    from etamu.vector.assemble import from_arrays as from_arrays_several
    from etamu.vector.assemble import from_formulas, refuse_for_several
    from etamu.vector.modelled import estimate_several, several_of
    from etamu.vector.result import VectorFit
else:
    from_arrays_several = later("etamu.vector.assemble", "from_arrays")
    from_formulas = later("etamu.vector.assemble", "from_formulas")
    refuse_for_several = later("etamu.vector.assemble", "refuse_for_several")
    estimate_several = later("etamu.vector.modelled", "estimate_several")
    several_of = later("etamu.vector.modelled", "several_of")

BARE_WEIGHTS = (
    "there is no bare weights=, because the word has three meanings with three different standard errors: "
    "frequency_weights (the row stands for k identical rows), variance_weights (Var(y) = phi V(mu) / w, "
    "known precision, what R's glm calls weights), sampling_weights (the row represents w members of a "
    "population). Choose one"
)

OF_OTHERS = frozenset({"weights", "weight", "sample_weight", "sample_weights", "prior_weights"})
"""What other libraries call weights of one kind or another."""


@overload
def glm(
    formula: str, data: Any, family: VectorFamily, link: str | Link | None = ..., **keywords: Any
) -> VectorFit: ...


@overload
def glm(
    formula: str, data: Any, family: str | Family = ..., link: str | Link | None = ..., **keywords: Any
) -> Fit: ...


def glm(
    formula: str,
    data: Any,
    family: str | Family | VectorFamily = "gaussian",
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
    method: str = "ml",
    precision: str = "double",
    on_separation: str = "warn",
    predictors: Mapping[str, str] | None = None,
    dispersion_method: str = "ml",
    **others: Any,
) -> Any:
    """Fit a generalized linear model.

    The response y has mean mu and variance phi V(mu) / w; g(mu) = eta = x' beta + offset.

    Parameters
    ----------
    formula : str
        Such as ``"claims ~ C(region) + age"``.
    data : pandas, Polars or PyArrow table, dict of arrays, anything narwhals reads
    family : str or Family
        ``"poisson"``, ``em.Gamma()``, ``em.NegativeBinomial(theta=2)``, …; see `families`. Without its theta
        or power a negative binomial or Tweedie family has it estimated: ``fit.shape``.
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
    dispersion : None, "pearson", "deviance", "ml", float, or a formula
        How phi is found; None: 1 where the family knows it, else Pearson. A formula ``"~ region"`` models log
        phi by a second linear predictor (gaussian, gamma, inverse_gaussian, tweedie with its power given).
    covariance : None, "model", "observed", "HC0", …, "HC4" or "HAC"
        None: model; with sampling weights a sandwich.
    missing : "drop" or "raise"
        What happens to rows with missing values; dropped rows are counted and said.
    start : array, optional
        Coefficients to start from, in the order of the names.
    solver : "newton", "irls", "gradient" or "lbfgs"
    method : "ml", "firth", "median", "mixed" or "jeffreys"
        Maximum likelihood; scores adjusted for mean bias, for median bias, or for mean bias in beta and
        median bias in phi; the likelihood penalised by Jeffreys' prior. In a logistic model all but "ml" are
        finite where the data separate.
    precision : "double" or "extended"
        Extended sums the score in twice the precision, for columns so nearly dependent that rounding shows.
    on_separation : "warn", "error", "drop" or "firth"
        Where no finite estimate exists: name what runs away and return the limit; raise; leave the
        separated rows out and fit again; or fit again by ``method="firth"``.
    predictors : mapping of str to str, optional
        Formulas of further linear predictors, ``{"zero": "~ child"}``, or ``{"theta": "~ region"}`` of a
        negative binomial family.
    dispersion_method : "ml" or "reml"
        Of a modelled dispersion: maximum likelihood, or adjusted for the coefficients of the mean.

    Returns
    -------
    Fit, or VectorFit for a family of several linear predictors

    Raises
    ------
    FormulaError, DataError, FamilyError, LinkError, OptionError
        Before any work is done, naming what is wrong and the remedy.
    SeparationError
        If no finite estimate exists and `on_separation` is "error".

    References
    ----------
    McCullagh and Nelder (1989), *Generalized Linear Models*, 2nd edition.

    Examples
    --------
    >>> import etamu as em
    >>> dose = [1.69, 1.72, 1.76, 1.78, 1.81]
    >>> data = {"dead": [6, 13, 18, 28, 52], "n": [59, 60, 62, 56, 63], "dose": dose}
    >>> fit = em.glm("dead ~ dose", data, family="binomial", trials="n")
    >>> fit.converged
    True
    """
    _refuse_others("glm", others, glm)
    keywords = Keywords(offset, exposure, trials, frequency_weights, variance_weights, sampling_weights)
    phi, of_phi = _stated_dispersion(dispersion, dispersion_method, predictors)
    options = Options(
        phi,
        covariance,
        solver,
        start,
        method=method,
        precision=precision,
        on_separation=on_separation,
    )
    check_options(options, missing)
    if predictors or of_phi or catalogue.several(family, link) is not None:
        several, further = several_of(family, link, predictors or {}, of_phi, dispersion_method)
        refuse_for_several(several, options)
        return estimate_several(from_formulas(formula, further, data, several, keywords, missing, options))
    unit, unknown = stated(cast("str | Family", family), link, options)
    return fitted(replace(from_formula(formula, data, unit, keywords, missing, options), unknown=unknown))


@dataclass(frozen=True, slots=True)
class GLM:
    """A generalized linear model for arrays: what it is, before any data.

    Parameters
    ----------
    family : str or Family
        ``"poisson"``, ``em.Gamma()``, …; see `families`.
    link : str or Link, optional
        ``"log"``, ``em.Power(1/3)``, …; the canonical link of the family if left out.
    dispersion : None, "pearson", "deviance", "ml", float, or a formula
        How phi is found; None: 1 where the family knows it, else Pearson. A formula as for `glm`, where X is
        a table.
    covariance : None, "model", "observed", "HC0", …, "HC4" or "HAC"
        None: model; with sampling weights a sandwich.
    missing : "drop" or "raise"
        What happens to rows with missing values; dropped rows are counted and said.
    solver : "newton", "irls", "gradient" or "lbfgs"
    method : "ml", "firth", "median", "mixed" or "jeffreys"
    precision : "double" or "extended"
        Both as for `glm`.
    on_separation : "warn", "error", "drop" or "firth"
        Where no finite estimate exists; as for `glm`.
    dispersion_method : "ml" or "reml"
        As for `glm`.

    Examples
    --------
    >>> import etamu as em
    >>> fit = em.GLM(family="poisson").fit([[0.0], [1.0], [2.0], [3.0]], [1, 3, 4, 9])
    >>> fit.names
    ('Intercept', 'x0')
    >>> fit.coef.round(4)
    array([0.2057, 0.6574])
    """

    family: str | Family = "gaussian"
    link: str | Link | None = None
    _: KW_ONLY
    dispersion: str | float | None = None
    covariance: str | None = None
    missing: str = "drop"
    solver: str = "newton"
    method: str = "ml"
    precision: str = "double"
    on_separation: str = "warn"
    dispersion_method: str = "ml"

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        intercept: bool = True,
        offset: Any = None,
        exposure: Any = None,
        trials: Any = None,
        frequency_weights: Any = None,
        variance_weights: Any = None,
        sampling_weights: Any = None,
        start: Array | None = None,
        names: Sequence[str] | None = None,
        predictors: Mapping[str, str] | None = None,
        **others: Any,
    ) -> Any:
        """Fit the model to columns of numbers, or to the columns of a table.

        Parameters
        ----------
        X : array (n, p), scipy sparse matrix or array, or table
            Sparse columns stay sparse. Of a table, numbers enter as they are and categories, text and
            truth values by treatment contrasts; a column that a keyword names is not a predictor.
        y : array (n,)
        intercept : bool
            Whether a column of ones comes first.
        offset, exposure, trials : array (n,), or column name where X is a table
            As for `glm`.
        frequency_weights, variance_weights, sampling_weights : array (n,), or column name of a table
            As for `glm`.
        start : array, optional
            Coefficients to start from, in the order of the names.
        names : sequence of str, optional
            Names of the columns of a matrix; x0, x1, … if left out.
        predictors : mapping of str to str, optional
            As for `glm`, where X is a table.

        Returns
        -------
        Fit, or VectorFit for a family of several linear predictors
            Its `predict` takes X as it was given here.

        Raises
        ------
        DataError, FamilyError, LinkError, OptionError
            Before any work is done, naming what is wrong and the remedy.

        Examples
        --------
        >>> import etamu as em
        >>> table = {"dose": [1.69, 1.72, 1.76, 1.78, 1.81], "n": [59, 60, 62, 56, 63]}
        >>> fit = em.GLM(family="binomial").fit(table, [6, 13, 18, 28, 52], trials="n")
        >>> fit.names
        ('Intercept', 'dose')
        """
        _refuse_others("GLM.fit", others, GLM.fit)
        keywords = Keywords(offset, exposure, trials, frequency_weights, variance_weights, sampling_weights)
        phi, of_phi = _stated_dispersion(self.dispersion, self.dispersion_method, predictors)
        options = Options(
            phi,
            self.covariance,
            self.solver,
            start,
            method=self.method,
            precision=self.precision,
            on_separation=self.on_separation,
        )
        check_options(options, self.missing)
        shape = Shape(intercept, names)
        if predictors or of_phi or catalogue.several(self.family, self.link) is not None:
            several, further = several_of(
                self.family, self.link, predictors or {}, of_phi, self.dispersion_method
            )
            refuse_for_several(several, options)
            return estimate_several(
                from_arrays_several(X, y, several, keywords, self.missing, options, shape, further)
            )
        unit, unknown = stated(self.family, self.link, options)

        def state(*, read: bool) -> Problem:
            problem = from_arrays(X, y, unit, keywords, self.missing, options, shape, read=read)
            return replace(problem, unknown=unknown)

        return fitted_unread(state)


def _stated_dispersion(
    given: str | float | None, method: str, predictors: Mapping[str, str] | None
) -> tuple[str | float | None, str | None]:
    """Tell how phi is found, and the formula of its predictor: one of them is None."""
    if predictors is not None and not isinstance(predictors, Mapping):
        raise OptionError(
            f"predictors={predictors!r} is a {type(predictors).__name__}; give a formula for each by name, "
            "such as {'zero': '~ x'}"
        )
    check_choice("dispersion_method", method, ("ml", "reml"))
    formula = given if isinstance(given, str) and "~" in given else None
    if method != "ml" and formula is None and "dispersion" not in (predictors or {}):
        raise OptionError(
            f"dispersion_method={method!r} is about a modelled dispersion: give dispersion='~ z'"
        )
    return (given, None) if formula is None else (None, formula)


def _refuse_others(door: str, others: dict[str, Any], doing: Callable[..., Any]) -> None:
    """Refuse keywords that a door does not have, and say which was meant."""
    if others:
        from inspect import signature

        unknown = ", ".join(others)
        meant = closest(next(iter(others)), [*signature(doing).parameters], 0.75)
        if OF_OTHERS & others.keys() or (meant is None and any("weight" in other for other in others)):
            raise OptionError(BARE_WEIGHTS)
        guess = f"; did you mean {meant}?" if meant else ";"
        raise OptionError(f"{door} has no keyword {unknown}{guess} see help(etamu.{door})")
