"""Pretraining instances: instance i of epoch e under seed s is a pure function of (s, e, i, store).

Nothing is written out but a memo of the walk (`pairs.Memo`), which can be deleted and comes back with the same bytes. The order
of an epoch is a keyed permutation over groups of shards and then inside a group, so any position is found at once.
"""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bertsmith.data.batches import PackedBatch
from bertsmith.data.instance_settings import Unit
from bertsmith.data.masking import I64, MaskRules, choose, hide
from bertsmith.data.masking_words import Packed, ranges_joined
from bertsmith.data.pairs import Memo, PairRules, Ranges, find, joined, memoise
from bertsmith.data.shards import Shard
from bertsmith.data.token_store import TokenStore
from bertsmith.errors import MachineError
from bertsmith.files import write_aside
from bertsmith.seeds import permute

GROUP = 8  # shards that are shuffled together: with 2**26 tokens a shard, 1 GiB of pages in use at a time
BLOCK = 2048  # positions that are found and whose masks are chosen together, so that the steps of both are shared
BLOCK_TOKENS = 2**18  # most tokens of a block, so that long sequences do not wait for 2048 of them
CHUNK_TOKENS = 2**16  # tokens whose masks are chosen in one go: fewer and every round costs more, more and the cache overflows


@dataclass(frozen=True)
class Layout:
    """Where the tokens of framed instances stand, laid end to end.

    Args:
        packed: bounds, places, and which tokens are text: neither [CLS] nor [SEP].
        segments_T: 0 in A, 1 in B.
        shard_T: the shard of every token of the text (no meaning elsewhere).
        source_T: its place there.
    """

    packed: Packed
    segments_T: I64
    shard_T: I64
    source_T: I64


@dataclass(frozen=True)
class Found:
    """Instances at some positions: what they are made of, and the places in them that are hidden.

    Args:
        index_B: their numbers in the epoch.
        shard_B: the shard of each.
        ranges: its token offsets there.
        hidden_B: how many of its tokens are predicted.
        place_M: their places, rising in each instance.
        decider_M: the places whose draws decide what stands there.
    """

    index_B: I64
    shard_B: I64
    ranges: Ranges
    hidden_B: I64
    place_M: I64
    decider_M: I64

    @classmethod
    def joined(cls, parts: "Sequence[Found]") -> "Found":
        """Instances one behind another."""
        index, shard, hidden, place, decider = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("index_B", "shard_B", "hidden_B", "place_M", "decider_M")
        )
        return cls(index, shard, joined([part.ranges for part in parts]), hidden, place, decider)

    def part(self, first: int, last: int) -> "Found":
        """Instances first … last (exclusive)."""
        return self.picked(np.arange(first, min(last, len(self.index_B))))

    def picked(self, order_B: I64) -> "Found":
        """The instances in another order."""
        rows = ranges_joined((np.cumsum(self.hidden_B) - self.hidden_B)[order_B], self.hidden_B[order_B])
        parts = (self.index_B[order_B], self.shard_B[order_B], self.ranges.at(order_B), self.hidden_B[order_B])
        return Found(*parts, self.place_M[rows], self.decider_M[rows])


@dataclass(frozen=True)
class Seen:
    """Masked instances with what decided them, for statistics: a batch, and in its order what the network does not see."""

    batch: PackedBatch
    text_T: NDArray[np.bool_]  # False on [CLS] and [SEP]
    starts_T: NDArray[np.bool_]  # whether a token begins a word
    label_B: NDArray[np.bool_]  # not next, or swapped
    alone_B: NDArray[np.bool_]  # a chunk of one sentence, which had to be not next


class Instances:
    """The instances of one split of a token store.

    Args:
        store: the token store.
        split: `train` or `held-out`.
        pair_rules: which pairs there are.
        mask_rules: which tokens are predicted.
    """

    def __init__(self, store: TokenStore, split: str, pair_rules: PairRules, mask_rules: MaskRules) -> None:
        self.store, self.split, self.pair_rules, self.mask_rules = store, split, pair_rules, mask_rules
        self.shards: Sequence[Shard] = store.shards(split)
        self._memos = lru_cache(maxsize=2)(self._make_memos)
        self._block = lru_cache(maxsize=4)(self._make_block)

    def count(self, epoch: int) -> int:
        """How many instances the epoch has."""
        return sum(memo.count for memo in self._memos(epoch))

    def index_at(self, epoch: int, position: I64) -> I64:
        """Which instance stands at each position of the epoch's order."""
        sizes = np.array([memo.count for memo in self._memos(epoch)])
        firsts = np.concatenate([[0], np.cumsum(sizes)])
        groups = -(-len(sizes) // GROUP)
        order = permute(np.arange(groups), groups, self.pair_rules.seed, "order of groups", epoch)
        bounds = firsts[np.minimum(np.arange(groups + 1) * GROUP, len(sizes))]
        ends = np.cumsum(np.diff(bounds)[order])
        which = np.searchsorted(ends, position, side="right")
        index = np.empty(len(position), np.int64)
        for k in np.unique(which):
            here, group = which == k, order[k]
            size = int(bounds[group + 1] - bounds[group])
            inside = position[here] - (ends[k] - size)
            index[here] = bounds[group] + permute(inside, size, self.pair_rules.seed, "order", epoch, int(group))
        return index

    def ranges(self, epoch: int, index: I64) -> tuple[I64, Ranges]:
        """The shard of each instance and its token offsets there."""
        memos = self._memos(epoch)
        firsts = np.concatenate([[0], np.cumsum([memo.count for memo in memos])])
        shard = np.searchsorted(firsts, index, side="right") - 1
        walk, places, parts = self.pair_rules.walk_of(epoch), [], []
        for s in np.unique(shard):
            here = np.flatnonzero(shard == s)
            places.append(here)
            parts.append(find(self.shards[s], self.pair_rules, walk, memos[s], index[here] - firsts[s]))
        return shard, joined(parts).at(np.argsort(np.concatenate(places)))

    def batch(self, epoch: int, positions: range) -> PackedBatch:
        """The masked instances at some positions of the epoch's order, packed, the shortest first."""
        found = self._found(epoch, positions)
        return self._batch(epoch, found, self._lay_out(found.shard_B, found.ranges))

    def seen(self, epoch: int, positions: range) -> Seen:
        """The same batch with what decided it."""
        found = self._found(epoch, positions)
        layout = self._lay_out(found.shard_B, found.ranges)
        batch = self._batch(epoch, found, layout)
        return Seen(batch, layout.packed.maskable_T, self._starts(layout), found.ranges.label, found.ranges.alone)

    def label_share(self, epoch: int, sample: int = 20_000) -> float:
        """The realised share of not-next (or swapped) pairs, over the whole epoch or its first `sample` positions."""
        index = self.index_at(epoch, np.arange(min(sample, self.count(epoch))))
        return float(self.ranges(epoch, index)[1].label.mean())

    def _found(self, epoch: int, positions: range) -> Found:
        """The instances at some positions, the shortest first."""
        size, parts = self._block_size, []
        for block in range(positions.start // size, (positions.stop - 1) // size + 1):
            first = block * size
            parts.append(self._block(epoch, block).part(max(positions.start - first, 0), positions.stop - first))
        found = parts[0] if len(parts) == 1 else Found.joined(parts)
        return found.picked(np.argsort(found.ranges.lengths, kind="stable"))

    def _batch(self, epoch: int, found: Found, layout: Layout) -> PackedBatch:
        """Read the tokens of instances and hide the chosen ones."""
        packed, hidden_B = layout.packed, found.hidden_B
        ids_T = np.full(len(packed.maskable_T), self.store.vocabulary.separator, np.int64)
        ids_T[packed.cu_seqlens[:-1]] = self.store.vocabulary.first
        for s, rows in self._rows(layout):
            ids_T[rows] = self.shards[s].tokens[layout.source_T[rows]]
        masked_M = np.repeat(packed.cu_seqlens[:-1], hidden_B) + found.place_M
        at = (np.repeat(found.index_B, hidden_B), found.place_M, found.decider_M)
        shown_T, labels_M = hide(ids_T, masked_M, self.pair_rules.copy_of(epoch), *at, self.mask_rules)
        return PackedBatch(
            ids_T=shown_T,
            segments_T=layout.segments_T,
            positions_T=packed.place_T,
            cu_seqlens=packed.cu_seqlens,
            order_B=found.index_B,
            masked_M=masked_M,
            labels_M=labels_M,
            targets_B=found.ranges.label.astype(np.int64) if self.pair_rules.pairs else np.zeros(0, np.int64),
        )

    def _lay_out(self, shard_B: I64, ranges: Ranges) -> Layout:
        """`[CLS] A [SEP] B [SEP]`, or `[CLS] A [SEP]` where there are no pairs, one behind another."""
        a_B = ranges.a_end - ranges.a_start
        length_B = ranges.lengths + (3 if self.pair_rules.pairs else 2)
        cu_seqlens = np.concatenate([np.zeros(1, np.int64), np.cumsum(length_B)])
        text_T = np.ones(cu_seqlens[-1], bool)
        border_B = cu_seqlens[:-1] + a_B + 1  # row of the first [SEP]
        text_T[cu_seqlens[:-1]] = text_T[border_B] = text_T[cu_seqlens[1:] - 1] = False
        packed = Packed.of(cu_seqlens, text_T)
        # of A and its frame, then of B and its [SEP]: from the row of a token to its place in the shard
        parts = np.stack([a_B + 2, length_B - a_B - 2], axis=1).ravel()
        begins = np.stack([ranges.a_start - 1 - cu_seqlens[:-1], ranges.b_start - border_B - 1], axis=1).ravel()
        segments_T = np.repeat(np.tile([0, 1], len(a_B)), parts)
        source_T = np.repeat(begins, parts) + np.arange(cu_seqlens[-1])
        return Layout(packed, segments_T, shard_B[packed.sequence_T], source_T)

    def _rows(self, layout: Layout) -> list[tuple[int, I64]]:
        """The rows of text that come from each shard."""
        rows = np.flatnonzero(layout.packed.maskable_T)
        if len(self.shards) == 1:
            return [(0, rows)]
        shard = layout.shard_T[rows]
        return [(int(s), rows[shard == s]) for s in np.flatnonzero(np.bincount(shard))]

    def _starts(self, layout: Layout) -> NDArray[np.bool_]:
        """Whether each token begins a word; a special one does."""
        starts_T = np.ones(len(layout.source_T), bool)
        for s, rows in self._rows(layout):
            source = layout.source_T[rows]
            byte, bit = self.shards[s].word_starts[source >> 3], (7 - (source & 7)).astype(np.uint8)
            starts_T[rows] = (byte >> bit) & 1
        return starts_T

    @property
    def _block_size(self) -> int:
        return max(1, min(BLOCK, BLOCK_TOKENS // self.pair_rules.max_seq_length))

    def _make_block(self, epoch: int, block: int) -> Found:
        first = block * self._block_size
        index = self.index_at(epoch, np.arange(first, min(first + self._block_size, self.count(epoch))))
        shard, ranges = self.ranges(epoch, index)
        size = max(1, CHUNK_TOKENS // self.pair_rules.max_seq_length)
        chunks = [slice(first, first + size) for first in range(0, len(index), size)]
        return Found.joined([self._chosen(epoch, index[at], shard[at], ranges.at(at)) for at in chunks])

    def _chosen(self, epoch: int, index: I64, shard: I64, ranges: Ranges) -> Found:
        layout = self._lay_out(shard, ranges)
        starts_T = None if self.mask_rules.unit is Unit.TOKEN else self._starts(layout)
        chosen = choose(layout.packed, starts_T, self.pair_rules.copy_of(epoch), index, self.mask_rules)
        hidden_B = np.bincount(layout.packed.sequence_T[chosen[0]], minlength=len(index))
        return Found(index, shard, ranges, hidden_B, *(layout.packed.place_T[rows] for rows in chosen))

    def _make_memos(self, epoch: int) -> list[Memo]:
        return [self._memo(number, self.pair_rules.walk_of(epoch)) for number in range(len(self.shards))]

    def _memo(self, number: int, epoch: int) -> Memo:
        """The memo of a shard, read from the store's folder or made and left there for the next process."""
        path = self._memo_path(number, epoch)
        if path.exists():
            with np.load(path) as arrays:
                return Memo(arrays["firsts"], arrays["starts"], arrays["checkpoints"])
        memo = memoise(self.shards[number], self.pair_rules, epoch)
        buffer = io.BytesIO()
        np.savez(buffer, firsts=memo.firsts, starts=memo.starts, checkpoints=memo.checkpoints)
        try:
            with write_aside(path, "wb") as file:
                file.write(buffer.getvalue())
        except (MachineError, OSError):
            pass  # the memo only saves time: a store on a read-only or full disk serves as well
        return memo

    def _memo_path(self, number: int, epoch: int) -> Path:
        rules = hashlib.sha256(repr(self.pair_rules).encode()).hexdigest()[:12]
        return self.store.folder / "memos" / f"{self.split}-{number:05d}-{rules}-{epoch:04d}.npz"
