"""Rivals compared from the command line, their fits made up."""

import pandas as pd
import pytest

from pbpk.commands import compare as command
from pbpk.errors import InputError, ModelFileError
from pbpk.infer.comparison.compare import compare as judge

KHOT = "data/khot_2019_t_cells_mouse"


@pytest.fixture
def made_up(make_posterior, monkeypatch):
    """Draws about the prior in place of fits."""
    from pbpk.infer.matched.joint import join

    def learn(model, counts, **how):
        return make_posterior(join(model, counts), draws=50)

    monkeypatch.setattr(command, "judge", lambda *given, **how: judge(*given, learn=learn, **how))


def test_it_writes_a_table_and_a_page(made_up, tmp_path, capsys):
    out = tmp_path / "rivals"
    command.compare(KHOT, out, ["t_cell", "t_cell:no_label_transfer"], False, False, 1, 100, 100)
    table = pd.read_csv(out / "comparison.csv")
    assert set(table["model"]) == {"t_cell", "t_cell:no_label_transfer"}
    assert table["weight"].sum() == pytest.approx(1.0)
    assert len(pd.read_csv(out / "by_unit.csv")) == 10  # five hours, two models
    assert "<svg" in (out / "comparison.html").read_text()
    assert "comparison.html" in capsys.readouterr().out


def test_an_unknown_rival_is_one_sentence(tmp_path):
    with pytest.raises(ModelFileError, match="no_releese"):
        command.compare(KHOT, tmp_path / "out", ["t_cell", "t_cell:no_releese"], False, False, 1, 100, 100)
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_left_out_is_one_sentence(tmp_path):
    names = ["t_cell", "t_cell:no_release"]
    with pytest.raises(InputError, match=r"--leave-out: `hours` is not one of animal, hour\. Did you mean `hour`\?"):
        command.compare(KHOT, tmp_path / "out", names, False, False, 1, 100, 100, "hours")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("leave", [None, "animal", "hour"])
def test_what_is_left_out_can_be_asked_for(made_up, monkeypatch, tmp_path, leave):
    asked, made = [], command.judge

    def ask(*given, **how):
        asked.append(how["leave"])
        return made(*given, **how)

    monkeypatch.setattr(command, "judge", ask)
    command.compare(KHOT, tmp_path / "out", ["t_cell", "t_cell:no_label_transfer"], False, False, 1, 100, 100, leave)
    assert asked == [leave]
