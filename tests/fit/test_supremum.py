"""A value that is not concave may rise for ever towards a limit that some rows pay for; the fit says so."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import etamu as em
from etamu.solve.outcome import Outcome

MOSTLY_NEGATIVE = {"y": [-3.0, -3.0, 1.5, -3.0, 0.25, 0.0]}
LEVELS = {"y": [-3.0, 5.0, -3.0, 1.0, 2.0, 6.0], "g": list("aaabbb")}


def fitted(formula: str, data: dict[str, Any], **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", em.EtamuWarning)
        return em.glm(formula, data, **options)


@pytest.mark.parametrize(
    ("link", "end"),
    [("inverse", 1), ("inverse_squared", 1), (em.Power(-0.5), 1), ("log", -1)],
    ids=["inverse", "inverse_squared", "power", "log"],
)
def test_the_mean_sinks_to_0_where_responses_are_mostly_negative(link: Any, end: int) -> None:
    fit = fitted("y ~ 1", MOSTLY_NEGATIVE, family="gaussian", link=link)
    assert fit.outcome is Outcome.INFINITE
    assert fit.coef[0] == end * math.inf
    assert fit.existence.paid
    assert fit.deviance == pytest.approx(float(np.square(MOSTLY_NEGATIVE["y"]).sum()), rel=1e-12)


def test_what_the_other_rows_determine_is_their_own_fit() -> None:
    fit = fitted("y ~ 0 + g", LEVELS, family="gaussian", link="log")
    assert fit.existence.paid
    assert fit.existence.coefficients == {"g[a]": -math.inf}
    assert fit.coef[1] == pytest.approx(math.log(3.0), rel=1e-9)
    assert fit.deviance == pytest.approx(43.0 + 14.0, rel=1e-12)
    assert fit.predict() == pytest.approx([0.0, 0.0, 0.0, 3.0, 3.0, 3.0])
    assert fit.existence.rows.tolist() == [0, 1, 2]


def test_the_words_do_not_claim_more_than_is_known() -> None:
    said = fitted("y ~ 0 + g", LEVELS, family="gaussian", link="log").existence
    assert "No finite maximum was found" in said.sentence
    assert "separation" not in said.sentence
    assert "not proved that none is higher" in str(said)


def test_it_is_an_error_if_that_is_asked_for() -> None:
    with pytest.raises(em.SeparationError, match="No finite maximum was found"):
        fitted("y ~ 0 + g", LEVELS, family="gaussian", link="log", on_separation="error")


def test_a_finite_maximum_is_taken_where_it_is_found() -> None:
    fit = fitted("y ~ 1", {"y": [-1.0, 5.0, 5.0]}, family="gaussian", link="log")
    assert fit.converged
    assert fit.coef[0] == pytest.approx(math.log(3.0))


def test_that_rows_pay_is_kept_in_a_file(tmp_path: Path) -> None:
    fit = fitted("y ~ 0 + g", LEVELS, family="gaussian", link="log")
    fit.save(tmp_path / "model.json")
    again = em.load(tmp_path / "model.json")
    assert again.existence.paid
    assert again.coef.tolist() == fit.coef.tolist()


def test_a_row_whose_tail_has_underflowed_comes_back_to_its_response() -> None:
    """All means but that of the first row are 1 to the last digit, wherever the constant is."""
    data = {
        "y": [8.7e-12, 8.3e9, 0.33, 4.7, 4.2e-12, 1.03e3, 4.6e-9, 2.1e8],
        "o": [-700.0, 0.0, 700.0, 0.0, 700.0, 0.0, 0.0, 700.0],
    }
    fit = fitted("y ~ 1", data, family=em.Quasi("mu^0.5"), link="probit", offset="o")
    assert fit.converged
    assert fit.predict()[0] == pytest.approx(8.7e-12, rel=1e-6)


def test_light_rows_come_back_beside_heavy_ones_that_are_gone() -> None:
    data = {
        "x": [1.0, 0.0, 0.0, 2.0, 0.0, 1.0],
        "y": [1.0] * 6,
        "w": [8e-34, 17.0, 1e-11, 1.5e-84, 1e-67, 5e-3],
        "o": [0.0, 0.0, -700.0, 700.0, 0.0, 0.0],
    }
    fit = fitted("y ~ x", data, family="inverse_gaussian", link="log", offset="o", sampling_weights="w")
    assert fit.converged


def test_a_start_without_a_value_is_no_end_of_the_question_what_separates() -> None:
    """Offsets of 700 beside counts of 1e4: the mean of the first guess is e^708 in two rows."""
    data = {
        "x": [-1.0, 2.0, -2.0, 0.0, 2.0, 1.0, 3.0, 2.0, 3.0, 2.0],
        "z": [2.0, -1.0, 1.0, -1.0, 3.0, 1.0, -1.0, 0.0, 2.0, 2.0],
        "u": [-2.0, 0.0, -2.0, -2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        "v": [2.0, 2.0, 0.0, 1.0, 0.0, 0.0, -2.0, -1.0, 2.0, 3.0],
        "g": list("abbababbaa"),
        "y": [0.0, 0.0, 15714.0, 25819.0, 3.0, 0.0, 1.0, 0.0, 0.0, 0.0],
        "o": [700.0, -700.0, -700.0, 0.0, 0.0, -700.0, -700.0, 700.0, -700.0, 0.0],
    }
    fit = fitted("y ~ x + z + u + v + g * x", data, family="poisson", offset="o")
    assert fit.outcome is Outcome.INFINITE
