"""The command line says what the library says, and the demonstrations give R's numbers."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu import cli, datasets
from tests import oracle


@pytest.mark.parametrize("name", cli.DEMONSTRATIONS)
def test_the_demonstration_prints_a_summary_and_draws_a_figure(name, tmp_path, capsys):
    assert cli.main(["demo", name, "--out", str(tmp_path / "figures")]) == 0
    shown = cli.DEMONSTRATIONS[name]
    printed = capsys.readouterr().out
    assert str(cli.demonstrate(shown, datasets.load(shown.dataset))) in printed
    assert datasets.load(name).source.split(",")[0].split()[0] in printed
    assert (tmp_path / "figures" / "components.png").read_bytes().startswith(b"\x89PNG")
    assert "components.png" in printed


def test_the_budworm_demonstration_prints_what_r_prints():
    # summary(glm(cbind(numdead, 20 - numdead) ~ sex + ldose, binomial)), MASS 4th ed. section 7.2, by R 4.2
    text = str(cli.demonstrate(cli.DEMONSTRATIONS["budworms"], datasets.budworms()))
    for line in (
        "Intercept    -3.4732     0.4685  -7.413 1.23e-13 ***",
        "sex[T.male]   1.1007     0.3558   3.093  0.00198 **",
        "log2_dose     1.0642     0.1311   8.119 4.70e-16 ***",
        "    Null deviance: 124.8756  on 11  degrees of freedom",
        "Residual deviance:   6.7571  on  9  degrees of freedom",
        "AIC: 42.867",
    ):
        assert line in text


@pytest.mark.parametrize(
    ("formula", "link", "case"),
    [
        ("dead ~ sex * log2_dose", "logit", "open-budworm-logit"),
        ("dead ~ sex + log2_dose", "probit", "open-budworm-probit"),
    ],
)
def test_r_s_other_models_of_the_budworms_agree(formula, link, case):
    fit = em.glm(formula, datasets.budworms().columns, family="binomial", link=link, trials="moths")
    expected = oracle.case(case)["expected"]
    np.testing.assert_allclose(fit.coef, oracle.numbers(expected["coef"]), rtol=1e-8)
    np.testing.assert_allclose(fit.se, oracle.numbers(expected["se"]), rtol=1e-7)
    np.testing.assert_allclose(fit.deviance, expected["deviance"], rtol=1e-8)


def test_the_ships_demonstration_gives_r_s_numbers():
    fit = cli.demonstrate(cli.DEMONSTRATIONS["ships"], datasets.ships())
    expected = oracle.case("open-ships-poisson-offset")["expected"]
    np.testing.assert_allclose(fit.coef, oracle.numbers(expected["coef"]), rtol=1e-8)
    np.testing.assert_allclose(fit.se, oracle.numbers(expected["se"]), rtol=1e-7)
    for name in ("deviance", "null_deviance", "loglik", "aic", "bic"):
        np.testing.assert_allclose(getattr(fit, name), expected[name], rtol=1e-8)


def test_families_prints_the_table(capsys):
    assert cli.main(["families"]) == 0
    printed = capsys.readouterr().out
    assert "inverse_gaussian" in printed
    assert "mu (1 - mu)" in printed


def test_what_cannot_be_done_is_said_without_a_traceback(monkeypatch, capsys):
    def refuse(_):
        raise em.DataError("no such thing")

    monkeypatch.setattr(cli, "load", refuse)
    assert cli.main(["demo"]) == 1
    assert capsys.readouterr().err == "etamu: no such thing\n"


def test_a_command_is_required():
    with pytest.raises(SystemExit):
        cli.main([])
