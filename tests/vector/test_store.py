"""A fit of several predictors comes back from its file as it was; an edited or damaged one is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

import etamu as em
from tests.vector.test_dispersed import sample as dispersed
from tests.vector.test_relations import sample

FITS = {
    "multinomial": lambda: em.glm("y ~ x + z", sample(), em.Multinomial(reference="middle")),
    "cumulative": lambda: em.glm(
        "y ~ x", sample(), em.Cumulative("probit", nonproportional="~ z"), offset="o"
    ),
    "adjacent": lambda: em.glm("y ~ x", sample(), em.AdjacentCategory()).with_covariance("CR1", cluster="z"),
    "reml": lambda: em.glm(
        "y ~ x", dispersed("gamma"), "gamma", "log", dispersion="~ z", dispersion_method="reml"
    ),
}
every = pytest.mark.parametrize("make", FITS.values(), ids=FITS)


@every
def test_it_comes_back(make, tmp_path):
    fit = make()
    fit.save(tmp_path / "m.json")
    again = em.load(tmp_path / "m.json")
    assert str(again) == str(fit)
    assert again.names == fit.names
    np.testing.assert_array_equal(again.coef, fit.coef)
    np.testing.assert_array_equal(again.cov, fit.cov)
    new = sample().iloc[:5] if fit.family.categorical else {"x": [0.1, 0.9], "z": ["p", "q"]}
    one, other = (each.predict(new, interval="confidence") for each in (fit, again))
    np.testing.assert_array_equal(one.estimate, other.estimate)
    np.testing.assert_array_equal(one.upper, other.upper)
    assert str(again.interpret()) == str(fit.interpret())
    assert str(again.test(f"`{fit.names[-1]}` = 0")) == str(fit.test(f"`{fit.names[-1]}` = 0"))


def test_what_needs_rows_says_so(tmp_path):
    FITS["multinomial"]().save(tmp_path / "m.json")
    again = em.load(tmp_path / "m.json")
    for ask in (again.predict, again.residuals, again.simulate, lambda: again.with_covariance("HC0")):
        with pytest.raises(em.NotAvailableError, match="rows"):
            ask()


def change(document, way, value):
    *path, last = way
    for key in path:
        document = document[key]
    document[last] = value


@pytest.mark.parametrize(
    ("way", "value", "message"),
    [
        (("version",), 99, "newer etamu"),
        (("family", "name"), "gaussian", "no family of several"),
        (("family", "settings", "base"), 1, "multinomial"),
        (("family", "settings", "levels"), {"texts": [1]}, "no setting"),
        (("coefficients", 0, 1), 17.0, "not what beta makes"),
        (("coefficients", 0, 0), "other", "not what beta makes"),
        (("beta",), [0.0], "entries where"),
        (("predictors", "0", "scale"), [0.0, 1.0, 1.0, 1.0], "not positive"),
        (("predictors", "0", "schema"), 7, "whole number"),
        (("fit", "covariance"), "HC9", "one of"),
        (("secret",), 1, "not a key"),
    ],
)
def test_a_damaged_file_is_refused(way, value, message, tmp_path):
    path = tmp_path / "m.json"
    FITS["multinomial"]().save(path)
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document, way, value)
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(em.FileError, match=message):
        em.load(path)
