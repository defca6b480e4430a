"""The rows that are retrained: what each network looks at, which loss it has, and what sets it apart."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from training_batch import SIZE, arguments, batch

from bench.networks.retrained import FAMILIES, Baseline
from bench.retrain.experiments import EXPERIMENTS, chosen
from bench.retrain.losses import reconstruction
from bench.retrain.queue import WARM_UP
from bench.retrain.terms import Terms, rules_of
from iph.data.samples import SampleRules
from iph.training.objective import ObjectiveWeights
from iph.training.validate import mean_objective


@pytest.mark.parametrize("row", EXPERIMENTS)
def test_every_row_computes_its_loss_and_reaches_all_its_weights(row):
    torch.manual_seed(0)
    network = EXPERIMENTS[row].network(SIZE)
    loss, parts = EXPERIMENTS[row].objective(network, batch(), EXPERIMENTS[row].weights)
    loss.backward()
    assert all(np.isfinite(value) for value in parts.values())
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("name", FAMILIES)
def test_what_a_baseline_looks_at(name):
    torch.manual_seed(0)
    network, sample = Baseline(name, SIZE, width=4).eval(), batch()
    other = sample | {"reference": 1 - sample["foreground"] - sample["reference"]}
    with torch.no_grad():
        here, there = network(*arguments(sample)), network(*arguments(other))
    assert here.shape == sample["composite"].shape and 0 <= here.min() and here.max() <= 1
    assert torch.equal(here, there) == (name in ("dovenet", "rainnet", "bargainnet"))
    around = sample["foreground"].expand_as(here) == 0
    kept = torch.allclose(here[around], sample["composite"][around], atol=1e-6)
    assert kept == name.startswith("rainnet")


def test_losses_are_those_of_the_released_code():
    """Recomputed from the definitions: L1 in [-1, 1] over the frame, and a hinge a channel of the code."""
    torch.manual_seed(0)
    sample, usual = batch(), ObjectiveWeights()
    dovenet = Baseline("dovenet", SIZE, width=4).eval()
    bargain = Baseline("bargainnet-r", SIZE, width=4).eval()
    with torch.no_grad():
        found = float(EXPERIMENTS["dovenet-retrained"].objective(dovenet, sample, usual)[0])
        frame = dovenet(*arguments(sample))
        assert found == pytest.approx(float((frame * 2 - sample["target"] * 2).abs().mean()), rel=1e-5)

        found = float(EXPERIMENTS["bargainnet-r-retrained"].objective(bargain, sample, usual)[0])
        frame, encoder = bargain(*arguments(sample)) * 2 - 1, bargain.network.style_encoder
        image, target = sample["composite"] * 2 - 1, sample["target"] * 2 - 1
        real, after, before = (encoder(x, sample["foreground"]).flatten(1) for x in (target, frame, image))
        guide = encoder(image, sample["reference"]).flatten(1)
        hinge = ((real - after).abs() - (real - before).abs() + 0.1).clamp_min(0).mean()
        hinge += ((after - guide).abs() - (after - before).abs() + 0.1).clamp_min(0).mean()
        assert found == pytest.approx(float((frame - target).abs().mean() + 0.01 * hinge), rel=1e-3)


def test_what_is_held_out_does_not_move_batch_normalisation():
    network = Baseline("dovenet", SIZE, width=4)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    first = mean_objective(network, batch(), ObjectiveWeights(), torch.device("cpu"), reconstruction)
    assert first == mean_objective(network, batch(), ObjectiveWeights(), torch.device("cpu"), reconstruction)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_the_ablation_differs_in_what_it_says():
    weights = {row: experiment.weights.iph for row, experiment in EXPERIMENTS.items() if row.startswith("h-net")}
    assert weights["h-net"].points == weights["h-net-se"].points == ()
    assert all(one.lam > 0 and one.beta > 0 for one in weights.values()), "eqs. 5, 6 and the triplets are in every row"
    assert [len(weights[f"h-net-se-{name}"].points) for name in ("mid", "shadow", "highlight", "all")] == [1, 1, 1, 3]
    h_net, ours = (EXPERIMENTS[row].network(SIZE).config for row in ("h-net", "h-net-se"))
    assert h_net.whole and not h_net.style and ours.style and not ours.whole
    assert all(EXPERIMENTS[row].weights.squared == 0 for row in weights), "the paper's losses alone"
    assert {experiment.stage for experiment in EXPERIMENTS.values()} == {2, 3}


def test_baselines_and_ablation_draw_the_same_pairs_of_instances():
    drawn = {
        row: rules_of(experiment, Terms("here"))
        for row, experiment in EXPERIMENTS.items()
        if experiment.group in ("baselines", "ablation")
    }
    assert all(rules.pairs == "paper" and rules.unpaired == 0 for rules in drawn.values())
    people = [row for row, rules in drawn.items() if rules.stage == 3]
    assert people == ["bargainnet-r-pp-retrained"] and EXPERIMENTS[people[0]].start == "bargainnet-r-retrained"
    assert len({replace(rules, stage=2) for rules in drawn.values()}) == 1


def test_a_trial_differs_from_the_usual_training_in_one_thing():
    def described(experiment):
        settings = experiment.network(SIZE).settings()
        losses = asdict(experiment.weights.iph) | {"squared": experiment.weights.squared}
        return settings | losses | dict(experiment.rules) | dict(experiment.training)

    usual = described(EXPERIMENTS["trial-usual"]) | {"crop": SampleRules().crop, "warm_up": WARM_UP}
    linked = {"trial-plain": 4}  # the head and three of normalisation
    for row in chosen(["trials"]):
        changed = {name for name, value in described(EXPERIMENTS[row]).items() if usual.get(name) != value}
        assert len(changed) == (0 if row == "trial-usual" else linked.get(row, 1)), (row, changed)
