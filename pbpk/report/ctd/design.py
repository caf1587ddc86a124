"""Heads of CTD tables: who got what, how, when, one column for each group; what only the author knows is left open."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pbpk.assay.doses import DoseRow, doses_of
from pbpk.assay.study import Group
from pbpk.predict.lineage.source import source
from pbpk.report.author import cell
from pbpk.report.ctd.analyte import NOT_STATED, amount_unit, analytes, is_cells, product
from pbpk.report.ctd.observations import dose_of
from pbpk.report.ctd.sources import given, in_study, stated
from pbpk.report.document.blocks import Table
from pbpk.report.document.inline import Inline
from pbpk.report.dossier import Dossier
from pbpk.report.wording import ROUTES, counted, interval, listed, named, number, span, whole

if TYPE_CHECKING:
    from pbpk.predict.run import Run

type Field = tuple[str, Callable[[Group], Inline], str]
MOST_HOURS = 24  # distinct hours beyond which each animal was sampled at hours of its own


def header_table(dossier: Dossier, caption: str, organs: Sequence[str] = ()) -> Table:
    """Fields as rows and groups as columns, each row with its source.

    organs : whose sampling times are told, all if none is named
    """
    groups = dossier.run.study.about.groups
    fields = _fields(dossier, organs)
    rows = [(name, *(tell(group) for group in groups)) for name, tell, _ in fields]
    head = ("", *(group.name for group in groups))
    return Table(caption, head, "l" * len(head), rows, [place for _, _, place in fields])


def _fields(dossier: Dossier, organs: Sequence[str]) -> tuple[Field, ...]:
    run = dossier.run
    about, what = run.study.about, run.study.about.product
    counts = source("counts.csv")

    def by_author(name: str, field: str) -> Field:
        return (name, lambda _: cell(dossier, field, brief=True), dossier.by_author(field))

    lot: Field = ("Lot", lambda _: what.lot, stated(run, "product", "lot"))
    fields: list[Field] = [
        ("Test article", lambda _: product(run.study), stated(run, "product", "cell_type")),
        lot if what.lot else by_author("Lot", "study.test_article"),
        ("Analyte", lambda _: " and ".join(analytes(run)), stated(run, "label")),
        by_author("Study number", "study.study_number"),
        by_author("Location in the dossier", "study.location_in_ctd"),
        ("Species, strain", lambda _: species(run), in_study(run, "study.toml")),
        ("Sex and number", lambda group: _sexes(run, group.name), counts),
        ("Treatment", lambda group: _treatment(group), stated(run, "groups")),
        by_author("Feeding", "study.feeding"),
        by_author("Vehicle or formulation", "study.vehicle"),
        ("Method of administration", lambda group: _how(run, group), given(run)),
        ("Dose", lambda group: dose(run, group.name), given(run)),
    ]
    if is_cells(run):
        fields += [
            ("Viability of the cells", lambda _: viability(run), stated(run, "product", "viability")),
            ("Diameter of the cells", lambda _: _diameter(run), stated(run, "product", "diameter_um")),
            ("Label, and amount of it per cell", lambda _: f"{about.label}; amount per cell: {NOT_STATED}"
             if not run.joint.counts.quantified else f"{about.label}; amount per cell: see 2.6.5.2",
             stated(run, "label")),
        ]  # fmt: skip
    fields.append(("Sampling times", lambda group: sampled(run, group.name, organs), counts))
    return tuple(fields)


def species(run: "Run") -> str:
    """Species and strain as the study states them."""
    about = run.study.about
    strain = about.strain or ("" if about.species == "human" else f"strain {NOT_STATED}")
    return ", ".join(word for word in (named(about.species), strain) if word)


def viability(run: "Run") -> str:
    """Living part of the cells that were given."""
    share = run.study.about.product.viability
    return NOT_STATED if share is None else f"{number(100.0 * share)} %"


def _diameter(run: "Run") -> str:
    size = run.study.about.product.diameter_um
    return NOT_STATED if size is None else f"{number(size)} µm"


def _sexes(run: "Run", group: str) -> str:
    """Animals of a group by sex, or how many stand behind its values."""
    rows = run.joint.counts.table
    names = {str(name) for name in rows.loc[rows["group"] == group, "animal"] if name}
    own = [row for row in run.study.animals if row.group == group and (row.animal in names or not row.animal)]
    sexes = [row.sex for row in own if row.sex]
    if sexes and len(sexes) == len(names):
        return listed(counted(sexes.count(sex), sex, sex) for sex in dict.fromkeys(sexes))
    if names:
        return f"{counted(len(names), one_of(run))}, sex {NOT_STATED}"
    stated_n = sorted({row.n for row in run.study.measurements if row.group == group and row.n})
    if not stated_n:
        return f"number and sex {NOT_STATED}"
    reach = whole(stated_n[0]) if len(stated_n) == 1 else f"{whole(stated_n[0])} to {whole(stated_n[-1])}"
    return f"{reach} in each value, sex {NOT_STATED}"


def _treatment(group: Group) -> str:
    told = group.treatment + (f"; injured: {named(group.injured)}" if group.injured else "")
    return told + (f"; anticoagulant: factor {number(group.anticoagulant)}" if group.anticoagulant != 1.0 else "")


def _how(run: "Run", group: Group) -> str:
    """Route, and how long one dose took."""
    rows = [row for row in run.study.doses if row.group == group.name and row.is_dose]
    lasted = sorted({row.duration_min for row in rows if row.duration_min})
    rates = any(row.rate_per_h for row in rows)
    into_vessel = set(group.routes) <= set(ROUTES)
    time = f", over {listed(number(minutes) for minutes in lasted)} min" if lasted else ", bolus" * into_vessel
    time = ", at a stated rate" if rates and not lasted else time
    return listed(ROUTES.get(route, named(route)) for route in group.routes) + time


def dose(run: "Run", group: str) -> str:
    """What each animal of a group was given in all, and in how many doses."""
    rows = [row for row in run.study.doses if row.group == group and row.is_dose]
    animals = list(dict.fromkeys(row.animal for row in rows))
    found = [dose_of(run, group, animal) for animal in animals]
    known = [each for each in found if each is not None]
    times = sorted({_times(doses_of(run.study, group, animal)) for animal in animals})
    repeated = "" if times == [1] else f", in {listed(whole(each) for each in times)} doses"
    if not known or len(known) < len(found) or len({unit for _, unit in known}) > 1:
        return f"{NOT_STATED}{repeated}"
    sizes = [size for size, _ in known]
    told = number(min(sizes)) if min(sizes) == max(sizes) else interval(min(sizes), max(sizes))
    return f"{told} {amount_unit(known[0][1])} per {one_of(run)}{repeated}"


def _times(rows: list[DoseRow]) -> int:
    return sum(row.addl + 1 for row in rows)


def is_repeated(run: "Run") -> bool:
    """Whether any animal was dosed more than once."""
    pairs = {(row.group, row.animal) for row in run.study.doses if row.is_dose}
    return any(_times(doses_of(run.study, group, animal)) > 1 for group, animal in pairs)


def one_of(run: "Run") -> str:
    """Word for whom was studied, in the singular."""
    return "subject" if run.study.about.species == "human" else "animal"


def sampled(run: "Run", group: str, organs: Sequence[str] = ()) -> str:
    """Hours after the first dose at which a group, or some organs of it, were sampled."""
    table = run.joint.counts.table
    own = table[(table["group"] == group) & (table["organ"].isin(organs) if organs else True)]
    hours = sorted({float(hour) for hour in own["hours"]})
    if not hours:
        return "not sampled"
    if len(hours) > MOST_HOURS:
        return f"each {one_of(run)} at hours of its own, from {span(hours[0])} to {span(hours[-1])}"
    return ", ".join(span(hour) for hour in hours)
