from pieces import document

from pbpk.predict.lineage.entries import read_entries
from pbpk.report.document.index import index, untraced, write_index


def test_every_row_and_figure_with_a_source_is_an_entry():
    found = index(document(["text"]))
    assert [entry.source for entry in found] == ["a.csv", "b.csv#x=1"]
    assert found[0].place == "Table 0.1"
    assert found[1].place == "Figure 1.1"


def test_digits_without_a_source_are_found():
    places = {entry.place for entry in untraced(document(["text", "12 cells"]))}
    assert "Section 0" in places
    assert "Table 1.1" in places  # the wide one


def test_an_index_is_read_back_and_its_bytes_repeat(tmp_path):
    path = write_index(document(), tmp_path)
    first = path.read_bytes()
    assert read_entries(tmp_path) == index(document())
    assert write_index(document(), tmp_path).read_bytes() == first
