"""What a report of the analysis needs besides numbers: its author's words, criteria and a plan frozen before the fit.

Structured after ICH M15 (2026), appendices 1 and 2, with 21 CFR 58.185 for what a study report names.
"""
