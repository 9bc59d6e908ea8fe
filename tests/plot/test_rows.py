"""What rows count: averages by volume are the averages an actuary and a statistician compute by hand."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu.plot.rows import DRAWN, drawn, drawn_note, rated, seen
from tests.plot.cases import COUNTS, MOTHS, SHIPS, counts

DATA = counts()


def test_an_exposure_makes_rates_and_volume():
    rows = seen(COUNTS)
    np.testing.assert_allclose(rows.observed, DATA["y"] / DATA["years"])
    np.testing.assert_allclose(rows.fitted * rows.volume, COUNTS.predict())
    np.testing.assert_allclose(rows.volume, DATA["years"])
    # Of a Poisson total the variance is the mean.
    np.testing.assert_allclose(rows.variance, COUNTS.predict())
    assert (rows.response, rows.unit) == ("y / years", "years")


def test_trials_make_proportions():
    rows = seen(MOTHS)
    np.testing.assert_allclose(rows.volume, 20.0)
    mu = MOTHS.predict()
    np.testing.assert_allclose(rows.variance, 20.0 * mu * (1.0 - mu))
    assert (rows.response, rows.unit) == ("dead / moths", "moths")


@pytest.mark.parametrize("kind", ["frequency_weights", "variance_weights", "sampling_weights"])
def test_weights_count(kind):
    fit = em.glm("y ~ x", DATA, family="poisson", **{kind: "w"})
    rows = seen(fit)
    # Sampling weights are counted in their mean.
    w = DATA["w"] / (DATA["w"].mean() if kind == "sampling_weights" else 1.0)
    np.testing.assert_allclose(rows.volume, w)
    power = {"frequency_weights": 1, "variance_weights": 1, "sampling_weights": 2}[kind]
    np.testing.assert_allclose(rows.variance, w**power * fit.predict())
    assert rows.unit == "w"


def test_rows_that_do_not_count_are_not_seen():
    weights = DATA["w"].astype(float)
    weights[:50] = 0.0
    x = DATA["x"].copy()
    x[[60, 70]] = np.nan
    with pytest.warns(em.DroppedRowsWarning):
        fit = em.glm("y ~ x", DATA | {"x": x}, family="poisson", variance_weights=weights)
    rows = seen(fit)
    np.testing.assert_array_equal(rows.rows, np.setdiff1d(np.arange(50, 600), [60, 70]))
    assert len(rows) == 548
    assert rows.unit == "variance_weights"


@pytest.mark.parametrize(
    ("formula", "given", "rates"),
    [
        ("y ~ x", {"exposure": "years"}, True),
        ("y ~ x", {"offset": "other"}, True),
        ("y ~ x + offset(other)", {}, False),
        ("y ~ x", {}, False),
    ],
)
def test_rates_are_where_all_of_the_offset_is_known(formula, given, rates):
    assert rated(em.glm(formula, DATA, family="poisson", **given)) is rates


def test_totals_of_a_canonical_model_agree():
    rows = seen(SHIPS)
    np.testing.assert_allclose(rows.volume @ rows.observed, rows.volume @ rows.fitted)


def test_rows_are_drawn_at_random_once_and_for_all():
    assert len(np.unique(drawn(100_000))) == DRAWN
    np.testing.assert_array_equal(drawn(100_000), drawn(100_000))
    np.testing.assert_array_equal(drawn(DRAWN), np.arange(DRAWN))
    assert abs(drawn(100_000).mean() / 50_000 - 1.0) < 0.03
    assert drawn_note(DRAWN) == ""
    assert drawn_note(100_000) == "4,000 of 100,000 rows, chosen at random"
