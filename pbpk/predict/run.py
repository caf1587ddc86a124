"""All of one analysis: the study, the fit and its tables, the answers to scenarios, and what made them."""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from pbpk.assay.counts import count_cells
from pbpk.assay.study import Study, read_study
from pbpk.body.model import Model
from pbpk.canonical import digest_of
from pbpk.infer.design.additions import what_to_measure
from pbpk.infer.design.identify import tied_sentences
from pbpk.infer.draws import summary
from pbpk.infer.draws.convergence import Diagnostics
from pbpk.infer.draws.posterior import Posterior, read_posterior
from pbpk.infer.matched.joint import Joint, join
from pbpk.predict.contrast import COLUMNS, contrast_scenarios
from pbpk.predict.environment import read_environment
from pbpk.predict.exposure import exposure
from pbpk.predict.filing.carried import write_beside
from pbpk.predict.forecast import forecast_table
from pbpk.predict.provenance import SCHEMA, model_details, read_sizes
from pbpk.predict.record import check_inputs, files_of, model_of, read_digest, read_manifest
from pbpk.predict.scenario import Scenario

STACK = ("pbpk", "pymc", "pytensor", "nutpie", "arviz", "numba", "numpy", "scipy", "pandas", "xarray", "sympy",
         "matplotlib")  # fmt: skip


@dataclass(frozen=True)
class Run:
    """The output of an analysis, in memory.

    contrasts : scenarios against one of them, draw by draw
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
    contrasts: pd.DataFrame
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


def assemble(study: Study, posterior: Posterior, forecast: xr.Dataset | None, manifest: Mapping[str, Any]) -> Run:
    """Put a run together: every table that follows from the draws."""
    seed = int(manifest["seed"])
    empty = pd.DataFrame(columns=["scenario", "title", "evidence", "beyond", "organ", "state", "hours"])
    return Run(
        study=study,
        posterior=posterior,
        parameters=summary.parameters(posterior),
        predictions=summary.predictions(posterior, seed),
        curves=summary.curves(posterior),
        exposure=exposure(posterior.joint.counts, posterior),
        forecast=forecast_table(forecast) if forecast is not None else empty,
        contrasts=contrast_scenarios(forecast) if forecast is not None else pd.DataFrame(columns=COLUMNS),
        draws=forecast,
        manifest=manifest,
        animals=summary.animals(posterior),
        ties=tied_sentences(posterior),
        advice=what_to_measure(posterior.joint, seed=seed).sentences,
    )


def describe(study: Study, model: Model, settings: Mapping[str, Any], created: str) -> dict[str, Any]:
    """Manifest of a run: hashes of everything that had a say, versions, seed, settings; its fingerprint; what computes.

    The fingerprint is that of study, model, seed, settings, inputs and versions: neither the clock nor the machine have
    a say in it.
    """
    inputs = {f"study/{name}": digest for name, digest in study.hashes.items()}
    inputs |= {name: read_digest(path) for name, path in files_of(study, model).items()}
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
    told: dict[str, Any] = {"created": created, "fingerprint": digest_of(manifest)[:16], "schema_version": SCHEMA}
    told |= {"model_details": model_details(model), "input_sizes": read_sizes(study, model)}
    return manifest | told | read_environment()


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
    write_beside(study.folder, target)
    if not study.readings or "amplitudes.csv" in study.hashes:
        return {}
    from pbpk.assay.light.wells import write_amplitudes

    path = target / "amplitudes.csv"
    write_amplitudes(study.readings, path)
    return {f"study/{path.name}": read_digest(path)}


def write_sources(files: Mapping[str, Path], folder: Path) -> None:
    """Keep the model, animal and scenario files that a run was made of, by their names in its manifest."""
    for name, path in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)


def scenario_files(scenarios: Iterable[Scenario]) -> dict[str, Path]:
    """Files of scenarios by their names in the folder of a run."""
    return {f"scenarios/{each.file.name}": each.file for each in scenarios if each.file is not None}


def read_fit(folder: str | Path) -> tuple[Study, Posterior, dict[str, Any]]:
    """Read the study, the posterior and the manifest of a run.

    Raises
    ------
    RunError
        if the folder is not a run, or its model or its copy of the study has changed since
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    study = read_study(folder / "study" / manifest["study"])
    said = manifest["settings"]
    model = model_of(study, said.get("model"), said.get("physiology"), said.get("scaled"))
    files = {f"study/{name}": study.folder / name for name in study.hashes} | files_of(study, model)
    check_inputs(folder, manifest, files)
    posterior = read_posterior(folder / "posterior.nc", join(model, count_cells(study)))
    return study, replace(posterior, seconds=dict(manifest.get("seconds", {}))), manifest


def read_forecast(folder: Path) -> xr.Dataset | None:
    """Read the answers of a run, draw by draw; None where it has none."""
    path = folder / "forecast.nc"
    if not path.is_file():
        return None
    with xr.open_dataset(path, engine="h5netcdf") as draws:
        return draws.load()


def read_assembled(folder: Path) -> Run:
    """Read a run with every table that follows from its draws.

    Raises
    ------
    RunError
        as `read_fit`
    """
    study, posterior, manifest = read_fit(folder)
    return assemble(study, posterior, read_forecast(folder), manifest)
