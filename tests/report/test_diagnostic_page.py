"""The page of diagnostics: whole, offline, small, and honest about what it leaves out."""

import re
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from parsed import parsed

from pbpk.infer.design.prior_check import PriorCheck
from pbpk.report.diagnosis import shown
from pbpk.report.diagnostic_page import SECTIONS, diagnostics_html, write_diagnostics


def words_of(text):
    return "".join(parsed(text).text)


@pytest.fixture(scope="module")
def influence():
    k = np.linspace(-0.1, 0.9, 50)
    return pd.DataFrame({"unit": [f"u{i}" for i in range(50)], "group": "iv", "animal": [f"m{i}" for i in range(50)],
                         "hours": 24.0, "elpd": -1.0, "k": k})  # fmt: skip


@pytest.fixture(scope="module")
def text(sampled, believed, influence):
    return diagnostics_html(sampled, shown(sampled, influence, believed), believed)


def test_the_page_is_whole(text):
    found = parsed(text)
    assert len(found.ids) == len(set(found.ids))
    assert {anchor for anchor, _ in SECTIONS} <= set(found.ids)
    assert all(link.startswith("#") and link[1:] in found.ids for link in found.links)


def test_nothing_is_taken_from_outside(text):
    assert not re.search(r"<(script|link|img|iframe)\b|@import|url\((?!#)|src=", text)
    assert all(link.startswith("data:image/png") for link in re.findall(r'<image[^>]*xlink:href="([^"]*)', text))


def test_two_renders_are_the_same_bytes(sampled, believed, influence, text, tmp_path):
    began = time.process_time()
    drawn = shown(sampled, influence, believed)
    path = write_diagnostics(sampled, tmp_path / "deep" / "diagnostics.html", drawn, believed)
    assert time.process_time() - began < 20.0  # 3 s on a quiet core
    linked = path.read_text().replace('The fit itself: <a href="report.html">report.html</a>. ', "")
    assert linked == text
    assert [file.name for file in path.parent.iterdir()] == ["diagnostics.html"]
    assert path.stat().st_size < 4e6


def test_what_is_left_out_is_said(text):
    words = words_of(text)
    assert "12 are drawn, those that mix worst." in words
    assert "Of 50 animals 40 are drawn, those with the largest k." in words


def test_every_figure_has_its_verdict(text):
    assert text.count("<svg") == text.count("<figcaption") == 10
    captions = re.findall(r'<figcaption><span class="verdict (good|bad|open)">([^<]+)</span>', text)
    assert len(captions) == 10
    leans = [mark for mark, sentence in captions if sentence.startswith("The fit leans on 10 of 50")]
    assert leans == ["bad"]


@pytest.fixture(scope="module")
def shut(make_sampled, believed):
    """A run that failed, with deviates of animals, a contradicted prior, and a sampler that kept no energies."""
    rng = np.random.default_rng(2)
    run = make_sampled(shift=3.0, deviates={f"animal:iv:{i}": rng.standard_normal((4, 250)) for i in range(6)})
    kept = {name: child.to_dataset() for name, child in run.posterior.tree.children.items()}
    kept["sample_stats"] = kept["sample_stats"].drop_vars(["energy", "n_steps"])
    run = replace(run, posterior=replace(run.posterior, tree=xr.DataTree.from_dict(kept)))
    wrong = PriorCheck(believed.table.assign(side="above"), ("all 5 values of `lung` lie above",), 400)
    return run, diagnostics_html(run, shown(run, None, wrong), wrong)


def test_the_gate_and_its_reasons_stand_first(text, shut):
    assert 'class="alert"' not in text
    run, page = shut
    assert not run.diagnostics.passed
    body = page[page.index("<body>") :]
    assert body.index('class="alert"') < body.index("<h1>")
    words = words_of(page)
    assert all(sentence.replace("`", "") in words for sentence in run.diagnostics.sentences)
    assert "Look here: too many bins lie outside the band for" in words
    assert "diverged: see where the crosses gather" in words


def test_sentences_of_the_prior_are_told(shut):
    words = words_of(shut[1])
    assert "Look here: all 5 values of lung lie above." in words
    assert "40 of 40 values lie outside what the prior expects: see the sentences above." in words


def test_deviates_of_animals_are_one_line(shut):
    words = words_of(shut[1])
    assert "6 deviates of animals: worst R-hat" in words
    assert "Of 52 parameters 12 are drawn" in words


def test_what_is_not_there_has_no_section(shut):
    assert not {"influence", "energy"} & set(parsed(shut[1]).ids)
