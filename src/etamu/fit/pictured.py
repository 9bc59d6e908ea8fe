"""How a fit is drawn: `fit.plot`, the door to pictures that hang in a room above.

May import: `etamu._base`.
Read next: `etamu.plot`, which hangs them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from etamu._base.errors import OptionError
from etamu.fit.fitted import FittedModel

PICTURES: dict[str, Callable[..., Any]] = {}
"""Every picture by name. A fit knows no plotting: the front door, `etamu/__init__.py`, hangs them here."""


PICTURES_OF_SEVERAL: dict[str, Callable[..., Any]] = {}
"""Those of a fit of several linear predictors."""


def drawn(pictures: dict[str, Callable[..., Any]], name: str, *arguments: Any, **options: Any) -> Any:
    """Draw one of some pictures.

    Raises
    ------
    OptionError
        If there is none of that name.
    """
    if name not in pictures:
        raise OptionError(f"there is no picture {name!r}; choose one of {', '.join(map(repr, pictures))}")
    return pictures[name](*arguments, **options)


class Pictured(FittedModel):
    """Pictures of a fit; abstract, a part of `Fit`."""

    def plot(self, name: str = "page", *arguments: Any, **options: Any) -> Any:
        """Draw the fit: the page of four to look at first, or one picture by name.

        Parameters
        ----------
        name : str
            "page"; "residuals", "qq", "worm", "spread", "leverage" to check the model; "coefficients",
            "effects", "components", "profile" for what it says; "levels", "calibration", "lift",
            "double_lift", "rootogram" for data and model side by side; "convergence".
        *arguments, **options
            Of that picture: see `etamu.plot`. `axes=` draws into axes of your own.

        Returns
        -------
        matplotlib Figure
            Save it with ``figure.savefig("page.png")``.

        Raises
        ------
        OptionError
            If there is no picture of that name.
        NotAvailableError
            If matplotlib is not installed (``pip install 'etamu[plot]'``), or the picture does not exist for
            this model.

        Examples
        --------
        >>> import etamu as em
        >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
        >>> fit = em.glm("y ~ x", data, family="poisson")
        >>> fit.plot("residuals", "x").axes[0].get_xlabel()
        'x'
        """
        return drawn(PICTURES, name, self, *arguments, **options)
