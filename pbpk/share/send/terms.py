"""Controlled terms, variables of each domain, and how words of a study become them: `models/send/`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import pydantic

from pbpk.body.library import LIBRARY
from pbpk.errors import ShareError
from pbpk.reading import Schema, read_rows, read_toml

FOLDER = LIBRARY / "send"
# Variables whose values are of a code list; a value that is not is an extension, and the guide lists it.
BOUND = {"PCSPEC": "SPEC", "PPSPEC": "SPEC", "SPECIES": "SPECIES", "STRAIN": "STRAIN", "EXROUTE": "ROUTE",
         "PCMETHOD": "METHOD", "EXDOSU": "UNIT", "PCORRESU": "PKUNIT", "PCSTRESU": "PKUNIT", "PPORRESU": "PKUNIT",
         "PPSTRESU": "PKUNIT", "PPTESTCD": "PKPARMCD"}  # fmt: skip
JOINED = ";"  # between the specimens of a value that is of several


class Variable(Schema):
    """A variable of a domain, as `variables.csv` has it."""

    domain: str
    variable: str
    label: str
    type: str
    mandatory: bool = False
    role: str = ""
    source: str


class Term(Schema):
    """A term of a code list."""

    codelist: str
    codelist_code: str
    extensible: bool
    term: str
    term_code: str = ""


class Route(Schema):
    """How a dose went in, and where where the first does not say it in full."""

    route: str
    location: str = ""


class Parameter(Schema):
    """Short and full name of a parameter."""

    code: str = pydantic.Field(max_length=8)
    name: str = pydantic.Field(max_length=40)


class Words(Schema):
    """`words.toml` as written."""

    terminology: str
    guide: str
    specimens: dict[str, str]
    routes: dict[str, Route]
    methods: dict[str, str]
    species: dict[str, str]
    strains: dict[str, str]
    parameters: dict[str, Parameter]
    units: dict[str, str]


@dataclass(frozen=True)
class Terms:
    """Everything that is known of terms.

    variables : by domain, in their order; codelists : terms by their list, codes : of the lists and their terms
    """

    variables: dict[str, tuple[Variable, ...]]
    codelists: dict[str, frozenset[str]]
    codes: dict[str, str]
    words: Words

    def specimen(self, organ: str) -> str:
        """Specimen that an organ or tissue is; several tissues stand beside each other."""
        return self.words.specimens.get(organ, organ.replace("_", " ").upper())

    def route(self, name: str) -> Route:
        """Route and place of a dose: that of an organ's own artery or tissue says the organ."""
        if name in self.words.routes:
            return self.words.routes[name]
        if found := re.fullmatch(r"(\w+)_(artery|tissue)", name):
            way = "INTRA-ARTERIAL" if found[2] == "artery" else "INTRAPARENCHYMAL"
            return Route(route=way, location=self.specimen(found[1]))
        return Route(route=name.replace("_", " ").upper())

    def unit(self, name: str) -> str:
        """Unit in the spelling of SEND."""
        return self.words.units.get(name, name)

    def parameter(self, name: str) -> Parameter:
        """Short and full name; one that is not known keeps its own, in capitals."""
        known = self.words.parameters.get(name)
        return known or Parameter(code=re.sub(r"\W|_", "", name).upper()[:8], name=name[:40])

    def is_term(self, codelist: str, value: str) -> bool:
        """Whether each of the values that are joined is a term of a list."""
        return all(each.strip() in self.codelists[codelist] for each in value.split(JOINED))


@cache
def read_terms() -> Terms:
    """Read what ships with the package."""
    variables: dict[str, list[Variable]] = {}
    for variable in read_rows(FOLDER / "variables.csv", Variable, ShareError):
        variables.setdefault(variable.domain, []).append(variable)
    codelists: dict[str, set[str]] = {}
    codes: dict[str, str] = {}
    for term in read_rows(FOLDER / "terms.csv", Term, ShareError):
        codelists.setdefault(term.codelist, set()).add(term.term)
        codes[term.codelist] = term.codelist_code
        codes[f"{term.codelist}/{term.term}"] = term.term_code
    return Terms(
        {name: tuple(each) for name, each in variables.items()},
        {name: frozenset(each) for name, each in codelists.items()},
        codes,
        read_toml(FOLDER / "words.toml", Words, ShareError),
    )


def iso_duration(hours: float) -> str:
    """Hours as ISO 8601 writes a time that passes, to the second.

    >>> iso_duration(1.5), iso_duration(0.05), iso_duration(168), iso_duration(-0.25)
    ('PT1H30M', 'PT3M', 'PT168H', '-PT15M')
    """
    seconds = round(abs(hours) * 3600)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    parts = [f"{number}{letter}" for number, letter in ((hour, "H"), (minute, "M"), (second, "S")) if number]
    return f"{'-' if hours < 0 and seconds else ''}PT{''.join(parts) or '0H'}"


def study_day(hours: float) -> int:
    """Day of a study that begins at hour 0: 1 is the first, -1 the one before; there is no day 0.

    >>> study_day(0), study_day(23.9), study_day(24), study_day(-1)
    (1, 1, 2, -1)
    """
    day = int(hours // 24)
    return day + 1 if day >= 0 else day


def short_name(words: str, taken: Iterable[str] = ()) -> str:
    """A name of at most eight capitals and digits that begins with a letter and is none of those taken.

    >>> short_name("51Cr", ()), short_name("drug level"), short_name("drug levels", ["DRUGLEVE"])
    ('CR51', 'DRUGLEVE', 'DRUGLEV2')
    """
    plain = re.sub(r"[^A-Z0-9]", "", words.upper()) or "X"
    turned = re.sub(r"^(\d+)(.*)$", lambda found: f"{found[2] or 'X'}{found[1]}", plain)
    name, number = turned[:8], 1
    while name in set(taken):
        number += 1
        name = f"{turned[: 8 - len(str(number))]}{number}"
    return name
