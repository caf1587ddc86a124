"""Infer: what the counts teach about the parameters. The only room that knows PyMC.

joint (one likelihood) -> fit (NUTS) -> convergence (a gate) -> posterior.
"""
