"""What a virtual population costs: MSC in mice of their own weight, physiology and draw, one bolus into a vein.

    python tests/benchmarks/population.py [--million] [--cluster 2] [--threads 2]

100 hours evenly spaced in their logarithm from 3 min to 14 d, blood and tissue together, all organs and states; mean,
SD and seven quantiles of each, with the endpoints of `ENDPOINTS` for every subject as Parquet. Each size runs in
a process of its own, so that its peak of memory is its own: that of the whole process, and what it is above that of the
imports alone. Compiling is left out of the seconds: two blocks are followed before.
"""

import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import pbpk.body.solve as solving
from pbpk.body.species import read_species
from pbpk.predict.endpoint import parse_endpoints
from pbpk.predict.origin import read_prior
from pbpk.predict.population.asking import Asked, ask_population, plan_population
from pbpk.predict.population.people import BLOCK, parse_weight
from pbpk.predict.population.storing import write_subjects
from pbpk.predict.scenario import read_scenarios

ONE_BLAS_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
ENDPOINTS = "AUC lung live, AUC liver live, Cmax liver, 24h lung"
MIB = 1024.0 if sys.platform != "darwin" else 1024.0**2  # units of ru_maxrss in a MiB


def peak():
    """Largest memory that this process ever took [MiB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB


def follow(size, threads, scheduler=None, endpoints=ENDPOINTS):
    """Seconds of one population."""
    origin = read_prior("msc", read_species("mouse"), "FND", draws=4000)
    (scenario,) = read_scenarios("iv_bolus")
    asked = Asked(size, parse_weight("25,0.1"), hours=np.geomspace(0.05, 336.0, 100),
                  endpoints=parse_endpoints(endpoints))  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        with write_subjects(plan_population(origin, scenario, asked), Path(folder)) as take:
            ask_population(origin, scenario, asked, take, threads=threads, scheduler=scheduler)
        return time.perf_counter() - began


def measure(size, threads, workers, told):
    """Follow a population and tell seconds, peak and the peak before it."""
    before = peak()
    follow(2 * BLOCK, 1)  # compiles
    if workers:
        from distributed import LocalCluster

        with LocalCluster(workers, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
            told.put((follow(size, threads, cluster.scheduler_address), peak(), before))
    else:
        told.put((follow(size, threads), peak(), before))


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description="What a virtual population costs.")
    parser.add_argument("--million", action="store_true", help="1e6 subjects too")
    parser.add_argument("--cluster", type=int, default=0, help="so many processes of a Dask cluster instead of threads")
    parser.add_argument("--threads", type=int, default=solving.THREADS)
    given = parser.parse_args()
    load = f", load {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
    how = f"{given.cluster} processes" if given.cluster else f"{given.threads} threads"
    print(f"{how}, BLAS {os.environ['OPENBLAS_NUM_THREADS']}{load}\n")
    print(f"{'subjects':>9}{'seconds':>10}{'subjects/s':>12}{'us/subject':>12}{'peak MiB':>10}{'above imports':>15}")
    spawn = multiprocessing.get_context("spawn")
    for size in (10_000, 100_000, *([1_000_000] if given.million else [])):
        told = spawn.Queue()
        process = spawn.Process(target=measure, args=(size, given.threads, given.cluster, told))
        process.start()
        seconds, most, before = told.get()
        process.join()
        print(f"{size:>9}{seconds:>10.1f}{size / seconds:>12.0f}{seconds / size * 1e6:>12.1f}{most:>10.0f}"
              f"{most - before:>15.0f}")  # fmt: skip


if __name__ == "__main__":
    if any(os.environ.get(name) != count for name, count in ONE_BLAS_THREAD.items()):
        os.execve(
            sys.executable, [sys.executable, *sys.argv], os.environ | ONE_BLAS_THREAD
        )  # numpy has read them by now
    main()
