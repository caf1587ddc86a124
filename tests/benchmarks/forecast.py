"""What a forecast costs: blood and tissue together, many draws of one scenario, beside other ways to the same numbers.

    python tests/benchmarks/forecast.py [--draws 1000]

MSC in the mouse, one bolus of 1 into a vein, rates of each draw from the prior, hours evenly spaced in their logarithm
from 3 min to 14 d. All ways solve all states; us per draw, the shortest of several calls:

- package: eight draws in the lanes of vectors (`lanes`), on one thread and on all
- one by one: the same arithmetic for one draw at a time (`leaps`)
- scipy LSODA and Radau: rtol 1e-8, atol 1e-12, with the matrix as Jacobian (few draws are timed)
- scipy expm: from each hour to the next by an exponential (few draws)

The last column is the largest difference from the package, as a share of the dose, at the most hours.
Another way is one more function in `WAYS`: it takes a `Problem` and returns (draw, time, state).
"""

import argparse
import os
import sys
import time
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import pbpk.body.solve as solving
from pbpk.body.elimination import matrix, network
from pbpk.body.expansion import read_model
from pbpk.body.leaps import leap
from pbpk.body.model import Model
from pbpk.dosing import Dose

ONE_BLAS_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
COUNTS = (8, 16, 54, 100, 200)
DOSES = [Dose("iv", 1.0)]


@dataclass(frozen=True)
class Problem:
    """A model, (draw, parameter) and (time,) [h]."""

    model: Model
    theta: np.ndarray
    hours: np.ndarray

    @cached_property
    def start(self):
        """Where the bolus enters, (state,)."""
        return self.model.schedule(DOSES).entry[0]

    def matrices(self):
        """K of each draw [1/h]."""
        arrows = self.model.source_states, self.model.target_states
        return [matrix(network(*arrows, rates, self.start.size)) for rates in self.model.rates(self.theta)]


def package(problem, threads):
    """Follow all draws with `Model.solve`."""
    before, solving.THREADS = solving.THREADS, threads
    try:
        return problem.model.solve(problem.theta, DOSES, problem.hours, fidelity="full")
    finally:
        solving.THREADS = before


def package_on_one_thread(problem):
    return package(problem, 1)


def package_on_all_threads(problem):
    return package(problem, solving.THREADS)


def one_by_one(problem):
    """Powers of each draw's own matrix, in turn."""
    return np.array([leap(k, problem.start, problem.hours) for k in problem.matrices()])


def scipy_integrator(method):
    """Integrate with the matrix as Jacobian."""

    def run(problem):
        span, accuracy = (0.0, problem.hours[-1]), {"rtol": 1e-8, "atol": 1e-12}
        jac = {"LSODA": lambda k: lambda t, y: k, "Radau": lambda k: k}[method]
        return np.array([
            solve_ivp(lambda t, y, k=k: k @ y, span, problem.start, method, problem.hours, jac=jac(k), **accuracy).y.T
            for k in problem.matrices()
        ])  # fmt: skip

    return run


def scipy_expm(problem):
    """Exponential of each gap between hours."""
    out = np.empty((len(problem.theta), problem.hours.size, problem.start.size))
    for of_draw, k in zip(out, problem.matrices(), strict=True):
        x, now = problem.start, 0.0
        for m, hour in enumerate(problem.hours):
            x = of_draw[m] = expm(k * (hour - now)) @ x
            now = hour
    return out


WAYS = {  # name: function, and how many draws are timed at the most
    "package, 1 thread": (package_on_one_thread, None),
    "package, all threads": (package_on_all_threads, None),
    "one by one": (one_by_one, 100),
    "scipy expm": (scipy_expm, 2),
    "scipy LSODA": (scipy_integrator("LSODA"), 2),
    "scipy Radau": (scipy_integrator("Radau"), 2),
}


def best(call, least=0.5):
    """Shortest of several calls [s] and what the last returned; other work on the machine only lengthens them."""
    found = call()
    shortest, began = np.inf, time.perf_counter()
    while time.perf_counter() - began < least or shortest == np.inf:
        at = time.perf_counter()
        found = call()
        shortest = min(shortest, time.perf_counter() - at)
    return shortest, found


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description="What a forecast costs.")
    parser.add_argument("--draws", type=int, default=1000)
    draws = parser.parse_args().draws
    load = f", load {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
    print(f"threads: package {solving.THREADS} where it says all, BLAS {os.environ['OPENBLAS_NUM_THREADS']}{load}")
    model = read_model("msc", "mouse", "FND")
    whole = Problem(model, model.draw_prior(draws, seed=1), np.zeros(0))
    print(f"{draws} draws, {len(model.states)} states, {whole.model.rates(whole.theta).shape[1]} arrows; us per draw\n")
    print(f"{'times':<22}" + "".join(f"{count:>10}" for count in COUNTS) + f"{'largest off':>14}")
    for name, (way, most) in WAYS.items():
        costs = []
        for count in COUNTS:
            problem = replace(whole, theta=whole.theta[:most], hours=np.geomspace(0.05, 336.0, count))
            cost, found = best(lambda way=way, problem=problem: way(problem))
            costs.append(cost / len(problem.theta) * 1e6)
        off = np.abs(found - package_on_one_thread(problem)).max()
        print(f"{name:<22}" + "".join(f"{cost:>10.1f}" for cost in costs) + f"{off:>14.0e}")


if __name__ == "__main__":
    if any(os.environ.get(name) != count for name, count in ONE_BLAS_THREAD.items()):
        os.execve(
            sys.executable, [sys.executable, *sys.argv], os.environ | ONE_BLAS_THREAD
        )  # numpy has read them by now
    main()
