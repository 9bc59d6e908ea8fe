"""What `import etamu` loads, and what it leaves alone until it is needed."""

import subprocess
import sys

import pytest

LOADED = ["numpy", "narwhals"]
LEFT_ALONE = ["scipy", "pandas", "polars", "sklearn", "matplotlib", "pyarrow", "torch", "formulaic", "sympy", "mpmath"]


@pytest.fixture(scope="module")
def modules() -> set[str]:
    """The top-level modules of a fresh interpreter after `import etamu`."""
    code = "import etamu, sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(answer.stdout.split())


@pytest.mark.parametrize("name", LOADED)
def test_import_loads(modules: set[str], name: str) -> None:
    assert name in modules


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_import_leaves_alone(modules: set[str], name: str) -> None:
    assert name not in modules
