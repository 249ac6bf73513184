"""A corpus to a store: the same bytes for any number of workers and after any kill; what is dropped is counted."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsmith.data import hashes, preparation, sieve
from bertsmith.data.corpus import RawDocument, open_corpus, read_corpus
from bertsmith.data.encoding import EncodingOptions, encode_batch
from bertsmith.data.hashes import Seen, of_runs, of_sequences
from bertsmith.data.settings import PrepareSettings
from bertsmith.data.token_store import TokenStore
from bertsmith.data.worker_processes import encoded
from bertsmith.errors import DataError, MachineError
from bertsmith.files import sha256
from bertsmith.jobs.prepare import prepare
from bertsmith.text.settings import CorpusSettings
from bertsmith.text.vocabulary import SPECIAL, Vocabulary

LETTERS = "abcdefghijklmnopqrstuvwxyz"
VOCABULARY = Vocabulary((*SPECIAL, *LETTERS, *(f"##{c}" for c in LETTERS), ".", "我", "们"), lowercase=True)


def made_text(documents, seed=0):
    draw = random.Random(seed)
    words = ["".join(draw.choices(LETTERS, k=draw.randint(1, 9))) for _ in range(400)]
    sentences = [" ".join(draw.choices(words, k=draw.randint(1, 30))).capitalize() + "." for _ in range(documents * 4)]
    blocks = ["\n".join(draw.choices(sentences, k=draw.randint(1, 12))) for _ in range(documents)]
    return "\n\n".join([*blocks, *blocks[: documents // 10]]) + "\n"


@pytest.fixture
def place(tmp_path):
    VOCABULARY.write(tmp_path / "vocabulary")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text(made_text(300))
    (tmp_path / "corpus" / "b.txt").write_text(made_text(200, seed=1))
    return tmp_path


def prepared(place, name="store", told=None, **given):
    options = {"shard_tokens": 20_000, "held_out": 0.1, "workers": 1} | given
    chosen = PrepareSettings(corpus=place / "corpus", vocabulary=place / "vocabulary", output=place / name, **options)
    prepare(chosen, given={}, listen=(told if told is not None else []).append)
    return TokenStore.open(place / name)


def bytes_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def sentences_of(store):
    for split in ("train", "held-out"):
        for shard in store.shards(split):
            yield from (tuple(shard.tokens[a:b].tolist()) for a, b in pairwise(shard.sentences))


def documents_of(store):
    for split in ("train", "held-out"):
        for shard in store.shards(split):
            ends = shard.sentences[shard.documents]
            yield from (tuple(shard.tokens[a:b].tolist()) for a, b in pairwise(ends))


@pytest.fixture
def many_batches(monkeypatch):
    monkeypatch.setattr(preparation, "BATCH", 3000)
    monkeypatch.setattr(preparation, "_SMALL", 0)


@pytest.mark.parametrize("drop", [{}, {"repeated_lines": "drop", "duplicates": "drop"}])
def test_the_store_is_the_same_for_any_number_of_workers_and_any_size_of_batches(place, monkeypatch, drop):
    one = prepared(place, "one", **drop)
    assert len(one.shards("train")) > 2
    monkeypatch.setattr(preparation, "BATCH", 3000)
    monkeypatch.setattr(preparation, "_SMALL", 0)
    for workers in (1, 2, 3):
        prepared(place, f"{workers}", workers=workers, **drop)
        assert bytes_of(place / f"{workers}") == bytes_of(place / "one")


def test_the_store_holds_what_the_corpus_reads_as(place):
    documents = list(read_corpus(CorpusSettings(corpus=place / "corpus")))
    found = prepared(place).manifest["found"]
    assert (found["documents"], found["sentences"]) == (len(documents), sum(len(d.sentences) for d in documents))


def test_duplicate_documents_are_counted_and_dropped_when_asked(place):
    for how in ("keep", "drop"):
        store = prepared(place, how, duplicates=how)
        documents = list(documents_of(store))
        twice = len(documents) - len(set(documents))
        assert store.manifest["found"]["duplicates"] >= 50
        assert twice == (0 if how == "drop" else store.manifest["found"]["duplicates"])


def test_repeated_sentences_are_counted_and_dropped_when_asked(place):
    told = []
    store = prepared(place, "drop", told, repeated_lines="drop")
    sentences = list(sentences_of(store))
    assert len(sentences) == len(set(sentences))
    kept = prepared(place, "keep")
    assert store.manifest["found"] == kept.manifest["found"]
    assert store.manifest["found"]["repeats"] == len(list(sentences_of(kept))) - len(sentences)
    assert {"repeats-dropped", "duplicates-kept"} <= {getattr(event, "code", "") for event in told}


def test_the_manifest_holds_the_hashes_of_everything_that_was_read_and_written(place):
    store = prepared(place)
    assert {file["name"]: file["sha256"] for file in store.manifest["inputs"]} == {
        name: sha256(place / "corpus" / name) for name in ("a.txt", "b.txt")
    }
    told = {f"{shard['name']}/{name}": value for split in store.manifest["shards"].values() for shard in split
            for name, value in shard["sha256"].items()} | store.manifest["files"]  # fmt: skip
    written = {name for name in bytes_of(place / "store") if not name.endswith(("manifest.json", "shard.json"))}
    assert told == {name: sha256(place / "store" / name) for name in written}


def test_documents_are_cut_where_they_grow_too_long_wherever_batches_and_parts_end(place, monkeypatch):
    (place / "corpus" / "a.txt").write_text("\n".join(made_text(60).split("\n\n")) + "\n")
    (place / "corpus" / "b.txt").unlink()
    from bertsmith.data import corpus

    for module in (corpus, sieve):
        monkeypatch.setattr(module, "LONGEST", 2000)
    chosen = {"documents": "file", "lines": "sentence", "held_out": 0.0}
    expected = [
        len(d.sentences) for d in read_corpus(CorpusSettings(corpus=place / "corpus", documents="file", lines="sentence"))
    ]
    assert len(expected) > 10
    for number, (part, batch) in enumerate([(2**20, 2**20), (500, 700), (1, 1)]):
        monkeypatch.setattr(corpus, "PART", part)
        monkeypatch.setattr(preparation, "BATCH", batch)
        store = prepared(place, f"{number}", **chosen)
        assert [int(n) for shard in store.shards("train") for n in np.diff(shard.documents)] == expected
        assert store.manifest["found"]["cuts"] == len(expected) - 1


PROGRAM = """
import sys
from pathlib import Path
from bertsmith.data import preparation
from bertsmith.data.settings import PrepareSettings
from bertsmith.jobs.prepare import prepare
preparation.BATCH, preparation._SMALL = 3000, 0
place, workers = Path(sys.argv[1]), int(sys.argv[2])
prepare(PrepareSettings(corpus=place / "corpus", vocabulary=place / "vocabulary", output=place / "store", shard_tokens=5000,
    held_out=0.1, repeated_lines="drop", duplicates="drop", workers=workers), given={}, listen=lambda event: print(event, flush=True))
"""


def started(place, workers):
    command = [sys.executable, "-c", PROGRAM, str(place), str(workers)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_process_killed_at_any_moment_goes_on_and_ends_with_the_same_bytes(place, workers):
    whole = prepared(place, "whole", shard_tokens=5000, repeated_lines="drop", duplicates="drop")
    draw, went_on = random.Random(workers), False
    for _ in range(8):
        process = started(place, workers)
        events = [process.stdout.readline() for _ in range(draw.randint(3, 60))]
        time.sleep(draw.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        went_on |= any("store-goes-on" in event for event in events)
        process.wait()
        if (place / "store").exists():
            break
    process = started(place, workers)
    out, _ = process.communicate()
    assert process.returncode == 0, out[-2000:]
    assert went_on or "store-goes-on" in out
    assert bytes_of(place / "store") == bytes_of(whole.folder)
    assert sorted(path.name for path in place.iterdir()) == ["corpus", "store", "vocabulary", "whole"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_that_is_killed_is_one_clear_error_and_the_next_call_goes_on(place, many_batches):
    def kill_one(event):
        if getattr(event, "done", 0) > 200 and not killed:
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
            # other tests may have left processes of their own
            child = next(child for child in children if b"worker_processes" in Path(f"/proc/{child}/cmdline").read_bytes())
            os.kill(int(child), signal.SIGKILL)
            killed.append(child)

    killed = []
    chosen = {"shard_tokens": 5000, "workers": 2}
    with pytest.raises(MachineError, match="worker-died"):
        settings = PrepareSettings(
            corpus=place / "corpus", vocabulary=place / "vocabulary", output=place / "store", held_out=0.1, **chosen
        )
        prepare(settings, given={}, listen=kill_one)
    told = []
    prepared(place, "store", told, **chosen)
    assert any(getattr(event, "code", "") == "store-goes-on" for event in told)
    prepared(place, "whole", **chosen)
    assert bytes_of(place / "store") == bytes_of(place / "whole")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_interrupt_ends_all_workers_without_a_word_of_theirs(place):
    process = started(place, 2)
    while "tokens" not in process.stdout.readline():
        pass
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert out.count("Traceback") == 1
    assert "KeyboardInterrupt" in out
    assert len(workers) == 2
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def test_an_error_inside_a_worker_is_told_where_its_answer_is_awaited(tmp_path):
    batches = [((RawDocument(("A.",), True, False),), 0)]
    with pytest.raises(RuntimeError, match="no-vocabulary"):
        list(encoded(batches, EncodingOptions(tmp_path), 2))


def test_encoding_a_batch_is_a_pure_function_that_can_be_sent_anywhere(place):
    import pickle

    batch = (
        RawDocument(("Abc. De f.", "Gh."), False, False),
        RawDocument((), True, True),
        RawDocument(("i. J.",), True, False),
    )
    function, options = pickle.loads(pickle.dumps((encode_batch, EncodingOptions(place / "vocabulary"))))
    found = function(batch, options)
    assert found.sentences_R.tolist() == [3, 0, 1]
    assert found.text.tokens_S.tolist() == [4, 4, 3, 4]
    assert found.size == len("Abc.De f.Gh.i. J.")


def test_a_corpus_without_any_sentence_is_an_error_and_leaves_nothing(place):
    for name in ("a.txt", "b.txt"):
        (place / "corpus" / name).unlink()
    (place / "corpus" / "a.jsonl").write_text(json.dumps({"text": " "}))
    with pytest.raises(DataError, match="empty-corpus"):
        prepared(place)
    assert sorted(path.name for path in place.iterdir()) == ["corpus", "vocabulary"]


def test_progress_tells_documents_tokens_and_megabytes_a_second(place):
    told = []
    prepared(place, told=told)
    last = [event for event in told if hasattr(event, "done")][-1]
    assert last.done == TokenStore.open(place / "store").manifest["found"]["documents"]
    assert set(last.values) == {"tokens", "MB_per_second"}


@given(st.lists(st.lists(st.integers(1, 40), max_size=30), max_size=5))
@settings(deadline=None)
def test_seen_hashes_are_found_as_one_after_another(calls):
    slots, hashes.SLOTS = hashes.SLOTS, 8
    try:
        seen, table = Seen(), [0] * 8
        for call in calls:
            expected = []
            for key in call:
                expected.append(table[key % 8] == key)
                table[key % 8] = key
            assert seen.repeats(np.array(call, np.uint64)).tolist() == expected
            again = Seen()
            again.remember(seen.remembered)
            seen = again
    finally:
        hashes.SLOTS = slots


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=5), min_size=1, max_size=20))
def test_sequences_have_the_same_hash_if_and_only_if_they_are_equal(sequences):
    values = np.array([value for sequence in sequences for value in sequence])
    found = of_sequences(values, np.array(list(map(len, sequences)))).tolist()
    assert all((a == b) == (x == y) for a, x in zip(sequences, found) for b, y in zip(sequences, found))


@given(st.lists(st.integers(0, 2), max_size=60))
def test_runs_have_the_same_hash_if_and_only_if_they_are_equal(values):
    found = of_runs(np.array(values, np.int32), 3).tolist()
    runs = [tuple(values[i : i + 3]) for i in range(len(values) - 2)]
    assert len(found) == len(runs)
    assert len(set(found)) == len(set(runs)) == len(set(zip(found, runs)))


def test_the_corpus_of_a_store_can_be_opened_again(place):
    assert prepared(place).manifest["origin"]["corpus"] == open_corpus(CorpusSettings(corpus=place / "corpus")).sha256
