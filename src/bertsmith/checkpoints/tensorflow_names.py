"""Where each array of a BERT stands in TensorFlow's checkpoints, and how its values lie there.

    ours   `BertForPreTraining` of transformers, torch's orientation: (outputs, inputs)
    tf1    google-research/bert: modeling.py, run_pretraining.py, run_classifier.py, run_squad.py
    tf2    TensorFlow's model garden, official/nlp: modeling (BertEncoderV2, MaskedLM, ClassificationHead, SpanLabeling) and
           tools/tf1_bert_checkpoint_converter_lib.py; attention has an axis of its own for the heads

Legend of the shapes: D width, N heads, H head width, O outputs, I inputs.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bertsmith.checkpoints.object_graph import ObjectPath, StoredVariable


class Form(Enum):
    """How the values lie in a file."""

    SAME = "as ours"
    TRANSPOSED = "IO"
    SPLIT = "DNH"  # outputs cut into heads
    SPLIT_BIAS = "NH"
    JOINED = "NHD"  # inputs cut into heads


# Axes that a reader takes. Early releases of the model garden kept attention's kernels whole.
_AXES = {Form.SAME: (1, 2), Form.TRANSPOSED: (2,), Form.SPLIT: (2, 3), Form.SPLIT_BIAS: (1, 2), Form.JOINED: (2, 3)}


def fits(form: Form, shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape can lie in this form."""
    return len(shape) in _AXES[form]


def to_ours(array: NDArray[np.float32], form: Form) -> NDArray[np.float32]:
    """A view of a stored array in our orientation."""
    if form is Form.SPLIT_BIAS:
        return array.reshape(-1)
    if form is Form.SPLIT:
        return array.reshape(len(array), -1).T
    if form is Form.JOINED:
        return array.reshape(-1, array.shape[-1]).T
    return array.T if form is Form.TRANSPOSED else array


def to_theirs(array: NDArray[np.float32], form: Form, heads: int) -> NDArray[np.float32]:
    """A view of one of our arrays as it is stored."""
    if form is Form.SPLIT_BIAS:
        return array.reshape(heads, -1)
    if form is Form.SPLIT:
        return array.T.reshape(array.shape[1], heads, -1)
    if form is Form.JOINED:
        return array.T.reshape(heads, -1, array.shape[0])
    return array.T if form is Form.TRANSPOSED else array


@dataclass(frozen=True)
class Place:
    """Where one of our arrays stands.

    Args:
        ours: our name.
        tf1: its name.
        tf1_form: how it lies there.
        tf2: full names of the variable; the first is written, the last one that is there is read.
        tf2_form: how it lies there.
        path: the attributes that lead to the variable.
    """

    ours: str
    tf1: str
    tf1_form: Form
    tf2: tuple[str, ...]
    tf2_form: Form
    path: ObjectPath


class _Leaf(NamedTuple):
    ours: str
    tf1: str
    tf1_form: Form
    tf2: str
    tf2_form: Form


class _Module(NamedTuple):
    ours: str
    tf1: str
    tf2: tuple[str, ...]
    path: str
    leaves: tuple[_Leaf, ...]


_BIAS = _Leaf("bias", "bias", Form.SAME, "bias", Form.SAME)
_DENSE = (_Leaf("weight", "kernel", Form.TRANSPOSED, "kernel", Form.TRANSPOSED), _BIAS)
_SPLIT = (_Leaf("weight", "kernel", Form.TRANSPOSED, "kernel", Form.SPLIT), _BIAS._replace(tf2_form=Form.SPLIT_BIAS))
_JOINED = (_Leaf("weight", "kernel", Form.TRANSPOSED, "kernel", Form.JOINED), _BIAS)
_NORM = (_Leaf("weight", "gamma", Form.SAME, "gamma", Form.SAME), _Leaf("bias", "beta", Form.SAME, "beta", Form.SAME))
_TABLE = (_Leaf("weight", "", Form.SAME, "embeddings", Form.SAME),)
# Google's own heads are plain variables, with rows for outputs
_HEAD = (
    _Leaf("weight", "output_weights", Form.SAME, "kernel", Form.TRANSPOSED),
    _BIAS._replace(tf1="output_bias"),
)
_LONE_BIAS = (_Leaf("bias", "output_bias", Form.SAME, "output_bias/bias", Form.SAME),)

_LAYER = (
    _Module("attention.self.query", "attention/self/query", ("self_attention/query",), "_attention_layer/_query_dense", _SPLIT),
    _Module("attention.self.key", "attention/self/key", ("self_attention/key",), "_attention_layer/_key_dense", _SPLIT),
    _Module("attention.self.value", "attention/self/value", ("self_attention/value",), "_attention_layer/_value_dense", _SPLIT),
    _Module(
        "attention.output.dense",
        "attention/output/dense",
        ("self_attention/attention_output",),
        "_attention_layer/_output_dense",
        _JOINED,
    ),
    _Module(
        "attention.output.LayerNorm",
        "attention/output/LayerNorm",
        ("self_attention_layer_norm",),
        "_attention_layer_norm",
        _NORM,
    ),
    _Module("intermediate.dense", "intermediate/dense", ("intermediate",), "_intermediate_dense", _DENSE),
    _Module("output.dense", "output/dense", ("output",), "_output_dense", _DENSE),
    _Module("output.LayerNorm", "output/LayerNorm", ("output_layer_norm",), "_output_layer_norm", _NORM),
)
# The model garden's pretraining trains a pooler in the next-sentence head and leaves the encoder's own as it was drawn, so the head's is
# read where both are there.
_MODULES = (
    _Module(
        "bert.embeddings.word_embeddings",
        "bert/embeddings/word_embeddings",
        ("word_embeddings",),
        "encoder/_embedding_layer",
        _TABLE,
    ),
    _Module(
        "bert.embeddings.position_embeddings",
        "bert/embeddings/position_embeddings",
        ("position_embedding",),
        "encoder/_position_embedding_layer",
        _TABLE,
    ),
    _Module(
        "bert.embeddings.token_type_embeddings",
        "bert/embeddings/token_type_embeddings",
        ("type_embeddings",),
        "encoder/_type_embedding_layer",
        _TABLE,
    ),
    _Module(
        "bert.embeddings.LayerNorm",
        "bert/embeddings/LayerNorm",
        ("embeddings/layer_norm",),
        "encoder/_embedding_norm_layer",
        _NORM,
    ),
    _Module(
        "bert.pooler.dense",
        "bert/pooler/dense",
        ("pooler_transform", "next_sentence/pooler_dense"),
        "encoder/_pooler_layer",
        _DENSE,
    ),
    _Module(
        "cls.predictions.transform.dense",
        "cls/predictions/transform/dense",
        ("cls/predictions/transform/dense",),
        "masked_lm/dense",
        _DENSE,
    ),
    _Module(
        "cls.predictions.transform.LayerNorm",
        "cls/predictions/transform/LayerNorm",
        ("cls/predictions/transform/LayerNorm",),
        "masked_lm/layer_norm",
        _NORM,
    ),
    _Module("cls.predictions", "cls/predictions", ("cls/predictions",), "masked_lm", _LONE_BIAS),
    _Module(
        "cls.seq_relationship",
        "cls/seq_relationship",
        ("next_sentence/logits", "predictions/transform/logits"),
        "next_sentence/out_proj",
        _HEAD,
    ),
    _Module(
        "classifier",
        "",
        ("sentence_prediction/logits", "classification/predictions/transform/logits"),
        "sentence_prediction/out_proj",
        _HEAD,
    ),
    _Module(
        "qa_outputs",
        "cls/squad",
        ("span_labeling/predictions/transform/logits",),
        "span_labeling/logits",
        _HEAD,
    ),
)
_LAYER_NUMBER = re.compile(r"(?:layer_|_transformer_layers/)(\d{1,4})/")
_MOST_PARTS = 8  # of the names and paths here, which have up to 5
_PATH = ":"  # begins paths in a table that they share with names
# In encoders that were made with Keras's functional interface, TensorFlow counts layers: three tables, a norm, the layers, the pooler.
_WITH_WEIGHTS = re.compile(r"(?:^|/)layer_with_weights-(\d{1,4})/(.+)")
_FIRST_LAYERS = ("_embedding_layer", "_position_embedding_layer", "_type_embedding_layer", "_embedding_norm_layer")
# The model garden has a pooler in the encoder and one in the next-sentence head, and restores either. Ours is written as both, with a second
# way that leads to the head's.
POOLER: ObjectPath = ("encoder", "_pooler_layer")
HEAD_POOLER: ObjectPath = ("next_sentence.pooler_dense",)
HEAD_POOLER_ALSO: ObjectPath = ("next_sentence", "dense")


def places(layers: Iterable[int]) -> Iterator[Place]:
    """The places of every array: embeddings, the layers with these numbers, pooler and heads."""
    for module in _MODULES:
        yield from _places(module)
    for number in layers:
        for module in _LAYER:
            yield from _places(
                module._replace(
                    ours=f"bert.encoder.layer.{number}.{module.ours}",
                    tf1=f"bert/encoder/layer_{number}/{module.tf1}",
                    tf2=tuple(f"transformer/layer_{number}/{name}" for name in module.tf2),
                    path=f"encoder/_transformer_layers/{number}/{module.path}",
                )
            )


def _places(module: _Module) -> Iterator[Place]:
    for leaf in module.leaves:
        yield Place(
            f"{module.ours}.{leaf.ours}",
            "/".join(part for part in (module.tf1, leaf.tf1) if part),
            leaf.tf1_form,
            tuple(f"{name}/{leaf.tf2}" for name in module.tf2),
            leaf.tf2_form,
            (*module.path.split("/"), leaf.tf2.rpartition("/")[2]),
        )


class Found(NamedTuple):
    """What a variable of a file is."""

    place: Place
    form: Form
    rank: int  # of two variables for the same place, the higher is the trained one


class Finder:
    """Tells what the variables of a file are.

    Args:
        variables: full name and path of every variable of the file, from which the numbers of its layers are known.
    """

    def __init__(self, variables: Iterable[StoredVariable]) -> None:
        names = [f"{variable.full_name}/{_usual('/'.join(variable.path))}/" for variable in variables]
        self._by_name: dict[str, Found] = {}
        self._by_suffix: dict[str, Found] = {}
        for place in places(sorted({int(number) for name in names for number in _LAYER_NUMBER.findall(name)})):
            self._by_name[place.tf1] = Found(place, place.tf1_form, 0)
            for rank, name in enumerate(place.tf2):
                self._by_suffix[name] = Found(place, place.tf2_form, rank)
            start = 1 if place.path[0] == "encoder" else 0  # whatever the program called its encoder
            self._by_suffix[_PATH + "/".join(place.path[start:])] = Found(place, place.tf2_form, 0)

    def find(self, variable: StoredVariable) -> Found | None:
        """What a variable is: by Google's name, by the model garden's, wherever it is nested, or by the attributes that lead to it."""
        if variable.full_name in self._by_name:
            return self._by_name[variable.full_name]
        return self._longest("", variable.full_name) or self._longest(_PATH, _usual("/".join(variable.path)))

    def _longest(self, before: str, name: str) -> Found | None:
        parts = name.rsplit("/", _MOST_PARTS)
        endings = (before + "/".join(parts[start:]) for start in range(len(parts)))
        return next((self._by_suffix[ending] for ending in endings if ending in self._by_suffix), None)


def _usual(path: str) -> str:
    """A path with the attributes of the model garden's encoder, in place of numbers that count all layers with weights."""
    match = _WITH_WEIGHTS.search(path)
    if match is None:
        return path
    number, rest = int(match[1]), match[2].replace("_attention_output_dense/", "_attention_layer/_output_dense/")
    if number < len(_FIRST_LAYERS):
        return f"{_FIRST_LAYERS[number]}/{rest}"
    if "/" not in rest:  # a layer of the network has layers of its own, the pooler behind them has none
        return f"_pooler_layer/{rest}"
    return f"_transformer_layers/{number - len(_FIRST_LAYERS)}/{rest}"
