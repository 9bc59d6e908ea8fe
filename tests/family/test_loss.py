"""The loss of a unit is what every practitioner calls it, with its exact derivatives, in any namespace."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit, gammaln, logsumexp, softmax

import etamu as em
from etamu.family.loss import namespace_of
from tests.catalogue import CUBIC, DERIVED_UNITS, NATURAL, SYMPY, UNITS, VECTORS, columns, crossed

ETA = np.linspace(-4.0, 4.0, 17)
COUNTS = np.arange(17.0) % 5
YES = np.arange(17.0) % 2
AMOUNTS = 0.1 + np.arange(17.0)
WEIGHTS = 0.5 + np.arange(17.0) % 3


def same(found, value, gradient, hessian):
    for mine, theirs in zip(found, (value, gradient, hessian), strict=True):
        assert_allclose(mine, np.broadcast_to(theirs, ETA.shape), rtol=1e-12, atol=1e-14)


# --- the table of equivalences ---


def test_gaussian_is_squared_error() -> None:
    same(em.loss("gaussian")(AMOUNTS, ETA), 0.5 * (AMOUNTS - ETA) ** 2, ETA - AMOUNTS, 1.0)


def test_bernoulli_logit_is_binary_cross_entropy_on_logits() -> None:
    stable = np.maximum(ETA, 0.0) - ETA * YES + np.log1p(np.exp(-np.abs(ETA)))
    mu = expit(ETA)
    same(em.loss("bernoulli", "logit")(YES, ETA), stable, mu - YES, mu * (1 - mu))


def test_soft_labels_are_a_quasibinomial_up_to_the_entropy_of_the_label() -> None:
    soft = np.linspace(0.05, 0.95, 17)
    entropy = -soft * np.log(soft) - (1 - soft) * np.log1p(-soft)
    stable = np.maximum(ETA, 0.0) - ETA * soft + np.log1p(np.exp(-np.abs(ETA)))
    mu = expit(ETA)
    same(em.loss(em.QuasiBinomial(), "logit")(soft, ETA), stable - entropy, mu - soft, mu * (1 - mu))


def test_poisson_log_is_the_poisson_negative_log_likelihood() -> None:
    rate = np.exp(ETA)
    at_mean = np.where(COUNTS > 0, COUNTS * np.log(np.where(COUNTS > 0, COUNTS, 1.0)), 0.0) - COUNTS
    value, gradient, hessian = em.loss("poisson", "log")(COUNTS, ETA)
    same((value, gradient, hessian), rate - COUNTS * ETA + at_mean, rate - COUNTS, rate)
    full = value - em.Poisson().saturated((COUNTS,), np.ones(17))
    assert_allclose(full, rate - COUNTS * ETA + gammaln(COUNTS + 1.0), rtol=1e-12)


def test_gamma_log_is_the_gamma_negative_log_likelihood() -> None:
    phi = 0.4
    value, gradient, hessian = em.loss("gamma", "log")(AMOUNTS, ETA, phi=phi)
    shape, mu = 1.0 / phi, np.exp(ETA)
    full = value - em.Gamma().saturated((AMOUNTS,), np.full(17, phi))
    density = shape * np.log(shape * AMOUNTS / mu) - shape * AMOUNTS / mu - np.log(AMOUNTS) - gammaln(shape)
    assert_allclose(full, -density, rtol=1e-11)
    same((value, gradient, hessian), value, (1 - AMOUNTS / mu) / phi, AMOUNTS / mu / phi)


def test_multinomial_is_softmax_cross_entropy() -> None:
    rng = np.random.default_rng(0)
    eta, y = 3.0 * rng.normal(size=(17, 3)), COUNTS % 4
    scores = np.column_stack([np.zeros(17), eta])  # the first class is the reference
    p, mine = softmax(scores, axis=1), np.eye(4)[y.astype(int)]
    value, gradient, hessian = em.loss(em.Multinomial())(y, eta)
    assert_allclose(value, logsumexp(scores, axis=1) - np.sum(scores * mine, axis=1), rtol=1e-12, atol=1e-15)
    assert_allclose(gradient, (p - mine)[:, 1:], rtol=1e-12, atol=1e-15)
    bends = p[:, :, None] * np.eye(4) - p[:, :, None] * p[:, None, :]
    assert_allclose(hessian, bends[:, 1:, 1:], rtol=1e-12, atol=1e-15)


# --- the contract ---


@pytest.mark.parametrize("family", [*VECTORS[1::4], *NATURAL], ids=repr)
def test_any_array_namespace_gives_the_same_of_several_predictors(family) -> None:
    rng = np.random.default_rng(1)
    k = len(family.parameters)
    eta = rng.uniform(0.2, 1.5, size=(17, k)) + np.arange(k)  # thresholds rise; inside every domain
    share = family.support.contains(np.array([0.5]))[0]
    first = [YES * 0.5 + 0.2] if share else [1.0 + COUNTS] if k and not family.categorical else [COUNTS % k]
    if family.categorical and family.counted:
        first = [1.0 + COUNTS for _ in family.levels]
    elif "trials" in family.response:
        first = [*first, 9.0 + COUNTS]
    ours = em.loss(family)(tuple(first), eta)
    strict = em.loss(family)(tuple(map(array_api_strict.asarray, first)), array_api_strict.asarray(eta))
    for one, other in zip(ours, strict, strict=True):
        assert_allclose(np.asarray(other), one, rtol=1e-12, atol=1e-300)


def test_a_class_that_is_not_there_has_no_loss() -> None:
    y = np.array([0.0, 2.0, 3.0, -1.0, 0.5])
    for family, k in ((em.Multinomial(), 2), (em.Cumulative(), 3)):
        value, gradient, _ = em.loss(family)(y, np.tile(np.arange(float(k)), (5, 1)))
        assert np.isfinite(value).tolist() == [True, True, False, False, False]
        assert np.isfinite(gradient[:, 0]).tolist() == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("family", "eta", "message"),
    [
        (em.Multinomial(), np.zeros(3), r"eta of .* is \(n, 1\), one column for each predictor, not \(3,\)"),
        (em.Cumulative(), np.zeros((3, 1)), r"\(n, 2\).* not \(3, 1\)"),
        (em.Beta(), np.zeros((3, 3)), r"\(n, 2\).* not \(3, 3\)"),
    ],
    ids=["flat", "no threshold", "too many"],
)
def test_an_eta_of_another_shape_is_refused(family, eta, message) -> None:
    with pytest.raises(em.OptionError, match=message):
        em.loss(family)(np.full(3, 0.5), eta)


@pytest.mark.parametrize("unit", [*UNITS[::7], *DERIVED_UNITS], ids=repr)
def test_gradient_and_hessian_are_the_derivatives(unit) -> None:
    y, eta = crossed(unit)
    near = (np.abs(eta) <= 5.0) & (np.abs(eta) > 0.1) & (np.abs(eta - 1.0) > 0.05) & (np.abs(y) < 200.0)
    y, eta = columns(unit, y[near]), eta[near]
    loss, step = em.loss(unit.family, unit.link), 1e-5
    rows = y if len(y) > 1 else y[0]
    with np.errstate(all="ignore"):
        below, at, above = (loss(rows, eta + shift) for shift in (-step, 0.0, step))
    size = np.abs(at.hessian) + np.abs(at.gradient) + np.abs(at.value)
    assert np.all(np.abs((above.value - below.value) / (2 * step) - at.gradient) <= 2e-6 * size)
    assert np.all(np.abs((above.gradient - below.gradient) / (2 * step) - at.hessian) <= 2e-6 * size)


def test_weights_and_phi_scale_all_three() -> None:
    loss = em.loss("poisson")
    plain = loss(COUNTS, ETA)
    for mine, one in zip(loss(COUNTS, ETA, WEIGHTS, 2.0), plain, strict=True):
        assert_allclose(mine, one * WEIGHTS / 2.0, rtol=1e-15)
    for mine, one in zip(loss(COUNTS, ETA, weights=WEIGHTS), plain, strict=True):
        assert_allclose(mine, one * WEIGHTS, rtol=1e-15)


@pytest.mark.parametrize("family", ["poisson", *[CUBIC] * SYMPY], ids=repr)
def test_any_array_namespace_gives_the_same(family) -> None:
    loss = em.loss(family, "log")
    y, eta, w = (array_api_strict.asarray(each) for each in (AMOUNTS, ETA, WEIGHTS))
    for mine, theirs in zip(loss(y, eta, w, 0.5), loss(AMOUNTS, ETA, WEIGHTS, 0.5), strict=True):
        assert namespace_of(mine) is array_api_strict
        assert_allclose(np.asarray(mine), theirs, rtol=1e-11)  # a root where NumPy has a table


def test_expected_information_is_positive_where_the_loss_is_not_convex() -> None:
    y, eta = np.full(17, 0.5), ETA
    observed = em.loss("gaussian", "log")(y, eta).hessian
    expected = em.loss("gaussian", "log", information="expected")(y, eta).hessian
    assert np.any(observed < 0.0)
    assert np.all(expected > 0.0)


def test_a_binomial_loss_takes_successes_and_trials() -> None:
    loss = em.loss("binomial")
    yes, no = (em.loss("bernoulli")(np.full(17, side), ETA) for side in (1.0, 0.0))
    found = loss((np.full(17, 2.0), np.full(17, 5.0)), ETA)
    assert_allclose(found.gradient, 2.0 * yes.gradient + 3.0 * no.gradient, rtol=1e-13)
    assert_allclose(found.hessian, 2.0 * yes.hessian + 3.0 * no.hessian, rtol=1e-13)
    with pytest.raises(em.OptionError, match="successes and trials, not 1 arrays"):
        loss(YES, ETA)


def test_the_sum_of_losses_is_half_the_deviance_at_a_fit() -> None:
    fit = em.glm("y ~ x", {"y": COUNTS, "x": ETA}, family="poisson")
    eta = fit.coef[0] + fit.coef[1] * ETA
    found = em.loss(fit.family, fit.link)(COUNTS, eta)
    assert_allclose(2.0 * np.sum(found.value), fit.deviance, rtol=1e-12)
    assert_allclose([np.sum(found.gradient), np.sum(found.gradient * ETA)], 0.0, atol=1e-8)


def test_what_is_no_loss_is_refused() -> None:
    with pytest.raises(em.OptionError, match="'expected' or 'observed'"):
        em.loss("poisson", information="fisher")
    with pytest.raises(em.LinkError, match="unknown link"):
        em.loss("poisson", "logg")
    with pytest.raises(em.OptionError, match="no array of a namespace"):
        em.loss("poisson")([1.0], [2.0])
    assert str(em.loss("poisson")) == "loss of poisson with log link"


# --- what comes in ---


@pytest.mark.parametrize("xp", [np, array_api_strict], ids=["numpy", "strict"])
def test_classes_are_numbers_of_any_kind_or_one_hot_rows(xp) -> None:
    rng = np.random.default_rng(3)
    codes, eta = rng.integers(0, 3, 20), rng.normal(size=(20, 2))
    loss = em.loss(em.Multinomial())
    plain = loss(codes.astype(float), eta)
    for y in (codes, np.eye(3)[codes]):
        for mine, theirs in zip(loss(xp.asarray(y), xp.asarray(eta)), plain, strict=True):
            assert_allclose(np.asarray(mine), theirs, rtol=1e-12)
    assert_allclose(plain.value, logsumexp(np.c_[np.zeros(20), eta], axis=1) - np.c_[np.zeros(20), eta][
        np.arange(20), codes], rtol=1e-12)  # fmt: skip


@pytest.mark.parametrize(
    ("family", "y", "eta", "phi", "words"),
    [
        ("poisson", np.zeros(3), np.zeros(2), 1.0, "other rows"),
        ("gamma", np.ones(2), np.zeros(2), 0.0, "positive"),
        (em.Multinomial(), np.eye(4), np.zeros((4, 2)), 1.0, "counts of 4 classes"),
        (em.Beta(), np.full(3, 0.5), np.zeros((2, 2)), 1.0, "other rows"),
    ],
    ids=["rows", "phi", "classes", "rows of two"],
)
def test_arrays_that_do_not_go_together_are_refused(family, y, eta, phi, words) -> None:
    with pytest.raises(em.OptionError, match=words):
        em.loss(family)(y, eta, phi=phi)
