"""Which samples of a trace may be used, in plain numpy: what the compiled screen is held against."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pbpk.assay.light.trace import Trace


@dataclass(frozen=True)
class Usable:
    """Which samples may be used, and how many may not, by reason.

    good : (sample,); lost : reason -> samples
    """

    good: NDArray[np.bool_]
    lost: dict[str, int]

    def without(self, bad: NDArray[np.bool_], reason: str) -> "Usable":
        """Return the same with some more samples left out."""
        return Usable(self.good & ~bad, self.lost | {reason: int((bad & self.good).sum())})


def usable(trace: Trace) -> Usable:
    """Find the samples that may be used; each bad one is counted once, under the first reason that holds.

    missing : light, field, laser or time is not a number; out of order : earlier than a sample before it; repeated :
    at the time of the sample before it; clipped : at an end of the converter; dropout : samples that should have come
    between two others, counted by the clock (they are not in the arrays)
    """
    columns = [trace.seconds, trace.light, trace.field, *([] if trace.laser is None else [trace.laser])]
    good = np.ones(trace.seconds.size, dtype=bool)
    found = Usable(good, {})
    found = found.without(~np.all([np.isfinite(column) for column in columns], axis=0), "missing")
    latest = np.fmax.accumulate(np.concatenate([[-np.inf], trace.seconds[:-1]]))
    with np.errstate(invalid="ignore"):
        found = found.without(trace.seconds < latest, "out of order")
        found = found.without(trace.seconds == latest, "repeated")
        clipped = trace.light <= 0.0
        if trace.setup.full_scale is not None:
            clipped = clipped | (trace.light >= trace.setup.full_scale)
    found = found.without(clipped, "clipped")
    clock = np.sort(trace.seconds[np.isfinite(trace.seconds)])
    gaps = np.round(np.diff(clock) * trace.setup.sampling_hz) - 1.0
    return Usable(found.good, found.lost | {"dropout": int(gaps[gaps > 0].sum())})
