from pbpk.report.sections.outline import APPENDICES, SECTIONS, outline_table


def test_there_are_eighteen_sections_and_their_anchors_differ():
    assert len(SECTIONS) == 18
    anchors = [section.anchor for section in (*SECTIONS, *APPENDICES)]
    assert len(set(anchors)) == len(anchors)


def test_every_section_is_mapped():
    table = outline_table()
    assert [row[0] for row in table.rows] == [*map(str, range(18)), *(f"A{i}" for i in range(1, len(APPENDICES) + 1))]
    assert all(any(cell != "–" for cell in row[2:]) for row in table.rows)
    assert "check them before filing" in table.notes[0]
