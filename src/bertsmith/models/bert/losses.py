"""The losses. The masked LM's runs over logits of the masked rows alone, in a buffer that turns from logits into their gradient.

M masked rows, D width, V vocabulary, B sequences, C classes.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

_COLUMNS = (
    1024  # pieces of a product: (M, D)·(D, 1024) keeps its operands in cache; the whole table at once takes 1.6 times as long
)


class Loss(NamedTuple):
    """A weighted sum of negative log-likelihoods in nats, and how many answers were right."""

    value: Tensor
    correct: Tensor


def masked_lm_loss(hidden_MD: Tensor, table_VD: Tensor, bias_V: Tensor, labels_M: Tensor, weight: float) -> Loss:
    """Weight · Σ -log p(label), with logits hidden·tableᵀ + bias (Devlin et al. 2019, section 3.1).

    Args:
        hidden_MD: transformed vectors of the masked rows.
        table_VD: the piece table, tied.
        bias_V: a bias for each piece.
        labels_M: the hidden pieces.
        weight: 1 / number of masked tokens of the whole step, so that accumulation weighs tokens, not micro-batches.
    """
    return Loss(*_tied_cross_entropy(hidden_MD, table_VD, bias_V, labels_M, weight))


def class_loss(logits_BC: Tensor, targets_B: Tensor, weight: float) -> Loss:
    """Weight · Σ -log p(target) over sequences, in fp32."""
    logits_BC = logits_BC.float()
    value = functional.cross_entropy(logits_BC, targets_B, reduction="sum") * weight
    return Loss(value, (logits_BC.argmax(-1) == targets_B).sum())


def tied_logits(hidden_MD: Tensor, table_VD: Tensor, bias_V: Tensor) -> Tensor:
    """hidden·tableᵀ + bias in fp32: (M, V)."""
    if hidden_MD.dtype != torch.float32 or hidden_MD.is_cuda:
        return functional.linear(hidden_MD, table_VD.to(hidden_MD.dtype)).float() + bias_V
    logits_MV = torch.empty(len(hidden_MD), len(table_VD), device=hidden_MD.device)
    for first in range(0, len(table_VD), _COLUMNS):
        columns = slice(first, first + _COLUMNS)
        torch.addmm(bias_V[columns], hidden_MD, table_VD[columns].T, out=logits_MV[:, columns])
    return logits_MV


class _TiedCrossEntropy(torch.autograd.Function):
    """Cross-entropy through a tied table; the logits' buffer becomes log-probabilities, then their gradient."""

    @staticmethod
    def forward(
        ctx: Any, hidden_MD: Tensor, table_VD: Tensor, bias_V: Tensor, labels_M: Tensor, weight: float
    ) -> tuple[Tensor, Tensor]:
        with torch.autocast(hidden_MD.device.type, enabled=False):
            logits_MV = tied_logits(hidden_MD, table_VD, bias_V)
            log_p_MV = torch.log_softmax(logits_MV, 1, out=logits_MV)
        label_M = log_p_MV.gather(1, labels_M[:, None])[:, 0]
        correct = (label_M >= log_p_MV.amax(1)).sum()
        ctx.save_for_backward(hidden_MD, log_p_MV, labels_M)
        ctx.table, ctx.weight = table_VD, weight
        ctx.mark_non_differentiable(correct)
        return -label_M.sum() * weight, correct

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor | None, Tensor, None, None]:
        hidden_MD, log_p_MV, labels_M = ctx.saved_tensors
        table_VD: Tensor = ctx.table
        scale = gradients[0] * ctx.weight
        d_logits_MV = log_p_MV.exp_()  # the buffer is ours alone: nothing reads the log-probabilities again
        d_logits_MV[torch.arange(len(labels_M), device=labels_M.device), labels_M] -= 1
        products = d_logits_MV.to(hidden_MD.dtype)
        d_hidden_MD = (products @ table_VD.to(hidden_MD.dtype)) * scale
        d_bias_V = torch.mv(d_logits_MV.T, scale.expand(len(labels_M)).contiguous())
        scaled_MD = hidden_MD * scale
        if table_VD.is_leaf and table_VD.grad is not None and hidden_MD.dtype == table_VD.grad.dtype:
            table_VD.grad.addmm_(products.T, scaled_MD)  # straight into the gradient: it is as large as the table
            return d_hidden_MD, None, d_bias_V, None, None
        return d_hidden_MD, (products.T @ scaled_MD).to(table_VD.dtype), d_bias_V, None, None


_tied_cross_entropy: Callable[[Tensor, Tensor, Tensor, Tensor, float], tuple[Tensor, Tensor]] = _TiedCrossEntropy.apply
