"""Token, position and segment vectors, summed and normalised (Devlin et al. 2019, section 3, figure 2)."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from bertsmith.config.bert import BertConfig
from bertsmith.models.bert.dropout import Dropout
from bertsmith.models.bert.pack import Pack


class Embeddings(nn.Module):
    """The three tables and the norm behind their sum."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.pieces = nn.Parameter(torch.empty(config.vocab_size, config.hidden_size))
        self.positions = nn.Parameter(torch.empty(config.max_position_embeddings, config.hidden_size))
        self.segments = nn.Parameter(torch.empty(config.type_vocab_size, config.hidden_size))
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(self, pack: Pack) -> Tensor:
        """The vectors that enter the first layer: (T, D)."""
        pieces_TD = look_up(self.pieces, pack.ids_T)
        positions_TD = look_up(self.positions, pack.positions_T)
        segments_TD = look_up(self.segments, pack.segments_T)
        x_TD: Tensor = self.dropout(self.norm(pieces_TD + positions_TD + segments_TD))
        return x_TD


def look_up(table_VD: Tensor, ids_T: Tensor) -> Tensor:
    """The rows of a table. The gradient is added to the touched rows alone, where the table's gradient lies ready."""
    return _look_up(table_VD, ids_T)


class _LookUp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table_VD: Tensor, ids_T: Tensor) -> Tensor:
        ctx.table, ctx.ids = table_VD, ids_T
        return table_VD.index_select(0, ids_T)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, None]:
        table_VD: Tensor = ctx.table
        if table_VD.is_leaf and table_VD.grad is not None:
            # a dense gradient of the whole table costs four passes over memory for a few hundred rows
            table_VD.grad.index_add_(0, ctx.ids, gradients[0].to(table_VD.dtype))
            return None, None
        return torch.zeros_like(table_VD).index_add_(0, ctx.ids, gradients[0].to(table_VD.dtype)), None


_look_up: Callable[[Tensor, Tensor], Tensor] = _LookUp.apply
