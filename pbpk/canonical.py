"""One spelling for every record, and so one hash for the same content: JSON, keys sorted, in UTF-8, without NaN."""

import hashlib
import json
from typing import Any


def canonical(value: Any, indent: int | None = None) -> str:
    """A record as text: keys sorted, nothing escaped that UTF-8 can write, one line unless an indent is asked.

    Raises
    ------
    ValueError
        if a number is not finite, for which JSON has no word: write None where a number is not known

    >>> canonical({"µ": 1.0, "a": [True, None]})
    '{"a":[true,null],"µ":1.0}'
    """
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(
        value, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators, default=_plain
    )


def digest_of(value: Any) -> str:
    """SHA-256 of a record in its one-line spelling; of text as it stands, if it is text."""
    text = value if isinstance(value, str) else canonical(value)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Numbers of numpy as those of Python, sets in order."""
    if isinstance(value, set | frozenset):
        return sorted(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no spelling in JSON")
