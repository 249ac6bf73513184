"""Memory of PyTorch's usual way on a CUDA GPU, padding included, and memory of inference.

b sequences padded to s tokens, H width, I feed-forward width, A heads, e bytes of a number, m bytes of a dropout mask (1 on CUDA). One
layer keeps b·s·(8H + 2I)·e + 2·b·s·H·m + b·A·s²·(2e + m) for backward; with I = 4H, fp16 and dropout that is the s·b·H·(34 + 5·A·s/H)
of Korthikanti et al. 2022 (arXiv 2205.05198).
"""

from dataclasses import dataclass, fields
from enum import Enum

from bertsmith.config.bert import BertConfig
from bertsmith.config.estimate.memory import BF16, FP32, Precision
from bertsmith.config.estimate.parameters import parameters
from bertsmith.config.estimate.work import Work

MASK = 1  # bytes of a dropout mask's element on CUDA
CUDA_CONTEXT = 600 * 2**20  # context, kernels and the workspace of the product library; assumed
INFERENCE_LIBRARIES = 150 * 2**20  # Python, numpy and torch 2.13 without its optimizers; measured on Linux x86-64


class Attention(Enum):
    """How attention is computed: scores written out, or a fused kernel that keeps one statistic a row."""

    EAGER = "eager"
    FUSED = "fused"


@dataclass(frozen=True)
class TextbookMemory:
    """Bytes of training on a CUDA GPU, by what they hold.

    Args:
        context: the driver's and the libraries' own.
        states: weights, gradients and both moments of AdamW in fp32, and the casts of the weights under autocast.
        layers: activations of all layers; with checkpointing the input of each, and one whole layer.
        head: logits of every token, their log-probabilities and their gradient.
    """

    context: float
    states: float
    layers: float
    head: float

    @property
    def total(self) -> float:
        """The predicted peak, without what the caching allocator holds back."""
        return float(sum(getattr(self, part.name) for part in fields(self)))


def textbook_memory(
    config: BertConfig, padded: Work, precision: Precision, attention: Attention, *, recompute: bool
) -> TextbookMemory:
    """Training with transformers' `BertForPreTraining` and AdamW on a CUDA GPU.

    Args:
        config: the sizes and the dropout.
        padded: `Work.padded`: the sequences that are in memory at once.
        precision: fp32, or bf16 (fp16) under autocast.
        attention: eager or fused.
        recompute: activation checkpointing, a layer at a time.
    """
    size = precision.value
    layer = padded_layer(config, padded, precision, attention)
    every = config.num_hidden_layers * layer
    if recompute:
        every = config.num_hidden_layers * size * config.hidden_size * padded.tokens + layer
    casts = BF16 if precision is Precision.bf16 else 0
    return TextbookMemory(
        context=CUDA_CONTEXT,
        states=(4 * FP32 + casts) * parameters(config).pretraining,
        layers=every,
        # every row has logits, fp32 log-probabilities and an fp32 gradient; transform and norm keep four vectors
        head=((size + 2 * FP32) * config.vocab_size + 4 * size * config.hidden_size) * padded.tokens,
    )


def padded_layer(config: BertConfig, padded: Work, precision: Precision, attention: Attention) -> float:
    """Bytes that one layer keeps for backward."""
    size = precision.value
    masks = 2 * MASK * config.hidden_size if config.hidden_dropout_prob else 0
    dense = (size * (8 * config.hidden_size + 2 * config.intermediate_size) + masks) * padded.tokens
    if attention is Attention.FUSED:
        return dense + FP32 * config.num_attention_heads * padded.tokens + FP32 * padded.squares
    kept = 2 * size + MASK if config.attention_probs_dropout_prob else size
    return dense + kept * config.num_attention_heads * padded.squares


@dataclass(frozen=True)
class InferenceMemory:
    """Bytes of a process that encodes texts on a processor.

    Args:
        libraries: the interpreter and the libraries.
        weights: of the encoder.
        working: the fullest moment of one layer.
    """

    libraries: float
    weights: float
    working: float

    @property
    def total(self) -> float:
        """The predicted peak of the process."""
        return self.libraries + self.weights + self.working


def inference_memory(config: BertConfig, work: Work, precision: Precision) -> InferenceMemory:
    """Encoding a batch without padding: nothing is kept from layer to layer.

    Args:
        config: the sizes.
        work: the batch.
        precision: of weights and activations.
    """
    size, width = precision.value, config.hidden_size
    scores = 2 * size * config.num_attention_heads * work.squares
    attention = (
        size * 9 * width * work.tokens + scores
    )  # queries, keys, values, their copies by head, scaled queries, two mixtures
    feed_forward = size * (2 * config.intermediate_size + width) * work.tokens
    return InferenceMemory(
        libraries=INFERENCE_LIBRARIES,
        weights=size * parameters(config).encoder,
        working=FP32 * width * work.tokens + max(attention, feed_forward),
    )
