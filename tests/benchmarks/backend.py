"""Which way to compile the sampler: time to a compiled gradient, cold and warm, and time of one gradient.

    python tests/benchmarks/backend.py

The same likelihood of the T-cell study three ways, each in a process of its own: through the package's compiled
operation (numba); through PyTensor's own expm and solve, compiled by numba; and those compiled by JAX, if JAX is
installed. "Cold" starts from an empty PyTensor cache, "warm" repeats it. BLAS and sampler run on one thread.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
WAYS = ("package-numba", "stock-numba", "stock-jax")


def stock_model(joint):
    """The joint likelihood with the kinetics written in PyTensor's stock operations."""
    import numpy as np
    import pymc as pm
    import pytensor.tensor as pt

    from pbpk.infer.density.likelihood import _log_likelihood, measured_in

    model = joint.model
    n, lasting = len(model.states), model.n_lasting
    with pm.Model(coords={"parameter": [p.name for p in joint.free]}) as built:
        z = pm.Normal("z", dims="parameter")
        place = {p.name: i for i, p in enumerate(joint.free)}
        values = [p.prior.value(z[place[p.name]], pt) if p.name in place else p.prior.centre for p in model.parameters]
        symbols = [*values, *model.settled]
        full = pt.zeros((n, n))
        arrow = 0
        for family in model.families:
            for i in range(len(family.organs)):
                rate = family.rate.evaluate({name: symbols[at[i]] for name, at in family.symbols.items()}, pt)
                source, target = int(model.source_states[arrow]), int(model.target_states[arrow])
                full = pt.inc_subtensor(full[target, source], rate)
                full = pt.inc_subtensor(full[source, source], -rate)
                arrow += 1
        through = pt.linalg.solve(full[lasting:, lasting:], full[lasting:, :lasting])
        reduced = full[:lasting, :lasting] - full[:lasting, lasting:] @ through
        seen = []
        for experiment in joint.experiments:
            entry = pt.as_tensor(experiment.schedule.entry[0])
            start = entry[:lasting] - full[:lasting, lasting:] @ pt.linalg.solve(
                full[lasting:, lasting:], entry[lasting:]
            )
            rows = list(experiment.rows)
            states = [pt.linalg.expm(reduced * float(hour)) @ start for hour in experiment.hours]
            states = pt.stack([pt.concatenate([x, -through @ x]) for x in states])
            picked = states[np.array(experiment.at)]
            seen.append(
                pt.stack([(picked * weights[rows]).sum(axis=-1) for weights in (joint.observers, joint.recovery)])
            )
        pm.Potential(
            "counts", _log_likelihood(joint, joint.theta(z, pt), seen, "dose", pt.zeros(0), measured_in(joint))
        )
    return built


def measure(way):
    """Seconds to compile, and microseconds of one value and gradient at the prior's centre."""
    import numpy as np

    from pbpk.assay.counts import count_cells
    from pbpk.assay.study import read_study
    from pbpk.infer.density.likelihood import build
    from pbpk.infer.matched.joint import join
    from pbpk.predict.record import model_of

    study = read_study(ROOT / "data" / "khot_2019_t_cells_mouse")
    joint = join(model_of(study), count_cells(study))
    built = build(joint) if way == "package-numba" else stock_model(joint)
    began = time.perf_counter()
    function = built.logp_dlogp_function(ravel_inputs=True, mode="JAX" if way.endswith("jax") else "NUMBA")
    function.set_extra_values({})
    at = np.zeros(len(joint.free))
    value, gradient = function(at)
    compiled = time.perf_counter() - began
    repeats = 200
    began = time.perf_counter()
    for _ in range(repeats):
        function(at)
    each = (time.perf_counter() - began) / repeats
    print(
        json.dumps(
            {"compile": compiled, "gradient": each * 1e6, "value": float(value), "norm": float((gradient**2).sum())}
        )
    )


def main():
    """Print the table."""
    print(f"{'way':<16}{'cold compile s':>16}{'warm compile s':>16}{'gradient us':>14}{'log-density':>14}")
    for way in WAYS:
        with tempfile.TemporaryDirectory() as cache:
            threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
            environment = (
                os.environ | threads | {"PYTENSOR_FLAGS": f"base_compiledir={cache}", "NUMBA_CACHE_DIR": cache}
            )
            found = []
            for _ in range(2):
                done = subprocess.run(
                    [sys.executable, __file__, way], env=environment, capture_output=True, text=True, check=False
                )
                if done.returncode:
                    break
                found.append(json.loads(done.stdout.splitlines()[-1]))
        if len(found) < 2:
            print(f"{way:<16}  not measured: {done.stderr.strip().splitlines()[-1][:90]}")
            continue
        cold, warm = found
        print(
            f"{way:<16}{cold['compile']:>16.1f}{warm['compile']:>16.1f}{warm['gradient']:>14.0f}{warm['value']:>14.4f}"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1])
    else:
        main()
