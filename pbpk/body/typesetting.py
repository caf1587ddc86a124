"""A model's equations as LaTeX, straight from its arrows; organs that obey the same equation share one."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from pbpk.body.equations import spelt
from pbpk.body.model import STATE, Family, Model
from pbpk.body.rates import PLACEHOLDER

FREE, BOUND = "{i}", "{j}"  # the organ of a shared equation, and of a sum, as they stand in names
AMOUNT = "N "  # stands before the name of a state, which may be spelt like a number
TERMS = 2  # of one line, so that it fits a page
GREEK = frozenset(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "pi",
        "rho",
        "sigma",
        "tau",
        "phi",
        "chi",
        "psi",
        "omega",
    ]
)


@dataclass(frozen=True)
class Term:
    """What one line of the model file adds to a state's equation, or takes from it.

    organs : places of the family's organs that it stands for; empty for the organ of the equation itself
    """

    family: int
    sign: int
    organs: tuple[int, ...]


@dataclass(frozen=True)
class Shared:
    """One equation and the states that obey it, each with its organ, "" if it has none; `name` has {i} for it."""

    name: str
    states: tuple[str, ...]
    organs: tuple[str, ...]
    terms: tuple[Term, ...]


def shared_equations(model: Model) -> list[Shared]:
    """Every equation once, in the order of the states."""
    found: dict[tuple[str, tuple[Term, ...]], list[tuple[str, str]]] = {}
    for place, state in enumerate(model.states):
        name, organ, terms = state, "", []
        for f, family in enumerate(model.families):
            for sign, ends, text in zip((-1, 1), (family.source, family.target), _ends(family), strict=True):
                at = tuple(i for i, end in enumerate(ends) if end == place)
                alike = all(_is_template(model, family, i) for i in at)
                if at and alike and PLACEHOLDER.search(text):
                    name, organ = PLACEHOLDER.sub(FREE, text), family.organs[at[0]]
                    terms.append(Term(f, sign, ()))
                elif at and alike:
                    terms.append(Term(f, sign, at))
                else:
                    terms += [Term(f, sign, (i,)) for i in at]
        found.setdefault((name, tuple(terms)), []).append((state, organ))
    return [
        Shared(name, tuple(state for state, _ in members), tuple(organ for _, organ in members), terms)
        for (name, terms), members in found.items()
    ]


def _ends(family: Family) -> tuple[str, str]:
    source, _, target = family.line.partition(":")[0].partition("->")
    return source.strip(), target.strip()


def _is_template(model: Model, family: Family, organ: int) -> bool:
    """Whether the rate of one organ is the line with its name put in; parts of a split organ share some numbers."""
    own = family.organs[organ]
    return all(model.name_at(at[organ]) == PLACEHOLDER.sub(own, name) for name, at in family.symbols.items())


def latex(model: Model) -> str:
    """Equations of a model as LaTeX, ready to paste: an `align*` of amsmath.

    A state is N with its name below. What organs share is written once, with i for the organ and j in sums; groups
    that sums run over follow the equations.
    """
    return "\\begin{align*}\n" + " \\\\\n".join(latex_rows(model)) + "\n\\end{align*}"


def latex_rows(model: Model) -> list[str]:
    """Rows of `latex`: one for each equation, of a line or more, and then one for each group of organs."""
    rows: list[str] = []
    groups: dict[str, tuple[str, ...]] = {}
    for equation in shared_equations(model):
        several = len(equation.states) > 1
        left = rf"\frac{{d {_tex(AMOUNT + (equation.name if several else equation.states[0]))}}}{{dt}}"
        terms = [piece for term in equation.terms for piece in _pieces(model, equation, term)]
        lines = [" ".join(terms[i : i + TERMS]) for i in range(0, len(terms), TERMS)]
        lines[0] = lines[0].removeprefix("+ ")
        lines += [rf"i \in {_listed(equation.organs)}"] if several else []
        rows.append(f"{left} &= " + " \\\\\n    &\\quad ".join(lines))
        whole = [model.families[term.family] for term in equation.terms if _is_whole(model, term)]
        groups |= {PLACEHOLDER.findall(family.line)[0]: family.organs for family in whole}
    return [*rows, *(rf"{_roman(name)} &= {_listed(organs)}" for name, organs in groups.items())]


def _is_whole(model: Model, term: Term) -> bool:
    """Whether a term sums over every organ of its group."""
    return 1 < len(term.organs) == len(model.families[term.family].organs)


def _pieces(model: Model, equation: Shared, term: Term) -> list[str]:
    """Signed pieces of LaTeX that one term becomes."""
    import sympy

    family, total = model.families[term.family], ""
    placed = FREE if len(equation.states) > 1 else equation.organs[0]
    if len(term.organs) > 1:
        placed = BOUND
        within = _listed(tuple(family.organs[i] for i in term.organs))
        if _is_whole(model, term):
            within = _roman(PLACEHOLDER.findall(family.line)[0])
        total = rf"\sum_{{j \in {within}}} "
    names = {name: PLACEHOLDER.sub(placed, name) for name in family.symbols}
    source = PLACEHOLDER.sub(placed, _ends(family)[0])
    if len(term.organs) == 1:
        names = {name: model.name_at(at[term.organs[0]]) for name, at in family.symbols.items()}
        source = model.states[family.source[term.organs[0]]]
    symbols = {}
    for name, at in family.symbols.items():
        symbols[name] = sympy.Symbol((AMOUNT if at[0] <= STATE else "") + names[name], positive=True)
    flow = term.sign * family.rate.evaluate(symbols, sympy) * sympy.Symbol(AMOUNT + source, positive=True)
    pieces = []
    for part in [flow] if total else flow.as_ordered_terms():
        minus = part.could_extract_minus_sign()
        text = _printer().doprint(-part if minus else part)
        text = rf"\left({text}\right)" if total and part.is_Add else text
        pieces.append(f"{'-' if minus else '+'} {total}{text}")
    return pieces


@cache
def _printer() -> Any:
    """Printer of LaTeX with the names of this package."""
    from sympy.printing.latex import LatexPrinter  # takes a second that only the equations need

    class Printer(LatexPrinter):
        """LaTeX in which a symbol is written by `_tex`."""

        def _print_Symbol(self, symbol: Any, style: str = "plain") -> str:
            return _tex(str(symbol.name))

    return Printer({"mul_symbol": "dot"})


def _tex(name: str) -> str:
    """One name: a letter, a word or a state, with what stands below it."""
    if name == "hours":
        return "t"
    is_state = name.startswith(AMOUNT)
    plain = name.removeprefix(AMOUNT)
    head, tail = spelt(plain, (plain,) if is_state else ())
    head = rf"\{head}" if head in GREEK else head if len(head) == 1 else _roman(head)
    words = plain.split(".") if is_state else [tail] if tail else []
    if not words:
        return head
    template = any(mark in plain for mark in (FREE, BOUND))
    return f"{head}_{{{','.join(map(_below, words)) if template else _roman(','.join(words))}}}"


def _below(word: str) -> str:
    """A word below a letter, roman but for the letter that stands for an organ."""
    parts = [part for part in re.split(r"(\{[ij]\})", word) if part]
    return "".join(part[1] if part in (FREE, BOUND) else _roman(part) for part in parts)


def _roman(text: str) -> str:
    return rf"\mathrm{{{text.replace('_', ' ').replace(' ', chr(92) + ' ')}}}"


def _listed(organs: tuple[str, ...]) -> str:
    return r"\{" + ", ".join(_roman(organ) for organ in organs) + r"\}"
