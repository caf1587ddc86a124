"""Elmokadem 2023: mavoglurant in the whole human body, rebuilt by hand.

Elmokadem A, Zhang Y, Knab T, Jordie E, Gillespie WR. CPT Pharmacometrics Syst Pharmacol 2023, doi 10.1002/psp4.12926;
numbers from github metrumresearchgroup/BayesPBPK-tutorial, model/mavoPBPKLinODE.stan at 439cf5d. Flow through every
organ in L/h, volumes in L, partition coefficients tissue over the blood that leaves it, C = A / V mg/L::

    lung      A' = CO (C_ven - C / Kb)
    arterial  A' = CO (C_lu / Kb_lu - C)
    organ     A' = Q (C_art - C / Kb)
    liver     A' = Q_ha C_art + sum over spleen, pancreas, stomach, gut of Q C / Kb - (Q_li + CLint fub) C / Kb
    venous    A' = Q_li C_li / Kb_li + sum over the others of Q C / Kb - CO C
    CO = 0.06 x 187 (weight in kg)^0.81, fub = 0.028 / 0.61, plasma = C_ven / 0.61
"""

import numpy as np
from blind.integration import integrated
from scipy.linalg import expm

# share of cardiac output [%], share of body weight [%], density [kg/L]
ORGANS = {
    "lung": (100.0, 0.76, 1.051), "heart": (4.0, 0.47, 1.030), "brain": (12.0, 2.0, 1.036),
    "muscle": (17.0, 40.0, 1.041), "adipose": (5.0, 21.42, 0.916), "skin": (5.0, 3.71, 1.116),
    "spleen": (3.0, 0.26, 1.054), "pancreas": (1.0, 0.14, 1.045), "liver": (25.5, 2.57, 1.040),
    "stomach": (1.0, 0.21, 1.050), "gut": (14.0, 1.44, 1.043), "bone": (5.0, 14.29, 1.990),
    "kidney": (19.0, 0.44, 1.050), "rest": (7.5, 3.86, 1.040),
}  # fmt: skip
PORTAL = ("spleen", "pancreas", "stomach", "gut")
LOG_KB = {
    "lung": 0.8334, "heart": 1.1205, "skin": -0.5238, "spleen": 0.3224, "pancreas": 0.3224, "liver": 1.7604,
    "stomach": 0.3224, "gut": 1.2026, "kidney": 1.3171,
    "brain": 1.1, "muscle": 0.3, "adipose": 2.0, "bone": 0.03, "rest": 0.3,  # medians of the prior
}  # fmt: skip
LOG_CLINT = 7.1  # L/h, prior median
STATES = ["venous", "arterial", *ORGANS, "eliminated"]


def matrix(weight_kg, log_kb=LOG_KB, log_clint=LOG_CLINT):
    """Rate constants [1/h], column from, row to."""
    output = 187.0 * weight_kg**0.81 * 60 / 1000
    flow = {name: share / 100 * output for name, (share, _, _) in ORGANS.items()}
    volume = {name: share / 100 * weight_kg / density for name, (_, share, density) in ORGANS.items()}
    leaving = {name: 1.0 / (np.exp(log_kb[name]) * volume[name]) for name in ORGANS}  # over the flow
    k = np.zeros((len(STATES), len(STATES)))
    at = {name: i for i, name in enumerate(STATES)}

    def move(start, end, rate):
        k[at[end], at[start]] += rate
        k[at[start], at[start]] -= rate

    volume_arterial, volume_venous = 0.0281 * weight_kg / 1.040, 0.0562 * weight_kg / 1.040
    move("venous", "lung", output / volume_venous)
    move("lung", "arterial", output * leaving["lung"])
    for name in list(ORGANS)[1:]:
        own = flow["liver"] - sum(flow[each] for each in PORTAL) if name == "liver" else flow[name]
        move("arterial", name, own / volume_arterial)
        move(name, "liver" if name in PORTAL else "venous", flow[name] * leaving[name])
    move("liver", "eliminated", np.exp(log_clint) * 0.028 / 0.61 * leaving["liver"])
    return k


def curves(weight_kg, hours, dose, duration_h):
    """Amount in every state at the given hours after an infusion into the vein [mg]."""
    k = matrix(weight_kg)
    found = integrated(lambda t, x: k @ x, dose * np.eye(len(STATES))[0], hours, duration_h, k)
    return dict(zip(STATES, found.T, strict=True))


def plasma(weight_kg, hours, dose, duration_h, log_kb, log_clint):
    """Concentration in plasma [mg/L] at hours that are not before the end of the infusion, by matrix exponentials."""
    k, size = matrix(weight_kg, log_kb, log_clint), len(STATES)
    pumped = np.zeros((size + 1, size + 1))
    pumped[:size, :size], pumped[0, size] = k, dose / duration_h
    given = expm(pumped * duration_h)[:size, size]
    blood = np.array([(expm(k * (hour - duration_h)) @ given)[0] for hour in hours])
    return blood / (0.0562 * weight_kg / 1.040 * 0.61)
