"""Packing, framing and cutting lose nothing and mix nothing up."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsmith.data.batches import PackedBatch, cut_by_tokens, cut_to_fit, frame, pack

SEQUENCES = st.lists(st.lists(st.integers(0, 2**31), min_size=1, max_size=12), min_size=1, max_size=12)
PARTS = st.lists(st.integers(5, 99), min_size=0, max_size=9).map(lambda ids: np.array(ids, np.int64))


def segments_of(ids):
    return [np.arange(len(sequence)) % 2 for sequence in ids]


def packed(sequences, targets=None):
    ids = [np.array(sequence) for sequence in sequences]
    return pack(ids, segments_of(ids), targets)


def masked_batch(sequences):
    """A packed batch in which every third row is to be predicted."""
    batch = packed(sequences, np.arange(len(sequences)) * 10)
    rows = np.arange(0, batch.tokens, 3)
    return PackedBatch(
        batch.ids_T,
        batch.segments_T,
        batch.positions_T,
        batch.cu_seqlens,
        batch.order_B,
        rows,
        batch.ids_T[rows] + 1,
        batch.targets_B,
    )


@settings(max_examples=40)
@given(SEQUENCES)
def test_packed_sequences_lie_end_to_end_from_short_to_long(sequences):
    batch = packed(sequences, np.arange(len(sequences)) * 10)
    assert batch.sequences == len(sequences)
    assert batch.tokens == sum(map(len, sequences)) == batch.cu_seqlens[-1]
    assert (np.diff(np.diff(batch.cu_seqlens)) >= 0).all()
    assert sorted(batch.order_B.tolist()) == list(range(len(sequences)))
    for place, own in enumerate(batch.order_B):
        rows = slice(batch.cu_seqlens[place], batch.cu_seqlens[place + 1])
        assert batch.ids_T[rows].tolist() == sequences[own]
        assert batch.positions_T[rows].tolist() == list(range(len(sequences[own])))
        assert batch.segments_T[rows].tolist() == [n % 2 for n in range(len(sequences[own]))]
        assert batch.targets_B[place] == own * 10


def test_sequences_of_one_length_keep_their_order():
    assert packed([[1], [2, 2], [3], [4]]).order_B.tolist() == [0, 2, 3, 1]


def test_a_batch_without_targets_has_none():
    assert packed([[1], [2]]).targets_B.size == 0


def test_tokens_of_a_narrow_type_become_wide_ones():
    batch = pack([np.array([65535], np.uint16)], [np.array([0], np.int8)])
    assert batch.ids_T.dtype == batch.segments_T.dtype == np.int64
    assert batch.ids_T.tolist() == [65535]


@settings(max_examples=40)
@given(SEQUENCES, st.integers(1, 40))
def test_micro_batches_hold_everything_once_within_the_budget(sequences, budget):
    batch = masked_batch(sequences)
    pieces = cut_by_tokens(batch, budget)
    assert all(piece.tokens <= budget or piece.sequences == 1 for piece in pieces)
    for name in ("ids_T", "segments_T", "positions_T", "order_B", "labels_M", "targets_B"):
        assert np.concatenate([getattr(piece, name) for piece in pieces]).tolist() == getattr(batch, name).tolist()
    assert np.concatenate([np.diff(piece.cu_seqlens) for piece in pieces]).tolist() == np.diff(batch.cu_seqlens).tolist()
    for piece in pieces:
        assert piece.cu_seqlens[0] == 0
        assert piece.cu_seqlens[-1] == piece.tokens
        assert (piece.ids_T[piece.masked_M] + 1 == piece.labels_M).all()


@settings(max_examples=40)
@given(SEQUENCES, st.integers(1, 40))
def test_no_micro_batch_could_take_the_next_sequence(sequences, budget):
    pieces = cut_by_tokens(masked_batch(sequences), budget)
    assert all(piece.tokens + following.cu_seqlens[1] > budget for piece, following in pairwise(pieces))


def test_a_batch_within_the_budget_stays_whole():
    batch = masked_batch([[1, 2], [3]])
    assert cut_by_tokens(batch, 3) == [batch]


@settings(max_examples=40)
@given(PARTS)
def test_one_part_is_framed_by_two_special_tokens(first):
    ids, segments = frame(first, None, 1, 2)
    assert ids.tolist() == [1, *first, 2]
    assert segments.tolist() == [0] * (len(first) + 2)


@settings(max_examples=40)
@given(PARTS, PARTS)
def test_two_parts_are_framed_by_three_and_the_second_has_segment_one(first, second):
    ids, segments = frame(first, second, 1, 2)
    assert ids.tolist() == [1, *first, 2, *second, 2]
    assert segments.tolist() == [0] * (len(first) + 2) + [1] * (len(second) + 1)


def one_at_a_time(a, b, room):
    while a + b > room:
        a, b = (a - 1, b) if a > b else (a, b - 1)
    return a, b


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=5), st.integers(0, 70))
def test_cutting_to_fit_is_taking_from_the_longer_part_one_token_at_a_time(lengths, room):
    assert cut_to_fit(lengths, room) == [one_at_a_time(a, b, room) for a, b in lengths]


@pytest.mark.parametrize(
    ("lengths", "kept"), [((10, 0), (7, 0)), ((3, 10), (3, 4)), ((10, 3), (4, 3)), ((9, 9), (4, 3)), ((3, 4), (3, 4))]
)
def test_the_longer_part_gives_and_a_tie_takes_from_the_second(lengths, kept):
    assert cut_to_fit([lengths], 7) == [kept]
