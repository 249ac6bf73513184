"""Self-attention over a pack: every sequence attends to itself alone (Vaswani et al. 2017, section 3.2).

T packed tokens, R rows of them, D width, N heads, H head width; inside a group of n sequences of padded length S. For short sequences two plain
batched products and a softmax beat the fused kernels of a processor, so the products are written out, forward and backward. On a GPU
flash attention takes the whole pack where it can.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from bertsmith.config.bert import BertConfig
from bertsmith.models.bert.dropout import draw_kept
from bertsmith.models.bert.pack import Group, Pack


class SelfAttention(nn.Module):
    """Queries, keys and values by one fused product, attention inside each sequence, and the output projection."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.heads = config.num_attention_heads
        self.p = config.attention_probs_dropout_prob
        self.qkv = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.output = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, x_TD: Tensor, pack: Pack, rows_R: Tensor | None = None) -> Tensor:
        """Mix the tokens of each sequence: (T, D) → (T, D), or (R, D) where some rows alone are asked for."""
        mixed_TD = attend(self.qkv(x_TD), pack, self.heads, self.p if self.training else 0.0)
        output_TD: Tensor = self.output(mixed_TD if rows_R is None else mixed_TD.index_select(0, rows_R))
        return output_TD


def attend(qkv_T3D: Tensor, pack: Pack, heads: int, p: float) -> Tensor:
    """softmax(Q·Kᵀ/√H)·V inside every sequence of the pack.

    Args:
        qkv_T3D: queries, keys and values of every token, beside one another.
        pack: the plan of the groups.
        heads: number of heads, N.
        p: share of attention weights to drop.

    Returns:
        (T, D), heads beside one another.
    """
    if _fits_kernel(qkv_T3D, heads, p):
        return attend_in_one_kernel(qkv_T3D, pack, heads)
    return _attend(qkv_T3D, pack.groups, heads, p)


def attend_in_one_kernel(qkv_T3D: Tensor, pack: Pack, heads: int) -> Tensor:
    """The same through a GPU's flash attention over sequences of unequal length, one call for the whole pack."""
    from torch.nn.attention import varlen  # its kernels are there on CUDA alone

    q_TNH, k_TNH, v_TNH = qkv_T3D.view(len(qkv_T3D), 3, heads, -1).unbind(1)
    bounds, longest = pack.bounds, pack.longest
    mixed_TNH = varlen.varlen_attn(q_TNH, k_TNH, v_TNH, bounds, bounds, longest, longest)
    assert isinstance(mixed_TNH, Tensor)  # alone, as nothing beside it is asked for
    return mixed_TNH.reshape(len(qkv_T3D), -1)


def _fits_kernel(qkv_T3D: Tensor, heads: int, p: float) -> bool:
    """Whether the kernel takes it: 16-bit numbers on a GPU of the Ampere kind or later, no dropout, heads of up to 256 in steps of 8."""
    if not qkv_T3D.is_cuda or p or qkv_T3D.dtype not in (torch.bfloat16, torch.float16):
        return False
    width = qkv_T3D.shape[1] // 3 // heads
    return width <= 256 and width % 8 == 0 and torch.cuda.get_device_capability(qkv_T3D.device) >= (8, 0)


class _Attend(torch.autograd.Function):
    """Attention with its gradient written out: only the attention weights are kept, and nothing is padded but a group."""

    @staticmethod
    def forward(ctx: Any, qkv_T3D: Tensor, groups: tuple[Group, ...], heads: int, p: float) -> Tensor:
        width = qkv_T3D.shape[1] // 3
        mixed_TD = qkv_T3D.new_empty(qkv_T3D.shape[0], width)
        saved: list[Tensor] = []
        with torch.autocast(qkv_T3D.device.type, enabled=False):
            for group in groups:
                q_nNSH, k_nNSH, v_nNSH = _split(qkv_T3D, group, heads, 3)
                scores_nNSS = torch.matmul(q_nNSH * (1 / math.sqrt(width // heads)), k_nNSH.mT)
                if group.padded_keys is not None:
                    scores_nNSS.masked_fill_(group.padded_keys, -math.inf)
                weights_nNSS = torch.softmax(scores_nNSS, -1)
                kept_nNSS = draw_kept(weights_nNSS.shape, p, weights_nNSS) if p else None
                seen_nNSS = weights_nNSS if kept_nNSS is None else weights_nNSS * kept_nNSS
                _join(torch.matmul(seen_nNSS, v_nNSH), mixed_TD, group)
                saved += [weights_nNSS] if kept_nNSS is None else [weights_nNSS, kept_nNSS]
        ctx.save_for_backward(qkv_T3D, *saved)
        ctx.groups, ctx.heads, ctx.p = groups, heads, p
        return mixed_TD

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        qkv_T3D, *saved = ctx.saved_tensors
        d_qkv_T3D = torch.empty_like(qkv_T3D)
        width = qkv_T3D.shape[1] // 3
        scale = 1 / math.sqrt(width // ctx.heads)
        for i, group in enumerate(ctx.groups):
            weights_nNSS, kept_nNSS = (saved[2 * i], saved[2 * i + 1]) if ctx.p else (saved[i], None)
            q_nNSH, k_nNSH, v_nNSH = _split(qkv_T3D, group, ctx.heads, 3)
            (d_mixed_nNSH,) = _split(gradients[0], group, ctx.heads, 1)
            if group.padded_keys is not None:
                d_mixed_nNSH.masked_fill_(group.padded_keys.transpose(2, 3), 0.0)
            d_weights_nNSS = torch.matmul(d_mixed_nNSH, v_nNSH.mT)
            if kept_nNSS is not None:
                d_weights_nNSS.mul_(kept_nNSS)
            d_scores_nNSS = torch._softmax_backward_data(d_weights_nNSS, weights_nNSS, -1, weights_nNSS.dtype)
            seen_nNSS = weights_nNSS if kept_nNSS is None else weights_nNSS * kept_nNSS
            d_q_nNSH = torch.matmul(d_scores_nNSS, k_nNSH).mul_(scale)
            d_k_nNSH = torch.matmul(d_scores_nNSS.mT, q_nNSH).mul_(scale)
            d_v_nNSH = torch.matmul(seen_nNSS.mT, d_mixed_nNSH)
            for part, gradient_nNSH in enumerate((d_q_nNSH, d_k_nNSH, d_v_nNSH)):
                _join(gradient_nNSH, d_qkv_T3D[:, part * width : (part + 1) * width], group)
        return d_qkv_T3D, None, None, None


_attend: Callable[[Tensor, tuple[Group, ...], int, float], Tensor] = _Attend.apply


def _split(x_TK: Tensor, group: Group, heads: int, parts: int) -> tuple[Tensor, ...]:
    """The rows of a group as `parts` tensors (n, N, S, H), contiguous, padded places filled with some row."""
    rows = x_TK[slice(*group.rows)] if group.index is None else x_TK.index_select(0, group.index)
    split = rows.view(group.count, group.length, parts, heads, -1).permute(2, 0, 3, 1, 4)
    return split.contiguous().unbind(0)


def _join(x_nNSH: Tensor, out_TD: Tensor, group: Group) -> None:
    """Write the real tokens of a group back to their rows, heads beside one another."""
    count, heads, length, head = x_nNSH.shape
    rows = out_TD[slice(*group.rows)]
    x_nSNH = x_nNSH.transpose(1, 2)
    if group.places is None:
        rows.view(count, length, heads, head).copy_(x_nSNH)
    else:
        rows.copy_(x_nSNH.reshape(count * length, heads * head).index_select(0, group.places))
