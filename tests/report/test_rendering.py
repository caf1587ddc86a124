import jinja2
import pytest

from pbpk.report.rendering import rendered, write_whole


def test_a_name_nobody_gives_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="title"):
        rendered("plates.html.j2")


def test_text_is_escaped():
    assert "a &lt;b&gt;" in rendered(
        "scenarios.html.j2", title="a <b>", scenarios={"each": []}, moved=None, contrasts=None
    )


def test_a_file_is_written_whole_or_not(tmp_path):
    path = write_whole("x\n", tmp_path / "new" / "page.html")
    assert path.read_bytes() == b"x\n"
    assert [file.name for file in path.parent.iterdir()] == ["page.html"]
