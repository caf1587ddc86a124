"""All words of blocks of a report, for tests that look for some."""

from pbpk.report.document.blocks import Bullets, Equations, Facts, Figure, Heading, Listing, Paragraph, Table


def words_of(blocks):
    return "\n".join(_words(block) for block in blocks)


def _words(block):
    match block:
        case Heading():
            return block.text
        case Paragraph():
            return str(block.words)
        case Bullets():
            return "\n".join(map(str, block.items))
        case Facts():
            return "\n".join(f"{name}: {value}" for name, value in block.pairs)
        case Table():
            rows = [" | ".join(map(str, row)) for row in (block.head, *block.rows)]
            return "\n".join([block.caption, *rows, *map(str, block.notes)])
        case Figure():
            return f"{block.caption}\n{block.about}"
        case Equations():
            return "\n".join(block.latex)
        case Listing():
            return block.text


def tables_of(blocks):
    return {block.caption.partition(" (")[0]: block for block in blocks if isinstance(block, Table)}
