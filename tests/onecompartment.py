"""One compartment with a gut, as a model file, and what a study of it looks like: for closed forms."""

ONE = """
name = "one"
about = "one compartment"
amount = "mg"
arrows = ["plasma -> gone : rate", "gut -> plasma : absorption"]
outside = ["gone"]
[kinds]
drug = ["plasma", "gut"]
[readouts]
drug = ["drug"]
[observe]
plasma = { states = ["plasma"], per = "volume" }
gone = ["gone"]
[routes]
iv = "plasma"
oral = "gut"
[parameters.rate]
unit = "1/h"
prior = "lognormal(median=0.2, sigma=0.5)"
[parameters.absorption]
unit = "1/h"
prior = "lognormal(median=1.5, sigma=0.5)"
[parameters.volume]
unit = "mL"
prior = "lognormal(median=2000, sigma=0.5)"
[noise.spread]
unit = "1"
prior = "lognormal(median=0.1, sigma=0.5)"
[noise.misfit]
unit = "1"
prior = "lognormal(median=0.1, sigma=0.5)"
"""

STUDY = """
title = "made up for a test"
kind = "synthetic"
species = "human"
model = "{model}"
label = "none"
denominator = "dose"
[product]
cell_type = "none"
[[groups]]
name = "all"
route = ["iv", "oral"]
[[sources]]
key = "none"
text = "made up"
"""

NONMEM = """
[nonmem]
amount = "mg"
routes = { 1 = "iv", 2 = "oral" }
observed = { 3 = { organ = "plasma", unit = "ug/mL", readout = "drug" } }
"""


def write_one(folder, tables, more=""):
    """A study folder with these tables by name; returns the folder."""
    folder.mkdir(exist_ok=True)
    (folder.parent / "one.toml").write_text(ONE)
    (folder / "study.toml").write_text(STUDY.format(model=(folder.parent / "one.toml").as_posix()) + more)
    for name, text in tables.items():
        (folder / name).write_text(text)
    return folder
