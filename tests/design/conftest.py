"""Fixtures over the gallery of blocks."""

from __future__ import annotations

import numpy as np
import pytest

from etamu.design.design import Design
from tests.design.gallery import GALLERY, N


@pytest.fixture(params=GALLERY, ids=list(GALLERY))
def block(request):
    return GALLERY[request.param]


@pytest.fixture
def everything():
    """All kinds side by side, and the matrix they stand for."""
    blocks, panels = zip(*GALLERY.values(), strict=True)
    return Design(tuple(blocks), N), np.hstack(panels)
