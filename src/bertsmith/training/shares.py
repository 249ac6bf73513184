"""What each process computes of a step: the step's sequences are one list, dealt out by tokens and cut into micro-batches.

The list does not depend on the number of processes. Every process makes the whole of it, in a thread, so each knows what the step holds
before its first micro-batch, and no word passes between them about it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bertsmith.data.batches import PackedBatch, cut_by_tokens


@dataclass(frozen=True)
class Whole:
    """What a step holds, over all its micro-batches and processes: losses are means over these."""

    sequences: int
    tokens: int
    masked: int

    @classmethod
    def of(cls, batches: Sequence[PackedBatch]) -> "Whole":
        """The sums over some batches."""
        return cls(
            sum(batch.sequences for batch in batches),
            sum(batch.tokens for batch in batches),
            sum(len(batch.masked_M) for batch in batches),
        )


@dataclass(frozen=True)
class Share:
    """The micro-batches of one process in a step, and what the whole step holds."""

    parts: list[PackedBatch]
    whole: Whole


def share_of(stretches: Sequence[PackedBatch], budget: int, rank: int = 0, count: int = 1) -> Share:
    """One process's share of a step.

    Args:
        stretches: all sequences of the step.
        budget: most tokens of a micro-batch.
        rank: which process.
        count: how many processes; each gets a sequence where there are as many.
    """
    whole = Whole.of(stretches)
    if count == 1:
        return Share([part for stretch in stretches for part in cut_by_tokens(stretch, budget)], whole)
    loads = np.zeros(count, np.int64)
    parts: list[PackedBatch] = []
    for stretch in stretches:
        owner_B = dealt(np.diff(stretch.cu_seqlens), loads)
        mine = np.flatnonzero(owner_B == rank)
        if len(mine):
            parts += cut_by_tokens(_chosen(stretch, mine), budget)
    return Share(parts, whole)


def dealt(lengths_B: NDArray[np.int64], loads: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which process gets each sequence: the longest first, each to the one with the fewest tokens so far (of equals the first).

    Greedy on falling lengths is at most 4/3 of the best deal (Graham 1969), and in practice within one short sequence of it.

    Args:
        lengths_B: tokens of the sequences.
        loads: tokens that each process has already; what is dealt is added.
    """
    owner_B = np.empty(len(lengths_B), np.int64)
    for sequence in np.argsort(-lengths_B, kind="stable"):
        owner_B[sequence] = loads.argmin()
        loads[owner_B[sequence]] += lengths_B[sequence]
    return owner_B


def _chosen(batch: PackedBatch, sequences: NDArray[np.int64]) -> PackedBatch:
    """Some sequences of a batch, in their order there."""
    lengths_B = np.diff(batch.cu_seqlens)
    mine_B = np.isin(np.arange(batch.sequences), sequences)
    mine_T = np.repeat(mine_B, lengths_B)
    mine_M = mine_T[batch.masked_M]
    place_T = np.cumsum(mine_T) - 1
    return PackedBatch(
        batch.ids_T[mine_T],
        batch.segments_T[mine_T],
        batch.positions_T[mine_T],
        np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths_B[mine_B])]),
        batch.order_B[mine_B],
        place_T[batch.masked_M[mine_M]],
        batch.labels_M[mine_M],
        batch.targets_B[mine_B] if len(batch.targets_B) else batch.targets_B,
    )
