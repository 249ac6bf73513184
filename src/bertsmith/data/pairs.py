"""Google's walk through documents, as a pure function of (seed, epoch, index).

The procedure of create_pretraining_data.py (google-research/bert): sentences of a document are collected until a target
length is reached; a part of the chunk is A; B is either the rest of the chunk ("next") or a stretch of another document
("not next"), in which case the unused sentences return to the stream. One piece of state goes from an instance to the next: the
sentence at which it starts. Every draw is keyed by (seed, purpose, epoch, document, number in the document).

Since A and B are stretches of consecutive tokens and truncation cuts at their ends, an instance is four token offsets.

Departures from Google's code: a negative always comes from another document (theirs gives up after ten tries and keeps the
same one), and the target length is drawn anew in every epoch (theirs once per copy of the corpus).
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bertsmith.errors import DataError
from bertsmith.seeds import below, bits, uniform

I64 = NDArray[np.int64]
CHECKPOINT = 64  # instances between two remembered starts: memory falls by 64, a search costs at most 63 steps


class Documents(Protocol):
    """What the walk sees of a shard: offsets only, no token."""

    @property
    def sentences(self) -> I64:
        """Token offset of every sentence, and the end: (S+1,), strictly rising."""

    @property
    def documents(self) -> I64:
        """Sentence offset of every document, and the end: (D+1,), strictly rising."""

    @property
    def first_document(self) -> int:
        """Number of the shard's first document within its split."""


@dataclass(frozen=True)
class PairRules:
    """What decides which instances an epoch has.

    Args:
        max_seq_length: tokens of the longest sequence, special ones included.
        short_share: share of the documents with a random, shorter target length.
        pairs: True for next-sentence pairs (three special tokens), False for single stretches of text (two).
        seed: the run's seed.
    """

    max_seq_length: int
    short_share: float
    pairs: bool
    seed: int

    @property
    def room(self) -> int:
        """Tokens left for text in the longest sequence."""
        return self.max_seq_length - (3 if self.pairs else 2)


class Walk(NamedTuple):
    """One step of the walk for each of several documents: sentence offsets and what was drawn."""

    start: I64
    middle: I64  # A is [start, middle)
    end: I64  # the chunk is [start, end)
    not_next: NDArray[np.bool_]
    following: I64  # where the next instance of the document starts


class Ranges(NamedTuple):
    """Instances as token offsets into their shard, after truncation; B is empty where there are no pairs."""

    a_start: I64
    a_end: I64
    b_start: I64
    b_end: I64
    not_next: NDArray[np.bool_]


@dataclass(frozen=True)
class Memo:
    """What one pass over the lengths found for a shard and an epoch.

    Args:
        firsts: (D+1,) number of the first instance of each document, and the total.
        starts: start sentence of instances 0, 64, 128 … of each document, documents one after another.
        checkpoints: (D+1,) where the starts of each document begin.
    """

    firsts: I64
    starts: I64
    checkpoints: I64

    @property
    def count(self) -> int:
        """Instances of the shard in the epoch."""
        return int(self.firsts[-1])


def targets(shard: Documents, rules: PairRules, epoch: int, document: I64) -> I64:
    """The target length in tokens of each document: the whole room, or for a share of them uniform in 2 … room."""
    number = document + shard.first_document
    short = uniform(rules.seed, "short", epoch, number) < rules.short_share
    length = 2 + below(rules.room - 1, rules.seed, "short length", epoch, number)
    return np.where(short, length, rules.room)


def step(shard: Documents, rules: PairRules, epoch: int, document: I64, number: I64 | int, start: I64) -> Walk:
    """Instance `number` of each document, given the sentence at which it starts."""
    goal = np.asarray(shard.sentences[start]) + targets(shard, rules, epoch, document)
    end = np.minimum(np.searchsorted(shard.sentences, goal), shard.documents[document + 1])
    if not rules.pairs:
        return Walk(start, end, end, np.zeros(start.shape, bool), end)
    key = document + shard.first_document
    size = end - start
    part = 1 + below(np.maximum(size - 1, 1), rules.seed, "part", epoch, key, number)
    not_next = (size == 1) | (uniform(rules.seed, "not next", epoch, key, number) < 0.5)
    middle = start + np.where(size == 1, 1, part)
    return Walk(start, middle, end, not_next, np.where(not_next, middle, end))


def memoise(shard: Documents, rules: PairRules, epoch: int) -> Memo:
    """Walk all documents of a shard in lockstep and remember how many instances each has, and every 64th start.

    Raises:
        DataError: pairs are asked for and the shard holds fewer than two documents.
    """
    size = len(shard.documents) - 1
    if rules.pairs and size < 2:
        raise DataError(
            "one-document",
            "a negative sentence must come from another document, and there is only one",
            do="set `--objective mlm`, or say with `--documents` what a document is and prepare the text again",
        )
    counts = np.zeros(size, np.int64)
    document, start, number = np.arange(size), np.asarray(shard.documents[:-1]), 0
    remembered: list[tuple[I64, I64]] = []
    while document.size:
        if number % CHECKPOINT == 0:
            remembered.append((document, start))
        start = step(shard, rules, epoch, document, number, start).following
        number += 1
        counts[document] = number
        going_on = start < shard.documents[document + 1]
        document, start = document[going_on], start[going_on]
    owner = np.concatenate([documents for documents, _ in remembered])
    order = np.argsort(owner, kind="stable")
    return Memo(_offsets(counts), np.concatenate([s for _, s in remembered])[order], _offsets(-(-counts // CHECKPOINT)))


def find(shard: Documents, rules: PairRules, epoch: int, memo: Memo, index: I64) -> Ranges:
    """The instances with the given numbers within a shard: a search, and at most 63 steps of the walk."""
    document = np.searchsorted(memo.firsts, index, side="right") - 1
    number = index - memo.firsts[document]
    start = memo.starts[memo.checkpoints[document] + number // CHECKPOINT]
    at = number // CHECKPOINT * CHECKPOINT
    while (behind := np.flatnonzero(at < number)).size:
        start[behind] = step(shard, rules, epoch, document[behind], at[behind], start[behind]).following
        at[behind] += 1
    walk = step(shard, rules, epoch, document, number, start)
    ranges = _second_parts(shard, rules, epoch, document, number, walk)
    return _truncated(ranges, rules, epoch, document + shard.first_document, number)


def _second_parts(shard: Documents, rules: PairRules, epoch: int, document: I64, number: I64, walk: Walk) -> Ranges:
    """A of every instance, and B: the rest of the chunk, or whole sentences from a random place of another document."""
    sentences, documents = shard.sentences, shard.documents
    a_start, a_end = np.asarray(sentences[walk.start]), np.asarray(sentences[walk.middle])
    if not rules.pairs:
        return Ranges(a_start, a_end, a_end, a_end, walk.not_next)
    key = document + shard.first_document
    other = below(len(documents) - 2, rules.seed, "other document", epoch, key, number)
    other += other >= document
    first = documents[other] + below(documents[other + 1] - documents[other], rules.seed, "other start", epoch, key, number)
    wanted = np.maximum(targets(shard, rules, epoch, document) - (a_end - a_start), 1)
    last = np.minimum(np.searchsorted(sentences, sentences[first] + wanted), documents[other + 1])
    b_start = np.where(walk.not_next, sentences[first], a_end)
    b_end = np.where(walk.not_next, sentences[last], sentences[walk.end])
    return Ranges(a_start, a_end, b_start, b_end, walk.not_next)


def _truncated(ranges: Ranges, rules: PairRules, epoch: int, key: I64, number: I64) -> Ranges:
    """Google's rule: one token at a time from the longer side (a tie: from B), from front or back at even odds.

    Which side loses token t follows from the lengths alone: first the longer side alone until both are equal, then B and A in
    turn; so only front or back is drawn.
    """
    a, b = ranges.a_end - ranges.a_start, ranges.b_end - ranges.b_start
    excess = np.maximum(a + b - rules.room, 0)
    if not excess.any():
        return ranges
    t = np.arange(excess.max())
    alone = np.abs(a - b)[:, None]
    from_a = np.where(t < alone, (a > b)[:, None], (t - alone) % 2 == 1)
    cut = t < excess[:, None]
    front = (bits(rules.seed, "truncate", epoch, key[:, None], number[:, None], t) & np.uint64(1)).astype(bool)

    def count(side: NDArray[np.bool_]) -> I64:
        total: I64 = (cut & side).sum(1)
        return total

    return Ranges(
        ranges.a_start + count(from_a & front),
        ranges.a_end - count(from_a & ~front),
        ranges.b_start + count(~from_a & front),
        ranges.b_end - count(~from_a & ~front),
        ranges.not_next,
    )


def _offsets(counts: I64) -> I64:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
