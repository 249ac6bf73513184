"""`tf_model.h5`, the weights of transformers' TensorFlow classes (until version 4): the same names with other words.

tf_bert_for_pre_training/bert/encoder/layer_._0/attention/self/query/kernel:0   bert.encoder.layer.0.attention.self.query.weight, transposed
…/mlm___cls/predictions/bias:0                                                  cls.predictions.bias
…/nsp___cls/seq_relationship/kernel:0                                           cls.seq_relationship.weight, transposed
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertsmith.checkpoints.h5 import check_floats, read_h5, write_h5
from bertsmith.checkpoints.names import TABLE
from bertsmith.checkpoints.weights import Arrays, in_fp32, keep

FILE = "tf_model.h5"
_TOPS = ("bert", "mlm___cls", "nsp___cls", "cls", "classifier", "qa_outputs")
_HEADS = {"mlm___cls": "cls", "nsp___cls": "cls"}
_LEAVES = {"kernel": "weight", "gamma": "weight", "beta": "bias", "embeddings": "weight", "weight": "weight", "bias": "bias"}
_EMBEDDINGS = {"word_embeddings": "weight", "position_embeddings": "embeddings", "token_type_embeddings": "embeddings"}
_CLASS = "tf_bert_for_pre_training"  # the first word of a path is passed over when the file is read


def read_transformers_h5(file: Path) -> tuple[Arrays, tuple[str, ...]]:
    """The arrays under our names in torch's orientation, and the names that belong to no BERT.

    Raises:
        CheckpointError: damaged, or two arrays of one name that differ.
        MachineError: h5py is not installed.
    """
    arrays: Arrays = {}
    left_over = []
    for path, array in read_h5(file)[0].items():
        name = our_name(path)
        if name is None:
            left_over.append(path)
            continue
        check_floats(path, array, file)
        keep(arrays, name, _turned(path, array), file)  # the table stands in each layer that uses it
    return arrays, tuple(left_over)


def our_name(path: str) -> str | None:
    """Our name of the array at a path, None where no BERT has it."""
    words = path.removesuffix(":0").split("/")
    place = max((number for number, word in enumerate(words) if word in _TOPS), default=-1)
    inner = words[place:] if place >= 0 and not (words[place] == "bert" and place == len(words) - 1) else []
    if len(inner) < 2 or inner[-1] not in _LEAVES:
        return None
    inner = [_HEADS.get(inner[0], inner[0]), *inner[1:-1], _LEAVES[inner[-1]]]
    return ".".join(inner).replace("layer_._", "layer.")


def _turned(path: str, array: NDArray[Any]) -> NDArray[np.float32]:
    values = in_fp32(array)
    return np.ascontiguousarray(values.T) if path.removesuffix(":0").endswith("/kernel") else values


def write_transformers_h5(file: Path, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Write arrays with our names as transformers' TensorFlow classes read them.

    Raises:
        MachineError: h5py is not installed.
    """
    found: dict[str, NDArray[np.float32]] = {}
    layers: dict[str, list[str]] = {}
    for name, array in arrays.items():
        layer, path = _their_path(name)
        found[f"{layer}/{path}"] = array.T if path.endswith("/kernel:0") else array
        layers.setdefault(layer, []).append(path)
    if "mlm___cls" in layers:  # there, the head lists the table that it shares
        path = _their_path(TABLE)[1]
        found[f"mlm___cls/{path}"] = arrays[TABLE]
        layers["mlm___cls"].append(path)
    lists = {"/": {"layer_names": list(layers)}} | {layer: {"weight_names": paths} for layer, paths in layers.items()}
    write_h5(file, found, lists=lists)


def _their_path(name: str) -> tuple[str, str]:
    """The layer of an array, and its path below it."""
    words = name.split(".")
    parent, leaf = words[-2], words[-1]
    if parent in _EMBEDDINGS:
        leaf = _EMBEDDINGS[parent]
    elif parent == "LayerNorm":
        leaf = {"weight": "gamma", "bias": "beta"}[leaf]
    elif leaf == "weight":
        leaf = "kernel"
    top = {"predictions": "mlm___cls", "seq_relationship": "nsp___cls"}.get(words[1], words[0])
    return top, "/".join((_CLASS, top, *words[1:-1], f"{leaf}:0")).replace("/layer/", "/layer_._")
