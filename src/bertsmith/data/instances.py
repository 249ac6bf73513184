"""Pretraining instances: instance i of epoch e under seed s is a pure function of (s, e, i, store).

Nothing is written out but a memo of the walk (`pairs.Memo`), which can be deleted and comes back with the same bytes. The order
of an epoch is a keyed permutation over groups of shards and then inside a group, so any position is found at once.
"""

import hashlib
import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from bertsmith.data.batches import PackedBatch, frame, pack
from bertsmith.data.masking import I64, MaskRules, mask
from bertsmith.data.pairs import Memo, PairRules, Ranges, find, memoise
from bertsmith.data.shards import Shard
from bertsmith.data.token_store import TokenStore
from bertsmith.errors import MachineError
from bertsmith.files import write_aside
from bertsmith.seeds import permute

GROUP = 8  # shards that are shuffled together: with 2**26 tokens a shard, 1 GiB of pages in use at a time
BLOCK = 2048  # positions whose ranges are found together, so that the steps of the walk are shared


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
        columns = [np.empty(len(index), np.int64) for _ in range(5)]
        for s in np.unique(shard):
            here = shard == s
            found = find(self.shards[s], self.pair_rules, epoch, memos[s], index[here] - firsts[s])
            for column, values in zip(columns, found, strict=True):
                column[here] = values
        a_start, a_end, b_start, b_end, not_next = columns
        return shard, Ranges(a_start, a_end, b_start, b_end, not_next.astype(bool))

    def batch(self, epoch: int, positions: range) -> PackedBatch:
        """The masked instances at some positions of the epoch's order, packed."""
        parts = []
        for block in range(positions.start // BLOCK, (positions.stop - 1) // BLOCK + 1):
            index, shard, ranges = self._block(epoch, block)
            first = block * BLOCK
            part = slice(max(positions.start - first, 0), positions.stop - first)
            parts.append([column[part] for column in (index, shard, *ranges)])
        index, shard, *columns = (np.concatenate(column) for column in zip(*parts, strict=True))
        return self.assemble(epoch, index, shard, Ranges(*columns))

    def assemble(self, epoch: int, index: I64, shard: I64, ranges: Ranges) -> PackedBatch:
        """Read the tokens of some instances, frame, pack and mask them."""
        ids, segments = [], []
        first, separator = self.store.vocabulary.first, self.store.vocabulary.separator
        for i in range(len(index)):
            tokens = self.shards[shard[i]].tokens
            a = tokens[ranges.a_start[i] : ranges.a_end[i]].astype(np.int64)
            b = tokens[ranges.b_start[i] : ranges.b_end[i]].astype(np.int64) if self.pair_rules.pairs else None
            framed, segment = frame(a, b, first, separator)
            ids.append(framed)
            segments.append(segment)
        batch = pack(ids, segments, ranges.not_next.astype(np.int64))
        edges_T = np.zeros(batch.tokens, bool)
        a_length = (ranges.a_end - ranges.a_start)[batch.order_B]
        edges_T[batch.cu_seqlens[:-1]] = edges_T[batch.cu_seqlens[1:] - 1] = True
        edges_T[batch.cu_seqlens[:-1] + a_length + 1] = True
        masked = mask(batch.ids_T, ~edges_T, batch.cu_seqlens, epoch, index[batch.order_B], self.mask_rules)
        return PackedBatch(
            masked[0],
            batch.segments_T,
            batch.positions_T,
            batch.cu_seqlens,
            index[batch.order_B],
            masked[1],
            masked[2],
            batch.targets_B if self.pair_rules.pairs else batch.targets_B[:0],
        )

    def not_next_share(self, epoch: int, sample: int = 20_000) -> float:
        """The realised share of not-next pairs, over the whole epoch or its first `sample` positions."""
        index = self.index_at(epoch, np.arange(min(sample, self.count(epoch))))
        return float(self.ranges(epoch, index)[1].not_next.mean())

    def _make_block(self, epoch: int, block: int) -> tuple[I64, I64, Ranges]:
        stop = min((block + 1) * BLOCK, self.count(epoch))
        index = self.index_at(epoch, np.arange(block * BLOCK, stop))
        return index, *self.ranges(epoch, index)

    def _make_memos(self, epoch: int) -> list[Memo]:
        return [self._memo(number, epoch) for number in range(len(self.shards))]

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
