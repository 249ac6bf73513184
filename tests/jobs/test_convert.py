"""`convert` and `inspect` through the command line, in both languages."""

import json
import shutil

import numpy as np
import pytest
from tiny_job import bertsmith, done

from bertsmith.checkpoints.folder import read_model_folder

KINDS = ("google", "google-tf2", "keras", "transformers-h5")
BOTH = pytest.mark.parametrize("language", ["en", "zh"])
CHECKPOINT, USAGE = 4, 2


@pytest.fixture
def model(request, language):
    """The fine-tuned model of a language."""
    return request.getfixturevalue("english" if language == "en" else "chinese").tuned / "model"


@BOTH
@pytest.mark.parametrize("kind", KINDS)
def test_a_task_model_goes_to_every_kind_and_back_and_answers_the_same(kind, model, tmp_path, language):
    told = done("convert", model, tmp_path / "there", "--to", kind, language=language).out
    assert str(tmp_path / "there") in told
    assert ("classification head" if language == "en" else "分类头") in told
    done("convert", tmp_path / "there", tmp_path / "back", language=language)
    first, last = read_model_folder(model), read_model_folder(tmp_path / "back")
    assert all(np.array_equal(first.arrays[name], last.arrays[name]) for name in first.arrays)
    text = "a quiet text" if language == "en" else "一段安静的文本"
    answers = [done("predict", place, text, "--threads", 1, language=language).out for place in (model, tmp_path / "back")]
    assert answers[0] == answers[1]


@BOTH
def test_verify_tells_the_differences_of_every_layer(model, tmp_path, language):
    answer = done("convert", model, tmp_path / "there", "--to", "google", "--verify", "--json", language=language)
    found = json.loads(answer.out)["differences"]
    assert [one["name"] for one in found["bertsmith"]] == ["embeddings", "layer 1", "layer 2", "pooled", "logits"]
    assert all(one["largest"] == 0 for one in found["bertsmith"])


@BOTH
@pytest.mark.parametrize("kind", KINDS)
def test_inspect_tells_what_lies_there(kind, model, tmp_path, language):
    done("convert", model, tmp_path / "there", "--to", kind, language=language)
    answer = done("inspect", tmp_path / "there", language=language)
    pieces = {"en": ("labels:", "vocabulary:", "activation:"), "zh": ("标签：", "词表：", "激活函数：")}[language]
    assert all(piece in answer.out for piece in pieces)
    numbers = json.loads(done("inspect", tmp_path / "there", "--json").out)["checkpoints"][0]
    assert numbers["kind"] == kind
    assert set(numbers["parts"]) == {"encoder", "pooler", "classification head"}
    assert numbers["labels"] == read_model_folder(model).about["labels"]


@BOTH
def test_inspect_says_what_is_missing_and_what_can_be_done(english, tmp_path, language):
    place = tmp_path / "model"
    shutil.copytree(english.pretrained / "model", place)
    assert "bertsmith finetune" in done("inspect", place, language=language).out
    for name in ("vocab.txt", "tokenizer.json"):
        (place / name).unlink()
    told = done("inspect", place, language=language).out
    assert {"en": "missing: no vocabulary", "zh": "缺少：没有词表"}[language] in told
    assert "finetune" not in told


@BOTH
def test_inspect_tells_all_checkpoints_of_a_folder(english, tmp_path, language):
    place = tmp_path / "model"
    done("convert", english.pretrained / "model", place, "--to", "google")
    shutil.copy(english.pretrained / "model" / "model.safetensors", place)
    shutil.copy(english.pretrained / "model" / "config.json", place)
    kinds = [one["kind"] for one in json.loads(done("inspect", place, "--json").out)["checkpoints"]]
    assert kinds == ["huggingface", "google"]
    done("convert", place, tmp_path / "keras", "--kind", "google", "--to", "keras", language=language)


@BOTH
@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("gone", "out"), "no-such-checkpoint", CHECKPOINT),
        (("empty", "out"), "no-checkpoint", CHECKPOINT),
        (("model", "out", "--kind", "keras"), "no-such-kind", CHECKPOINT),
        (("model", "out", "--to", "pytorch"), "unknown-choice", USAGE),
        (("model", "out", "--to", "kears"), "unknown-choice", USAGE),
        (("model", "model"), "target-is-source", USAGE),
        (("model", "taken"), "model-place-taken", CHECKPOINT),
        (("model", "out", "--gelu", "erff"), "unknown-choice", USAGE),
    ],
)
def test_what_cannot_be_converted_is_refused_and_nothing_is_written(
    words, code, exit_code, english, tmp_path, monkeypatch, language
):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(english.pretrained / "model", tmp_path / "model")
    (tmp_path / "empty").mkdir()
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("the only copy")
    answer = bertsmith("convert", *words, language=language)
    assert answer.code == exit_code, answer.err
    assert f"[{code}]" in answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "taken" / "notes.txt").read_text() == "the only copy"
    assert (tmp_path / "model" / "model.safetensors").is_file()


@BOTH
def test_a_vocabulary_of_another_model_is_refused(english, tmp_path, language):
    large = tmp_path / "vocab.txt"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{number}" for number in range(5000))]
    large.write_text("\n".join(pieces) + "\n")
    answer = bertsmith("convert", english.pretrained / "model", tmp_path / "out", "--vocabulary", large, language=language)
    assert (answer.code, "[vocabulary-too-large]" in answer.err) == (CHECKPOINT, True)
    assert not (tmp_path / "out").exists()
