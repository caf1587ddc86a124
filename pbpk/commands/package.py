"""A run as one file for a reviewer: data sets, their description, programs, reports, record."""

from pathlib import Path

from rich.markup import escape

from pbpk.errors import RunError, ShareError
from pbpk.predict.audit import FILE, read_verified
from pbpk.predict.exposure import exposure
from pbpk.predict.run import read_fit
from pbpk.share.package import write_package
from pbpk.terminal import console

MOST = 10  # findings that are printed; the guide has more


def tell_packaged(run: Path, out: Path, force: bool) -> None:
    """Write the package of a run, and say what is in it and what a reviewer will ask about.

    Raises
    ------
    RunError
        if the run is not what was written
    ShareError
        if the file is there already, or a table has no form in the package
    """
    if out.suffix.lower() != ".zip":
        raise ShareError(f"--out: `{out}` must end in .zip.")
    if out.is_dir() or (out.exists() and not force):
        raise ShareError(f"{out}: exists already; choose another --out, or replace it with --force.")
    if out.resolve().is_relative_to(run.resolve()):
        raise ShareError(f"{out}: lies in the run, whose files may not be added to; choose another --out.")
    _, posterior, manifest = read_fit(run)
    if (run / FILE).is_file() and not (verified := read_verified(run)).passed:
        raise RunError(f"{verified.problems[0]} Such a run is not packed; `pbpk verify {run}` says all of it.")
    counts = posterior.joint.counts
    packed = write_package(run, counts, exposure(counts), manifest, out)
    sets = ", ".join(f"{name} {count}" for name, count in packed.records.items())
    console.print(f"Data sets with their records: {sets}.", soft_wrap=True)
    for finding in packed.findings[:MOST]:
        console.print(f"{finding.rule}: {escape(finding.sentence)}", soft_wrap=True)
    console.print(
        f"{len(packed.findings)} findings of 14 rules, {len(packed.extensions)} terms that are not standard, "
        f"{len(packed.changes)} texts changed for the transport files: all in the guide.",
        soft_wrap=True,
    )
    console.print(f"Written: {escape(str(out))}", soft_wrap=True)
