"""The best step within a radius."""

from __future__ import annotations

import numpy as np
import pytest

from etamu.solve.radius import within


@pytest.mark.parametrize("radius", [1e-150, 0.1, 1.0, 3.0, 1e150])
def test_the_best_step_within_a_radius_fills_it_where_curvature_is_negative(radius: float) -> None:
    bends, shares = np.array([-1.0, 0.5, 1.0]), np.array([0.3, 1.0, -2.0])
    step = within(bends, shares, radius)
    assert np.linalg.norm(step) == pytest.approx(radius, rel=1e-5)
    for other in np.random.default_rng(1).normal(size=(50, 3)):
        trial = other * radius / np.linalg.norm(other)
        gain = shares @ trial - 0.5 * bends @ trial**2
        assert gain <= shares @ step - 0.5 * bends @ step**2 + 1e-9 * radius * (1 + radius)
