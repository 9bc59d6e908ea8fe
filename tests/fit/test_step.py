"""The stepwise search ends where no term added or dropped lowers the criterion, and says how."""

from __future__ import annotations

import math

import numpy as np
import pytest

import etamu as em
from tests.fit.test_anova import data


def test_backward_drops_noise_and_keeps_the_rest() -> None:
    rng = np.random.default_rng(8)
    frame = data().assign(noise=rng.normal(size=120))
    search = em.glm("y ~ x + z + g + noise", frame, family="poisson").step()
    assert search.fit.formula == "y ~ x + z + g"
    alone = em.glm("y ~ x + z + g", frame, family="poisson")
    np.testing.assert_allclose(search.fit.coef, alone.coef, rtol=1e-9)
    assert search.fit.names == alone.names
    assert search.path.rows == ("Start", "- noise")
    assert search.path["aic"][-1] == pytest.approx(alone.aic)


def test_forward_and_backward_meet() -> None:
    frame = data()
    down = em.glm("y ~ (x + z + g)**2", frame, family="poisson").step()
    up = em.glm("y ~ 1", frame, family="poisson").step("forward", scope="~ (x + z + g)**2")
    assert all(np.diff(search.path["aic"]).max() < 0 for search in (down, up))
    for search in (down, up):
        best = search.candidates[-1]
        assert best.rows[0] == "<none>"
        assert min(best["aic"]) == best["aic"][0] == pytest.approx(search.fit.aic)


def test_bic_counts_the_logarithm_of_the_rows() -> None:
    frame = data()
    search = em.glm("y ~ x*g + z", frame, family="poisson").step(criterion="bic")
    assert search.path["bic"][-1] == pytest.approx(search.fit.bic)
    assert search.path["bic"][0] == pytest.approx(em.glm("y ~ x*g + z", frame, family="poisson").bic)
    assert search.fit.rank <= em.glm("y ~ x*g + z", frame, family="poisson").step().fit.rank
    first = search.candidates[0]
    drop = first.row("- x:g")["bic"]
    assert drop == pytest.approx(em.glm("y ~ x + g + z", frame, family="poisson").bic)
    assert math.isfinite(drop)


def test_marginality_and_lower_bound() -> None:
    fit = em.glm("y ~ x*g + z", data(), family="poisson")
    assert set(fit.step().candidates[0].rows) == {"<none>", "- x:g", "- z"}
    kept = fit.step(scope=("~ z", "~ x*g + z"))
    assert "z" in kept.fit.formula
    assert "- z" not in kept.candidates[0].rows


def test_estimated_phi_compares_fits_by_their_own_aic() -> None:
    search = em.glm("w ~ x + z + g", data(), family="gamma", link="log").step()
    assert np.all(np.diff(search.path["aic"]) < 0)
    assert search.path["aic"][-1] == pytest.approx(search.fit.aic)


def test_weights_offset_and_rows_go_along() -> None:
    frame = data().assign(k=np.tile([1.0, 2.0, 3.0], 40))
    frame.loc[5, "z"] = np.nan
    options = {"family": "poisson", "exposure": "e", "frequency_weights": "k"}
    with pytest.warns(em.DroppedRowsWarning):
        start = em.glm("y ~ x + z + g", frame, **options)
    search = start.step(scope=("~ x", "~ x + z + g"))
    assert search.fit.nobs == start.nobs
    assert search.fit.problem.has_offset


def test_the_path_prints() -> None:
    search = em.glm("y ~ 1", data(), family="poisson").step(scope="~ x + g")
    text = str(search)
    assert text.startswith("Start: AIC = ")
    assert "\n+ x " in text
    assert "Stepwise path by AIC" in text
    assert list(search.frame().columns) == ["term", "df", "deviance", "resid_df", "resid_deviance", "aic"]
    assert "<table>" in search._repr_html_()


def test_refusals() -> None:
    frame = data()
    fit = em.glm("y ~ x", frame, family="poisson")
    with pytest.raises(em.OptionError, match="criterion='cp'"):
        fit.step(criterion="cp")
    with pytest.raises(em.OptionError, match="direction='up'"):
        fit.step("up")
    with pytest.raises(em.NotAvailableError, match=r"step needs a likelihood.*F tests"):
        em.glm("y ~ x", frame, family="quasipoisson").step()
    with pytest.raises(em.NotAvailableError, match="sampling weights"):
        em.glm("y ~ x", frame, family="poisson", sampling_weights="e").step()
