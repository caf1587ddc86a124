"""Whether the chains of a fit agree: a gate, with the reason and what to do when it stays shut."""

from dataclasses import dataclass
from typing import Any

import arviz as az
import numpy as np
import xarray as xr

# Vehtari et al. 2021, Bayesian Analysis 16:667: R-hat at most 1.01, 100 effective draws for each of four chains
MOST_RHAT = 1.01
LEAST_ESS = 400


@dataclass(frozen=True)
class Diagnostics:
    """What the chains say about themselves."""

    chains: int
    draws: int
    max_rhat: float
    min_ess_bulk: float
    min_ess_tail: float
    divergences: int
    sentences: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """True where the fit may be used."""
        return not self.sentences


def diagnose(tree: xr.DataTree) -> tuple[Diagnostics, dict[str, dict[str, float]]]:
    """Diagnostics of the whole fit, and rhat, ess_bulk, ess_tail of each parameter that was not fixed."""
    draws, prior = _apart(tree["posterior"]), _apart(tree["prior"])
    free = [str(name) for name in draws if np.ptp(prior[str(name)].to_numpy()) > 0.0]
    moving = draws[[name for name in free if np.ptp(draws[name].to_numpy()) > 0.0]]  # not true of NaN
    rhat = az.rhat(moving)
    bulk = az.ess(moving, method="bulk")
    tail = az.ess(moving, method="tail")
    each = {
        name: {"rhat": float(rhat[name]), "ess_bulk": float(bulk[name]), "ess_tail": float(tail[name])}
        if name in moving
        else {"rhat": np.inf, "ess_bulk": 0.0, "ess_tail": 0.0}
        for name in free
    }
    divergences = int(tree["sample_stats"]["diverging"].sum())
    worst = {
        "rhat": max(each, key=lambda name: each[name]["rhat"]),
        "ess_bulk": min(each, key=lambda name: each[name]["ess_bulk"]),
        "ess_tail": min(each, key=lambda name: each[name]["ess_tail"]),
    }
    sentences = _sentences(each, worst, divergences, moving)
    return (
        Diagnostics(
            int(draws.sizes["chain"]),
            int(draws.sizes["draw"]),
            each[worst["rhat"]]["rhat"],
            each[worst["ess_bulk"]]["ess_bulk"],
            each[worst["ess_tail"]]["ess_tail"],
            divergences,
            tuple(sentences),
        ),
        each,
    )


def _apart(group: Any) -> xr.Dataset:
    """Draws of a group with one variable for each parameter, those of single animals too."""
    data = group.to_dataset()
    if "animal" not in data:
        return data
    own = {f"animal:{name}": data["animal"].sel(deviate=name, drop=True) for name in data["deviate"].to_numpy()}
    return data.drop_vars(["animal", "deviate"]).assign(own)


def _sentences(
    each: dict[str, dict[str, float]], worst: dict[str, str], divergences: int, draws: xr.Dataset
) -> list[str]:
    """Why the gate stays shut, in words; nothing when it opens."""
    found = []
    name = worst["rhat"]
    if name not in draws:
        found.append(f"the draws of `{name}` are not numbers, or never moved; check its prior and the doses")
    elif not each[name]["rhat"] <= MOST_RHAT:
        found.append(
            f"the chains disagree about `{name}` (R-hat {each[name]['rhat']:.3f}, at most {MOST_RHAT} is asked)"
            + _partner(name, draws)
            + "; take more draws (--draws), or narrow its prior from data"
        )
    for kind, word in (("ess_bulk", "bulk"), ("ess_tail", "tail")):
        name = worst[kind]
        if name in draws and not each[name][kind] >= LEAST_ESS:
            found.append(
                f"`{name}` has {each[name][kind]:.0f} effective draws in the {word}, {LEAST_ESS} are asked; "
                "take more draws (--draws)"
            )
    if divergences:
        found.append(
            f"{divergences} transitions diverged, so a part of the posterior may be missing; raise --target-accept"
        )
    return found


def _partner(name: str, draws: xr.Dataset) -> str:
    """Parameter that moves most with this one."""
    columns = {str(other): np.argsort(np.argsort(draws[other].to_numpy().ravel())) for other in draws}
    mine = columns.pop(name)
    if not columns:
        return ""
    tied = {other: float(np.corrcoef(mine, column)[0, 1]) for other, column in columns.items()}
    other = max(tied, key=lambda key: abs(tied[key]))
    return f", which moves with `{other}` (rank correlation {tied[other]:+.2f})"
