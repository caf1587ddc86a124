import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from madeup import write_made_up
from saying import say

from pbpk.commands.report import tell_reported
from pbpk.errors import FilingError, ReportError, RunError
from pbpk.predict.audit import read_audit, read_verified, write_audit

KHOT = Path(__file__).parents[2] / "data" / "khot_2019_t_cells_mouse"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of a study of which its author says nothing."""
    out, _ = write_made_up(KHOT, tmp_path_factory.mktemp("report") / "run")
    write_audit(out, "run")
    return out


@pytest.fixture
def run(made, tmp_path):
    return shutil.copytree(made, tmp_path / "run")


def reported(run, formats="html", paper="letter", author=None, final=False):
    tell_reported(run, formats, paper, author, final)


def test_three_formats_come_from_one_source_and_are_in_the_record(run):
    reported(run, "html,docx,pdf", "a4")
    assert read_verified(run).passed
    last = read_audit(run)[-1]
    assert last["action"] == "report"
    assert {"report.html", "report.docx", "report.pdf"} <= set(last["files"])
    box = re.search(rb"/MediaBox ?\[0 0 ([\d.]+)", (run / "report.pdf").read_bytes())
    assert float(box[1]) == pytest.approx(595.28, abs=0.5)


def test_a_second_report_has_the_same_bytes(run):
    reported(run, "html")
    first = (run / "report.html").read_bytes()
    reported(run, "html")
    assert (run / "report.html").read_bytes() == first


@pytest.mark.parametrize(("formats", "paper", "words"), [("doc", "letter", "Did you mean `docx`"),
                                                          ("html", "a5", "Choose from `a4`, `letter`")])  # fmt: skip
def test_what_is_no_format_or_paper_is_refused_before_anything_is_written(run, formats, paper, words):
    before = sorted(run.iterdir())
    with pytest.raises(ReportError, match=words):
        reported(run, formats, paper)
    assert sorted(run.iterdir()) == before


def test_a_blank_author_cannot_be_final(run):
    with pytest.raises(ReportError, match="the report cannot be final"):
        reported(run, final=True)
    assert not (run / "report.html").exists()


def filled(text):
    """A template of report.toml with an answer to every question."""
    text = re.sub(r'^(rating|severity|likelihood) = ""$', r'\1 = "low"', text, flags=re.MULTILINE)
    text = re.sub(r'^(\w+) = ""$', r'\1 = "words of the author"', text, flags=re.MULTILINE)
    return text + ASSUMED


ASSUMED = """
[[criteria]]
id = "chains"
quantity = "rhat_max"
comparison = "<="
threshold = 1.01
[[exclusions]]
record = "said"
reason = "said"
who = "said"
when = "said"
[[assumptions]]
statement = "said"
reason = "said"
alternative = "said"
impact_test = "said"
"""


def test_what_is_whole_becomes_final_and_nothing_is_left_to_be_completed(made_up, no_pages, tmp_path):
    study, out = shutil.copytree(KHOT, tmp_path / KHOT.name), tmp_path / "run"
    assert say("plan", study, "--template").code == 0
    (study / "report.toml").write_text(filled((study / "report.toml").read_text()))
    asked = ("--draws", "250", "--tune", "100", "--scenarios", "iv_bolus", "--cells", "1e6")
    said = say("plan", study, *asked)
    assert said.code == 0, said.err
    said = say("run", study, "--out", out, *asked)
    assert said.code == 0, said.err
    early = say("report", out, "--final")
    assert early.code == 2
    assert "the report cannot be final: The checks of the installation and the run were not made" in early.err
    said = say("qualify", out)
    assert said.code == 0, said.err
    said = say("report", out, "--final")
    assert said.code == 0, said.err
    page = (out / "report.html").read_text()
    assert "TO BE COMPLETED" not in page
    assert "DRAFT" not in page
    assert say("verify", out).code == 0
    again = say("report", out)
    assert again.code == 2
    assert "final" in again.err


def test_the_authors_words_are_taken_in(run, tmp_path):
    words = tmp_path / "report.toml"
    words.write_text('[conclusions]\nconclusions = "the | end <b> of it"\n')
    reported(run, author=words)
    assert "the | end &lt;b&gt; of it" in (run / "report.html").read_text()
    assert read_verified(run).passed
    inside = run / "study" / KHOT.name / "report.toml"
    inside.write_text('[conclusions]\nconclusions = "written in the run"\n')
    reported(run)
    assert "written in the run" in (run / "report.html").read_text()
    assert read_verified(run).passed


def test_words_that_cannot_be_read_are_told(run, tmp_path):
    words = tmp_path / "report.toml"
    words.write_text("[conclusion]\n")
    with pytest.raises(FilingError, match="Did you mean `conclusions`"):
        reported(run, author=words)


def test_criteria_are_judged_into_a_table(run, tmp_path):
    words = tmp_path / "report.toml"
    words.write_text('[[criteria]]\nid = "chains"\nquantity = "rhat_max"\ncomparison = "<="\nthreshold = 9.0\n')
    reported(run, author=words)
    table = pd.read_csv(run / "criteria.csv")
    assert list(table["id"]) == ["chains"]
    assert bool(table["passed"][0])


def test_a_sealed_run_is_not_written_again(run):
    write_audit(run, "sealed", [], final=True, reason="sent")
    with pytest.raises(RunError):
        reported(run)
