"""Other readouts: copies of DNA, decays, events of a cytometer, profiles in sections, each with its own likelihood.

settings (what one cell gives); qpcr, isotope, cytometry, sections -> affine -> tally (the table); spots (images)
"""
