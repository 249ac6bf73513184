"""keras-hub and transformers 4 (with TensorFlow) open what bertsmith writes in their form, and give the same numbers."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import PYTHON

from bertsmith.checkpoints.names import Part
from bertsmith.checkpoints.sources import Kind, read_source, sources_of
from bertsmith.checkpoints.targets import write_target
from bertsmith.inspection.parity import differences, our_states, peer_states, sequences_of

sys.path.insert(0, str(Path(__file__).parents[1] / "checkpoints"))
from tiny_checkpoint import CONFIG, PRETRAINING, checkpoint

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.skipif(not PYTHON.is_file(), reason=f"there is no {PYTHON}: run `make test-tensorflow`"),
]
ENCODED = (Part.ENCODER, Part.POOLER)
HEADS = {
    "pretraining": PRETRAINING,
    "encoder": ENCODED,
    "masked LM": (*ENCODED, Part.MLM),
    "classifier": (*ENCODED, Part.CLASSIFIER),
}
TOLERANCE = 1e-4


def largest(place, kind, made):
    """The largest difference between the peer's numbers and ours, and the names of what was compared."""
    write_target(place, kind, made, language="en", card={})
    sequences = sequences_of(made)
    states = peer_states("keras-hub" if kind is Kind.KERAS else "transformers", place, sequences, str(PYTHON))
    assert states is not None, "the peer is not installed in its environment"
    found = differences(our_states(made, sequences), states)
    return max(one.largest for one in found), {one.name for one in found}


@pytest.mark.parametrize("name", HEADS)
def test_keras_hub_opens_a_preset_and_gives_the_same_numbers(tmp_path, name):
    made = checkpoint(*HEADS[name], config=CONFIG.replace(hidden_act="gelu_tanh"))
    difference, compared = largest(tmp_path / "m", Kind.KERAS, made)
    assert difference <= TOLERANCE
    assert {"embeddings", "layer 1", "layer 2", "pooled"} <= compared
    assert ("masked_lm" in compared) == (Part.MLM in made.parts)
    assert ("logits" in compared) == (Part.CLASSIFIER in made.parts)


def test_the_gap_of_keras_hub_is_its_gelu_alone(tmp_path):
    erf = checkpoint(*ENCODED, config=CONFIG.replace(hidden_act="gelu_erf"))
    write_target(tmp_path / "m", Kind.KERAS, erf, language="en", card={})
    sequences = sequences_of(erf)
    states = peer_states("keras-hub", tmp_path / "m", sequences, str(PYTHON))
    gap = [
        max(one.largest for one in differences(our_states(made, sequences), states))
        for made in (erf, replace(erf, config=erf.config.replace(hidden_act="gelu_tanh")))
    ]
    assert 10 * gap[1] < gap[0]


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("activation", ["gelu_erf", "gelu_tanh"])
def test_transformers_4_opens_tf_model_h5_and_gives_the_same_numbers(tmp_path, name, activation):
    made = checkpoint(*HEADS[name], config=CONFIG.replace(hidden_act=activation))
    difference, compared = largest(tmp_path / "m", Kind.TRANSFORMERS_H5, made)
    assert difference <= TOLERANCE
    assert {"embeddings", "layer 1", "layer 2"} <= compared
    assert ("masked_lm" in compared) == (Part.MLM in made.parts)
    assert ("next_sentence" in compared) == (Part.NSP in made.parts)


def test_what_transformers_4_saves_is_read(tmp_path, peer):
    peer(
        """
import json, os, sys
os.environ["TF_USE_LEGACY_KERAS"] = "1"
import numpy as np
from transformers import BertConfig, TFBertForPreTraining
model = TFBertForPreTraining(BertConfig(vocab_size=61, hidden_size=24, num_hidden_layers=3, num_attention_heads=4, intermediate_size=40,
                                        max_position_embeddings=32))
model(model.dummy_inputs)
model.save_pretrained(sys.argv[1], safe_serialization=False)
print(json.dumps("done"))
""",
        tmp_path / "m",
    )
    made = read_source(sources_of(tmp_path / "m")[0])
    assert made.parts == set(PRETRAINING)
    sequences = [(np.array([2, 17, 33, 8, 3]), np.array([0, 0, 0, 1, 1]))]
    states = peer_states("transformers", tmp_path / "m", sequences, str(PYTHON))
    assert max(one.largest for one in differences(our_states(made, sequences), states)) <= TOLERANCE


def test_what_keras_hub_saves_is_read(tmp_path, peer):
    peer(
        """
import json, sys
import keras_hub
backbone = keras_hub.models.BertBackbone(vocabulary_size=61, num_layers=3, num_heads=4, hidden_dim=24, intermediate_dim=40,
                                         max_sequence_length=32)
task = keras_hub.models.BertMaskedLM(backbone=backbone, preprocessor=None)
task.save_to_preset(sys.argv[1])
task.save(sys.argv[1] + ".keras")
task.save_weights(sys.argv[1] + "/mine.weights.h5")
print(json.dumps("done"))
""",
        tmp_path / "m",
    )
    sequences = [(np.array([2, 17, 33, 8, 3]), np.array([0, 0, 0, 1, 1]))]
    states = peer_states("keras-hub", tmp_path / "m", sequences, str(PYTHON))
    for place in (tmp_path / "m", tmp_path / "m.keras", tmp_path / "m" / "mine.weights.h5"):
        made = read_source(sources_of(place)[0])
        assert made.config.hidden_act == "gelu_tanh"
        found = differences(our_states(made, sequences), states)
        assert {"masked_lm", "pooled"} <= {one.name for one in found}
        assert max(one.largest for one in found if one.name != "masked_lm") <= TOLERANCE
        # the norm of its head adds 1e-5 to the variance, which shows where weights are as small as new ones
        assert max(one.largest / one.scale for one in found if one.name == "masked_lm") <= 5e-3
