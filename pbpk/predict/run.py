"""All of one analysis: the study, the fit and its tables, the answers to scenarios, and what made them."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from pbpk.assay.counts import count_cells
from pbpk.assay.study import Study, read_study
from pbpk.body.equations import refuse_rates
from pbpk.body.expansion import read_model
from pbpk.body.library import LIBRARY
from pbpk.body.model import Model
from pbpk.body.physiology import chosen, freed
from pbpk.errors import ModelFileError, RunError, StudyError
from pbpk.infer.design.additions import what_to_measure
from pbpk.infer.design.identify import tied_sentences
from pbpk.infer.draws import summary
from pbpk.infer.draws.convergence import Diagnostics
from pbpk.infer.draws.posterior import Posterior, read_posterior
from pbpk.infer.matched.joint import Joint, join
from pbpk.infer.matched.sharing import scaled_model
from pbpk.predict.exposure import exposure
from pbpk.predict.forecast import forecast_table

STACK = ("pbpk", "pymc", "pytensor", "nutpie", "arviz", "numba", "numpy", "scipy", "pandas", "xarray", "sympy",
         "matplotlib")  # fmt: skip


@dataclass(frozen=True)
class Run:
    """The output of an analysis, in memory.

    animals : how far each animal lies from the median one, where animals differ
    ties : parameters that were not learned and move together; advice : what to measure next, in words
    """

    study: Study
    posterior: Posterior
    parameters: pd.DataFrame
    predictions: pd.DataFrame
    curves: pd.DataFrame
    exposure: pd.DataFrame
    forecast: pd.DataFrame
    draws: xr.Dataset | None
    manifest: Mapping[str, Any]
    animals: pd.DataFrame
    ties: tuple[str, ...]
    advice: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.study.name

    @property
    def joint(self) -> Joint:
        """Model and counts, matched."""
        return self.posterior.joint

    @property
    def diagnostics(self) -> Diagnostics:
        """What the chains say about themselves."""
        return self.posterior.diagnostics

    @property
    def readings(self) -> dict[str, float]:
        """Posterior probability of each reading of the denominator."""
        return self.posterior.readings

    def headlines(self) -> list[str]:
        """The fit in a few sentences with numbers."""
        table = self.predictions
        table = table[table["reading"] == max(self.readings, key=lambda key: self.readings[key])]
        inside = table["inside"].dropna().astype(bool)
        lines = [f"{inside.sum()} of {len(inside)} values lie inside their 95 % posterior predictive interval."]
        clear = table["clear"]
        ratio = (table["q50"] / table["value"])[clear].dropna()
        if len(ratio):
            what = "values" if clear.all() else "values that stand clear of their noise"
            close = ((ratio >= 0.5) & (ratio <= 2.0)).mean()
            lines.append(f"The posterior median lies within a factor of two of {close:.0%} of the {what}.")
        for row in self.exposure[self.exposure["published"].notna()].to_dict("records"):
            low, middle, high, observed, printed, error = (
                _plain(row[name]) for name in ("q2.5", "q50", "q97.5", "value", "published", "published_error")
            )
            lines.append(
                f"AUC {row['organ']}: {middle} [{low}, {high}] from the fit, {observed} from the values, "
                f"{printed} +/- {error} printed, {row['unit']}."
            )
        free = self.parameters[self.parameters["learned"] != "fixed"]
        counted = [f"{(free['learned'] == word).sum()} {word}" for word in ("learned", "half learned", "not learned")]
        lines.append(f"Of {len(free)} parameters: {', '.join(counted)}.")
        return lines


def _plain(number: float) -> str:
    """Four digits, without an exponent."""
    return f"{float(f'{number:.4g}'):.10g}"


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


def assemble(study: Study, posterior: Posterior, forecast: xr.Dataset | None, manifest: Mapping[str, Any]) -> Run:
    """Put a run together: every table that follows from the draws."""
    seed = int(manifest["seed"])
    empty = pd.DataFrame(columns=["scenario", "organ", "state", "hours"])
    return Run(
        study=study,
        posterior=posterior,
        parameters=summary.parameters(posterior),
        predictions=summary.predictions(posterior, seed),
        curves=summary.curves(posterior),
        exposure=exposure(posterior.joint.counts, posterior),
        forecast=forecast_table(forecast) if forecast is not None else empty,
        draws=forecast,
        manifest=manifest,
        animals=summary.animals(posterior),
        ties=tied_sentences(posterior),
        advice=what_to_measure(posterior.joint, seed=seed).sentences,
    )


def describe(study: Study, model: Model, settings: Mapping[str, Any], created: str) -> dict[str, Any]:
    """Manifest of a run: hashes of everything that had a say, versions, seed, settings; its fingerprint."""
    inputs = {f"study/{name}": digest for name, digest in study.hashes.items()}
    inputs |= {name: _read_digest(path) for name, path in _files(study, model).items()}
    versions = {}
    for name in STACK:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    manifest = {
        "study": study.name,
        "model": str(settings.get("model") or study.about.model),
        "seed": settings["seed"],
        "settings": dict(settings),
        "inputs": inputs,
        "versions": versions,
    }
    fingerprint = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    return manifest | {"created": created, "fingerprint": fingerprint[:16]}


def _files(study: Study, model: Model) -> dict[str, Path]:
    """Files beside the study that had a say, by their name in the manifest."""
    files = {f"model/{path.name}": path for path in model.files}
    if model.species.file is not None:
        files[f"species/{model.species.file.name}"] = model.species.file
    if study.animals:  # each in a body of its own weight
        files["scaling/allometry.toml"] = LIBRARY / "scaling" / "allometry.toml"
    return files


def _read_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextmanager
def write_folder(out: Path, force: bool = False, marks: tuple[str, ...] = ("manifest.json",)) -> Iterator[Path]:
    """Write into a folder beside the one that is wanted, which takes its place only when all is written.

    marks : files of which one tells a folder that may be replaced

    Raises
    ------
    RunError
        if the folder exists and `force` is not given, or is not a run, or cannot be made
    """
    if out.exists():
        if not force:
            raise RunError(f"{out}: exists already; choose another --out, or replace it with --force.")
        if not (out.is_dir() and (any((out / mark).is_file() for mark in marks) or not any(out.iterdir()))):
            raise RunError(f"{out}: is not a run folder, so --force will not replace it; choose another --out.")
    beside = out.with_name(f".{out.name}.partial")
    if beside.exists():
        shutil.rmtree(beside)
    try:
        beside.mkdir(parents=True)
    except OSError as problem:
        raise RunError(f"{out}: cannot be made ({problem.strerror}); choose another --out.") from None
    try:
        yield beside
        if out.exists():
            shutil.rmtree(out)
        beside.rename(out)
    finally:
        if beside.exists():
            shutil.rmtree(beside)


def write_inputs(study: Study, folder: Path) -> dict[str, str]:
    """Copy the study into the run, so that the run can be opened when the study has moved on.

    Raw light stays where it is: the amplitudes of its wells take its place.

    Returns
    -------
    SHA-256 of every file that is in the copy only, by its name in the manifest
    """
    target = folder / "study" / study.name
    target.mkdir(parents=True)
    for name in study.hashes:
        if not name.startswith("traces/"):
            shutil.copyfile(study.folder / name, target / name)
    if not study.readings or "amplitudes.csv" in study.hashes:
        return {}
    from pbpk.assay.light.wells import write_amplitudes

    path = target / "amplitudes.csv"
    write_amplitudes(study.readings, path)
    return {f"study/{path.name}": _read_digest(path)}


def write_manifest(manifest: Mapping[str, Any], folder: Path) -> None:
    """Write manifest.json."""
    text = json.dumps(manifest, indent=2) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    if not path.is_file():
        raise RunError(f"{folder}: is not a run folder; it has no manifest.json.")
    try:
        manifest: Any = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise RunError(f"{path}: not readable as JSON: {problem}.") from None
    for key in ("study", "settings", "inputs", "seed", "fingerprint"):
        if not isinstance(manifest, dict) or key not in manifest:
            raise RunError(
                f"{path}: has no `{key}`, so this is not the folder of a fit; name one that `pbpk run` made."
            )
    return manifest


def read_fit(folder: str | Path) -> tuple[Study, Posterior, dict[str, Any]]:
    """Read the study, the posterior and the manifest of a run.

    Raises
    ------
    RunError
        if the folder is not a run, or its model or its copy of the study has changed since
    """
    folder = Path(folder)
    manifest = _read_manifest(folder)
    study = read_study(folder / "study" / manifest["study"])
    said = manifest["settings"]
    model = model_of(study, said.get("model"), said.get("physiology"), said.get("scaled"))
    files = {f"study/{name}": study.folder / name for name in study.hashes}
    files |= _files(study, model)
    kept = [name for name in manifest["inputs"] if not name.startswith("study/traces/")]
    gone = [name for name in kept if name not in files]
    if gone:
        raise RunError(f"{folder}: `{gone[0]}` was there when the run was made and is gone; fit again with `pbpk run`.")
    for name, file in files.items():
        if manifest["inputs"].get(name) != _read_digest(file):
            raise RunError(f"{file}: has changed since the run was made; fit again with `pbpk run`.")
    posterior = read_posterior(folder / "posterior.nc", join(model, count_cells(study)))
    return study, posterior, manifest
