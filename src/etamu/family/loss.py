"""The loss of a family and a link: what a gradient method of any framework minimises, with its derivatives.

May import: _base, family.catalogue, family.family, family.link, family.unit, family.vector.
Read next: `etamu.family.unit`, whose value, score and information these are with the sign turned.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple, cast, final

import numpy as np

from etamu._base.errors import OptionError
from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Namespace
from etamu.family import catalogue
from etamu.family.family import Family
from etamu.family.link import Link
from etamu.family.unit import Unit
from etamu.family.vector import VectorFamily


class Losses(NamedTuple):
    """The loss of each row, and its first and second derivative in eta."""

    value: AnyArray
    gradient: AnyArray
    hessian: AnyArray


@final
@dataclass(frozen=True, slots=True)
class Loss:
    """Half the unit deviance of each row, times its weight over phi; made by `loss`.

    Of a family of several predictors eta is (n, k), the gradient (n, k) and the Hessian (n, k, k): softmax
    cross-entropy is the loss of `Multinomial`, its classes numbered from 0, the first the reference.

    It differs from minus the log-likelihood by the saturated term, which holds y and phi and no eta: the
    gradient and the Hessian are those of minus the log-likelihood.
    """

    unit: Unit | VectorFamily
    information: str = "observed"

    def __call__(
        self, y: Any, eta: AnyArray, weights: AnyArray | None = None, phi: float | AnyArray = 1.0
    ) -> Losses:
        """Compute the loss of each row.

        Parameters
        ----------
        y : array, or tuple of arrays
            The response; (successes, trials) for a binomial one; of classes their numbers, or their
            counts (n, classes), such as one-hot rows.
        eta : array
            The linear predictor, or the raw score of a network or a booster.
        weights : array, optional
            Weights of the rows.
        phi : number or array
            Dispersion.

        Raises
        ------
        OptionError
            If the arrays are not those of this family, or phi is not positive.
        """
        xp = namespace_of(eta)
        family: Any = getattr(self.unit, "family", self.unit)
        columns = tuple(_number(xp, each) for each in (y if type(y) is tuple else (y,)))
        if getattr(family, "categorical", False) and columns[0].ndim == 2:
            columns = tuple(columns[0][:, j] for j in range(columns[0].shape[1]))
        _refuse_columns(family, columns, eta)
        if isinstance(phi, (int, float)) and not phi > 0.0:
            raise OptionError(f"phi={phi!r}: a dispersion is a positive number")
        value, score, information = self.unit.bind(xp, self.information)(columns, eta)
        if getattr(family, "categorical", False) and len(columns) == 1:
            number, most = columns[0], score.shape[1] - (1 if family.ordered else 0)
            known = (number >= 0) & (number <= most) & (number == xp.floor(number))
            value = xp.where(known, value, xp.nan)  # a class that is not there: no number is its loss
            score = xp.where(known[:, None], score, xp.nan)
        scale: Any = 1.0 / phi if weights is None else weights / phi
        if getattr(scale, "ndim", 0) == 0 or value.ndim == score.ndim:
            return Losses(-value * scale, -score * scale, information * scale)
        return Losses(-value * scale, -score * scale[:, None], information * scale[:, None, None])

    def __str__(self) -> str:
        return f"loss of {self.unit}"


def _number(xp: Namespace, column: Any) -> AnyArray:
    """Return a column as an array of floats: whole numbers such as classes are no floats everywhere."""
    array = column if hasattr(column, "dtype") else xp.asarray(column)
    floating = not hasattr(xp, "isdtype") or xp.isdtype(array.dtype, "real floating")
    return array if floating else xp.astype(array, xp.asarray(1.0).dtype)


def _refuse_columns(family: Any, columns: tuple[AnyArray, ...], eta: AnyArray) -> None:
    """Refuse a response that is not this family's, and one that eta has no row for."""
    categorical = getattr(family, "categorical", False)
    if len(columns) != len(family.response) and not categorical:
        raise OptionError(
            f"the response of {family} is {' and '.join(family.response)}, not {len(columns)} arrays"
        )
    several = hasattr(family, "parameters")
    if several:
        _refuse_shape(family, eta)
    if categorical and len(columns) not in {1, eta.shape[1] + (not family.ordered)}:
        raise OptionError(
            f"y has counts of {len(columns)} classes, eta is that of {eta.shape[1] + (not family.ordered)}"
        )
    shape = tuple(getattr(eta, "shape", ()))
    rows = shape[:1] if several else shape
    for column in columns:
        if rows and tuple(column.shape) not in {rows, ()}:
            raise OptionError(f"y is {tuple(column.shape)} and eta {shape}: they have other rows")


def _refuse_shape(family: VectorFamily, eta: AnyArray) -> None:
    """Refuse an eta without a column for every predictor; before classes are told any number will do."""
    settled = not family.categorical or bool(getattr(family, "levels", ()))
    least = len(family.parameters) if settled else 1 + bool(getattr(family, "ordered", False))
    if eta.ndim != 2 or eta.shape[1] < least or (settled and eta.shape[1] != least):
        raise OptionError(
            f"eta of {family} is (n, {least}), one column for each predictor, not {tuple(eta.shape)}"
        )


def loss(
    family: str | Family | VectorFamily, link: str | Link | None = None, *, information: str = "observed"
) -> Loss:
    """Return the loss of a family and a link, in the array namespace of its arguments.

    Parameters
    ----------
    family : str or Family
    link : str or Link, optional
        The family's default if left out.
    information : "observed" or "expected"
        The Hessian is the second derivative of the loss; "expected" gives its mean over y, which is positive
        where the loss is not convex.

    Returns
    -------
    Loss
        A callable ``(y, eta, weights=None, phi=1.0) -> (value, gradient, hessian)``.

    Examples
    --------
    >>> import numpy as np
    >>> import etamu as em
    >>> entropy = em.loss("bernoulli", "logit")
    >>> value, gradient, hessian = entropy(np.array([1.0, 0.0]), np.array([0.0, 40.0]))
    >>> value.round(6), gradient, hessian.round(6)
    (array([ 0.693147, 40.      ]), array([-0.5,  1. ]), array([0.25, 0.  ]))
    """
    if information not in {"observed", "expected"}:
        raise OptionError(f"information is {information!r}; it is 'expected' or 'observed'")
    several = catalogue.several(family, link)
    if several is not None:
        return Loss(several, information)
    return Loss(catalogue.unit(cast("str | Family", family), link), information)


def namespace_of(array: AnyArray) -> Namespace:
    """Return the array namespace of an array: its own word for it, or the library it comes from.

    Examples
    --------
    >>> namespace_of(np.zeros(2)) is np
    True
    """
    named: Callable[[], Namespace] | None = getattr(array, "__array_namespace__", None)
    if named is not None:
        return named()
    if isinstance(array, (float, int, np.generic, np.ndarray)):
        return np
    library = sys.modules.get(type(array).__module__.partition(".")[0])
    if library is None or not hasattr(library, "where"):
        raise OptionError(f"{type(array).__name__} is no array of a namespace etamu knows")
    return library
