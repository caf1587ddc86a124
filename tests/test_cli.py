"""The command line as a person meets it: help, answers, and one sentence for each mistake."""

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import xarray as xr
from saying import say

from pbpk.predict.audit import read_verified

ROOT = Path(__file__).parents[1]
KHOT = ROOT / "data" / "khot_2019_t_cells_mouse"
ZHUANG = ROOT / "data" / "zhuang_2021_fnd_msc_mouse"
COMMANDS = ["run", "fit", "simulate", "report", "check", "identify", "compare", "count", "virtual", "exposure",
            "sensitivity", "verify", "qualify", "population", "export", "plan", "reproduce", "seal",
            "package", "trace"]  # fmt: skip


@pytest.fixture
def edited(tmp_path):
    """A shipped study with one file changed: (file, old, new), or a new text in place of a file."""

    def edit(file, old, new=None, study=KHOT):
        folder = tmp_path / "study"
        shutil.copytree(study, folder)
        text = (folder / file).read_text()
        if new is None:
            text = old
        else:
            assert old in text
            text = text.replace(old, new, 1)
        (folder / file).write_text(text)
        return folder

    return edit


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command):
    said = say(command, "--help")
    assert said.code == 0
    example = re.search(rf"Example: (pbpk {command} \S.*)", said.out)
    assert example
    for option in re.findall(r"--[a-z-]+", example.group(1)):
        assert option in said.out.replace(example.group(0), "")
    assert not said.err


def test_the_first_help_names_every_command():
    said = say("--help")
    assert said.code == 0
    assert all(re.search(rf"^\W*{command} ", said.out, flags=re.MULTILINE) for command in COMMANDS)


def test_it_is_installed_under_its_name():
    said = subprocess.run(
        [Path(sys.executable).with_name("pbpk"), "check", "msc"], capture_output=True, text=True, cwd=ROOT
    )
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("msc: ")
    assert said.stderr == ""


def test_check_says_what_a_model_is():
    said = say("check", ROOT / "models" / "msc.toml")
    assert said.code == 0
    for words in [
        "lung.blood ──▶ artery",
        "{organ}.arrested ──▶ {organ}.label",
        "d/dt lung.arrested = ",
        "Conservation: d/dt (everything) = 0",
        "excretion*label.blood",
        "linear: twice the dose, twice the answer",
        "Units: every rate is 1/time.",
        "Numbers without a source: none.",
        "Numbers that rest on a choice: ",
    ]:
        assert words in said.out


def test_check_names_what_was_chosen():
    said = say("check", "t_cell", "--label", "51Cr")
    assert said.code == 0
    chosen = re.search(r"Numbers that rest on a choice: (.*)", said.out).group(1)
    assert "alive_lung: site_of_loss" in chosen
    assert "excretion: no_size_known" in chosen
    assert "E_lung" not in chosen


@pytest.mark.parametrize("study", sorted(path.name for path in (ROOT / "data").iterdir() if path.is_dir()))
def test_check_reads_every_shipped_study(study):
    said = say("check", ROOT / "data" / study)
    assert said.code == 0
    assert "The study can be fitted." in said.out
    if "synthetic" in study:
        assert "synthetic data" in said.out
        return
    assert "real data" in said.out
    rows = len(pd.read_csv(ROOT / "data" / study / "measurements.csv"))
    used = int(re.search(r"(\d+) values in", said.out).group(1))
    assert 0 < used <= rows
    assert (used < rows) == (study == KHOT.name)  # only there tissues are pooled or left out


@pytest.mark.parametrize("species", ["mouse", "rat", "human"])
@pytest.mark.parametrize("model", ["msc", "t_cell"])
def test_check_reads_every_model_in_every_animal(model, species):
    said = say("check", model, "--species", species)
    assert said.code == 0
    assert f"Arrows in {species}" in said.out


BAD_STUDIES = {
    "a missing column": ("measurements.csv", "organ,", "", r"the column `organ` is missing"),
    "an unknown column": ("measurements.csv", "organ,", "organe,", r"unknown column `organe`. Did you mean `organ`"),
    "an unknown organ": ("measurements.csv", "iv,,lung,", "iv,,lungs,", r"`lungs`.*Did you mean `lung`"),
    "a negative count": ("measurements.csv", ",89.547,", ",-89.547,", r"row 7: `value` is `-89.547`"),
    "a unit that does not fit": ("measurements.csv", "percent_dose_per_g", "furlong", r"unknown unit `furlong`"),
    "a dose of no group": ("doses.csv", "\niv,", "\nvi,", r"doses\.csv: row 2: the group `vi` is not in study\.toml"),
    "a number that is none": ("measurements.csv", ",89.547,", ",nan,", r"row 7: `value` is `nan`"),
    "a word for a number": ("measurements.csv", ",89.547,", ",many,", r"row 7: `value` is `many`"),
    "an empty table": ("measurements.csv", "", None, r"measurements\.csv: the file is empty"),
    "a header alone": ("doses.csv", "group,hours,route\n", None, r"doses\.csv: the table has no rows"),
    "an unknown key": ("study.toml", "denominator", "denominater", r"`denominater`.*Did you mean `denominator`"),
    "no TOML": ("study.toml", "title =", "title", r"study\.toml: line 1: not readable as TOML"),
    "an unknown species": ("study.toml", 'species = "mouse"', 'species = "mose"', r"no species named `mose`.*`mouse`"),
    "an unknown model": ("study.toml", 'model = "t_cell"', 'model = "tcell"', r"no model named `tcell`.*`t_cell`"),
    "an unknown label": ("study.toml", 'label = "51Cr"', 'label = "52Cr"', r"no priors for the label `52Cr`.*`51Cr`"),
    "another route": ("doses.csv", ",iv,", ",portal_vein,", r"the route is `portal_vein`, study\.toml says `iv`"),
    "a count of nothing": ("measurements.csv", ",89.547,", ",0,", r"`lung` at 1 h is 0.*below_lloq"),
    "a row too short": ("measurements.csv", "iv,,lung,1,", "iv,,lung,", r"row 7"),
}  # fmt: skip


def one_sentence(said, pattern):
    """An exit code of 2 and a single line that says what, where and what to do."""
    assert said.code == 2, said.out + said.err
    assert "Traceback" not in said.err
    assert said.err.startswith("pbpk: ")
    assert said.err.count("\n") == 1
    assert re.search(pattern, said.err), said.err


@pytest.mark.parametrize("mistake", BAD_STUDIES)
@pytest.mark.parametrize("command", ["check", "run"])
def test_a_bad_study_is_one_sentence(edited, tmp_path, mistake, command):
    file, old, new, pattern = BAD_STUDIES[mistake]
    words = [command, edited(file, old, new)] + (["--out", tmp_path / "out"] if command == "run" else [])
    one_sentence(say(*words), pattern)
    assert not (tmp_path / "out").exists()


def test_a_group_measured_but_never_dosed(edited):
    folder = edited("study.toml", "[[groups]]", '[[groups]]\nname = "pv"\nroute = "portal_vein"\n\n[[groups]]')
    table = (folder / "measurements.csv").read_text()
    (folder / "measurements.csv").write_text(table.replace("\niv,,lung", "\npv,,lung", 1))
    one_sentence(say("check", folder), r"row 7: the group `pv` was measured but never dosed; add it to doses.csv")


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (["check", "{tmp}/nowhere"], "no model named"),
        (["run", "{tmp}/nowhere", "--out", "{tmp}/out"], "nowhere: there is no such folder"),
        (["fit", "{tmp}/nowhere", "--out", "{tmp}/out"], "nowhere: there is no such folder"),
        (["check", "mcs"], "no model named `mcs`. Did you mean `msc`"),
        (["check", "{tmp}/mine.toml"], r"mine\.toml: there is no such file"),
        (["check", "msc", "--species", "rta"], "no species named `rta`. Did you mean `rat`"),
        (["check", "msc", "--label", "FDN"], "no priors for the label `FDN`. Did you mean `FND`"),
        (["report", "{tmp}"], r"is not a run folder; it has no manifest\.json"),
        (["simulate", "{tmp}", "{scenarios}", "--out", "{tmp}/out"], "is not a run folder"),
        (["simulate", "msc", "{tmp}", "--out", "{tmp}/out"], "there is no scenario"),
        (["simulate", "msc", "{tmp}/none.toml", "--out", "{tmp}/out"], "there is no such file"),
        (["simulate", "msc", "portal_vien", "--out", "{tmp}/out"], "no scenario named.*Did you mean `portal_vein`"),
        (["simulate", "mcs", "{scenarios}", "--out", "{tmp}/out"], "Did you mean `msc`"),
        (["run", "{zhuang}", "--model", "mcs", "--out", "{tmp}/out"], "Did you mean `msc`"),
        (["run", "{zhuang}", "--scenarios", "{tmp}", "--out", "{tmp}/out"], "there is no scenario"),
        (["run", "{zhuang}", "--out", "{tmp}"], "exists already; choose another --out, or replace it with --force"),
        (["run", "{zhuang}", "--force", "--out", "{data}"], "is not a run folder, so --force will not replace it"),
        (["simulate", "msc", "{scenarios}", "--out", "{tmp}"], "exists already"),
    ],
)
def test_a_wrong_name_is_one_sentence(tmp_path, words, pattern):
    places = {"tmp": tmp_path, "scenarios": ROOT / "models" / "scenarios", "zhuang": ZHUANG, "data": ROOT / "data"}
    one_sentence(say(*(word.format(**places) for word in words)), pattern)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ('[[doses]]\nroute = "portal_vain"\n', "the route `portal_vain`.*Did you mean `portal_vein`"),
        ('[[doses]]\nroute = "iv"\nshare = 0.5\n', "sum to 0.5; they must sum to 1"),
        ('cells = -1\n[[doses]]\nroute = "iv"\n', "`cells` is `-1`"),
        ('injury = { tail = 2.0 }\n[[doses]]\nroute = "iv"\n', "`tail` is not an organ"),
    ],
)
@pytest.mark.parametrize("command", ["simulate", "run"])
def test_a_bad_scenario_is_one_sentence(tmp_path, text, pattern, command):
    path = tmp_path / "asked.toml"
    path.write_text('title = "Asked"\n' + text)
    words = ["simulate", "msc", path] if command == "simulate" else ["run", ZHUANG, "--scenarios", path]
    one_sentence(say(*words, "--out", tmp_path / "out"), pattern)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("old", "new", "pattern"),
    [
        ("transfer_{organ}", "transver_{organ}", r"line 21: .*transver_lung.*Did you mean `transfer_lung`"),
        (": excretion", ": excretion * E_lung * volume_vein", r"line 23: .* is in ml / h, it must be in 1/h; correct"),
        ("label.blood        -> excreted", "label.blood        ~> excreted", "line 23: arrows: .* is not of the form"),
        ("logit_normal(median=0.85", "logit_normal(median=1.85", "line 112: .* median must lie between 0 and 1"),
        ('unit   = "1/h"', 'unit   = "1/fortnite"', r"line \d+: .*unit `1/fortnite` is not known"),
        ('name   = "msc"', 'nam   = "msc"', "line 3: .*`nam`.*Did you mean `name`"),
    ],
)
def test_a_bad_model_is_one_sentence(tmp_path, old, new, pattern):
    text = (ROOT / "models" / "msc.toml").read_text()
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1))
    said = say("check", path)
    one_sentence(said, pattern)
    assert "mine.toml" in said.err


def test_organ_flows_that_do_not_close_are_one_sentence(tmp_path):
    text = (ROOT / "models" / "species" / "mouse.toml").read_text()
    path = tmp_path / "mighty_mouse.toml"
    path.write_text(text.replace("cardiac_output = { value = 678.0", "cardiac_output = { value = 778.0"))
    one_sentence(say("check", "msc", "--species", path), "flows do not close: arteries sum to 678.* 778 mL/h")


@pytest.mark.parametrize(
    "words",
    [
        ["run"],
        ["run", "data"],
        ["dance"],
        ["run", "data", "--out", "x", "--draws", "3"],
        ["simulate", "msc", "models/scenarios", "--out", "x", "--cells", "-5"],
        ["simulate", "msc", "models/scenarios", "--out", "x", "--cells", "0"],
    ],
)
def test_a_command_that_was_not_understood(words):
    said = say(*words)
    assert said.code == 2
    assert "Error" in said.err
    assert "Traceback" not in said.err


def test_the_prior_answers_without_a_fit(tmp_path):
    out = tmp_path / "answers"
    said = say("simulate", "msc", ROOT / "models" / "scenarios", "--out", out, "--cells", "1e6")
    assert said.code == 0
    assert {path.name for path in out.iterdir()} == {
        "forecast.csv", "forecast.nc", "contrasts.csv", "scenarios.html", "manifest.json"}  # fmt: skip
    names = {path.stem for path in (ROOT / "models" / "scenarios").glob("*.toml")}
    table = pd.read_csv(out / "forecast.csv")
    assert set(table["scenario"]) == names
    assert set(table["evidence"]) == {"prior", "hypothesis"}
    with xr.open_dataset(out / "forecast.nc", engine="h5netcdf") as forecast:
        assert set(forecast["scenario"].values) == names
        assert forecast["cells"].sizes["draw"] > 100
    page = (out / "scenarios.html").read_text()
    assert "Portal vein" in page
    assert "prior of msc in mouse" in page
    row = table.set_index(["scenario", "organ", "state", "hours"]).loc[("iv_bolus", "lung", "total", 24.0)]
    shown = re.search(r"iv_bolus +([\d.]+)", said.out)
    assert float(shown.group(1)) == pytest.approx(row["q50"] * 100 / 1e6, rel=0.01)

    again = tmp_path / "again"
    say("simulate", "msc", ROOT / "models" / "scenarios", "--out", again, "--cells", "1e6")
    assert (again / "forecast.csv").read_bytes() == (out / "forecast.csv").read_bytes()
    one_sentence(say("report", out), "not the folder of a fit")


def test_a_prior_may_be_asked_in_an_animal_of_its_own(tmp_path):
    said = say("simulate", "msc", "iv_bolus", "--out", tmp_path / "a", "--species", "human", "--body-weight", "60000",
               "--sex", "female", "--physiology", "artery_*", "--cells", "1e6")  # fmt: skip
    assert said.code == 0, said.err
    assert "prior of msc in human, female, 60000 g" in said.out
    assert set(pd.read_csv(tmp_path / "a" / "forecast.csv")["evidence"]) == {"prior"}
    assert not (tmp_path / "a" / "carried.csv").exists()


def test_check_takes_a_weight_and_a_sex():
    said = say("check", "msc", "--species", "mouse", "--body-weight", "22")
    assert said.code == 0
    assert "Arrows in mouse, 22 g" in said.out
    assert "Units: every rate is 1/time." in said.out
    said = say("check", "msc", "--species", "human", "--sex", "female")
    assert "Arrows in human, female" in said.out
    assert "Numbers without a source: none." in said.out
    one_sentence(
        say("check", "msc", "--sex", "female"), "mouse has no numbers of its own for `female`; leave the sex out"
    )
    one_sentence(say("check", "msc", "--body-weight", "22000"), "mouse: 22000 g is far from the 28 g")


def test_check_says_whose_body_is_whose(edited):
    said = say("check", ROOT / "data" / "boeckmann_1994_theophylline_human")
    assert "12 body weights from 54600 to 86400 g: each animal in a body of its own." in said.out
    folder = edited("study.toml", 'species = "mouse"', 'species = "mouse"\nphysiology = ["artery_*"]')
    (folder / "animals.csv").write_text("animal,group,body_weight_g,sex\n,iv,22,female\n")
    said = say("check", folder)
    assert said.code == 0, said.err
    assert "mouse has no numbers of its own for a sex: sexes are a record." in said.out
    assert re.search(r"\d numbers of the animal are estimated: artery_liver, ", said.out)
    (folder / "animals.csv").write_text("animal,group,body_weight_g\nb7,iv,22\n")
    one_sentence(say("check", folder), "animals.csv: row 2: the animal `b7` of `iv` was neither dosed nor measured")


def test_physiology_that_is_none_is_one_sentence(edited, tmp_path):
    folder = edited("study.toml", 'species = "mouse"', 'species = "mouse"\nphysiology = "spreed"')
    one_sentence(
        say("check", folder), r"study\.toml: physiology: `spreed` is no number of mouse.*Did you mean `spread`"
    )
    words = ["--out", tmp_path / "out", "--physiology"]
    one_sentence(say("fit", KHOT, *words, "artry_liver"), "physiology: `artry_liver`.*Did you mean `artery_liver`")
    one_sentence(say("simulate", "msc", "iv_bolus", *words, "livers"), "`livers` is no number of mouse")
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """A run far too short to converge: its folder and how it ended."""
    out = tmp_path_factory.mktemp("runs") / "short"
    said = say("run", ZHUANG, "--out", out, "--draws", "100", "--tune", "100")
    return SimpleNamespace(folder=out, said=said)


def warned(report):
    """The report opens with a warning and the reasons for it."""
    box = " ".join(re.findall(r'<p class="alert" role="alert"[^>]*>(.*?)</p>', report.read_text(), flags=re.DOTALL))
    assert "did not pass its checks" in box
    assert "effective draws" in box


def test_a_fit_that_has_not_converged_ends_with_3_and_a_sentence(short):
    assert short.said.code == 3, short.said.err
    lines = [line for line in short.said.err.splitlines() if line]
    assert len(lines) == 1, short.said.err
    assert lines[0].startswith("pbpk: the fit has not converged: ")
    assert "--draws" in lines[0]
    assert "not converged" in short.said.out


def test_it_leaves_a_readable_run_that_warns(short):
    names = {path.name for path in short.folder.iterdir()}
    tables = {"counts.csv", "parameters.csv", "predictions.csv", "exposure.csv"}
    kept = {"study", "model", "species", "scenarios"}  # what it was made of, and what it was asked
    record = {"manifest.json", "audit.jsonl", "audit.seal"}
    pages = {"report.html", "report.sources.json", "diagnostics.html"}
    assert names == {"posterior.nc"} | record | pages | kept | tables  # no answers from such a fit
    manifest = json.loads((short.folder / "manifest.json").read_text())
    assert manifest["converged"] is False
    assert manifest["settings"]["draws"] == 100
    assert read_verified(short.folder).passed
    warned(short.folder / "report.html")
    with (short.folder / "parameters.csv").open() as file:
        names = [row["parameter"] for row in csv.DictReader(file)]
    with xr.open_datatree(short.folder / "posterior.nc", engine="h5netcdf") as tree:
        assert list(tree["posterior"].data_vars) == names
        assert dict(tree["posterior"].sizes) == {"chain": 4, "draw": 100}
    assert [path.name for path in short.folder.parent.iterdir()] == ["short"]


def test_the_report_is_written_again_from_the_draws(short, tmp_path):
    run = tmp_path / "copy"
    shutil.copytree(short.folder, run)
    before = (run / "report.html").read_text()
    (run / "report.html").unlink()
    said = say("report", run)
    assert said.code == 0
    assert (run / "report.html").read_text() == before


def test_a_run_answers_scenarios_later(short, tmp_path):
    path = tmp_path / "asked.toml"
    path.write_text('title = "Through the artery"\n[[doses]]\nroute = "artery"\n')
    said = say("simulate", short.folder, path, "--out", tmp_path / "answers")
    assert said.code == 0
    table = pd.read_csv(tmp_path / "answers" / "forecast.csv")
    assert set(table["evidence"]) == {"extrapolation"}
    assert {"kidney_left", "kidney_right"} <= set(table["organ"])  # the model is the one of the fit


def test_a_run_answers_in_another_animal(short, tmp_path):
    out, path = tmp_path / "answers", tmp_path / "asked.toml"
    path.write_text('title = "IV"\n[[doses]]\nroute = "iv"\n')
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "injured.toml").write_text('title = "Injured"\ncells = 7e6\ninjury = { liver = 3.0 }\n'
                                                    '[[doses]]\nroute = "iv"\n')  # fmt: skip
    shutil.copy(path, tmp_path / "more" / "asked.toml")
    said = say("simulate", short.folder, tmp_path / "more", "--species", "human", "--sex", "female", "--body-weight",
               "50000", "--rates", "allometric", "--out", out)  # fmt: skip
    assert said.code == 0, said.err
    assert {path.name for path in out.iterdir()} == {
        "forecast.csv", "forecast.nc", "contrasts.csv", "scenarios.html", "manifest.json", "carried.csv"}  # fmt: skip
    table = pd.read_csv(out / "forecast.csv")
    evidence = table.groupby("scenario")["evidence"].unique().map(list).to_dict()
    assert evidence == {"asked": ["extrapolation"], "injured": ["hypothesis"]}
    dose = table.groupby("scenario")[["dose_cells", "unit"]].first().T.to_dict()
    assert dose["injured"] == {"dose_cells": 7e6, "unit": "cells"}
    assert dose["asked"] == {"dose_cells": 100.0, "unit": "percent of dose"}  # no dose goes from animal to animal
    assert {"kidney_left", "kidney_right"} <= set(table["organ"])
    carried = pd.read_csv(out / "carried.csv", keep_default_na=False).set_index("name")
    assert list(carried.columns) == ["how", "factor", "words", "evidence"]
    assert carried.loc["E_lung", "how"] == "carried"
    assert carried.loc["loss_lung", "how"] == "scaled"
    assert carried.loc["loss_lung", "factor"] == pytest.approx((50000.0 / 28.0) ** -0.25, rel=1e-5)
    assert carried.loc["artery_kidney_left", "how"] == "animal's own"
    assert "From mouse to human, female, 50000 g: of " in said.out
    assert "no dose is carried over" in said.out
    page = (out / "scenarios.html").read_text()
    assert "of the mouse is multiplied by" in page
    assert "is the target&#39;s own" in page
    assert "Nothing was measured in this animal" in page


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--species", "humen"], "no species named `humen`. Did you mean `human`"),
        (["--species", "human", "--rates", "alometric"], "rates cannot be `alometric`.*Did you mean `allometric`"),
        (["--species", "human", "--body-weight", "70"], "human: 70 g is far from the 70000 g"),
        (["--species", "human", "--sex", "girl"], "human has no sex `girl`"),
        (["--rates", "allometric"], "--rates is for another animal than that of the fit; name it with --species"),
        (["--physiology", "spread"], "--physiology is for another animal than that of the fit"),
    ],
)
def test_another_animal_that_cannot_be_is_one_sentence(short, tmp_path, words, sentence):
    one_sentence(say("simulate", short.folder, "iv_bolus", *words, "--out", tmp_path / "out"), sentence)
    assert not (tmp_path / "out").exists()


@pytest.mark.proof  # a second fit; `--allow-unconverged` is in commands/test_line.py too
def test_somebody_may_insist(short, tmp_path):
    out = tmp_path / "insisted"
    path = tmp_path / "asked.toml"
    path.write_text('title = "IV"\n[[doses]]\nroute = "iv"\n')
    said = say(
        "run", ZHUANG, "--out", out, "--draws", "100", "--tune", "100", "--allow-unconverged", "--scenarios", path
    )
    assert said.code == 0, said.err
    assert set(pd.read_csv(out / "forecast.csv")["scenario"]) == {"asked"}
    assert (out / "forecast.nc").is_file()
    warned(out / "report.html")
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in (out, short.folder)]
    assert [manifest["converged"] for manifest in manifests] == [False, False]
    assert manifests[0]["fingerprint"] == manifests[1]["fingerprint"]
    for name in ("parameters.csv", "predictions.csv", "counts.csv"):  # the same seed, the same numbers
        assert (out / name).read_bytes() == (short.folder / name).read_bytes()


def test_the_prior_of_a_rival_is_answered_with_what_it_believes(tmp_path):
    """A lung that fills: fewer cells stay in it than where nobody says that it can."""
    found = {}
    for name in ("msc", "msc:lung_capacity"):
        out = tmp_path / name.replace(":", "_")
        said = say("simulate", name, "iv_bolus", "--cells", "1e7", "--out", out)
        assert said.code == 0, said.err
        table = pd.read_csv(out / "forecast.csv")
        here = (table["organ"] == "lung") & (table["state"] == "live") & (table["hours"] == table["hours"].min())
        found[name] = float(table.loc[here, "q50"].iloc[0])
    assert found["msc:lung_capacity"] < 0.5 * found["msc"]
