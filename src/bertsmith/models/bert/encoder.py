"""The encoder: how BERT works, from ids to one vector a token (Devlin et al. 2019, section 3; Vaswani et al. 2017, figure 1).

T packed tokens, R rows of them, B sequences, D width, F feed-forward width.
"""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from bertsmith.config.bert import BertConfig
from bertsmith.models.bert.attention import SelfAttention
from bertsmith.models.bert.dropout import Dropout
from bertsmith.models.bert.embeddings import Embeddings
from bertsmith.models.bert.pack import Pack

ACTIVATE: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu_erf": functional.gelu,
    "gelu_tanh": partial(functional.gelu, approximate="tanh"),
    "relu": functional.relu,
    "silu": functional.silu,
}


class Layer(nn.Module):
    """Attention and feed-forward, each with a residual sum and a norm behind it (post-norm, as in the paper)."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.attention = SelfAttention(config)
        self.attention_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.intermediate = nn.Linear(config.hidden_size, config.intermediate_size)
        self.output = nn.Linear(config.intermediate_size, config.hidden_size)
        self.output_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout_prob)
        self.activate = ACTIVATE[config.hidden_act]

    def forward(self, x_TD: Tensor, pack: Pack, rows_R: Tensor | None = None) -> Tensor:
        """One layer: (T, D) → (T, D), or (R, D) where some rows alone are asked for."""
        mixed_TD = self.attention(x_TD, pack, rows_R)
        return self.feed_forward(x_TD if rows_R is None else x_TD.index_select(0, rows_R), mixed_TD)

    def feed_forward(self, x_TD: Tensor, mixed_TD: Tensor) -> Tensor:
        """What is done to each token alone, once attention has mixed them: (T, D) → (T, D)."""
        x_TD = self.attention_norm(x_TD + self.dropout(mixed_TD))
        inner_TF = self.activate(self.intermediate(x_TD))
        output_TD: Tensor = self.output_norm(x_TD + self.dropout(self.output(inner_TF)))
        return output_TD


def keep(layer: nn.Module, x_TD: Tensor, pack: Pack, rows_R: Tensor | None) -> Tensor:
    """Go through a layer and keep what its backward pass needs."""
    output_TD: Tensor = layer(x_TD, pack, rows_R)
    return output_TD


def recompute(layer: nn.Module, x_TD: Tensor, pack: Pack, rows_R: Tensor | None) -> Tensor:
    """Go through a layer and keep its input alone; the backward pass computes it again, with the same dropout (Chen et al. 2016)."""
    output_TD: Tensor = checkpoint(layer, x_TD, pack, rows_R, use_reentrant=False)
    return output_TD


class Bert(nn.Module):
    """Embeddings, layers and the pooler over each first token."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.pooler = nn.Linear(config.hidden_size, config.hidden_size)
        self.go_through: Callable[[nn.Module, Tensor, Pack, Tensor | None], Tensor] = keep

    def forward(self, pack: Pack, rows_R: Tensor | None = None) -> Tensor:
        """The last layer's vector of every token, or of some rows alone: (T, D) or (R, D).

        Every token takes part in the last attention; what follows it is done to each token alone, and only where somebody reads the result.
        """
        x_TD: Tensor = self.embeddings(pack)
        *below, last = self.layers
        for layer in below:
            x_TD = self.go_through(layer, x_TD, pack, None)
        return self.go_through(last, x_TD, pack, rows_R)

    def pool(self, first_BD: Tensor) -> Tensor:
        """Tanh of a dense layer over each sequence's first token: (B, D)."""
        pooled_BD: Tensor = self.pooler(first_BD)
        return pooled_BD.tanh()
