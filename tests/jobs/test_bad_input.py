"""Bad input: one clear error before any long work, in English and in Chinese, with the exit code of its kind, and nothing lost."""

import errno
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tiny_job import ENGINE, LENGTH, QUICK, TUNING, bertsmith, done, labelled, write_corpus, write_table

USAGE, DATA, MODEL, MACHINE = 2, 3, 4, 5
CJK = re.compile(r"[\u4e00-\u9fff]")
LONG_WORK = ("pretraining …", "fine-tuning", "baselines …", "tf-idf", "learn pieces …", "answering …")


@pytest.fixture(params=["en", "zh"])
def language(request):
    return request.param


def assert_refused(code, exit_code, *words, language):
    """Run a command that must fail before any long work, and give its message."""
    answer = bertsmith(*words, language=language)
    assert answer.code == exit_code, answer.err
    assert f"[{code}]" in answer.err
    assert "Traceback" not in answer.err
    assert answer.out == ""
    started = [stage for stage in LONG_WORK if stage in answer.err]
    assert started == []
    message = next(line for line in answer.err.splitlines() if f"[{code}]" in line)
    advice = answer.err.splitlines()[answer.err.splitlines().index(message) + 1]
    assert advice.startswith("  → ")
    assert bool(CJK.search(advice)) == (language == "zh")
    return answer.err


def file(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def table(rows=20, end=""):
    return "text,label\n" + "".join(f"the cat number {n} eats,{'ab'[n % 2]}\n" for n in range(rows)) + end


def pretraining(made, output, *more):
    return ("pretrain", made.store, "--model", made.config, "--steps", 2, "--output", output, *LENGTH, *QUICK, *more)


def finetuning(made, data, output):
    return ("finetune", data, "--model", made.pretrained / "model", "--output", output, *TUNING)


# corpora

CORPORA = {
    "an empty file": ({"a.txt": ""}, "empty-corpus"),
    "only blank files": ({"a.txt": "\n \n", "b.txt": "\ufeff"}, "empty-corpus"),
    "an empty folder": ({}, "no-text-files"),
    "a folder of pictures": ({"a.png": b"\x89PNG"}, "no-text-files"),
    "a binary file": ({"a.txt": bytes(range(256))}, "binary-file"),
    "undecodable bytes": ({"a.txt": "中文的文章。\n".encode() * 200 + b"\xff\x81\xff\n"}, "undecodable-bytes"),
    "json lines without the field": ({"a.jsonl": '{"body": "the cat"}\n'}, "json-field"),
    "broken json lines": ({"a.jsonl": '{"text": "the cat"\n'}, "json-line"),
}


@pytest.mark.parametrize("name", CORPORA)
@pytest.mark.parametrize("verb", ["vocab", "prepare", "quickstart"])
def test_a_corpus_that_cannot_be_read_is_refused(name, verb, english, tmp_path, language):
    files, code = CORPORA[name]
    corpus = tmp_path / "texts"
    corpus.mkdir()
    for path, content in files.items():
        file(corpus / path, content)
    words = {
        "vocab": ("vocab", corpus),
        "prepare": ("prepare", corpus, "--vocabulary", english.vocabulary),
        "quickstart": ("quickstart", "--corpus", corpus, "--scale", "smoke"),
    }[verb]
    assert_refused(code, DATA, *words, "--output", tmp_path / "out", language=language)
    assert not (tmp_path / "out").exists()


def test_faults_of_all_files_are_told_at_once(tmp_path, language):
    corpus = tmp_path / "texts"
    file(corpus / "a.txt", b"\0")
    file(corpus / "b.jsonl", "[1]\n")
    told = assert_refused("binary-file", DATA, "vocab", corpus, "--output", tmp_path / "out", language=language)
    assert "a.txt" in told
    assert "b.jsonl:1" in told


def test_a_text_too_small_for_a_vocabulary_is_refused(tmp_path, language):
    corpus = file(tmp_path / "a.txt", "hello world\n")
    answer = bertsmith("vocab", corpus, "--output", tmp_path / "out", language=language)
    assert (answer.code, "[too-little-text]" in answer.err) == (DATA, True)
    assert not (tmp_path / "out").exists()


def test_one_document_falls_back_to_masked_lm_alone_and_says_so_loudly(english, tmp_path, language):
    one = write_corpus(tmp_path / "texts", documents=1)
    store = tmp_path / "store"
    words = ("prepare", one, "--documents", "file", "--vocabulary", english.vocabulary, "--output", store)
    assert "--held-out" in done(*words, language=language).err
    words = ("pretrain", store, "--model", english.config, "--steps", 2, "--output", tmp_path / "run", *LENGTH, *QUICK)
    answer = done(*words, language=language)
    line = next(line for line in answer.err.splitlines() if "--documents" in line)
    assert line.startswith("warning: " if language == "en" else "警告：")
    log = (tmp_path / "run" / "log.jsonl").read_text("utf-8").splitlines()
    assert not any("nsp_loss" in json.loads(entry) for entry in log)


# settings

SETTINGS = {
    "no steps": (("--steps", "0"), "out-of-bounds"),
    "a rate that is no number": (("--learning-rate", "nan"), "wrong-type"),
    "a misspelled flag": (("--leraning-rate", "1"), "unknown-flag"),
    "a preset that is none": (("--model", "smal"), "unknown-preset"),
    "a config that is not there": (("--model", "gone.json"), "no-such-model"),
    "sequences longer than the positions": (("--max-seq-length", "65"), "too-few-positions"),
    "a store that is not there": (("--store", "gone"), "not-a-store"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_that_cannot_be_used_are_refused(name, english, tmp_path, monkeypatch, language):
    monkeypatch.chdir(tmp_path)
    (flag, value), code = SETTINGS[name]
    given = {"--model": english.config, "--steps": 2, "--output": "run"} | {flag: value}
    store = given.pop("--store", english.store)
    words = ("pretrain", store, *(word for pair in given.items() for word in pair), *QUICK)
    exit_code = DATA if code == "not-a-store" else USAGE
    told = assert_refused(code, exit_code, *words, language=language)
    if code == "unknown-flag":
        assert "--learning-rate" in told
    assert not (tmp_path / "run").exists()


def test_all_wrong_settings_are_told_at_once_under_their_flags(english, tmp_path, language):
    words = ("pretrain", english.store, "--steps", "0", "--batch-size", "x", "--recipe", "fat", "--output", tmp_path / "run")
    told = assert_refused("out-of-bounds", USAGE, *words, language=language)
    for flag, code in (("--steps", "out-of-bounds"), ("--batch-size", "wrong-type"), ("--recipe", "unknown-choice")):
        assert re.search(rf"{flag}[:：] ?.*\[{code}\]", told)


def changed(english, tmp_path, **values):
    content = json.loads(english.config.read_text("utf-8"))
    content |= {key: value for key, value in values.items() if value is not None}
    for key in [key for key, value in values.items() if value is None]:
        del content[key]
    path = tmp_path / "config.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


CONFIGS = {
    "a vocabulary of another size": ({"vocab_size": 30522}, "vocabulary-size"),
    "an unknown key": ({"hidden_size": None, "hiden_size": 32}, "misspelled-field"),
    "heads that do not divide the width": ({"num_attention_heads": 5}, "head-width"),
    "another network": ({"model_type": "roberta"}, "other-network"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_that_cannot_be_used_is_refused(name, english, tmp_path, language):
    values, code = CONFIGS[name]
    config = changed(english, tmp_path, **values)
    words = ("pretrain", english.store, "--model", config, "--steps", 2, "--output", tmp_path / "run", *LENGTH, *QUICK)
    told = assert_refused(code, USAGE, *words, language=language)
    assert "config.json" in told
    assert not (tmp_path / "run").exists()


def test_texts_longer_than_the_models_positions_are_refused(english, tmp_path, language):
    words = ["65" if word == "32" else word for word in finetuning(english, english.table, tmp_path / "run")]
    assert_refused("length-over-positions", USAGE, *words, language=language)


# tables

TABLES = {
    "no labels": ("text\n" + "the cat\na dog\n" * 10, "no-label-column"),
    "one label": ("text,label\n" + "the cat,a\na dog,a\n" * 10, "one-label"),
    "a ragged row": (table(end="one,two,three\n"), "ragged-row"),
    "rows without a label": (table(end="the cat,\n"), "empty-labels"),
    "an empty file": ("", "empty-table"),
    "a header alone": ("text,label\n", "no-rows"),
    "no header": ("".join(f"the cat {n},{'ab'[n % 2]}\n" for n in range(20)), "no-header"),
    "labels that are measurements": ("text,label\n" + "".join(f"cat {n},{n / 7:.4f}\n" for n in range(30)), "not-classes"),
    "too few rows": ("text,label\nthe cat,a\nthe dog,b\n", "too-few-to-split"),
    "one text under two labels": ("text,label\n" + "the cat,a\nthe cat,b\n" * 10, "too-few-to-split"),
    "NUL bytes": (table(end="a\0b,a\n"), "nul-bytes"),
    "a spreadsheet": (b"PK\x03\x04" + bytes(100), "binary-table"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_cannot_be_used_is_refused(name, english, tmp_path, language):
    content, code = TABLES[name]
    data = file(tmp_path / "my labels.csv", content)
    told = assert_refused(code, DATA, *finetuning(english, data, tmp_path / "run"), language=language)
    assert "my labels.csv" in told
    if code in ("ragged-row", "empty-labels", "nul-bytes"):
        assert "my labels.csv:22" in told
    assert not (tmp_path / "run").exists()


def test_all_ragged_rows_are_told_at_once(english, tmp_path, language):
    data = file(tmp_path / "labels.csv", table(end="one,two,three\nthe cat,a\nfour,five,six,seven\n"))
    told = assert_refused("ragged-row", DATA, *finetuning(english, data, tmp_path / "run"), language=language)
    assert "labels.csv:22" in told
    assert "labels.csv:24" in told


def test_a_table_that_is_not_there_is_refused(english, tmp_path, language):
    assert_refused("cannot-read-table", DATA, *finetuning(english, tmp_path / "gone.csv", tmp_path / "run"), language=language)


def test_labels_that_the_model_does_not_know_are_refused(english, tmp_path, language):
    data = file(tmp_path / "labels.csv", table())
    assert_refused("unknown-labels", DATA, "evaluate", english.tuned / "model", data, *ENGINE, language=language)


def test_bad_labels_are_refused_by_quickstart_before_any_text_is_read(english, tmp_path, language):
    data = file(tmp_path / "labels.csv", "text,label\n")
    words = ("quickstart", "--corpus", english.corpus, "--labels", data, "--output", tmp_path / "run")
    assert_refused("no-rows", DATA, *words, language=language)
    assert not (tmp_path / "run").exists()


USABLE = {
    "a mark and CRLF": b"\xef\xbb\xbf" + table(40).replace("\n", "\r\n").encode(),
    "blank rows": table(40).replace("\n", "\n\n"),
    "a huge line, empty texts, emoji": table(40, end="x " * 100_000 + ",a\n,b\n👨‍👩‍👧 😀,a\n"),
    "texts under two labels": "text,label\n" + "".join(f"the cat {n // 4},{'ab'[n % 2]}\n" for n in range(40)),
    "three hundred classes": "text,label\n" + "".join(f"the cat {n},c{n % 300}\n" for n in range(600)),
}


@pytest.mark.parametrize("name", USABLE)
def test_a_table_with_oddities_is_used(name, english, tmp_path):
    data = file(tmp_path / "数据 表" / "labels.csv", USABLE[name])
    answer = done(*finetuning(english, data, tmp_path / "a run"), "--baselines", "none")
    if name == "texts under two labels":
        assert "another label too" in answer.err
    assert (tmp_path / "a run" / "model" / "model.safetensors").exists()


# models


def spoil_pickle(model):
    (model / "model.safetensors").unlink()
    (model / "pytorch_model.bin").write_bytes(b"\x80\x02}q\x00.")


def spoil_truncated(model):
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


def spoil_emptied(model):
    (model / "model.safetensors").write_bytes(b"")


def spoil_vocabulary(model):
    for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json"):
        (model / name).unlink()


MODELS = {
    "a pickle": (spoil_pickle, "pickled-weights"),
    "a truncated file": (spoil_truncated, "damaged-weights"),
    "an empty file": (spoil_emptied, "damaged-weights"),
    "no vocabulary": (spoil_vocabulary, "no-vocabulary-in-model"),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("verb", ["finetune", "predict"])
def test_a_model_that_cannot_be_opened_is_refused(name, verb, english, tmp_path, language):
    spoil, code = MODELS[name]
    model = tmp_path / "model"
    shutil.copytree((english.pretrained if verb == "finetune" else english.tuned) / "model", model)
    spoil(model)
    words = {
        "finetune": ("finetune", english.table, "--model", model, "--output", tmp_path / "run", *TUNING),
        "predict": ("predict", model, "the cat", *ENGINE),
    }[verb]
    told = assert_refused(code, MODEL, *words, language=language)
    assert str(model) in told
    assert not (tmp_path / "run").exists()


def test_a_model_without_a_task_cannot_predict(english, language):
    assert_refused("not-a-classifier", MODEL, "predict", english.pretrained / "model", "the cat", *ENGINE, language=language)


def test_a_model_folder_that_is_not_there_is_refused(english, tmp_path, language):
    gone = tmp_path / "gone"
    assert_refused("no-model-folder", MODEL, "predict", gone, "the cat", *ENGINE, language=language)
    words = ("pretrain", english.store, "--model", gone, "--output", tmp_path / "run", *QUICK)
    assert str(gone) in assert_refused("no-such-model", USAGE, *words, language=language)


def test_a_file_to_predict_that_is_not_there_is_refused(english, language):
    assert_refused("no-such-source", DATA, "predict", english.tuned / "model", "gone.csv", *ENGINE, language=language)


# stores


def test_a_truncated_store_is_refused(english, tmp_path, language):
    store = tmp_path / "store"
    shutil.copytree(english.store, store)
    tokens = next(store.glob("train-*/tokens.bin"))
    tokens.write_bytes(tokens.read_bytes()[:-2])
    words = ("pretrain", store, "--model", english.config, "--output", tmp_path / "run", *LENGTH, *QUICK)
    assert "tokens.bin" in assert_refused("store-truncated", DATA, *words, language=language)
    (store / "manifest.json").write_text('{"format": "bertsmith token store", "version": 1}', encoding="utf-8")
    assert_refused("store-manifest", DATA, *words, language=language)
    assert not (tmp_path / "run").exists()


# places


def content_of(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_that_holds_other_files_is_refused_and_left_alone(english, tmp_path, language):
    place = tmp_path / "photos"
    file(place / "holiday.txt", "the only copy")
    before = content_of(place)
    corpus, model = english.corpus, english.tuned / "model"
    assert_refused("vocabulary-place-taken", DATA, "vocab", corpus, "--output", place, language=language)
    assert_refused(
        "place-taken", DATA, "prepare", corpus, "--vocabulary", english.vocabulary, "--output", place, language=language
    )
    assert_refused("not-a-run", MODEL, *pretraining(english, place), language=language)
    assert_refused("not-a-run", MODEL, *finetuning(english, english.table, place), language=language)
    assert_refused("not-a-run", MODEL, "evaluate", model, english.table, *ENGINE, "--output", place, language=language)
    assert_refused("not-a-run", MODEL, "quickstart", "--corpus", corpus, "--output", place, language=language)
    assert content_of(place) == before


def test_a_file_in_the_place_of_a_folder_is_refused_and_left_alone(english, tmp_path, language):
    place = file(tmp_path / "notes", "the only copy")
    assert_refused("vocabulary-place-taken", DATA, "vocab", english.corpus, "--output", place, language=language)
    assert_refused("run-is-a-file", MODEL, *pretraining(english, place), language=language)
    assert_refused("run-is-a-file", MODEL, *finetuning(english, english.table, place), language=language)
    assert place.read_text("utf-8") == "the only copy"


def test_a_folder_that_holds_a_different_run_is_refused_and_left_alone(english, tmp_path, language):
    before = content_of(english.tuned)
    told = assert_refused("different-run", MODEL, *pretraining(english, english.tuned), language=language)
    assert "finetune → pretrain" in told
    other = write_table(tmp_path / "other.csv", ("text", "label"), labelled("en", 60))
    told = assert_refused("different-run", MODEL, *finetuning(english, other, english.tuned), language=language)
    assert "data" in told
    assert content_of(english.tuned) == before


def test_a_place_that_cannot_take_the_answers_is_refused_before_any_answer(english, tmp_path, language):
    words = ("predict", english.tuned / "model", english.table, "--output", tmp_path, *ENGINE)
    assert_refused("cannot-write", MACHINE, *words, language=language)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="whoever is root may write everywhere")
def test_a_folder_that_may_not_be_written_is_refused(english, tmp_path, language):
    place = tmp_path / "closed"
    place.mkdir(mode=0o500)
    assert_refused("cannot-write", MACHINE, *pretraining(english, place / "run"), language=language)


# a full disk


def fill(monkeypatch, wanted):
    """Let the sync of every file of these names fail as on a full disk."""
    sync = os.fsync

    def full(descriptor):
        if Path(f"/proc/self/fd/{descriptor}").readlink().name.endswith(wanted):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs the names of open files")


@needs_proc
@pytest.mark.parametrize("name", ["state.safetensors", "model.safetensors", "report.html", "result.json"])
def test_a_disk_that_fills_up_while_pretraining_saves_loses_nothing(name, english, tmp_path, monkeypatch):
    run = tmp_path / "run"
    words = pretraining(english, run, "--save-every", "1")
    with monkeypatch.context() as patch:
        fill(patch, name)
        answer = bertsmith(*words)
    assert answer.code == MACHINE
    assert "[disk-full]" in answer.err
    assert "Traceback" not in answer.err
    assert not (run / "result.json").exists()
    assert [path for path in run.rglob("*") if path.name.startswith(".aside-")] == []
    done(*words)
    done(*pretraining(english, tmp_path / "whole", "--save-every", "1"))
    weights = [(folder / "model" / "model.safetensors").read_bytes() for folder in (run, tmp_path / "whole")]
    assert weights[0] == weights[1]


@needs_proc
def test_a_full_disk_is_told_in_chinese_too(english, tmp_path, monkeypatch):
    fill(monkeypatch, "vocab.txt")
    answer = bertsmith("vocab", english.corpus, "--output", tmp_path / "out", language="zh")
    assert (answer.code, "磁盘空间不足" in answer.err) == (MACHINE, True)


@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    mounted = (
        shutil.which("mount")
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)], check=False, capture_output=True
        ).returncode
    )
    if not mounted:
        pytest.skip("a small disk can only be mounted by root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_is_really_full_is_told_and_what_stood_there_is_whole(english, small_disk):
    kept = file(small_disk / "notes.txt", "kept")
    words = ("prepare", english.corpus, "--vocabulary", english.vocabulary, "--output", small_disk / "store")
    done(*words)
    before = content_of(small_disk / "store")
    answer = bertsmith(*pretraining(english, small_disk / "run"))
    assert (answer.code, "[disk-full]" in answer.err) == (MACHINE, True)
    file(small_disk / "filler", bytes(10)).write_bytes(b"")
    with open(small_disk / "filler", "wb", buffering=0) as filler:
        try:
            while filler.write(bytes(1000)):
                pass
        except OSError:
            pass
    answer = bertsmith(*words, "--seed", "1")
    assert (answer.code, "[disk-full]" in answer.err) == (MACHINE, True)
    assert content_of(small_disk / "store") == before
    assert kept.read_text("utf-8") == "kept"
