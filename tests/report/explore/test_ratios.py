"""Ratios lie on a logarithmic axis, filled where the draws agree."""

import re

from parsed import parsed

from pbpk.report.explore.ratios import ratios


def test_each_organ_has_its_interval_filled_where_draws_agree(answer):
    found = answer.contrasts("iv_bolus", areas=True)
    text = str(ratios(found))
    parsed(text)
    assert text.count("<svg") == 2
    assert "portal_vein over iv_bolus: live cells" in text
    sure = found[(found["state"] != "total") & found["ratio"].notna() & (found["ratio_low"] > 0.0)]
    agreed = ((sure["probability_above"] >= 0.95) | (sure["probability_above"] <= 0.05)).sum()
    assert text.count("<circle") == len(sure)
    assert len(re.findall(r'<circle[^>]* fill="(?!#ffffff)', text)) == agreed


def test_nothing_to_compare_is_no_picture(answer):
    found = answer.contrasts("iv_bolus", areas=True)
    assert ratios(found.assign(ratio=float("nan"))) == ""
