"""What `import etamu` loads, and what it leaves alone until it is needed."""

import subprocess
import sys

import pytest

from etamu._base.kernel import kernel

LOADED = ["numpy"]
LEFT_ALONE = [
    "narwhals",
    *("scipy", "pandas", "polars", "sklearn", "matplotlib", "pyarrow", "torch", "formulaic", "sympy"),
    "mpmath",
]
LEFT_ALONE += [
    *("etamu.family.derived", "etamu.family.derivation", "etamu.family.tweedie", "etamu.solve.lbfgs"),
    *("etamu.fit.anova", "etamu.fit.restrict", "etamu.fit.clusters", "etamu.objective.whitened"),
]
"""What most fits never ask for; each cost a hundredth of the import."""


@pytest.fixture(scope="module")
def modules() -> set[str]:
    """The modules of a fresh interpreter after `import etamu`."""
    code = "import etamu, sys; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(answer.stdout.split())


@pytest.mark.parametrize("name", LOADED)
def test_import_loads(modules: set[str], name: str) -> None:
    assert name in modules


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_import_leaves_alone(modules: set[str], name: str) -> None:
    assert name not in modules


SMALL = """
import etamu, sys
before = set(sys.modules)
data = {"y": [0, 2, 1, 4, 3, 7], "x": [1.0, 2, 3, 4, 5, 6], "g": ["a", "b", "c", "a", "b", "c"]}
for family in ("poisson", "gaussian"):
    str(etamu.glm("y ~ np.log(x) + C(g)", data, family=family).summary())
print(*set(sys.modules) - before)
"""


@pytest.mark.skipif(kernel is None, reason="without the compiled kernel scipy factorises")
def test_a_small_fit_loads_no_large_library() -> None:
    answer = subprocess.run([sys.executable, "-c", SMALL], check=True, capture_output=True, text=True)
    loaded = answer.stdout.split()
    assert not {"scipy", "pandas", "narwhals", "formulaic", "numpy.ma"} & {*loaded}


def test_a_fit_leaves_nothing_to_say_at_the_end_of_a_process() -> None:
    answer = subprocess.run([sys.executable, "-c", SMALL], check=True, capture_output=True, text=True)
    assert answer.stderr == ""
