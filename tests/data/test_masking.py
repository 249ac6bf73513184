"""Masks follow Google's rule exactly and are a pure function of seed, epoch and instance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_masks import naive_mask

from bertsmith.data.instance_settings import Unit
from bertsmith.data.masking import LENGTHS, MaskRules, choose, mask
from bertsmith.data.masking_words import Packed
from bertsmith.seeds import bits

FIRST, SEPARATOR, MASK, VOCAB = 2, 3, 4, 300
SPECIAL = {FIRST, SEPARATOR}


def rules_of(share=0.15, seed=0, vocab_size=VOCAB, unit=Unit.TOKEN, replaced=0.8, kept=0.1, most=None):
    return MaskRules(share, vocab_size, MASK, seed, unit, replaced, kept, most)


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


def masked(made, epoch=0, index=None, rules=None, starts_T=None):
    ids_T = np.concatenate(made)
    cu_seqlens = np.cumsum([0, *map(len, made)])
    index = np.arange(len(made)) if index is None else np.array(index)
    return mask(ids_T, ~np.isin(ids_T, list(SPECIAL)), cu_seqlens, epoch, index, rules or rules_of(), starts_T)


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


def starts_of(made, seed=0, share=0.6):
    """Made word starts: a token begins a word with this probability."""
    return np.random.default_rng(seed).random(sum(map(len, made))) < share


RULES = st.builds(
    MaskRules,
    st.sampled_from((0.01, 0.15, 0.3, 0.5, 0.9)),
    st.just(VOCAB),
    st.just(MASK),
    st.integers(0, 2**40),
    st.sampled_from(Unit),
    st.sampled_from((0.0, 0.5, 0.8)),
    st.sampled_from((0.0, 0.1, 0.2)),
    st.sampled_from((None, 1, 3)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(3, 60), min_size=1, max_size=6), RULES, st.integers(0, 9), st.sampled_from((0.1, 0.6, 0.95)))
def test_masks_are_those_of_the_naive_rule(lengths, rules, epoch, word_share):
    made = sequences(lengths, rules.seed % 1000)
    starts_T, bounds = starts_of(made, rules.seed % 997, word_share), np.cumsum([0, *lengths])
    index = [7 * i + 3 for i in range(len(made))]
    expected = [
        naive_mask(ids.tolist(), SPECIAL, epoch, i, rules, starts_T[first : first + len(ids)].tolist())
        for ids, i, first in zip(made, index, bounds[:-1], strict=True)
    ]
    assert list(one_by_one(made, *masked(made, epoch, index, rules, starts_T))) == expected


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


@pytest.mark.parametrize("unit", Unit)
def test_neighbours_in_the_batch_change_nothing(unit):
    made, rules = sequences([9, 30, 17, 64]), rules_of(unit=unit)
    starts = [starts_of([ids], len(ids)) for ids in made]
    together = list(one_by_one(made, *masked(made, 2, [5, 6, 7, 8], rules, np.concatenate(starts))))
    turned = list(one_by_one(made[::-1], *masked(made[::-1], 2, [8, 7, 6, 5], rules, np.concatenate(starts[::-1]))))
    assert together == turned[::-1]
    for ids, index, begins, expected in zip(made, [5, 6, 7, 8], starts, together, strict=True):
        assert list(one_by_one([ids], *masked([ids], 2, [index], rules, begins))) == [expected]


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


def test_shares_of_replaced_and_kept_tokens_can_be_set(many):
    made, *_ = many
    for replaced, kept in ((1.0, 0.0), (0.5, 0.3)):
        shown_T, masked_M, labels_M = masked(made, rules=rules_of(replaced=replaced, kept=kept))
        shown_M, n = shown_T[masked_M], len(masked_M)
        random = 1 - replaced - kept
        for found, expected in (((shown_M == MASK).mean(), replaced), ((shown_M == labels_M).mean(), kept)):
            expected += random / VOCAB
            assert abs(found - expected) <= 4 * np.sqrt(expected * (1 - expected) / n)  # of a binomial share


def test_no_more_tokens_are_predicted_than_the_most(many):
    made, *_ = many
    _, masked_M, _ = masked(made, rules=rules_of(most=7))
    counts = np.diff(np.searchsorted(masked_M, np.cumsum([0, *map(len, made)])))
    assert counts.tolist() == [min(7, max(1, round(0.15 * len(ids)))) for ids in made]


def hidden_words(made, starts_T, masked_M):
    """Of every word, how many of its tokens there are and how many are predicted; and the sequence of each."""
    ids_T = np.concatenate(made)
    maskable_T = ~np.isin(ids_T, list(SPECIAL))
    begins_T = maskable_T & (starts_T | ~np.concatenate([[False], maskable_T[:-1]]))
    word_T = np.cumsum(begins_T) - 1
    hidden_T = np.zeros(len(ids_T), bool)
    hidden_T[masked_M] = True
    size_W, hidden_W = np.bincount(word_T[maskable_T]), np.bincount(word_T[maskable_T & hidden_T], minlength=begins_T.sum())
    return size_W, hidden_W


@pytest.mark.parametrize("unit", [Unit.WORD, Unit.NGRAM, Unit.SPAN])
def test_no_word_is_split_no_special_token_is_masked_and_the_budget_is_kept(unit):
    made = sequences(np.random.default_rng(2).integers(5, 129, 3000))
    starts_T = starts_of(made)
    _, masked_M, labels_M = masked(made, rules=rules_of(unit=unit), starts_T=starts_T)
    size_W, hidden_W = hidden_words(made, starts_T, masked_M)
    assert ((hidden_W == 0) | (hidden_W == size_W)).all()
    ids_T = np.concatenate(made)
    assert not np.isin(ids_T[masked_M], list(SPECIAL)).any()
    assert (np.diff(masked_M) > 0).all()
    assert (labels_M == ids_T[masked_M]).all()
    counts = np.diff(np.searchsorted(masked_M, np.cumsum([0, *map(len, made)])))
    budgets = np.array([max(1, round(0.15 * len(ids))) for ids in made])
    assert counts.min() >= 1
    over = counts > budgets  # where no word fits, the shortest is taken
    assert over.mean() < 0.02
    assert (counts[over] > 1).all()
    # words of at most a few tokens fill the budget but for less than a token in the mean
    assert 0.0 <= (budgets - counts)[~over].mean() < 0.5


def test_short_words_are_hidden_as_often_as_long_ones_where_the_budget_is_large():
    """Google's skipping favours short words only at the end of the budget: over 76 tokens it does not show."""
    made = sequences([512] * 400)
    starts_T = starts_of(made)
    size_W, hidden_W = hidden_words(made, starts_T, masked(made, rules=rules_of(unit=Unit.WORD), starts_T=starts_T)[1])
    share = [(hidden_W[size_W == size] > 0).mean() for size in (1, 2, 3)]
    assert max(share) - min(share) < 0.02


@pytest.mark.parametrize("unit", [Unit.NGRAM, Unit.SPAN])
def test_lengths_of_runs_are_those_of_the_paper(unit):
    """The run at the word that is visited first has the whole budget of ten words before it, so nothing but the end of its part cuts it.

    That happens to less than 10 of 998 words; another run adjoins as rarely. So counts may miss by 1 % beside four standard errors.
    """
    shares, counts, n = LENGTHS[unit], np.zeros(11, np.int64), 500
    made = [np.concatenate([[FIRST], np.full(998, 9), [SEPARATOR]])] * n
    starts_T, index_B, place = np.ones(1000 * n, bool), np.arange(n), np.arange(1, 999)
    for epoch in range(8):
        hidden_T = np.zeros(1000 * n + 1, bool)
        hidden_T[masked(made, epoch, rules=rules_of(0.01, unit=unit), starts_T=starts_T)[1]] = True
        first_B = place[bits(0, "mask", epoch, index_B[:, None], place).argmin(1)] + 1000 * index_B
        run_BK = hidden_T[np.minimum(first_B[:, None] + np.arange(11), 1000 * n)]
        assert run_BK[:, 0].all()
        counts += np.bincount(np.logical_and.accumulate(run_BK, axis=1).sum(1), minlength=12)[1:12][:11]
    found = counts[: len(shares)] / counts.sum()
    error = np.sqrt(np.array(shares) * (1 - np.array(shares)) / (8 * n))
    assert (np.abs(found - shares) < 4 * error + 0.01).all()
    assert sum(shares) == pytest.approx(1)


def test_the_mean_of_the_span_lengths_is_the_papers():
    assert sum(share * length for length, share in enumerate(LENGTHS[Unit.SPAN], 1)) == pytest.approx(3.8, abs=0.005)


def test_all_tokens_of_a_span_get_the_same_and_pieces_of_words_each_their_own():
    made = sequences([128] * 400)
    starts_T, packed = starts_of(made), Packed.of(np.arange(401) * 128, ~np.isin(np.concatenate(made), list(SPECIAL)))
    for unit, mixed in ((Unit.SPAN, False), (Unit.NGRAM, True), (Unit.WORD, True)):
        rules = rules_of(unit=unit, replaced=0.5, kept=0.5)
        masked_M, decider_M = choose(packed, starts_T, 0, np.arange(400), rules)
        shown_T = masked(made, rules=rules, starts_T=starts_T)[0]
        run_M = np.cumsum(np.diff(masked_M, prepend=-2) > 1) - 1 if mixed else np.unique(decider_M, return_inverse=True)[1]
        share = np.bincount(run_M, weights=shown_T[masked_M] == MASK) / np.bincount(run_M)
        assert ((share > 0) & (share < 1)).any() == mixed
        assert abs(np.mean(shown_T[masked_M] == MASK) - 0.5) < 0.05


def test_a_sequence_whose_words_are_all_too_long_hides_its_shortest():
    made = [np.array([FIRST, *range(10, 15), *range(20, 23), SEPARATOR])]
    starts_T = np.isin(np.concatenate(made), [10, 20])
    for unit in (Unit.WORD, Unit.NGRAM, Unit.SPAN):
        assert masked(made, rules=rules_of(unit=unit), starts_T=starts_T)[1].tolist() == [6, 7, 8]


def test_chinese_words_are_hidden_whole_where_their_starts_are_known():
    """Word starts as a segmenter gives them: 使用 语言 模型 来 预测 下 一个 词 的 概率; a character inside a word has none."""
    words = [2, 2, 2, 1, 2, 1, 2, 1, 1, 2]
    ids = np.concatenate([[FIRST], np.arange(10, 10 + sum(words)), [SEPARATOR]])
    inside = np.ones(len(ids), bool)
    inside[1 + np.cumsum([0, *words[:-1]])] = False
    parts = [list(range(first, first + size)) for first, size in zip(1 + np.cumsum([0, *words[:-1]]), words, strict=True)]
    for unit in (Unit.WORD, Unit.NGRAM, Unit.SPAN):
        for epoch in range(50):
            places = set(masked([ids], epoch, rules=rules_of(0.3, unit=unit), starts_T=~inside)[1].tolist())
            assert all(not places & set(part) or places >= set(part) for part in parts)
            assert 1 <= len(places) <= 5
