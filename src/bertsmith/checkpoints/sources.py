"""Checkpoints of every kind: what a path holds, and reading it into a `Checkpoint`.

huggingface      config.json and model.safetensors
google           bert_config.json and bert_model.ckpt.index, .data-… of TensorFlow 1
google-tf2       the same with an object checkpoint of TensorFlow 2
keras            a preset folder of keras-hub, a .keras file, or a .weights.h5 with a config beside it
transformers-h5  config.json and tf_model.h5
pytorch          config.json or bert_config.json and pytorch_model.bin, a pickle
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertsmith.checkpoints.about import read_about, tells_of_texts
from bertsmith.checkpoints.assembly import InMemory, Readable, assembled, tell_not_finite
from bertsmith.checkpoints.checkpoint import Checkpoint
from bertsmith.checkpoints.folder import OPTIMIZER, read_vocabulary_of
from bertsmith.checkpoints.google import TensorFlowCheckpoint, find_prefixes, listed, read_tensorflow
from bertsmith.checkpoints.json_objects import json_object
from bertsmith.checkpoints.keras import TASK_WEIGHTS, VOCABULARY, WEIGHTS, read_keras, read_keras_config
from bertsmith.checkpoints.names import shown
from bertsmith.checkpoints.object_graph import GRAPH
from bertsmith.checkpoints.pickled import find_pickles, unpickled
from bertsmith.checkpoints.transformers_h5 import FILE as H5_FILE
from bertsmith.checkpoints.transformers_h5 import read_transformers_h5
from bertsmith.checkpoints.weights import INDEX, SINGLE, Arrays, find_weights, stored_arrays
from bertsmith.config.bert import BertConfig
from bertsmith.config.formats import ConfigFile, config_from_values, read_config_file
from bertsmith.errors import CheckpointError
from bertsmith.progress import Listener, ignore, warning
from bertsmith.text.vocabulary import TOKENIZER_JSON, VOCAB_TXT, Vocabulary

REST = "rest.safetensors"
_MEANS = ("m", "v")


class Kind(StrEnum):
    """How a checkpoint lies on a disk."""

    HUGGINGFACE = "huggingface"
    GOOGLE = "google"
    GOOGLE_TF2 = "google-tf2"
    KERAS = "keras"
    TRANSFORMERS_H5 = "transformers-h5"
    PYTORCH = "pytorch"


_TRANSFORMERS = (Kind.HUGGINGFACE, Kind.TRANSFORMERS_H5, Kind.PYTORCH)  # whose code knows what `gelu` means


@dataclass(frozen=True)
class Source:
    """One checkpoint of a folder.

    Args:
        kind: how it lies there.
        folder: where config and vocabulary stand.
        weights: the folder, the file, or the prefix of the files that hold the weights.
    """

    kind: Kind
    folder: Path
    weights: Path


def sources_of(path: Path) -> tuple[Source, ...]:
    """Every checkpoint that a path holds, the preferred one first: safetensors, TensorFlow, Keras, pickles.

    Args:
        path: a folder, a file of weights, or the prefix of TensorFlow's files (`bert_model.ckpt`).

    Raises:
        CheckpointError: there is nothing, or nothing that holds weights.
    """
    found = tuple(_found(path))
    if found:
        return found
    if path.exists():
        raise CheckpointError(
            "no-checkpoint",
            "there are no weights of a kind that is known",
            where=path,
            do="give a folder or file with {kinds}",
            kinds=", ".join((SINGLE, "X.ckpt.index", WEIGHTS, H5_FILE, "X.keras", "pytorch_model.bin")),
        )
    raise CheckpointError("no-such-checkpoint", "there is no such file or folder", where=path, do="check the path")


def _found(path: Path) -> Iterator[Source]:
    if not path.is_dir():
        if path.is_file():
            yield from _file(path)
        elif Path(f"{path}.index").is_file():
            yield Source(_tensorflow_kind(path), path.parent, path)
        return
    if (path / SINGLE).is_file() or (path / INDEX).is_file():
        yield Source(Kind.HUGGINGFACE, path, path)
    for prefix in find_prefixes(path):
        yield Source(_tensorflow_kind(prefix), path, prefix)
    if (path / WEIGHTS).is_file():
        yield Source(Kind.KERAS, path, path)
    if (path / H5_FILE).is_file():
        yield Source(Kind.TRANSFORMERS_H5, path, path / H5_FILE)
    if find_pickles(path):
        yield Source(Kind.PYTORCH, path, path)


def _file(file: Path) -> Iterator[Source]:
    """The checkpoint that one file belongs to."""
    folder = file.parent
    if file.suffix == ".safetensors":
        yield Source(Kind.HUGGINGFACE, folder, folder if file.name == SINGLE else file)
    elif file.suffix == ".index" or ".data-" in file.name:
        prefix = file.with_name(file.name.removesuffix(".index").partition(".data-")[0])
        yield Source(_tensorflow_kind(prefix), folder, prefix)
    elif file.suffix == ".keras":
        yield Source(Kind.KERAS, folder, file)
    elif file.name in (WEIGHTS, TASK_WEIGHTS):
        yield Source(Kind.KERAS, folder, folder)
    elif file.name.endswith(".weights.h5"):
        yield Source(Kind.KERAS, folder, file)
    elif file.suffix == ".h5":
        yield Source(Kind.TRANSFORMERS_H5, folder, file)
    elif file.suffix in (".bin", ".pt", ".pth"):
        yield Source(Kind.PYTORCH, folder, file)
    elif file.suffix == ".ckpt":  # TensorFlow's first format had no index beside it
        yield Source(_tensorflow_kind(file), folder, file)


def _tensorflow_kind(prefix: Path) -> Kind:
    try:
        return Kind.GOOGLE_TF2 if GRAPH in listed(prefix) else Kind.GOOGLE
    except CheckpointError:  # told when it is read, so that it does not stand in the way of a whole checkpoint beside it
        return Kind.GOOGLE


def read_source(source: Source, *, gelu: str = "auto", vocab_size: int | None = None, listen: Listener = ignore) -> Checkpoint:
    """Read a checkpoint of any kind.

    Args:
        source: which.
        gelu: the form of gelu where no file says it: auto, erf, tanh, google-2018, google-2019.
        vocab_size: pieces, for configs that do not say it.
        listen: told what decided the gelu, which arrays belong to no BERT, and which hold something else than numbers.

    Raises:
        CheckpointError: damaged, absent or left-over arrays, or arrays that do not fit the config.
        ConfigError: the config is absent, wrong, or that of another network.
        DataError: the vocabulary cannot be read.
        MachineError: a package is missing.
    """
    file = config_of(source, gelu=gelu, vocab_size=vocab_size, listen=listen)
    stored, training = _read(source, listen)
    kept = _kept_apart(source.folder / REST, "") if source.kind is Kind.KERAS else {}
    arrays = assembled({**kept, **stored}, file.config, source.weights)
    about = read_about(source.folder, file.values, arrays)
    vocabulary = _vocabulary(source, file.config, about)
    slots, step = (training.slots, training.step) if training else _optimizer(source.folder, about)
    _check_slots(slots, arrays, source)
    means = {f"{slot} {name}": mean for slot, found in slots.items() for name, mean in found.items()}
    tell_not_finite({**arrays, **means}, source.weights, listen)
    return Checkpoint(file.config, arrays, vocabulary, about, slots, step, file)


def config_of(source: Source, *, gelu: str = "auto", vocab_size: int | None = None, listen: Listener = ignore) -> ConfigFile:
    """The config of a checkpoint.

    Raises:
        ConfigError: it is absent, wrong, or that of another network.
    """
    if source.weights.suffix == ".keras":
        return config_from_values(read_keras_config(source.weights), where=source.weights, gelu=gelu, vocab_size=vocab_size)
    form = "huggingface" if source.kind in _TRANSFORMERS else "auto"
    return read_config_file(source.folder, gelu=gelu, vocab_size=vocab_size, form=form, listen=listen)


def _read(source: Source, listen: Listener) -> tuple[Mapping[str, Readable], TensorFlowCheckpoint | None]:
    """The arrays of a source, and what stands beside them in a checkpoint of training."""
    if source.kind is Kind.HUGGINGFACE:
        files = find_weights(source.folder) if source.weights.is_dir() else [source.weights]
        return {name: array for file in files for name, array in stored_arrays(file).items()}, None
    if source.kind in (Kind.GOOGLE, Kind.GOOGLE_TF2):
        found = read_tensorflow(source.weights)
        _tell(found.left_over, source, listen)
        return _in_memory(found.arrays), found
    if source.kind is Kind.PYTORCH:
        files = find_pickles(source.weights) if source.weights.is_dir() else [source.weights]
        with unpickled(files) as stored:
            return _in_memory({name: array.read() for name, array in stored.items() if array.is_float}), None
    read = read_keras if source.kind is Kind.KERAS else read_transformers_h5
    arrays, left_over = read(source.weights)
    _tell(left_over, source, listen)
    return _in_memory(arrays), None


def _in_memory(arrays: Mapping[str, NDArray[np.float32]]) -> dict[str, Readable]:
    return {name: InMemory(array) for name, array in arrays.items()}


def _tell(left_over: tuple[str, ...], source: Source, listen: Listener) -> None:
    if left_over:
        listen(
            warning(
                "arrays-left-over",
                "{count} arrays in {path} belong to no BERT and are left out: {names}",
                count=len(left_over),
                path=str(source.weights),
                names=shown(list(left_over)),
            )
        )


def _kept_apart(file: Path, prefix: str) -> dict[str, Readable]:
    """The arrays of one of our own files beside the weights; none where it is absent."""
    if not file.is_file():
        return {}
    return {name.removeprefix(prefix): array for name, array in stored_arrays(file).items() if name.startswith(prefix)}


def _optimizer(folder: Path, about: Mapping[str, Any]) -> tuple[dict[str, Arrays], int | None]:
    """Adam's means and the step as we keep them beside safetensors."""
    slots = {
        slot: {name: array.read() for name, array in _kept_apart(folder / OPTIMIZER, f"{slot}.").items()} for slot in _MEANS
    }
    step = about.get("step")
    known = isinstance(step, int) and not isinstance(step, bool) and 0 <= step < 2**63
    return {slot: arrays for slot, arrays in slots.items() if arrays}, step if known else None


def _check_slots(slots: Mapping[str, Arrays], arrays: Arrays, source: Source) -> None:
    odd = [
        f"{slot} {name}"
        for slot, means in slots.items()
        for name, mean in means.items()
        if name not in arrays or mean.shape != arrays[name].shape
    ]
    if odd:
        raise CheckpointError(
            "slots-do-not-fit",
            "{count} means of the optimizer are not of the shape of their weights, or have none: {names}",
            where=source.folder / OPTIMIZER,
            do="remove the file to go on without the optimizer, or copy the whole folder again",
            count=len(odd),
            names=shown(odd),
        )


def _vocabulary(source: Source, config: BertConfig, about: Mapping[str, Any]) -> Vocabulary | None:
    """The vocabulary beside a checkpoint, None where there is none; what bertsmith.json says of case and accents goes first."""
    names = (VOCABULARY.as_posix(), VOCAB_TXT) if source.kind is Kind.KERAS else (TOKENIZER_JSON, VOCAB_TXT)
    vocabulary = read_vocabulary_of(source.folder, config, names)
    told = about.get("text") or (_told_by_keras(source.folder / TOKENIZER_JSON) if source.kind is Kind.KERAS else None)
    if vocabulary is None or not told:
        return vocabulary
    return Vocabulary(vocabulary.pieces, told["lowercase"], told.get("strip_accents"), told.get("split_chinese", True))


def _told_by_keras(file: Path) -> dict[str, Any] | None:
    """What keras-hub's tokenizer.json says of case and accents; None where it is absent or says nothing."""
    try:
        told = json_object(file.read_bytes()).get("config") if file.is_file() else None
    except (OSError, ValueError):
        return None
    return told if tells_of_texts(told) else None
