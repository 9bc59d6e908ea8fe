"""A modelled dispersion against what is known of it: constant, by groups, and the REML of two variances."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu.family import location_scale as module
from tests.family.test_vector import slopes

N = 150
UNITS = [("gaussian", "identity"), ("gamma", "log"), ("gamma", "inverse"), ("inverse_gaussian", "log")]
every = pytest.mark.parametrize(("family", "link"), UNITS, ids=["-".join(pair) for pair in UNITS])


def sample(family="gaussian", seed=0):
    rng = np.random.default_rng(seed)
    x, z = rng.uniform(0.0, 1.0, N), rng.choice(["p", "q"], N)
    mu, phi = 1.0 + x, np.exp(-1.0 + 0.8 * (z == "q"))
    y = mu + np.sqrt(phi) * rng.normal(size=N)
    if family != "gaussian":
        y = rng.gamma(1.0 / phi, mu * phi)
    return {"y": y, "x": x, "z": z, "w": rng.uniform(0.5, 2.0, N), "k": rng.integers(0, 4, N)}


@every
def test_a_constant_dispersion_is_the_maximum_likelihood_one(family, link):
    data = sample(family)
    for weights in ({}, {"variance_weights": "w"}, {"frequency_weights": "k"}):
        modelled = em.glm("y ~ x", data, family, link, dispersion="~ 1", **weights)
        plain = em.glm("y ~ x", data, family, link, dispersion="ml", **weights)
        assert modelled.converged
        assert modelled.names == ("mean:Intercept", "mean:x", "dispersion:Intercept")
        np.testing.assert_allclose(modelled.coef[:2], plain.coef, rtol=1e-7)
        np.testing.assert_allclose(np.exp(modelled.coef[2]), plain.dispersion, rtol=1e-8)
        np.testing.assert_allclose(modelled.loglik, plain.loglik, rtol=1e-11)
        np.testing.assert_allclose(modelled.aic, plain.aic, rtol=1e-11)
        expected = modelled.with_covariance("expected")
        np.testing.assert_allclose(expected.se[:2], plain.se, rtol=1e-6)


def test_constant_reml_is_the_residual_mean_square():
    data = sample()
    plain = em.glm("y ~ x", data)
    reml = em.glm("y ~ x", data, dispersion="~ 1", dispersion_method="reml")
    np.testing.assert_allclose(np.exp(reml.coef[2]), plain.dispersion, rtol=1e-10)
    np.testing.assert_allclose(reml.coef[:2], plain.coef, rtol=1e-10)
    np.testing.assert_allclose(reml.se[:2], plain.se, rtol=1e-10)
    assert np.isnan(reml.loglik)
    assert "dispersion_method='ml'" in str(reml.summary()).replace("\n  ", " ")


def test_two_groups_with_means_of_their_own_have_their_own_variances():
    data = sample()
    q = data["z"] == "q"
    ml = em.glm("y ~ z", data, dispersion="~ z")
    reml = em.glm("y ~ z", data, dispersion="~ z", dispersion_method="reml")
    for fit, lost in ((ml, 0), (reml, 1)):
        levels = [np.var(data["y"][rows], ddof=lost) for rows in (~q, q)]
        np.testing.assert_allclose(np.exp(fit.coef[2]), levels[0], rtol=1e-9)
        np.testing.assert_allclose(np.exp(fit.coef[2] + fit.coef[3]), levels[1], rtol=1e-9)


def test_reml_maximises_the_likelihood_without_the_mean():
    """For the Gaussian: log f - log |X'WX| / 2, its slope in the dispersion's coefficients by differences."""
    data = sample()
    reml = em.glm("y ~ x", data, dispersion="~ x + z", dispersion_method="reml")
    design = np.column_stack([np.ones(N), data["x"]])
    scale = np.column_stack([np.ones(N), data["x"], data["z"] == "q"])

    def restricted(gamma):
        w = np.exp(-scale @ gamma)
        gram = design.T @ (w[:, None] * design)
        beta = np.linalg.solve(gram, design.T @ (w * data["y"]))
        rest = data["y"] - design @ beta
        return 0.5 * np.log(w).sum() - 0.5 * (w * rest**2).sum() - 0.5 * np.linalg.slogdet(gram)[1]

    slope = slopes(lambda at: np.array([restricted(row) for row in at]), reml.coef[None, 2:])
    np.testing.assert_allclose(slope, 0.0, atol=1e-7)


@every
@pytest.mark.parametrize("adjusted", [False, True])
def test_score_and_information_are_derivatives(family, link, adjusted):
    data = sample(family)
    unit = em.Unit(em.glm("y ~ 1", data, family).family, em.glm("y ~ 1", data, family, link).link)
    stated = module.LocationScale(unit.family, unit.link, "~ 1", adjusted=adjusted)
    y = (data["y"], np.full(N, 0.1)) if adjusted else (data["y"],)
    rng = np.random.default_rng(5)
    eta = np.column_stack([rng.uniform(0.5, 1.5, N), rng.uniform(-3.0, 1.0, N)])
    bound = stated.bind(np, "observed")
    value, score, information = bound(y, eta)
    np.testing.assert_allclose(score, slopes(lambda at: bound(y, at)[0], eta), rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(information, -slopes(lambda at: bound(y, at)[1], eta), rtol=1e-6, atol=1e-6)
    if not adjusted:
        from etamu.family.distribution import distribution

        mu = unit.mean(np, eta[:, 0]).mu
        logpdf = distribution(unit.family).logpdf(data["y"], mu, np.exp(eta[:, 1]))
        np.testing.assert_allclose(value + stated.saturated(y), logpdf, rtol=1e-11, atol=1e-11)


def test_the_gamma_norm_has_its_digits_far_out():
    import mpmath

    t = np.array([-30.0, -12.0, -5.0, -3.5, -3.4, -1.0, 0.0, 2.0, 10.0])
    ours = module.gamma(np, np.ones_like(t), t, 2.0)
    with mpmath.workdps(60):
        for j, value in enumerate(t):
            a = mpmath.e ** (-mpmath.mpf(value))
            norm = a * mpmath.log(a) - a - mpmath.loggamma(a) + mpmath.log(2 * mpmath.pi) / 2
            slope = -a * (mpmath.log(a) - mpmath.digamma(a))
            bend = a * (mpmath.log(a) - mpmath.digamma(a)) + a - a * a * mpmath.polygamma(1, a)
            for mine, true in zip(ours, (norm, slope, bend), strict=True):
                np.testing.assert_allclose(mine[j], float(true), rtol=1e-10)


def test_prediction_residuals_and_draws_know_the_dispersion():
    data = sample("gamma")
    fit = em.glm("y ~ x", data, "gamma", "log", dispersion="~ z")
    q = data["z"] == "q"
    phi = fit.predict(kind="dispersion", se=True)
    np.testing.assert_allclose(np.log(phi.estimate[q]) - fit.coef[2], fit.coef[3], rtol=1e-12)
    np.testing.assert_allclose(phi.se[~q], phi.estimate[~q] * fit.se[2], rtol=1e-12)
    mean = fit.predict(interval="confidence")
    plain = fit.predict(kind="link")
    np.testing.assert_allclose(mean.estimate, np.exp(plain[:, 0]), rtol=1e-13)
    assert np.all((mean.lower < mean.estimate) & (mean.estimate < mean.upper))
    residuals = fit.residuals()
    assert abs(residuals.std() - 1.0) < 0.15
    drawn = fit.simulate(500, seed=2)
    np.testing.assert_allclose(
        drawn[q].var(axis=1).mean() / drawn[~q].var(axis=1).mean(), np.exp(fit.coef[3]), rtol=0.2
    )


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"family": "poisson"}, em.FamilyError, "of poisson its dispersion is 1"),
        ({"family": "quasi"}, em.FamilyError, "its density is not known"),
        ({"dispersion_method": "moments"}, em.OptionError, "choose one of 'ml', 'reml'"),
        ({"predictors": {"scale": "~ z"}}, em.OptionError, "it has 'mean', 'dispersion'"),
        ({"variance_weights": np.zeros(N)}, em.DataError, "zero in every row"),
        ({"variance_weights": np.arange(N) * 1.0}, em.DataError, "must be positive where"),
    ],
)
def test_what_cannot_be_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        em.glm("y ~ x", sample(), **{"family": "gaussian", **options}, dispersion="~ z")


def test_a_dispersion_that_runs_to_zero_is_said():
    data = sample()
    data["y"] = np.where(data["z"] == "p", 1.0, data["y"])
    with pytest.warns(em.ConvergenceWarning) as said:
        fit = em.glm("y ~ z", data, dispersion="~ z")
    assert not fit.converged
    assert any("the dispersion goes to 0 in" in str(each.message) for each in said)


def test_a_method_without_a_formula_is_refused():
    with pytest.raises(em.OptionError, match="give dispersion='~ z'"):
        em.glm("y ~ x", sample(), dispersion_method="reml")
