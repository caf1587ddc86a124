"""What a virtual animal costs: the package beside libRoadRunner and scipy, on the same model exported as SBML.

    python tests/benchmarks/population_peers.py [--animals 200]

MSC in the mouse, blood and tissue together, one bolus of 1e6 cells into a vein, each animal with rates of its own drawn
from the prior. libRoadRunner reads the exported file once, gets the parameters of each animal, and is reset; CVODE at
its own tolerances (1e-6, 1e-12) and at 1e-9. scipy's LSODA at rtol 1e-8 on the matrix, a few animals. us an animal, the
shortest of three rounds of the package, one of the others; the last column is the largest difference from the package
as a share of the dose.
"""

import argparse
import os
import time

import numpy as np
import roadrunner
from scipy.integrate import solve_ivp

import pbpk.body.solve as solving
from pbpk.body.elimination import matrix, network
from pbpk.body.expansion import read_model
from pbpk.predict.scenario import read_scenarios
from pbpk.share.sbml import sbml_text

CELLS, FEW, ROUNDS = 1e6, 5, 3
MODEL = read_model("msc", "mouse", "FND")
IV = next(each for each in read_scenarios() if each.name == "iv_bolus")


def package(theta, hours, threads):
    """States of every animal and seconds."""
    solving.THREADS = threads
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        found = MODEL.solve(theta, IV.given(CELLS), hours, fidelity="full")
        times.append(time.perf_counter() - begin)
    return found, min(times)


def by_roadrunner(theta, hours, tolerance):
    """The same by libRoadRunner from the exported file."""
    runner = roadrunner.RoadRunner(sbml_text(MODEL, None, IV, CELLS))
    if tolerance:
        runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = tolerance, tolerance * CELLS * 1e-3
    species = list(runner.model.getFloatingSpeciesIds())
    runner.selections = ["time", *species]
    ids = list(MODEL.parameter_names)
    asked = [0.0, *hours.tolist()]
    found = np.empty((len(theta), hours.size, len(species)))
    begin = time.perf_counter()
    for i, own in enumerate(theta):
        runner.resetToOrigin()
        for name, value in zip(ids, own, strict=True):
            runner.model[name] = float(value)
        found[i] = np.asarray(runner.simulate(times=asked))[1:, 1:]
    seconds = time.perf_counter() - begin
    order = [species.index(state.replace(".", "_")) for state in MODEL.states]
    return found[:, :, order], seconds


def by_scipy(theta, hours):
    """The same by scipy's LSODA."""
    entry = MODEL.schedule(IV.given(CELLS)).entry[0]
    found = []
    begin = time.perf_counter()
    for own in MODEL.rates(theta):
        k = matrix(network(MODEL.source_states, MODEL.target_states, own, entry.size))
        answer = solve_ivp(lambda _, x, k=k: k @ x, (0.0, hours[-1]), entry, "LSODA", hours, rtol=1e-8, atol=1e-4,
                           jac=lambda *_, k=k: k)  # fmt: skip
        found.append(answer.y.T)
    return np.array(found), time.perf_counter() - begin


def main() -> None:
    """Print what each costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--animals", type=int, default=200)
    animals = parser.parse_args().animals
    theta = MODEL.draw_prior(animals, 1)
    many = MODEL.draw_prior(max(animals, 2048), 1)
    print(f"{animals} animals, OMP_NUM_THREADS {os.environ.get('OMP_NUM_THREADS', 'not set')}, one process")
    threads = solving.THREADS
    for n in (8, 24, 100):
        hours = np.geomspace(0.05, 168.0, n)
        MODEL.solve(many[:64], IV.given(CELLS), hours, fidelity="full")
        exact, _ = package(theta, hours, 1)
        one, all_ = (package(many, hours, t)[1] / len(many) * 1e6 for t in (1, threads))
        print(f"{n} hours")
        print(f"  package, 1 thread        {one:11.1f} us")
        print(f"  package, {threads} threads       {all_:11.1f} us")
        ways = {
            "libRoadRunner, its own": lambda hours=hours: by_roadrunner(theta, hours, None),
            "libRoadRunner, 1e-9": lambda hours=hours: by_roadrunner(theta, hours, 1e-9),
            f"scipy LSODA, {FEW}": lambda hours=hours: by_scipy(theta[:FEW], hours),
        }
        for name, way in ways.items():
            found, seconds = way()
            each = seconds / len(found) * 1e6
            off = np.abs(found - exact[: len(found)]).max() / CELLS
            print(f"  {name:<24} {each:11.1f} us  {each / one:8.0f} times one thread  off {off:.0e}")


if __name__ == "__main__":
    main()
