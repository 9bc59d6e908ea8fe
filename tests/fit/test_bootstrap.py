"""A replication is a fit anybody can repeat by hand; in large samples replications vary as sandwiches say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import etamu as em
from etamu.fit import bootstrap
from etamu.fit.bootstrap import replicated_intervals
from etamu.infer.uniform import RESAMPLED, uniform
from etamu.solve.newton import newton

N = 120


def data(seed: int = 2) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x, g = rng.normal(size=N), rng.integers(0, 12, N)
    y = rng.poisson(np.exp(0.4 * x + 0.5) * rng.gamma(3.0, 1 / 3.0, 12)[g]).astype(float)
    return {"x": x, "g": g, "y": y, "k": rng.integers(1, 4, N)}


def reported(fit: Any) -> np.ndarray:
    """Return the replications of the coefficients."""
    return fit.coordinates.reported(fit.replicates.beta.T).T


def take(d: dict[str, Any], rows: np.ndarray) -> dict[str, Any]:
    return {name: values[rows] for name, values in d.items()}


CLOSE = 1e-6
"""Relative: a replication stops within 1e-6 standard errors of its maximum."""


def test_pairs_are_rows_drawn_by_number() -> None:
    d = data()
    fit = em.glm("y ~ x", d, family="poisson")
    found = reported(fit.with_covariance("bootstrap", replications=4, seed=7))
    for k in range(4):
        rows = np.floor(uniform(7, np.arange(N), 4, RESAMPLED)[:, k] * N).astype(int)
        assert np.allclose(found[k], em.glm("y ~ x", take(d, rows), family="poisson").coef, rtol=CLOSE)


def test_clusters_are_drawn_whole() -> None:
    d = data()
    fit = em.glm("y ~ x", d, family="poisson")
    found = fit.with_covariance("bootstrap", cluster="g", replications=3, seed=1)
    chosen = np.floor(uniform(1, np.arange(12), 3, RESAMPLED) * 12).astype(int)
    for k in range(3):
        rows = np.concatenate([np.flatnonzero(d["g"] == each) for each in chosen[:, k]])
        assert np.allclose(
            reported(found)[k], em.glm("y ~ x", take(d, rows), family="poisson").coef, rtol=CLOSE
        )
    assert found.reference_df == 11.0
    assert found.replicates.scheme == "cluster"


def test_a_parametric_replication_is_a_fit_to_simulated_responses() -> None:
    d = data()
    fit = em.glm("y ~ x", d, family="poisson")
    found = reported(fit.with_covariance("bootstrap", scheme="parametric", replications=3, seed=5))
    draws = fit.simulate(3, seed=5)
    for k in range(3):
        again = em.glm("y ~ x", d | {"y": draws[:, k]}, family="poisson")
        assert np.allclose(found[k], again.coef, rtol=CLOSE)


@pytest.mark.parametrize("clustered", [False, True])
def test_fractional_weights_are_exponential(clustered: bool) -> None:
    d = data()
    fit = em.glm("y ~ x", d, family="poisson")
    options = {"cluster": "g"} if clustered else {}
    found = fit.with_covariance("bootstrap", scheme="fractional", replications=2, seed=3, **options)
    draws = -np.log(uniform(3, np.arange(12 if clustered else N), 2, RESAMPLED))
    for k in range(2):
        w = draws[d["g"], k] if clustered else draws[:, k]
        again = em.glm("y ~ x", d | {"w": w}, family="poisson", variance_weights="w")
        assert np.allclose(reported(found)[k], again.coef, rtol=CLOSE)


@pytest.mark.parametrize("scheme", ["pairs", "cluster"])
def test_a_frequency_weight_is_copies(scheme: str) -> None:
    d = data()
    options = {"replications": 5, "seed": 2} | ({"cluster": "g"} if scheme == "cluster" else {})
    weighted = em.glm("y ~ x", d, family="poisson", frequency_weights="k")
    copies = em.glm("y ~ x", take(d, np.repeat(np.arange(N), d["k"])), family="poisson")
    ours, theirs = (reported(fit.with_covariance("bootstrap", **options)) for fit in (weighted, copies))
    assert np.allclose(ours, theirs, rtol=CLOSE)


def test_neither_threads_nor_blocks_matter() -> None:
    fit = em.glm("y ~ x", data(), family="poisson")
    found = []
    for block_rows, threads in ((None, 1), (None, 3), (17, 2)):
        options = replace(fit.problem.options, block_rows=block_rows, threads=threads)
        again = replace(fit, problem=replace(fit.problem, options=options))
        found.append(again.with_covariance("bootstrap", replications=8, seed=4).replicates.beta)
    assert np.array_equal(found[0], found[1])
    assert np.allclose(found[0], found[2], rtol=1e-9)


def test_more_replications_begin_as_fewer() -> None:
    fit = em.glm("y ~ x", data(), family="poisson")
    few, many = (fit.with_covariance("bootstrap", replications=n, seed=9).replicates.beta for n in (3, 6))
    assert np.array_equal(few, many[:3])


B = 600
ERROR = 4.0 / np.sqrt(2 * B)
"""Four Monte-Carlo standard errors of a standard error, relatively."""


@pytest.mark.parametrize(
    ("options", "sandwich"),
    [
        ({}, ("HC2", {})),
        ({"scheme": "fractional"}, ("HC0", {})),
        ({"scheme": "parametric"}, ("model", {})),
        ({"cluster": "g"}, ("CR1", {"cluster": "g"})),
    ],
    ids=["pairs", "fractional", "parametric", "cluster"],
)
def test_replications_vary_as_sandwiches_say(options: dict[str, Any], sandwich: tuple[str, Any]) -> None:
    rng = np.random.default_rng(6)
    n = 1000
    x, g = rng.normal(size=n), rng.integers(0, 200, n)
    y = rng.poisson(np.exp(0.3 * x + 1) * rng.gamma(4.0, 0.25, 200)[g]).astype(float)
    fit = em.glm("y ~ x", {"y": y, "x": x, "g": g}, family="poisson")
    found = fit.with_covariance("bootstrap", replications=B, seed=1, **options)
    expected = fit.with_covariance(sandwich[0], **sandwich[1])
    assert np.allclose(found.se, expected.se, rtol=ERROR + 0.03)  # the sandwich has an error of its own
    assert np.allclose(found.cov, np.cov(reported(found).T), rtol=1e-9)


def test_the_mean_of_a_sample_has_the_exact_bootstrap_variance() -> None:
    y = np.array([0.0, 1.0, 5.0, 2.0, 2.5, 9.0])
    found = em.glm("y ~ 1", {"y": y}).with_covariance("bootstrap", replications=4000, seed=8)
    # Efron (1979): the variance of the mean of n draws from the sample is sum (y - mean)^2 / n^2.
    assert found.se[0] == pytest.approx(np.sqrt(np.var(y) / len(y)), rel=4 / np.sqrt(8000))


def test_intervals_of_replications() -> None:
    fit = em.glm("y ~ x", data(), family="poisson").with_covariance("bootstrap", replications=199, seed=3)
    values = reported(fit)
    low, high = np.quantile(values, [0.05, 0.95], axis=0)
    assert np.allclose(fit.conf_int(0.9, method="percentile"), np.stack([low, high], axis=1))
    turned = np.stack([2 * fit.coef - high, 2 * fit.coef - low], axis=1)
    assert np.allclose(fit.conf_int(0.9, method="basic"), turned)
    ratio = fit.conf_int(0.9, method="percentile", scale="ratio")
    assert np.allclose(ratio, np.exp(np.stack([low, high], axis=1)))
    assert np.all(np.isfinite(fit.conf_int(method="bca")))


def test_bca_of_a_mean_is_efrons() -> None:
    from scipy.special import ndtr, ndtri

    y = np.array([0.2, 1.0, 5.0, 2.0, 2.5, 9.0, 0.4, 0.1, 3.0, 14.0])
    fit = em.glm("y ~ 1", {"y": y}).with_covariance("bootstrap", replications=999, seed=5)
    values = reported(fit)[:, 0]
    jackknife = np.array([np.delete(y, i).mean() for i in range(len(y))])
    gap = jackknife.mean() - jackknife
    a = np.sum(gap**3) / (6 * np.sum(gap**2) ** 1.5)
    z0 = ndtri(np.mean(values < fit.coef[0]) + 0.5 * np.mean(values == fit.coef[0]))
    z = z0 + ndtri([0.025, 0.975])
    expected = np.quantile(values, ndtr(z0 + z / (1 - a * z)))
    assert np.allclose(fit.conf_int(method="bca")[0], expected, rtol=1e-9)


def test_bca_of_clusters_takes_their_influences() -> None:
    fit = em.glm("y ~ x", data(), family="poisson")
    fit = fit.with_covariance("bootstrap", cluster="g", replications=99, seed=1)
    assert np.all(np.isfinite(fit.conf_int(method="bca")))


def test_everything_that_rests_on_the_covariance_follows() -> None:
    fit = em.glm("y ~ x", data(), family="poisson")
    found = fit.with_covariance("bootstrap", replications=50, seed=2)
    assert np.allclose(found.predict(se=True).se / fit.predict(se=True).se, 1.0, atol=0.9)
    assert found.test("x = 0").statistic == pytest.approx(found.statistic[1] ** 2)
    assert "50 of 50 replications" in str(found)
    assert 'with_covariance("bootstrap"' in str(found)
    with pytest.raises(em.NotAvailableError, match="robust covariance"):
        found.anova()
    assert found.with_covariance("HC3").replicates is None


def test_failures_are_counted_and_said() -> None:
    d = {"y": np.r_[np.zeros(9), np.ones(3)], "x": np.r_[np.arange(9.0), 4.0, 9.0, 10.0]}
    fit = em.glm("y ~ x", d, family="bernoulli")
    with pytest.warns(em.EtamuWarning, match=r"of 60 replications have no maximum \(.*infinite"):
        found = fit.with_covariance("bootstrap", replications=60, seed=1)
    lost = sum(found.replicates.failed.values())
    assert lost + len(found.replicates.beta) == 60
    assert f"{60 - lost} of 60" in str(found)


def test_a_level_that_is_not_drawn_is_a_failure() -> None:
    d = {"y": [3.0, 5.0, 4.0, 6.0, 2.0, 9.0, 4.0, 5.0], "g": list("aaaaaabc")}
    fit = em.glm("y ~ g", d, family="poisson")
    with pytest.raises(em.NotAvailableError, match="scheme='fractional'"):
        fit.with_covariance("bootstrap", replications=40)
    assert len(fit.with_covariance("bootstrap", replications=40, scheme="fractional").replicates.beta) == 40


def test_progress_is_counted_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    fit = em.glm("y ~ x", data(), family="poisson")
    fit.with_covariance("bootstrap", replications=5, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("\rbootstrap: 5 of 5 replications\n")
    fit.with_covariance("bootstrap", replications=5)
    assert capsys.readouterr().err == ""


def test_a_saved_fit_keeps_the_covariance_and_not_the_replications(tmp_path: Any) -> None:
    fit = em.glm("y ~ x", data(), family="poisson").with_covariance("bootstrap", cluster="g", replications=20)
    fit.save(tmp_path / "fit.json")
    loaded = em.load(tmp_path / "fit.json")
    assert np.array_equal(loaded.cov, fit.cov)
    assert loaded.covariance_kind == "bootstrap"
    assert loaded.reference_df == 11.0
    assert "bootstrap" in str(loaded)
    with pytest.raises(em.NotAvailableError, match="does not keep them"):
        loaded.conf_int(method="basic")


REFUSED = {
    "no such scheme": ({"scheme": "wild"}, "scheme='wild'"),
    "clusters missing": ({"scheme": "cluster"}, "needs clusters"),
    "clusters of pairs": ({"scheme": "pairs", "cluster": "g"}, "takes no clusters"),
    "two ways": ({"cluster": ["g", "k"]}, "one way of clustering"),
    "one replication": ({"replications": 1}, "replications is 1"),
    "half a seed": ({"seed": 0.5}, "seed is 0.5"),
    "lags": ({"lags": 2}, "takes no lags"),
    "no such option": ({"draws": 5}, "no option 'draws'"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what: str) -> None:
    options, message = REFUSED[what]
    fit = em.glm("y ~ x", data(), family="poisson")
    with pytest.raises(em.OptionError, match=message):
        fit.with_covariance("bootstrap", **options)


def test_options_of_the_bootstrap_belong_to_it() -> None:
    fit = em.glm("y ~ x", data(), family="poisson")
    with pytest.raises(em.OptionError, match="HC3 takes no seed"):
        fit.with_covariance("HC3", seed=1)
    with pytest.raises(em.NotAvailableError, match="needs replications"):
        fit.conf_int(method="percentile")
    drawn = fit.with_covariance("bootstrap", scheme="parametric", replications=5)
    with pytest.raises(em.NotAvailableError, match="resamples none"):
        replicated_intervals(drawn, 0.95, "bca")
    quasi = em.glm("y ~ x", data(), family="quasipoisson")
    with pytest.raises(em.NotAvailableError, match="no distribution"):
        quasi.with_covariance("bootstrap", scheme="parametric", replications=5)


def test_replications_hold_the_blas_to_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[int] = set()

    def watched(*arguments: Any, **options: Any) -> Any:
        seen.update(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return newton(*arguments, **options)

    monkeypatch.setattr(bootstrap, "newton", watched)
    em.glm("y ~ x", data(), family="poisson").with_covariance("bootstrap", replications=2)
    assert seen <= {1}
