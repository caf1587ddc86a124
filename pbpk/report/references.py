"""Where numbers come from: the sources a run really used, and links to them."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pbpk.report.document.inline import Line, Link, spaced

if TYPE_CHECKING:
    from pbpk.predict.run import Run

DOI = re.compile(r"10\.\d{4,9}/[^\s\"'<>]+")
SPLIT = re.compile(r"[\s;]+")


@dataclass(frozen=True)
class Reference:
    """One entry of the reference list."""

    anchor: str
    key: str
    text: str
    doi: str
    remarks: tuple[str, ...]

    @property
    def address(self) -> str:
        """Web address of the DOI, empty where there is none that looks like one."""
        return f"https://doi.org/{self.doi}" if DOI.fullmatch(self.doi) else ""


def references(run: "Run") -> dict[str, Reference]:
    """Sources used, by key: the study's own first, then those of the model and the animal in order of use."""
    model = run.joint.model
    entries = {
        source.key: (source.text, source.doi, (source.note, source.licence)) for source in run.study.about.sources
    }
    named = [str(source) for source in run.parameters["source"]]
    named += [] if model.size_law is None else [model.size_law.source]
    named += [quantity.source for quantity in model.quantities.values()]
    for key in dict.fromkeys(key for text in named for key in SPLIT.split(text)):
        if key in model.sources:
            found, (text, doi, remarks) = model.sources[key], entries.get(key, ("", "", ()))
            told = (*((found.text,) if text else ()), found.status, found.note)
            entries[key] = (text or found.text, doi or found.doi, (*remarks, *told))
    return {
        key: Reference(f"ref-{i}", key, text, doi, tuple(remark for remark in remarks if remark))
        for i, (key, (text, doi, remarks)) in enumerate(entries.items(), start=1)
    }


def cited(source: str, known: dict[str, Reference]) -> Line:
    """Source as written, each key that is on the list a link to it; `khot_2019:7` is row 7 of khot_2019."""
    parts: list[str | Link] = []
    for word in SPLIT.split(str(source).strip()):
        found = known.get(word.partition(":")[0])
        parts.append(Link(word, f"#{found.anchor}") if found else word)
    return spaced(parts)
