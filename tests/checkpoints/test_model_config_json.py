"""config.json of transformers."""

import json

import pytest
from tiny_checkpoint import CONFIG

from bertsmith.checkpoints.folder import read_config
from bertsmith.errors import ConfigError

SIZES = {
    "vocab_size": 19,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "max_position_embeddings": 17,
    "type_vocab_size": 4,
    "model_type": "bert",
}


@pytest.fixture
def config_json(tmp_path):
    def write(values):
        text = values if isinstance(values, str) else json.dumps(values)
        (tmp_path / "config.json").write_text(text, encoding="utf-8")
        return tmp_path / "config.json"

    return write


def refusal(path):
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    return caught.value


def test_a_file_or_its_folder_is_read(config_json):
    path = config_json(SIZES)
    assert read_config(path) == read_config(path.parent) == CONFIG


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("gelu", "gelu_erf"), ("gelu_new", "gelu_tanh"), ("gelu_pytorch_tanh", "gelu_tanh"), ("relu", "relu"), ("silu", "silu")],
)
def test_activations_are_translated(config_json, theirs, ours):
    assert read_config(config_json(SIZES | {"hidden_act": theirs})).hidden_act == ours


def test_a_gelu_that_only_a_rule_decides_is_said(config_json):
    notes = []
    google = {key: value for key, value in SIZES.items() if key != "model_type"}
    every = {"hidden_act": "gelu", "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "initializer_range": 0.02}
    assert read_config(config_json(google | every), listen=notes.append).hidden_act == "gelu_tanh"
    assert [note.code for note in notes] == ["gelu-assumed"]


def test_keys_that_do_not_change_the_network_are_passed_over(config_json):
    extra = {
        "use_cache": True,
        "gradient_checkpointing": False,
        "id2label": {"0": "a"},
        "pad_token_id": None,
        "torch_dtype": "float16",
    }
    assert read_config(config_json(SIZES | extra)) == CONFIG


@pytest.mark.parametrize(
    "other",
    [
        {"model_type": "roberta"},
        {"position_embedding_type": "relative_key"},
        {"is_decoder": True},
        {"add_cross_attention": True},
        {"embedding_size": 5},
        {"model_type": None, "architectures": ["AlbertModel"]},
    ],
)
def test_another_network_is_refused(config_json, other):
    error = refusal(config_json(SIZES | other))
    assert error.code == "other-network"
    assert "config.json" in str(error)


def test_all_faults_are_told_with_the_file(config_json):
    values = SIZES | {"hidden_dropout_prob": "high", "type_vocab_size": 0, "num_hidden_leyers": 2}
    del values["num_hidden_layers"]
    error = refusal(config_json(values))
    faults = [error, *error.also]
    assert {fault.code for fault in faults} == {"config-without-size", "misspelled-field", "wrong-type", "out-of-bounds"}
    assert all(fault.where.endswith("config.json") for fault in faults)


def test_fields_that_do_not_fit_together_are_told_with_the_file(config_json):
    error = refusal(config_json(SIZES | {"hidden_size": 13}))
    assert error.code == "head-width"
    assert error.where.endswith("config.json")


@pytest.mark.parametrize(
    ("content", "code"), [("{", "config-not-json"), ("[1]", "config-not-json"), ("\x00", "config-not-json")]
)
def test_what_is_no_object_is_refused(config_json, content, code):
    assert refusal(config_json(content)).code == code


def test_an_absent_file_is_told(tmp_path):
    assert refusal(tmp_path).code == "no-config"
