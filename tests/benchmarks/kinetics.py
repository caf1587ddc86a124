"""What one value and one gradient of the kinetics cost: the package beside other ways to the same numbers.

    python tests/benchmarks/kinetics.py [--figure FILE]

25 mice with MSC, each with rates of its own, seen at 5 hours in 7 organs; the gradient is that of one weighted sum, by
all rates of each animal. All ways solve the same lasting states, on one core and one BLAS thread:

- the package: uniformisation and its adjoint, compiled
- scipy expm: an exponential for each hour; gradient by the adjoint of expm_frechet
- PyTensor expm: the same by PyTensor's own operation and its gradient, compiled by numba
- scipy BDF: rtol 1e-8, the gradient by one forward sensitivity for each rate (two animals are timed)
- JAX expm, and diffrax (Kvaerno5, rtol 1e-8): all animals in one compiled call, gradient by JAX

JAX and diffrax are no dependencies of the package. To include them:

    python -m pip install --target FOLDER jax diffrax
    PYTHONPATH=FOLDER python tests/benchmarks/kinetics.py

Then the cost against the number of animals, and of the full system (by `lanes`) against the number of draws; and how
far the package is from the peak of the core. The last two columns tell how far each way is from the
package's numbers, as a share of the dose and of the largest slope by the logarithm of a rate.
"""

import importlib.util
import os
import sys
import time

import numpy as np
from numba import njit
from scipy.integrate import solve_ivp
from scipy.linalg import expm, expm_frechet
from scipy.sparse import csc_matrix, identity, kron

from pbpk.body.expansion import read_model
from pbpk.body.flows import respond, respond_adjoint
from pbpk.body.solve import solve
from pbpk.dosing import Dose

THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
HOURS = np.array([0.05, 1.0, 6.0, 24.0, 168.0])
ANIMALS = 25
MANY = (10, 30, 100, 300)


class Problem:
    """Rates of each animal, one bolus, what is seen in each organ, and the weights of the sum to differentiate."""

    def __init__(self, animals):
        self.model = model = read_model("msc", "mouse")
        rng = np.random.default_rng(1)
        z = 0.3 * rng.standard_normal((animals, len(model.parameters)))
        theta = np.stack([p.prior.value(z[:, i]) for i, p in enumerate(model.parameters)], axis=1)
        self.rates = model.rates(theta)
        self.source, self.target = model.source_states, model.target_states
        self.n, self.lasting = len(model.states), model.n_lasting
        self.schedule = model.schedule([Dose("iv", 100.0)])
        self.observers = np.array([model.observer(organ, "label") for organ in model.organs])
        self.bar = rng.standard_normal((animals, HOURS.size, len(model.organs)))

    def arrays(self):
        """All that the compiled functions take."""
        return (
            self.source,
            self.target,
            self.lasting,
            self.rates,
            self.schedule.entry,
            *self.schedule.times(),
            HOURS,
            self.observers,
        )


@njit
def package_value(source, target, lasting, rates, entry, starts, durations, every, since, hours, observers):
    """Percent of the dose in each organ, (animal, time, organ)."""
    out = np.empty((rates.shape[0], hours.size, observers.shape[0]))
    for a in range(rates.shape[0]):
        out[a] = respond(source, target, lasting, rates[a], entry, starts, durations, every, since, hours) @ observers.T
    return out


@njit
def package_both(source, target, lasting, rates, entry, starts, durations, every, since, hours, observers, bar):
    """The same, and the gradient of its weighted sum by the rates, (animal, arrow)."""
    out = np.empty((rates.shape[0], hours.size, observers.shape[0]))
    slope = np.empty_like(rates)
    for a in range(rates.shape[0]):
        states = respond(source, target, lasting, rates[a], entry, starts, durations, every, since, hours)
        out[a] = states @ observers.T
        slope[a] = respond_adjoint(
            source, target, lasting, rates[a], entry, starts, durations, every, since, hours, states, bar[a] @ observers
        )
    return out, slope


class Reduced:
    """One animal's lasting states, in numpy: K x after the passing states are taken out, and the chain rule back.

    With `turned` = -K_ff^-1, `held` = turned K_fs and `onward` = K_sf turned, a change dK of the whole matrix changes
    the reduced one by into dK back, where into = [I, onward] and back = [I; held].
    """

    def __init__(self, problem, rates):
        p, s = problem, problem.lasting
        self.problem, self.rates = p, rates
        k = np.zeros((p.n, p.n))
        np.add.at(k, (p.target, p.source), rates)
        np.add.at(k, (p.source, p.source), -rates)
        self.turned = np.linalg.inv(-k[s:, s:])
        self.back = np.vstack([np.eye(s), self.turned @ k[s:, :s]])
        self.into = np.hstack([np.eye(s), k[:s, s:] @ self.turned])
        self.k = self.into @ k @ self.back
        self.start = self.into @ p.schedule.entry[0]
        self.seen = p.observers @ self.back

    def slope(self, lasting, bar, k_bar, start_bar):
        """Gradient by the rates from that by K and start, and by what passing states show."""
        p, s = self.problem, self.problem.lasting
        whole = self.into.T @ k_bar @ self.back.T
        whole[s:] += self.turned.T @ (bar @ p.observers[:, s:]).T @ (lasting @ self.back.T)
        whole[:, s:] += np.outer(self.into.T @ start_bar, self.turned @ p.schedule.entry[0, s:])
        return whole[p.target, p.source] - whole[p.source, p.source]


def scipy_expm(problem, both):
    """An exponential for each animal and hour, and the adjoint of its Frechet derivative."""
    out, slopes = np.empty(problem.bar.shape), np.zeros(problem.rates.shape)
    for a, rates in enumerate(problem.rates):
        reduced = Reduced(problem, rates)
        lasting, k_bar, start_bar = np.empty((HOURS.size, problem.lasting)), 0.0, 0.0
        for m, hour in enumerate(HOURS):
            if both:
                ask = problem.bar[a, m] @ reduced.seen
                turned, slope = expm_frechet(reduced.k.T * hour, np.outer(ask, reduced.start), check_finite=False)
                lasting[m] = turned.T @ reduced.start
                k_bar, start_bar = k_bar + hour * slope, start_bar + turned @ ask
            else:
                lasting[m] = expm(reduced.k * hour) @ reduced.start
        out[a] = lasting @ reduced.seen.T
        if both:
            slopes[a] = reduced.slope(lasting, problem.bar[a], k_bar, start_bar)
    return (out, slopes) if both else out


def pytensor_expm():
    """The same with PyTensor's own exponential and its gradient; compiles two functions."""
    import pytensor
    import pytensor.tensor as pt

    k, start, ask, hour = pt.dmatrix("k"), pt.dvector("start"), pt.dvector("ask"), pt.dscalar("hour")
    lasting = pt.linalg.expm(k * hour) @ start
    value = pytensor.function([k, start, hour], lasting, mode="NUMBA", trust_input=True)
    slope = pytensor.function(
        [k, start, hour, ask], [lasting, *pytensor.grad(ask @ lasting, [k, start])], mode="NUMBA", trust_input=True
    )

    def run(problem, both):
        out, slopes = np.empty(problem.bar.shape), np.zeros(problem.rates.shape)
        for a, rates in enumerate(problem.rates):
            reduced = Reduced(problem, rates)
            lasting, k_bar, start_bar = np.empty((HOURS.size, problem.lasting)), 0.0, 0.0
            for m, hour in enumerate(HOURS):
                at = np.array(hour)
                if both:
                    lasting[m], by_k, by_start = slope(reduced.k, reduced.start, at, problem.bar[a, m] @ reduced.seen)
                    k_bar, start_bar = k_bar + by_k, start_bar + by_start
                else:
                    lasting[m] = value(reduced.k, reduced.start, at)
            out[a] = lasting @ reduced.seen.T
            if both:
                slopes[a] = reduced.slope(lasting, problem.bar[a], k_bar, start_bar)
        return (out, slopes) if both else out

    return run


def scipy_bdf(problem, both):
    """BDF over the lasting states; with a gradient, over those and their slope by each rate."""
    out, slopes = np.empty(problem.bar.shape), np.zeros(problem.rates.shape)
    s, source, target, given = problem.lasting, problem.source, problem.target, {"rtol": 1e-8, "atol": 1e-8}
    span = 0.0, HOURS[-1]
    for a, rates in enumerate(problem.rates):
        reduced = Reduced(problem, rates)
        k = reduced.k
        if not both:
            lasting = solve_ivp(lambda t, y, k=k: k @ y, span, reduced.start, "BDF", HOURS, jac=k, **given).y.T
            out[a] = lasting @ reduced.seen.T
            continue
        pushes = reduced.into[:, target] - reduced.into[:, source]  # of each arrow, for each cell that takes it
        fed = np.append(np.zeros(s), reduced.turned @ problem.schedule.entry[0, s:])[source]
        start = np.column_stack([reduced.start, pushes * fed])
        drawn = reduced.back[source]

        def slope(t, y, k=k, pushes=pushes, drawn=drawn, start=start):
            states = y.reshape(start.shape)
            dy = k @ states
            dy[:, 1:] += pushes * (drawn @ states[:, 0])
            return dy.ravel()

        # row (state, column) of the whole is state * columns + column; the first column drives the others
        columns = start.shape[1]
        driven = [
            (i * columns + 1 + arrow, j * columns) for i in range(s) for arrow in range(rates.size) for j in range(s)
        ]
        extra = (pushes[:, :, None] * drawn[None]).ravel()
        jacobian = kron(csc_matrix(k), identity(columns)) + csc_matrix(
            (extra, np.array(driven).T), shape=(start.size, start.size)
        )
        found = solve_ivp(slope, span, start.ravel(), "BDF", HOURS, jac=csc_matrix(jacobian), **given)
        states = found.y.T.reshape(HOURS.size, *start.shape)
        lasting = states[:, :, 0]
        out[a] = lasting @ reduced.seen.T
        slopes[a] = np.einsum("mo,os,msa->a", problem.bar[a], reduced.seen, states[:, :, 1:])
        slopes[a] += reduced.slope(lasting, problem.bar[a], np.zeros((s, s)), np.zeros(s))  # what passing states show
    return (out, slopes) if both else out


def jax_ways():
    """Value, and value and gradient, of all animals at once by JAX: through its expm, and through diffrax."""
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def states_by_expm(k, start):
        return jax.vmap(lambda hour: jax.scipy.linalg.expm(k * hour) @ start)(jnp.asarray(HOURS))

    def states_by_diffrax(k, start):
        term = diffrax.ODETerm(lambda t, y, k: k @ y)
        return diffrax.diffeqsolve(
            term, diffrax.Kvaerno5(), 0.0, HOURS[-1], 1e-3, start, k, saveat=diffrax.SaveAt(ts=jnp.asarray(HOURS)),
            stepsize_controller=diffrax.PIDController(rtol=1e-8, atol=1e-8), max_steps=1024,
        ).ys  # fmt: skip

    def way(states):
        compiled = {}

        def run(problem, both):
            p, s = problem, problem.lasting

            def one(rates):
                k = jnp.zeros((p.n, p.n)).at[p.target, p.source].add(rates).at[p.source, p.source].add(-rates)
                held = jnp.linalg.solve(-k[s:, s:], k[s:, :s])
                start = p.schedule.entry[0, :s] + k[:s, s:] @ jnp.linalg.solve(-k[s:, s:], p.schedule.entry[0, s:])
                lasting = states(k[:s, :s] + k[:s, s:] @ held, start)
                return jnp.hstack([lasting, lasting @ held.T]) @ p.observers.T

            def asked(rates, bar):
                out = jax.vmap(one)(rates)
                return (bar * out).sum(), out

            if both not in compiled:
                compiled[both] = jax.jit(jax.value_and_grad(asked, has_aux=True) if both else jax.vmap(one))
            if not both:
                return np.asarray(compiled[both](p.rates))
            (_, out), slope = compiled[both](p.rates, p.bar)
            return np.asarray(out), np.asarray(slope)

        return run

    return {"JAX expm": way(states_by_expm), "diffrax": way(states_by_diffrax)}


def best(call, least=0.3):
    """Shortest of several calls [s]; other work on the machine only lengthens them."""
    call()
    shortest, began = np.inf, time.perf_counter()
    while time.perf_counter() - began < least or shortest == np.inf:
        at = time.perf_counter()
        call()
        shortest = min(shortest, time.perf_counter() - at)
    return shortest


def peak():
    """Floating-point operations a second of one core, by a large matrix product."""
    a = np.random.default_rng(0).random((768, 768))
    return 2 * 768**3 / best(lambda: a @ a)


def operations(problem, both):
    """Additions and multiplications that uniformisation needs, all animals together."""
    total, n = 0, problem.lasting
    for rates in problem.rates:
        mean = -np.diag(Reduced(problem, rates).k).min() * HOURS
        first = np.maximum(0, mean - 9 * np.sqrt(mean) - 30)
        last = mean + 9 * np.sqrt(mean) + 30
        sums = 2 * n * (last - first).sum()
        steps = last.max()
        total += 2 * n * n * steps + sums
        if both:  # states again, their gradients, and the outer products of the two
            total += 6 * n * n * steps + sums
    return total


def compare(ways):
    """Print the table of ways."""
    problem = Problem(ANIMALS)
    truth, slope = package_both(*problem.arrays(), problem.bar)
    scaled = slope * problem.rates
    size = f"{problem.lasting} lasting states, {problem.rates.shape[1]} rates"
    print(
        f"{ANIMALS} animals x {HOURS.size} hours x {len(problem.model.organs)} organs; {size}; us per animal and hour\n"
    )
    header = (
        f"{'way':<16}{'value':>10}{'+gradient':>12}{'x value':>10}{'x gradient':>12}{'value off':>12}{'slope off':>12}"
    )
    print(header)
    costs = {}
    for name, run in ways.items():
        if run is None:
            print(f"{name:<16}  not installed")
            continue
        timed = Problem(ANIMALS)
        count = 2 if name == "scipy BDF" else ANIMALS
        timed.rates, timed.bar = timed.rates[:count], timed.bar[:count]
        out, its_slope = run(timed, True)
        off = np.abs(out - truth[:count]).max() / 100
        slope_off = np.abs(its_slope * timed.rates - scaled[:count]).max() / np.abs(scaled).max()
        costs[name] = [
            best(lambda both=both, run=run, timed=timed: run(timed, both)) / count / HOURS.size * 1e6
            for both in (False, True)
        ]
        value, gradient = costs[name]
        ours = costs["package"]
        print(f"{name:<16}{value:>10.2f}{gradient:>12.2f}{value / ours[0]:>10.1f}{gradient / ours[1]:>12.1f}"
              f"{off:>12.0e}{slope_off:>12.0e}")  # fmt: skip
    speed = peak()
    print(f"\none core, product of large matrices: {speed / 1e9:.1f} Gflop/s")
    for both, cost in zip((False, True), costs["package"], strict=True):
        needed = operations(problem, both) / ANIMALS / HOURS.size
        name = "value + gradient" if both else "value"
        print(f"{name:<16} needs {needed / 1e3:.1f} kflop per animal and hour: at least "
              f"{needed / speed * 1e6:.2f} us; takes {cost / (needed / speed * 1e6):.1f} times that")  # fmt: skip


def grow():
    """Print cost against how many."""
    print(
        f"\n{'how many':>8}{'value':>12}{'+gradient':>12}{'full, 1 draw each':>20}   us per animal or draw, all hours"
    )
    costs = []
    for many in MANY:
        problem = Problem(many)
        arrows = problem.source, problem.target
        calls = [
            lambda p=problem: package_value(*p.arrays()),
            lambda p=problem: package_both(*p.arrays(), p.bar),
            lambda p=problem, arrows=arrows: solve(*arrows, p.n, p.rates, p.schedule, HOURS),
        ]
        costs.append([best(call) for call in calls])
        print(
            f"{many:>8}"
            + "".join(f"{cost / many * 1e6:>{w}.1f}" for cost, w in zip(costs[-1], (12, 12, 20), strict=True))
        )
    powers = np.polyfit(np.log(MANY), np.log(costs), 1)[0]
    print("time grows as the number to the power " + ", ".join(f"{power:.2f}" for power in powers))
    return np.array(costs)


def draw(costs, path):
    """Cost against how many, on logarithms: a line of slope one is a cost that grows as the number."""
    import matplotlib.pyplot as plt

    names = ("value, blood in balance", "value and gradient, blood in balance", "value, blood and tissue (forecasts)")
    figure, axes = plt.subplots(figsize=(5.2, 3.2), layout="constrained")
    for cost, name, mark in zip(costs.T, names, "os^", strict=True):
        (line,) = axes.loglog(MANY, 1e3 * cost, mark, label=name, markersize=5)
        axes.loglog(MANY, 1e3 * cost[-1] * np.array(MANY) / MANY[-1], "-", color=line.get_color(), linewidth=0.8)
    axes.set(xlabel="animals or draws", ylabel=f"time for {HOURS.size} hours each, one core [ms]")
    axes.legend(frameon=False, fontsize=8, title="lines: proportional to the number", title_fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)
    print(f"Written: {path}")


def main():
    """Measure all that is installed."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    load = f", load {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
    print(f"threads: BLAS {os.environ['OPENBLAS_NUM_THREADS']}, numba 1, process on one core{load}")
    installed = all(importlib.util.find_spec(name) for name in ("jax", "diffrax"))
    compare(
        {
            "package": lambda p, both: package_both(*p.arrays(), p.bar) if both else package_value(*p.arrays()),
            "scipy expm": scipy_expm,
            "PyTensor expm": pytensor_expm(),
            "scipy BDF": scipy_bdf,
            **(jax_ways() if installed else {"JAX expm": None, "diffrax": None}),
        }
    )
    costs = grow()
    if "--figure" in sys.argv[1:-1]:
        draw(costs, sys.argv[sys.argv.index("--figure") + 1])


if __name__ == "__main__":
    if any(os.environ.get(name) != count for name, count in THREADS.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | THREADS)  # numpy has read them by now
    main()
