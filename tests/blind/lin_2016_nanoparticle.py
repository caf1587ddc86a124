"""Lin 2016 family: free nanoparticles in the mouse, saturable phagocytic uptake, rebuilt by hand; for freed label.

Lin Z, Monteiro-Riviere NA, Riviere JE. Nanotoxicology 2016;10:162-172, doi 10.3109/17435390.2015.1027314 (PEG-coated
gold; abstract read). Equations and numbers: its descendant for the mouse, Chen CY, Kamineni VN, Lin Z, J Hazard Mater
2024 (micro- and nanoplastics), github UFPBPK/Microplastics-PBTK-Mice MrgCode_PBTK model.R (commit 5703ba2), which
cites "Lin et al., 2016, Table 1, 100 nm" for partition, permeability, uptake, release, bile and urine, "Chou et al.,
2023, Table S2" for the capacities, Brown 1997 and Davies & Morris 1993 for the physiology of a 20 g mouse.

Equations as on paper (A ug, C = A/V ug/mL, Q mL/h; b blood of the organ, t tissue, p phagocytes; density 1 g/mL)::

    arterial  A' = Q C_lu,b - Q C
    venous    A' = Q_li C_li,b + Q_ki C_ki,b + Q_br C_br,b + Q_re C_re,b - Q C
    lung b    A' = Q (C_ven - C_b) - PA (C_b - C_t / P)
    organ b   A' = Q_i (C_art - C_b) - PA (C_b - C_t / P)                          all others, with what follows
    liver b   A' = Q_ha C_art + Q_gut C_gut,b + Q_sp C_sp,b - Q_li C_b - PA (C_b - C_t / P) - K A_b + k A_p
    spleen b  ... - K A_b + k A_p
    kidney b  ... - U C_b
    organ t   A' = PA (C_b - C_t / P)                                              liver t: - B C_t
    lung t, kidney t ... - K A_t + k A_p
    organ p   A' = K A_b - k A_p (liver, spleen)   or   K A_t - k A_p (lung, kidney)
    K = K_max (1 - A_p / (cap W)),   PA = PA_c Q_i,   Q_li = Q_ha + Q_gut + Q_sp

The saturable form of K is taken (Chou 2023 and the 2024 code), not the Hill function of time that other codes of the
family have (UFPBPK/Nano-AI-PBPK-G2). K falls to zero as phagocytes fill, so the model is not linear in the dose.

What was changed and why:

1.  Flows do not close in the source. Its liver receives 0.161 of cardiac output from the artery (Brown's total,
    artery and portal vein), and the veins of gut (0.141) and spleen (0.011) on top, but sends 0.161 to the venous
    blood, while rest is 1 - (gut + liver + kidney + spleen + brain): 0.848 returns to the heart for 1. Amounts are
    still conserved there; particles pile up in the blood of the liver (0.313 in, 0.161 out). Here 0.161 is the whole
    outflow of the liver, 0.020 from the artery and 0.141 from the portal vein (Brown 1997), of which 0.011 is the
    spleen and the remaining 0.130 the gut; rest is 1 - (0.161 + 0.091 + 0.033) = 0.715.
2.  Uptake in the spleen is from its blood, as in the liver (the larger particles of Lin 2016: "predominately from the
    blood"); the 2024 code takes it from the tissue, behind a permeability that lets in a hundredth of it.
3.  No albumin binding (fu = 0.67 for polystyrene in the 2024 code), no gut lumen: bile leaves the body (the 2024 code
    reabsorbs 6e-5 of 0.53 1/h, a ten-thousandth).

Every state is an amount in ug; an organ holds b + t + p. ``lost_bile`` and ``lost_urine`` count what is excreted.
"""

import numpy as np
from blind.integration import integrated

WEIGHT = 20.0  # g: Microplastics-PBTK-Mice @5703ba2
SCALE = (WEIGHT / 1000) ** 0.75  # kg^0.75
CARDIAC_OUTPUT = 16.5 * SCALE * 1000  # mL/h, 16.5 L/h/kg^0.75: Brown 1997 through the same code = 877.5 mL/h

# Share of cardiac output: Brown 1997 (liver 0.161 = 0.020 artery + 0.141 portal vein, kidney, brain), Davies & Morris
# 1993 (spleen), data/kinetics/physiology.csv; gut and rest by difference (point 1 above)
FLOW_SHARE = {"liver_artery": 0.020, "spleen": 0.011, "gut": 0.141 - 0.011, "kidney": 0.091, "brain": 0.033}
FLOW_SHARE["rest"] = 1.0 - sum(FLOW_SHARE.values())
FLOW = {organ: CARDIAC_OUTPUT * share for organ, share in FLOW_SHARE.items()}  # mL/h
FLOW["liver"] = FLOW["liver_artery"] + FLOW["spleen"] + FLOW["gut"]
FLOW["lung"] = CARDIAC_OUTPUT

# Share of body weight: Brown 1997, spleen Davies & Morris 1993, through the same code; rest by difference
WEIGHT_SHARE = {"lung": 0.007, "liver": 0.055, "spleen": 0.005, "kidney": 0.017, "gut": 0.042, "brain": 0.017}
BLOOD_SHARE = 0.049
WEIGHT_SHARE["rest"] = 1.0 - BLOOD_SHARE - sum(WEIGHT_SHARE.values())
ORGAN_WEIGHT = {organ: WEIGHT * share for organ, share in WEIGHT_SHARE.items()}  # g = mL
# Share of blood in the organ: Brown 1997 Table 30; gut Abuqayyas & Balthasar 2012; rest as muscle; through the same
# code
BLOOD_IN_ORGAN = {"lung": 0.50, "liver": 0.31, "spleen": 0.17, "kidney": 0.24, "gut": 0.03, "brain": 0.03, "rest": 0.04}
VASCULAR = {organ: ORGAN_WEIGHT[organ] * BLOOD_IN_ORGAN[organ] for organ in ORGAN_WEIGHT}  # mL
TISSUE = {organ: ORGAN_WEIGHT[organ] - VASCULAR[organ] for organ in ORGAN_WEIGHT}  # mL
ARTERIAL_VOLUME = 0.2 * BLOOD_SHARE * WEIGHT  # mL; the split 0.2, 0.8: same code
VENOUS_VOLUME = 0.8 * BLOOD_SHARE * WEIGHT

# Partition tissue:blood and permeability as a share of the organ's flow: Lin 2016 Table 1, 100 nm, through the same
# code
PARTITION = {"lung": 0.15, "liver": 0.08, "spleen": 0.15, "kidney": 0.15, "gut": 0.15, "brain": 0.15, "rest": 0.15}
PERMEABILITY = {"lung": 1e-3, "liver": 1e-3, "spleen": 1e-3, "kidney": 1e-3, "gut": 1e-3, "brain": 1e-6, "rest": 1e-6}
# Phagocytes: K_max 1/h, k 1/h (Lin 2016), cap ug per g of organ (Chou 2023 Table S2), through the same code
UPTAKE_MAX = {"lung": 0.1, "liver": 4.0, "spleen": 10.0, "kidney": 0.1}
RELEASE = {"lung": 0.005, "liver": 0.0075, "spleen": 0.003, "kidney": 0.01}
CAPACITY = {"lung": 15.0, "liver": 100.0, "spleen": 200.0, "kidney": 15.0}
TAKES_FROM = {"lung": "t", "liver": "b", "spleen": "b", "kidney": "t"}
# Excretion mL/h, 0.0012 and 0.00012 L/h/kg^0.75 (Lin 2016), through the same code
BILE = 0.0012 * SCALE * 1000
URINE = 0.00012 * SCALE * 1000

ORGANS = ["lung", "liver", "spleen", "kidney", "gut", "brain", "rest"]
STATES = [
    "arterial", "venous",
    *(f"{organ}_{space}" for organ in ORGANS for space in ("btp" if organ in UPTAKE_MAX else "bt")),
    "lost_bile", "lost_urine",
]  # fmt: skip
ROUTES = ["iv", "portal_vein", "hepatic_artery", "artery"]
ENTRY = {"iv": "venous", "portal_vein": "liver_b", "hepatic_artery": "liver_b", "artery": "arterial"}


def rhs(t, x):
    """Change of every amount, ug/h."""
    amount = dict(zip(STATES, x, strict=True))
    c_b = {organ: amount[f"{organ}_b"] / VASCULAR[organ] for organ in ORGANS}
    c_t = {organ: amount[f"{organ}_t"] / TISSUE[organ] for organ in ORGANS}
    c_art, c_ven = amount["arterial"] / ARTERIAL_VOLUME, amount["venous"] / VENOUS_VOLUME

    d = {"arterial": CARDIAC_OUTPUT * (c_b["lung"] - c_art)}
    d["venous"] = sum(FLOW[organ] * c_b[organ] for organ in ("liver", "kidney", "brain", "rest"))
    d["venous"] -= CARDIAC_OUTPUT * c_ven
    for organ in ORGANS:
        crossing = PERMEABILITY[organ] * FLOW[organ] * (c_b[organ] - c_t[organ] / PARTITION[organ])
        d[f"{organ}_b"] = FLOW[organ] * (c_art - c_b[organ]) - crossing
        d[f"{organ}_t"] = crossing
    d["lung_b"] += CARDIAC_OUTPUT * (c_ven - c_art)
    d["liver_b"] += FLOW["gut"] * (c_b["gut"] - c_art) + FLOW["spleen"] * (c_b["spleen"] - c_art)
    for organ, k_max in UPTAKE_MAX.items():
        room = 1.0 - amount[f"{organ}_p"] / (CAPACITY[organ] * ORGAN_WEIGHT[organ])
        taken = k_max * room * amount[f"{organ}_{TAKES_FROM[organ]}"] - RELEASE[organ] * amount[f"{organ}_p"]
        d[f"{organ}_p"] = taken
        d[f"{organ}_{TAKES_FROM[organ]}"] -= taken
    d["lost_bile"] = BILE * c_t["liver"]
    d["liver_t"] -= d["lost_bile"]
    d["lost_urine"] = URINE * c_b["kidney"]
    d["kidney_b"] -= d["lost_urine"]
    return np.array([d[state] for state in STATES])


def entry(route):
    """Share of the dose that enters each state. The sources give into the vein (gold) or the mouth (plastic) only."""
    if route not in ENTRY:
        raise ValueError(f"route {route!r}: one of {ROUTES}")
    return np.array([float(state == ENTRY[route]) for state in STATES])


def curves(route, hours, dose=17.0, duration_h=0.0):
    """Amount (ug) in every state at the given hours (ascending, from 0); 17 ug is 0.85 mg/kg (Lin 2016) in 20 g."""
    found = integrated(rhs, dose * entry(route), hours, duration_h)
    return dict(zip(STATES, found.T, strict=True))


def organ_amount(amounts, organ):
    """Amount (ug) in an organ: blood, tissue and phagocytes."""
    return sum(amounts[f"{organ}_{space}"] for space in "btp" if f"{organ}_{space}" in amounts)


# ug per g of organ after 0.85 mg/kg into the vein of mice, 100 nm PEG-coated gold, as digitised in github
# jimengwu/Mouse-general-PBPK dataset/tk/mouse/gold/R_input_mouse_study1_100nm.csv (commit 893c912; first block; ng/g
# there)
GOLD_HOURS = [0.5, 4.0, 24.0, 168.0, 720.0]
GOLD = {
    "liver": [3.355, 2.465, 5.820, 2.944, 2.978],
    "spleen": [3.595, 4.108, 7.121, 5.683, 3.321],
    "lung": [0.2739, 0.4108, 0.0685, 0.0685, 0.1712],
    "kidney": [0.1027, 0.1712, np.nan, np.nan, np.nan],
}
# % of dose, ~50 nm nanodiamond into the vein of mice, Yuan 2009 (abstract), data/kinetics/label_and_particle_fate.csv
DIAMOND_HOURS = [0.5, 672.0]
DIAMOND = {"liver": [60.0, 60.0], "lung": [8.0, 8.0]}


def against_paper():
    """Print simulated and its ratio to measured: gold in ug/g, nanodiamond in % of dose (1 ug, far from capacity)."""
    gold = curves("iv", GOLD_HOURS)
    print(f"gold 100 nm, 17 ug: simulated ug/g, then over measured, at {GOLD_HOURS} h")
    for organ, values in GOLD.items():
        reading = organ_amount(gold, organ) / ORGAN_WEIGHT[organ]
        print(f"  {organ:7s}", *(f"{v:9.4f}" for v in reading), " |", *(f"{v:8.3f}" for v in reading / values))
    diamond = curves("iv", DIAMOND_HOURS, dose=1.0)
    print(f"nanodiamond 50 nm: simulated % of dose, then over measured, at {DIAMOND_HOURS} h")
    for organ, values in DIAMOND.items():
        reading = 100 * organ_amount(diamond, organ)
        print(f"  {organ:7s}", *(f"{v:9.4f}" for v in reading), " |", *(f"{v:8.3f}" for v in reading / values))


if __name__ == "__main__":
    against_paper()
