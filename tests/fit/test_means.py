"""Estimated marginal means, their pairs and joint tests are emmeans', in every case of the corpus."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from tests import oracle

CLOSE = 1e-7

CASES = [
    (identifier, formula)
    for identifier in oracle.identifiers()
    for formula in (oracle.case(identifier)["expected"].get("emmeans") or {})
]
every = pytest.mark.parametrize(("identifier", "formula"), CASES)


def asked(identifier: str, formula: str) -> tuple[Any, dict[str, Any], str | None]:
    """Return the fit, R's answer, and the reference distribution R used."""
    theirs = oracle.case(identifier)["expected"]["emmeans"][formula]
    fit = oracle.answer(identifier).fit
    # emmeans takes z for quasi families, whose phi is estimated; ours is t there.
    reference = "z" if theirs["link"][0]["df"] == "Inf" and fit.phi.estimated else None
    return fit, theirs, reference


def label_of(term: str) -> str:
    """Write a term as R does, which sets contrasts outside of the formula."""
    return re.sub(r"C\((\w+), contr.sum\)", r"\1", term)


def column(rows: list[dict[str, Any]], *names: str) -> np.ndarray:
    name = next(name for name in names if name in rows[0])
    return oracle.numbers([row[name] for row in rows])


def close(ours: Any, theirs: np.ndarray, scale: Any = 0.0) -> None:
    assert np.all(np.abs(np.asarray(ours) - theirs) <= CLOSE * (np.abs(theirs) + scale)), (ours, theirs)


@every
@pytest.mark.parametrize("scale", ["link", "response"])
def test_means(identifier: str, formula: str, scale: str) -> None:
    fit, theirs, reference = asked(identifier, formula)
    ours = fit.means(formula, scale=scale, reference=reference)
    rows = theirs[scale]
    for name in ours.labels:
        assert list(ours[name]) == [str(row[name]) for row in rows]
    error = column(rows, "SE")
    close(ours["estimate"], column(rows, "emmean", "prob", "rate", "response"), error)
    close(ours["std_error"], error)
    close(ours["conf_low"], column(rows, "asymp.LCL", "lower.CL"), error)
    close(ours["conf_high"], column(rows, "asymp.UCL", "upper.CL"), error)


@every
def test_pairs(identifier: str, formula: str) -> None:
    fit, theirs, reference = asked(identifier, formula)
    ours = fit.means(formula, scale="link", reference=reference).pairs()
    rows = theirs["pairs_none"]
    error, statistic = column(rows, "SE"), column(rows, "z.ratio", "t.ratio")
    close(ours["estimate"], column(rows, "estimate"), error)
    close(ours["std_error"], error)
    close(ours["conf_low"], column(rows, "asymp.LCL", "lower.CL"), error)
    close(ours["conf_high"], column(rows, "asymp.UCL", "upper.CL"), error)
    close(ours["statistic"], statistic, 1.0)
    p = column(rows, "p.value")
    assert np.all(np.abs(ours["p_value"] - p) <= CLOSE * p * (1 + statistic**2))
    tukey = column(theirs["pairs_tukey"], "p.value")
    # R's ptukey is good to about 1e-12 of a probability, not of its tail.
    assert np.all(np.abs(ours["p_adjusted"] - tukey) <= CLOSE * tukey * (1 + statistic**2) + 1e-11)


@every
def test_joint_tests(identifier: str, formula: str) -> None:
    fit, theirs, reference = asked(identifier, formula)
    ours = fit.joint_tests(reference="chi2" if reference else None)
    for row in theirs["joint_tests"]:
        mine = {label_of(name): ours.row(name) for name in ours.rows}[row["model term"]]
        assert mine["df"] == row["df1"]
        assert mine["df_resid"] == oracle.number(row["df2"])
        assert mine["f"] == pytest.approx(row["F.ratio"], abs=6e-4)  # rounded by emmeans
        assert abs(mine["p_value"] - row["p.value"]) <= CLOSE * row["p.value"] * (1 + mine["f"] * mine["df"])
