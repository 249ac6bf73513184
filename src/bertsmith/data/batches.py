"""A batch as numpy arrays: sequences laid end to end, nothing padded, the shortest first.

Length order costs nothing, since a step's result does not depend on the order of its sequences, and lets attention walk
neighbours of similar length together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]


def _none() -> I64:
    return np.zeros(0, np.int64)


@dataclass(frozen=True)
class PackedBatch:
    """Sequences end to end, with the targets of what is asked of them.

    Args:
        ids_T: piece of every token.
        segments_T: 0 in the first part of a pair, 1 in the second.
        positions_T: place of every token in its sequence.
        cu_seqlens: (B+1,) where each sequence begins, and the end.
        order_B: which of the caller's sequences each one is.
        masked_M: rows whose token is to be predicted.
        labels_M: the tokens that stood there.
        targets_B: the label of each sequence: 1 for not-next, or its class.
    """

    ids_T: I64
    segments_T: I64
    positions_T: I64
    cu_seqlens: I64
    order_B: I64
    masked_M: I64 = field(default_factory=_none)
    labels_M: I64 = field(default_factory=_none)
    targets_B: I64 = field(default_factory=_none)

    @property
    def tokens(self) -> int:
        """How many tokens the batch has."""
        return len(self.ids_T)

    @property
    def sequences(self) -> int:
        """How many sequences the batch has."""
        return len(self.cu_seqlens) - 1


def pack(ids: Sequence[I64], segments: Sequence[I64], targets: I64 | None = None) -> PackedBatch:
    """Lay sequences end to end, the shortest first.

    Args:
        ids: the tokens of each sequence, special ones included.
        segments: the segment of each token.
        targets: the label of each sequence, in the caller's order, or none.
    """
    lengths = np.array([len(sequence) for sequence in ids], np.int64)
    order_B = np.argsort(lengths, kind="stable")
    cu_seqlens = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths[order_B])])
    return PackedBatch(
        ids_T=np.concatenate([ids[i] for i in order_B]).astype(np.int64),
        segments_T=np.concatenate([segments[i] for i in order_B]).astype(np.int64),
        positions_T=np.arange(cu_seqlens[-1]) - np.repeat(cu_seqlens[:-1], lengths[order_B]),
        cu_seqlens=cu_seqlens,
        order_B=order_B,
        targets_B=_none() if targets is None else targets[order_B],
    )


def frame(first: I64, second: I64 | None, first_id: int, separator_id: int) -> tuple[I64, I64]:
    """`[CLS] first [SEP]` or `[CLS] first [SEP] second [SEP]` with its segments."""
    edge = np.array([separator_id], np.int64)
    ids = [np.array([first_id], np.int64), first, edge]
    lengths = [len(first) + 2]
    if second is not None:
        ids += [second, edge]
        lengths.append(len(second) + 1)
    return np.concatenate(ids).astype(np.int64), np.repeat(np.arange(len(lengths)), lengths)


def cut_to_fit(lengths: Sequence[tuple[int, int]], room: int) -> list[tuple[int, int]]:
    """How much of each pair of parts is kept when both must fit: the longer part gives, a tie takes from the second.

    Args:
        lengths: tokens of the two parts of each example (the second 0 where there is none).
        room: tokens that both may have together.
    """
    kept = []
    for a, b in lengths:
        excess = max(a + b - room, 0)
        alone = min(excess, abs(a - b))
        shared = excess - alone
        from_a = (alone if a > b else 0) + shared // 2
        kept.append((a - from_a, b - (excess - from_a)))
    return kept


def cut_by_tokens(batch: PackedBatch, budget: int) -> list[PackedBatch]:
    """Cut a batch into micro-batches of at most `budget` tokens each (at least one sequence each)."""
    pieces, first = [], 0
    ends = batch.cu_seqlens[1:]
    while first < batch.sequences:
        fitting = int(np.searchsorted(ends, batch.cu_seqlens[first] + budget, side="right"))
        last = max(fitting, first + 1)
        pieces.append(_part(batch, first, last))
        first = last
    return pieces


def _part(batch: PackedBatch, first: int, last: int) -> PackedBatch:
    """Sequences first … last (exclusive) of a batch."""
    if (first, last) == (0, batch.sequences):
        return batch
    start, end = batch.cu_seqlens[first], batch.cu_seqlens[last]
    masked = slice(*np.searchsorted(batch.masked_M, (start, end)))
    return PackedBatch(
        batch.ids_T[start:end],
        batch.segments_T[start:end],
        batch.positions_T[start:end],
        batch.cu_seqlens[first : last + 1] - start,
        batch.order_B[first:last],
        batch.masked_M[masked] - start,
        batch.labels_M[masked],
        batch.targets_B[first:last],
    )
