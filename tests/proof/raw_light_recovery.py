"""From raw light back to the truth, over many virtual studies whose truth is drawn from the prior.

Each study has its own body, scatter, animals, plates and light; the fit is the shipped one. If everything between a
photon and a posterior is right, 95 % intervals hold the truth 95 times in 100, for every parameter, and the rank of the
truth among the draws is uniform. Beside it: the mean over a study's animals of what all organs hold together, whose
interval is right only with the doubt that organs share.

Run: python tests/proof/raw_light_recovery.py --seeds 100
"""

import argparse
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402
from scipy import stats  # noqa: E402

DRAWS, TUNE, CHAINS = 400, 400, 2
BATCH = 16  # studies after which workers start anew
HOURS, ANIMALS = [1.0, 24.0, 168.0], 3


def imagined(seed, part, again):
    """A small study whose truth is a draw from the prior; `part` of the usual share of each digest is read.

    again : how often its plates were refused and read anew
    """
    from pbpk.body.expansion import read_model
    from pbpk.predict.virtual import imagine, read_virtual

    asked = read_virtual("fnd_mouse")
    noise = {p.name: p.prior for p in read_model(asked.model, asked.species, asked.label).noise}
    z = np.random.default_rng([seed, 1]).standard_normal(2)
    organs = {name: fate.model_copy(update={"fraction": fate.fraction * part}) for name, fate in asked.organs.items()}
    truth = asked.truth.model_copy(update={"seed": 1000 + seed, "parameters": {}})
    scatter = {"spread": float(noise["spread"].value(z[0])), "misfit": float(noise["misfit"].value(z[1]))}
    small = {"hours": HOURS, "animals": ANIMALS, "organs": organs, "truth": truth, **scatter}
    return imagine(asked.model_copy(update=small), seed + 10_000 * again)


def one(seed):
    """Ranks of the truth in one study, and whether its organs and their sum are covered."""
    import nutpie
    from pytensor.configdefaults import config

    from pbpk.assay.counts import count_cells
    from pbpk.errors import AssayError
    from pbpk.infer.density.likelihood import build
    from pbpk.infer.matched.joint import join
    from pbpk.predict.record import model_of
    from pbpk.predict.virtual import as_study

    began = time.perf_counter()
    part, refused = 1.0, 0
    while True:
        made = imagined(seed, part, refused)
        study = as_study(made)
        try:
            counts = count_cells(study)
            break
        except AssayError as problem:  # a laboratory dilutes what reads too high, and reads a refused plate again
            if "dilute" in str(problem):
                part /= 5.0
            else:
                refused += 1
            if refused > 5:
                raise
    joint = join(model_of(study), counts)
    with config.change_flags(numba__fastmath=False):
        compiled = nutpie.compile_pymc_model(build(joint))
    sampled = nutpie.sample(compiled, draws=DRAWS, tune=TUNE, chains=CHAINS, cores=1, seed=seed, target_accept=0.95,
                            adaptation="low_rank", progress_bar=False)  # fmt: skip
    theta = joint.theta(sampled["posterior"]["z"].to_numpy()).reshape(-1, len(joint.names))
    free = [p.name for p in joint.free]
    ranks = {n: float((theta[:, joint.names.index(n)] < made.parameters[n]).mean()) for n in free}
    percent, own, _ = counts.signals.estimates()
    covariance = counts.signals.covariance()
    keys = ["group", "animal", "organ", "hours"]
    truth = made.cells.set_index(keys)["percent"]
    rows = counts.table.iloc[counts.signals.rows]
    held = truth.loc[list(rows[keys].itertuples(index=False, name=None))].to_numpy()
    off, sd = percent - held, np.sqrt(np.diag(covariance))
    return {
        "seed": seed, "ranks": ranks, "seconds": time.perf_counter() - began,
        "divergences": int(sampled["sample_stats"]["diverging"].sum()),
        "organs": float((np.abs(off) < 1.96 * sd).mean()), "n_organs": len(off), "part": part, "refused": refused,
        "sum_shared": float(off.sum() / np.sqrt(covariance.sum())),
        "sum_alone": float(off.sum() / np.sqrt((sd**2).sum())),
        "sum_own": float(off.sum() / np.sqrt((own**2).sum())),
    }  # fmt: skip


def report(found):
    """Coverage with the interval that chance allows, and how uniform ranks are."""
    n = len(found)
    ranks = np.array([[study["ranks"][name] for name in found[0]["ranks"]] for study in found])
    inside = (ranks > 0.025) & (ranks < 0.975)
    low, high = stats.binom.ppf([0.005, 0.995], n, 0.95) / n
    print(f"\n{n} studies, {np.mean([s['seconds'] for s in found]):.0f} s each, "
          f"{sum(s['divergences'] for s in found)} divergences, {sum(s['refused'] for s in found)} times plates were "
          f"refused and read again, {sum(s['part'] < 1 for s in found)} studies diluted")  # fmt: skip
    print(f"organs: {np.average([s['organs'] for s in found], weights=[s['n_organs'] for s in found]):.1%} of "
          f"{sum(s['n_organs'] for s in found)} inside their 95 % interval")  # fmt: skip
    print(f"parameters: {inside.mean():.1%} of {inside.size} inside; single ones may be {low:.0%} to {high:.0%}")
    for name, share, p in zip(
        found[0]["ranks"], inside.mean(axis=0), stats.kstest(ranks, "uniform").pvalue, strict=True
    ):
        mark = " <- outside" if not low <= share <= high else ""
        print(f"  {name:16s} {share:6.1%}   ranks uniform: p = {p:.3f}{mark}")
    for key, words in (("sum_shared", "with the shared doubt"), ("sum_alone", "as if no doubt were shared"),
                       ("sum_own", "with each well's own error only")):  # fmt: skip
        z = np.array([study[key] for study in found])
        print(
            f"sum of all organs {words}: {np.mean(np.abs(z) < 1.96):.0%} inside, scatter {z.std():.2f} of what is told"
        )


def main():
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seeds", type=int, default=100)
    asked.add_argument("--first", type=int, default=0)
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--log", help="file of finished studies: written as they end, taken up again at the next start")
    given = asked.parse_args()
    found = []
    if given.log and os.path.exists(given.log):
        with open(given.log) as file:
            found = [json.loads(line) for line in file]
    done = {study["seed"] for study in found}
    todo = [seed for seed in range(given.first, given.first + given.seeds) if seed not in done]
    for first in range(0, len(todo), BATCH):
        # fresh workers for each batch: compiled models are never given back, and max_tasks_per_child hangs (gh-115634)
        with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
            for study in pool.map(one, todo[first : first + BATCH]):
                found.append(study)
                if given.log:
                    with open(given.log, "a") as file:
                        file.write(json.dumps(study) + "\n")
                print(f"seed {study['seed']}: {study['seconds']:.0f} s", file=sys.stderr, flush=True)
    report(found)


if __name__ == "__main__":
    main()
