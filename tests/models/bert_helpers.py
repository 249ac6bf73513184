"""A tiny BERT whose sizes all differ, and packs of sequences of unequal length."""

import dataclasses

import numpy as np
import torch

from bertsmith.config.bert import BertConfig
from bertsmith.data.batches import PackedBatch, pack
from bertsmith.models.bert.heads import BertForPretraining
from bertsmith.models.bert.initialize import initialize

CONFIG = BertConfig(
    vocab_size=101,
    hidden_size=24,
    num_hidden_layers=3,
    num_attention_heads=4,
    intermediate_size=37,
    max_position_embeddings=50,
    type_vocab_size=3,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)
LENGTHS = (5, 9, 9, 17, 3, 30, 28)


def sequences(lengths=LENGTHS, config: BertConfig = CONFIG, seed: int = 0):
    """Random ids (never 0) and segments, a row a sequence."""
    random = np.random.default_rng(seed)
    ids = [random.integers(1, config.vocab_size, length) for length in lengths]
    return ids, [random.integers(0, config.type_vocab_size, length) for length in lengths]


def masked_batch(lengths=LENGTHS, config: BertConfig = CONFIG, seed: int = 0, masked: int = 12) -> PackedBatch:
    """A pack with masked rows, their labels and a label for each pair."""
    random = np.random.default_rng(seed + 1)
    batch = pack(*sequences(lengths, config, seed), random.integers(0, 2, len(lengths)))
    rows = np.sort(random.choice(batch.tokens, masked, replace=False))
    return dataclasses.replace(batch, masked_M=rows, labels_M=random.integers(0, config.vocab_size, masked))


def network(config: BertConfig = CONFIG, seed: int = 0) -> BertForPretraining:
    """A network with lively weights: biases and norms are not left at 0 and 1."""
    model = BertForPretraining(config)
    initialize(model, 0.1, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def gradients(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A copy of every gradient."""
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}


def assert_close(found: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-5) -> None:
    """|Δ| ≤ tolerance · max(1, max |expected|)."""
    assert found.shape == expected.shape
    assert float((found - expected).abs().max()) <= tolerance * max(1.0, float(expected.abs().max()))
