"""Counts over the first instances of an epoch: lengths, masks, words, labels, beside what the rules and the walk predict."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bertsmith.data.corpus import TRAIN
from bertsmith.data.instances import Instances, Seen
from bertsmith.data.masking_words import Packed, words_of
from bertsmith.data.token_store import TokenStore

I64 = NDArray[np.int64]
LONGEST_RUN = 10  # words; runs of hidden words from this length on are counted together
_BATCH = 512  # instances in memory at a time


@dataclass(frozen=True)
class InstanceStatistics:
    """What a number of instances look like.

    Args:
        instances: how many were counted.
        tokens: their tokens, special ones included.
        lengths: how many instances have 0, 1, 2 … tokens.
        predicted: how many instances have 0, 1, 2 … predicted tokens.
        replaced_share: predicted tokens that show [MASK] (a random piece may be [MASK], too).
        kept_share: predicted tokens that show what they are (a random piece may be it, too).
        whole_share: of the words of several pieces with a hidden one, those that are hidden whole; None where there is no such word.
        runs: how many runs of neighbouring hidden words have 1, 2 … 10 words; the last counts all longer ones.
        label_share: not-next or swapped pairs; None where there are no pairs.
        predicted_label_share: the share that the walk leads one to expect: all chunks of one sentence, and half of the others.
        label_error: standard error of the difference between the two: the labels of the others are fair coins.
    """

    instances: int
    tokens: int
    lengths: tuple[int, ...]
    predicted: tuple[int, ...]
    replaced_share: float
    kept_share: float
    whole_share: float | None
    runs: tuple[int, ...]
    label_share: float | None
    predicted_label_share: float | None
    label_error: float | None

    @property
    def predicted_tokens(self) -> int:
        """Predicted tokens of all instances."""
        return sum(number * count for number, count in enumerate(self.predicted))


@dataclass(frozen=True)
class StoreStatistics:
    """What the training text is like, whatever instances are made of it.

    Args:
        one_sentence_documents: share of the documents with a single sentence, which have no next one.
        unknown_share: share of the tokens that are [UNK].
    """

    one_sentence_documents: float
    unknown_share: float


def store_statistics(store: TokenStore) -> StoreStatistics:
    """Count over the whole training text."""
    shards = store.shards(TRAIN)
    single = sum(int((np.diff(shard.documents) == 1).sum()) for shard in shards)
    documents, unknown, tokens = (sum(shard.about[name] for shard in shards) for name in ("documents", "unknown", "tokens"))
    return StoreStatistics(single / max(documents, 1), unknown / max(tokens, 1))


def instance_statistics(instances: Instances, epoch: int, count: int) -> InstanceStatistics:
    """Count over the first instances of an epoch.

    Args:
        instances: the instances.
        epoch: the epoch.
        count: how many; all where the epoch has fewer.
    """
    count = min(count, instances.count(epoch))
    parts = [
        _counted(instances.seen(epoch, range(first, min(first + _BATCH, count))), instances.mask_rules.mask_id)
        for first in range(0, count, _BATCH)
    ]
    length, predicted, shown, words, runs, label, alone = (np.concatenate(column) for column in zip(*parts, strict=True))
    pairs = instances.pair_rules.pairs
    return InstanceStatistics(
        instances=count,
        tokens=int(length.sum()),
        lengths=_histogram(length),
        predicted=_histogram(predicted),
        replaced_share=float((shown == _REPLACED).mean()),
        kept_share=float((shown == _KEPT).mean()),
        whole_share=float(words.mean()) if len(words) else None,
        runs=_histogram(np.minimum(runs, LONGEST_RUN), LONGEST_RUN)[1:],
        label_share=float(label.mean()) if pairs else None,
        predicted_label_share=float(np.where(alone, 1.0, 0.5).mean()) if pairs else None,
        label_error=float(0.5 * np.sqrt((~alone).sum()) / count) if pairs else None,
    )


_RANDOM, _REPLACED, _KEPT = range(3)


def _counted(seen: Seen, mask_id: int) -> tuple[I64, I64, I64, NDArray[np.bool_], I64, NDArray[np.bool_], NDArray[np.bool_]]:
    """Of instances: lengths, numbers of predicted tokens, what these show, whether words are hidden whole, runs of words, labels."""
    batch = seen.batch
    words = words_of(Packed.of(batch.cu_seqlens, seen.text_T), seen.starts_T)
    hidden_T = np.zeros(batch.tokens, np.int64)
    hidden_T[batch.masked_M] = 1
    total_T = np.concatenate([np.zeros(1, np.int64), np.cumsum(hidden_T)])
    hidden_W = total_T[words.first_W + words.size_W] - total_T[words.first_W]
    several = (words.size_W > 1) & (hidden_W > 0)
    touched = np.flatnonzero(hidden_W > 0)
    begins = (np.diff(touched, prepend=-2) > 1) | (np.diff(words.part_W[touched], prepend=-1) != 0)
    runs = np.diff(np.append(np.flatnonzero(begins), len(touched)))
    shown_M = batch.ids_T[batch.masked_M]
    kind_M = np.where(shown_M == mask_id, _REPLACED, np.where(shown_M == batch.labels_M, _KEPT, _RANDOM))
    return (
        np.diff(batch.cu_seqlens),
        np.diff(total_T[batch.cu_seqlens]),
        kind_M,
        (hidden_W == words.size_W)[several],
        runs,
        seen.label_B,
        seen.alone_B,
    )


def _histogram(values: I64, least: int = 0) -> tuple[int, ...]:
    return tuple(np.bincount(values, minlength=least + 1).tolist())
