"""Dropout: its rate, its scale, its seed."""

import math

import pytest
import torch
from bert_helpers import CONFIG, masked_batch, network

from bertsmith.models.bert.attention import attend
from bertsmith.models.bert.dropout import Dropout, draw_kept
from bertsmith.models.bert.pack import Pack


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_of_dropped_elements_is_p(p):
    torch.manual_seed(1)
    kept = draw_kept(torch.Size((501, 403)), p, torch.zeros(1))  # not a multiple of the four in a word
    sigma = math.sqrt(p * (1 - p) / kept.numel())
    assert abs(float((kept == 0).double().mean()) - p) < 4 * sigma + 1 / 65_536


def test_kept_elements_are_scaled_so_that_the_mean_stays():
    torch.manual_seed(2)
    dropout = Dropout(0.25)
    dropped = dropout(torch.ones(200, 300))
    values = dropped.unique().tolist()
    assert values[0] == 0.0
    assert values[1:] == pytest.approx([1 / 0.75])


def test_without_a_rate_or_without_training_the_very_tensor_comes_back():
    x = torch.ones(3, 4)
    assert Dropout(0.0)(x) is x
    assert Dropout(0.5).eval()(x) is x


def test_neighbouring_elements_are_dropped_independently():
    torch.manual_seed(3)
    kept = draw_kept(torch.Size((400_000,)), 0.5, torch.zeros(1)).bool().double()
    for apart in (1, 2, 4):
        both = float((kept[:-apart] * kept[apart:]).mean())
        assert abs(both - 0.25) < 4 * math.sqrt(0.25 * 0.75 / len(kept)) * 1.5


def loss_under(seed):
    config = CONFIG.replace(hidden_dropout_prob=0.2, attention_probs_dropout_prob=0.3)
    model = network(config).train()
    torch.manual_seed(seed)
    loss = model(Pack.of(masked_batch()), 1 / 12, 1.0)
    loss.masked_lm.value.backward()
    return float(loss.masked_lm.value.detach()), model.bert.layers[0].attention.qkv.weight.grad


def test_a_step_with_dropout_depends_on_the_seed_of_torch_alone():
    (first, first_gradient), (again, again_gradient), (other, _) = loss_under(5), loss_under(5), loss_under(6)
    assert first == again
    assert torch.equal(first_gradient, again_gradient)
    assert first != other


def test_the_gradient_of_attention_with_dropout_is_that_of_its_finite_differences():
    plan = Pack.of(masked_batch((3, 5, 5), masked=2))
    qkv_T3D = torch.randn(13, 3 * 4, dtype=torch.float64, requires_grad=True)

    def dropped(qkv):
        torch.manual_seed(7)
        return attend(qkv, plan, 2, 0.4)

    assert torch.autograd.gradcheck(dropped, (qkv_T3D,))
