"""Parameter counts against transformers on the meta device."""

import pytest
import torch
import transformers

from bertsmith.config.bert import BertConfig
from bertsmith.config.estimate.parameters import parameters
from bertsmith.config.presets import PRESETS, preset

SIZES = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
)
ODD = BertConfig(
    vocab_size=101,
    hidden_size=24,
    num_hidden_layers=3,
    num_attention_heads=4,
    intermediate_size=37,
    max_position_embeddings=50,
    type_vocab_size=3,
)


def theirs(config: BertConfig, kind: type, **further) -> int:
    values = {name: getattr(config, name) for name in SIZES}
    with torch.device("meta"):
        model = kind(transformers.BertConfig(**values, **further))
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_has_as_many_parameters_as_transformers_counts(name):
    config = preset(name)
    counts = parameters(config)
    assert counts.pretraining == theirs(config, transformers.BertForPreTraining)
    assert counts.encoder == theirs(config, transformers.BertModel)


def test_a_config_whose_sizes_all_differ_is_counted_part_by_part():
    counts = parameters(ODD, classes=7)
    assert counts.pretraining == theirs(ODD, transformers.BertForPreTraining)
    assert counts.classification == theirs(ODD, transformers.BertForSequenceClassification, num_labels=7)
    assert (counts.words, counts.positions, counts.segments) == (101 * 24, 50 * 24, 3 * 24)


def test_the_counts_of_the_paper_are_met():
    assert parameters(preset("base")).encoder == 109_482_240
    assert parameters(preset("large")).pretraining == 336_226_108
