"""What a sensitivity analysis found, in sentences."""

from collections.abc import Mapping, Sequence

import pandas as pd

from pbpk.predict.sensitivity.inputs import Inputs

MOST = 3  # parameters named in a sentence
SHARE = 0.1  # of the variance, below which a parameter is not named
TOGETHER = 0.1  # of the variance that no parameter brings alone, from which interaction is told


def sentences(inputs: Inputs, tables: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
    """One sentence for each endpoint and method, and what was left out."""
    said = []
    for endpoint in map(str, inputs.question.endpoints):
        own = {name: table[table["endpoint"] == endpoint] for name, table in tables.items()}
        if "local" in own:
            said.append(_of_local(endpoint, own["local"]))
        if "sobol" in own:
            said.append(_of_sobol(endpoint, own["sobol"]))
        elif "morris" in own:
            names = own["morris"]["parameter"].head(MOST).tolist()
            said.append(f"Over all that is believed, {_listed(names)} move {endpoint} most (Morris).")
    if inputs.inert:
        n = len(inputs.inert)
        moves = "parameter moves" if n == 1 else "parameters move"
        said.append(f"{n} free {moves} nothing that was asked and {'was' if n == 1 else 'were'} left out.")
    return (*said, *([inputs.left_out] if inputs.left_out else []))


def _of_local(endpoint: str, table: pd.DataFrame) -> str:
    high = table[table["grade"] == "high"]
    if not len(high):
        return f"No parameter has a high coefficient for {endpoint}: near the middle nothing decides it alone."
    named = [f"`{row.parameter}` ({row.coefficient:+.2f})" for row in high.head(MOST).itertuples()]
    rest = len(high) - len(named)
    more = f" and {rest} more" if rest else ""
    has = "has a high coefficient" if len(high) == 1 else "have high coefficients"
    return f"Near the middle, {_joined(named)}{more} {has} for {endpoint}: percent of it for a percent of them."


def _of_sobol(endpoint: str, table: pd.DataFrame) -> str:
    main = table[table["total"] >= SHARE].head(MOST)
    if not len(main):
        return f"No parameter brings a tenth of the variance of ln {endpoint}."
    named = [f"`{row.parameter}` ({row.total:.0%})" for row in main.itertuples()]
    together = 1.0 - float(table["first"].sum())
    more = f"; {together:.0%} of the variance needs several at once" if together >= TOGETHER else ""
    brings = "brings" if len(named) == 1 else "bring"
    return f"Of the variance of ln {endpoint} {_joined(named)} {brings} most, alone and with others{more}."


def _listed(names: Sequence[str]) -> str:
    return _joined([f"`{name}`" for name in names])


def _joined(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
