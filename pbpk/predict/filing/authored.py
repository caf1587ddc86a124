"""What only the author of a report can say: `report.toml` of a study folder, and what of it is still blank.

Every field answers a question, which stands in its description: the template and the list of what is missing are both
made of these. A field is a text, or `{na = "reason"}` where it does not apply.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pydantic

from pbpk.assay.study import AUTHORED, Reporting
from pbpk.errors import FilingError, did_you_mean
from pbpk.predict.filing.criteria import Criterion
from pbpk.predict.filing.fields import NotApplicable, Rating, Said, Text, YesOrNo, asked, asked_list, is_blank
from pbpk.reading import Schema, read_placed, read_toml, validated

NO = re.compile(r"no|none|not|not done|(was )?not (under )?glp|non[- ]?glp|false", re.IGNORECASE)  # and no reason


class Section(Schema):
    """A table of fields."""

    @property
    def answered(self) -> frozenset[str]:
        """Fields that need no answer, given what the others say."""
        return frozenset()


class Waivable(Section):
    """A table whose blank fields do not apply, all for one reason, where it gives one as `na`."""

    na: str = ""


class Person(Section):
    """Somebody who answers for the report."""

    name: Said = asked("Who is it?")
    role: Said = asked("What did this person do in the analysis?")
    qualification: Said = asked("What qualifies this person for it?")


class SignOff(Section):
    """[sign_off] Who answers for the report."""

    report_number: Text = asked("Under which number and version is the report filed?")
    sponsor: Text = asked("Who sponsors the product?")
    authors: list[Person] = asked_list("Who wrote the report, in which role, with which qualification?")
    approver: Person = pydantic.Field(default=Person(), description="Who approves it?")


class StudyConduct(Waivable):
    """[study] How the study was done, as 21 CFR 58.185 asks of a final report."""

    study_number: Text = asked("Which number does the study have?")
    facility: Text = asked("Which facility did the study?")
    address: Text = asked("At which address?")
    start_date: Text = asked("When did it start?")
    completion_date: Text = asked("When was it completed?")
    glp: YesOrNo = asked('Was it done under GLP (21 CFR part 58): "yes", or "no"?')
    glp_reason: Text = asked("If it was not done under GLP, why not?")
    study_director: Text = asked("Who was the study director?")
    scientists: Text = asked("Which other scientists and supervisors took part?")
    protocol: Text = asked("Which protocol was followed, and what was changed in it?")
    test_article: Text = asked("Which lot was given: identity, strength, purity, composition, source and passage?")
    comparability: Text = asked("How comparable is that lot to the clinical one?")
    stability: Text = asked("How stable are the cells, and the label in them, over the hours of the study?")
    label_effect: Text = asked("What does the label do to the cells?")
    method_validation: Text = asked(
        "Where are the validation reports of the analytical methods, and how stable is the analyte in each matrix?"
    )
    vehicle: Text = asked("In which vehicle, volume and rate was it given?")
    feeding: Text = asked("Were the animals fed or fasted?")
    test_system: Text = asked("Which animals: source, age, sex, weight range, identification, immune status, disease?")
    sampling_reasons: Text = asked("Why these organs and these hours?")
    data_quality: Text = asked("Which circumstances may have affected the quality of the data, deaths among them?")
    specimens: Text = asked("Where are the specimens stored?")
    records: Text = asked("Where can the raw data and records be inspected?")
    individual_reports: Text = asked("Where are the signed reports of the individual scientists?")
    quality_assurance: Text = asked("What does the quality assurance unit state?")
    location_in_ctd: Text = asked("Where in the CTD is the study report (module, volume, section)?")

    @property
    def answered(self) -> frozenset[str]:
        """A reason is asked only of a bare no."""
        said = self.glp if isinstance(self.glp, str) else ""
        return frozenset() if NO.fullmatch(said.strip()) else frozenset({"glp_reason"})


class Summary(Section):
    """[summary] Executive summary."""

    rationale: Said = asked("Why was the analysis done, in brief?")
    data_and_methods: Said = asked("What was done with which data, in brief?")
    results_and_conclusions: Said = asked("What came out, and what follows, in brief?")


class Introduction(Section):
    """[introduction] Introduction."""

    rationale: Said = asked("Why is this analysis needed?")
    background: Text = asked("What is known of the product, its mechanism and its distribution?")
    earlier_analyses: Text = asked("Which analyses came before this one, with references?")


class Objectives(Section):
    """[objectives] Objectives."""

    objectives: Said = asked("What is the analysis to find out?")
    intended_application: Said = asked("For what will its answer be used?")


class Rated(Section):
    """A rating and why it is so."""

    rating: Rating = asked("Is it low, medium or high?")
    justification: Text = asked("Why this rating?")


class Influence(Rated):
    """[assessment.model_influence] What the model weighs among all evidence; as the sole source it is high."""

    sole_source: bool = asked("Is the model the only evidence?", default=False, optional=True)

    @property
    def rated(self) -> Rating:
        """Rating of its author, or that of a sole source."""
        return self.rating or ("high" if self.sole_source else "")

    @property
    def answered(self) -> frozenset[str]:
        """A sole source is rated."""
        return frozenset({"rating"} if self.rated else ())


class Consequence(Rated):
    """[assessment.consequence_of_wrong_decision] What happens if the decision is wrong, and how likely that is."""

    severity: Rating = asked("How severe is what a wrong decision does to patients: low, medium or high?")
    likelihood: Rating = asked("How likely is it: low, medium or high?")


class Risk(Rated):
    """[assessment.model_risk] Blank for the larger of influence and consequence; another where the two differ."""

    @property
    def answered(self) -> frozenset[str]:
        """Nothing is asked where the rule is taken."""
        return frozenset() if self.rating else frozenset({"rating", "justification"})


class Impact(Rated):
    """[assessment.model_impact] How far the approach is from what regulators usually expect for such a question."""


class Assessment(Section):
    """[assessment] Assessment table, structured after ICH M15, appendix 1; its items have the names they have there."""

    question_of_interest: Said = asked("Which question or decision is the analysis for?")
    context_of_use: Said = asked("Which role and scope does the model have, and which other evidence is there?")
    model_influence: Influence = Influence()
    consequence_of_wrong_decision: Consequence = Consequence()
    model_risk: Risk = Risk()
    model_impact: Impact = Impact()
    appropriateness: Said = asked("Why is modelling fit to answer the question, given the risk?")
    outcome: Said = asked("What does all evidence together say to the question?")

    @pydantic.model_validator(mode="after")
    def _keeps_the_rule(self) -> "Assessment":
        influence, consequence = self.model_influence.rated, self.consequence_of_wrong_decision.rating
        if influence and influence == consequence and self.model_risk.rating not in ("", influence):
            raise ValueError(f"model_risk: influence and consequence are both {influence}, so the risk is {influence}; "
                             "take [assessment.model_risk] out")  # fmt: skip
        return self


class DataSelection(Section):
    """[data] Why these data."""

    relevance: Text = asked("Why are these data relevant to the question, and which risk of bias do they have?")
    selection: Text = asked("By which rules were data included or left out?")


class Assumption(Section):
    """[[assumptions]] What the analysis rests on."""

    statement: Said = asked("What is assumed?")
    reason: Text = asked("Why may it be?")
    alternative: Text = asked("What else could be so?")
    impact_test: Text = asked("How was it tested what difference that makes?")


class Exclusion(Section):
    """[[exclusions]] A record that was left out."""

    record: Said = asked("Which record?")
    reason: Said = asked("Why was it left out?")
    who: Said = asked("Who decided it?")
    when: Said = asked("When?")


class Deviation(Section):
    """[[deviations]] Why something was not done as planned.

    what : as `pbpk plan` and the report name it, as `settings.seed`; `*` stands for anything, as in `data.*`
    """

    what: Said = asked("What was not done as planned?")
    reason: Said = asked("Why?")


class Discussion(Section):
    """[discussion] Discussion."""

    interpretation: Said = asked("What do the results mean for the question?")
    adequacy: Said = asked("Is the model adequate for its use, and by what is that seen?")
    limitations: Said = asked("What are the limitations?")
    applicability: Said = asked("How far from the data may it be used: species, dose, route, product?")
    other_knowledge: Text = asked("Which other knowledge speaks for or against the results?")
    unmet: dict[str, Said] = pydantic.Field(
        default_factory=dict,
        description="Why may the report stand though this criterion is not met? One text for each id of a criterion.",
        json_schema_extra={"optional": True},
    )


class Conclusions(Section):
    """[conclusions] Conclusions."""

    conclusions: Said = asked("What is concluded?")


class Authored(Section):
    """`report.toml` as written."""

    sign_off: SignOff = SignOff()
    study: StudyConduct = StudyConduct()
    summary: Summary = Summary()
    introduction: Introduction = Introduction()
    objectives: Objectives = Objectives()
    assessment: Assessment = Assessment()
    criteria: list[Criterion] = asked_list("Which technical criteria must the analysis keep?")
    data: DataSelection = DataSelection()
    exclusions: list[Exclusion] | NotApplicable = asked_list("Which records were left out, why, by whom and when?")
    assumptions: list[Assumption] = asked_list("Which assumptions does the analysis rest on?")
    deviations: list[Deviation] = asked_list("What was not done as planned, and why?", optional=True)
    discussion: Discussion = Discussion()
    conclusions: Conclusions = Conclusions()

    @pydantic.model_validator(mode="after")
    def _fits_itself(self) -> "Authored":
        ids = [criterion.id for criterion in self.criteria]
        for name in ids:
            if ids.count(name) > 1:
                raise ValueError(f"[[criteria]] holds `{name}` twice; give each its own id")
        for name in self.discussion.unmet:
            if name not in ids:
                raise ValueError(f"discussion.unmet: `{name}` is no criterion.{did_you_mean(name, ids)}")
        return self


@dataclass(frozen=True)
class Missing:
    """A field that is blank: its name, as `summary.rationale` or `sign_off.authors[1].role`, and what it answers."""

    name: str
    question: str

    def __str__(self) -> str:
        """As page one lists it."""
        return f"{self.name}: {self.question}"


@dataclass(frozen=True)
class Entry:
    """A field as a report prints it.

    status : given, n/a (`text` is the reason), or missing (`text` is empty)
    """

    name: str
    question: str
    text: str
    status: Literal["given", "n/a", "missing"]


def read_authored(path: str | Path, reporting: Reporting | None = None) -> Authored:
    """Read `report.toml`; a study folder without one has said nothing so far.

    Parameters
    ----------
    path : the file, or the folder of a study
    reporting : [reporting] of its study.toml, which counts as given

    Raises
    ------
    FilingError
        one sentence: file, line, what to do
    """
    path = Path(path)
    if path.is_dir():
        path = path / AUTHORED
        if not path.is_file():
            return told_by_study(Authored(), reporting)
    authored = read_toml(path, Authored, FilingError)
    try:
        return told_by_study(authored, reporting)
    except FilingError as problem:
        raise read_placed(problem, path) from None


def told_by_study(authored: Authored, reporting: Reporting | None) -> Authored:
    """Add what [reporting] of study.toml says to [study].

    Raises
    ------
    FilingError
        if both say something, and not the same
    """
    given = {} if reporting is None else {name: text for name, text in reporting.model_dump().items() if text.strip()}
    if not given:
        return authored
    for name, text in given.items():
        mine = getattr(authored.study, name)
        if not is_blank(mine) and mine != text:
            raise FilingError(f"`study.{name}` is not what [reporting] of study.toml says; keep one of them.",
                              at=("study", name))  # fmt: skip
    checked = validated(given, StudyConduct, FilingError)
    return authored.model_copy(
        update={"study": authored.study.model_copy(update={n: getattr(checked, n) for n in given})}
    )


def missing(authored: Authored) -> tuple[Missing, ...]:
    """Fields that are blank, in the order of the report, each with the question that it answers."""
    return tuple(Missing(entry.name, entry.question) for entry in entries(authored) if entry.status == "missing")


def entries(part: Section, name: str = "") -> tuple[Entry, ...]:
    """Every field of a section and of those within it, `optional` ones only where they are given."""
    return tuple(_entries(part, name))


def _entries(part: Section, name: str) -> Iterator[Entry]:
    whole = getattr(part, "na", "")
    for field, info in type(part).model_fields.items():
        value, place, question = getattr(part, field), f"{name}.{field}" if name else field, info.description or ""
        needless = field in part.answered or bool((info.json_schema_extra or {}).get("optional"))  # type: ignore[union-attr]
        if field == "na" or isinstance(value, bool):
            continue
        if isinstance(value, NotApplicable):
            yield Entry(place, question, value.na, "n/a")
        elif isinstance(value, Section):
            yield from _entries(value, place)
        elif isinstance(value, dict):
            yield from (Entry(f"{place}.{key}", question, text, "given") for key, text in value.items())
        elif isinstance(value, list):
            yield from _listed(value, place, question, needless)
        elif not is_blank(value):
            yield Entry(place, question, value, "given")
        elif not needless:
            yield Entry(place, question, whole, "n/a") if whole.strip() else Entry(place, question, "", "missing")


def _listed(rows: list[Any], place: str, question: str, needless: bool) -> Iterator[Entry]:
    if not rows and not needless:
        yield Entry(place, question, "", "missing")
    for number, row in enumerate(rows, start=1):
        if isinstance(row, Section):  # a criterion is checked as it is read
            yield from _entries(row, f"{place}[{number}]")
