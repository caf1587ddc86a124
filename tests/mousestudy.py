"""A study of MSC in mice as its files, and small models in which what label tells can be worked out by hand."""

import csv

ORGANS = ("lung", "liver", "spleen", "kidney", "heart", "gut", "rest")
HOURS = (1, 24, 72, 168)
STUDY = """
title = "SYNTHETIC: made up for a test"
kind = "synthetic"
species = "{species}"
model = "{model}"
label = "{label}"
denominator = "{denominator}"
{top}
[product]
cell_type = "none"
[[groups]]
name = "iv"
route = "iv"
[[sources]]
key = "none"
text = "made up"
{more}
"""


def write_rows(folder, rows, model="msc", species="mouse", label="FND", denominator="dose", top="", more="", doses=None):
    """A study folder with these rows of measurements.csv, each with its own columns; returns the folder."""
    folder.mkdir(exist_ok=True)
    words = {"model": model, "species": species, "label": label, "denominator": denominator, "top": top, "more": more}
    (folder / "study.toml").write_text(STUDY.format(**words))
    (folder / "doses.csv").write_text(doses or "group,hours,cells,route\niv,0,1000000,iv\n")
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with (folder / "measurements.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return folder


def organ_rows(hours=HOURS, organs=ORGANS, readout="label", n=5, value=1.0):
    """Rows of means of n animals."""
    return [
        {"group": "iv", "organ": organ, "hours": hour, "value": value, "unit": "percent_dose", "n": n, "readout": readout}
        for organ in organs
        for hour in hours
    ]
