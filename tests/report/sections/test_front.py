from types import SimpleNamespace

from wordsof import tables_of, words_of

from pbpk.report.document.blocks import TO_BE_COMPLETED, Paragraph, Table
from pbpk.report.sections import front


def test_the_first_page_lists_everything_that_is_missing(silent, gaps):
    blocks = front.title(silent)
    words, (listed,) = words_of(blocks), [table for name, table in tables_of(blocks).items() if TO_BE_COMPLETED in name]
    assert "DRAFT" in words
    tails = [gap.name.rpartition(".")[2].partition("[")[0].replace("_", " ") for gap in gaps]
    assert all(tail in words for tail in tails)
    assert str(len(gaps)) in listed.caption


def test_reasons_stand_as_they_are(told):
    assert "x is missing" in words_of(front.title(told))


def test_a_final_report_has_no_draft_on_it(told, but):
    words = words_of(front.title(but(told, final=True, hindrances=())))
    assert "DRAFT" not in words
    assert "What is still missing" not in words


def test_the_red_box_is_there_when_it_must(make_run, but, silent):
    run = make_run("zhuang_2021_fnd_msc_mouse", scenarios=0, passed=False)
    blocks = front.title(but(silent, run=run))
    alerts = [str(block.words) for block in blocks if isinstance(block, Paragraph) and block.kind == "alert"]
    assert alerts[0].startswith("This fit did not pass its checks")
    assert len(alerts) == 2 + len(run.diagnostics.sentences)


def test_a_quick_look_says_so(khot, but, silent):
    run = SimpleNamespace(**(vars(khot) | {"manifest": khot.manifest | {"method": "variational"}}))
    assert "quick approximation" in words_of(front.title(but(silent, run=run)))


def test_synthetic_data_say_so(khot, but, silent):
    about = khot.study.about.model_copy(update={"kind": "synthetic"})
    kept = {name: getattr(khot.study, name) for name in ("doses", "measurements", "hashes")}
    study = SimpleNamespace(**kept, about=about)
    run = SimpleNamespace(**(vars(khot) | {"study": study}))
    assert "no animal was measured" in words_of(front.title(but(silent, run=run)))


def test_signatures_are_tied_to_the_run(told):
    table = tables_of(front.title(told))["Signatures"]
    assert [row[0] for row in table.rows] == ["Author", "Approver"]
    assert str(told.run.manifest["fingerprint"]) in str(table.notes[0])


def test_the_summary_has_numbers_with_their_sources(told):
    blocks = front.summary(told)
    assert "words of the author" in words_of(blocks)
    numbers = [block for block in blocks if isinstance(block, Paragraph) and "R-hat" in str(block.words)]
    assert numbers[0].source == "manifest.json#key=diagnostics"


def test_the_assessment_has_its_ten_items(told, silent):
    (table,) = front.assessment(told)
    assert isinstance(table, Table)
    assert len(table.rows) == 10
    assert "1 of 2 criteria are met" in words_of([table])
    assert words_of(front.assessment(silent)).count(TO_BE_COMPLETED) >= 8


def test_introduction_and_objectives_are_the_authors(told):
    assert words_of(front.introduction(told)).count("words of the author") == 3
    assert words_of(front.objectives(told)).count("words of the author") == 4
