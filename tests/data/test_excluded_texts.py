"""Evaluation texts are kept out of a store: by runs of 13 tokens, and whole where they are shorter."""

import gzip
import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsmith.data.excluded_texts import RUN, ExcludedTexts, evaluation_texts
from bertsmith.data.settings import PrepareSettings
from bertsmith.data.token_store import TokenStore
from bertsmith.errors import DataError
from bertsmith.jobs.prepare import prepare
from bertsmith.text.settings import CorpusSettings
from bertsmith.text.vocabulary import SPECIAL, Vocabulary
from bertsmith.text.wordpiece import WordPiece

WORDS = tuple(f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(400))
VOCABULARY = Vocabulary((*SPECIAL, ".", *WORDS), lowercase=True)
ENCODER = WordPiece(VOCABULARY)


def shared(texts, documents):
    """Whether each sentence of each document shares something with the texts, each given as its paragraphs."""
    encoded = [ENCODER.encode_together(document) for document in documents]
    ids = np.concatenate([pieces.ids_T for pieces in encoded])
    counts = np.concatenate([pieces.counts for pieces in encoded])
    stretches = np.array([len(pieces.ids_T) for pieces in encoded])
    return ExcludedTexts.of(texts, ENCODER).shared(ids, counts, stretches).tolist()


def naive(texts, documents):
    def ids(sentence):
        return ENCODER.encode_one(sentence).tolist()

    runs, short = set(), set()
    for paragraphs in texts:
        whole = [i for paragraph in paragraphs for i in ids(paragraph)]
        runs |= {tuple(whole[i : i + RUN]) for i in range(len(whole) - RUN + 1)}
        short |= {tuple(ids(paragraph)) for paragraph in paragraphs if 0 < len(ids(paragraph)) < RUN}
    runs = {run for run in runs if len(set(run)) > 1}
    found = []
    for document in documents:
        whole = [(i, n) for n, sentence in enumerate(document) for i in ids(sentence)]
        gone = {n for n, sentence in enumerate(document) if tuple(ids(sentence)) in short}
        for start in range(len(whole) - RUN + 1):
            window = whole[start : start + RUN]
            if tuple(i for i, _ in window) in runs:
                gone |= {n for _, n in window}
        found += [n in gone for n in range(len(document))]
    return found


def words(first, count):
    return " ".join(WORDS[first : first + count])


def test_a_run_of_13_tokens_is_shared_and_one_of_12_is_not():
    assert shared([[words(0, 40)]], [[f"{words(200, 5)} {words(10, 13)} {words(220, 5)}"]]) == [True]
    assert shared([[words(0, 40)]], [[f"{words(200, 5)} {words(10, 12)} {words(220, 5)}"]]) == [False]


def test_a_run_that_lies_over_several_sentences_takes_them_all_but_none_of_the_next_document():
    documents = [[words(100, 4), words(0, 5), words(5, 5), words(10, 5), words(120, 4)], [words(0, 7)], [words(7, 7)]]
    assert shared([[words(0, 40)]], documents) == [False, True, True, True, False, False, False]


def test_a_short_text_takes_a_sentence_only_if_it_is_the_whole_of_it():
    assert shared([[words(0, 3)]], [[words(0, 3), words(0, 4), words(1, 2)]]) == [True, False, False]


def test_one_token_repeated_is_no_match():
    assert shared([["zzz " * 20], [". " * 20]], [["yyy " * 15, ". " * 30]]) == [False, False]


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_what_is_shared_is_what_a_naive_search_finds(seed):
    draw = random.Random(seed)
    text = [draw.choice(WORDS[:3]) for _ in range(60)]

    def sentence():
        start, length = draw.randrange(60), draw.choice([0, 1, 3, 8, 20])
        return " ".join([*text[start : start + length], *draw.choices(WORDS[:3], k=draw.choice([0, 0, 2]))])

    texts = [[" ".join(text[i : i + 20]) for i in (0, 20)], [" ".join(text[40:45])], []]
    documents = [[sentence() for _ in range(draw.randint(1, 5))] for _ in range(4)]
    assert shared(texts, documents) == naive(texts, documents)


def test_texts_come_from_the_cells_of_tables_from_json_values_and_from_lines(tmp_path):
    (tmp_path / "a.csv").write_text('text,label\n"one, two",0\nthree,1\n')
    (tmp_path / "b.jsonl").write_text(json.dumps({"question": "four", "answers": [{"text": "five"}], "n": 6}) + "\n")
    (tmp_path / "c.txt.gz").write_bytes(gzip.compress(b"Seven is. Eight is.\n\nNine.\n"))
    (tmp_path / "d.png").write_bytes(b"\0")
    found = [paragraph for text in evaluation_texts(tmp_path, CorpusSettings(corpus=tmp_path)) for paragraph in text]
    assert {"one, two", "three", "four", "five", "Seven is. Eight is.", "Nine."} <= set(found)
    assert [*evaluation_texts(tmp_path / "a.csv", CorpusSettings(corpus=tmp_path))][2:] == [
        ["one, two"],
        ["0"],
        ["three"],
        ["1"],
    ]


def test_a_place_without_texts_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no-excluded-texts"):
        list(evaluation_texts(tmp_path, CorpusSettings(corpus=tmp_path)))


@pytest.mark.parametrize("workers", [1, 2])
def test_excluded_sentences_are_not_in_the_store_and_are_counted(tmp_path, workers, monkeypatch):
    from bertsmith.data import preparation

    monkeypatch.setattr(preparation, "_SMALL", 0)
    VOCABULARY.write(tmp_path / "vocabulary")
    (tmp_path / "a.txt").write_text(f"{words(0, 20)}.\n{words(50, 20)}.\n\n{words(100, 3)}\n\n{words(150, 20)}.\n")
    (tmp_path / "test.tsv").write_text(f"text\tlabel\n{words(0, 20)}\t0\n{words(100, 3)}\t1\n")
    told = []
    chosen = PrepareSettings(
        corpus=tmp_path / "a.txt",
        vocabulary=tmp_path / "vocabulary",
        output=tmp_path / "store",
        exclude=tmp_path / "test.tsv",
        documents="blank-line",
        lines="sentence",
        held_out=0.0,
        workers=workers,
    )
    prepare(chosen, given={}, listen=told.append)
    store = TokenStore.open(tmp_path / "store")
    (shard,) = store.shards("train")
    assert shard.tokens.tolist() == [i for first in (50, 150) for i in ENCODER.encode_one(f"{words(first, 20)}.").tolist()]
    assert store.manifest["found"]["excluded"] == 2
    assert any(getattr(event, "code", "") == "texts-excluded" for event in told)
    assert "excluded" in store.manifest["origin"]
    assert sorted(path.name for path in store.folder.iterdir()) == [
        "manifest.json", "tokenizer.json", "tokenizer_config.json", "train-00000", "vocab.txt"]  # fmt: skip
