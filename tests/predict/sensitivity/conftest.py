"""The chain of two organs, whose residences have closed forms, for every method."""

import importlib.util
from pathlib import Path

_spec = importlib.util.spec_from_file_location("sensitivity_chain", Path(__file__).with_name("test_local.py"))
_local = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_local)
chain, ask = _local.chain, _local.ask
