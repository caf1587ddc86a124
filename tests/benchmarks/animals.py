"""What one value and one gradient of a fit cost against the number of animals that differ from each other.

    python tests/benchmarks/animals.py [--figure FILE]

Virtual mice with FND-labelled MSC, each giving its seven organs once, as in `reference_fit`, at the level of counts:
those of the synthetic study, again under other names where more are asked. Each has deviates of its own, two ways:

- dose: of what it was really given; mice dosed alike are then followed together
- parameter: of the loss from its lung too; each is then followed by itself

The numbers are those of the compiled log-density that the sampler calls, on one core and one BLAS thread, in CPU time,
beside the time to compile it: what many animals compile is what few do.
"""

import csv
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.infer.density.likelihood import build
from pbpk.infer.matched.joint import join
from pbpk.predict.record import model_of

THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
MANY = (10, 30, 100, 300)
GIVEN = Path(__file__).parents[2] / "data" / "synthetic_fnd_mouse"
VARIED = {
    "dose": '\n[between.dose]\nprior = "lognormal(median=0.1, sigma=0.5)"\nsource = "virtual"\n',
    "parameter": '\n[between.loss_lung]\nprior = "lognormal(median=0.2, sigma=0.5)"\nsource = "virtual"\n',
}
HEAD = ("group", "animal", "organ", "hours", "value", "unit", "lloq", "below_lloq", "readout", "source")


def write_study(folder, table, animals, varied):
    """Write a study of so many animals; they are taken in turn from both groups and all hours."""
    about = (GIVEN / "study.toml").read_text(encoding="utf-8")
    (folder / "study.toml").write_text(about + "".join(VARIED[name] for name in varied), encoding="utf-8")
    (folder / "doses.csv").write_text((GIVEN / "doses.csv").read_text(encoding="utf-8"), encoding="utf-8")
    by_animal = [rows for _, rows in table.groupby(["group", "animal"], sort=False)]
    by_animal.sort(key=lambda rows: rows["animal"].iloc[0].rpartition("-")[2])  # the first of each hour, the second...
    with (folder / "measurements.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEAD)
        for i in range(animals):
            for row in by_animal[i % len(by_animal)].to_dict("records"):
                below = not row["percent"] > row["lloq"]
                value = "" if below else repr(row["percent"])
                out.writerow([row["group"], f"{row['animal']}-{i}", row["organ"], repr(row["hours"]), value,
                              "percent_dose", repr(row["lloq"]), str(below).lower(), row["readout"],
                              "virtual"])  # fmt: skip


def best(call, least=1.0):
    """Shortest CPU time of several calls [s]; other work on the machine only lengthens it."""
    call()
    shortest, began = np.inf, time.perf_counter()
    while time.perf_counter() - began < least or shortest == np.inf:
        at = time.process_time()
        for _ in range(10):
            call()
        shortest = min(shortest, (time.process_time() - at) / 10)
    return shortest


def measure(folder):
    """CPU seconds to compile, and of one value and gradient; numbers of rows, bodies followed and free parameters."""
    study = read_study(folder)
    joint = join(model_of(study), count_cells(study))
    began = time.process_time()
    function = build(joint).logp_dlogp_function(ravel_inputs=True, mode="NUMBA")
    function.set_extra_values({})
    at = 0.3 * np.random.default_rng(1).standard_normal(len(joint.free))
    value, slope = function(at)
    assert np.isfinite(value) and np.isfinite(slope).all()  # noqa: PT018
    compiled = time.process_time() - began
    return compiled, best(lambda: function(at)), len(joint.counts.table), len(joint.experiments), len(joint.free)


def draw(costs, path):
    """Cost against animals, on logarithms: a line of slope one is a cost that grows as their number."""
    import matplotlib.pyplot as plt

    names = {"dose": "animals differ in the dose they got", "parameter": "and in a rate: each followed by itself"}
    figure, axes = plt.subplots(figsize=(5.2, 3.2), layout="constrained")
    for (what, cost), mark in zip(costs.items(), "os", strict=True):
        (line,) = axes.loglog(MANY, 1e3 * cost, mark, label=names[what], markersize=5)
        axes.loglog(MANY, 1e3 * cost[-1] * np.array(MANY) / MANY[-1], "-", color=line.get_color(), linewidth=0.8)
    axes.set(xlabel="animals, each with seven organs", ylabel="one value and gradient, one core [ms]")
    axes.legend(frameon=False, fontsize=8, title="lines: proportional to the number", title_fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)
    print(f"Written: {path}")


def main():
    """Print the table, and draw it if asked."""
    load = f", load {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
    print(f"threads: BLAS {os.environ['OPENBLAS_NUM_THREADS']}, numba 1{load}; CPU time")
    print(f"{'differ in':<12}{'animals':>9}{'rows':>8}{'bodies':>8}{'free':>7}{'compile s':>11}{'gradient ms':>13}"
          f"{'us an animal':>14}")  # fmt: skip
    table = count_cells(read_study(GIVEN)).table
    costs = {}
    for name, varied in {"dose": ("dose",), "parameter": ("dose", "parameter")}.items():
        found = []
        for animals in MANY:
            with tempfile.TemporaryDirectory() as folder:
                write_study(Path(folder), table, animals, varied)
                compiled, each, rows, bodies, free = measure(Path(folder))
            found.append(each)
            print(f"{name:<12}{animals:>9}{rows:>8}{bodies:>8}{free:>7}{compiled:>11.1f}{1e3 * each:>13.2f}"
                  f"{1e6 * each / animals:>14.1f}", flush=True)  # fmt: skip
        power, last = (np.polyfit(np.log(MANY[k:]), np.log(found[k:]), 1)[0] for k in (0, 2))
        print(f"{name}: cost grows as the number to the power {power:.2f}; between the last two {last:.2f}")
        costs[name] = np.array(found)
    if "--figure" in sys.argv[1:-1]:
        draw(costs, sys.argv[sys.argv.index("--figure") + 1])


if __name__ == "__main__":
    if any(os.environ.get(name) != count for name, count in THREADS.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | THREADS)  # numpy has read them by now
    main()
