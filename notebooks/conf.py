"""The documentation, built by `make docs` without a network: guides and notebooks run, every warning is an error."""

import hashlib
import os
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE / "site"), str(ROOT)]
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # `!pbpk` in a cell is this one
os.environ["PYTHONPATH"] = str(ROOT)
os.environ["COLUMNS"] = "110"  # of what commands print
os.environ["NO_COLOR"] = "1"

import pbpk


def digest() -> str:
    """Of everything that decides what an executed page shows, so that a cached result is never that of other code."""
    files = (path for top in ("pbpk", "models", "data") for path in (ROOT / top).rglob("*"))
    found = hashlib.sha256()
    for path in sorted(path for path in files if path.is_file() and path.suffix not in {".pyc", ".nbi", ".nbc"}):
        found.update(str(path.relative_to(ROOT)).encode() + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:16]


project = "pbpk"
author = copyright = "The pbpk developers"
release = version = pbpk.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "mathml", "commands", "links"]
exclude_patterns = ["site", ".ipynb_checkpoints"]
suppress_warnings = ["toc.empty_glob"]

html_theme = "furo"
html_title = f"pbpk {release}"
html_show_copyright = html_show_sourcelink = html_copy_source = False
html_static_path = ["site/static"]
html_css_files = ["pbpk.css"]
html_theme_options = {"top_of_page_buttons": []}

myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_cache_path = str(ROOT / "build" / "executed" / digest())
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_merge_streams = True
nb_mime_priority_overrides = [("html", "image/svg+xml", 0)]

add_module_names = False
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
default_role = "code"
maximum_signature_line_length = 90
python_use_unqualified_type_names = True

MEANING = re.compile(r"^([\w, *.]+) : (?=\S)")


def told_apart(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Lines `name : meaning` of our docstrings, which are no section of numpydoc, as a list of fields."""
    lines[:] = [MEANING.sub(r":\1: ", line) for line in lines]


def setup(app: Any) -> None:
    """Take docstrings as they are written here, after numpydoc's sections were read."""
    app.connect("autodoc-process-docstring", told_apart, priority=900)
