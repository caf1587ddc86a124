"""The file that describes data sets: define.xml, structured after Define-XML 2.1 on ODM 1.3.2.

One ItemGroupDef for each data set, one ItemDef for each of its variables, a CodeList for each that is bound to
controlled terms, with those values that occur, a MethodDef for each that is derived.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pbpk.share.send.domains import OWN, DataSet
from pbpk.share.send.terms import BOUND, JOINED, Terms, Variable
from pbpk.share.xpt import ascii_text

ODM, DEF = "http://www.cdisc.org/ns/odm/v1.3", "http://www.cdisc.org/ns/def/v2.1"
XLINK, XML = "http://www.w3.org/1999/xlink", "http://www.w3.org/XML/1998/namespace"
VERSION = "MDV.1"
GUIDE_STANDARD, TERMS_STANDARD = "STD.IG", "STD.CT"
DERIVED: Mapping[str, str] = {
    "PCSTRESN": "PCORRES over the dose of the animal, times 100, as percent of the dose in the whole organ; a result "
                "per gram is multiplied by the organ's weight first; what is per mL keeps its unit. Empty below the "
                "limit.",
    "PCSTRESC": "PCSTRESN as text with up to 12 digits; BLQ where the result is below PCLLOQ.",
    "PCLLOQ": "The limit of the study or of the assay's calibration, brought to PCSTRESU as PCSTRESN is.",
    "PCELTM": "Hours of the sample after the first dose of the animal, in ISO 8601.",
    "PCDY": "Whole days after the first dose, plus one.",
    "PCNOMDY": "Whole days after the first dose, plus one.",
    "PCTPTNUM": "Rank of the time after the first dose among all of the study.",
    "EXSTDY": "Whole days after the first dose, plus one.",
    "EXELTM": "Hours after the first dose of the animal, in ISO 8601.",
    "EXDOSE": "Cells over 1,000,000 where cells were given; a dose per body weight as what the animal got.",
    "PPORRES": "Noncompartmental analysis: linear trapezoids over arithmetic means of the animals at each hour, or "
               "over the values of one subject.",
    "PPSTRESN": "PPORRES as a number.",
    "PPSTRESC": "PPORRES.",
    "POOLID": "One pool for each set of animals whose values make one composite profile.",
    "QVAL": "Standard error by Bailer's variance, degrees of freedom by Satterthwaite; the value that calculations "
            "used for a result below its limit; or text that goes on.",
    "AVAL": "Noncompartmental analysis: linear trapezoids over printed means, or the mean over subjects.",
    "MEAN": "The value of the study as percent of the dose in the organ.",
}  # fmt: skip
COLLECTED = ("PCORRES", "PCORRESU", "PCSPEC", "USUBJID", "SUBJID", "SEX", "EXROUTE", "EXDOSTXT", "SOURCE", "PCSPID")


@dataclass(frozen=True)
class About:
    """What the file says of the study.

    created : time in ISO 8601; folder : where the transport files lie from the file, guide : the reviewer's guide
    """

    name: str
    title: str
    created: str
    folder: str = "datasets/xpt"
    guide: str = "reviewers-guide.html"


def define_xml(sets: Iterable[DataSet], about: About, terms: Terms) -> bytes:
    """The description of data sets as XML, the same bytes for the same sets."""
    for prefix, uri in (("", ODM), ("def", DEF), ("xlink", XLINK)):
        ET.register_namespace(prefix, uri)
    every = list(sets)
    root = _part(None, "ODM", FileType="Snapshot", FileOID=f"DEF.{about.name}", ODMVersion="1.3.2",
                 CreationDateTime=about.created, **{f"{{{DEF}}}Context": "Other"})  # fmt: skip
    study = _part(root, "Study", OID=f"STUDY.{about.name}")
    names = _part(study, "GlobalVariables")
    for tag, text in (("StudyName", about.name), ("StudyDescription", about.title), ("ProtocolName", about.name)):
        _part(names, tag).text = ascii_text(text)
    version = _part(study, "MetaDataVersion", OID=VERSION, Name=f"Data sets of {about.name}",
                    Description="Data sets shaped as SEND has them",
                    **{f"{{{DEF}}}DefineVersion": "2.1.0"})  # fmt: skip
    _standards(version, terms)
    _part(_part(version, "SupplementalDoc", DEF), "DocumentRef", DEF, leafID="LF.GUIDE")
    for each in every:
        _group(version, each, about)
    for each in every:
        for variable in each.variables:
            _item(version, each, variable)
    for each in every:
        for variable in each.variables:
            if variable.variable in BOUND:
                _codelist(version, each, variable.variable, terms)
    used = {variable.variable for each in every for variable in each.variables}
    for name in sorted(used & DERIVED.keys()):
        method = _part(version, "MethodDef", OID=f"MT.{name}", Name=f"Algorithm for {name}", Type="Computation")
        _describe(method, DERIVED[name])
    _leaf(version, "LF.GUIDE", about.guide, "Reviewer's guide")
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _part(above: "ET.Element | None", tag: str, space: str = ODM, **attributes: Any) -> "ET.Element":
    name = f"{{{space}}}{tag}"
    said = {key: ascii_text(str(value)) for key, value in attributes.items()}
    return ET.Element(name, said) if above is None else ET.SubElement(above, name, said)


def _describe(above: "ET.Element", text: str) -> None:
    _part(_part(above, "Description"), "TranslatedText", **{f"{{{XML}}}lang": "en"}).text = ascii_text(text)


def _leaf(above: "ET.Element", oid: str, href: str, title: str) -> None:
    leaf = _part(above, "leaf", DEF, ID=oid, **{f"{{{XLINK}}}href": href})
    _part(leaf, "title", DEF).text = ascii_text(title)


def _standards(version: "ET.Element", terms: Terms) -> None:
    both = _part(version, "Standards", DEF)
    guide, package = terms.words.guide.rpartition(" ")[2], terms.words.terminology.rpartition(" ")[2]
    _part(both, "Standard", DEF, OID=GUIDE_STANDARD, Name="SENDIG", Type="IG", Version=guide, Status="Final")
    _part(both, "Standard", DEF, OID=TERMS_STANDARD, Name="CDISC/NCI", Type="CT", PublishingSet="SEND",
          Version=package, Status="Final")  # fmt: skip


def _group(version: "ET.Element", each: DataSet, about: About) -> None:
    own = each.name in OWN
    standard = {f"{{{DEF}}}IsNonStandard": "Yes"} if own else {f"{{{DEF}}}StandardOID": GUIDE_STANDARD}
    group = _part(version, "ItemGroupDef", OID=f"IG.{each.name}", Name=each.name, Domain=each.name,
                  Repeating="No" if each.name == "DM" else "Yes",
                  IsReferenceData="Yes" if each.kind == "TRIAL DESIGN" else "No", SASDatasetName=each.name,
                  Purpose="Analysis" if own else "Tabulation",
                  **{f"{{{DEF}}}Structure": each.structure, f"{{{DEF}}}ArchiveLocationID": f"LF.{each.name}"},
                  **standard)  # fmt: skip
    _describe(group, each.label)
    for number, variable in enumerate(each.variables, start=1):
        name = variable.variable
        more: dict[str, Any] = {"KeySequence": each.keys.index(name) + 1} if name in each.keys else {}
        more |= {"MethodOID": f"MT.{name}"} if name in DERIVED else {}
        more |= {"Role": variable.role} if variable.role else {}
        _part(group, "ItemRef", ItemOID=f"IT.{each.name}.{name}", OrderNumber=number,
              Mandatory="Yes" if variable.mandatory else "No", **more)  # fmt: skip
    _part(group, "Class", DEF, Name="ADAM OTHER" if own else each.kind)
    href = f"{about.folder}/{each.name.lower()}.xpt"
    _leaf(group, f"LF.{each.name}", href, f"{each.name.lower()}.xpt")


def _item(version: "ET.Element", each: DataSet, variable: Variable) -> None:
    name = variable.variable
    values = [value for value in each.table[name] if value != "" and value == value]
    if variable.type == "Num":
        kind, length = ("integer" if all(float(value).is_integer() for value in values) else "float"), 8
    else:
        kind, length = "text", max([1, *(len(ascii_text(value)) for value in values)])
    item = _part(version, "ItemDef", OID=f"IT.{each.name}.{name}", Name=name, SASFieldName=name, DataType=kind,
                 Length=length)  # fmt: skip
    _describe(item, variable.label)
    if name in BOUND:
        _part(item, "CodeListRef", CodeListOID=f"CL.{each.name}.{name}")
    origin = "Derived" if name in DERIVED else "Collected" if name in COLLECTED else "Assigned"
    _part(item, "Origin", DEF, Type=origin, Source="Sponsor")


def _codelist(version: "ET.Element", each: DataSet, name: str, terms: Terms) -> None:
    known = BOUND[name]
    whole = _part(version, "CodeList", OID=f"CL.{each.name}.{name}", Name=f"{known} in {each.name}", DataType="text",
                  **{f"{{{DEF}}}StandardOID": TERMS_STANDARD})  # fmt: skip
    parts = {part.strip() for value in each.table[name] for part in value.split(JOINED) if part.strip()}
    for value in sorted(parts):
        extended = {} if terms.is_term(known, value) else {f"{{{DEF}}}ExtendedValue": "Yes"}
        item = _part(whole, "EnumeratedItem", CodedValue=value, **extended)
        if code := terms.codes.get(f"{known}/{value}"):
            _part(item, "Alias", Context="nci:ExtCodeID", Name=code)
    _part(whole, "Alias", Context="nci:ExtCodeID", Name=terms.codes[known])
