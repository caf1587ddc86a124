"""Coverage of the 95 % intervals of amplitudes, over a thousand wells of the virtual instrument at each frequency.

Run: make proof    (or: python tests/proof/demodulation_coverage.py [WELLS])
Exit code 1 where coverage leaves 93 to 97 % or bias passes 2 %.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np

from pbpk.assay.light.amplitude import demodulate
from pbpk.assay.light.instrument import Instrument, measure
from pbpk.assay.light.trace import Well

NANOGRAMS = 0.05
LOWEST, HIGHEST, BIAS = 0.93, 0.97, 0.02
CASES = {"1 Hz": {"modulation_hz": 1.0}, "7 Hz": {"modulation_hz": 7.0}, "24 Hz": {"modulation_hz": 24.0},
         "25 Hz": {"modulation_hz": 25.0}}  # fmt: skip


def one(seed, change):
    """Amplitude and standard error over the truth, and whether the interval holds it."""
    trace, truth = measure(Well("p", "A1", "sample"), NANOGRAMS, replace(Instrument(), **change), seed)
    found = demodulate(trace)
    low, high = found.interval()
    return found.delta / truth.in_phase, found.se / truth.in_phase, low < truth.in_phase < high


def main(wells):
    good = True
    print(f"{wells} wells each, {NANOGRAMS} ng, {Instrument().duration_s:g} s")
    with ProcessPoolExecutor(2) as pool:
        for name, change in CASES.items():
            rows = np.array(list(pool.map(one, range(wells), [change] * wells, chunksize=25)))
            ratio, se, inside = rows.T
            kept = LOWEST <= inside.mean() <= HIGHEST and abs(ratio.mean() - 1) < BIAS
            good = good and kept
            print(f"{name:>6}: recovered {ratio.mean():.4f}, SD {ratio.std(ddof=1):.4f}, mean standard error "
                  f"{se.mean():.4f}, coverage {inside.mean():.1%}{'' if kept else '   <-- outside'}")  # fmt: skip
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
