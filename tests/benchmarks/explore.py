"""How long a slider of `pbpk explore` waits for its answer, and what that time is spent on.

    python tests/benchmarks/explore.py [--run RUN]

Without a run a made-up one of the shipped T-cell study is written first (draws about the prior; nothing is sampled).
In Python: 400 draws, one and two scenarios, a changed diameter each time, median of nine; beside them the figures that
matplotlib would draw. In Chromium: from the touch of a slider to the answer on the screen, median of nine, each view.
"""

import argparse
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from pbpk.predict.origin import read_run
from pbpk.predict.scenario import read_scenarios
from pbpk.report.body_map import body_map_figure
from pbpk.report.explore.answer import ask
from pbpk.report.explore.cube import cube_of
from pbpk.report.explore.curves import curves
from pbpk.report.explore.form import Form
from pbpk.report.explore.shown import VIEWS, Shown
from pbpk.report.explore.views import view_html
from pbpk.report.ink import svg
from pbpk.report.scenario_figures import scenario_figure

ROOT = Path(__file__).parents[2]
DRAWS, TOUCHES = 400, 9


def timed(what, times=TOUCHES):
    """Median of some calls [ms], after one that is not counted; each is told its number."""
    what(0)
    spent = []
    for i in range(times):
        begin = time.perf_counter()
        what(i + 1)
        spent.append(1e3 * (time.perf_counter() - begin))
    return float(np.median(spent))


def in_python(run):
    """What an answer costs before it leaves Python, part by part."""
    origin = read_run(run, DRAWS)
    starts = {scenario.name: scenario for scenario in read_scenarios(None, origin.model)}
    print(f"{len(origin.theta)} draws, ms, median of {TOUCHES}")
    for names in (["iv_bolus"], ["iv_bolus", "portal_vein"]):
        forms = [Form.of(starts[name]) for name in names]

        def asked(i, forms=forms):
            return ask(origin, [replace(form, diameter_ratio=f"{1.0 + 0.01 * i}") for form in forms], starts)

        found = asked(0)
        cubes = [cube_of(found.table, name) for name in names]
        parts = {
            "forecast": timed(asked),
            "forecast and its table": timed(lambda i, asked=asked: asked(i).table),
            "curves as paths": timed(lambda _, cubes=cubes: [curves(cube, cube.visible, 336.0) for cube in cubes]),
            "(curves by matplotlib)": timed(lambda _, t=found.table: svg(scenario_figure(t, ""), "", "x"), 3),
            "(bodies by matplotlib)": timed(
                lambda _, t=found.table, names=names: [svg(body_map_figure(t, n, (24.0,)), "", "x") for n in names], 3
            ),
        }
        views = {f"whole view {words}": timed(lambda i, v=view, asked=asked: view_html(asked(i), Shown(v, cells="2e6")))
                 for view, words in VIEWS.items()}  # fmt: skip
        print(f"{len(names)} scenario{'s' * (len(names) > 1)}")
        for name, ms in (parts | views).items():
            print(f"  {name:<24} {ms:7.0f}")


def in_browser(run):
    """From a touch of a slider to the answer on the screen, as the page itself says it."""
    sys.path.insert(0, str(ROOT / "tests"))
    from chromium import browsing

    words = [sys.executable, "-c", "import pbpk.cli; pbpk.cli.main()", "explore", str(run), "--no-browser"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            with browsing() as browser:
                page = browser.new_page(viewport={"width": 1366, "height": 768})
                page.goto(re.search(r"http://\S+", process.stdout.readline()).group())
                touched(page)
        finally:
            process.send_signal(signal.SIGINT)


def touched(page):
    """Move a slider in every view and print what the page says of it."""
    page.wait_for_selector("body[data-state=settled]")
    page.locator(".scenario .more > summary").first.click()
    print("two scenarios in Chromium: ms from the slider to the screen, median and most")
    for view, words in VIEWS.items():
        page.locator(f"input[name=view][value={view}]").check(force=True)
        if view == "limit":
            page.fill("#cells", "2e6")
        page.wait_for_selector("body[data-state=settled]")
        told = []
        for _ in range(TOUCHES):
            page.locator("[name=diameter_ratio]").first.press("ArrowRight")
            page.wait_for_selector("body[data-state=settled]")
            told.append(int(re.search(r"\d+", page.inner_text("#time")).group()))
        print(f"  {words:<24} {np.median(told):7.0f} {max(told):7.0f}")


def main():
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
        in_python(run)
        in_browser(run)


if __name__ == "__main__":
    main()
