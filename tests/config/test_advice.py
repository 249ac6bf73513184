"""What works in a config and is slow or odd is told, with a stable code and what to do."""

import pytest

from bertsmith.config.advice import ARROW, advice
from bertsmith.config.presets import PRESETS, preset

FINE = preset("base").replace(vocab_size=30528)
ODD = [
    ({"hidden_size": 312, "num_attention_heads": 3, "intermediate_size": 1248}, "odd-width", "use 256 or 320"),
    ({"intermediate_size": 3000}, "odd-width", "use 2944 or 3008"),
    ({"num_attention_heads": 64}, "odd-head-width", "use num_attention_heads 12 or hidden_size 4096"),
    ({"num_attention_heads": 96}, "odd-head-width", "a head is 8 wide"),
    ({"num_attention_heads": 2}, "odd-head-width", "a head is 384 wide"),
    ({"hidden_size": 770, "num_attention_heads": 10}, "odd-head-width", "64 → use hidden_size 640"),
    ({"num_hidden_layers": 4096}, "huge-network", "have 29,056,356,096 parameters"),
    ({"vocab_size": 30522}, "odd-vocabulary", "use 30528"),
    ({"intermediate_size": 768}, "odd-feed-forward", "use 3072"),
    ({"hidden_dropout_prob": 0.5}, "large-dropout", "hidden_dropout_prob 0.5"),
    ({"classifier_dropout": 0.8}, "large-dropout", "classifier_dropout 0.8"),
    ({"initializer_range": 2.0}, "odd-initializer", "use 0.02"),
    ({"initializer_range": 0.001}, "odd-initializer", "use 0.02"),
    ({"type_vocab_size": 16}, "odd-segments", "Google's code takes"),
    ({"type_vocab_size": 1}, "odd-segments", "cannot be told apart"),
    ({"layer_norm_eps": 1e-5}, "odd-epsilon", "use 1e-12"),
    ({"max_position_embeddings": 8192}, "many-positions", "square of the length"),
]


@pytest.mark.parametrize(("changes", "code", "words"), ODD)
def test_an_odd_value_is_told_with_what_to_do(changes, code, words):
    found = next(note for note in advice(FINE.replace(**changes)) if note.code == code)
    assert found.warning and words in found.text()
    for language in ("en", "zh"):
        what, arrow, do = found.text(language).partition(ARROW)
        assert what and arrow and do


def test_a_config_without_oddities_gets_no_advice():
    assert advice(FINE) == []


@pytest.mark.parametrize("name", PRESETS)
def test_published_sizes_are_odd_in_few_things(name):
    assert {note.code for note in advice(preset(name))} <= {"odd-vocabulary", "odd-width"}
