"""The compiled door opens on this machine and tells the truth about it."""

import importlib.metadata
import platform
from pathlib import Path

import pytest

VECTORS = {"avx512": {"avx512f", "avx512dq"}, "avx2": {"avx2", "fma"}}


def installed() -> bool:
    try:
        importlib.metadata.version("etamu")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


# `make test` installs etamu, so nothing is skipped there; only a bare source tree has nothing to open.
pytestmark = pytest.mark.skipif(not installed(), reason="etamu is not installed, so nothing was compiled")


def test_the_compiled_version_is_the_installed_one() -> None:
    from etamu import _kernel

    assert _kernel.version == importlib.metadata.version("etamu")


def test_the_vector_width_is_one_this_processor_lists() -> None:
    from etamu import _kernel

    width = _kernel.vector_width()
    assert width in {"avx512", "avx2", "neon", "scalar"}
    listing = Path("/proc/cpuinfo")
    if platform.machine() == "x86_64" and listing.exists():
        flags = set(listing.read_text(encoding="utf-8").split())
        widest = next((name for name, needed in VECTORS.items() if needed <= flags), "scalar")
        assert width == widest
