"""Raw light of wells: traces as written, their modulated amplitude, and an instrument that makes them.

trace (one well) <- wells, windows (the files); amplitude, regression, spectrum (what it says); instrument (known truth)
"""
