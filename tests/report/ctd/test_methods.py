import numpy as np

from pbpk.report.ctd.methods import lloq_of, methods_blocks, qualities
from pbpk.report.document.blocks import Table
from pbpk.report.dossier import Dossier
from pbpk.report.wording import number


def tables_of(run):
    return [block for block in methods_blocks(Dossier(run)) if isinstance(block, Table)]


def test_light_is_told_by_its_controls(run_of):
    run = run_of("synthetic_fnd_mouse")
    (table,) = tables_of(run)
    panels = run.joint.counts.panels
    assert [row[1] for row in table.rows] == [panel.matrix for panel in panels]
    first = panels[0]
    assert table.rows[0][3] == f"{number(lloq_of(first))} ng"
    assert lloq_of(first) >= first.acceptance.lloq
    assert table.source_of(0) == f"study/{run.name}/wells.csv#plate=lung&matrix=lung"
    assert "borrowed from ICH M10" in " ".join(map(str, table.notes))


def test_precision_and_accuracy_are_those_of_the_qcs(run_of):
    panel = run_of("synthetic_fnd_mouse").joint.counts.panels[0]
    found, wells = qualities(panel), panel.acceptance.qcs
    for level, row in found.iterrows():
        own = wells.loc[np.isclose(wells["nominal"], level), "measured"]
        assert np.isclose(row["cv"], own.std(ddof=1) / own.mean())
        assert np.isclose(row["deviation"], own.mean() / level - 1.0)


def test_what_nobody_says_is_not_stated(run_of):
    (table,) = tables_of(run_of("khot_2019_t_cells_mouse"))
    assert table.rows[0][3:9] == ("not stated",) * 6


def test_limits_and_instruments_are_told(odd):
    (table,) = tables_of(odd[0])
    label, dna = table.rows
    assert label[5] == "0.500 % of dose"
    assert dna[1] == "donor-DNA cell equivalents, in copies"
    assert dna[3].startswith("quantitative PCR, 2.00 copies per cell")
    assert dna[5] == "100 cells/g (limit of detection)"
    assert dna[6] == "15.0 % between extracts"


def test_plates_without_rules_are_told_too(make_plated):
    plain = make_plated(faults=False, preset="none", plates=("lung",))
    panel = plain.counts.panels[0]
    assert panel.acceptance is None
    assert lloq_of(panel) > 0.0
    assert (qualities(panel)["cv"] > 0.0).all()
