"""Each rule finds the error that is planted for it, and nothing in tables that are right."""

import pandas as pd
import pytest
from killed import domains, killed_rows, write_killed

from pbpk.share.send.rules import RULES, check_rules


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    rows = [row for row in killed_rows() if row["organ"] == "lung"]
    return {name: each.table for name, each in domains(write_killed(tmp_path_factory.mktemp("r") / "s", rows)).items()}


PLANTED = [
    ("CORE-000429", "PC", {"PCORRES": "<30000", "PCSTRESN": 2.0, "PCSTRESC": "BLQ"}),
    ("CORE-000722", "PC", {"PCORRES": "<30000", "PCSTRESN": 0.0, "PCSTRESC": "BLQ"}),
    ("CORE-000444", "PC", {"PCORRES": "<30000", "PCSTRESN": float("nan"), "PCSTRESC": "2"}),
    ("CORE-000444", "PC", {"PCORRES": "trace", "PCSTRESN": float("nan"), "PCSTRESC": ""}),
    ("CORE-000578", "PC", {"PCORRES": "<1", "PCSTRESC": "BLQ", "PCSTRESN": float("nan"), "PCLLOQ": float("nan")}),
    ("CORE-000578", "PC", {"PCORRES": "<1", "PCSTRESC": "BLQ", "PCSTRESN": float("nan"), "PCSTRESU": ""}),
    ("CORE-000475", "PC", {"USUBJID": "s-m01"}),
    ("CORE-000462", "PC", {"PCSPCUFL": "Y"}),
    ("CORE-000526", "PP", {"PPTESTCD": "TMAX"}),
    ("CORE-000901", "PP", {"PPCAT": "Something else"}),
    ("CORE-000901", "PP", {"PPTPTREF": "SECOND DOSE"}),
    ("CORE-000934", "PP", {"PPSPEC": "SERUM and URINE"}),
    ("CORE-000934", "PP", {"PPSPEC": "SERUM;"}),
    ("CORE-000556", "POOLDEF", {"USUBJID": "s-m01"}),
    ("CORE-000431", "POOLDEF", {"USUBJID": ""}),
    ("CORE-000431", "PP", {"POOLID": "NOBODY"}),
    ("CORE-000445", "EX", {"EXDOSTXT": "a million"}),
    ("CORE-000599", "EX", {"EXDOSE": 0.0, "EXLOT": "L1"}),
    ("CORE-000385", "EX", {"EXSTDY": float("nan")}),
]


def test_right_tables_break_no_rule(right, synthetic):
    assert check_rules(right) == []
    assert check_rules({name: each.table for name, each in synthetic.items()}) == []
    assert check_rules({}) == []


@pytest.mark.parametrize(("rule", "domain", "wrong"), PLANTED, ids=[f"{each[0]}-{i}" for i, each in enumerate(PLANTED)])
def test_a_planted_error_is_found_with_its_row(right, rule, domain, wrong):
    table = right[domain].copy()
    for name, value in wrong.items():
        values = list(table[name]) if name in table else [""] * len(table)
        table[name] = pd.Series([value, *values[1:]], dtype=object)
    found = check_rules(right | {domain: table})
    own = [finding for finding in found if finding.rule == rule]
    assert own
    assert {finding.rule for finding in found} <= {rule, "CORE-000429"}  # a zero is a number too
    assert all(finding.sentence.endswith(".") for finding in own)
    if rule == "CORE-000431" and domain == "PP":
        assert "NOBODY" in own[0].sentence
    elif rule in ("CORE-000475", "CORE-000526", "CORE-000556"):
        assert "as row 1" in own[0].sentence
    else:
        assert own[0].row == 1


def test_every_rule_has_a_planted_error():
    assert {rule.number for rule in RULES} == {rule for rule, _, _ in PLANTED}
    assert len(RULES) == 14


def test_pools_without_any_definition_are_found(right):
    found = check_rules({name: table for name, table in right.items() if name != "POOLDEF"})
    assert {finding.rule for finding in found} == {"CORE-000431"}


def test_several_specimens_joined_by_a_semicolon_are_right(right):
    table = right["PP"].assign(PPSPEC="SERUM; URINE")
    assert not [each for each in check_rules(right | {"PP": table}) if each.rule == "CORE-000934"]
