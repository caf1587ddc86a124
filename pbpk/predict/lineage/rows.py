"""What a row of a table was made of, one level down: sources of rows of other tables, of keys, of whole files."""

from collections.abc import Callable, Mapping
from fnmatch import fnmatch
from math import isclose
from types import MappingProxyType

from pbpk.assay.animals import of_subject
from pbpk.assay.records import FILE as NONMEM
from pbpk.assay.study import read_study
from pbpk.predict.lineage.folder import ROUNDED, Row, RunFolder
from pbpk.predict.lineage.keys import read_found, read_prior, read_references
from pbpk.predict.lineage.source import KEY, Source

DRAWS = Source("posterior.nc")
ANSWERS = Source("forecast.nc")
LABEL = "label"  # the readout of light
CONTROLS = ("blank", "standard", "reference_cells", "spike")
NAMED = ("ID", "TIME", "EVID", "AMT", "CMT", "DVID", "DV")  # columns that tell a record of NONMEM's from others

type Step = Callable[[RunFolder, Row], list[Source]]


def parents_of(folder: RunFolder, file: str, row: Row) -> list[Source]:
    """Sources of what one row of a table was made of; none where it stands for itself."""
    step = STEPS.get(file.rpartition("/")[2])
    found = step(folder, row) if step else []
    return list({str(each): each for each in found}.values())


def parents_of_all(folder: RunFolder, file: str) -> list[Source]:
    """Files that a whole table was made of."""
    study = [folder.of_study(name) for name in ("measurements.csv", NONMEM, "wells.csv", "doses.csv")]
    made = {
        "counts.csv": [Source(name) for name in study if folder.holds(name)],
        "predictions.csv": [Source("counts.csv"), DRAWS],
        "exposure.csv": [Source("counts.csv"), DRAWS],
        "parameters.csv": [DRAWS],
        "forecast.csv": [ANSWERS, *_scenarios(folder)],
        "contrasts.csv": [ANSWERS, *_scenarios(folder)],
        "sensitivity.csv": [DRAWS, *_scenarios(folder)],
        "amplitudes.csv": [Source(name) for name in folder.inputs if "/traces/" in name],
    }
    return made.get(file.rpartition("/")[2], [])


# ---- tables of the run ------------------------------------------------------------------------------------------


def _exposure(folder: RunFolder, row: Row) -> list[Source]:
    wanted = {name: row[name] for name in ("group", "organ", "readout")}
    wanted |= {"animal": row["animal"]} if row["animal"] else {}
    found = folder.read_select("counts.csv", **wanted)
    found += [DRAWS] if row["q50"] else []
    printed = folder.of_study("published_auc.csv")
    return found + (folder.read_select(printed, organ=row["organ"]) if row["published"] else [])


def _prediction(folder: RunFolder, row: Row) -> list[Source]:
    same = {name: row[name] for name in ("group", "animal", "organ", "readout", "hours")}
    return [*folder.read_select("counts.csv", **same), DRAWS]


def _parameter(folder: RunFolder, row: Row) -> list[Source]:
    name = row["parameter"]
    prior = read_prior(folder, name, row["about"], row["source"])
    drawn = [] if row["learned"] == "fixed" else [Source(DRAWS.file, {"variable": name})]
    return [*drawn, *prior, *read_references(folder, row["source"])]


def _answer(folder: RunFolder, row: Row) -> list[Source]:
    return [*_scenario(folder, row["scenario"]), ANSWERS]


def _contrast(folder: RunFolder, row: Row) -> list[Source]:
    return [*_scenario(folder, row["scenario"]), *_scenario(folder, row["against"]), ANSWERS]


def _sensitivity(folder: RunFolder, row: Row) -> list[Source]:
    kept = [place for place in _scenarios(folder) if folder.holds(place.file)]
    titled = [place for place in kept if folder.read_keys(place.file)[1].get("title") == row["scenario"]]
    return [*titled, *folder.read_select("parameters.csv", parameter=row["parameter"])]


def _criterion(folder: RunFolder, row: Row) -> list[Source]:
    for file in (folder.of_study("report.toml"), folder.of_study("plan.json")):
        place = Source(file, {KEY: f"criteria.{row['id']}"})
        if folder.holds(file) and read_found(folder, place) is not None:
            return [place]
    return []


def _scenario(folder: RunFolder, name: str) -> list[Source]:
    return [Source(f"scenarios/{name}.toml")] if name else []


def _scenarios(folder: RunFolder) -> list[Source]:
    return [Source(name) for name in sorted(folder.digests) if fnmatch(name, "scenarios/*.toml")]


# ---- tables of the study ----------------------------------------------------------------------------------------


def _count(folder: RunFolder, row: Row) -> list[Source]:
    """Numbers or wells of each tissue of an organ at its hour, and what its animal was given."""
    who = {name: row[name] for name in ("group", "animal", "hours")}
    found: list[Source] = []
    for tissue in _tissues(folder, row["organ"]):
        found += folder.read_select(folder.of_study("measurements.csv"), organ=tissue, readout=row["readout"], **who)
        if row["readout"] == LABEL:
            found += folder.read_select(folder.of_study("wells.csv"), role="sample", organ=tissue, **who)
    if folder.holds(folder.of_study(NONMEM)):
        return _read_records(folder, row)
    return found + _doses(folder, row["group"], row["animal"])


def _read_records(folder: RunFolder, row: Row) -> list[Source]:
    """Records of a table with NONMEM's columns: those of a count, and of what its animal was given."""
    study = folder.once(("study", folder.study), lambda: read_study(folder.path / folder.study))
    file, tissues = folder.of_study(NONMEM), _tissues(folder, row["organ"])
    who, hours = (row["group"], row["animal"]), float(row["hours"])
    told = [each.source for each in study.measurements if (each.group, each.animal) == who and each.organ in tissues
            and each.readout == row["readout"] and isclose(each.hours, hours, rel_tol=ROUNDED)]  # fmt: skip
    told += [each.source for each in study.doses if (each.group, each.animal) == who]
    lines = {int(place.rpartition("row ")[2]) for place in told if place}
    found = [each for each in folder.read_table(file).rows if each.line in lines]
    return [Source(file, {name: cell for name, cell in each.cells.items() if cell and name.upper() in NAMED})
            for each in found] or [Source(file)]  # fmt: skip


def _tissues(folder: RunFolder, organ: str) -> list[str]:
    """Tissues that the study pools into an organ of the model, and the organ itself."""
    told: Mapping[str, str] = folder.read_keys(folder.of_study("study.toml"))[1].get("tissues", {})
    return list(dict.fromkeys([*(tissue for tissue, name in told.items() if name == organ),
                               *([organ] if told.get(organ, organ) == organ else [])]))  # fmt: skip


def _doses(folder: RunFolder, group: str, animal: str) -> list[Source]:
    file = folder.of_study("doses.csv")
    return folder.read_select(file, group=group, animal=animal) or folder.read_select(file, group=group, animal="")


def _measurement(folder: RunFolder, row: Row) -> list[Source]:
    weights = _weights(folder, row) if row["unit"].endswith("_per_g") else []
    return weights + read_references(folder, row["source"])


def _weights(folder: RunFolder, row: Row) -> list[Source]:
    """Weight that a value per gram was brought to its organ with, in the order in which counts look for it."""
    file, subject = folder.of_study("organ_weights.csv"), of_subject(row["animal"])
    for group, animal in ((row["group"], subject), ("", subject), (row["group"], ""), ("", "")):
        if found := folder.read_select(file, organ=row["organ"], group=group, animal=animal):
            return found
    return []


def _well(folder: RunFolder, row: Row) -> list[Source]:
    """Amplitude of a well, its file of light where the table names it, and of a sample the controls it is read off.

    Blanks and standards make the curve, reference cells the label of one cell, spikes the recovery from the tissue.
    """
    wells = folder.of_study("wells.csv")
    found = folder.read_select(folder.of_study("amplitudes.csv"), plate=row["plate"], well=row["well"])
    found += [Source(folder.of_study(f"traces/{row['file']}"))] if row["file"] else []
    if row["role"] != "sample":
        return found
    plate = {"plate": row["plate"], "matrix": row["matrix"]}
    return found + [place for role in CONTROLS for place in folder.read_select(wells, **plate, role=role)]


def _amplitude(folder: RunFolder, row: Row) -> list[Source]:
    """Raw light that an amplitude was demodulated from: the file of its plate, or all where none bears its name."""
    traces = [name for name in folder.inputs if "/traces/" in name]
    wells = folder.of_study("wells.csv")
    named = folder.read_table(wells).where({"plate": row["plate"], "well": row["well"]}) if folder.holds(wells) else []
    if any(each["file"] for each in named):
        return []  # stands beside it, at the well
    own = [name for name in traces if name.rpartition("/")[2].rpartition(".")[0] == row["plate"]]
    return [Source(name) for name in own or traces]


def _cited(folder: RunFolder, row: Row) -> list[Source]:
    return read_references(folder, row["source"])


def _copied(folder: RunFolder, row: Row) -> list[Source]:
    return read_references(folder, row["row"].partition(":")[0])


STEPS: Mapping[str, Step] = MappingProxyType({
    "exposure.csv": _exposure,
    "predictions.csv": _prediction,
    "counts.csv": _count,
    "parameters.csv": _parameter,
    "forecast.csv": _answer,
    "contrasts.csv": _contrast,
    "sensitivity.csv": _sensitivity,
    "criteria.csv": _criterion,
    "measurements.csv": _measurement,
    "wells.csv": _well,
    "amplitudes.csv": _amplitude,
    "doses.csv": _cited,
    "organ_weights.csv": _cited,
    "published_auc.csv": _cited,
    "animals.csv": _cited,
    "source_rows.csv": _copied,
    "weights_source_rows.csv": _copied,
})  # fmt: skip
