"""Texts and pairs become framed sequences that fit, and their order is known after packing."""

from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsmith.data.encoded import Encoded, encode
from bertsmith.text.vocabulary import SPECIAL, Vocabulary
from bertsmith.text.wordpiece import WordPiece

VOCABULARY = Vocabulary((*SPECIAL, *"abcdefghij", "我", "们"), lowercase=True)
ENCODER = WordPiece(VOCABULARY)


def shown(ids):
    return " ".join(VOCABULARY.pieces[i] for i in ids)


def encoded_of(lengths):
    return Encoded([np.full(n, n) for n in lengths], [np.zeros(n, np.int64) for n in lengths], 0)


def test_a_text_is_framed():
    encoded = encode(ENCODER, ["a 我们", ""], None, 16)
    assert [shown(ids) for ids in encoded.ids] == ["[CLS] a 我 们 [SEP]", "[CLS] [SEP]"]
    assert [segments.tolist() for segments in encoded.segments] == [[0] * 5, [0] * 2]
    assert (len(encoded), encoded.cut) == (2, 0)


def test_the_mask_is_the_only_special_piece_that_a_text_can_name():
    encoded = encode(ENCODER, ["a [MASK] b", "a", "[MASK]", "a [SEP]"], None, 16)
    assert [shown(ids) for ids in encoded.ids[:3]] == ["[CLS] a [MASK] b [SEP]", "[CLS] a [SEP]", "[CLS] [MASK] [SEP]"]
    assert VOCABULARY.separator not in encoded.ids[3][1:-1]


def test_a_pair_is_framed_with_two_segments():
    encoded = encode(ENCODER, ["a b"], ["c"], 16)
    assert shown(encoded.ids[0]) == "[CLS] a b [SEP] c [SEP]"
    assert encoded.segments[0].tolist() == [0, 0, 0, 0, 1, 1]


def test_a_pair_keeps_its_frame_when_one_part_is_empty():
    assert [shown(ids) for ids in encode(ENCODER, ["a", ""], ["", "b"], 16).ids] == [
        "[CLS] a [SEP] [SEP]",
        "[CLS] [SEP] b [SEP]",
    ]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("a b c d e f", "g h", "[CLS] a b c [SEP] g h [SEP]"),
        ("a b", "c d e f g h", "[CLS] a b [SEP] c d e [SEP]"),
        ("a b c d e", "f g h i j", "[CLS] a b c [SEP] f g [SEP]"),
    ],
)
def test_a_pair_that_is_too_long_loses_the_end_of_its_longer_part(first, second, expected):
    assert shown(encode(ENCODER, [first], [second], 8).ids[0]) == expected


def test_a_text_that_is_too_long_loses_its_end():
    assert shown(encode(ENCODER, ["a b c d e f"], None, 6).ids[0]) == "[CLS] a b c d [SEP]"


@pytest.mark.parametrize(("seconds", "cut"), [(None, 1), (["a b", "a", "", "a b"], 2)])
def test_only_texts_that_lost_something_are_counted_as_cut(seconds, cut):
    encoded = encode(ENCODER, ["a b c d", "a b c d e", "", "a b c"], seconds, 6 if seconds is None else 8)
    assert encoded.cut == cut
    assert encoded.cut_share == cut / 4


def test_nothing_at_all_has_no_cut_share():
    assert encode(ENCODER, [], None, 8).cut_share == 0


def test_nothing_at_all_makes_no_stretch():
    assert encoded_of([]).by_length(8) == []


def test_a_packed_batch_tells_which_text_each_sequence_is():
    texts = ["a b c d", "e", "f g", "h i j"]
    index = [3, 0, 1]
    batch = encode(ENCODER, texts, None, 16).pack(index, np.array([30, 0, 10]))
    restored, targets = [""] * 3, [-1] * 3
    for place, own in enumerate(batch.order_B):
        restored[own] = shown(batch.ids_T[batch.cu_seqlens[place] : batch.cu_seqlens[place + 1]])
        targets[own] = int(batch.targets_B[place])
    assert restored == [f"[CLS] {texts[i]} [SEP]" for i in index]
    assert targets == [30, 0, 10]


def test_a_packed_pair_keeps_its_own_segments():
    batch = encode(ENCODER, ["a b c", "d", "e"], ["f", "g h i j", "f g"], 16).pack([2, 1, 0])
    assert batch.order_B.tolist() == [0, 2, 1]
    assert shown(batch.ids_T).split(" [CLS] ")[1:] == ["a b c [SEP] f [SEP]", "d [SEP] g h i j [SEP]"]
    assert batch.segments_T.tolist() == [0] * 3 + [1] * 3 + [0] * 5 + [1] * 2 + [0] * 3 + [1] * 5


@settings(max_examples=50)
@given(st.lists(st.integers(2, 30), min_size=1, max_size=40), st.integers(1, 80))
def test_stretches_of_similar_length_hold_every_sequence_once_within_the_budget(lengths, budget):
    stretches = encoded_of(lengths).by_length(budget)
    assert sorted(i for stretch in stretches for i in stretch.tolist()) == list(range(len(lengths)))
    sizes = [[lengths[i] for i in stretch] for stretch in stretches]
    assert all(size and (sum(size) <= budget or len(size) == 1) for size in sizes)
    assert list(chain.from_iterable(sizes)) == sorted(lengths)
    assert all(sum(size) + following[0] > budget for size, following in pairwise(sizes))
