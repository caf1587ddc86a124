import numpy as np
import pytest
import sympy

from pbpk.body.elimination import matrix
from pbpk.body.equations import (
    assumed,
    check_units,
    conservation,
    diagram,
    equations,
    fold,
    read_unused,
    refuse_rates,
    unsourced,
)
from pbpk.body.expansion import read_model
from pbpk.body.library import LIBRARY
from pbpk.dosing import Dose
from pbpk.errors import ModelFileError

HALVES = {"kidney": ["kidney_left", "kidney_right"]}
MODELS = {
    "msc": read_model("msc", "mouse"),
    "t_cell": read_model("t_cell", "rat"),
    "halves": read_model("msc", "mouse", split=HALVES),
}
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def changed(tmp_path, old, new):
    text = (LIBRARY / "msc.toml").read_text()
    assert old in text
    (tmp_path / "changed.toml").write_text(text.replace(old, new))
    return read_model(tmp_path / "changed.toml", "mouse")


@each_model
def test_what_leaves_one_state_enters_another(model):
    system = equations(model)
    assert [equation.state for equation in system] == list(model.states)
    assert sympy.expand(sum(equation.right for equation in system)) == 0
    assert conservation(model).startswith("d/dt (everything) = 0; d/dt (inside the body) = -excretion*label.blood")


def test_a_model_without_losses_says_so(tmp_path):
    closed = changed(
        tmp_path, "label.blood        -> excreted           : excretion", "excreted -> label.blood : excretion"
    )
    assert "d/dt (inside the body) = excreted*excretion" in conservation(closed)


@each_model
def test_the_equations_use_only_names_of_the_model(model):
    free = set().union(*(equation.right.free_symbols for equation in equations(model)))
    assert {symbol.name for symbol in free} <= {*model.states, *model.symbol_names}


@pytest.mark.parametrize("model", [MODELS["msc"], MODELS["t_cell"]], ids=["msc", "t_cell"])
def test_the_equations_are_what_the_solver_integrates(model):
    rng = np.random.default_rng(5)
    theta = np.array([p.prior.value(z) for p, z in zip(model.parameters, rng.normal(size=99), strict=False)])
    amounts = rng.uniform(size=len(model.states))
    values = dict(zip(model.symbol_names, [*theta, *model.settled], strict=True))
    values |= dict(zip(model.states, amounts, strict=True))
    system = equations(model)
    symbols = sorted(set().union(*(e.right.free_symbols for e in system)), key=str)
    ours = sympy.lambdify(symbols, [e.right for e in system])(*(values[s.name] for s in symbols))

    rates = model.rates(theta)
    n = len(model.states)
    w = np.zeros((n, n))
    np.add.at(w, (model.source_states, model.target_states), rates)
    np.testing.assert_allclose(ours, matrix(w) @ amounts, rtol=1e-12, atol=1e-12 * rates.max())


def test_each_lasting_state_moves_as_its_equation_says():
    """Derivative by differences of the solved full system against the equation, state by state."""
    model = MODELS["t_cell"]
    theta = np.array([p.prior.centre for p in model.parameters])
    step, at = 1e-5, 0.02
    y = model.solve(theta, [Dose("artery", 1.0)], np.array([at - step, at, at + step]), fidelity="full")
    values = dict(zip(model.symbol_names, [*theta, *model.settled], strict=True))
    values |= dict(zip(model.states, y[1], strict=True))
    moved = (y[2] - y[0]) / (2 * step)
    for equation, slope in zip(equations(model), moved, strict=True):
        said = float(equation.right.subs({s: values[s.name] for s in equation.right.free_symbols}))
        assert slope == pytest.approx(said, rel=1e-3, abs=1e-7), equation.state


def test_each_equation_has_its_own_left_side():
    left = [str(equation.left) for equation in equations(MODELS["msc"])]
    assert len(set(left)) == len(MODELS["msc"].states)
    assert left[0] == "Derivative(lung.arrested, t)"


@pytest.mark.parametrize("name", ["msc", "t_cell"])
@pytest.mark.parametrize("species", ["mouse", "rat", "human"])
def test_shipped_models_have_the_right_units(name, species):
    assert check_units(read_model(name, species)) == []


@pytest.mark.parametrize(
    "rate",
    [
        "cardiac_output",
        "volume_vein",
        "transfer_{organ} + cardiac_output",
        "transfer_{organ} + 1",
        "transfer_{organ} * blood_{organ} / volume_vein * volume_artery",
        "exp(transfer_{organ}) * excretion",
        "transfer_{organ} ** 2",
        "E_{organ}",
        "0.1",
        "sqrt(transfer_{organ})",
    ],
)
def test_wrong_units_are_found(tmp_path, rate):
    wrong = changed(tmp_path, ": transfer_{organ}", f": {rate}")
    (problem,) = check_units(wrong)
    assert rate in problem


def test_one_organ_with_another_unit_is_found(tmp_path):
    old = 'about  = "rate at which the liver gives up label"\nunit   = "1/h"'
    (problem,) = check_units(changed(tmp_path, old, old.replace("1/h", "mL")))
    assert "transfer_{organ}" in problem


@pytest.mark.parametrize("rate", ["sqrt(transfer_{organ} ** 2)", "transfer_{organ} * exp(-E_{organ})", "-(-excretion)"])
def test_right_units_are_let_through(tmp_path, rate):
    assert check_units(changed(tmp_path, ": transfer_{organ}", f": {rate}")) == []


@pytest.mark.parametrize("name", ["msc", "t_cell"])
@pytest.mark.parametrize("species", ["mouse", "rat", "human"])
@pytest.mark.parametrize("label", [None, "FND", "51Cr", "111In"])
def test_every_number_has_a_listed_source(name, species, label):
    assert unsourced(read_model(name, species, label=label)) == []


def test_a_missing_source_is_found(tmp_path):
    model = changed(tmp_path, 'source = "lin_chou"\n', 'source = "lin_chu"\n')
    assert "transfer_kidney: source `lin_chu` is not listed under [sources]" in unsourced(model)
    model = changed(tmp_path, 'source = "lin_chou"\n', "")
    assert "transfer_kidney: no source" in unsourced(model)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('source = "size_anchors"', "size_slope"),
        ('source = "khot_2019_auc_errors"', "spread"),
        ('source   = "no_size_known"', "injury_lung"),
    ],
)
def test_noise_the_size_law_and_modifiers_are_looked_at_too(tmp_path, line, name):
    found = unsourced(changed(tmp_path, line, 'source = "nobody"'))
    assert f"{name}: source `nobody` is not listed under [sources]" in found


def test_choices_are_listed_as_assumed():
    found = assumed(read_model("msc", "human", label="51Cr"))
    assert "excretion: no_size_known" in found
    assert "vascular_lung: assumption" in found
    assert "injury_lung: no_size_known" in found
    assert not any(line.startswith("loss_lung:") for line in found)


def test_the_diagram_has_every_arrow_once():
    model = MODELS["msc"]
    lines = diagram(model, 200).splitlines()
    arrows = [line for line in lines if "──▶" in line]
    assert len(arrows) == len(model.families) == 16
    assert lines[0].split() == ["vein", "──▶", "lung.blood", "flow_lung", "/", "volume_vein"]
    assert [line.split() for line in lines[16:18]] == [
        ["{fed}", "=", "liver,", "spleen,", "kidney,", "heart,", "gut,", "rest"],
        ["{portal}", "=", "spleen,", "gut"],
    ]
    assert len({line.index("──▶") for line in arrows}) == 1


@pytest.mark.parametrize("name", ["msc", "lin_2016", "khot_2019", "small_molecule"])
@pytest.mark.parametrize("width", [50, 80, 120])
def test_the_diagram_fits_the_terminal(name, width):
    model = read_model(name, "mouse")
    text = diagram(model, width)
    assert max(len(line) for line in text.splitlines()) <= width
    bare = text.replace("\n", " ").split()
    for family in model.families:  # nothing is lost by folding
        rate = family.line.partition(":")[2].split()
        assert any(bare[i : i + len(rate)] == rate for i in range(len(bare)))


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("a + b", 9, ["a + b"]),
        ("a * b + c * (d - e)", 11, ["a * b + c", "* (d - e)"]),
        ("a * (b + c + d + e)", 12, ["a", "* (b + c", "+ d + e)"]),
        ("unbroken_word_of_a_name", 9, ["unbroken_word_of_a_name"]),
        ("x ** 2 - -y", 8, ["x ** 2", "- -y"]),
    ],
)
def test_rates_fold_before_an_operator_outside_brackets(text, width, lines):
    assert fold(text, width) == lines


def test_lists_fold_after_a_comma():
    assert fold("lung, liver, spleen, gut", 14, ",") == ["lung, liver,", "spleen, gut"]


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        ("-transfer_{organ}", "the rate in lung is -0.01 1/h"),
        ("transfer_{organ} * sqrt(0 - 1)", "the rate in lung is nan 1/h"),
        ("transfer_{organ} / (E_{organ} - E_{organ})", "the rate cannot be computed: "),
        ("cardiac_output", "the rate is in ml / h, it must be in 1/h"),
        ("E_{organ}", "the rate is in 1, it must be in 1/h"),
    ],
)
def test_a_rate_that_is_none_is_refused_with_its_line(tmp_path, rate, words):
    wrong = changed(tmp_path, ": transfer_{organ}", f": {rate}")
    with pytest.raises(ModelFileError) as refusal:
        refuse_rates(wrong)
    said = str(refusal.value)
    assert said.startswith(f"{tmp_path / 'changed.toml'}: line 21: `{{organ}}.label -> label.blood : ")
    assert words in said
    assert said.endswith("; correct it.")


def test_several_wrong_rates_are_counted(tmp_path):
    wrong = changed(tmp_path, ": loss_{organ}", ": blood_{organ} * loss_{organ}")
    with pytest.raises(
        ModelFileError, match=r"line 18: .*; correct it \(1 more are wrong; `pbpk check` lists them\)\.$"
    ):
        refuse_rates(wrong)


def test_the_rates_that_modifiers_bring_have_units_too(tmp_path):
    wrong = changed(tmp_path, '"(1 + (injury', '"volume_vein * (1 + (injury')
    with pytest.raises(ModelFileError, match=r"line 83: .*; correct it"):
        refuse_rates(wrong)


@each_model
def test_sound_rates_are_let_through(model):
    refuse_rates(model)


def test_what_no_rate_uses_is_named(tmp_path):
    assert read_unused(MODELS["msc"]) == []
    assert read_unused(MODELS["t_cell"]) == []
    assert read_unused(changed(tmp_path, "[parameters.E_lung]", "[parameters.E_lng]")) == ["E_lng"]
    found = read_unused(changed(tmp_path, '[labels."51Cr".weight_kidney]', '[labels."51Cr".weight_kidny]'))
    assert found == ["labels.51Cr.weight_kidny"]
