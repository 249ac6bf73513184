"""Sequences end to end as tensors, with the plan of how attention walks them, built once per batch.

B sequences, T packed tokens, S padded length of a group, M masked rows.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bertsmith.data.batches import PackedBatch

PADDING_ALLOWED = 1.10  # padded attention FLOPs of a group over its real ones, at most


@dataclass(frozen=True)
class Group:
    """Neighbouring sequences of similar length, whose attention is computed as one batch of products.

    Args:
        rows: first and last (exclusive) row of the group in the pack.
        count: how many sequences.
        length: the longest of them, S.
        index: (count·S,) row of the pack for every padded place, or None where all have the same length.
        places: (rows,) padded place of every row of the group; None likewise.
        padded_keys: (count, 1, 1, S) True where a place holds no token; None likewise.
    """

    rows: tuple[int, int]
    count: int
    length: int
    index: Tensor | None = None
    places: Tensor | None = None
    padded_keys: Tensor | None = None


@dataclass(frozen=True)
class Pack:
    """A `PackedBatch` as tensors on a device; sequences are ordered by length.

    Args:
        ids_T: piece of every token.
        segments_T: its segment.
        positions_T: its place in its sequence.
        firsts_B: row of each sequence's first token.
        groups: the plan of attention.
        masked_M: rows whose token is to be predicted.
        labels_M: the tokens that stood there.
        targets_B: the label of each sequence.
    """

    ids_T: Tensor
    segments_T: Tensor
    positions_T: Tensor
    firsts_B: Tensor
    groups: tuple[Group, ...]
    masked_M: Tensor
    labels_M: Tensor
    targets_B: Tensor

    @property
    def bounds(self) -> Tensor:
        """Where each sequence begins, and the end: (B+1,), int32."""
        return torch.cat([self.firsts_B, self.firsts_B.new_tensor([len(self.ids_T)])]).int()

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence."""
        return max(group.length for group in self.groups)

    @classmethod
    def of(cls, batch: PackedBatch, device: torch.device | str = "cpu") -> "Pack":
        """Move a batch to a device and plan its attention."""

        def tensor(array: np.ndarray) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(array)).to(device, non_blocking=True)

        return cls(
            tensor(batch.ids_T),
            tensor(batch.segments_T),
            tensor(batch.positions_T),
            tensor(batch.cu_seqlens[:-1]),
            tuple(_group(batch.cu_seqlens, first, last, device) for first, last in groups_of(np.diff(batch.cu_seqlens))),
            tensor(batch.masked_M),
            tensor(batch.labels_M),
            tensor(batch.targets_B),
        )


def groups_of(lengths_B: np.ndarray) -> list[tuple[int, int]]:
    """Cut a row of rising lengths into groups (first, last) whose padded attention costs at most 10 % more than the real."""
    groups, first, real = [], 0, 0
    for i, length in enumerate(lengths_B.tolist()):
        if i > first and (i + 1 - first) * length**2 > PADDING_ALLOWED * (real + length**2):
            groups.append((first, i))
            first, real = i, 0
        real += length**2
    return [*groups, (first, len(lengths_B))]


def _group(cu_seqlens: np.ndarray, first: int, last: int, device: torch.device | str) -> Group:
    starts, ends = cu_seqlens[first:last], cu_seqlens[first + 1 : last + 1]
    lengths = ends - starts
    longest = int(lengths.max())
    rows, count = (int(starts[0]), int(ends[-1])), last - first
    if (lengths == longest).all():
        return Group(rows, count, longest)
    place = np.arange(longest)
    real = place < lengths[:, None]
    index = np.where(real, starts[:, None] + place, starts[:, None])  # a padded place reads some row; nothing reads it
    return Group(
        rows,
        count,
        longest,
        torch.from_numpy(index.ravel()).to(device),
        torch.from_numpy(np.flatnonzero(real)).to(device),
        torch.from_numpy(~real)[:, None, None, :].to(device),
    )
