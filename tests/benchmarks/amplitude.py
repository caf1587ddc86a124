"""Throughput of demodulation: the package against a plain scipy fit of each well and an FFT lock-in, same wells.

Run: python tests/benchmarks/amplitude.py [WELLS]
"""

import sys
import time

import numpy as np
from scipy.linalg import lstsq
from scipy.signal.windows import hann

from pbpk.assay.light.amplitude import demodulate, demodulate_many, demodulate_windows, response
from pbpk.assay.light.instrument import Instrument, measure
from pbpk.assay.light.trace import Well

NANOGRAMS = 0.05
INSTRUMENT = Instrument(duration_s=60.0)  # 60 s at 2 kHz


def plain_fit(trace):
    """The same terms by scipy's least squares on the dense matrix, without block errors."""
    t = trace.seconds
    x = 2 * t / t[-1] - 1
    columns = [response(trace.field), *np.polynomial.legendre.legvander(x, 10).T]
    columns += [np.exp(-t / (share * t[-1])) for share in (0.05, 0.2, 0.8)]
    for line in (50.0, 100.0, 150.0):
        columns += [np.cos(2 * np.pi * line * t), np.sin(2 * np.pi * line * t)]
    return -lstsq(np.stack(columns, axis=1), trace.light, lapack_driver="gelsy")[0][0]


def lock_in(trace):
    """Fundamental of light over that of the field's response, under a Hann window."""
    window = hann(trace.light.size)
    at = round(trace.setup.modulation_hz * trace.light.size / trace.setup.sampling_hz)
    light, field = (np.fft.rfft(window * (x - x.mean()))[at] for x in (trace.light, response(trace.field)))
    return -(light / field).real


def in_windows(trace, size=2**14):
    """The package, eight seconds at a time."""

    def windows():
        for first in range(0, trace.seconds.size, size):
            part = slice(first, first + size)
            yield trace.seconds[part], trace.light[part], trace.field[part], trace.laser[part]

    return demodulate_windows(trace.well, trace.setup, windows).delta


def main(wells):
    pairs = [measure(Well("p", str(i), "sample"), NANOGRAMS, INSTRUMENT, i) for i in range(wells)]
    traces, truth = [trace for trace, _ in pairs], np.array([truth.in_phase for _, truth in pairs])
    demodulate(traces[0])
    ways = {
        "package, 1 thread": lambda: [each.delta for each in demodulate_many(traces, workers=1)],
        "package, 2 threads": lambda: [each.delta for each in demodulate_many(traces, workers=2)],
        "package, in windows": lambda: [in_windows(trace) for trace in traces],
        "scipy per well": lambda: [plain_fit(trace) for trace in traces],
        "FFT lock-in": lambda: [lock_in(trace) for trace in traces],
    }
    print(f"{wells} wells of {INSTRUMENT.duration_s:g} s at {INSTRUMENT.sampling_hz:g} Hz; ms a well, recovered / true")
    first = None
    for name, way in ways.items():
        began = time.perf_counter()
        found = np.array(way())
        spent = (time.perf_counter() - began) / wells * 1e3
        first = first or spent
        ratio = found / truth
        print(f"{name:20s} {spent:8.1f} ms  x {spent / first:5.2f}   {ratio.mean():.3f} +- {ratio.std():.3f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
