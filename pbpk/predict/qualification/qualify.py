"""Every check of this installation and, where one is named, of a run: each computed anew, none remembered."""

from collections.abc import Iterator
from pathlib import Path

from pbpk.infer.draws.posterior import Posterior
from pbpk.predict.qualification import installed, invariants, known_light, oracles, run_checks, tolerance
from pbpk.predict.qualification.checks import Check
from pbpk.predict.qualification.courses import SHIPPED, courses_of, shipped_course, some_of
from pbpk.predict.record import read_manifest

type Part = tuple[str, tuple[Check, ...]]


def qualify(run: str | Path | None = None) -> tuple[Check, ...]:
    """Check this installation, and a run of it.

    Parameters
    ----------
    run : folder of a run; the installation alone where None

    Returns
    -------
    checks of the installation, then of the run, those that failed among them

    Raises
    ------
    RunError
        if the folder is not a run
    """
    return tuple(check for _, part in examine(run) for check in part)


def examine(run: str | Path | None = None) -> Iterator[Part]:
    """Yield the checks of one question after the other, with its heading, as soon as it is answered.

    Raises
    ------
    RunError
        if the folder is not a run; before anything is checked
    """
    manifest = None if run is None else read_manifest(Path(run))
    yield "The package on this machine", tuple(installed.of_installation())
    yield "Animals: flows, volumes, lungs in series", invariants.of_animals()
    courses = [shipped_course(name) for name in SHIPPED]
    flows = tuple(check for course in courses for check in invariants.of_model(course.model, course.theta, course.name))
    yield "Shipped models: mass balance and flows", (*flows, *invariants.of_courses(courses))
    yield "Closed forms of small systems", (*tolerance.of_closed_forms(), *tolerance.of_repetition(courses[0]))
    yield "Solver tolerance study of shipped models", tolerance.of_courses(courses)
    yield "Published and hand-counted answers", oracles.of_oracles()
    yield "Light with a known amplitude", tuple(known_light.of_light())
    if run is None or manifest is None:
        return
    record = tuple(run_checks.of_record(Path(run), manifest))
    fit, opened = run_checks.read_checked(Path(run))
    if fit is None:
        yield "The run as it was written", (*record, opened)
        return
    _, posterior, manifest = fit
    again = tuple(run_checks.read_compared(Path(run), posterior, manifest))
    yield "The run as it was written", (*record, opened, *again)
    yield from _of_fit(posterior)


def _of_fit(posterior: Posterior) -> Iterator[Part]:
    """Checks of a fit that is open."""
    yield "Convergence and identifiability of the fit", tuple(run_checks.of_fit(posterior))
    every = courses_of(posterior)
    courses = some_of(every)
    told = f"the run ({len(courses)} of its {len(every)} courses)"
    animal = posterior.joint.model.species
    flows = tuple(check for course in courses for check in invariants.of_model(course.model, course.theta, course.name))
    yield (f"Mass balance and flows of {told}",
           (*invariants.of_animal(animal, f"run, {animal.name}"), *flows, *invariants.of_courses(courses)))  # fmt: skip
    yield f"Solver tolerance study of {told}", tolerance.of_courses(courses)
    panels = tuple(run_checks.of_panels(posterior.joint.counts.panels))
    if panels:
        yield "Assay validation, plate by plate", panels
