"""What a pretrained BERT knows without labels: masks filled in, and which of two texts it finds likelier."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from bertsmith.checkpoints.folder import Checkpoint
from bertsmith.data.batches import PackedBatch, frame, pack
from bertsmith.models.bert.heads import BertForPretraining
from bertsmith.models.bert.load import pretraining_model
from bertsmith.models.bert.pack import Pack
from bertsmith.seeds import below
from bertsmith.text.vocabulary import Vocabulary
from bertsmith.text.wordpiece import WordPiece

I64 = NDArray[np.int64]
_SEQUENCES = 64  # masked copies in one batch


@dataclass(frozen=True)
class Filling:
    """A text with one mask, the piece that stood there, and the likeliest pieces with their probabilities."""

    text: str
    truth: str
    pieces: tuple[tuple[str, float], ...]


class MaskedLM:
    """A pretrained BERT with its masked LM head.

    Args:
        checkpoint: a model with that head and a vocabulary.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        assert checkpoint.vocabulary is not None
        self.vocabulary: Vocabulary = checkpoint.vocabulary
        self.encoder = WordPiece(self.vocabulary)
        self.network: BertForPretraining = pretraining_model(checkpoint.config, checkpoint.arrays)[0]
        self.network.eval()

    def fill(self, ids: Sequence[I64], places: Sequence[int], count: int = 3) -> list[Filling]:
        """The likeliest pieces at one place of each sequence of pieces, which is masked; what stood there is told beside them."""
        if not ids:
            return []
        hidden = [sequence.copy() for sequence in ids]
        for sequence, place in zip(hidden, places, strict=True):
            sequence[place] = self.vocabulary.mask
        log_p = self._log_p(list(zip(hidden, places, strict=True)))
        best = np.argsort(-log_p, axis=1)[:, :count]
        pieces = self.vocabulary.pieces
        return [
            Filling(
                f"{self.encoder.decode(ids[row][:place])} [MASK] {self.encoder.decode(ids[row][place + 1 :])}".strip(),
                pieces[ids[row][place]],
                tuple((pieces[i], float(np.exp(log_p[row, i]))) for i in best[row].tolist()),
            )
            for row, place in enumerate(places)
        ]

    def pseudo_log_likelihood(self, ids: Sequence[I64]) -> NDArray[np.float64]:
        """Σ log p(token | all others) of each sequence of pieces (Salazar et al. 2020, equation 1)."""
        copies, labels, owners = [], [], []
        for owner, sequence in enumerate(ids):
            for place, piece in enumerate(sequence.tolist()):
                hidden = sequence.copy()
                hidden[place] = self.vocabulary.mask
                copies.append((hidden, place))
                labels.append(piece)
                owners.append(owner)
        sums = np.zeros(len(ids))
        for first in range(0, len(copies), _SEQUENCES):
            part = slice(first, first + _SEQUENCES)
            log_p = self._log_p(copies[part])
            np.add.at(sums, owners[part], log_p[np.arange(len(log_p)), labels[part]])
        return sums

    def preferred_over_swapped(self, ids: Sequence[I64], seed: int) -> list[bool]:
        """Whether each sentence is likelier than itself with two different words swapped; sentences without such are left out."""
        swapped = [self._with_swapped_words(sequence, seed, number) for number, sequence in enumerate(ids)]
        pairs = [(true, other) for true, other in zip(ids, swapped, strict=True) if other is not None]
        scores = self.pseudo_log_likelihood([sequence for pair in pairs for sequence in pair])
        return [bool(true > other) for true, other in zip(scores[::2], scores[1::2], strict=True)]

    def _with_swapped_words(self, ids: I64, seed: int, number: int) -> I64 | None:
        starts = np.flatnonzero(self.vocabulary.starts_word[ids])
        words = np.split(ids, starts[1:]) if len(starts) else []
        pairs = [(i, j) for i in range(len(words)) for j in range(i + 1, len(words)) if not np.array_equal(words[i], words[j])]
        if not pairs:
            return None
        i, j = pairs[int(below(len(pairs), seed, "swapped words", number))]
        words[i], words[j] = words[j], words[i]
        return np.concatenate(words)

    def _log_p(self, masked: Sequence[tuple[I64, int]]) -> NDArray[np.float32]:
        """Log-probabilities of every piece at one place of each sequence, in the caller's order: (B, V)."""
        framed = [frame(ids, None, self.vocabulary.first, self.vocabulary.separator) for ids, _ in masked]
        plain = pack([ids for ids, _ in framed], [segments for _, segments in framed])
        places = np.array([place + 1 for _, place in masked])[plain.order_B]
        rows_M = plain.cu_seqlens[:-1] + places
        batch = PackedBatch(plain.ids_T, plain.segments_T, plain.positions_T, plain.cu_seqlens, plain.order_B, rows_M)
        with torch.inference_mode():
            log_p = torch.log_softmax(self.network.masked_logits(Pack.of(batch)), 1).numpy()
        found = np.empty_like(log_p)
        found[plain.order_B] = log_p
        return found
