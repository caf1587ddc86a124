import pytest
from onecompartment import NONMEM, write_one

from pbpk.assay.study import read_study
from pbpk.predict.lineage.folder import Row, RunFolder
from pbpk.predict.lineage.rows import parents_of, parents_of_all

TABLE = """ID,TIME,AMT,EVID,CMT,DV
1,0,10,1,1,.
1,1,.,0,3,4.5
1,12,.,0,3,2.5
1,12,5,1,2,.
2,0,10,1,1,.
2,1,.,0,3,4.5
"""


@pytest.mark.parametrize(("file", "behind"), [
    ("exposure.csv", "counts.csv"), ("predictions.csv", "counts.csv"), ("parameters.csv", "posterior.nc"),
    ("counts.csv", "measurements.csv"),
])  # fmt: skip
def test_a_row_comes_from_rows_of_what_it_was_made_of(opened, file, behind):
    folder = opened("means")
    row = folder.read_table(file).rows[0]
    files = {source.file.rpartition("/")[2] for source in parents_of(folder, file, row)}
    assert behind in files


def test_a_count_of_light_comes_from_wells(opened):
    folder = opened("light")
    row = folder.read_table("counts.csv").rows[0]
    assert any(source.file.endswith("wells.csv") for source in parents_of(folder, "counts.csv", row))


def test_whole_tables_and_what_stands_for_itself(opened):
    folder = opened("light")
    assert [source.file for source in parents_of_all(folder, "parameters.csv")] == ["posterior.nc"]
    assert all("/traces/" in source.file for source in parents_of_all(folder, "amplitudes.csv"))
    assert parents_of_all(folder, "unknown.csv") == []


def in_folder(path, **tables):
    """A run folder with some tables of its study."""
    inside = path / "study" / "s"
    inside.mkdir(parents=True)
    for name, text in tables.items():
        (inside / f"{name}.csv").write_text(text)
    return RunFolder(path, {"study": "s"}, {})


@pytest.mark.parametrize(("animal", "grams"), [("a", "2"), ("b", "3"), ("c, occasion 2", "5"), ("d", "4")])
def test_the_weight_is_the_one_that_counts_use(tmp_path, animal, grams):
    weights = "group,animal,organ,weight_g\niv,a,liver,2\niv,,liver,4\n,b,liver,3\n,c,liver,5\n,,liver,1\n"
    folder = in_folder(tmp_path, organ_weights=weights)
    row = Row(2, {"group": "iv", "animal": animal, "organ": "liver", "unit": "percent_dose_per_g", "source": ""})
    (found,) = parents_of(folder, "study/s/measurements.csv", row)
    (weight,) = folder.read_table(found.file).where(found.rows)
    assert weight["weight_g"] == grams


def test_a_count_of_nonmems_table_comes_from_its_records(tmp_path):
    (tmp_path / "study").mkdir()
    inside = write_one(tmp_path / "study" / "s", {"nonmem.csv": TABLE}, NONMEM)
    folder = RunFolder(tmp_path, {"study": "s"}, {})
    study = read_study(inside)
    first = study.measurements[0]
    row = Row(2, {"group": first.group, "animal": first.animal, "organ": "plasma", "readout": first.readout,
                  "hours": f"{first.hours:g}"})  # fmt: skip
    lines = {each.line for source in parents_of(folder, "counts.csv", row)
             for each in folder.read_table(source.file).where(source.rows)}  # fmt: skip
    assert int(first.source.rpartition(" ")[2]) in lines
    assert len(lines) == 1 + sum(each.animal == first.animal for each in study.doses)
