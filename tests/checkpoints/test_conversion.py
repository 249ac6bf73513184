"""Every kind of checkpoint into every other, and back, without a bit lost."""

import json
import os
import shutil
import warnings
from dataclasses import replace

import h5py
import numpy as np
import pytest
from safetensors.numpy import save_file
from tiny_checkpoint import CONFIG, LABELS, PRETRAINING, VOCABULARY, checkpoint

from bertsmith.checkpoints.folder import write_model_folder
from bertsmith.checkpoints.names import Part
from bertsmith.checkpoints.sources import Kind, read_source, sources_of
from bertsmith.checkpoints.targets import WRITTEN, write_target
from bertsmith.checkpoints.weights import write_arrays
from bertsmith.errors import BertsmithError

torch = pytest.importorskip("torch")

ENCODED = (Part.ENCODER, Part.POOLER)
EVERY_KIND = list(Kind)


def with_optimizer(made):
    """The checkpoint as training leaves it: Adam's means of every array, and a step."""
    random = np.random.default_rng(5)
    slots = {slot: {name: random.random(array.shape, np.float32) for name, array in made.arrays.items()} for slot in ("m", "v")}
    return replace(made, slots=slots, step=1234)


def written(place, kind, made):
    """A folder of this kind."""
    if kind is not Kind.PYTORCH:
        write_target(place, kind, made, language="en", card={})
        return place
    write_target(place, Kind.HUGGINGFACE, made, language="en", card={})
    (place / "model.safetensors").unlink()
    torch.save({name: torch.from_numpy(array) for name, array in made.arrays.items()}, place / "pytorch_model.bin")
    return place


def read(place, **more):
    return read_source(sources_of(place)[0], **more)


def same(one, other):
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and np.array_equal(one[name], other[name]) for name in one
    )


def assert_equal(found, made):
    assert same(found.arrays, made.arrays)
    assert found.config == made.config
    assert found.vocabulary == made.vocabulary
    assert found.step == made.step
    assert found.slots.keys() == made.slots.keys()
    assert all(same(found.slots[slot], made.slots[slot]) for slot in made.slots)


@pytest.mark.parametrize("target", WRITTEN)
@pytest.mark.parametrize("source", EVERY_KIND)
def test_there_and_back_nothing_is_lost(tmp_path, source, target):
    made = with_optimizer(checkpoint(config=CONFIG.replace(hidden_act="gelu_tanh")))
    first = read(written(tmp_path / "first", source, made))
    assert_equal(first, made)
    there = read(written(tmp_path / "there", target, first))
    assert_equal(there, made)
    back = read(written(tmp_path / "back", source, there))
    assert_equal(back, made)


@pytest.mark.parametrize(
    "parts", [ENCODED, (*ENCODED, Part.MLM), (*ENCODED, Part.CLASSIFIER), (Part.ENCODER, Part.QA), PRETRAINING]
)
@pytest.mark.parametrize("kind", WRITTEN)
def test_every_set_of_heads_survives_every_kind(tmp_path, kind, parts):
    made = checkpoint(*parts)
    found = read(written(tmp_path / "m", kind, made))
    assert_equal(found, made)
    assert found.about.get("labels", []) == made.about.get("labels", [])


@pytest.mark.parametrize("activation", ["gelu_erf", "gelu_tanh", "relu"])
@pytest.mark.parametrize("kind", WRITTEN)
def test_the_activation_is_a_recorded_fact(tmp_path, kind, activation):
    made = checkpoint(config=CONFIG.replace(hidden_act=activation, layer_norm_eps=1e-6, attention_probs_dropout_prob=0.3))
    assert read(written(tmp_path / "m", kind, made)).config == made.config


@pytest.mark.parametrize(
    ("kind", "said"),
    [(Kind.KERAS, "keras-hub always computes gelu with tanh"), (Kind.GOOGLE, "Google's form says gelu and not which")],
)
def test_what_a_form_cannot_hold_is_said(tmp_path, kind, said):
    told = write_target(tmp_path / "m", kind, checkpoint(), language="en", card={}).said
    assert any(said in phrase.en for phrase in told)


def test_heads_without_a_place_lie_beside_and_are_named(tmp_path):
    made = write_target(tmp_path / "m", Kind.KERAS, checkpoint(), language="en", card={})
    assert set(made.beside) == {"cls.seq_relationship.weight", "cls.seq_relationship.bias"}
    assert (tmp_path / "m" / "rest.safetensors").is_file()


def test_keys_that_no_bert_has_survive_the_way_through_other_kinds(tmp_path):
    folder = written(tmp_path / "m", Kind.GOOGLE, checkpoint())
    config = json.loads((folder / "bert_config.json").read_text()) | {"directionality": "bidi", "pooler_fc_size": 768}
    (folder / "bert_config.json").write_text(json.dumps(config))
    place = folder
    for kind in (Kind.HUGGINGFACE, Kind.KERAS, Kind.GOOGLE_TF2, Kind.TRANSFORMERS_H5, Kind.GOOGLE):
        place = written(tmp_path / kind, kind, read(place))
    found = json.loads((place / "bert_config.json").read_text())
    assert found.pop("bertsmith")["fields"] == config.pop("bertsmith")["fields"]
    assert found == config


def test_a_head_for_tokens_keeps_its_class_and_labels(tmp_path):
    transformers = pytest.importorskip("transformers")
    values = CONFIG.to_dict() | {"hidden_act": "gelu", "id2label": dict(enumerate(LABELS))}
    model = transformers.BertForTokenClassification(transformers.BertConfig(**values))
    model.save_pretrained(tmp_path / "m")
    there = written(tmp_path / "there", Kind.GOOGLE, read(tmp_path / "m"))
    back = written(tmp_path / "back", Kind.HUGGINGFACE, read(there))
    config = json.loads((back / "config.json").read_text())
    assert config["architectures"] == ["BertForTokenClassification"]
    assert list(config["id2label"].values()) == LABELS
    opened = transformers.BertForTokenClassification.from_pretrained(back)
    assert torch.equal(opened.classifier.weight, model.classifier.weight)


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("kind", WRITTEN)
def test_how_texts_are_made_ready_survives(tmp_path, kind, lowercase):
    vocabulary = replace(VOCABULARY, lowercase=lowercase, strip_accents=not lowercase)
    made = replace(checkpoint(), vocabulary=vocabulary)
    assert read(written(tmp_path / "m", kind, made)).vocabulary == vocabulary


@pytest.mark.parametrize("kind", WRITTEN)
def test_without_a_vocabulary_a_model_is_converted_too(tmp_path, kind):
    made = replace(checkpoint(), vocabulary=None)
    assert_equal(read(written(tmp_path / "m", kind, made)), made)


def test_a_pickle_is_never_written(tmp_path):
    with pytest.raises(BertsmithError) as caught:
        write_target(tmp_path / "m", Kind.PYTORCH, checkpoint(), language="en", card={})
    assert caught.value.code == "pickle-not-written"
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("kind", WRITTEN)
def test_other_files_are_never_replaced(tmp_path, kind):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "holiday.txt").write_text("the only copy")
    with pytest.raises(BertsmithError) as caught:
        write_target(tmp_path / "m", kind, checkpoint(), language="en", card={})
    assert caught.value.code == "model-place-taken"
    assert [file.name for file in (tmp_path / "m").iterdir()] == ["holiday.txt"]


@pytest.mark.parametrize("kind", WRITTEN)
def test_an_older_result_is_replaced_as_a_whole(tmp_path, kind):
    other = next(one for one in WRITTEN if one is not kind)
    written(tmp_path / "m", other, checkpoint())
    written(tmp_path / "m", kind, checkpoint())
    assert [source.kind for source in sources_of(tmp_path / "m")] == [kind]


def changed(folder, rename):
    """The tensors of a pickle under other names."""
    file = folder / "pytorch_model.bin"
    torch.save(rename(torch.load(file, weights_only=True)), file)
    return folder


def test_every_array_that_does_not_fit_is_named(tmp_path):
    folder = written(tmp_path / "m", Kind.PYTORCH, checkpoint())

    def damage(tensors):
        for layer in (0, 1):
            del tensors[f"bert.encoder.layer.{layer}.output.dense.bias"]
        tensors["bert.encoder.layer.0.extra"] = torch.ones(3)
        tensors["bert.pooler.dense.bias"] = torch.ones(5)
        return tensors

    with pytest.raises(BertsmithError) as caught:
        read(changed(folder, damage))
    told = str(caught.value)
    assert [caught.value.code, *(fault.code for fault in caught.value.also)] == [
        "missing-arrays",
        "unexpected-arrays",
        "wrong-shapes",
    ]
    for name in ("bert.encoder.layer.0–1.output.dense.bias", "bert.encoder.layer.0.extra", "bert.pooler.dense.bias 5 (12)"):
        assert name in told


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: name.removeprefix("bert."),
        lambda name: f"module.{name}",
        lambda name: name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"),
    ],
    ids=["a lone encoder", "inside DataParallel", "TensorFlow's names of norms"],
)
def test_names_of_every_age_are_known(tmp_path, rename):
    made = checkpoint(*ENCODED)
    folder = written(tmp_path / "m", Kind.PYTORCH, made)
    aged = changed(folder, lambda tensors: {rename(name): tensor for name, tensor in tensors.items()})
    assert same(read(aged).arrays, made.arrays)


def test_a_folder_of_the_first_pytorch_port_opens(tmp_path):
    folder = written(tmp_path / "m", Kind.PYTORCH, checkpoint())
    shutil.copy(written(tmp_path / "g", Kind.GOOGLE, checkpoint()) / "bert_config.json", folder)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "bertsmith.json"):
        (folder / name).unlink()
    found = read(folder)
    assert same(found.arrays, checkpoint().arrays)
    assert found.config.hidden_act == "gelu_erf"
    assert found.vocabulary.pieces == VOCABULARY.pieces


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_single_file_of_weights_names_its_checkpoint(tmp_path, kind):
    folder = written(tmp_path / "m", kind, checkpoint())
    file = {
        Kind.HUGGINGFACE: "model.safetensors",
        Kind.GOOGLE: "bert_model.ckpt.data-00000-of-00001",
        Kind.GOOGLE_TF2: "bert_model.ckpt",
        Kind.KERAS: "model.weights.h5",
        Kind.TRANSFORMERS_H5: "tf_model.h5",
        Kind.PYTORCH: "pytorch_model.bin",
    }[kind]
    assert same(read(folder / file).arrays, checkpoint().arrays)


def test_weights_that_keras_saved_alone_are_read_with_the_config_beside_them(tmp_path):
    folder = written(tmp_path / "m", Kind.KERAS, checkpoint(*ENCODED))
    (folder / "model.weights.h5").rename(folder / "mine.weights.h5")
    assert same(read(folder / "mine.weights.h5").arrays, checkpoint(*ENCODED).arrays)


def test_where_nothing_lies_it_is_said(tmp_path):
    with pytest.raises(BertsmithError) as caught:
        sources_of(tmp_path)
    assert caught.value.code == "no-checkpoint"
    with pytest.raises(BertsmithError) as caught:
        sources_of(tmp_path / "gone")
    assert caught.value.code == "no-such-checkpoint"


def test_files_of_a_person_inside_an_older_result_are_never_lost(tmp_path):
    folder = written(tmp_path / "m", Kind.KERAS, checkpoint())
    (folder / "assets" / "notes.txt").write_text("the only copy")
    with pytest.raises(BertsmithError) as caught:
        written(folder, Kind.KERAS, checkpoint())
    assert caught.value.code == "model-place-taken"
    assert (folder / "assets" / "notes.txt").read_text() == "the only copy"


def test_a_damaged_checkpoint_does_not_stand_in_the_way_of_a_whole_one(tmp_path):
    folder = written(tmp_path / "m", Kind.HUGGINGFACE, checkpoint())
    shutil.copy(written(tmp_path / "g", Kind.GOOGLE, checkpoint()) / "bert_model.ckpt.index", folder)
    index = folder / "bert_model.ckpt.index"
    index.write_bytes(b"\xff" * 100 + index.read_bytes()[100:])
    assert same(read(folder).arrays, checkpoint().arrays)
    with pytest.raises(BertsmithError):
        read_source(sources_of(folder)[1])


def test_means_that_do_not_fit_their_weights_are_refused(tmp_path):
    folder = written(tmp_path / "m", Kind.HUGGINGFACE, with_optimizer(checkpoint()))
    write_arrays(folder / "optimizer.safetensors", {"m.bert.pooler.dense.bias": np.ones(5, np.float32)})
    with pytest.raises(BertsmithError) as caught:
        read(folder)
    assert caught.value.code == "slots-do-not-fit"


def test_a_named_file_is_the_one_that_is_read(tmp_path):
    folder = written(tmp_path / "m", Kind.HUGGINGFACE, checkpoint())
    other = {name: array + 1 for name, array in checkpoint().arrays.items()}
    write_arrays(folder / "other.safetensors", other)
    assert same(read(folder / "other.safetensors").arrays, other)


@pytest.mark.parametrize("content", [b"<html>not found</html>", b"version https://git-lfs.github.com/spec/v1\noid sha256:1"])
def test_a_download_that_is_no_pickle_is_not_called_an_attack(tmp_path, content):
    folder = written(tmp_path / "m", Kind.PYTORCH, checkpoint())
    (folder / "pytorch_model.bin").write_bytes(content)
    with pytest.raises(BertsmithError) as caught:
        read(folder)
    assert caught.value.code in ("pickle-unreadable", "pointer-file")


@pytest.mark.parametrize(("value", "kind"), [(np.nan, np.float32), (-np.inf, np.float16), (1e300, np.float64)])
def test_numbers_that_are_not_finite_are_told_once(tmp_path, value, kind):
    folder = written(tmp_path / "m", Kind.HUGGINGFACE, checkpoint())
    arrays = {name: array.astype(kind) for name, array in checkpoint().arrays.items()}
    for name in ("bert.pooler.dense.weight", "bert.pooler.dense.bias"):
        arrays[name][0] = value
    save_file(arrays, folder / "model.safetensors")
    notes = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(folder, listen=notes.append)
    (told,) = notes
    assert (told.code, told.warning, told.values["count"]) == ("weights-not-finite", True, 2)
    assert "bert.pooler.dense.bias" in told.text("zh")


def test_weights_that_are_numbers_are_told_nothing_of(tmp_path):
    notes = []
    read(written(tmp_path / "m", Kind.HUGGINGFACE, with_optimizer(checkpoint())), listen=notes.append)
    assert notes == []


def test_arrays_that_belong_to_no_bert_are_told(tmp_path):
    folder = written(tmp_path / "m", Kind.TRANSFORMERS_H5, checkpoint())
    with h5py.File(folder / "tf_model.h5", "a") as file:
        file["top/extra:0"] = np.ones(3, np.float32)
    notes = []
    assert same(read(folder, listen=notes.append).arrays, checkpoint().arrays)
    assert [(note.code, note.values["count"], note.values["names"]) for note in notes] == [
        ("arrays-left-over", 1, "top/extra:0")
    ]


@pytest.mark.parametrize("step", [10**30, -1, 1.5, True, "7"])
@pytest.mark.parametrize("target", [Kind.GOOGLE, Kind.GOOGLE_TF2])
def test_a_step_that_no_optimizer_counted_is_passed_over(tmp_path, target, step):
    folder = written(tmp_path / "m", Kind.HUGGINGFACE, checkpoint())
    about = json.loads((folder / "bertsmith.json").read_text())
    (folder / "bertsmith.json").write_text(json.dumps(about | {"step": step}))
    assert read(written(tmp_path / "there", target, read(folder))).step is None


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_link_as_target_stays_and_leads_to_the_result(tmp_path, kind):
    (tmp_path / "disk").mkdir()
    (tmp_path / "m").symlink_to(tmp_path / "disk" / "m")
    for _ in range(2):  # where nothing stands yet, and where an older result does
        written(tmp_path / "m", kind, checkpoint())
    assert (tmp_path / "m").is_symlink()
    assert same(read(tmp_path / "disk" / "m").arrays, checkpoint().arrays)
    assert {entry.name for entry in tmp_path.iterdir()} == {"disk", "m"}


@pytest.mark.parametrize("length", [250, 300])
def test_a_target_with_a_name_too_long_is_refused(tmp_path, length):
    with pytest.raises(BertsmithError) as caught:
        written(tmp_path / ("m" * length), Kind.HUGGINGFACE, checkpoint())
    assert (caught.value.code, caught.value.exit_code) == ("cannot-write", 5)


@pytest.mark.skipif(os.name == "nt", reason="names of files are texts there")
def test_names_of_folders_that_are_no_utf8_are_written_as_far_as_they_can_be_read(tmp_path):
    name = os.fsdecode(b"mod\xe8le")
    made = replace(checkpoint(), about={"origin": {"converted_from": name}})
    write_model_folder(tmp_path / name, made, language="en", card={"title": name})
    assert "# mod\N{REPLACEMENT CHARACTER}le" in (tmp_path / name / "README.md").read_text(encoding="utf-8")
    assert read(tmp_path / name).about["origin"] == {"converted_from": "mod?le"}
