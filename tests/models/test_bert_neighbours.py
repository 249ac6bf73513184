"""Heads that start by leaning towards near tokens."""

import pytest
import torch
from torch.nn import functional

from bertsmith.config.presets import preset
from bertsmith.models.bert.encoder import Bert
from bertsmith.models.bert.initialize import initialize, look_at_neighbours

SD = 0.07


@pytest.fixture(scope="module")
def bert():
    bert = Bert(preset("tiny", vocab_size=100).replace(num_attention_heads=4))
    initialize(bert, SD, seed=0)
    look_at_neighbours(bert, SD, seed=0)
    return bert


def weights_of(bert, head, length=64):
    """Attention of a head over pieces that are random and all different."""
    generator = torch.Generator().manual_seed(1)
    positions = bert.embeddings.positions.detach()[:length]
    x = functional.layer_norm(positions + SD * torch.randn(positions.shape, generator=generator), (128,))
    queries, keys, _ = bert.layers[0].attention.qkv.weight.detach().view(3, 4, 32, 128)[:, head]
    return ((x @ queries.T) @ (x @ keys.T).T / 32**0.5).softmax(-1)


@pytest.mark.parametrize(("head", "offset"), [(0, -1), (1, 1), (2, -2)])
def test_a_head_gives_its_place_more_than_the_place_on_the_other_side(bert, head, offset):
    weights = weights_of(bert, head)
    rows = range(5, 55)
    towards = sum(float(weights[row, row + offset]) for row in rows)
    away = sum(float(weights[row, row - offset]) for row in rows)
    assert towards > 1.5 * away
    assert towards / len(rows) > 6 / 64


def test_a_quarter_of_the_heads_looks_everywhere(bert):
    far = [float(weights_of(bert, head)[32, [*range(24), *range(41, 64)]].sum()) for head in range(4)]
    assert far[3] > 0.6  # of 64 places, 47 are more than eight tokens away
    assert far[3] > max(far[:3])


def test_the_first_weights_are_a_pure_function_of_the_seed(bert):
    again = Bert(bert.config)
    initialize(again, SD, seed=0)
    look_at_neighbours(again, SD, seed=0)
    other = Bert(bert.config)
    initialize(other, SD, seed=1)
    look_at_neighbours(other, SD, seed=1)
    ours, same, different = (network.layers[1].attention.qkv.weight for network in (bert, again, other))
    assert torch.equal(ours, same)
    assert not torch.equal(ours, different)


def test_values_and_other_weights_stay_as_drawn(bert):
    plain = Bert(bert.config)
    initialize(plain, SD, seed=0)
    assert torch.equal(plain.layers[0].attention.qkv.weight[256:], bert.layers[0].attention.qkv.weight[256:])
    assert torch.equal(plain.embeddings.pieces, bert.embeddings.pieces)


def test_an_odd_width_is_served():
    bert = Bert(preset("tiny", vocab_size=50).replace(hidden_size=15, num_attention_heads=3))
    initialize(bert, SD, seed=0)
    look_at_neighbours(bert, SD, seed=0)
    assert all(torch.isfinite(parameter).all() for parameter in bert.parameters())
