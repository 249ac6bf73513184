"""What a BERT is: every size and rate of the network, documented once, checked as a whole."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from bertsmith.config.fields import REQUIRED, build, check, documented
from bertsmith.errors import ConfigError

ACTIVATIONS = ("gelu_erf", "gelu_tanh", "relu", "silu")


@dataclass(frozen=True, kw_only=True)
class BertConfig:
    """The shape of a BERT (Devlin et al. 2019, section 3). Frozen; wrong values raise a `ConfigError` with all faults at once."""

    vocab_size: int = documented(
        REQUIRED, "number of pieces in the vocabulary", "词表中词片的数量", low=8, high=2**31 - 1, unit="pieces"
    )
    hidden_size: int = documented(
        768, "width of every token's vector", "每个词元向量的宽度", low=1, unit="numbers", source="Devlin 2019, section 3 (H)"
    )
    num_hidden_layers: int = documented(
        12, "number of encoder layers", "编码器的层数", low=1, unit="layers", source="Devlin 2019, section 3 (L)"
    )
    num_attention_heads: int = documented(
        12,
        "attention heads of a layer; must divide hidden_size",
        "每层注意力头数，须整除 hidden_size",
        low=1,
        unit="heads",
        source="Devlin 2019, section 3 (A)",
    )
    intermediate_size: int = documented(
        3072,
        "width inside the feed-forward part of a layer",
        "前馈部分的内部宽度",
        low=1,
        unit="numbers",
        source="4·H in the paper",
    )
    hidden_act: str = documented(
        "gelu_erf",
        "activation of the feed-forward part; Google's later code and Keras use the tanh form",
        "前馈部分的激活函数；谷歌后期代码与 Keras 用 tanh 形式",
        choices=ACTIVATIONS,
        source="Hendrycks and Gimpel 2016",
    )
    hidden_dropout_prob: float = documented(
        0.1,
        "share of activations dropped after embeddings and in front of each residual sum",
        "嵌入之后与每次残差相加之前随机丢弃的比例",
        low=0.0,
        high=0.99,
        source="Devlin 2019, appendix A.2",
    )
    attention_probs_dropout_prob: float = documented(
        0.1,
        "share of attention weights dropped",
        "随机丢弃的注意力权重比例",
        low=0.0,
        high=0.99,
        source="Devlin 2019, appendix A.2",
    )
    max_position_embeddings: int = documented(
        512, "longest sequence that the position table can hold", "位置表能容纳的最长序列", low=4, unit="tokens"
    )
    type_vocab_size: int = documented(
        2, "number of segment kinds", "句段种类数", low=1, unit="segments", source="Devlin 2019, section 3"
    )
    initializer_range: float = documented(
        0.02,
        "standard deviation of the truncated normal that weights start from",
        "权重初始截断正态分布的标准差",
        above=0.0,
        high=10.0,
        source="google-research/bert, modeling.py",
    )
    layer_norm_eps: float = documented(
        1e-12,
        "added to the variance in layer normalisation",
        "层归一化中加到方差上的数",
        low=0.0,
        high=1.0,
        source="google-research/bert",
    )
    pad_token_id: int = documented(0, "id of [PAD]", "[PAD] 的编号", low=0)
    classifier_dropout: float | None = documented(
        None,
        "dropout in front of a classification head; empty: hidden_dropout_prob",
        "分类头之前的丢弃比例；空则取 hidden_dropout_prob",
        low=0.0,
        high=0.99,
    )

    def __post_init__(self) -> None:
        check(self, self._head_fault(), self._padding_fault())

    def _head_fault(self) -> ConfigError | None:
        size, heads = self.hidden_size, self.num_attention_heads
        if not (isinstance(size, int) and isinstance(heads, int)) or min(size, heads) < 1 or size % heads == 0:
            return None
        below = size // heads * heads
        return ConfigError(
            "head-width",
            "hidden_size {size} is not a multiple of num_attention_heads {heads}",
            do="use {below} or {above} for hidden_size, or another number of heads",
            size=size,
            heads=heads,
            below=below or heads,
            above=below + heads,
        )

    def _padding_fault(self) -> ConfigError | None:
        if not (isinstance(self.pad_token_id, int) and isinstance(self.vocab_size, int)) or self.pad_token_id < self.vocab_size:
            return None
        return ConfigError(
            "padding-outside",
            "pad_token_id {pad} lies outside the vocabulary of {size}",
            do="give an id below {size}",
            pad=self.pad_token_id,
            size=self.vocab_size,
        )

    @property
    def head_width(self) -> int:
        """Width of one attention head: hidden_size / num_attention_heads."""
        return self.hidden_size // self.num_attention_heads

    def replace(self, **changes: Any) -> "BertConfig":
        """A copy with some fields changed, checked anew."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """The fields as a plain mapping, in their order."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any], *, where: object = None) -> "BertConfig":
        """A config from a mapping of our own field names.

        Raises:
            ConfigError: unknown keys, missing or wrong values; all at once.
        """
        return build(cls, values, where=where)
