"""Other distribution (2.6.5.8): what the model answers to scenarios, and how they differ; hypotheses are marked."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from pbpk.predict.contrast import HOURS
from pbpk.predict.lineage.source import source
from pbpk.predict.studied import TOTAL
from pbpk.report.ctd.analyte import footnote, is_cells
from pbpk.report.ctd.lettering import lettered
from pbpk.report.document.blocks import Block, Heading, Paragraph, Table
from pbpk.report.document.inline import Doubtful, Inline, Strong
from pbpk.report.shares import shares_at
from pbpk.report.wording import CREDIBLE, KINDS, MISSING, beyond, interval, named, number, span

if TYPE_CHECKING:
    from pbpk.predict.run import Run

EVIDENCE = {"data": "as studied", "prior": "prior only", "extrapolation": "extrapolation", "hypothesis": "HYPOTHESIS"}
MARKED = {
    "hypothesis": "HYPOTHESIS: the scenario changes something whose size no data of this study gave.",
    "extrapolation": "Extrapolation: the scenario leaves the route, dose, schedule or animal that was studied.",
    "prior": "Prior only: no data stand behind the answer.",
}


def other_distribution_blocks(run: "Run") -> list[Block]:
    """2.6.5.8: shares of the dose by scenario, then areas against the first."""
    heading = Heading("Other distribution study (CTD 2.6.5.8)", 2, "ctd-other-distribution")
    if run.forecast.empty:
        return [heading, Paragraph("Not studied, and no scenario was asked of the model in this run.")]
    opening = Paragraph(
        "Nothing here was observed: these are answers of the fitted model to questions about other routes, doses and "
        "conditions."
    )
    tables = [*_answers(run), *_contrasts(run)]
    return [heading, opening, *lettered("2.6.5.8", tables)]


def evidence(word: Any) -> Inline:
    """Word for what stands behind an answer; a hypothesis stands out."""
    told = EVIDENCE.get(str(word), str(word))
    return Strong(told) if word == "hypothesis" else told


def marks(words: Iterable[Any]) -> list[str]:
    """What the words on evidence mean, those that occur."""
    told = {str(word) for word in words}
    return [sentence for word, sentence in MARKED.items() if word in told]


def together(run: "Run") -> str:
    """What is counted in answers of the model, where all states stand together."""
    if not is_cells(run):
        return footnote(run)
    return "Counted are living cells and the label of dead ones together: label is not viability."


def _answers(run: "Run") -> list[Table]:
    """One table for each scenario: all states of an organ together, at a few hours."""
    tables = []
    for scenario, part in run.forecast.groupby("scenario", sort=False):
        shares = shares_at(part[part["state"] == TOTAL])
        hours = [hour for hour in HOURS if (shares["hours"] == hour).any()]
        organs = list(dict.fromkeys(shares.loc[shares["q97.5"] > 0.0, "organ"]))
        if not organs:
            continue
        found = {(row["organ"], row["hours"]): row for row in shares.to_dict("records")}
        rows = [(named(str(organ)), *(_share(found.get((organ, hour))) for hour in hours)) for organ in organs]
        sources = [source("forecast.csv", scenario=scenario, organ=organ, state=TOTAL) for organ in organs]
        title, word = str(part["title"].iloc[0]), part["evidence"].iloc[0]
        dose, given = float(part["dose_cells"].iloc[0]), str(part["unit"].iloc[0])
        of = "the dose" if given == "percent of dose" else f"the {number(dose)} {given} given"
        caption = f"MODEL-PREDICTED ({EVIDENCE.get(str(word), word)}): {title}, % of {of}, median ({CREDIBLE})"
        words = [beyond(str(part.loc[part["beyond"] != "", "beyond"].min()))] if (part["beyond"] != "").any() else []
        head = ("Organ", *(span(hour) for hour in hours))
        notes = [*marks([word]), *(said for said in words if said), together(run)]
        tables.append(Table(caption, head, "l" + "r" * len(hours), rows, sources, notes))
    return tables


def _share(row: dict[Any, Any] | None) -> Inline:
    if row is None:
        return MISSING
    return Doubtful(number(row["q50"]), interval(row["q2.5"], row["q97.5"]))


def _contrasts(run: "Run") -> list[Table]:
    """Areas of each scenario over those of one, draw by draw."""
    table = run.contrasts
    own = table[table["endpoint"] == "AUC"]
    own = own[own["state"] == TOTAL] if (own["state"] == TOTAL).any() else own
    if own.empty:
        return []
    against = str(own["against"].iloc[0])
    rows, sources = [], []
    for row in pd.concat([part for _, part in own.groupby("scenario", sort=False)]).to_dict("records"):
        rows.append((
            row["scenario"], named(str(row["organ"])),
            _pair(row["ratio"], row["ratio_low"], row["ratio_high"]),
            probability(row["probability_above"]), evidence(row["evidence"]),
        ))  # fmt: skip
        sources.append(source("contrasts.csv", scenario=row["scenario"], organ=row["organ"], state=row["state"],
                             endpoint="AUC"))  # fmt: skip
    head = ("Scenario", "Organ", f"Ratio to {against}", "Probability of more", "Evidence")
    state = str(own["state"].iloc[0])
    what = "all states together" if state == TOTAL else KINDS.get(state, state)
    notes = ["Differences, peaks and single hours are in contrasts.csv.", *marks(own["evidence"]), together(run)]
    caption = f"MODEL-PREDICTED: areas under the curve against those of {against}, {what}, median ({CREDIBLE})"
    return [Table(caption, head, "llrrl", rows, sources, notes)]


def probability(share: float) -> str:
    """Probability from draws, of which there are too few to tell a hundredth from nothing.

    >>> probability(0.0), probability(0.5), probability(0.996)
    ('< 0.01', '0.50', '> 0.99')
    """
    if share < 0.01:
        return "< 0.01"
    return "> 0.99" if share > 0.99 else f"{share:.2f}"


def _pair(middle: Any, low: Any, high: Any) -> Inline:
    return MISSING if pd.isna(middle) else Doubtful(number(middle), interval(low, high))
