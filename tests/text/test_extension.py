import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsmith.errors import DataError
from bertsmith.text.extension import Cutter, Measured, Place, extend_vocabulary, measured
from bertsmith.text.vocabulary import SPECIAL, Vocabulary
from bertsmith.text.wordpiece import WordPiece

LETTERS = tuple(string.ascii_lowercase)
OLD = Vocabulary((*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS), "heart", "##ache", "##itis"), lowercase=True)
# the old vocabulary writes `stent` in 5 pieces, `heartache` in 2, `arthritis` in 6
TEXT = ["stent heartache"] * 30 + ["arthritis stent"] * 10


def extended(texts=TEXT, old=OLD, **changes):
    return extend_vocabulary(texts, old, **{"add": 2, **changes})


def tokens_of(vocabulary, texts):
    return [int(i) for ids in WordPiece(vocabulary).encode(texts) for i in ids]


def test_the_pieces_that_save_most_tokens_are_added_the_best_first():
    # stent: 4 tokens saved 40 times; arthritis 5 times 10; heartache 1 time 30
    found = extended(add=3)
    assert [(one.piece, one.saves) for one in found.new] == [("stent", 160), ("arthritis", 50), ("heartache", 30)]
    assert [one.piece for one in extended(add=1).new] == ["stent"]


def test_old_pieces_keep_their_order_and_their_ids_and_new_ones_stand_behind():
    found = extended()
    assert found.vocabulary.pieces[: OLD.size] == OLD.pieces
    assert [found.vocabulary.ids[one.piece] for one in found.new] == [one.id for one in found.new] == [OLD.size, OLD.size + 1]


def test_each_new_piece_tells_what_the_old_vocabulary_cuts_it_into():
    old = {one.piece: one.old for one in extended(add=3).new}
    assert old == {"stent": ("s", "##t", "##e", "##n", "##t"), "arthritis": ("a", "##r", "##t", "##h", "##r", "##itis")} | {
        "heartache": ("heart", "##ache")
    }


def test_a_piece_inside_many_words_is_worth_more_than_any_of_them():
    stems = ["aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh"]
    (best,) = extended([f"{stem}ectomy" for stem in stems] * 3, add=1).new
    assert best.piece == "##ectomy"
    assert (best.saves, best.old) == (8 * 3 * 5, ("##e", "##c", "##t", "##o", "##m", "##y"))


def test_a_part_of_a_longer_piece_that_was_added_is_not_added_too():
    found = extended(["stent"] * 9, add=5)
    assert [one.piece for one in found.new] == ["stent"]


def test_fewer_useful_pieces_than_asked_for_are_told():
    events = []
    found = extended(["stent"] * 9, add=5, listen=events.append)
    assert [event.values for event in events if getattr(event, "code", "") == "fewer-new-pieces"] == [{"found": 1, "add": 5}]
    assert len(found.new) == 1


def test_a_new_piece_that_disturbs_what_follows_is_not_worth_what_it_seems():
    # `abc` saves a piece and breaks `##cde` into three: nothing is gained
    old = Vocabulary((*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS), "ab", "##cde"), lowercase=True)
    both = Cutter([*old.pieces, "abc"])
    assert both.ends("abcde") == [3, 4, 5]
    found = extended(["abcde"] * 2 + ["abc"] * 3, old=old, add=1, min_frequency=3)
    # worth: 3 times 1 saved, 2 times 1 lost
    assert [(one.piece, one.saves) for one in found.new] == [("abc", 1)]


def test_an_unknown_character_counts_as_two_tokens():
    old = Vocabulary((*SPECIAL, "a", "b", "##b"), lowercase=False)
    found = extended(["Ω"] * 5 + ["aΩ"] * 4, old=old, add=2, min_frequency=2)
    assert [(one.piece, one.saves, one.old) for one in found.new] == [("aΩ", 8, ()), ("Ω", 5, ())]
    assert (found.before, found.after) == (Measured(9, 9), Measured(9, 0))


def test_of_chinese_only_unknown_characters_can_be_added():
    old = Vocabulary((*SPECIAL, *"患者有病房"), lowercase=True)
    found = extended(["患者有痰", "患者有痰，病房", "患者有疹"] * 3, old=old, add=9)
    assert [one.piece for one in found.new] == ["痰", "疹", "，"]
    assert found.after.unknown == 0


def test_new_pieces_go_into_unused_slots_on_request():
    old = Vocabulary(("[PAD]", "[unused0]", "[unused1]", *OLD.pieces[1:], "[unused2]"), lowercase=True)
    found = extended(old=old, add=3, place=Place.UNUSED)
    assert found.vocabulary.size == old.size
    assert [one.id for one in found.new] == [1, 2, old.size - 1]
    changed = [new for new, before in zip(found.vocabulary.pieces, old.pieces) if new != before]
    assert changed == ["stent", "arthritis", "heartache"]
    with pytest.raises(DataError, match="too-few-unused"):
        extended(old=old, add=4, place=Place.UNUSED)


def test_case_and_accents_are_treated_as_the_old_vocabulary_does():
    cased = Vocabulary(OLD.pieces + tuple(string.ascii_uppercase), lowercase=False, strip_accents=False)
    assert [one.piece for one in extended(["Stent"] * 9, old=cased).new] == ["Stent"]
    found = extended(["Stent stent Stént"] * 9)
    assert [(one.piece, one.saves) for one in found.new] == [("stent", 108)]
    assert (cased.lowercase, found.vocabulary.lowercase, found.vocabulary.strip_accents) == (False, True, None)


def test_a_text_that_the_vocabulary_writes_as_it_is_gives_nothing_to_add():
    old = Vocabulary((*SPECIAL, "heart", *LETTERS, *(f"##{letter}" for letter in LETTERS)), lowercase=True)
    with pytest.raises(DataError, match="nothing-to-add"):
        extended(["heart a b c"] * 9, old=old)


WORDS = st.lists(st.text("abcdé患", min_size=1, max_size=9), min_size=8, max_size=40)


@settings(deadline=None, max_examples=40)
@given(WORDS, st.integers(1, 30))
def test_what_is_told_is_what_the_encoder_gives(words, add):
    old = Vocabulary((*SPECIAL, "a", "b", "##a", "##b", "##c", "ab", "##ba", "##cb"), lowercase=False)
    texts = [" ".join(words)] * 2
    try:
        found = extended(texts, old=old, add=add)
    except DataError as error:
        assert error.code in ("nothing-to-add", "too-little-text")
        return
    for vocabulary, told in ((old, found.before), (found.vocabulary, found.after)):
        ids = tokens_of(vocabulary, texts)
        assert told == Measured(len(ids), ids.count(vocabulary.unknown))
    assert len(found.new) <= add
    assert all(one.saves > 0 for one in found.new)
    if not found.before.unknown:
        assert found.before.tokens - found.after.tokens == sum(one.saves for one in found.new)


def test_a_piece_that_cannot_go_on_a_word_is_cut_as_if_it_began_one():
    cut = Cutter((*SPECIAL, "a", "b", "##b"))
    assert cut.of_piece("##bb") == ("##b", "##b")
    assert cut.of_piece("##ab") == ("a", "##b")
    assert cut.of_piece("##Ω") == cut.of_piece("Ω") == ()


def test_counted_words_are_measured_by_their_counts():
    assert measured({"stent": 2, "ω": 3}, Cutter(OLD.pieces)) == Measured(2 * 5 + 3, 3)
