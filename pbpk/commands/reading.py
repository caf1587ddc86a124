"""What several commands read alike: studies with a bar, words and numbers apart by commas, one scenario."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from pbpk.assay.study import Study, read_study
from pbpk.body.model import Model
from pbpk.errors import InputError
from pbpk.predict.record import write_folder
from pbpk.predict.scenario import Scenario, read_scenarios
from pbpk.terminal import progress


def read_with_bar(folder: str | Path, unmeasured: bool = False) -> Study:
    """Study, with a bar where somebody is looking; errors and `unmeasured` are those of `read_study`."""
    with progress() as follow:
        return read_study(folder, lambda done, total: follow("reading light", done, total, 0), unmeasured)


def words(text: str) -> list[str]:
    """Words apart by commas.

    >>> words("iv, portal_vein,")
    ['iv', 'portal_vein']
    """
    return [word.strip() for word in text.split(",") if word.strip()]


def numbers(option: str, text: str) -> list[float]:
    """Numbers apart by commas.

    Raises
    ------
    InputError
        if one is none
    """
    try:
        return [float(word) for word in words(text)]
    except ValueError as problem:
        raise InputError(f"{option}: {problem}; write numbers apart by commas, as 1,2,3.") from None


def read_one_scenario(name: str | Path, model: Model) -> Scenario:
    """Scenario by its file or shipped name.

    Raises
    ------
    ScenarioError, InputError
        if there is none, or a folder holds several
    """
    found = read_scenarios(name, model)
    if len(found) > 1:
        raise InputError(f"{name}: holds {len(found)} scenarios; name one.")
    return found[0]


def write_if_wanted(out: Path | None, force: bool, marks: tuple[str, ...]) -> AbstractContextManager[Path | None]:
    """Folder that is written, as `write_folder`, or none: what is in the way is told before anything is computed."""
    return nullcontext() if out is None else write_folder(out, force, marks)
