"""A gate that opens for good draws and says which parameter keeps it shut."""

import numpy as np
import pytest
import xarray as xr

from pbpk.infer.draws.convergence import LEAST_ESS, MOST_RHAT, diagnose

CHAINS, DRAWS = 4, 500


def tree(draws, diverging=0, **stats):
    """Draws by name, each (chain, draw), and how many transitions diverged (or which), and other statistics."""
    stuck = np.zeros((CHAINS, DRAWS), dtype=bool)
    if isinstance(diverging, int):
        stuck.flat[:diverging] = True
    else:
        stuck = diverging
    variables = {name: (("chain", "draw"), values) for name, values in draws.items()}
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(variables),
            "prior": xr.Dataset({name: (("chain", "draw"), noise(50) * (name != "fixed")) for name in draws}),
            "sample_stats": xr.Dataset(
                {name: (("chain", "draw"), of) for name, of in ({"diverging": stuck} | stats).items()}
            ),
        }
    )


def noise(seed):
    return np.random.default_rng(seed).standard_normal((CHAINS, DRAWS))


def creeping(seed, memory=0.99):
    """Draws that hardly move from one to the next, so that few of them count."""
    steps = noise(seed)
    out = np.zeros_like(steps)
    for i in range(1, DRAWS):
        out[:, i] = memory * out[:, i - 1] + np.sqrt(1 - memory**2) * steps[:, i]
    return out


def test_good_draws_pass():
    found, each = diagnose(tree({"calm": noise(1), "still": noise(2)}))
    assert found.passed
    assert found.sentences == ()
    assert (found.chains, found.draws, found.divergences) == (CHAINS, DRAWS, 0)
    assert found.max_rhat <= MOST_RHAT
    assert found.min_ess_bulk >= LEAST_ESS
    assert found.min_ess_bulk == min(of["ess_bulk"] for of in each.values())
    # independent draws count as about all of them
    assert each["calm"]["ess_bulk"] == pytest.approx(CHAINS * DRAWS, rel=0.25)


def test_rhat_is_what_its_formula_says():
    draws = noise(3)
    draws[0] += 0.5
    _, each = diagnose(tree({"calm": noise(1), "apart": draws}))
    halves = draws.reshape(CHAINS * 2, DRAWS // 2)  # split chains, on a scale that is already normal
    within = halves.var(axis=1, ddof=1).mean()
    between = halves.shape[1] * halves.mean(axis=1).var(ddof=1)
    by_hand = np.sqrt((within * (1 - 1 / halves.shape[1]) + between / halves.shape[1]) / within)
    assert each["apart"]["rhat"] == pytest.approx(by_hand, abs=0.01)
    assert by_hand > 1.03


def test_a_shifted_chain_is_named_with_its_partner():
    shifted, other = noise(3), noise(4)
    shifted[0] += 3
    partner = -shifted + 0.1 * noise(5)
    found, _ = diagnose(tree({"calm": other, "E_lung": shifted, "loss_lung": partner}))
    assert not found.passed
    said = " ".join(found.sentences)
    assert "chains disagree about `E_lung`" in said or "chains disagree about `loss_lung`" in said
    assert "moves with `loss_lung`" in said or "moves with `E_lung`" in said
    assert "rank correlation -0.9" in said or "rank correlation -1.0" in said
    assert "`calm`" not in said
    assert "--draws" in said


def test_few_effective_draws_are_named():
    found, each = diagnose(tree({"calm": noise(1), "slow": creeping(6)}))
    assert each["slow"]["ess_bulk"] < LEAST_ESS
    bulk = next(s for s in found.sentences if "in the bulk" in s)
    assert bulk.startswith(f"`slow` has {each['slow']['ess_bulk']:.0f} effective draws")
    assert str(LEAST_ESS) in bulk
    assert "--draws" in bulk


def test_a_tail_that_few_draws_reach():
    # a wide excursion now and then: the middle is well known, the tails are not
    draws = noise(7)
    loud = creeping(8, 0.995) > 1.2
    draws = np.where(loud, 8 * draws, draws)
    found, each = diagnose(tree({"calm": noise(1), "bursts": draws}))
    assert each["bursts"]["ess_tail"] < LEAST_ESS < each["bursts"]["ess_bulk"]
    assert "in the tail" in next(s for s in found.sentences if s.startswith("`bursts`"))


def test_divergences_shut_the_gate():
    found, _ = diagnose(tree({"calm": noise(1), "still": noise(2)}, diverging=7))
    assert found.divergences == 7
    (sentence,) = found.sentences
    assert sentence.startswith("7 transitions diverged")
    assert "--target-accept" in sentence


def test_a_fixed_parameter_has_no_diagnostics():
    found, each = diagnose(tree({"calm": noise(1), "fixed": np.ones((CHAINS, DRAWS))}))
    assert found.passed
    assert set(each) == {"calm"}


@pytest.mark.parametrize("order", [["calm", "broken"], ["broken", "calm"]])
def test_draws_that_are_no_numbers_never_pass(order):
    broken = noise(9)
    broken[1, 17] = np.nan
    draws = {"calm": noise(1), "broken": broken}
    found, _ = diagnose(tree({name: draws[name] for name in order}))
    assert not found.passed
    assert "`broken`" in found.sentences[0]


def test_chains_that_never_moved_do_not_pass():
    found, _ = diagnose(tree({"calm": noise(1), "stuck": np.full((CHAINS, DRAWS), 0.3)}))
    assert not found.passed
    assert "`stuck`" in " ".join(found.sentences)


def test_one_parameter_alone_has_no_partner():
    shifted = noise(3)
    shifted[0] += 3
    found, _ = diagnose(tree({"alone": shifted}))
    assert "moves with" not in " ".join(found.sentences)


KINDS = {"alive_lung": "fate", "transfer_lung": "transfer", "E_lung": "extraction", "spread": "scatter"}


def test_what_tells_a_confounded_pair_apart_is_said():
    slow = creeping(11)
    found, _ = diagnose(
        tree({"alive_lung": slow, "transfer_lung": -slow + 0.1 * noise(12), "spread": noise(13)}), KINDS
    )
    bulk = next(s for s in found.sentences if "in the bulk" in s)
    assert "effective draws" in bulk
    assert "it moves with `" in bulk
    assert "a live readout at two times tells them apart" in bulk
    ((one, other, tie),) = set(found.pairs)
    assert {one, other} == {"alive_lung", "transfer_lung"}
    assert tie == pytest.approx(-1.0, abs=0.03)


def test_alone_a_parameter_has_the_advice_of_its_kind():
    found, _ = diagnose(tree({"E_lung": creeping(14), "calm": noise(15), "spread": noise(16)}), KINDS)
    assert all("harvest within an hour" in sentence for sentence in found.sentences)
    assert not any("moves with" in sentence for sentence in found.sentences)
    plain, _ = diagnose(tree({"E_lung": creeping(14), "calm": noise(15)}))
    assert "narrow its prior from data, or fix it" in plain.sentences[-1]


def test_others_that_fail_alike_are_counted():
    shifted = [noise(20 + i) for i in range(5)]
    for each in shifted:
        each[1] += 2.0
    found, _ = diagnose(tree({f"p{i}": each for i, each in enumerate(shifted)}))
    assert "and so do `p" in found.sentences[0]
    assert "and 2 more" in found.sentences[0]


def test_divergences_are_located():
    low, other = noise(30), noise(31)
    stuck = low < np.quantile(low, 0.01)
    found, _ = diagnose(tree({"spread": low, "E_lung": other}, stuck), KINDS)
    (sentence,) = found.sentences
    assert sentence.startswith(f"{stuck.sum()} transitions diverged, where `spread` is low, ")
    assert "more animals per hour" in sentence
    assert "`E_lung`" not in sentence
    anywhere, _ = diagnose(tree({"spread": low, "E_lung": other}, np.abs(noise(32)) > 2.5), KINDS)
    assert "all over the posterior" in anywhere.sentences[0]


def test_low_energy_is_a_warning_and_no_closed_gate():
    walk = np.cumsum(noise(40), axis=1)
    found, _ = diagnose(tree({"calm": noise(1), "still": noise(2)}, energy=walk))
    assert found.passed
    assert len(found.bfmi) == CHAINS
    assert max(found.bfmi) < 0.3
    (sentence,) = found.warnings
    assert sentence.startswith("the energy of chain 1 (0.")
    assert "--tune" in sentence
    good, _ = diagnose(tree({"calm": noise(1), "still": noise(2)}, energy=noise(41)))
    assert good.warnings == ()
    assert min(good.bfmi) > 1.0


def test_ways_cut_short_are_a_warning_that_names_the_pair():
    one = noise(50)
    steps = np.where(noise(51) > 1.5, 1023, 31)
    tied = {"E_lung": one, "spread": noise(52), "alive_lung": one + 0.2 * noise(53)}
    found, _ = diagnose(tree(tied, n_steps=steps), KINDS)
    assert found.passed
    assert found.deepest == pytest.approx((steps == 1023).mean())
    (sentence,) = found.warnings
    assert "cut short" in sentence
    assert "`E_lung` and `alive_lung` move most together" in sentence
    assert "harvest within an hour" in sentence


def test_what_the_sampler_did_not_keep_is_not_judged():
    found, _ = diagnose(tree({"calm": noise(1), "still": noise(2)}))
    assert (found.bfmi, found.warnings, found.pairs, found.deviates) == ((), (), (), "")
    assert np.isnan(found.deepest)


def test_deviates_of_animals_are_one_line_and_shut_the_gate_too():
    deviates = {f"animal:iv:{i}": noise(60 + i) for i in range(5)}
    good, each = diagnose(tree({"calm": noise(1)} | deviates))
    assert good.passed
    assert good.deviates.startswith("5 deviates of animals: worst R-hat ")
    assert set(deviates) <= set(each)
    deviates["animal:iv:3"] = creeping(70)
    found, _ = diagnose(tree({"calm": noise(1)} | deviates))
    assert not found.passed
    assert "`animal:iv:3`" in found.deviates
    assert all("`animal:iv:3`" in sentence for sentence in found.sentences)
    assert found.pairs == ()
