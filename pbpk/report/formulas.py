"""A model's equations as MathML, straight from its arrows."""

from functools import cache
from typing import Any

from markupsafe import Markup, escape

from pbpk.body.equations import equations, spelt
from pbpk.body.model import Model


@cache
def _printer(states: tuple[str, ...]) -> Any:
    """Printer of presentation MathML that writes a state as N with its name below, `E_lung` as E with lung below."""
    from sympy.printing.mathml import MathMLPresentationPrinter  # takes a second that only the equations need

    class Printer(MathMLPresentationPrinter):
        """Presentation MathML with the names of this package."""

        def _print_Symbol(self, symbol: Any, style: str = "plain") -> Any:
            name = str(symbol.name)
            head, tail = spelt(name, states)
            node = self._word("mi", head)
            if not tail:
                return node
            below = self.dom.createElement("msub")
            below.appendChild(node)
            below.appendChild(self._word("mtext", tail))
            return below

        def _word(self, tag: str, text: str) -> Any:
            node = self.dom.createElement(tag)
            node.appendChild(self.dom.createTextNode(text))
            return node

    return Printer({"mul_symbol": "dot"})


def equation_markup(model: Model) -> list[Markup]:
    """Equation of each state, in the model's order; its left side and each term are a `<math>`, so lines can break."""
    printer = _printer(model.states)
    found = []
    for equation in equations(model):
        head, tail = map(escape, spelt(equation.state, model.states))
        above = f"<mrow><mi>d</mi><msub><mi>{head}</mi><mtext>{tail}</mtext></msub></mrow>"
        pieces = [f"<math><mfrac>{above}<mrow><mi>d</mi><mi>t</mi></mrow></mfrac><mo>=</mo></math>"]
        for i, term in enumerate(equation.right.as_ordered_terms()):
            below_zero = term.could_extract_minus_sign()
            sign = "−" if below_zero else "+" if i else ""
            mark = f'<mo form="infix">{sign}</mo>' if sign else ""
            pieces.append(f'<math displaystyle="true">{mark}{printer.doprint(-term if below_zero else term)}</math>')
        found.append(Markup(" ".join(pieces)))
    return found
