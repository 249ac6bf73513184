"""LAMB and Muon over flat rows against their formulas, matrix by matrix, and the states of every rule."""

import math
import signal

import numpy as np
import pytest
import torch
from test_exact_resume import results_of
from tiny_pretraining import make_config, make_settings, make_store
from torch import nn

from bertsmith.config.bert import BertConfig
from bertsmith.errors import Interrupted
from bertsmith.jobs.pretrain import pretrain
from bertsmith.models.bert.encoder import Bert
from bertsmith.models.bert.initialize import initialize
from bertsmith.models.bert.load import decays
from bertsmith.training import loop
from bertsmith.training.lamb import Lamb
from bertsmith.training.muon import Muon, orthogonal
from bertsmith.training.optimizer import restore, state_of
from bertsmith.training.pretraining.recipe import rule_of
from bertsmith.training.rules import Rule, optimizer_of

DECAY = 0.1
RATES = (0.0, 3e-3, 1e-2, 5e-3, 1e-3)


def make_net(seed=0):
    """A BERT of two layers whose matrices have four shapes, in double precision so that formulas are compared and not rounding."""
    config = BertConfig(vocab_size=11, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12)
    net = Bert(config).double()
    initialize(net, 0.2, seed)
    return net


def gradient_of(step, name, shape):
    random = np.random.default_rng([step, *name.encode()])
    return random.standard_normal(shape)


def trained(optimizer, net, first=0, last=5):
    for step in range(first, last):
        optimizer.rows.zero()
        for name, parameter in net.named_parameters():
            parameter.grad.add_(torch.from_numpy(gradient_of(step, name, tuple(parameter.shape))))
        optimizer.step(RATES[step])
    return {name: parameter.detach().numpy().copy() for name, parameter in net.named_parameters()}


def parts_of(name, array):
    """The tensors of the paper's network in one of ours: queries, keys and values apart."""
    return np.split(array, 3) if "qkv.weight" in name else [array]


def lamb_in_numpy(weights):
    """You et al. 2020, algorithm 2, on one tensor after another."""
    for name, whole in weights.items():
        for number, x in enumerate(parts_of(name, whole)):
            m = v = np.zeros_like(x)
            for t, rate in enumerate(RATES, 1):
                g = parts_of(name, gradient_of(t - 1, name, whole.shape))[number]
                m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
                r = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-6)
                if decays(name):
                    r = r + DECAY * x
                    size = np.linalg.norm(x)
                    r = r * (size / np.linalg.norm(r) if size > 0 else 1.0)
                x -= rate * r


def test_lamb_is_the_algorithm_of_its_paper():
    net = make_net()
    weights = {name: p.detach().numpy().copy() for name, p in net.named_parameters()}
    lamb_in_numpy(weights)
    for name, ours in trained(Lamb(net, DECAY), net).items():
        np.testing.assert_allclose(ours, weights[name], rtol=1e-9, atol=1e-12, err_msg=name)


def test_lamb_leaves_a_tensor_of_zeros_to_plain_adam():
    net = make_net()
    with torch.no_grad():
        net.embeddings.segments.zero_()
    optimizer = Lamb(net, DECAY)
    optimizer.rows.zero()
    net.embeddings.segments.grad.fill_(2.0)
    optimizer.step(0.01)
    np.testing.assert_allclose(net.embeddings.segments.detach(), -0.01, rtol=1e-5)


def muon_in_numpy(weights):
    """Jordan et al. 2024 with the sizes of Liu et al. 2025 on the layers' matrices; AdamW on everything else."""
    for name, whole in weights.items():
        is_muons = name.startswith("layers.") and decays(name)
        for number, x in enumerate(parts_of(name, whole)):
            m = v = np.zeros_like(x)
            for t, rate in enumerate(RATES, 1):
                g = parts_of(name, gradient_of(t - 1, name, whole.shape))[number]
                x *= 1 - rate * (DECAY if decays(name) else 0.0)
                if is_muons:
                    m = 0.95 * m + 0.05 * g
                    x -= rate * 0.2 * math.sqrt(max(x.shape)) * newton_schulz(0.05 * g + 0.95 * m)
                else:
                    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
                    x -= rate * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)


def newton_schulz(g):
    x = g / np.linalg.norm(g)
    if x.shape[0] > x.shape[1]:
        return newton_schulz(g.T).T
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x


def test_muon_is_orthogonal_momentum_for_the_layers_and_adamw_for_the_rest():
    net = make_net()
    weights = {name: p.detach().numpy().copy() for name, p in net.named_parameters()}
    muon_in_numpy(weights)
    for name, ours in trained(Muon(net, DECAY), net).items():
        np.testing.assert_allclose(ours, weights[name], rtol=1e-8, atol=1e-10, err_msg=name)


def test_muon_agrees_with_torch_on_a_matrix_but_for_its_bf16():
    weight = nn.Parameter(torch.randn(12, 8, generator=torch.Generator().manual_seed(0)))
    before = weight.detach().clone()
    theirs = torch.optim.Muon([weight], lr=0.1, weight_decay=0.0, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    weight.grad = torch.randn(12, 8, generator=torch.Generator().manual_seed(1))
    theirs.step()
    looked_ahead = weight.grad * (0.05 + 0.95 * 0.05)  # the first step of a momentum that starts at 0
    ours = before - 0.1 * 0.2 * math.sqrt(12) * orthogonal(looked_ahead[None])[0]
    torch.testing.assert_close(weight.detach() - before, ours - before, rtol=0.05, atol=2e-3)


@pytest.mark.parametrize("shape", [(3, 6, 6), (2, 5, 9), (2, 9, 5)])
def test_orthogonal_matrices_have_singular_values_near_1(shape):
    random = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(random))
    assert float(values.min()) > 0.3  # five steps lift what is small to 0.7 where it was not smaller than 1/100 of the largest
    assert float(values.max()) < 1.25


@pytest.mark.parametrize("rule", Rule)
def test_the_state_of_every_rule_goes_out_and_comes_back(rule):
    net = make_net()
    optimizer = optimizer_of(rule, net, DECAY)
    trained(optimizer, net, 0, 2)
    saved = {name: tensor.clone() for name, tensor in state_of(optimizer).items()}
    once = trained(optimizer, net, 2)
    restore(optimizer, saved)
    again = trained(optimizer, net, 2)
    assert all(np.array_equal(once[name], again[name]) for name in once)


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_counts_each_parameter_once(rule):
    net = make_net()
    expected = {name: list(parameter.shape) for name, parameter in net.named_parameters()}
    found = [item for group in optimizer_of(rule, net, DECAY).rows.layout for item in group.items()]
    assert len(found) == len(expected)
    assert dict(found) == expected


@pytest.mark.parametrize("optimizer", ["adamw", "lamb", "muon"])
def test_a_run_with_any_optimizer_goes_on_with_the_same_bits(tmp_path, monkeypatch, optimizer):
    make_store(tmp_path)
    make_config(tmp_path)
    changes = {"steps": 8, "optimizer": optimizer, "recipe": "lean", "save_every": 100}
    pretrain(make_settings(tmp_path, tmp_path / "whole", **changes), given={})
    original, calls = loop._update, []

    def stopping(*arguments):
        calls.append(1)
        if len(calls) == 4:
            signal.raise_signal(signal.SIGINT)
        return original(*arguments)

    monkeypatch.setattr(loop, "_update", stopping)
    with pytest.raises(Interrupted):
        pretrain(make_settings(tmp_path, tmp_path / "stopped", **changes), given={})
    monkeypatch.undo()
    pretrain(make_settings(tmp_path, tmp_path / "stopped", **changes), given={})
    assert results_of(tmp_path / "stopped") == results_of(tmp_path / "whole")


@pytest.mark.parametrize(
    ("recipe", "optimizer", "rule"),
    [
        ("lean", "adamw", Rule.ADAMW),
        ("google-2018", "adamw", Rule.ADAMW_GOOGLE_2018),
        ("google-2018", "lamb", Rule.LAMB),
        ("lean", "muon", Rule.MUON),
    ],
)
def test_the_rule_follows_from_recipe_and_optimizer(tmp_path, recipe, optimizer, rule):
    assert rule_of(make_settings(tmp_path, tmp_path / "run", recipe=recipe, optimizer=optimizer)) is rule
