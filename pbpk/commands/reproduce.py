"""A run made again from its own copy of the study, and whether the same came out."""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.markup import escape

from pbpk.commands.line import Asked, run_line
from pbpk.errors import NotConverged, NotReproduced, RunError
from pbpk.predict.audit import read_verified
from pbpk.predict.record import read_json
from pbpk.predict.reproduction import Reproduction, read_reproduction
from pbpk.terminal import console

OF_OTHERS = ("together_with", "scaled")  # settings that a run of several studies has for each of them
MOST = 20  # sentences of one sort that are printed


def tell_reproduced(run: Path, out: Path | None) -> None:
    """Fit a run again, with what it was asked, and say what is the same.

    out : folder of the new run, thrown away where None

    Raises
    ------
    RunError
        if the run is not what was written, or does not say what it was asked
    NotReproduced
        if other numbers come out
    """
    found = read_verified(run)
    if not found.passed:
        raise RunError(
            f"{found.problems[0]} What was changed cannot be reproduced; `pbpk verify {run}` says all of it."
        )
    manifest = read_json(run / "manifest.json")
    if "asked" not in manifest:
        raise RunError(f"{run}: does not say what was asked, so it cannot be made again; fit again with `pbpk run`.")
    with TemporaryDirectory() as beside:
        members = manifest.get("studies", [""])
        source = write_collection(run, manifest, Path(beside)) if members != [""] else source_of(run, manifest)
        again = out or Path(beside) / run.resolve().name
        try:
            run_line(source, again, asked_of(run, manifest))
        except NotConverged as problem:
            console.print(escape(str(problem)), soft_wrap=True)
        compared = {name: read_reproduction(run / name, again / name) for name in members}
    for name, each in compared.items():
        _say(run / name, each)
        light = any(kept.startswith("study/traces/") for kept in read_json(run / name / "manifest.json")["inputs"])
        if light and each.other and each.to_the_byte:
            console.print("Raw light stays outside of a run, so pages that draw it or name its files are others.")
    if not all(each.passed for each in compared.values()):
        raise NotReproduced(f"{run}: not reproduced; what differs is said above.")


def source_of(run: Path, manifest: Mapping[str, Any]) -> Path:
    """Copy of the study that a run keeps.

    Raises
    ------
    RunError
        if it was fitted together with others
    """
    others = manifest["settings"].get("together_with")
    if others:
        raise RunError(f"{run}: was fitted together with {', '.join(others)}; reproduce {run.parent}, which holds all.")
    return run / "study" / str(manifest["study"])


def write_collection(run: Path, manifest: Mapping[str, Any], folder: Path) -> Path:
    """Write a file that names the copies of the studies of a run that were fitted together, and what they share."""
    lines = [f"title = {json.dumps(manifest['title'])}"]
    for name in manifest["studies"]:
        study = read_json(run / name / "manifest.json")["study"]
        copy = (run / name / "study" / study).resolve().as_posix()
        lines += ["[[studies]]", f"folder = {json.dumps(copy)}", f"name = {json.dumps(name)}"]
    lines.append("[sharing]")
    for parameter, said in manifest["sharing"].items():
        each = (
            said if isinstance(said, str) else ", ".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in said.items())
        )
        lines.append(f"{json.dumps(parameter)} = {json.dumps(said) if isinstance(said, str) else '{ ' + each + ' }'}")
    path = folder / "together.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def asked_of(run: Path, manifest: Mapping[str, Any]) -> Asked:
    """What a run was asked, with the files that it keeps."""
    asked = manifest["asked"]
    shipped = "studies" in manifest and asked["shipped"]  # each study then answers those that it can
    settings = {key: value for key, value in manifest["settings"].items() if key not in OF_OTHERS}
    if kept := _kept_model(run, manifest):
        settings["model"] = kept
    return Asked(
        settings=settings,
        answer=asked["answer"] and bool(asked["scenarios"] or shipped),
        scenarios=str(run / "scenarios") if asked["scenarios"] else None,
        cells=asked["cells"],
        allow_unconverged=bool(asked["allow_unconverged"]),
    )


def _kept_model(run: Path, manifest: Mapping[str, Any]) -> str:
    """Copy of a model file of the user's own, where the file itself is gone; else nothing."""
    path, toml, rival = str(manifest.get("model", "")).partition(".toml")
    kept = run / "model" / Path(path + toml).name
    return f"{kept}{rival}" if toml and not Path(path + toml).is_file() and kept.is_file() else ""


def _say(run: Path, found: Reproduction) -> None:
    """What differed beforehand, which files came out the same, and the verdict."""
    for title, sentences in (("Not the same beforehand", found.changed), ("Differs by more than chance", found.apart)):
        if sentences:
            more = [f"and {len(sentences) - MOST} more"] if len(sentences) > MOST else []
            console.print(f"{title}:", soft_wrap=True)
            for sentence in (*sentences[:MOST], *more):
                console.print(f"  {escape(sentence)}", soft_wrap=True)
    console.print(f"Same bytes: {escape(', '.join(found.same)) or 'none'}", soft_wrap=True)
    if found.other:
        console.print(f"Other bytes: {escape(', '.join(found.other))}", soft_wrap=True)
    if not found.passed:
        verdict = "not reproduced."
    elif found.to_the_byte:
        verdict = "reproduced to the byte: every draw and every table."
    else:
        verdict = (f"reproduced within Monte Carlo error: of {found.compared} numbers none differs by more than k = "
                   f"{found.k:.2f} standard errors, the farthest by {found.worst:.2f}.")  # fmt: skip
    console.print(f"{escape(str(run))}: {verdict}", soft_wrap=True)
