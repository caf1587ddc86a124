"""Report: what people read. The only room that draws.

ink (colours, axes, SVG) -> figures; wording, references, lessons -> tables -> page (one HTML file). Takes a finished
run and computes nothing that the run does not hold.
"""
