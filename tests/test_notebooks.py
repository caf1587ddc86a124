"""Notebooks run from top to bottom, show their figures, and are kept without what they printed."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"
BOOKS = sorted(FOLDER.glob("*.ipynb"))


def code(book):
    return [cell for cell in book.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_its_figures(path):
    book = nbformat.read(path, 4)
    NotebookClient(book, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}).execute()
    drawn = sum("image/png" in output.get("data", {}) for cell in code(book) for output in cell.outputs)
    asked = sum(cell.source.rstrip().splitlines()[-1].startswith(DRAWING) for cell in code(book))
    assert drawn == asked


DRAWING = tuple(
    f"{name}("
    for name in ("draw_well", "calibrations_figure", "stack_figure", "body_map_figure", "contrast_figure",
                 "frontier_figure", "timeline_figure", "contraction_figure", "population_figure")
)  # fmt: skip


def test_there_is_one_for_each_question():
    assert len(BOOKS) == 8


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_git_keeps_no_output(path):
    book = nbformat.read(path, 4)
    nbformat.validate(book)
    assert not [cell for cell in code(book) if cell.outputs or cell.execution_count is not None]
    title, question, *_ = book.cells[0].source.split("\n\n")
    assert title.startswith("# ")
    assert question.startswith("*")
    assert question.endswith("?*")
