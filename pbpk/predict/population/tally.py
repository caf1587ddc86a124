"""What a stream of subjects adds up to: mean, SD and quantiles of many numbers, in a memory that does not grow.

Quantiles come from counts in bins that are the same for everybody: 128 between each power of two and the next, found by
the leading bits of a number, with a last one for what lies below the floor. Counts are whole numbers, so the sum of two
tallies is the tally of both together, whoever made them and in whichever order. A quantile read from them is off by at
most 1/257 (0.39 %) of itself against the same quantile of all the numbers, whatever their distribution; numbers below
2^-33 (1e-10) of the power of two above what a cell is expected to hold count as zero.
Moments are merged as Chan, Golub & LeVeque (1983), doi 10.1080/00031305.1983.10483115, in the order of the blocks.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

WITHIN = 7  # bits of the mantissa that tell bins apart: 128 bins an octave
BINS_AN_OCTAVE = 1 << WITHIN
RELATIVE_ERROR = 1.0 / (2.0 * BINS_AN_OCTAVE + 1.0)  # of a quantile, at the most
ABOVE, BELOW = 7, 33  # octaves about what a cell is expected to hold
BINS = 1 + (ABOVE + BELOW) * BINS_AN_OCTAVE  # the first is for zero
_SHIFT = 52 - WITHIN
_BIAS = 1023  # of the exponent of a double


@dataclass(frozen=True)
class Moments:
    """Number, mean and sum of squares about the mean of each cell."""

    count: int
    mean: Array
    squares: Array

    def with_more(self, other: "Moments") -> "Moments":
        """Both together."""
        if not self.count:
            return other
        count = self.count + other.count
        apart = other.mean - self.mean
        mean = self.mean + apart * (other.count / count)
        squares = self.squares + other.squares + apart * apart * (self.count * (other.count / count))
        return Moments(count, mean, squares)

    @property
    def sd(self) -> Array:
        """Standard deviation of each cell, that of a sample; NaN of one subject."""
        return np.asarray(np.sqrt(self.squares / (self.count - 1 or np.nan)))


NOTHING = Moments(0, np.zeros(0), np.zeros(0))


@dataclass(frozen=True)
class Sparse:
    """Counts that are not zero, as they travel: their places in the flat array, and how many."""

    places: NDArray[np.uint32]
    counts: NDArray[np.uint32]


@dataclass(frozen=True)
class Tally:
    """Counts of each cell in bins.

    first : (cell,) number of the first bin above the floor; counts : (cell, bin)
    """

    first: Whole
    counts: NDArray[np.uint32]

    @staticmethod
    def about(expected: Array) -> "Tally":
        """Empty tally of cells that are expected to hold so much at the most, (cell,)."""
        octave = np.ceil(np.log2(expected)).astype(np.int64) - BELOW
        return Tally((octave + _BIAS) << WITHIN, np.zeros((expected.size, BINS), np.uint32))

    def empty(self) -> "Tally":
        """Same cells with nothing counted."""
        return replace(self, counts=np.zeros_like(self.counts))

    def add(self, values: Array) -> Moments:
        """Count (subject, cell) and return their moments."""
        values = np.ascontiguousarray(values)
        mean, squares = np.zeros(values.shape[1]), np.zeros(values.shape[1])
        _count(values, values.view(np.int64), self.first, self.counts, mean, squares)
        return Moments(len(values), mean, squares)

    def sparse(self) -> Sparse:
        """Counts that are not zero."""
        flat = self.counts.reshape(-1)
        places = np.flatnonzero(flat).astype(np.uint32)
        return Sparse(places, flat[places])

    def take(self, more: "Sparse | Tally") -> None:
        """Add counts of others, in place."""
        if isinstance(more, Tally):
            np.add(self.counts, more.counts, out=self.counts)
        else:
            self.counts.reshape(-1)[more.places] += more.counts

    def quantiles(self, levels: Array) -> Array:
        """Quantiles of each cell, (level, cell), as `np.quantile` interpolates them, each within `RELATIVE_ERROR`."""
        out = np.zeros((levels.size, len(self.counts)))
        for cell, (first, counts) in enumerate(zip(self.first, self.counts, strict=True)):
            up_to = np.cumsum(counts, dtype=np.int64)
            rank = levels * (up_to[-1] - 1)
            low = np.floor(rank)
            ends = [_value(first, np.searchsorted(up_to, at, side="right")) for at in (low, np.ceil(rank))]
            out[:, cell] = ends[0] + (rank - low) * (ends[1] - ends[0])
        return out


def _value(first: int, bins: Any) -> Array:
    """Number that stands for a bin, nearest to all in it by ratio; 0 for the first."""
    key = np.maximum(first + bins - 1, 0)
    low, high = ((np.asarray(key + more, np.int64) << _SHIFT).view(np.float64) for more in (0, 1))
    return np.where(bins > 0, 2.0 * low * high / (low + high), 0.0)


@njit(cache=True, error_model="numpy", nogil=True)
def _count(values, bits, first, counts, mean, squares):
    """Count (subject, cell) by their bits and find their moments, eight cells at a time: a line of the cache."""
    n, cells = values.shape
    for left in range(0, cells, 8):
        right = min(left + 8, cells)
        for s in range(n):
            for c in range(left, right):
                mean[c] += values[s, c]
                place = (bits[s, c] >> _SHIFT) - first[c] + 1
                counts[c, min(max(place, 0), BINS - 1)] += np.uint32(1)
        for c in range(left, right):
            mean[c] /= n
        for s in range(n):
            for c in range(left, right):
                apart = values[s, c] - mean[c]
                squares[c] += apart * apart
