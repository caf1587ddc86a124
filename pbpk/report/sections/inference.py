"""Section 9: likelihood, limits, priors, sampler, seeds, and whether the chains agree."""

from pbpk.predict.lineage.source import source
from pbpk.report import tables, wording
from pbpk.report.ctd.sources import stated
from pbpk.report.document.blocks import Block, Bullets, Heading, Paragraph
from pbpk.report.document.inline import Line, Mark, with_code
from pbpk.report.dossier import Dossier
from pbpk.report.sections.shown import drawn

RULES = {
    "normal": "Errors of the logarithm are normal",
    "student": "Errors of the logarithm are Student's, so that a value far off weighs little",
}
SHARED = (
    "A value is what the arrows say, times what the model misses of an organ at an hour, which all animals seen "
    "there share, times the scatter of single animals. Means enter with their standard error and degrees of "
    "freedom, ranges over n animals as the smallest and largest of n, stated bounds as intervals, counts of an "
    "instrument through its own likelihood with what its readings share."
)
LIMITS = (
    "A value below its limit of quantification enters as the probability of lying below it (method M3); none is "
    "replaced by a number, and none is left out."
)
BITS = (
    "The same draws come back bit for bit only with the same versions, BLAS and number of threads; "
    "`pbpk reproduce` compares within Monte-Carlo error otherwise."
)


def inference(dossier: Dossier) -> list[Block]:
    """How parameters were learned, and whether it may be used."""
    run = dossier.run
    settings = {"seed": run.manifest["seed"], "method": run.manifest.get("method", "nuts")}
    settings |= dict(sorted(run.manifest.get("settings", {}).items()))
    limited = int(run.joint.counts.table["below_lloq"].astype(bool).sum())
    return [
        Heading("Likelihood and limits", 2, "likelihood"),
        Paragraph(f"{RULES[run.study.about.errors]}. {SHARED}", source=stated(run, "errors")),
        Paragraph(f"{LIMITS} Values below a limit in this study: {wording.whole(limited)}.", source="counts.csv"),
        *_before(dossier),
        Heading("Sampling", 2, "sampling"),
        tables.from_file(tables.pairs_table("Settings of the fit", ("Setting", "Value"), settings), "manifest.json"),
        Paragraph(with_code(BITS)),
        Heading("Convergence", 2, "convergence"),
        *_gate(dossier),
        *drawn(dossier, "chains", "posterior.nc"),
        *drawn(dossier, "energy", "posterior.nc"),
        tables.convergence_table(run),
    ]


def _before(dossier: Dossier) -> list[Block]:
    """What the prior expected of the data before the fit."""
    check = dossier.prior_check
    if check is None:
        return []
    words = [Line((Mark("Look here:", "bad"), " ", with_code(f"{sentence}."))) for sentence in check.sentences]
    calm = Paragraph("Before the fit, no value contradicted what the prior expects.")
    told = Bullets(words, "predictions.csv") if words else calm
    return [Heading("The prior against the data", 2, "prior"), told, *drawn(dossier, "prior", "predictions.csv")]


def _gate(dossier: Dossier) -> list[Block]:
    found, place = dossier.run.diagnostics, source("manifest.json", key="diagnostics")
    blocks: list[Block] = [Paragraph(wording.agreement(dossier.run), source=place)]
    blocks += [Paragraph(with_code(sentence), source=place) for sentence in found.sentences]
    blocks += [Paragraph(Line((Mark("Warning:", "open"), " ", with_code(f"{sentence}."))), source=place)
               for sentence in found.warnings]  # fmt: skip
    if found.deviates:
        blocks.append(Paragraph(with_code(f"{found.deviates}."), source=place))
    return [*blocks, Paragraph(with_code("All diagnostic figures on one page: `diagnostics.html` beside this report."))]
