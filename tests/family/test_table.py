"""A table agrees with the function it stands for, or is refused."""

import numpy as np
from numpy.testing import assert_allclose

from etamu.family.table import tabulate


def test_a_smooth_function_is_reproduced_everywhere():
    table = tabulate(lambda x: np.exp(-x) * np.sin(5 * x), -2.0, 3.0, 5000)
    x = np.linspace(-2.0, 3.0, 1001)
    assert_allclose(table(x), np.exp(-x) * np.sin(5 * x), atol=1e-12)


def test_panels_are_narrow_only_where_the_function_bends():
    table = tabulate(lambda x: np.tanh(200 * x), -1.0, 1.0, 20000)
    widths = np.diff(table.edges)
    assert widths[np.searchsorted(table.edges, 0.0) - 1] < 0.1 * widths[0]
    x = np.linspace(-1.0, 1.0, 4001)
    assert_allclose(table(x), np.tanh(200 * x), atol=1e-12)


def test_a_function_that_costs_more_than_the_budget_has_no_table():
    assert tabulate(lambda x: np.sign(x - 0.1), -1.0, 1.0, 2000) is None
