"""Tables read by the bits of a number: right at every size, the same in the kernel, refused where not."""

from __future__ import annotations

import numpy as np
import pytest

from etamu._base.kernel import kernel
from etamu.family.panels import Panels, paneled
from etamu.family.program import assemble, handed_over
from etamu.family.trace import Recorder

CURVES = {
    "a power": lambda x: x**-0.5,
    "two powers": lambda x: 1.0 / (x * (1.0 + x)),
    "root": lambda x: np.sqrt(x) / np.sqrt(1.0 + x * x),
    "logarithm": np.log1p,
    "sign changes": np.log,
}
SIZES = np.concatenate(
    [2.0 ** np.arange(-240.0, 241.0), 10.0 ** np.random.default_rng(3).uniform(-70.0, 70.0, 500)]
)
each = pytest.mark.parametrize("name", sorted(CURVES))


def table_of(name: str) -> Panels:
    table = paneled(CURVES[name])
    assert table is not None
    return table


@each
def test_a_table_is_right_to_the_last_digits_at_every_size(name) -> None:
    truth = CURVES[name](SIZES)
    # within a panel, a 32nd of an octave, an error is one of the largest value there: log changes its sign
    size = np.maximum(np.abs(truth), 0.03 * (name == "sign changes"))
    assert np.max(np.abs(table_of(name)(np, SIZES) - truth) / size) < 1e-14


@each
@pytest.mark.skipif(kernel is None, reason="without the kernel there is only NumPy")
@pytest.mark.parametrize("isa", ["base", "avx2", "avx512", "amx"])
def test_the_kernel_reads_what_numpy_reads(name, isa) -> None:
    table, recorder = table_of(name), Recorder()
    program = assemble(recorder, [recorder.number(table(recorder, recorder.input()))])
    try:
        found = handed_over(program).run([SIZES], isa)[0]
    except ValueError as error:
        pytest.skip(str(error))
    np.testing.assert_allclose(found, table(np, SIZES), rtol=4e-16, atol=1e-16 * (name == "sign changes"))
    np.testing.assert_array_equal(program.run(SIZES)[0], table(np, SIZES))


def test_what_is_no_number_stays_so_and_ends_are_reached() -> None:
    table = table_of("a power")
    assert np.isnan(table(np, np.array([np.nan]))[0])
    assert table(np, np.array([np.inf]))[0] < 1e-150
    assert table(np, np.array([0.0]))[0] > 1e150


def test_one_table_read_twice_stands_in_a_program_once() -> None:
    table, recorder = table_of("root"), Recorder()
    x = recorder.input()
    program = assemble(recorder, [recorder.number(table(recorder, x) + table(recorder, 2.0 * x))])
    assert program.tables == (table,)
    assert "panels(in0)" in str(program)


def test_what_bends_within_a_panel_has_no_table() -> None:
    assert paneled(np.sin) is None
    assert paneled(lambda x: np.where(x < 1.3, x, 1.3)) is None


@each
def test_a_namespace_without_bits_reads_the_same(name) -> None:
    strict = pytest.importorskip("array_api_strict")
    x = np.concatenate([SIZES, np.nextafter(SIZES, 0.0), [np.nan]])
    table = table_of(name)
    found = np.asarray(table(strict, strict.asarray(x)))
    truth = table(np, x)
    np.testing.assert_allclose(found, truth, rtol=1e-14, atol=1e-15 * (name == "sign changes"))


@pytest.mark.skipif(kernel is None, reason="the kernel's own check")
def test_the_kernel_refuses_a_table_of_another_size() -> None:
    code = [kernel.OPERATIONS["panels"], 1, 0, 0, 0]
    for flat in ([1000.0, 1.0], [1000.0, 0.5, *[1.0] * 3000], [-1.0, 1.0, *[1.0] * (2048 + 256)]):
        with pytest.raises(ValueError, match="table"):
            kernel.Program(1, [], code, [1], 0, [flat])
    with pytest.raises(ValueError, match="no such table"):
        kernel.Program(1, [], code, [1], 0, [])
