import xml.etree.ElementTree as ET

import pytest
from killed import domains, write_killed

from pbpk.share.define import DEF, DERIVED, ODM, XLINK, About, define_xml
from pbpk.share.send.terms import read_terms

ABOUT = About("study", "A <title> & more", "2026-01-31T00:00:00+00:00")
HOME, D = f"{{{ODM}}}", f"{{{DEF}}}"


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    return domains(write_killed(tmp_path_factory.mktemp("d") / "study"))


@pytest.fixture(scope="module")
def root(sets):
    return ET.fromstring(define_xml(sets.values(), ABOUT, read_terms()))


def test_one_group_for_each_data_set_with_its_variables(root, sets):
    groups = {each.get("Name"): each for each in root.iter(f"{HOME}ItemGroupDef")}
    assert list(groups) == list(sets)
    for name, each in sets.items():
        refs = groups[name].findall(f"{HOME}ItemRef")
        assert [ref.get("ItemOID") for ref in refs] == [f"IT.{name}.{column}" for column in each.table.columns]
        assert [int(ref.get("OrderNumber")) for ref in refs] == list(range(1, len(refs) + 1))
        keys = sorted((int(ref.get("KeySequence")), ref.get("ItemOID")) for ref in refs if ref.get("KeySequence"))
        assert [oid for _, oid in keys] == [f"IT.{name}.{key}" for key in each.keys if key in each.table]
        leaf = groups[name].find(f"{D}leaf")
        assert leaf.get(f"{{{XLINK}}}href") == f"datasets/xpt/{name.lower()}.xpt"
        assert groups[name].get(f"{D}ArchiveLocationID") == leaf.get("ID")
    assert groups["PC"].get("Purpose") == "Tabulation"


def test_every_reference_leads_to_a_definition_of_one_kind(root):
    oids = [each.get("OID") for each in root.iter() if each.get("OID")]
    leaves = [each.get("ID") for each in root.iter(f"{D}leaf")]
    assert len(set(oids)) == len(oids)
    assert len(set(leaves)) == len(leaves)
    kinds = {"ItemOID": "ItemDef", "CodeListOID": "CodeList", "MethodOID": "MethodDef", f"{D}StandardOID": "Standard"}
    seen = set()
    for each in root.iter():
        for attribute, kind in kinds.items():
            if each.get(attribute):
                defined = {found.get("OID") for found in root.iter() if found.tag.endswith(f"}}{kind}")}
                assert each.get(attribute) in defined
                seen.add(attribute)
        for attribute in ("leafID", f"{D}ArchiveLocationID"):
            assert each.get(attribute) is None or each.get(attribute) in leaves
    assert seen == set(kinds)
    referred = {each.get("ItemOID") for each in root.iter(f"{HOME}ItemRef")}
    assert referred == {each.get("OID") for each in root.iter(f"{HOME}ItemDef")}


def test_types_and_lengths_are_those_of_the_values(root, sets):
    items = {each.get("OID"): each for each in root.iter(f"{HOME}ItemDef")}
    assert items["IT.PC.PCSEQ"].get("DataType") == "integer"
    assert items["IT.PC.PCLLOQ"].get("DataType") in ("integer", "float")
    assert items["IT.PC.PCSTRESN"].get("DataType") == "float"
    longest = sets["PC"].table["PCTEST"].str.len().max()
    assert items["IT.PC.PCTEST"].get("Length") == str(longest)
    origins = {each.find(f"{D}Origin").get("Type") for each in items.values()}
    assert origins == {"Collected", "Derived", "Assigned"}


def test_code_lists_hold_the_values_that_occur_and_say_which_extend_them(root, sets):
    lists = {each.get("OID"): each for each in root.iter(f"{HOME}CodeList")}
    values = {each.get("CodedValue") for each in lists["CL.PC.PCSPEC"].iter(f"{HOME}EnumeratedItem")}
    assert values == set(sets["PC"].table["PCSPEC"]) == {"LUNG", "LIVER"}
    units = {each.get("CodedValue"): each for each in lists["CL.PC.PCORRESU"].iter(f"{HOME}EnumeratedItem")}
    assert units["cells"].get(f"{D}ExtendedValue") == "Yes"
    codes = [each.get("Name") for each in lists["CL.PC.PCSPEC"].iter(f"{HOME}Alias")]
    assert "C77529" in codes  # of the list itself
    assert "C12468" in codes  # of the lung


def test_methods_are_those_of_variables_that_are_there(root, sets):
    used = {column for each in sets.values() for column in each.table.columns}
    methods = {each.get("OID") for each in root.iter(f"{HOME}MethodDef")}
    assert methods == {f"MT.{name}" for name in used & set(DERIVED)}


def test_it_is_the_same_bytes_and_well_formed_whatever_the_title(sets):
    first = define_xml(sets.values(), ABOUT, read_terms())
    assert first == define_xml(sets.values(), ABOUT, read_terms())
    assert first.isascii()
    assert b"&lt;title&gt; &amp; more" in first
