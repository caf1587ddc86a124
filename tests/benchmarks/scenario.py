"""How long a planner waits: from the command to the table, and in a process that is warm.

    python tests/benchmarks/scenario.py [--run RUN]

Without a run a made-up one of the shipped T-cell study is written first (draws about the prior; nothing is sampled).
Timed: `pbpk simulate RUN iv_bolus` from the start of the process to the line of the table, and to its end with the
page. In Python: `simulate` and `forecast_table` of one scenario, 1000 draws at 200 hours, least and median of
nine calls; beside them the same 1000 curves by scipy's LSODA (rtol 1e-6), from a few.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

from pbpk.body.elimination import matrix, network
from pbpk.body.solve import THREADS
from pbpk.predict.forecast import forecast_table
from pbpk.predict.origin import read_run, simulate
from pbpk.predict.scenario import read_scenarios

ROOT = Path(__file__).parents[2]
DRAWS, HOURS, CALLS, FEW = 1000, np.geomspace(0.05, 336.0, 200), 9, 3


def cold(run: Path, out: Path) -> tuple[float, float]:
    """Seconds from the start of the command to its table, and to its end."""
    command = [str(Path(sys.executable).with_name("pbpk"))]
    begin, table = time.perf_counter(), float("nan")
    words = [*command, "simulate", str(run), "iv_bolus", "--out", str(out), "--force"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip().startswith("iv_bolus"):
                table = time.perf_counter() - begin
    return table, time.perf_counter() - begin


def warm(run: Path) -> None:
    """Seconds of `simulate` and of the table."""
    origin, asked = read_run(run, DRAWS), read_scenarios("iv_bolus")
    answers, tables = [], []
    for _ in range(CALLS):
        begin = time.perf_counter()
        forecast = simulate(origin, asked, hours=HOURS)
        middle = time.perf_counter()
        forecast_table(forecast)
        answers.append(middle - begin)
        tables.append(time.perf_counter() - middle)
    print(f"warm, {len(origin.theta)} draws x {HOURS.size} hours, {THREADS} threads")
    for name, seconds in (("simulate", answers), ("forecast_table", tables)):
        print(f"  {name:<16} {min(seconds):6.3f} s least {np.median(seconds):6.3f} s median")
    model = origin.model
    rates = model.rates(origin.theta[:FEW, : len(model.parameter_names)])
    entry = model.schedule(asked[0].given(1.0)).entry[0]
    begin = time.perf_counter()
    for own in rates:
        k = matrix(network(model.source_states, model.target_states, own, entry.size))
        solve_ivp(
            lambda _, x, k=k: k @ x,
            (0.0, HOURS[-1]),
            entry,
            "LSODA",
            HOURS,
            rtol=1e-6,
            atol=1e-9,
            jac=lambda *_, k=k: k,
        )
    whole = (time.perf_counter() - begin) / FEW * len(origin.theta)
    print(
        f"  scipy LSODA      {whole:6.2f} s for as many curves (from {FEW}): {whole / min(answers):.0f} times as long"
    )


def main() -> None:
    """Time both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = given.run
        if run is None:
            sys.path.insert(0, str(ROOT / "tests"))
            from madeup import write_made_up

            run, _ = write_made_up(ROOT / "data" / "khot_2019_t_cells_mouse", Path(folder) / "run")
        print("OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "not set"))
        for which in ("first", "second"):
            table, end = cold(run, Path(folder) / "answers")
            print(f"{which} command: table after {table:.2f} s, page and all after {end:.2f} s")
        warm(run)


if __name__ == "__main__":
    main()
