"""The walk over offsets makes the instances that Google's procedure makes with lists of tokens."""

import random
from dataclasses import dataclass
from statistics import mean, stdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_pairs import RandomDraws, documents_of, naive_document, naive_epoch

from bertsmith.data.instance_settings import Objective, Procedure
from bertsmith.data.pairs import CHECKPOINT, PairRules, find, memoise
from bertsmith.errors import DataError

NSP, SOP, MLM = Objective


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


def rules_of(max_seq_length=32, short_share=0.1, objective=NSP, seed=0, procedure=Procedure.PAPER, copies=10):
    return PairRules(max_seq_length, short_share, objective, seed, procedure, copies)


def whole_epoch(shard, rules, epoch):
    walk = rules.walk_of(epoch)
    memo = memoise(shard, rules, walk)
    return find(shard, rules, walk, memo, np.arange(memo.count))


def as_lists(ranges):
    return [(list(range(a, b)), list(range(c, d)), bool(label)) for a, b, c, d, label, _ in zip(*ranges, strict=True)]


def naive_lists(shard, rules, epoch):
    instances = naive_epoch(documents_of(shard), shard.first_document, rules, epoch)
    return [(instance.a, instance.b, instance.label) for instance in instances]


def mixed_lengths(documents, seed=0, longest=30):
    rng = random.Random(seed)
    return [[rng.randint(1, longest) for _ in range(rng.choice((1, 1, 2, 2, 3, 6, 25)))] for _ in range(documents)]


SENTENCE = st.one_of(st.integers(1, 8), st.integers(1, 8), st.integers(9, 200))
RUNS = 40  # of the whole procedure: enough for the spread between them to be known
DOCUMENTS = st.lists(st.lists(SENTENCE, min_size=1, max_size=12), min_size=2, max_size=8)
RULES = st.builds(
    PairRules,
    st.integers(8, 70),
    st.sampled_from((0.0, 0.1, 1.0)),
    st.sampled_from(Objective),
    st.integers(0, 2**40),
    st.sampled_from(Procedure),
    st.integers(1, 4),
)


@settings(max_examples=50, deadline=None)
@given(DOCUMENTS, RULES, st.integers(0, 5), st.integers(0, 1000))
def test_every_instance_is_the_one_of_the_naive_procedure(lengths, rules, epoch, first_document):
    shard = shard_of(lengths, first_document)
    assert as_lists(whole_epoch(shard, rules, epoch)) == naive_lists(shard, rules, epoch)


@pytest.mark.parametrize("objective", Objective)
def test_a_document_of_many_times_64_instances_equals_the_naive_one(objective):
    shard, rules = shard_of([[2, 3], [1 + n % 7 for n in range(1500)], [5]]), rules_of(16, 0.0, objective)
    memo = memoise(shard, rules, rules.walk_of(3))
    assert np.diff(memo.firsts)[1] > 3 * CHECKPOINT
    assert as_lists(whole_epoch(shard, rules, 3)) == naive_lists(shard, rules, 3)


@pytest.mark.parametrize("count", [CHECKPOINT - 1, CHECKPOINT, CHECKPOINT + 1, 2 * CHECKPOINT])
def test_the_remembered_starts_fit_documents_that_end_at_a_checkpoint(count):
    shard, rules = shard_of([[14] * count, [14] * 5, [14] * count]), rules_of(16, 0.0, MLM)
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


@pytest.mark.parametrize("objective", [SOP, MLM])
def test_a_part_of_the_split_draws_as_the_whole_split_does(objective):
    lengths = mixed_lengths(60)
    rules = rules_of(short_share=0.5, objective=objective)
    whole = as_lists(whole_epoch(shard_of(lengths), rules, 0))
    behind = shard_of(lengths[20:], first_document=20)
    shift = sum(map(sum, lengths[:20]))
    part = as_lists(whole_epoch(behind, rules, 0))
    moved = [([t + shift for t in a], [t + shift for t in b], label) for a, b, label in part]
    assert moved == whole[-len(moved) :]


@pytest.mark.parametrize("objective", Objective)
def test_no_instance_is_too_long_and_no_part_is_empty(objective):
    rules = rules_of(24, 0.5, objective)
    ranges = whole_epoch(shard_of(mixed_lengths(200, longest=80)), rules, 0)
    a, b = ranges.a_end - ranges.a_start, ranges.b_end - ranges.b_start
    assert (a + b).max() == rules.room == (22 if objective is MLM else 21)
    assert a.min() >= 1
    assert b.max() == 0 if objective is MLM else b.min() >= 1


def test_a_negative_comes_from_another_document_and_the_next_text_follows_its_first_part():
    shard = shard_of(mixed_lengths(50))
    starts = shard.sentences[shard.documents]
    for epoch in range(5):
        ranges = whole_epoch(shard, rules_of(200, 0.0), epoch)
        of_a, of_b = (np.searchsorted(starts, start, side="right") for start in (ranges.a_start, ranges.b_start))
        assert (of_a[ranges.label] != of_b[ranges.label]).all()
        assert (of_a[~ranges.label] == of_b[~ranges.label]).all()
        whole = ranges.a_end - ranges.a_start + ranges.b_end - ranges.b_start < 197
        assert (ranges.a_end == ranges.b_start)[~ranges.label & whole].all()


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
    positive = ~ranges.label
    used += [range(a, b) for a, b in zip(ranges.b_start[positive], ranges.b_end[positive], strict=True)]
    assert sorted(token for part in used for token in part) == list(range(shard.sentences[-1]))


def test_documents_of_one_sentence_have_only_not_next():
    assert whole_epoch(shard_of([[n] for n in range(1, 200)]), rules_of(), 0).label.all()


def test_chunks_of_several_sentences_are_not_next_half_of_the_time():
    shard = shard_of(mixed_lengths(1500, longest=10))
    instances = naive_epoch(documents_of(shard), 0, rules_of(), 0)
    labels = whole_epoch(shard, rules_of(), 0).label
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
        naive.append((mean(i.label for i in instances), len(instances), mean(len(i.a) + len(i.b) for i in instances)))
        ranges = whole_epoch(shard, rules, epoch)
        lengths = ranges.a_end - ranges.a_start + ranges.b_end - ranges.b_start
        ours.append((float(ranges.label.mean()), len(lengths), float(lengths.mean())))
    for theirs, own in zip(zip(*naive, strict=True), zip(*ours, strict=True), strict=True):
        error = ((stdev(theirs) ** 2 + stdev(own) ** 2) / RUNS) ** 0.5
        assert abs(mean(theirs) - mean(own)) < 4 * error


def test_a_tenth_of_the_documents_have_a_shorter_target_of_any_length():
    lengths = [[1] * 40] * 4000
    ranges = whole_epoch(shard_of(lengths), rules_of(23, 0.1, SOP), 0)
    starts = np.minimum(ranges.a_start, ranges.b_start)
    first = ranges.lengths[starts % 40 == 0]
    counts = np.bincount(first, minlength=21)
    assert counts[:2].sum() == 0
    assert abs((len(lengths) - counts[20]) - 4000 * 0.1 * 18 / 19) < 4 * (4000 * 0.1 * 0.9) ** 0.5
    assert (counts[2:20] > 0).all()


def test_truncation_takes_from_front_and_back_alike():
    # A of 1 token, B of 300: 240 of B are cut, from front or back
    ranges = whole_epoch(shard_of([[1, 300]] * 800), rules_of(64, 0.0, NSP), 0)
    next_text = ~ranges.label
    front = ranges.b_start[next_text] % 301 - 1
    assert (ranges.b_end - ranges.b_start == 60)[next_text].all()
    assert abs(front.mean() - 120) < 4 * (240 * 0.25 / len(front)) ** 0.5


def test_two_parts_are_swapped_half_of_the_time_and_nothing_else_changes():
    ranges = whole_epoch(shard_of(mixed_lengths(1500, longest=8)), rules_of(4000, 0.1, SOP), 0)  # nothing is truncated
    assert abs(ranges.label.mean() - 0.5) < 4 * 0.5 / len(ranges.label) ** 0.5
    assert not ranges.alone.any()
    first_end = np.where(ranges.label, ranges.b_end, ranges.a_end)
    assert (first_end == np.where(ranges.label, ranges.a_start, ranges.b_start)).all()


def test_every_sentence_that_has_a_neighbour_is_ordered_once_in_an_epoch():
    lengths = mixed_lengths(60, longest=6)
    ranges = whole_epoch(shard_of(lengths), rules_of(4000, 0.3, SOP), 0)
    used = [*zip(ranges.a_start, ranges.a_end, strict=True), *zip(ranges.b_start, ranges.b_end, strict=True)]
    starts = np.cumsum([0, *map(sum, lengths)])
    expected = [
        token
        for document, start in zip(lengths, starts[:-1], strict=True)
        if len(document) > 1
        for token in range(start, start + sum(document))
    ]
    assert sorted(token for first, last in used for token in range(first, last)) == expected


def test_documents_of_one_sentence_have_no_order_to_tell():
    shard = shard_of([[5], [6], [3, 4], [7]])
    ranges = whole_epoch(shard, rules_of(objective=SOP), 0)
    assert len(ranges.label) == 1
    assert ranges.lengths.tolist() == [7]
    assert memoise(shard_of([[5], [6]]), rules_of(objective=SOP), 0).count == 0


def test_stretches_for_masked_lm_alone_hold_every_token_once_and_stay_in_their_document():
    shard = shard_of(mixed_lengths(80, longest=70))
    ranges = whole_epoch(shard, rules_of(32, objective=MLM), 5)
    order = np.argsort(ranges.a_start)
    assert ranges.a_start[order][0] == 0
    assert (ranges.a_end[order][:-1] == ranges.a_start[order][1:]).all()
    assert ranges.a_end.max() == shard.sentences[-1]
    bounds = shard.sentences[shard.documents]
    assert (np.searchsorted(bounds, ranges.a_start, "right") == np.searchsorted(bounds, ranges.a_end, "left")).all()


def test_stretches_for_masked_lm_alone_are_as_full_as_whole_sentences_allow():
    shard = shard_of([[7] * 40, [100]])
    ranges = whole_epoch(shard, rules_of(32, objective=MLM), 0)
    assert ranges.lengths.tolist() == [28] * 10 + [30, 30, 30, 10]


def test_copies_of_google_come_again_after_as_many_epochs_and_differ_from_each_other():
    shard, rules = shard_of(mixed_lengths(20)), rules_of(procedure=Procedure.GOOGLE, copies=3)
    epochs = [as_lists(whole_epoch(shard, rules, epoch)) for epoch in range(7)]
    assert epochs[:3] == epochs[3:6]
    assert epochs[6] == epochs[0]
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]


def test_google_keeps_the_same_document_after_ten_tries_and_labels_it_not_next():
    shard, rules = shard_of([[9, 9]]), rules_of(procedure=Procedure.GOOGLE, copies=100)
    epochs = [whole_epoch(shard, rules, epoch) for epoch in range(100)]
    assert 0.3 < np.mean(np.concatenate([ranges.label for ranges in epochs])) < 0.9
    assert all((ranges.b_end <= 18).all() for ranges in epochs)


def test_ten_tries_miss_another_of_two_documents_as_often_as_ten_coins_fall_alike():
    shard, rules, same = shard_of([[3], [3]]), rules_of(procedure=Procedure.GOOGLE, copies=10**9), 0
    for epoch in range(4000):  # in some 16 of the 8000 instances nine tries miss, so the naive procedure tells ten from nine
        ranges = whole_epoch(shard, rules, epoch)
        assert as_lists(ranges) == naive_lists(shard, rules, epoch)
        same += int((ranges.a_start // 3 == ranges.b_start // 3).sum())
    expected = 8000 * 2.0**-10
    assert abs(same - expected) < 4 * expected**0.5  # of a Poisson count


@pytest.mark.parametrize("change", [{"seed": 1}, {"max_seq_length": 33}, {"short_share": 0.9}, {"objective": SOP}])
def test_seed_and_settings_change_the_instances(change):
    shard = shard_of(mixed_lengths(20))
    assert as_lists(whole_epoch(shard, rules_of(), 0)) != as_lists(whole_epoch(shard, rules_of(**change), 0))


@pytest.mark.parametrize("objective", [NSP, SOP])
def test_epochs_differ(objective):
    shard, rules = shard_of(mixed_lengths(20)), rules_of(objective=objective)
    assert as_lists(whole_epoch(shard, rules, 0)) != as_lists(whole_epoch(shard, rules, 1))


def test_one_document_serves_for_every_objective_but_next_sentences():
    shard = shard_of([[5, 5, 5]])
    assert memoise(shard, rules_of(objective=MLM), 0).count == 1
    assert memoise(shard, rules_of(objective=SOP), 0).count == 1
    with pytest.raises(DataError, match="there is only one") as caught:
        memoise(shard, rules_of(), 0)
    assert caught.value.code == "one-document"
