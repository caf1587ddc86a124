"""Whether recommended hours beat evenly spaced ones in fits, and by as much as was foretold.

    python tests/proof/next_study.py [--studies 60] [--minutes 12] [--figure FILE]

A made-up model of two organs: cells are caught in the lung, let go to the liver and die in both; label and living cells
are counted, down to 0.1 % of the dose. Each truth is drawn from the prior, a study is drawn from it by each design,
and all are fitted by chains. The posterior SD of a quantity and the distance of its posterior mean from the truth, both
over its prior SD, are compared with what was foretold; intervals are bootstraps over truths (95 %).
"""

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # studies made up for tests
from mousestudy import organ_rows, read_joint, write_rows, write_small

from pbpk.infer.calibration.replicate import replicate
from pbpk.infer.design.additions import planned
from pbpk.infer.draws.fit import Compiled
from pbpk.infer.matched.joint import Joint, join
from pbpk.predict.endpoint import parse_endpoint
from pbpk.predict.planned_study import BEST, EQUAL, LOG, Plan, from_study, plan_study
from pbpk.predict.quantities import endpoint_values, scenario_of

ANIMALS = 12
HOURS = (1.0, 42.0, 84.0, 126.0, 168.0)  # of the base study, whose number of hours the even designs have
READOUTS = ("label", "live")
LIMIT = 0.1  # percent of the dose
ASKED = "release,death_lung,residence liver live"
FEWER = "recommended, fewer animals"  # as many as are foretold to teach what evenly spaced ones do
COMPARED = (EQUAL, LOG, BEST, FEWER)
ARROWS = (
    "lung.live -> liver.live : release",
    "lung.live -> lung.label : death_lung",
    "liver.live -> liver.label : death_liver",
    "lung.label -> liver.label : carried",
    "liver.label -> gone : washed",
)
PRIORS = {
    "release": ("1/h", "lognormal(median=0.3, sigma=0.8)"),
    "death_lung": ("1/h", "lognormal(median=0.1, sigma=0.8)"),
    "death_liver": ("1/h", "lognormal(median=0.03, sigma=0.8)"),
    "carried": ("1/h", "lognormal(median=0.03, sigma=0.8)"),
    "washed": ("1/h", "lognormal(median=0.01, sigma=0.8)"),
}


def base(folder: Path) -> Joint:
    """The made-up study, 168 h, label and living cells of lung and liver."""
    observed = {"lung": ["lung.live", "lung.label"], "liver": ["liver.live", "liver.label"]}
    model = write_small(folder / "small.toml", ARROWS, observed, PRIORS, label=["lung.label", "liver.label"], noise=0.3)
    rows = [row | {"lloq": LIMIT} for readout in READOUTS for row in organ_rows(HOURS, ("lung", "liver"), readout, 1)]
    return read_joint(write_rows(folder / "study", rows, model=model))


def study_of(joint: Joint, plan: Plan, design: str) -> Joint:
    """A study with the animals of one design and nothing else, its values not yet drawn."""
    mine = plan.timeline[plan.timeline["design"] == design]
    rows = [
        {"group": "iv", "organ": organ, "hours": row.hours, "readout": readout, "lloq": LIMIT}
        for row in mine.itertuples() for _ in range(row.animals)
        for organ in ("lung", "liver") for readout in READOUTS
    ]  # fmt: skip
    whole = planned(joint, rows)
    table = whole.counts.table.iloc[len(joint.counts.table) :].reset_index(drop=True)
    return join(joint.model, replace(joint.counts, table=table))


def natural(joint: Joint, z: np.ndarray) -> np.ndarray:
    """Quantities on the scale on which they are judged: z of parameters, ln of the endpoint, (draw, quantity)."""
    free = [p.name for p in joint.free]
    names = [name.strip() for name in ASKED.split(",")]
    columns = [
        z[:, free.index(name)] if name in free else
        np.log(endpoint_values(joint, z, [parse_endpoint(name)], scenario_of(joint))[:, 0])
        for name in names
    ]  # fmt: skip
    return np.stack(columns, axis=-1)


def refit(joint: Joint, theta: np.ndarray, seed: int, compiled: Compiled) -> np.ndarray:
    """Quantities in draws of the posterior of one study drawn from a truth, (draw, quantity)."""
    counts = replicate(joint, theta, seed)
    found = compiled.fit(joint.model, counts, seed=seed, chains=2, draws=300, tune=300)
    drawn = found.theta()
    z = np.stack([p.prior.standardised(drawn[:, joint.names.index(p.name)]) for p in joint.free], axis=-1)
    return natural(joint, z)


def prove(joint: Joint, studies: int, seed: int = 1, most_s: float = np.inf) -> dict[str, dict[str, np.ndarray]]:
    """SD and error of each quantity over its prior SD, (study, quantity), and what was foretold, by design."""
    start = from_study(joint, draws=32)
    plan = plan_study(start, ASKED, ANIMALS)
    fewest = next(saving.fewest for saving in plan.savings if saving.design == EQUAL)
    plans = {name: (plan, name) for name in COMPARED} | {FEWER: (plan_study(start, ASKED, fewest), BEST)}
    for name, (of, design) in plans.items():
        mine = of.timeline[of.timeline["design"] == design]
        print(name, dict(zip(mine["hours"], mine["animals"], strict=True)))
    rng = np.random.default_rng(seed)
    many = natural(joint, rng.standard_normal((4000, len(joint.free))))
    prior = many.std(axis=0)
    designs = {name: study_of(joint, *plans[name]) for name in COMPARED}
    compiled, began = Compiled(), time.perf_counter()
    found: dict[str, dict[str, list[np.ndarray]]] = {name: {"sd": [], "error": []} for name in COMPARED}
    for i in range(studies):
        z = rng.standard_normal((1, len(joint.free)))
        truth, theta = natural(joint, z)[0], joint.theta(z)[0]
        for name, design in designs.items():
            drawn = refit(design, theta, 100 + i, compiled)
            found[name]["sd"].append(drawn.std(axis=0) / prior)
            found[name]["error"].append((drawn.mean(axis=0) - truth) / prior)
        print(f"{i + 1} of {studies}, {time.perf_counter() - began:.0f} s", flush=True)
        if time.perf_counter() - began > most_s:
            break
    out = {}
    before = plan.quantities.drop_duplicates("quantity").set_index("quantity")["sd_before"]
    for name, (of, design) in plans.items():
        foretold = np.array([of.contractions(design)[q] * before[q] for q in plan.asked.names]) / prior
        out[name] = {
            "sd": np.array(found[name]["sd"]),
            "error": np.array(found[name]["error"]),
            "foretold": foretold,
            "animals": np.array(of.timeline.loc[of.timeline["design"] == design, "animals"].sum()),
        }
    return out


def root_mean(squares: np.ndarray, pick: np.ndarray) -> np.ndarray:
    """Root mean square over studies, by resample, (resample, quantity)."""
    return np.sqrt((squares[pick] ** 2).mean(axis=1))


def told(found: dict[str, dict[str, np.ndarray]], names: list[str], seed: int = 2) -> dict[str, np.ndarray]:
    """Print SD, error and ratios with intervals; ratios to even hours, (quantity, 3: middle, low, high)."""
    n = len(found[BEST]["sd"])
    pick = np.random.default_rng(seed).integers(0, n, (4000, n))
    whole = np.arange(n)[np.newaxis]
    for q, name in enumerate(names):
        for design in COMPARED:
            parts = []
            for of in ("sd", "error"):
                low, high = np.quantile(root_mean(found[design][of], pick)[:, q], [0.025, 0.975])
                parts.append(f"{of} {root_mean(found[design][of], whole)[0, q]:.2f} [{low:.2f}, {high:.2f}]")
            print(f"{name:24s} {design:27s} {', '.join(parts)}, foretold {found[design]['foretold'][q]:.2f}")
    ratios = {}
    for of in ("sd", "error"):
        for one, other in ((BEST, EQUAL), (BEST, LOG), (FEWER, EQUAL)):
            drawn = root_mean(found[one][of], pick) / root_mean(found[other][of], pick)
            middle = (root_mean(found[one][of], whole) / root_mean(found[other][of], whole))[0]
            ratios[f"{of} of {one} over {other}"] = np.stack(
                [middle, *np.quantile(drawn, [0.025, 0.975], axis=0)], axis=-1
            )
            for name, (mid, low, high) in zip(names, ratios[f"{of} of {one} over {other}"], strict=True):
                print(f"{of} of {one} over {other}: {name} {mid:.2f} [{low:.2f}, {high:.2f}]")
    return ratios


def draw(found: dict[str, dict[str, np.ndarray]], names: list[str], path: str, seed: int = 2) -> None:
    """Root mean square posterior SD and error of each design, with intervals, and what was foretold."""
    n = len(found[BEST]["sd"])
    pick = np.random.default_rng(seed).integers(0, n, (4000, n))
    colours = dict(zip(COMPARED, ("#7A7A7A", "#E69F00", "#0072B2", "#56B4E9"), strict=True))
    figure, panels = plt.subplots(1, 2, figsize=(7.2, 3.3), layout="constrained", sharey=True)
    for axes, of, title in zip(panels, ("sd", "error"), ("posterior SD", "distance from the truth"), strict=True):
        for i, design in enumerate(COMPARED):
            at = np.arange(len(names)) + 0.19 * (i - 1.5)
            drawn = root_mean(found[design][of], pick)
            low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
            middle = root_mean(found[design][of], np.arange(n)[np.newaxis])[0]
            axes.errorbar(middle, at, xerr=[middle - low, high - middle], fmt="o", ms=4.5, color=colours[design],
                          label=f"{design} ({int(found[design]['animals'])})")  # fmt: skip
            axes.plot(found[design]["foretold"], at, "|", ms=11, mew=1.6, color="#222222",
                      label="foretold" if i == 3 else None)  # fmt: skip
        axes.set(title=f"{title}, root mean square", xlim=(0, None), xlabel="over the prior SD")
        axes.title.set_fontsize(9)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="x", color="#e4e4e4", linewidth=0.5)
    panels[0].set_yticks(range(len(names)), names)
    panels[0].invert_yaxis()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    figure.savefig(path, metadata={"Date": None})
    print(f"Written: {path}")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--studies", type=int, default=60)
    parser.add_argument("--minutes", type=float, default=12.0, help="no study is begun after these")
    parser.add_argument("--figure")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        joint = base(Path(folder))
        found = prove(joint, asked.studies, most_s=60.0 * asked.minutes)
    names = [name.strip() for name in ASKED.split(",")]
    told(found, names)
    if asked.figure:
        draw(found, names, asked.figure)


if __name__ == "__main__":
    main()
