import pandas as pd

from pbpk.report.ctd.distribution import distribution_blocks, observed_blocks
from pbpk.report.document.blocks import Bullets, Paragraph, Table
from pbpk.report.dossier import Dossier


def tables_of(run):
    return [block for block in distribution_blocks(Dossier(run)) if isinstance(block, Table)]


def test_percent_cells_and_tissues_as_measured(run_of):
    captions = [table.caption for table in tables_of(run_of("khot_2019_t_cells_mouse"))]
    assert any("in % of the dose, group iv" in caption for caption in captions)
    assert any("in cells, group iv" in caption for caption in captions)
    assert any(caption.startswith("As measured, by tissue") and "% of dose/g" in caption for caption in captions)


def test_cells_of_a_table_are_those_of_the_run(run_of):
    run = run_of("khot_2019_t_cells_mouse")
    table = next(table for table in tables_of(run) if "% of the dose, group" in table.caption)
    counts = run.joint.counts.table
    value = counts.loc[(counts["organ"] == "liver") & (counts["hours"] == 24.0), "percent"].iloc[0]
    row = next(i for i, row in enumerate(table.rows) if row[0] == "liver")
    assert table.rows[row][table.head.index("24 h")] == f"{value:.1f} (3)"
    assert table.source_of(row) == "counts.csv#group=iv&organ=liver&readout=label"


def test_limits_are_shown_with_their_counts(run_of):
    cells = [str(cell) for table in tables_of(run_of("synthetic_fnd_mouse")) for row in table.rows for cell in row]
    assert any(cell.startswith("BLQ (< ") for cell in cells)
    assert any(cell.endswith(" BLQ") for cell in cells)


def test_ranges_stay_ranges(run_of):
    table = next(table for table in tables_of(run_of("gholamrezanezhad_2011_msc_human")) if "%" in table.caption)
    assert table.rows[0][1] == "27.0 to 33.5 (4)"
    assert any("only a range is known" in note for note in table.notes)


def test_an_unknown_denominator_is_said(run_of):
    blocks = distribution_blocks(Dossier(run_of("zhuang_2021_fnd_msc_mouse")))
    words = [str(block.words) for block in blocks if isinstance(block, Paragraph)]
    assert any(said.startswith("No table in cells: ") for said in words)
    notes = [note for block in blocks if isinstance(block, Table) for note in block.notes]
    assert any("does not say whether its percentages" in note for note in notes)


def test_blood_alone_is_no_distribution(run_of):
    run = run_of("boeckmann_1994_theophylline_human")
    _, words = distribution_blocks(Dossier(run))
    assert words.words == "Not studied: only blood was measured, see 2.6.5.3."
    table = next(block for block in observed_blocks(run) if isinstance(block, Table))
    assert table.head[3] == "First to last"
    peaks = run.joint.counts.table.groupby("animal")["percent"].max()
    assert table.rows[0][1] == str(len(peaks))
    assert f"{peaks.mean():.5f}"[:6] in table.rows[0][4]


def test_labels_are_never_taken_for_life(run_of, study):
    run = run_of(study)
    for table in tables_of(run):
        if "label" in table.caption and not table.caption.startswith("Organ distribution:"):
            assert any("label is not viability" in str(note) for note in table.notes)


def test_assumptions_of_the_study_stand_below(run_of):
    blocks = distribution_blocks(Dossier(run_of("khot_2019_t_cells_mouse")))
    told = [block for block in blocks if isinstance(block, Bullets)]
    assert [list(block.items) for block in told] == [run_of("khot_2019_t_cells_mouse").study.about.assumptions]


def test_pooled_tissues_are_named(odd):
    notes = [note for block in observed_blocks(odd[0]) if isinstance(block, Table) for note in block.notes]
    assert "Tissues pooled into organs of the model: spleen is liver left + spleen tip." in notes
    assert pd.Series(notes).str.contains("BLQ: below the limit").any()
