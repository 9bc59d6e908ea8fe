"""R's tables of deviance beside ours: which columns are which, and where R's are not to be trusted.

Read next: tests/fit/test_anova.py, tests/fit/test_drop.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests import oracle

NUMBER = 1e-7  # relative: what is asked of every table
RAO = 5e-6
"""Relative. R takes the working weights of glm.fit, which are those of the iterate before the last; its score
statistics are good to the square root of its convergence criterion. Exact ones are in test_restrict.py."""

COLUMNS = {
    "Df": "df",
    "Deviance": "deviance",
    "Sum Sq": "deviance",
    "Resid. Df": "resid_df",
    "Resid. Dev": "resid_deviance",
    "AIC": "aic",
    "Rao": "rao",
    "F": "f",
    "Chisq": "statistic",
    "LR Chisq": "statistic",
    "LRT": "statistic",
    "scaled dev.": "statistic",
    "Rao score": "statistic",
    "scaled Rao sc.": "statistic",
    "Pr(>Chi)": "p_value",
    "Pr(>Chisq)": "p_value",
    "Pr(>F)": "p_value",
}

DIVERGED = {
    "open-airquality-ig-log": "R's fit without Temp diverged to a deviance of 1e34, where 2.74 is right",
    "open-polyps-quasi-mu3": "R's fit without treat diverged to a deviance of 1e34, where 3.16 is right",
}
"""Cases of which R's smaller fits, started cold, went to infinity without a word."""

REFUSED = {
    "no valid set of coefficients has been found: please supply starting values": "R's smaller fits lack one",
    "invalid fitted means in empty model": "a model of nothing has eta = 0, where the link has no mean",
    "there are aliased coefficients in the model": "car refuses type III with aliases; ours does not",
    "non-conformable arguments": "car's type II Wald fails on aliases; ours does not",
}
"""Tables R could not make, by its message, and why."""


def tables(block: str) -> list[tuple[str, str]]:
    """Pair the cases that hold a block of tables with R's names of the tests in it."""
    found = []
    for identifier in oracle.identifiers():
        for test, table in (oracle.case(identifier)["expected"].get(block) or {}).items():
            if isinstance(table, dict):
                assert table.get("r_error", next(iter(REFUSED))) in REFUSED
                if "r_error" not in table:
                    found.append((identifier, test))
    return found


def expected(identifier: str, block: str, test: str) -> dict[str, Any]:
    """Return R's table."""
    return oracle.case(identifier)["expected"][block][test]


def diverged(identifier: str, theirs: dict[str, Any]) -> bool:
    """Tell whether a smaller fit of R went to infinity, which it may only do in the cases listed."""
    values = oracle.numbers(theirs["values"])
    found = bool(np.any(np.isfinite(values) & (values > 1e30)))
    assert not found or identifier in DIVERGED
    return found


def assert_as_r(ours: Any, theirs: dict[str, Any], tolerance: float, floor: float = 1e-10) -> None:
    """Hold every column to R's; NaN equals NA, and p-values move by the statistic times its error."""
    values = oracle.numbers(theirs["values"])
    assert len(ours.rows) == len(theirs["rows"])
    statistics = np.ones(len(values))
    for number, column in enumerate(theirs["cols"]):
        name = COLUMNS["F" if column.startswith("F value") else column]
        if column.startswith("F value") and "statistic" in ours.columns:
            name = "statistic"
        mine, reference = ours[name], values[:, number]
        if name in {"f", "statistic", "rao"}:
            statistics = 1.0 + np.nan_to_num(np.abs(reference))
        allowed = tolerance * np.abs(reference) * (statistics if name == "p_value" else 1.0) + floor * 1e-3
        same = (mine == reference) | (np.isnan(mine) & np.isnan(reference))
        with np.errstate(invalid="ignore"):
            wrong = ~(same | (np.abs(mine - reference) <= allowed))
        assert not wrong.any(), (column, ours.rows[int(wrong.argmax())], mine[wrong], reference[wrong])
