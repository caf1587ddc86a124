"""The model of `reference_fit` for PyMC, NumPyro and Stan: each with its own exponential, gradient and sampler.

From the package come data only: arrows and the text of their rates, priors, doses, hours, rows. Blood is taken out
by each system's own solve; then one exponential for the unit of hours, squared again and again, serves all hours, and
every dose is a column. The misfit of a cell is integrated out as in `matched.joint`: values leave a normal, limits
beside them are summed over it by Gauss and Hermite.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pbpk.body.solve import reached

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(31)
LOG_WEIGHTS = np.log(WEIGHTS / WEIGHTS.sum())
LIMIT_OF_SQUARINGS = 32  # of JAX's expm, whose default of 16 answers NaN for the fastest rates of the prior


@dataclass(frozen=True)
class Facts:
    """What a study and its model say, as plain arrays."""

    joint: Any

    def __post_init__(self):
        model, table = self.joint.model, self.joint.counts.table
        plain = [model.is_linear, not model.derived, not self.joint.doubtful, self.joint.readings == ("dose",),
                 not table["low"].notna().any(), (table["n"] == 1).all(), not table["per"].any()]  # fmt: skip
        if self.joint.between is not None:
            plain += [self.joint.between.varied == ("dose",), (self.joint.between.share == 1.0).all()]
        for each in self.joint.experiments:
            given = each.schedule
            plain += [len(given.starts) == 1, not given.starts.any(), not given.durations.any(), not given.is_steady,
                      not each.modifiers]  # fmt: skip
        assert all(plain)

    @cached_property
    def forms(self):
        """Places of the sampler's vector by form of the prior, and of the three parts among all symbols."""
        model, free = self.joint.model, self.joint.free
        place = {p.name: i for i, p in enumerate(free)}
        forms = [p.prior.form for p in free]
        parts = {form: [i for i, f in enumerate(forms) if f == form] for form in ("lognormal", "logit_normal")}
        fixed = [p.prior.centre for p in model.parameters if p.name not in place]
        order = {free[i].name: k for k, i in enumerate([*parts["lognormal"], *parts["logit_normal"]])}
        kept = iter(range(len(order), len(order) + len(fixed)))
        where = [order[p.name] if p.name in order else next(kept) for p in model.parameters]
        where += list(range(len(order) + len(fixed), len(order) + len(fixed) + len(model.settled)))
        return parts, np.array([*fixed, *model.settled]), np.array(where), order

    @cached_property
    def arrows(self):
        """Those that a dose reaches: which, from, to; and number of states, of lasting ones, and what each dose is."""
        model = self.joint.model
        entry = np.concatenate([each.schedule.entry for each in self.joint.experiments])
        part = reached(model.source_states, model.target_states, entry)
        lasting = int(part.states[: model.n_lasting].sum())
        return np.flatnonzero(part.arrows), part.source, part.target, part.states, lasting, entry[:, part.states].T

    @cached_property
    def hours(self):
        """Unit that all hours are multiples of, and the multiples."""
        hours = np.unique(np.concatenate([each.hours for each in self.joint.experiments]))
        minutes = np.rint(60 * hours).astype(int)
        unit = int(np.gcd.reduce(minutes))
        return unit / 60.0, minutes // unit, hours

    @cached_property
    def seen(self):
        """Each prediction once: column of its dose, place of its hour, weights of states; and that of each row."""
        _, _, _, states, _, _ = self.arrows
        found, row_sees = {}, np.empty(len(self.joint.counts.table), dtype=int)
        for dose, each in enumerate(self.joint.experiments):
            for row, at in zip(each.rows, each.at, strict=True):
                hour = int(np.searchsorted(self.hours[2], each.hours[at]))
                weights = self.joint.observers[row][states]
                row_sees[row] = found.setdefault((dose, hour, weights.tobytes()), len(found))
        doses, hours, weights = zip(*found, strict=True)
        return np.array(doses), np.array(hours), np.array([np.frombuffer(w) for w in weights]), row_sees

    @cached_property
    def deviates(self):
        """Place in the sampler's vector of the deviate of each row's animal; None where all are given the same."""
        between = self.joint.between
        if between is None:
            return None
        place = {p.name: i for i, p in enumerate(self.joint.free)}
        return np.array([place[f"animal:dose:{subject}"] for subject in between.subjects])[between.of_row]

    @cached_property
    def rows(self):
        """Rows with a value and their logarithm, rows with a limit and its logarithm, the cell of each row."""
        table = self.joint.counts.table
        below = table["below_lloq"].to_numpy(bool)
        value, limit = np.flatnonzero(~below), np.flatnonzero(below)
        return (value, np.log(table["percent"].to_numpy()[value]), limit, np.log(table["lloq"].to_numpy()[limit]),
                np.asarray(self.joint.cells))  # fmt: skip


@dataclass(frozen=True)
class Ways:
    """Functions of one system for arrays."""

    xp: Any
    solve: Callable[..., Any]
    expm: Callable[..., Any]
    logsumexp: Callable[..., Any]
    log_phi: Callable[..., Any]
    add_at: Callable[..., Any]


def log_likelihood(facts, z, ways):
    """Log-density of all rows, up to a constant, from the sampler's vector."""
    xp = ways.xp
    parts, others, where, order = facts.forms
    values = []
    for form, places in parts.items():
        priors = [facts.joint.free[i].prior for i in places]
        moved = np.array([p.sigma for p in priors]) * z[np.array(places)]
        centre = np.array([p.centre for p in priors])
        odds = centre / (1 - centre) if form == "logit_normal" else None
        values.append(centre * xp.exp(moved) if odds is None else 1 / (1 + xp.exp(-moved) / odds))
    values = xp.concatenate([*values, others])
    spread, misfit = values[order["spread"]], values[order["misfit"]]
    percent = predict(facts, values[where], ways)
    m = xp.log(percent)[facts.seen[3]]
    if facts.deviates is not None:
        m = m + values[order["between_dose"]] * z[facts.deviates]
    return _log_rows(facts, m, spread, misfit, ways)


def predict(facts, symbols, ways):
    """Percent of the dose that each prediction says, (prediction,), from all symbols of the rates."""
    xp, model = ways.xp, facts.joint.model
    which, source, target, states, lasting, entry = facts.arrows
    rates = []
    for family in model.families:
        known = {name: symbols[np.array(at)] for name, at in family.symbols.items()}
        rates.append(xp.zeros(len(family.organs)) + family.rate.evaluate(known, xp))
    rates = xp.concatenate(rates)[which]
    n = int(states.sum())
    full = ways.add_at(xp.zeros((n, n)), target, source, rates)
    full = ways.add_at(full, source, source, -rates)
    through = ways.solve(full[lasting:, lasting:], xp.concatenate([full[lasting:, :lasting], entry[lasting:]], axis=1))
    held, passed = through[:, :lasting], through[:, lasting:]
    reduced = full[:lasting, :lasting] - full[:lasting, lasting:] @ held
    start = entry[:lasting] - full[:lasting, lasting:] @ passed
    unit, counts, _ = facts.hours
    powers = [ways.expm(reduced * unit)]
    for _ in range(int(counts.max()).bit_length() - 1):
        powers.append(powers[-1] @ powers[-1])
    at = []
    for count in counts:
        state = start
        for bit, power in enumerate(powers):
            if int(count) >> bit & 1:
                state = power @ state
        at.append(xp.concatenate([state, -held @ state], axis=0))
    doses, hours, weights, _ = facts.seen
    picked = xp.stack(at)[hours, :, doses]
    return (picked * weights).sum(axis=-1)


def _log_rows(facts, m, spread, misfit, ways):
    """Values are normal about a cell's misfit, limits beside them are summed over what that leaves."""
    xp = ways.xp
    value, logarithm, limit, log_limit, cells = facts.rows
    held, place = np.unique(cells, return_inverse=True)
    inside = (np.arange(held.size)[:, None] == place[value]).astype(float)
    off = (logarithm - m[value]) / spread
    precision = inside.sum(axis=1) / spread**2 + 1 / misfit**2
    centre = (inside @ off) / spread / precision
    total = -0.5 * (off**2).sum() - value.size * xp.log(spread)
    total = total + (0.5 * precision * centre**2 - 0.5 * xp.log(precision) - xp.log(misfit)).sum()
    if limit.size:
        nodes = (centre[:, None] + NODES / xp.sqrt(precision)[:, None])[place[limit]]
        each = ways.log_phi((log_limit[:, None] - m[limit][:, None] - nodes) / spread)
        some = np.unique(place[limit])
        by_cell = (some[:, None] == place[limit]).astype(float) @ each
        total = total + ways.logsumexp(by_cell + LOG_WEIGHTS).sum()
    return total


def pytensor_ways():
    """PyTensor's stock operations."""
    import pymc as pm
    import pytensor.tensor as pt

    return Ways(pt, pt.linalg.solve, pt.linalg.expm, lambda x: pm.math.logsumexp(x, axis=1),
                lambda x: pm.logcdf(pm.Normal.dist(0.0, 1.0), x),
                lambda a, i, j, x: pt.inc_subtensor(a[i, j], x))  # fmt: skip


def jax_ways():
    """JAX's, in double precision."""
    import jax

    jax.config.update("jax_enable_x64", True)
    return Ways(jax.numpy, jax.numpy.linalg.solve,
                lambda a: jax.scipy.linalg.expm(a, max_squarings=LIMIT_OF_SQUARINGS),
                lambda x: jax.scipy.special.logsumexp(x, axis=1), jax.scipy.special.log_ndtr,
                lambda a, i, j, x: a.at[i, j].add(x))  # fmt: skip


def pymc_model(facts):
    """PyMC's model of the vector `z`."""
    import pymc as pm

    ways = pytensor_ways()
    with pm.Model() as built:
        z = pm.Normal("z", shape=len(facts.joint.free))
        pm.Potential("counts", log_likelihood(facts, z, ways))
    return built


def numpyro_model(facts):
    """NumPyro's model of the vector `z`."""
    import numpyro
    from numpyro.distributions import Normal

    ways = jax_ways()

    def model():
        z = numpyro.sample("z", Normal(0.0, 1.0).expand([len(facts.joint.free)]).to_event(1))
        numpyro.factor("counts", log_likelihood(facts, z, ways))

    return model


STAN = """
data {
  int free; int others; vector[others] other; vector[free] centre; vector[free] sigma; array[free] int logit;
  int n; int lasting; int doses; matrix[n, doses] entry; int hours; array[hours] int counts; int bits; real unit;
  int predictions; array[predictions] int dose; array[predictions] int hour; matrix[predictions, n] weights;
  int rows; array[rows] int sees; array[rows] int cell; int cells; array[rows] int deviate;
  int values; array[values] int value; vector[values] logarithm; vector[cells] per_cell;
  int limits; array[limits] int limit; vector[limits] log_limit;
  int nodes; vector[nodes] node; vector[nodes] log_weight; array[cells] int first; array[cells] int last;
  int between;
}
parameters { vector[free] z; }
model {
  vector[free] p;
  vector[predictions] seen;
  vector[rows] m;
  z ~ std_normal();
  for (i in 1:free)
    p[i] = logit[i] ? 1 / (1 + exp(-sigma[i] * z[i]) * (1 - centre[i]) / centre[i]) : centre[i] * exp(sigma[i] * z[i]);
  {
    matrix[n, n] k = rep_matrix(0, n, n);
    matrix[n - lasting, lasting + doses] through;
    matrix[lasting, lasting] power;
    array[hours] matrix[lasting, doses] at;
    array[hours] matrix[n, doses] whole;
    {{ real r;
{arrows}
    }}
    through = k[(lasting + 1):n, (lasting + 1):n] \\ append_col(k[(lasting + 1):n, 1:lasting], entry[(lasting + 1):n]);
    power = matrix_exp((k[1:lasting, 1:lasting]
                        - k[1:lasting, (lasting + 1):n] * through[, 1:lasting]) * unit);
    for (h in 1:hours)
      at[h] = entry[1:lasting] - k[1:lasting, (lasting + 1):n] * through[, (lasting + 1):(lasting + doses)];
    {{
      array[hours] int left = counts;
      for (b in 1:bits) {{
        for (h in 1:hours) {{
          if (left[h] % 2 == 1) at[h] = power * at[h];
          left[h] = left[h] %/% 2;
        }}
        if (b < bits) power = power * power;
      }}
    }}
    for (h in 1:hours) whole[h] = append_row(at[h], -through[, 1:lasting] * at[h]);
    for (i in 1:predictions) seen[i] = log(weights[i] * whole[hour[i]][, dose[i]]);
  }
  m = seen[sees];
  if (between > 0) m += p[between] * z[deviate];
  {
    real spread = p[{spread}];
    real misfit = p[{misfit}];
    vector[values] off = (logarithm - m[value]) / spread;
    vector[cells] precision = per_cell / square(spread) + 1 / square(misfit);
    vector[cells] centred = rep_vector(0, cells);
    for (i in 1:values) centred[cell[value[i]]] += off[i];
    centred = centred ./ precision / spread;
    target += -0.5 * dot_self(off) - values * log(spread);
    target += 0.5 * dot_product(precision, square(centred)) - 0.5 * sum(log(precision)) - cells * log(misfit);
    for (c in 1:cells) if (first[c] > 0) {
      vector[nodes] each = log_weight;
      vector[nodes] misfits = centred[c] + node / sqrt(precision[c]);
      for (i in first[c]:last[c])
        for (q in 1:nodes) each[q] += std_normal_lcdf((log_limit[i] - m[limit[i]] - misfits[q]) / spread |);
      target += log_sum_exp(each);
    }
  }
}
"""


def stan_model(facts):
    """Stan's program and its data: the rates are written out, each with its own numbers."""
    import sympy

    joint, model = facts.joint, facts.joint.model
    place = {p.name: i for i, p in enumerate(joint.free, start=1)}
    settled = [*model.settled]
    names = [f"p[{place[p.name]}]" if p.name in place else repr(float(p.prior.centre)) for p in model.parameters]
    names += [f"other[{i}]" for i in range(1, len(settled) + 1)]
    which, source, target, states, lasting, entry = facts.arrows
    texts = []
    for family in model.families:
        for i in range(len(family.organs)):
            symbols = {name: sympy.Symbol(names[at[i]]) for name, at in family.symbols.items()}
            texts.append(sympy.ccode(sympy.sympify(family.rate.evaluate(symbols, sympy))))
    arrows = "\n".join(
        f"      r = {texts[a]}; k[{t + 1}, {s + 1}] += r; k[{s + 1}, {s + 1}] -= r;"
        for a, s, t in zip(which, source, target, strict=True)
    )
    program = STAN.replace("{{", "{").replace("}}", "}").replace("{arrows}", arrows)
    program = program.replace("{spread}", str(place["spread"])).replace("{misfit}", str(place["misfit"]))
    return program, _stan_data(facts, settled, int(states.sum()), lasting, entry)


def _stan_data(facts, settled, n, lasting, entry):
    free = facts.joint.free
    unit, counts, _ = facts.hours
    dose, hour, weights, sees = facts.seen
    value, logarithm, limit, log_limit, cells = facts.rows
    held, place = np.unique(cells, return_inverse=True)
    order = np.argsort(place[limit], kind="stable")  # limits of a cell stand together
    of_cell = [np.flatnonzero(place[limit][order] == c) for c in range(held.size)]
    between = 1 + [p.name for p in free].index("between_dose") if facts.deviates is not None else 0
    deviate = facts.deviates + 1 if between else np.ones(len(sees), dtype=int)
    data = {
        "free": len(free), "others": len(settled), "other": settled, "centre": [p.prior.centre for p in free],
        "sigma": [p.prior.sigma for p in free], "logit": [int(p.prior.form == "logit_normal") for p in free],
        "n": n, "lasting": lasting, "doses": entry.shape[1], "entry": entry, "hours": len(counts), "counts": counts,
        "bits": int(counts.max()).bit_length(), "unit": unit, "predictions": len(dose), "dose": dose + 1,
        "hour": hour + 1, "weights": weights, "rows": len(sees), "sees": sees + 1, "cell": place + 1,
        "cells": held.size, "deviate": deviate, "values": value.size, "value": value + 1,
        "logarithm": logarithm, "per_cell": np.bincount(place[value], minlength=held.size).astype(float),
        "limits": limit.size, "limit": limit[order] + 1, "log_limit": log_limit[order], "nodes": NODES.size,
        "node": NODES, "log_weight": LOG_WEIGHTS, "first": [int(at[0]) + 1 if at.size else 0 for at in of_cell],
        "last": [int(at[-1]) + 1 if at.size else 0 for at in of_cell],
        "between": between,
    }  # fmt: skip
    return {name: x.tolist() if isinstance(x, np.ndarray) else x for name, x in data.items()}
