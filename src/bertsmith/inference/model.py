"""A model folder, opened: `bertsmith.load(folder).predict([...])`."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bertsmith.checkpoints.folder import Checkpoint, read_model_folder
from bertsmith.data.encoded import encode
from bertsmith.errors import UsageError
from bertsmith.inference.engine import run
from bertsmith.models.bert.heads import BertForClassification
from bertsmith.models.bert.load import classification_model
from bertsmith.progress import Listener, ignore
from bertsmith.tasks.classification import ClassAnswer, Classification
from bertsmith.text.wordpiece import WordPiece


class LoadedModel:
    """A BERT with its vocabulary and its task, ready to answer.

    Args:
        checkpoint: the model at rest.
        folder: where it comes from, for messages.
    """

    def __init__(self, checkpoint: Checkpoint, folder: Path) -> None:
        self.checkpoint, self.folder = checkpoint, folder

    @property
    def task(self) -> Classification:
        """What the model was fine-tuned for.

        Raises:
            CheckpointError: it was not fine-tuned.
        """
        return Classification.from_about(self.checkpoint.about, self.folder)

    @cached_property
    def encoder(self) -> WordPiece:
        """The encoder of its vocabulary.

        Raises:
            CheckpointError: the folder holds no vocabulary.
        """
        return WordPiece(self.checkpoint.needed_vocabulary(self.folder))

    @cached_property
    def _classifier(self) -> BertForClassification:
        return classification_model(self.checkpoint.config, len(self.task.labels), self.checkpoint.arrays)[0]

    @property
    def max_length(self) -> int:
        """Longest sequence in tokens: that of the fine-tuning, at most the position table."""
        return int(self.checkpoint.about.get("max_length", self.checkpoint.config.max_position_embeddings))

    def logits(self, texts: Sequence[str], seconds: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Logits of every class for each text or pair: (B, C).

        Raises:
            UsageError: pairs for a model of single texts, or the other way round.
        """
        if self.task.pairs != (seconds is not None):
            raise _wrong_number_of_texts(self.task.pairs)
        if not texts:
            return np.zeros((0, len(self.task.labels)), np.float32)
        return run(self._classifier, self._classifier, encode(self.encoder, texts, seconds, self.max_length))

    def predict(self, texts: Sequence[str], seconds: Sequence[str] | None = None) -> list[ClassAnswer]:
        """The likeliest class of each text or pair, with its probability and that of every class.

        Args:
            texts: the texts, or the first parts of the pairs.
            seconds: the second parts where the model judges pairs.

        Raises:
            CheckpointError: the model was not fine-tuned to classify.
            UsageError: pairs for a model of single texts, or the other way round.
        """
        return self.task.decode(self.logits(texts, seconds))


def load(folder: Path | str, *, listen: Listener = ignore) -> LoadedModel:
    """Open a model folder: ours, or any BERT folder with safetensors.

    Raises:
        CheckpointError: no such folder, no safetensors, damaged files.
    """
    return LoadedModel(read_model_folder(Path(folder), listen=listen), Path(folder))


def _wrong_number_of_texts(pairs: bool) -> UsageError:
    if pairs:
        return UsageError("second-missing", "the model judges pairs of texts", do="give the second text too")
    return UsageError("second-given", "the model judges single texts", do="leave out the second text")
