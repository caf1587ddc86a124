import json

from pieces import HOSTILE, document

from pbpk.report.document.as_pandoc import clean, node, tree


class Plain:
    """A format that keeps what it is asked."""

    def picture(self, figure):
        return "figure.svg"

    def sideways(self, turned):
        return [node("Turned", turned)]

    def text(self, words):
        return [node("Str", words)]

    def code(self, words):
        return [node("Code", words)]

    def contents(self, document):
        return [node("Contents", None)]

    def listing(self, text):
        return node("Listing", text)

    def styled(self, kind, paragraph):
        return [node(kind, paragraph)]


def test_every_block_is_in_the_tree():
    made = tree(document(), Plain())
    kinds = [each["t"] for each in made["blocks"]]
    assert kinds.count("Header") == 4
    assert kinds.count("Table") == 4  # three, and the facts
    assert kinds.count("Figure") == 1
    maths = [each["c"][0]["c"] for each in made["blocks"] if each["t"] == "Para" and each["c"][0]["t"] == "Math"]
    assert [how["t"] for how, _ in maths] == ["DisplayMath"]
    assert {"note", "alert", "missing", "below"} <= set(kinds)
    text = json.dumps(made, ensure_ascii=False)
    assert all(json.dumps(words, ensure_ascii=False)[1:-1] in text for words in HOSTILE)


def test_pages_are_turned_for_wide_tables_with_their_titles_and_turned_back():
    made = tree(document(), Plain())["blocks"]
    turns = [(i, each["c"]) for i, each in enumerate(made) if each["t"] == "Turned"]
    assert [turned for _, turned in turns] == [True, False]
    inside = [each["t"] for each in made[turns[0][0] + 1 : turns[1][0]]]
    assert inside == ["Header", "Header", "Table"]


def test_lines_and_control_characters_become_spaces_and_code_points():
    assert clean("a\r\nb\nc\td\x00") == "a b c d[U+0000]"
