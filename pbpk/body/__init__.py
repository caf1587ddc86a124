"""Body: an animal as compartments and arrows, and where the cells are in it at each hour.

modelfile, species -> expansion -> model -> solve. Knows nothing of tables, samplers or ink.
"""
