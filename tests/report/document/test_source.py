from pbpk.report.document.source import source


def test_what_has_a_meaning_in_a_source_is_encoded():
    assert source("a.csv", group="x&y=z #1;/", hours=24.0) == "a.csv#group=x%26y%3Dz%20%231%3B%2F&hours=24.0"
    assert source("study/a b/study.toml", key="product.lot") == "study/a%20b/study.toml#key=product.lot"
