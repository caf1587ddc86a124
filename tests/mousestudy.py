"""Studies written from rows, and small models of which one can work out by hand what label tells of them."""

import csv
from pathlib import Path

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.infer.matched.joint import join
from pbpk.predict.record import model_of

ORGANS = ("lung", "liver", "spleen", "kidney", "heart", "gut", "rest")
HOURS = (1, 24, 72, 168)
STUDY = """
title = "SYNTHETIC: made up for a test"
kind = "synthetic"
species = "mouse"
model = "{model}"
label = "{label}"
denominator = "{denominator}"
{top}
[product]
cell_type = "none"
[[groups]]
name = "iv"
route = "iv"
[[sources]]
key = "none"
text = "made up"
{more}
"""
BOLUS = "group,hours,cells,route,duration_min\niv,0,1000000,iv,0\n"


def write_rows(folder, rows, model="msc", label="FND", denominator="dose", top="", more="", doses=BOLUS):
    """A study folder with these rows of measurements.csv, each with its own columns; returns the folder."""
    folder.mkdir(exist_ok=True)
    words = {"model": model, "label": label, "denominator": denominator, "top": top, "more": more}
    (folder / "study.toml").write_text(STUDY.format(**words))
    (folder / "doses.csv").write_text(doses)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with (folder / "measurements.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return folder


def read_joint(folder):
    """A study folder matched with its model."""
    study = read_study(folder)
    return join(model_of(study), count_cells(study))


def organ_rows(hours=HOURS, organs=ORGANS, readout="label", n=5, value=1.0, unit="percent_dose"):
    """Rows of means of n animals."""
    plain = {"group": "iv", "value": value, "unit": unit, "n": n, "readout": readout}
    return [plain | {"organ": organ, "hours": hour} for organ in organs for hour in hours]


SMALL = """
name = "small"
about = "made up for a test"
amount = "cells"
arrows = [{arrows}]
passing = [{passing}]
outside = ["gone"]
[kinds]
live = [{live}]
label = [{label}]
[readouts]
label = ["live", "label"]
live = ["live"]
[routes]
iv = "{entry}"
[observe]
{observed}
[constants]
{constants}
{parameters}
[noise.spread]
unit = "1"
prior = "lognormal(median=0.2, sigma={noise})"
[noise.misfit]
unit = "1"
prior = "lognormal(median=0.1, sigma={noise})"
[sources.none]
text = "made up"
status = "choice"
"""


def write_small(path: Path, arrows, observed, priors, live=(), label=(), passing=(), constants=(), noise=0.5):
    """A model file of a few states; returns its path as study.toml writes it.

    arrows : lines; observed : name -> states, or (state, volume); priors : name -> (unit, prior)
    noise : sigma of spread and misfit, whose medians are 0.2 and 0.1
    """

    def listed(texts):
        return ", ".join(f'"{text}"' for text in texts)

    ends = list(dict.fromkeys(end.strip() for line in arrows for end in line.partition(":")[0].split("->")))
    inside = [end for end in ends if end != "gone" and end not in label]
    lines = [
        f'{name} = {{ states = ["{states[0]}"], per = "{states[1]}" }}' if isinstance(states, tuple) else
        f"{name} = [{listed(states)}]"
        for name, states in observed.items()
    ]  # fmt: skip
    path.write_text(SMALL.format(
        arrows=listed(arrows), passing=listed(passing), live=listed(live or inside), label=listed(label),
        entry=ends[0], noise=noise, observed="\n".join(lines),
        constants="\n".join(f'{name} = {{ value = {value}, unit = "{unit}", source = "none" }}'
                            for name, value, unit in constants),
        parameters="\n".join(f'[parameters.{name}]\nunit = "{unit}"\nprior = "{prior}"'
                             for name, (unit, prior) in priors.items()),
    ))  # fmt: skip
    return path.as_posix()


CHAIN = ("lung.live -> liver.live : go", "liver.live -> gone : die")
CHAINED = {"lung": ["lung.live"], "liver": ["liver.live"]}  # what is seen of it


def read_chain(folder: Path, priors):
    """Three animals each at 1, 24 and 96 h, and their model: lung to liver to nowhere, by the rates `go` and `die`."""
    model = write_small(folder / "small.toml", CHAIN, CHAINED, priors, noise=0.3)
    return read_joint(write_rows(folder / "study", organ_rows((1.0, 24.0, 96.0), ("lung", "liver"), n=3), model=model))


RATE = ("1/h", "lognormal(median=0.05, sigma=0.7)")
SHARE = ("1", "logit_normal(median=0.5, sigma=1.0)")
FLOWS = {"liver": 3.0, "rest": 7.0}  # [mL/h], all through the lung


def write_origins(path: Path, rest=("1", "fixed(value=0.9)")):
    """Lung, liver and rest in a circle; what dies in the lung goes where `destined` says, which nobody knows.

    rest : unit and prior of E_rest
    """

    def arrest(organ, flow):
        return f"{organ}.blood -> {organ}.arrested : E_{organ} / (1 - E_{organ}) * {flow} / blood"

    arrows = [
        "vein -> lung.blood : flow_lung / blood",
        "lung.blood -> artery : flow_lung / blood",
        *(f"artery -> {organ}.blood : flow_{organ} / blood" for organ in FLOWS),
        *(f"{organ}.blood -> vein : flow_{organ} / blood" for organ in FLOWS),
        *(arrest(organ, f"flow_{organ}") for organ in ("lung", *FLOWS)),
        "lung.arrested -> lung.blood : release",
        "lung.arrested -> liver.label : death * destined",
        "lung.arrested -> rest.label : death * (1 - destined)",
        "liver.arrested -> liver.label : death_liver",
        "rest.label -> gone : nothing",
    ]
    blood = ["vein", "artery", "lung.blood", "liver.blood", "rest.blood"]
    observed = {organ: [f"{organ}.blood", f"{organ}.arrested"] for organ in ("lung", *FLOWS)}
    for organ in FLOWS:
        observed[organ] = [*observed[organ], f"{organ}.label"]
    constants = [("flow_lung", 10.0, "mL/h"), *((f"flow_{organ}", flow, "mL/h") for organ, flow in FLOWS.items()),
                 ("blood", 0.01, "mL"), ("nothing", 0.0, "1/h")]  # fmt: skip
    priors = {"release": RATE, "death": RATE, "destined": SHARE, "death_liver": RATE,
              "E_lung": ("1", "logit_normal(median=0.8, sigma=1.0)"), "E_liver": SHARE, "E_rest": rest}  # fmt: skip
    return write_small(path, arrows, observed, priors, label=["liver.label", "rest.label"], passing=blood,
                       constants=constants)  # fmt: skip


def where_released(e_lung, e_liver, e_rest):
    """Shares of the cells released in the lung that arrest in the lung and in the liver, in the end."""
    flow = sum(FLOWS.values())
    past = (1.0 - e_lung) * sum(FLOWS[o] / flow * (1.0 - e) for o, e in (("liver", e_liver), ("rest", e_rest)))
    return e_lung / (1.0 - past), (1.0 - e_lung) * FLOWS["liver"] / flow * e_liver / (1.0 - past)
