"""Predict: questions asked of the posterior, or of the prior when there is no fit.

scenario (the question) -> forecast (the answer); exposure (areas under curves); run (all of it in one folder).
"""
