"""The template can be read as it stands, and every line of it once its mark is taken away."""

import re
import tomllib
from typing import get_args

import pytest

from pbpk.errors import FilingError
from pbpk.predict.filing.authored import Authored, missing, read_authored
from pbpk.predict.filing.criteria import Criterion, Quantity
from pbpk.predict.filing.template import template, write_template


def test_it_is_read_as_it_stands(tmp_path):
    path = write_template(tmp_path)
    assert path == tmp_path / "report.toml"
    text = path.read_text(encoding="utf-8")
    assert text == template()
    assert max(map(len, text.splitlines())) <= 120
    read_authored(tmp_path)


def test_it_asks_every_question():
    blank = Authored.model_validate(tomllib.loads(template()))
    names = {each.name for each in missing(Authored())} - {"sign_off.authors"}
    assert names <= {each.name for each in missing(blank)}
    for each in missing(blank):
        assert each.question in template()


def test_what_is_marked_can_be_taken_in():
    """The tables that stand behind marks are such as the schema knows."""
    bare = re.sub(r"^# (?=\[|exclusions|\w+ = )", "", template(), flags=re.M)
    bare = bare.replace('exclusions = {na = "no record was left out"}\n', "")
    found = Authored.model_validate(tomllib.loads(bare))
    assert (len(found.criteria), len(found.assumptions), len(found.exclusions), len(found.deviations)) == (1, 1, 1, 1)
    assert found.criteria[0] == Criterion(id="coverage_liver", quantity="inside_share", organ="liver", comparison=">=",
                                          threshold=0.8, about=found.criteria[0].about)  # fmt: skip
    assert found.assessment.model_influence.sole_source
    assert list(found.discussion.unmet) == ["coverage_liver"]
    waived = re.sub("^# (?=exclusions)", "", template(), flags=re.M)
    assert Authored.model_validate(tomllib.loads(waived)).exclusions.na == "no record was left out"


@pytest.mark.parametrize("quantity", get_args(Quantity))
def test_every_quantity_is_explained(quantity):
    assert f"#   {quantity}: " in template()


def test_what_an_author_wrote_is_never_replaced(tmp_path):
    (tmp_path / "report.toml").write_text("precious")
    with pytest.raises(FilingError, match="exists already and is not replaced"):
        write_template(tmp_path)
    assert (tmp_path / "report.toml").read_text() == "precious"
    with pytest.raises(FilingError, match="there is no such folder"):
        write_template(tmp_path / "nowhere")
