"""pandoc and Typst, which only the formats DOCX and PDF need: found, or asked for in one sentence."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

from pbpk.errors import ReportError

FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"  # DejaVu, which figures are drawn with
NO_DATE = 315_532_800  # [s] 1980-01-01, the first day a zip file knows
MISSING = "DOCX and PDF need {name}; install it with `pip install 'pbpk[report]'`, or ask for --formats html."


def converted(tree: dict[str, Any], target: str, options: Sequence[str] = ()) -> bytes:
    """Syntax tree in another format.

    Raises
    ------
    ReportError
        if pandoc is not there or refuses
    """
    return _run(["--from=json", f"--to={target}", "--output=-", *options], json.dumps(tree).encode())


def default_file(name: str) -> bytes:
    """A file that pandoc carries, such as `reference.docx`.

    Raises
    ------
    ReportError
        if pandoc is not there
    """
    return _run([f"--print-default-data-file={name}"], b"")


def stamp() -> int:
    """Return the second that files say they were made at: SOURCE_DATE_EPOCH, else the same for all, so bytes repeat."""
    return int(os.environ.get("SOURCE_DATE_EPOCH", NO_DATE))


def _run(words: Sequence[str], given: bytes) -> bytes:
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(stamp())}
    done = subprocess.run([_executable(), *words], input=given, capture_output=True, env=environment, check=False)
    if done.returncode:
        raise ReportError(f"pandoc refused {' '.join(words)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def _executable() -> str:
    """Path of pandoc: that of PYPANDOC_PANDOC, that of the extra, or one on the path."""
    try:
        import pypandoc

        return str(pypandoc.get_pandoc_path())
    except (ImportError, OSError):
        raise ReportError(MISSING.format(name="pandoc")) from None


def typesetter() -> Any:
    """Return the module of Typst.

    Raises
    ------
    ReportError
        if it is not installed
    """
    try:
        import typst
    except ImportError:
        raise ReportError(MISSING.format(name="Typst")) from None
    return typst


def typeset(source: Path, form: str, **options: Any) -> Any:
    """Typst source in another form, with the fonts of figures and none of the machine's, so that bytes repeat.

    Returns
    -------
    bytes, or a list of them for several pages of pictures

    Raises
    ------
    ReportError
        if Typst is not installed
    """
    return typesetter().compile(
        str(source), format=form, font_paths=[str(FONTS)], ignore_system_fonts=True, timestamp=stamp(), **options
    )
