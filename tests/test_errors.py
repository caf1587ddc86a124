import pytest

from pbpk import errors
from pbpk.errors import InputError, NotConverged, PbpkError, SolveError, did_you_mean


def subclasses(kind):
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


def test_the_tree_in_the_docstring_is_the_tree():
    drawn = {
        word for word in errors.__doc__.split() if word.endswith(("Error", "Converged", "Reproduced", "Interrupted"))
    }
    assert drawn == {
        "PbpkError",
        *(kind.__name__ for kind in subclasses(PbpkError) if kind.__module__ == errors.__name__),
    }


def test_exit_codes():
    """2 for anything the user wrote, 3 for chains that disagree, 4 for what is not reproduced, 1 for the rest."""
    assert {kind.exit_code for kind in subclasses(InputError)} == {2}
    assert (PbpkError.exit_code, SolveError.exit_code, NotConverged.exit_code) == (1, 1, 3)
    assert errors.NotReproduced.exit_code == 4
    assert errors.Interrupted.exit_code == 130  # as a shell says of Ctrl-C


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("livr", ["liver", "lung"], " Did you mean `liver`?"),
        ("kidney_lft", ["kidney_left", "kidney_right", "kidney"], " Did you mean `kidney_left`?"),
        ("xyz", ["b", "a", "b"], " Choose from `a`, `b`."),
        ("xyz", [], ""),
        ("xyz", [f"organ{i}" for i in range(13)], ""),
        ("organ7x", [f"organ{i}" for i in range(13)], " Did you mean `organ7`?"),
    ],
)
def test_the_closest_name_or_the_choice(name, options, said):
    assert did_you_mean(name, iter(options)) == said
