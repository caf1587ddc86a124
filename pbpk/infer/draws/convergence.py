"""Whether the chains of a fit agree: a gate, with the reason and what to do when it stays shut."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import arviz as az
import numpy as np
import xarray as xr

from pbpk.body.solve import Array
from pbpk.infer.draws.mixing import DEPTH, bfmi, ranks, share_deepest
from pbpk.infer.matched.between import DEVIATE
from pbpk.infer.matched.kinds import GENERIC, Kind, advice

# Vehtari et al. 2021, Bayesian Analysis 16:667: R-hat at most 1.01, 100 effective draws for each of four chains
MOST_RHAT = 1.01
LEAST_ESS = 400
LEAST_BFMI = 0.3  # Betancourt 2016, arXiv:1604.00695
MOST_DEEPEST = 0.01  # share of transitions that were cut short at the longest way
TIED = 0.3  # rank correlation from which on a partner is named
APART = 3.0  # standard errors by which divergent draws must differ before it is said where they lie
Each = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Diagnostics:
    """What the chains say about themselves.

    sentences : why the fit may not be used, with what to measure or fix; warnings : what slows the chains or hides
        tails, and shuts no gate
    bfmi : of each chain, none where the sampler kept no energies; deepest : share of transitions cut short
    pairs : parameters that the sentences name together, and their rank correlation
    deviates : a line on the deviates of single animals, where there are some
    """

    chains: int
    draws: int
    max_rhat: float
    min_ess_bulk: float
    min_ess_tail: float
    divergences: int
    sentences: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    bfmi: tuple[float, ...] = ()
    deepest: float = np.nan
    pairs: tuple[tuple[str, str, float], ...] = ()
    deviates: str = ""

    @property
    def passed(self) -> bool:
        """True where the fit may be used."""
        return not self.sentences

    @property
    def too_few(self) -> bool:
        """True where longer chains may open the gate: all move, but disagree or have few effective draws."""
        short = self.max_rhat > MOST_RHAT or min(self.min_ess_bulk, self.min_ess_tail) < LEAST_ESS
        return short and bool(np.isfinite(self.max_rhat))


@dataclass(frozen=True)
class _Told:
    """What is known of all parameters, and the pairs that were named so far."""

    each: Each
    columns: dict[str, Array]
    kinds: Mapping[str, Kind]
    pairs: list[tuple[str, str, float]] = field(default_factory=list)

    def worst(self, what: str, deviates: bool) -> str:
        """Parameter (or deviate of an animal) that is worst by one number; empty where there is none."""
        names = [name for name in self.each if name.startswith(DEVIATE) == deviates]
        sign = 1.0 if what == "rhat" else -1.0
        return max(names, key=lambda name: sign * self.each[name][what], default="")


def diagnose(tree: xr.DataTree, kinds: Mapping[str, Kind] | None = None) -> tuple[Diagnostics, Each]:
    """Diagnostics of the whole fit, and rhat, ess_bulk, ess_tail of each parameter that was not fixed.

    kinds : of the parameters, from `kinds_of`; without them advice is general
    """
    draws, prior = _apart(tree["posterior"].to_dataset()), _apart(tree["prior"].to_dataset())
    free = [str(n) for n in draws if str(n) not in prior or np.ptp(prior[str(n)].to_numpy()) > 0.0]
    moving = draws[[name for name in free if np.ptp(draws[name].to_numpy()) > 0.0]]  # not true of NaN
    rhat, bulk, tail = az.rhat(moving), az.ess(moving, method="bulk"), az.ess(moving, method="tail")
    each = {
        name: {"rhat": float(rhat[name]), "ess_bulk": float(bulk[name]), "ess_tail": float(tail[name])}
        if name in moving
        else {"rhat": np.inf, "ess_bulk": 0.0, "ess_tail": 0.0}
        for name in free
    }
    told = _Told(each, {str(name): ranks(moving[name].to_numpy()).ravel() for name in moving}, kinds or {})
    stats = tree["sample_stats"].to_dataset()
    diverging = stats["diverging"].to_numpy().astype(bool).ravel()
    sentences = [*_sentences(told), *_sentences(told, deviates=True), *_divergences(told, diverging)]
    energies = bfmi(stats["energy"].to_numpy()) if "energy" in stats else np.zeros(0)
    deepest = share_deepest(stats)
    return (
        Diagnostics(
            int(draws.sizes["chain"]),
            int(draws.sizes["draw"]),
            max(of["rhat"] for of in each.values()),
            min(of["ess_bulk"] for of in each.values()),
            min(of["ess_tail"] for of in each.values()),
            int(diverging.sum()),
            tuple(sentences),
            (*_low_energy(told, energies, stats), *_deep(told, deepest)),
            tuple(float(value) for value in energies),
            deepest,
            tuple(told.pairs),
            _deviates(told),
        ),
        each,
    )


def _apart(data: xr.Dataset) -> xr.Dataset:
    """Draws with one variable for each parameter, those of single animals too."""
    if "animal" not in data:
        return data
    own = {f"{DEVIATE}{name}": data["animal"].sel(deviate=name, drop=True) for name in data["deviate"].to_numpy()}
    return data.drop_vars(["animal", "deviate"]).assign(own)


def _sentences(told: _Told, deviates: bool = False) -> list[str]:
    """Why the gate stays shut, in words; nothing when it opens."""
    each, found = told.each, []
    name = told.worst("rhat", deviates)
    if not name:
        return []
    if name not in told.columns:
        found.append(f"the draws of `{name}` are not numbers, or never moved; check its prior and the doses")
    elif not each[name]["rhat"] <= MOST_RHAT:
        found.append(
            f"the chains disagree about `{name}` (R-hat {each[name]['rhat']:.3f}, at most {MOST_RHAT} is asked)"
            + _others(told, name, "rhat", deviates)
            + _help(told, name, ", which moves")
            + "; take more draws (--draws)"
        )
    for kind, word in (("ess_bulk", "bulk"), ("ess_tail", "tail")):
        name = told.worst(kind, deviates)
        if name in told.columns and not each[name][kind] >= LEAST_ESS:
            found.append(
                f"`{name}` has {each[name][kind]:.0f} effective draws in the {word}, {LEAST_ESS} are asked"
                + _others(told, name, kind, deviates)
                + _help(told, name, "; it moves")
                + "; take more draws (--draws)"
            )
    return found


def _others(told: _Told, worst: str, what: str, deviates: bool) -> str:
    """How many more fail alike, and the two next."""
    sign, limit = (1.0, MOST_RHAT) if what == "rhat" else (-1.0, -LEAST_ESS)
    failed = {
        name: sign * of[what]
        for name, of in told.each.items()
        if name != worst and name.startswith(DEVIATE) == deviates and sign * of[what] > limit
    }
    if not failed:
        return ""
    first = sorted(failed, key=lambda name: -failed[name])[:2]
    rest = f" and {len(failed) - len(first)} more" if len(failed) > len(first) else ""
    return f", and so {'do' if what == 'rhat' else 'few have'} {', '.join(f'`{name}`' for name in first)}{rest}"


def _help(told: _Told, name: str, joint: str) -> str:
    """The parameter that moves most with this one, and what would tell it."""
    partner, tie = _partner(told, name)
    kind = told.kinds.get(name, "other")
    if name.startswith(DEVIATE):
        return ""
    if abs(tie) < TIED:
        return f"; {advice(kind)}"
    told.pairs.append((name, partner, tie))
    return f"{joint} with `{partner}` (rank correlation {tie:+.2f}): {advice(kind, told.kinds.get(partner, 'other'))}"


def _partner(told: _Told, name: str) -> tuple[str, float]:
    """Parameter that moves most with this one, deviates of animals left aside, and their rank correlation."""
    mine = told.columns[name]
    tied = {
        other: float(np.corrcoef(mine, column)[0, 1])
        for other, column in told.columns.items()
        if other != name and not other.startswith(DEVIATE)
    }
    other = max(tied, key=lambda key: abs(tied[key]), default="")
    return other, tied.get(other, 0.0)


def _divergences(told: _Told, diverging: Array) -> list[str]:
    """A sentence on divergent transitions, and where they lie."""
    count = int(diverging.sum())
    if not count:
        return []
    off = {
        name: float((column[diverging].mean() - column.mean()) / (column.std() / np.sqrt(count)))
        for name, column in told.columns.items()
    }
    first = [name for name in sorted(off, key=lambda name: -abs(off[name]))[:2] if abs(off[name]) > APART]
    where = " and ".join(f"`{name}` is {'high' if off[name] > 0.0 else 'low'}" for name in first)
    kinds = [told.kinds.get(name, "other") for name in first]
    more = next((f"; {advice(kind)}" for kind in kinds if advice(kind) != GENERIC), "")
    lie = f"where {where}" if first else "all over the posterior"
    return [
        f"{count} transitions diverged, {lie}, so a part of the posterior may be missing; raise --target-accept{more}"
    ]


def _low_energy(told: _Told, energies: Array, stats: xr.Dataset) -> list[str]:
    """A warning where the energy moves in small steps, and the parameter that moves with it."""
    low = [f"{chain + 1} ({value:.2f})" for chain, value in enumerate(energies) if value < LEAST_BFMI]
    if not low:
        return []
    energy = ranks(stats["energy"].to_numpy()).ravel()
    tied = {name: float(np.corrcoef(energy, column)[0, 1]) for name, column in told.columns.items()}
    name = max(tied, key=lambda key: abs(tied[key]), default="")
    more = f"; most of it is in `{name}`: {advice(told.kinds.get(name, 'other'))}" if name else ""
    return [
        f"the energy of chain {', '.join(low)} moves in small steps (E-BFMI, at least {LEAST_BFMI} is usual), so tails "
        f"may be seldom visited{more}; take more warm-up (--tune)"
    ]


def _deep(told: _Told, deepest: float) -> list[str]:
    """A warning where many transitions were cut short, and the pair that makes the way long."""
    if not deepest > MOST_DEEPEST:
        return []
    names = [name for name in told.columns if not name.startswith(DEVIATE)]
    ties = {name: _partner(told, name) for name in names}
    name = max(ties, key=lambda key: abs(ties[key][1]), default="")
    partner, tie = ties.get(name, ("", 0.0))
    pair = ""
    if abs(tie) >= TIED:
        kinds = (told.kinds.get(name, "other"), told.kinds.get(partner, "other"))
        pair = f"; `{name}` and `{partner}` move most together (rank correlation {tie:+.2f}): {advice(*kinds)}"
    return [
        f"{deepest:.0%} of the transitions were cut short at a depth of {DEPTH}, so the chains walk slowly"
        f"{pair}; take more warm-up (--tune)"
    ]


def _deviates(told: _Told) -> str:
    """One line for all deviates of single animals."""
    count = sum(name.startswith(DEVIATE) for name in told.each)
    if not count:
        return ""
    name, few, tail = (told.worst(what, deviates=True) for what in ("rhat", "ess_bulk", "ess_tail"))
    return (
        f"{count} deviates of animals: worst R-hat {told.each[name]['rhat']:.3f} (`{name}`), least effective draws "
        f"{told.each[few]['ess_bulk']:.0f} in the bulk (`{few}`), {told.each[tail]['ess_tail']:.0f} in the tail"
    )
