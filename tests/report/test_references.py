from pbpk.report.references import Reference, cited, references


def test_only_used_sources_are_listed(khot):
    known = references(khot)
    model = khot.joint.model
    used = " ".join(khot.parameters["source"]).split() + model.size_law.source.split()
    used += [key for quantity in model.species.quantities.values() for key in quantity.source.split()]
    own = {source.key for source in khot.study.about.sources}
    assert set(known) == own | (set(used) & set(model.sources))
    assert len({entry.anchor for entry in known.values()}) == len(known)


def test_the_study_comes_first_and_the_model_may_add_to_it(khot):
    known = references(khot)
    assert next(iter(known)) == khot.study.about.sources[0].key
    assert khot.joint.model.sources["khot_2019"].text in known["khot_2019"].remarks


def test_a_citation_links_to_what_is_known():
    known = {"a_1": Reference("ref-1", "a_1", "A", "", ())}
    text = cited("a_1:7;<b> unknown", known).__html__()
    assert '<a href="#ref-1">a_<wbr>1:7</a>' in text
    assert "&lt;b&gt;" in text
    assert "<b>" not in text


def test_only_a_doi_becomes_an_address():
    assert Reference("r", "k", "t", "10.1124/jpet.118.252858", ()).address.startswith("https://doi.org/10.1124/")
    assert Reference("r", "k", "t", "javascript:alert(1)", ()).address == ""
    assert Reference("r", "k", "t", '10.1124/x" onclick="y', ()).address == ""
