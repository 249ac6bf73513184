"""The walk over offsets makes the instances that Google's procedure makes with lists of tokens."""

import random
from dataclasses import dataclass
from statistics import mean, stdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_pairs import RandomDraws, documents_of, naive_document, naive_epoch

from bertsmith.data.pairs import CHECKPOINT, PairRules, find, memoise
from bertsmith.errors import DataError


@dataclass
class Lengths:
    """A shard of which every token is its own number."""

    sentences: np.ndarray
    documents: np.ndarray
    first_document: int

    @property
    def tokens(self):
        return np.arange(self.sentences[-1])


def shard_of(lengths, first_document=0):
    flat = [length for document in lengths for length in document]
    return Lengths(np.cumsum([0, *flat]), np.cumsum([0, *map(len, lengths)]), first_document)


def rules_of(max_seq_length=32, short_share=0.1, pairs=True, seed=0):
    return PairRules(max_seq_length, short_share, pairs, seed)


def whole_epoch(shard, rules, epoch):
    memo = memoise(shard, rules, epoch)
    return find(shard, rules, epoch, memo, np.arange(memo.count))


def as_lists(ranges):
    return [(list(range(a, b)), list(range(c, d)), bool(label)) for a, b, c, d, label in zip(*ranges, strict=True)]


def naive_lists(shard, rules, epoch):
    instances = naive_epoch(documents_of(shard), shard.first_document, rules, epoch)
    return [(instance.a, instance.b, instance.not_next) for instance in instances]


def mixed_lengths(documents, seed=0, longest=30):
    rng = random.Random(seed)
    return [[rng.randint(1, longest) for _ in range(rng.choice((1, 1, 2, 2, 3, 6, 25)))] for _ in range(documents)]


SENTENCE = st.one_of(st.integers(1, 8), st.integers(1, 8), st.integers(9, 200))
RUNS = 40  # of the whole procedure: enough for the spread between them to be known
DOCUMENTS = st.lists(st.lists(SENTENCE, min_size=1, max_size=12), min_size=2, max_size=8)
RULES = st.builds(PairRules, st.integers(8, 70), st.sampled_from((0.0, 0.1, 1.0)), st.booleans(), st.integers(0, 2**40))


@settings(max_examples=50, deadline=None)
@given(DOCUMENTS, RULES, st.integers(0, 5), st.integers(0, 1000))
def test_every_instance_is_the_one_of_the_naive_procedure(lengths, rules, epoch, first_document):
    shard = shard_of(lengths, first_document)
    assert as_lists(whole_epoch(shard, rules, epoch)) == naive_lists(shard, rules, epoch)


@pytest.mark.parametrize("pairs", [True, False])
def test_a_document_of_many_times_64_instances_equals_the_naive_one(pairs):
    shard, rules = shard_of([[2, 3], [1 + n % 7 for n in range(1500)], [5]]), rules_of(16, 0.0, pairs)
    memo = memoise(shard, rules, 3)
    assert np.diff(memo.firsts)[1] > 3 * CHECKPOINT
    assert as_lists(whole_epoch(shard, rules, 3)) == naive_lists(shard, rules, 3)


@pytest.mark.parametrize("count", [CHECKPOINT - 1, CHECKPOINT, CHECKPOINT + 1, 2 * CHECKPOINT])
def test_the_remembered_starts_fit_documents_that_end_at_a_checkpoint(count):
    shard, rules = shard_of([[14] * count, [14] * 5, [14] * count]), rules_of(16, 0.0, pairs=False)
    memo = memoise(shard, rules, 0)
    assert np.diff(memo.firsts).tolist() == [count, 5, count]
    assert len(memo.starts) == memo.checkpoints[-1] == 2 * -(-count // CHECKPOINT) + 1
    assert as_lists(whole_epoch(shard, rules, 0)) == naive_lists(shard, rules, 0)


def test_instances_are_found_alone_and_in_any_order_as_in_the_whole():
    shard, rules = shard_of([*mixed_lengths(20), [3] * 900]), rules_of(16)
    memo = memoise(shard, rules, 1)
    whole = as_lists(whole_epoch(shard, rules, 1))
    order = np.random.default_rng(0).permutation(memo.count)
    assert as_lists(find(shard, rules, 1, memo, order)) == [whole[i] for i in order]
    for i in order[:50]:
        assert as_lists(find(shard, rules, 1, memo, np.array([i]))) == [whole[i]]


def test_a_part_of_the_split_draws_as_the_whole_split_does():
    lengths = mixed_lengths(60)
    rules = rules_of(short_share=0.5, pairs=False)
    whole = as_lists(whole_epoch(shard_of(lengths), rules, 0))
    behind = shard_of(lengths[20:], first_document=20)
    shift = sum(map(sum, lengths[:20]))
    moved = [([t + shift for t in a], [], label) for a, _, label in as_lists(whole_epoch(behind, rules, 0))]
    assert moved == whole[-len(moved) :]


@pytest.mark.parametrize("pairs", [True, False])
def test_no_instance_is_too_long_and_no_part_is_empty(pairs):
    rules = rules_of(24, 0.5, pairs)
    ranges = whole_epoch(shard_of(mixed_lengths(200, longest=80)), rules, 0)
    a, b = ranges.a_end - ranges.a_start, ranges.b_end - ranges.b_start
    assert (a + b).max() == rules.room == (21 if pairs else 22)
    assert a.min() >= 1
    assert b.min() >= 1 if pairs else b.max() == 0


def test_a_negative_comes_from_another_document_and_the_next_text_follows_its_first_part():
    shard = shard_of(mixed_lengths(50))
    starts = shard.sentences[shard.documents]
    for epoch in range(5):
        ranges = whole_epoch(shard, rules_of(200, 0.0), epoch)
        of_a, of_b = (np.searchsorted(starts, start, side="right") for start in (ranges.a_start, ranges.b_start))
        assert (of_a[ranges.not_next] != of_b[ranges.not_next]).all()
        assert (of_a[~ranges.not_next] == of_b[~ranges.not_next]).all()
        whole = ranges.a_end - ranges.a_start + ranges.b_end - ranges.b_start < 197
        assert (ranges.a_end == ranges.b_start)[~ranges.not_next & whole].all()


def test_negatives_reach_every_other_document_and_each_of_its_sentences():
    shard = shard_of([[1] * 3] * 6)
    reached = set()
    for epoch in range(200):
        ranges = whole_epoch(shard, rules_of(16, 0.0), epoch)
        reached |= {(int(a) // 3, int(b)) for a, b in zip(ranges.a_start, ranges.b_start, strict=True) if a // 3 != b // 3}
    assert reached == {(own, token) for own in range(6) for token in range(18) if token // 3 != own}


def test_every_sentence_is_a_first_or_second_part_once_in_an_epoch():
    shard = shard_of(mixed_lengths(60, longest=6))
    ranges = whole_epoch(shard, rules_of(4000, 0.0), 0)  # room for all: nothing is truncated
    used = [range(a, b) for a, b in zip(ranges.a_start, ranges.a_end, strict=True)]
    positive = ~ranges.not_next
    used += [range(a, b) for a, b in zip(ranges.b_start[positive], ranges.b_end[positive], strict=True)]
    assert sorted(token for part in used for token in part) == list(range(shard.sentences[-1]))


def test_documents_of_one_sentence_have_only_not_next():
    assert whole_epoch(shard_of([[n] for n in range(1, 200)]), rules_of(), 0).not_next.all()


def test_chunks_of_several_sentences_are_not_next_half_of_the_time():
    shard = shard_of(mixed_lengths(1500, longest=10))
    instances = naive_epoch(documents_of(shard), 0, rules_of(), 0)
    labels = whole_epoch(shard, rules_of(), 0).not_next
    alone = np.array([instance.sentences == 1 for instance in instances])
    assert labels[alone].all()
    several = labels[~alone]
    assert abs(several.mean() - 0.5) < 4 * 0.5 / np.sqrt(len(several))


@pytest.mark.parametrize("sentences", [2, 6, 25])
def test_shares_are_those_of_the_procedure_with_ordinary_random_numbers(sentences):
    rng = random.Random(sentences)
    shard, rules = shard_of([[rng.randint(1, 25) for _ in range(sentences)] for _ in range(60)]), rules_of(64)
    documents = documents_of(shard)
    naive, ours = [], []
    for epoch in range(RUNS):
        draws = RandomDraws(rng)
        instances = [instance for d in range(60) for instance in naive_document(documents, d, rules, draws)]
        naive.append((mean(i.not_next for i in instances), len(instances), mean(len(i.a) + len(i.b) for i in instances)))
        ranges = whole_epoch(shard, rules, epoch)
        lengths = ranges.a_end - ranges.a_start + ranges.b_end - ranges.b_start
        ours.append((float(ranges.not_next.mean()), len(lengths), float(lengths.mean())))
    for theirs, own in zip(zip(*naive, strict=True), zip(*ours, strict=True), strict=True):
        error = ((stdev(theirs) ** 2 + stdev(own) ** 2) / RUNS) ** 0.5
        assert abs(mean(theirs) - mean(own)) < 4 * error


def test_a_tenth_of_the_documents_have_a_shorter_target_of_any_length():
    lengths = [[1] * 40] * 4000
    ranges = whole_epoch(shard_of(lengths), rules_of(22, 0.1, pairs=False), 0)
    first = ranges.a_end[(firsts := ranges.a_start % 40 == 0)] - ranges.a_start[firsts]
    counts = np.bincount(first, minlength=21)
    assert counts[:2].sum() == 0
    assert abs((len(lengths) - counts[20]) - 4000 * 0.1 * 18 / 19) < 4 * (4000 * 0.1 * 0.9) ** 0.5
    assert (counts[2:20] > 0).all()


def test_truncation_takes_from_front_and_back_alike():
    ranges = whole_epoch(shard_of([[300]] * 400), rules_of(64, 0.0, pairs=False), 0)
    front = ranges.a_start % 300
    assert (ranges.a_end - ranges.a_start == 62).all()
    assert abs(front.mean() - 119) < 4 * (238 * 0.25 / 400) ** 0.5


@pytest.mark.parametrize("change", [{"seed": 1}, {"max_seq_length": 33}, {"short_share": 0.9}])
def test_seed_and_settings_change_the_instances(change):
    shard = shard_of(mixed_lengths(20))
    assert as_lists(whole_epoch(shard, rules_of(), 0)) != as_lists(whole_epoch(shard, rules_of(**change), 0))


def test_epochs_differ():
    shard = shard_of(mixed_lengths(20))
    assert as_lists(whole_epoch(shard, rules_of(), 0)) != as_lists(whole_epoch(shard, rules_of(), 1))


def test_one_document_serves_for_single_stretches_but_not_for_pairs():
    shard = shard_of([[5, 5, 5]])
    assert memoise(shard, rules_of(pairs=False), 0).count == 1
    with pytest.raises(DataError, match="there is only one") as caught:
        memoise(shard, rules_of(), 0)
    assert caught.value.code == "one-document"
