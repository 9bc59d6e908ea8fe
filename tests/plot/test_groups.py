"""Groups hold about equal volume, keep ties together, and average as they should."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from etamu.plot.groups import equal_groups, grouped
from etamu.plot.rows import seen
from tests.plot.cases import COUNTS


@pytest.mark.parametrize("most", [1, 4, 10])
def test_groups_are_in_order_and_about_equal(most):
    rng = np.random.default_rng(1)
    score, volume = rng.normal(size=2000), rng.uniform(0.5, 2.0, 2000)
    codes = equal_groups(score, volume, most)
    held = np.bincount(codes, volume)
    assert len(held) == most
    assert held.max() / held.min() < 1.02
    ends = [(score[codes == k].min(), score[codes == k].max()) for k in range(most)]
    assert all(before[1] < after[0] for before, after in itertools.pairwise(ends))


def test_ties_stay_together_even_where_rounding_parts_them():
    score = np.repeat([0.1 + 0.2, 0.3, 1.0, 2.0], 25)
    codes = equal_groups(score, np.ones(100), 10)
    assert len(np.unique(codes)) == 3
    assert len(np.unique(codes[:50])) == 1


def test_means_are_totals_over_totals():
    rows = seen(COUNTS)
    codes = equal_groups(rows.fitted, rows.volume, 5)
    found = grouped(rows, codes, 5)
    own = codes == 3
    np.testing.assert_allclose(found.volume[3], rows.volume[own].sum())
    y = rows.observed * rows.volume
    np.testing.assert_allclose(found.observed[3], y[own].sum() / rows.volume[own].sum())
    np.testing.assert_allclose(
        found.error[3], np.sqrt((rows.fitted * rows.volume)[own].sum()) / rows.volume[own].sum()
    )


def test_observed_means_lie_within_their_errors_if_the_model_holds():
    rows = seen(COUNTS)
    found = grouped(rows, equal_groups(rows.fitted, rows.volume, 20), 20)
    z = (found.observed - found.fitted) / found.error
    assert 0.5 < z.std() < 1.6
    assert np.abs(z).max() < 4.0
