"""Is the posterior right? Simulation-based calibration of the shipped models, each with a truth drawn from its prior.

msc            a small design of two routes with every kind of row: animals, means with SD, ranges, limits
t_cell         the design of Khot 2019: 40 means of three mice
small_molecule the design of Kwan 1976: concentrations in six people

If priors, likelihood and sampler are what they say, intervals hold the truth as often as they claim and its rank among
the draws is uniform, for every parameter and for functions of parameters and data.

With --planted the fit of msc reads standard deviations as if they were standard errors of the mean had been printed in
their place (a slip that papers invite): ranks must then leave uniformity, or the check could not see it.

Run: python tests/proof/calibration.py --fits 100
     python tests/proof/calibration.py --fits 100 --models msc --planted
"""

import argparse
import json
import os
import sys
import tomllib
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / ".github" / "figures"
# draws and tuning steps of each of two chains; a rank needs no more than some hundred near-independent draws
STUDIES = {"msc": (500, 400), "t_cell": (500, 400), "small_molecule": (500, 1000)}
FOLDERS = {"t_cell": "khot_2019_t_cells_mouse", "small_molecule": "kwan_1976_indomethacin_human"}
ABOUT = """
title = "SYNTHETIC: a small design of two routes"
kind = "synthetic"
species = "mouse"
model = "msc"
label = "FND"
denominator = "dose"
[product]
cell_type = "MSC"
[[groups]]
name = "iv"
route = "iv"
[[groups]]
name = "portal"
route = "portal_vein"
[[sources]]
key = "none"
text = "nobody measured this: values are drawn anew for each fit"
"""


def two_routes():
    """Model and counts of the small design; values stand for the kind of their row only."""
    from pbpk.assay.counts import count_cells
    from pbpk.assay.doses import DoseRow
    from pbpk.assay.measurements import MeasurementRow
    from pbpk.assay.study import Study, StudyFile
    from pbpk.body.expansion import read_model

    rows = []
    for group in ("iv", "portal"):
        for hours in (1.0, 24.0, 168.0):
            at = {"group": group, "hours": hours, "unit": "percent_dose", "source": "none"}
            rows += [at | {"organ": "lung", "animal": f"{hours:g}-{i}", "value": 10.0} for i in range(3)]
            rows += [at | {"organ": "liver", "value": 20.0, "sd": 5.0, "n": 4}]
            rows += [at | {"organ": "spleen", "low": 1.0, "high": 3.0, "n": 4}]
            rows += [at | {"organ": "kidney", "animal": f"{hours:g}-{i}", "value": 1.0, "lloq": 0.3} for i in range(2)]
    doses = tuple(DoseRow(group=g, hours=0.0, cells=1e6, route=r) for g, r in (("iv", "iv"), ("portal", "portal_vein")))
    about = StudyFile.model_validate(tomllib.loads(ABOUT))
    measured = tuple(MeasurementRow(**row) for row in rows)
    counts = count_cells(Study(ROOT / "data" / "two_routes", about, doses, measured, (), (), {}, ()))
    return read_model("msc", "mouse", "FND"), counts


def design(name):
    """Model and counts of one of the studies."""
    from pbpk.assay.counts import count_cells
    from pbpk.assay.study import read_study
    from pbpk.predict.record import model_of

    if name == "msc":
        return two_routes()
    study = read_study(ROOT / "data" / FOLDERS[name])
    return model_of(study), count_cells(study)


def mistaken(model, counts, **settings):
    """A fit that takes each SD for a standard error: its animals scatter by sqrt(n) as much."""
    from dataclasses import replace

    from pbpk.infer.calibration.calibrate import refit

    table = counts.table.assign(sd=counts.table["sd"] * np.sqrt(counts.table["n"]))
    return refit(model, replace(counts, table=table), **settings)


def report(found):
    """The coverage table and what it says."""
    print(f"\n{found.model}, {found.study}: {len(found.places)} fits of {len(found.outcomes)}, "
          f"{np.nanmean([o.seconds for o in found.outcomes]):.0f} s each")  # fmt: skip
    print(f"{'':34s}{'50 %':>20s}{'80 %':>20s}{'95 %':>20s}{'ECDF':>8s}{'chi2':>8s}{'Holm':>8s}")
    for row in found.table.to_dict("records"):
        cells = "".join(f"{row[f'cover{n}']:8.0%} ({row[f'low{n}']:3.0%}-{row[f'high{n}']:4.0%})" for n in (50, 80, 95))
        mark = f" <- {row['posterior']}" if row["quantity"] in found.suspects else ""
        print(f"{row['quantity']:34.34s}{cells}{row['p_ecdf']:8.3f}{row['p_chi2']:8.3f}{row['p_holm']:8.3f}{mark}")
    for sentence in found.sentences:
        print(sentence)


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--fits", type=int, default=100)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--workers", type=int, default=2, help="processes of one thread each; 0: none but this one")
    asked.add_argument("--models", nargs="+", choices=STUDIES, default=list(STUDIES))
    asked.add_argument("--planted", action="store_true", help="fit with a mistake that must be caught")
    asked.add_argument("--log", type=Path, help="folder of finished fits: written as they end, taken up again later")
    asked.add_argument("--figures", type=Path, default=FIGURES)
    given = asked.parse_args()
    if not given.workers:
        run(given, None)
        return
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=given.workers, threads_per_worker=1, processes=True, dashboard_address=None,
                      memory_limit=0) as cluster, Client(cluster) as client:  # fmt: skip
        run(given, client)


def run(given, scheduler):
    """Calibrate the models that were asked for, one after the other."""
    from pbpk.infer.calibration.calibrate import Outcome, calibrate
    from pbpk.report.calibration import write_rank_figure

    for name in given.models:
        model, counts = design(name)
        draws, tune = STUDIES[name]
        slip = "_planted" if given.planted else ""
        log = given.log / f"{name}{slip}_{given.seed}.jsonl" if given.log else None
        known = [Outcome(**json.loads(line)) for line in log.open()] if log and log.exists() else []

        def tell(outcome, log=log, name=name):
            if log:
                log.parent.mkdir(parents=True, exist_ok=True)
                with log.open("a") as file:
                    file.write(json.dumps(vars(outcome)) + "\n")
            print(f"{name} {outcome.number}: {outcome.seconds:.0f} s {outcome.problem}", file=sys.stderr, flush=True)

        found = calibrate(model, counts, given.fits, given.seed, draws=draws, tune=tune, scheduler=scheduler,
                          known=known, tell=tell, **({"fit": mistaken} if given.planted else {}))  # fmt: skip
        report(found)
        write_rank_figure(found, given.figures / f"ranks_{name}{slip}.svg")


if __name__ == "__main__":
    main()
