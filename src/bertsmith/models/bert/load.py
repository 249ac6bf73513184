"""Named arrays ↔ modules. The names are those of `BertForPreTraining`; only here are queries, keys and values fused."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bertsmith.config.bert import BertConfig
from bertsmith.models.bert.heads import BertForClassification, BertForPretraining

Arrays = Mapping[str, NDArray[np.float32]]

_OUTSIDE = {
    "bert.embeddings.pieces": "bert.embeddings.word_embeddings.weight",
    "bert.embeddings.positions": "bert.embeddings.position_embeddings.weight",
    "bert.embeddings.segments": "bert.embeddings.token_type_embeddings.weight",
    "bert.embeddings.norm": "bert.embeddings.LayerNorm",
    "bert.pooler": "bert.pooler.dense",
    "masked_lm.transform": "cls.predictions.transform.dense",
    "masked_lm.norm": "cls.predictions.transform.LayerNorm",
    "masked_lm.bias": "cls.predictions.bias",
    "next_sentence": "cls.seq_relationship",
    "classifier": "classifier",
}
_INSIDE = {
    "attention.output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
    "output_norm": "output.LayerNorm",
}
_FUSED = ("query", "key", "value")


def names_of(parameter: str) -> tuple[str, ...]:
    """The name of a parameter in `BertForPreTraining`; three names where queries, keys and values are fused."""
    if parameter in _OUTSIDE:
        return (_OUTSIDE[parameter],)
    module, kind = parameter.rsplit(".", 1)
    if module in _OUTSIDE:
        return (f"{_OUTSIDE[module]}.{kind}",)
    _, _, number, inside = module.split(".", 3)
    layer = f"bert.encoder.layer.{number}"
    if inside == "attention.qkv":
        return tuple(f"{layer}.attention.self.{part}.{kind}" for part in _FUSED)
    return (f"{layer}.{_INSIDE[inside]}.{kind}",)


def to_arrays(model: nn.Module) -> dict[str, NDArray[np.float32]]:
    """The parameters of a network as fp32 arrays on the host, under their public names."""
    arrays: dict[str, NDArray[np.float32]] = {}
    for name, parameter in model.named_parameters():
        names = names_of(name)
        for public, part in zip(names, parameter.detach().float().cpu().chunk(len(names)), strict=True):
            arrays[public] = part.numpy().copy()
    return arrays


def load_arrays(model: nn.Module, arrays: Arrays) -> tuple[str, ...]:
    """Copy arrays into a network.

    Returns:
        The parameters for which no array was there; they keep their values (a new head, for instance).
    """
    missing = []
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            names = names_of(name)
            if all(public in arrays for public in names):
                parameter.copy_(torch.from_numpy(np.concatenate([arrays[public] for public in names])))
            else:
                missing.append(name)
    return tuple(missing)


def pretraining_model(config: BertConfig, arrays: Arrays) -> tuple[BertForPretraining, tuple[str, ...]]:
    """The pretraining network with the arrays that there are, and the names of the parameters that stay random."""
    model = BertForPretraining(config)
    return model, load_arrays(model, arrays)


def classification_model(config: BertConfig, classes: int, arrays: Arrays) -> tuple[BertForClassification, tuple[str, ...]]:
    """The classification network with the arrays that there are, and the names of the parameters that stay random."""
    model = BertForClassification(config, classes)
    return model, load_arrays(model, arrays)


def decays(name: str) -> bool:
    """Whether weight decay applies: to everything but biases and norms (google-research/bert, optimization.py)."""
    return not name.endswith("bias") and "norm" not in name
