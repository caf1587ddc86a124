"""Numbers of tables as a CTD has them: 2.6.5.5A, 2.6.5.5B."""

from collections.abc import Sequence
from dataclasses import replace
from string import ascii_uppercase

from pbpk.report.document.blocks import Block, Table


def lettered(number: str, blocks: Sequence[Block]) -> list[Block]:
    """Blocks whose tables bear the number of their CTD table, with a letter where there are several."""
    several = sum(isinstance(block, Table) for block in blocks) > 1
    found: list[Block] = []
    count = 0
    for block in blocks:
        if isinstance(block, Table):
            found.append(replace(block, number=number + (letter(count) if several else "")))
            count += 1
        else:
            found.append(block)
    return found


def letter(place: int) -> str:
    """Letter of a table by its place, from 0.

    >>> letter(0), letter(25), letter(26), letter(53)
    ('A', 'Z', 'AA', 'BBB')
    """
    return ascii_uppercase[place % 26] * (place // 26 + 1)
