import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbpk.body.library import LIBRARY
from pbpk.place import given_twice, line_at, lines, owner_of

SHIPPED = sorted(LIBRARY.rglob("*.toml"))
each_file = pytest.mark.parametrize("file", SHIPPED, ids=lambda path: path.stem)

ALL_OF_TOML = '''\
# a comment = 1
plain = 1
"quoted # key" = "a # string"
'lit.eral' = 'it "is"'
dotted . "key".last = 3
text = """
[not.a.table]
key = \\"""
"""
raw = \'\'\'
x = 1\'\'\'
many = [ # a comment
  1, 2,
  [3,
   4],

  { a = 5, b.c = "}]#" },  # another
]
date = 1979-05-27 07:32:00

[ table . "with.dot" ]  # header
key = -inf

[implicit.child.grand]
one = true
[implicit]
own = 0x1F
[[rows]]
a = 1
[rows.sub]
b = 2
[[rows]]
[[rows.deep]]
c = 3
[[rows.deep]]
c = 4
'''


def test_every_form_of_toml_has_its_line():
    known = {path: line for path, line in lines(ALL_OF_TOML).items() if line is not None}
    assert known == {
        ("plain",): 2,
        ("quoted # key",): 3,
        ("lit.eral",): 4,
        ("dotted", "key", "last"): 5,
        ("text",): 6,
        ("raw",): 10,
        ("many",): 12,
        ("many", 0): 13,
        ("many", 1): 13,
        ("many", 2): 14,
        ("many", 2, 0): 14,
        ("many", 2, 1): 15,
        ("many", 3): 17,
        ("many", 3, "a"): 17,
        ("many", 3, "b", "c"): 17,
        ("date",): 19,
        ("table", "with.dot"): 21,
        ("table", "with.dot", "key"): 22,
        ("implicit", "child", "grand"): 24,
        ("implicit", "child", "grand", "one"): 25,
        ("implicit",): 26,
        ("implicit", "own"): 27,
        ("rows",): 28,
        ("rows", 0): 28,
        ("rows", 0, "a"): 29,
        ("rows", 0, "sub"): 30,
        ("rows", 0, "sub", "b"): 31,
        ("rows", 1): 32,
        ("rows", 1, "deep"): 33,
        ("rows", 1, "deep", 0): 33,
        ("rows", 1, "deep", 0, "c"): 34,
        ("rows", 1, "deep", 1): 35,
        ("rows", 1, "deep", 1, "c"): 36,
    }


def test_line_ends_of_windows_change_nothing():
    assert lines(ALL_OF_TOML.replace("\n", "\r\n")) == lines(ALL_OF_TOML)


def leaves(value, path=()):
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if members is None:
        yield path, value
        return
    for key, member in members:
        yield from leaves(member, (*path, key))


@each_file
def test_the_line_of_every_value_of_a_shipped_file_holds_it(file):
    """Cut the file off before the line and the value is unknown; cut it after and, being on one line, it is there."""
    text = file.read_text()
    known, rows = lines(text), text.splitlines()
    found = 0
    for path, value in leaves(tomllib.loads(text)):
        row = rows[known[path] - 1]
        assert str(path[-1]) in row or isinstance(path[-1], int)
        if isinstance(value, str) and "\n" not in value and "\\" not in row:
            assert value in row
        found += 1
    assert found > 3


keys = st.sampled_from(["a", "b", "c-1", "d e", "f.g", "ü", '"', "#", ""])
scalars = st.one_of(st.integers(-9, 9), st.booleans(), st.text(alphabet="x \\\"'#=[]{},.\n\t", max_size=8))
values = st.recursive(scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(keys, v, max_size=3), max_leaves=8)


def quoted(text):
    marks = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
    return '"' + "".join(marks.get(mark, mark) for mark in text) + '"'


def written(value, draw):
    """A value as TOML, with line ends and comments strewn into its arrays."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {written(member, draw)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        space = draw(st.sampled_from(["", "\n", " # ],\n", "\n\n"]))
        return f"[{space}" + f",{space}".join(written(member, draw) + space for member in value) + "]"
    return quoted(value) if isinstance(value, str) else str(value)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_text_gets_a_wrong_line(data):
    """A marker in place of one value, wherever that is, is found in the line that is said."""
    table = data.draw(
        st.dictionaries(keys, st.dictionaries(keys, values, min_size=1, max_size=3), min_size=1, max_size=3)
    )
    places = [path for path, _ in leaves(table)]
    if not places:
        return
    path = data.draw(st.sampled_from(places))
    holder = table
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = 987654321
    text = "".join(
        f"\n[{quoted(name)}] # x\n" + "".join(f"{quoted(key)} = {written(v, data.draw)}\n" for key, v in inner.items())
        for name, inner in table.items()
    )
    assert tomllib.loads(text) == table
    line = line_at(text, path)
    assert "987654321" in text.splitlines()[line - 1]


def test_what_is_not_there_has_the_line_of_what_is_around_it():
    text = "[a]\nb = 1\n[c.d]\ne = 2\n"
    assert line_at(text, ("a", "x")) == 1
    assert line_at(text, ("a", "b", "x", 3)) == 2
    assert line_at(text, ("c", "d", "x")) == 3
    assert line_at(text, ("c", "x")) is None  # `c` itself is written nowhere
    assert line_at(text, ("x",)) is None
    assert line_at(text, ()) is None


@pytest.mark.parametrize("text", ["a = ", "a = 1\na = 2", "[", "a = 'x", "[a]\n[a]"])
def test_what_is_no_toml_has_no_lines(text):
    assert lines(text) == {}


@pytest.mark.parametrize(
    ("text", "twice"),
    [
        ("a = 1\nb = 2\na = 3", (("a",), 1, 3)),
        ("[a]\nb = 1\n[c]\n[a]", (("a",), 1, 4)),
        ("[a]\nb = [\n1]\nb = [\n2]", (("a", "b"), 2, 4)),
        ("[a]\nb.c = 1\nb.c = 2", (("a", "b", "c"), 2, 3)),
        ("[[a]]\nb = 1\n[[a]]\nb = 1", None),
        ("[a.b]\n[a]\n", None),
        ("a = 'x", None),
    ],
)
def test_what_stands_twice_is_found_with_both_lines(text, twice):
    assert given_twice(text) == twice


def test_a_child_owns_what_it_gives_and_takes_over_the_rest():
    parent = lines("arrows = ['a', 'b']\nlist = []\n[p.x]\nunit = '1'\nprior = 'a'\n[p.y]\nunit = '1'\n")
    child = lines("arrows = ['c']\n[p.x]\nunit = '2'\n")
    known = [parent, child]
    assert owner_of(("arrows", 0), known) == 1
    assert owner_of(("arrows", 1), known) == 1  # the child's array takes the place of the whole
    assert owner_of(("p", "x", "prior"), known) == 1  # so does its table
    assert owner_of(("p", "y", "unit"), known) == 0
    assert owner_of(("list",), known) == 0
    assert owner_of(("list", 0), known) == 0
    assert owner_of(("nowhere",), known) is None
    assert owner_of((), known) is None
