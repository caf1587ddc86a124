"""The run folder on disk: its manifest, its model and its draws, read without waiting for what made them."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xarray as xr

from pbpk.assay.study import Study, StudyFile
from pbpk.body.equations import refuse_rates
from pbpk.body.expansion import read_model
from pbpk.body.library import LIBRARY
from pbpk.body.model import Model
from pbpk.body.physiology import chosen, freed
from pbpk.body.solve import Array
from pbpk.canonical import canonical
from pbpk.errors import ModelFileError, RunError, StudyError
from pbpk.infer.matched.sharing import scaled_model
from pbpk.reading import read_toml

AUDIT = "audit.jsonl"  # what tells that a run has a record
NEEDED = ("study", "settings", "inputs", "seed", "fingerprint")  # of a manifest


def model_of(
    study: Study,
    name: str | None = None,
    physiology: str | None = None,
    factors: Mapping[str, float] | None = None,
) -> Model:
    """Model that a study asks for, with its animal, label and split organs, and the numbers that are estimated.

    physiology : "fixed", "spread", or names and patterns apart by commas, instead of what the study says
    factors : what priors were multiplied by when the study was fitted together with those of other animals
    """
    about = study.about
    model = read_model(name or about.model, about.species, about.label, about.split)
    refuse_rates(model)
    try:
        free = freed(model, about.physiology if physiology is None else chosen(physiology))
        return scaled_model(free, factors or {})
    except ModelFileError as problem:
        where = "" if physiology is not None else f"{study.folder / 'study.toml'}: "
        raise StudyError(f"{where}{problem}") from None


def files_of(study: Study, model: Model) -> dict[str, Path]:
    """Files beside the study that had a say, by their name in the manifest."""
    files = {f"model/{path.name}": path for path in model.files}
    if model.species.file is not None:
        files[f"species/{model.species.file.name}"] = model.species.file
    return files | (allometry() if study.animals else {})  # each in a body of its own weight


def allometry() -> dict[str, Path]:
    """Return the exponents of body weight, by their name in the manifest."""
    return {"scaling/allometry.toml": LIBRARY / "scaling" / "allometry.toml"}


def read_digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_free(
    out: Path, force: bool = False, marks: tuple[str, ...] = ("manifest.json",), goes_on: bool = False
) -> None:
    """Look whether a folder may be written, as `write_folder` does: long work asks before it begins.

    Raises
    ------
    RunError
        if the folder exists and `force` is not given, or is not a run, or has a record that would be lost
    """
    if not out.exists():
        return
    if not force:
        raise RunError(f"{out}: exists already; choose another --out, or replace it with --force.")
    if not (out.is_dir() and (any((out / mark).is_file() for mark in marks) or not any(out.iterdir()))):
        raise RunError(f"{out}: is not a run folder, so --force will not replace it; choose another --out.")
    if (out / AUDIT).is_file() and not goes_on:
        raise RunError(f"{out}: is a run whose record would be lost, so --force will not replace it with something "
                       "else; choose another --out.")  # fmt: skip


@contextmanager
def write_folder(
    out: Path, force: bool = False, marks: tuple[str, ...] = ("manifest.json",), goes_on: bool = False
) -> Iterator[Path]:
    """Write into a folder beside the one that is wanted, which takes its place only when all is written.

    marks : files of which one tells a folder that may be replaced
    goes_on : whether what is written goes on with the record of the run that it replaces

    Raises
    ------
    RunError
        if the folder may not be written, see `read_free`, or cannot be made
    """
    read_free(out, force, marks, goes_on)
    beside, before = (out.with_name(f".{out.name}.{word}") for word in ("partial", "replaced"))
    if beside.exists():
        shutil.rmtree(beside)
    try:
        beside.mkdir(parents=True)
    except OSError as problem:
        raise RunError(f"{out}: cannot be made ({problem.strerror}); choose another --out.") from None
    try:
        yield beside
        if out.exists():
            out.rename(before)
        beside.rename(out)
    finally:
        if before.exists() and not out.exists():
            before.rename(out)
        for left in (beside, before):
            if left.exists():
                shutil.rmtree(left)


def write_manifest(manifest: Mapping[str, Any], folder: Path) -> None:
    """Write manifest.json, keys in order so that the same content has the same bytes."""
    (folder / "manifest.json").write_text(canonical(manifest, indent=2) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a run.

    Raises
    ------
    RunError
        if there is none, or it is not that of a fit
    """
    path = folder / "manifest.json"
    manifest = read_json(path)
    for key in NEEDED:
        if key not in manifest:
            raise RunError(
                f"{path}: has no `{key}`, so this is not the folder of a fit; name one that `pbpk run` made."
            )
    own = manifest.get("occasion", {})  # what two runs of the same inputs do not share
    return manifest | {key: own[key] for key in ("created", "seconds") if key in own}


def read_json(path: Path) -> dict[str, Any]:
    """Read what the manifest of a run holds, whatever made it.

    Raises
    ------
    RunError
        if there is none, or it is not readable
    """
    if not path.is_file():
        raise RunError(f"{path.parent}: is not a run folder; it has no {path.name}.")
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise RunError(f"{path}: not readable as JSON: {problem}.") from None
    return found if isinstance(found, dict) else {}


def check_inputs(folder: Path, manifest: Mapping[str, Any], files: Mapping[str, Path]) -> None:
    """Refuse a run whose study or model is no longer what it was made of; raw light stays outside of it.

    files : by their name in the manifest

    Raises
    ------
    RunError
    """
    for problem in changed_inputs(folder, manifest, files).values():
        raise RunError(f"{problem}; fit again with `pbpk run`.")


def changed_inputs(folder: Path, manifest: Mapping[str, Any], files: Mapping[str, Path]) -> dict[str, str]:
    """What is wrong about each input that is not what it was, by its name in the manifest."""
    kept = [name for name in manifest["inputs"] if not name.startswith("study/traces/")]
    gone = [name for name in kept if name not in files or not files[name].is_file()]
    found = {name: f"{folder}: `{name}` was there when the run was made and is gone" for name in gone}
    for name, file in files.items():
        if name not in gone and manifest["inputs"].get(name) != read_digest(file):
            found[name] = f"{file}: has changed since the run was made"
    return found


def read_models(folder: Path, manifest: Mapping[str, Any]) -> tuple[Model, Model]:
    """Read the model of a run as it was fitted, and with the numbers of its animal fixed.

    Raises
    ------
    RunError
        if the model or the copy of the study has changed since
    """
    study, model, files = _read_behind(folder, manifest)
    check_inputs(folder, manifest, files)
    said = manifest["settings"]
    fixed = study.about.physiology == "fixed" and not said.get("physiology")
    return model, model if fixed and not said.get("scaled") else model_of(study, said.get("model"), "fixed")


def read_outside(folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Compare what a run was made of and lies outside of it, the files of model and animal; a sentence on each changed.

    Raises
    ------
    InputError
        if the model cannot be read any more
    """
    found = changed_inputs(folder, manifest, _read_behind(folder, manifest)[2])
    return [f"{problem}; as it was it stands in {folder / name}." if (folder / name).is_file() else f"{problem}."
            for name, problem in found.items() if not name.startswith("study/")]  # fmt: skip


def _read_behind(folder: Path, manifest: Mapping[str, Any]) -> tuple[Study, Model, dict[str, Path]]:
    """Study of a run without its tables, its model, and the files behind both by their name in the manifest."""
    inside = folder / "study" / manifest["study"]
    study = Study(inside.resolve(), read_toml(inside / "study.toml", StudyFile, StudyError), (), (), (), (), {})
    said = manifest["settings"]
    model = model_of(study, said.get("model"), said.get("physiology"), said.get("scaled"))
    files = {name: inside / name.removeprefix("study/") for name in manifest["inputs"] if name.startswith("study/")}
    files = {name: file for name, file in files.items() if not name.startswith("study/traces/")}
    files |= files_of(study, model)
    if (inside / "animals.csv").is_file():
        files |= allometry()
    return study, model, files


def read_recorded(path: Path) -> dict[str, Array]:
    """Read draws of the posterior by parameter, (draw,) each; deviates of single animals are left out.

    Raises
    ------
    RunError
        if the file cannot be read
    """
    try:
        with xr.open_dataset(path, group="posterior", engine="h5netcdf") as data:
            plain = [name for name, each in data.data_vars.items() if each.dims == ("chain", "draw")]
            return {str(name): data[name].to_numpy().astype(float).ravel() for name in plain}
    except (OSError, KeyError) as problem:
        raise RunError(f"{path}: cannot be read ({problem}); fit again with `pbpk run`.") from None
