"""Who was in a study and what each was given: DM, EX, and TX for its groups.

An animal is who has a name in the study. Values of groups alone, as means and ranges that a paper prints, are no
animals, and none is made up for them.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pbpk.assay.animals import OCCASION, of_subject
from pbpk.assay.counts import OrganCounts
from pbpk.assay.doses import DoseRow, doses_of
from pbpk.assay.study import Group, Study
from pbpk.errors import ShareError
from pbpk.quantity import convert, inside
from pbpk.share.send.terms import Terms, iso_duration, short_name, study_day

SEXES = {"female": "F", "male": "M", None: "U"}
CELLS = "10^6 Therapeutic Cells"
REFERENCE = "FIRST DOSE"
MOST_DOSES = 1000  # of one animal that are written out
Row = dict[Any, Any]


@dataclass(frozen=True)
class Subjects:
    """Animals of a study and its groups.

    studyid : identifier of the study in every data set; animals : (group, animal) of all that have a name
    occasions : names of each animal in the study's tables, one for each clock that a reset started again
    """

    study: Study
    terms: Terms
    studyid: str
    animals: tuple[tuple[str, str], ...]
    occasions: dict[tuple[str, str], tuple[str, ...]]

    @cached_property
    def setcodes(self) -> dict[str, str]:
        """Code of each group."""
        codes: dict[str, str] = {}
        for group in self.study.about.groups:
            codes[group.name] = short_name(group.name, codes.values())
        return codes

    @cached_property
    def names(self) -> dict[tuple[str, str], str]:
        """Name of each animal in the study: its own, with its group before it where two groups have the same.

        Raises
        ------
        ShareError
            if two animals would have one name
        """
        own = [animal for _, animal in self.animals]
        alone = len(set(own)) == len(own)
        names = {key: key[1] if alone else f"{key[0]}-{key[1]}" for key in self.animals}
        for name in names.values():
            if list(names.values()).count(name) > 1:
                raise ShareError(f"{self.study.folder}: two animals would be named `{name}`; rename one.")
        return names

    def usubjid(self, group: str, animal: str) -> str:
        """Identifier of an animal among those of all studies."""
        return f"{self.studyid}-{self.names[group, of_subject(animal)]}"

    def start(self, group: str, animal: str) -> float:
        """Hour of the first dose of an animal, from which time is counted [h]."""
        return min((dose.hours for dose in doses_of(self.study, group, animal)), default=0.0)

    def demographics(self) -> list[Row]:
        """Rows of DM, one for each animal; without dates where the study has none."""
        rows: list[Row] = []
        known = {(row.group, row.animal): row for row in self.study.animals}
        species, strain, details = species_and_strain(self.study, self.terms)
        for group, animal in self.animals:
            told = known.get((group, animal)) or known.get((group, ""))
            rows.append({
                "USUBJID": self.usubjid(group, animal), "SUBJID": self.names[group, animal], "RFSTDTC": "",
                "SEX": SEXES[told.sex if told else None], "SPECIES": species, "STRAIN": strain, "SBSTRAIN": details,
                "ARMCD": self.setcodes[group], "ARM": _arm(self.study.group(group)), "SETCD": self.setcodes[group],
            })  # fmt: skip
        return rows

    def exposures(self) -> list[Row]:
        """Rows of EX, one for each dose of each animal; a dose that repeats is written out.

        Raises
        ------
        ShareError
            if a dose repeats too often to be written out
        """
        rows: list[Row] = []
        for group, name in ((group, name) for (group, _), names in self.occasions.items() for name in names):
            first = self.start(group, name)
            for dose in doses_of(self.study, group, name):
                if dose.addl > MOST_DOSES:
                    raise ShareError(f"{self.study.doses_file}: a dose of `{group}` is followed by {dose.addl} others, "
                                     f"of which at most {MOST_DOSES} are written out; shorten it.")  # fmt: skip
                for number in range(max(dose.addl, 0) + 1):
                    after = dose.hours + number * dose.interval_h - first
                    given = {"USUBJID": self.usubjid(group, name), "EXTPTREF": reference_of(name)}
                    rows.append(given | self._given(dose, after))
        numbers: dict[str, int] = {}
        for row in rows:
            numbers[row["USUBJID"]] = numbers.get(row["USUBJID"], 0) + 1
            row["EXTPT"], row["EXTPTNUM"] = f"DOSE {numbers[row['USUBJID']]}", numbers[row["USUBJID"]]
        return rows

    def _given(self, dose: DoseRow, after: float) -> Row:
        about, route = self.study.about, self.terms.route(dose.route)
        amount, unit, text = amount_of(dose)
        minutes = dose.duration_min or (
            60.0 * dose.given[0] / dose.rate_per_h if dose.rate_per_h and dose.given is not None else 0.0
        )
        steady = f"at steady state, every {dose.interval_h:g} h before" if dose.ss else ""
        return {
            "EXTRT": about.product.cell_type, "EXDOSE": amount, "EXDOSTXT": text, "EXDOSU": unit, "EXDOSFRQ": "ONCE",
            "EXROUTE": route.route, "EXLOC": route.location, "EXADJ": steady,
            "EXLOT": about.product.lot if amount or text else "", "EXSTDTC": "", "EXSTDY": study_day(after),
            "EXDUR": iso_duration(minutes / 60.0) if minutes else "", "EXELTM": iso_duration(after),
        }  # fmt: skip

    def sets(self) -> list[Row]:
        """Rows of TX, what each group got, also where none of its animals is known."""
        rows: list[Row] = []
        for group in self.study.about.groups:
            doses = [dose for dose in self.study.doses if dose.group == group.name and dose.is_dose]
            told = {"ARMCD": ("Arm Code", self.setcodes[group.name]), "GRPLBL": ("Group Label", group.name)}
            texts = list(dict.fromkeys(_words(dose) for dose in doses))
            told["TRTDOSTX"] = ("Dose in Words", "; ".join(texts))
            told["ROUTE"] = ("Route of Administration", "; ".join(
                dict.fromkeys(self.terms.route(route).route for route in group.routes)))  # fmt: skip
            if group.treatment != "none":
                told["SPTRT"] = ("Treatment beside the Product", group.treatment)
            rows += [{"SETCD": self.setcodes[group.name], "SET": _arm(group), "TXSEQ": number, "TXPARMCD": code,
                      "TXPARM": name, "TXVAL": value}
                     for number, (code, (name, value)) in enumerate(told.items(), start=1)]  # fmt: skip
        return rows


def subjects_of(counts: OrganCounts, terms: Terms) -> Subjects:
    """Animals that were measured, dosed or described by their name."""
    study = counts.study
    table = counts.table
    seen = [*zip(table["group"], table["animal"], strict=True), *((dose.group, dose.animal) for dose in study.doses),
            *((row.group, row.animal) for row in study.animals)]  # fmt: skip
    named = dict.fromkeys((str(group), str(animal)) for group, animal in seen if animal)
    order = [group.name for group in study.about.groups]
    occasions: dict[tuple[str, str], tuple[str, ...]] = {}
    for group, name in sorted(named, key=lambda key: order.index(key[0])):  # else as the study's tables have them
        key = (group, of_subject(name))
        occasions[key] = (*occasions.get(key, ()), name)
    return Subjects(study, terms, study.about.reporting.study_number or study.name, tuple(occasions), occasions)


def reference_of(name: str) -> str:
    """What time is counted from: the first dose of an animal, or of its occasion.

    >>> reference_of("7, occasion 2")
    'FIRST DOSE, OCCASION 2'
    """
    occasion = name.partition(OCCASION)[2]
    return f"{REFERENCE}, OCCASION {occasion}" if occasion else REFERENCE


def amount_of(dose: DoseRow) -> tuple[float | None, str, str]:
    """Amount of a dose and its unit in SEND's words, or what there is to say instead."""
    if dose.given is None:
        if dose.is_since_ever:
            return None, "", f"infusion of {dose.rate_per_h:g} {dose.unit or 'cells'}/h since ever, ends here"
        return None, "", "number not stated in the source"
    amount, unit = dose.given
    if inside(unit)[0] == "cell":
        return convert(amount, unit, "cell") / 1e6, CELLS, ""
    return amount, unit, ""


def species_and_strain(study: Study, terms: Terms) -> tuple[str, str, str]:
    """Species and strain as terms, and the strain as the study writes it.

    The strain is the longest term that the study's own words hold.
    """
    about = study.about
    named = [term for term in terms.codelists["STRAIN"]
             if re.search(rf"(?<!\w){re.escape(term)}(?!\w)", about.strain, re.IGNORECASE)]  # fmt: skip
    longest = max(named, key=lambda term: (len(term), term), default="")
    species = terms.words.species.get(about.species, about.species.upper())
    strain = longest or about.strain.upper() or terms.words.strains.get(about.species, "")
    return species, strain, about.strain if about.strain.upper() != strain else ""


def _arm(group: Group) -> str:
    return group.name if group.treatment == "none" else f"{group.name}: {group.treatment}"


def _words(dose: DoseRow) -> str:
    """A dose in words."""
    amount, unit, text = amount_of(dose)
    said = text or f"{amount:.10g}{' x ' if unit == CELLS else ' '}{unit}"
    again = f", and {dose.addl} more every {dose.interval_h:g} h" if dose.addl > 0 else ""
    return f"{said} at {dose.hours:g} h{again}"
