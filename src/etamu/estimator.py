"""The scikit-learn face: GLMRegressor and GLMClassifier, with the statistical Fit inside as `fit_`.

May import: scikit-learn, everything below `estimator`; never `etamu.api`.
Read next: `etamu.fit.arrays`, the door both pass through.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np

from etamu._base.errors import DataError, EtamuError, OptionError
from etamu._base.types import Array
from etamu.family import catalogue
from etamu.family.family import Family
from etamu.family.link import Link
from etamu.family.unit import Unit
from etamu.family.vector import VectorFamily
from etamu.fit.arrays import Shape, from_arrays, keywords_of
from etamu.fit.inputs import Keywords
from etamu.fit.problem import Options, Problem, check_options
from etamu.fit.result import Fit
from etamu.fit.score import explained
from etamu.fit.shaped import fitted, stated
from etamu.vector import arrays as several_arrays
from etamu.vector.result import VectorFit

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.metrics import accuracy_score, r2_score
    from sklearn.utils.multiclass import check_classification_targets, type_of_target
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    message = "etamu.estimator needs scikit-learn 1.6 or later: pip install etamu[sklearn]"
    raise ImportError(message) from error

SPARSE = ("csr", "csc", "coo")
"""Formats of sparse matrices taken as they come; others are converted to the first."""


class GLMRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A generalized linear model as a scikit-learn regressor.

    E(y) = mu with g(mu) = eta = X coef_ + intercept_ (+ offset) and Var(y) = phi V(mu).

    Parameters
    ----------
    family : str or Family
        ``"poisson"``, ``em.Gamma()``, ``em.Tweedie(power=1.5)``, …; of families of several linear predictors,
        such as ``em.Beta()`` or ``em.ZeroInflatedPoisson()``, the columns are those of the mean.
    link : str or Link, optional
        The canonical link of the family if left out.
    fit_intercept : bool
        Whether a column of ones comes first.
    dispersion : None, "pearson", "deviance", "ml" or float
        How phi is found; it changes standard errors, never predictions.
    covariance : None, "model", "observed", "HC0", …, "HC4" or "HAC"
    solver : "newton", "irls", "gradient" or "lbfgs"
    on_separation : "warn", "error", "drop" or "firth"
        What happens where no finite estimate exists; see `glm`.
    sample_weight_kind : "variance", "frequency" or "sampling"
        What `sample_weight` means: known precision, number of identical rows (whole numbers), or survey
        weight. Coefficients and predictions are the same for all three; standard errors are not.
    method : "ml", "firth", "median", "mixed" or "jeffreys"
        Maximum likelihood, or estimates of reduced bias; see `etamu.glm`.

    Attributes
    ----------
    fit_ : Fit, or VectorFit for a family of several linear predictors
        The statistical fit: standard errors, tests, residuals, summary.
    coef_ : array (n_features,)
        An aliased column has 0 here, so that X coef_ + intercept_ is eta, and NaN in ``fit_.coef``.
    intercept_ : float
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : array of str
        Where X had column names; they are the names of the coefficients of `fit_`.

    Examples
    --------
    >>> from etamu.estimator import GLMRegressor
    >>> model = GLMRegressor(family="poisson").fit([[0.0], [1.0], [2.0], [3.0]], [1, 3, 4, 9])
    >>> model.coef_.round(4), round(model.intercept_, 4)
    (array([0.6574]), 0.2057)
    >>> model.predict([[4.0]]).round(2)
    array([17.03])
    """

    def __init__(
        self,
        family: str | Family = "gaussian",
        link: str | Link | None = None,
        *,
        fit_intercept: bool = True,
        dispersion: str | float | None = None,
        covariance: str | None = None,
        solver: str = "newton",
        on_separation: str = "warn",
        sample_weight_kind: str = "variance",
        method: str = "ml",
    ) -> None:
        self.family = family
        self.link = link
        self.fit_intercept = fit_intercept
        self.dispersion = dispersion
        self.covariance = covariance
        self.solver = solver
        self.on_separation = on_separation
        self.sample_weight_kind = sample_weight_kind
        self.method = method

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, offset: Any = None, exposure: Any = None
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array or sparse matrix (n, n_features), or data frame of numbers
        y : array (n,)
        sample_weight : array (n,), optional
        offset : array (n,), optional
            Added to eta; give it again to `predict`.
        exposure : array (n,), optional
            Its log is added to eta; log link only; give it again to `predict`.
        """
        several = catalogue.several(self.family, self.link)
        if several is not None and several.categorical:
            raise OptionError(f"the {several.name} family has classes: use GLMClassifier(family=...)")
        if several is None:
            unit, unknown = stated(self.family, self.link, _options(self))
        X, y = validate_data(self, X, y, accept_sparse=SPARSE, y_numeric=True)
        keywords = keywords_of(self.sample_weight_kind, sample_weight, offset, exposure)
        if several is not None:
            self.fit_: Any = _fitted_several(self, X, y, several, keywords)
            return self
        self.fit_ = fitted(replace(_problem(self, X, y, unit, keywords), unknown=unknown))
        return self

    def predict(self, X: Any, *, offset: Any = None, exposure: Any = None) -> Array:
        """Predict the mean of y.

        Parameters
        ----------
        X : array or sparse matrix (n, n_features)
        offset, exposure : array (n,), required where the fit had them

        Returns
        -------
        array (n,)
        """
        X = _checked(self, X)
        return np.asarray(self.fit_.predict(X, offset=offset, exposure=exposure))

    def score(
        self, X: Any, y: Any, sample_weight: Any = None, *, offset: Any = None, exposure: Any = None
    ) -> float:
        """Compute D², the share of the deviance explained; R² for a Gaussian with identity link.

        For a family of several linear predictors R², the share of the squared error of the mean.

        Parameters
        ----------
        X : array or sparse matrix (n, n_features)
        y : array (n,)
        sample_weight, offset, exposure : array (n,), optional

        Returns
        -------
        float
            At most 1; negative where a constant would predict better.
        """
        X = _checked(self, X)
        if isinstance(self.fit_, VectorFit):
            mean = self.fit_.predict(X, offset=offset, exposure=exposure)
            return float(r2_score(y, mean, sample_weight=sample_weight))
        keywords = Keywords(offset=offset, exposure=exposure, variance_weights=sample_weight)
        return explained(self.fit_, X, np.asarray(y), keywords)

    @property
    def coef_(self) -> Array:
        """Coefficients of the columns, 0 where aliased."""
        return _slopes(self.fit_)

    @property
    def intercept_(self) -> float:
        """Coefficient of the column of ones, 0 without one."""
        return _constant(self.fit_)

    @property
    def n_iter_(self) -> int:
        """Steps the solver took."""
        return int(self.fit_.iterations)

    def __sklearn_tags__(self) -> Any:
        tags = RegressorMixin.__sklearn_tags__(self)
        tags.input_tags.sparse = True
        try:
            several = catalogue.several(self.family, self.link)
            known = several or stated(self.family, self.link, _options(self))[0].family
            support = known.support
        except EtamuError:
            return tags  # a wrong name is refused by fit, not while somebody asks for tags
        tags.target_tags.positive_only = not bool(support.contains(np.float64(-1.0)))
        return tags


class GLMClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A generalized linear model of classes as a scikit-learn classifier.

    Of two classes, P(y = classes_[1]) = mu with g(mu) = eta = X coef_ + intercept_ (+ offset); of more by a
    multinomial or ordinal family.

    Parameters
    ----------
    link : str or Link
        Of the binomial: ``"logit"``, ``"probit"``, ``"cloglog"``, ``"loglog"``, ``"cauchit"``, …; other
        families carry their own.
    fit_intercept : bool
        Whether a column of ones comes first.
    covariance : None, "model", "observed", "HC0", …, "HC4" or "HAC"
    solver : "newton", "irls", "gradient" or "lbfgs"
    on_separation : "warn", "error", "drop" or "firth"
        What happens where no finite estimate exists; see `glm`.
    sample_weight_kind : "variance", "frequency" or "sampling"
        What `sample_weight` means; see `GLMRegressor`.
    method : "ml", "firth", "median", "mixed" or "jeffreys"
        Maximum likelihood, or estimates of reduced bias, which are finite where the classes separate.
    family : str or Family
        ``"binomial"`` for two classes; for more ``em.Multinomial()``, ``em.Cumulative()``,
        ``em.ContinuationRatio()`` or ``em.AdjacentCategory()``, whose classes are in the order of `classes_`
        unless they name them themselves (``levels=``).

    Attributes
    ----------
    fit_ : Fit, or VectorFit for a family of several linear predictors
        The statistical fit: standard errors, tests, residuals, summary.
    classes_ : array (n_classes,)
    coef_ : array (1, n_features), of a multinomial (n_classes, n_features)
        An aliased column has 0 here and NaN in ``fit_.coef``; the reference class has zeros.
    intercept_ : array (1,); of a multinomial (n_classes,), of an ordinal family its thresholds
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : array of str

    Examples
    --------
    >>> from etamu.estimator import GLMClassifier
    >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0]], ["no", "no", "yes", "no", "yes"]
    >>> model = GLMClassifier().fit(X, y)
    >>> model.predict([[0.0], [4.0]]).tolist()
    ['no', 'yes']
    >>> model.predict_proba([[4.0]]).round(3)
    array([[0.174, 0.826]])

    >>> import etamu as em
    >>> taste = ["bad", "good", "bad", "fine", "good", "good", "fine", "bad", "fine"]
    >>> salt = [[5.0], [3.0], [2.0], [3.0], [2.0], [1.0], [2.0], [4.0], [4.0]]
    >>> GLMClassifier(family=em.Multinomial()).fit(salt, taste).predict([[1.0], [5.0]]).tolist()
    ['good', 'bad']
    """

    def __init__(
        self,
        link: str | Link = "logit",
        *,
        fit_intercept: bool = True,
        covariance: str | None = None,
        solver: str = "newton",
        on_separation: str = "warn",
        sample_weight_kind: str = "variance",
        method: str = "ml",
        family: str | Family | VectorFamily = "binomial",
    ) -> None:
        self.family = family
        self.link = link
        self.fit_intercept = fit_intercept
        self.covariance = covariance
        self.solver = solver
        self.on_separation = on_separation
        self.sample_weight_kind = sample_weight_kind
        self.method = method

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, offset: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array or sparse matrix (n, n_features), or data frame of numbers
        y : array (n,)
            Labels of classes; of two for the binomial family.
        sample_weight : array (n,), optional
        offset : array (n,), optional
            Added to eta; give it again to predict.
        """
        several = several_arrays.of_classes(self.family)
        unit = catalogue.unit("binomial", self.link)
        X, y = validate_data(self, X, y, accept_sparse=SPARSE)
        keywords = keywords_of(self.sample_weight_kind, sample_weight, offset, None)
        if several is not None:
            check_classification_targets(y)
            self.classes_, codes = np.unique(y, return_inverse=True)
            names = np.array([str(label) for label in self.classes_], dtype=object)
            _refuse_few(self.classes_)
            known = several if several.settings["levels"] else replace(several, levels=tuple(names))
            self.fit_: Any = _fitted_several(self, X, names[codes], known, keywords)
            return self
        self.classes_, second = _two_classes(y)
        problem = _problem(self, X, second.astype(np.float64), unit, keywords)
        _refuse_one_class(problem)
        self.fit_ = fitted(problem)
        return self

    def decision_function(self, X: Any, *, offset: Any = None) -> Array:
        """Compute eta less the eta of even odds, g(mu) - g(1/2): positive where classes_[1] is predicted.

        Parameters
        ----------
        X : array or sparse matrix (n, n_features)
        offset : array (n,), required where the fit had one

        Returns
        -------
        array (n,)
            For the logit, probit and cauchit links eta itself, since there g(1/2) = 0. Of a family of several
            linear predictors the log-probabilities (n, n_classes), or of two classes the log odds.
        """
        if self._several():
            with np.errstate(divide="ignore"):
                logs = np.log(self.predict_proba(X, offset=offset))
            return logs[:, 1] - logs[:, 0] if len(self.classes_) == 2 else logs
        half = np.asarray(0.5)
        even = np.asarray(self._unit().link.link(np, half, half))
        return np.asarray(self._eta(X, offset) - even)

    def predict_proba(self, X: Any, *, offset: Any = None) -> Array:
        """Compute the probabilities of all classes, accurate in both tails.

        Parameters
        ----------
        X : array or sparse matrix (n, n_features)
        offset : array (n,), required where the fit had one

        Returns
        -------
        array (n, n_classes)
            In the order of `classes_`.
        """
        if self._several():
            levels = self.fit_.family.settings["levels"]
            order = [levels.index(str(label)) for label in self.classes_]
            return np.asarray(self.fit_.predict(_checked(self, X), offset=offset))[:, order]
        eta = self._eta(X, offset)
        with np.errstate(all="ignore"):
            mean = self._unit().mean(np, eta)
        return np.column_stack([mean.complement, mean.mu])

    def predict(self, X: Any, *, offset: Any = None) -> Any:
        """Predict the class that is more probable.

        Parameters
        ----------
        X : array or sparse matrix (n, n_features)
        offset : array (n,), required where the fit had one

        Returns
        -------
        array (n,) of labels
        """
        if self._several():
            return self.classes_[np.argmax(self.predict_proba(X, offset=offset), axis=1)]
        second = self.decision_function(X, offset=offset) > 0
        return self.classes_[second.astype(np.intp)]

    def score(self, X: Any, y: Any, sample_weight: Any = None, *, offset: Any = None) -> float:
        """Compute the accuracy, the share of rows whose class is predicted.

        Parameters
        ----------
        X : array or sparse matrix (n, n_features)
        y : array (n,)
        sample_weight, offset : array (n,), optional
        """
        return float(accuracy_score(y, self.predict(X, offset=offset), sample_weight=sample_weight))

    def _several(self) -> bool:
        """Tell whether the fit has several linear predictors, whatever was set on the estimator since."""
        check_is_fitted(self)
        return isinstance(self.fit_, VectorFit)

    def _unit(self) -> Unit:
        """Return family and link of the fit, whatever was set on the estimator since."""
        check_is_fitted(self)
        unit: Unit = self.fit_.problem.unit
        return unit

    def _eta(self, X: Any, offset: Any) -> Array:
        X = _checked(self, X)
        return np.asarray(self.fit_.predict(X, kind="link", offset=offset))

    @property
    def coef_(self) -> Array:
        """Coefficients of the columns, (1 or n_classes, n_features), 0 where aliased."""
        if self._several():
            return several_arrays.slopes_by_class(self.fit_, [*map(str, self.classes_)])
        return _slopes(self.fit_)[None, :]

    @property
    def intercept_(self) -> Array:
        """Coefficients of the column of ones, 0 without one; of an ordinal family its thresholds."""
        if self._several():
            return several_arrays.constants_by_class(self.fit_, [*map(str, self.classes_)])
        return np.array([_constant(self.fit_)])

    @property
    def n_iter_(self) -> int:
        """Steps the solver took."""
        return int(self.fit_.iterations)

    def __sklearn_tags__(self) -> Any:
        tags = ClassifierMixin.__sklearn_tags__(self)
        tags.input_tags.sparse = True
        several = catalogue.several(self.family, None)
        tags.classifier_tags.multi_class = several is not None
        # Classes without an order are not for an ordinal family, however well they are apart.
        tags.classifier_tags.poor_score = bool(getattr(several, "ordered", False))
        return tags


def _problem(estimator: Any, X: Any, y: Array, unit: Unit, keywords: Keywords) -> Problem:
    """State the problem of checked arrays with the options an estimator has."""
    options = _options(estimator)
    check_options(options, "raise")
    shape = Shape(estimator.fit_intercept, getattr(estimator, "feature_names_in_", None))
    return from_arrays(X, y, unit, keywords, "raise", options, shape)


def _options(estimator: Any) -> Options:
    dispersion = getattr(estimator, "dispersion", None)
    return Options(
        dispersion,
        estimator.covariance,
        estimator.solver,
        method=estimator.method,
        on_separation=estimator.on_separation,
    )


def _checked(estimator: Any, X: Any) -> Any:
    """Check new rows as scikit-learn does: fitted, finite, the same columns in the same order."""
    check_is_fitted(estimator)
    return validate_data(estimator, X, accept_sparse=SPARSE, reset=False)


def _fitted_several(estimator: Any, X: Any, y: Any, family: VectorFamily, keywords: Keywords) -> Any:
    """Fit a family of several linear predictors with the options an estimator has."""
    shape = Shape(estimator.fit_intercept, getattr(estimator, "feature_names_in_", None))
    return several_arrays.fitted(X, y, family, keywords, _options(estimator), shape)


def _refuse_few(classes: Any) -> None:
    if len(classes) < 2:
        raise DataError(f"y has one class only, {classes[0]!r}; a classifier needs rows of two classes")


def _slopes(fit: Fit | VectorFit) -> Array:
    if isinstance(fit, VectorFit):
        return several_arrays.slopes(fit)
    first = int(fit.problem.layout.constant is not None)
    return np.nan_to_num(fit.coef[first:], nan=0.0, posinf=np.inf, neginf=-np.inf)


def _constant(fit: Fit | VectorFit) -> float:
    if isinstance(fit, VectorFit):
        return several_arrays.constant(fit)
    return 0.0 if fit.problem.layout.constant is None else float(fit.coef[0])


def _two_classes(y: Any) -> tuple[Any, Any]:
    """Return the two labels, sorted, and for every row whether it is the second."""
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y", raise_unknown=True)
    if kind != "binary":
        raise DataError(
            f"Only binary classification is supported. The type of the target is {kind}; for more than two "
            "classes give GLMClassifier(family=em.Multinomial()), or an ordinal family"
        )
    return np.unique(y, return_inverse=True)


def _refuse_one_class(problem: Problem) -> None:
    second = problem.counting().y[0]
    if len(second) and (second == second[0]).all():
        where = "y has" if problem.counted.all() else "the rows of positive sample_weight have"
        raise DataError(f"{where} one class only; a binary classifier needs rows of two classes")
