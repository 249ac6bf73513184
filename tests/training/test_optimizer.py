"""The flat AdamW, its two flavours, and the rate of every step."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from bertsmith.models.bert.load import decays
from bertsmith.training.optimizer import AdamW, Flavour, restore, state_of
from bertsmith.training.schedule import Decay, Schedule

DECAY = 0.1
RATES = (0.0, 3e-3, 1e-2, 5e-3, 1e-3)


class Net(nn.Module):
    """Weights and biases, a norm, and a table."""

    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.empty(7, 3))
        self.dense = nn.Linear(3, 5)
        self.output_norm = nn.LayerNorm(5)
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator))


def gradients_of(step, net):
    generator = torch.Generator().manual_seed(100 + step)
    return {name: torch.randn(p.shape, generator=generator) for name, p in net.named_parameters()}


def trained(flavour):
    net = Net()
    optimizer = AdamW(net, flavour, DECAY)
    for step, rate in enumerate(RATES):
        optimizer.rows.zero()
        for name, gradient in gradients_of(step, net).items():
            net.get_parameter(name).grad.add_(gradient)
        optimizer.step(rate)
    return {name: parameter.detach() for name, parameter in net.named_parameters()}


def test_decay_applies_to_everything_but_biases_and_norms():
    assert {name for name, _ in Net().named_parameters() if decays(name)} == {"table", "dense.weight"}


def test_the_corrected_flavour_is_torch_adamw_on_the_separate_parameters():
    net = Net()
    named = dict(net.named_parameters())
    theirs = torch.optim.AdamW(
        [
            {"params": [p for name, p in named.items() if decays(name)], "weight_decay": DECAY},
            {"params": [p for name, p in named.items() if not decays(name)], "weight_decay": 0.0},
        ],
        betas=(0.9, 0.999),
        eps=1e-8,
    )
    for step, rate in enumerate(RATES):
        for name, gradient in gradients_of(step, net).items():
            named[name].grad = gradient
        for group in theirs.param_groups:
            group["lr"] = rate
        theirs.step()
    for name, ours in trained(Flavour.CORRECTED).items():
        torch.testing.assert_close(ours, named[name].detach(), rtol=1e-6, atol=1e-7)


def test_the_google_flavour_is_adam_weight_decay_optimizer():
    """optimization.py (google-research/bert), line for line in numpy."""
    net = Net()
    weights = {name: p.detach().numpy().astype(np.float64) for name, p in net.named_parameters()}
    m, v = ({name: np.zeros_like(w) for name, w in weights.items()} for _ in range(2))
    for step, rate in enumerate(RATES):
        for name, gradient in gradients_of(step, net).items():
            g = gradient.numpy().astype(np.float64)
            m[name] = 0.9 * m[name] + 0.1 * g
            v[name] = 0.999 * v[name] + 0.001 * g**2
            update = m[name] / (np.sqrt(v[name]) + 1e-6)
            if decays(name):
                update = update + DECAY * weights[name]
            weights[name] = weights[name] - rate * update
    for name, ours in trained(Flavour.GOOGLE_2018).items():
        np.testing.assert_allclose(ours.numpy(), weights[name], rtol=1e-5, atol=1e-6)


def test_the_flavours_differ():
    corrected, google = trained(Flavour.CORRECTED), trained(Flavour.GOOGLE_2018)
    assert all(not torch.allclose(corrected[name], google[name], atol=1e-4) for name in corrected)


@pytest.mark.parametrize("limit", [0.5, 1e3, 0.0])
def test_clipping_scales_the_whole_gradient_to_the_limit(limit):
    net = Net()
    optimizer = AdamW(net, Flavour.CORRECTED, DECAY)
    gradients = gradients_of(0, net)
    for name, gradient in gradients.items():
        net.get_parameter(name).grad.add_(gradient)
    norm = math.sqrt(sum(float(g.double().square().sum()) for g in gradients.values()))
    assert optimizer.rows.clip(limit) == pytest.approx(norm)
    scale = limit / norm if 0 < limit < norm else 1.0
    for name, gradient in gradients.items():
        torch.testing.assert_close(net.get_parameter(name).grad, gradient * scale)


def test_the_state_of_the_optimizer_goes_out_and_comes_back():
    net = Net()
    optimizer = AdamW(net, Flavour.CORRECTED, DECAY)
    for flat in optimizer.rows.flats:
        flat.grad.fill_(0.5)
    optimizer.step(1e-2)
    saved = {name: tensor.clone() for name, tensor in state_of(optimizer).items()}
    optimizer.step(1e-2)
    last = {name: tensor.clone() for name, tensor in state_of(optimizer).items()}
    assert float(last["step.0"]) == 2.0
    restore(optimizer, saved)
    optimizer.step(1e-2)
    assert all(torch.equal(tensor, last[name]) for name, tensor in state_of(optimizer).items())
    assert torch.equal(net.table.detach().flatten(), optimizer.rows.flats[0].detach()[:21])


def test_the_linear_schedule_rises_to_the_peak_and_falls_to_the_last_step():
    rates = [Schedule(2.0, 10, 0.4, Decay.LINEAR).rate(step) for step in range(10)]
    assert rates == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.0, 10 / 6, 8 / 6, 1.0, 4 / 6, 2 / 6])


def test_the_google_schedule_starts_at_0_and_jumps_behind_the_warm_up():
    rates = [Schedule(2.0, 10, 0.4, Decay.GOOGLE_2018).rate(step) for step in range(10)]
    assert rates == pytest.approx([0.0, 0.5, 1.0, 1.5, 1.2, 1.0, 0.8, 0.6, 0.4, 0.2])


@pytest.mark.parametrize("decay", Decay)
@pytest.mark.parametrize("warmup", [0.0, 1.0])
def test_schedules_without_a_rise_or_without_a_fall_have_a_rate_everywhere(decay, warmup):
    rates = [Schedule(1.0, 7, warmup, decay).rate(step) for step in range(7)]
    assert all(0.0 <= rate <= 1.0 for rate in rates)
    assert max(rates) > 0.8
