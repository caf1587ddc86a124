"""Words in an SBML file: notes as XHTML with everything escaped, and papers that describe a number."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

import libsbml

from pbpk.body.model import Model, Parameter
from pbpk.dosing import Dose

XHTML = "http://www.w3.org/1999/xhtml"
DOI = "https://identifiers.org/doi:"
NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # characters that XML cannot hold


def plain(text: str) -> str:
    """Text without characters that XML cannot hold."""
    return NO_XML.sub("\ufffd", text)


def annotate(element: Any, paragraphs: Iterable[str], listed: Iterable[str] = ()) -> None:
    """Write notes of an element: paragraphs, then a list."""
    inside = "".join(f"<p>{escape(plain(text))}</p>" for text in paragraphs if text)
    items = "".join(f"<li>{escape(plain(text))}</li>" for text in listed)
    inside += f"<ul>{items}</ul>" if items else ""
    if inside:
        element.setNotes(f'<body xmlns="{XHTML}">{inside}</body>')


def cite(element: Any, model: Model, source: str) -> None:
    """Annotate an element with the papers, by DOI, that its source keys name."""
    dois = [model.sources[key].doi for key in source.split() if key in model.sources and model.sources[key].doi]
    if not dois:
        return
    element.setMetaId(f"about_{element.getId()}")
    term = libsbml.CVTerm(libsbml.BIOLOGICAL_QUALIFIER)
    term.setBiologicalQualifierType(libsbml.BQB_IS_DESCRIBED_BY)
    for doi in dict.fromkeys(dois):
        term.addResource(DOI + plain(doi))
    element.addCVTerm(term)


def of_parameter(parameter: Parameter) -> list[str]:
    """Notes of a parameter: what it is, what was believed of it, who says so."""
    source = f"Sources: {parameter.source}." if parameter.source else "No source."
    return [parameter.about, f"Prior: {parameter.prior}.", source]


def of_constant(model: Model, name: str) -> tuple[list[str], str]:
    """Notes of a constant and its source keys: who measured it, or what it was made of."""
    if name in model.where:
        return [f"Computed before the export: {model.where[name].text}."], ""
    quantity = model.quantities.get(name)
    if quantity is None:
        return [], ""
    return [quantity.note, f"Sources: {quantity.source}." if quantity.source else "No source."], quantity.source


def of_state(model: Model, state: str) -> list[str]:
    """Notes of a state: what it holds, where it is seen."""
    if state in model.outside:
        return ["What has left the body."]
    kinds = [kind for kind, held in model.kinds.items() if state in held]
    places = [place for place, inside in model.observed.items() if state in inside]
    return [f"Holds: {', '.join(kinds)}." + (f" Seen in: {', '.join(places)}." if places else "")]


def of_model(
    model: Model, origin: str, asked: str, doses: Sequence[Dose], modifiers: Mapping[str, float], unseen: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Notes of the whole: paragraphs, and the sources of its numbers as a list.

    origin : where parameter values are from; asked : the scenario; unseen : readouts that were left out
    """
    animal = f"Animal: {model.species.name}." + (f" Label: {model.label_name}." if model.label_name else "")
    given = [
        f"{dose.cells:g} {model.amount} by {dose.route} at {dose.hours:g} h"
        + (f" over {60.0 * dose.duration_h:g} min" if dose.duration_h else "")
        + (f", {dose.viability:.4g} of it alive" if dose.viability < 1.0 else "")
        for dose in doses
    ]
    bring = [m.name for m in model.modifiers if m.replaces and m.name not in modifiers]
    words = [
        f"{model.name}: {model.about}",
        animal,
        f"Parameters: {origin}. Time is in hours; species are amounts, in a compartment of size 1 that no rate reads.",
        asked,
        f"Doses: {'; '.join(given)}." if given else "No dose is given.",
    ]
    if modifiers:
        words.append("Modifiers set: " + ", ".join(f"{name} = {value:g}" for name, value in modifiers.items()) + ".")
    if bring:
        words.append(f"Not in this file, as they bring other rates once they are set: {', '.join(bring)}.")
    if unseen:
        words.append(f"Not in this file, as living cells lose their label: readouts {', '.join(unseen)}.")
    return words, [
        f"{key}: {source.text}" + (f" (doi {source.doi})" if source.doi else "")
        for key, source in model.sources.items()
    ]
