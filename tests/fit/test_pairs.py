"""Pairs of estimated marginal means: differences of the means, on every scale, of every covariance."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from tests.fit.test_means import small


def test_pairs_on_every_scale() -> None:
    fit = em.glm("y ~ g + x", small(), family="poisson")
    means = fit.means("g")
    ratio, link, response = (means.pairs(None, scale) for scale in ("ratio", "link", "response"))
    assert np.allclose(ratio["estimate"], np.exp(link["estimate"]), rtol=1e-12)
    assert np.allclose(ratio["std_error"], ratio["estimate"] * link["std_error"], rtol=1e-12)
    assert np.allclose(ratio["p_value"], link["p_value"])
    first, second = np.array([0, 0, 1]), np.array([1, 2, 2])
    assert np.allclose(response["estimate"], means["estimate"][first] - means["estimate"][second], rtol=1e-12)
    gradient = means["estimate"][:, None] * means.rows
    difference = gradient[first] - gradient[second]
    error = np.sqrt(np.einsum("ij,jk,ik->i", difference, fit.cov, difference))
    assert np.allclose(response["std_error"], error, rtol=1e-9)
    assert means.pairs(None, compare="reference")["contrast"].tolist() == ["b / a", "c / a"]
    assert means.pairs("holm", compare="sequential")["contrast"].tolist() == ["b / a", "c / b"]
    assert np.all(means.pairs("max-t")["p_adjusted"] <= means.pairs("sidak")["p_adjusted"] + 1e-4)


def test_pairs_of_robust_covariances() -> None:
    d = small()
    fit = em.glm("y ~ g + h + x", d, family="poisson").with_covariance("HC3")
    table = fit.means("g").pairs(scale="link")
    place = fit.names.index("g[T.b]")
    assert table["estimate"][0] == pytest.approx(-fit.coef[place], rel=1e-10)
    assert table["std_error"][0] == pytest.approx(fit.se[place], rel=1e-9)


def test_a_ratio_needs_a_link_that_has_one() -> None:
    means = em.glm("y ~ g + h", small()).means("g")
    with pytest.raises(em.OptionError, match="no difference is a ratio"):
        means.pairs(scale="ratio")
    assert means.pairs()["contrast"].tolist() == ["a - b", "a - c", "b - c"]
    assert "<table>" in means._repr_html_()
    assert str(means) == repr(means)


def test_an_adjustment_never_lowers_a_p_value_and_bonferroni_is_a_multiple() -> None:
    means = em.glm("y ~ g + h", small(), family="poisson").means("g")
    single = np.asarray(means.pairs(None)["p_value"])
    bonferroni = np.asarray(means.pairs("bonferroni")["p_adjusted"])
    assert np.allclose(bonferroni, np.minimum(3.0 * single, 1.0), rtol=1e-12)
    for adjust in ("tukey", "max-t", "holm", "sidak", "bh"):
        adjusted = np.asarray(means.pairs(adjust)["p_adjusted"])
        assert np.all(adjusted >= single - 1e-4), adjust
        assert np.all(adjusted <= bonferroni + 1e-4), adjust


def test_means_are_compared_within_their_group_only() -> None:
    means = em.glm("y ~ g * h", small(), family="poisson").means("g", by="h")
    table = means.pairs(None)
    assert table["contrast"].tolist() == 2 * ["a / b", "a / c", "b / c"]
    assert table["h"].tolist() == 3 * ["u"] + 3 * ["v"]
