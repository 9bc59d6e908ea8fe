"""Order statistics beside the normal law: exact for small samples, thinned but honest for large ones."""

from __future__ import annotations

import numpy as np

from etamu.plot.normal import KEPT, TAIL, in_order, ordered
from tests.plot.cases import COUNTS


def test_the_band_covers_what_it_says():
    rng = np.random.default_rng(0)
    hits = [
        np.mean((found.sample > found.low) & (found.sample < found.high))
        for found in (in_order(rng.normal(size=50), 0.9) for _ in range(200))
    ]
    assert abs(np.mean(hits) - 0.9) < 0.02


def test_the_middle_of_an_order_statistic_is_its_median():
    found = in_order(np.arange(5.0), 0.5)
    assert abs(found.normal[2]) < 1e-12
    np.testing.assert_allclose(found.normal, -found.normal[::-1], atol=1e-12)
    assert (found.low < found.normal).all()
    assert (found.normal < found.high).all()


def test_of_many_points_all_of_the_tails_are_kept():
    sample = np.random.default_rng(1).normal(size=100_000)
    found, whole = in_order(sample, 0.95), np.sort(sample)
    assert KEPT / 2 < len(found.sample) <= KEPT
    np.testing.assert_array_equal(found.sample[:TAIL], whole[:TAIL])
    np.testing.assert_array_equal(found.sample[-TAIL:], whole[-TAIL:])
    assert np.diff(found.normal).max() < 0.05 or np.diff(found.normal)[TAIL:-TAIL].max() < 0.05
    assert found.thinned == f"{len(found.sample):,} of 100,000 points, all of those in the tails"
    assert np.abs(found.sample - found.normal)[TAIL:-TAIL].max() < 0.06


def test_all_of_a_small_sample_is_kept():
    found = ordered(COUNTS, 0, 0.95)
    assert (found.count, found.thinned) == (600, "")
    np.testing.assert_allclose(found.sample, np.sort(COUNTS.residuals("quantile")))
