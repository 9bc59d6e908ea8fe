"""scikit-learn's own checks, every one of them, and what its users do: pipelines, searches, clones."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from sklearn.metrics import d2_tweedie_score, r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

import etamu as em
from etamu.estimator import GLMClassifier, GLMRegressor

CHECKED = [
    GLMRegressor(),
    GLMRegressor(family="gamma", link="log"),
    GLMRegressor(family="quasipoisson"),
    GLMRegressor(fit_intercept=False),
    GLMRegressor(sample_weight_kind="sampling"),
    GLMClassifier(),
    GLMClassifier(link="cloglog", sample_weight_kind="frequency"),
    GLMClassifier(family=em.Multinomial()),
    GLMClassifier(family=em.Cumulative("probit"), sample_weight_kind="frequency"),
]
"""Every class with its defaults, then families, links and weights that sklearn's own data suit."""

# The data of the checks are separable or have more columns than rows here and there: we say so, rightly.
telling = pytest.mark.filterwarnings(
    "ignore::etamu._base.errors.ConvergenceWarning", "ignore::etamu._base.errors.AliasWarning"
)


@pytest.fixture
def array_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let scikit-learn run the check that it skips where this is not set."""
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")


@telling
@pytest.mark.usefixtures("array_api")
@parametrize_with_checks(CHECKED)
def test_scikit_learn_finds_no_fault(estimator: Any, check: Any) -> None:
    try:
        check(estimator)
    except BaseException as error:
        # A check that skips is not a check that passes.
        if type(error).__name__ in {"SkipTest", "Skipped"}:
            pytest.fail(f"skipped: {error}")
        raise


def test_no_check_is_left_out() -> None:
    for estimator in CHECKED:
        names = {check.func.__name__ for _, check in estimator_checks_generator(estimator)}
        assert "check_sample_weight_equivalence_on_sparse_data" in names
        assert "check_estimator_sparse_array" in names
        assert len(names) >= 50, estimator


@pytest.fixture
def routing() -> Iterator[None]:
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.fixture(scope="module")
def claims() -> dict[str, Any]:
    rng = np.random.default_rng(8)
    n = 400
    X = rng.normal(size=(n, 3))
    years = rng.uniform(0.2, 2.0, n)
    y = rng.poisson(years * np.exp(0.3 + 0.5 * X[:, 0] - 0.4 * X[:, 1]))
    return {"X": X, "y": y, "years": years, "late": rng.random(n) < 1 / (1 + np.exp(-X[:, 0]))}


# --- what comes out ---


def test_a_regressor_is_the_fit_inside_it(claims: dict[str, Any]) -> None:
    model = GLMRegressor(family="poisson").fit(claims["X"], claims["y"])
    fit = em.GLM("poisson").fit(claims["X"], claims["y"])
    assert model.fit_.coef.tobytes() == fit.coef.tobytes()
    assert np.array_equal(model.coef_, fit.coef[1:])
    assert model.intercept_ == fit.coef[0]
    assert np.array_equal(model.predict(claims["X"]), fit.predict())
    assert model.n_iter_ == fit.iterations
    assert model.n_features_in_ == 3
    np.testing.assert_allclose(
        np.exp(claims["X"] @ model.coef_ + model.intercept_), model.predict(claims["X"])
    )


def test_it_agrees_with_scikit_learn_without_a_penalty(claims: dict[str, Any]) -> None:
    X, y, late = claims["X"], claims["y"], claims["late"]
    ours, theirs = GLMRegressor("poisson").fit(X, y), PoissonRegressor(alpha=0.0, tol=1e-8).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y), abs=1e-9)
    logit, other = GLMClassifier().fit(X, late), LogisticRegression(C=np.inf, tol=1e-8).fit(X, late)
    np.testing.assert_allclose(logit.coef_, other.coef_, atol=1e-5)
    np.testing.assert_allclose(logit.predict_proba(X), other.predict_proba(X), atol=1e-5)
    assert logit.score(X, late) == other.score(X, late)


def test_the_score_is_the_share_of_deviance_explained(claims: dict[str, Any]) -> None:
    X, y, w = claims["X"], claims["y"], 1.0 + np.arange(400) % 3
    model = GLMRegressor("poisson").fit(X, y, sample_weight=w)
    assert model.score(X, y, sample_weight=w) == pytest.approx(
        1 - model.fit_.deviance / model.fit_.null_deviance
    )
    new = slice(0, 50)
    expected = d2_tweedie_score(y[new], model.predict(X[new]), power=1, sample_weight=w[new])
    assert model.score(X[new], y[new], sample_weight=w[new]) == pytest.approx(expected)
    linear = GLMRegressor().fit(X, y)
    assert linear.score(X, y) == pytest.approx(r2_score(y, linear.predict(X)))
    assert linear.score(X, np.full(400, 9.0)) == 0.0


def test_the_score_counts_the_exposure(claims: dict[str, Any]) -> None:
    X, y, years = claims["X"], claims["y"], claims["years"]
    model = GLMRegressor("poisson").fit(X, y, exposure=years)
    assert model.score(X, y, exposure=years) == pytest.approx(
        1 - model.fit_.deviance / model.fit_.null_deviance
    )
    with pytest.raises(ValueError, match="exposure was given"):
        model.predict(X)
    assert model.predict(X, exposure=2 * years) == pytest.approx(2 * model.predict(X, exposure=years))


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog", "loglog", "cauchit"])
def test_probabilities_and_decisions_agree(claims: dict[str, Any], link: str) -> None:
    labels = np.where(claims["late"], "late", "in time")
    model = GLMClassifier(link).fit(claims["X"], labels)
    proba, decision = model.predict_proba(claims["X"]), model.decision_function(claims["X"])
    assert model.classes_.tolist() == ["in time", "late"]
    assert proba.sum(axis=1) == pytest.approx(1.0)
    assert np.array_equal(decision > 0, proba[:, 1] > 0.5)
    assert np.array_equal(model.predict(claims["X"]), model.classes_[(decision > 0).astype(int)])
    assert model.coef_.shape == (1, 3)
    assert model.intercept_.shape == (1,)
    np.testing.assert_allclose(
        proba[:, 1], em.GLM("binomial", link).fit(claims["X"], labels).predict(), rtol=1e-12
    )


def test_both_tails_of_a_probability_are_kept(claims: dict[str, Any]) -> None:
    model = GLMClassifier().fit(claims["X"], claims["late"])
    far = np.sign(model.coef_) * 60.0 / np.abs(model.coef_)
    low, high = model.predict_proba(np.vstack([far, -far])).T
    assert 0.0 < low[0] < 1e-40
    assert 0.0 < high[1] < 1e-40


def test_an_aliased_column_has_a_coefficient_of_zero_here(claims: dict[str, Any]) -> None:
    X = np.column_stack([claims["X"], claims["X"][:, 0]])
    with pytest.warns(em.AliasWarning, match="x3"):
        model = GLMRegressor("poisson").fit(X, claims["y"])
    assert model.coef_[3] == 0.0
    assert np.isnan(model.fit_.coef[4])
    np.testing.assert_allclose(np.exp(X @ model.coef_ + model.intercept_), model.predict(X))


def test_separation_is_said() -> None:
    X = np.arange(10.0)[:, None]
    with pytest.warns(em.ConvergenceWarning, match="separation"):
        model = GLMClassifier().fit(X, X[:, 0] > 4)
    assert not model.fit_.converged
    assert model.score(X, X[:, 0] > 4) == 1.0


# --- weights ---


@pytest.mark.parametrize("kind", ["variance", "frequency", "sampling"])
def test_sample_weight_is_the_kind_that_was_chosen(claims: dict[str, Any], kind: str) -> None:
    w = np.arange(400) % 4
    model = GLMRegressor("poisson", sample_weight_kind=kind).fit(claims["X"], claims["y"], sample_weight=w)
    fit = em.GLM("poisson").fit(claims["X"], claims["y"], **{f"{kind}_weights": w})
    assert np.array_equal(model.fit_.se, fit.se)
    assert model.fit_.nobs == fit.nobs
    repeated = GLMRegressor("poisson").fit(np.repeat(claims["X"], w, axis=0), np.repeat(claims["y"], w))
    np.testing.assert_allclose(model.coef_, repeated.coef_, rtol=1e-9)


def test_what_weights_cannot_be_is_refused(claims: dict[str, Any]) -> None:
    X, y = claims["X"], claims["y"]
    with pytest.raises(ValueError, match=r"sample_weight_kind='prior'.*'variance', 'frequency', 'sampling'"):
        GLMRegressor("poisson", sample_weight_kind="prior").fit(X, y)
    with pytest.raises(ValueError, match="whole numbers"):
        GLMRegressor("poisson", sample_weight_kind="frequency").fit(X, y, sample_weight=np.full(400, 0.5))
    with pytest.raises(ValueError, match="negative"):
        GLMRegressor("poisson").fit(X, y, sample_weight=-np.ones(400))


# --- in company ---


def test_clones_and_pickles_predict_the_same(claims: dict[str, Any]) -> None:
    model = GLMRegressor(em.Tweedie(power=1.5), em.Power(0.5))
    assert clone(model).get_params() == model.get_params()
    model = clone(model.set_params(link="log")).fit(claims["X"], claims["y"])
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(claims["X"]), model.predict(claims["X"]))


def test_a_pipeline_passes_names_on(claims: dict[str, Any]) -> None:
    frame = pd.DataFrame(claims["X"], columns=["age", "dose", "weight"])
    pipeline = make_pipeline(StandardScaler(), GLMRegressor("poisson")).set_output(transform="pandas")
    pipeline.fit(frame, claims["y"])
    assert pipeline[-1].feature_names_in_.tolist() == ["age", "dose", "weight"]
    assert pipeline[-1].fit_.names == ("Intercept", "age", "dose", "weight")
    plain = GLMRegressor("poisson").fit(claims["X"], claims["y"])
    np.testing.assert_allclose(pipeline.predict(frame), plain.predict(claims["X"]), rtol=1e-9)
    with pytest.raises(ValueError, match="feature names"):
        pipeline[-1].predict(frame[["dose", "age", "weight"]])


def test_sparse_dummies_of_a_pipeline_stay_sparse(claims: dict[str, Any]) -> None:
    frame = pd.DataFrame({"age": claims["X"][:, 0], "region": np.array(["u", "v", "w"])[np.arange(400) % 3]})
    encode = make_column_transformer(
        (OneHotEncoder(drop="first"), ["region"]), remainder="passthrough", sparse_threshold=1.0
    )
    assert sparse.issparse(encode.fit_transform(frame))
    pipeline = make_pipeline(encode, GLMRegressor("poisson")).fit(frame, claims["y"])
    formula = em.glm("y ~ region + age", frame.assign(y=claims["y"]), family="poisson")
    np.testing.assert_allclose(pipeline.predict(frame), formula.predict(), rtol=1e-9)


def test_a_grid_search_goes_over_families_and_links(claims: dict[str, Any]) -> None:
    pipeline = make_pipeline(PolynomialFeatures(include_bias=False), GLMRegressor("poisson"))
    grid = {
        "polynomialfeatures__degree": [1, 2],
        "glmregressor__family": ["poisson", "quasipoisson", em.NegativeBinomial(theta=3.0)],
        "glmregressor__link": ["log"],
    }
    search = GridSearchCV(pipeline, grid, cv=3).fit(claims["X"], claims["y"])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_[-1].fit_.converged
    assert search.best_params_["polynomialfeatures__degree"] == 1
    links = GridSearchCV(GLMClassifier(), {"link": ["logit", "probit"]}, scoring="neg_log_loss", cv=3)
    assert links.fit(claims["X"], claims["late"]).best_score_ < 0


def test_a_family_whose_theta_is_estimated(claims: dict[str, Any]) -> None:
    model = clone(GLMRegressor(em.NegativeBinomial()))
    rng = np.random.default_rng(1)
    y = rng.poisson(rng.gamma(2.0, 1.0, len(claims["y"])))
    model.fit(claims["X"], y)
    assert model.fit_.shape.name == "theta"
    same = em.GLM(family="negative_binomial").fit(claims["X"], y)
    assert model.fit_.shape.estimate == pytest.approx(same.shape.estimate, rel=1e-9)
    assert model.predict(claims["X"][:3]).shape == (3,)


def test_cross_validation_scores_new_rows(claims: dict[str, Any]) -> None:
    scores = cross_val_score(GLMRegressor("poisson"), claims["X"], claims["y"], cv=4)
    assert len(scores) == 4
    assert scores.mean() > 0.1


@pytest.mark.usefixtures("routing")
def test_exposure_and_weights_are_routed_to_every_step(claims: dict[str, Any]) -> None:
    X, y, years, w = claims["X"], claims["y"], claims["years"], np.arange(400) % 3 + 1.0
    model = GLMRegressor("poisson").set_fit_request(exposure=True, sample_weight=True)
    model = model.set_score_request(exposure=True, sample_weight=True).set_predict_request(exposure=True)
    scores = cross_validate(model, X, y, cv=KFold(4), params={"exposure": years, "sample_weight": w})[
        "test_score"
    ]
    train, test = next(iter(KFold(4).split(X)))
    fit = GLMRegressor("poisson").fit(X[train], y[train], sample_weight=w[train], exposure=years[train])
    first = fit.score(X[test], y[test], sample_weight=w[test], exposure=years[test])
    assert scores[0] == pytest.approx(first, rel=1e-12)
    scaler = StandardScaler().set_fit_request(sample_weight=False)
    pipeline = make_pipeline(scaler, model).fit(X, y, exposure=years, sample_weight=w)
    whole = GLMRegressor("poisson").fit(X, y, sample_weight=w, exposure=years)
    np.testing.assert_allclose(
        pipeline.predict(X, exposure=years), whole.predict(X, exposure=years), rtol=1e-9
    )


# --- refusals ---


def test_three_classes_are_refused_and_one_too() -> None:
    X = np.arange(6.0)[:, None]
    with pytest.raises(ValueError, match=r"Only binary classification.*Multinomial"):
        GLMClassifier().fit(X, [0, 1, 2, 0, 1, 2])
    with pytest.raises(ValueError, match="one class only"):
        GLMClassifier().fit(X, ["a"] * 6)
    with pytest.raises(ValueError, match="rows of positive sample_weight have one class"):
        GLMClassifier().fit(X, [0, 0, 0, 1, 1, 1], sample_weight=[1, 1, 1, 0, 0, 0])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"family": "fish"}, "unknown family"),
        ({"solver": "sgd"}, "solver='sgd'"),
        ({"link": "probit"}, "probit"),
    ],
)
def test_parameters_are_refused_by_fit_not_before(parameters: dict[str, Any], message: str) -> None:
    model = GLMRegressor(**parameters)
    assert parameters.items() <= model.get_params().items()
    with pytest.raises(ValueError, match=message):
        model.fit([[0.0], [1.0], [2.0]], [1.0, 2.0, 4.0])


def test_attributes_exist_after_fit_alone() -> None:
    for model in (GLMRegressor(), GLMClassifier()):
        for name in ("fit_", "coef_", "intercept_", "n_iter_", "n_features_in_"):
            assert not hasattr(model, name), name
    with pytest.raises(sklearn.exceptions.NotFittedError):
        GLMClassifier().predict_proba([[0.0]])


def test_a_missing_extra_says_which_to_install() -> None:
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "try:\n    import etamu.estimator\nexcept ImportError as error:\n    print(error)"
    )
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout.strip().endswith("pip install etamu[sklearn]")


def test_a_fit_warns_nothing_where_there_is_nothing_to_say(claims: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        GLMRegressor("poisson").fit(claims["X"], claims["y"]).predict(claims["X"])
        GLMClassifier().fit(claims["X"], claims["late"]).predict(claims["X"])


def test_a_method_of_reduced_bias_is_finite_where_classes_separate() -> None:
    X, y = [[0.0], [1.0], [2.0], [3.0]], ["no", "no", "yes", "yes"]
    model = GLMClassifier(method="firth").fit(X, y)
    assert model.fit_.method == "firth"
    assert model.fit_.converged
    assert clone(model).method == "firth"
    regression = GLMRegressor("poisson", method="median").fit(X, [0, 0, 1, 2])
    assert regression.fit_.method == "median"


WINE = np.random.default_rng(6).normal(size=(150, 3))
THREE = np.array(["late", "early", "mid"])[
    np.digitize(WINE[:, 0] + np.random.default_rng(7).logistic(size=150), [-0.7, 0.9])
]


def test_a_multinomial_classifier_is_the_unpenalised_softmax() -> None:
    ours = GLMClassifier(family=em.Multinomial()).fit(WINE, THREE)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(WINE, THREE)
    assert ours.classes_.tolist() == theirs.classes_.tolist()
    np.testing.assert_allclose(ours.predict_proba(WINE), theirs.predict_proba(WINE), atol=1e-5)
    assert ours.score(WINE, THREE) == theirs.score(WINE, THREE)
    centred = theirs.coef_ - theirs.coef_[0]
    np.testing.assert_allclose(ours.coef_, centred, atol=1e-4)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_ - theirs.intercept_[0], atol=1e-4)
    assert ours.decision_function(WINE).shape == (150, 3)
    assert ours.n_iter_ >= 1


def test_an_ordinal_classifier_takes_the_order_it_is_given() -> None:
    order = ("late", "early", "mid")
    model = GLMClassifier(family=em.Cumulative(levels=order)).fit(WINE, THREE)
    assert model.fit_.family.levels == order
    assert model.classes_.tolist() == ["early", "late", "mid"]
    assert model.coef_.shape == (1, 3)
    assert model.intercept_.shape == (2,)
    fit = em.glm(
        "y ~ x0 + x1 + x2",
        {"y": THREE, **{f"x{j}": WINE[:, j] for j in range(3)}},
        family=em.Cumulative(levels=order),
    )
    np.testing.assert_allclose(model.coef_[0], fit.coef[2:], rtol=1e-10)
    np.testing.assert_allclose(model.predict_proba(WINE)[:, 1], fit.predict()[:, 0], rtol=1e-10)
    assert 0.4 < model.score(WINE, THREE) <= 1.0


def test_labels_of_any_kind_come_back_as_they_were() -> None:
    for labels in (np.array([10, 20, 35]), np.array(["a", "b", "c"])):
        y = labels[np.searchsorted(np.unique(THREE), THREE)]
        model = GLMClassifier(family=em.Multinomial()).fit(WINE, y)
        assert model.predict(WINE).dtype == labels.dtype
        assert set(model.predict(WINE)) <= set(labels)


def test_regressors_of_several_predictors_predict_the_mean() -> None:
    rng = np.random.default_rng(3)
    mu = 1.0 / (1.0 + np.exp(-WINE[:, 0]))
    share = rng.beta(6.0 * mu, 6.0 * (1.0 - mu))
    model = GLMRegressor(family=em.Beta()).fit(WINE, share)
    assert model.coef_.shape == (3,)
    np.testing.assert_allclose(
        model.predict(WINE), 1.0 / (1.0 + np.exp(-WINE @ model.coef_ - model.intercept_))
    )
    np.testing.assert_allclose(model.score(WINE, share), r2_score(share, model.predict(WINE)))
    counts = rng.poisson(np.exp(WINE[:, 0])) * rng.integers(0, 2, 150)
    zeros = GLMRegressor(family=em.ZeroInflatedPoisson()).fit(WINE, counts)
    assert np.all(zeros.predict(WINE) >= 0.0)
    assert len(cross_val_score(GLMRegressor(family=em.ZeroInflatedPoisson()), WINE, counts, cv=3)) == 3


def test_families_stand_at_the_door_they_belong_to() -> None:
    with pytest.raises(ValueError, match="use GLMClassifier"):
        GLMRegressor(family=em.Multinomial()).fit(WINE, THREE)
    with pytest.raises(ValueError, match="no classes"):
        GLMClassifier(family="poisson").fit(WINE, THREE)
    with pytest.raises(ValueError, match="one class only"):
        GLMClassifier(family=em.Multinomial()).fit(WINE, np.zeros(150))
