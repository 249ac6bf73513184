"""How many numbers a BERT learns, part by part; exact, and equal to transformers' count (a test)."""

from dataclasses import dataclass

from bertsmith.config.bert import BertConfig


@dataclass(frozen=True)
class Parameters:
    """Parameters of each part; the decoder of the masked LM head is the word table and is counted there.

    Args:
        words: the word table.
        positions: the position table.
        segments: the segment table.
        embedding_norm: the norm behind the sum of the three.
        attention: queries, keys, values and output of all layers.
        feed_forward: both dense layers of all layers.
        norms: both norms of all layers.
        pooler: the dense layer over the first token.
        masked_lm: dense layer, norm and one bias a piece.
        next_sentence: the next-sentence head.
        classifier: a classification head, 0 without classes.
    """

    words: int
    positions: int
    segments: int
    embedding_norm: int
    attention: int
    feed_forward: int
    norms: int
    pooler: int
    masked_lm: int
    next_sentence: int
    classifier: int

    @property
    def embeddings(self) -> int:
        """Tables and their norm."""
        return self.words + self.positions + self.segments + self.embedding_norm

    @property
    def layers(self) -> int:
        """All encoder layers."""
        return self.attention + self.feed_forward + self.norms

    @property
    def encoder(self) -> int:
        """What `BertModel` has: embeddings, layers and pooler."""
        return self.embeddings + self.layers + self.pooler

    @property
    def pretraining(self) -> int:
        """What `BertForPreTraining` has: the encoder and both heads."""
        return self.encoder + self.masked_lm + self.next_sentence

    @property
    def classification(self) -> int:
        """What `BertForSequenceClassification` has: the encoder and the classifier."""
        return self.encoder + self.classifier


def parameters(config: BertConfig, classes: int = 0) -> Parameters:
    """Count the parameters of a config.

    Args:
        config: the sizes.
        classes: classes of a classification head, 0 for none.
    """
    width, inner, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    return Parameters(
        words=config.vocab_size * width,
        positions=config.max_position_embeddings * width,
        segments=config.type_vocab_size * width,
        embedding_norm=2 * width,
        attention=layers * 4 * (width * width + width),
        feed_forward=layers * (2 * width * inner + inner + width),
        norms=layers * 4 * width,
        pooler=width * width + width,
        masked_lm=width * width + width + 2 * width + config.vocab_size,
        next_sentence=2 * width + 2,
        classifier=classes * (width + 1),
    )
