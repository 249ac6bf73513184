"""Floating-point operations of the matrix products; one multiplication with its addition counts as 2.

Everything else (norms, activations, softmax, the optimizer) is less than one in a hundred of it in operations, though not in time.
"""

from dataclasses import dataclass
from enum import Enum

from bertsmith.config.bert import BertConfig
from bertsmith.config.estimate.work import Work


class Pass(Enum):
    """What is computed: how often each layer's and each head's products of the forward pass are paid for.

    Backward computes two products for each one of forward: the gradient of the input and that of the weight. Recomputation
    (activation checkpointing) goes through the layers forward once more.
    """

    FORWARD = (1, 1)
    TRAINING = (3, 3)
    RECOMPUTED = (4, 3)


@dataclass(frozen=True)
class Flops:
    """Operations of each part.

    Args:
        projections: queries, keys, values and output of attention.
        scores: queries by keys, and weights by values: the part that grows with the square of the length.
        feed_forward: both dense layers.
        pooler: the dense layer over each first token.
        masked_lm: the head's dense layer and its product with the word table.
        next_sentence: the next-sentence head.
    """

    projections: float
    scores: float
    feed_forward: float
    pooler: float
    masked_lm: float
    next_sentence: float

    @property
    def layers(self) -> float:
        """All encoder layers."""
        return self.projections + self.scores + self.feed_forward

    @property
    def total(self) -> float:
        """Everything."""
        return self.layers + self.pooler + self.masked_lm + self.next_sentence


def flops(config: BertConfig, work: Work, which: Pass) -> Flops:
    """Operations of the pretraining network over some work.

    Args:
        config: the sizes.
        work: `Work.of` real lengths, or `Work.padded`.
        which: forward alone, a training step, or one with recomputation.
    """
    width, inner, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    each_layer, each_head = which.value
    behind_attention = (layers - 1) * work.tokens + work.read
    return Flops(
        projections=each_layer * 2 * width * width * (3 * layers * work.tokens + behind_attention),
        scores=each_layer * layers * 4 * width * work.squares,
        feed_forward=each_layer * 4 * width * inner * behind_attention,
        pooler=each_head * 2 * width * width * work.sequences,
        masked_lm=each_head * (2 * width * width + 2 * width * config.vocab_size) * work.predicted,
        next_sentence=each_head * 4 * width * work.sequences,
    )
