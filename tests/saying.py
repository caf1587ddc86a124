"""The command line within a test: what a command prints and how it ends."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from types import SimpleNamespace

import pytest

import pbpk.cli


def say(*words):
    """Run a command; `code`, `out` and `err` of what came back."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["pbpk", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            pbpk.cli.main()
    return SimpleNamespace(code=end.value.code or 0, out=out.getvalue(), err=err.getvalue())
