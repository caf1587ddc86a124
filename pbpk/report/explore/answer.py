"""What an origin says to the scenarios of a page: the same calls as the command line makes, each made once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import xarray as xr

from pbpk.errors import InputError, PbpkError
from pbpk.predict.contrast import contrast_scenarios, usual_base
from pbpk.predict.dose_choice import Burden, Limit, burden_of
from pbpk.predict.endpoint import Endpoint
from pbpk.predict.forecast import forecast_table
from pbpk.predict.forecast_exposure import exposure_of_forecast
from pbpk.predict.headline import Headline, headline
from pbpk.predict.origin import Origin, simulate
from pbpk.predict.scenario import Scenario
from pbpk.predict.studied import TOTAL
from pbpk.report.explore.form import Form, asked


@dataclass(frozen=True)
class Answer:
    """Scenarios side by side, and what was found; nothing is computed before it is looked at.

    scenarios : in the order of the page; cells : given in those that do not say how many, as --cells
    problems : title of a form and the sentence that says why it cannot be asked
    filed : forecast in the order in which the command line reads a folder, None where no scenario can be asked
    """

    origin: Origin
    scenarios: tuple[Scenario, ...]
    cells: float | None
    problems: tuple[tuple[str, str], ...]
    filed: xr.Dataset | None

    @cached_property
    def forecast(self) -> xr.Dataset | None:
        """The same in the order of the page."""
        return None if self.filed is None else self.filed.sel(scenario=[each.name for each in self.scenarios])

    @cached_property
    def table(self) -> pd.DataFrame:
        """Means and intervals in the order of the page."""
        assert self.forecast is not None
        return forecast_table(self.forecast)

    @cached_property
    def headline(self) -> Headline:
        """What the command line prints of it."""
        return headline(self.table)

    @cached_property
    def exposure(self) -> pd.DataFrame:
        """Peaks, areas and residence of every organ and state."""
        assert self.forecast is not None
        return exposure_of_forecast(self.forecast)

    @property
    def usual_against(self) -> str:
        """Scenario that the command line compares with where nobody names one, empty where there is none."""
        return "" if self.filed is None else usual_base(self.filed)

    def against(self, name: str) -> str | None:
        """Scenario of this name, or None, for the one that the command line would take."""
        return name if name in [scenario.name for scenario in self.scenarios] else None

    def contrasts(self, against: str = "", areas: bool = False) -> pd.DataFrame | None:
        """Each scenario against one, None where there is one alone; areas : only those, which a page shows."""
        if self.filed is None or len(self.scenarios) < 2:
            return None
        forecast = self.forecast if areas else self.filed
        assert forecast is not None
        endpoints = None
        if areas:
            states = forecast["state"].to_numpy().tolist()
            endpoints = [Endpoint("AUC", organ, state) for organ in forecast["organ"].to_numpy().tolist()
                         for state in (states if len(states) > 1 else [TOTAL])]  # fmt: skip
        return contrast_scenarios(forecast, self.against(against), endpoints)

    def burdens(self, limit: Limit) -> list[tuple[Scenario, Burden | str]]:
        """What each scenario brings the organ of a limit, or the sentence that says why nobody knows."""
        found: list[tuple[Scenario, Burden | str]] = []
        for scenario in self.scenarios:
            try:
                found.append((scenario, burden_of(self.origin, scenario, limit, self.cells)))
            except InputError as problem:
                found.append((scenario, _bare(str(problem))))
        return found


def ask(origin: Origin, forms: Sequence[Form], starts: Mapping[str, Scenario], cells: float | None = None) -> Answer:
    """Answer the scenarios of forms side by side, as `pbpk simulate` answers their files in one folder.

    starts : scenarios that forms began with, by name
    """
    scenarios: list[Scenario] = []
    problems: list[tuple[str, str]] = []
    for form in forms:
        try:
            scenario = asked(form, starts, [each.name for each in scenarios])
            there = origin.animal(scenario)
            scenario.check(there.model)
            there.dose(scenario, cells)
            scenarios.append(scenario)
        except PbpkError as problem:
            problems.append((form.title or "Scenario", _bare(str(problem))))
    filed = None
    try:
        filed = simulate(origin, sorted(scenarios, key=file_name), cells) if scenarios else None
    except PbpkError as problem:
        problems.append(("", str(problem)))
        scenarios = []
    return Answer(origin, tuple(scenarios), cells, tuple(problems), filed)


def file_name(scenario: Scenario) -> str:
    """Name of the file that a scenario is downloaded as."""
    return f"{scenario.name}.toml"


def _bare(sentence: str) -> str:
    """Sentence without the name of its scenario, which stands beside it."""
    head, found, rest = sentence.partition("`: ")
    return rest if found and head.startswith("scenario `") else sentence
