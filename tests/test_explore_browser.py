"""The page from end to end, in a browser: twenty random settings equal the command line to the printed digit."""

import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
import pytest
from chromium import browsing
from madeup import write_made_up
from saying import say
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from pbpk import terminal

ROOT = Path(__file__).parents[1]
KHOT = ROOT / "data" / "khot_2019_t_cells_mouse"
ROUNDS, SEED = 10, 8  # of two scenarios, so that twenty settings are tried
WAIT = 30_000  # for an answer on a busy machine [ms]
MAIN = "import pbpk.cli; pbpk.cli.main()"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_made_up(KHOT, tmp_path_factory.mktemp("runs") / "khot", draws=100)[0]


@pytest.fixture(scope="module")
def served(run):
    """The command itself, and the address it printed; ended by Ctrl-C, it must end well."""
    words = [sys.executable, "-c", MAIN, "explore", str(run), "--no-browser"]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1)
    assert process.stdout is not None
    first = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/\S+/", first)
    assert found, first + process.stderr.read()
    yield found.group()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert "Traceback" not in err


@pytest.fixture(scope="module")
def browser():
    with browsing() as opened:
        yield opened


@pytest.fixture
def page(browser, served):
    """A page that has answered, and must not have complained or asked anybody else."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, accept_downloads=True)
    opened = context.new_page()
    said, asked = [], []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    context.on("request", lambda request: asked.append(request.url))
    opened.on("websocket", lambda wire: asked.append(wire.url.replace("ws://", "http://")))
    opened.goto(served)
    settled(opened)
    yield opened
    context.close()
    assert not said
    assert any("/websocket" in url for url in asked)
    assert [url for url in asked if not url.startswith((served, "data:"))] == []


def settled(page):
    page.wait_for_selector("body[data-state=settled]", timeout=WAIT)


def fill(card, **values):
    """Set fields, and let the page hear of each as of a hand's."""
    card.evaluate(
        """(card, values) => { for (const [name, value] of Object.entries(values)) {
        const field = card.querySelector(`[name=${name}]`);
        field.value = value;
        if (field.value !== value && field.type !== "range") throw new Error(name + " cannot be " + value);
        field.dispatchEvent(new Event("input", { bubbles: true }));
    } }""",
        values,
    )


def at_random(rng, routes):
    """Fields of one scenario."""
    organs = ["", "lung", "liver", "kidney"]
    return {
        "title": f"Setting {rng.integers(1000)} × {rng.choice(['a', 'b/c', 'Ü'])}",
        "species": str(rng.choice(["", "", "rat", "human"])),
        "route": str(rng.choice(routes)),
        "per": str(rng.choice(["cells", "cells", "cells_per_kg"])),
        "dose": str(rng.choice(["", "2e6", f"{rng.uniform(1e5, 5e7):.0f}"])),
        "doses": str(rng.integers(1, 5)),
        "interval_h": f"{rng.uniform(2, 40):.1f}",
        "duration_min": str(rng.integers(0, 60)),
        "diameter_ratio": f"{rng.integers(10, 35) * 0.05:.2f}",
        "viability": str(rng.integers(50, 101)),
        "vasodilated": str(rng.choice(organs)),
        "injured": str(rng.choice(organs)),
    }


def taken(page, what, folder):
    with page.expect_download() as found:
        page.click(f"#{what}")
    path = folder / found.value.suggested_filename
    found.value.save_as(path)
    return path


def numbers_of(text):
    """Medians with their intervals, in order."""
    return re.findall(r"(\S+) (\[[^\]]*\])", text)


def test_twenty_random_settings_are_what_the_command_line_prints(page, run, tmp_path, monkeypatch):
    """Two of them side by side at a time; their files are taken from the page and given to the command."""
    monkeypatch.setattr(terminal.console, "_width", 220)
    # the page that the command writes is compared below; its drawing would take longer than all else here
    monkeypatch.setattr("pbpk.report.scenario_page.write_scenario_page", lambda *_: None)
    cards = page.locator(".scenario")
    for i in range(2):
        cards.nth(i).locator(".more > summary").click()
    routes = cards.nth(0).locator("[name=route] option").evaluate_all("all => all.map(one => one.value)")
    rng = np.random.default_rng(SEED)
    for setting in range(ROUNDS):
        for i in range(2):
            fill(cards.nth(i), **at_random(rng, routes))
        settled(page)
        assert page.locator(".problems").count() == 0, page.inner_text(".problems")
        folder = tmp_path / str(setting)
        with zipfile.ZipFile(taken(page, "scenarios", tmp_path)) as packed:
            packed.extractall(folder)
        assert len(list(folder.glob("*.toml"))) == 2
        against = page.input_value("#against")
        said = say("simulate", run, folder, "--out", folder / "answers", "--against", against)
        assert said.code == 0, said.err
        day, _, _ = said.out.partition("Area of")  # what follows are differences
        printed = {line.split()[0]: numbers_of(line) for line in day.splitlines() if len(numbers_of(line)) == 4}
        rows = page.locator("#day tbody tr")
        shown = {row.get_attribute("data-name"): numbers_of(row.inner_text()) for row in rows.all()}
        assert len(shown) == 2
        assert shown == printed
        assert taken(page, "forecast", tmp_path).read_bytes() == (folder / "answers" / "forecast.csv").read_bytes()
        if setting % 5 == 0:
            found = taken(page, "differences", tmp_path).read_bytes()
            assert found == (folder / "answers" / "contrasts.csv").read_bytes()


def test_tables_and_report_are_those_of_the_page_that_the_command_writes(page, run, tmp_path):
    fill(page.locator(".scenario").nth(0), dose="3.3e6")
    settled(page)
    with zipfile.ZipFile(taken(page, "scenarios", tmp_path)) as packed:
        packed.extractall(tmp_path / "asked")
    said = say("simulate", run, tmp_path / "asked", "--out", tmp_path / "out", "--against", "iv_bolus")
    assert said.code == 0, said.err
    whole = (tmp_path / "out" / "scenarios.html").read_text()
    assert taken(page, "report", tmp_path).read_text() == whole
    cells = page.locator(".numbers td").all_inner_texts()
    told = [re.sub(r"\s+", "", re.sub(r"<[^>]+>", " ", cell)) for cell in re.findall(r"<td[^>]*>(.*?)</td>", whole)]
    assert len(cells) > 80
    assert [re.sub(r"\s+", "", cell) for cell in cells] == told[: len(cells)]
    for what in ("exposure", "figure_svg", "figure_png"):
        assert taken(page, what, tmp_path).stat().st_size > 5000


def test_every_view_answers_and_fits_a_laptop_and_a_phone(page, tmp_path):
    for wide, high in ((1366, 768), (390, 844)):
        page.set_viewport_size({"width": wide, "height": high})
        for view in ("body", "differences", "exposure", "limit", "curves"):
            page.locator(f"input[name=view][value={view}]").check(force=True)
            if view == "limit":
                page.fill("#cells", "5e6")
            settled(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= wide, f"{view} at {wide}"
            assert page.locator("#answer svg, #answer .risks, #answer table").count() > 0
    assert "live cells after 24 h" not in page.content()
    page.locator("input[name=view][value=body]").check(force=True)
    settled(page)
    before = page.locator("#answer .bodies").first.inner_html()
    page.focus("#hour")
    page.keyboard.press("Home")
    settled(page)
    assert page.locator("#hour-told").inner_text() == "3 min"
    assert page.locator("#answer .bodies").first.inner_html() != before
    printed = page.pdf()
    assert len(printed) > 20_000


def test_the_keyboard_alone_gets_everywhere(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the answer"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "answer"
    page.focus("input[name=view][value=curves]")
    page.keyboard.press("ArrowRight")
    settled(page)
    assert page.locator("body").get_attribute("data-view") == "body"
    unnamed = page.evaluate(
        "[...document.querySelectorAll('input:not([type=hidden]), select, button')]"
        ".filter(one => !(one.labels && one.labels.length) && !one.textContent.trim()).length"
    )
    assert unnamed == 0


def test_scenarios_are_added_copied_renamed_removed_and_mistakes_said(page):
    cards = page.locator(".scenario")
    page.select_option("#start", label="Three split IV doses")
    page.click("#add")
    settled(page)
    assert cards.count() == 3
    assert cards.nth(2).locator("[name=doses]").input_value() == "3"
    cards.nth(0).locator("[data-do=copy]").click()
    page.keyboard.type("Renamed <i>")
    fill(cards.nth(1), dose="1,5")
    settled(page)
    assert page.locator(".asked h2").count() == 3
    assert page.inner_text(".problems") == "Renamed <i>: the dose is `1,5`: write a point for the comma."
    fill(cards.nth(1), dose="1.5e6")
    settled(page)
    assert page.locator(".problems").count() == 0
    assert [text.split("\n")[0] for text in page.locator(".asked h2").all_inner_texts()][1].startswith("B")
    for _ in range(3):
        cards.nth(0).locator("[data-do=remove]").click()
        settled(page)
    assert cards.count() == 1
    assert cards.nth(0).locator("[data-do=remove]").is_disabled()
    page.locator("input[name=view][value=differences]").check(force=True)
    settled(page)
    assert "Two scenarios make a difference" in page.inner_text("#answer")


def test_nobody_without_the_secret_is_answered(served):
    door = re.match(r"http://[^/]+", served).group()
    for path in ("/", "/lib/shiny-1.8.0/shiny.js", "/websocket/", served.removeprefix(door)[:-2] + "/"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(door + path)
        assert refused.value.code == 403
        refused.value.close()

    wire = door.replace("http", "ws")
    with pytest.raises(InvalidStatus) as closed, connect(wire + "/websocket/"):
        pass
    assert closed.value.response.status_code == 403
    with connect(served.replace("http", "ws") + "websocket/") as opened:
        opened.close()
