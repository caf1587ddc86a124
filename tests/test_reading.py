import sys
from typing import Literal

import pydantic
import pytest

from pbpk.errors import ScenarioError
from pbpk.reading import Schema, read_rows, read_toml


class Part(Schema):
    size: float = pydantic.Field(gt=0)
    note: str = ""


class File(Schema):
    name: str
    kind: Literal["real", "synthetic"] = "real"
    parts: list[Part] = pydantic.Field(default_factory=list)
    named: dict[str, Part] = pydantic.Field(default_factory=dict)
    maybe: Part | None = None


class Row(Schema):
    organ: str
    hours: float = pydantic.Field(ge=0)
    value: float | None = None
    flag: bool = False

    @pydantic.model_validator(mode="after")
    def _early(self) -> "Row":
        if self.hours == 13:
            raise ValueError("13 is unlucky")
        return self


def said(path, read, schema):
    with pytest.raises(ScenarioError) as refusal:
        read(path, schema, ScenarioError)
    text = str(refusal.value)
    assert text.startswith(f"{path}: ")
    assert text.endswith((".", "?"))
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")


def written(tmp_path, text, name="file"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_a_file_becomes_values(tmp_path):
    text = 'name = "a"\nkind = "synthetic"\n[[parts]]\nsize = 2\n[named.b]\nsize = 0.5\nnote = "µ"\n'
    found = read_toml(written(tmp_path, text), File, ScenarioError)
    assert found == File(name="a", kind="synthetic", parts=[Part(size=2)], named={"b": Part(size=0.5, note="µ")})
    with pytest.raises(pydantic.ValidationError):
        found.name = "b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "`name` is missing; add it."),
        ("nam = 'a'", "line 1: unknown key `nam`. Did you mean `name`?"),
        ("name = 'a'\nkind = 'reel'", "line 2: `kind` is `reel`. Did you mean `real`?"),
        ("name = 'a'\n[[parts]]\nsise = 1", "line 3: unknown key `parts.0.sise`. Did you mean `size`?"),
        ("name = 'a'\n[named.x]\nsise = 1", "line 3: unknown key `named.x.sise`. Did you mean `size`?"),
        ("name = 'a'\n[maybe]\nsise = 1", "line 3: unknown key `maybe.sise`. Did you mean `size`?"),
        ("name = 'a'\n[maybe]\nnote = ''", "line 2: `maybe.size` is missing; add it."),
        ("name = 'a'\n[[parts]]\nsize = 0", "line 3: `parts.0.size` is `0`: input should be greater than 0."),
        ("name = 'a'\n[[parts]]\nsize = nan", "line 3: `parts.0.size` is `nan`: input should be a finite number."),
        ("name = 'a'\n[[parts]]\nsize = -inf", "line 3: `parts.0.size` is `-inf`: input should be a finite number."),
    ],
)
def test_a_wrong_file_is_one_sentence(tmp_path, text, expected):
    assert said(written(tmp_path, text), read_toml, File) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "name = a",
            "line 1: not readable as TOML: invalid value, column 8; put text in quotes, "
            "and close every bracket before it.",
        ),
        ("name = 'a'\nname = 'b'", "line 2: `name` stands in line 1 already; keep one."),
        ("a = [\n1,\n2]\n\na = [\n3,\n4]", "line 5: `a` stands in line 1 already; keep one."),
        ("[a]\nb = 1\n[c]\n[a]\n", "line 4: `a` stands in line 1 already; keep one."),
        ("a = { b = 1, b = 2 }", "line 1: `a.b` stands in line 1 already; keep one."),
        ("a = { b = 1 }\na.c = 2", "not readable as TOML: cannot mutate immutable namespace ('a',)."),
        ("\r\n[\r\n", "line 2: not readable as TOML: invalid initial character for a key part, column 2."),
        ("a = 1\nname\n", "line 2: not readable as TOML: expected '=' after a key in a key/value pair, column 5."),
        ('a = "x\nb = 1', "line 1: not readable as TOML: illegal character '\\n', column 7."),
        ("a = [1,\n2", "not readable as TOML: unclosed array, at the end of the file; close every quote and bracket."),
    ],
)
def test_what_is_not_toml_says_where(tmp_path, text, expected):
    assert said(written(tmp_path, text), read_toml, File) == expected


def test_what_is_nested_too_deeply_is_said(tmp_path):
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)  # as Python begins; hypothesis raises it
    try:
        found = said(written(tmp_path, "a = " + "[" * 2000), read_toml, File)
    finally:
        sys.setrecursionlimit(limit)
    assert found == "not readable as TOML: its arrays or tables are nested too deeply."


@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_line_is_that_of_the_editor(tmp_path, start, end):
    path = tmp_path / "file"
    path.write_bytes((start + "# a\n\nname = 'a'\n  kind\t=  'reel' # b\n").replace("\n", end).encode())
    assert said(path, read_toml, File) == "line 4: `kind` is `reel`. Did you mean `real`?"


@pytest.mark.parametrize("read", [read_toml, read_rows])
def test_a_missing_file_or_a_folder_is_said(tmp_path, read):
    assert said(tmp_path / "absent", read, Row) == "there is no such file."
    assert said(tmp_path, read, Row) == "there is no such file."


@pytest.mark.parametrize("read", [read_toml, read_rows])
def test_bytes_that_are_no_text_are_said(tmp_path, read):
    (tmp_path / "file").write_bytes(b"organ = \xff\xfe\x00")
    assert "not readable as" in said(tmp_path / "file", read, Row)


def test_a_table_becomes_rows(tmp_path):
    text = '\ufefforgan,value,hours,flag\r\n lung ,,1,true\r\n"gut, small",2e-3,0,\r\n\r\n'
    found = read_rows(written(tmp_path, text), Row, ScenarioError)
    assert found == [Row(organ="lung", hours=1, flag=True), Row(organ="gut, small", value=0.002, hours=0)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the file is empty; its first line must name the columns."),
        ("organ,hours\n", "the table has no rows under its header."),
        ("organ,hours\n\n\n", "the table has no rows under its header."),
        ("organ\nlung\n", "the column `hours` is missing; add it to the first line."),
        ("organ,hous\nlung,1\n", "unknown column `hous`. Did you mean `hours`?"),
        ("organ,hours,hours\nlung,1,2\n", "the column `hours` stands twice; remove one."),
        ("organ,hours,\nlung,1,\n", "unknown column ``. Choose from `flag`, `hours`, `organ`, `value`."),
        ("organ;hours\nlung;1\n", "the columns are not separated by commas; save the table with commas."),
        ("organ,hours\nlung,1\nliver,-1\n", "row 3: `hours` is `-1`: input should be greater than or equal to 0."),
        ("organ,hours\nlung,NaN\n", "row 2: `hours` is `NaN`: input should be a finite number."),
        ("organ,hours\nlung,\n", "row 2: `hours` is missing; add it."),
        ("organ,hours\n,,\n", "row 2 has 3 cells, the header has 2; make them agree."),
        ("organ,hours\nlung\n", "row 2 has 1 cells, the header has 2; make them agree."),
        ("organ,hours\nlung,1\n\nliver,1\n", "row 3 is empty; remove it."),
        ("organ,hours\nlung,13\n", "row 2: 13 is unlucky."),
    ],
)
def test_a_wrong_table_is_one_sentence(tmp_path, text, expected):
    assert said(written(tmp_path, text), read_rows, Row) == expected


@pytest.mark.parametrize(
    "text", ["organ,hours\nlung,1e999\n", "organ,hours\nlung,inf\n", "organ,hours\nlung,1_000_x\n"]
)
def test_numbers_that_are_none_are_refused(tmp_path, text):
    assert "row 2: `hours` is" in said(written(tmp_path, text), read_rows, Row)


def test_an_open_quote_is_said(tmp_path):
    assert "close every quote" in said(written(tmp_path, 'organ,hours\n"lung,1\n' + "x" * 140_000), read_rows, Row)
