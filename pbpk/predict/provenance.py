"""What a manifest tells beside the inputs: model, priors, likelihood, seeds, sampler, what came out, and the occasion.

All that two runs of the same inputs do not share stands in one place, `occasion`: time, id, command, operator, seconds.
"""

import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from pbpk.assay.counts import OrganCounts
from pbpk.assay.study import Study
from pbpk.body.legs import ABSOLUTE, RELATIVE
from pbpk.body.model import Model, Parameter
from pbpk.canonical import digest_of
from pbpk.infer.draws.posterior import Posterior
from pbpk.infer.draws.sampling import Settings
from pbpk.infer.matched.joint import STUDENT, Joint
from pbpk.predict.audit import FILE, SEAL, operator
from pbpk.predict.environment import installed
from pbpk.predict.record import files_of, read_digest

SCHEMA = "1.0"  # of the manifest: the first number changes where a reader would stumble
APART = (FILE, SEAL, "manifest.json")  # what no manifest can hold the hash of
BELOW_LIMIT = "left-censored: a value below its limit enters by the probability to lie below it (method M3)"


def run_id(milliseconds: int | None = None) -> str:
    """Id of a run, in the order of time (UUID version 7, RFC 9562)."""
    now = time.time_ns() // 1_000_000 if milliseconds is None else milliseconds
    value = (now & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return str(UUID(int=value & ~(0x3 << 62) | 0x2 << 62))


def occasion(command: str, seconds: Mapping[str, float], **more: Any) -> dict[str, Any]:
    """All that is of this run alone, and of no other of the same inputs."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    own = {"run_id": run_id(), "created": now, "command": command, "operator": operator()}
    return own | {"seconds": dict(seconds), "supersedes": None, "prev_audit_hash": None, **more}


def model_details(model: Model) -> dict[str, Any]:
    """Name of a model, and hashes of its files, its equations and its numbers with their priors and sources."""
    return {
        "name": f"{model.name}:{model.chosen}" if model.chosen else model.name,
        "version": digest_of({path.name: read_digest(path) for path in model.files})[:16],
        "equations_sha256": equations_digest(model),
        "parameter_registry_sha256": registry_digest(model),
    }


def equations_digest(model: Model) -> str:
    """SHA-256 of what moves: states, arrows with their rates, what modifiers put in their stead, what is observed."""
    arrows = [[family.line, family.rate.text, family.organs, [model.states[s] for s in family.source],
               [model.states[t] for t in family.target]] for family in model.families]  # fmt: skip
    instead = {m.name: [[place, family.line, family.organs] for place, family in m.replaces] for m in model.modifiers}
    follows = [{name: rate.text for name, rate in rates.items()} for rates in (model.where, model.derived)]
    routes = {name: [route.enters, route.needs] for name, route in model.routes.items()}
    return digest_of([arrows, instead, follows, routes, dict(model.kinds), model.outside, dict(model.readouts),
                      dict(model.observed), dict(model.volumes), model.dead_enter, model.lost, model.states,
                      model.n_lasting])  # fmt: skip


def registry_digest(model: Model) -> str:
    """SHA-256 of every number of a model: its unit, value or prior, and source; of the animal's numbers too."""
    law = [model.size_law] if model.size_law else []
    numbers = [*model.parameters, *model.noise, *model.believed.values(), *law]
    modifiers = {each.name: [each.unit, told_number(each.neutral), each.source, each.prior and _prior(each.prior)]
                 for each in model.modifiers}  # fmt: skip
    constants = {name: [told_number(value), model.constant_units[name]] for name, value in model.constants.items()}
    return digest_of({
        "estimated": priors(numbers),
        "constants": constants,
        "modifiers": modifiers,
        "animal": {name: asdict(quantity) for name, quantity in model.quantities.items()},
    })  # fmt: skip


def priors(parameters: Iterable[Parameter]) -> dict[str, Any]:
    """Priors by parameter: form, centre and spread, unit and source."""
    return {each.name: {"unit": each.unit, "source": each.source, **_prior(each.prior)} for each in parameters}


def _prior(prior: Any) -> dict[str, Any]:
    return {"form": prior.form, "centre": finite(prior.centre), "sigma": finite(prior.sigma)}


def told_number(number: float) -> float | str:
    """Number as JSON can hold it, a word where it has none: a capacity that nothing fills."""
    return number if np.isfinite(number) else str(number)


def finite(number: Any) -> float | None:
    """Number as JSON can hold it, None where it is none."""
    return float(number) if np.isfinite(number) else None


def read_sizes(study: Study, model: Model) -> dict[str, dict[str, int | None]]:
    """Bytes of each input, and rows of those that are tables."""
    files = {f"study/{name}": study.folder / name for name in study.hashes} | files_of(study, model)
    return {name: {"bytes": path.stat().st_size, "rows": _read_rows(path)} for name, path in files.items()}


def _read_rows(path: Path) -> int | None:
    """Rows of a CSV table without its header."""
    if path.suffix != ".csv":
        return None
    with path.open("rb") as file:
        return max(0, sum(1 for line in file if line.strip()) - 1)


def how_fitted(posterior: Posterior, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Priors, likelihood, seeds, sampler, solver, what the chains say, and what was left out."""
    joint, found = posterior.joint, posterior.diagnostics
    sampled = posterior.method == "nuts"
    each = {key: settings[key] for key in ("tune", "target_accept")}
    asked = Settings(int(settings["seed"]), found.chains, found.draws, **each)
    of_chains = [asked.seed_of(chain) for chain in range(found.chains)] if sampled else []
    sampler = {"name": "NUTS" if sampled else "variational", "chains": found.chains, "draws": found.draws}
    return {
        "priors": priors(joint.free),
        "likelihood": _likelihood(joint),
        "blq_rule": BELOW_LIMIT,
        "seeds": {"master": asked.seed, "per_chain": of_chains},
        "sampler": sampler | (each | _nuts(posterior, asked) if sampled else {}),
        "solver": solver(joint),
        "diagnostics": {
            "rhat_max": finite(found.max_rhat),
            "ess_min": finite(min(found.min_ess_bulk, found.min_ess_tail)),
            "divergences": found.divergences,
            "sentences": list(found.sentences),
        },
        "exclusions": exclusions(joint.counts),
    }


def _nuts(posterior: Posterior, asked: Settings) -> dict[str, Any]:
    stats = posterior.tree["sample_stats"].to_dataset()
    steps: Any = stats["step_size"].to_numpy()[:, -1] if "step_size" in stats else []
    version = installed("pbpk").get("nutpie")
    return {"software": "nutpie", "version": version, "adaptation": asked.adaptation,
            "step": [finite(step) for step in steps]}  # fmt: skip


def _likelihood(joint: Joint) -> dict[str, Any]:
    table = joint.counts.table
    robust = f"Student t with {STUDENT:g} degrees of freedom, on the log scale"
    return {
        "single_values": "normal on the log scale" if np.isinf(joint.nu) else robust,
        "readouts": sorted(set(table["readout"])),
        "denominators": list(joint.readings),
        "calibration": joint.calibration,
        "rows": len(table),
        "below_limit": int(table["below_lloq"].sum()),
    }


def solver(joint: Joint) -> dict[str, Any]:
    """How the equations are solved in the fit, as the animal needs it that asks most.

    Tolerances are of a step: of each state, and of everything given.
    """
    moving = [each.model for each in joint.experiments if not each.model.is_linear]
    if not moving:
        return {"name": "uniformisation, to rounding", "rtol": None, "atol": None}
    whole = any(model.n_lasting == len(model.states) for model in moving)
    pair = "Kvaerno 5(4), implicit" if whole else "Dormand-Prince 5(4), explicit"
    return {"name": pair, "rtol": RELATIVE, "atol": RELATIVE * ABSOLUTE}


def exclusions(counts: OrganCounts) -> list[dict[str, Any]]:
    """What was measured and not fitted, each with its why; a rule of the study or of an assay decides, not a person."""
    wells = counts.quantified.left_out if counts.quantified else ()
    found = [{"record": known.name, "reason": why} for known, why in wells]
    found += [{"record": sentence.partition(":")[0], "reason": sentence} for sentence in counts.left_out]
    return [each | {"who": "rule", "when": None} for each in found]


def read_outputs(folder: Path, members: Iterable[str] = ()) -> list[dict[str, str]]:
    """Hash of all that a run wrote, by name; its manifest and record hold them and are none of them.

    members : runs in it, which have a manifest of their own
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    named = [(path.relative_to(folder), path) for path in files]
    return [{"path": name.as_posix(), "sha256": read_digest(path)} for name, path in named
            if name.as_posix() not in APART and name.parts[0] not in set(members)]  # fmt: skip
