"""The page of a population: what bands mean, endpoints, the bound of quantiles."""

import importlib.util
from pathlib import Path

import pandas as pd

from pbpk.report.population import endpoints_table, population_html, write_population_page

_spec = importlib.util.spec_from_file_location("made_figures", Path(__file__).with_name("test_population_figures.py"))
figures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(figures)

ENDPOINTS = pd.DataFrame(
    [{"scenario": "iv", "endpoint": "AUC lung", "unit": "cells*h", "mean": 1200.0, "sd": 300.0, **figures.QUANTILES}]
)


def test_the_page_says_what_bands_mean_and_how_exact_they_are(tmp_path):
    curves, some = figures.made({"lung": 4.0, "liver": 1.0})
    path = write_population_page(curves, ENDPOINTS, some, "5 subjects", "Bands mix <two> things.", tmp_path / "p.html")
    page = path.read_text()
    for words in ("Bands mix &lt;two&gt; things.", "within 0.39 %", "a hypothesis", "1 000 cells", "AUC lung", "<svg"):
        assert words in page
    assert page == population_html(curves, ENDPOINTS, some, "5 subjects", "Bands mix <two> things.")


def test_endpoints_stand_with_their_spread():
    (row,) = endpoints_table(ENDPOINTS).rows
    assert row == ("AUC lung", "cells · h", "1.00", "0.500 to 2.00", "0.100 to 10.0", "1 200", "25 %")
