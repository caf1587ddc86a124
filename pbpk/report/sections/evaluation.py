"""Section 11: values beside their predictions, residuals, animals that the fit leans on, areas from both."""

from pbpk.predict.lineage.source import source
from pbpk.report import figures, tables
from pbpk.report.document.blocks import Block, Figure, Heading, Paragraph
from pbpk.report.dossier import Dossier
from pbpk.report.sections.shown import drawn

FIT = (
    "Observed values and the fit. The coloured band is the median animal; the grey bar is where one value like the "
    "observed one was to be expected."
)
READ = (
    " A value that an instrument read stands with 95 % of its own measurement, the animals of one hour side by "
    "side; one that has no place on a logarithmic axis, zero or less, is an open mark at its lower edge."
)
SCATTER = "Observed against predicted. A range is drawn as a bar; an arrow marks a range that begins at zero."
FAINT = (
    " Open marks are values within 1.96 standard deviations of nothing, at the lower edge where they are zero or less."
)
AREAS = (
    "Area under the curve of labelled-cell equivalents by the linear trapezoid from 0 h, to which the first value "
    "is carried back, to the last hour observed; the same rule for the values and for the fit. The fit is the "
    "arrows of the model and, for each value, the misfit that no arrow can say; where the area of the arrows alone "
    "lies far from the others, the model misses what was seen."
)
TAILS = (
    "Residence is the area over the dose: hours that a given cell, or its label, spends in the organ on average. "
    "Standard errors of areas are those of destructive sampling (Bailer 1988; Nedelman, Gibiansky and Lau 1995), "
    "where animals were seen more than once with the covariance between hours (Nedelman and Jia 1998; Holder 2001);"
    " what rests on the terminal slope has them by the delta method (Wolfsegger and Jaki 2009)."
)
NO_AREA = "No organ has three or more hours with values whose denominator is known, so no area was computed."


def evaluation(dossier: Dossier) -> list[Block]:
    """How well the fit says what was seen."""
    run = dossier.run
    light = bool(run.joint.counts.signals)
    place = source("predictions.csv")
    about = "Observed values and the fit against time, one panel for each organ; the numbers are in the table below."
    against = "Observed against predicted values on logarithmic axes; the numbers are in the table below."
    return [
        Figure(figures.fit_figure(run), about, FIT + (READ if light else ""), place),
        Figure(figures.observed_predicted_figure(run), against, SCATTER + (FAINT if light else ""), place),
        tables.checks_table(run),
        *drawn(dossier, "predictions", place),
        *drawn(dossier, "residuals", place),
        *drawn(dossier, "influence", source("posterior.nc")),
        Heading("Exposure, from the values and from the fit", 2, "exposure"),
        *_exposure(dossier),
    ]


def _exposure(dossier: Dossier) -> list[Block]:
    run = dossier.run
    if run.exposure is None or not len(run.exposure):
        return [Paragraph(NO_AREA)]
    words = AREAS if dossier.of_cells else AREAS.replace("labelled-cell equivalents", "what was measured")
    return [Paragraph(words), tables.exposure_table(run), Paragraph(TAILS), tables.tails_table(run)]
