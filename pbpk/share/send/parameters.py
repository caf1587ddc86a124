"""What noncompartmental analysis told: PP with SUPPPP for its errors, POOLDEF for composite profiles, GRPPAR else.

Animals killed at their hour give one profile together: its parameters have no animal but a pool, whose members POOLDEF
names. Of means that a paper printed the members are not known, so theirs, and means over subjects, are in GRPPAR.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pbpk.share.send.concentrations import Measured, plain
from pbpk.share.send.subjects import Row, reference_of

AGAIN = ("Clast_obs",)  # what another parameter says too
QUALIFIERS = {"se": ("PPSE", "Standard Error of the Estimate"), "df": ("PPDF", "Degrees of Freedom, Satterthwaite"),
              "flag": ("PPFLAG", "What Speaks against the Estimate")}  # fmt: skip


@dataclass
class Pools:
    """Composite profiles by the animals in them."""

    of: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)

    def named(self, setcode: str, members: Sequence[str]) -> str:
        """Name of a pool, the same for the same animals."""
        key = (setcode, tuple(sorted(members)))
        number = 1 + sum(code == setcode for code, _ in self.of)
        return self.of.setdefault(key, f"{setcode}P{number}")

    def rows(self) -> list[Row]:
        """Rows of POOLDEF."""
        return [{"POOLID": name, "USUBJID": member} for (_, members), name in self.of.items() for member in members]


@dataclass(frozen=True)
class Parameters:
    """Rows of PP with what supplements each, POOLDEF, and GRPPAR."""

    rows: list[Row]
    supplements: list[dict[str, str]]
    pooled: list[Row]
    summaries: list[Row]


def parameters_of(measured: Measured, exposure: pd.DataFrame) -> Parameters:
    """Parameters of every profile, each where it belongs.

    exposure : as `predict.exposure` tells it
    """
    pools, found = Pools(), Parameters([], [], [], [])
    keys = ["group", "organ", "readout"]
    for (group, organ, readout), table in exposure.groupby(keys, sort=False):
        members = _members(measured, str(group), str(organ), str(readout))
        dense = bool((table["animal"] != "").any())
        for row in table[~table["parameter"].isin(AGAIN)].to_dict("records"):
            if row["animal"] or (members and not dense):
                _add(found, measured, row, pools, members)
            else:
                found.summaries.append(_summary(measured, row, len(found.summaries) + 1))
    found.pooled.extend(pools.rows())
    return found


def _members(measured: Measured, group: str, organ: str, readout: str) -> list[str]:
    """Animals behind a profile; none where one of them has no name."""
    table = measured.counts.table
    rows = table[(table["group"] == group) & (table["organ"] == organ) & (table["readout"] == readout)]
    rows = rows[rows["percent"].notna() | rows["below_lloq"]]
    if not len(rows) or (rows["animal"] == "").any():
        return []
    return list(dict.fromkeys(measured.subjects.usubjid(group, animal) for animal in rows["animal"]))


def _add(found: Parameters, measured: Measured, row: Row, pools: Pools, members: Sequence[str]) -> None:
    known, unit = measured.subjects.terms.parameter(row["parameter"]), measured.subjects.terms.unit(row["unit"])
    text, there = plain(row["value"]), bool(np.isfinite(row["value"]))
    if row["animal"]:
        who = {"USUBJID": measured.subjects.usubjid(row["group"], row["animal"]), "POOLID": ""}
    else:
        who = {"USUBJID": "", "POOLID": pools.named(measured.subjects.setcodes[row["group"]], members)}
    found.rows.append(who | {
        "PPGRPID": measured.group_id(row["group"], row["organ"], row["readout"]),
        "PPTESTCD": known.code, "PPTEST": known.name, "PPCAT": measured.tests[row["readout"]][1],
        "PPORRES": text, "PPORRESU": unit if there else "", "PPSTRESC": text, "PPSTRESN": finite(row["value"]),
        "PPSTRESU": unit if there else "", "PPSTAT": "" if there else "NOT DONE",
        "PPREASND": "" if there else row["flag"] or "cannot be estimated from these values",
        "PPSPEC": measured.specimen(row["organ"]),
        "PPTPTREF": reference_of(row["animal"]), "PPRFTDTC": "",
    })  # fmt: skip
    told = {"se": plain(row["se"]), "df": plain(row["df"]), "flag": row["flag"] if there else ""}
    found.supplements.append({name: text for name, text in told.items() if text})


def _summary(measured: Measured, row: Row, number: int) -> Row:
    known = measured.subjects.terms.parameter(row["parameter"])
    return {
        "SETCD": measured.subjects.setcodes[row["group"]], "ROW": number, "PARAMCD": known.code, "PARAM": known.name,
        "CAT": measured.tests[row["readout"]][1], "SPEC": measured.specimen(row["organ"]),
        "AVAL": finite(row["value"]), "SE": finite(row["se"]), "DF": finite(row["df"]), "LOW": finite(row["low"]),
        "HIGH": finite(row["high"]),
        "UNIT": measured.subjects.terms.unit(row["unit"]), "N": row["n"], "FLAG": row["flag"],
    }  # fmt: skip


def finite(number: float) -> float:
    """Number, missing where it has no end: as degrees of freedom of a normal interval."""
    return float(number) if np.isfinite(number) else float("nan")
