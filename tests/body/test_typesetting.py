import re

import matplotlib.mathtext
import pytest
import sympy

from pbpk.body import equations
from pbpk.body.expansion import read_model
from pbpk.body.rates import PLACEHOLDER
from pbpk.body.typesetting import latex, shared_equations

MODELS = {
    "msc": read_model("msc", "mouse"),
    "halves": read_model("msc", "mouse", split={"kidney": ["kidney_left", "kidney_right"]}),
    "particles": read_model("particles", "rat"),
    "lin_2016": read_model("lin_2016", "mouse"),
    "khot_2019": read_model("khot_2019", "mouse"),
    "small_molecule": read_model("small_molecule", "human"),
}
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@each_model
def test_shared_equations_are_the_equations_of_every_state(model):
    """Written out again for each state, organ by organ, they are what the solver integrates."""
    whole = {equation.state: equation.right for equation in equations.equations(model)}
    seen = []
    for equation in shared_equations(model):
        for state, organ in zip(equation.states, equation.organs, strict=True):
            right = sympy.Integer(0)
            for term in equation.terms:
                family = model.families[term.family]
                for i in term.organs or (family.organs.index(organ),):
                    names = {
                        name: sympy.Symbol(model.name_at(at[i]), positive=True) for name, at in family.symbols.items()
                    }
                    source = sympy.Symbol(model.states[family.source[i]], positive=True)
                    right += term.sign * family.rate.evaluate(names, sympy) * source
            assert sympy.expand(right - whole[state]) == 0, state
            seen.append(state)
    assert sorted(seen) == sorted(model.states)


def rows_of(text):
    """Rows of an `align*`, each without its alignment marks."""
    assert text.startswith("\\begin{align*}\n")
    assert text.endswith("\n\\end{align*}")
    inner = text.removeprefix("\\begin{align*}\n").removesuffix("\n\\end{align*}")
    return [row.replace("&", " ").strip() for row in inner.split(" \\\\\n")]


@pytest.mark.parametrize("name", ["msc", "particles", "small_molecule"])
def test_every_row_is_read_by_a_reader_of_tex(name):
    model = MODELS[name]
    parser = matplotlib.mathtext.MathTextParser("path")
    text = latex(model)
    rows = rows_of(text)
    for row in rows:
        assert row.count("{") == row.count("}")
        assert parser.parse(f"${row}$").width > 0
    assert len(re.findall(r"\}\}\{dt\} &=", text)) == len(shared_equations(model))
    for left in re.findall(r"_\w+|(?<!mathrm)\{organ\}", text):  # no bare name and no placeholder is left
        assert left in {"_i", "_j"}


@each_model
def test_every_name_is_written(model):
    """Words of the LaTeX are words of the model, and the other way round for what its rates use."""
    text = latex(model)
    words = {
        word.replace(r"\ ", "_") for group in re.findall(r"\\mathrm\{([^}]*)\}", text) for word in group.split(",")
    }
    used = {name for family in model.families for name in family.rate.names}
    for name in used:
        if name == "hours":
            continue
        parts = [part for part in re.split(r"[._]", PLACEHOLDER.sub("", name)) if len(part) > 1]
        assert all(any(part in word for word in words) for part in parts), name
    known = "_".join([*model.states, *model.symbol_names, *(PLACEHOLDER.findall(f.line)[0] for f in model.families
                                                         if PLACEHOLDER.search(f.line))])  # fmt: skip
    assert all(word in known for word in words)


def test_organs_that_share_an_equation_have_one():
    text = latex(MODELS["msc"])
    assert text.count(r"\frac{d N_{i,\mathrm{blood}}}{dt}") == 2  # by way of the liver, and straight into the vein
    assert r"i \in \{\mathrm{spleen}, \mathrm{gut}\}" in text
    assert r"\sum_{j \in \mathrm{portal}}" in text
    assert r"\mathrm{portal} &= \{\mathrm{spleen}, \mathrm{gut}\}" in text
    assert r"\frac{d N_{\mathrm{lung,blood}}}{dt}" in text


def test_parts_of_an_organ_keep_the_number_they_share():
    text = latex(MODELS["halves"])
    assert r"N_{\mathrm{kidney\ left,arrested}} \cdot \mathrm{alive}_{\mathrm{kidney}}" in text
    assert r"\mathrm{alive}_{\mathrm{kidney\ left}}" not in text


def test_a_rate_that_counts_what_is_there_shows_it():
    text = latex(MODELS["particles"])
    assert (
        r"\frac{N_{j,\mathrm{phagocytes}}}{\mathrm{capacity} \cdot \mathrm{density}_{j} \cdot \mathrm{volume}_{j}}"
        in text
    )


def test_the_hour_is_t_and_greek_names_are_letters(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        'name = "m"\nabout = "x"\narrows = ["a -> b : lambda * exp(-mu_b * hours)"]\nkinds.k = ["a", "b"]\n'
        'routes.iv = "a"\nreadouts.r = ["k"]\n'
        + "".join(f'[parameters.{n}]\nunit = "1/h"\nprior = "fixed(value=1)"\n' for n in ("lambda", "mu_b"))
    )
    model = read_model(path)
    assert r"- N_{\mathrm{a}} \cdot \lambda \cdot e^{- t \cdot \mu_{\mathrm{b}}}" in latex(model)
    assert equations.latex(model) == latex(model)
