"""Names and shapes of a BERT's arrays."""

import math

import pytest

from bertsmith.checkpoints.names import Part, our_name, parts_in, shapes
from bertsmith.config.presets import preset

# weights of encoder and pooler, and of the two pretraining heads, as counted from Google's 24 uncased checkpoints
COUNTS = {"tiny": (4_385_920, 47_548), "mini": (11_170_560, 97_340), "base": (109_482_240, 624_188)}


def weights(config, *parts):
    return sum(math.prod(shape) for part in parts for shape in shapes(config, part).values())


@pytest.mark.parametrize("name", COUNTS)
def test_the_shapes_hold_as_many_weights_as_the_released_models(name):
    config = preset(name)
    assert weights(config, Part.ENCODER, Part.POOLER) == COUNTS[name][0]
    assert weights(config, Part.MLM, Part.NSP) == COUNTS[name][1]


def test_every_name_belongs_to_its_part_and_is_its_own_name_here():
    for part in Part:
        names = shapes(preset("tiny"), part)
        assert parts_in(names) == {part}
        assert [our_name(name) for name in names] == list(names)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("embeddings.LayerNorm.gamma", "bert.embeddings.LayerNorm.weight"),
        ("bert.encoder.layer.0.output.LayerNorm.beta", "bert.encoder.layer.0.output.LayerNorm.bias"),
        ("encoder.layer.3.output.dense.bias", "bert.encoder.layer.3.output.dense.bias"),
        ("pooler.dense.weight", "bert.pooler.dense.weight"),
        ("embeddings.position_ids", None),
        ("classifier.bias", "classifier.bias"),
    ],
)
def test_names_of_other_writers_are_translated(theirs, ours):
    assert our_name(theirs) == ours
