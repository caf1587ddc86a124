"""The reference fit: seconds, effective draws and memory of the package beside other systems with the same model.

    python tests/benchmarks/reference_fit.py [--limit SECONDS] [--flat] [--only SYSTEM,...]

50 virtual mice with FND-labelled MSC, each giving its seven organs once: 350 counts, 129 of them below the limit of
their organ. Plain numbers, no light. Animals differ in what they were really given by a log-normal factor common to all
their organs (`--flat` leaves that out). Blood in balance, 4 chains, 2 at a time, one thread each. The systems:

- package: `pbpk.fit` as it stands, and a second fit in the same process
- PyMC: PyTensor's stock expm and solve, compiled by numba, sampled by nutpie
- NumPyro: JAX's expm and solve, its own NUTS
- Stan: matrix_exp and its own NUTS, through pystan

The peers are no dependencies of the package. To include them, in an environment of their own beside the package's:

    python3.12 -m venv PEERS
    echo "$(.venv/bin/python -c 'import numpy; print(numpy.__path__[0].removesuffix("/numpy"))')" \
        > PEERS/lib/python3.12/site-packages/package.pth
    PEERS/bin/pip install jax numpyro pystan==3.14.0 httpstan==4.17.0
    PYTHONPATH=. PEERS/bin/python tests/benchmarks/reference_fit.py

Each system runs in processes of its own: one for its log-density at five random points beside the package's, and for
the time of a gradient; one that compiles, which fills what is kept on disk; then the one that is measured, from
its first import to its last draw. A peer that would sample for longer than `--limit` takes fewer draws: nothing is
extrapolated. With a limit of 0 only densities are compared. CPU seconds are told beside those of the clock, as other
work on the machine lengthens the latter.
"""

import argparse
import csv
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BEGAN = time.perf_counter()
ROOT = Path(__file__).parents[2]
NEEDS = {"package": (), "PyMC": (), "NumPyro": ("jax", "numpyro"), "Stan": ("stan", "httpstan")}
CHAINS, CORES, SEED = 4, 2, 1
PEER = {"tune": 600, "draws": 1000}
ACCEPT = 0.9  # of the peers: at their defaults of 0.8 some of them diverge here
STEPS = 40  # leapfrog steps a draw, warm-up included, that the limit is judged by
POINTS = 5
NEAR = 0.3  # SDs of the prior that they lie about its middle: far out the quadratures of the peers miss a narrow peak
ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"),
    "XLA_FLAGS": f"--xla_force_host_platform_device_count={CORES} --xla_cpu_multi_thread_eigen=false",
    "JAX_PLATFORMS": "cpu",
}
HIERARCHY = '\n[between.dose]\nprior = "lognormal(median=0.1, sigma=0.5)"\nsource = "virtual"\n'


def write_study(folder, hierarchical):
    """Write the synthetic study at the level of counts: values above the limit of their row, or that limit."""
    from pbpk.assay.counts import count_cells
    from pbpk.assay.study import read_study

    given = ROOT / "data" / "synthetic_fnd_mouse"
    about = (given / "study.toml").read_text(encoding="utf-8")
    (folder / "study.toml").write_text(about + HIERARCHY * hierarchical, encoding="utf-8")
    (folder / "doses.csv").write_text((given / "doses.csv").read_text(encoding="utf-8"), encoding="utf-8")
    with (folder / "measurements.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["group", "animal", "organ", "hours", "value", "unit", "lloq", "below_lloq", "readout", "source"])
        for row in count_cells(read_study(given)).table.to_dict("records"):
            below = not row["percent"] > row["lloq"]
            value = "" if below else repr(row["percent"])
            out.writerow([row["group"], row["animal"], row["organ"], repr(row["hours"]), value, "percent_dose",
                          repr(row["lloq"]), str(below).lower(), row["readout"], "virtual"])  # fmt: skip


def joint_of(folder):
    """Model and counts of the study in a folder, matched."""
    from pbpk.assay.counts import count_cells
    from pbpk.assay.study import read_study
    from pbpk.infer.matched.joint import join
    from pbpk.predict.record import model_of

    study = read_study(folder)
    return join(model_of(study), count_cells(study))


def points(joint):
    """Random points of the sampler's vector near the middle of the prior, (point, free)."""
    import numpy as np

    return NEAR * np.random.default_rng(SEED).standard_normal((POINTS, len(joint.free)))


# ---- log-density and gradient: name -> (log-densities, microseconds of one gradient)


def best(call, least=2.0):
    """Shortest CPU time of several calls [us]; other work on the machine only lengthens it."""
    call()
    shortest, began = float("inf"), time.perf_counter()
    while time.perf_counter() - began < least:
        at = time.process_time()
        for _ in range(20):
            call()
        shortest = min(shortest, (time.process_time() - at) / 20)
    return shortest * 1e6


def by_pytensor(built, given):
    """Log-densities and gradient of a PyMC model."""
    function = built.logp_dlogp_function(ravel_inputs=True, mode="NUMBA")
    function.set_extra_values({})
    logp = built.compile_logp()
    return [float(logp({"z": z})) for z in given], best(lambda: function(given[0]))


def density_package(facts):
    """The package's."""
    from pbpk.infer.density.likelihood import build

    return by_pytensor(build(facts.joint), points(facts.joint))


def density_pymc(facts):
    """PyMC's."""
    from peers import pymc_model

    return by_pytensor(pymc_model(facts), points(facts.joint))


def density_numpyro(facts):
    """NumPyro's."""
    from peers import numpyro_model

    model = numpyro_model(facts)
    import jax
    from numpyro.infer.util import log_density

    both = jax.jit(jax.value_and_grad(lambda z: log_density(model, (), {}, {"z": z})[0]))
    given = points(facts.joint)
    return [float(both(z)[0]) for z in given], best(lambda: jax.block_until_ready(both(given[0])))


def density_stan(facts):
    """Stan's; its server takes longer to answer than Stan to compute, so its gradient is not timed."""
    built = stan_built(facts)
    return [built.log_prob(z.tolist(), adjust_transform=False) for z in points(facts.joint)], None


def stan_built(facts):
    """Stan's model, built or from its cache."""
    import httpstan.compile
    import stan
    from peers import stan_model

    program, data = stan_model(facts)
    given = httpstan.compile.subprocess.run
    # it gives Stan's compiler one second, and the whole build five minutes: too short on a machine with other work
    httpstan.compile.subprocess.run = lambda *what, **how: given(*what, **{**how, "timeout": 300})
    return stan.build(program, data=data, random_seed=SEED)


# ---- fits: name -> draws (chain, draw, parameter) and counts


def fewer(limit, gradient_us):
    """Warm-up and draws of a peer that fit the limit, judged by its gradient."""
    rounds = -(-CHAINS // CORES)
    needed = rounds * (PEER["tune"] + PEER["draws"]) * STEPS * (gradient_us or 0.0) / 1e6
    part = min(1.0, limit / needed) if needed else 1.0
    return {"tune": max(200, int(part * PEER["tune"])), "draws": max(100, int(part * PEER["draws"]))}


def fit_package(joint, facts, limit, gradient_us, compile_only):
    """The package's own fit, twice."""
    import numpy as np

    from pbpk.infer.draws.fit import fit

    given = {"chains": CHAINS, "seed": SEED}
    if compile_only:
        fit(joint.model, joint.counts, draws=50, tune=50, **given)
        return None
    found = fit(joint.model, joint.counts, **given)
    out = {"compile": found.seconds["compile"], "sample": found.seconds["sample"]}
    began, used = time.perf_counter(), os.times()
    warm = fit(joint.model, joint.counts, **{**given, "seed": SEED + 1})
    out |= {"warm": time.perf_counter() - began, "warm passed": warm.diagnostics.passed,
            "warm cpu": sum(os.times()[:2]) - sum(used[:2])}  # fmt: skip
    data, stats = found.tree["posterior"].to_dataset(), found.tree["sample_stats"].to_dataset()
    moving = [x.to_numpy().reshape(*x.shape[:2], -1) for x in data.values() if np.ptp(x.to_numpy()) > 0.0]
    out |= {"draws": np.concatenate(moving, axis=-1), "steps": float(stats["n_steps"].mean()),
            "divergences": int(stats["diverging"].sum())}  # fmt: skip
    return out


def fit_pymc(joint, facts, limit, gradient_us, compile_only):
    """PyTensor's stock operations, sampled by nutpie."""
    import nutpie
    from peers import pymc_model

    began = time.perf_counter()
    compiled = nutpie.compile_pymc_model(pymc_model(facts))
    out = {"compile": time.perf_counter() - began}
    if compile_only:
        return None
    began = time.perf_counter()
    tree = nutpie.sample(compiled, chains=CHAINS, cores=CORES, seed=SEED, target_accept=ACCEPT, progress_bar=False,
                         save_warmup=False, adaptation="low_rank", **fewer(limit, gradient_us))  # fmt: skip
    out["sample"] = time.perf_counter() - began
    stats = tree["sample_stats"].to_dataset()
    return out | {"draws": tree["posterior"]["z"].to_numpy(), "steps": float(stats["n_steps"].mean()),
                  "divergences": int(stats["diverging"].sum())}  # fmt: skip


def fit_numpyro(joint, facts, limit, gradient_us, compile_only):
    """JAX, sampled by NumPyro; two chains at a time, each on a device of its own."""
    import numpy as np
    from peers import numpyro_model

    model = numpyro_model(facts)
    import jax
    from numpyro.infer import MCMC, NUTS

    asked = fewer(limit, gradient_us)
    began = time.perf_counter()
    mcmc = MCMC(NUTS(model, target_accept_prob=ACCEPT), num_warmup=asked["tune"], num_samples=asked["draws"],
                num_chains=CORES, chain_method="parallel", progress_bar=False)  # fmt: skip
    if compile_only:
        return None  # nothing of it is kept on disk
    ran, parts, steps, divergences = [], [], [], 0
    for turn in range(CHAINS // CORES):
        at = time.perf_counter()
        mcmc.run(jax.random.PRNGKey(SEED + turn), extra_fields=("num_steps", "diverging"))
        samples = mcmc.get_samples(group_by_chain=True)
        jax.block_until_ready(samples)
        ran.append(time.perf_counter() - at)
        fields = mcmc.get_extra_fields(group_by_chain=True)
        parts.append(np.asarray(samples["z"]))
        steps.append(float(fields["num_steps"].mean()))
        divergences += int(fields["diverging"].sum())
    # the first turn compiles; its sampling is taken to last as long as the others
    sample = CHAINS // CORES * ran[-1]
    return {"compile": time.perf_counter() - began - sample, "sample": sample, "draws": np.concatenate(parts),
            "steps": float(np.mean(steps)), "divergences": divergences}  # fmt: skip


def fit_stan(joint, facts, limit, gradient_us, compile_only):
    """Stan, its chains in processes of the server's own."""
    began = time.perf_counter()
    built = stan_built(facts)
    out = {"compile": time.perf_counter() - began}
    if compile_only:
        return None
    asked = fewer(limit, gradient_us or 5000.0)
    began = time.perf_counter()
    found = built.sample(num_chains=CHAINS, num_warmup=asked["tune"], num_samples=asked["draws"], delta=ACCEPT)
    out["sample"] = time.perf_counter() - began

    drawn = found["z"]  # (parameter, draw and chain), chains running fastest
    return out | {"draws": drawn.reshape(drawn.shape[0], -1, CHAINS).transpose(2, 1, 0),
                  "steps": float(found["n_leapfrog__"].mean()),
                  "divergences": int(found["divergent__"].sum())}  # fmt: skip


WAYS = {
    "package": (density_package, fit_package),
    "PyMC": (density_pymc, fit_pymc),
    "NumPyro": (density_numpyro, fit_numpyro),
    "Stan": (density_stan, fit_stan),
}


def judged(draws):
    """Largest R-hat and least bulk ESS of draws (chain, draw, parameter)."""
    import arviz as az
    import xarray as xr

    data = xr.Dataset({"x": (("chain", "draw", "parameter"), draws)})
    return float(az.rhat(data)["x"].max()), float(az.ess(data, method="bulk")["x"].min())


def one(name, stage, folder, limit, gradient_us):
    """What a process of one system does; prints its findings as JSON."""
    from peers import Facts

    joint = joint_of(Path(folder))
    facts = Facts(joint)
    density, fit = WAYS[name]
    if stage == "density":
        found = dict(zip(("values", "gradient"), density(facts), strict=True))
        print(json.dumps(found))
        return
    ready, load = time.perf_counter(), os.getloadavg()[0]
    out = fit(joint, facts, limit, gradient_us, stage == "compile")
    if out is None:
        print(json.dumps({"whole": time.perf_counter() - BEGAN}))
        return
    whole = time.perf_counter() - BEGAN - out.get("warm", 0.0)
    used = os.times()
    draws = out.pop("draws")
    rhat, ess = judged(draws)
    memory = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps(out | {
        "import": ready - BEGAN, "whole": whole, "cpu": sum(used[:4]) - out.get("warm cpu", 0.0), "rhat": rhat,
        "ess": ess, "kept": draws.shape[1], "parameters": draws.shape[2], "memory": max(memory),
        "load": (load + os.getloadavg()[0]) / 2,
    }))  # fmt: skip


def ask(name, stage, folder, limit, gradient_us=None):
    """Findings of one system's process; None where it fails, with the last line that it said."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, __file__, "--one", name, stage, str(folder), str(limit), json.dumps(gradient_us)],
        env=os.environ | ENVIRONMENT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        print(f"{name:<9}{stage}: failed, {(done.stderr.strip().splitlines() or ['?'])[-1][:100]}")
        return None
    return json.loads(done.stdout.splitlines()[-1]) | {"outside": time.perf_counter() - began}


def compare(folder, names, limit):
    """Run every system and print what it took."""
    truth, rows = None, {}
    print("the same log-density at five random points, up to a constant: farthest from the package's; one gradient")
    for name in names:
        found = ask(name, "density", folder, limit)
        if found is None:
            continue
        moved = [value - found["values"][0] for value in found["values"]]
        truth = truth or moved
        off = max(abs(a - b) for a, b in zip(moved, truth, strict=True))
        took = "told by the fit" if found["gradient"] is None else f"{found['gradient']:.0f} us of CPU"
        print(f"{name:<9}{off:>10.1e}   {took}", flush=True)
        if limit == 0.0:
            continue
        first = ask(name, "compile", folder, limit)
        measured = first and ask(name, "fit", folder, limit, found["gradient"])
        if measured:
            rows[name] = measured | {"first": first["whole"], "gradient": found["gradient"]}
    if rows:
        table(rows)


def table(rows):
    """Print the table, and the ratio to the best peer."""
    heads = ("first s", "import s", "compile s", "sample s", "whole s", "cpu s", "gradient us", "steps", "draws",
             "div.", "R-hat", "min ESS", "ESS/s", "ESS/s whole", "ESS/s cpu", "MiB", "load")  # fmt: skip
    print("\n" + f"{'':<9}" + "".join(f"{head:>12}" for head in heads))
    speeds = {}
    for name, x in rows.items():
        speeds[name] = x["ess"] / x["sample"], x["ess"] / x["whole"], x["ess"] / x["cpu"]
        gradient = "" if x["gradient"] is None else f"{x['gradient']:.0f}"
        shown = [f"{x[key]:.1f}" for key in ("first", "import", "compile", "sample", "whole", "cpu")]
        shown += [gradient, f"{x['steps']:.1f}", f"{CHAINS} x {x['kept']}", str(x["divergences"]), f"{x['rhat']:.3f}"]
        shown += [f"{x['ess']:.0f}", *(f"{speed:.2f}" for speed in speeds[name])]
        shown += [f"{x['memory']:.0f}", f"{x['load']:.1f}"]
        print(f"{name:<9}" + "".join(f"{cell:>12}" for cell in shown))
    peers = [name for name in speeds if name != "package"]
    if peers and "package" in speeds:
        best_peer = [max(peers, key=lambda name, k=k: speeds[name][k]) for k in range(3)]
        times = [f"{speeds['package'][k] / speeds[peer][k]:.1f} times {peer}" for k, peer in enumerate(best_peer)]
        print(f"\npackage over the best peer: sampling {times[0]}, whole {times[1]}, by CPU {times[2]}")
    if "warm" in rows.get("package", {}):
        x = rows["package"]
        print(f"package, a second fit in the same process: {x['warm']:.1f} s, {x['warm cpu']:.1f} of CPU; "
              f"{'passed' if x['warm passed'] else 'did not pass'}")  # fmt: skip


def main():
    """Measure all that is installed."""
    if "--one" in sys.argv:
        name, stage, folder, limit, gradient_us = sys.argv[sys.argv.index("--one") + 1 :]
        one(name, stage, folder, float(limit), json.loads(gradient_us))
        return
    asked = argparse.ArgumentParser()
    asked.add_argument("--limit", type=float, default=600.0)
    asked.add_argument("--flat", action="store_true")
    asked.add_argument("--only", default=",".join(NEEDS))
    given = asked.parse_args()
    hierarchical = not given.flat
    names = []
    for name in given.only.split(","):
        if all(importlib.util.find_spec(need) for need in NEEDS[name]):
            names.append(name)
        else:
            print(f"{name:<9}not installed")
    load = f", load {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
    what = "animals differ in what they were given" if hierarchical else "all animals are given the same"
    print(f"{CHAINS} chains, {CORES} at a time, one thread each{load}; {what}")
    with tempfile.TemporaryDirectory() as folder:
        write_study(Path(folder), hierarchical)
        compare(Path(folder), names, given.limit)


if __name__ == "__main__":
    main()
