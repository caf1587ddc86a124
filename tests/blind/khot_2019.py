"""Khot 2019: whole-body kinetics of 51Cr-labelled T cells in the mouse, rebuilt by hand from the paper.

Khot A, Matsueda S, Thomas VA, Koya RC, Shah DK. J Pharmacol Exp Ther 2019;368:503-513, doi 10.1124/jpet.118.252858
(PMC6382992): equations 1-12, Table 2, Figure 3 (the paper's PDF was read).

Equations as on paper (C cells/mL, V mL, Q blood flow and L lymph flow mL/h, J, E 1/h; v vascular, e extravascular)::

    (1)  blood      V C'   = -(Q_lu + L_lu) C + sum_i (Q_i - L_i) C_v,i + Q_hv C_v,li + L_n C_n
    (2)  lung v     V C_v' = (Q_lu + L_lu) C - Q_lu C_v - J C_v V_v - E C_v V_v
    (3)  lung e     V C_e' = J C_v V_v - L C_e
    (4)  organ v    V C_v' = Q C_v,lu - (Q - L) C_v - J C_v V_v                        and (6)
    (5)  organ e    V C_e' = J C_v V_v - L C_e / R       and (7); R of kidney, spleen, else 1
    (8)  liver v    V C_v' = Q_li C_v,lu + sum_portal (Q - L) C_v,portal - Q_hv C_v - J C_v V_v
    (9)  liver e    V C_e' = J C_v V_v - L C_e / R
    (10) node       V C'   = sum L C_e / R + L_t C_t + L_g C_g - L_n C      sum: all but bone, muscle, tumor
    (11) inguinal g V C'   = (L_bo C_e,bo + L_mu C_e,mu)/2 - L_g C
    (12) draining t V C'   = (L_bo C_e,bo + L_mu C_e,mu)/2 + L_tu C_e,tu - L_t C
    Q_hv = sum_portal (Q - L) + Q_li - L_li

i: heart, kidney, brain, muscle, bone, skin, adipose, other. portal: small and large intestine, spleen, pancreas. F,
the share of cells that lymph takes back, is 1 everywhere. Here the same equations are written in amounts.

What the paper does not print, and what was taken (the model curves of Figure 3 decide: see ``FIGURE_3``):

1.  Node outflow L_n. A public re-implementation (github schnebeni/cart-cell-model, commit b91eb9d) read 1.65/500
    mL/h, could not run the model and raised it to 1.65. 1.65 mL/h is the entry of the lymph node in the plasma-flow
    column of Shah & Betts 2012 (J Pharmacokinet Pharmacodyn 39:67), which is their flow from node to blood
    (nlmixr2lib, Shah_2012_mAb_PBPK, says so of the human row; Tsai 2022 Table S3 has 1.65 too); dividing by 500 looks
    like a misreading.
2.  Outflow of the two inguinal nodes: what flows in, (L_bo + L_mu)/2 and (L_bo + L_mu)/2 + L_tu. The 1.65 mL/h of the
    re-implementation would put their content 16 times below Figure 3.
3.  Extravascular volume: all of the organ but its blood (interstitial + endosomal + cellular). Interstitium alone is
    3 times above Figure 3 at 1 h and 10 times below it at 336 h.
4.  Liver lymph: 0.2 % of ALL plasma through the liver, arterial and portal, 0.20024 mL/h. With the arterial part
    alone (0.0206) the liver keeps 6 times too much at 336 h. Tsai 2022 too has a "total" liver lymph, 0.1874 mL/h.
5.  Tumor vein: equation 1 has no term for it, so cells that leave the tumor vein, (Q - L)/V_v, are gone. Only so
    do the curves of Figure 3 come out: 71 % of the dose goes this way in 14 days, and E in the lung takes 0.5 %.
    Here these cells are counted in ``lost_tumor_vein``. Variant "closed" returns them to the blood: then 1 % is lost
    in 14 days.
6.  Tumor: Table 2 prints 0.45 mL in all; 10 % of it is blood and lymph is 0.0066 mL/h, 0.2 % of the plasma (55 %) in
    6 mL/h; both agree with Figure 3 (fitted alone: 10.1 % and 0.0070 mL/h). 7 % (Shah & Betts) lowers the tumor by a
    quarter.
7.  Flows do not close in the source: the organs take 679.37 mL/h (673.37 and 6 of the tumor), equation 2 lets 678
    leave the lung, so 1.37 mL/h x C_v,lu would come from nowhere (a third too much at 336 h against Figure 3). Here
    what leaves the lung is what the organs take. With "other" as the remainder (18.44 mL/h) nothing but "other"
    changes by more than 0.2 %.
8.  Volumes of the three nodes: 0.113/3 mL each (the total is Shah & Betts, the split is of the re-implementation).
    Felt only in the first hours: the two inguinal nodes are 20 % below Figure 3 at 1 h.
9.  Equation 10 prints L where C of the kidney must stand.

Every state is an amount (share of the dose). A harvested organ holds ``_v`` and ``_e``; its %ID/g is 100 (A_v +
A_e)/(V_v + V_e) at 1 g/mL. The states stand for label in cells: what is lost is neither in cells nor in an organ.
"""

import numpy as np
from blind.integration import integrated

# Transmigration 1/h: Khot 2019 Table 2
TRANSMIGRATION = {
    "lung": 1843.0, "heart": 34.9, "kidney": 87.3, "brain": 1.4, "muscle": 0.5, "bone": 82.6, "skin": 0.6,
    "adipose": 1.6, "small_intestine": 12.9, "large_intestine": 5.2, "spleen": 114.0, "liver": 126.9,
    "pancreas": 10.0, "other": 86.8, "tumor": 0.6,
}  # fmt: skip
# Retention (divides the lymph return): Khot 2019 Table 2
RETENTION = {"kidney": 3.9, "spleen": 9.8, "liver": 2.5}
# Elimination 1/h from blood of the lung: Khot 2019 Table 2, fixed there (Zhu 1996)
ELIMINATION = {"lung": 0.84}

# Flows mL/h, 28 g mouse: Shah & Betts 2012 as tabulated in schnebeni/cart-cell-model parameters.R (plasma; blood
# cells). Tumor: 6 mL/h of blood, Khot 2019 Table 2.
PLASMA_FLOW = {
    "lung": 373.0, "heart": 36.5, "kidney": 68.5, "brain": 11.8, "muscle": 86.1, "bone": 15.2, "skin": 27.8,
    "adipose": 13.4, "small_intestine": 58.1, "large_intestine": 17.3, "spleen": 8.18, "liver": 10.3,
    "pancreas": 6.24, "other": 10.9,
}  # fmt: skip
CELL_FLOW = {
    "lung": 305.0, "heart": 29.9, "kidney": 56.1, "brain": 9.64, "muscle": 70.5, "bone": 12.4, "skin": 22.8,
    "adipose": 11.0, "small_intestine": 47.5, "large_intestine": 14.1, "spleen": 6.70, "liver": 8.40,
    "pancreas": 5.10, "other": 8.91,
}  # fmt: skip
BLOOD_FLOW = {organ: PLASMA_FLOW[organ] + CELL_FLOW[organ] for organ in PLASMA_FLOW} | {"tumor": 6.0}

# Volumes mL: same table (plasma; blood cells; interstitial, endosomal, cellular). Tumor: 0.45 mL in all (Khot 2019
# Table 2), 10 % blood (point 6 above).
PLASMA_VOLUME = {
    "lung": 0.0295, "heart": 0.00585, "kidney": 0.0289, "brain": 0.0107, "muscle": 0.249, "bone": 0.0621,
    "skin": 0.188, "adipose": 0.0218, "small_intestine": 0.0116, "large_intestine": 0.0050, "spleen": 0.0154,
    "liver": 0.164, "pancreas": 0.00534, "other": 0.0195,
}  # fmt: skip
CELL_VOLUME = {
    "lung": 0.0241, "heart": 0.00479, "kidney": 0.0236, "brain": 0.00873, "muscle": 0.204, "bone": 0.0508,
    "skin": 0.154, "adipose": 0.0178, "small_intestine": 0.00950, "large_intestine": 0.00409, "spleen": 0.0126,
    "liver": 0.134, "pancreas": 0.00437, "other": 0.0160,
}  # fmt: skip
TISSUE_VOLUME = {
    "lung": (0.0384, 0.00102, 0.111), "heart": (0.0217, 0.000760, 0.119), "kidney": (0.0788, 0.00263, 0.391),
    "brain": (0.0873, 0.00243, 0.376), "muscle": (1.47, 0.0566, 9.34), "bone": (0.525, 0.0141, 2.17),
    "skin": (1.66, 0.0251, 3.00), "adipose": (0.337, 0.00991, 1.60), "small_intestine": (0.127, 0.00364, 0.577),
    "large_intestine": (0.0545, 0.00157, 0.248), "spleen": (0.0254, 0.000635, 0.0730),
    "liver": (0.385, 0.00963, 1.23), "pancreas": (0.0169, 0.000485, 0.0699), "other": (0.0797, 0.00233, 0.348),
}  # fmt: skip
VASCULAR = {organ: PLASMA_VOLUME[organ] + CELL_VOLUME[organ] for organ in PLASMA_VOLUME} | {"tumor": 0.10 * 0.45}
EXTRAVASCULAR = {organ: sum(parts) for organ, parts in TISSUE_VOLUME.items()} | {"tumor": 0.90 * 0.45}
BLOOD_VOLUME = 0.944 + 0.773  # Shah & Betts 2012, plasma + cells
NODE_VOLUME = 0.113 / 3  # of each of the three nodes (point 8 above)

ORGANS = list(TRANSMIGRATION)
PORTAL = ["small_intestine", "large_intestine", "spleen", "pancreas"]
TO_INGUINAL = ["bone", "muscle", "tumor"]  # their lymph does not go to the common node

# Lymph mL/h: 0.2 % of plasma flow (Shah & Betts 2012); liver see point 4, tumor see point 6, common node see point 1.
LYMPH = {organ: flow / 500 for organ, flow in PLASMA_FLOW.items()} | {"tumor": 0.0066}
LIVER_LYMPH = sum(PLASMA_FLOW[organ] for organ in ["liver", *PORTAL]) / 500
NODE_LYMPH = 1.65

# "paper" makes the curves of Figure 3; "closed" gives the tumor its vein; "naive" has moreover the lymph of the
# liver's arterial blood only.
VARIANTS = {
    "paper": {"tumor_vein": "lost_tumor_vein", "liver_lymph": LIVER_LYMPH},
    "closed": {"tumor_vein": "blood", "liver_lymph": LIVER_LYMPH},
    "naive": {"tumor_vein": "blood", "liver_lymph": PLASMA_FLOW["liver"] / 500},
}

STATES = [
    "blood",
    *(f"{organ}_{space}" for organ in ORGANS for space in "ve"),
    "node", "inguinal_node", "draining_node", "lost_lung", "lost_tumor_vein",
]  # fmt: skip
ROUTES = ["iv", "portal_vein", "hepatic_artery", "artery"]


def rhs(t, x, variant="paper"):
    """Change of every amount, 1/h; the system is linear and t is not used."""
    amount = dict(zip(STATES, x, strict=True))
    lymph = LYMPH | {"liver": VARIANTS[variant]["liver_lymph"]}
    in_vessel = {organ: amount[f"{organ}_v"] / VASCULAR[organ] for organ in ORGANS}
    drained = {o: lymph[o] * amount[f"{o}_e"] / EXTRAVASCULAR[o] / RETENTION.get(o, 1.0) for o in ORGANS}
    crossing = {organ: TRANSMIGRATION[organ] * amount[f"{organ}_v"] for organ in ORGANS}
    vein = {organ: BLOOD_FLOW[organ] - lymph[organ] for organ in ORGANS}
    c_blood, c_lung = amount["blood"] / BLOOD_VOLUME, in_vessel["lung"]
    to_lung = (BLOOD_FLOW["lung"] + lymph["lung"]) * c_blood
    hepatic_vein = sum(vein[organ] for organ in ["liver", *PORTAL]) * in_vessel["liver"]
    from_hind_legs = (drained["bone"] + drained["muscle"]) / 2
    inguinal_flow = (lymph["bone"] + lymph["muscle"]) / 2
    from_inguinal = inguinal_flow * amount["inguinal_node"] / NODE_VOLUME
    from_draining = (inguinal_flow + lymph["tumor"]) * amount["draining_node"] / NODE_VOLUME
    from_node = NODE_LYMPH * amount["node"] / NODE_VOLUME
    tumor_vein = vein["tumor"] * in_vessel["tumor"]

    d = {}
    d["blood"] = hepatic_vein + from_node - to_lung
    for organ in ORGANS:
        if organ not in ("lung", "liver", "tumor", *PORTAL):
            d["blood"] += vein[organ] * in_vessel[organ]
        if organ not in ("lung", "liver"):
            d[f"{organ}_v"] = BLOOD_FLOW[organ] * c_lung - vein[organ] * in_vessel[organ] - crossing[organ]
        d[f"{organ}_e"] = crossing[organ] - drained[organ]
    d["lung_v"] = to_lung - sum(BLOOD_FLOW[organ] for organ in ORGANS if organ != "lung") * c_lung - crossing["lung"]
    d["lung_v"] -= ELIMINATION["lung"] * amount["lung_v"]
    d["liver_v"] = BLOOD_FLOW["liver"] * c_lung - hepatic_vein - crossing["liver"]
    d["liver_v"] += sum(vein[organ] * in_vessel[organ] for organ in PORTAL)
    d["node"] = sum(drained[organ] for organ in ORGANS if organ not in TO_INGUINAL)
    d["node"] += from_inguinal + from_draining - from_node
    d["inguinal_node"] = from_hind_legs - from_inguinal
    d["draining_node"] = from_hind_legs + drained["tumor"] - from_draining
    d["lost_lung"] = ELIMINATION["lung"] * amount["lung_v"]
    d["lost_tumor_vein"] = 0.0
    d[VARIANTS[variant]["tumor_vein"]] += tumor_vein
    return np.array([d[state] for state in STATES])


def entry(route):
    """Share of the dose that enters each state. The paper gives into the vein only; the other routes are ours."""
    share = dict.fromkeys(STATES, 0.0)
    if route == "iv":
        share["blood"] = 1.0  # one blood pool; it flows to the lung
    elif route in ("portal_vein", "hepatic_artery"):
        share["liver_v"] = 1.0
    elif route == "artery":  # no arterial pool in this model: what leaves the lung goes to the organs by flow
        total = sum(BLOOD_FLOW[organ] for organ in ORGANS if organ != "lung")
        for organ in ORGANS:
            if organ != "lung":
                share[f"{organ}_v"] = BLOOD_FLOW[organ] / total
    else:
        raise ValueError(f"route {route!r}: one of {ROUTES}")
    return np.array([share[state] for state in STATES])


def curves(route, hours, dose=1.0, duration_h=0.0, variant="paper"):
    """Amount in every state at the given hours (ascending, from 0), as a share of the dose if dose is 1."""

    def slope(t, x):
        return rhs(t, x, variant)

    jacobian = np.column_stack([slope(0.0, unit) for unit in np.eye(len(STATES))])
    found = integrated(slope, dose * entry(route), hours, duration_h, jacobian)
    return dict(zip(STATES, found.T, strict=True))


def percent_per_gram(amounts, dose=1.0):
    """%ID/g of each organ, of blood and of the inguinal nodes, at 1 g/mL."""
    out = {"blood": 100 / dose * amounts["blood"] / BLOOD_VOLUME}
    for organ in ORGANS:
        held = amounts[f"{organ}_v"] + amounts[f"{organ}_e"]
        out[organ] = 100 / dose * held / (VASCULAR[organ] + EXTRAVASCULAR[organ])
    for node in ("inguinal_node", "draining_node"):
        out[node] = 100 / dose * amounts[node] / NODE_VOLUME
    return out


HOURS = [1.0, 24.0, 72.0, 168.0, 336.0]
# Measured %ID/g, mean of 3 mice, Khot 2019 Figure 2, digitised (data/kinetics/tcell_51Cr_mouse_khot2019.csv)
OBSERVED = {
    "blood": [1.573, 0.263, 0.0629, 0.0677, 0.0161],
    "lung": [89.547, 4.25, 2.702, 1.065, 1.208],
    "heart": [2.537, 0.739, 0.117, 0.101, 0.073],
    "kidney": [5.264, 4.451, 4.612, 4.359, 5.166],
    "brain": [0.274, 0.0291, 0.0176, 0.0085, 0.0269],
    "muscle": [0.086, 0.0488, 0.0348, 0.0673, 0.0547],
    "bone": [1.12, 3.223, 4.79, 3.528, 3.541],
    "skin": [0.276, 0.0726, 0.119, 0.106, 0.121],
    "adipose": [0.0891, 0.058, 0.0354, 0.14, 0.104],
    "small_intestine": [0.217, 0.161, 0.102, 0.138, 0.0453],
    "large_intestine": [0.143, 0.0656, 0.0612, 0.0536, 0.0797],
    "spleen": [37.477, 85.986, 58.951, 57.849, 50.69],
    "liver": [17.578, 34.826, 31.623, 13.783, 11.412],
    "pancreas": [np.nan, 0.0927, 0.151, 0.0699, 0.375],
    "tumor": [0.176, 0.252, 0.316, 0.146, 0.0557],
    "inguinal_node": [0.545, 1.041, 1.762, 3.103, 1.729],
    "draining_node": [0.797, 2.214, 2.209, 2.256, 1.231],
}
# The authors' own model curves %ID/g, Khot 2019 Figure 3, black lines, digitised from the bitmap in the PDF: straight
# lines in log scale between the five times, each end fitted on its segment; two fits of one end agree to 1-2 %.
FIGURE_3 = {
    "blood": [0.521, 0.0643, 0.0455, 0.0294, 0.0167],
    "lung": [66.3, 5.46, 3.83, 2.49, 1.41],
    "heart": [2.56, 0.273, 0.192, 0.124, 0.0702],
    "kidney": [13.16, 8.44, 4.92, 3.05, 1.715],
    "brain": [0.108, 0.0837, 0.0542, 0.0327, 0.0184],
    "muscle": [0.0510, 0.0511, 0.0543, 0.0412, 0.0231],
    "bone": [4.09, 6.78, 8.20, 7.23, 4.47],
    "skin": [0.0944, 0.109, 0.128, 0.110, 0.0665],
    "adipose": [0.0579, 0.0831, 0.0939, 0.0754, 0.0436],
    "small_intestine": [0.591, 0.148, 0.0952, 0.0606, 0.0344],
    "large_intestine": [0.256, 0.0970, 0.0569, 0.0362, 0.0204],
    "spleen": [31.6, 51.8, 53.9, 40.4, 22.4],
    "liver": [25.2, 23.3, 15.4, 9.23, 5.14],
    "pancreas": [1.53, 0.470, 0.293, 0.186, 0.105],
    "tumor": [0.144, 0.147, 0.155, 0.117, 0.0654],
    "inguinal_node": [0.636, 1.093, 1.320, 1.157, 0.708],
    "draining_node": [0.587, 1.032, 1.245, 1.094, 0.670],
}


def against_paper(variant="paper"):
    """Print simulated over measured, over the paper's own curves, and the same for AUC (trapezoid, five times)."""
    simulated = percent_per_gram(curves("iv", HOURS, variant=variant))
    for name, reference in (("measured (Figure 2)", OBSERVED), ("the paper's model (Figure 3)", FIGURE_3)):
        print(f"variant {variant}: simulated %ID/g over {name} at {HOURS} h, then AUC")
        for organ, values in reference.items():
            known = np.isfinite(values)
            hours, there, here = np.array(HOURS)[known], np.array(values)[known], simulated[organ][known]
            area = np.trapezoid(here, hours) / np.trapezoid(there, hours)
            print(f"  {organ:16s}" + "".join(f"{r:8.3f}" for r in simulated[organ] / np.array(values)) + f"{area:9.3f}")


if __name__ == "__main__":
    for each in VARIANTS:
        against_paper(each)
