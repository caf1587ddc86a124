import re
import shutil

import pytest
from tracing import lost, selects, told, untraced

from pbpk.report.ctd.inapplicable import TITLES
from pbpk.report.ctd.listing import listing_blocks
from pbpk.report.ctd.whole import ctd_blocks
from pbpk.report.document.as_html import document_html
from pbpk.report.document.blocks import Document, Heading, Paragraph, Table, numbered
from pbpk.share.tables import write_tables


@pytest.fixture
def blocks(run_of, study):
    run = run_of(study)
    return [*ctd_blocks(run), *listing_blocks(run)]


def test_every_number_has_a_source_and_every_source_has_rows(blocks, folder_of, study):
    assert not untraced(blocks)
    assert not lost(blocks, folder_of(study))


def test_odd_names_are_traced_too(odd):
    run, folder = odd
    blocks = [*ctd_blocks(run), *listing_blocks(run)]
    assert not untraced(blocks)
    assert not lost(blocks, folder)


def test_a_run_with_draws_is_traced(sampled, tmp_path):
    write_tables(sampled, tmp_path)
    shutil.copytree(sampled.study.folder, tmp_path / "study" / sampled.name)
    blocks = [*ctd_blocks(sampled), *listing_blocks(sampled)]
    assert not untraced(blocks)
    assert not lost(blocks, tmp_path)


def test_every_table_of_the_dossier_has_its_title(blocks):
    titles = " ".join(block.text for block in blocks if isinstance(block, Heading))
    for i in range(1, 17):
        assert f"(CTD 2.6.5.{i})" in titles
    for i in range(1, 11):
        assert f"2.6.4.{i} " in titles
    assert [block.anchor for block in blocks if isinstance(block, Heading) and block.level == 1] == ["ctd", "listing"]


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
        blocks = [*ctd_blocks(run_of(name)), *listing_blocks(run_of(name))]
        words = " ".join([*(text for text, _ in told(blocks)), *(b.text for b in blocks if isinstance(b, Heading))])
        assert not re.search(r"\b(cells?|cellular|viability)\b", words)
        assert not [text for text, _ in told(blocks) if "Not applicable" in text]


def test_cells_are_told_what_does_not_apply(run_of):
    blocks = ctd_blocks(run_of("khot_2019_t_cells_mouse"))
    reasons = [str(block.words) for block in blocks if isinstance(block, Paragraph)]
    assert sum(words.startswith("Not applicable to a cellular product: ") for words in reasons) >= len(TITLES)
    assert any("label is not viability" in words for words in reasons)


def test_what_the_author_owes_stands_out(blocks):
    owed = [block for block in blocks if isinstance(block, Paragraph) and block.kind == "missing"]
    assert owed
    assert all(str(block.words).startswith("TO BE COMPLETED: ") for block in owed)


def test_the_resolver_sees_what_is_lost(folder_of):
    folder = folder_of("zhuang_2021_fnd_msc_mouse")
    assert selects("counts.csv#group=iv&organ=lung&hours=1.0", folder)
    assert not selects("counts.csv#group=iv&organ=spleen", folder)
    assert not selects("counts.csv#nothing=1", folder)
    assert not selects("absent.csv", folder)
    assert not selects("study/zhuang_2021_fnd_msc_mouse/study.toml#product.viability", folder)
    assert untraced([Paragraph("3 values")])
    assert not untraced([Paragraph("see 2.6.5.13B")])
