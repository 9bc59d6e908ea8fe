"""Files of many kinds of models changed byte by byte: read as a model that predicts, or refused by name.

Read next: tests/fit/test_store.py, which does the same to the document of one model, place by place.
"""

from __future__ import annotations

import functools
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import etamu as em
from tests.fuzz.test_formulas import DATA, N, watched

DRAWS = int(os.environ.get("ETAMU_DRAWS", "20000"))
TANH = em.StatedLink("(1 + tanh(eta)) / 2", "atanh(2 * mu - 1)", name="tanh", range=(0, 1))
MATRIX = np.stack([DATA["x"], DATA["z"]], axis=1)
MODELS = {
    "splines": lambda: em.glm("y ~ bs(x, df=4) + C(g, contr.sum):z", DATA, family="gamma", link="log"),
    "stated": lambda: em.glm("h ~ x", DATA, family="bernoulli", link=TANH),
    "matrix": lambda: em.GLM(family="gamma", link="log").fit(MATRIX, DATA["y"]),
    "tweedie": lambda: em.glm("y ~ poly(x, 2) + g", DATA, family=em.Tweedie(power=1.5), link=em.Power(0.5)),
}
TOKENS = st.sampled_from(
    [b"null", b"1e999", b"-1", b"[]", b"{}", b'"', b",", b"[" * 200, b"0" * 40, b"NaN", b"\\u0000", b"9" * 30]
)


@functools.cache
def whole(name: str) -> bytes:
    """Return the file of a model."""
    with tempfile.TemporaryDirectory() as folder:
        MODELS[name]().save(Path(folder) / "m.json")
        return (Path(folder) / "m.json").read_bytes()


@st.composite
def changed(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a model, and its file with some bytes taken out or put in."""
    name = draw(st.sampled_from(sorted(MODELS)))
    data = bytearray(whole(name))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data) - 1))
        gone = draw(st.sampled_from([0, 1, 1, 3, 20]))
        data[at : at + gone] = draw(TOKENS | st.binary(max_size=4))
    return name, bytes(data)


def hold(count: int, place: Path) -> None:
    """Read changed files; what is no model is refused, and a model predicts or says why it cannot."""
    rows = {"splines": DATA, "stated": DATA, "tweedie": DATA, "matrix": np.ones((N, 2))}

    @settings(max_examples=count, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(changed())
    def judge(drawn: tuple[str, bytes]) -> None:
        name, data = drawn
        place.write_bytes(data)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                fit = em.load(place)
                str(fit)
                fit.predict(rows[name], se=True)
            except em.EtamuError:
                return

    judge()


def test_files_with_bytes_changed_are_refused_or_harmless(tmp_path: Path) -> None:
    hold(200, tmp_path / "m.json")


@pytest.mark.slow
def test_many_files_with_bytes_changed_are_refused_or_harmless(tmp_path: Path) -> None:
    hold(DRAWS, tmp_path / "m.json")


@pytest.mark.parametrize("name", MODELS)
def test_a_file_is_read_without_running_code(name: str, tmp_path: Path) -> None:
    place = tmp_path / "m.json"
    place.write_bytes(whole(name))
    rows = np.ones((N, 2)) if name == "matrix" else DATA
    em.load(place).predict(rows, se=True)  # loads what is lazy
    with watched() as seen:
        em.load(place).predict(rows, se=True)
    assert not seen
