"""How the sequences of a step are dealt to processes and cut into micro-batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsmith.data.batches import PackedBatch, cut_by_tokens, pack
from bertsmith.training.shares import Whole, dealt, share_of

LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=40)


def batch_of(lengths, first=0):
    """A batch whose tokens tell the sequence and the place, every third of them masked."""
    ids = [np.arange(length) + 1000 * (first + n) for n, length in enumerate(lengths)]
    plain = pack(ids, [np.zeros(length, np.int64) for length in lengths], np.arange(len(lengths)) + first)
    masked_M = np.flatnonzero(plain.ids_T % 3 == 0)
    fields = (plain.ids_T, plain.segments_T, plain.positions_T, plain.cu_seqlens, plain.order_B)
    return PackedBatch(*fields, masked_M, plain.ids_T[masked_M], plain.targets_B)


def sequences_of(parts):
    """What a process computes: each sequence with its tokens, its masked tokens and its target."""
    found = []
    for part in parts:
        assert np.array_equal(part.labels_M, part.ids_T[part.masked_M])
        assert np.array_equal(part.positions_T, part.ids_T % 1000)
        for b in range(part.sequences):
            start, end = part.cu_seqlens[b], part.cu_seqlens[b + 1]
            masked = ((part.masked_M >= start) & (part.masked_M < end)).sum()
            found.append((tuple(part.ids_T[start:end].tolist()), int(masked), int(part.targets_B[b])))
    return found


@given(LENGTHS, LENGTHS, st.integers(1, 5), st.integers(10, 100))
def test_every_sequence_goes_to_one_process_whole_with_its_targets(first, second, count, budget):
    stretches = [batch_of(first), batch_of(second, len(first))]
    shares = [share_of(stretches, budget, rank, count) for rank in range(count)]
    dealt_out = sorted(one for share in shares for one in sequences_of(share.parts))
    assert dealt_out == sorted(sequences_of(stretches))
    assert {share.whole for share in shares} == {Whole.of(stretches)}


@given(LENGTHS, st.integers(1, 5))
def test_no_process_has_more_than_the_mean_and_one_sequence(lengths, count):
    loads = np.zeros(count, np.int64)
    owner_B = dealt(np.sort(np.array(lengths)), loads)
    assert [int(np.sort(np.array(lengths))[owner_B == rank].sum()) for rank in range(count)] == loads.tolist()
    assert loads.max() <= sum(lengths) / count + max(lengths)
    if len(lengths) >= count:
        assert np.unique(owner_B).size == count


@given(LENGTHS, st.integers(10, 100))
def test_one_process_computes_the_batch_as_it_is_cut(lengths, budget):
    batch = batch_of(lengths)
    share = share_of([batch], budget)
    for ours, theirs in zip(share.parts, cut_by_tokens(batch, budget), strict=True):
        assert np.array_equal(ours.ids_T, theirs.ids_T)


def test_batches_without_targets_stay_without():
    batch = batch_of([5, 9, 12])
    bare = PackedBatch(
        batch.ids_T, batch.segments_T, batch.positions_T, batch.cu_seqlens, batch.order_B, batch.masked_M, batch.labels_M
    )
    assert all(len(part.targets_B) == 0 for part in share_of([bare], 10, 1, 2).parts)


@pytest.mark.parametrize("count", [2, 4])
def test_real_lengths_are_dealt_evenly(count):
    lengths = np.sort(np.random.default_rng(0).integers(20, 129, 32))
    loads = np.zeros(count, np.int64)
    dealt(lengths, loads)
    assert loads.max() / loads.mean() < 1.02
