"""A BERT at rest: what every reader of this room hands over, and every writer takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bertsmith.checkpoints.names import Part, parts_in
from bertsmith.checkpoints.weights import Arrays
from bertsmith.config.bert import BertConfig
from bertsmith.config.formats import ConfigFile
from bertsmith.errors import CheckpointError
from bertsmith.text.vocabulary import Vocabulary


@dataclass(frozen=True)
class Checkpoint:
    """Sizes, weights by name, vocabulary, and what is known about them.

    Args:
        config: the sizes.
        arrays: fp32 arrays with the names of `BertForPreTraining`, `classifier.*` and `qa_outputs.*` beside them; the tied decoder
            of the MLM head is not among them.
        vocabulary: None where the folder holds none.
        about: the content of bertsmith.json: origin, task, labels, metrics, gelu. From a folder of another writer: the labels
            of its classification head, or nothing.
        slots: Adam's two means by the names of the arrays, under `m` and `v`; empty where they are not kept.
        step: optimizer steps behind it, None where that is not known.
        source: the config file that it was read with, with keys that a `BertConfig` does not have.
    """

    config: BertConfig
    arrays: Arrays
    vocabulary: Vocabulary | None = None
    about: dict[str, Any] = field(default_factory=dict)
    slots: Mapping[str, Arrays] = field(default_factory=dict)
    step: int | None = None
    source: ConfigFile | None = None

    @property
    def parts(self) -> frozenset[Part]:
        """The parts of the network that the arrays hold."""
        return parts_in(self.arrays)

    def needed_vocabulary(self, where: Path) -> Vocabulary:
        """The vocabulary, for work that cannot do without; `where` is the folder, for the message.

        Raises:
            CheckpointError: the folder holds none.
        """
        if self.vocabulary is None:
            raise CheckpointError(
                "no-vocabulary-in-model",
                "the model folder holds no vocabulary",
                where=where,
                do="put the model's vocab.txt or tokenizer.json there",
            )
        return self.vocabulary
