"""Singh 2020: whole-body kinetics of (CAR) T cells in the mouse without the effect part, rebuilt by hand.

Singh AP, Zheng X, Lin-Schmidt X, Chen W, Carpenter TJ, Zong A, Wang W, Heald DL. mAbs 2020;12:1688616, doi
10.1080/19420862.2019.1688616. Equations and numbers: the MLXTRAN code of its supplement, read as rewritten in github
Wrlog/PBPK models/cart_pbpk_pd_singh2020.cpp (commit 9dea328, 25 g mouse); the supplement itself was not at hand.

Equations as on paper (C cells/mL, V mL, Q plasma flow and L lymph mL/h, J and k 1/h; v vascular, e extravascular)::

    blood    V C'   = -(Q_lu + L_lu) C + Q_hv C_li,v + sum_i (Q_i - L_i) C_i,v + L_n C_n
    lung v   V C_v' = (Q_lu + L_lu) C - J C_v V_v - Q_lu C_v
    organ v  V C_v' = Q C_lu,v - J C_v V_v - (Q - L) C_v            i: kidney, brain, other, tumor; gut, spleen
    liver v  V C_v' = Q C_lu,v - J C_v V_v + (Q_gi - L_gi) C_gi,v + (Q_sp - L_sp) C_sp,v - Q_hv C_v
    organ e  V C_e' = J C_v V_v - L C_e                                         all but liver
    liver e  V C_e' = J C_v V_v - L C_e - k C_e V                               the only loss
    node     V C'   = sum_all L C_e - L_n C
    Q_hv = Q_gi - L_gi + Q_sp - L_sp + Q_li - L_li

What was changed and why: no binding, expansion, killing or growth (the effect part), so the tumor keeps the 0.05 mL
it starts with (11.3 % vascular, 88.7 % extravascular) and the complex is zero; its flows stay, because without them
blood flow would not close. The two return fractions of the source (node, spleen) are 1 and left out. A state
``lost_liver`` counts what k takes.

Flows close exactly: the organs' 11.8 + 75.4 + 68.5 + 10.3 + 192.82 + 8.18 + 6 = 373 mL/h is the flow of the lung, and
the lymph of all organs sums to 0.14926 mL/h, the outflow of the node.

Points to know: the flows are plasma flows and blood is plasma (0.944 mL); lymph is 0.02 % of plasma flow, ten times
less than in Khot 2019 and Tsai 2022; extravascular volume is interstitium; J of the gut, 9.05 1/h, is the mean of
Khot's 12.9 and 5.2, J of brain and other are Khot's.

Every state is an amount (share of the dose). The source's readout of an organ is a concentration per space; the
amount in an organ is v + e.
"""

import numpy as np
from blind.integration import integrated

# All numbers: Singh 2020, supplement, through Wrlog/PBPK @9dea328.
# Plasma flow mL/h
FLOW = {
    "lung": 373.0, "kidney": 68.5, "brain": 11.8, "other": 192.82, "tumor": 6.0, "gut": 75.4, "spleen": 8.18,
    "liver": 10.3,
}  # fmt: skip
# Lymph flow mL/h
LYMPH = {
    "lung": 0.0746, "kidney": 0.0137, "brain": 0.00236, "other": 0.0386, "tumor": 0.0012, "gut": 0.0151,
    "spleen": 0.00164, "liver": 0.00206,
}  # fmt: skip
NODE_LYMPH = 0.14926
# Volumes mL; tumor: 0.05 mL at the start, 0.113 and 0.887 of it
VASCULAR = {
    "lung": 0.0295, "kidney": 0.0289, "brain": 0.0107, "other": 0.55209, "tumor": 0.113 * 0.05, "gut": 0.0166,
    "spleen": 0.0154, "liver": 0.164,
}  # fmt: skip
EXTRAVASCULAR = {
    "lung": 0.0384, "kidney": 0.0788, "brain": 0.0873, "other": 4.11183, "tumor": 0.887 * 0.05, "gut": 0.1815,
    "spleen": 0.0254, "liver": 0.385,
}  # fmt: skip
BLOOD_VOLUME = 0.944
NODE_VOLUME = 0.113
# Transmigration 1/h
TRANSMIGRATION = {
    "lung": 4705.13, "kidney": 296.75, "brain": 1.4, "other": 86.8, "tumor": 10.35, "gut": 9.05, "spleen": 1799.76,
    "liver": 716.49,
}  # fmt: skip
# Loss 1/h from the extravascular space of the liver, ln 2 / 24 h
LIVER_LOSS = 0.0288

ORGANS = list(FLOW)
PORTAL = ["gut", "spleen"]
TO_BLOOD = ["kidney", "brain", "other", "tumor"]

STATES = ["blood", *(f"{organ}_{space}" for organ in ORGANS for space in "ve"), "node", "lost_liver"]
ROUTES = ["iv", "portal_vein", "hepatic_artery", "artery"]


def rhs(t, x):
    """Change of every amount, 1/h; the system is linear and t is not used."""
    amount = dict(zip(STATES, x, strict=True))
    c_v = {organ: amount[f"{organ}_v"] / VASCULAR[organ] for organ in ORGANS}
    c_e = {organ: amount[f"{organ}_e"] / EXTRAVASCULAR[organ] for organ in ORGANS}
    c_blood, c_node = amount["blood"] / BLOOD_VOLUME, amount["node"] / NODE_VOLUME
    vein = {organ: FLOW[organ] - LYMPH[organ] for organ in ORGANS}
    hepatic_vein = (vein["gut"] + vein["spleen"] + vein["liver"]) * c_v["liver"]
    to_lung = (FLOW["lung"] + LYMPH["lung"]) * c_blood
    lost = LIVER_LOSS * amount["liver_e"]

    d = {"blood": hepatic_vein + sum(vein[organ] * c_v[organ] for organ in TO_BLOOD) + NODE_LYMPH * c_node - to_lung}
    for organ in ORGANS:
        crossing = TRANSMIGRATION[organ] * amount[f"{organ}_v"]
        d[f"{organ}_v"] = FLOW[organ] * c_v["lung"] - crossing - vein[organ] * c_v[organ]
        d[f"{organ}_e"] = crossing - LYMPH[organ] * c_e[organ]
    d["lung_v"] = to_lung - TRANSMIGRATION["lung"] * amount["lung_v"] - FLOW["lung"] * c_v["lung"]
    d["liver_v"] = FLOW["liver"] * c_v["lung"] - TRANSMIGRATION["liver"] * amount["liver_v"] - hepatic_vein
    d["liver_v"] += vein["gut"] * c_v["gut"] + vein["spleen"] * c_v["spleen"]
    d["liver_e"] -= lost
    d["node"] = sum(LYMPH[organ] * c_e[organ] for organ in ORGANS) - NODE_LYMPH * c_node
    d["lost_liver"] = lost
    return np.array([d[state] for state in STATES])


def entry(route):
    """Share of the dose that enters each state. The paper gives into the vein only; the other routes are ours."""
    share = dict.fromkeys(STATES, 0.0)
    if route == "iv":
        share["blood"] = 1.0  # one blood pool; it flows to the lung
    elif route in ("portal_vein", "hepatic_artery"):
        share["liver_v"] = 1.0
    elif route == "artery":  # no arterial pool in this model: what leaves the lung goes to the organs by flow
        for organ in ORGANS:
            if organ != "lung":
                share[f"{organ}_v"] = FLOW[organ] / FLOW["lung"]
    else:
        raise ValueError(f"route {route!r}: one of {ROUTES}")
    return np.array([share[state] for state in STATES])


def curves(route, hours, dose=1.0, duration_h=0.0):
    """Amount in every state at the given hours (ascending, from 0), as a share of the dose if dose is 1."""
    jacobian = np.column_stack([rhs(0.0, unit) for unit in np.eye(len(STATES))])
    found = integrated(rhs, dose * entry(route), hours, duration_h, jacobian)
    return dict(zip(STATES, found.T, strict=True))


HOURS = [1.0, 24.0, 72.0, 168.0, 336.0]
# Measured %ID/g, mean of 3 mice, Khot 2019 Figure 2, digitised (data/kinetics/tcell_51Cr_mouse_khot2019.csv). Not the
# data this model was fitted to: other cells, other mice. A check of the order of size only.
OBSERVED = {
    "blood": [1.573, 0.263, 0.0629, 0.0677, 0.0161],
    "lung": [89.547, 4.25, 2.702, 1.065, 1.208],
    "liver": [17.578, 34.826, 31.623, 13.783, 11.412],
    "spleen": [37.477, 85.986, 58.951, 57.849, 50.69],
    "kidney": [5.264, 4.451, 4.612, 4.359, 5.166],
    "brain": [0.274, 0.0291, 0.0176, 0.0085, 0.0269],
}
# Whole organ mL: Shah & Betts 2012, data/kinetics/physiology.csv (vascular + extravascular total)
WHOLE_ORGAN = {
    "lung": 0.0536 + 0.1504, "liver": 0.298 + 1.6246, "spleen": 0.028 + 0.099, "kidney": 0.0525 + 0.4724,
    "brain": 0.01943 + 0.4657,
}  # fmt: skip
# First-pass arrest J V_v / (Q + J V_v), Q the whole inflow: data/kinetics/model_parameters.csv
FIRST_PASS = {"lung": 0.271, "spleen": 0.772, "kidney": 0.111, "liver": 0.556}


def first_pass():
    """Share of the cells reaching an organ that cross into its tissue on one pass."""
    inflow = FLOW | {"liver": FLOW["liver"] + FLOW["gut"] + FLOW["spleen"]}
    crossing = {organ: TRANSMIGRATION[organ] * VASCULAR[organ] for organ in ORGANS}
    return {organ: crossing[organ] / (inflow[organ] + crossing[organ]) for organ in ORGANS}


def against_paper():
    """Print first-pass arrest beside the tabulated one, and simulated over measured %ID/g of another study."""
    for organ, value in FIRST_PASS.items():
        print(f"first pass {organ:8s} {first_pass()[organ]:.3f}  tabulated {value:.3f}")
    amounts = curves("iv", HOURS)
    print(f"simulated %ID/g over measured (Khot 2019) at {HOURS} h, then AUC")
    for organ, values in OBSERVED.items():
        held = amounts["blood"] if organ == "blood" else amounts[f"{organ}_v"] + amounts[f"{organ}_e"]
        # the measured blood is whole blood: 1.717 mL
        reading = 100 * held / (1.717 if organ == "blood" else WHOLE_ORGAN[organ])
        area = np.trapezoid(reading, HOURS) / np.trapezoid(values, HOURS)
        print(f"  {organ:8s}" + "".join(f"{r:8.3f}" for r in reading / np.array(values)) + f"{area:9.3f}")


if __name__ == "__main__":
    against_paper()
