"""The Fit: facts, and what can be asked of them; methods orchestrate, numbers happen in functions.

May import: everything below `fit`.
Read next: `etamu.fit.fitted` for the facts, `etamu.fit.asked` and the other parts for the questions.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from etamu._base.facts import dataclass
from etamu._base.later import later
from etamu.fit.asked import Asked
from etamu.fit.examined import Examined
from etamu.fit.explained import Explained
from etamu.fit.pictured import Pictured
from etamu.fit.summary import Summary, summary

if TYPE_CHECKING:
    from pathlib import Path

    from etamu.fit.certificate import existence
    from etamu.fit.existence import Existence
    from etamu.fit.store import save
    from etamu.fit.tables import augment, glance, tidy
else:
    existence = later("etamu.fit.certificate", "existence")
    save = later("etamu.fit.store", "save")
    augment = later("etamu.fit.tables", "augment")
    glance = later("etamu.fit.tables", "glance")
    tidy = later("etamu.fit.tables", "tidy")


@dataclass(frozen=True, eq=False)
class Fit(Asked, Examined, Explained, Pictured):
    """A fitted generalized linear model.

    Arrays of coefficients are float64 in the order of ``names``; an aliased coefficient is NaN and
    named in `aliased`. Everything that can be asked of a fit is an attribute or a method; nothing
    of it changes. Its facts are those of `etamu.fit.fitted.FittedModel`.

    Examples
    --------
    >>> import etamu as em
    >>> fit = em.glm("y ~ x", {"y": [1.0, 3.0, 4.0, 9.0], "x": [0.0, 1.0, 2.0, 3.0]}, family="poisson")
    >>> fit.names
    ('Intercept', 'x')
    >>> fit.coef.round(4)
    array([0.2057, 0.6574])
    """

    @cached_property
    def existence(self) -> Existence:
        """Whether a finite estimate exists, how that is known, and what runs away if it does not.

        Examples
        --------
        >>> import etamu as em
        >>> fit = em.glm("y ~ x", {"y": [1.0, 3.0, 4.0, 9.0], "x": [0.0, 1.0, 2.0, 3.0]}, family="poisson")
        >>> fit.existence.outcome
        'interior'
        """
        return existence(self)

    # How it is shown and kept

    def summary(self, *, terms: bool | str | None = None) -> Summary:
        """Summarise the fit as a table that reads like R's, and test each term.

        Parameters
        ----------
        terms : None, bool, "Wald", "LR" or "F"
            One p-value for each term. None: by Wald, where some term has several coefficients.
        """
        return summary(self, terms=terms)

    def tidy(self, level: float | None = None) -> Any:
        """Tabulate the coefficients, one row each, in the data-frame library that came in."""
        return tidy(self, level)

    def glance(self) -> Any:
        """Tabulate the fit in one row."""
        return glance(self)

    def augment(self) -> Any:
        """Tabulate fitted values and residuals, one row per row of the input."""
        return augment(self)

    def save(self, path: str | Path, *, covariance: bool = True) -> None:
        """Write the fit to a JSON file that `etamu.load` reads, without any row of the data.

        It does hold what the model knows of them: names of levels, knots, means and spreads of columns.

        Parameters
        ----------
        path : str or Path
        covariance : bool
            Whether the factor of the covariance goes along, p (p + 1) / 2 numbers of some 24 bytes (p^2
            for a sandwich): 5 kB for 20 coefficients, 12 MB for 1000. Without it standard errors, tests and
            intervals of coefficients stay; `cov` and standard errors of predictions are lost.

        Raises
        ------
        NotAvailableError
            If family or link are code of your own, which a file cannot hold.
        FileError
            If the file cannot be written.
        """
        save(self, path, covariance=covariance)

    def __repr__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary().html
