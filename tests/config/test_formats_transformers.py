"""transformers opens what is written in its form, keeps our key, and its own files of any age are read."""

import pytest

from bertsmith.config.bert import BertConfig
from bertsmith.config.formats import config_from_values, read_config_file, write_config

transformers = pytest.importorskip("transformers")

CONFIG = BertConfig(
    vocab_size=100,
    hidden_size=24,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=40,
    hidden_act="gelu_tanh",
    hidden_dropout_prob=0.05,
    attention_probs_dropout_prob=0.15,
    max_position_embeddings=17,
    type_vocab_size=4,
    initializer_range=0.03,
    layer_norm_eps=1e-6,
    pad_token_id=3,
    classifier_dropout=0.25,
)
GOOGLE = {"vocab_size": 100, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 40}


def test_transformers_means_the_same_by_what_we_write():
    theirs = transformers.BertConfig(**write_config(CONFIG, "huggingface")[0])
    assert {name: getattr(theirs, name) for name in CONFIG.to_dict()} == CONFIG.to_dict() | {"hidden_act": "gelu_pytorch_tanh"}


def test_we_mean_the_same_by_what_transformers_writes(tmp_path):
    transformers.BertConfig(**write_config(CONFIG, "huggingface")[0]).save_pretrained(tmp_path)
    assert read_config_file(tmp_path).config == CONFIG


def test_our_key_survives_transformers_reading_and_writing(tmp_path):
    source = config_from_values(GOOGLE | {"directionality": "bidi"}, where="")
    transformers.BertConfig(**write_config(source.config, "huggingface", source)[0]).save_pretrained(tmp_path)
    read = read_config_file(tmp_path)
    back, _ = write_config(read.config, "google", read)
    assert {key: value for key, value in back.items() if key != "bertsmith"} == GOOGLE | {"directionality": "bidi"}


@pytest.mark.parametrize(
    "of_its_age",
    [
        {"torch_dtype": "float16", "transformers_version": "4.38.0", "output_past": True, "gradient_checkpointing": False},
        {"dtype": "bfloat16", "transformers_version": "5.0.0", "tie_word_embeddings": True, "is_decoder": False},
        {"pruned_heads": {}, "finetuning_task": None, "torchscript": False, "use_bfloat16": False, "num_labels": 2},
    ],
)
def test_files_of_every_age_are_read_and_written_back_as_they_were(of_its_age):
    values = GOOGLE | {"model_type": "bert", "hidden_act": "gelu", "pad_token_id": None, **of_its_age}
    read = config_from_values(values, where="")
    assert (read.form, read.config.hidden_act, read.config.pad_token_id) == ("huggingface", "gelu_erf", 0)
    assert write_config(read.config, "huggingface", read)[0] == values
