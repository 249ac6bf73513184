"""The main job through the command line and Python, without a network, in English and in Chinese."""

import csv
import json
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from tiny_job import ENGINE, LENGTH, QUICK, TUNING, bertsmith, done, labelled, write_corpus, write_table

import bertsmith as library
from bertsmith.errors import Interrupted
from bertsmith.progress import Advance, Stage

BOTH = pytest.mark.parametrize("language", ["en", "zh"])


@pytest.fixture
def made(language, request):
    return request.getfixturevalue({"en": "english", "zh": "chinese"}[language])


def rows_of(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def files_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# the chain of commands


@BOTH
def test_the_chain_of_commands_leaves_models_records_and_reports(made):
    for run in (made.pretrained, made.tuned):
        assert {"run.json", "result.json", "report.html", "model"} <= {path.name for path in run.iterdir()}
    names = {path.name for path in (made.tuned / "model").iterdir()}
    assert {"config.json", "model.safetensors", "vocab.txt", "tokenizer.json", "tokenizer_config.json", "README.md"} <= names


@BOTH
def test_inspect_shows_masked_instances(made, language):
    answer = done("inspect", made.store, "--count", 2, *LENGTH, language=language)
    assert "⟦[MASK]⟧" in answer.out
    assert "#1" in answer.out
    assert answer.out.splitlines()[-1].endswith(f"--model mini {' '.join(LENGTH)}")


@BOTH
def test_evaluate_measures_every_row(made, language):
    answer = done("evaluate", made.tuned / "model", made.table, *ENGINE, "--json", language=language)
    scores = {score["metric"]: score for score in answer.json["scores"]}
    assert scores["accuracy"]["n"] == 40
    assert 0 <= scores["accuracy"]["value"] <= 1


def test_the_scores_of_a_fine_tuning_stand_beside_every_baseline(english):
    (line, *_) = done(*english.finetuning, "--output", english.tuned).out.splitlines()
    assert "TF-IDF " in line
    assert "majority " in line


@BOTH
def test_predict_answers_a_text(made, language):
    text, labels = labelled(language)[0][0], {label for _, label in labelled(language)}
    (told,) = done("predict", made.tuned / "model", text, *ENGINE, "--json", language=language).json["answers"]
    assert told["predicted_label"] in labels
    assert sum(told["probabilities"].values()) == pytest.approx(1, abs=1e-5)


@BOTH
def test_predict_keeps_all_columns_of_a_csv(made, language, tmp_path):
    output = tmp_path / "answers.csv"
    answer = done("predict", made.tuned / "model", made.table, "--output", output, *ENGINE, language=language)
    rows = rows_of(output)
    names = ("text", "label") if language == "en" else ("评论", "情感")
    assert [(row[names[0]], row[names[1]]) for row in rows] == labelled(language)
    assert set(rows[0]) == {*names, "predicted_label", "probability"}
    assert "predicted_label" in answer.out


def test_predict_reads_json_lines_and_text_lines(english, tmp_path):
    texts = [text for text, _ in labelled("en", 4)]
    lines = tmp_path / "new texts.jsonl"
    lines.write_text("".join(json.dumps({"text": text, "id": n}) + "\n" for n, text in enumerate(texts)), encoding="utf-8")
    plain = tmp_path / "texts.txt"
    plain.write_text("\n".join(texts) + "\n", encoding="utf-8")
    done("predict", english.tuned / "model", lines, "--output", tmp_path / "out.jsonl", *ENGINE)
    done("predict", english.tuned / "model", plain, "--output", tmp_path / "out.csv", *ENGINE)
    objects = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [one["id"] for one in objects] == [0, 1, 2, 3]
    assert [one["predicted_label"] for one in objects] == [row["predicted_label"] for row in rows_of(tmp_path / "out.csv")]


def test_pairs_are_found_learned_and_answered(english, tmp_path):
    texts = [text for text, _ in labelled("en", 40)]
    rows = [(text, texts[n - n % 3], "same" if n % 3 == 0 else "other") for n, text in enumerate(texts)]
    table = write_table(tmp_path / "pairs.csv", ("sentence1", "sentence2", "label"), rows)
    run = tmp_path / "run"
    done("finetune", table, "--model", english.pretrained / "model", *TUNING, "--baselines", "none", "--output", run)
    answer = done("predict", run / "model", texts[0], "--second", texts[1], *ENGINE)
    assert answer.out.split("\t")[0] in ("same", "other")
    assert bertsmith("predict", run / "model", texts[0], *ENGINE).code == 2


def test_a_network_without_pretraining_is_trained_from_the_same_shape(english, tmp_path):
    answer = done(*english.finetuning, "--initial", "scratch", "--baselines", "none", "--output", tmp_path / "run", "--json")
    tuned = library.load(tmp_path / "run" / "model")
    assert answer.json["scores"]
    assert tuned.checkpoint.config.hidden_size == 32


# the same from Python, as JSON, on paper


def test_python_gives_the_same_numbers_as_the_command_line(english, tmp_path):
    model = str(english.config)
    vocabulary = library.vocab(english.corpus, output=tmp_path / "vocabulary", size=400)
    store = library.prepare(english.corpus, vocabulary=tmp_path / "vocabulary", output=tmp_path / "store", held_out=0.4)
    trained = library.pretrain(
        tmp_path / "store",
        model=model,
        steps=10,
        batch_size=8,
        max_seq_length=48,
        threads=1,
        precision="fp32",
        output=tmp_path / "run",
    )
    assert vocabulary.numbers["pieces"] == len((english.vocabulary / "vocab.txt").read_text("utf-8").splitlines())
    assert store.numbers["sha256"] == json.loads((english.store / "manifest.json").read_text("utf-8"))["sha256"]
    recorded = json.loads((english.pretrained / "result.json").read_text("utf-8"))["numbers"]
    assert trained.numbers["scores"] == recorded["scores"]
    ours, theirs = (run / "model" / "model.safetensors" for run in (tmp_path / "run", english.pretrained))
    assert ours.read_bytes() == theirs.read_bytes()


def test_python_predicts_what_the_command_line_predicts(english):
    texts = [text for text, _ in labelled("en", 3)]
    answers = library.load(english.tuned / "model").predict(texts)
    for text, answer in zip(texts, answers, strict=True):
        (told,) = done("predict", english.tuned / "model", text, *ENGINE, "--json").json["answers"]
        assert (told["predicted_label"], told["probability"]) == (answer.label, pytest.approx(answer.probability, abs=1e-5))


def test_json_is_all_that_stands_on_standard_output(english, tmp_path):
    for words in (
        ("vocab", english.corpus, "--output", tmp_path / "v", "--size", 400),
        ("prepare", english.corpus, "--vocabulary", english.vocabulary, "--output", tmp_path / "s"),
        ("inspect", english.store, *LENGTH),
        (*english.finetuning, "--output", english.tuned),
        ("evaluate", english.tuned / "model", english.table, *ENGINE),
        ("predict", english.tuned / "model", english.table, *ENGINE),
        ("config", "show", english.config),
    ):
        assert isinstance(done(*words, "--json").json, dict)


@BOTH
def test_reports_are_single_files_that_ask_for_nothing_outside(made, language):
    for run in (made.pretrained, made.tuned):
        page = (run / "report.html").read_text(encoding="utf-8")
        assert re.findall(r"""(?:src|href)\s*=\s*["'](?!#|data:)[^"']*|@import|url\((?!["']?(?:#|data:))""", page) == []
        assert f'<html lang="{language}' in page


# runs that stand already


def test_a_finished_run_given_again_returns_its_result(english):
    before = files_of(english.tuned)
    again = done(*english.finetuning, "--output", english.tuned, "--json")
    assert again.json == json.loads((english.tuned / "result.json").read_text("utf-8"))["numbers"]
    assert files_of(english.tuned) == before


def test_other_settings_on_a_finished_run_are_refused(english):
    before = files_of(english.pretrained)
    other = ["11" if word == 10 else word for word in english.pretraining]
    answer = bertsmith(*other, "--output", english.pretrained)
    assert answer.code == 4
    assert "[different-run]" in answer.err
    assert "--steps 10 → 11 [" in answer.err
    assert files_of(english.pretrained) == before


def test_a_finished_evaluation_given_again_returns_its_result_until_the_table_changes(english, tmp_path):
    table = tmp_path / "table.csv"
    shutil.copy(english.table, table)
    words = ("evaluate", english.tuned / "model", table, *ENGINE, "--output", tmp_path / "run")
    assert done(*words, "--json").json == done(*words, "--json").json
    table.write_text(table.read_text("utf-8") + '"one more cat","pos"\n', encoding="utf-8")
    assert bertsmith(*words).code == 4


# transformers and our folders


def test_transformers_opens_our_folders_and_computes_the_same(english):
    transformers = pytest.importorskip("transformers")
    import torch

    from bertsmith.inference.masked_lm import MaskedLM

    text = labelled("en", 1)[0][0]
    tuned = english.tuned / "model"
    ours = library.load(tuned).logits([text])
    tokenizer = transformers.AutoTokenizer.from_pretrained(tuned)
    inputs = tokenizer(text, return_tensors="pt", truncation=True, max_length=32)
    classifier = transformers.BertForSequenceClassification.from_pretrained(tuned).eval()
    with torch.inference_mode():
        theirs = classifier(**inputs).logits.numpy()
    assert np.abs(ours - theirs).max() < 1e-4
    assert {classifier.config.id2label[n] for n in range(2)} == {"pos", "neg"}

    pretrained = english.pretrained / "model"
    place = 4
    ids = inputs["input_ids"][0].clone()
    masked = ids.clone()
    masked[place] = tokenizer.mask_token_id
    network = MaskedLM(library.load(pretrained).checkpoint)
    (filling,) = network.fill([ids[1:-1].numpy()], [place - 1], count=5)
    for name in ("BertForPreTraining", "BertForMaskedLM"):
        model = getattr(transformers, name).from_pretrained(pretrained).eval()
        with torch.inference_mode():
            output = model(input_ids=masked[None])
        logits = output.prediction_logits if name == "BertForPreTraining" else output.logits
        p = torch.softmax(logits[0, place], 0)
        for piece, probability in filling.pieces:
            assert float(p[tokenizer.convert_tokens_to_ids(piece)]) == pytest.approx(probability, abs=1e-4)


def test_a_folder_that_transformers_saved_without_the_prefix_is_fine_tuned(english, tmp_path):
    transformers = pytest.importorskip("transformers")
    folder = tmp_path / "theirs"
    transformers.BertModel(transformers.BertConfig(**json.loads(english.config.read_text("utf-8")))).save_pretrained(folder)
    for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(english.vocabulary / name, folder / name)
    answer = done("finetune", english.table, "--model", folder, *TUNING, "--output", tmp_path / "run", "--json")
    assert answer.json["scores"]


# quickstart


class StopAt:
    """A listener that presses Ctrl-C once, when a stage of this name has come to a step."""

    def __init__(self, stage, step=0):
        self.stage, self.step, self.now, self.pressed = stage, step, "", False

    def __call__(self, event):
        self.now = event.name if isinstance(event, Stage) else self.now
        step = event.done if isinstance(event, Advance) else 0
        if not self.pressed and self.now == self.stage and step >= self.step:
            self.pressed = True
            signal.raise_signal(signal.SIGINT)


def quickstart(place, language, listen):
    corpus, table = place / "texts", place / "labels.csv"
    return library.quickstart(
        corpus=corpus,
        labels=table,
        scale="smoke",
        seeds=1,
        threads=1,
        output=place / "run",
        language=language,
        listen=listen,
    )


def own_files(place, language):
    write_corpus(place / "texts", language)
    header, encoding = (("text", "label"), "utf-8") if language == "en" else (("评论", "情感"), "gbk")
    write_table(place / "labels.csv", header, labelled(language), encoding)


@BOTH
def test_quickstart_on_ones_own_files_is_interrupted_goes_on_and_is_done_once(tmp_path, language):
    own_files(tmp_path, language)
    with pytest.raises(KeyboardInterrupt):
        quickstart(tmp_path, language, StopAt("encode"))
    with pytest.raises(Interrupted):
        quickstart(tmp_path, language, StopAt("pretraining", 2))
    stages = []
    first = quickstart(tmp_path, language, stages.append)
    assert any(getattr(event, "code", "") == "going-on" for event in stages)
    scores = {score["metric"] for score in first.numbers["pretraining"]["scores"]}
    assert {"mlm_loss", "nsp_accuracy"} <= scores
    assert set(first.numbers["finetuning"]) == {"pretrained", "scratch"}
    before = files_of(tmp_path / "run")
    again = quickstart(tmp_path, language, stages.append)
    assert again.numbers == json.loads(json.dumps(first.numbers))
    assert again.lines(language) == first.lines(language)
    assert files_of(tmp_path / "run") == before
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert f'<html lang="{language}' in page


OFFLINE = """
import socket, sys
def refuse(*arguments, **named):
    raise SystemExit("the network was used")
for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, refuse)
for name in ("create_connection", "getaddrinfo", "gethostbyname"):
    setattr(socket, name, refuse)
from bertsmith.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_a_process_that_is_interrupted_says_how_to_go_on_and_ends_with_the_bits_of_the_whole_run(english, tmp_path):
    words = [("40" if word == 10 else str(word)) for word in english.pretraining]
    words = [*words, "--save-every", "7"]

    def begin(folder):
        command = [sys.executable, "-c", OFFLINE, *words, "--output", str(folder)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    process = begin(stopped)
    log = stopped / "log.jsonl"
    while process.poll() is None and not (log.exists() and log.stat().st_size):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "bertsmith pretrain" in err
    for folder in (stopped, whole):
        process = begin(folder)
        _, err = process.communicate()
        assert process.returncode == 0, err
    results = [(folder / "model" / "model.safetensors").read_bytes() for folder in (stopped, whole)]
    assert results[0] == results[1]


def test_quickstart_on_a_text_too_small_to_measure_or_probe_says_so_and_ends(tmp_path):
    file = tmp_path / "texts" / "a.txt"
    file.parent.mkdir()
    file.write_text("the same line\n" * 50, encoding="utf-8")
    words = ("quickstart", "--corpus", tmp_path / "texts", "--scale", "smoke", "--output", tmp_path / "run", *ENGINE)
    answer = done(*words)
    assert "--labels" in answer.err  # nothing is fine-tuned
    assert "too few documents are held out" in answer.err  # nothing is measured
    assert "no sentence" in answer.out  # nothing is probed
    assert (tmp_path / "run" / "pretrained" / "model" / "model.safetensors").exists()


def test_pretraining_reads_a_folder_through_a_link_and_a_relative_path(english, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(english.store, target_is_directory=True)
    words = ("pretrain", "link", "--model", english.config, "--steps", 2, "--batch-size", 4, *LENGTH, *QUICK)
    done(*words, "--output", "runs/first one")
    assert (tmp_path / "runs" / "first one" / "model" / "model.safetensors").exists()
