"""Known answers are found again, and a wrong answer, datum or file is not."""

import shutil

import pytest

from pbpk.errors import InputError
from pbpk.predict.qualification import oracles
from pbpk.predict.qualification.oracles import FOLDER, of_oracle, of_oracles, read_oracle


@pytest.fixture
def edited(tmp_path):
    """A file of known answers with one text changed."""

    def edit(name, old, new):
        shutil.copy(FOLDER / name, tmp_path / name)
        text = (tmp_path / name).read_text()
        assert old in text
        (tmp_path / name).write_text(text.replace(old, new, 1))
        return tmp_path

    return edit


def test_every_answer_is_found_again():
    checks = of_oracles()
    assert len(checks) == 48
    assert all(check.passed for check in checks), [check.sentence for check in checks if not check.passed]
    assert all("1982" in check.source for check in checks if check.name.startswith("Gibaldi"))


@pytest.mark.parametrize(
    ("name", "old", "new", "wrong"),
    [
        ("bailer_1988.toml", "value = 0.0490625", "value = 0.0490626", ["Bailer 1988, group 1: AUClast"]),
        ("bailer_1988.toml", "df = 5.43911553715059", "df = 5.43911563715059", ["Bailer 1988, group 1: AUClast"]),
        ("bailer_1988.toml", "0.0658, 0.032", "0.0658, 0.033", ["Bailer 1988, group 1: AUClast"]),
        ("wolfsegger_jaki_2009.toml", "tail = 4", "tail = 3",
         [f"Wolfsegger and Jaki 2009: {name}" for name in ("AUCinf_obs", "AUMCinf_obs", "MRTinf_obs")]),
        ("indomethacin_1976.toml", "value = 0.158320482400297", "value = 0.158320492400297",
         ["Kwan 1976, subject 1: lambda_z"]),
        ("units.toml", "expected = 336000.0", "expected = 5600.0", ["5.6 L/min in mL/h"]),
        ("ich_m10_plates.toml", "passed     = true", "passed     = false", ["ICH M10: a plate that is just accepted"]),
        ("ich_m10_plates.toml", "30.0, 44.0", "30.0, 49.0",
         ["ICH M10: a plate that is just accepted", "ICH M10: rules of a plate that is just accepted"]),
    ],
)  # fmt: skip
def test_a_wrong_answer_or_datum_fails(edited, verdicts, name, old, new, wrong):
    assert verdicts(of_oracles(edited(name, old, new))) == wrong


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind    =", "kin     =", "unknown key `kin`"),
        ('set = "all"\nparameter', 'set = "none"\nparameter', "`none` has no samples"),
        ('parameter = "AUClast"', 'parameter = "AUCfirst"', "`AUCfirst` is not computed"),
        ("value = 47.503075", "value = 0", "greater than 0"),
        ("tail = 3", "tail = 1", "1 points make no slope"),
        ("tail = 3", "tale = 3", "unknown key"),
    ],
)
def test_a_broken_file_fails_in_words(edited, old, new, said):
    (check,) = [c for c in of_oracles(edited("gibaldi_perrier_1982.toml", old, new)) if not c.passed]
    assert said in check.sentence


def test_a_file_without_answers_is_refused(tmp_path):
    path = tmp_path / "empty.toml"
    path.write_text('title = "t"\nkind = "units"\nsource = "s"\nanswers = "a"\n')
    with pytest.raises(InputError, match="holds no answer"):
        read_oracle(path)


def test_no_answers_at_all_fail(tmp_path):
    (check,) = of_oracles(tmp_path)
    assert not check.passed


def test_a_conversion_that_is_off_fails(monkeypatch, verdicts):
    monkeypatch.setattr(oracles, "convert", lambda value, unit, to: value * 60.0)
    wrong = verdicts(of_oracle(read_oracle(FOLDER / "units.toml")))
    assert "1 1/min in 1/h" not in wrong
    assert len(wrong) == 7


def test_areas_that_are_off_fail(monkeypatch, verdicts):
    right = oracles.combined
    monkeypatch.setattr(oracles, "combined", lambda sampled, weight: right(sampled, weight * (1.0 + 1e-8)))
    assert len(verdicts(of_oracle(read_oracle(FOLDER / "bailer_1988.toml")))) == 3
