"""The whole line: a study, or several fitted together, from what was measured to the report."""

import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr
from rich.markup import escape

from pbpk.assay.collection import Collection, read_collection
from pbpk.assay.counts import OrganCounts, count_cells
from pbpk.assay.study import Study
from pbpk.body.model import Model
from pbpk.body.solve import Array
from pbpk.canonical import digest_of
from pbpk.commands.reading import read_with_bar
from pbpk.commands.report import read_dossier, write_pages
from pbpk.commands.sensitivity import usual_endpoints
from pbpk.errors import Interrupted, NotConverged
from pbpk.infer.design.prior_check import PriorCheck, check_prior
from pbpk.infer.draws.fit import fit_together
from pbpk.infer.draws.posterior import Posterior, write_posterior
from pbpk.infer.matched.joint import Joint, join
from pbpk.infer.matched.sharing import ALONE, Together, join_together
from pbpk.predict.amendment import Amendment, read_amendment, write_amendment
from pbpk.predict.audit import read_replaced, read_verified, write_audit
from pbpk.predict.endpoint import question
from pbpk.predict.environment import read_environment
from pbpk.predict.filing.analysis_plan import told
from pbpk.predict.filing.authored import read_authored
from pbpk.predict.filing.carried import read_followed
from pbpk.predict.filing.frozen import SHORT
from pbpk.predict.forecast import DRAWS, hours_of
from pbpk.predict.origin import origin_about, simulate
from pbpk.predict.provenance import SCHEMA, how_fitted, occasion, read_outputs
from pbpk.predict.record import files_of, model_of, read_digest, read_free, read_json, write_folder, write_manifest
from pbpk.predict.run import Run, assemble, describe, scenario_files, write_inputs, write_sources
from pbpk.predict.scenario import Scenario, read_scenarios
from pbpk.predict.sensitivity.inputs import inputs_of
from pbpk.predict.sensitivity.local import local
from pbpk.predict.studied import recorded
from pbpk.report.plates import write_plate_page
from pbpk.share.tables import write_table, write_tables
from pbpk.terminal import console, progress, say_animals, say_diagnostics, say_prior, say_run, say_study

EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Asked:
    """What a user asked of `pbpk run` or `pbpk fit`.

    settings : of the fit, as they stand in the manifest: model, seed, draws, tune, target_accept, and others given
    answer : whether scenarios are answered; scenarios : file or folder of them, the shipped ones if None
    supersedes : run that this one takes the place of in the record, reason : why
    """

    settings: Mapping[str, Any]
    answer: bool = True
    scenarios: str | None = None
    cells: float | None = None
    allow_unconverged: bool = False
    force: bool = False
    supersedes: Path | None = None
    reason: str | None = None

    @property
    def told(self) -> dict[str, Any]:
        """What was asked beside the settings of the fit, as a manifest holds it, to ask it again."""
        return {"answer": self.answer, "shipped": self.scenarios is None, "cells": self.cells,
                "allow_unconverged": self.allow_unconverged}  # fmt: skip

    @property
    def seed(self) -> int:
        """Same seed, same numbers."""
        return int(self.settings["seed"])


@dataclass(frozen=True)
class Member:
    """One study on its way: what it is asked, and what its scenarios are told.

    fixed : its model with the physiology fixed, for scenarios in other animals
    followed : entry of its manifest on the plan that was frozen before the chains ran
    """

    study: Study
    model: Model
    fixed: Model
    counts: OrganCounts
    scenarios: list[Scenario]
    followed: Mapping[str, Any]

    def answer(self, asked: Asked, theta: Array, joint: Joint) -> xr.Dataset:
        """Forecast of the scenarios from parameter vectors (draw, estimated)."""
        return simulate(origin_about(joint, theta, self.fixed, asked.seed), self.scenarios, asked.cells)


@dataclass(frozen=True)
class RunRecord:
    """Manifest and audit of a run that is being written.

    folder : in which all is written, out : where it will be; amended : run that it supersedes
    """

    folder: Path
    out: Path
    asked: Asked
    amended: Amendment | None

    def write(
        self, action: str, manifest: Mapping[str, Any], seconds: Mapping[str, float], members: Mapping[str, str] = EMPTY
    ) -> None:
        """Write the manifest, last of all files, and the line that seals them."""
        earlier = read_replaced(self.out) if self.asked.force else ()
        own = occasion(shlex.join(["pbpk", *sys.argv[1:]]), seconds)
        own |= {"prev_audit_hash": digest_of(earlier[-1])} if earlier else {}
        own |= self.amended.told if self.amended else {}
        rest = {key: value for key, value in manifest.items() if key != "created"}
        rest |= {"outputs": read_outputs(self.folder, members), "occasion": own}
        write_manifest(rest, self.folder)
        more: dict[str, Any] = {"run_id": own["run_id"]} | ({"members": dict(members)} if members else {})
        if self.amended:
            more |= {"supersedes": self.amended.run_id, "reason": self.amended.reason}
        write_audit(self.folder, action, earlier=earlier, **more)


def run_line(source: Path, out: Path, asked: Asked) -> None:
    """Read, fit, answer, write; what was drawn before a kill is taken up again.

    Raises
    ------
    NotConverged
        if the chains disagree and nobody allowed it; all is written all the same
    """
    amended = read_amendment(asked.supersedes, asked.reason, out)
    read_free(out, asked.force, goes_on=True)  # what may not be replaced is told before anything is computed
    read_replaced(out)
    collection = read_collection(source) if source.suffix == ".toml" else None
    studies = collection.studies if collection else {ALONE: read_with_bar(source)}
    members = {name: _member(study, asked) for name, study in studies.items()}
    whole = _joined(members, collection)
    checks = {name: check_prior(joint, seed=asked.seed) for name, joint in whole.joints.items()}
    for name, member in members.items():
        for scenario in member.scenarios:
            scenario.check(member.model)
        say_study(member.study, member.counts)
        say_animals(whole.joints[name])
        say_prior(checks[name])
        if member.scenarios:  # what cannot be answered is told before the chains run
            middle = whole.joints[name].theta(np.zeros((1, len(whole.joints[name].free))))
            member.answer(asked, middle, whole.joints[name])
    chosen = {key: asked.settings[key] for key in ("seed", "draws", "tune", "target_accept")}
    quick = bool(asked.settings.get("quick", False))
    chains = out.with_name(f".{out.name}.chains")
    with write_folder(out, asked.force, goes_on=True) as folder:
        if chains.is_dir() and not quick:
            console.print(f"Finished chains of this fit, if there are any, are taken from {escape(str(chains))}.")
        try:
            with progress() as follow:
                posteriors = fit_together(whole, **chosen, progress=follow, quick=quick, checkpoint=chains)
        except KeyboardInterrupt:
            raise Interrupted("interrupted; the same command goes on with the chains that are finished.") from None
        alone = None if collection else amended
        records = {name: RunRecord(folder / name, out / name, asked, alone) for name in members}
        runs = {
            name: _write_one(member, posteriors[name], whole, name, records[name], checks[name])
            for name, member in members.items()
        }
        if collection is not None:
            _write_together(collection, whole, members, RunRecord(folder, out, asked, amended))
    if amended is not None:
        write_amendment(amended, str(read_json(out / "manifest.json")["occasion"]["run_id"]))
    if chains.is_dir() and not quick:  # a quick look leaves a long fit where it was interrupted
        shutil.rmtree(chains)
    for name, result in runs.items():
        say_diagnostics(result.diagnostics, posteriors[name].method)
        say_run(result, out / name)
    _refuse_unconverged(posteriors, out, asked)


def _member(study: Study, asked: Asked) -> Member:
    read_authored(study.folder, study.about.reporting)  # a mistake in it is told before the chains run
    followed = read_followed(study)
    for plan in followed.values():
        console.print(f"{study.name} follows the plan frozen {plan['frozen']} ({plan['sha256'][:SHORT]}).")
    model = model_of(study, asked.settings["model"], asked.settings.get("physiology"))
    scenarios = read_scenarios(asked.scenarios, model) if asked.answer else []
    fixed = model_of(study, asked.settings["model"], "fixed")
    return Member(study, model, fixed, count_cells(study), scenarios, followed)


def _joined(members: Mapping[str, Member], collection: Collection | None) -> Together:
    if collection is None:
        return Together.alone(join(members[ALONE].model, members[ALONE].counts))
    return join_together({name: (member.model, member.counts) for name, member in members.items()}, collection)


def _write_one(
    member: Member, posterior: Posterior, whole: Together, name: str, record: RunRecord, checked: PriorCheck
) -> Run:
    """Write the folder of one study's run."""
    asked, folder = record.asked, record.folder
    folder.mkdir(exist_ok=True)
    forecast = None
    converged = posterior.diagnostics.passed
    if member.scenarios and (converged or asked.allow_unconverged):
        forecast = member.answer(asked, posterior.theta(DRAWS), posterior.joint)
    settings = dict(asked.settings) | {"draws": posterior.diagnostics.draws} | whole.settings(name)
    manifest = describe(member.study, member.model, settings, datetime.now(UTC).isoformat(timespec="seconds"))
    manifest |= {"converged": converged, "method": posterior.method}
    manifest |= recorded(posterior.joint) | how_fitted(posterior, settings)
    manifest |= {"scenarios": told(member.scenarios, asked.cells)} | dict(member.followed)
    result = assemble(member.study, posterior, forecast, manifest)
    manifest["inputs"] |= write_inputs(member.study, folder)
    sources = scenario_files(member.scenarios)
    manifest["asked"] = asked.told | {"scenarios": {key: read_digest(path) for key, path in sources.items()}}
    write_sources(files_of(member.study, member.model) | sources, folder)
    write_posterior(posterior, folder / "posterior.nc")
    if forecast is not None:
        forecast.to_netcdf(folder / "forecast.nc", engine="h5netcdf")
    write_tables(result, folder)
    if forecast is not None:
        _write_sensitivity(member, result, asked, folder)
    if member.counts.panels:
        write_plate_page(member.study, member.counts, folder / "plates.html")
    write_pages(read_dossier(result, folder, checked), folder, checked)
    record.write("run" if asked.answer else "fit", manifest, posterior.seconds)
    return result


def _write_sensitivity(member: Member, result: Run, asked: Asked, folder: Path) -> None:
    """Write what the answers to one scenario hang on: one that stays with the data, where there is one."""
    origin = origin_about(result.joint, result.posterior.theta(DRAWS), member.fixed, asked.seed)
    known = set(result.forecast.loc[result.forecast["evidence"] == "data", "scenario"])
    near = [each for each in member.scenarios if each.name in known] or member.scenarios
    put = question(origin, near[0], usual_endpoints(origin, near[0]), hours_of(near[:1]), asked.cells)
    write_table(local(inputs_of(put), seed=asked.seed).assign(scenario=near[0].title), folder / "sensitivity.csv")


def _write_together(collection: Collection, whole: Together, members: Mapping[str, Member], record: RunRecord) -> None:
    """Write what the studies have in common: how each parameter was shared, and a manifest that names them."""
    asked = record.asked
    write_table(whole.table, record.folder / "sharing.csv")
    # of the shipped scenarios each study answers those that it can; others are asked of all
    sources = {} if asked.scenarios is None else scenario_files(next(iter(members.values())).scenarios)
    write_sources(sources, record.folder)
    told: dict[str, Any] = {"title": collection.title, "studies": list(members), "seed": asked.settings["seed"]}
    told |= {"settings": dict(asked.settings), "sharing": dict(collection.sharing)}
    told |= {"asked": asked.told | {"scenarios": {key: read_digest(path) for key, path in sources.items()}}}
    told |= {"schema_version": SCHEMA} | read_environment()
    record.write("together", told, {}, {name: read_verified(record.folder / name).seal for name in members})


def _refuse_unconverged(posteriors: Mapping[str, Posterior], out: Path, asked: Asked) -> None:
    for name, posterior in posteriors.items():
        if not posterior.diagnostics.passed and not asked.allow_unconverged:
            raise NotConverged(
                "the fit has not converged: " + "; ".join(posterior.diagnostics.sentences)
                + f". The report at {out / name / 'report.html'} says so; --allow-unconverged goes on to the scenarios."
            )  # fmt: skip
