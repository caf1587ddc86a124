"""A finished run as the report sees it, made of a real study and model and of invented numbers."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.body.expansion import read_model
from pbpk.infer.matched.joint import join
from pbpk.predict.contrast import COLUMNS

ORGANS = ("lung", "liver", "spleen", "kidney", "heart", "gut", "rest")
KINDS = ("learned", "half learned", "not learned")


def make_run(folder, scenarios=2, passed=True):
    study = read_study(folder)
    about = study.about
    joint = join(read_model(about.model, about.species, about.label, about.split), count_cells(study))
    rng = np.random.default_rng(3)
    return SimpleNamespace(
        name=study.name,
        study=study,
        joint=joint,
        diagnostics=SimpleNamespace(
            passed=passed,
            sentences=() if passed else ("the chains disagree about `E_lung` (R-hat 1.2)", "take more draws & wait"),
            max_rhat=1.004, min_ess_bulk=812.0, min_ess_tail=904.4, divergences=0, chains=4, draws=1000,
            warnings=() if passed else ("the energy of chain 2 (0.21) moves in small steps",), deviates="",
        ),
        parameters=_parameters(joint, rng),
        predictions=_predictions(joint, rng),
        curves=_curves(joint),
        readings={"dose": 0.63, "recovered": 0.37} if joint.counts.denominator == "unknown" else {"dose": 1.0},
        exposure=_exposure(joint),
        ties=("`loss_lung` and `transfer_lung` are confounded (correlation -0.80): more of one is made good by less.",),
        advice=("Six live readouts of the lung at 24 h and 72 h would bring `loss_lung` from not learned to learned.",),
        forecast=_forecast(scenarios),
        contrasts=pd.DataFrame(columns=COLUMNS),
        manifest={
            "created": "2026-01-31",
            "fingerprint": "0123abcd" * 8,
            "versions": {"pbpk": "0.1.0", "numpy": "2.5.0"},
            "inputs": dict(study.hashes),
            "seed": 1,
            "settings": {"chains": 4, "draws": 1000},
            "seconds": {"compile": 3.2, "sample": 21.0},
        },
    )  # fmt: skip


def _parameters(joint, rng):
    rows = []
    for i, parameter in enumerate(joint.estimated):
        prior, fixed = parameter.prior, parameter.prior.is_fixed
        width = (0.2, 0.6, 0.97)[i % 3]
        middle = 2.4 if parameter.name == "loss_lung" else rng.normal(0, 0.5)
        low, mid, high = (float(prior.value(middle + width * z)) for z in (-1.96, 0.0, 1.96))
        p_low, p_high = prior.interval()
        rows.append({
            "parameter": parameter.name, "about": parameter.about, "unit": parameter.unit, "mean": mid,
            "sd": (high - low) / 4, "q2.5": low, "q50": mid, "q97.5": high,
            "prior_q2.5": p_low, "prior_q50": prior.centre, "prior_q97.5": p_high,
            "rhat": np.nan if fixed else 1.002, "ess_bulk": np.nan if fixed else 1500.0,
            "ess_tail": np.nan if fixed else 1300.0, "contraction": np.nan if fixed else width, "shift": middle,
            "learned": "fixed" if fixed else KINDS[i % 3], "source": parameter.source,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _predictions(joint, rng):
    table = joint.counts.table
    parts = []
    for reading in joint.readings:
        part = table[["group", "animal", "organ", "readout", "hours", "n", "source", "low", "high", "per"]].copy()
        part["reading"], part["value"] = reading, table["percent"]
        middle = table["percent"].fillna((table["low"] + table["high"]) / 2) * np.exp(rng.normal(0, 0.4, len(table)))
        for name, factor in (("q2.5", 0.7), ("q50", 1.0), ("q97.5", 1.4), ("p2.5", 0.45), ("p50", 1.0), ("p97.5", 2.2)):
            part[name] = middle * factor
        low, high = part["value"].fillna(part["low"]), part["value"].fillna(part["high"])
        part["inside"] = ((low <= part["p97.5"]) & (high >= part["p2.5"])).where(~table["below_lloq"], other=pd.NA)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _curves(joint):
    parts = []
    for (group, organ, readout), rows in joint.counts.table.groupby(["group", "organ", "readout"]):
        last = max(float(rows["hours"].max()) * 1.1, 1.0)
        hours = np.geomspace(min(0.05, last / 10), last, 60)
        height = float(rows["percent"].fillna(rows["high"]).max())
        middle = height * np.exp(-hours / last) * hours / (hours + 0.1)
        part = pd.DataFrame({"group": group, "animal": "", "organ": organ, "readout": readout, "hours": hours})
        part["per"] = ""
        parts.append(part.assign(**{"q2.5": 0.7 * middle, "q50": middle, "q97.5": 1.4 * middle}))
    return pd.concat(parts, ignore_index=True)


def _exposure(joint):
    rows = [
        {"group": "iv", "organ": organ, "readout": "label", "parameter": parameter, "animal": "", "value": 812.0,
         "se": 40.0, "df": 6.2, "low": 715.0, "high": 909.0, "n": 15, "flag": "a flag" if i else "", "q2.5": 600.0,
         "q50": 790.0, "q97.5": 1033.0, "arrows_q50": 911.0, "published": 800.0 if i % 2 else np.nan,
         "published_error": 31.0, "unit": "percent_dose_per_g*h"}
        for i, organ in enumerate(joint.counts.table["organ"].unique()) for parameter in ("AUClast", "half_life")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _forecast(scenarios):
    hours = np.concatenate([[0.0], np.geomspace(0.05, 336.0, 50)])
    parts = []
    for s in range(scenarios):
        for i, organ in enumerate(ORGANS):
            start = 1e6 * 0.5 / 2.2**i
            live = start * np.exp(-hours * 0.03 * (1 + 0.2 * s))
            label = 0.8 * start * (1 - np.exp(-hours * 0.03)) * (0.2 if organ == "lung" else 1.4)
            for state, middle in (("live", live), ("label", label), ("total", live + label)):
                part = pd.DataFrame({"scenario": f"s{s}", "title": f"Scenario {s}", "organ": organ, "hours": hours})
                part = part.assign(evidence="hypothesis" if s % 2 else "data", beyond="", state=state)
                values = {"mean": middle, "q2.5": 0.5 * middle, "q50": middle, "q97.5": 1.7 * middle}
                parts.append(part.assign(**values, dose_cells=1e6, unit="cells"))
    columns = [
        "scenario",
        "title",
        "evidence",
        "beyond",
        "organ",
        "state",
        "hours",
        "mean",
        "q2.5",
        "q50",
        "q97.5",
        "dose_cells",
        "unit",
    ]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
