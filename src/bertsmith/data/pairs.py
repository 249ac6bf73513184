"""Google's walk through documents, as a pure function of (seed, epoch, index).

The procedure of create_pretraining_data.py (google-research/bert): sentences of a document are collected until a target
length is reached; a part of the chunk is A; B is either the rest of the chunk ("next") or a stretch of another document
("not next"), in which case the unused sentences return to the stream. One piece of state goes from an instance to the next: the
sentence at which it starts. Every draw is keyed by (seed, purpose, epoch, document, number in the document).

Since A and B are stretches of consecutive tokens and truncation cuts at their ends, an instance is four token offsets.

Three objectives share the walk:

- next sentence, as above. `paper`: a negative always comes from another document, and target lengths are drawn anew in every epoch.
  `google-2018`: the letter of Google's code. After ten tries for another document the same one serves, still labelled "not next",
  and pairs are drawn once for each of `copies` copies of the text, which the epochs take in turn.
- sentence order (Lan et al. 2020, ALBERT, section 3.1): B is always the rest of the chunk, and both change places in half of the
  instances. Each chunk then needs two sentences: it goes on behind the target until it has them, takes a last sentence that would be
  left alone, and a document of one sentence gives none (ALBERT's code takes another document there and calls it swapped).
- masked LM alone: full-length stretches, see `windows`.

Departures from Google's code that remain: a negative comes from the same shard, not from the whole corpus; the copies come one after
another, each in an order of its own for every epoch, not shuffled into each other once; draws are keyed, not taken from one stream.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bertsmith.data.instance_settings import COPIES, Objective, Procedure
from bertsmith.data.windows import ends_of_windows
from bertsmith.errors import DataError
from bertsmith.seeds import below, bits, uniform

I64 = NDArray[np.int64]
CHECKPOINT = 64  # instances between two remembered starts: memory falls by 64, a search costs at most 63 steps
LEAST_DOCUMENTS = 2  # of a shard, for next sentences: a negative comes from another document
TRIES = 10  # for another document; create_pretraining_data.py


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
        short_share: share of the documents whose pairs have a random, shorter target length.
        objective: what is learned; pairs have three special tokens, stretches for masked LM alone two.
        seed: the run's seed.
        procedure: as the paper says or as Google's code does.
        copies: copies of the text that repeat, of Google's procedure.
    """

    max_seq_length: int
    short_share: float
    objective: Objective
    seed: int
    procedure: Procedure = Procedure.PAPER
    copies: int = COPIES

    @property
    def pairs(self) -> bool:
        """Whether an instance is a pair."""
        return self.objective is not Objective.MLM

    @property
    def room(self) -> int:
        """Tokens left for text in the longest sequence."""
        return self.max_seq_length - (3 if self.pairs else 2)

    def copy_of(self, epoch: int) -> int:
        """The epoch that keys the draws: the copy of the text that the epoch takes, where there are copies."""
        return epoch % self.copies if self.procedure is Procedure.GOOGLE else epoch

    def walk_of(self, epoch: int) -> int:
        """The epoch that keys the walk: stretches for masked LM alone are the same in all."""
        return self.copy_of(epoch) if self.pairs else 0


class Walk(NamedTuple):
    """One step of the walk for each of several documents: sentence offsets (token offsets where there are no pairs) and what was drawn."""

    start: I64
    middle: I64  # A is [start, middle)
    end: I64  # the chunk is [start, end)
    label: NDArray[np.bool_]  # not next, or swapped
    alone: NDArray[np.bool_]  # one sentence, for which next is impossible
    following: I64  # where the next instance of the document starts


class Ranges(NamedTuple):
    """Instances as token offsets into their shard, after truncation; B is empty where there are no pairs."""

    a_start: I64
    a_end: I64
    b_start: I64
    b_end: I64
    label: NDArray[np.bool_]  # not next, or swapped
    alone: NDArray[np.bool_]  # the chunk was one sentence, so that it had to be not next

    def at(self, rows: I64 | slice) -> "Ranges":
        """Some of the instances."""
        bounds = (self.a_start[rows], self.a_end[rows], self.b_start[rows], self.b_end[rows])
        return Ranges(*bounds, self.label[rows], self.alone[rows])

    @property
    def lengths(self) -> I64:
        """Tokens of A and B together."""
        return self.a_end - self.a_start + self.b_end - self.b_start


def joined(parts: Sequence[Ranges]) -> Ranges:
    """Instances one behind another."""
    a_start, a_end, b_start, b_end, label, alone = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Ranges(a_start, a_end, b_start, b_end, label.astype(bool), alone.astype(bool))


@dataclass(frozen=True)
class Memo:
    """What one pass over the lengths found for a shard and an epoch.

    Args:
        firsts: (D+1,) number of the first instance of each document, and the total.
        starts: start sentence (without pairs the start token) of instances 0, 64, 128 … of each document, documents one after another.
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
    """Instance `number` of each document, given the sentence (without pairs the token) at which it starts."""
    no = np.zeros(start.shape, bool)
    if not rules.pairs:
        end = ends_of_windows(shard.sentences, shard.documents, rules.room, document, start)
        return Walk(start, end, end, no, no, end)
    goal = np.asarray(shard.sentences[start]) + targets(shard, rules, epoch, document)
    last = shard.documents[document + 1]
    end = np.minimum(np.searchsorted(shard.sentences, goal), last)
    key = document + shard.first_document
    ordered = rules.objective is Objective.MLM_SOP
    if ordered:
        end = np.maximum(end, start + 2)
        end = np.where(last - end == 1, last, end)
    size = end - start
    part = 1 + below(np.maximum(size - 1, 1), rules.seed, "part", epoch, key, number)
    middle = start + np.where(size == 1, 1, part)
    if ordered:
        return Walk(start, middle, end, uniform(rules.seed, "swapped", epoch, key, number) < 0.5, no, end)
    alone = size == 1
    not_next = alone | (uniform(rules.seed, "not next", epoch, key, number) < 0.5)
    return Walk(start, middle, end, not_next, alone, np.where(not_next, middle, end))


def memoise(shard: Documents, rules: PairRules, epoch: int) -> Memo:
    """Walk all documents of a shard in lockstep and remember how many instances each has, and every 64th start.

    Raises:
        DataError: next sentences are asked for and the shard holds fewer than two documents.
    """
    size = len(shard.documents) - 1
    if size < LEAST_DOCUMENTS and rules.objective is Objective.MLM_NSP and rules.procedure is Procedure.PAPER:
        raise DataError(
            "one-document",
            "a negative sentence must come from another document, and there is only one",
            do="set `--objective mlm`, or say with `--documents` what a document is and prepare the text again",
        )
    counts = np.zeros(size, np.int64)
    bounds = shard.documents if rules.pairs else shard.sentences[shard.documents]
    least = 2 if rules.objective is Objective.MLM_SOP else 1
    document = np.flatnonzero(np.diff(shard.documents) >= least)
    start, number = np.asarray(bounds[document]), 0
    remembered: list[tuple[I64, I64]] = []
    while document.size:
        if number % CHECKPOINT == 0:
            remembered.append((document, start))
        start = step(shard, rules, epoch, document, number, start).following
        number += 1
        counts[document] = number
        going_on = start < bounds[document + 1]
        document, start = document[going_on], start[going_on]
    owner = np.concatenate([np.zeros(0, np.int64), *(documents for documents, _ in remembered)])
    starts = np.concatenate([np.zeros(0, np.int64), *(starts for _, starts in remembered)])
    order = np.argsort(owner, kind="stable")
    return Memo(_offsets(counts), starts[order], _offsets(-(-counts // CHECKPOINT)))


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
    if not rules.pairs:
        return Ranges(walk.start, walk.end, walk.end, walk.end, walk.label, walk.alone)
    a_start, a_end, end = (np.asarray(sentences[at]) for at in (walk.start, walk.middle, walk.end))
    if rules.objective is Objective.MLM_SOP:
        return Ranges(
            np.where(walk.label, a_end, a_start),
            np.where(walk.label, end, a_end),
            np.where(walk.label, a_start, a_end),
            np.where(walk.label, a_end, end),
            walk.label,
            walk.alone,
        )
    key = document + shard.first_document
    other = _other_documents(len(documents) - 1, rules, epoch, document, key, number)
    first = documents[other] + below(documents[other + 1] - documents[other], rules.seed, "other start", epoch, key, number)
    wanted = np.maximum(targets(shard, rules, epoch, document) - (a_end - a_start), 1)
    last = np.minimum(np.searchsorted(sentences, sentences[first] + wanted), documents[other + 1])
    b_start = np.where(walk.label, sentences[first], a_end)
    b_end = np.where(walk.label, sentences[last], end)
    return Ranges(a_start, a_end, b_start, b_end, walk.label, walk.alone)


def _other_documents(count: int, rules: PairRules, epoch: int, document: I64, key: I64, number: I64) -> I64:
    """A document for each negative: another one of the shard, or Google's ten tries for another one."""
    if rules.procedure is Procedure.PAPER:
        other = below(count - 1, rules.seed, "other document", epoch, key, number)
        return other + (other >= document)
    tries = np.arange(TRIES)
    drawn = below(count, rules.seed, "other document", epoch, key[:, None], number[:, None], tries)
    another = drawn != document[:, None]
    found: I64 = np.where(another.any(1), another.argmax(1), TRIES - 1)
    return drawn[np.arange(len(drawn)), found]


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
        ranges.label,
        ranges.alone,
    )


def _offsets(counts: I64) -> I64:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
