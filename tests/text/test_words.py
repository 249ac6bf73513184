"""Word starts of Chinese: jieba's own words, on tokens that stay as they were."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from bertsmith.data.corpus import open_corpus
from bertsmith.data.settings import PrepareSettings
from bertsmith.data.token_store import TokenStore
from bertsmith.data.word_choice import chosen_words
from bertsmith.errors import ConfigError, MachineError
from bertsmith.jobs.prepare import prepare
from bertsmith.text import words
from bertsmith.text.settings import CorpusSettings
from bertsmith.text.vocabulary import SPECIAL, Vocabulary
from bertsmith.text.wordpiece import WordPiece
from bertsmith.text.words import segmenter

TEXT = "我们在北京大学学习自然语言处理，用BERT模型🙂很方便。他说：hello世界！𠀀古字 中国\x0b人民银行"
CHARACTERS = sorted({c for c in TEXT if "一" <= c <= "鿿"})
VOCABULARY = Vocabulary((*SPECIAL, *CHARACTERS, "，", "。", "：", "！", "bert", "hello", "##er", "b", "##t"), lowercase=True)


@pytest.fixture(scope="module")
def jieba():
    return pytest.importorskip("jieba")


def bits_of(texts, vocabulary=VOCABULARY):
    pieces = WordPiece(vocabulary, segmenter("jieba")).encode_together(texts)
    plain = WordPiece(vocabulary).encode_together(texts)
    assert (pieces.ids_T == plain.ids_T).all()
    assert (pieces.counts == plain.counts).all()
    return pieces, plain


def naive_starts(text, jieba):
    """Whether each Chinese character of a text begins a word, run by run."""
    import re

    starts = []
    for run in re.findall("[一-鿿]+", text.replace("\x0b", "")):
        for word in jieba.cut(run):
            starts += [True] + [False] * (len(word) - 1)
    return starts


def test_chinese_characters_inside_a_word_of_jieba_begin_no_word_and_nothing_else_changes(jieba):
    pieces, plain = bits_of([TEXT, "", "中国", "人民"])
    chinese = np.isin(pieces.ids_T, [VOCABULARY.ids[c] for c in CHARACTERS])
    expected = [start for text in (TEXT, "中国", "人民") for start in naive_starts(text, jieba)]
    assert pieces.starts_T[chinese].tolist() == expected
    assert (pieces.starts_T[~chinese] == plain.starts_T[~chinese]).all()
    assert False in expected


def test_words_never_lie_across_two_texts(jieba):
    pieces, _ = bits_of(["北", "京"])
    assert pieces.starts_T.tolist() == [True, True]


def test_a_vocabulary_that_does_not_set_characters_apart_keeps_its_own_words(jieba):
    vocabulary = Vocabulary((*VOCABULARY.pieces, *(f"##{c}" for c in CHARACTERS)), lowercase=True, split_chinese=False)
    pieces, plain = bits_of(["北京大学"], vocabulary)
    assert (pieces.starts_T == plain.starts_T).all()


def test_the_segmenter_names_its_version(jieba):
    assert segmenter("jieba").name == f"jieba {jieba.__version__}"
    assert segmenter("pieces") is None


def test_a_missing_segmenter_says_which_extra_brings_it(monkeypatch):
    monkeypatch.setattr(words, "find_spec", lambda name: None)
    segmenter.cache_clear()
    with pytest.raises(MachineError, match=r"bertsmith\[chinese\]"):
        segmenter("jieba")
    segmenter.cache_clear()


def corpus_of(path, text):
    path.write_text(text)
    return open_corpus(CorpusSettings(corpus=path))


def test_auto_takes_jieba_for_text_that_is_mostly_chinese_where_it_is_installed(tmp_path, jieba, monkeypatch):
    chinese, english = corpus_of(tmp_path / "a.txt", "今天天气很好。\n"), corpus_of(tmp_path / "b.txt", "It is fine 很好。\n")
    told = []
    assert chosen_words("auto", chinese, VOCABULARY, told.append) == "jieba"
    assert chosen_words("auto", english, VOCABULARY, told.append) == "pieces"
    assert chosen_words("none", chinese, VOCABULARY, told.append) == "pieces"
    assert told == []
    monkeypatch.setattr(words, "find_spec", lambda name: None)
    assert chosen_words("auto", chinese, VOCABULARY, told.append) == "pieces"
    assert "bertsmith[chinese]" in told[0].text()


def test_jieba_is_refused_where_characters_are_no_tokens(tmp_path):
    vocabulary = Vocabulary(VOCABULARY.pieces, lowercase=True, split_chinese=False)
    with pytest.raises(ConfigError, match="words-need-characters"):
        chosen_words("jieba", corpus_of(tmp_path / "a.txt", "今天。\n"), vocabulary, print)


def prepared(place, wanted, workers=1):
    chosen = PrepareSettings(
        corpus=place / "a.txt",
        vocabulary=place / "vocabulary",
        output=place / wanted,
        words=wanted,
        held_out=0.0,
        workers=workers,
    )
    prepare(chosen, given={})
    return TokenStore.open(place / wanted)


def test_the_store_records_who_found_the_words_and_an_older_one_reads_as_pieces(tmp_path, jieba):
    VOCABULARY.write(tmp_path / "vocabulary")
    (tmp_path / "a.txt").write_text("我们在北京大学学习。\n中国人民银行。\n")
    by_jieba, by_pieces = prepared(tmp_path, "jieba"), prepared(tmp_path, "none")
    assert (by_jieba.words, by_pieces.words) == (f"jieba {jieba.__version__}", "pieces")
    (a,), (b,) = by_jieba.shards("train"), by_pieces.shards("train")
    assert (a.tokens == b.tokens).all()
    bits = np.unpackbits(a.word_starts, count=len(a.tokens)).astype(bool)
    chinese = np.isin(a.tokens, [VOCABULARY.ids[c] for c in CHARACTERS])
    assert bits[chinese].tolist() == [s for t in ("我们在北京大学学习", "中国人民银行") for s in naive_starts(t, jieba)]
    assert TokenStore(by_pieces.folder, {k: v for k, v in by_pieces.manifest.items() if k != "words"}).words == "pieces"


def test_jieba_leaves_no_file_behind_for_others_to_change(tmp_path, jieba):
    import subprocess

    program = "from bertsmith.text.words import segmenter; print(list(segmenter('jieba').lengths(['北京大学'])))"
    run = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True
    )
    assert (run.stdout, run.stderr) == ("[4]\n", "")
    assert list(tmp_path.iterdir()) == []


def test_a_real_chinese_text_has_the_words_of_jieba(jieba):
    import lzma

    path = Path(os.environ.get("BERTSMITH_DATA", "")) / "zh/corpus/wiki_zh_small/wiki_hans.txt.xz"
    if not path.is_file():
        pytest.skip("set BERTSMITH_DATA to the folder of the corpora")
    lines = lzma.decompress(path.read_bytes()).decode().splitlines()[:2000]
    known = sorted({c for line in lines for c in line if "一" <= c <= "鿿"})
    vocabulary = Vocabulary((*SPECIAL, *known), lowercase=True)
    pieces = WordPiece(vocabulary, segmenter("jieba")).encode_together(lines)
    chinese = pieces.ids_T >= len(SPECIAL)
    assert pieces.starts_T[chinese].tolist() == [start for line in lines for start in naive_starts(line, jieba)]
