import pytest

from pbpk.errors import RunError
from pbpk.predict.lineage.entries import Entry, find, read_entries

HEAD = ("Tissue", "1 h", "24 h")
ENTRIES = [
    Entry("Table 2.6.5.5B", "Observed, group iv", HEAD, ("liver", "2", "14"), "counts.csv#organ=liver"),
    Entry("Table 2.6.5.5B", "Observed, group iv", HEAD, ("lung", "80", "70"), "counts.csv#organ=lung"),
    Entry("Table 7.1", "Parameters", ("Parameter", "Median"), ("loss_lung", "0.1"), "parameters.csv#parameter=k"),
    Entry("Section 1", "Key numbers", (), ("The fit passed its checks.",), "manifest.json"),
]  # fmt: skip


def test_words_find_a_row_and_the_hour_of_its_column():
    (match,) = find(ENTRIES, "2.6.5.5 liver 24 h")
    assert match.entry is ENTRIES[0]
    assert match.hours == 24.0


def test_a_parameter_is_found_by_its_name():
    assert [match.entry for match in find(ENTRIES, "Table 7.1 loss_lung")] == [ENTRIES[2]]


def test_a_word_that_stands_nowhere_is_named():
    with pytest.raises(RunError, match="livr"):
        find(ENTRIES, "2.6.5.5 livr")
    with pytest.raises(RunError, match=r"`2\.6\.5\.55` occurs nowhere .* Did you mean `2\.6\.5\.5`"):
        find(ENTRIES, "2.6.5.55 liver")
    with pytest.raises(RunError, match="Say what to trace"):
        find(ENTRIES, "  ")


def test_a_report_without_an_index_says_what_writes_it(tmp_path):
    with pytest.raises(RunError, match=r"report\.sources\.json"):
        read_entries(tmp_path)


def test_what_is_no_index_is_refused(tmp_path):
    (tmp_path / "report.sources.json").write_text('{"entries": [{"place": 1}]}')
    with pytest.raises(RunError, match="is not what `pbpk report` writes"):
        read_entries(tmp_path)
