import gc
import json
import multiprocessing
import os
import tracemalloc

import numpy as np
import pytest

from bertsmith.data import shards, token_store
from bertsmith.data.corpus import HELD_OUT, Document
from bertsmith.data.token_store import TokenStore, write_store
from bertsmith.errors import DataError, MachineError
from bertsmith.text.vocabulary import SPECIAL, Vocabulary
from bertsmith.text.wordpiece import WordPiece

VOCABULARY = Vocabulary((*SPECIAL, *"abcdefghij", *(f"##{c}" for c in "abcdefghij"), "我", "们", "。"), lowercase=True)


def documents(count=60):
    for n in range(count):
        sentences = tuple(
            f"{'abcdefghij'[(n + s) % 10]}{'abcdefghij'[s % 10] * (s % 4)} 我们 z。" for s in range(1 + n * 7 % 11)
        )
        empty = ("",) if n % 9 == 0 else ()
        yield Document((*empty, *sentences) if n % 13 else ("  ",), "x", HELD_OUT if n % 5 == 3 else "train")


def store_at(folder, docs=None, vocabulary=VOCABULARY, shard_tokens=500, origin=None, listen=lambda event: None):
    return write_store(
        documents() if docs is None else docs,
        vocabulary,
        folder,
        shard_tokens=shard_tokens,
        origin=origin or {"n": 1},
        listen=listen,
    )


def bytes_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def texts_of(store, split):
    for shard in store.shards(split):
        for first, last in zip(shard.documents, shard.documents[1:], strict=False):
            yield [shard.tokens[shard.sentences[s] : shard.sentences[s + 1]].tolist() for s in range(first, last)]


def test_every_token_of_every_document_comes_back_in_order(tmp_path):
    store, encoder = store_at(tmp_path / "store"), WordPiece(VOCABULARY)
    assert store.vocabulary == TokenStore.open(tmp_path / "store").vocabulary
    for split in ("train", HELD_OUT):
        expected = [
            [ids.tolist() for ids in encoder.encode(document.sentences) if len(ids)]
            for document in documents()
            if document.split == split
        ]
        assert list(texts_of(store, split)) == [document for document in expected if document]
    assert len(store.shards("train")) > 1


def test_word_starts_hold_a_bit_for_every_token(tmp_path):
    for shard in store_at(tmp_path / "store").shards("train"):
        bits = np.unpackbits(shard.word_starts, count=len(shard.tokens)).astype(bool)
        assert (bits == VOCABULARY.starts_word[shard.tokens]).all()


def test_the_manifest_counts_what_the_shards_hold(tmp_path):
    store = store_at(tmp_path / "store")
    for split in ("train", HELD_OUT):
        counts = store.manifest["counts"][split]
        assert counts["tokens"] == sum(len(shard.tokens) for shard in store.shards(split))
        assert counts["sentences"] == sum(len(shard.sentences) - 1 for shard in store.shards(split))
        assert counts["documents"] == sum(len(shard.documents) - 1 for shard in store.shards(split))
        firsts = np.cumsum([0, *(len(shard.documents) - 1 for shard in store.shards(split))])
        assert [shard.first_document for shard in store.shards(split)] == firsts[:-1].tolist()
    assert store.manifest["origin"] == {"n": 1}


@pytest.mark.parametrize("count", range(2, 20))
def test_every_shard_holds_two_documents_so_that_each_has_another_one(tmp_path, count):
    docs = [Document(("abc def ghij " * (1 + n * 5 % 7),), "x") for n in range(count)]
    store = store_at(tmp_path / "store", docs, shard_tokens=60)
    assert min(len(shard.documents) - 1 for shard in store.shards("train")) >= 2
    assert store.manifest["counts"]["train"]["documents"] == count


def test_offsets_rise_strictly_because_empty_sentences_and_documents_are_left_out(tmp_path):
    for shard in store_at(tmp_path / "store").shards("train"):
        assert (np.diff(shard.sentences) > 0).all()
        assert (np.diff(shard.documents) > 0).all()


def test_tokens_take_two_bytes_and_four_where_the_vocabulary_is_large(tmp_path):
    assert store_at(tmp_path / "small").shards("train")[0].tokens.dtype == np.uint16
    large = Vocabulary((*VOCABULARY.pieces, *(f"piece{i}" for i in range(2**16))), lowercase=True)
    store = store_at(tmp_path / "large", [Document(("piece65535 a",), "x")], large)
    assert store.shards("train")[0].tokens.dtype == np.uint32
    assert store.shards("train")[0].tokens[0] == large.ids["piece65535"]


def test_two_runs_give_the_same_bytes(tmp_path):
    store_at(tmp_path / "one")
    store_at(tmp_path / "two")
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


class Stopped(Exception):
    pass


def interrupted(at):
    for number, document in enumerate(documents()):
        if number == at:
            raise Stopped
        yield document


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(token_store, "BATCH", 1)


@pytest.mark.parametrize("at", [1, 9, 23, 40, 59])
def test_an_interrupted_write_goes_on_and_ends_with_the_same_bytes(tmp_path, at, small_batches):
    store_at(tmp_path / "whole")
    for moment in (at, min(at + 7, 59)):
        with pytest.raises(Stopped):
            store_at(tmp_path / "store", interrupted(moment))
    assert not (tmp_path / "store").exists()
    events = []
    store_at(tmp_path / "store", listen=events.append)
    assert bytes_of(tmp_path / "store") == bytes_of(tmp_path / "whole")
    assert any(getattr(event, "code", "") == "store-goes-on" for event in events) == (at >= 23)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store", "whole"]


def killed_at(folder, at):
    def kill():
        yield from documents(at)
        os._exit(9)

    store_at(folder, kill())


def test_a_killed_process_leaves_nothing_that_changes_the_bytes(tmp_path, small_batches):
    store_at(tmp_path / "whole")
    for at in (17, 31, 48):
        process = multiprocessing.get_context("fork").Process(target=killed_at, args=(tmp_path / "store", at))
        process.start()
        process.join()
        assert process.exitcode == 9
    store_at(tmp_path / "store")
    assert bytes_of(tmp_path / "store") == bytes_of(tmp_path / "whole")


def test_finished_shards_of_another_origin_are_not_taken_over(tmp_path):
    with pytest.raises(Stopped):
        store_at(tmp_path / "store", interrupted(40), origin={"n": 2})
    events = []
    store_at(tmp_path / "store", listen=events.append)
    assert not any(getattr(event, "code", "") == "store-goes-on" for event in events)


def test_a_full_disk_is_one_clear_error_and_the_next_call_goes_on(tmp_path, monkeypatch, small_batches):
    store_at(tmp_path / "whole")
    real, left = shards.ShardWriter._write, [150]

    def write(self, name, values):
        left[0] -= 1
        if left[0] == 0:
            raise OSError(28, "No space left on device")
        real(self, name, values)

    monkeypatch.setattr(shards.ShardWriter, "_write", write)
    with pytest.raises(MachineError, match="disk-full"):
        store_at(tmp_path / "store")
    store_at(tmp_path / "store")
    assert bytes_of(tmp_path / "store") == bytes_of(tmp_path / "whole")


def test_an_older_store_is_replaced_and_anything_else_is_left_alone(tmp_path):
    store_at(tmp_path / "store", origin={"n": 1})
    assert store_at(tmp_path / "store", origin={"n": 2}).manifest["origin"] == {"n": 2}
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match="place-taken"):
        store_at(tmp_path / "texts")
    assert (tmp_path / "texts" / "mine.txt").read_text() == "mine"


def test_documents_without_a_sentence_are_an_error(tmp_path):
    with pytest.raises(DataError, match="no-sentences"):
        store_at(tmp_path / "store", [Document((" ",), "x")])
    assert list(tmp_path.iterdir()) == []


def test_a_vocabulary_that_does_not_fit_the_text_is_said(tmp_path):
    events = []
    store_at(tmp_path / "store", [Document(("zzz yyy a",), "x")], listen=events.append)
    assert [event.values["share"] for event in events if getattr(event, "code", "") == "many-unknown"] == [2 / 3]


def open_fault(folder):
    with pytest.raises(DataError) as caught:
        TokenStore.open(folder)
    return caught.value


def test_what_is_no_store_is_an_error(tmp_path):
    assert open_fault(tmp_path / "absent").code == "not-a-store"
    (tmp_path / "manifest.json").write_text("[]")
    assert open_fault(tmp_path).code == "not-a-store"


def test_another_version_is_an_error(tmp_path):
    store_at(tmp_path / "store")
    path = tmp_path / "store" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 99}))
    assert open_fault(tmp_path / "store").code == "store-version"


def test_truncated_and_missing_files_are_all_told(tmp_path):
    store_at(tmp_path / "store")
    tokens = tmp_path / "store" / "train-00000" / "tokens.bin"
    tokens.write_bytes(tokens.read_bytes()[:-1])
    (tmp_path / "store" / "train-00001" / "documents.bin").unlink()
    fault = open_fault(tmp_path / "store")
    assert [fault.code, *(also.code for also in fault.also)] == ["store-truncated"] * 2
    assert "tokens.bin" in fault.text("zh")


def test_memory_does_not_grow_with_the_corpus(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "bertsmith.data.token_store.BATCH", 5000
    )  # characters, so that even the smaller corpus has several batches

    def collected(count):
        for n, document in enumerate(documents(count)):
            if n % 200 == 0:
                gc.collect()  # empties the interpreter's own stock of freed tuples
            yield document

    def peak(count):
        tracemalloc.start()
        store_at(tmp_path / str(count), collected(count), shard_tokens=10**6)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(10)
    assert peak(2000) < 1.2 * peak(400)
