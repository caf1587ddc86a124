"""Options say what they are, and each is said once."""

from typing import get_args

from pbpk.commands import options


def test_every_option_has_help_of_its_own():
    told = [get_args(value)[1].help for name, value in vars(options).items() if name[0].isupper() and get_args(value)]
    assert len(told) > 10
    assert all(told)
    assert len(set(told)) == len(told)
