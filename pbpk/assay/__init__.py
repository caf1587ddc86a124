"""Assay: what was measured, as labelled-cell equivalents per organ with the doubt that organs share.

study (the folder as written) -> light, plates, readouts -> counts (one row per value); signals (what readings share)
"""
