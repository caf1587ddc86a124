"""From the folder of a run to every reason why its report is not final."""

import shutil
from pathlib import Path

import pytest
from madeup import NOW, SETTINGS, write_made_up

from pbpk.assay.study import read_study
from pbpk.errors import FilingError
from pbpk.predict.audit import write_audit
from pbpk.predict.filing.analysis_plan import freeze
from pbpk.predict.filing.authored import read_authored
from pbpk.predict.filing.carried import write_authored
from pbpk.predict.filing.docket import read_docket
from pbpk.predict.filing.frozen import write_plan
from pbpk.predict.record import model_of
from pbpk.predict.run import assemble, read_fit


@pytest.fixture(scope="module")
def made(tmp_path_factory, complete):
    """A run as planned, and all of its tables."""
    top = tmp_path_factory.mktemp("docket")
    shutil.copytree(Path(__file__).parents[3] / "data" / "khot_2019_t_cells_mouse", top / "khot")
    (top / "khot" / "report.toml").write_text(complete, encoding="utf-8")
    study = read_study(top / "khot")
    write_plan(freeze(study, model_of(study), SETTINGS, read_authored(top / "khot"), NOW), top / "khot")
    out, _ = write_made_up(top / "khot", top / "run", draws=800)
    write_audit(out, "run")
    study, posterior, manifest = read_fit(out)
    return out, assemble(study, posterior, None, manifest)


@pytest.fixture
def run(made, tmp_path):
    shutil.copytree(made[0], tmp_path / "run")
    return tmp_path / "run", made[1]


def test_a_whole_one_is_final(run):
    found = read_docket(*run)
    assert found.reasons == ()
    assert found.is_final
    assert found.gaps == found.deviated == ()
    assert found.remarks[0].endswith("when the data were at hand.")
    assert [item.number for item in found.items] == list(range(1, 11))
    assert all(each.passed for each in found.judged)


def test_words_that_are_taken_back_open_it_again(run):
    folder, result = run
    path = folder / "study" / "khot" / "report.toml"
    path.write_text(path.read_text().replace('limitations = "said"', 'limitations = ""'))
    write_authored(folder)
    found = read_docket(folder, result)
    assert not found.is_final
    assert [gap.name for gap in found.gaps] == ["discussion.limitations"]
    assert found.reasons == ("TO BE COMPLETED: discussion.limitations: What are the limitations?",)


def test_words_that_were_changed_unnoted_are_told(run):
    folder, result = run
    path = folder / "study" / "khot" / "report.toml"
    path.write_text(path.read_text() + "# more\n")
    (said,) = read_docket(folder, result).reasons
    assert "report.toml: is not the file that was written" in said


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda path: path.write_text(path.read_text().replace('"tune": 100', '"tune": 101')),
            "`settings` is not what",
        ),
        (lambda path: path.unlink(), "No plan was frozen before the fit"),
    ],
)
def test_a_spoilt_plan_is_told_once(run, spoil, said):
    folder, result = run
    spoil(folder / "study" / "khot" / "plan.json")
    found = read_docket(folder, result)
    assert found.plan is None
    assert len([each for each in found.reasons if said in each]) == 1
    assert len([each for each in found.reasons if "plan" in each]) == 2  # and that the record knows another file


def test_a_run_without_its_record(run):
    folder, result = run
    (folder / "audit.jsonl").unlink()
    (said,) = read_docket(folder, result).reasons
    assert "has no audit.jsonl" in said


def test_a_run_of_which_nobody_said_anything(run):
    folder, result = run
    for name in ("report.toml", "plan.json"):
        (folder / "study" / "khot" / name).unlink()
    (folder / "audit.jsonl").unlink()
    write_audit(folder, "run")
    found = read_docket(folder, result)
    assert found.judged == ()
    assert "No plan was frozen before the fit; freeze one with `pbpk plan` and fit again." in found.reasons
    assert len(found.gaps) > 50


def test_a_report_toml_that_cannot_be_read_is_one_sentence(run):
    folder, result = run
    (folder / "study" / "khot" / "report.toml").write_text("[sumary]")
    with pytest.raises(FilingError, match="Did you mean `summary`"):
        read_docket(folder, result)
