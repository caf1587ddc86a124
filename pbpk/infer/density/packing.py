"""Arrays of many experiments in three: what the compiled likelihood takes, so that 300 animals compile like one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# of each experiment, in this order; what is a table has columns
REALS = ("settled", "literals", "entry", "starts", "durations", "every", "since", "hours", "observers", "recovery")
WHOLES = ("switches", "steps", "outputs", "source", "target", "at", "per", "lasting")
ENTRY, HOURS, AT = REALS.index("entry"), REALS.index("hours"), len(REALS) + WHOLES.index("at")


@dataclass(frozen=True)
class Pack:
    """Arrays of experiments, end to end; what several have alike stands there once.

    reals, wholes : their numbers, flat
    where : (experiment, array, 3) begin, rows and columns of each array, columns 0 for a vector
    """

    reals: NDArray[np.float64]
    wholes: NDArray[np.int64]
    where: NDArray[np.int64]

    def arrays(self) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        """Return what the compiled functions take."""
        return self.reals, self.wholes, self.where


def pack(experiments: Sequence[dict[str, NDArray[np.generic]]]) -> Pack:
    """Put the arrays named in `REALS` and `WHOLES` of each experiment end to end."""
    where = np.zeros((len(experiments), len(REALS) + len(WHOLES), 3), dtype=np.int64)
    flat: tuple[list[NDArray[Any]], list[NDArray[Any]]] = ([], [])
    sizes, known = [0, 0], (dict[bytes, int](), dict[bytes, int]())
    for e, arrays in enumerate(experiments):
        for k, name in enumerate((*REALS, *WHOLES)):
            kind = int(k >= len(REALS))
            array = np.ascontiguousarray(arrays[name], dtype=np.int64 if kind else np.float64)
            content = array.tobytes()
            if content not in known[kind]:
                known[kind][content] = sizes[kind]
                flat[kind].append(array.ravel())
                sizes[kind] += array.size
            rows, columns = array.shape if array.ndim == 2 else (array.size, 0)
            where[e, k] = known[kind][content], rows, columns
    return Pack(np.concatenate(flat[0]), np.concatenate(flat[1]), where)
