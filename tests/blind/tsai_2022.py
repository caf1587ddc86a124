"""Tsai 2022: minimal kinetics of T cells in the mouse after vein, portal vein or hepatic artery, rebuilt by hand.

Tsai CH, Singh AP, Xia CQ, Wang H. J Pharmacokinet Pharmacodyn 2022;49:525-538, doi 10.1007/s10928-022-09818-8:
supplementary Table S3 and model equations, read in the transcription Tsai_2022_cart_liver_tumor_mouse of nlmixr2lib,
which cites the table at each number (the supplement itself was not at hand). Physiology there: Shah & Betts 2012, 28
g mouse; J and R: Khot 2019; k_el: Zhu 1996.

Equations as on paper (A cells, C = A/V cells/mL, Q and L mL/h, J and k 1/h; v vascular, i interstitial)::

    arterial  A' = Q C_lu,v - (Q_ha + Q_gi + Q_sp + Q_ot) C
    venous    A' = (Q_ot - L_ot) C_ot,v + L_n C_n + Q_out C_li,v - (Q + L_lu) C
    lung v    A' = (Q + L_lu) C_ven - J A - Q C
    lung i    A' = J A_v - L_lu C - k_el A                                  the only loss
    liver v   A' = Q_ha C_art + (Q_gi - L_gi) C_gi,v + (Q_sp - L_sp) C_sp,v - J A - Q_out C
    liver i   A' = J A_v - L_li C / R_li
    gut v     A' = Q_gi C_art - J A - (Q_gi - L_gi) C
    gut i     A' = J A_v - L_gi C
    spleen v  A' = Q_sp C_art - J A - (Q_sp - L_sp) C
    spleen i  A' = J A_v - L_sp C / R_sp
    other v   A' = Q_ot C_art - J A - (Q_ot - L_ot) C
    other i   A' = J A_v - L_ot C
    node      A' = L_lu C_lu,i + L_li C_li,i / R_li + L_gi C_gi,i + L_sp C_sp,i / R_sp + L_ot C_ot,i - L_n C
    Q_out = Q_ha + (Q_gi - L_gi) + (Q_sp - L_sp) - L_li

What was changed and why: the liver tumor with its killing and growth is left out (its flows set to zero, so the whole
of Q_ha, of the portal flow and of L_li belong to the liver; the base model before the tumor is put in). In the paper
a hepatic artery dose goes to the tumor and a portal dose is split by flow; with no tumor both go to the liver's
blood. "artery" is not in the paper: it enters the arterial blood. A state ``lost_lung`` counts what k_el takes.

Flows close: 18.7 + 137 + 14.88 + 507.42 = 678.00 mL/h = Q; venous inflow 678.7464 against outflow 678.746 mL/h. Lymph
returned 1.65 against 1.64956 collected (the paper made L_ot the remainder of 1.65). Cells are conserved exactly.

Points to know: J_gi = 18.1 1/h is the sum of Khot's 12.9 (small) and 5.2 (large intestine); weighted by vascular
volume it would be 10.6. k_el acts in the interstitium, Khot's in the blood of the lung, with the same 0.84 1/h: here
it takes 29 % of the dose in 24 h (Khot: 0.15 %). J_ot is 16.7 1/h (derived, Figures 7-8; the default) or 94.3 1/h
(fitted, RSE 20 %): variant "fitted_other".

Every state is an amount (share of the dose). Readout as in the transcription: C = (A_v + A_i)/(V_v + V_i),
interstitium as the only extravascular space, so %ID/g of a whole organ (``WHOLE_ORGAN``) is lower.
"""

import numpy as np
from blind.integration import integrated

# Blood flow mL/h: Tsai 2022 Table S3
CARDIAC_OUTPUT = 678.0
ARTERY = {"liver": 18.7, "gut": 137.0, "spleen": 14.88, "other": 507.42}
# Lymph flow mL/h: Tsai 2022 Table S3 ("liver" is the table's total liver lymph)
LYMPH = {"lung": 0.746, "liver": 0.1874, "gut": 0.1508, "spleen": 0.01636, "other": 0.549}
NODE_LYMPH = 1.65
# Volumes mL: Tsai 2022 Table S3
ARTERIAL_VOLUME = 0.8585
VENOUS_VOLUME = 0.8585
NODE_VOLUME = 0.113
VASCULAR = {"lung": 0.0536, "liver": 0.298, "gut": 0.03019, "spleen": 0.028, "other": 1.076}
INTERSTITIAL = {"lung": 0.0384, "liver": 0.385, "gut": 0.1815, "spleen": 0.0254, "other": 4.278}
# Transmigration 1/h: Tsai 2022 Table S3 (Khot 2019; other: Equation 1 of the paper)
TRANSMIGRATION = {"lung": 1843.0, "liver": 126.9, "gut": 18.1, "spleen": 114.0, "other": 16.7}
FITTED_OTHER = 94.3
# Retention (divides the lymph return): Tsai 2022 Table S3 (Khot 2019)
RETENTION = {"liver": 2.5, "spleen": 9.8}
# Elimination 1/h from the interstitium of the lung: Tsai 2022 Table S3 (Zhu 1996)
K_EL = 0.84

VARIANTS = {"paper": TRANSMIGRATION["other"], "fitted_other": FITTED_OTHER}

STATES = [
    "arterial", "venous", "lung_v", "lung_i", "liver_v", "liver_i", "gut_v", "gut_i", "spleen_v", "spleen_i",
    "other_v", "other_i", "node", "lost_lung",
]  # fmt: skip
ROUTES = ["iv", "portal_vein", "hepatic_artery", "artery"]
ENTRY = {"iv": "venous", "portal_vein": "liver_v", "hepatic_artery": "liver_v", "artery": "arterial"}


def rhs(t, x, variant="paper"):
    """Change of every amount, 1/h; the system is linear and t is not used."""
    art, ven, lung_v, lung_i, liver_v, liver_i, gut_v, gut_i, spleen_v, spleen_i, other_v, other_i, node, _ = x
    c_art, c_ven, c_node = art / ARTERIAL_VOLUME, ven / VENOUS_VOLUME, node / NODE_VOLUME
    c_lung, c_liver, c_gut = lung_v / VASCULAR["lung"], liver_v / VASCULAR["liver"], gut_v / VASCULAR["gut"]
    c_spleen, c_other = spleen_v / VASCULAR["spleen"], other_v / VASCULAR["other"]
    i_lung, i_liver, i_gut = lung_i / INTERSTITIAL["lung"], liver_i / INTERSTITIAL["liver"], gut_i / INTERSTITIAL["gut"]
    i_spleen, i_other = spleen_i / INTERSTITIAL["spleen"], other_i / INTERSTITIAL["other"]
    j, q, lymph, j_other = TRANSMIGRATION, ARTERY, LYMPH, VARIANTS[variant]
    gut_vein, splenic_vein = q["gut"] - lymph["gut"], q["spleen"] - lymph["spleen"]
    other_vein = q["other"] - lymph["other"]
    hepatic_vein = q["liver"] + gut_vein + splenic_vein - lymph["liver"]
    to_lung = CARDIAC_OUTPUT + lymph["lung"]
    return np.array(
        [
            CARDIAC_OUTPUT * c_lung - (q["liver"] + q["gut"] + q["spleen"] + q["other"]) * c_art,
            other_vein * c_other + NODE_LYMPH * c_node + hepatic_vein * c_liver - to_lung * c_ven,
            to_lung * c_ven - j["lung"] * lung_v - CARDIAC_OUTPUT * c_lung,
            j["lung"] * lung_v - lymph["lung"] * i_lung - K_EL * lung_i,
            q["liver"] * c_art + gut_vein * c_gut + splenic_vein * c_spleen
            - j["liver"] * liver_v - hepatic_vein * c_liver,
            j["liver"] * liver_v - lymph["liver"] * i_liver / RETENTION["liver"],
            q["gut"] * c_art - j["gut"] * gut_v - gut_vein * c_gut,
            j["gut"] * gut_v - lymph["gut"] * i_gut,
            q["spleen"] * c_art - j["spleen"] * spleen_v - splenic_vein * c_spleen,
            j["spleen"] * spleen_v - lymph["spleen"] * i_spleen / RETENTION["spleen"],
            q["other"] * c_art - j_other * other_v - other_vein * c_other,
            j_other * other_v - lymph["other"] * i_other,
            lymph["lung"] * i_lung + lymph["liver"] * i_liver / RETENTION["liver"] + lymph["gut"] * i_gut
            + lymph["spleen"] * i_spleen / RETENTION["spleen"] + lymph["other"] * i_other - NODE_LYMPH * c_node,
            K_EL * lung_i,
        ]
    )  # fmt: skip


def entry(route):
    """Share of the dose that enters each state."""
    if route not in ENTRY:
        raise ValueError(f"route {route!r}: one of {ROUTES}")
    return np.array([float(state == ENTRY[route]) for state in STATES])


def curves(route, hours, dose=1.0, duration_h=0.0, variant="paper"):
    """Amount in every state at the given hours (ascending, from 0), as a share of the dose if dose is 1."""

    def slope(t, x):
        return rhs(t, x, variant)

    jacobian = np.column_stack([slope(0.0, unit) for unit in np.eye(len(STATES))])
    found = integrated(slope, dose * entry(route), hours, duration_h, jacobian)
    return dict(zip(STATES, found.T, strict=True))


HOURS = [1.0, 24.0, 72.0, 168.0, 336.0]
# Measured %ID/g, mean of 3 mice, Khot 2019 Figure 2, digitised (data/kinetics/tcell_51Cr_mouse_khot2019.csv); the
# data the authors compared this model with
OBSERVED = {
    "blood": [1.573, 0.263, 0.0629, 0.0677, 0.0161],
    "lung": [89.547, 4.25, 2.702, 1.065, 1.208],
    "liver": [17.578, 34.826, 31.623, 13.783, 11.412],
    "spleen": [37.477, 85.986, 58.951, 57.849, 50.69],
}
# Whole organ mL (vascular + interstitial + endosomal + cellular): Shah & Betts 2012, data/kinetics/physiology.csv
WHOLE_ORGAN = {"lung": 0.0536 + 0.1504, "liver": 0.298 + 1.6246, "spleen": 0.028 + 0.099}


def against_paper(variant="paper"):
    """Print simulated over measured %ID/g, per modelled space and per whole organ, and the AUC over the five times."""
    amounts = curves("iv", HOURS, variant=variant)
    print(f"variant {variant}: simulated %ID/g over measured at {HOURS} h, then AUC")
    for organ, values in OBSERVED.items():
        if organ == "blood":
            readings = {"venous blood": 100 * amounts["venous"] / VENOUS_VOLUME}
        else:
            held = 100 * (amounts[f"{organ}_v"] + amounts[f"{organ}_i"])
            readings = {f"{organ}, v + i": held / (VASCULAR[organ] + INTERSTITIAL[organ])}
            readings[f"{organ}, whole"] = held / WHOLE_ORGAN[organ]
        for name, reading in readings.items():
            area = np.trapezoid(reading, HOURS) / np.trapezoid(values, HOURS)
            print(f"  {name:16s}" + "".join(f"{r:8.3f}" for r in reading / np.array(values)) + f"{area:9.3f}")


if __name__ == "__main__":
    for each in VARIANTS:
        against_paper(each)
