"""Memory of our own training step on a processor: what stays in memory for backward, and what the fullest moment adds to it.

T tokens of a micro-batch, R rows of the last layer that a head reads, D width, F feed-forward width, N heads, V vocabulary, M predicted tokens, Σs² the sum of squared lengths.
The formulas follow `models/bert` line by line: which tensors autograd keeps, and which ones are alive at once. Products run in fp32, or
in bf16 under autocast, where the sums along the residuals, the norms, the loss and all states stay in fp32.
"""

from dataclasses import dataclass, fields
from enum import Enum

from bertsmith.config.bert import BertConfig
from bertsmith.config.estimate.parameters import parameters
from bertsmith.config.estimate.work import Work

FP32, BF16 = 4, 2  # bytes
LIBRARIES = 220 * 2**20  # Python, numpy, torch 2.13 and its optimizers, behind the first step; measured on Linux x86-64
# Holes that glibc 2.36 leaves between freed buffers which it keeps, beside what a step allocates anew; fitted to 20 measured processes of
# tiny to base: half of it where that is little, a quarter and a constant where it is much.
SLACK_AT_MOST, SLACK, SLACK_ALWAYS = 0.5, 0.26, 60 * 2**20


class Precision(Enum):
    """Number format of the products, with the bytes of one number."""

    fp32 = FP32
    bf16 = BF16


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes at the fullest moment of a step, by what they hold.

    Args:
        libraries: the interpreter and the libraries.
        weights: fp32.
        gradients: fp32.
        moments: both moments of AdamW, fp32.
        casts: the bf16 copies of the weights that backward needs.
        layers: activations that the layers and the embeddings keep for backward.
        head: what the masked LM head keeps: the log-probabilities of the predicted tokens above all.
        working: gradients of activations and weights on their way, and other short-lived tensors.
        slack: holes that the allocator leaves between them.
    """

    libraries: float
    weights: float
    gradients: float
    moments: float
    casts: float
    layers: float
    head: float
    working: float
    slack: float

    @property
    def total(self) -> float:
        """The predicted peak of the process."""
        return float(sum(getattr(self, part.name) for part in fields(self)))


@dataclass(frozen=True)
class _Moment:
    """What is alive at one moment of a step beside the states."""

    layers: float
    head: float
    working: float

    @property
    def total(self) -> float:
        return self.layers + self.head + self.working


def training_memory(config: BertConfig, work: Work, precision: Precision) -> TrainingMemory:
    """The peak of a training process, states and libraries included.

    Args:
        config: the sizes, and whether there is dropout: its masks are kept.
        work: the largest micro-batch.
        precision: of the products.
    """
    count = parameters(config).pretraining
    casts = BF16 * _product_weights(config) if precision is Precision.bf16 else 0
    fullest = max(_moments(config, work, precision), key=lambda moment: moment.total)
    anew = casts + fullest.total
    return TrainingMemory(
        libraries=LIBRARIES,
        weights=FP32 * count,
        gradients=FP32 * count,
        moments=2 * FP32 * count,
        casts=casts,
        layers=fullest.layers,
        head=fullest.head,
        working=fullest.working,
        slack=min(SLACK_AT_MOST * anew, SLACK * anew + SLACK_ALWAYS),
    )


def kept_by_layers(config: BertConfig, work: Work, precision: Precision) -> float:
    """Bytes of activations that all layers keep for backward."""
    every, last = (_kept_by_layer(config, work, precision, rows) for rows in (work.tokens, work.read))
    return (config.num_hidden_layers - 1) * every + last


def _kept_by_layer(config: BertConfig, work: Work, precision: Precision, rows: float) -> float:
    """Bytes of activations that one layer keeps for backward, of which the part behind attention has so many rows."""
    size = precision.value
    masks = size if config.hidden_dropout_prob else 0
    in_attention = size * 4 * config.hidden_size  # its input, queries, keys, values
    behind = (
        size * 2 * config.hidden_size  # their mixture, the input of the feed-forward part
        + FP32 * (2 * config.hidden_size + 4)  # both sums in front of the norms, and the norms' statistics
        + size * 2 * config.intermediate_size  # the inner vector in front of and behind its activation
        + masks * 2 * config.hidden_size
    )
    return in_attention * work.tokens + behind * rows + _weights_of_attention(config, work, precision)


def _weights_of_attention(config: BertConfig, work: Work, precision: Precision) -> float:
    """Softmaxed scores, and what they are multiplied with where attention has dropout."""
    tensors = 2 if config.attention_probs_dropout_prob else 1
    return tensors * precision.value * config.num_attention_heads * work.squares


def _moments(config: BertConfig, work: Work, precision: Precision) -> list[_Moment]:
    """The moments that can be the fullest: head forward, loss backward, and two halves backward of the last layer and the one below."""
    size = precision.value
    every, last = (_kept_by_layer(config, work, precision, rows) for rows in (work.tokens, work.read))
    embeddings = (2 if config.hidden_dropout_prob else 1) * FP32 * config.hidden_size * work.tokens
    below = embeddings + (config.num_hidden_layers - 1) * every
    head = (FP32 * config.vocab_size + 4 * size * config.hidden_size) * work.predicted
    moments = [
        _Moment(below + last, head, _head_forward(config, work, precision)),
        _Moment(below + last, head, _loss_backward(config, work, precision)),
        _feed_forward_backward(config, work.read, precision, below + last),
        _attention_backward(config, work, precision, below),
    ]
    if config.num_hidden_layers > 1:
        moments.append(_feed_forward_backward(config, work.tokens, precision, below))
        moments.append(_attention_backward(config, work, precision, below - every))
    return moments


def _head_forward(config: BertConfig, work: Work, precision: Precision) -> float:
    """The last layer's vectors; in bf16 the logits in both formats, or the cast word table."""
    vectors = FP32 * config.hidden_size * work.read
    if precision is Precision.fp32:
        return vectors
    logits = config.vocab_size * work.predicted
    cast_table = BF16 * config.vocab_size * config.hidden_size
    return vectors + max(FP32 * logits, cast_table - BF16 * logits)


def _loss_backward(config: BertConfig, work: Work, precision: Precision) -> float:
    """In fp32 the gradient stands in the logits' buffer; in bf16 there is a cast of it, and the table's gradient in both formats."""
    vectors = 3 * FP32 * config.hidden_size * work.predicted + 2 * FP32 * config.vocab_size
    if precision is Precision.fp32:
        return vectors
    table = config.vocab_size * config.hidden_size
    return vectors + BF16 * config.vocab_size * work.predicted + (BF16 + FP32) * table


def _waiting_table(config: BertConfig, precision: Precision) -> float:
    """In bf16 the word table's gradient from the loss waits until the embeddings have theirs."""
    return FP32 * config.vocab_size * config.hidden_size if precision is Precision.bf16 else 0


def _feed_forward_backward(config: BertConfig, rows: float, precision: Precision, every: float) -> _Moment:
    """The second dense layer's gradients over some rows: of its input, of its output, of its weight."""
    size, width, inner = precision.value, config.hidden_size, config.intermediate_size
    masks = size if config.hidden_dropout_prob else 0
    freed = (FP32 + masks) * width * rows
    product_gradient = size if masks or precision is Precision.bf16 else 0
    flowing = (FP32 + product_gradient) * width * rows + size * inner * rows
    weight: float = size * width * inner
    if precision is Precision.bf16:  # it becomes fp32 when the product's own tensors are gone
        weight = max(weight, (BF16 + FP32) * width * inner - BF16 * (inner + width) * rows)
    return _Moment(every - freed, 0, flowing + weight + _waiting_table(config, precision))


def _attention_backward(config: BertConfig, work: Work, precision: Precision, others: float) -> _Moment:
    """Of a layer only its input, queries, keys, values and attention weights are left; their gradients and copies are there."""
    size = precision.value
    weights = _weights_of_attention(config, work, precision)
    left = size * 4 * config.hidden_size * work.tokens + weights
    scores = (3 if config.attention_probs_dropout_prob else 2) * size * config.num_attention_heads * work.squares
    flowing = (FP32 + size * 11) * config.hidden_size * work.tokens + scores
    freed = (
        BF16 * (2 * config.intermediate_size + 3 * config.hidden_size) * config.hidden_size
    )  # casts that have done their work
    flowing -= freed if precision is Precision.bf16 else 0
    return _Moment(others + left, 0, flowing + _waiting_table(config, precision))


def _product_weights(config: BertConfig) -> int:
    """Weights of the dense layers, without the word table."""
    count = parameters(config)
    return count.attention + count.feed_forward + count.pooler + config.hidden_size**2
