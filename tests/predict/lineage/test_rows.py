import pytest

from pbpk.predict.lineage.rows import parents_of, parents_of_all


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
