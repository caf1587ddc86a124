import csv

import pytest

from pbpk.share.send.terms import BOUND, FOLDER, iso_duration, read_terms, short_name, study_day

TERMS = read_terms()


def test_every_variable_fits_the_transport_format():
    for domain, variables in TERMS.variables.items():
        names = [each.variable for each in variables]
        assert len(set(names)) == len(names)
        assert all(len(name) <= 8 and name.isascii() and name == name.upper() for name in (domain, *names))
        assert all(len(each.label.encode()) <= 40 and each.type in ("Char", "Num") for each in variables)
        assert all(each.source for each in variables)


def test_words_become_terms_unless_the_file_says_that_they_extend_a_list():
    said = (FOLDER / "words.toml").read_text().splitlines()
    words = TERMS.words
    told = [("SPEC", each) for each in words.specimens.values()]
    told += [("ROUTE", each.route) for each in words.routes.values()]
    told += [("METHOD", each) for each in words.methods.values()]
    told += [("SPECIES", each) for each in words.species.values()]
    told += [("STRAIN", each) for each in words.strains.values()]
    told += [("PKPARMCD", each.code) for each in words.parameters.values()]
    for codelist, term in told:
        lines = [line for line in said if f'"{term}"' in line]
        assert lines
        assert TERMS.is_term(codelist, term) != all("extension" in line for line in lines), term


def test_codes_of_parameters_are_apart():
    codes = [each.code for each in TERMS.words.parameters.values()]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    ("organ", "specimen"),
    [("lung", "LUNG"), ("gut", "INTESTINE"), ("blood", "WHOLE BLOOD"), ("serum", "SERUM"),
     ("rest", "REMAINDER OF BODY"), ("tail_vein", "TAIL VEIN")],
)  # fmt: skip
def test_specimens(organ, specimen):
    assert TERMS.specimen(organ) == specimen


@pytest.mark.parametrize(
    ("name", "route", "location"),
    [("iv", "INTRAVENOUS", ""), ("portal_vein", "INTRAVENOUS", "PORTAL VEIN"),
     ("liver_artery", "INTRA-ARTERIAL", "LIVER"), ("heart_tissue", "INTRAPARENCHYMAL", "HEART"),
     ("oral", "ORAL", ""), ("by_mouth", "BY MOUTH", "")],
)  # fmt: skip
def test_routes(name, route, location):
    found = TERMS.route(name)
    assert (found.route, found.location) == (route, location)
    assert TERMS.is_term("ROUTE", route) == (name != "by_mouth")


def test_several_specimens_are_joined_by_a_semicolon():
    assert TERMS.is_term("SPEC", "SMALL INTESTINE;LARGE INTESTINE")
    assert not TERMS.is_term("SPEC", "SMALL INTESTINE/LARGE INTESTINE")


def test_lists_that_are_extended_may_be():
    with (FOLDER / "terms.csv").open() as file:
        extensible = {row["codelist"]: row["extensible"] for row in csv.DictReader(file)}
    assert all(extensible[codelist] == "true" for codelist in set(BOUND.values()) - {"SPECIES"})


def test_times():
    assert [iso_duration(hours) for hours in (0, 1 / 60, 0.5, 24.25, 1e-5)] == [
        "PT0H",
        "PT1M",
        "PT30M",
        "PT24H15M",
        "PT0H",
    ]
    assert [study_day(hours) for hours in (-25, -1, 0, 24, 167)] == [-2, -1, 1, 2, 7]


def test_short_names_are_apart_and_begin_with_a_letter():
    taken = []
    for words in ("treatment a", "treatment b", "treatment b", "1", "é", "treatment c"):
        name = short_name(words, taken)
        assert name not in taken
        assert name[0].isalpha()
        assert len(name) <= 8
        taken.append(name)
