"""What a study is, in one table: TS. What the study does not say is not there."""

from pbpk.assay.counts import OrganCounts
from pbpk.share.send.subjects import Row, species_and_strain
from pbpk.share.send.terms import Terms

LONGEST = 200  # bytes of a value; what is longer goes on in TSVAL1, TSVAL2


def summary_of(counts: OrganCounts, terms: Terms) -> list[Row]:
    """Rows of TS."""
    about = counts.study.about
    species, strain, details = species_and_strain(counts.study, terms)
    routes = dict.fromkeys(route for group in about.groups for route in group.routes)
    doses = [dose.hours for dose in counts.study.doses if dose.is_dose]
    told: list[tuple[str, str, str]] = [
        ("SNDIGVER", "SEND Implementation Guide Version", terms.words.guide),
        ("SNDCTVER", "SEND Controlled Terminology Version", terms.words.terminology),
        ("STITLE", "Study Title", about.title),
        ("SSTYP", "Study Type", "DISTRIBUTION"),
        ("SPECIES", "Species", species),
        ("STRAIN", "Strain/Substrain", strain),
        ("SBSTRAIN", "Strain/Substrain Details", details),
        ("TRT", "Investigational Therapy or Treatment", about.product.cell_type),
        *(("ROUTE", "Route of Administration", terms.route(route).route) for route in routes),
        ("GLPFL", "GLP Flag", _glp(about.reporting.glp)),
        ("GLPTYP", "Good Laboratory Practice Type", about.reporting.glp),
        ("TSTFNAM", "Test Facility Name", about.reporting.facility),
        ("DOSENO", "Number of Doses as Written", str(len(doses)) if doses else ""),
        ("SRCKIND", "Kind of Data", about.kind),
        *(("SRCREF", "Source of the Data", " ".join(filter(None, (source.text, source.doi)))) for source in
          about.sources),
    ]  # fmt: skip
    rows: list[Row] = []
    for code, name, value in told:
        if value:
            number = 1 + sum(row["TSPARMCD"] == code for row in rows)
            rows.append({"TSSEQ": number, "TSPARMCD": code, "TSPARM": name, "TSVAL": value})
    return rows


def _glp(said: str) -> str:
    """Y or N, as the author's words begin; nothing where they begin otherwise."""
    first = said.strip().lower().partition(" ")[0].strip(",.;:")
    return {"yes": "Y", "y": "Y", "no": "N", "n": "N", "non-glp": "N", "glp": "Y"}.get(first, "")
