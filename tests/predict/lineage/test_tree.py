from pbpk.predict.lineage.entries import read_entries
from pbpk.predict.lineage.folder import read_run_folder
from pbpk.predict.lineage.source import parse_source
from pbpk.predict.lineage.tree import read_lineage


def below(lineage):
    yield lineage
    for each in lineage.made_of:
        yield from below(each)


def test_every_source_of_a_report_leads_somewhere(each):
    folder = read_run_folder(each[0])
    lost = {entry.source for entry in read_entries(each[0])
            if not read_lineage(folder, parse_source(entry.source)).resolved}  # fmt: skip
    assert not lost


def test_an_area_comes_from_measured_rows_with_their_lines(opened):
    lineage = read_lineage(opened("means"), parse_source("exposure.csv#organ=liver&parameter=AUClast"))
    found = [(each.file.rpartition("/")[2], each.line) for each in below(lineage)]
    lines = (opened("means").path / "study/khot_2019_t_cells_mouse/measurements.csv").read_text().splitlines()
    measured = [line for file, line in found if file == "measurements.csv" and line]
    assert measured
    assert all("liver" in lines[line - 1] for line in measured)
    assert any(file == "posterior.nc" for file, _ in found)


def test_a_count_of_light_comes_from_its_well_and_the_controls_of_its_plate(opened):
    folder = opened("light")
    lineage = read_lineage(folder, parse_source("counts.csv#organ=liver&hours=24"))
    found = list(below(lineage))
    wells = [each for each in found if each.what.startswith("well")]
    assert {each.values.get("role") for each in wells} == {"sample", "blank", "standard", "reference_cells", "spike"}
    liver = [each for each in found if each.what == "6 rows" and each.values.get("role") == "blank"]
    assert liver
    assert all(each.values["matrix"] == "liver" for each in liver)
    traces = [each for each in found if "/traces/" in each.file]
    assert traces
    assert all(len(each.sha256) == 64 for each in traces)


def test_a_parameter_has_its_prior_line_and_its_paper(opened):
    folder = opened("means")
    found = list(below(read_lineage(folder, parse_source("parameters.csv#parameter=loss_lung"))))
    model = [each for each in found if each.file.startswith("model/") and each.line]
    assert model
    text = (folder.path / model[0].file).read_text().splitlines()
    assert any("loss" in text[each.line - 1] for each in model)


def test_what_leads_nowhere_says_so(opened):
    lineage = read_lineage(opened("means"), parse_source("counts.csv#organ=nose"))
    assert not lineage.resolved
    assert lineage.note
