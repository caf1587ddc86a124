import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tracing import lost, rows_of, selects, told, untraced

from pbpk.predict.filing.authored import read_authored
from pbpk.report.ctd.inapplicable import TITLES
from pbpk.report.ctd.listing import listing_blocks
from pbpk.report.ctd.scenarios import probability
from pbpk.report.ctd.whole import ctd_blocks
from pbpk.report.document.as_html import document_html
from pbpk.report.document.blocks import Document, Heading, Paragraph, Table, numbered
from pbpk.report.dossier import NOBODY, Dossier
from pbpk.report.wording import number, whole
from pbpk.share.tables import write_tables


@pytest.fixture
def blocks(run_of, study):
    run = run_of(study)
    return [*ctd_blocks(Dossier(run)), *listing_blocks(run)]


def test_every_number_has_a_source_and_every_source_has_rows(blocks, folder_of, study):
    assert not untraced(blocks)
    assert not lost(blocks, folder_of(study))


NUMBER = re.compile(r"−?\d[\d\u202f\u2009 ]*(?:\.\d+)?(?: × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?")
STRAIGHT = ("exposure.csv", "predictions.csv", "contrasts.csv")  # whose numbers stand in tables as they are


@pytest.mark.parametrize("name", ["khot_2019_t_cells_mouse", "gholamrezanezhad_2011_msc_human"])
def test_numbers_of_a_row_are_those_of_its_source(run_of, folder_of, name):
    checked = 0
    for block in ctd_blocks(Dossier(run_of(name))):
        for i, row in enumerate(block.rows if isinstance(block, Table) else ()):
            if not block.source_of(i).startswith(STRAIGHT):
                continue
            found = (
                rows_of(block.source_of(i), folder_of(name)).apply(pd.to_numeric, errors="coerce").to_numpy().ravel()
            )
            known = {write(value) for value in found[np.isfinite(found)] for write in (number, whole, probability)}
            for cell in row[1:]:
                numbers = [each.strip() for each in NUMBER.findall(str(cell).replace("95 % confidence interval", ""))]
                assert set(numbers) <= known | {each.lstrip("<> ") for each in known}
                checked += len(numbers)
    assert checked > 20


def test_odd_names_are_traced_too(odd):
    run, folder = odd
    blocks = [*ctd_blocks(Dossier(run)), *listing_blocks(run)]
    assert not untraced(blocks)
    assert not lost(blocks, folder)


def test_a_run_with_draws_is_traced(sampled, tmp_path):
    write_tables(sampled, tmp_path)
    shutil.copytree(sampled.study.folder, tmp_path / "study" / sampled.name)
    blocks = [*ctd_blocks(Dossier(sampled)), *listing_blocks(sampled)]
    assert not untraced(blocks)
    assert not lost(blocks, tmp_path)


def test_every_table_of_the_dossier_has_its_title(blocks):
    titles = " ".join(block.text for block in blocks if isinstance(block, Heading))
    for i in range(1, 17):
        assert f"(CTD 2.6.5.{i})" in titles
    for i in range(1, 11):
        assert f"2.6.4.{i} " in titles
    assert [
        block.anchor for block in blocks if isinstance(block, Heading) and block.level == 1
    ] == []  # the sections that they stand in have them


def test_nothing_claims_compliance(blocks):
    words = " ".join(text for text, _ in told(blocks)) + " ".join(
        block.text for block in blocks if isinstance(block, Heading)
    )
    assert not re.search(r"\b(comply|compli|conform)", words.lower())
    assert "structured after" in words


def test_numbers_of_tables_are_their_own(blocks):
    numbers = [block.number for block in blocks if isinstance(block, Table) and block.number]
    assert len(numbers) == len(set(numbers))
    document = Document("t", "s", "h", "f", "n", numbered(blocks, ("listing",)))
    page = document_html(document)
    assert "Table 2.6.5.1." in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_no_cells_are_spoken_of_where_none_were_given(run_of):
    for name in ("boeckmann_1994_theophylline_human", "kwan_1976_indomethacin_human", "barone_2018_fnd_rat"):
        blocks = [*ctd_blocks(Dossier(run_of(name))), *listing_blocks(run_of(name))]
        words = " ".join([*(text for text, _ in told(blocks)), *(b.text for b in blocks if isinstance(b, Heading))])
        assert not re.search(r"\b(cells?|cellular|viability)\b", words)
        assert not [text for text, _ in told(blocks) if "Not applicable" in text]


def test_cells_are_told_what_does_not_apply(run_of):
    blocks = ctd_blocks(Dossier(run_of("khot_2019_t_cells_mouse")))
    reasons = [str(block.words) for block in blocks if isinstance(block, Paragraph)]
    assert sum(words.startswith("Not applicable to a cellular product: ") for words in reasons) >= len(TITLES)
    assert any("label is not viability" in words for words in reasons)


def test_what_the_author_owes_stands_out(blocks):
    owed = [block for block in blocks if isinstance(block, Paragraph) and block.kind == "missing"]
    assert owed
    assert all(str(block.words).startswith("TO BE COMPLETED: ") for block in owed)


FILLED = """
[introduction]
rationale = "To choose a dose."
[study]
study_number = "S-7"
facility = "Here"
glp = "no"
glp_reason = "An academic study."
test_article = "Lot 3, passage 4."
comparability = "The same lot."
label_effect = { na = "measured elsewhere" }
method_validation = "Report V-1."
vehicle = "Saline, 200 µl."
feeding = "Fed."
location_in_ctd = "4.2.2.3"
[discussion]
interpretation = "Most stay in the lung."
limitations = "One strain."
[conclusions]
conclusions = "Half a million cells."
"""


def test_what_the_author_wrote_leaves_nothing_to_be_completed(run_of, tmp_path):
    (tmp_path / "report.toml").write_text(FILLED)
    run = run_of("khot_2019_t_cells_mouse")
    docket = replace(NOBODY, authored=read_authored(tmp_path / "report.toml", run.study.about.reporting))
    blocks = ctd_blocks(Dossier(run, docket))
    words = "\n".join(text for text, _ in told(blocks))
    assert "TO BE COMPLETED" not in words
    for said in ("To choose a dose.", "S-7", "Here", "no; reason: An academic study.", "Lot 3, passage 4.", "V-1",
                 "Not applicable: measured elsewhere", "Saline, 200 µl.", "Fed.", "4.2.2.3", "Most stay in the lung.",
                 "One strain.", "Half a million cells."):  # fmt: skip
        assert said in words
    sources = {text: source for text, source in told(blocks)}
    assert sources["Study number | S-7"] == f"study/{run.name}/report.toml#key=study.study_number"


def test_the_resolver_sees_what_is_lost(folder_of):
    folder = folder_of("zhuang_2021_fnd_msc_mouse")
    assert selects("counts.csv#group=iv&organ=lung&hours=1.0", folder)
    assert not selects("counts.csv#group=iv&organ=spleen", folder)
    assert not selects("counts.csv#nothing=1", folder)
    assert not selects("absent.csv", folder)
    assert not selects("study/zhuang_2021_fnd_msc_mouse/study.toml#key=product.viability", folder)
    assert untraced([Paragraph("3 values")])
    assert not untraced([Paragraph("see 2.6.5.13B")])
