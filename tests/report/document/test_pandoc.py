import builtins

import pytest

from pbpk.errors import ReportError
from pbpk.report.document.pandoc import NO_DATE, converted, default_file, stamp, typesetter

EMPTY = {"pandoc-api-version": [1, 23, 1], "meta": {}, "blocks": [{"t": "Para", "c": [{"t": "Str", "c": "word"}]}]}


def test_a_tree_is_converted():
    assert converted(EMPTY, "plain") == b"word\n"


def test_a_refusal_is_told():
    with pytest.raises(ReportError, match="pandoc refused"):
        converted(EMPTY, "no_such_format")


def test_default_files_are_given():
    assert default_file("reference.docx").startswith(b"PK")


@pytest.mark.parametrize(("module", "call"), [("pypandoc", lambda: converted(EMPTY, "plain")), ("typst", typesetter)])
def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch, module, call):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name == module:
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ReportError, match=r"pip install 'pbpk\[report\]'"):
        call()


def test_the_hour_is_that_of_the_environment_or_always_the_same(monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert stamp() == NO_DATE
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert stamp() == 1_700_000_000
