"""Masks follow Google's rule exactly and are a pure function of seed, epoch and instance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_pairs import naive_mask

from bertsmith.data.masking import MaskRules, mask

FIRST, SEPARATOR, MASK, VOCAB = 2, 3, 4, 300
SPECIAL = {FIRST, SEPARATOR}


def rules_of(share=0.15, seed=0, vocab_size=VOCAB):
    return MaskRules(share, vocab_size, MASK, seed)


def sequences(lengths, seed=0):
    """Framed sequences with a separator in the middle where there is room, and never [MASK] in the text."""
    rng = np.random.default_rng(seed)
    made = []
    for length in lengths:
        ids = rng.integers(5, VOCAB, length)
        ids[0], ids[-1] = FIRST, SEPARATOR
        if length > 4:
            ids[length // 2] = SEPARATOR
        made.append(ids)
    return made


def masked(made, epoch=0, index=None, rules=None):
    ids_T = np.concatenate(made)
    cu_seqlens = np.cumsum([0, *map(len, made)])
    index = np.arange(len(made)) if index is None else np.array(index)
    return mask(ids_T, ~np.isin(ids_T, list(SPECIAL)), cu_seqlens, epoch, index, rules or rules_of())


def one_by_one(made, shown_T, masked_M, labels_M):
    """What `mask` returned, for each sequence: its tokens, the places in it, and what stood there."""
    first = 0
    for ids in made:
        here = (masked_M >= first) & (masked_M < first + len(ids))
        yield shown_T[first : first + len(ids)].tolist(), (masked_M[here] - first).tolist(), labels_M[here].tolist()
        first += len(ids)


@pytest.fixture(scope="module")
def many():
    """Over 10⁵ masked tokens in sequences of 5 to 128."""
    made = sequences(np.random.default_rng(1).integers(5, 129, 10_500))
    shown_T, masked_M, labels_M = masked(made)
    assert len(masked_M) > 100_000
    return made, shown_T, masked_M, labels_M


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(3, 60), min_size=1, max_size=6),
    st.sampled_from((0.01, 0.15, 0.3, 0.5, 0.9)),
    st.integers(0, 2**40),
    st.integers(0, 9),
)
def test_masks_are_those_of_the_naive_rule(lengths, share, seed, epoch):
    made, rules = sequences(lengths, seed % 1000), rules_of(share, seed)
    index = [7 * i + 3 for i in range(len(made))]
    expected = [naive_mask(ids.tolist(), SPECIAL, epoch, i, rules) for ids, i in zip(made, index, strict=True)]
    assert list(one_by_one(made, *masked(made, epoch, index, rules))) == expected


def test_the_count_is_the_share_of_the_whole_sequence_rounded_to_even_and_at_least_one(many):
    made, _, masked_M, _ = many
    counts = np.diff(np.searchsorted(masked_M, np.cumsum([0, *map(len, made)])))
    assert counts.tolist() == [max(1, round(0.15 * len(ids))) for ids in made]
    assert {round(0.15 * 10), round(0.15 * 30)} == {2, 4}  # 1.5 up and 4.5 down: halves go to even


def test_no_special_token_is_ever_masked(many):
    made, shown_T, masked_M, labels_M = many
    ids_T = np.concatenate(made)
    assert not np.isin(ids_T[masked_M], list(SPECIAL)).any()
    assert (labels_M == ids_T[masked_M]).all()
    elsewhere = np.delete(np.arange(len(ids_T)), masked_M)
    assert (shown_T[elsewhere] == ids_T[elsewhere]).all()


def test_eighty_percent_are_hidden_ten_stay_and_ten_are_random(many):
    _, shown_T, masked_M, labels_M = many
    shown_M, n = shown_T[masked_M], len(masked_M)
    hidden, stayed = (shown_M == MASK).mean(), (shown_M == labels_M).mean()
    for found, expected in (
        (hidden, 0.8 + 0.1 / VOCAB),  # a random piece may be [MASK]
        (stayed, 0.1 + 0.1 / VOCAB),  # or the token itself
        (1 - hidden - stayed, 0.1 * (1 - 2 / VOCAB)),
    ):
        assert abs(found - expected) < 4 * np.sqrt(expected * (1 - expected) / n)


def test_random_pieces_cover_the_whole_vocabulary_evenly(many):
    _, shown_T, masked_M, labels_M = many
    shown_M = shown_T[masked_M]
    random_M = shown_M[(shown_M != MASK) & (shown_M != labels_M)]
    counts = np.bincount(random_M, minlength=VOCAB)
    assert len(counts) == VOCAB
    assert np.flatnonzero(counts == 0).tolist() == [MASK]  # drawn too, but not told from the hidden ones
    drawn = np.delete(counts, MASK)
    assert ((drawn - drawn.mean()) ** 2 / drawn.mean()).sum() < VOCAB + 4 * np.sqrt(2 * VOCAB)


def test_all_places_of_a_sequence_are_masked_equally_often():
    made = sequences([40] * 20_000)
    counts = np.bincount(masked(made)[1] % 40, minlength=40)
    maskable = np.delete(counts, (0, 20, 39))
    assert counts.sum() == maskable.sum() == 6 * 20_000
    expected = 6 * 20_000 / 37
    assert np.abs(maskable - expected).max() < 4.5 * np.sqrt(expected * (1 - 6 / 37))


def test_places_and_replacements_are_drawn_apart(many):
    _, shown_T, masked_M, _ = many
    first_of_pair = np.flatnonzero(np.diff(masked_M) == 1)
    hidden = shown_T[masked_M] == MASK
    together = (hidden[first_of_pair] & hidden[first_of_pair + 1]).mean()
    assert abs(together - 0.64) < 4 * np.sqrt(0.64 * 0.36 / len(first_of_pair))


def test_neighbours_in_the_batch_change_nothing():
    made = sequences([9, 30, 17, 64])
    together = list(one_by_one(made, *masked(made, 2, [5, 6, 7, 8])))
    turned = list(one_by_one(made[::-1], *masked(made[::-1], 2, [8, 7, 6, 5])))
    assert together == turned[::-1]
    for ids, index, expected in zip(made, [5, 6, 7, 8], together, strict=True):
        assert list(one_by_one([ids], *masked([ids], 2, [index]))) == [expected]


@pytest.mark.parametrize("change", [{"epoch": 1}, {"index": [1]}, {"rules": rules_of(seed=1)}])
def test_epoch_instance_and_seed_change_the_mask(change):
    made = sequences([100])
    assert masked(made)[1].tolist() != masked(made, **change)[1].tolist()


def test_a_sequence_with_nothing_to_mask_has_no_mask_and_its_neighbour_has_one():
    _, masked_M, _ = masked([np.array([FIRST, SEPARATOR]), np.array([FIRST, 9, SEPARATOR])])
    assert masked_M.tolist() == [3]


def test_what_was_given_stays_as_it_was():
    ids_T = np.array([FIRST, 9, 8, 7, SEPARATOR])
    mask(ids_T, np.array([0, 1, 1, 1, 0], bool), np.array([0, 5]), 0, np.array([0]), rules_of(0.9))
    assert ids_T.tolist() == [FIRST, 9, 8, 7, SEPARATOR]
