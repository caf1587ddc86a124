from onecompartment import NONMEM, write_one
from tracing import numbers_in

from pbpk.report.ctd.listing import listing_blocks
from pbpk.report.document.blocks import Paragraph, Table


def rows_of(run):
    return [row for block in listing_blocks(run) if isinstance(block, Table) for row in block.rows]


def test_every_value_of_a_study_is_listed(run_of, study):
    run = run_of(study)
    light = run.joint.counts.quantified
    wells = [known for known, _ in light.left_out if known.reading.well.role == "sample"] if light else []
    expected = len(run.study.measurements) + (len(light.organs) + len(wells) if light else 0)
    assert len(rows_of(run)) == expected


def test_rows_name_their_place(run_of):
    rows = rows_of(run_of("khot_2019_t_cells_mouse"))
    assert rows[0][-1] == "measurements.csv: 2"
    assert rows[0][3:6] == ("1.57", "% of dose/g", "540 000")
    dropped = [row for row in rows if row[1] == "thyroid"]
    assert dropped
    assert {row[7] for row in dropped} == {"yes: no organ of the model"}


def test_what_was_left_out_says_why(odd):
    run, _ = odd
    rows = {(row[1], row[2]): row for row in rows_of(run)}
    assert rows["spleen tip (spleen)", "3 d"][7] == "yes: liver_left was not measured then"
    assert rows["spleen tip (spleen)", "24 h"][7] == "no"
    assert rows["lung", "7 d"][3] == "BLQ"
    assert rows["lung", "7 d"][6] == "0.500"
    first = listing_blocks(run)[0]
    assert isinstance(first, Paragraph)
    assert "thyroid" in first.words
    assert numbers_in(first.words)


def test_light_is_listed_with_its_wells(run_of):
    run = run_of("synthetic_fnd_mouse")
    first = rows_of(run)[0]
    assert first[0] == "iv-1h-1"
    assert first[-1] == "wells.csv: lung D1"
    below = [row for row in rows_of(run) if "(BLQ)" in row[3]]
    assert below
    assert all(float(row[3].split()[0]) < float(row[6]) for row in below)


def test_records_of_nonmem_name_their_rows(make_run, tmp_path):
    table = "ID,TIME,AMT,EVID,CMT,DV\n1,0,10,1,1,.\n1,4,.,0,3,2\n"
    run = make_run(write_one(tmp_path / "study", {"nonmem.csv": table}, NONMEM), scenarios=0)
    blocks = [block for block in listing_blocks(run) if isinstance(block, Table)]
    assert blocks[0].rows[0][-1] == "nonmem.csv: row 3"
    assert blocks[0].source_of(0) == f"study/{run.name}/nonmem.csv"
