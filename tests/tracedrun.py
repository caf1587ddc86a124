"""A made-up run with its tables, its sources and the index of its report: what `pbpk trace` reads."""

from madeup import write_made_up

from pbpk.predict.audit import write_audit
from pbpk.predict.record import files_of
from pbpk.predict.run import assemble, read_fit, write_sources
from pbpk.report.document.index import write_index
from pbpk.report.dossier import Dossier
from pbpk.report.model_report import report_document
from pbpk.share.tables import write_counts, write_tables


def write_traced(study, out):
    """The folder, and the document whose index lies in it; of raw light, whose draws are not made up, counts alone."""
    write_made_up(study, out)
    read, posterior, manifest = read_fit(out)
    if posterior.joint.counts.panels:
        write_counts(posterior.joint.counts, out)
        write_audit(out, "run")
        return out, None
    run = assemble(read, posterior, None, manifest)
    write_tables(run, out)
    write_sources(files_of(read, run.joint.model), out)
    document = report_document(Dossier(run))
    write_index(document, out)
    write_audit(out, "run")
    return out, document
