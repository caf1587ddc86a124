from wordsof import tables_of, words_of

from pbpk.report.sections.parameters import assumptions, parameters


def test_every_parameter_is_there_with_its_source(told):
    tables = tables_of(parameters(told))
    table = next(iter(tables.values()))
    assert [str(row[0]) for row in table.rows] == list(told.run.parameters["parameter"])
    assert table.source_of(0) == f"parameters.csv#parameter={told.run.parameters['parameter'][0]}"
    assert "Numbers of the animal" in tables


def test_assumptions_of_the_author_and_of_the_study(told, silent):
    words = words_of(assumptions(told))
    assert all(each in words for each in told.run.study.about.assumptions)
    assert "Register of assumptions" in words
    assert "TO BE COMPLETED" in words_of(assumptions(silent))
