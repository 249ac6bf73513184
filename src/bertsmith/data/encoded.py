"""Texts and pairs as framed sequences of ids, cut to a length; what fine-tuning and inference feed a BERT with."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bertsmith.data.batches import PackedBatch, cut_to_fit, frame, pack
from bertsmith.text.vocabulary import MASK
from bertsmith.text.wordpiece import WordPiece

I64 = NDArray[np.int64]


@dataclass(frozen=True)
class Encoded:
    """Sequences ready to be packed.

    Args:
        ids: the tokens of each, special ones included.
        segments: the segment of each token.
        cut: how many were longer than the limit.
    """

    ids: list[I64]
    segments: list[I64]
    cut: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def cut_share(self) -> float:
        """Share of the texts that lost their end."""
        return self.cut / max(len(self.ids), 1)

    def pack(self, index: Sequence[int] | I64, targets: I64 | None = None) -> PackedBatch:
        """Some of the sequences as one batch; `targets` are the labels of those, in the same order."""
        return pack([self.ids[i] for i in index], [self.segments[i] for i in index], targets)

    def by_length(self, budget: int) -> list[I64]:
        """All sequences in stretches of similar length, of at most `budget` tokens each (at least one sequence)."""
        lengths = np.array([len(ids) for ids in self.ids], np.int64)
        order, ends = np.argsort(lengths, kind="stable"), []
        tokens = 0
        for place, length in enumerate(lengths[order].tolist()):
            if tokens and tokens + length > budget:
                ends.append(place)
                tokens = 0
            tokens += length
        return np.split(order, ends) if tokens else []


def encode(encoder: WordPiece, texts: Sequence[str], pairs: Sequence[str] | None, max_length: int) -> Encoded:
    """Encode texts or pairs; a pair that is too long loses the end of its longer part first.

    `[MASK]` in a text is the mask; every other special piece is plain characters, so that no text can end its own sequence.

    Args:
        encoder: the encoder.
        texts: the texts, or the first parts.
        pairs: the second parts, or None.
        max_length: most tokens of a sequence, special ones included.
    """
    first = _pieces(encoder, texts)
    second = _pieces(encoder, pairs) if pairs is not None else None
    room = max_length - (2 if second is None else 3)
    lengths = [(len(ids), 0 if second is None else len(second[i])) for i, ids in enumerate(first)]
    kept = cut_to_fit(lengths, room)
    special = encoder.vocabulary
    framed = [
        frame(
            ids[: kept[i][0]].astype(np.int64),
            None if second is None else second[i][: kept[i][1]].astype(np.int64),
            special.first,
            special.separator,
        )
        for i, ids in enumerate(first)
    ]
    cut = sum(a + b > room for a, b in lengths)
    return Encoded([ids for ids, _ in framed], [segments for _, segments in framed], cut)


def _pieces(encoder: WordPiece, texts: Sequence[str]) -> list[NDArray[np.int32]]:
    """The pieces of each text, with the mask where it stands in one."""
    if not any(MASK in text for text in texts):
        return encoder.encode(texts)
    mask = np.array([encoder.vocabulary.mask], np.int32)
    found = []
    for text in texts:
        parts = encoder.encode(text.split(MASK))
        found.append(np.concatenate([piece for part in parts for piece in (mask, part)][1:]))
    return found
