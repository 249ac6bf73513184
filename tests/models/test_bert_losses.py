"""The fused losses against torch's own."""

import pytest
import torch
from bert_helpers import assert_close, masked_batch, network
from torch.nn import functional

from bertsmith.models.bert.losses import class_loss, masked_lm_loss, tied_logits
from bertsmith.models.bert.pack import Pack

SIZES = [7, 1024, 2500]  # below, at and over the columns of one product


def operands(vocabulary, scale=1.0, rows=9, width=6):
    generator = torch.Generator().manual_seed(vocabulary)
    hidden_MD = scale * torch.randn(rows, width, generator=generator)
    table_VD = torch.randn(vocabulary, width, generator=generator)
    bias_V = torch.randn(vocabulary, generator=generator)
    labels_M = torch.randint(0, vocabulary, (rows,), generator=generator)
    return [x.requires_grad_() for x in (hidden_MD, table_VD, bias_V)], labels_M


@pytest.mark.parametrize("vocabulary", SIZES)
@pytest.mark.parametrize("gradient_lies_ready", [False, True])
def test_the_masked_lm_loss_and_its_gradients_are_those_of_cross_entropy(vocabulary, gradient_lies_ready):
    leaves, labels_M = operands(vocabulary)
    logits_MV = functional.linear(leaves[0], leaves[1], leaves[2])
    expected = functional.cross_entropy(logits_MV, labels_M, reduction="sum") / 4
    wanted = torch.autograd.grad(3 * expected, leaves)
    if gradient_lies_ready:
        leaves[1].grad = torch.ones_like(leaves[1])
    loss = masked_lm_loss(*leaves, labels_M, 1 / 4)
    (3 * loss.value).backward()
    assert_close(loss.value.detach(), expected.detach(), 1e-6)
    assert int(loss.correct) == int((logits_MV.argmax(1) == labels_M).sum())
    leaves[1].grad -= float(gradient_lies_ready)
    for leaf, gradient in zip(leaves, wanted, strict=True):
        assert_close(leaf.grad, gradient)


def test_extreme_logits_give_finite_losses_and_gradients():
    leaves, labels_M = operands(1500, scale=1e4)
    loss = masked_lm_loss(*leaves, labels_M, 1.0)
    loss.value.backward()
    assert torch.isfinite(loss.value)
    assert float(loss.value.detach()) > 1e4
    assert all(torch.isfinite(leaf.grad).all() for leaf in leaves)


def test_tied_logits_are_one_product_with_a_bias():
    (hidden_MD, table_VD, bias_V), _ = operands(2500)
    with torch.no_grad():
        assert_close(tied_logits(hidden_MD, table_VD, bias_V), hidden_MD @ table_VD.T + bias_V)


def test_the_class_loss_is_a_weighted_sum_and_counts_what_is_right():
    logits_BC = torch.tensor([[2.0, 0.0, -1.0], [0.0, 3.0, 0.0], [1.0, 0.0, 0.0]])
    targets_B = torch.tensor([0, 1, 2])
    loss = class_loss(logits_BC, targets_B, 1 / 5)
    assert float(loss.value) == pytest.approx(float(-torch.log_softmax(logits_BC, 1)[range(3), targets_B].sum() / 5))
    assert int(loss.correct) == 2


def test_bf16_products_give_the_loss_within_two_percent_and_finite_gradients():
    plan = Pack.of(masked_batch())
    values = []
    for enabled in (False, True):
        model = network()
        for parameter in model.parameters():
            parameter.grad = torch.zeros_like(parameter)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            loss = model(plan, 1 / 12, 1 / 7)
        total = loss.masked_lm.value + loss.next_sentence.value
        total.backward()
        assert total.dtype == torch.float32
        assert all(torch.isfinite(p.grad).all() and p.grad.dtype == torch.float32 for p in model.parameters())
        values.append(float(total))
    assert values[1] == pytest.approx(values[0], rel=0.02)
    assert values[1] != values[0]
