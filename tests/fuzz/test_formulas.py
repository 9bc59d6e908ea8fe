"""Formulas changed byte by byte: fitted or refused by name, and nothing in them is run."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import etamu as em

DRAWS = int(os.environ.get("ETAMU_DRAWS", "20000"))
FORMULAS = (
    "y ~ x + z",
    "y ~ C(g) * x - 1",
    "log(y) ~ bs(x, df=4) + poly(z, 2)",
    "y ~ C(g, contr.treatment('b')):z + offset(z)",
    "y ~ (x + z + g)**2 - x:z",
    "y ~ ns(x, 3) %in% g",
    "`y` ~ I(x**2) + np.exp(z / 10) + scale(x)",
    "y ~ x / g + center(z) + {x + 1}",
    "y ~ C(g, contr.sum) + C(cut, levels=['p', 'q'])",
    "y ~ . - h",
    "y ~ I(open('smuggled', 'w')) + x",
    "y ~ x + __import__('os').system('touch smuggled')",
    "y ~ (lambda: 1)() + x.__class__",
)
BYTES = st.sampled_from(
    [bytes([code]) for code in b"~+-*/:^%()[]{}.,'\"` \\\n01e9yxzgClog_=<>|&!@#;\x00\xff"]
)
PIECES = st.sampled_from(
    [b"(" * 60, b"**99", b":g", b"bs(", b"1e999", b"x" * 300, b"\xc3\xa9", b"C(g)", b" - ."]
)
N = 24
RNG = np.random.default_rng(8)
DATA: dict[str, Any] = {
    "y": RNG.gamma(2.0, 1.0, N),
    "x": RNG.normal(size=N),
    "z": RNG.uniform(1.0, 9.0, N),
    "g": np.array(list("abc"))[np.arange(N) % 3],
    "h": np.arange(N) % 2 == 0,
    "cut": np.array(["p", "q"])[np.arange(N) // 12],
}


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """Draw a formula with a few bytes taken out, put in or doubled."""
    text = bytearray(draw(st.sampled_from(FORMULAS)).encode())
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(text)))
        gone = draw(st.sampled_from([0, 0, 1, 1, 2, 7]))
        text[at : at + gone] = draw(BYTES | BYTES | PIECES | st.just(bytes(text[at : at + gone] * 2)))
    return text.decode("utf-8", errors="replace")


SEEN: list[str] = []
WATCHED = {"exec", "os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect", "import"}


@contextmanager
def watched() -> Iterator[list[str]]:
    """Collect what an audit hook sees of code, processes and files; a hook stays, so it has a switch."""
    if not getattr(watched, "hooked", False):
        sys.addaudithook(_hear)
        watched.hooked = True  # type: ignore[attr-defined]
    SEEN.clear()
    watched.on = True  # type: ignore[attr-defined]
    try:
        yield SEEN
    finally:
        watched.on = False  # type: ignore[attr-defined]


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if getattr(watched, "on", False) and (event in WATCHED or (event == "open" and arguments[1] != "r")):
        SEEN.append(f"{event} {arguments!r}"[:300])


def asked(formula: str) -> None:
    """Fit a formula, which has to come out as a fit or as an error of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.EtamuWarning)
        try:
            str(em.glm(formula, DATA))
        except em.EtamuError:
            return


def test_the_formulas_that_are_changed_are_fitted_or_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for formula in FORMULAS:
        asked(formula)
    with watched() as seen:  # everything lazy is loaded by now
        for formula in FORMULAS:
            asked(formula)
    assert not seen
    assert not list(tmp_path.iterdir())


def _hold(count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    @settings(max_examples=count, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(mutated())
    def judge(formula: str) -> None:
        asked(formula)

    judge()
    assert not list(tmp_path.iterdir())


def test_a_formula_with_bytes_changed_is_fitted_or_refused(tmp_path: Path, monkeypatch) -> None:
    _hold(300, tmp_path, monkeypatch)


@pytest.mark.slow
def test_many_formulas_with_bytes_changed_are_fitted_or_refused(tmp_path: Path, monkeypatch) -> None:
    _hold(DRAWS, tmp_path, monkeypatch)
