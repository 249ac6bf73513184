import json
import os
import subprocess
import sys

import pytest

from bertsmith.errors import DataError
from bertsmith.text.vocabulary import SPECIAL, Vocabulary, learn_vocabulary, read_vocabulary
from bertsmith.text.wordpiece import WordPiece

ENGLISH = [
    "The quick brown foxes weren't jumping over a lazy dog's naïve café.",
    "Unbelievable: 3.14 quick-witted foxes jumped!",
] * 20
CHINESE = ["今天天气很好，我们去北京。", "BERT模型在2018年发布；效果不错！", "天安门广场"] * 20
EMOJI = ["I ❤️ tea 🍵 and 👩‍🚀 rockets", "Ünïcödé ﬁne ＡＢＣ １２３ e\u0301"] * 20


def learnt(texts=None, lowercase=True, size=400, listen=lambda event: None):
    return learn_vocabulary(texts or ENGLISH + CHINESE + EMOJI, size=size, lowercase=lowercase, min_frequency=2, listen=listen)


def test_the_special_pieces_stand_first_and_no_piece_stands_twice():
    pieces = learnt().pieces
    assert pieces[:5] == SPECIAL
    assert len(set(pieces)) == len(pieces)


def test_two_processes_learn_the_same_pieces_in_the_same_order():
    program = (
        "import random\n"
        "from bertsmith.text.vocabulary import learn_vocabulary\n"
        "words = [''.join(random.Random(i).choices('abcdefghijklmnop', k=1 + i % 9)) for i in range(3000)]\n"
        "print(learn_vocabulary([' '.join(words)] * 2, size=900, lowercase=True, min_frequency=2).sha256)\n"
    )
    hashes = [
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env=dict(os.environ, PYTHONHASHSEED=str(i)),
        )
        for i in range(3)
    ]
    assert len({run.stdout for run in hashes}) == 1


def test_a_chinese_vocabulary_may_hold_far_more_than_a_thousand_characters():
    characters = [chr(0x4E00 + i) for i in range(3000)]
    vocabulary = learnt(["".join(characters)] * 3, size=6000)
    assert set(characters) <= set(vocabulary.pieces)


def test_characters_too_rare_to_matter_leave_room_for_words():
    rare = "".join(chr(0x4E00 + i) for i in range(2000))
    words = " ".join(f"word{i}" for i in range(1000))
    vocabulary = learnt([words] * 50 + [rare] * 2, size=400)
    assert sum(piece in rare for piece in vocabulary.pieces) == 0


def test_a_text_that_yields_fewer_pieces_says_so():
    events = []
    vocabulary = learnt(["a b c a b c"], size=200, listen=events.append)
    assert vocabulary.size < 200
    assert [event.values["size"] for event in events if getattr(event, "code", "") == "fewer-pieces"] == [200]


def test_a_text_without_words_is_an_error():
    with pytest.raises(DataError, match="no-words"):
        learnt(["   ", "\n"])


def test_a_cased_vocabulary_keeps_capitals_and_accents():
    pieces = "".join(learnt(lowercase=False).pieces[5:])
    assert "T" in pieces
    assert "é" in pieces
    assert not any(character.isupper() for character in "".join(learnt().pieces[5:]))


@pytest.mark.parametrize("lowercase", [True, False])
def test_what_is_written_reads_back_from_either_file_and_from_the_folder(tmp_path, lowercase):
    vocabulary = learnt(lowercase=lowercase)
    vocabulary.write(tmp_path)
    for place in (tmp_path, tmp_path / "vocab.txt", tmp_path / "tokenizer.json"):
        assert read_vocabulary(place).pieces == vocabulary.pieces
        assert read_vocabulary(place).lowercase == lowercase


def test_a_bare_vocab_txt_is_lowercase_when_no_piece_has_a_capital(tmp_path):
    for lowercase in (True, False):
        learnt(lowercase=lowercase).write(tmp_path)
        (tmp_path / "tokenizer_config.json").unlink()
        assert read_vocabulary(tmp_path / "vocab.txt").lowercase == lowercase


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("only", ["vocab.txt", "tokenizer.json", "both"])
def test_transformers_gives_the_same_ids_on_the_written_folder(tmp_path, lowercase, only):
    transformers = pytest.importorskip("transformers")
    vocabulary = learnt(lowercase=lowercase)
    vocabulary.write(tmp_path)
    for name in {"vocab.txt", "tokenizer.json"} - {only}:
        if only != "both":
            (tmp_path / name).unlink()
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    ours = WordPiece(vocabulary)
    texts = ENGLISH[:2] + CHINESE[:3] + EMOJI[:2] + ["", "unseen 詞 Ω words zzz", "tab\tand\nline\x00\u200b end\u3000wide"]
    for text, ids in zip(texts, ours.encode(texts), strict=True):
        assert theirs(text, add_special_tokens=False)["input_ids"] == ids.tolist()
    framed = theirs("a fox", "today")
    assert framed["input_ids"][0] == vocabulary.first
    assert framed["token_type_ids"][-1] == 1
    assert theirs(f"a {theirs.mask_token} b", add_special_tokens=False)["input_ids"][1] == vocabulary.mask


def test_marks_in_brackets_make_no_vocabulary_a_cased_one(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join([*SPECIAL, "[ENT]", "<S>", "<T>", "a"]), encoding="utf-8")
    assert read_vocabulary(tmp_path).lowercase


def fault_of(path):
    with pytest.raises(DataError) as caught:
        read_vocabulary(path)
    return caught.value


def test_a_missing_special_piece_and_a_doubled_piece_are_told_at_once(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\na\n", encoding="utf-8")
    fault = fault_of(path)
    assert [fault.code, *(also.code for also in fault.also)] == ["special-piece-missing", "piece-twice"]
    assert "[MASK]" in fault.text()
    assert f"{path}:7" in fault.text("zh")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-vocabulary"),
        (b"\x80\x81\x00", "vocabulary-not-text"),
        (b"[PAD]\n\x00\n", "vocabulary-not-text"),
    ],
)
def test_a_file_that_is_no_vocabulary_is_one_clear_error(tmp_path, content, code):
    (tmp_path / "vocab.txt").write_bytes(content)
    assert fault_of(tmp_path).code == code


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}, "not-wordpiece"),
        ([1, 2], "not-wordpiece"),
        ({"model": {"type": "WordPiece", "vocab": {"a": 0, "b": 2}}}, "vocabulary-holes"),
    ],
)
def test_a_tokenizer_json_of_another_kind_is_one_clear_error(tmp_path, content, code):
    (tmp_path / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    assert fault_of(tmp_path / "tokenizer.json").code == code


def test_a_folder_without_a_vocabulary_is_one_clear_error(tmp_path):
    assert fault_of(tmp_path).code == "no-vocabulary"
    assert fault_of(tmp_path / "absent.txt").code == "no-vocabulary"


def test_a_vocab_txt_of_windows_and_with_a_mark_reads_as_well(tmp_path):
    vocabulary = Vocabulary((*SPECIAL, "a", "##b", "\u2028"), lowercase=True)
    (tmp_path / "vocab.txt").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(vocabulary.pieces).encode())
    assert read_vocabulary(tmp_path).pieces == vocabulary.pieces


def test_whether_accents_are_kept_is_read_from_the_config_beside_it(tmp_path):
    vocabulary = Vocabulary((*SPECIAL, "e", "é"), lowercase=True, strip_accents=False)
    vocabulary.write(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    assert WordPiece(read_vocabulary(tmp_path)).encode_one("É e").tolist() == [6, 5]


def test_a_word_starts_with_every_piece_but_continued_and_special_ones_where_an_unknown_word_is_a_word():
    vocabulary = Vocabulary((*SPECIAL, "a", "##a", "##", "#"), lowercase=True)
    assert vocabulary.starts_word.tolist() == [False, True, False, False, False, True, False, False, True]
