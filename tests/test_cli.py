"""The command line says what the library says, and the demonstrations give R's numbers."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

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
    assert cli.main(["demo"]) == 2
    assert capsys.readouterr().err == "etamu: no such thing\n"


def test_a_command_is_required():
    with pytest.raises(SystemExit):
        cli.main([])


# --- files in, files out ---

AIR = """Ozone,Solar.R,Wind,Month,k
41,190,7.4,May,1
36,118,8,May,2
12,149,12.6,May,1
18,313,11.5,May,1
NA,NA,14.3,May,1
28,NA,14.9,May,1
23,299,8.6,June,3
19,99,13.8,June,1
8,19,20.1,June,1
NA,194,8.6,June,1
7,,6.9,June,2
16,256,9.7,July,1
11,290,9.2,July,1
14,274,10.9,July,1
"""
FORMULA = "Ozone ~ Solar.R + Wind + Month"


@pytest.fixture
def air(tmp_path, monkeypatch) -> Path:
    """A CSV file in the folder where commands run."""
    monkeypatch.chdir(tmp_path)
    # A PYTHONPATH may be relative to where the tests began.
    monkeypatch.setenv("PYTHONPATH", str(Path(em.__file__).parents[1]))
    (tmp_path / "air.csv").write_text(AIR)
    return tmp_path / "air.csv"


def run(*words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a command as a shell does, through pipes."""
    return subprocess.run(
        [sys.executable, "-m", "etamu.cli", *words],
        input=given,
        capture_output=True,
        timeout=120,
        check=False,
    )


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def python(formula: str = FORMULA, **options: object) -> em.Fit:
    """The same fit from Python."""
    table = rows(AIR)
    data = {
        name: [float(row[name]) if row[name] not in {"", "NA"} else np.nan for row in table]
        for name in ("Ozone", "Solar.R", "Wind", "k")
    }
    data["Month"] = [row["Month"] for row in table]
    with pytest.warns(em.DroppedRowsWarning):
        return em.glm(formula, data, **{"family": "poisson", **options})


def test_fit_prints_the_summary_and_saves_the_model(air, capsys):
    assert cli.main(["fit", "air.csv", FORMULA, "--family", "poisson", "--out", "m.json"]) == 0
    captured = capsys.readouterr()
    fit = python()
    assert captured.out == f"{fit}\n"
    assert captured.err == "etamu: warning: 4 of 14 rows dropped for missing values: Solar.R (3), Ozone (2)\n"
    loaded = em.load("m.json")
    np.testing.assert_array_equal(loaded.coef, fit.coef)
    np.testing.assert_array_equal(loaded.cov, fit.cov)


def test_a_negative_binomial_without_theta_has_it_estimated(air, capsys):
    assert cli.main(["fit", "air.csv", "Ozone ~ Wind", "--family", "nb", "--out", "m.json"]) == 0
    assert "theta = " in capsys.readouterr().out
    fit = python("Ozone ~ Wind", family=em.NegativeBinomial())
    assert em.load("m.json").shape.estimate == fit.shape.estimate


def test_every_option_reaches_the_fit(air, capsys):
    words = ["--family", "quasipoisson", "--link", "sqrt", "--frequency-weights", "k", "--dispersion", "2.5"]
    words += ["--covariance", "HC1", "--solver", "irls", "--precision", "extended"]
    words += ["--format", "json", "--level", "0.9"]
    assert cli.main(["fit", "air.csv", "Ozone ~ Wind", *words]) == 0
    printed = json.loads(capsys.readouterr().out)
    fit = python(
        "Ozone ~ Wind", family="quasipoisson", link="sqrt", frequency_weights="k", dispersion=2.5,
        covariance="HC1", solver="irls", precision="extended",
    )  # fmt: skip
    assert [row["estimate"] for row in printed["coefficients"]] == fit.coef.tolist()
    assert [row["std_error"] for row in printed["coefficients"]] == fit.se.tolist()
    assert [row["conf_low"] for row in printed["coefficients"]] == fit.conf_int(0.9)[:, 0].tolist()
    assert printed["fit"]["nobs"] == fit.nobs == 16
    assert printed["fit"]["loglik"] is None


def test_markdown_is_a_table(air, capsys):
    cli.main(["fit", "air.csv", FORMULA, "--format", "md"])
    lines = capsys.readouterr().out.splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + 5
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1
    assert any("Month\\[T.June\\]" in line for line in table)


def test_predict_answers_row_by_row_with_the_same_bits(air, capsys):
    cli.main(["fit", "air.csv", FORMULA, "--family", "poisson", "--out", "m.json"])
    capsys.readouterr()
    assert cli.main(["predict", "m.json", "air.csv", "--interval", "--level", "0.9", "--keep", "Month"]) == 0
    printed = rows(capsys.readouterr().out)
    assert list(printed[0]) == ["Month", "estimate", "se", "lower", "upper"]
    assert [row["Month"] for row in printed] == [row["Month"] for row in rows(AIR)]
    data = {name: [row[name] for row in rows(AIR)] for name in ("Month",)}
    for name in ("Solar.R", "Wind"):
        data[name] = [float(row[name]) if row[name] not in {"", "NA"} else np.nan for row in rows(AIR)]
    expected = python().predict(data, interval="confidence", level=0.9)
    for name in ("estimate", "se", "lower", "upper"):
        values = [float(row[name]) if row[name] else np.nan for row in printed]
        np.testing.assert_array_equal(values, getattr(expected, name))
    assert np.isnan(expected.estimate).sum() == 3


@pytest.mark.parametrize("library", ["pyarrow", "polars"])
def test_parquet_goes_in_and_out(library, air, capsys, monkeypatch):
    pl = pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    pl.read_csv("air.csv", null_values=["NA", ""]).write_parquet("air.parquet")
    monkeypatch.setattr("etamu.data.files.first_installed", lambda *_: library)
    assert cli.main(["fit", "air.parquet", FORMULA, "--family", "poisson", "--out", "m.json"]) == 0
    assert capsys.readouterr().out == f"{python()}\n"
    assert cli.main(["predict", "m.json", "air.parquet", "-o", "p.parquet"]) == 0
    cli.main(["predict", "m.json", "air.csv"])
    printed = [float(row["estimate"] or "nan") for row in rows(capsys.readouterr().out)]
    np.testing.assert_array_equal(pl.read_parquet("p.parquet")["estimate"].to_numpy(), printed)


def test_without_a_library_parquet_says_what_to_install(air, capsys, monkeypatch):
    Path("x.parquet").write_bytes(b"PAR1xxxxPAR1")
    monkeypatch.setattr("etamu.data.files.first_installed", lambda *_: None)
    assert cli.main(["fit", "x.parquet", "y ~ x"]) == 3
    assert "pip install etamu[parquet]" in capsys.readouterr().err


def test_the_model_and_the_data_come_through_pipes(air):
    fitted = run("fit", "-", FORMULA, "--family", "poisson", "--out", "-", given=AIR.encode())
    assert fitted.returncode == 0
    assert fitted.stderr.count(b"\n") == 1
    predicted = run("predict", "-", "air.csv", given=fitted.stdout)
    assert predicted.returncode == 0
    assert predicted.stderr == b""
    (air.parent / "m.json").write_bytes(fitted.stdout)
    again = run("predict", "m.json", "-", given=AIR.encode())
    assert again.stdout == predicted.stdout
    assert len(rows(predicted.stdout.decode())) == 14


def test_a_saved_model_is_shown(air, capsys):
    cli.main(["fit", "air.csv", FORMULA, "--family", "poisson", "--out", "m.json"])
    printed = capsys.readouterr().out
    assert cli.main(["show", "m.json"]) == 0
    assert capsys.readouterr().out == printed
    cli.main(["fit", "air.csv", FORMULA, "--family", "poisson", "--out", "m.json", "--without-covariance"])
    capsys.readouterr()
    assert cli.main(["show", "m.json"]) == 0
    # Tests of terms need the covariance itself, not standard errors alone.
    shown = capsys.readouterr().out
    assert "Terms:" not in shown
    assert set(shown.splitlines()) <= set(printed.splitlines())
    assert cli.main(["predict", "m.json", "air.csv", "--se"]) == 2
    assert "left out when the fit was saved" in capsys.readouterr().err


# --- what goes wrong ---


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["fit", "no.csv", "y ~ x"], 3, "no.csv: cannot be read: No such file"),
        (["fit", ".", "y ~ x"], 3, "cannot be read: Is a directory"),
        (["fit", "air.csv", "Ozone ~ Sun"], 2, "there is no column 'Sun'"),
        (["fit", "air.csv", "Ozone ~ Solar"], 2, "did you mean 'Solar.R'?"),
        (["fit", "air.csv", "Ozone ~ __import__('os')"], 2, "not among the functions of formulas"),
        (["fit", "air.csv", "Month ~ Wind"], 2, "the response 'Month' is text"),
        (["fit", "air.csv", "Ozone ~ Wind", "--family", "poison"], 2, "did you mean 'poisson'?"),
        (["fit", "air.csv", "Ozone ~ Wind", "--weights", "k"], 2, "--weights has three meanings"),
        (["fit", "air.csv", "Ozone ~ Wind", "--missing", "raise"], 2, "have missing values"),
        (["fit", "air.csv", "Ozone ~ Wind", "--dispersion", "much"], 2, "dispersion='much'"),
        (["fit", "air.csv", "Ozone ~ Wind", "--level", "95"], 2, "--level is 95"),
        (["fit", "air.csv", "Ozone ~ Wind", "--out", "no/m.json"], 3, "no/m.json: cannot be written"),
        (["predict", "air.csv", "air.csv"], 3, "air.csv: line 1, column 1"),
        (["predict", "m.json", "air.csv", "--out", "no/p.csv"], 3, "no/p.csv: cannot be written"),
        (["predict", "m.json", "few.csv"], 2, "there is no column 'Wind'"),
        (["predict", "m.json", "new.csv"], 2, "has the level 'Mai' in row 1"),
        (["predict", "m.json", "air.csv", "--keep", "Sun"], 2, "there is no column 'Sun'"),
        (["fit", "Ozone ~ Wind", "air.csv"], 2, "is a formula, and the file comes first"),
        (["fit", "https://a.org/b.csv", "y ~ x"], 3, "is an address, not a file"),
        (["predict", "m.json", "air.csv", "--out", "p.xlsx"], 3, "call it .csv or .parquet"),
        (["predict", "-", "-"], 2, "cannot both come from the standard input"),
        (["predict", "newer.json", "air.csv"], 3, "install a newer etamu"),
    ],
)
def test_errors_are_one_line_with_a_code(words, code, message, air, capsys):
    cli.main(["fit", "air.csv", FORMULA, "--out", "m.json"])
    text = Path("m.json").read_text()
    Path("newer.json").write_text(text.replace('"version": 1', '"version": 99'))
    Path("few.csv").write_text("Month,Solar.R\nMay,1\n")
    Path("new.csv").write_text("Month,Solar.R,Wind\nMay,1,2\nMai,1,2\n")
    capsys.readouterr()
    assert cli.main(words) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    last = captured.err.splitlines()[-1]
    assert last.startswith("etamu: ")
    assert message in last


def test_levels_never_seen_can_be_answered(air, capsys):
    cli.main(["fit", "air.csv", FORMULA, "--out", "m.json"])
    Path("new.csv").write_text("Month,Solar.R,Wind\nMay,1,2\nMai,1,2\n")
    capsys.readouterr()
    assert cli.main(["predict", "m.json", "new.csv", "--unseen", "nan"]) == 0
    assert [bool(row["estimate"]) for row in rows(capsys.readouterr().out)] == [True, False]


@pytest.mark.parametrize(
    "words", [[], ["fit"], ["fit", "a", "b", "c"], ["fit", "a", "b", "--solver", "x"], ["no"]]
)
def test_wrong_usage_is_one_line_too(words, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("etamu: ")
    assert error.count("\n") == 1
    assert "--help" in error


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["fits"], "'fit'"),
        (["fit", "a", "b", "--familly", "poisson"], "--family"),
        (["fit", "a", "b", "--method", "firths"], "'firth'"),
        (["predict", "a", "b", "--kind", "response"], "'mean'"),
    ],
    ids=lambda words: words[-1],
)
def test_what_was_meant_is_said(words, meant, capsys):
    with pytest.raises(SystemExit):
        cli.main(words)
    assert f"; did you mean {meant}? see etamu" in capsys.readouterr().err


def test_a_fit_that_does_not_converge_says_so_by_its_code(tmp_path, capsys):
    path = tmp_path / "d.csv"
    path.write_text("y,x\n0,1\n0,2\n0,3\n1,4\n1,5\n1,6\n")
    assert (
        cli.main(["fit", str(path), "y ~ x", "--family", "bernoulli", "--out", str(tmp_path / "m.json")]) == 1
    )
    captured = capsys.readouterr()
    assert "NOT CONVERGED" in captured.out
    assert captured.err.startswith("etamu: warning: ")
    assert not em.load(tmp_path / "m.json").converged


def test_exit_codes_and_the_version_are_in_the_help(capsys):
    for words, said in (
        (["--help"], "exit codes:"),
        (["fit", "--help"], "exit codes:"),
        (["--version"], em.__version__),
    ):
        with pytest.raises(SystemExit) as caught:
            cli.main(words)
        assert caught.value.code == 0
        assert said in capsys.readouterr().out


# --- pipes, terminals, interrupts ---


def test_a_reader_who_has_had_enough_is_no_error(air):
    Path("many.csv").write_text("Month,Solar.R,Wind\n" + "May,1,2\n" * 200_000)
    run("fit", "air.csv", FORMULA, "--out", "m.json")
    process = subprocess.Popen(
        [sys.executable, "-m", "etamu.cli", "predict", "m.json", "many.csv"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout.readline() == b"estimate\n"
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 0


def test_an_interrupt_is_quiet(air):
    words = [sys.executable, "-m", "etamu.cli", "fit", "-", "y ~ x"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        process.stdin.write(b"y,x\n" * (1 << 20))  # more than a pipe holds: the command has begun to read
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert (process.stdout.read(), process.stderr.read()) == (b"", b"")


def test_progress_is_for_terminals_only(air):
    assert b"reading" not in run("fit", "air.csv", "Wind ~ k").stderr
    main, other = pty.openpty()
    subprocess.run(
        [sys.executable, "-m", "etamu.cli", "fit", "air.csv", "Wind ~ k"],
        check=True,
        stderr=other,
        stdout=subprocess.PIPE,
    )
    os.close(other)
    shown = os.read(main, 4096).decode()
    os.close(main)
    assert "reading air.csv" in shown
    assert "fitting Wind ~ k to 14 rows" in shown
    assert shown.endswith("\r\x1b[2K")


# --- completion ---


def completed(*words: str) -> list[str]:
    """Ask bash what it would offer after these words."""
    line = " ".join(f"'{word}'" for word in words)
    source = f"""
        eval "$({sys.executable} -m etamu.cli completion bash)"
        COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _etamu; printf '%s\n' "${{COMPREPLY[@]}}"
    """
    answer = subprocess.run(["bash", "-c", source], check=True, capture_output=True, text=True)
    assert answer.stderr == ""
    return answer.stdout.split("\n")[:-1]


def test_bash_completes_commands_options_values_and_files(air):
    assert completed("etamu", "f") == ["fit", "families"]
    assert completed("etamu", "fit", "air.csv", "y ~ x", "--fam") == ["--family"]
    assert completed("etamu", "fit", "--family", "po") == ["poisson"]
    assert completed("etamu", "predict", "--unseen", "") == ["error", "nan", "reference"]
    assert completed("etamu", "fit", "ai") == ["air.csv"]
    assert completed("etamu", "fit", "--out", "ai") == ["air.csv"]
    assert completed("etamu", "completion", "z") == ["zsh"]
    assert completed("etamu", "demo", "sh") == ["ships"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_script_is_read_by_its_shell(shell, capsys):
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for command in cli.COMMANDS:
        assert command.name in script
    assert "weights has three" not in script
    assert "==SUPPRESS==" not in script
    try:
        answer = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip(f"{shell} is not installed")
    assert (answer.returncode, answer.stderr) == (0, "")


def test_a_model_of_several_predictors_is_fitted_saved_shown_and_predicted(tmp_path, capsys):
    rows = "\n".join(f"{'abc'[i % 3]},{i % 5 + (i % 3)},{i % 3}" for i in range(40))
    data, model = tmp_path / "d.csv", tmp_path / "m.json"
    data.write_text(f"way,x,rank\n{rows}\n", encoding="utf-8")
    assert cli.main(["fit", str(data), "way ~ x", "--family", "multinomial", "--out", str(model)]) == 0
    assert "b (log odds against a):" in capsys.readouterr().out
    assert cli.main(["show", str(model)]) == 0
    assert cli.main(["predict", str(model), str(data), "--interval"]) == 0
    assert "a,b,c,se:a,se:b,se:c,lower:a" in capsys.readouterr().out
    for form, words in (("json", '"term": "0|1"'), ("md", "cumulative, 40 observations")):
        assert cli.main(["fit", str(data), "rank ~ x", "--family", "cumulative", "--format", form]) == 0
        assert words in capsys.readouterr().out
    assert cli.main(["fit", str(data), "rank ~ x", "--family", "cumulative", "--out", "-"]) == 0
    assert '"etamu vector model"' in capsys.readouterr().out


def test_a_method_of_reduced_bias_reaches_the_fit(tmp_path, capsys):
    (tmp_path / "data.csv").write_text("y,x\n0,1\n0,2\n1,3\n1,4\n", encoding="utf-8")
    data = str(tmp_path / "data.csv")
    asked = ["fit", data, "y ~ x", "--family", "bernoulli", "--method", "firth", "--format", "json"]
    assert cli.main(asked) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["method"] == "firth"
    fit = em.glm("y ~ x", {"y": [0, 0, 1, 1], "x": [1.0, 2, 3, 4]}, "bernoulli", method="firth")
    assert [row["estimate"] for row in answer["coefficients"]] == pytest.approx(fit.coef.tolist())


def test_no_file_that_is_read_is_written_over(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data, model = tmp_path / "data.csv", tmp_path / "model.json"
    data.write_text("y,x\n1,0\n2,1\n2,3\n5,4\n")
    before = data.read_bytes()
    for out in ("data.csv", "./data.csv", str(data)):
        assert cli.main(["fit", "data.csv", "y ~ x", "--out", out]) == 2
        assert "is data.csv itself, which it would overwrite" in capsys.readouterr().err
    assert cli.main(["fit", "data.csv", "y ~ x", "--out", "model.json"]) == 0
    saved = model.read_bytes()
    for out in ("data.csv", "model.json"):
        assert cli.main(["predict", "model.json", "data.csv", "--out", out]) == 2
        assert "it would overwrite: name another file" in capsys.readouterr().err
    assert (data.read_bytes(), model.read_bytes()) == (before, saved)
    assert cli.main(["fit", "data.csv", "y ~ x", "--out", "model.json"]) == 0  # a model may be made anew
