"""A run as a research object: an RO-Crate 1.3 that says what made which file, structured after Process Run Crate 0.6.

It is one file of JSON-LD, the same bytes for the same run. The record of the run goes on growing, so it is named
without size and hash.
"""

import mimetypes
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from pbpk.assay.study import StudyFile
from pbpk.canonical import canonical
from pbpk.errors import RunError, StudyError
from pbpk.predict.audit import FILE, SEAL, read_audit, read_verified, write_audit
from pbpk.predict.record import read_digest, read_json, write_folder
from pbpk.reading import read_toml

METADATA = "ro-crate-metadata.json"
CRATE = "https://w3id.org/ro/crate/1.3"
PROFILE = "https://w3id.org/ro/wfrun/process/0.6"
CONTEXT = [f"{CRATE}/context", "https://w3id.org/ro/terms/workflow-run/context"]
FORMATS = {".nc": "application/netcdf", ".toml": "application/toml", ".jsonl": "application/jsonl",
           ".seal": "application/json"}  # what the standard library does not know  # fmt: skip
EPOCH = (1980, 1, 1, 0, 0, 0)  # of all files in a ZIP: when they were copied says nothing
Entity = dict[str, Any]


def write_crate(run: Path, out: Path, force: bool = False) -> Path:
    """Write a run as a crate: as a ZIP, as a folder, or, where the name ends with .json, what describes it alone.

    Raises
    ------
    RunError
        if the run is not what was written, or the folder is in the way
    """
    found = read_verified(run)
    if not found.passed:
        raise RunError(
            f"{found.problems[0]} A run that was changed is not handed on; `pbpk verify {run}` says all of it."
        )
    described = canonical(read_crate(run), indent=2) + "\n"
    if out.suffix == ".json":
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(described, encoding="utf-8")
    elif out.suffix == ".zip":
        with TemporaryDirectory() as beside:
            _write_copy(run, Path(beside) / "crate", described)
            _write_zip(Path(beside) / "crate", out)
    else:
        with write_folder(out, force, (METADATA,)) as folder:
            _write_copy(run, folder, described)
    return out


def _write_copy(run: Path, folder: Path, described: str) -> None:
    """Copy a run, with what describes it and a line in the record of the copy."""
    shutil.copytree(run, folder, dirs_exist_ok=True)
    (folder / METADATA).write_text(described, encoding="utf-8")
    write_audit(folder, "ro-crate", [folder / METADATA])


def _write_zip(folder: Path, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            told = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            told.compress_type, told.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            packed.writestr(told, path.read_bytes())


def read_crate(run: Path) -> dict[str, Any]:
    """Read a run and describe it as JSON-LD: files, who made them with what, when, from which inputs and settings."""
    manifest = read_json(run / "manifest.json")
    members = [""] if "study" in manifest else [str(name) for name in manifest.get("studies", [])]
    made = [entity for name in members for entity in _read_actions(run, name)]
    actions = [entity for entity in made if entity["@type"] == "CreateAction"]
    files = _read_files(run)
    own = manifest.get("occasion", {})
    title, licences = _read_about(run, manifest, members)
    root: Entity = {
        "@id": "./",
        "@type": "Dataset",
        "conformsTo": {"@id": PROFILE},
        "name": title,
        "description": _described(manifest),
        "datePublished": own.get("created", manifest.get("created", "")),
        "identifier": own.get("run_id", manifest.get("fingerprint", "")),
        "license": "; ".join(licences) or "not stated",
        "hasPart": _named(files),
        "mentions": _named(actions),
    }
    descriptor = {"@id": METADATA, "@type": "CreativeWork", "conformsTo": {"@id": CRATE}, "about": {"@id": "./"}}
    profile = {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.6"}
    graph = [descriptor, root, profile, *_software(run, members), *made, *files]
    return {"@context": CONTEXT, "@graph": list({entity["@id"]: entity for entity in graph}.values())}


def _described(manifest: Mapping[str, Any]) -> str:
    words = "Counts of cells in organs, the fit of a kinetic model to them, and what it foretells; made by pbpk."
    old = (manifest.get("occasion") or {}).get("supersedes")
    return f"{words} Supersedes the run {old['run_id']}: {old['reason']}" if old else words


def _read_about(run: Path, manifest: Mapping[str, Any], members: Iterable[str]) -> tuple[str, list[str]]:
    """Title of a run, and what its studies say of their licences."""
    titles, licences = [], dict[str, None]()
    for name in members:
        study = read_json(run / name / "manifest.json")["study"]
        about = read_toml(run / name / "study" / study / "study.toml", StudyFile, StudyError)
        titles.append(about.title)
        licences |= dict.fromkeys(f"{source.key}: {source.licence}" for source in about.sources if source.licence)
    return str(manifest.get("title") or titles[0]), list(licences)


def _read_actions(run: Path, member: str) -> list[Entity]:
    """What was done, one action for each line of the record that wrote files, with who did it and what was asked."""
    folder, told = run / member, read_json(run / member / "manifest.json")
    prefix = f"{member}/" if member else ""
    inputs = [path for path in (_place(name, told["study"]) for name in told["inputs"]) if (folder / path).is_file()]
    inputs += list(told.get("asked", {}).get("scenarios", {}))
    settings = [{"@id": f"#{prefix}setting-{key}", "@type": "PropertyValue", "name": key, "value": _value(value)}
                for key, value in told["settings"].items()]  # fmt: skip
    made: list[Entity] = [*settings]
    for number, line in enumerate(read_audit(folder), start=1):
        written = [name for name in line["files"] if name not in inputs and name != METADATA]
        if not written:
            continue
        whole = line.get("run_id") == told.get("occasion", {}).get("run_id") and "run_id" in line
        who = str(line.get("who", "unknown"))
        using = [*_refer(prefix, inputs), *_named(settings)] if whole else _refer(prefix, ["posterior.nc"])
        made += [
            {"@id": f"#operator-{quote(who)}", "@type": "Person", "name": who},
            {
                "@id": f"urn:uuid:{line['run_id']}" if whole else f"#{prefix}line-{number}",
                "@type": "CreateAction",
                "name": f"pbpk {line['action']}",
                "description": told.get("occasion", {}).get("command", "") if whole else f"pbpk {line['action']}",
                "endTime": line["when"],
                "instrument": {"@id": "#pbpk"},
                "agent": {"@id": f"#operator-{quote(who)}"},
                "object": using,
                "result": _refer(prefix, written),
            },
        ]
    return made


def _place(name: str, study: str) -> str:
    """Where an input lies in the run, from its name in the manifest."""
    return f"study/{study}/{name.removeprefix('study/')}" if name.startswith("study/") else name


def _value(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else canonical(value)


def _software(run: Path, members: Iterable[str]) -> list[Entity]:
    """The package, and the packages that it computed with."""
    told = read_json(run / next(iter(members)) / "manifest.json")
    needs = [{"@id": f"#{name}", "@type": "SoftwareApplication", "name": name, "softwareVersion": version}
             for name, version in sorted(told.get("versions", {}).items()) if name != "pbpk"]  # fmt: skip
    package = told.get("package", {})
    own = {"@id": "#pbpk", "@type": "SoftwareApplication", "name": "pbpk", "softwareRequirements": _named(needs),
           "softwareVersion": package.get("version", "unknown")}  # fmt: skip
    if package.get("git_commit"):
        own["identifier"] = package["git_commit"]
    return [own, *needs]


def _read_files(run: Path) -> list[Entity]:
    """Every file of a run, with its size and hash."""
    paths = sorted(path for path in run.rglob("*") if path.is_file() and path.name != METADATA)
    return [_read_file(path, path.relative_to(run).as_posix()) for path in paths]


def _read_file(path: Path, name: str) -> Entity:
    told = {"@id": quote(name), "@type": "File", "name": name}
    told["encodingFormat"] = FORMATS.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if path.name in (FILE, SEAL):
        return told
    return told | {"contentSize": str(path.stat().st_size), "sha256": read_digest(path)}


def _refer(prefix: str, names: Iterable[str]) -> list[Entity]:
    return [{"@id": quote(prefix + name)} for name in names]


def _named(entities: Iterable[Entity]) -> list[Entity]:
    return [{"@id": entity["@id"]} for entity in entities]
