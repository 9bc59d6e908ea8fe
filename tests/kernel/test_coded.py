"""The verbs of coded blocks are the same function on every instruction set of this processor."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu._base.kernel import kernel
from etamu.design import twin

SCRIPT = """
import json
import numpy as np
from etamu._base.kernel import kernel

rng = np.random.default_rng(5)
n = 777
blocks = tuple(
    (rng.integers(0, levels, n).astype(dtype), levels, rng.normal(size=n) if times else None, 2.0)
    for levels, dtype, times in [(3, "int8", True), (50, "int64", False), (700, "uint16", True)]
)
panel, w = rng.normal(size=(n, 13)), rng.normal(size=n)
diagonals, panels, pairs = kernel.coded_gram(blocks, panel, w)
bilinear = kernel.coded_dense_bilinear(blocks[1], panel, rng.normal(size=(50, 13)))
eta = kernel.coded_matvec(blocks[2], rng.normal(size=700))
arrays = [*diagonals, *panels, *(pairs[key] for key in sorted(pairs)), bilinear, eta]
print(json.dumps([kernel.instruction_set(), [array.ravel().tolist() for array in arrays]]))
"""


def run(name):
    environment = {**os.environ, "ETAMU_ISA": name}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.skipif(kernel is None, reason="the kernel was not built")
@pytest.mark.parametrize("name", ["avx2", "avx512", "amx"])
def test_every_instruction_set_gives_the_same_sums(name):
    used, found = run(name)
    if used != name:
        pytest.skip(f"this processor has no {name}")
    base, expected = run("base")
    assert base == "base"
    for one, other in zip(found, expected, strict=True):
        # fused multiply-add rounds once where two instructions round twice
        assert_allclose(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.skipif(kernel is None, reason="the kernel was not built")
@pytest.mark.parametrize("rows", [1, 127, 1024, 1025, 16_384, 20_001])
def test_joint_tables_that_take_many_rows_in_turn_have_the_sums_of_the_twin(rows):
    # With 16,384 rows and more, triples of factors have tables that do not fit into the first cache.
    rng = np.random.default_rng(rows)
    levels = (6, 12, 11, 2, 22, 20, 30, 26)
    blocks = tuple((rng.integers(0, count, rows).astype(np.int8), count, None, 1.0) for count in levels)
    panel, w = rng.normal(size=(rows, 3)), rng.normal(size=rows)
    found, expected = kernel.coded_gram(blocks, panel, w), twin.coded_gram(blocks, panel, w)
    for one, other in zip((*found[0], *found[1]), (*expected[0], *expected[1]), strict=True):
        assert_allclose(one, other, rtol=1e-10, atol=1e-10)
    for pair, table in expected[2].items():
        assert_allclose(found[2][pair], table, rtol=1e-10, atol=1e-10)
