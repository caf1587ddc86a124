"""Formulas as MathML, which browsers draw themselves: no script and nothing from outside."""

from typing import Any

import pypandoc
from docutils import nodes


def markup(tex: str, display: bool) -> str:
    """A formula as a `<math>` element."""
    sign = "$$" if display else "$"
    found = pypandoc.convert_text(f"{sign}{tex}{sign}", "html", format="markdown", extra_args=["--mathml"])
    return str(found).removeprefix("<p>").strip().removesuffix("</p>")


def inline(translator: Any, node: nodes.math) -> None:
    """Write a formula within a line."""
    translator.body.append(markup(node.astext(), display=False))
    raise nodes.SkipNode


def block(translator: Any, node: nodes.math_block) -> None:
    """Write a formula that stands alone."""
    translator.body.append(f'<div class="math">{markup(node.astext(), display=True)}</div>')
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, bool]:
    """Make it the renderer of formulas."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
