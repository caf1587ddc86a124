"""Assay: what was measured -> labelled-cell equivalents per organ.

study (the folder as written) -> counts (one row per value, one unit, tissues pooled into organs). Knows nothing
of bodies or posteriors.
"""
