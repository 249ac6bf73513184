"""Whole words and runs of words of packed sequences, chosen within a budget of tokens.

Both procedures visit the words of a sequence in a random order until the budget is spent (Google's code of May 2019 for whole words:
https://github.com/google-research/bert; Joshi et al. 2020, SpanBERT, section 3.1 for spans). They are vectorised over sequences; the
loops below are over rounds, of which there are as many as skipped words or as runs in the sequence that has most of them.

Departures. A word never reaches over a special token (Google's code adds a continuation behind [SEP] to the word before it). A
run stops in front of a hidden word, at the end of its part of the pair, and behind the last word that fits the budget (SpanBERT's code
lets it run into hidden words and splits the last word). Where no word of a sequence fits the budget, its shortest one sets the
budget, so something is always predicted.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bertsmith.seeds import bits, uniform

I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]
_PLACE_BITS = np.uint64(16)  # places of the longest sequence that a setting allows
_TAKEN = 2**40  # of tokens, above any budget; a hundred of them fit into int64
_PLACE, _NONE = np.uint64(2**16 - 1), np.uint64(2**64 - 1)


class Packed(NamedTuple):
    """Sequences end to end: where each begins (B+1), and of every token its sequence, its place there, and whether it may be hidden."""

    cu_seqlens: I64
    sequence_T: I64
    place_T: I64
    maskable_T: Bools

    @classmethod
    def of(cls, cu_seqlens: I64, maskable_T: Bools) -> "Packed":
        """Sequences between these bounds."""
        lengths_B = np.diff(cu_seqlens)
        sequence_T = np.repeat(np.arange(len(lengths_B)), lengths_B)
        return cls(cu_seqlens, sequence_T, np.arange(len(maskable_T)) - cu_seqlens[sequence_T], maskable_T)


class Words(NamedTuple):
    """The words of packed sequences: row of the first token, number of tokens, sequence, and part (between special tokens)."""

    first_W: I64
    size_W: I64
    sequence_W: I64
    part_W: I64


class Drawn(NamedTuple):
    """What keys the draws: seed, epoch, and the number of each sequence's instance."""

    seed: int
    epoch: int
    index_B: I64


def words_of(packed: Packed, starts_T: Bools) -> Words:
    """The words between special tokens, of which every sequence has one in front; the rest of a word cut off at its front is a word."""
    maskable_T = packed.maskable_T
    begins_T = starts_T.copy()
    begins_T[1:] |= ~maskable_T[:-1]
    begins_T &= maskable_T
    first_W = np.flatnonzero(begins_T)
    end_W = np.append(first_W[1:], len(maskable_T))
    part_T = np.cumsum(~maskable_T, dtype=np.int64)
    # between the end of a word and the next one stand special tokens, or nothing
    size_W = end_W - first_W - (part_T[end_W - 1] - part_T[first_W])
    return Words(first_W, size_W, packed.sequence_T[first_W], part_T[first_W])


def rows_of(words: Words, taken_W: Bools) -> I64:
    """The rows of some words, rising."""
    return ranges_joined(words.first_W[taken_W], words.size_W[taken_W])


def ranges_joined(first_N: I64, size_N: I64) -> I64:
    """The numbers of ranges one behind another: first, first + 1 … of each."""
    ends_N = np.cumsum(size_N)
    joined: I64 = np.repeat(first_N - ends_N + size_N, size_N) + np.arange(ends_N[-1] if len(ends_N) else 0)
    return joined


def chosen_words(packed: Packed, words: Words, drawn: Drawn, budget_B: I64) -> Bools:
    """Which words are hidden: in a random order, each that still fits the budget (W)."""
    visited_BW, size_BW = _visited(packed, words, drawn)
    left_B = _enough(size_BW, budget_B)
    open_BW = (size_BW > 0) & (size_BW <= left_B[:, None])
    taken_W = np.zeros(len(words.first_W), bool)
    while open_BW.any():
        # all words up to the first that does not fit; that one never will, since the budget only falls
        fits_BW = open_BW & (np.cumsum(size_BW * open_BW, axis=1) <= left_B[:, None])
        taken_W[visited_BW[fits_BW]] = True
        left_B = left_B - (size_BW * fits_BW).sum(1)
        open_BW &= ~fits_BW & (size_BW <= left_B[:, None])
    return taken_W


def chosen_runs(packed: Packed, words: Words, drawn: Drawn, budget_B: I64, shares: Sequence[float]) -> tuple[Bools, I64]:
    """Which words are hidden where runs of them are: each visited word that is not hidden yet begins a run of a drawn length.

    Args:
        packed: the sequences.
        words: their words.
        drawn: what keys the draws.
        budget_B: most tokens of each sequence.
        shares: of the lengths 1, 2 … in words.

    Returns:
        Whether a word is hidden (W), and the word that its run begins with (W; of no meaning where it is not).
    """
    visited_BW, size_BW = _visited(packed, words, drawn)
    left_B = _enough(size_BW, budget_B)
    chance_W = uniform(drawn.seed, "run", drawn.epoch, drawn.index_B[words.sequence_W], packed.place_T[words.first_W])
    length_W = 1 + np.searchsorted(np.cumsum(shares)[:-1], chance_W, side="right")
    end_W = np.searchsorted(words.part_W, words.part_W, side="right")
    count, further = len(words.first_W), np.arange(len(shares))
    most_W = np.minimum(length_W, end_W - np.arange(count))
    cost_W = np.full(count + len(shares), _TAKEN)  # a hidden word costs more than any budget, and so does none
    cost_W[:count] = words.size_W
    begins: list[I64] = []
    runs: list[I64] = []
    sizes: list[I64] = []
    width = max(int(left_B.max(initial=0)), 1)  # as many words as can be hidden, so that most sequences need no more
    for first in range(0, visited_BW.shape[1], width):
        near_BW = visited_BW[:, first : first + width]
        rows = np.arange(len(left_B))
        while rows.size:
            open_RW = cost_W[near_BW[rows]] <= left_B[rows, None]
            at = open_RW.argmax(1)
            going = open_RW[np.arange(len(rows)), at]
            rows = rows[going]
            begin = near_BW[rows, at[going]]
            run = begin[:, None] + further
            cost = np.cumsum(cost_W[run], axis=1)
            fits = (cost <= left_B[rows, None]) & (further < most_W[begin, None])
            size = fits.sum(1)
            left_B[rows] -= cost[np.arange(len(rows)), size - 1]
            cost_W[run[fits]] = _TAKEN
            begins.append(begin)
            runs.append(run[fits])
            sizes.append(size)
    taken_W, head_W = np.zeros(count, bool), np.zeros(count, np.int64)
    if runs:
        found = np.concatenate(runs)
        taken_W[found], head_W[found] = True, np.repeat(np.concatenate(begins), np.concatenate(sizes))
    return taken_W, head_W


def in_random_order(packed: Packed, rows: I64, drawn: Drawn) -> tuple[I64, I64]:
    """Some rows of packed sequences, each sequence's in a random order of its own: the sequences, and the rows."""
    sequence, place = packed.sequence_T[rows], packed.place_T[rows]
    keys = bits(drawn.seed, "mask", drawn.epoch, drawn.index_B[sequence], place)
    # the draw with the place in its low bits: sorting the numbers is five times as fast as asking for their order
    lengths_B = np.diff(packed.cu_seqlens)
    keys_BS = np.full((len(lengths_B), lengths_B.max(initial=0)), _NONE, np.uint64)
    keys_BS[sequence, place] = (keys >> _PLACE_BITS + 1 << _PLACE_BITS) | place.astype(np.uint64)
    keys_BS.sort(axis=1)
    ordered = keys_BS[keys_BS != _NONE]
    sequence = np.sort(sequence)
    return sequence, packed.cu_seqlens[sequence] + (ordered & _PLACE).astype(np.int64)


def _enough(size_BW: I64, budget_B: I64) -> I64:
    """The budget, but at least the shortest word of the sequence."""
    large = np.iinfo(np.int64).max
    shortest_B = np.where(size_BW > 0, size_BW, large).min(1, initial=large)
    return np.where(shortest_B < large, np.maximum(budget_B, shortest_B), 0)


def _visited(packed: Packed, words: Words, drawn: Drawn) -> tuple[I64, I64]:
    """The words of each sequence in a random order, and their sizes; behind the last one stands W, of size 0, which is none."""
    count = len(words.first_W)
    sequence_W, row_W = in_random_order(packed, words.first_W, drawn)
    word_T = np.zeros(len(packed.place_T), np.int64)
    word_T[words.first_W] = np.arange(count)
    count_B = np.bincount(sequence_W, minlength=len(packed.cu_seqlens) - 1)
    place_W = np.arange(count) - (np.cumsum(count_B) - count_B)[sequence_W]
    visited_BW = np.full((len(count_B), count_B.max(initial=1)), count)
    visited_BW[sequence_W, place_W] = word_T[row_W]
    return visited_BW, np.append(words.size_W, 0)[visited_BW]
