"""Chains of NUTS, each a sampler of its own: side by side, told as they go, and kept as soon as one is finished.

A chain is the same whatever ran beside it: its draws follow from its seed. So a fit that was killed takes the chains
that were finished from their folder, draws the others, and ends with what it would have had uninterrupted.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import nutpie
import xarray as xr

Follow = Callable[[int, int, int], None]
CORES = 2  # chains at a time; each is one thread, so that they do not fight for cores
GLANCE = 0.05  # [s] that a look at a chain takes
STATS = ("diverging", "n_steps", "energy", "logp", "step_size", "mean_tree_accept", "depth", "maxdepth_reached")


@dataclass(frozen=True)
class Settings:
    """How chains are drawn: with the seed and what is sampled, all that the draws depend on."""

    seed: int
    chains: int
    draws: int
    tune: int
    target_accept: float
    adaptation: str = "low_rank"

    @property
    def steps(self) -> int:
        """Draws and warm-up of all chains."""
        return self.chains * (self.draws + self.tune)

    def seed_of(self, chain: int) -> int:
        """Seed of one chain."""
        return int(np.random.SeedSequence((self.seed, chain)).generate_state(1, np.uint32)[0])


@dataclass(frozen=True)
class Checkpoint:
    """Folder in which finished chains are kept, and the digest of what is sampled."""

    folder: Path
    posterior: str

    def file(self, settings: Settings, chain: int) -> Path:
        """File of one chain: another posterior, setting or sampler has other files."""
        said = json.dumps(asdict(settings), sort_keys=True) + self.posterior + nutpie.__version__
        return self.folder / f"chain_{hashlib.sha256(said.encode()).hexdigest()[:16]}_{chain}.nc"


def sample_chains(compiled: Any, settings: Settings, follow: Follow, kept: Checkpoint | None = None) -> xr.DataTree:
    """Draw all chains, or take those that are there already; groups posterior and sample_stats.

    follow : called with draws done, draws in all, divergences so far
    """
    finished = {chain: found for chain in range(settings.chains) if (found := read_chain(kept, settings, chain))}
    told = {chain: (settings.draws + settings.tune, _divergences(tree)) for chain, tree in finished.items()}
    waiting = [chain for chain in range(settings.chains) if chain not in finished]
    running: dict[int, Any] = {}

    def tell() -> None:
        follow(sum(done for done, _ in told.values()), settings.steps, sum(bad for _, bad in told.values()))

    try:
        while waiting or running:
            while waiting and len(running) < CORES:
                chain = waiting.pop(0)
                running[chain] = _start(compiled, settings, chain, told)
            for chain, sampler in tuple(running.items()):
                try:
                    finished[chain] = _trimmed(sampler.wait(timeout=GLANCE))
                except TimeoutError:
                    continue
                del running[chain]
                told[chain] = (settings.draws + settings.tune, _divergences(finished[chain]))
                write_chain(finished[chain], kept, settings, chain)
            tell()
    finally:
        for sampler in running.values():  # interrupted: what is unfinished is not used
            sampler.cancel()
    tell()
    chains = [finished[chain] for chain in range(settings.chains)]
    return xr.DataTree.from_dict(
        {
            group: xr.concat([tree[group].to_dataset() for tree in chains], "chain").assign_coords(
                chain=np.arange(settings.chains)
            )
            for group in ("posterior", "sample_stats")
        }
    )


def _start(compiled: Any, settings: Settings, chain: int, told: dict[int, tuple[int, int]]) -> Any:
    """Sampler of one chain, in its own thread."""

    def look(states: list[nutpie.ChainProgress]) -> None:
        told[chain] = (sum(s.finished_draws for s in states), sum(s.divergences for s in states))

    return nutpie.sample(
        compiled,
        draws=settings.draws,
        tune=settings.tune,
        chains=1,
        cores=1,
        seed=settings.seed_of(chain),
        target_accept=settings.target_accept,
        adaptation=settings.adaptation,
        progress_bar=False,
        progress_callback=look,
        save_warmup=False,
        blocking=False,
    )


def _trimmed(tree: xr.DataTree) -> xr.DataTree:
    """The draws, and of the sampler's statistics those that somebody reads."""
    stats = tree["sample_stats"].to_dataset()
    kept = stats[[name for name in STATS if name in stats]]
    return xr.DataTree.from_dict({"posterior": tree["posterior"].to_dataset(), "sample_stats": kept})


def _divergences(tree: xr.DataTree) -> int:
    return int(tree["sample_stats"]["diverging"].sum())


def write_chain(tree: xr.DataTree, kept: Checkpoint | None, settings: Settings, chain: int) -> None:
    """Keep one finished chain: written beside its place and renamed when whole."""
    if kept is None:
        return
    kept.folder.mkdir(parents=True, exist_ok=True)
    path = kept.file(settings, chain)
    beside = path.with_suffix(".partial")
    tree.to_netcdf(beside, engine="h5netcdf")
    beside.rename(path)


def read_chain(kept: Checkpoint | None, settings: Settings, chain: int) -> xr.DataTree | None:
    """One chain that was finished before; None where there is none, or none of this posterior and these settings."""
    if kept is None or not (path := kept.file(settings, chain)).is_file():
        return None
    return xr.open_datatree(path, engine="h5netcdf").load()
