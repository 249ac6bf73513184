"""Model folders: written, read, replaced, refused."""

import errno
import json
import os

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tiny_checkpoint import CONFIG, LABELS, VOCABULARY, checkpoint

from bertsmith.checkpoints.folder import Checkpoint, check_place, read_model_folder, write_model_folder
from bertsmith.checkpoints.names import Part
from bertsmith.errors import CheckpointError, MachineError
from bertsmith.records.scores import Score


def same(arrays, others):
    return arrays.keys() == others.keys() and all(np.array_equal(arrays[name], others[name]) for name in arrays)


def rewritten(folder, change):
    """The same folder with changed arrays."""
    arrays = load_file(folder / "model.safetensors")
    change(arrays)
    save_file(arrays, folder / "model.safetensors")
    return folder


def refusal(folder):
    with pytest.raises(CheckpointError) as caught:
        read_model_folder(folder)
    return caught.value


def test_what_is_written_is_read_back_to_the_bit(folder):
    read = read_model_folder(folder)
    assert read.config == CONFIG
    assert read.vocabulary == VOCABULARY
    assert same(read.arrays, checkpoint().arrays)
    assert read.about == {"origin": {"run": "a test"}, "gelu": "gelu_erf"}
    assert read.parts == {Part.ENCODER, Part.POOLER, Part.MLM, Part.NSP}


@pytest.mark.parametrize("act", ["gelu_erf", "gelu_tanh", "relu", "silu"])
def test_every_activation_survives_the_round_trip(tmp_path, act):
    config = CONFIG.replace(hidden_act=act)
    write_model_folder(tmp_path / "m", checkpoint(config=config), language="en", card={})
    assert read_model_folder(tmp_path / "m").config.hidden_act == act


def test_labels_survive_the_round_trip(tmp_path):
    write_model_folder(tmp_path / "m", checkpoint(Part.ENCODER, Part.POOLER, Part.CLASSIFIER), language="en", card={})
    assert read_model_folder(tmp_path / "m").about["labels"] == LABELS


def test_a_model_without_a_vocabulary_is_read_back_without_one(tmp_path):
    write_model_folder(tmp_path / "m", Checkpoint(CONFIG, checkpoint().arrays), language="en", card={})
    assert read_model_folder(tmp_path / "m").vocabulary is None


def test_names_without_bert_are_those_of_a_lone_encoder(folder):
    def strip(arrays):
        for name in [name for name in arrays if name.startswith("bert.")]:
            arrays[name.removeprefix("bert.")] = arrays.pop(name)

    assert same(read_model_folder(rewritten(folder, strip)).arrays, checkpoint().arrays)


def test_gamma_and_beta_of_old_files_are_weight_and_bias(folder):
    def age(arrays):
        for name in [name for name in arrays if ".LayerNorm." in name]:
            arrays[name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")] = (
                arrays.pop(name)
            )

    assert same(read_model_folder(rewritten(folder, age)).arrays, checkpoint().arrays)


def test_position_ids_are_dropped(folder):
    changed = rewritten(folder, lambda arrays: arrays.update({"bert.embeddings.position_ids": np.arange(17)[None]}))
    assert same(read_model_folder(changed).arrays, checkpoint().arrays)


def test_a_tied_decoder_is_dropped(folder):
    def tie(arrays):
        arrays["cls.predictions.decoder.weight"] = arrays["bert.embeddings.word_embeddings.weight"]
        arrays["cls.predictions.decoder.bias"] = arrays.pop("cls.predictions.bias")

    assert same(read_model_folder(rewritten(folder, tie)).arrays, checkpoint().arrays)


def test_an_untied_decoder_is_refused(folder):
    def untie(arrays):
        arrays["cls.predictions.decoder.weight"] = arrays["bert.embeddings.word_embeddings.weight"] + 1

    error = refusal(rewritten(folder, untie))
    assert error.code == "untied-head"
    assert "cls.predictions.decoder.weight differs from bert.embeddings.word_embeddings.weight" in str(error)


@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_other_float_widths_become_fp32(folder, kind):
    changed = rewritten(folder, lambda arrays: arrays.update({name: array.astype(kind) for name, array in arrays.items()}))
    for name, array in read_model_folder(changed).arrays.items():
        assert array.dtype == np.float32
        assert np.array_equal(array, checkpoint().arrays[name].astype(kind).astype(np.float32))


def test_bf16_becomes_fp32(folder):
    import torch
    from safetensors.torch import save_file as save_torch

    halves = {name: torch.from_numpy(array).bfloat16() for name, array in checkpoint().arrays.items()}
    save_torch(halves, folder / "model.safetensors")
    read = read_model_folder(folder).arrays
    assert all(np.array_equal(read[name], halves[name].float().numpy()) for name in halves)


def test_integers_are_refused(folder):
    def quantize(arrays):
        arrays["bert.pooler.dense.weight"] = arrays["bert.pooler.dense.weight"].astype(np.int8)

    error = refusal(rewritten(folder, quantize))
    assert error.code == "not-floats"
    assert "I8" in str(error)


def test_sharded_files_are_put_together(folder):
    arrays = load_file(folder / "model.safetensors")
    names = sorted(arrays)
    places = {name: f"model-0000{1 + number % 2}-of-00002.safetensors" for number, name in enumerate(names)}
    for file in set(places.values()):
        save_file({name: arrays[name] for name in names if places[name] == file}, folder / file)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    assert same(read_model_folder(folder).arrays, checkpoint().arrays)
    (folder / "model-00001-of-00002.safetensors").unlink()
    error = refusal(folder)
    assert error.code == "missing-shards"
    assert "model-00001-of-00002.safetensors" in str(error)


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"weight_map": {}}', '{"weight_map": {"a": "../../secret"}}', '{"weight_map": {"a": 1}}']
)
def test_a_damaged_index_is_refused(folder, content):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(content)
    assert refusal(folder).code == "damaged-index"


def test_missing_unexpected_and_misshapen_arrays_are_told_at_once(folder):
    def spoil(arrays):
        del arrays["bert.encoder.layer.1.output.dense.bias"]
        arrays["bert.encoder.layer.0.attention.self.distance_embedding.weight"] = np.zeros((33, 4), np.float32)
        arrays["bert.pooler.dense.weight"] = np.zeros((12, 13), np.float32)

    text = str(refusal(rewritten(folder, spoil)))
    assert "1 arrays are missing: bert.encoder.layer.1.output.dense.bias" in text
    assert "distance_embedding" in text
    assert "bert.pooler.dense.weight 12×13 (12×12)" in text


def test_a_head_is_whole_or_absent(folder):
    error = refusal(rewritten(folder, lambda arrays: arrays.pop("cls.predictions.transform.LayerNorm.bias")))
    assert error.code == "missing-arrays"


def test_a_config_with_other_sizes_is_told_by_the_shapes(folder):
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(values | {"num_hidden_layers": 3, "max_position_embeddings": 18}))
    error = refusal(folder)
    assert "16 arrays are missing" in str(error)
    assert "position_embeddings.weight 17×12 (18×12)" in str(error)


def test_an_array_under_two_names_is_refused(folder):
    changed = rewritten(folder, lambda arrays: arrays.update({"pooler.dense.bias": arrays["bert.pooler.dense.bias"]}))
    assert refusal(changed).code == "arrays-twice"


def test_a_question_answering_head_is_kept(folder):
    head = {"qa_outputs.weight": np.ones((2, 12), np.float32), "qa_outputs.bias": np.zeros(2, np.float32)}
    changed = rewritten(folder, lambda arrays: arrays.update(head))
    assert same(read_model_folder(changed).arrays, checkpoint().arrays | head)


@pytest.mark.parametrize("size", [0, 7, 100, 5000])
def test_a_truncated_file_is_refused(folder, size):
    os.truncate(folder / "model.safetensors", size)
    error = refusal(folder)
    assert error.code == "damaged-weights"
    assert "model.safetensors" in str(error)


def test_a_folder_with_a_pickle_alone_is_refused_with_the_way_out(folder):
    import torch

    torch.save({"a": torch.ones(2)}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    error = refusal(folder)
    assert error.code == "pickled-weights"
    assert "safetensors only" in str(error)
    assert "bertsmith convert" in str(error)
    assert "bertsmith convert" in error.text("zh")


def test_a_pickle_under_the_name_of_safetensors_is_refused_and_never_loaded(folder):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(folder / "exploded"),)

    import pickle

    (folder / "model.safetensors").write_bytes(pickle.dumps(Bomb()))
    assert refusal(folder).code == "pickled-weights"
    assert not (folder / "exploded").exists()


def test_a_pickle_given_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "weights.pt").write_bytes(b"PK\x03\x04")
    assert refusal(tmp_path / "weights.pt").code == "pickled-weights"


@pytest.mark.parametrize("name", ["tf_model.h5", "bert_model.ckpt.index", "flax_model.msgpack"])
def test_tensorflow_weights_are_refused_with_the_way_out(folder, name):
    (folder / "model.safetensors").rename(folder / name)
    error = refusal(folder)
    assert error.code == "tensorflow-weights"
    assert name in str(error)


def test_a_git_lfs_pointer_is_named(folder):
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    assert refusal(folder).code == "pointer-file"


@pytest.mark.parametrize(
    ("name", "code"), [("nothing", "no-model-folder"), ("config.json", "model-is-a-file"), (".", "no-weights")]
)
def test_a_wrong_path_is_told(tmp_path, name, code):
    (tmp_path / "config.json").write_text("{}")
    assert refusal(tmp_path / name).code == code


def test_a_vocabulary_larger_than_the_word_table_is_refused(folder):
    with open(folder / "vocab.txt", "a", encoding="utf-8") as file:
        file.write("".join(f"more{number}\n" for number in range(9)))
    (folder / "tokenizer.json").unlink()
    error = refusal(folder)
    assert error.code == "vocabulary-too-large"
    assert "24 pieces" in str(error)
    assert "19 rows" in str(error)


def test_labels_of_another_number_than_the_classes_are_refused(tmp_path):
    write_model_folder(tmp_path / "m", checkpoint(Part.ENCODER, Part.POOLER, Part.CLASSIFIER), language="en", card={})
    (tmp_path / "m" / "bertsmith.json").write_text('{"labels": ["one"]}')
    error = refusal(tmp_path / "m")
    assert error.code == "damaged-about"
    assert "1 labels for 5 classes" in str(error)


def test_a_newer_model_takes_the_place_of_an_older_one_of_ours(folder):
    encoder = checkpoint(Part.ENCODER)
    write_model_folder(folder, encoder, language="en", card={})
    assert read_model_folder(folder).arrays.keys() == encoder.arrays.keys()
    assert [entry.name for entry in folder.parent.iterdir()] == ["model"]


def test_what_is_not_ours_is_never_replaced(folder):
    (folder / "thesis.docx").write_text("years of work")
    with pytest.raises(CheckpointError, match=r"thesis\.docx") as caught:
        write_model_folder(folder, checkpoint(), language="en", card={})
    assert caught.value.code == "model-place-taken"
    (folder / "thesis.docx").unlink()
    check_place(folder)
    (folder / "bertsmith.json").unlink()  # now it is somebody else's model
    with pytest.raises(CheckpointError, match="model-place-taken"):
        check_place(folder)


def test_a_full_disk_leaves_the_older_model_whole(folder, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MachineError, match="disk-full"):
        write_model_folder(folder, checkpoint(Part.ENCODER), language="en", card={})
    assert same(read_model_folder(folder).arrays, checkpoint().arrays)
    assert [entry.name for entry in folder.parent.iterdir()] == ["model"]


def test_arrays_that_do_not_fit_are_refused_before_anything_is_written(tmp_path):
    whole = checkpoint()
    del whole.arrays["bert.embeddings.LayerNorm.bias"]
    with pytest.raises(CheckpointError, match="missing-arrays"):
        write_model_folder(tmp_path / "m", whole, language="en", card={})
    assert not list(tmp_path.iterdir())


def test_a_classifier_without_labels_is_refused(tmp_path):
    classifier = checkpoint(Part.ENCODER, Part.POOLER, Part.CLASSIFIER)
    del classifier.about["labels"]
    with pytest.raises(CheckpointError, match="0 labels for 5 classes") as caught:
        write_model_folder(tmp_path / "m", classifier, language="en", card={})
    assert caught.value.code == "labels-without-classes"


@pytest.mark.parametrize(
    ("language", "heading", "row"),
    [
        ("en", "## Scores", "| accuracy | 0.550 ± 0.071 | test | 321 | 2 | majority 0.400 |"),
        ("zh", "## 得分", "| 准确率 | 0.550 ± 0.071 | 测试集 | 321 | 2 | 多数类 0.400 |"),
    ],
)
def test_the_card_tells_scores_with_split_n_seeds_and_baseline(tmp_path, language, heading, row):
    score = Score.over_seeds("accuracy", [0.5, 0.6], "test", 321, baseline=("majority", 0.4))
    facts = {
        "title": "酒店评论",
        "summary": "Tells praise from blame.",
        "data": ["reviews.csv"],
        "scores": [score],
        "text_languages": ["zh"],
    }
    classifier = checkpoint(Part.ENCODER, Part.POOLER, Part.CLASSIFIER)
    write_model_folder(tmp_path / "m", classifier, language=language, card=facts)
    card = (tmp_path / "m" / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlanguage:\n- zh\nlibrary_name: transformers\npipeline_tag: text-classification\n")
    assert heading in card
    assert row in card
    for told in ("# 酒店评论", "Tells praise from blame.", "- reviews.csv", "3. 差评", "bertsmith predict", "transformers"):
        assert told in card
