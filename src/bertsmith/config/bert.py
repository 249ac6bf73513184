"""What a BERT is: every size and rate of the network, documented once, checked as a whole."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from bertsmith.config.fields import REQUIRED, check, documented
from bertsmith.errors import ConfigError
from bertsmith.messages import Phrase

ACTIVATIONS = ("gelu_erf", "gelu_tanh", "relu", "silu")
# the name in transformers' table of activations → ours; `gelu` is the erf form there, whoever trained the weights
TRANSFORMERS_ACTIVATIONS = {
    "gelu": "gelu_erf",
    "gelu_python": "gelu_erf",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_accurate": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_python_tanh": "gelu_tanh",
    "swish": "silu",
}
_ELSEWHERE = tuple(
    {
        **{
            name: Phrase(f"; transformers' {name} is {ours}", f"；transformers 的 {name} 即 {ours}")
            for name, ours in TRANSFORMERS_ACTIVATIONS.items()
        },
        "gelu": Phrase(
            "; gelu_erf is the exact one, transformers' gelu, and gelu_tanh that of Google's code since 2019",
            "；gelu_erf 是精确形式，即 transformers 的 gelu；gelu_tanh 是谷歌代码 2019 年起所用的形式",
        ),
    }.items()
)
HEAD = 64  # width of a head in all of Google's sizes
NARROWEST = 8  # width of a head below which none is proposed: what matrix units take at once, in 16-bit formats
# Bounds of the sizes, so that a slip is told as one and all that is reckoned of them stays finite and quick. The largest
# published encoder of text, XLM-R XXL (Goyal 2021), has 48 layers of width 4096 with 16,384 inside; that these are far enough
# beyond it is assumed.
MOST_PIECES = 2**31 - 1  # ids are 32-bit numbers
DEEPEST, WIDEST, LONGEST, MOST_SEGMENTS = 2**12, 2**20, 2**24, 2**16


@dataclass(frozen=True, kw_only=True)
class BertConfig:
    """The shape of a BERT (Devlin et al. 2019, section 3). Frozen; wrong values raise a `ConfigError` with all faults at once."""

    vocab_size: int = documented(
        REQUIRED,
        "number of pieces in the vocabulary",
        "词表中词片的数量",
        low=8,
        high=MOST_PIECES,
        unit="pieces",
        source="Devlin 2019, section 3",
        cost=(
            "V·H parameters in the word table and one bias a piece; 2·H·V operations a predicted token, and a row of V numbers "
            "for each in memory",
            "词嵌入表 V·H 个参数，另每个词片一个偏置；每个被预测的词元 2·H·V 次运算，并占一行 V 个数的内存",
        ),
        change=(
            "to the size of your vocabulary; a multiple of 8 (on GPUs better 64) computes faster, and rows beyond the pieces do no harm",
            "设为所用词表的大小；取 8 的倍数（GPU 上最好是 64）算得更快，多出的行没有坏处",
        ),
    )
    hidden_size: int = documented(
        768,
        "width of every token's vector",
        "每个词元向量的宽度",
        low=1,
        high=WIDEST,
        unit="numbers",
        source="Devlin 2019, section 3 (H)",
        cost=(
            "parameters and operations of a layer grow with its square, memory of activations in proportion",
            "每层的参数与运算随其平方增长，激活占用的内存成正比增长",
        ),
        change=(
            "first, where a model is too slow or too weak; together with num_attention_heads, so that a head stays 64 wide",
            "模型太慢或太弱时首先调整；与 num_attention_heads 一起改，使每个头保持 64 宽",
        ),
    )
    num_hidden_layers: int = documented(
        12,
        "number of encoder layers",
        "编码器的层数",
        low=1,
        high=DEEPEST,
        unit="layers",
        source="Devlin 2019, section 3 (L)",
        cost=(
            "parameters, operations, activations and time of the layers in proportion; layers follow each other, so latency as well",
            "各层的参数、运算、激活与时间成正比增长；层与层依次计算，延迟也随之增长",
        ),
        change=(
            "fewer for low latency, as RBT3 does with 3 of 12; more pay off only with much text and a width to match",
            "要求低延迟时减少，如 RBT3 取 12 层中的 3 层；增加则只在文本很多、宽度相称时才值得",
        ),
    )
    num_attention_heads: int = documented(
        12,
        "attention heads of a layer; must divide hidden_size",
        "每层注意力头数，须整除 hidden_size",
        low=1,
        high=WIDEST // HEAD,
        unit="heads",
        source="Devlin 2019, section 3 (A)",
        cost=(
            "no parameters and no products; each head keeps n² weights of a sequence of n tokens",
            "不增加参数与乘法；长度为 n 的序列中每个头保存 n² 个权重",
        ),
        change=(
            "with hidden_size, to hidden_size / 64; fast attention kernels want heads whose width is a multiple of 8",
            "随 hidden_size 一起改，取 hidden_size / 64；快速注意力核要求头宽是 8 的倍数",
        ),
    )
    intermediate_size: int = documented(
        3072,
        "width inside the feed-forward part of a layer",
        "前馈部分的内部宽度",
        low=1,
        high=4 * WIDEST,
        unit="numbers",
        source="Devlin 2019, section 3 (4·H)",
        cost=(
            "2·H·I parameters and 4·H·I operations a token in each layer: with 4·H two thirds of a layer",
            "每层 2·H·I 个参数、每个词元 4·H·I 次运算：取 4·H 时占一层的三分之二",
        ),
        change=(
            "with hidden_size, to four times it; smaller where weights must be few",
            "随 hidden_size 一起改，取其四倍；须减少权重时可取小",
        ),
    )
    hidden_act: str = documented(
        "gelu_erf",
        "activation of the feed-forward part; Google's later code and Keras use the tanh form",
        "前馈部分的激活函数；谷歌后期代码与 Keras 用 tanh 形式",
        choices=ACTIVATIONS,
        elsewhere=_ELSEWHERE,
        source="Hendrycks and Gimpel 2016",
        cost=(
            "no parameters; little time beside the two products around it",
            "不增加参数；与前后两次矩阵乘法相比用时很少",
        ),
        change=(
            "never under trained weights, which would then answer otherwise; for new ones gelu_erf, as most tools read it",
            "已训练的权重绝不要改，否则结果会变；新训练取 gelu_erf，多数工具都这样读取",
        ),
    )
    hidden_dropout_prob: float = documented(
        0.1,
        "share of activations dropped after embeddings and in front of each residual sum",
        "嵌入之后与每次残差相加之前随机丢弃的比例",
        low=0.0,
        high=0.99,
        source="Devlin 2019, appendix A.2",
        cost=(
            "time and memory for the masks in training, nothing afterwards",
            "训练时掩码占用时间与内存，之后没有代价",
        ),
        change=(
            "0 where the text is seen only a few times in pretraining (recipe lean); 0.1 for fine-tuning on small tables",
            "预训练中文本只看几遍时取 0（配方 lean）；在小表格上微调时取 0.1",
        ),
    )
    attention_probs_dropout_prob: float = documented(
        0.1,
        "share of attention weights dropped",
        "随机丢弃的注意力权重比例",
        low=0.0,
        high=0.99,
        source="Devlin 2019, appendix A.2",
        cost=(
            "above 0, training keeps the n² weights of each head and cannot use the fused attention kernels",
            "大于 0 时，训练须保存每个头的 n² 个权重，且无法使用融合的注意力核",
        ),
        change=(
            "0 for fast pretraining (recipe lean); as published where a published recipe is repeated",
            "要求预训练快时取 0（配方 lean）；重现已发表的做法时取其原值",
        ),
    )
    max_position_embeddings: int = documented(
        512,
        "longest sequence that the position table can hold",
        "位置表能容纳的最长序列",
        low=4,
        high=LONGEST,
        unit="tokens",
        source="Devlin 2019, appendix A.2",
        cost=(
            "H parameters a position; time and memory follow the lengths that are really used, not this bound",
            "每个位置 H 个参数；时间与内存取决于实际长度，与此上限无关",
        ),
        change=(
            "before pretraining, to the longest text that the model shall read; a trained table cannot grow",
            "在预训练之前设为模型要读的最长文本；训练好的位置表无法加长",
        ),
    )
    type_vocab_size: int = documented(
        2,
        "number of segment kinds",
        "句段种类数",
        low=1,
        high=MOST_SEGMENTS,
        unit="segments",
        source="Devlin 2019, section 3",
        cost=("H parameters a kind", "每种 H 个参数"),
        change=(
            "hardly ever: 2 serves single texts and pairs; Google's code takes 16 where a file leaves it out",
            "几乎不必改：2 已够单段文本与句对使用；文件中省略时谷歌的代码取 16",
        ),
    )
    initializer_range: float = documented(
        0.02,
        "standard deviation of the truncated normal that weights start from",
        "权重初始截断正态分布的标准差",
        above=0.0,
        high=10.0,
        source="google-research/bert, modeling.py",
        cost=("nothing", "无"),
        change=(
            "smaller for very deep or wide networks that diverge, a little larger for narrow ones; no matter for trained weights",
            "很深或很宽、训练发散时取小，窄网络可略大；对已训练的权重没有作用",
        ),
    )
    layer_norm_eps: float = documented(
        1e-12,
        "added to the variance in layer normalisation",
        "层归一化中加到方差上的数",
        low=0.0,
        high=1.0,
        source="google-research/bert, modeling.py",
        cost=("nothing", "无"),
        change=(
            "only to what trained weights were made with; 1e-12 is nothing in fp16, which then divides by zero where a row is constant",
            "只改为已训练权重所用的值；1e-12 在 fp16 中等于零，遇到各数相同的行会除以零",
        ),
    )
    pad_token_id: int = documented(
        0,
        "id of [PAD]",
        "[PAD] 的编号",
        low=0,
        high=MOST_PIECES - 1,
        source="google-research/bert, run_classifier.py",
        cost=("nothing: bertsmith lays sequences end to end", "无：bertsmith 把序列首尾相接，不做填充"),
        change=("to the line of [PAD] in the vocabulary, counted from 0", "设为 [PAD] 在词表中的行号（从 0 数起）"),
    )
    classifier_dropout: float | None = documented(
        None,
        "dropout in front of a classification head; empty: hidden_dropout_prob",
        "分类头之前的丢弃比例；空则取 hidden_dropout_prob",
        low=0.0,
        high=0.99,
        source="transformers, BertForSequenceClassification",
        cost=("nothing", "无"),
        change=(
            "where fine-tuning on little data overfits: 0.1 to 0.5 (assumed)",
            "在少量数据上微调过拟合时取 0.1 到 0.5（假定）",
        ),
    )

    def __post_init__(self) -> None:
        check(self, self._head_fault(), self._padding_fault())

    def _head_fault(self) -> ConfigError | None:
        size, heads = self.hidden_size, self.num_attention_heads
        if not (_within(size, WIDEST) and _within(heads, WIDEST // HEAD)) or size % heads == 0:
            return None
        fitting = " or ".join(map(str, head_counts(size)[:2]))
        named = Phrase(fitting, fitting.replace("or", "或"))
        below = size // heads * heads
        if below == 0:
            return ConfigError(
                "more-heads-than-width",
                "num_attention_heads {heads} is more than hidden_size {size}, which the heads share",
                do="use {fitting} for num_attention_heads, or {wide} for hidden_size",
                size=size,
                heads=heads,
                fitting=named,
                wide=HEAD * heads,
            )
        return ConfigError(
            "head-width",
            "hidden_size {size} is not a multiple of num_attention_heads {heads}",
            do="use {below} or {above} for hidden_size, or {fitting} for num_attention_heads",
            size=size,
            heads=heads,
            below=below,
            above=below + heads,
            fitting=named,
        )

    def _padding_fault(self) -> ConfigError | None:
        pad, size = self.pad_token_id, self.vocab_size
        if not (_within(size, MOST_PIECES) and _within(pad, MOST_PIECES - 1)) or pad < size:
            return None
        return ConfigError(
            "padding-outside",
            "pad_token_id {pad} lies outside the vocabulary of {size}",
            do="give an id below {size}",
            pad=pad,
            size=size,
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


def head_counts(width: int) -> list[int]:
    """How many heads can share a width: those numbers first whose heads come nearest to 64 wide, and none narrower than 8.

    One head can always have the whole width.
    """
    small = [number for number in range(1, math.isqrt(width) + 1) if width % number == 0]
    divisors = sorted({*small, *(width // number for number in small)})
    wide = [heads for heads in divisors if heads == 1 or width // heads >= NARROWEST]
    return sorted(wide, key=lambda heads: abs(width / heads - HEAD))


def _within(value: object, high: int) -> bool:
    """Whether a number is one that its field allows, so that it can be held against another."""
    return isinstance(value, int) and 1 <= value <= high
