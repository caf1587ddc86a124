"""Plates: the curve through standards, its limits, whether a plate may be used, and the cells that its samples hold.

curve, calibration, detection, acceptance, matrix_effects -> panel (one matrix on one plate) -> quantify (all of them)
"""
