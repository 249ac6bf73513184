"""The table of words met before: what it gives back is what it was taught, whatever else fell into the same slot."""

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsmith.text import word_table
from bertsmith.text.word_table import WordTable

LETTERS = st.sampled_from("abAB09éß–我")
WORDS = st.lists(st.text(LETTERS, min_size=1, max_size=18), min_size=1, max_size=12)


def keys_of(table, words):
    units = np.frombuffer(" ".join([*words, ""]).encode("utf-16-le"), "<u2")
    lengths = np.array(list(map(len, words)))
    return table.keys(units, np.cumsum(lengths + 1) - lengths - 1, lengths)


def pieces_of(word):
    """Made up, but a function of the word: one to six numbers."""
    return [sum(map(ord, word)) * (i + 1) for i in range(len(word) % 6 + 1)]


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_what_the_table_knows_is_what_it_was_taught(calls):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_table, "SLOTS", 4)
        table = WordTable(lowercase=False)
        for words in calls:
            keys = keys_of(table, words)
            slots, counts = table.look_up(keys)
            known = [pieces_of(word) for word, count in zip(words, counts, strict=True) if count]
            assert table.pieces(slots, counts).tolist() == list(chain.from_iterable(known))
            new = [word for word, count in zip(words, counts, strict=True) if not count]
            ids = list(chain.from_iterable(map(pieces_of, new)))
            table.learn(keys[counts == 0], np.array([len(pieces_of(word)) for word in new], int), np.array(ids, np.int32))


def taught(words, lowercase=False):
    table = WordTable(lowercase)
    keys = keys_of(table, words)
    table.learn(keys, np.ones(len(words), int), np.arange(len(words), dtype=np.int32))
    return table


def test_a_word_is_known_when_it_comes_again_and_others_are_not():
    table = taught(["the", "encyclopaedia123"])
    slots, counts = table.look_up(keys_of(table, ["th", "encyclopaedia123", "the", "encyclopaedia1234", "thé"]))
    assert counts.tolist() == [0, 1, 1, 0, 0]
    assert table.pieces(slots, counts).tolist() == [1, 0]


def test_words_that_begin_alike_are_told_apart_in_one_slot(monkeypatch):
    monkeypatch.setattr(word_table, "SLOTS", 2)
    table = taught(["encyclopaedic"])
    others = [f"encyclop{i}" for i in range(50)]
    assert not table.look_up(keys_of(table, others))[1].any()
    assert not table.look_up(keys_of(table, [f"{i}paedic" for i in range(50)]))[1].any()


def test_case_counts_unless_the_vocabulary_folds_it():
    for lowercase in (True, False):
        table = taught(["The"], lowercase)
        assert table.look_up(keys_of(table, ["the"]))[1].tolist() == [int(lowercase)]


def test_words_with_other_characters_or_many_pieces_are_never_taken_in():
    words = ["thé", "a_b", "seventeenletters1", "ordinary"]
    table = WordTable(lowercase=True)
    counts = np.array([1, 1, 1, 5])
    table.learn(keys_of(table, words), counts, np.zeros(counts.sum(), np.int32))
    assert table.look_up(keys_of(table, words))[1].tolist() == [0, 0, 0, 0]
