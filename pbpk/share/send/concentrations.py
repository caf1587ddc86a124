"""What was measured in animals: PC, with SUPPPC for what a value below its limit was taken as; GRPVAL for groups.

The result as collected is the number in the unit of the study, or cells where light was read; the standard one is
percent of the dose in the organ. A value below its limit is "<limit", its standard result BLQ, without a number (rules
000429, 000444, 000578 of `rules`). What is per mL stays in its unit. Means, ranges and values of animals nobody named
are in GRPVAL, which is no domain of SEND: a pool needs its animals, and none is made up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pbpk.assay.counts import OrganCounts
from pbpk.assay.doses import known_dose
from pbpk.assay.measurements import COUNTED, DROPPED, MeasurementRow
from pbpk.quantity import inside
from pbpk.share.send.subjects import Row, Subjects, reference_of
from pbpk.share.send.terms import iso_duration, short_name, study_day

SHARES = {
    "dose": "PERCENT OF DOSE",
    "recovered": "PERCENT OF WHAT WAS RECOVERED",
    "unknown": "PERCENT, DENOMINATOR NOT STATED",
}
CALCULATED = "Value Used in Calculations"
Key = tuple[str, str, float, str]  # animal (or ""), tissue's organ, hour, readout


@dataclass(frozen=True)
class Result:
    """A value as collected and in its standard unit.

    below : whether it is below its limit; used : what calculations took it as, in the standard unit
    """

    collected: str
    unit: str
    standard: float
    standard_unit: str
    limit: float
    below: bool
    used: float


@dataclass(frozen=True)
class Measured:
    """Values of a study, with the animals that they are of."""

    counts: OrganCounts
    subjects: Subjects

    @cached_property
    def tests(self) -> dict[str, tuple[str, str]]:
        """Short and full name of what each readout tells."""
        about, taken = self.counts.study.about, dict[str, tuple[str, str]]()
        cells = any(dose.given is None or inside(dose.given[1])[0] == "cell" for dose in self.counts.study.doses)
        known = {"dna": ("DNACEL", "Cells by their DNA"), "live": ("LIVECEL", "Live cells")}
        if about.label != "none":
            mark = short_name(about.label)
            known["label"] = ((f"{mark[:5]}CEL", f"{about.label}-labelled cell equivalents") if cells
                              else (mark, f"{about.label} as label"))  # fmt: skip
        every = [*self.counts.table["readout"], *(row.readout for row in self.counts.study.measurements)]
        for readout in dict.fromkeys(map(str, every)):
            code, name = known.get(readout, (readout, readout.capitalize()))
            taken[readout] = short_name(code, [each for each, _ in taken.values()]), name
        return taken

    @cached_property
    def specimens(self) -> dict[str, str]:
        """Specimen of each organ: that of its tissue, where it is made of one."""
        about, made = self.counts.study.about, dict[str, set[str]]()
        tissues = [row.organ for row in self.counts.study.measurements]
        tissues += [reading.well.organ for reading in self.counts.study.readings if reading.well.organ]
        for tissue in tissues:
            made.setdefault(about.tissues.get(tissue, tissue), set()).add(tissue)
        words = self.subjects.terms
        return {organ: words.specimen(next(iter(parts)) if len(parts) == 1 else organ) for organ, parts in made.items()}

    def specimen(self, organ: str) -> str:
        """Specimen that an organ of the model or a tissue is."""
        return self.specimens.get(organ) or self.subjects.terms.specimen(organ)

    @cached_property
    def _written(self) -> dict[tuple[str, Key], list[MeasurementRow]]:
        """Rows of the study behind each value, by group and key."""
        tissues = self.counts.study.about.tissues
        found: dict[tuple[str, Key], list[MeasurementRow]] = {}
        for row in self.counts.study.measurements:
            organ = tissues.get(row.organ, row.organ)
            key = (row.animal, organ if organ != DROPPED else row.organ, row.hours, row.readout)
            found.setdefault((row.group, key), []).append(row)
        return found

    def group_id(self, group: str, organ: str, readout: str) -> str:
        """Name of the values of one profile, in PC and PP."""
        return f"{self.subjects.setcodes[group]} {self.tests[readout][0]} {self.specimen(organ)}"

    def result(self, row: Row) -> Result:
        """Value of one row of the counts."""
        study, denominator = self.counts.study, self.counts.denominator
        key = (row["animal"], row["organ"], row["hours"], row["readout"])
        behind = self._written.get((row["group"], key), [])
        below = bool(row["below_lloq"] or row["percent"] < row["lloq"])
        percent, limit = float(row["percent"]), float(row["lloq"])
        used = percent if np.isfinite(percent) else float("nan")
        own = behind[0] if len(behind) == 1 else None
        if row["per"] == "mL" and own is not None:
            return _as_written(self.subjects.terms.unit(own.unit), own)
        unit, factor = "%", 1.0
        given = known_dose(study, row["group"], row["animal"]) if denominator == "dose" else None
        if own is None and given is not None and not behind:  # light: the assay tells cells
            unit, factor = "cells", given / 100.0
        said, low = percent * factor, limit * factor
        if own is not None and (own.lloq is not None or not below):
            unit = self.subjects.terms.unit(own.unit)
            said, low = own.value if own.value is not None else float("nan"), own.lloq or float("nan")
        return Result(f"<{plain(low)}" if below else plain(said), unit, percent, "%", limit, below, used)

    def method(self, row: Row) -> str:
        """How a value was measured, where the study says that."""
        methods = self.subjects.terms.words.methods
        key = (row["animal"], row["organ"], row["hours"], row["readout"])
        behind = self._written.get((row["group"], key), [])
        if behind:
            return methods[behind[0].unit] if behind[0].unit in COUNTED else ""
        return methods["light"]

    def concentrations(self) -> Iterator[tuple[Row, float]]:
        """Rows of PC with what calculations took each value as, those that were left out among them."""
        hours = sorted({self._after(row) for row in self._values()})
        for row in self._values():
            after = self._after(row)
            left_out = isinstance(row["left_out"], MeasurementRow)
            result = _as_written(self.subjects.terms.unit(row["left_out"].unit), row["left_out"]) if left_out else (
                self.result(row))  # fmt: skip
            code, name = self.tests[row["readout"]]
            yield ({
                "USUBJID": self.subjects.usubjid(row["group"], row["animal"]), "POOLID": "",
                "PCGRPID": self.group_id(row["group"], row["organ"], row["readout"]), "PCSPID": row["source"],
                "PCTESTCD": code, "PCTEST": name,
                "PCSCAT": SHARES[self.counts.denominator] if result.standard_unit == "%" else "",
                "PCORRES": result.collected, "PCORRESU": result.unit,
                "PCSTRESC": "BLQ" if result.below else plain(result.standard),
                "PCSTRESN": float("nan") if result.below else result.standard, "PCSTRESU": result.standard_unit,
                "PCSPEC": self.specimen(row["organ"]), "PCMETHOD": "" if left_out else self.method(row),
                "PCDRVFL": "Y" if self._is_sum(row) else "", "PCLLOQ": result.limit,
                "PCEXCLFL": "Y" if left_out else "",
                "PCREASEX": "left out: [tissues] in study.toml says that it is not used" if left_out else "",
                "PCDTC": "", "PCDY": study_day(after), "PCNOMDY": study_day(after), "PCTPT": f"{after:g} h",
                "PCTPTNUM": hours.index(after) + 1, "PCELTM": iso_duration(after),
                "PCTPTREF": reference_of(row["animal"]), "PCRFTDTC": "",
            }, result.used)  # fmt: skip

    def summaries(self) -> list[Row]:
        """Rows of GRPVAL: what is known of a group only, and ranges."""
        rows: list[Row] = []
        for row in self.counts.table.to_dict("records"):
            if not _is_of_animal(row):
                rows.append(self._summary(row, percent_unit(row), row["source"]))
        for measured in self._dropped():
            if not measured.animal or (measured.value is None and not measured.below_lloq):
                row = _row_of(measured)
                row |= {"percent": measured.value, "sd": measured.sd, "low": measured.low, "high": measured.high,
                        "lloq": measured.lloq}  # fmt: skip
                told = self._summary(row, self.subjects.terms.unit(measured.unit), measured.source)
                rows.append(told | {"EXCLFL": "Y", "REASEX": "[tissues] in study.toml says that it is not used"})
        return [row | {"ROW": number} for number, row in enumerate(rows, start=1)]

    def _summary(self, row: Row, unit: str, source: str) -> Row:
        after = row["hours"] - self.subjects.start(row["group"], "")
        code, name = self.tests[row["readout"]]
        return {
            "SETCD": self.subjects.setcodes[row["group"]], "TESTCD": code, "TEST": name,
            "SPEC": self.specimen(row["organ"]), "ELTM": iso_duration(after), "HOURS": after, "SUBJECT": row["animal"],
            "N": self._number(row), "MEAN": row["percent"], "SD": row["sd"], "LOW": row["low"], "HIGH": row["high"],
            "LLOQ": row["lloq"], "BLQFL": "Y" if row["below_lloq"] else "", "UNIT": unit, "SOURCE": source,
        }  # fmt: skip

    def _number(self, row: Row) -> float:
        """How many animals a value is of, missing where the study does not say."""
        if row["animal"]:
            return 1.0
        key = (row["animal"], row["organ"], row["hours"], row["readout"])
        behind = self._written.get((row["group"], key), [])
        said = [each.n for each in behind if each.n is not None]
        return float(min(said)) if said and len(said) == len(behind) else float("nan")

    def _after(self, row: Row) -> float:
        """Hours after the first dose."""
        return float(row["hours"] - self.subjects.start(row["group"], row["animal"]))

    def _values(self) -> list[Row]:
        """Values of animals: those of the counts, then those left out."""
        table = [row | {"left_out": None} for row in self.counts.table.to_dict("records") if _is_of_animal(row)]
        dropped = [row for row in self._dropped() if row.animal and (row.value is not None or row.below_lloq)]
        return table + [_row_of(row) | {"left_out": row} for row in dropped]

    def _dropped(self) -> list[MeasurementRow]:
        tissues = self.counts.study.about.tissues
        return [row for row in self.counts.study.measurements if tissues.get(row.organ, row.organ) == DROPPED]

    def _is_sum(self, row: Row) -> bool:
        """Whether several tissues were summed for a value."""
        key = (row["animal"], row["organ"], row["hours"], row["readout"])
        return len({each.organ for each in self._written.get((row["group"], key), [])}) > 1


def _row_of(measured: MeasurementRow) -> Row:
    """A row of the study as one of the counts."""
    return {"group": measured.group, "animal": measured.animal, "organ": measured.organ, "hours": measured.hours,
            "readout": measured.readout, "source": measured.source, "below_lloq": measured.below_lloq}  # fmt: skip


def _is_of_animal(row: Row) -> bool:
    """Whether a value is one number, or a limit, of one animal that has a name."""
    return bool(row["animal"]) and (np.isfinite(row["percent"]) or bool(row["below_lloq"]))


def percent_unit(row: Row) -> str:
    """Unit of the counts."""
    return f"%/{row['per']}" if row["per"] else "%"


def _as_written(unit: str, row: MeasurementRow) -> Result:
    """Value in its own unit, which is the standard one too."""
    limit = float("nan") if row.lloq is None else row.lloq
    value = float("nan") if row.value is None else row.value
    said = f"<{plain(limit)}" if row.below_lloq else plain(value)
    return Result(said, unit, value, unit, limit, row.below_lloq, value)


def plain(number: float) -> str:
    """Number as text, with all digits that it has up to twelve.

    >>> plain(0.1), plain(12345678.5), plain(float("nan"))
    ('0.1', '12345678.5', '')
    """
    return f"{number:.12g}" if np.isfinite(number) else ""
