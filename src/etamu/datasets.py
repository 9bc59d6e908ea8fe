"""Small published data sets, complete, with their sources: for examples, demonstrations and tests.

May import: numpy, `etamu._base`.
Read next: `etamu.cli`, whose demonstration fits one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from etamu._base.errors import OptionError
from etamu._base.facts import dataclass

Table = dict[str, np.ndarray[Any, Any]]
"""Columns by name."""


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A table and where it comes from.

    Parameters
    ----------
    name : str
    story : str
        What was observed, in one sentence.
    source : str
    columns : dict of str to array
    """

    name: str
    story: str
    source: str
    columns: Table


def budworms() -> Dataset:
    """Tobacco budworm moths killed by a pyrethroid: 12 batches of 20, by sex and dose.

    Examples
    --------
    >>> int(budworms().columns["dead"].sum())
    111
    """
    sex = ["male"] * 6 + ["female"] * 6
    dose = [1, 2, 4, 8, 16, 32] * 2
    dead = [1, 4, 9, 13, 18, 20, 0, 2, 6, 10, 12, 16]
    return Dataset(
        name="budworms",
        story=(
            "12 batches of 20 tobacco budworm moths (Heliothis virescens) were exposed to the pyrethroid "
            "trans-cypermethrin; dead or helpless after three days."
        ),
        source=(
            "Collett (1991) Modelling Binary Data, p. 75, from Holloway (1989); "
            "Venables and Ripley (2002) Modern Applied Statistics with S, 4th ed., section 7.2"
        ),
        columns={
            "sex": np.array(sex),
            "dose": np.array(dose),
            "log2_dose": np.log2(np.array(dose, dtype=float)),
            "dead": np.array(dead),
            "moths": np.full(12, 20),
        },
    )


def ships() -> Dataset:
    """Damage to cargo ships by waves: incidents and months at risk by type, years built and period.

    Examples
    --------
    >>> int(ships().columns["incidents"].sum())
    356
    """
    rows = [row.split() for row in _SHIPS.strip().splitlines()]
    kind, built, period, months, incidents = zip(*rows, strict=True)
    return Dataset(
        name="ships",
        story=(
            "Damage incidents caused by waves to forward sections of cargo ships of five types, by the five "
            "years in which they were built and the period of operation, with the aggregate months at risk."
        ),
        source=(
            "McCullagh and Nelder (1989) Generalized Linear Models, 2nd ed., table 6.2, from J. Crilley and "
            "L. N. Heminway, Lloyd's Register of Shipping; cells without service left out"
        ),
        columns={
            "type": np.array(kind),
            "built": np.array(built),
            "period": np.array(period),
            "months": np.array(months, dtype=int),
            "incidents": np.array(incidents, dtype=int),
        },
    )


_SHIPS = """
A 1960-64 1960-74 127 0
A 1960-64 1975-79 63 0
A 1965-69 1960-74 1095 3
A 1965-69 1975-79 1095 4
A 1970-74 1960-74 1512 6
A 1970-74 1975-79 3353 18
A 1975-79 1975-79 2244 11
B 1960-64 1960-74 44882 39
B 1960-64 1975-79 17176 29
B 1965-69 1960-74 28609 58
B 1965-69 1975-79 20370 53
B 1970-74 1960-74 7064 12
B 1970-74 1975-79 13099 44
B 1975-79 1975-79 7117 18
C 1960-64 1960-74 1179 1
C 1960-64 1975-79 552 1
C 1965-69 1960-74 781 0
C 1965-69 1975-79 676 1
C 1970-74 1960-74 783 6
C 1970-74 1975-79 1948 2
C 1975-79 1975-79 274 1
D 1960-64 1960-74 251 0
D 1960-64 1975-79 105 0
D 1965-69 1960-74 288 0
D 1965-69 1975-79 192 0
D 1970-74 1960-74 349 2
D 1970-74 1975-79 1208 11
D 1975-79 1975-79 2051 4
E 1960-64 1960-74 45 0
E 1965-69 1960-74 789 7
E 1965-69 1975-79 437 7
E 1970-74 1960-74 1157 5
E 1970-74 1975-79 2161 12
E 1975-79 1975-79 542 1
"""


DATASETS: dict[str, Callable[[], Dataset]] = {"budworms": budworms, "ships": ships}
"""Every data set by name."""


def load(name: str) -> Dataset:
    """Return a data set by name.

    Raises
    ------
    OptionError
        If there is none of that name.

    Examples
    --------
    >>> sorted(load("ships").columns)
    ['built', 'incidents', 'months', 'period', 'type']
    """
    if name not in DATASETS:
        raise OptionError(f"there is no data set {name!r}; choose one of {', '.join(DATASETS)}")
    return DATASETS[name]()
