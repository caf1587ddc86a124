"""What makes a run again: the commands in their order, and the packages with their versions."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

OF_OTHERS = ("together_with", "scaled")  # settings of a fit of several studies


@dataclass(frozen=True)
class Step:
    """One command of the analysis: what it reads, what it writes."""

    command: str
    does: str
    reads: str
    writes: str


def steps_of(manifest: Mapping[str, Any], reports: tuple[str, ...] = ()) -> list[Step]:
    """Commands that make the run of a manifest again from what is in its package, in the order of their execution.

    reports : names of the reports in the package, of which HTML comes with the run and others are asked for
    """
    study = f"study/{manifest['study']}"
    command = run_command(manifest, study)
    does = "fits the study, answers the scenarios, writes the report" if command[1] == "run" else (
        "fits the study, writes the report")  # fmt: skip
    steps = [Step(shlex.join(command), does, f"{study}, programs", "rerun")]
    forms = sorted({PurePosixPath(name).suffix.lstrip(".") for name in reports
                    if PurePosixPath(name).stem == "report"} - {"html"})  # fmt: skip
    if forms:
        asked = ["pbpk", "report", "rerun", "--formats", ",".join(forms)]
        steps.append(Step(shlex.join(asked), "writes the report in other formats", "rerun",
                          ", ".join(f"rerun/report.{form}" for form in forms)))  # fmt: skip
    packed = ["pbpk", "package", "rerun", "--out", "rerun.zip"]
    steps.append(Step(shlex.join(packed), "writes the data sets, their description and this guide", "rerun",
                      "rerun.zip"))  # fmt: skip
    return steps


def run_command(manifest: Mapping[str, Any], study: str) -> list[str]:
    """The command that fits, with all that was asked said in full."""
    settings, asked = manifest["settings"], manifest.get("asked", {})
    command = ["pbpk", "run" if asked.get("scenarios") else "fit", study, "--out", "rerun"]
    model = settings.get("model")
    if model:
        path, toml, rival = str(model).partition(".toml")
        command += ["--model", f"programs/model/{PurePosixPath(path + toml).name}{rival}" if toml else path]
    for name in ("seed", "draws", "tune"):
        if settings.get(name) is not None:
            command += [f"--{name}", str(settings[name])]
    if settings.get("target_accept") is not None:
        command += ["--target-accept", f"{settings['target_accept']:g}"]
    if settings.get("physiology") is not None:
        command += ["--physiology", str(settings["physiology"])]
    if asked.get("scenarios"):
        command += ["--scenarios", "programs/scenarios"]
        command += ["--cells", f"{asked['cells']:.17g}"] if asked.get("cells") is not None else []
    command += ["--quick"] if settings.get("quick") else []
    return command + (["--allow-unconverged"] if asked.get("allow_unconverged") else [])


def script_of(manifest: Mapping[str, Any], steps: list[Step]) -> str:
    """A script that runs the steps in the package, once it is unpacked."""
    called = str(manifest.get("occasion", {}).get("command", "")) or "not recorded"
    lines = ["#!/bin/sh", "# Makes the run of this package again, in the folder beside this one.",
             f"# The run was made by: {' '.join(called.split())}", "set -eu", 'cd "$(dirname "$0")/.."']  # fmt: skip
    others = [name for name in OF_OTHERS if manifest["settings"].get(name)]
    if others:
        lines += [
            'echo "This study was fitted together with others: reproduce the folder that holds all." >&2',
            "exit 1",
        ]
    return "\n".join([*lines, *(step.command for step in steps)]) + "\n"


def requirements_of(manifest: Mapping[str, Any]) -> str:
    """Every package that had a say, with its version, as pip reads it."""
    package = manifest.get("package") or {"name": "pbpk", "version": manifest.get("versions", {}).get("pbpk", "")}
    pins = [f"{each['name']}=={each['version']}" for each in manifest.get("dependencies", [])]
    return "\n".join([f"{package['name']}=={package['version']}", *pins]) + "\n"
