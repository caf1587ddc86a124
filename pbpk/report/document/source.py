"""Where a number comes from, as one line: a file of the run folder and what to look for in it."""

from typing import Any
from urllib.parse import quote


def source(file: str, **keys: Any) -> str:
    """Source of numbers: `FILE#key=value&key=value`, values percent-encoded.

    >>> source("exposure.csv", organ="liver", parameter="AUClast"), source("manifest.json")
    ('exposure.csv#organ=liver&parameter=AUClast', 'manifest.json')
    """
    told = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in keys.items())
    return f"{quote(file, safe='/._-')}#{told}" if told else quote(file, safe="/._-")
