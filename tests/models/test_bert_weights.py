"""First weights, and named arrays in and out."""

import numpy as np
import pytest
import torch
from bert_helpers import CONFIG, masked_batch, network

from bertsmith.models.bert.heads import BertForClassification, BertForPretraining
from bertsmith.models.bert.initialize import initialize
from bertsmith.models.bert.load import classification_model, decays, load_arrays, pretraining_model, to_arrays
from bertsmith.models.bert.pack import Pack

WIDE = CONFIG.replace(hidden_size=96, intermediate_size=200, vocab_size=1000)


def initialized(model, seed=0):
    initialize(model, 0.02, seed)
    return dict(model.named_parameters())


def test_weights_start_from_a_truncated_normal_and_biases_and_norms_from_0_and_1():
    drawn = []
    for name, parameter in initialized(BertForPretraining(WIDE)).items():
        if "norm" in name or name.endswith("bias"):
            assert (parameter == (1.0 if name.endswith("norm.weight") else 0.0)).all(), name
        else:
            assert float(parameter.detach().abs().max()) <= 0.04
            drawn.append(parameter.detach().flatten())
    everything = torch.cat(drawn)
    assert float(everything.std()) == pytest.approx(0.88 * 0.02, rel=0.01)
    assert abs(float(everything.mean())) < 4 * 0.02 / len(everything) ** 0.5


def test_the_first_weights_are_a_function_of_the_seed_and_the_name():
    first, again, other = (initialized(BertForPretraining(CONFIG), seed) for seed in (3, 3, 4))
    classifier = initialized(BertForClassification(CONFIG, 5), 3)
    torch.manual_seed(99)
    for name, parameter in first.items():
        assert torch.equal(parameter, again[name])
        if decays(name):
            assert not torch.equal(parameter, other[name])
        if name in classifier:
            assert torch.equal(parameter, classifier[name])
    assert not torch.equal(first["bert.layers.0.output.weight"], first["bert.layers.1.output.weight"])


def test_arrays_survive_the_way_through_a_network():
    model = network()
    arrays = to_arrays(model)
    assert all(array.dtype == np.float32 for array in arrays.values())
    copy, missing = pretraining_model(CONFIG, arrays)
    assert missing == ()
    copy.eval()
    plan = Pack.of(masked_batch())
    with torch.no_grad():
        assert torch.equal(copy.bert(plan), model.bert(plan))
    assert {name: array.tobytes() for name, array in to_arrays(copy).items()} == {
        name: array.tobytes() for name, array in arrays.items()
    }


def test_arrays_are_copies():
    model = network()
    arrays = to_arrays(model)
    with torch.no_grad():
        model.masked_lm.bias.add_(1.0)
    assert not np.array_equal(arrays["cls.predictions.bias"], model.masked_lm.bias.detach().numpy())


def test_a_new_head_is_told_as_missing_and_keeps_its_values():
    arrays = to_arrays(network())
    model, missing = classification_model(CONFIG, 4, arrays)
    assert missing == ("classifier.weight", "classifier.bias")
    assert np.array_equal(model.bert.embeddings.pieces.detach().numpy(), arrays["bert.embeddings.word_embeddings.weight"])


def test_queries_without_keys_count_as_missing():
    arrays = to_arrays(network())
    del arrays["bert.encoder.layer.1.attention.self.key.weight"]
    assert load_arrays(BertForPretraining(CONFIG), arrays) == ("bert.layers.1.attention.qkv.weight",)
