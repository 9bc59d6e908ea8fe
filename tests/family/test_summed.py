"""Sums of probabilities over ranges of integers, a bounded number at a time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import gammaln, pdtr

from etamu._base.errors import NotAvailableError
from etamu.family import summed as room
from etamu.family.summed import summed


def test_rows_of_any_length_are_summed_each_over_its_own_range(monkeypatch):
    monkeypatch.setattr(room, "CELLS", 64)
    mu = np.array([0.5, 3.0, 40.0, 7.0, 300.0])
    first, last = np.array([0.0, 4.0, 20.0, 9.0, 0.0]), np.array([2.0, 3.0, 90.0, 9.0, 500.0])
    got = summed(lambda j, rows: j * np.log(mu[rows]) - mu[rows] - gammaln(j + 1.0), first, last)
    truth = pdtr(last, mu) - np.where(first > 0.0, pdtr(np.maximum(first - 1.0, 0.0), mu), 0.0)
    np.testing.assert_allclose(got, np.maximum(truth, 0.0), rtol=1e-12)


def test_a_tail_without_end_is_refused():
    with pytest.raises(NotAvailableError, match="probabilities is not summed"):
        summed(lambda j, _: -j, np.array([0.0]), np.array([1e12]))
