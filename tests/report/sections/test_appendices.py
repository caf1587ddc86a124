from wordsof import tables_of, words_of

from pbpk.report.sections import appendices


def test_provenance_names_software_and_inputs(told):
    tables = tables_of(appendices.provenance(told))
    assert {"Software", "Settings", "Input files"} == set(tables)
    assert "pbpk verify RUN" in words_of(appendices.provenance(told))


def test_code_is_printed_as_it_is(told):
    assert "a=1" in words_of(appendices.code(told))


def test_the_plan_is_printed_with_its_seal(told, silent):
    assert "f" * 64 in words_of(appendices.plan(told))
    assert "No plan was frozen" in words_of(appendices.plan(silent))


def test_checklists_say_where_what_is(told, silent):
    words = words_of(appendices.checklists(told))
    assert "ICH M15" in words
    assert "structured after 21 CFR 58.185" in words
    assert "TO BE COMPLETED" in words_of(appendices.checklists(silent))


def test_only_used_references_are_listed_each_with_an_anchor(told):
    (block,) = appendices.references_list(told)
    assert len(block.items) == len(told.known) == len(set(block.anchors))
    assert "doi:" in words_of([block])
