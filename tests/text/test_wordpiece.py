import random
import sys

import numpy as np
import pytest

from bertsmith.text import word_table, wordpiece
from bertsmith.text.vocabulary import SPECIAL, Vocabulary
from bertsmith.text.wordpiece import WordPiece

PIECES = (*SPECIAL, "我", "们", "they", "##re", "re", "'", ",", "，", "。", "a", "##b", "##c", "e", "##e", "ab")


def vocabulary(lowercase=True, split_chinese=True):
    return Vocabulary(PIECES, lowercase, split_chinese=split_chinese)


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("split_chinese", [True, False])
def test_the_bulk_path_gives_the_ids_of_the_library_for_every_character_of_unicode(lowercase, split_chinese):
    ours = WordPiece(vocabulary(lowercase, split_chinese))
    library = vocabulary(lowercase, split_chinese).tokenizer()
    characters = [chr(i) for i in range(sys.maxunicode + 1) if not 0xD800 <= i < 0xE000 and (i < 0x20000 or i % 997 == 0)]
    texts = ["".join(f"a{character}b " for character in characters[i : i + 500]) for i in range(0, len(characters), 500)]
    for text, encoding in zip(texts, library.encode_batch_fast(texts, add_special_tokens=False), strict=True):
        assert ours.encode_one(text).tolist() == encoding.ids


def test_the_bulk_path_gives_the_ids_of_the_library_for_random_mixtures():
    draw = random.Random(0)
    alphabet = "ab ceé\u0301\u0327 ,.'-_ \t\n\x0b\x0c\x1c\x85\xa0\u200b\u3000\u2028我们他，。“…①ａＢ🙂\u200d\ufe0f한국어ǅİß"
    texts = ["".join(draw.choices(alphabet, k=40)) for _ in range(3000)]
    ours, library = WordPiece(vocabulary()), vocabulary().tokenizer()
    for ids, encoding in zip(ours.encode(texts), library.encode_batch_fast(texts, add_special_tokens=False), strict=True):
        assert ids.tolist() == encoding.ids


def test_forgetting_changes_no_id(monkeypatch):
    texts = ["they re ab abc abb 我们，ab they're"] * 3
    expected = [ids.tolist() for ids in WordPiece(vocabulary()).encode(texts)]
    monkeypatch.setattr(wordpiece, "REMEMBERED", 2)
    monkeypatch.setattr(word_table, "SLOTS", 2)
    assert [ids.tolist() for ids in WordPiece(vocabulary()).encode(texts)] == expected


@pytest.mark.parametrize("lowercase", [True, False])
def test_words_met_before_keep_the_ids_of_the_library(lowercase, monkeypatch):
    monkeypatch.setattr(word_table, "SLOTS", 64)
    draw = random.Random(0)
    words = ["".join(draw.choices("abceABCE", k=draw.randint(1, 16))) for _ in range(300)] + [
        "ab" + "b" * 14,
        "ab" + "b" * 98,
        "ab" + "b" * 99,
    ]
    ours, library = WordPiece(vocabulary(lowercase)), vocabulary(lowercase).tokenizer()
    for _ in range(3):
        text = " ".join(draw.choices(words, k=1000))
        assert ours.encode_one(text).tolist() == library.encode(text, add_special_tokens=False).ids


def test_a_character_of_two_units_is_one_character():
    assert WordPiece(vocabulary()).encode_together(["🙂 ab", "", "ab🙂"]).counts.tolist() == [2, 0, 1]


def test_ids_are_int32_and_an_empty_text_has_none():
    ids = WordPiece(vocabulary()).encode(["they", " "])
    assert [array.dtype for array in ids] == [np.int32, np.int32]
    assert len(ids[1]) == 0


def test_special_pieces_in_a_text_are_plain_characters():
    encoder = WordPiece(vocabulary())
    assert (
        set(encoder.encode_one("[MASK] ab [SEP]").tolist()) & {encoder.vocabulary.mask, encoder.vocabulary.separator} == set()
    )


def test_offsets_point_into_the_text_as_it_was():
    text = "Théy're 我们"
    ids, offsets = WordPiece(vocabulary()).with_offsets(text)
    assert [text[a:b] for a, b in offsets] == ["Théy", "'", "re", "我", "们"]
    assert len(ids) == len(offsets)


def test_decoding_joins_pieces_and_puts_no_blanks_between_chinese_characters():
    encoder = WordPiece(vocabulary())
    assert encoder.decode(encoder.encode_one("我们，they ab。")) == "我们，they ab。"
    assert encoder.decode(np.array([encoder.vocabulary.first, 14, 15])) == "[CLS] ab"
