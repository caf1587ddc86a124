"""A reviewer's package: one zip with data sets, their description, programs, reports and the record of a run.

The same run gives the same bytes: names are sorted, times are fixed, and nothing of the machine is said but what the
run's manifest says.
"""

import hashlib
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from pbpk.assay.counts import OrganCounts
from pbpk.errors import ShareError
from pbpk.share.define import About, define_xml
from pbpk.share.guide import Contents, as_html, extensions, guide_of
from pbpk.share.programs import requirements_of, script_of, steps_of
from pbpk.share.send.domains import DataSet, domains_of
from pbpk.share.send.rules import Finding, check_rules
from pbpk.share.send.terms import read_terms
from pbpk.share.xpt import Change, ascii_text, write_xpt

TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
REPORTS = (".html", ".docx", ".pdf", ".md", ".json")  # of the top of a run
SOURCES = ("model", "species", "scaling", "scenarios")  # folders of a run with the files that it was made of
RECORD = ("manifest.json", "audit.jsonl", "audit.seal")
NOT_PACKED = {".nc": "draws: programs/run.sh makes them again; their hash is in manifest.json"}
GUIDE, DEFINE, SCRIPT = "reviewers-guide.html", "define.xml", "programs/run.sh"
ABOUT = {
    "datasets/csv/": "a data set as CSV in UTF-8",
    "datasets/xpt/": "the same data set as SAS XPORT version 5",
    "datasets/analysis/": "a table of the run: what was fitted, estimated or foretold",
    DEFINE: "description of the data sets, structured after Define-XML 2.1",
    SCRIPT: "makes the run again, see the order of execution",
    "programs/requirements.txt": "packages with versions, as pip reads them",
    "programs/": "a file that the run was made of",
    "study/": "the study as the run read it",
    "reports/": "a report of the run",
    "manifest.json": "hashes, versions, seeds and settings of the run",
    "audit.jsonl": "what was written when",
    "audit.seal": "where that record ends",
    GUIDE: "this guide",
    "SHA256SUMS": "hash of every other file of the package",
}


@dataclass(frozen=True)
class Packed:
    """A package that was written: data sets with their records, what breaks a rule, what was changed, other terms."""

    path: Path
    records: Mapping[str, int]
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]
    extensions: tuple[tuple[str, str, str], ...]


def write_package(
    run: Path, counts: OrganCounts, exposure: pd.DataFrame, manifest: Mapping[str, Any], out: Path
) -> Packed:
    """Write the package of a run.

    Parameters
    ----------
    run : folder of the run; counts, exposure, manifest : of it

    Raises
    ------
    ShareError
        if a table cannot be written in a format that the package has, or the file cannot be made
    """
    terms = read_terms()
    sets = domains_of(counts, exposure, terms)
    findings = check_rules({name: each.table for name, each in sets.items()}, terms)
    with TemporaryDirectory() as beside:
        folder = Path(beside)
        changes = _write_sets(sets, folder / "datasets")
        left_out = _write_copies(run, str(manifest["study"]), folder)
        reports = tuple(sorted(path.name for path in folder.glob("reports/*")))
        steps = steps_of(manifest, reports)
        about = counts.study.about
        said = About(_identifier(counts), about.title, str(manifest.get("created", TIME_SAID)))
        made = {
            DEFINE: define_xml(sets.values(), said, terms),
            SCRIPT: script_of(manifest, steps).encode(),
            "programs/requirements.txt": requirements_of(manifest).encode(),
        }
        names = [*made, *(path.relative_to(folder).as_posix() for path in _files(folder)), GUIDE, "SHA256SUMS"]
        contents = Contents(counts, manifest, sets, steps, findings, changes, terms,
                            [(name, _told(name)) for name in sorted(names)], left_out)  # fmt: skip
        made[GUIDE] = as_html(f"Reviewer's guide: {about.title}", guide_of(contents)).encode()
        for name, content in made.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        _write_sums(folder)
        _write_zip(folder, out)
    records = {name: len(each.table) for name, each in sets.items()}
    return Packed(out, records, tuple(findings), tuple(changes), tuple(extensions(sets, terms)))


TIME_SAID = "1980-01-01T00:00:00+00:00"  # of a run whose manifest does not say when it was made


def _identifier(counts: OrganCounts) -> str:
    """Name of the study as an identifier of XML may hold it."""
    return ascii_text(counts.study.about.reporting.study_number or counts.study.name)


def _told(name: str) -> str:
    """What a file is, by the longest beginning of its name that is known."""
    return ABOUT[max((known for known in ABOUT if name.startswith(known)), key=len)]


def _write_sets(sets: Mapping[str, DataSet], folder: Path) -> list[Change]:
    changes: list[Change] = []
    for form in ("csv", "xpt"):
        (folder / form).mkdir(parents=True)
    for each in sets.values():
        each.table.to_csv(folder / "csv" / f"{each.name.lower()}.csv", index=False, lineterminator="\n")
        changes += write_xpt(each.table, folder / "xpt", each.name, each.label, each.labels).changes
    return changes


def _write_copies(run: Path, study: str, folder: Path) -> list[tuple[str, str]]:
    """Copy what the run holds into its place in the package; what stays behind, with why."""
    left_out = []
    for path in _files(run):
        name = path.relative_to(run)
        if path.suffix in NOT_PACKED:
            left_out.append((name.as_posix(), NOT_PACKED[path.suffix]))
        elif place := _place_of(name, study):
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / place)
        else:
            left_out.append((name.as_posix(), "no part of the run as it was made"))
    return left_out


def _place_of(name: Path, study: str) -> Path | None:
    """Place in the package of a file of the run; None where it has none."""
    top = name.parts[0]
    if len(name.parts) > 1:
        if top in SOURCES:
            return Path("programs") / name
        return name if top == "study" and len(name.parts) > 2 and name.parts[1] == study else None
    if top in RECORD:
        return name
    if name.suffix in REPORTS:
        return Path("reports") / name
    return Path("datasets/analysis") / name if name.suffix == ".csv" else None


def _files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _write_sums(folder: Path) -> None:
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}"
             for path in _files(folder)]  # fmt: skip
    (folder / "SHA256SUMS").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_zip(folder: Path, out: Path) -> None:
    """Write the zip beside its place, to which it moves once it is whole."""
    beside = out.with_name(f".{out.name}.partial")
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
            for path in _files(folder):
                name = path.relative_to(folder).as_posix()
                entry = zipfile.ZipInfo(name, TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.create_system = 3  # whatever system writes it
                entry.external_attr = (0o100755 if name == SCRIPT else 0o100644) << 16
                package.writestr(entry, path.read_bytes())
        beside.replace(out)
    except OSError as problem:
        raise ShareError(f"{out}: cannot be written ({problem.strerror}); choose another --out.") from None
    finally:
        beside.unlink(missing_ok=True)
