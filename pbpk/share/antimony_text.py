"""A model in Antimony, the text in which Tellurium's users write models: the SBML of `sbml`, put into their words.

The package antimony translates and reads its own text back, since what nobody can load is of no use.
"""

from pathlib import Path

from pbpk.errors import RunError, ShareError


def antimony_text(sbml: str) -> str:
    """SBML as Antimony.

    Raises
    ------
    ShareError
        if the package antimony is not installed, or does not read the SBML or its own text
    """
    try:
        import antimony
    except ImportError:
        raise ShareError("Antimony text needs the package antimony: pip install 'pbpk[exchange]'.") from None
    antimony.clearPreviousLoads()
    try:
        if antimony.loadSBMLString(sbml) < 0:
            raise ShareError(f"antimony does not read the model: {_said(antimony.getLastError())}")
        text = str(antimony.getAntimonyString(antimony.getMainModuleName()))
        antimony.clearPreviousLoads()
        if antimony.loadAntimonyString(text) < 0:
            raise ShareError(f"antimony does not read its own text: {_said(antimony.getLastError())}")
    finally:
        antimony.clearPreviousLoads()
    return text


def _said(message: str | None) -> str:
    """What another program says, in one line that ends with a full stop."""
    return " ".join(str(message).split()).removesuffix(".") + "."


def write_antimony(sbml: str, path: str | Path) -> Path:
    """Write `antimony_text` into a file.

    Raises
    ------
    RunError
        if the file cannot be written; and what `antimony_text` raises
    """
    text = antimony_text(sbml)
    try:
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    except OSError as problem:
        raise RunError(f"{path}: cannot be written ({problem.strerror}); choose another --out.") from None
    return Path(path)
